// SPDX-License-Identifier: BSD-3-Clause
// Linear classifiers, by the conditions of their minima.
#include "ebb/nn/models/linear/classifiers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/models/classes.hpp"

using namespace ebb;
using ebb::test::breast_cancer;
using ebb::test::close;
using ebb::test::clouds;
using ebb::test::message_of;
using ebb::test::Numbers;
using ebb::test::Positions;
using ebb::test::Rows;

namespace {

/// The weight of each row, which add up to 1.
Numbers row_weights(const Rows& rows, const std::vector<double>& of_class) {
  auto weights = Numbers::uninitialized(rows.y.shape());
  double sum = 0;
  for (std::int64_t i = 0; i < weights.size(); ++i)
    sum += weights.mutate()[i] = of_class.empty() ? 1 : of_class[std::size_t(rows.y[i])];
  return (weights / sum).array();
}

/// The largest element of the shortest subgradient of the penalised mean loss. `slope(decisions,
/// label, output)` is that of a row's loss in one of its decisions. Slopes of coefficients are
/// measured in features of deviation 1.
template <class Slope>
double violation(const nn::LinearClassifier& model, const Rows& rows, const Numbers& weights,
                 double l1, double l2, const Slope& slope) {
  const std::int64_t n = rows.y.size(), d = rows.x.shape()[1], k = model.intercept.size();
  double worst = 0;
  std::vector<double> scales(std::size_t(d), 1.0);
  for (std::int64_t j = 0; j < d && !rows.is_scaled; ++j) {
    double mean = 0, square = 0;
    for (std::int64_t i = 0; i < n; ++i) mean += rows.x(i, j) / double(n);
    for (std::int64_t i = 0; i < n; ++i) square += std::pow(rows.x(i, j) - mean, 2) / double(n);
    scales[std::size_t(j)] = std::sqrt(square);
  }
  for (std::int64_t output = 0; output < k; ++output) {
    std::vector<double> g(std::size_t(d), 0.0);
    double g0 = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      std::vector<double> f;
      for (std::int64_t c = 0; c < k; ++c) {
        f.push_back(model.intercept[c]);
        for (std::int64_t j = 0; j < d; ++j) f.back() += rows.x(i, j) * model.coefficients(c, j);
      }
      const double s = weights[i] * slope(f, rows.y[i], output);
      for (std::int64_t j = 0; j < d; ++j) g[std::size_t(j)] += s * rows.x(i, j);
      g0 += s;
    }
    worst = std::fmax(worst, std::abs(g0));
    for (std::int64_t j = 0; j < d; ++j) {
      const double w = model.coefficients(output, j), whole = g[std::size_t(j)] + l2 * w;
      const double part =
          w != 0 ? std::abs(whole + std::copysign(l1, w)) : std::fmax(std::abs(whole) - l1, 0);
      worst = std::fmax(worst, part / scales[std::size_t(j)]);
    }
  }
  return worst;
}

/// p(class) - [it is the label], for one decision or several.
double logistic_slope(const std::vector<double>& f, std::int64_t label, std::int64_t output) {
  if (f.size() == 1) return 1 / (1 + std::exp(-f[0])) - double(label);
  double sum = 0;
  for (const double e : f) sum += std::exp(e);
  return std::exp(f[std::size_t(output)]) / sum - double(label == output);
}
double hinge_slope(const std::vector<double>& f, std::int64_t label, std::int64_t output) {
  const double t = (f.size() == 1 ? label == 1 : label == output) ? 1 : -1;
  return -2 * t * std::fmax(0, 1 - t * f[std::size_t(output)]);
}

std::int64_t zeros_of(const Numbers& w) { return std::count(w.begin(), w.end(), 0.0); }

}  // namespace

TEST_SUITE("linear classifiers") {

TEST_CASE("logistic regression is at its minimum, with any penalty and solver, in any units") {
  for (const bool is_scaled : {true, false}) {
    const Rows rows = breast_cancer(is_scaled);
    const auto check = [&](nn::LogisticRegressionOptions options) {
      CAPTURE(is_scaled);
      CAPTURE(options.l1);
      CAPTURE(options.l2);
      CAPTURE(nn::to_string(options.solver));
      nn::LogisticRegression model(options);
      model.fit(rows.x, rows.y);
      CHECK(model.warning == "");
      CHECK(violation(model, rows, row_weights(rows, options.class_weight), options.l1, options.l2,
                      logistic_slope) < 1e-7);
      // Newton's steps double the digits.
      if (options.solver == nn::Solver::automatic) CHECK(model.solution.iterations < 12);
      return zeros_of(model.coefficients);
    };
    CHECK(check({.l2 = 0.01}) == 0);
    CHECK(check({.l2 = 1e-4, .class_weight = {1, 3}}) == 0);
    if (is_scaled) {
      CHECK(check({.l2 = 0.01, .solver = nn::Solver::lbfgs}) == 0);
      CHECK(check({.l1 = 0.02,
                   .l2 = 0.01,
                   .solver = nn::Solver::proximal_gradient,
                   .iterations = 20'000}) > 5);
    }
    CHECK(check({.l1 = 0.02, .l2 = 0}) > 15);
    CHECK(check({.l1 = 0.02, .l2 = 0.01}) > 5);
  }
}

TEST_CASE("coefficients are those of scikit-learn 1.2.1") {
  // After StandardScaler, by solvers of ten digits (newton-cholesky) and of six (saga, liblinear).
  const Rows rows = breast_cancer(true);
  nn::LogisticRegression model({.l2 = 0.01});  // C = 1 / (569 l2)
  model.fit(rows.x, rows.y);
  CHECK_AGREES(
      close(model.coefficients.reshape({-1}).leading(0, 10),
            Numbers::of({-0.416054173, -0.4549787228, -0.4039436206, -0.4140920995, -0.1599062855,
                         0.0951859874, -0.4701364553, -0.5459909101, -0.0443542962, 0.2921171929}),
            1e-8));
  CHECK_AGREES(close(model.intercept[0], 0.49526969, 1e-8));
  model.options = {.l1 = 0.02, .l2 = 0};  // C = 1 / (569 l1)
  model.fit(rows.x, rows.y);
  CHECK_AGREES(close(model.coefficients.reshape({-1}).leading(20, 30),
                     Numbers::of({-2.1143280893, -0.6890531148, 0, 0, -0.1438475775, 0, 0,
                                  -1.1077723429, -0.1438567947, 0}),
                     1e-5, 1e-6));
  CHECK_AGREES(close(model.intercept[0], 0.70703908, 1e-5));
  nn::LinearSVM svm({.l2 = 0.01});  // C = 1 / (569 l2), intercept_scaling = 100
  svm.fit(rows.x, rows.y);
  CHECK_AGREES(
      close(svm.coefficients.reshape({-1}).leading(0, 5),
            Numbers::of({-0.049462849, -0.0854156676, -0.0494726379, -0.1038113896, -0.0688455354}),
            2e-6));
  CHECK_AGREES(close(svm.intercept[0], -0.00999975, 2e-5));
}

TEST_CASE("softmax regression is at its minimum, with any penalty") {
  const Rows rows = clouds();
  const auto check = [&](nn::LogisticRegressionOptions options) {
    CAPTURE(options.l1);
    CAPTURE(options.l2);
    nn::LogisticRegression model(options);
    model.fit(rows.x, rows.y);
    CHECK(model.warning == "");
    CHECK(violation(model, rows, row_weights(rows, options.class_weight), options.l1, options.l2,
                    logistic_slope) < 1e-7);
    CHECK(std::abs(model.intercept[0] + model.intercept[1] + model.intercept[2]) < 1e-12);
    return model;
  };
  const auto plain = check({.l2 = 0});
  for (std::int64_t j = 0; j < 2; ++j) {  // the shortest of all that are equal
    CHECK(std::abs(plain.coefficients(0, j) + plain.coefficients(1, j) + plain.coefficients(2, j)) <
          1e-12);
  }
  check({.l2 = 0.01, .class_weight = {1, 2, 5}});
  check({.l2 = 0, .solver = nn::Solver::lbfgs});
  CHECK(zeros_of(check({.l1 = 0.05, .l2 = 0}).coefficients) >= 2);
  check({.l1 = 0.05, .l2 = 0.01});
}

TEST_CASE("support vector machines are at their minimum, of two classes and of three") {
  for (const double l2 : {1e-3, 1.0}) {
    for (const auto& [rows, weight] : {std::pair(breast_cancer(true), std::vector<double>{2, 1}),
                                       std::pair(clouds(), std::vector<double>{1, 1, 3})}) {
      for (const auto solver : {nn::Solver::newton, nn::Solver::lbfgs}) {
        nn::LinearSVM model({.l2 = l2, .class_weight = weight, .solver = solver});
        model.fit(rows.x, rows.y);
        CHECK(model.warning == "");
        CHECK(violation(model, rows, row_weights(rows, weight), 0, l2, hinge_slope) < 1e-7);
        CHECK(model.score(rows.x, rows.y) > 0.7);
        // The value is that of all outputs together.
        const Numbers f = model.decision_function(rows.x).reshape({rows.y.size(), -1});
        const Numbers s = row_weights(rows, weight);
        double value = 0;
        for (const double w : model.coefficients) value += l2 / 2 * w * w;
        for (std::int64_t i = 0; i < f.size(); ++i) {
          const std::int64_t k = f.shape()[1], row = i / k, label = rows.y[row];
          const double t = (k == 1 ? label == 1 : label == i % k) ? 1 : -1;
          value += s[row] * std::pow(std::fmax(0, 1 - t * f[i]), 2);
        }
        CHECK_AGREES(close(model.solution.value, value, 1e-12));  // other orders of the sums
      }
    }
  }
}

TEST_CASE("the value is the mean loss with its penalties") {
  const Rows rows = clouds();
  nn::LogisticRegression model({.l1 = 0.01, .l2 = 0.1});
  model.fit(rows.x, rows.y);
  const Numbers p = model.predict_proba(rows.x);
  double value = 0;
  for (std::int64_t i = 0; i < rows.y.size(); ++i)
    value -= std::log(p(i, rows.y[i])) / double(rows.y.size());
  CHECK_AGREES(close(model.metric("log_loss", rows.x, rows.y), value, 1e-13));
  for (const double w : model.coefficients) value += 0.01 * std::abs(w) + 0.05 * w * w;
  // Sums of 150 terms in another order.
  CHECK_AGREES(close(model.solution.value, value, 1e-13));
}

TEST_CASE("balanced classes count alike, and a weight of 2 is a row twice") {
  const Rows rows = clouds();  // 75, 45 and 30 rows
  nn::LogisticRegression balanced({.l2 = 0.1, .balanced = true}), listed, repeated;
  balanced.fit(rows.x, rows.y);
  listed.options = {.l2 = 0.1,
                    .class_weight = {150 / (3 * 75.0), 150 / (3 * 45.0), 150 / (3 * 30.0)}};
  listed.fit(rows.x, rows.y);
  // Both end within 1e-8 of the gradient.
  CHECK_AGREES(close(balanced.coefficients, listed.coefficients, 1e-8, 1e-8));

  const auto x = Numbers::of({{0}, {1}, {2}, {1.5}, {3}}),
             twice = Numbers::of({{0}, {1}, {2}, {2}, {1.5}});
  const auto y = Positions::of({0, 0, 1, 0, 0});
  for (const bool is_balanced : {true, false}) {
    nn::LogisticRegression weighted({.l2 = 0.1, .balanced = is_balanced});
    repeated.options = weighted.options;
    weighted.fit(x, y, {.weights = Numbers::of({1, 1, 2, 1, 0})});
    repeated.fit(twice, Positions::of({0, 0, 1, 1, 0}));
    CHECK_AGREES(close(weighted.coefficients, repeated.coefficients, 1e-7));
    CHECK_AGREES(close(weighted.intercept, repeated.intercept, 1e-7));
    CHECK(weighted.score(x, Positions::of({0, 0, 1, 1, 1}),
                         {.weights = Numbers::of({0, 0, 1, 0, 0})}) == 1);
  }
}

TEST_CASE("columns that are constant or depend on others are no hindrance") {
  const Rows rows = clouds();
  auto x = Numbers::uninitialized({150, 4});
  for (std::int64_t i = 0; i < 150; ++i) {
    x.mutate()[4 * i] = rows.x(i, 0);
    x.mutate()[4 * i + 1] = 7;
    x.mutate()[4 * i + 2] = rows.x(i, 1);
    x.mutate()[4 * i + 3] = rows.x(i, 0) - rows.x(i, 1);
  }
  nn::LogisticRegression plain({.l2 = 0}), more({.l2 = 0});
  plain.fit(rows.x, rows.y);
  more.fit(x, rows.y);
  CHECK(more.solution.converged);
  CHECK(more.warning.find("depend on others") != std::string::npos);
  // Gradients are within 1e-8, and probabilities change less than their logits.
  CHECK_AGREES(close(more.predict_proba(x), plain.predict_proba(rows.x), 1e-7, 1e-7));
  more.options.l2 = 0.01;
  more.fit(x, rows.y);
  CHECK(more.warning == "");
  CHECK(more.coefficients(0, 1) == 0);
  more.options.l1 = 0.01;
  more.fit(x, rows.y);
  CHECK(more.warning == "");
}

TEST_CASE("units do not matter without a penalty, whatever they are") {
  const Rows rows = clouds();
  nn::LogisticRegression plain({.l2 = 0}), scaled({.l2 = 0});
  plain.fit(rows.x, rows.y);
  for (const double unit : {1e-200, 1e-3, 1e200}) {
    CAPTURE(unit);
    const Numbers x = (rows.x * unit).array();
    scaled.fit(x, rows.y);
    CHECK(scaled.warning == "");
    // Both end within 1e-8 of the gradient.
    CHECK_AGREES(close(scaled.predict_proba(x), plain.predict_proba(rows.x), 1e-7, 1e-7));
  }
  const auto x =
      Numbers::of({{1.7e308}, {1.7e308}, {-1.7e308}});  // the mean less the last is 2.3e308
  CHECK(
      message_of<ArgumentError>([&] {
        scaled.fit(x, Positions::of({0, 1, 1}));
      }) ==
      "LogisticRegression: x or y has numbers that are too large, or too small, for double; scale "
      "them (data::Standardize)");
}

TEST_CASE("many rows and columns take L-BFGS, and Newton's steps where it does not converge") {
  Stream stream(8);
  constexpr std::int64_t n = 20'000, d = 72;
  auto x = Numbers::uninitialized({n, d});
  for (double& e : std::span(x.mutate(), std::size_t(n * d))) e = stream.uniform() - 0.5;
  auto y = Positions::uninitialized({n});
  for (std::int64_t i = 0; i < n; ++i) y.mutate()[i] = x(i, 0) - x(i, 1) + stream.uniform() > 0.5;
  nn::LogisticRegression model, hasty({.iterations = 4});
  model.fit(x, y);
  CHECK(model.solution.solver == "lbfgs");
  CHECK(model.warning == "");
  hasty.fit(x, y);
  CHECK(hasty.solution.solver == "newton");
  CHECK(hasty.warning == "");
  // The curvature is at least that of the penalty, 1e-3, and the gradient at most 1e-8.
  CHECK_AGREES(close(hasty.coefficients, model.coefficients, 1e-5, 1e-5));
}

}  // TEST_SUITE("linear classifiers")
