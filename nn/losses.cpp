// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/losses.hpp"

#include <vector>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/nn/metrics/row_weights.hpp"

namespace ebb::inline v0::nn {
namespace detail {

template <Real T>
Tensor<T> weighted(const Tensor<T>& losses, const Array<T>& weights, Reduction reduction,
                   const Array<T>& units) {
  const Shape& s = losses.shape();
  if (s.rank() < 1) {
    throw ShapeError("a loss of weighted rows: there are no rows in losses of shape " +
                     to_string(s));
  }
  const Array<T> w = row_weights<T>("a loss of weighted rows", weights, Shape{s[0]});
  double total = 0;
  for (std::int64_t i = 0; i < s[0]; ++i)
    total += double(w.data()[i]) * (units.empty() ? 1 : double(units[i]));
  std::vector<std::int64_t> sizes(std::size_t(s.rank()), 1);
  sizes[0] = s[0];
  const Tensor<T> each = losses * w.reshape(Shape(sizes));
  if (reduction == Reduction::none) return each;
  if (reduction == Reduction::sum) return sum(each);
  if (total == 0) {
    throw ArgumentError(
        "a loss of weighted rows: the weights add up to 0, and a mean divides by that sum; use "
        "Reduction::sum, or leave such a batch out");
  }
  return sum(each) / (total * double(s.size() / std::max<std::int64_t>(1, s[0])));
}
EBB_OVERLOAD_FOR_REALS(weighted,
                       Tensor<T>(const Tensor<T>&, const Array<T>&, Reduction, const Array<T>&))

template <Real T>
Array<T> units_of(const Array<std::int64_t>& labels, const Array<T>& class_weights,
                  const std::optional<std::int64_t>& ignored) {
  auto units = Array<T>::uninitialized(labels.shape());
  T* const u = units.mutate();
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    const std::int64_t label = labels.begin()[i];
    u[i] = label == ignored ? T(0) : class_weights.empty() ? T(1) : class_weights[label];
  }
  return units;
}
EBB_OVERLOAD_FOR_REALS(units_of, Array<T>(const Array<std::int64_t>&, const Array<T>&,
                                          const std::optional<std::int64_t>&))

}  // namespace detail

template <Real T>
Tensor<T> GaussianNLLLoss<T>::operator()(const Operand<T>& prediction, const Operand<T>& target,
                                         const Operand<T>& variance) const {
  return gaussian_nll_loss(prediction, target, variance, eps, reduction);
}
template <Real T>
Tensor<T> GaussianNLLLoss<T>::operator()(const Operand<T>& prediction, const Operand<T>& target,
                                         const Operand<T>& variance,
                                         const Array<T>& weights) const {
  return detail::weighted(gaussian_nll_loss(prediction, target, variance, eps, Reduction::none),
                          weights, reduction);
}

template <Real T>
Tensor<T> BCEWithLogitsLoss<T>::operator()(const Operand<T>& logits,
                                           const Operand<T>& target) const {
  return bce_with_logits(logits, target, {pos_weight, reduction});
}
template <Real T>
Tensor<T> BCEWithLogitsLoss<T>::operator()(const Operand<T>& logits, const Operand<T>& target,
                                           const Array<T>& weights) const {
  return detail::weighted(bce_with_logits(logits, target, {pos_weight, Reduction::none}), weights,
                          reduction);
}
template <Real T>
Tensor<T> BCEWithLogitsLoss<T>::operator()(const Operand<T>& logits,
                                           const Array<std::int64_t>& labels) const {
  return bce_with_logits(logits, labels, {pos_weight, reduction});
}
template <Real T>
Tensor<T> BCEWithLogitsLoss<T>::operator()(const Operand<T>& logits,
                                           const Array<std::int64_t>& labels,
                                           const Array<T>& weights) const {
  return detail::weighted(bce_with_logits(logits, labels, {pos_weight, Reduction::none}), weights,
                          reduction);
}

template <Real T>
Tensor<T> CrossEntropyLoss<T>::operator()(const Operand<T>& logits,
                                          const Array<std::int64_t>& labels) const {
  return cross_entropy(logits, labels, {weight, label_smoothing, ignore_index, reduction});
}
template <Real T>
Tensor<T> CrossEntropyLoss<T>::operator()(const Operand<T>& logits,
                                          const Array<std::int64_t>& labels,
                                          const Array<T>& weights) const {
  const Tensor<T> each =
      cross_entropy(logits, labels, {weight, label_smoothing, ignore_index, Reduction::none});
  return detail::weighted(each, weights, reduction, detail::units_of(labels, weight, ignore_index));
}

template <Real T>
Tensor<T> NLLLoss<T>::operator()(const Operand<T>& log_probabilities,
                                 const Array<std::int64_t>& labels) const {
  return nll_loss(log_probabilities, labels, {weight, ignore_index, reduction});
}
template <Real T>
Tensor<T> NLLLoss<T>::operator()(const Operand<T>& log_probabilities,
                                 const Array<std::int64_t>& labels, const Array<T>& weights) const {
  const Tensor<T> each =
      nll_loss(log_probabilities, labels, {weight, ignore_index, Reduction::none});
  return detail::weighted(each, weights, reduction, detail::units_of(labels, weight, ignore_index));
}

template <Real T>
Tensor<T> MultiMarginLoss<T>::operator()(const Operand<T>& logits,
                                         const Array<std::int64_t>& labels) const {
  return multi_margin_loss(logits, labels, {margin, p, weight, reduction});
}
template <Real T>
Tensor<T> MultiMarginLoss<T>::operator()(const Operand<T>& logits,
                                         const Array<std::int64_t>& labels,
                                         const Array<T>& weights) const {
  return detail::weighted(multi_margin_loss(logits, labels, {margin, p, weight, Reduction::none}),
                          weights, reduction);
}

template struct GaussianNLLLoss<float>;
template struct GaussianNLLLoss<double>;
template struct MultiMarginLoss<float>;
template struct MultiMarginLoss<double>;
template struct BCEWithLogitsLoss<float>;
template struct BCEWithLogitsLoss<double>;
template struct CrossEntropyLoss<float>;
template struct CrossEntropyLoss<double>;
template struct NLLLoss<float>;
template struct NLLLoss<double>;

}  // namespace ebb::inline v0::nn
