// SPDX-License-Identifier: BSD-3-Clause
// The losses of labels.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// Weights of four classes in the type of the tensors of a sample.
template <class T>
Array<T> class_weights(std::span<const Tensor<T>>) {
  return Array<T>::of({2, 0.5, 3, 1.25});
}

/// The weighted mean over rows of -row[label], by `gather` and sums.
struct NllLoss {
  static constexpr std::string_view name = "nll_loss";
  static constexpr Lacks lacks{.scalar = "needs rows", .empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto labels = Array<std::int64_t>::of({1, 0, 2});
    return {sample("of three rows", {spread({3, 4}, 50)},
                   [=](auto x) { return nll_loss(x[0], labels); }),
            sample("with weights", {spread({3, 4}, 50)},
                   [=](auto x) {
                     return nll_loss(x[0], labels, {.weight = class_weights(x), .ignore_index = 0});
                   }),
            sample("one by one", {spread({3, 4}, 50)},
                   [=](auto x) { return nll_loss(x[0], labels, {.reduction = Reduction::none}); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a label outside",
         [] {
           nll_loss(spread({2, 3}), Array<std::int64_t>::of({0, 3}));
         },
         "nll_loss: label 3 of row 1 is not in [0, 3) for log_probabilities of shape (2, 3)"},
        {"too few labels",
         [] {
           nll_loss(spread({2, 3}), Array<std::int64_t>::of({0}));
         },
         "nll_loss: log_probabilities must be (n, classes) and labels (n,), not (2, 3) and (1,)"}};
  }
};

/// Hinges of the distances to the logit of the label, by `gather`, `relu` and sums.
struct MultiMarginLoss {
  static constexpr std::string_view name = "multi_margin_loss";
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs rows", .empty = "the mean of nothing is NaN"};
  static std::vector<Sample> samples() {
    const auto labels = Array<std::int64_t>::of({1, 0, 2});
    return {sample("of three rows", {spread({3, 4}, 50)},
                   [=](auto x) { return multi_margin_loss(x[0], labels); }),
            sample("with weights, as a sum", {spread({3, 4})},
                   [=](auto x) {
                     return multi_margin_loss(
                         x[0], labels,
                         {.margin = 0.7, .weight = class_weights(x), .reduction = Reduction::sum});
                   }),
            sample("squares, one by one", {spread({3, 4})}, [=](auto x) {
              return multi_margin_loss(
                  x[0], labels, {.p = 2, .weight = class_weights(x), .reduction = Reduction::none});
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a label outside",
             [] {
               multi_margin_loss(spread({2, 3}), Array<std::int64_t>::of({-1, 0}));
             },
             "multi_margin_loss: label -1 of row 0 is not in [0, 3) for logits of shape (2, 3)"},
            {"too few labels",
             [] {
               multi_margin_loss(spread({2, 3}), Array<std::int64_t>::of({0}));
             },
             "multi_margin_loss: logits must be (n, classes) and labels (n,), not (2, 3) and (1,)"},
            {"too few weights",
             [] {
               multi_margin_loss(spread({2, 3}), Array<std::int64_t>::of({0, 1}),
                                 {.weight = Array<double>::ones({2})});
             },
             "multi_margin_loss: weight must have one number for each class, not (2,) and (2, 3)"},
            {"a third power",
             [] {
               multi_margin_loss(spread({2, 3}), Array<std::int64_t>::of({0, 1}), {.p = 3});
             },
             "multi_margin_loss: p = 3; it is 1 or 2"},
            {"a margin of NaN",
             [] {
               multi_margin_loss(spread({2, 3}), Array<std::int64_t>::of({0, 1}),
                                 {.margin = std::nan("")});
             },
             "multi_margin_loss: margin = nan; it is a finite number"}};
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
    return {
        sample("of three rows", {spread({3, 4}, 5)},
               [=](auto x) { return cross_entropy(x[0], labels); }),
        sample("with weights", {spread({3, 4}, 5)},
               [=](auto x) {
                 return cross_entropy(x[0], labels,
                                      {.weight = class_weights(x), .ignore_index = 0});
               }),
        sample("smooth", {spread({3, 4}, 5)},
               [=](auto x) {
                 return cross_entropy(x[0], labels,
                                      {.weight = class_weights(x), .label_smoothing = 0.2});
               }),
        sample("one by one", {spread({3, 4}, 5)},
               [=](auto x) { return cross_entropy(x[0], labels, {.reduction = Reduction::none}); }),
        sample("as a sum", {spread({3, 4}, 5)}, [=](auto x) {
          return cross_entropy(x[0], labels, {.label_smoothing = 0.3, .reduction = Reduction::sum});
        })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a label outside",
         [] {
           cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0, 3}));
         },
         "cross_entropy: label 3 of row 1 is not in [0, 3) for logits of shape (2, 3)"},
        {"too few labels",
         [] {
           cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0}));
         },
         "cross_entropy: logits must be (n, classes) and labels (n,), not (2, 3) and (1,)"},
        {"too few labels for options",
         [] {
           cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0}), {.label_smoothing = 0.1});
         },
         "cross_entropy: logits must be (n, classes) and labels (n,), not (2, 3) and (1,)"},
        {"a label outside that is not ignored",
         [] {
           cross_entropy(spread({2, 3}), Array<std::int64_t>::of({-1, -2}), {.ignore_index = -1});
         },
         "cross_entropy: label -2 of row 1 is not in [0, 3) for logits of shape (2, 3)"},
        {"too few weights",
         [] {
           cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0, 1}),
                         {.weight = Array<double>::ones({2})});
         },
         "cross_entropy: weight must have one number for each class, not (2,) and (2, 3)"},
        {"a negative weight",
         [] {
           cross_entropy(spread({2, 2}), Array<std::int64_t>::of({0, 1}),
                         {.weight = Array<double>::of({1, -1})});
         },
         "cross_entropy: weight -1 at position 1; it is at least 0"},
        {"too much smoothing",
         [] {
           cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0, 1}), {.label_smoothing = 1.5});
         },
         "cross_entropy: label_smoothing = 1.5; it is in [0, 1]"}};
  }
};

/// The losses of rows, sum(q (logsumexp(row) - row)), of rows of class weights q. Classes of weight
/// 0 have no part, even where the distance is infinite.
struct CrossEntropyOfRows {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr bool internal = true;
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0011, 0b0001};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* logits, detail::Block* weights) {
    const std::int64_t rows = logits->shape[0], classes = logits->shape[1];
    const T *row = logits->data<T>(), *q = weights->data<T>();
    detail::BlockHandle y(detail::allocate({rows}, sizeof(T)));
    for (std::int64_t i = 0; i < rows; ++i, row += classes, q += classes) {
      T largest;
      const double sum = detail::kernels<T>().log_sum(row, classes, largest);
      double loss = 0;
      for (std::int64_t c = 0; c < classes; ++c) {
        if (q[c] == T(0)) continue;
        const double distance = row[c] == largest ? 0 : double(largest) - double(row[c]);
        loss += double(q[c]) * (distance + sum);
      }
      y->data<T>()[i] = T(loss);
    }
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    const auto q = call.b();
    const auto total = sum(q, 1, true);
    // A row without weights has no part, even if it is NaN.
    return where(total == 0.0, 0.0, softmax(call.a()) * total - q) * unsqueeze(call.g(), 1);
  }
  static auto vjp_b(const auto& call) {
    return log_softmax(call.a()) * unsqueeze(call.g() * -1.0, 1);
  }
  static constexpr Lacks lacks{.scalar = "needs rows",
                               .large = "saturates: its large logits stand in the tests of losses"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return apply_to(x[0], x[1]); };
    return {sample("of three rows", {spread({3, 4}, 5), spread({3, 4})}, f),
            sample("of no rows", {spread({0, 4}), spread({0, 4})}, f)};
  }
  static std::vector<Rejection> rejections() { return {}; }

 private:
  template <Real T>
  static Tensor<T> apply_to(const Tensor<T>& logits, const Tensor<T>& weights) {
    return detail::apply<CrossEntropyOfRows, T>({}, logits, weights);
  }
};

/// All losses of labels.
using LabelLosses = List<NllLoss, MultiMarginLoss, CrossEntropy, CrossEntropyOfRows>;

}  // namespace ebb::inline v0::op
