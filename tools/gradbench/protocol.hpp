// SPDX-License-Identifier: BSD-3-Clause
// GradBench's protocol: a message asks for a function of a module with an input, all in JSON, and
// the response has the output and the time of each run (its CONTRIBUTING.md, section "Protocol").
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/tensor.hpp"

namespace gradbench {

using Json = nlohmann::json;

/// A function whose input has been read.
struct Call {
  std::function<void()> run;     ///< what is timed
  std::function<Json()> output;  ///< that of the last run
};
/// Reads an input. @throws std::exception for one that is wrong.
using Function = std::function<Call(const Json& input)>;
using Module = std::map<std::string, Function>;

/// A call of f, whose result becomes JSON by `write` after the last run.
template <class F, class Write>
Call call(F f, Write write) {
  auto result = std::make_shared<std::optional<decltype(f())>>();
  return {[result, f = std::move(f)] { *result = f(); },
          [result, write = std::move(write)] { return Json(write(result->value())); }};
}

/// All modules, by their names.
const std::map<std::string, Module>& modules();

/// The response to a message. A message that cannot be answered gets one without success, which
/// says why.
Json respond(const Json& message);

// Numbers of an input, which must be there, and of an output.

ebb::Array<double> read_vector(const Json& input, const char* name);
/// Rows of one length. An empty list has `columns` columns.
ebb::Array<double> read_matrix(const Json& input, const char* name, std::int64_t columns = 0);
/// Matrices of one shape.
ebb::Array<double> read_matrices(const Json& input, const char* name);
std::int64_t read_count(const Json& input, const char* name);
std::vector<std::int64_t> read_counts(const Json& input, const char* name);
/// Lists in lists, one for each axis; a single number without axes is that number.
Json write_array(const ebb::Tensor<double>& x);

Module hello();
Module lse();
Module llsq();
Module gmm();
Module lstm();
Module ode();
Module ba();
Module ht();
Module kmeans();
Module det();
Module saddle();
Module particle();

}  // namespace gradbench
