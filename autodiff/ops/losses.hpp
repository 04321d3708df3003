// SPDX-License-Identifier: BSD-3-Clause
// Losses, each one record.
#pragma once
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/op.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/families.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// mean((prediction - target)^2), a `fuse_mean` of this formula.
struct MseLoss {
  static constexpr std::string_view name = "mse_loss";
  EBB_INLINE static auto value(auto prediction, auto target) { return square(prediction - target); }
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

/// mean(log(1 + e^z) - t z): -t log s(z) - (1 - t) log(1 - s(z)) without the logarithms of numbers
/// that round to 0.
struct BceWithLogits {
  static constexpr std::string_view name = "bce_with_logits";
  EBB_INLINE static auto value(auto logit, auto target) { return softplus(logit) - target * logit; }
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

/// mean over rows of logsumexp(row) - row[label].
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
                            std::to_string(i) + " is not in [0, " + std::to_string(s[1]) + ")");
      }
      total += double(detail::kernels<T>().logsumexp(row, s[1])) - double(row[label[i]]);
    }
    detail::BlockHandle y(detail::allocate({}, sizeof(T)));
    *y->data<T>() = T(total / double(s[0]));
    return y.take();
  }
  static auto da(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto logits = call.a();
    const auto labels = call.template array<std::int64_t>(1);
    auto chosen = Array<T>::zeros(logits.shape());
    for (std::int64_t i = 0; i < labels.size(); ++i) {
      chosen.mutate()[i * logits.shape()[1] + labels[i]] = 1;
    }
    return (softmax(logits) - chosen) * (call.g() / double(labels.size()));
  }
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
             "cross_entropy: label 3 of row 1 is not in [0, 3)"},
            {"too few labels",
             [] {
               cross_entropy(spread({2, 3}), Array<std::int64_t>::of({0}));
             },
             "cross_entropy: logits must be (n, classes) and labels (n,), not (2, 3) and (1,)"}};
  }
};

/// All losses.
using Losses = List<MseLoss, BceWithLogits, CrossEntropy>;

}  // namespace ebb::inline v0::op
