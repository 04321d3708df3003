// SPDX-License-Identifier: BSD-3-Clause
// Files of pipelines in JSON: an object with the name of the format, the columns of the fit, and
// one object with the members of each step. Numbers have all their digits; NaN and infinities are
// texts.
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/features.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/data/transforms/target_encoding.hpp"
#include "ebb/data/transforms/transform_access.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::TransformAccess;
using Json = nlohmann::ordered_json;

constexpr const char* format_name = "ebb.pipeline";
constexpr std::int64_t newest_version = 1;

// The form in JSON of each type of member.

Json in_json(const auto& value) { return value; }
Json in_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}
Json in_json(const Column& column) {
  Json object{{"name", column.name}};
  if (column.kind == Kind::categorical) object["levels"] = column.levels;
  return object;
}
template <class T>
Json in_json(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(in_json(value));
  return list;
}

// Each function returns the name of the expected type if the value has another, and otherwise null.

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
const char* from_json(const Json& json, Column& column) {
  constexpr const char* expected = "columns: each a \"name\", and \"levels\" where it has them";
  if (!json.is_object() || !json.contains("name")) return expected;
  column = {};
  for (const auto& [key, value] : json.items()) {
    if (key == "name" && value.is_string()) {
      column.name = value.get<std::string>();
    } else if (key == "levels" && value.is_array()) {
      column.kind = Kind::categorical;
      for (const Json& level : value) {
        if (!level.is_string()) return expected;
        column.levels.push_back(level.get<std::string>());
      }
    } else {
      return expected;
    }
  }
  return nullptr;
}
template <class T>
const char* from_json(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) return "a list";
  values.clear();
  for (const Json& element : json) {
    if (const char* expected = from_json(element, values.emplace_back())) return expected;
  }
  return nullptr;
}

class Writer : public Fields {
 public:
  explicit Writer(Json& object) : object_(object) {}

 protected:
  void columns(const std::string& name, std::vector<Column>& list) override {
    put(name, in_json(list));
  }
  void value(const std::string& name, Value value) override {
    put(name, std::visit([](const auto* member) { return in_json(*member); }, value));
  }
  void fail(const std::string& what) const override {
    throw ArgumentError("Pipeline::save: " + what);
  }

 private:
  void put(const std::string& name, Json json) {
    if (object_.contains(name)) fail(detail::quoted(name) + " is the name of two members");
    object_[name] = std::move(json);
  }

  Json& object_;
};

class Reader : public Fields {
 public:
  /// `where` is the start of error messages.
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

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
  void columns(const std::string& name, std::vector<Column>& list) override { take(name, list); }
  void value(const std::string& name, Value value) override {
    std::visit([&](auto* member) { take(name, *member); }, value);
  }

 private:
  void take(const std::string& name, auto& member) {
    const char* expected = from_json(find(name), member);
    if (expected) fail(detail::quoted(name) + " must be " + expected);
  }

  const Json& object_;
  std::string where_;
  std::set<std::string, std::less<>> seen_;
};

/// The place of a byte in a text.
detail::Mark mark_of(const std::string& text, std::size_t byte) {
  detail::Mark mark;
  for (std::size_t i = 0; i < std::min(byte, text.size()); ++i) {
    ++mark.column;
    if (text[i] == '\n') mark = {mark.line + 1, 1};
  }
  return mark;
}

/// A check of a file before it is parsed. It rejects keys that occur twice in an object, and
/// nesting and numbers of keys that a pipeline never has and that take a parser very long.
class Watch : public Json::json_sax_t {
 public:
  Watch(const std::string& path, const std::string& text) : path_(path), text_(text) {}

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
    constexpr std::size_t most = 1000;
    if (!keys_.back().insert(key).second) {
      throw FileError(path_ + ": the key " + detail::quoted(key) + " occurs twice in one object");
    }
    if (keys_.back().size() > most) throw FileError(path_ + ": more keys than any pipeline has");
    return true;
  }
  bool parse_error(std::size_t behind, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (dynamic_cast<const Json::out_of_range*>(&error)) {
      throw FileError(path_ + ": a number that double cannot hold");
    }
    throw detail::error_at(path_, mark_of(text_, behind > 0 ? behind - 1 : 0),
                           "this is not JSON; a pipeline file is one that Pipeline::save wrote");
  }

 private:
  bool deeper() {
    constexpr std::size_t deepest = 8;
    if (keys_.size() == deepest) {
      throw FileError(path_ + ": lists within lists, deeper than any pipeline");
    }
    keys_.emplace_back();
    return true;
  }

  const std::string& path_;
  const std::string& text_;
  std::vector<std::set<std::string>> keys_;  ///< the keys of each open object
};

/// The most bytes that a file may have.
constexpr std::int64_t largest = std::int64_t(1) << 28;

Json parse(const detail::BinaryFile& file) {
  const std::string& path = file.name();
  if (file.size() > largest) {
    throw FileError(path + ": a file of more than 256 MB is not a pipeline");
  }
  std::string text(std::size_t(file.size()), '\0');
  file.read(0, text.data(), file.size());
  // The parser would take a zero byte for the end of the text.
  const std::size_t zero = text.find('\0');
  if (zero != text.npos) {
    throw detail::error_at(path, mark_of(text, zero), "a zero byte, which JSON cannot have");
  }
  Watch watch(path, text);
  Json::sax_parse(text, &watch);
  return Json::parse(text);
}

/// One transform of each type in the library.
const std::vector<Step>& known_steps() {
  static const std::vector<Step> steps{
      Standardize(), MinMax(), Robust(),  Log(),
      Polynomial(),  OneHot(), Ordinal(), TargetEncode({.target = "target"}),
      Impute()};
  return steps;
}

const Step* find_step(const std::vector<Step>& steps, const std::string& type) {
  for (const Step& step : steps) {
    if (step->type() == type) return &step;
  }
  return nullptr;
}

Step read_step(const Json& json, const std::string& where, const std::vector<Step>& own) {
  if (!json.is_object()) throw FileError(where + ": must be an object");
  std::string type;
  Reader(json, where)("type", type);
  const Step* prototype = find_step(own, type);
  if (!prototype) prototype = find_step(known_steps(), type);
  if (!prototype) {
    throw FileError(where + ": there is no transform " + detail::quoted(type) +
                    "; give one of your own to Pipeline::load");
  }
  Step step = *prototype;
  Reader fields(json, where + " (" + type + ")");
  fields.find("type");
  TransformAccess::load(*step, fields);
  fields.expect_end();
  return step;
}

}  // namespace

void Pipeline::save(const std::string& path) const {
  Pipeline copy = *this;
  std::string text;
  try {
    Json head{{"format", format_name}, {"version", newest_version}};
    Writer writer(head);
    TransformAccess::save(copy, writer);
    text = head.dump();
    text.back() = ',';
    text += "\n\"steps\":[";
    for (std::size_t i = 0; i < copy.steps_.size(); ++i) {
      Json object{{"type", copy.steps_[i]->type()}};
      Writer fields(object);
      TransformAccess::save(*copy.steps_[i], fields);
      text += (i ? ",\n" : "\n") + object.dump();
    }
    text += "]}\n";
  } catch (const Json::type_error&) {
    fail("save: the name of a column, or a level, is not UTF-8, as JSON must be");
  }
  if (std::int64_t(text.size()) > largest) {
    fail(
        "save: it takes more than 256 MB, which load refuses; drop columns with many or long "
        "levels");
  }
  detail::AtomicFile file(path);
  file.write(text);
  file.commit();
}

Pipeline Pipeline::load(const std::string& path, const std::vector<Step>& own) {
  return detail::read_pipeline(detail::BinaryFile(path), own);
}

Pipeline detail::read_pipeline(const BinaryFile& file, const std::vector<Step>& own) {
  const std::string& path = file.name();
  const Json json = parse(file);
  if (!json.is_object()) throw FileError(path + ": a pipeline is a JSON object");
  Reader fields(json, path);
  std::string format;
  fields("format", format);
  fields.refuse_unless(format == format_name,
                       "\"format\" is " + detail::quoted(format) + ", not " +
                           detail::quoted(format_name) +
                           "; a pipeline file is one that Pipeline::save wrote");
  std::int64_t version = 0;
  fields("version", version);
  fields.refuse_unless(version == newest_version,
                       "version " + std::to_string(version) +
                           " of the format; this library reads version " +
                           std::to_string(newest_version));
  const Json& steps = fields.find("steps");
  fields.refuse_unless(steps.is_array(), "\"steps\" must be a list");
  Pipeline pipeline;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    pipeline.add(read_step(steps[i], path + ": step " + std::to_string(i), own));
  }
  TransformAccess::load(pipeline, fields);
  fields.expect_end();
  return pipeline;
}

}  // namespace ebb::inline v0::data
