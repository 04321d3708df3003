// SPDX-License-Identifier: BSD-3-Clause
// Linear regressions, by the conditions of their minima.
#include "ebb/nn/models/linear/regressors.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/files/state.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/optim/linear_fit.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close;
using ebb::test::message_of;
using Numbers = Array<double>;

namespace {

struct Rows {
  Numbers x, y;
};

const Rows& diabetes() {
  static const Rows rows = [] {
    const auto table = data::read_csv<double>(EBB_SOURCE_DIR "/examples/data/diabetes.csv")
                           .with_target("progression");
    const auto [x, y, names] = data::Standardize().fit_transform(table).split_target();
    return Rows{x, y.reshape(Shape{y.size()})};
  }();
  return rows;
}

/// Weights of rows, some of them 0.
Numbers some_weights(std::int64_t n) {
  Stream stream(3);
  auto weights = Numbers::uninitialized({n});
  for (std::int64_t i = 0; i < n; ++i)
    weights.mutate()[i] = i % 9 == 0 ? 0 : stream.uniform() + 0.1;
  return weights;
}

/// The gradient of the mean loss in the coefficients and, last, in the intercept, from the slope of
/// the loss of each row in its predictor.
std::vector<double> gradient(const nn::LinearRegressor& model, const Rows& rows,
                             const Numbers& weights,
                             const std::function<double(double f, double y)>& slope) {
  const std::int64_t n = rows.y.size(), d = rows.x.shape()[1];
  std::vector<double> g(std::size_t(d + 1), 0.0);
  double total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += weights.empty() ? 1 : weights[i];
  for (std::int64_t i = 0; i < n; ++i) {
    double f = model.intercept;
    for (std::int64_t j = 0; j < d; ++j) f += rows.x(i, j) * model.coefficients[j];
    const double s = (weights.empty() ? 1 : weights[i]) / total * slope(f, rows.y[i]);
    for (std::int64_t j = 0; j < d; ++j) g[std::size_t(j)] += s * rows.x(i, j);
    g.back() += s;
  }
  return g;
}

/// How far the shortest subgradient is from 0: the largest element of it.
double violation(const nn::LinearRegressor& model, std::vector<double> g, double l1, double l2,
                 bool intercept = true) {
  double worst = intercept ? std::abs(g.back()) : 0;
  for (std::int64_t j = 0; j < model.coefficients.size(); ++j) {
    const double w = model.coefficients[j], slope = g[std::size_t(j)] + l2 * w;
    worst = std::fmax(worst, w != 0 ? std::abs(slope + std::copysign(l1, w))
                                    : std::fmax(std::abs(slope) - l1, 0));
  }
  return worst;
}

double residual(double f, double y) { return f - y; }

}  // namespace

TEST_SUITE("linear regressors") {

TEST_CASE("squares are at their minimum, with weights of rows and without an intercept") {
  const Rows& rows = diabetes();
  // Targets near 150: products of columns and targets are about 50 at first.
  for (const Numbers& weights : {Numbers(), some_weights(rows.y.size())}) {
    for (const bool intercept : {true, false}) {
      const auto check = [&](nn::LinearRegressor& model, double l1, double l2) {
        CAPTURE(model.name());
        CAPTURE(intercept);
        model.fit(rows.x, rows.y, {.weights = weights});
        CHECK(model.warning == "");
        CHECK(model.solution.converged);
        if (!intercept) CHECK(model.intercept == 0);
        CHECK(violation(model, gradient(model, rows, weights, residual), l1, l2, intercept) < 1e-8);
      };
      nn::LinearRegression plain({.intercept = intercept});
      check(plain, 0, 0);
      nn::Ridge ridge({.l2 = 0.3, .intercept = intercept});
      check(ridge, 0, 0.3);
      nn::Lasso lasso({.l1 = 2, .intercept = intercept});
      check(lasso, 2, 0);
      if (weights.empty() && intercept) CHECK(lasso.coefficients[0] == 0);  // of the age
      nn::ElasticNet net({.l1 = 1, .l2 = 0.1, .intercept = intercept});
      check(net, 1, 0.1);
    }
  }
}

TEST_CASE(
    "all solvers of ridge come to the same coefficients, and the value is the penalised loss") {
  const Rows& rows = diabetes();
  nn::Ridge model({.l2 = 0.05});
  model.fit(rows.x, rows.y);
  CHECK(model.solution.solver == "qr");
  const Numbers w = model.coefficients;
  double squares = 0, l2 = 0;
  const Numbers predicted = model.predict(rows.x);
  for (std::int64_t i = 0; i < rows.y.size(); ++i) {
    squares += (rows.y[i] - predicted[i]) * (rows.y[i] - predicted[i]);
  }
  for (const double e : w) l2 += e * e;
  // Sums of 442 squares in another order.
  CHECK_AGREES(close(model.solution.value, squares / (2 * 442) + 0.05 / 2 * l2, 1e-12));
  for (const auto solver : {nn::Solver::svd, nn::Solver::normal_equations}) {
    model.options.solver = solver;
    model.fit(rows.x, rows.y);
    CHECK(model.solution.solver == nn::to_string(solver));
    // The condition number of the standardised columns is 22, squared 500.
    CHECK_AGREES(close(model.coefficients, w, 1e-11));
  }
  // Of l2 alone coordinate descent is slow and exact.
  nn::ElasticNet net({.l1 = 0, .l2 = 0.05});
  net.fit(rows.x, rows.y);
  CHECK_AGREES(close(net.coefficients, w, 1e-12));
}

TEST_CASE("coefficients are those of scikit-learn 1.2.1") {
  // StandardScaler and tolerances of 1e-10 or as low as a solver can; the iterative ones of
  // scikit-learn have about seven digits.
  const Rows& rows = diabetes();
  const auto agrees = [&](auto model, const Numbers& w, double intercept, double digits) {
    CAPTURE(model.name());
    model.fit(rows.x, rows.y);
    CHECK_AGREES(close(model.coefficients, w, digits, digits));
    CHECK_AGREES(close(model.intercept, intercept, digits));
  };
  agrees(nn::Ridge({.l2 = 0.05}),  // alpha = 442 l2
         Numbers::of({-0.1278973966, -10.5254343171, 24.1442320505, 14.8154896607, -6.5622715014,
                      -1.7589381434, -8.3060505131, 5.4049301091, 22.9801100281, 3.76763796}),
         152.13348416289602, 1e-9);
  agrees(nn::Lasso({.l1 = 2}),  // alpha = l1
         Numbers::of({0, -7.5681983827, 24.6228315662, 13.177846874, -2.716899714, 0,
                      -10.0535883359, 0, 23.1479230126, 1.6903714409}),
         152.13348416289602, 1e-9);
  agrees(nn::ElasticNet({.l1 = 1, .l2 = 0.1}),  // alpha = l1 + l2, l1_ratio = l1 / alpha
         Numbers::of({0, -8.183133304, 23.0367173759, 13.4561466865, -1.7932934907, -2.3331574691,
                      -9.9394715291, 2.5594157689, 20.6750853157, 3.4689466653}),
         152.13348416289602, 1e-9);
  agrees(nn::HuberRegressor({.l2 = 0.1}),  // alpha = 442 l2 / 2
         Numbers::of({1.5266126085, -1.1057530126, 7.8342401042, 5.9109580455, 1.4160455129,
                      0.5773819795, -4.8425426309, 4.4516435439, 7.4817497083, 3.7759576035}),
         147.4731573612266, 1e-4);
  agrees(nn::PoissonRegressor({.l2 = 0.1}),  // alpha = l2
         Numbers::of({0.0010633467, -0.0753076255, 0.1420949783, 0.0989152835, -0.3957255751,
                      0.3167564731, 0.0467832074, 0.0051118528, 0.3157530913, 0.0171836926}),
         4.957372287578151, 1e-6);
}

TEST_CASE("least squares are those of fit_linear, and R2 that of the literature") {
  const Rows& rows = diabetes();
  nn::LinearRegression model;
  model.fit(rows.x, rows.y);
  const auto fit = optim::fit_linear(rows.x, rows.y);
  // Two orders of the same sums; the condition number is 22.
  for (std::int64_t j = 0; j < 10; ++j)
    CHECK_AGREES(close(model.coefficients[j], fit.coefficients[j], 1e-11));
  CHECK_AGREES(close(model.intercept, fit.coefficients[10], 1e-12));
  CHECK_AGREES(close(model.score(rows.x, rows.y), fit.r2, 1e-12));
  // Efron et al. 2004 have 0.5177 for all ten.
  CHECK(std::abs(model.score(rows.x, rows.y) - 0.5177) < 1e-4);
}

TEST_CASE("where columns depend on others, predictions are right and the warning says so") {
  const auto x = Numbers::of({{1, 2, 1}, {2, 4, 1}, {3, 6, 1}, {4, 8, 1}});
  const auto y = Numbers::of({3, 5, 7, 9});
  nn::LinearRegression model;
  model.fit(x, y);
  CHECK(model.solution.solver == "svd");
  CHECK(model.solution.converged);
  CHECK(model.warning.find("depend on others") != std::string::npos);
  CHECK_AGREES(close(model.predict(x), y, 1e-13));
  // y = 1 + 2 a with a + 2 (2 a) = 2 a in the shortest way: (0.4, 0.8).
  CHECK_AGREES(close(model.coefficients, Numbers::of({0.4, 0.8, 0}), 1e-13, 1e-14));
  model.options.solver = nn::Solver::qr;
  CHECK_THROWS_AS(model.fit(x, y), ArgumentError);
  // Fewer rows than columns.
  nn::LinearRegression wide;
  wide.fit(Numbers::of({{1, 2, 4}, {2, 1, 0}}), Numbers::of({1, 2}));
  CHECK_AGREES(
      close(wide.predict(Numbers::of({{1, 2, 4}, {2, 1, 0}})), Numbers::of({1, 2}), 1e-13));
}

TEST_CASE("more columns than rows, and many of both") {
  Stream stream(6);
  const auto random = [&](std::int64_t n, std::int64_t d) {
    Rows rows{Numbers::uninitialized({n, d}), Numbers::uninitialized({n})};
    for (double& e : std::span(rows.x.mutate(), std::size_t(n * d))) e = stream.normal();
    for (double& e : std::span(rows.y.mutate(), std::size_t(n))) e = stream.normal();
    return rows;
  };
  const Rows wide = random(20, 60);
  for (const auto solver : {nn::Solver::automatic, nn::Solver::qr, nn::Solver::svd,
                            nn::Solver::normal_equations, nn::Solver::coordinate_descent}) {
    nn::Ridge ridge({.l2 = 0.5, .solver = solver});
    ridge.fit(wide.x, wide.y);
    CHECK(ridge.warning == "");
    CHECK(violation(ridge, gradient(ridge, wide, {}, residual), 0, 0.5) < 1e-9);
  }
  Rows large = random(400, 240);
  nn::LinearRegression model, exact({.solver = nn::Solver::qr});
  model.fit(large.x, large.y);
  exact.fit(large.x, large.y);
  CHECK(model.solution.solver == "normal_equations");
  // The condition number is about 8.
  CHECK_AGREES(close(model.coefficients, exact.coefficients, 1e-10, 1e-12));
  // One column that is another one up to 1e-6: the normal equations would have four digits.
  for (std::int64_t i = 0; i < 400; ++i)
    large.x.mutate()[240 * i] = large.x[240 * i + 1] + 1e-6 * stream.normal();
  model.fit(large.x, large.y);
  CHECK(model.solution.solver == "qr");
  CHECK(violation(model, gradient(model, large, {}, residual), 0, 0) < 1e-9);
}

TEST_CASE("a weight of 2 is a row twice, and one of 0 is none") {
  const auto x = Numbers::of({{1, 0}, {2, 1}, {0, 3}, {5, 5}}), y = Numbers::of({1, 3, 2, 100});
  const auto twice = Numbers::of({{1, 0}, {2, 1}, {2, 1}, {0, 3}});
  const auto same = [&](auto weighted, auto repeated) {
    weighted.fit(x, y, {.weights = Numbers::of({1, 2, 1, 0})});
    repeated.fit(twice, Numbers::of({1, 3, 3, 2}));
    // A handful of well-conditioned rows; iterative fits end within 1e-8 of the gradient.
    CHECK_AGREES(close(weighted.coefficients, repeated.coefficients, 1e-6, 1e-8));
    CHECK_AGREES(close(weighted.intercept, repeated.intercept, 1e-6, 1e-8));
    CHECK_AGREES(close(weighted.solution.value, repeated.solution.value, 1e-9));
    CHECK_AGREES(close(weighted.score(x, y, {.weights = Numbers::of({1, 2, 1, 0})}),
                       repeated.score(twice, Numbers::of({1, 3, 3, 2})), 1e-6));
  };
  same(nn::Ridge({.l2 = 0.1}), nn::Ridge({.l2 = 0.1}));
  same(nn::Lasso({.l1 = 0.01}), nn::Lasso({.l1 = 0.01}));
  same(nn::HuberRegressor({.l2 = 0.1}), nn::HuberRegressor({.l2 = 0.1}));
  same(nn::PoissonRegressor({.l2 = 0.1}), nn::PoissonRegressor({.l2 = 0.1}));
}

TEST_CASE("the Huber regression is at its minimum, in its scale too") {
  // Every tenth target is wild.
  Rows rows = diabetes();
  for (std::int64_t i = 0; i < rows.y.size(); i += 10) rows.y.mutate()[i] += 2000;
  for (const double l2 : {0.0, 0.5}) {
    for (const bool intercept : {true, false}) {
      nn::HuberRegressor model({.l2 = l2, .intercept = intercept});
      model.fit(rows.x, rows.y);
      CAPTURE(l2);
      CAPTURE(intercept);
      CHECK(model.warning == "");
      // d / dr of scale h(r / scale) is 2 clamp(r / scale, -epsilon, epsilon).
      const auto slope = [&](double f, double y) {
        return 2 * std::fmax(-1.35, std::fmin(1.35, (f - y) / model.scale));
      };
      CHECK(violation(model, gradient(model, rows, {}, slope), 0, l2, intercept) < 1e-7);
      // 1 + mean of h - z h' = 1 - mean of z^2 within epsilon, and of epsilon^2 outside.
      double mean = 0;
      const Numbers predicted = model.predict(rows.x);
      for (std::int64_t i = 0; i < rows.y.size(); ++i) {
        const double z = std::fmin(1.35, std::abs(predicted[i] - rows.y[i]) / model.scale);
        mean += z * z / double(rows.y.size());
      }
      CHECK(std::abs(1 - mean) < 1e-7);
      double value = 0;
      for (const double w : model.coefficients) value += l2 / 2 * w * w;
      for (std::int64_t i = 0; i < rows.y.size(); ++i) {
        const double z = std::abs(predicted[i] - rows.y[i]) / model.scale;
        const double h = z <= 1.35 ? z * z : 1.35 * (2 * z - 1.35);
        value += model.scale * (1 + h) / double(rows.y.size());
      }
      CHECK_AGREES(close(model.solution.value, value, 1e-12));  // another order of the sums
    }
  }
  // Close to what the rows without wild targets say, where squares are not.
  nn::HuberRegressor robust;
  nn::LinearRegression plain, without;
  robust.fit(rows.x, rows.y);
  plain.fit(rows.x, rows.y);
  without.fit(diabetes().x, diabetes().y);
  CHECK(std::abs(robust.intercept - without.intercept) < 20);
  CHECK(std::abs(plain.intercept - without.intercept) > 150);
}

TEST_CASE("the Poisson regression is at its minimum") {
  Stream stream(4);
  const std::int64_t n = 300;
  Rows rows{Numbers::uninitialized({n, 3}), Numbers::uninitialized({n})};
  for (double& e : std::span(rows.x.mutate(), std::size_t(3 * n))) e = stream.normal();
  for (std::int64_t i = 0; i < n; ++i) {
    const double rate = std::exp(2 + 0.5 * rows.x(i, 0) - rows.x(i, 1));
    rows.y.mutate()[i] = std::floor(rate * (0.5 + stream.uniform()));
  }
  const Numbers weights = some_weights(n);
  const auto slope = [](double f, double y) { return std::exp(f) - y; };
  for (const double l2 : {0.0, 0.1}) {
    for (const bool intercept : {true, false}) {
      for (const auto solver : {nn::Solver::newton, nn::Solver::lbfgs}) {
        nn::PoissonRegressor model({.l2 = l2, .intercept = intercept, .solver = solver});
        model.fit(rows.x, rows.y, {.weights = weights});
        CAPTURE(l2);
        CAPTURE(intercept);
        CHECK(model.warning == "");
        // Counts are about 12 on average, and the tolerance is in units of them.
        CHECK(violation(model, gradient(model, rows, weights, slope), 0, l2, intercept) < 1e-6);
      }
    }
  }
  nn::PoissonRegressor model({.l2 = 0.1});
  model.fit(rows.x, rows.y);
  const Numbers p = model.predict(rows.x);
  double value = 0;
  for (std::int64_t i = 0; i < n; ++i) value += (p[i] - rows.y[i] * std::log(p[i])) / double(n);
  for (const double w : model.coefficients) value += 0.05 * w * w;
  // 300 terms of about 10, most of which cancel.
  CHECK_AGREES(close(model.solution.value, value, 1e-11));
}

TEST_CASE("float arrays, columns of targets and whole numbers are taken") {
  nn::Ridge wide, narrow, whole;
  wide.fit(Numbers::of({{1, 2}, {3, 4}, {5, 7}}), Numbers::of({{1}, {2}, {4}}));
  narrow.fit(Array<float>::of({{1, 2}, {3, 4}, {5, 7}}), Array<float>::of({1, 2, 4}));
  whole.fit(Tensor<double>(Numbers::of({{1, 2}, {3, 4}, {5, 7}})),
            Array<std::int64_t>::of({1, 2, 4}));
  CHECK(equal(wide.coefficients, narrow.coefficients));
  CHECK(equal(wide.coefficients, whole.coefficients));
}

TEST_CASE("a fit that does not converge says so") {
  const Rows& rows = diabetes();
  nn::Lasso lasso({.l1 = 0.001, .iterations = 1});
  lasso.fit(rows.x, rows.y);
  CHECK_FALSE(lasso.solution.converged);
  CHECK(lasso.warning ==
        "the solver coordinate_descent did not come to the minimum, but ended with: as many "
        "iterations as were allowed; allow more iterations, scale the features, or add l2");
  nn::HuberRegressor huber({.iterations = 1});
  huber.fit(rows.x, rows.y);
  CHECK_FALSE(huber.solution.converged);
  CHECK(huber.warning != "");
}

TEST_CASE("a fit is saved, and given to an estimator that is not fitted") {
  const Rows& rows = diabetes();
  nn::HuberRegressor model({.epsilon = 1.5, .l2 = 0.1}), again;
  model.fit(rows.x, rows.y);
  const auto state = data::detail::state_of({{"model", model}});
  REQUIRE(data::detail::differences(state, {{"model", again}}).empty());
  CHECK_FALSE(again.is_fitted());
  data::detail::give_state(state, {{"model", again}});
  CHECK(equal(again.predict(rows.x), model.predict(rows.x)));
  CHECK(again.options.epsilon == 1.5);
  CHECK(again.scale == model.scale);
  CHECK(again.solution.reason == model.solution.reason);
  // One that is not fitted can be saved as well.
  nn::Ridge none;
  data::detail::give_state(data::detail::state_of({{"model", none}}), {{"model", none}});
  CHECK_FALSE(none.is_fitted());
}

TEST_CASE("what does not fit is an error that says what to do") {
  const auto x = Numbers::of({{1, 2}, {3, 4}, {5, 7}}), y = Numbers::of({1, 2, 4});
  nn::Ridge model;
  CHECK(message_of<ArgumentError>([&] { model.predict(x); }) ==
        "Ridge: it is not fitted yet; call fit(x, y) before");
  CHECK(message_of<ShapeError>([&] {
          model.fit(x, Numbers::of({1, 2}));
        }) == "Ridge: x has 3 rows, and y has 2; each row needs one target");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(message_of<ArgumentError>([&] {
          model.fit(Numbers::of({{1, 2}, {3, nan}}), Numbers::of({1, 2}));
        }) ==
        "Ridge: x has nan in row 1, column 1; impute it (data::Impute), or leave out such rows");
  CHECK(message_of<ArgumentError>([&] {
          model.fit(x, Numbers::of({1, nan, 2}));
        }) == "Ridge: y has nan in row 1; leave out such rows");
  CHECK(message_of<ShapeError>([&] { model.fit(y, y); }) ==
        "Features: x must be (rows, columns) with at least one of each, not (3,); reshape(x, {-1, "
        "1}) has one column");
  CHECK(message_of<ShapeError>([&] { model.fit(x, x); }) ==
        "Targets: y must be (n,) or (n, 1), not (3, 2)");
  CHECK(message_of<ShapeError>([&] {
          model.fit(x, y, {.weights = Numbers::of({1, 2})});
        }) == "Ridge: weights must be (3,), one for each row, not (2,)");
  CHECK(message_of<ArgumentError>([&] {
          model.fit(x, y, {.weights = Numbers::of({1, -2, 1})});
        }) == "Ridge: weights must be at least 0 and finite; that of row 1 is -2");
  CHECK(message_of<ArgumentError>([&] {
          model.fit(x, y, {.weights = Numbers::of({0, 0, 0})});
        }) == "Ridge: the weights add up to 0; some must be above 0");
  CHECK_FALSE(model.is_fitted());
  model.fit(x, y);
  CHECK(message_of<ShapeError>([&] {
          model.predict(Numbers::of({{1, 2, 3}}));
        }) == "Ridge: x has 3 columns, (1, 3); that of the fit had 2, so give the same features");
  CHECK(message_of<ArgumentError>([&] {
          model.predict(Numbers::of({{1, nan}}));
        }).find("row 0, column 1") != std::string::npos);
  CHECK(message_of<ArgumentError>([&] { model.metric("auc", x, y); }).find("there is no metric") !=
        std::string::npos);
  CHECK(model.metric("r2", x, y) == model.score(x, y));
  model.options.l2 = -1;
  CHECK(message_of<ArgumentError>([&] { model.fit(x, y); }) ==
        "Ridge: l2 must be at least 0, not -1");
  CHECK(message_of<ArgumentError>([&] { nn::Ridge({.solver = nn::Solver::newton}).fit(x, y); }) ==
        "Ridge: the solver newton is not for squares; take automatic, qr, svd, normal_equations or "
        "coordinate_descent");
  CHECK(message_of<ArgumentError>(
            [&] { nn::HuberRegressor({.solver = nn::Solver::qr}).fit(x, y); }) ==
        "HuberRegressor: the solver qr is not for its loss without l1; take automatic, newton or "
        "lbfgs");
  CHECK(message_of<ArgumentError>([&] { nn::HuberRegressor({.epsilon = 1}).fit(x, y); }) ==
        "HuberRegressor: epsilon must be above 1, not 1");
  CHECK(message_of<ArgumentError>([&] { nn::Lasso({.iterations = 0}).fit(x, y); }) ==
        "Lasso: iterations must be at least 1, not 0");
  const auto tiny = Numbers::of({{1e-200}, {2e-200}, {4e-200}});
  const auto huge = Numbers::of({1e200, 3e200, 4e200});
  CHECK(message_of<ArgumentError>([&] { nn::LinearRegression().fit(tiny, huge); }) ==
        "LinearRegression: x or y has numbers that are too large, or too small, for double; scale "
        "them (data::Standardize)");
  CHECK(message_of<ArgumentError>([&] {
          nn::HuberRegressor().fit(x, huge);
        }).find("HuberRegressor: x or y has numbers that are too large") == 0);
  nn::PoissonRegressor poisson;
  CHECK(message_of<ArgumentError>([&] {
          poisson.fit(x, Numbers::of({1, -2, 1}));
        }) == "PoissonRegressor: y has -2 in row 1; counts are at least 0");
  CHECK(message_of<ArgumentError>([&] {
          poisson.fit(x, Numbers::of({0, 0, 0}));
        }) == "PoissonRegressor: all counts are 0, so that no finite intercept is the best");
}

}  // TEST_SUITE("linear regressors")
