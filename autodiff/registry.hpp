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

/// The samples of an operation; those of an elementwise one are made from its points.
std::vector<op::Sample> samples_of(const RegistryEntry& entry);

/// The derivatives of v^T J u in every input of a sample, in u and in v, and their derivatives
/// along a direction, each by two ways that must agree; J is the Jacobian in input k. The first way
/// is by J u, the derivative of the recorded gradient in its seed, the second by the gradient v^T
/// J.
std::vector<std::pair<Array<double>, Array<double>>> third_derivatives(const op::Sample& sample,
                                                                       std::size_t k);

}  // namespace ebb::inline v0
