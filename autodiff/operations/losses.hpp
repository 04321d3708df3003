// SPDX-License-Identifier: BSD-3-Clause
// The losses. Each is the mean over all elements, unless a Reduction says otherwise. Shapes must be
// equal and do not broadcast, since (n,) with (n, 1) is the commonest mistake in regression.
// @pytorch broadcasts with a warning
#pragma once
#include <optional>
#include <type_traits>

#include "ebb/autodiff/values/number.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// What a loss returns: the mean or the sum of the losses of all elements, or these themselves
enum class Reduction { mean, sum, none };

/// mean((prediction - target)^2)
template <Real T>
EBB_API Tensor<T> mse_loss(const Operand<T>& prediction, const Operand<T>& target,
                           Reduction reduction = Reduction::mean);
EBB_REFUSE_MIXED(mse_loss)
/// mean(|prediction - target|), slope 0 where both are equal
template <Real T>
EBB_API Tensor<T> l1_loss(const Operand<T>& prediction, const Operand<T>& target,
                          Reduction reduction = Reduction::mean);
EBB_REFUSE_MIXED(l1_loss)
/// The mean of e^2 / 2 where |e| <= delta, and of delta (|e| - delta / 2) elsewhere, with e =
/// prediction - target and delta > 0 (Huber 1964).
template <Real T>
EBB_API Tensor<T> huber_loss(const Operand<T>& prediction, const Operand<T>& target,
                             double delta = 1, Reduction reduction = Reduction::mean);
/// huber_loss / beta with delta = beta; l1_loss if beta is 0 (Girshick 2015)
template <Real T>
EBB_API Tensor<T> smooth_l1_loss(const Operand<T>& prediction, const Operand<T>& target,
                                 double beta = 1, Reduction reduction = Reduction::mean);
/// mean(max(1 - target prediction, 0)), target -1 or 1, slope 0 at the kink.
/// @pytorch has no such loss; its hinge_embedding_loss is another.
template <Real T>
EBB_API Tensor<T> hinge_loss(const Operand<T>& prediction, const Operand<T>& target,
                             Reduction reduction = Reduction::mean);
/// mean(max(1 - target prediction, 0)^2), target -1 or 1.
/// @pytorch has no such loss.
template <Real T>
EBB_API Tensor<T> squared_hinge_loss(const Operand<T>& prediction, const Operand<T>& target,
                                     Reduction reduction = Reduction::mean);
/// mean(e^prediction - target prediction), for counts; prediction is the logarithm of the rate.
/// @pytorch also takes log_input=False, for the rate itself, and full=True, which adds terms that
/// do not depend on the prediction.
template <Real T>
EBB_API Tensor<T> poisson_nll_loss(const Operand<T>& prediction, const Operand<T>& target,
                                   Reduction reduction = Reduction::mean);
/// mean(max(q e, (q - 1) e)) with e = target - prediction, smallest at the q-quantile of target, q
/// in [0, 1]. The slope at e = 0 is the mean of both slopes (Koenker and Bassett 1978).
/// @pytorch has no such loss.
template <Real T>
EBB_API Tensor<T> quantile_loss(const Operand<T>& prediction, const Operand<T>& target, double q,
                                Reduction reduction = Reduction::mean);
/// mean(target (log target - prediction)) over all elements, where prediction is a log-probability
/// and target a probability; 0 with slopes of 0 where target is 0.
/// @pytorch also takes log_target=True, for the logarithm of the target, and batchmean, which is
/// the sum over the number of rows.
template <Real T>
EBB_API Tensor<T> kl_div(const Operand<T>& prediction, const Operand<T>& target,
                         Reduction reduction = Reduction::mean);
/// Gaussian negative log-likelihood without its constant: the mean of (log v + (prediction -
/// target)^2 / v) / 2 with v = max(variance, eps), eps > 0 (Nix and Weigend 1994); NaN for a
/// negative variance.
/// @pytorch takes full=True, which adds log(2 pi) / 2; has a slope in variances below eps, where
/// the loss is constant; and raises for a negative variance.
template <Real T>
EBB_API Tensor<T> gaussian_nll_loss(const Operand<T>& prediction, const Operand<T>& target,
                                    const Operand<T>& variance, double eps = 1e-6,
                                    Reduction reduction = Reduction::mean);
/// Binary cross-entropy of probabilities: mean(-target log(prediction) - (1 - target) log(1 -
/// prediction)), where logarithms below -100 count as -100, with the slope 0. NaN for a prediction
/// outside of [0, 1]. Of logits `bce_with_logits` is more exact.
/// @pytorch calls it binary_cross_entropy; takes weight; has a slope of 1e12 where a logarithm is
/// limited; and raises for a prediction outside of [0, 1].
template <Real T>
EBB_API Tensor<T> bce(const Operand<T>& prediction, const Operand<T>& target,
                      Reduction reduction = Reduction::mean);
/// Options of bce_with_logits: a factor for the losses of positive targets, which broadcasts to the
/// logits; without one it is 1.
template <Real T>
struct BceWithLogitsOptions {
  Array<T> pos_weight = {};
  Reduction reduction = Reduction::mean;
};
/// Binary cross-entropy of logits: mean(softplus(logit) - target * logit), target in [0, 1].
/// Labels are 0 and 1, one for each logit; those of rows, (n,), also fit logits (n, 1). With
/// pos_weight p it is mean(p target softplus(-logit) + (1 - target) softplus(logit)).
/// @pytorch calls it binary_cross_entropy_with_logits, and takes weight; write the losses of
/// Reduction::none times the weights.
template <Real T>
EBB_API Tensor<T> bce_with_logits(
    const Operand<T>& logits, const Operand<T>& target,
    const BceWithLogitsOptions<std::type_identity_t<T>>& options = {});
template <Real T>
EBB_API Tensor<T> bce_with_logits(
    const Operand<T>& logits, const Array<std::int64_t>& labels,
    const BceWithLogitsOptions<std::type_identity_t<T>>& options = {});
/// Options of cross_entropy: a weight for each class, (classes,), which is 1 without it; what part of
/// the target all classes share, in [0, 1]; and a label whose rows do not count.
template <Real T>
struct CrossEntropyOptions {
  Array<T> weight = {};
  double label_smoothing = 0;
  std::optional<std::int64_t> ignore_index = {};
  Reduction reduction = Reduction::mean;
};
/// The mean over rows of -log softmax(logits)[label]: logits (n, classes), labels (n,) in [0,
/// classes). With options, a row has the loss sum(-q weight log softmax(row)), where q is
/// label_smoothing / classes, plus 1 - label_smoothing at the label (Szegedy et al. 2015, section
/// 7); the mean divides by the sum of the weights of the labels. A row that is ignored has the loss
/// 0 and no part in the mean, which is NaN if there is no other.
/// @pytorch also takes probabilities in place of labels, and further axes: write `reshape`.
template <Real T>
EBB_API Tensor<T> cross_entropy(const Operand<T>& logits, const Array<std::int64_t>& labels,
                                const CrossEntropyOptions<std::type_identity_t<T>>& options = {});
/// Options of nll_loss, which are those of cross_entropy
template <Real T>
struct NllLossOptions {
  Array<T> weight = {};
  std::optional<std::int64_t> ignore_index = {};
  Reduction reduction = Reduction::mean;
};
/// The mean over rows of -log_probabilities[label]: log_probabilities (n, classes), labels (n,).
/// The options are used as in cross_entropy.
/// @pytorch also takes further axes: write `reshape`.
template <Real T>
EBB_API Tensor<T> nll_loss(const Operand<T>& log_probabilities, const Array<std::int64_t>& labels,
                           const NllLossOptions<std::type_identity_t<T>>& options = {});
/// Options of multi_margin_loss: by how much the logit of the label is above the others without a
/// loss; the power, 1 or 2; and a weight for each class, (classes,), which is 1 without it.
template <Real T>
struct MultiMarginLossOptions {
  double margin = 1;
  int p = 1;
  Array<T> weight = {};
  Reduction reduction = Reduction::mean;
};
/// The hinge loss of several classes, the mean over rows of weight[label] / classes times the sum
/// of max(margin - logit[label] + logit[c], 0)^p over the other classes c, with slope 0 at the
/// kink: logits (n, classes), labels (n,). The mean divides by n, whatever the weights (Weston and
/// Watkins 1999).
/// @pytorch takes negative weights; and one row without its axis: write `unsqueeze`.
template <Real T>
EBB_API Tensor<T> multi_margin_loss(
    const Operand<T>& logits, const Array<std::int64_t>& labels,
    const MultiMarginLossOptions<std::type_identity_t<T>>& options = {});

// clang-format on

}  // namespace ebb::inline v0
