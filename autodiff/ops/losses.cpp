// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"
// after fuse.hpp, so that the formulas see numbers of every kind
#include "ebb/autodiff/ops/losses.hpp"
#include "ebb/autodiff/ops/shape_ops.hpp"

namespace ebb::inline v0 {
namespace {

/// (n,) against (n, 1) would broadcast to (n, n): the commonest silent bug of regression.
template <class T>
void demand_equal_shapes(std::string_view name, const char* what, const Operand<T>& a,
                         const Operand<T>& b) {
  const Shape &p = detail::Access::shape(a), &q = detail::Access::shape(b);
  if (!(p == q)) detail::throw_shapes(name, what, p, q);
}

}  // namespace

#define EBB_LOSS(f, Op)                                                                      \
  template <Real T>                                                                          \
  Tensor<T> f(const Operand<T>& prediction, const Operand<T>& target) {                      \
    demand_equal_shapes(#f, "the shapes of prediction and target must be equal", prediction, \
                        target);                                                             \
    return fuse_mean(                                                                        \
        [](auto p, auto t) __attribute__((always_inline)) { return op::Op::value(p, t); },   \
        prediction, target);                                                                 \
  }                                                                                          \
  template EBB_API Tensor<float> f(const Operand<float>&, const Operand<float>&);            \
  template EBB_API Tensor<double> f(const Operand<double>&, const Operand<double>&);
EBB_LOSS(mse_loss, MseLoss)
EBB_LOSS(l1_loss, L1Loss)
EBB_LOSS(hinge_loss, HingeLoss)
EBB_LOSS(squared_hinge_loss, SquaredHingeLoss)
EBB_LOSS(poisson_nll_loss, PoissonNllLoss)
EBB_LOSS(kl_div, KlDiv)
#undef EBB_LOSS

// The same with a parameter, and what must hold of it.
#define EBB_LOSS(f, Op, parameter, condition, range)                                         \
  template <Real T>                                                                          \
  Tensor<T> f(const Operand<T>& prediction, const Operand<T>& target, double parameter) {    \
    demand_equal_shapes(#f, "the shapes of prediction and target must be equal", prediction, \
                        target);                                                             \
    if (!(condition)) {                                                                      \
      throw ArgumentError(#f ": " #parameter " = " + std::to_string(parameter) +             \
                          "; it is " range);                                                 \
    }                                                                                        \
    return fuse_mean(                                                                        \
        [](auto p, auto t, auto c)                                                           \
            __attribute__((always_inline)) { return op::Op::value(p, t, c); },               \
        prediction, target, parameter);                                                      \
  }                                                                                          \
  template EBB_API Tensor<float> f(const Operand<float>&, const Operand<float>&, double);    \
  template EBB_API Tensor<double> f(const Operand<double>&, const Operand<double>&, double);
EBB_LOSS(huber_loss, HuberLoss, delta, delta > 0, "greater than 0")
EBB_LOSS(smooth_l1_loss, SmoothL1Loss, beta, beta >= 0, "at least 0")
EBB_LOSS(quantile_loss, QuantileLoss, q, q >= 0 && q <= 1, "in [0, 1]")
#undef EBB_LOSS

template <Real T>
Tensor<T> bce_with_logits(const Operand<T>& logits, const Operand<T>& target) {
  demand_equal_shapes("bce_with_logits", "the shapes of logits and target must be equal", logits,
                      target);
  return fuse_mean(
      [](auto z, auto t) __attribute__((always_inline)) { return op::BceWithLogits::value(z, t); },
      logits, target);
}

template <Real T>
Tensor<T> cross_entropy(const Operand<T>& logits, const Array<std::int64_t>& labels) {
  return detail::apply<op::CrossEntropy, T>({}, logits, labels);
}

template <Real T>
Tensor<T> nll_loss(const Operand<T>& log_probabilities, const Array<std::int64_t>& labels) {
  const Shape& s = detail::Access::shape(log_probabilities);
  if (labels.empty()) detail::throw_empty_operand();
  if (s.rank() != 2 || labels.rank() != 1 || labels.size() != s[0]) {
    detail::throw_shapes("nll_loss", "log_probabilities must be (n, classes) and labels (n,)", s,
                         labels.shape());
  }
  detail::check_range("nll_loss", detail::Access::block(labels), s[1]);
  return mean(gather(log_probabilities, 1, labels.reshape({s[0], 1}))) * -1.0;
}

#define EBB_INSTANTIATE(T)                                                            \
  template EBB_API Tensor<T> nll_loss(const Operand<T>&, const Array<std::int64_t>&); \
  template EBB_API Tensor<T> bce_with_logits(const Operand<T>&, const Operand<T>&);   \
  template EBB_API Tensor<T> cross_entropy(const Operand<T>&, const Array<std::int64_t>&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0
