// SPDX-License-Identifier: BSD-3-Clause
// softmax, log_softmax, logsumexp and cross_entropy of large equal elements, and of infinite ones.
#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double log_2 = 0.6931471805599453;

/// A row with its softmax and the logarithm of that.
struct Row {
  Array<double> x, weights, logarithms;
  double logsumexp;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {Array<double>::of({inf, 0, 1}), Array<double>::of({1, 0, 0}),
       Array<double>::of({0, -inf, -inf}), inf},
      {Array<double>::of({0, inf}), Array<double>::of({0, 1}), Array<double>::of({-inf, 0}), inf},
      {Array<double>::of({inf, 3, inf, -inf}), Array<double>::of({0.5, 0, 0.5, 0}),
       Array<double>::of({-log_2, -inf, -log_2, -inf}), inf},
      {Array<double>::of({-inf, -inf}), Array<double>::of({0.5, 0.5}),
       Array<double>::of({-log_2, -log_2}), -inf},
      {Array<double>::of({-inf, 4, 4}), Array<double>::of({0, 0.5, 0.5}),
       Array<double>::of({-inf, -log_2, -log_2}), 4 + log_2},
      {Array<double>::of({-inf}), Array<double>::of({1}), Array<double>::of({0}), -inf},
      {Array<double>::of({inf}), Array<double>::of({1}), Array<double>::of({0}), inf}};
  return all;
}

template <class T>
Array<T> as(const Array<double>& x) {
  return cast<T>(Tensor<double>(x)).array();
}

template <class T>
void check_rows(double tolerance) {
  for (const Row& row : rows()) {
    CAPTURE(row.x);
    const auto x = as<T>(row.x);
    CHECK_AGREES(close(softmax(Tensor<T>(x)).array(), as<T>(row.weights), tolerance));
    CHECK_AGREES(close(log_softmax(Tensor<T>(x)).array(), as<T>(row.logarithms), tolerance));
    CHECK_AGREES(close(logsumexp(Tensor<T>(x)).array(), Array<T>(T(row.logsumexp)), tolerance));
    // As a column next to another.
    const auto n = x.size();
    const auto other = Tensor<T>(Array<T>::zeros({n, 1}));
    const auto columns = concat({reshape(Tensor<T>(x), {n, 1}), other}, 1);
    CHECK_AGREES(close(
        softmax(columns, 0).array(),
        concat({reshape(Tensor<T>(as<T>(row.weights)), {n, 1}), softmax(other, 0)}, 1).array(),
        tolerance));
    CHECK_AGREES(close(logsumexp(columns, 0).array(),
                       Array<T>::of({T(row.logsumexp), T(std::log(double(n)))}), tolerance));
    // d logsumexp = softmax; with the weights s = 1, 2, ... the others give y (s - s . y) and
    // s - sum(s) y.
    auto s = Array<T>::uninitialized(x.shape());
    for (std::int64_t i = 0; i < n; ++i) s.mutate()[i] = T(i + 1);
    const auto y = Tensor<T>(as<T>(row.weights));
    const Tensor<T> weights(s);
    CHECK_AGREES(close(gradient([](const auto& v) { return logsumexp(v); }, x).array(), y.array(),
                       tolerance));
    CHECK_AGREES(close(gradient([&](const auto& v) { return sum(softmax(v) * weights); }, x),
                       y * (weights - sum(y * weights)), tolerance));
    CHECK_AGREES(close(
        gradient([&](const auto& v) { return sum(where(y > T(0), log_softmax(v), 0) * weights); },
                 x),
        where(y > T(0), weights, 0) - sum(where(y > T(0), weights, 0)) * y, tolerance));
  }
}

}  // namespace

TEST_SUITE("edge values") {

TEST_CASE("equal infinite elements share the weight of a row, and all others have none") {
  check_rows<double>(4e-16);
  check_rows<float>(2e-7);
}

TEST_CASE("second derivatives at infinite elements are finite") {
  for (const auto& x : {Array<double>::of({inf, 0, 1}), Array<double>::of({0, -inf, -inf})}) {
    CAPTURE(x);
    CHECK_AGREES(close(hessian([](const auto& v) { return logsumexp(v); }, x).array(),
                       Array<double>::zeros({3, 3}), 0));
    CHECK_AGREES(close(hessian([](const auto& v) { return sum(square(softmax(v))); }, x).array(),
                       Array<double>::zeros({3, 3}), 0));
  }
}

TEST_CASE("large equal elements keep all digits") {
  // log(2 + 1/e), and the shares of 1, 1 and 1/e.
  const double total = 0.8619948040582511, large = 0.4223187982515182, small = 0.15536240349696362;
  const auto narrow = Array<float>::of({1e5F, 1e5F, 99999});
  const auto wide = Array<double>::of({1e15, 1e15, 1e15 - 1});
  CHECK_AGREES(close(log_softmax(Tensor<float>(narrow)).array(),
                     Array<double>::of({-total, -total, -1 - total}), 2e-7));
  CHECK_AGREES(close(log_softmax(Tensor<double>(wide)).array(),
                     Array<double>::of({-total, -total, -1 - total}), 4e-16));
  const auto of_logsumexp = [](const auto& x) { return logsumexp(x); };
  const auto weights = Array<double>::of({large, large, small});
  CHECK_AGREES(close(gradient(of_logsumexp, narrow).array(), weights, 3e-7));
  CHECK_AGREES(close(gradient(of_logsumexp, wide).array(), weights, 1e-15));
  CHECK_AGREES(close(
      gradient([](const auto& x) { return sum(logsumexp(x, 1)); }, narrow.reshape({1, 3})).array(),
      weights.reshape({1, 3}), 3e-7));
  CHECK_AGREES(close(
      gradient([](const auto& x) { return sum(logsumexp(x, 0)); }, narrow.reshape({3, 1})).array(),
      weights.reshape({3, 1}), 3e-7));
  // The Hessian is diag(p) - p p^T.
  const auto p = Tensor<double>(weights);
  auto expected = matmul(reshape(p, {3, 1}), reshape(p, {1, 3})).array();
  for (std::int64_t i = 0; i < 9; ++i) {
    expected.mutate()[i] = (i % 4 == 0 ? weights[i / 4] : 0) - expected[i];
  }
  CHECK_AGREES(close(hessian(of_logsumexp, narrow).array(), expected, 2e-6));
  CHECK_AGREES(close(hessian(of_logsumexp, wide).array(), expected, 2e-15));
  const auto of_log_softmax = [](const auto& x) {
    return sum(log_softmax(x) * Array<float>::of({1, 0, 0}));
  };
  CHECK_AGREES(close(gradient(of_log_softmax, narrow).array(),
                     Array<double>::of({1 - large, -large, -small}), 3e-7));
}

TEST_CASE("the largest numbers do not overflow") {
  const auto x = Array<double>::of({1e308, 1e308, 0});
  CHECK_AGREES(close(log_softmax(Tensor<double>(x)).array(),
                     Array<double>::of({-log_2, -log_2, -1e308}), 4e-16));
  CHECK_AGREES(close(gradient([](const auto& v) { return logsumexp(v); }, x).array(),
                     Array<double>::of({0.5, 0.5, 0}), 0));
  const auto f = Array<float>::of({3e38F, 3e38F, 0});
  CHECK_AGREES(close(log_softmax(Tensor<float>(f)).array(),
                     Array<double>::of({-log_2, -log_2, -3e38}), 2e-7));
}

TEST_CASE("logcumsumexp is logsumexp of the elements up to each, and so is its gradient") {
  const auto last_of = [](const auto& x) {
    const std::int64_t n = x.shape()[0];
    return sum(slice(logcumsumexp(x, 0), 0, {n - 1, n}));
  };
  for (const Row& row : rows()) {
    CAPTURE(row.x);
    CHECK_AGREES(
        close(last_of(Tensor<double>(row.x)).array(), Array<double>(row.logsumexp), 4e-16));
    CHECK_AGREES(close(gradient(last_of, row.x).array(), row.weights, 4e-16));
    const auto second = hessian(last_of, row.x).array();
    for (const double v : second) CHECK(std::isfinite(v));
  }
  const auto x = op::spread({6}, 40);
  const auto y = logcumsumexp(x, 0).array();
  for (std::int64_t k = 1; k <= 6; ++k) {
    CAPTURE(k);
    const auto head = slice(x, 0, {0, k}).array();
    CHECK(std::abs(y[k - 1] - logsumexp(head).item()) <= 4e-16 * std::abs(y[k - 1]));
  }
  const auto nan = logcumsumexp(Array<double>::of({1, std::nan(""), 3}), 0).array();
  CHECK(nan[0] == 1);
  CHECK(std::isnan(nan[1]));
  CHECK(std::isnan(nan[2]));
  CHECK(std::abs(logcumsumexp(Array<float>::of({1e30F, 1e30F}), 0).array()[1] - 1e30F) == 0);
}

TEST_CASE("cross_entropy of large and of infinite logits") {
  const auto loss = [](const auto& x, std::int64_t label) {
    return cross_entropy(x, Array<std::int64_t>::of({label}));
  };
  const auto row = Array<float>::of({{1e5F, 1e5F, 99999}});
  CHECK(std::abs(double(loss(row, 0).item()) - 0.8619948040582511) <= 1e-7);
  CHECK(std::abs(double(loss(row, 2).item()) - 1.8619948040582511) <= 2e-7);
  CHECK_AGREES(close(
      gradient([&](const auto& x) { return loss(x, 0); }, row).array(),
      Array<double>::of({{-0.5776812017484818, 0.4223187982515182, 0.15536240349696362}}), 3e-7));
  CHECK(std::abs(loss(Array<double>::of({{1e308, 1e308, 0}}), 0).item() - log_2) <= 2e-16);
  const auto ends = Array<double>::of({{inf, 0, -inf}});
  CHECK(loss(ends, 0).item() == 0);
  CHECK(loss(ends, 1).item() == inf);
  CHECK_AGREES(close(gradient([&](const auto& x) { return loss(x, 1); }, ends).array(),
                     Array<double>::of({{1, -1, 0}}), 0));
  CHECK(loss(Array<double>::of({{-inf, -inf}}), 1).item() == log_2);
  CHECK(std::isnan(loss(Array<double>::of({{0, std::nan("")}}), 0).item()));
}

}  // TEST_SUITE("edge values")
