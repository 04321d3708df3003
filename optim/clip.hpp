// SPDX-License-Identifier: BSD-3-Clause
// Limits of gradients. Elements are limited in a step itself: `step({.clip_value = 1})`.
#pragma once
#include <cmath>

#include "ebb/optim/any_optimizer.hpp"

namespace ebb::inline v0::optim {

/// A norm, and what a step does about it.
struct ClippedNorm {
  double norm;   ///< of all gradients, before
  double scale;  ///< the factor that takes it to the limit; 1 if it is not larger
  operator StepOptions() const { return {.scale = scale}; }
};

namespace detail {

/// Adds up squares of gradients; where they overflow, or one is not finite, it looks again.
class EBB_API GradientNorm {
 public:
  /// @throws NonFiniteError, which names the parameter, if its gradient is not finite.
  void add(const Parameter& parameter);
  double value() const { return scale_ * std::sqrt(sum_); }

 private:
  double scale_ = 1, sum_ = 0;
};
EBB_API ClippedNorm clipped(double norm, double limit);

}  // namespace detail

/// The euclidean norm of all gradients together. Absent ones count as 0.
/// @throws NonFiniteError, which names the parameter, for a gradient that is NaN or infinite.
EBB_API double gradient_norm(const Parameters& parameters);
template <class Rule>
double gradient_norm(Optimizer<Rule>& optimizer) {
  detail::GradientNorm norm;
  for (const Group<Rule>& group : optimizer.groups())
    for (const Parameter& parameter : group.parameters) norm.add(parameter);
  return norm.value();
}
inline double gradient_norm(const AnyOptimizer& optimizer) {
  return gradient_norm(optimizer.parameters());
}

/// Limits the norm of all gradients together (Pascanu, Mikolov and Bengio 2013). No gradient is
/// changed: the step scales them in its pass.
///
///     optimizer.step(optim::clip_norm(optimizer, 1.0));
///
/// @throws ArgumentError for a limit that is not above 0; NonFiniteError, which names the
/// parameter, for a gradient that is NaN or infinite.
[[nodiscard("clip_norm changes nothing: pass it to step")]] EBB_API ClippedNorm
clip_norm(const Parameters& parameters, double limit);
template <class Rule>
[[nodiscard("clip_norm changes nothing: pass it to step")]] ClippedNorm clip_norm(
    Optimizer<Rule>& optimizer, double limit) {
  return detail::clipped(gradient_norm(optimizer), limit);
}
[[nodiscard("clip_norm changes nothing: pass it to step")]] inline ClippedNorm clip_norm(
    const AnyOptimizer& optimizer, double limit) {
  return detail::clipped(gradient_norm(optimizer), limit);
}

/// Limits the gradient of each row of a parameter to `factor` times the norm of the row, or of
/// `smallest` if the row is smaller (Brock et al. 2021, adaptive gradient clipping). A row is what
/// belongs to one index of the first axis; vectors and scalars are limited as a whole. It replaces
/// the gradients that are larger.
/// @throws ArgumentError for a factor or a smallest norm that is not above 0.
EBB_API void clip_adaptive(const Parameters& parameters, double factor = 0.01,
                           double smallest = 1e-3);

}  // namespace ebb::inline v0::optim
