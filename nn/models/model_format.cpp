// SPDX-License-Identifier: BSD-3-Clause
// Model files: arrays, and four texts of metadata, which are JSON. What is read is checked before
// anything is built of it.
#include "ebb/nn/models/model_format.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/json.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/nn/models/model_estimators.hpp"

#ifndef EBB_VERSION
#error "EBB_VERSION is the version of the library, which its build says"
#endif

namespace ebb::inline v0::nn {

namespace detail {
namespace {

using data::Kind;
using data::detail::Json;
using Writer = data::detail::JsonWriter<Fields>;
using Reader = data::detail::JsonReader<Fields>;

constexpr data::detail::JsonLimits model_limits{
    .what = "a model file", .origin = "a model file is one that save_model wrote"};

constexpr const char* format_key = "ebb.model";  // its text is the version of the format
constexpr const char* linear_version = "1";
constexpr const char* network_version = "2";  // has layers in place of one weight and bias

/// What is in the text "model", beside the options, which are JSON of their own.
void each_model(Fields& field, ModelFile& file) {
  field("estimator", file.estimator);
  field("target", file.target);
  field("inputs", file.inputs);
  field("class_names", file.class_names);
  field("solution", file.solution);
  field("warning", file.warning);
  field("scale", file.scale);
}

std::string model_text(ModelFile& file) {
  Json json = Json::object();
  Writer writer(json, "save_model");
  each_model(writer, file);
  json["options"] = Json::parse(file.options);
  if (!file.network.empty()) {
    writer("losses", file.losses);
    writer("validation_losses", file.validation_losses);
    json["network"] = Json::parse(file.network);
  }
  return json.dump();
}

std::string schema_text(std::vector<FeatureProfile>& features) {
  Json list = Json::array();
  for (FeatureProfile& feature : features) {
    Writer writer(list.emplace_back(Json::object()), "save_model");
    feature.each(writer);
  }
  return list.dump();
}

std::string training_text(ModelFile& file) {
  Json json = Json::object();
  Writer writer(json, "save_model");
  writer("seed", file.seed);
  writer("saved_at", file.saved_at);
  json["metrics"] = Json::object();
  for (const auto& [name, value] : file.metrics)
    json["metrics"][name] = data::detail::in_json(value);
  return json.dump();
}

const std::string& text_of(const data::NamedArrays& arrays, const std::string& key,
                           const std::string& path) {
  const auto found = arrays.metadata.find(key);
  if (found == arrays.metadata.end()) {
    throw FileError(path + ": the metadata has no " + data::detail::quoted(key) +
                    ", as that of a model has");
  }
  return found->second;
}

Json json_of(const data::NamedArrays& arrays, const std::string& key, const std::string& path) {
  return data::detail::parse_json(path + ": metadata " + data::detail::quoted(key),
                                  text_of(arrays, key, path), model_limits);
}

void expect_object(const Json& json, const std::string& where) {
  if (!json.is_object()) throw FileError(where + ": must be an object");
}

void read_model_text(const Json& json, const std::string& where, bool has_network,
                     ModelFile& file) {
  expect_object(json, where);
  Reader reader(json, where);
  each_model(reader, file);
  const Json& options = reader.find("options");
  expect_object(options, where + ": \"options\"");
  file.options = options.dump();
  if (has_network) {
    reader("losses", file.losses);
    reader("validation_losses", file.validation_losses);
    const Json& network = reader.find("network");
    expect_object(network, where + ": \"network\"");
    file.network = network.dump();
  }
  reader.expect_end();
}

void read_schema(const Json& json, const std::string& where, ModelFile& file) {
  if (!json.is_array()) throw FileError(where + ": must be a list");
  for (const Json& element : json) {
    expect_object(element, where);
    Reader reader(element, where);
    file.features.emplace_back().each(reader);
    reader.expect_end();
  }
}

void read_training(const Json& json, const std::string& where, ModelFile& file) {
  expect_object(json, where);
  Reader reader(json, where);
  reader("seed", file.seed);
  reader("saved_at", file.saved_at);
  const Json& metrics = reader.find("metrics");
  expect_object(metrics, where + ": \"metrics\"");
  for (const auto& [name, value] : metrics.items()) {
    if (data::detail::from_json(value, file.metrics[name])) {
      reader.fail("the metric " + data::detail::quoted(name) + " must be a number");
    }
  }
  reader.expect_end();
}

/// @throws FileError unless a condition holds.
void demand(bool holds, const std::string& path, const std::string& otherwise) {
  if (!holds) throw FileError(path + ": " + otherwise);
}

template <class T>
const Array<T>& array_of(const data::NamedArrays& arrays, const char* name, int rank,
                         const std::string& path) {
  demand(arrays.contains(name), path, std::string("the array \"") + name + "\" is missing");
  const auto* array = std::get_if<Array<T>>(&arrays.at(name));
  demand(array && array->rank() == rank, path,
         std::string("the array \"") + name + "\" has another type or number of axes");
  return *array;
}

bool are_finite(const Array<double>& array) {
  return std::all_of(array.begin(), array.end(), [](double x) { return std::isfinite(x); });
}

void check_feature(const FeatureProfile& f, const std::string& path) {
  const std::string who = "the feature " + data::detail::quoted(f.name);
  const bool is_numeric = f.kind == Kind::numeric;
  demand(f.counts.size() == (is_numeric ? f.edges.size() + 1 : f.levels.size()), path,
         who + " needs a count for each bin or level");
  std::int64_t rows = 0;
  constexpr std::int64_t most = std::int64_t(1) << 53;
  const auto add = [&](std::int64_t count) {
    demand(count >= 0 && count <= most - rows, path, who + " has a wrong count");
    rows += count;
  };
  add(f.missing);
  for (const std::int64_t count : f.counts) add(count);
  demand(rows > 0, path, who + " has no rows");
  if (!is_numeric) {
    demand(f.edges.empty() && std::isnan(f.minimum) && std::isnan(f.maximum), path,
           who + " is a category, which has no range");
    return;
  }
  const bool has_values = rows > f.missing;
  demand(f.levels.empty() && has_values == std::isfinite(f.minimum) &&
             has_values == std::isfinite(f.maximum) && !(f.minimum > f.maximum),
         path, who + " has a wrong range");
  double before = f.minimum;
  for (const double edge : f.edges) {
    demand(edge > before && edge <= f.maximum, path, who + " has edges that do not ascend");
    before = edge;
  }
}

void check_classes(const ModelFile& file, const std::string& path) {
  const auto k = std::int64_t(file.class_names.size());
  demand(file.classes.size() == k, path,
         "\"classes\" has " + std::to_string(file.classes.size()) + " numbers, and there are " +
             std::to_string(k) + " names of classes");
  demand(k == 0 || k >= 2, path, "a classifier has at least two classes");
  for (std::int64_t i = 1; i < k; ++i)
    demand(file.classes[i - 1] < file.classes[i], path, "\"classes\" must ascend");
  const std::set<std::string> names(file.class_names.begin(), file.class_names.end());
  demand(std::int64_t(names.size()) == k, path, "two classes have one name");
}

/// The weights of a linear model; those of a network are checked where it is built.
void check_weights(const ModelFile& file, const std::string& path) {
  const auto d = std::int64_t(file.inputs.size()), k = std::int64_t(file.class_names.size());
  demand(d > 0 && file.weight.shape()[1] == d, path,
         "\"weight\" has shape " + to_string(file.weight.shape()) + ", and there are " +
             std::to_string(d) + " inputs");
  demand(file.weight.shape()[0] == file.bias.size(), path,
         "\"weight\" has shape " + to_string(file.weight.shape()) + ", and \"bias\" " +
             to_string(file.bias.shape()));
  demand(are_finite(file.weight) && are_finite(file.bias) && std::isfinite(file.scale), path,
         "\"weight\", \"bias\" or \"scale\" is not finite");
  demand(file.bias.size() == (k > 2 ? k : 1), path,
         "\"bias\" has " + std::to_string(file.bias.size()) + " numbers, which are not those of " +
             (k ? std::to_string(k) + " classes" : std::string("a regression")));
}

/// The arrays beside the classes.
void read_arrays(const data::NamedArrays& arrays, const std::string& path, bool has_network,
                 ModelFile& file) {
  const bool has_classes = !file.class_names.empty();
  if (has_classes) file.classes = array_of<std::int64_t>(arrays, "classes", 1, path);
  check_classes(file, path);
  if (has_network) {
    for (const std::string& name : arrays.names()) {
      if (has_classes && name == "classes") continue;
      demand(std::holds_alternative<Array<double>>(arrays.at(name)), path,
             "the array " + data::detail::quoted(name) + " has another type");
      file.state.add(name, arrays.at(name));
    }
    return;
  }
  file.weight = array_of<double>(arrays, "weight", 2, path);
  file.bias = array_of<double>(arrays, "bias", 1, path);
  demand(arrays.size() == (has_classes ? 3 : 2), path,
         "there are arrays that a model does not have");
  check_weights(file, path);
}

/// The features must be the columns of the pipeline, and its result the inputs.
void check_pipeline(const ModelFile& file, const std::string& path) {
  std::size_t at = 0;
  for (const data::Column& column : file.pipeline.inputs()) {
    if (column.name == file.target) continue;
    const bool is_there = at < file.features.size() && file.features[at].name == column.name &&
                          file.features[at].kind == column.kind &&
                          file.features[at].levels == column.levels;
    demand(is_there, path,
           "the schema and the pipeline differ at " + data::detail::quoted(column.name));
    ++at;
  }
  demand(at == file.features.size() && at > 0, path,
         "the schema has " + std::to_string(file.features.size()) +
             " features, and the pipeline takes " + std::to_string(at));
  std::vector<std::string> outputs;
  for (const data::Column& column : file.pipeline.outputs()) {
    if (column.name == file.target) continue;
    demand(column.kind == Kind::numeric, path,
           "the pipeline leaves the category " + data::detail::quoted(column.name));
    outputs.push_back(column.name);
  }
  demand(outputs == file.inputs, path, "the pipeline gives other columns than the inputs");
}

/// The arrays of a file of safetensors that is a model of this version.
data::NamedArrays checked_arrays(const data::detail::BinaryFile& from) {
  data::NamedArrays arrays = data::detail::read_safetensors(from, {});
  const auto found = arrays.metadata.find(format_key);
  demand(!arrays.metadata.contains("ebb.stack"), from.name(),
         "this is a stack of layers; nn::load_stack reads it");
  demand(found != arrays.metadata.end(), from.name(),
         "this file of safetensors is not a model; a model file is one that save_model wrote");
  demand(found->second == linear_version || found->second == network_version, from.name(),
         "version " + data::detail::quoted(found->second) +
             " of the format; this library reads versions " + linear_version + " and " +
             network_version);
  return arrays;
}

}  // namespace

void write_model(const std::string& path, const ModelFile& given) {
  ModelFile file = given;
  const bool has_network = !file.network.empty();
  data::NamedArrays arrays = file.state;
  if (!has_network) arrays = {{"weight", file.weight}, {"bias", file.bias}};
  if (!file.class_names.empty()) arrays.add("classes", file.classes);
  try {
    arrays.metadata = {{format_key, has_network ? network_version : linear_version},
                       {"ebb.version", EBB_VERSION},
                       {"model", model_text(file)},
                       {"pipeline", data::detail::PipelineAccess::text(file.pipeline)},
                       {"schema", schema_text(file.features)},
                       {"training", training_text(file)}};
  } catch (const Json::type_error&) {
    throw ArgumentError(
        "save_model: a name, a unit or a class is not UTF-8, as the texts of a model file are");
  }
  data::write_safetensors(path, arrays);
}

ModelFile read_model(const data::detail::BinaryFile& from, const std::vector<data::Step>& own) {
  const std::string& path = from.name();
  const data::NamedArrays arrays = checked_arrays(from);
  ModelFile file;
  file.ebb_version = text_of(arrays, "ebb.version", path);
  const bool has_network = text_of(arrays, format_key, path) == network_version;
  read_model_text(json_of(arrays, "model", path), path + ": model", has_network, file);
  read_schema(json_of(arrays, "schema", path), path + ": schema", file);
  read_training(json_of(arrays, "training", path), path + ": training", file);
  read_arrays(arrays, path, has_network, file);
  for (const FeatureProfile& feature : file.features) check_feature(feature, path);
  const std::string& text = text_of(arrays, "pipeline", path);
  file.pipeline = data::detail::read_pipeline(
      data::detail::BinaryFile(std::as_bytes(std::span(text.data(), text.size())),
                               path + ": pipeline"),
      own);
  check_pipeline(file, path);
  try {
    const AnyEstimator made = estimator_of(file);
    demand((made.classifier != nullptr) == !file.class_names.empty(), path,
           "the classes are not those of a " + file.estimator);
  } catch (const ArgumentError& error) {
    throw FileError(path + ": " + error.what());
  } catch (const FileError& error) {
    const std::string what = error.what();
    throw FileError(what.starts_with(path) ? what : path + ": " + what);
  }
  return file;
}

}  // namespace detail

ModelFile read_model(const std::string& path, const std::vector<data::Step>& own) {
  return detail::read_model(data::detail::BinaryFile(path), own);
}

}  // namespace ebb::inline v0::nn
