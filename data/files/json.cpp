// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/json.hpp"

#include <cmath>
#include <limits>

#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data::detail {

Json in_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

const char* from_json(const Json& json, bool& value) {
  if (!json.is_boolean()) return "true or false";
  value = json.get<bool>();
  return nullptr;
}
const char* from_json(const Json& json, std::uint64_t& value) {
  if (!json.is_number_unsigned()) return "a whole number from 0 on";
  value = json.get<std::uint64_t>();
  return nullptr;
}
const char* from_json(const Json& json, std::int64_t& value) {
  constexpr auto most = std::uint64_t(std::numeric_limits<std::int64_t>::max());
  if (!json.is_number_integer()) return "a whole number";
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > most) {
    return "a whole number below 2^63";
  }
  value = json.get<std::int64_t>();
  return nullptr;
}
const char* from_json(const Json& json, double& value) {
  if (json.is_number()) {
    value = json.get<double>();
  } else if (json == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (json == "Infinity" || json == "-Infinity") {
    value = json == "Infinity" ? HUGE_VAL : -HUGE_VAL;
  } else {
    return "a number";
  }
  return nullptr;
}
const char* from_json(const Json& json, std::string& value) {
  if (!json.is_string()) return "a text";
  value = json.get<std::string>();
  return nullptr;
}

namespace {

/// The place of a byte in a text.
Mark mark_of(const std::string& text, std::size_t byte) {
  Mark mark;
  for (std::size_t i = 0; i < std::min(byte, text.size()); ++i) {
    ++mark.column;
    if (text[i] == '\n') mark = {mark.line + 1, 1};
  }
  return mark;
}

/// A check of a text before it is parsed. It rejects keys that occur twice in an object, and
/// nesting and numbers of keys beyond the limits.
class Watch : public Json::json_sax_t {
 public:
  Watch(const std::string& path, const std::string& text, const JsonLimits& limits)
      : path_(path), text_(text), limits_(limits) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override {
    keys_.pop_back();
    return true;
  }
  bool start_object(std::size_t) override { return deeper(); }
  bool end_object() override { return end_array(); }
  bool key(string_t& key) override {
    if (!keys_.back().insert(key).second) {
      throw FileError(path_ + ": the key " + detail::quoted(key) + " occurs twice in one object");
    }
    if (keys_.back().size() > limits_.keys)
      throw FileError(path_ + ": more keys than " + limits_.what + " has");
    return true;
  }
  bool parse_error(std::size_t behind, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (dynamic_cast<const Json::out_of_range*>(&error)) {
      throw FileError(path_ + ": a number that double cannot hold");
    }
    throw error_at(path_, mark_of(text_, behind > 0 ? behind - 1 : 0),
                   std::string("this is not JSON; ") + limits_.origin);
  }

 private:
  bool deeper() {
    if (keys_.size() == limits_.depth)
      throw FileError(path_ + ": lists within lists, deeper than " + limits_.what);
    keys_.emplace_back();
    return true;
  }

  const std::string& path_;
  const std::string& text_;
  const JsonLimits& limits_;
  std::vector<std::set<std::string>> keys_;  ///< the keys of each open object
};

}  // namespace

Json parse_json(const std::string& name, const std::string& text, const JsonLimits& limits) {
  if (std::int64_t(text.size()) > limits.bytes) {
    throw FileError(name + ": more than " + std::to_string(limits.bytes >> 20) + " MB is not " +
                    limits.what);
  }
  // The parser would take a zero byte for the end of the text.
  const std::size_t zero = text.find('\0');
  if (zero != text.npos) {
    throw error_at(name, mark_of(text, zero), "a zero byte, which JSON cannot have");
  }
  Watch watch(name, text, limits);
  Json::sax_parse(text, &watch);
  return Json::parse(text);
}

}  // namespace ebb::inline v0::data::detail
