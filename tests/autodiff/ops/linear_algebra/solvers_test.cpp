// SPDX-License-Identifier: BSD-3-Clause
// Equations, inverses and Cholesky's factor: values against residuals, and singular matrices.
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"
#include "ebb/autodiff/ops.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

const double nan_value = std::numeric_limits<double>::quiet_NaN();

/// Hilbert's matrix.
template <class T>
Array<T> hilbert(std::int64_t n) {
  auto a = Array<T>::uninitialized({n, n});
  for (std::int64_t i = 0; i < n * n; ++i) a.mutate()[i] = T(1) / T(i / n + i % n + 1);
  return a;
}

}  // namespace

TEST_SUITE("solvers") {

TEST_CASE("solutions and inverses have no residual") {
  const auto a = op::regular(30), b = op::spread({30, 4});
  CHECK_AGREES(close(matmul(a, solve(a, b)).array(), b, 1e-13, 1e-13));
  const auto v = op::spread({30});
  CHECK(solve(a, v).shape() == Shape{30});
  CHECK_AGREES(close(matmul(a, solve(a, v)).array(), v, 1e-13, 1e-13));
  const auto one = detail::identity<double>(30);
  CHECK_AGREES(close(matmul(a, inverse(a)).array(), one, 1e-13, 1e-13));
  CHECK_AGREES(close(matmul(inverse(a), a).array(), one, 1e-13, 1e-13));
  const auto upper = triu(a).array();
  CHECK_AGREES(
      close(matmul(upper, triangular_solve(a, v, {.upper = true})).array(), v, 1e-13, 1e-13));
  CHECK(std::isnan(
      solve(Array<double>::of({{1, nan_value}, {0, 1}}), Array<double>::of({1, 1})).array()[0]));
}

TEST_CASE("Cholesky's factor is of the symmetric part, and lower") {
  const auto a = op::regular(20);
  const auto l = cholesky(a);
  CHECK_AGREES(close(matmul(l, l, {.transpose_b = true}).array(),
                     ((Tensor<double>(a) + transpose(a)) * 0.5).array(), 1e-13, 1e-13));
  CHECK_AGREES(same_bits(tril(l).array(), l.array()));
  // Of a symmetric matrix the gradient is symmetric.
  const auto g = gradient([](const auto& x) { return sum(square(cholesky(x)) * op::regular(20)); },
                          (Tensor<double>(a) + transpose(a)).array())
                     .array();
  CHECK_AGREES(same_bits(g, transpose(g).array()));
}

TEST_CASE(
    "a Cholesky factor solves the equations of its matrix, and what is above it is not read") {
  auto a = op::regular(20);
  a = ((Tensor<double>(a) + transpose(a)) * 0.5).array();
  const auto b = op::spread({20, 3});
  auto l = cholesky(a).array();
  CHECK_AGREES(close(cholesky_solve(l, b), solve(a, b), 1e-13, 1e-14));
  CHECK_AGREES(close(matmul(a, cholesky_solve(l, op::spread({20}))).array(), op::spread({20}),
                     1e-13, 1e-13));
  for (int j = 1; j < 20; ++j) l.mutate()[j] = nan_value;
  const auto f = [&](const auto& x) { return sum(cholesky_solve(x, b)); };
  CHECK_AGREES(close(f(Tensor<double>(l)), sum(solve(a, b)), 1e-13));
  const auto g = gradient(f, l).array();
  CHECK(equal(g, tril(g).array()));
  CHECK(std::isnan(
      cholesky_solve(Array<double>({1, 1}, {nan_value}), Array<double>::of({1})).array()[0]));
}

TEST_CASE("the likelihood of a Gaussian process by its factor has the gradient of the textbook") {
  const auto t = Array<double>::of({0, 0.4, 1.1, 1.9, 2.5}),
             y = Array<double>::of({1, 0.6, -0.4, -1, -0.8});
  const auto kernel = [&](const auto& log_length) {
    const auto d = reshape(t, {5, 1}) - t;
    return exp(square(d) * exp(log_length * -2.0) * -0.5) + detail::identity<double>(5) * 0.1;
  };
  const auto loss = [&](const auto& log_length) {
    const auto l = cholesky(kernel(log_length));
    return dot(y, cholesky_solve(l, y)) * 0.5 + sum(log(diag(l)));
  };
  const Array<double> at(-0.3);
  // (tr(K^-1 K') - y^T K^-1 K' K^-1 y) / 2 (Rasmussen and Williams 2006, 5.9).
  const auto k = kernel(Tensor<double>(at)), slope = jvp(kernel, at, Array<double>(1.0));
  const auto weights = solve(k, y);
  const auto expected = (trace(solve(k, slope)) - dot(weights, matmul(slope, weights))) * 0.5;
  CHECK_AGREES(close(Tensor<double>(gradient(loss, at)), expected, 1e-12));
}

TEST_CASE("a matrix that is singular to working precision is refused") {
  const auto refused = [](const auto& a) {
    const auto b = (sum(a, 1) * 0.5).array();
    const std::string solved = message_of<ArgumentError>([&] { solve(a, b); });
    const std::string inverted = message_of<ArgumentError>([&] { inverse(a); });
    const std::string logarithm = message_of<ArgumentError>(
        [&] { gradient([](const auto& x) { return slogdet(x).logabsdet; }, a); });
    const std::string text =
        "the matrix is singular to working precision: its reciprocal "
        "condition is about ";
    const bool all = solved.starts_with("solve: " + text) &&
                     inverted.starts_with("inverse: " + text) &&
                     logarithm.starts_with("slogdet: " + text);
    const std::string nothing = "nothing was thrown";
    const bool none = solved == nothing && inverted == nothing && logarithm == nothing;
    CHECK((all || none));
    return all;
  };
  CHECK(refused(Array<double>::of({{-2, 1, 9}, {3, -1, -8}, {1, 0, 1}})));
  CHECK(refused(Array<float>::of({{-2, 1, 9}, {3, -1, -8}, {1, 0, 1}})));
  CHECK(refused(hilbert<double>(13)));
  CHECK(refused(hilbert<double>(40)));
  CHECK_FALSE(refused(hilbert<double>(8)));
  CHECK_FALSE(refused(hilbert<double>(10)));
  CHECK(refused(hilbert<float>(8)));
  CHECK_FALSE(refused(hilbert<float>(4)));
  // More than the bound takes, on both sides.
  for (const double distance : {1e-12, 1e-17}) {
    auto a = op::regular(50);
    for (int j = 0; j < 50; ++j) a.mutate()[7 * 50 + j] = a[3 * 50 + j] + (j == 0 ? distance : 0);
    CHECK(refused(a) == (distance < 1e-16));
  }
  CHECK_THROWS_WITH_AS(
      solve(Array<double>::of({{1, 1}, {1, 1 + 0x1p-52}}), Array<double>::of({1, 2})),
      "solve: the matrix is singular to working precision: its reciprocal "
      "condition is about 6e-17; a is (2, 2)",
      ArgumentError);
}

TEST_CASE("a matrix whose rows and columns differ in scale is not singular") {
  const auto x = solve(Array<double>::of({{1e-300, 0}, {0, 1e300}}), Array<double>::of({2, 3}));
  CHECK_AGREES(close(x.array(), Array<double>::of({2e300, 3e-300}), 1e-15));
  const auto y = inverse(Array<float>::of({{0, 1e-30f}, {1e30f, 0}}));
  CHECK_AGREES(close(y.array(), Array<float>::of({{0, 1e-30f}, {1e30f, 0}}), 1e-6));
  // Without scales the pivot 1 would hide the second row.
  const auto a = Array<double>::of({{1, 1e20}, {1, 1}}), b = Array<double>::of({1e20, 2});
  CHECK_AGREES(close(solve(a, b).array(), Array<double>::of({1, 1}), 1e-15));
  const auto huge = Array<double>::of({{1e308, 1e308}, {1e308, -1e308}});
  CHECK_THROWS_WITH_AS(inverse(huge),
                       "inverse: the matrix has LU factors that overflow: divide it by a large "
                       "number; a is (2, 2)",
                       ArgumentError);
  // Powers of two change no bits.
  const auto plain = op::regular(6), right = op::spread({6, 2});
  const auto rows = Array<double>::of({0x1p200, 1, 0x1p-90, 0x1p-200, 0x1p40, 1}).reshape({6, 1});
  const auto columns = Array<double>::of({0x1p60, 0x1p-200, 1, 0x1p220, 0x1p-100, 1});
  const auto scaled = (plain * rows * columns).array();
  const auto expected = solve(plain, right);
  CHECK_AGREES(close((solve(scaled, right * rows) * columns.reshape({6, 1})).array(),
                     expected.array(), 1e-13));
  CHECK_AGREES(close((columns.reshape({6, 1}) * inverse(scaled) * rows.reshape({6})).array(),
                     inverse(plain).array(), 1e-13));
  const auto f = [&](const auto& m) {
    return sum(solve(m, right * rows) * columns.reshape({6, 1}));
  };
  const auto g = [&](const auto& m) { return sum(solve(m, right)); };
  CHECK_AGREES(close((gradient(f, scaled) * rows * columns).array(), gradient(g, plain).array(),
                     1e-12, 1e-13));
  const auto l = gradient([](const auto& m) { return slogdet(m).logabsdet; }, scaled);
  CHECK_AGREES(close((l * rows * columns).array(), transpose(inverse(plain)).array(), 1e-12));
}

TEST_CASE("NaN and infinity are not called singular") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const double x : {nan_value, inf}) {
    const auto y = solve(Array<double>::of({{x, 1}, {2, 3}}), Array<double>::of({1, 1})).array();
    CHECK((std::isnan(y[0]) || y[0] == 0));
    CHECK(inverse(Array<double>::of({{1, x}, {2, 3}})).shape() == Shape{2, 2});
  }
}

}  // TEST_SUITE("solvers")
