// SPDX-License-Identifier: BSD-3-Clause
#include "protocol.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace gradbench {
namespace {

using Clock = std::chrono::steady_clock;

const Json& member(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (found == object.end()) throw std::runtime_error("there is no \"" + std::string(name) + '"');
  return *found;
}

const Module& module_of(const Json& message) {
  const auto name = member(message, "module").get<std::string>();
  const auto found = modules().find(name);
  if (found == modules().end()) throw std::runtime_error("there is no module \"" + name + '"');
  return found->second;
}

Json timing(const char* name, Clock::duration time) {
  return {{"name", name},
          {"nanoseconds", std::chrono::duration_cast<std::chrono::nanoseconds>(time).count()}};
}

/// Reads the input, and runs the function as often and as long as the input asks for.
void evaluate(const Json& message, Json& response) {
  const Module& module = module_of(message);
  const auto name = member(message, "function").get<std::string>();
  const auto function = module.find(name);
  if (function == module.end()) throw std::runtime_error("there is no function \"" + name + '"');
  const Json& input = member(message, "input");
  const int runs = input.is_object() ? input.value("min_runs", 1) : 1;
  const double seconds = input.is_object() ? input.value("min_seconds", 0.0) : 0;
  const auto begin = Clock::now();
  const Call call = function->second(input);
  Json timings = {timing("prepare", Clock::now() - begin)};
  std::chrono::duration<double> elapsed{};
  for (int i = 0; i < std::max(runs, 1) || elapsed.count() < seconds; ++i) {
    const auto start = Clock::now();
    call.run();
    const auto time = Clock::now() - start;
    timings.push_back(timing("evaluate", time));
    elapsed += time;
  }
  response["output"] = call.output();
  response["timings"] = std::move(timings);
}

/// The numbers of a list of lists of equal length, behind each other.
void append(const Json& list, std::size_t columns, const char* name, std::vector<double>& to) {
  if (list.size() != columns) {
    throw std::runtime_error("\"" + std::string(name) + "\" has lists of " +
                             std::to_string(columns) + " and of " + std::to_string(list.size()));
  }
  for (const Json& x : list) to.push_back(x.get<double>());
}
const Json& list_of(const Json& input, const char* name) {
  const Json& list = member(input, name);
  if (!list.is_array()) throw std::runtime_error("\"" + std::string(name) + "\" is not a list");
  return list;
}

Json write_part(const double* from, std::span<const std::int64_t> sizes) {
  if (sizes.empty()) return *from;
  Json list = Json::array();
  std::int64_t step = 1;
  for (const std::int64_t size : sizes.subspan(1)) step *= size;
  for (std::int64_t i = 0; i < sizes[0]; ++i) {
    list.push_back(write_part(from + i * step, sizes.subspan(1)));
  }
  return list;
}

}  // namespace

const std::map<std::string, Module>& modules() {
  static const std::map<std::string, Module> all = {
      {"hello", hello()},   {"lse", lse()}, {"llsq", llsq()},     {"gmm", gmm()},
      {"lstm", lstm()},     {"ode", ode()}, {"ba", ba()},         {"ht", ht()},
      {"kmeans", kmeans()}, {"det", det()}, {"saddle", saddle()}, {"particle", particle()}};
  return all;
}

Json respond(const Json& message) {
  Json response = {{"id", message.is_object() ? message.value("id", Json()) : Json()}};
  try {
    const auto kind = member(message, "kind").get<std::string>();
    if (kind == "start") {
      response["tool"] = "ebb";
    } else if (kind == "define") {
      module_of(message);
      response["success"] = true;
    } else if (kind == "evaluate") {
      evaluate(message, response);
      response["success"] = true;
    } else if (kind != "analysis") {
      throw std::runtime_error("there is no kind \"" + kind + "\" of messages");
    }
  } catch (const std::exception& error) {
    response["success"] = false;
    response["error"] = error.what();
  }
  return response;
}

ebb::Array<double> read_vector(const Json& input, const char* name) {
  const Json& list = list_of(input, name);
  std::vector<double> values;
  append(list, list.size(), name, values);
  return ebb::Array<double>({std::int64_t(values.size())}, values);
}

ebb::Array<double> read_matrix(const Json& input, const char* name, std::int64_t columns) {
  const Json& rows = list_of(input, name);
  const std::size_t width = rows.empty() ? std::size_t(columns) : rows[0].size();
  std::vector<double> values;
  for (const Json& row : rows) append(row, width, name, values);
  return ebb::Array<double>({std::int64_t(rows.size()), std::int64_t(width)}, values);
}

ebb::Array<double> read_matrices(const Json& input, const char* name) {
  const Json& matrices = list_of(input, name);
  if (matrices.empty() || matrices[0].empty()) {
    throw std::runtime_error("\"" + std::string(name) + "\" is empty");
  }
  const std::size_t rows = matrices[0].size(), columns = matrices[0][0].size();
  std::vector<double> values;
  for (const Json& matrix : matrices) {
    if (matrix.size() != rows) {
      throw std::runtime_error("\"" + std::string(name) + "\" has matrices of several shapes");
    }
    for (const Json& row : matrix) append(row, columns, name, values);
  }
  return ebb::Array<double>(
      {std::int64_t(matrices.size()), std::int64_t(rows), std::int64_t(columns)}, values);
}

std::int64_t read_count(const Json& input, const char* name) {
  return member(input, name).get<std::int64_t>();
}

std::vector<std::int64_t> read_counts(const Json& input, const char* name) {
  return list_of(input, name).get<std::vector<std::int64_t>>();
}

Json write_array(const ebb::Tensor<double>& x) {
  const auto sizes = x.shape().sizes();
  return write_part(x.data(), {sizes.data(), sizes.size()});
}

}  // namespace gradbench
