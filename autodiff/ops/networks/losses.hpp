// SPDX-License-Identifier: BSD-3-Clause
// The losses, each as one record.
#pragma once
#include <limits>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// mean((prediction - target)^2), a `fuse_mean` of this formula.
struct MseLoss {
  static constexpr std::string_view name = "mse_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target) {
    return square(prediction - target);
  }
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return mse_loss(x[0], x[1]); };
    return {sample("of columns", {spread({5, 1}, 50), spread({5, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f),
            sample("of more than a block", {spread({4500}), spread({4500}, 3)}, f),
            sample("as a sum", {spread({5}), spread({5}, 3)},
                   [](auto x) { return mse_loss(x[0], x[1], Reduction::sum); }),
            sample("one by one", {spread({2, 3}), spread({2, 3}, 3)},
                   [](auto x) { return mse_loss(x[0], x[1], Reduction::none); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               mse_loss(spread({3, 1}), spread({3}));
             },
             "mse_loss: the shapes of prediction and target must be equal, not (3, 1) and (3,)"}};
  }
};

/// The loss of one infinite logit: on the line that the loss approaches, or 0 if the target does
/// not weigh it. `positive` is the weight of a positive target.
EBB_INLINE constexpr auto bce_far_out(auto logit, auto target, auto positive) {
  const auto weight = select(logit > 0, 1 - target, -positive * target);
  return select(weight == 0, 0, weight * logit);
}

/// mean(log(1 + e^z) - t z), which is -t log s(z) - (1 - t) log(1 - s(z)) with the sigmoid s,
/// without logarithms of numbers that round to 0.
struct BceWithLogits {
  static constexpr std::string_view name = "bce_with_logits";
  EBB_INLINE static constexpr auto value(auto logit, auto target) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return select(abs(logit) == infinity, bce_far_out(logit, target, 1),
                  softplus(logit) - target * logit);
  }
  /// With a weight of positive targets.
  EBB_INLINE static constexpr auto value(auto logit, auto target, auto positive) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return select(abs(logit) == infinity, bce_far_out(logit, target, positive),
                  positive * target * softplus(-logit) + (1 - target) * softplus(logit));
  }
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return bce_with_logits(x[0], x[1]); };
    return {sample("of columns", {spread({5, 1}, 20), spread({5, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f),
            sample("with weights of the columns", {spread({3, 2}, 20), spread({3, 2})},
                   [](auto x) {
                     using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
                     return bce_with_logits(x[0], x[1], {.pos_weight = Array<T>::of({0.5, 3})});
                   }),
            sample("one by one", {spread({3}, 20), spread({3})}, [](auto x) {
              using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
              return bce_with_logits(x[0], x[1],
                                     {.pos_weight = Array<T>(T(2)), .reduction = Reduction::none});
            })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a column against a vector",
         [] {
           bce_with_logits(spread({3, 1}), spread({3}));
         },
         "bce_with_logits: the shapes of logits and target must be equal, not (3, 1) and (3,)"},
        {"too many weights",
         [] {
           bce_with_logits(spread({3}), spread({3}), {.pos_weight = Array<double>::ones({2})});
         },
         "bce_with_logits: shapes (2,) and (3,) do not broadcast"},
        {"weights of more axes",
         [] {
           bce_with_logits(spread({3}), spread({3}), {.pos_weight = Array<double>::ones({2, 1})});
         },
         "bce_with_logits: pos_weight must broadcast to the shape of the logits, not (2, 1) and "
         "(3,)"},
        {"a negative weight",
         [] {
           bce_with_logits(spread({2}), spread({2}), {.pos_weight = Array<double>::of({1, -2})});
         },
         "bce_with_logits: weight -2 at position 1; it is at least 0"}};
  }
};

/// mean(|prediction - target|), slope 0 where both are equal.
struct L1Loss {
  static constexpr std::string_view name = "l1_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target) {
    return abs(prediction - target);
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return l1_loss(x[0], x[1]); };
    return {sample("of columns", {spread({7, 1}, 50), spread({7, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               l1_loss(spread({3, 1}), spread({3}));
             },
             "l1_loss: the shapes of prediction and target must be equal, not (3, 1) and (3,)"}};
  }
};

/// The mean of e^2 / 2 where |e| <= delta, and elsewhere of the straight line that continues it
/// with the same slope (Huber 1964); e = prediction - target.
struct HuberLoss {
  static constexpr std::string_view name = "huber_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target, auto delta) {
    const auto e = abs(prediction - target);
    return select(e <= delta, 0.5 * square(e), delta * (e - 0.5 * delta));
  }
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return huber_loss(x[0], x[1], 35); };
    return {sample("of columns", {spread({7, 1}, 50), spread({7, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               huber_loss(spread({3, 1}), spread({3}));
             },
             "huber_loss: the shapes of prediction and target must be equal, not (3, 1) and (3,)"},
            {"a delta of 0", [] { huber_loss(spread({3}), spread({3}), 0); },
             "huber_loss: delta = 0; it is greater than 0"}};
  }
};

/// huber_loss / beta: where |e| > beta the slopes are 1 and -1 (Girshick 2015, equation 3).
struct SmoothL1Loss {
  static constexpr std::string_view name = "smooth_l1_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target, auto beta) {
    const auto e = abs(prediction - target);
    return select(e < beta, 0.5 * square(e) / beta, e - 0.5 * beta);
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return smooth_l1_loss(x[0], x[1], 35); };
    return {sample("of columns", {spread({7, 1}, 50), spread({7, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a column against a vector",
         [] {
           smooth_l1_loss(spread({3, 1}), spread({3}));
         },
         "smooth_l1_loss: the shapes of prediction and target must be equal, not (3, 1) and (3,)"},
        {"a negative beta", [] { smooth_l1_loss(spread({3}), spread({3}), -1); },
         "smooth_l1_loss: beta = -1; it is at least 0"}};
  }
};

/// mean(max(1 - target prediction, 0)).
struct HingeLoss {
  static constexpr std::string_view name = "hinge_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target) {
    return relu(1 - target * prediction);
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return hinge_loss(x[0], x[1]); };
    return {sample("of columns", {spread({7, 1}, 50), spread({7, 1}, -2)}, f),
            sample("of scalars", {spread({}), spread({}, -2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               hinge_loss(spread({3, 1}), spread({3}));
             },
             "hinge_loss: the shapes of prediction and target must be equal, not (3, 1) and (3,)"}};
  }
};

/// mean(max(1 - target prediction, 0)^2).
struct SquaredHingeLoss {
  static constexpr std::string_view name = "squared_hinge_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target) {
    return square(relu(1 - target * prediction));
  }
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return squared_hinge_loss(x[0], x[1]); };
    return {sample("of columns", {spread({7, 1}, 50), spread({7, 1}, -2)}, f),
            sample("of scalars", {spread({}), spread({}, -2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               squared_hinge_loss(spread({3, 1}), spread({3}));
             },
             "squared_hinge_loss: the shapes of prediction and target must be equal, not (3, 1) "
             "and (3,)"}};
  }
};

/// Poisson negative log-likelihood, without terms that do not depend on z = log(rate): mean(e^z -
/// target z).
struct PoissonNllLoss {
  static constexpr std::string_view name = "poisson_nll_loss";
  EBB_INLINE static constexpr auto value(auto log_rate, auto target) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    // A rate of 0 that the target does not weigh costs 0, and an infinite rate is infinite.
    const auto rate = exp(log_rate);
    const auto line = target * log_rate;
    return select(log_rate == infinity, rate,
                  select(log_rate == -infinity, select(target == 0, 0, -line), rate - line));
  }
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return poisson_nll_loss(x[0], x[1]); };
    return {sample("of columns", {spread({7, 1}, 3), spread({7, 1}, 50)}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               poisson_nll_loss(spread({3, 1}), spread({3}));
             },
             "poisson_nll_loss: the shapes of prediction and target must be equal, not (3, 1) and "
             "(3,)"}};
  }
};

/// mean(max(q e, (q - 1) e)) with e = target - prediction (Koenker and Bassett 1978). At e = 0 the
/// factor, and so the slope, is the mean of both.
struct QuantileLoss {
  static constexpr std::string_view name = "quantile_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target, auto q) {
    const auto e = target - prediction;
    // e^2 is NaN with a slope of NaN.
    return select(e == e, select(e < 0, q - 1, select(e > 0, q, q - 0.5)) * e, e * e);
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return quantile_loss(x[0], x[1], 0.9); };
    return {sample("of columns", {spread({7, 1}, 50), spread({7, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a column against a vector",
         [] {
           quantile_loss(spread({3, 1}), spread({3}), 0.5);
         },
         "quantile_loss: the shapes of prediction and target must be equal, not (3, 1) and (3,)"},
        {"no quantile", [] { quantile_loss(spread({3}), spread({3}), 1.5); },
         "quantile_loss: q = 1.5; it is in [0, 1]"}};
  }
};

/// mean(target (log target - z)); 0 where target is 0.
struct KlDiv {
  static constexpr std::string_view name = "kl_div";
  EBB_INLINE static constexpr auto value(auto log_prediction, auto target) {
    return select(target == 0, 0, target * (log(target) - log_prediction));
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return kl_div(x[0], x[1] * x[1]); };
    return {sample("of a target that is given", {spread({2, 3}), Array<double>::full({2, 3}, 0.4)},
                   [](auto x) { return kl_div(x[0], x[1]); }),
            sample("of rows", {spread({2, 3}, 50), spread({2, 3})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               kl_div(spread({3, 1}), spread({3}));
             },
             "kl_div: the shapes of prediction and target must be equal, not (3, 1) and (3,)"}};
  }
};

/// The mean of (log v + (prediction - target)^2 / v) / 2 with v = max(variance, eps).
struct GaussianNllLoss {
  static constexpr std::string_view name = "gaussian_nll_loss";
  EBB_INLINE static constexpr auto value(auto prediction, auto target, auto variance, auto eps) {
    const auto v = select(variance < eps, eps, variance);
    const auto loss = 0.5 * (log(v) + square(prediction - target) / v);
    return select(variance < 0, sqrt(variance), loss);  // NaN with slopes of NaN
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return gaussian_nll_loss(x[0], x[1], square(x[2]), 0.1); };
    return {
        sample("one by one", {spread({3}), spread({3}, 2), Array<double>::of({2, 0.4, 7})},
               [](auto x) { return gaussian_nll_loss(x[0], x[1], x[2], 0.5, Reduction::none); }),
        sample("of columns", {spread({7, 1}, 50), spread({7, 1}), spread({7, 1}, 2)}, f),
        sample("of scalars", {spread({}), spread({}, 2), spread({}, 3)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               gaussian_nll_loss(spread({3, 1}), spread({3}), spread({3}));
             },
             "gaussian_nll_loss: the shapes of prediction, target and variance must be equal, not "
             "(3, 1) and (3,)"},
            {"an eps of 0", [] { gaussian_nll_loss(spread({3}), spread({3}), spread({3}), 0); },
             "gaussian_nll_loss: eps = 0; it is greater than 0"}};
  }
};

/// mean(-t log p - (1 - t) log(1 - p)) with logarithms of at least -100.
struct Bce {
  static constexpr std::string_view name = "bce";
  EBB_INLINE static constexpr auto value(auto prediction, auto target) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return -target * clamp(log(prediction), -100.0, infinity) -
           (1 - target) * clamp(log1p(-prediction), -100.0, infinity);
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN",
                               .large = "takes probabilities"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return bce(x[0], x[1]); };
    const auto p = Array<double>::of({0.1, 0.25, 0.5, 0.7, 0.97});
    return {sample("of columns", {p.reshape({5, 1}), spread({5, 1})}, f),
            sample("of scalars", {Array<double>(0.3), spread({}, 2)}, f),
            sample("one by one", {p, spread({5}, 2)},
                   [](auto x) { return bce(x[0], x[1], Reduction::none); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               bce(spread({3, 1}), spread({3}));
             },
             "bce: the shapes of prediction and target must be equal, not (3, 1) and (3,)"}};
  }
};

/// All losses of targets.
using Losses = List<MseLoss, BceWithLogits, L1Loss, HuberLoss, SmoothL1Loss, HingeLoss,
                    SquaredHingeLoss, PoissonNllLoss, QuantileLoss, KlDiv, GaussianNllLoss, Bce>;

}  // namespace ebb::inline v0::op
