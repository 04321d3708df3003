// SPDX-License-Identifier: BSD-3-Clause
// Losses as objects: their operations, and rows that count more than others.
#include "ebb/nn/losses.hpp"

#include <doctest/doctest.h>

#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

const auto x = numbers<double>({3, 2}, 4), y = numbers<double>({3, 2}, 5);
const auto labels = Array<std::int64_t>::of({1, 0, 1});
const auto weights = Array<double>::of({1, 0, 3});

}  // namespace

TEST_SUITE("losses as objects") {

TEST_CASE("each is its operation with its options") {
  const auto same = [](const Tensor<double>& a, const Tensor<double>& b) {
    CHECK_AGREES(same_bits(a.array(), b.array()));
  };
  const auto p = sigmoid(x), q = sigmoid(y), sign = where(y > 0.0, 1.0, Tensor<double>(-1.0));
  const auto sum_of = Reduction::sum;
  same(nn::MSELoss()(x, y), mse_loss(x, y));
  same(nn::MSELoss{sum_of}(x, y), mse_loss(x, y, sum_of));
  same(nn::L1Loss()(x, y), l1_loss(x, y));
  same(nn::HuberLoss{.delta = 0.5}(x, y), huber_loss(x, y, 0.5));
  same(nn::SmoothL1Loss{.beta = 0.5}(x, y), smooth_l1_loss(x, y, 0.5));
  same(nn::HingeLoss()(x, sign), hinge_loss(x, sign));
  same(nn::SquaredHingeLoss()(x, sign), squared_hinge_loss(x, sign));
  same(nn::PoissonNLLLoss()(x, q), poisson_nll_loss(x, q));
  same(nn::QuantileLoss{.q = 0.9}(x, y), quantile_loss(x, y, 0.9));
  same(nn::BCELoss()(p, q), bce(p, q));
  same(nn::KLDivLoss()(x, q), kl_div(x, q));
  same(nn::GaussianNLLLoss<double>{.eps = 0.4}(x, y, p), gaussian_nll_loss(x, y, p, 0.4));
  const auto factor = Array<double>::of({2, 5});
  same(nn::MultiMarginLoss<double>{.margin = 0.5, .p = 2, .weight = factor}(x, labels),
       multi_margin_loss(x, labels, {0.5, 2, factor}));
  same(nn::BCEWithLogitsLoss<double>{.pos_weight = factor}(x, q),
       bce_with_logits(x, q, {.pos_weight = factor}));
  const auto row = numbers<double>({3}, 6);
  same(nn::BCEWithLogitsLoss<double>()(row, labels), bce_with_logits(row, labels));
  same(nn::CrossEntropyLoss<double>{.weight = factor, .label_smoothing = 0.1, .ignore_index = 0}(
           x, labels),
       cross_entropy(x, labels, {factor, 0.1, 0}));
  same(nn::NLLLoss<double>{.weight = factor}(log_softmax(x), labels),
       nll_loss(log_softmax(x), labels, {.weight = factor}));
}

TEST_CASE("a weight of 3 counts as a row that is there three times, and 0 as none") {
  const auto drawn = Array<std::int64_t>::of({0, 2, 2, 2});
  const auto rows = [&](const Array<double>& a) { return gather_rows(a, drawn).array(); };
  // The sums differ in the order of their terms only.
  const auto same = [](const Tensor<double>& a, const Tensor<double>& b) {
    CHECK_AGREES(close(a.array(), b.array(), 1e-14));
  };
  same(nn::MSELoss()(x, y, weights), mse_loss(rows(x), rows(y)));
  same(nn::MSELoss()(x, y, weights.reshape({3, 1})), mse_loss(rows(x), rows(y)));
  same(nn::L1Loss{Reduction::sum}(x, y, weights), l1_loss(rows(x), rows(y), Reduction::sum));
  const auto factor = Array<double>::of({2, 5});
  const auto some = Array<std::int64_t>::of({1, 1, 1, 1});
  same(nn::CrossEntropyLoss<double>{.weight = factor, .label_smoothing = 0.1}(x, labels, weights),
       cross_entropy(rows(x), some, {factor, 0.1}));
  same(nn::NLLLoss<double>{.ignore_index = 0}(log_softmax(x), Array<std::int64_t>::of({0, 0, 1}),
                                              weights),
       nll_loss(log_softmax(x)[{2, 3}], Array<std::int64_t>::of({1})));
  same(nn::BCEWithLogitsLoss<double>()(x, sigmoid(y), weights),
       bce_with_logits(rows(x), rows(sigmoid(y).array())));
  same(nn::KLDivLoss()(x, sigmoid(y), weights), kl_div(rows(x), rows(sigmoid(y).array())));
  same(nn::GaussianNLLLoss<double>{.eps = 0.4}(x, y, sigmoid(x), weights),
       gaussian_nll_loss(rows(x), rows(y), rows(sigmoid(x).array()), 0.4));
  same(nn::BCEWithLogitsLoss<double>()(numbers<double>({3}, 6), labels, weights),
       bce_with_logits(rows(numbers<double>({3}, 6)), some));
  const auto margin = multi_margin_loss(rows(x), some, {5, 2, factor});
  CHECK(margin.item() > 0);
  same(nn::MultiMarginLoss<double>{.margin = 5, .p = 2, .weight = factor}(x, labels, weights),
       margin);
  const auto each = nn::MSELoss{Reduction::none}(x, y, weights);
  CHECK(each.shape() == Shape{3, 2});
  same(each, square(x - y) * weights.reshape({3, 1}));
}

TEST_CASE("gradients are those of the weighted mean") {
  struct Prediction {
    Variable<double> value{x};
    void each(Parts& part) { part("value", value); }
  } prediction;
  CHECK(nn::check_gradients(prediction, [&] {
    return nn::CrossEntropyLoss<double>{.label_smoothing = 0.2}(prediction.value, labels,
                                                                Array<double>::of({1, 2, 3}));
  }));
}

TEST_CASE("weights that no rows have are refused") {
  CHECK(message_of<ShapeError>([] {
          nn::MSELoss()(x, y, Array<double>::of({1, 2}));
        }) == "a loss of weighted rows: weights must have the shape of the rows, (3,), not (2,)");
  CHECK(message_of<ArgumentError>([] {
          nn::MSELoss()(x, y, Array<double>::of({1, -1, 1}));
        }) ==
        "a loss of weighted rows: weights must be at least 0 and finite; that at position 1 is -1");
  CHECK(message_of<ArgumentError>([] { nn::MSELoss()(x, y, Array<double>::zeros({3})); }) ==
        "a loss of weighted rows: the weights add up to 0, and a mean divides by that sum; use "
        "Reduction::sum, or leave such a batch out");
  CHECK_NOTHROW(nn::MSELoss{Reduction::sum}(x, y, Array<double>::zeros({3})));
}

}  // TEST_SUITE("losses as objects")
