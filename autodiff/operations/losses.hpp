// SPDX-License-Identifier: BSD-3-Clause
// The losses. Each is the mean over all elements. Shapes must be equal and do not broadcast, since
// (n,) with (n, 1) is the commonest mistake in regression.
// @pytorch takes a reduction, and broadcasts with a warning. Here a sum is the mean times the
// count, and single losses are the formula on tensors
#pragma once
#include "ebb/autodiff/values/number.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// mean((prediction - target)^2)
template <Real T>
EBB_API Tensor<T> mse_loss(const Operand<T>& prediction, const Operand<T>& target);
EBB_REFUSE_MIXED(mse_loss)
/// mean(|prediction - target|), slope 0 where both are equal
template <Real T>
EBB_API Tensor<T> l1_loss(const Operand<T>& prediction, const Operand<T>& target);
EBB_REFUSE_MIXED(l1_loss)
/// The mean of e^2 / 2 where |e| <= delta, and of delta (|e| - delta / 2) elsewhere, with e =
/// prediction - target and delta > 0 (Huber 1964).
template <Real T>
EBB_API Tensor<T> huber_loss(const Operand<T>& prediction, const Operand<T>& target,
                             double delta = 1);
/// huber_loss / beta with delta = beta; l1_loss if beta is 0 (Girshick 2015)
template <Real T>
EBB_API Tensor<T> smooth_l1_loss(const Operand<T>& prediction, const Operand<T>& target,
                                 double beta = 1);
/// mean(max(1 - target prediction, 0)), target -1 or 1, slope 0 at the kink.
/// @pytorch has no such loss; its hinge_embedding_loss is another.
template <Real T>
EBB_API Tensor<T> hinge_loss(const Operand<T>& prediction, const Operand<T>& target);
/// mean(max(1 - target prediction, 0)^2), target -1 or 1.
/// @pytorch has no such loss.
template <Real T>
EBB_API Tensor<T> squared_hinge_loss(const Operand<T>& prediction, const Operand<T>& target);
/// mean(e^prediction - target prediction), for counts; prediction is the logarithm of the rate.
/// @pytorch also takes log_input=False, for the rate itself, and full=True, which adds terms that
/// do not depend on the prediction.
template <Real T>
EBB_API Tensor<T> poisson_nll_loss(const Operand<T>& prediction, const Operand<T>& target);
/// mean(max(q e, (q - 1) e)) with e = target - prediction, smallest at the q-quantile of target, q
/// in [0, 1]. The slope at e = 0 is the mean of both slopes (Koenker and Bassett 1978).
/// @pytorch has no such loss.
template <Real T>
EBB_API Tensor<T> quantile_loss(const Operand<T>& prediction, const Operand<T>& target, double q);
/// mean(target (log target - prediction)) over all elements, where prediction is a log-probability
/// and target a probability; 0 with slopes of 0 where target is 0.
/// @pytorch also takes log_target=True, for the logarithm of the target, and batchmean, which is
/// this mean times the number of columns.
template <Real T>
EBB_API Tensor<T> kl_div(const Operand<T>& prediction, const Operand<T>& target);
/// The mean over rows of -log_probabilities[label]: log_probabilities (n, classes), labels (n,).
/// @pytorch also takes weight and ignore_index (choose the rows by `gather_rows`), and further axes
/// (write `reshape`).
template <Real T>
EBB_API Tensor<T> nll_loss(const Operand<T>& log_probabilities,
                           const Array<std::int64_t>& labels);
/// Binary cross-entropy of logits: mean(softplus(logit) - target * logit), target in [0, 1].
/// Labels are 0 and 1, one for each logit; those of rows, (n,), also fit logits (n, 1).
/// @pytorch calls it binary_cross_entropy_with_logits, and takes weight and pos_weight; write the
/// formula times the weights.
template <Real T>
EBB_API Tensor<T> bce_with_logits(const Operand<T>& logits, const Operand<T>& target);
template <Real T>
EBB_API Tensor<T> bce_with_logits(const Operand<T>& logits, const Array<std::int64_t>& labels);
/// The mean over rows of -log softmax(logits)[label]: logits (n, classes), labels (n,) in [0,
/// classes).
/// @pytorch also takes weight, ignore_index, label_smoothing, probabilities in place of labels, and
/// further axes; write sums of `log_softmax`, which show the divisor.
template <Real T>
EBB_API Tensor<T> cross_entropy(const Operand<T>& logits, const Array<std::int64_t>& labels);

// clang-format on

}  // namespace ebb::inline v0
