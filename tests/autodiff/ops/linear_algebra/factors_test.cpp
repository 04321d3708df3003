// SPDX-License-Identifier: BSD-3-Clause
// Eigenvectors, QR and singular values: what they put together, conventions, and where vectors have
// no gradient.
#include "ebb/autodiff/ops/linear_algebra/factors.hpp"
#include "ebb/autodiff/ops.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

const double nan_value = std::numeric_limits<double>::quiet_NaN();

Array<double> diagonal(std::initializer_list<double> values) {
  return diag(Array<double>::of(values)).array();
}

}  // namespace

TEST_SUITE("factors") {

TEST_CASE("the product of the factors is the matrix") {
  const auto a = op::spread({12, 12});
  const auto [w, v] = eigh(a);
  const auto symmetric = (Tensor<double>(a) + transpose(a)) * 0.5;
  CHECK_AGREES(close(matmul(v * w, v, {.transpose_b = true}), symmetric, 1e-13, 1e-13));
  for (const Shape& shape : {Shape{9, 4}, Shape{4, 9}, Shape{5, 5}}) {
    CAPTURE(shape);
    const auto x = op::spread(shape);
    const auto [q, r] = qr(x);
    CHECK_AGREES(close(matmul(q, r).array(), x, 1e-13, 1e-13));
    CHECK(equal(triu(r).array(), r.array()));
    const auto [u, s, vh] = svd(x);
    CHECK_AGREES(close(matmul(u * s, vh).array(), x, 1e-13, 1e-13));
    CHECK(u.shape() == Shape{shape[0], std::min(shape[0], shape[1])});
    CHECK(vh.shape() == Shape{std::min(shape[0], shape[1]), shape[1]});
  }
}

TEST_CASE("known factors are found") {
  const auto w = eigh(Array<double>::of({{2, 1}, {1, 2}})).values.array();
  CHECK_AGREES(close(w, Array<double>::of({1, 3}), 1e-14));
  const auto s = svd(Array<double>::of({{3, 0}, {4, 5}})).s.array();
  CHECK_AGREES(close(s, Array<double>::of({std::sqrt(45.0), std::sqrt(5.0)}), 1e-14));
  const auto r = qr(Array<double>::of({{0, -2}, {-3, 1}})).r.array();
  CHECK_AGREES(close(r, Array<double>::of({{3, -1}, {0, 2}}), 1e-14));
}

TEST_CASE("least squares leave a residual that no column sees") {
  const auto a = op::spread({20, 3}), b = op::spread({20, 2}, 4);
  const auto x = lstsq(a, b);
  const auto residual = matmul(a, x) - b;
  CHECK_AGREES(close(matmul(a, residual, {.transpose_a = true}).array(),
                     Array<double>::zeros({3, 2}), 0, 1e-12));
  CHECK(lstsq(a, op::spread({20})).shape() == Shape{3});
}

/// A column of ones, and three dummies that add up to it.
template <class T>
Array<T> dummies() {
  auto a = Array<T>::zeros({300, 4});
  for (std::int64_t i = 0; i < 300; ++i) {
    a.mutate()[4 * i] = 1;
    a.mutate()[4 * i + 1 + i % 3] = 1;
  }
  return a;
}

template <class T>
void check_dummies() {
  const auto a = dummies<T>();
  const auto b = cast<T>(op::spread({300})).array();
  const std::string text =
      ": the matrix has no full rank: column 3 depends on those before it; its factor r is (4, 4)";
  CHECK(message_of<ArgumentError>([&] { lstsq(a, b); }) == "lstsq" + text);
  CHECK(message_of<ArgumentError>(
            [&] { gradient([](const auto& x) { return sum(qr(x).r); }, a); }) == "qr" + text);
  const auto tiny = (a * Array<T>::of({T(1e-12), 1, T(1e12), T(1e-3)})).array();
  CHECK(message_of<ArgumentError>([&] { lstsq(tiny, b); }) == "lstsq" + text);
}

TEST_CASE("a column that depends on others is found in a long matrix, at any scale") {
  check_dummies<double>();
  check_dummies<float>();
}

TEST_CASE("least squares take columns of any scale") {
  const auto a = Array<double>::of({{1, 1.70e18}, {1, 1.71e18}, {1, 1.72e18}, {1, 1.73e18}});
  const auto b = Array<double>::of({1, 2, 3, 5});
  CHECK_AGREES(close(lstsq(a, b).array(), Array<double>::of({-220.2, 1.3e-16}), 1e-12));
  const auto check = [](auto number, double tolerance, std::initializer_list<double> sizes) {
    using T = decltype(number);
    const auto plain = cast<T>(slice(op::regular(6), 1, {0, 4})).array();
    const auto right = cast<T>(op::spread({6})).array();
    const auto scales = cast<T>(Array<double>::of(sizes)).array();
    const auto scaled = (plain * scales).array();
    CHECK_AGREES(close((lstsq(scaled, right) * scales).array(), lstsq(plain, right).array(),
                       tolerance, tolerance));
    const auto f = [&](const auto& x) { return sum(square(lstsq(x, right) * scales)); };
    const auto g = [&](const auto& x) { return sum(square(lstsq(x, right))); };
    CHECK_AGREES(close((gradient(f, scaled) * scales).array(), gradient(g, plain).array(),
                       tolerance, tolerance));
  };
  check(1.0, 1e-13, {1e100, 1, 1e-100, 1e12});
  check(1.0f, 1e-5, {1e18, 1, 1e-18, 1e3});
  check(1.0, 1e-13, {1e9, 1, 1e-9, 3});
  check(1.0f, 1e-5, {1e5, 1, 1e-5, 3});
  const auto apart = Array<double>::of({{1e-9, 1e9}, {2e-9, -1e9}, {1e-9, 3e9}});
  CHECK(gradient([](const auto& m) { return sum(qr(m).r); }, apart).shape() == Shape{3, 2});
  // Squares of these overflow, or vanish.
  const auto huge = Array<double>::of({{1.5e308, 1e-300}, {-1.5e308, 1e-300}, {1.5e308, 0}});
  const auto x = lstsq(huge, Array<double>::of({1.5, 0.5, 1})).array();
  CHECK_AGREES(close(x, Array<double>::of({2 / 4.5 * 1e-308, 1e300}), 1e-12));
}

TEST_CASE("the least norm chooses among many solutions") {
  const auto check = [](auto number, double tolerance) {
    using T = decltype(number);
    const auto a = cast<T>(slice(op::regular(6), 0, {0, 4})).array();
    const auto b = cast<T>(op::spread({4, 2})).array();
    const auto x = lstsq(a, b, {.least_norm = true});
    CHECK_AGREES(close(matmul(a, x).array(), b, tolerance, tolerance));
    // It is a combination of rows, as any part beside them only makes it longer: a^T (a a^T)^-1 b.
    const auto normal = solve(matmul(a, a, {.transpose_b = true}), b);
    CHECK_AGREES(
        close(x.array(), matmul(a, normal, {.transpose_a = true}).array(), tolerance, tolerance));
    // Rows of any scale, and the gradient, against the same formula.
    const auto rows = cast<T>(Array<double>::of({1e15, 1, 1e-15, 3})).array().reshape({4, 1});
    const auto f = [&](const auto& m) {
      return sum(square(lstsq(m, b * rows, {.least_norm = true})));
    };
    const auto g = [&](const auto& m) {
      const auto inner = solve(matmul(m, m, {.transpose_b = true}), b);
      return sum(square(matmul(m, inner, {.transpose_a = true})));
    };
    CHECK_AGREES(close((gradient(f, (a * rows).array()) * rows).array(), gradient(g, a).array(),
                       10 * tolerance, 10 * tolerance));
  };
  check(1.0, 1e-13);
  check(1.0f, 1e-5);
  const auto tall = op::spread({5, 2}), b = op::spread({5});
  CHECK_AGREES(same_bits(lstsq(tall, b, {.least_norm = true}).array(), lstsq(tall, b).array()));
}

TEST_CASE("repeated values have gradients, but their vectors do not") {
  const auto a = diagonal({2, 5, 2});
  const auto total = [](const auto& x) { return sum(square(eigh(x).values)); };
  CHECK_AGREES(close(gradient(total, a).array(), (Tensor<double>(a) * 2.0).array(), 1e-14, 1e-14));
  const auto norms = [](const auto& x) { return sum(square(svd(x).s)); };
  CHECK_AGREES(close(gradient(norms, a).array(), (Tensor<double>(a) * 2.0).array(), 1e-14, 1e-14));
  CHECK(message_of<ArgumentError>([&] {
          gradient([](const auto& x) { return sum(eigh(x).vectors * op::spread({3, 3})); }, a);
        }) ==
        "eigh: values 0 and 1 are equal, so their vectors have no gradient; use functions of "
        "the values alone; there are 3");
  CHECK(message_of<ArgumentError>([&] {
          gradient([](const auto& x) { return sum(svd(x).u * op::spread({3, 3})); }, a);
        }) ==
        "svd: values 1 and 2 are equal, so their vectors have no gradient; use functions of "
        "the values alone; there are 3");
  // A sweep through a sweep gives it, too.
  const auto direction = op::spread({3, 3});
  const double along = jvp(total, a, direction).item();
  const double expected = 2 * (2 * direction(0, 0) + 5 * direction(1, 1) + 2 * direction(2, 2));
  CHECK(std::abs(along - expected) <= 1e-13);
  // A seed of 0 asks for no rotation; the derivative in the seed does, and is not 0 in silence.
  Tape tape;
  const auto x = tape.watch(a), seed = tape.watch(Array<double>::zeros({3, 3}));
  const auto g = grad(eigh(x).vectors, {x}, {.create_graph = true}, &seed)[0];
  const Tensor<double> u(direction);
  bool immense = false;
  for (const double d : grad(g, {seed}, {}, &u)[0].array()) immense |= !(std::abs(d) < 1e100);
  CHECK(immense);
}

TEST_CASE("the vector of a simple value has a gradient") {
  const auto a = diagonal({2, 5, 2});
  const auto last = [](const auto& x) {
    const auto v = slice(eigh(x).vectors, 1, {2});
    return sum(matmul(v, v, {.transpose_b = true}) * op::spread({3, 3}));
  };
  const auto report = check_gradients(last, a, {.order = 1});
  INFO(report);
  CHECK(report.passed);
}

TEST_CASE("without full rank, gradients that do not exist are refused, and the others are right") {
  const auto a = Array<double>::of({{1, 2}, {2, 4}, {3, 6}});
  CHECK(
      message_of<ArgumentError>([&] { gradient([](const auto& x) { return sum(qr(x).r); }, a); }) ==
      "qr: the matrix has no full rank: column 1 depends on those before it; its factor r is "
      "(2, 2)");
  CHECK(message_of<ArgumentError>([&] {
          gradient([](const auto& x) { return sum(svd(x).u * op::spread({3, 2})); }, a);
        }) ==
        "svd: value 1 is 0, so its vectors have no gradient; use functions of the other "
        "values alone; there are 2");
  const auto first = [](const auto& x) { return sum(slice(svd(x).s, 0, {0, 1})); };
  const auto report = check_gradients(first, a, {.order = 1});
  INFO(report);
  CHECK(report.passed);
}

TEST_CASE("NaN stays visible") {
  const auto a = Array<double>::of({{1, nan_value}, {2, 3}});
  for (const double w : eigh(a).values.array()) CHECK(std::isnan(w));
  for (const double s : svd(a).s.array()) CHECK(std::isnan(s));
  CHECK(std::isnan(qr(a).r.array()(0, 1)));
}

}  // TEST_SUITE("factors")
