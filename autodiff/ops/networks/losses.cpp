// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"
// included after fuse.hpp, so that the formulas find the functions of every number type
#include "ebb/autodiff/ops/networks/losses.hpp"
#include "ebb/autodiff/ops/networks/weights.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

template <class O>
constexpr const char* expected = "the shapes of prediction and target must be equal";
template <>
constexpr const char* expected<op::GaussianNllLoss> =
    "the shapes of prediction, target and variance must be equal";
template <>
constexpr const char* expected<op::BceWithLogits> = "the shapes of logits and target must be equal";

/// The formula of a loss as an argument of `fuse` that refuses different shapes: (n,) and (n, 1)
/// would broadcast to (n, n), which is the commonest silent error in regression.
template <class O>
struct Formula {
  static constexpr std::string_view name = O::name;
  static constexpr const char* equal_shapes = expected<O>;
  EBB_INLINE constexpr auto operator()(const auto&... x) const { return O::value(x...); }
};

/// The losses by this formula, reduced.
template <class O, class... Operands>
auto reduced(Reduction reduction, const Operands&... operands) {
  switch (reduction) {
    case Reduction::sum:
      return fuse_sum(Formula<O>{}, operands...);
    case Reduction::none:
      return fuse(Formula<O>{}, operands...);
    default:
      return fuse_mean(Formula<O>{}, operands...);
  }
}

void check_above_0(const char* argument, double value) {
  if (value > 0) return;
  throw ArgumentError(std::string(argument) + " = " + detail::to_text(value) +
                      "; it is greater than 0");
}

}  // namespace

#define EBB_LOSS(f, Op)                                                                      \
  template <Real T>                                                                          \
  Tensor<T> f(const Operand<T>& prediction, const Operand<T>& target, Reduction reduction) { \
    return reduced<op::Op>(reduction, prediction, target);                                   \
  }                                                                                          \
  EBB_FOR_REALS(f)
EBB_LOSS(mse_loss, MseLoss)
EBB_LOSS(l1_loss, L1Loss)
EBB_LOSS(hinge_loss, HingeLoss)
EBB_LOSS(squared_hinge_loss, SquaredHingeLoss)
EBB_LOSS(poisson_nll_loss, PoissonNllLoss)
EBB_LOSS(kl_div, KlDiv)
EBB_LOSS(bce, Bce)
#undef EBB_LOSS

// A loss with a parameter, and the condition for it.
#define EBB_LOSS(f, Op, parameter, condition, range)                                    \
  template <Real T>                                                                     \
  Tensor<T> f(const Operand<T>& prediction, const Operand<T>& target, double parameter, \
              Reduction reduction) {                                                    \
    if (!(condition)) {                                                                 \
      throw ArgumentError(#f ": " #parameter " = " + detail::to_text(parameter) +       \
                          "; it is " range);                                            \
    }                                                                                   \
    return reduced<op::Op>(reduction, prediction, target, parameter);                   \
  }                                                                                     \
  EBB_FOR_REALS(f)
EBB_LOSS(huber_loss, HuberLoss, delta, delta > 0, "greater than 0")
EBB_LOSS(smooth_l1_loss, SmoothL1Loss, beta, beta >= 0, "at least 0")
EBB_LOSS(quantile_loss, QuantileLoss, q, q >= 0 && q <= 1, "in [0, 1]")
#undef EBB_LOSS

template <Real T>
Tensor<T> gaussian_nll_loss(const Operand<T>& prediction, const Operand<T>& target,
                            const Operand<T>& variance, double eps, Reduction reduction) {
  check_above_0("gaussian_nll_loss: eps", eps);
  return reduced<op::GaussianNllLoss>(reduction, prediction, target, variance, eps);
}
EBB_FOR_REALS(gaussian_nll_loss)

template <Real T>
Tensor<T> bce_with_logits(const Operand<T>& logits, const Operand<T>& target,
                          const BceWithLogitsOptions<std::type_identity_t<T>>& options) {
  if (options.pos_weight.empty())
    return reduced<op::BceWithLogits>(options.reduction, logits, target);
  const Shape& shape = detail::Access::shape(logits, "bce_with_logits");
  const Shape& given = options.pos_weight.shape();
  const char* const what = "pos_weight must broadcast to the shape of the logits";
  if (!(broadcast("bce_with_logits", given, shape) == shape)) {
    detail::throw_shapes("bce_with_logits", what, given, shape);
  }
  detail::check_weights("bce_with_logits", options.pos_weight);
  return reduced<op::BceWithLogits>(options.reduction, logits, target,
                                    broadcast_to(options.pos_weight, shape));
}
EBB_OVERLOAD_FOR_REALS(bce_with_logits, Tensor<T>(const Operand<T>&, const Operand<T>&,
                                                  const BceWithLogitsOptions<T>&))

template <Real T>
Tensor<T> bce_with_logits(const Operand<T>& logits, const Array<std::int64_t>& labels,
                          const BceWithLogitsOptions<std::type_identity_t<T>>& options) {
  if (labels.empty()) detail::throw_empty_operand("bce_with_logits");
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == 0 || labels[i] == 1) continue;
    throw ArgumentError("bce_with_logits: label " + std::to_string(labels[i]) + " at position " +
                        std::to_string(i) +
                        "; labels are 0 and 1, and for more classes there is "
                        "cross_entropy");
  }
  const Shape& shape = detail::Access::shape(logits, "bce_with_logits");
  const bool of_rows = shape.rank() == 2 && shape[1] == 1 && labels.rank() == 1;
  const auto target = cast<T>(labels);
  return bce_with_logits(logits, of_rows ? target.reshape({-1, 1}) : target, options);
}
EBB_OVERLOAD_FOR_REALS(bce_with_logits, Tensor<T>(const Operand<T>&, const Array<std::int64_t>&,
                                                  const BceWithLogitsOptions<T>&))

}  // namespace ebb::inline v0
