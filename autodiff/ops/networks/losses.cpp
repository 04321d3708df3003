// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"
// included after fuse.hpp, so that the formulas find the functions of every number type
#include "ebb/autodiff/ops/networks/losses.hpp"
#include "ebb/autodiff/ops/shapes.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

template <class O>
constexpr const char* expected = "the shapes of prediction and target must be equal";
template <>
constexpr const char* expected<op::BceWithLogits> = "the shapes of logits and target must be equal";

/// The formula of a loss as an argument of `fuse` that refuses different shapes: (n,) and (n, 1)
/// would broadcast to (n, n), which is the commonest silent error in regression.
template <class O>
struct Formula {
  static constexpr std::string_view name = O::name;
  static constexpr const char* equal_shapes = expected<O>;
  EBB_INLINE auto operator()(const auto&... x) const { return O::value(x...); }
};

}  // namespace

#define EBB_LOSS(f, Op)                                                 \
  template <Real T>                                                     \
  Tensor<T> f(const Operand<T>& prediction, const Operand<T>& target) { \
    return fuse_mean(Formula<op::Op>{}, prediction, target);            \
  }                                                                     \
  EBB_FOR_REALS(f)
EBB_LOSS(mse_loss, MseLoss)
EBB_LOSS(l1_loss, L1Loss)
EBB_LOSS(hinge_loss, HingeLoss)
EBB_LOSS(squared_hinge_loss, SquaredHingeLoss)
EBB_LOSS(poisson_nll_loss, PoissonNllLoss)
EBB_LOSS(kl_div, KlDiv)
#undef EBB_LOSS

// A loss with a parameter, and the condition for it.
#define EBB_LOSS(f, Op, parameter, condition, range)                                      \
  template <Real T>                                                                       \
  Tensor<T> f(const Operand<T>& prediction, const Operand<T>& target, double parameter) { \
    if (!(condition)) {                                                                   \
      throw ArgumentError(#f ": " #parameter " = " + detail::to_text(parameter) +         \
                          "; it is " range);                                              \
    }                                                                                     \
    return fuse_mean(Formula<op::Op>{}, prediction, target, parameter);                   \
  }                                                                                       \
  EBB_FOR_REALS(f)
EBB_LOSS(huber_loss, HuberLoss, delta, delta > 0, "greater than 0")
EBB_LOSS(smooth_l1_loss, SmoothL1Loss, beta, beta >= 0, "at least 0")
EBB_LOSS(quantile_loss, QuantileLoss, q, q >= 0 && q <= 1, "in [0, 1]")
#undef EBB_LOSS

template <Real T>
Tensor<T> bce_with_logits(const Operand<T>& logits, const Operand<T>& target) {
  return fuse_mean(Formula<op::BceWithLogits>{}, logits, target);
}
EBB_OVERLOAD_FOR_REALS(bce_with_logits, Tensor<T>(const Operand<T>&, const Operand<T>&))

template <Real T>
Tensor<T> bce_with_logits(const Operand<T>& logits, const Array<std::int64_t>& labels) {
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
  return bce_with_logits(logits, of_rows ? target.reshape({-1, 1}) : target);
}
EBB_OVERLOAD_FOR_REALS(bce_with_logits, Tensor<T>(const Operand<T>&, const Array<std::int64_t>&))

template <Real T>
Tensor<T> cross_entropy(const Operand<T>& logits, const Array<std::int64_t>& labels) {
  return detail::apply<op::CrossEntropy, T>({}, logits, labels);
}
EBB_FOR_REALS(cross_entropy)

template <Real T>
Tensor<T> nll_loss(const Operand<T>& log_probabilities, const Array<std::int64_t>& labels) {
  const Shape& s = detail::Access::shape(log_probabilities, "nll_loss");
  if (labels.empty()) detail::throw_empty_operand("nll_loss");
  if (s.rank() != 2 || labels.rank() != 1 || labels.size() != s[0]) {
    detail::throw_shapes("nll_loss", "log_probabilities must be (n, classes) and labels (n,)", s,
                         labels.shape());
  }
  detail::check_range("nll_loss", detail::Access::block(labels), s[1]);
  return mean(gather(log_probabilities, 1, labels.reshape({s[0], 1}))) * -1.0;
}
EBB_FOR_REALS(nll_loss)

}  // namespace ebb::inline v0
