// SPDX-License-Identifier: BSD-3-Clause
// Estimators of sparse rows give what they give of the dense matrix.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/memory.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/models/cross_validation.hpp"
#include "ebb/nn/models/linear/classifiers.hpp"
#include "ebb/nn/models/linear/regressors.hpp"
#include "ebb/nn/models/linear/sparse_design.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close;
using ebb::test::message_of;
using Numbers = Array<double>;
using Positions = Array<std::int64_t>;

namespace {

/// Rows with elements of both signs in about one place of four, a constant column and one of zeros;
/// a target, a count and a class that depend on them, and weights of which some are 0.
struct Data {
  Numbers dense, y, counts, weights;
  Positions two, three;
  SparseRows<double> x;

  Data(std::int64_t n, std::int64_t d)
      : dense(Numbers::zeros({n, d})),
        y(Numbers::zeros({n})),
        counts(Numbers::zeros({n})),
        weights(Numbers::zeros({n})),
        two(Positions::zeros({n})),
        three(Positions::zeros({n})) {
    Stream stream(3);
    const auto number = [&] { return double(stream.below(2000)) / 1000 - 1; };
    for (std::int64_t i = 0; i < n; ++i) {
      double* const row = dense.mutate() + i * d;
      for (std::int64_t j = 0; j + 2 < d; ++j)
        if (stream.below(4) == 0) row[j] = number() * double(j % 5 + 1);
      row[d - 2] = 3;
      const double linear = row[0] - 0.5 * row[1] + 0.2 * row[4] + number();
      y.mutate()[i] = linear + 5;
      counts.mutate()[i] = std::floor(std::exp(0.5 * linear) + 1);
      two.mutate()[i] = linear > 0.2 ? 1 : 0;
      three.mutate()[i] = linear > 0.5 ? 2 : linear > -0.5 ? 1 : 0;
      weights.mutate()[i] = double(stream.below(4));
    }
    x = SparseRows<double>::from_dense(dense);
  }
};

const Data& small() {
  static const Data data(300, 12);
  return data;
}

/// The fits of both agree, with and without an intercept, with and without weights of rows.
template <class Model, class Options, class Target>
void check(Options options, const Target& y, double relative, const Data& data = small()) {
  for (const bool intercept : {true, false}) {
    for (const bool weighted : {false, true}) {
      CAPTURE(intercept);
      CAPTURE(weighted);
      options.intercept = intercept;
      const nn::RowOptions rows{.weights = weighted ? data.weights : Numbers()};
      Model dense(options), sparse(options);
      dense.fit(data.dense, y, rows);
      sparse.fit(data.x, y, rows);
      CAPTURE(sparse.name());
      CAPTURE(sparse.warning);
      CHECK(sparse.solution.converged);
      CHECK_AGREES(close(sparse.coefficients, dense.coefficients, relative, relative));
      CHECK_AGREES(close(sparse.solution.value, dense.solution.value, 1e-9, 1e-12));
      if constexpr (requires { sparse.intercept[0]; }) {
        CHECK_AGREES(close(sparse.intercept, dense.intercept, relative, relative));
      } else {
        CHECK_AGREES(close(sparse.intercept, dense.intercept, relative, relative));
      }
      CHECK_AGREES(close(sparse.score(data.x, y, rows), dense.score(data.dense, y, rows), 1e-6));
      // A prediction has the same bits, however its row is given.
      const auto a = sparse.predict(data.x), b = sparse.predict(data.dense);
      CHECK(equal(a, b));
    }
  }
}

}  // namespace

TEST_SUITE_BEGIN("sparse estimators");

TEST_CASE("a design is the dense matrix without its means") {
  // Weights, and columns far from 0: with all elements, with half of them, with one.
  const auto dense = Numbers::of({{5, 5, 0, 0}, {6, 0, 0, 2}, {7, 5, 0, 0}, {8, 0, -3, 2}});
  const auto weights = Numbers::of({0.1, 0.2, 0.3, 0.4});
  for (const bool intercept : {true, false}) {
    CAPTURE(intercept);
    const nn::detail::SparseDesign design(SparseRows<double>::from_dense(dense), weights,
                                          intercept);
    const Numbers means = intercept ? matmul(weights, dense).array() : Numbers::zeros({4});
    const Numbers z = (dense - means).array();
    CHECK_AGREES(close(design.means, means, 1e-15));
    const auto column = reshape(weights, {4, 1});
    CHECK_AGREES(close(design.deviations, sqrt(sum(column * square(z), 0)).array(), 1e-14));
    const auto w = Numbers::of({{1, -2, 3, 4}, {0.5, 1, 0, -1}});
    CHECK_AGREES(
        close(design.times(w).array(), matmul(z, w, {.transpose_b = true}).array(), 1e-14, 1e-14));
    const auto g = Numbers::of({1, -1, 0.5, 2});
    CHECK_AGREES(close(design.transposed_times(g), matmul(g, z).array(), 1e-13, 1e-13));
    const auto with_ones = concat({Tensor<double>(z), Tensor<double>(Numbers::ones({4, 1}))}, 1);
    CHECK_AGREES(
        close(design.gram(g),
              matmul(with_ones, with_ones * reshape(g, {4, 1}), {.transpose_a = true}).array(),
              1e-12, 1e-12));
  }
}

TEST_CASE("least squares in closed form") {
  check<nn::Ridge>(nn::RidgeOptions{.l2 = 0.1}, small().y, 1e-10);
  check<nn::Ridge>(nn::RidgeOptions{.l2 = 1e-6, .solver = nn::Solver::normal_equations}, small().y,
                   1e-9);
  // Without the column of zeros nothing depends on others.
  const auto columns = [](const Data& data) {
    Data part = data;
    const std::int64_t n = data.dense.shape()[0], d = data.dense.shape()[1] - 2;
    part.dense = Numbers::uninitialized({n, d});
    for (std::int64_t i = 0; i < n * d; ++i) part.dense.mutate()[i] = data.dense(i / d, i % d);
    part.x = SparseRows<double>::from_dense(part.dense);
    return part;
  };
  const Data full = columns(small());
  check<nn::LinearRegression>(nn::LinearRegressionOptions{}, full.y, 1e-9, full);
  nn::LinearRegression model;
  model.fit(full.x, full.y);
  CHECK(model.warning == "");
  CHECK(model.solution.solver == "normal_equations");
}

TEST_CASE("features that depend on others give the shortest coefficients, and a warning") {
  Data data(80, 10);
  double* const to = data.dense.mutate();
  for (std::int64_t i = 0; i < 80; ++i) to[i * 10 + 3] = to[i * 10 + 1] - 2 * to[i * 10 + 2];
  data.x = SparseRows<double>::from_dense(data.dense);
  nn::LinearRegression dense, sparse, by_gradients({.solver = nn::Solver::conjugate_gradients});
  dense.fit(data.dense, data.y);
  sparse.fit(data.x, data.y);
  by_gradients.fit(data.x, data.y);
  CHECK_AGREES(close(sparse.coefficients, dense.coefficients, 1e-7, 1e-9));
  CHECK_AGREES(close(by_gradients.coefficients, dense.coefficients, 1e-7, 1e-9));
  CHECK(sparse.warning.starts_with("some features depend on others"));
}

TEST_CASE("the products of nearly equal columns lose no digits of the coefficients") {
  Data data(80, 10);
  double* const to = data.dense.mutate();
  for (std::int64_t i = 0; i < 80; ++i) {
    to[i * 10 + 3] = to[i * 10 + 1] + 1e-5 * to[i * 10 + 4] * to[i * 10 + 4];
    to[i * 10 + 8] = to[i * 10 + 2] * to[i * 10 + 2];
    to[i * 10 + 9] = to[i * 10] * to[i * 10];
  }
  data.x = SparseRows<double>::from_dense(data.dense);
  nn::Ridge dense({.l2 = 1e-13}), sparse({.l2 = 1e-13});
  dense.fit(data.dense, data.y);
  sparse.fit(data.x, data.y);
  CHECK(std::abs(dense.coefficients[1]) > 1000);
  CHECK_AGREES(close(sparse.coefficients, dense.coefficients, 1e-8, 1e-8));
}

TEST_CASE("least squares by conjugate gradients") {
  for (const double l2 : {1e-3, 1.0}) {
    check<nn::Ridge>(nn::RidgeOptions{.l2 = l2, .solver = nn::Solver::automatic}, small().y, 1e-9);
    nn::Ridge a({.l2 = l2, .solver = nn::Solver::conjugate_gradients}), b({.l2 = l2});
    a.fit(small().x, small().y, {.weights = small().weights});
    b.fit(small().dense, small().y, {.weights = small().weights});
    CHECK(a.solution.solver == "conjugate_gradients");
    CHECK(a.solution.converged);
    CHECK_AGREES(close(a.coefficients, b.coefficients, 1e-9, 1e-11));
  }
  // More columns than rows, and than a matrix of them would be made for.
  const Data wide(60, 700);
  nn::Ridge sparse({.l2 = 0.01}), dense({.l2 = 0.01});
  sparse.fit(wide.x, wide.y);
  dense.fit(wide.dense, wide.y);
  CHECK(sparse.solution.solver == "conjugate_gradients");
  CHECK_AGREES(close(sparse.coefficients, dense.coefficients, 1e-8, 1e-10));
}

TEST_CASE("squares with l1") {
  check<nn::Lasso>(nn::LassoOptions{.l1 = 0.05}, small().y, 1e-8);
  check<nn::Lasso>(nn::LassoOptions{.l1 = 0.5}, small().y, 1e-8);
  check<nn::ElasticNet>(nn::ElasticNetOptions{.l1 = 0.05, .l2 = 0.1}, small().y, 1e-8);
  nn::Lasso none({.l1 = 100});
  none.fit(small().x, small().y);
  CHECK(equal(none.coefficients, Numbers::zeros({12})));
  const Data wide(60, 700);
  nn::Lasso sparse({.l1 = 0.1}), dense({.l1 = 0.1});
  sparse.fit(wide.x, wide.y);
  dense.fit(wide.dense, wide.y);
  CHECK(sparse.solution.converged);
  CHECK_AGREES(close(sparse.coefficients, dense.coefficients, 1e-7, 1e-9));
}

TEST_CASE("classifiers") {
  check<nn::LogisticRegression>(nn::LogisticRegressionOptions{.l2 = 0.01}, small().two, 1e-6);
  check<nn::LogisticRegression>(nn::LogisticRegressionOptions{.l2 = 0.01}, small().three, 1e-6);
  check<nn::LogisticRegression>(
      nn::LogisticRegressionOptions{.l2 = 0.01, .solver = nn::Solver::lbfgs}, small().three, 1e-5);
  check<nn::LogisticRegression>(nn::LogisticRegressionOptions{.l1 = 0.01, .l2 = 0}, small().two,
                                1e-6);
  check<nn::LogisticRegression>(
      nn::LogisticRegressionOptions{
          .l1 = 0.02, .l2 = 0.01, .solver = nn::Solver::proximal_gradient},
      small().three, 1e-5);
  check<nn::LogisticRegression>(nn::LogisticRegressionOptions{.l2 = 0}, small().two, 1e-6);
  check<nn::LogisticRegression>(nn::LogisticRegressionOptions{.l2 = 0}, small().three, 1e-5);
  check<nn::LinearSVM>(nn::LinearSVMOptions{.l2 = 0.01}, small().two, 1e-5);
  nn::LogisticRegression sparse, dense;
  sparse.fit(small().x, small().two);
  dense.fit(small().dense, small().two);
  CHECK_AGREES(close(sparse.predict_proba(small().x), dense.predict_proba(small().dense), 1e-5));
  CHECK_AGREES(close(sparse.metric("log_loss", small().x, small().two),
                     dense.metric("log_loss", small().dense, small().two), 1e-6));
}

TEST_CASE("classifiers without a penalty say that features depend on others") {
  Data data(80, 10);
  double* const to = data.dense.mutate();
  for (std::int64_t i = 0; i < 80; ++i) to[i * 10 + 3] = to[i * 10 + 1] - 2 * to[i * 10 + 2];
  data.x = SparseRows<double>::from_dense(data.dense);
  for (std::int64_t i = 0; i < 80; i += 3) data.two.mutate()[i] = i % 2;
  nn::LogisticRegression dense({.l2 = 0}), sparse({.l2 = 0});
  dense.fit(data.dense, data.two);
  sparse.fit(data.x, data.two);
  CHECK(sparse.warning.starts_with("some features depend on others"));
  CHECK(sparse.warning == dense.warning);
  CHECK_AGREES(close(sparse.coefficients, dense.coefficients, 1e-6, 1e-6));
}

TEST_CASE("Newton's method is chosen by the non-zeros of a row, not by its columns") {
  Data data(6000, 140);
  for (std::int64_t i = 0; i < data.dense.size(); ++i)
    if (i % 7 != 0) data.dense.mutate()[i] = 0;
  data.x = SparseRows<double>::from_dense(data.dense);
  nn::LogisticRegression sparse({.l2 = 0.01}), dense({.l2 = 0.01});
  sparse.fit(data.x, data.two);
  dense.fit(data.dense, data.two);
  CHECK(sparse.solution.solver == "newton");
  CHECK(dense.solution.solver == "lbfgs");
  CHECK_AGREES(close(sparse.coefficients, dense.coefficients, 1e-5, 1e-6));
}

TEST_CASE("other regressions") {
  check<nn::HuberRegressor>(nn::HuberRegressorOptions{.l2 = 0.01}, small().y, 1e-5);
  check<nn::PoissonRegressor>(nn::PoissonRegressorOptions{.l2 = 0.1}, small().counts, 1e-5);
}

TEST_CASE("rows of float, and cross-validation, take sparse rows") {
  nn::Ridge model({.l2 = 0.1}), exact({.l2 = 0.1});
  model.fit(small().x.as<float>(), small().y);
  exact.fit(small().dense, small().y);
  CHECK_AGREES(close(model.coefficients, exact.coefficients, 1e-5, 1e-6));
  const nn::CrossValidationOptions folds{.folds = 3};
  const auto sparse = nn::cross_validate(nn::Ridge(), small().x, small().y, folds);
  const auto dense = nn::cross_validate(nn::Ridge(), small().dense, small().y, folds);
  CHECK_AGREES(close(sparse.scores, dense.scores, 1e-9));
  const nn::Features x(small().x);
  const std::vector<std::int64_t> some{5, 2};
  CHECK(x.rows(some).are_sparse());
  CHECK(equal(x.rows(some).sparse().to_dense(), nn::Features(small().dense).rows(some).values()));
}

TEST_CASE("many columns take the memory of their non-zeros") {
  // A dense matrix would have 16 million numbers, 128 MB.
  constexpr std::int64_t n = 400, d = 40'000;
  Stream stream(4);
  std::vector<std::int64_t> offsets{0}, indices;
  std::vector<double> values;
  auto y = Positions::zeros({n});
  auto targets = Numbers::zeros({n});
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t j = std::int64_t(stream.below(3000));
    y.mutate()[i] = j < 1500 ? 1 : 0;
    for (int k = 0; k < 12; ++k, j += 1 + std::int64_t(stream.below(3000))) {
      indices.push_back(j);
      values.push_back(1 + double(stream.below(100)) / 100);
    }
    offsets.push_back(std::int64_t(indices.size()));
    targets.mutate()[i] = double(y[i]) + double(stream.below(100)) / 100;
  }
  const auto array = [](const auto& list) {
    return Array<typename std::remove_cvref_t<decltype(list)>::value_type>(
        {std::int64_t(list.size())}, std::span(list));
  };
  const SparseRows<double> x(d, array(offsets), array(indices), array(values));
  const std::int64_t before = memory_statistics().system_bytes;
  nn::LogisticRegression logistic({.l2 = 0.01});
  logistic.fit(x, y);
  CHECK(logistic.solution.converged);
  CHECK(logistic.score(x, y) > 0.9);
  nn::LogisticRegression with_l1({.l1 = 0.001, .l2 = 0});
  with_l1.fit(x, y);
  CHECK(with_l1.score(x, y) > 0.7);
  nn::Ridge ridge({.l2 = 0.01});
  ridge.fit(x, targets);
  CHECK(ridge.solution.converged);
  nn::Lasso lasso({.l1 = 0.01});
  lasso.fit(x, targets);
  CHECK(lasso.solution.converged);
  nn::LinearSVM svm({.l2 = 0.01});
  svm.fit(x, y);
  CHECK(svm.solution.converged);
  CHECK(memory_statistics().system_bytes - before < (64 << 20));
}

TEST_CASE("what does not fit is refused") {
  nn::Ridge model;
  const auto& data = small();
  const auto refusal = [](const auto& f) { return message_of<ArgumentError>(f); };
  auto bad = data.dense;
  bad.mutate()[2 * 12 + 4] = NAN;
  CHECK(refusal([&] { model.fit(SparseRows<double>::from_dense(bad), data.y); }) ==
        "Ridge: x has nan in row 2, column 4; impute it (data::Impute), or leave out such rows");
  CHECK(message_of<ShapeError>([&] { model.fit(data.x.slice(0, 3), data.y); }) ==
        "Ridge: x has 3 rows, and y has 300; each row needs one target");
  CHECK(message_of<ShapeError>([&] { model.fit(SparseRows<double>(), data.y); }) ==
        "Features: x must be (rows, columns) with at least one of each, not (0, 0)");
  model.fit(data.x, data.y);
  const auto narrow = SparseRows<double>::from_dense(Numbers::ones({2, 3}));
  CHECK(message_of<ShapeError>([&] { static_cast<void>(model.predict(narrow)); }) ==
        "Ridge: x has 3 columns, (2, 3); that of the fit had 12, so give the same features");
  model.options.solver = nn::Solver::qr;
  CHECK(refusal([&] { model.fit(data.x, data.y); }) ==
        "Ridge: the solver qr is not for sparse rows; take automatic, normal_equations, "
        "conjugate_gradients or coordinate_descent");
  model.options.solver = nn::Solver::conjugate_gradients;
  CHECK(refusal([&] {
          model.fit(data.dense, data.y);
        }).starts_with("Ridge: the solver conjugate_gradients is not for squares"));
  CHECK(refusal([&] { static_cast<void>(nn::Features(data.x).values()); }) ==
        "Features: these rows are sparse, which only linear estimators take; x.to_dense() has all "
        "elements");
}

TEST_SUITE_END();
