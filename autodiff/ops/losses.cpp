// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"
// after fuse.hpp, so that the formulas see numbers of every kind
#include "ebb/autodiff/ops/losses.hpp"

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

template <Real T>
Tensor<T> mse_loss(const Operand<T>& prediction, const Operand<T>& target) {
  demand_equal_shapes("mse_loss", "the shapes of prediction and target must be equal", prediction,
                      target);
  return fuse_mean(
      [](auto p, auto t) __attribute__((always_inline)) { return op::MseLoss::value(p, t); },
      prediction, target);
}

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

#define EBB_INSTANTIATE(T)                                                          \
  template EBB_API Tensor<T> mse_loss(const Operand<T>&, const Operand<T>&);        \
  template EBB_API Tensor<T> bce_with_logits(const Operand<T>&, const Operand<T>&); \
  template EBB_API Tensor<T> cross_entropy(const Operand<T>&, const Array<std::int64_t>&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0
