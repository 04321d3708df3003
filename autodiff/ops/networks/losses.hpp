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
  EBB_INLINE static auto value(auto prediction, auto target) { return square(prediction - target); }
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return mse_loss(x[0], x[1]); };
    return {sample("of columns", {spread({5, 1}, 50), spread({5, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f),
            sample("of more than a block", {spread({4500}), spread({4500}, 3)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a column against a vector",
             [] {
               mse_loss(spread({3, 1}), spread({3}));
             },
             "mse_loss: the shapes of prediction and target must be equal, not (3, 1) and (3,)"}};
  }
};

/// mean(log(1 + e^z) - t z), which is -t log s(z) - (1 - t) log(1 - s(z)) with the sigmoid s,
/// without logarithms of numbers that round to 0.
struct BceWithLogits {
  static constexpr std::string_view name = "bce_with_logits";
  EBB_INLINE static auto value(auto logit, auto target) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    // The line that it approaches; an infinite logit that the target does not weigh costs 0.
    const auto weight = select(logit > 0, 1 - target, -target);
    return select(abs(logit) == infinity, select(weight == 0, 0, weight * logit),
                  softplus(logit) - target * logit);
  }
  static constexpr Lacks lacks{.empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return bce_with_logits(x[0], x[1]); };
    return {sample("of columns", {spread({5, 1}, 20), spread({5, 1})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a column against a vector",
         [] {
           bce_with_logits(spread({3, 1}), spread({3}));
         },
         "bce_with_logits: the shapes of logits and target must be equal, not (3, 1) and (3,)"}};
  }
};

/// mean(|prediction - target|), slope 0 where both are equal.
struct L1Loss {
  static constexpr std::string_view name = "l1_loss";
  EBB_INLINE static auto value(auto prediction, auto target) { return abs(prediction - target); }
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
  EBB_INLINE static auto value(auto prediction, auto target, auto delta) {
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
  EBB_INLINE static auto value(auto prediction, auto target, auto beta) {
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
  EBB_INLINE static auto value(auto prediction, auto target) {
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
  EBB_INLINE static auto value(auto prediction, auto target) {
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
  EBB_INLINE static auto value(auto log_rate, auto target) {
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
  EBB_INLINE static auto value(auto prediction, auto target, auto q) {
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
  EBB_INLINE static auto value(auto log_prediction, auto target) {
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

/// The mean over rows of -row[label], by `gather` and `mean`.
struct NllLoss {
  static constexpr std::string_view name = "nll_loss";
  static constexpr Lacks lacks{.scalar = "needs rows", .empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto labels = Array<std::int64_t>::of({1, 0, 2});
    return {sample("of three rows", {spread({3, 4}, 50)},
                   [=](auto x) { return nll_loss(x[0], labels); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a label outside",
         [] {
           nll_loss(spread({2, 3}), Array<std::int64_t>::of({0, 3}));
         },
         "nll_loss: index 3 at position 1 is not in [0, 3)"},
        {"too few labels",
         [] {
           nll_loss(spread({2, 3}), Array<std::int64_t>::of({0}));
         },
         "nll_loss: log_probabilities must be (n, classes) and labels (n,), not (2, 3) and (1,)"}};
  }
};

/// The mean over rows of logsumexp(row) - row[label], relative to the largest element.
struct CrossEntropy {
  static constexpr std::string_view name = "cross_entropy";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0011};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* logits, detail::Block* labels) {
    const Shape& s = logits->shape;
    if (s.rank() != 2 || labels->shape.rank() != 1 || labels->shape[0] != s[0]) {
      detail::throw_shapes(name, "logits must be (n, classes) and labels (n,)", s, labels->shape);
    }
    const auto* label = labels->data<std::int64_t>();
    const T* row = logits->data<T>();
    double total = 0;
    for (std::int64_t i = 0; i < s[0]; ++i, row += s[1]) {
      if (label[i] < 0 || label[i] >= s[1]) {
        throw ArgumentError("cross_entropy: label " + std::to_string(label[i]) + " of row " +
                            std::to_string(i) + " is not in [0, " + std::to_string(s[1]) +
                            ") for logits of shape " + to_string(s));
      }
      T largest;
      const double sum = detail::kernels<T>().log_sum(row, s[1], largest);
      const T logit = row[label[i]];
      total += logit == largest ? sum : double(largest) - double(logit) + sum;
    }
    detail::BlockHandle y(detail::allocate({}, sizeof(T)));
    *y->data<T>() = T(total / double(s[0]));
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto logits = call.a();
    const auto labels = call.template array<std::int64_t>(1);
    auto chosen = Array<T>::zeros(logits.shape());
    for (std::int64_t i = 0; i < labels.size(); ++i) {
      chosen.mutate()[i * logits.shape()[1] + labels[i]] = 1;
    }
    return (softmax(logits) - chosen) * (call.g() / double(labels.size()));
  }
  static constexpr Lacks lacks{.scalar = "needs rows",
                               .empty = "the mean of nothing is NaN",
                               .large = "saturates: its large logits stand in the tests of losses"};
  static std::vector<Sample> samples() {
    const auto labels = Array<std::int64_t>::of({1, 0, 2});
    return {sample("of three rows", {spread({3, 4}, 5)},
                   [=](auto x) { return cross_entropy(x[0], labels); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a label outside",
             [] {
               cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0, 3}));
             },
             "cross_entropy: label 3 of row 1 is not in [0, 3) for logits of shape (2, 3)"},
            {"too few labels",
             [] {
               cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0}));
             },
             "cross_entropy: logits must be (n, classes) and labels (n,), not (2, 3) and (1,)"}};
  }
};

/// All losses.
using Losses = List<MseLoss, BceWithLogits, L1Loss, HuberLoss, SmoothL1Loss, HingeLoss,
                    SquaredHingeLoss, PoissonNllLoss, QuantileLoss, KlDiv, NllLoss, CrossEntropy>;

}  // namespace ebb::inline v0::op
