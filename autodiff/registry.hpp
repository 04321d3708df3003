// SPDX-License-Identifier: BSD-3-Clause
// All differentiable operations, with the samples that the checks use. Only tests and tools call
// this: other programs contain no samples.
#pragma once
#include <string_view>

#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {

/// The description of an operation.
struct RegistryEntry {
  std::string_view name;
  std::string_view family;
  bool internal = false;  ///< called by sweeps only, as the gradient of another operation
  /// 1 or 2 for an elementwise operation, which broadcasts; 0 for other operations.
  int elementwise_arity = 0;
  bool has_kinks = false;  ///< docs/kinks.md has its slopes there
  /// For elementwise operations only: points (of one or two values), kinks (of x, or of a - b), the
  /// ends of the domain, which are infinite by default, and whether the slope is 0 between the
  /// kinks.
  std::vector<std::vector<double>> points;
  std::vector<double> kinks;
  double lower_bound;
  double upper_bound;
  bool zero_slope = false;
  /// For elementwise operations: runs the operation, in either type. Others use the samples.
  std::function<Tensor<double>(std::span<const Tensor<double>>)> in_double;
  std::function<Tensor<float>(std::span<const Tensor<float>>)> in_float;
  /// For all other operations.
  std::vector<op::Sample> samples;
  std::vector<op::Rejection> rejections;
  op::Lacks lacks;
};

/// Every operation, by family.
std::vector<RegistryEntry> registry();

/// The samples of an operation. For an elementwise one they are made from its points.
std::vector<op::Sample> samples_of(const RegistryEntry& entry);

/// The derivatives of v^T J u with respect to every input of a sample, u and v, and their
/// derivatives in a direction, each computed in two ways that must agree. J is the Jacobian for
/// input k. The first way uses J u, the derivative of the recorded gradient with respect to its
/// seed, the second the gradient v^T J.
std::vector<std::pair<Array<double>, Array<double>>> third_derivatives(const op::Sample& sample,
                                                                       std::size_t k);

}  // namespace ebb::inline v0
