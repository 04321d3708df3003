// SPDX-License-Identifier: BSD-3-Clause
// JSON for the library's own sources: the members that `Fields` visits, and texts that are parsed
// with limits. Numbers have all their digits; NaN and infinities are texts.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/fields.hpp"
#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data::detail {

using Json = nlohmann::ordered_json;

// The form in JSON of each type of member.

Json in_json(const auto& value) { return value; }
Json in_json(double value);
template <class T>
Json in_json(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(in_json(value));
  return list;
}

// Each function returns the name of the expected type if the value has another, and otherwise null.

const char* from_json(const Json& json, bool& value);
const char* from_json(const Json& json, std::uint64_t& value);
const char* from_json(const Json& json, std::int64_t& value);
const char* from_json(const Json& json, double& value);
const char* from_json(const Json& json, std::string& value);
template <class T>
const char* from_json(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) return "a list";
  values.clear();
  for (const Json& element : json) {
    if (const char* expected = from_json(element, values.emplace_back())) return expected;
  }
  return nullptr;
}

/// Adds what it visits to a JSON object. `Base` is a kind of Fields.
template <class Base>
class JsonWriter : public Base {
 public:
  /// `where` is the start of error messages.
  JsonWriter(Json& object, std::string where) : object_(object), where_(std::move(where)) {}

 protected:
  void value(const std::string& name, typename Base::Value value) override {
    put(name, std::visit([](const auto* member) { return in_json(*member); }, value));
  }
  [[noreturn]] void fail(const std::string& what) const override {
    throw ArgumentError(where_ + ": " + what);
  }
  /// @throws ArgumentError for a name that is there.
  void put(const std::string& name, Json json) {
    if (object_.contains(name)) fail(detail::quoted(name) + " is the name of two members");
    object_[name] = std::move(json);
  }

 private:
  Json& object_;
  std::string where_;
};

/// Gives what it visits the values of a JSON object.
template <class Base>
class JsonReader : public Base {
 public:
  /// `where` is the start of error messages.
  JsonReader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  /// @throws FileError for a member that was not read.
  void expect_end() const {
    for (const auto& [key, value] : object_.items()) {
      if (!seen_.contains(key)) fail("the key " + detail::quoted(key) + " is not known");
    }
  }
  /// @throws FileError if there is no member with this name.
  const Json& find(const std::string& name) {
    seen_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end()) fail(detail::quoted(name) + " is missing");
    return *found;
  }
  [[noreturn]] void fail(const std::string& what) const override {
    throw FileError(where_ + ": " + what);
  }

 protected:
  void value(const std::string& name, typename Base::Value value) override {
    std::visit([&](auto* member) { take(name, *member); }, value);
  }
  void take(const std::string& name, auto& member) {
    const char* expected = from_json(find(name), member);
    if (expected) fail(detail::quoted(name) + " must be " + expected);
  }

 private:
  const Json& object_;
  std::string where_;
  std::set<std::string, std::less<>> seen_;
};

/// What no text of a kind has more of; more would take a parser very long.
struct JsonLimits {
  const char* what = "a JSON text";  ///< for messages: "a pipeline"
  const char* origin = "";  ///< what to say of no JSON: "a pipeline is one that save wrote"
  std::int64_t bytes = std::int64_t(1) << 28;
  std::size_t depth = 8;    ///< lists or objects within each other
  std::size_t keys = 1000;  ///< of one object
};

/// Parses a text in which no key occurs twice in an object. `name` is the start of messages.
/// @throws FileError for what is no JSON, or exceeds the limits.
Json parse_json(const std::string& name, const std::string& text, const JsonLimits& limits);

}  // namespace ebb::inline v0::data::detail
