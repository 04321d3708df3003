// SPDX-License-Identifier: BSD-3-Clause
// The losses: each is the mean over all elements. Shapes must be equal; nothing broadcasts, since
// (n,) against (n, 1) is the commonest mistake of regression. PyTorch: reduction, which here is the
// mean alone: a sum is the mean times the count, and single losses are the formula on tensors;
// shapes broadcast with a warning
#pragma once
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// mean((prediction - target)^2)
template <Real T>
EBB_API Tensor<T> mse_loss(const Operand<T>& prediction, const Operand<T>& target);
/// mean(|prediction - target|), slope 0 where they are equal
template <Real T>
EBB_API Tensor<T> l1_loss(const Operand<T>& prediction, const Operand<T>& target);
/// The mean of e^2 / 2 where |e| <= delta, of delta (|e| - delta / 2) elsewhere; e is prediction -
/// target, delta > 0 (Huber 1964)
template <Real T>
EBB_API Tensor<T> huber_loss(const Operand<T>& prediction, const Operand<T>& target,
                             double delta = 1);
/// huber_loss / beta, and l1_loss where beta is 0 (Girshick 2015)
template <Real T>
EBB_API Tensor<T> smooth_l1_loss(const Operand<T>& prediction, const Operand<T>& target,
                                 double beta = 1);
/// mean(max(1 - target prediction, 0)), target -1 or 1, slope 0 at the kink. PyTorch: none; its
/// hinge_embedding_loss is another
template <Real T>
EBB_API Tensor<T> hinge_loss(const Operand<T>& prediction, const Operand<T>& target);
/// mean(max(1 - target prediction, 0)^2), target -1 or 1. PyTorch: none
template <Real T>
EBB_API Tensor<T> squared_hinge_loss(const Operand<T>& prediction, const Operand<T>& target);
/// mean(e^prediction - target prediction): of counts, where prediction is the logarithm of the
/// rate. PyTorch: log_input=False for the rate itself, whose logarithm has no end at 0; full=True,
/// which adds what does not depend on the prediction
template <Real T>
EBB_API Tensor<T> poisson_nll_loss(const Operand<T>& prediction, const Operand<T>& target);
/// mean(max(q e, (q - 1) e)) with e = target - prediction, least at the q-quantile of target, q in
/// [0, 1]; at e = 0 the mean of both slopes (Koenker and Bassett 1978). PyTorch: none
template <Real T>
EBB_API Tensor<T> quantile_loss(const Operand<T>& prediction, const Operand<T>& target, double q);
/// mean(target (log target - prediction)) over all elements: prediction is a log-probability,
/// target a probability; 0 where target is 0, with slopes of 0. PyTorch: log_target=True for a
/// target that is a logarithm, and batchmean, which is the mean times the number of columns
template <Real T>
EBB_API Tensor<T> kl_div(const Operand<T>& prediction, const Operand<T>& target);
/// mean over rows of -log_probabilities[label]: log_probabilities (n, classes), labels (n,).
/// PyTorch: weight and ignore_index, for which `gather_rows` chooses what counts, and further axes,
/// for which there is `reshape`
template <Real T>
EBB_API Tensor<T> nll_loss(const Operand<T>& log_probabilities,
                           const Array<std::int64_t>& labels);
/// Binary cross-entropy of logits: mean(softplus(logit) - target * logit), target in [0, 1].
/// PyTorch: binary_cross_entropy_with_logits, with weight and pos_weight; here the formula times
/// the weights
template <Real T>
EBB_API Tensor<T> bce_with_logits(const Operand<T>& logits, const Operand<T>& target);
/// mean over rows of -log softmax(logits)[label]: logits (n, classes), labels (n,) in [0, classes).
/// PyTorch: weight, ignore_index and label_smoothing, probabilities in the place of labels, further
/// axes: here sums of `log_softmax`, which say what is divided by what
template <Real T>
EBB_API Tensor<T> cross_entropy(const Operand<T>& logits, const Array<std::int64_t>& labels);

// clang-format on

}  // namespace ebb::inline v0
