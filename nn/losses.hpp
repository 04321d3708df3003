// SPDX-License-Identifier: BSD-3-Clause
// Losses as objects, which hold their options, and take a weight for each row:
//
//   const nn::CrossEntropyLoss<float> loss{.label_smoothing = 0.1};
//   backward(loss(model(x), y));
//   backward(loss(model(x), y, weights));
#pragma once
#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0::nn {
namespace detail {

/// Losses (n, ...) of rows times the weights (n,) or (n, 1) of rows, reduced: the mean divides by
/// the sum of the weights of all elements. `units` are the parts (n,) of the rows in that sum, as
/// class weights are; none means 1 for each.
/// @throws ShapeError unless there is one weight for each row; ArgumentError for a negative weight,
/// and for a mean by weights that add up to 0.
template <Real T>
EBB_API Tensor<T> weighted(const Tensor<T>& losses, const Array<T>& weights, Reduction reduction,
                           const Array<T>& units = {});
/// The class weight of each label, 1 without weights, and 0 for an ignored one.
template <Real T>
EBB_API Array<T> units_of(const Array<std::int64_t>& labels, const Array<T>& class_weights,
                          const std::optional<std::int64_t>& ignored);

}  // namespace detail

// All take a prediction and a target of equal shapes, and, as a third argument, the weights (n,) of
// the rows, which are at least 0. They throw as the operations, and as `detail::weighted`.

// clang-format off
#define EBB_LOSS(...)                                                                            \
  template <Real T>                                                                              \
  EBB_INLINE Tensor<T> operator()(const Operand<T>& prediction, const Operand<T>& target) const {           \
    return loss<T>(prediction, target, reduction);                                               \
  }                                                                                              \
  template <Real T>                                                                              \
  EBB_INLINE Tensor<T> operator()(const Operand<T>& prediction, const Operand<T>& target,                   \
                       const Array<std::type_identity_t<T>>& weights) const {                    \
    return detail::weighted<T>(loss<T>(prediction, target, Reduction::none), weights, reduction); \
  }                                                                                              \
  template <Real T>                                                                              \
  EBB_INLINE Tensor<T> loss(const Operand<T>& prediction, const Operand<T>& target, Reduction r) const {    \
    return __VA_ARGS__;                                                                          \
  }

/// (prediction - target)^2, as `mse_loss`.
struct MSELoss {
  Reduction reduction = Reduction::mean;
  EBB_LOSS(mse_loss(prediction, target, r))
};
/// |prediction - target|, as `l1_loss`.
struct L1Loss {
  Reduction reduction = Reduction::mean;
  EBB_LOSS(l1_loss(prediction, target, r))
};
/// Quadratic near 0 and linear beyond delta, as `huber_loss`.
struct HuberLoss {
  double delta = 1;
  Reduction reduction = Reduction::mean;
  EBB_LOSS(huber_loss(prediction, target, delta, r))
};
/// huber_loss / beta, as `smooth_l1_loss`.
struct SmoothL1Loss {
  double beta = 1;
  Reduction reduction = Reduction::mean;
  EBB_LOSS(smooth_l1_loss(prediction, target, beta, r))
};
/// max(1 - target prediction, 0) for targets -1 and 1, as `hinge_loss`.
struct HingeLoss {
  Reduction reduction = Reduction::mean;
  EBB_LOSS(hinge_loss(prediction, target, r))
};
/// max(1 - target prediction, 0)^2 for targets -1 and 1, as `squared_hinge_loss`.
struct SquaredHingeLoss {
  Reduction reduction = Reduction::mean;
  EBB_LOSS(squared_hinge_loss(prediction, target, r))
};
/// e^prediction - target prediction, as `poisson_nll_loss`.
struct PoissonNLLLoss {
  Reduction reduction = Reduction::mean;
  EBB_LOSS(poisson_nll_loss(prediction, target, r))
};
/// Smallest at the q-quantile of the target, as `quantile_loss`.
struct QuantileLoss {
  double q = 0.5;
  Reduction reduction = Reduction::mean;
  EBB_LOSS(quantile_loss(prediction, target, q, r))
};
/// Binary cross-entropy of probabilities, as `bce`.
struct BCELoss {
  Reduction reduction = Reduction::mean;
  EBB_LOSS(bce(prediction, target, r))
};
/// target (log target - prediction) of log-probabilities, as `kl_div`.
struct KLDivLoss {
  Reduction reduction = Reduction::mean;
  EBB_LOSS(kl_div(prediction, target, r))
};
#undef EBB_LOSS
// clang-format on

/// (log v + (prediction - target)^2 / v) / 2 with v = max(variance, eps), as `gaussian_nll_loss`:
/// the third argument has the shape of both, or broadcasts to it.
template <Real T>
struct EBB_API GaussianNLLLoss {
  double eps = 1e-6;
  Reduction reduction = Reduction::mean;

  Tensor<T> operator()(const Operand<T>& prediction, const Operand<T>& target,
                       const Operand<T>& variance) const;
  Tensor<T> operator()(const Operand<T>& prediction, const Operand<T>& target,
                       const Operand<T>& variance, const Array<T>& weights) const;
};

/// Binary cross-entropy of logits, as `bce_with_logits`: `pos_weight` is the factor of the loss of
/// positive targets.
template <Real T>
struct EBB_API BCEWithLogitsLoss {
  Array<T> pos_weight = {};
  Reduction reduction = Reduction::mean;

  /// Targets between 0 and 1, or labels 0 and 1.
  Tensor<T> operator()(const Operand<T>& logits, const Operand<T>& target) const;
  Tensor<T> operator()(const Operand<T>& logits, const Operand<T>& target,
                       const Array<T>& weights) const;
  Tensor<T> operator()(const Operand<T>& logits, const Array<std::int64_t>& labels) const;
  Tensor<T> operator()(const Operand<T>& logits, const Array<std::int64_t>& labels,
                       const Array<T>& weights) const;
};

/// -log softmax(logits)[label] for logits (n, classes) and labels (n,), as `cross_entropy`:
/// `weight` has one factor for each class. The mean divides by the sum of the factors of the rows,
/// times their weights.
template <Real T>
struct EBB_API CrossEntropyLoss {
  Array<T> weight = {};
  double label_smoothing = 0;
  std::optional<std::int64_t> ignore_index = {};
  Reduction reduction = Reduction::mean;

  Tensor<T> operator()(const Operand<T>& logits, const Array<std::int64_t>& labels) const;
  Tensor<T> operator()(const Operand<T>& logits, const Array<std::int64_t>& labels,
                       const Array<T>& weights) const;
};

/// -log_probabilities[label] for rows (n, classes) and labels (n,), as `nll_loss`. The rest is as
/// in CrossEntropyLoss.
template <Real T>
struct EBB_API NLLLoss {
  Array<T> weight = {};
  std::optional<std::int64_t> ignore_index = {};
  Reduction reduction = Reduction::mean;

  Tensor<T> operator()(const Operand<T>& log_probabilities,
                       const Array<std::int64_t>& labels) const;
  Tensor<T> operator()(const Operand<T>& log_probabilities, const Array<std::int64_t>& labels,
                       const Array<T>& weights) const;
};

/// The hinge loss of several classes for logits (n, classes) and labels (n,), as
/// `multi_margin_loss`: `weight` has one factor for each class. The mean divides by the weights of
/// the rows, whatever those of the classes.
template <Real T>
struct EBB_API MultiMarginLoss {
  double margin = 1;
  int p = 1;
  Array<T> weight = {};
  Reduction reduction = Reduction::mean;

  Tensor<T> operator()(const Operand<T>& logits, const Array<std::int64_t>& labels) const;
  Tensor<T> operator()(const Operand<T>& logits, const Array<std::int64_t>& labels,
                       const Array<T>& weights) const;
};

}  // namespace ebb::inline v0::nn
