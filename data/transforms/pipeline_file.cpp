// SPDX-License-Identifier: BSD-3-Clause
// Files of pipelines in JSON: an object with the name of the format, the columns of the fit, and
// one object with the members of each step. Numbers have all their digits; NaN and infinities are
// texts.
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/json.hpp"
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

using detail::Json;
using detail::TransformAccess;

constexpr const char* format_name = "ebb.pipeline";
constexpr std::int64_t newest_version = 1;

constexpr detail::JsonLimits limits{.what = "a pipeline",
                                    .origin = "a pipeline file is one that Pipeline::save wrote"};

Json column_in_json(const Column& column) {
  Json object{{"name", column.name}};
  if (column.kind == Kind::categorical) object["levels"] = column.levels;
  return object;
}
/// False if that is no column.
bool column_from_json(const Json& json, Column& column) {
  if (!json.is_object() || !json.contains("name")) return false;
  for (const auto& [key, value] : json.items()) {
    if (key == "name" && value.is_string()) {
      column.name = value.get<std::string>();
    } else if (key == "levels" && value.is_array()) {
      column.kind = Kind::categorical;
      for (const Json& level : value) {
        if (!level.is_string()) return false;
        column.levels.push_back(level.get<std::string>());
      }
    } else {
      return false;
    }
  }
  return true;
}

class Writer : public detail::JsonWriter<Fields> {
 public:
  explicit Writer(Json& object) : JsonWriter(object, "Pipeline::save") {}

 protected:
  void columns(const std::string& name, std::vector<Column>& list) override {
    Json json = Json::array();
    for (const Column& column : list) json.push_back(column_in_json(column));
    put(name, std::move(json));
  }
};

class Reader : public detail::JsonReader<Fields> {
 public:
  using JsonReader::JsonReader;

 protected:
  void columns(const std::string& name, std::vector<Column>& list) override {
    const Json& json = find(name);
    if (!json.is_array()) fail(detail::quoted(name) + " must be a list");
    list.clear();
    for (const Json& element : json) {
      if (column_from_json(element, list.emplace_back())) continue;
      fail(detail::quoted(name) +
           " must be columns: each a \"name\", and \"levels\" where it has them");
    }
  }
};

Json parse(const detail::BinaryFile& file) {
  if (file.size() > limits.bytes) {
    throw FileError(file.name() + ": a file of more than 256 MB is not a pipeline");
  }
  std::string text(std::size_t(file.size()), '\0');
  file.read(0, text.data(), file.size());
  return detail::parse_json(file.name(), text, limits);
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

std::string detail::PipelineAccess::text(Pipeline pipeline) {
  std::string text;
  try {
    Json head{{"format", format_name}, {"version", newest_version}};
    Writer writer(head);
    TransformAccess::save(pipeline, writer);
    text = head.dump();
    text.back() = ',';
    text += "\n\"steps\":[";
    for (std::size_t i = 0; i < pipeline.steps_.size(); ++i) {
      Json object{{"type", pipeline.steps_[i]->type()}};
      Writer fields(object);
      TransformAccess::save(*pipeline.steps_[i], fields);
      text += (i ? ",\n" : "\n") + object.dump();
    }
    text += "]}\n";
  } catch (const Json::type_error&) {
    pipeline.fail("save: the name of a column, or a level, is not UTF-8, as JSON must be");
  }
  if (std::int64_t(text.size()) > limits.bytes) {
    pipeline.fail(
        "save: it takes more than 256 MB, which load refuses; drop columns with many or long "
        "levels");
  }
  return text;
}

void Pipeline::save(const std::string& path) const {
  const std::string text = detail::PipelineAccess::text(*this);
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
