// SPDX-License-Identifier: BSD-3-Clause
// All differentiable operations, with the samples that the checks try. Only tests and tools call
// this: a program that does not never holds a sample.
#pragma once
#include <string_view>

#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {

/// What is known of an operation.
struct RegistryEntry {
  std::string_view name;
  std::string_view family;
  bool internal = false;  ///< only sweeps call it: the gradient of another operation
  /// 1 or 2 for an elementwise operation, which broadcasts; 0 for any other.
  int elementwise_arity = 0;
  /// Elementwise only: points (one or two values each), kinks (of x, or of a - b), the ends of the
  /// domain, infinite if there are none, and whether the slope is 0 between the kinks.
  std::vector<std::vector<double>> points;
  std::vector<double> kinks;
  double lower_bound;
  double upper_bound;
  bool zero_slope = false;
  /// Elementwise: applies it in either type. Others: see the samples.
  std::function<Tensor<double>(std::span<const Tensor<double>>)> in_double;
  std::function<Tensor<float>(std::span<const Tensor<float>>)> in_float;
  /// All but elementwise operations.
  std::vector<op::Sample> samples;
  std::vector<op::Rejection> rejections;
};

/// Every operation, by family.
std::vector<RegistryEntry> registry();

}  // namespace ebb::inline v0
