// SPDX-License-Identifier: BSD-3-Clause
// The gradient check: derivatives by sweeps against central differences, in double.
#pragma once
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "ebb/autodiff/values/function_types.hpp"

namespace ebb::inline v0 {

struct GradientCheckOptions {
  /// 1 checks the gradient; 2 also the gradient of the gradient, as a function of the inputs and of
  /// the upstream gradient.
  int order = 2;
  /// Difference step for an argument of size 1 or less; a larger one is scaled by its size.
  /// Differences are extrapolated (Richardson), so their error falls with the fourth power of the
  /// step and rounding grows with its inverse: the best step is near the fifth root of the machine
  /// epsilon.
  double step = 7e-4;
  /// Accepted difference, relative to the larger of both values. A wrong constant shows at 1e-3.
  double relative_tolerance = 1e-6;
  /// Accepted difference, relative to the size of what is differenced: its rounding divided by the
  /// step.
  double absolute_tolerance = 1e-9;
  /// Jacobians of up to this many entries are compared entry by entry, larger ones by projections.
  std::int64_t full_jacobian = 400;
  /// Random projections of a larger Jacobian.
  int projections = 4;
  /// The function is constant between its kinks: gradients must be exactly zero. Otherwise an input
  /// whose gradient is zero everywhere fails the check, because nothing was checked.
  bool zero_slope = false;
  std::uint64_t seed = 1;
};

/// The outcome of a check; true if it passed. Printing it says what was compared.
struct EBB_API GradientReport {
  bool passed = true;
  int order = 0;              ///< of the derivative that is worst
  int input = -1;             ///< which input, counted from 0; the upstream gradient comes last
  std::int64_t element = -1;  ///< which of its elements, or -1 for a projection
  double swept = 0;           ///< the derivative by the sweep
  double difference = 0;      ///< the derivative by differences
  double tolerance = 0;       ///< what |swept - difference| had to stay under
  bool kink_likely = false;   ///< differences to the left and to the right disagree there
  std::string reason;         ///< what failed; empty if nothing did
  std::int64_t compared = 0;  ///< the number of comparisons

  explicit operator bool() const { return passed; }
};
EBB_API std::ostream& operator<<(std::ostream& out, const GradientReport& report);

namespace detail {
EBB_API GradientReport check(const TensorFunction<double>& f,
                             const std::vector<Array<double>>& inputs,
                             const GradientCheckOptions& options);
}  // namespace detail

/// Checks the derivatives of f, a function of a span of tensors, at the inputs. f may be called
/// many times and must be a function of its arguments alone.
template <class F>
GradientReport check_gradients(const F& f, const std::vector<Array<double>>& inputs,
                               const GradientCheckOptions& options = {}) {
  return detail::check(TensorFunction<double>(f), inputs, options);
}
/// The same for a function of one tensor.
template <class F>
GradientReport check_gradients(const F& f, const Array<double>& x,
                               const GradientCheckOptions& options = {}) {
  return detail::check(TensorFunction<double>([&](std::span<const Tensor<double>> in) {
                         return Tensor<double>(f(in[0]));
                       }),
                       {x}, options);
}

}  // namespace ebb::inline v0
