// SPDX-License-Identifier: BSD-3-Clause
// The gradient check: compares derivatives by sweeps with central differences, in double.
#pragma once
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "ebb/autodiff/values/function_types.hpp"

namespace ebb::inline v0 {

struct GradientCheckOptions {
  /// 1 checks the gradient; 2 also checks the gradient of the gradient, as a function of the inputs
  /// and of the gradient of the result.
  int order = 2;
  /// The step of differences for an argument of at most 1; the step for a larger one is multiplied
  /// by its absolute value. Differences are extrapolated (Richardson), so that their error falls
  /// with the fourth power of the step, while rounding grows with its inverse: the best step is
  /// near the fifth root of the machine epsilon.
  double step = 7e-4;
  /// The accepted difference, relative to the larger of both values. An error of one part in a
  /// thousand is found.
  double relative_tolerance = 1e-6;
  /// The accepted difference, relative to the size of the function values: their rounding divided
  /// by the step.
  double absolute_tolerance = 1e-9;
  /// Jacobians of up to this many entries are compared entry by entry, larger ones by random
  /// projections.
  std::int64_t full_jacobian = 400;
  /// The number of random projections of a larger Jacobian.
  int projections = 4;
  /// True for a function that is constant between its kinks: gradients must then be exactly zero.
  /// Otherwise an input whose gradient is zero everywhere fails the check, since it was not checked
  /// at all.
  bool zero_slope = false;
  std::uint64_t seed = 1;
};

/// The outcome of a check; true if it passed. Prints the values that were compared.
struct EBB_API GradientReport {
  bool passed = true;
  int order = 0;              ///< the order of the worst derivative
  int input = -1;             ///< the input, from 0; the gradient of the result is last
  std::int64_t element = -1;  ///< the element of the input; -1 for a projection
  double swept = 0;           ///< the derivative by the sweep
  double difference = 0;      ///< the derivative by differences
  double tolerance = 0;       ///< the limit for |swept - difference|
  bool kink_likely = false;   ///< differences to the left and to the right disagree there
  std::string reason;         ///< the reason of a failure; empty if the check passed
  std::int64_t compared = 0;  ///< the number of comparisons

  explicit operator bool() const { return passed; }
};
EBB_API std::ostream& operator<<(std::ostream& out, const GradientReport& report);

namespace detail {
EBB_API GradientReport check_gradients(const TensorFunction<double>& f,
                                       const std::vector<Array<double>>& inputs,
                                       const GradientCheckOptions& options);
}  // namespace detail

/// Checks the derivatives of f, a function of a span of tensors, at the inputs. f is called many
/// times, and must depend on its arguments only.
template <class F>
GradientReport check_gradients(const F& f, const std::vector<Array<double>>& inputs,
                               const GradientCheckOptions& options = {}) {
  return detail::check_gradients(TensorFunction<double>(f), inputs, options);
}
/// Checks the derivatives of f, a function of one tensor, at x.
template <class F>
GradientReport check_gradients(const F& f, const Array<double>& x,
                               const GradientCheckOptions& options = {}) {
  return detail::check_gradients(TensorFunction<double>([&](std::span<const Tensor<double>> in) {
                                   return Tensor<double>(f(in[0]));
                                 }),
                                 {x}, options);
}

}  // namespace ebb::inline v0
