// SPDX-License-Identifier: BSD-3-Clause
// Products of sparse rows are those of the dense matrix. The registry's tests check derivatives.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close;

namespace {

/// A matrix of which about one element in four is not 0.
template <class T>
Array<T> mostly_zeros(std::int64_t n, std::int64_t d) {
  Stream stream(std::uint64_t(n * 100 + d));
  auto x = Array<T>::zeros({n, d});
  T* const to = x.mutate();
  for (std::int64_t i = 0; i < n * d; ++i) {
    if (stream.below(4) == 0) to[i] = T(stream.below(17)) / 4 - 2;
  }
  return x;
}
template <class T>
Array<T> numbers(const Shape& shape, std::uint64_t seed) {
  Stream stream(seed);
  auto x = Array<T>::uninitialized(shape);
  T* const to = x.mutate();
  for (std::int64_t i = 0; i < x.size(); ++i) to[i] = T(stream.below(33)) / 8 - 2;
  return x;
}

}  // namespace

TEST_SUITE_BEGIN("sparse products");

// All numbers are small multiples of fractions, so that sums are exact in any order.
TEST_CASE_TEMPLATE("products and gradients of every size are the dense ones", T, float, double) {
  for (const std::int64_t n : {1, 9}) {
    for (const std::int64_t d : {1, 13, 40}) {
      const auto dense = mostly_zeros<T>(n, d);
      const auto x = SparseRows<T>::from_dense(dense);
      for (const std::int64_t out : {1, 2, 4, 5, 15, 16, 17, 63, 65, 130}) {
        CAPTURE(n);
        CAPTURE(d);
        CAPTURE(out);
        Variable<T> w(numbers<T>({out, d}, 1)), b(numbers<T>({out}, 2)), v(numbers<T>({d, out}, 3));
        Variable<T> w2 = w.clone(), b2 = b.clone(), v2 = v.clone();
        const auto g = numbers<T>({n, out}, 4);
        const auto sweep = [&](const auto& rows, auto& weight, auto& bias, auto& other) {
          Tape tape;
          const auto y = linear(rows, weight, bias);
          const auto z = matmul(rows, other);
          const std::pair result(y.array(), z.array());
          backward(sum(y * g) + sum(z * g));
          return result;
        };
        const auto ours = sweep(x, w, b, v), theirs = sweep(dense, w2, b2, v2);
        CHECK(equal(ours.first, theirs.first));
        CHECK(equal(ours.second, theirs.second));
        CHECK(equal(w.gradient(), w2.gradient()));
        CHECK(equal(b.gradient(), b2.gradient()));
        CHECK(equal(v.gradient(), v2.gradient()));
      }
      const auto u = numbers<T>({d}, 5);
      CHECK(equal(matmul(x, u).array(), matmul(dense, u).array()));
    }
  }
}

TEST_CASE("chosen rows have the bits that they have alone") {
  const auto x = SparseRows<float>::from_dense(mostly_zeros<float>(30, 40));
  auto w = numbers<float>({5, 40}, 1);
  for (std::int64_t i = 0; i < w.size(); ++i) w.mutate()[i] += 0.1F / float(i + 1);
  const auto b = numbers<float>({5}, 2);
  const auto all = linear(x, w, b).array();
  const std::vector<std::int64_t> order{7, 29, 7, 0};
  const auto chosen = linear(x.rows(order), w, b).array();
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::int64_t o = 0; o < 5; ++o) CHECK(chosen(std::int64_t(i), o) == all(order[i], o));
  }
}

TEST_CASE("a gradient adds up, and uniform ones are taken") {
  const auto dense = mostly_zeros<double>(6, 7);
  const auto x = SparseRows<double>::from_dense(dense);
  Variable<double> w(numbers<double>({3, 7}, 1)), b(numbers<double>({3}, 2));
  Variable<double> w2 = w.clone(), b2 = b.clone();
  for (int k = 0; k < 2; ++k) {
    Tape tape;
    backward(sum(linear(x, w, b)) + sum(square(w)));
    backward(sum(linear(dense, w2, b2)) + sum(square(w2)));
  }
  CHECK(equal(w.gradient(), w2.gradient()));
  CHECK(equal(b.gradient(), b2.gradient()));
}

TEST_CASE("only the weight or only the bias may be trained") {
  const auto x = SparseRows<double>::from_dense(mostly_zeros<double>(6, 7));
  const auto w = numbers<double>({3, 7}, 1), b = numbers<double>({3}, 2);
  Variable<double> weight(w), bias(b);
  {
    Tape tape;
    backward(sum(linear(x, weight, b)));
  }
  {
    Tape tape;
    backward(sum(linear(x, w, bias)));
  }
  CHECK(bias.gradient()[0] == 6);
  CHECK(sum(weight.gradient()).item() == 3 * sum(x.to_dense()).item());
  CHECK(!linear(x, w, b).empty());
}

TEST_CASE("a gradient of zero gives zero, and columns without an element meet no infinity") {
  const double inf = std::numeric_limits<double>::infinity();
  const SparseRows<double> x(3, Array<std::int64_t>::of({0, 1, 2}), Array<std::int64_t>::of({0, 1}),
                             Array<double>::of({inf, 2}));
  for (const std::int64_t out : {1, 2}) {
    Variable<double> w(Array<double>::ones({out, 3})), b(Array<double>::zeros({out}));
    Variable<double> v(Array<double>::ones({3, out}));
    Tape tape;
    const auto second = slice(linear(x, w, b), 0, {1, 2}) + slice(matmul(x, v), 0, {1, 2});
    backward(sum(second));
    CHECK(w.gradient()[0] == 0);
    CHECK(w.gradient()[1] == 2);
    CHECK(w.gradient()[2] == 0);
    CHECK(v.gradient()[0] == 0);
    CHECK(v.gradient()[out] == 2);
  }
  const auto steep = Array<double>::of({{1, 1, inf}});
  CHECK(linear(x, steep, Array<double>::zeros({1})).array()[1] == 2);
}

TEST_CASE("a weight of other features, narrower or wider, is refused") {
  const auto x = SparseRows<double>::from_dense(mostly_zeros<double>(2, 5));
  for (const std::int64_t in : {4, 6}) {
    CHECK_THROWS_AS(
        static_cast<void>(linear(x, Array<double>::ones({2, in}), Array<double>::ones({2}))),
        ShapeError);
    CHECK_THROWS_AS(static_cast<void>(matmul(x, Array<double>::ones({in, 2}))), ShapeError);
    CHECK_THROWS_AS(static_cast<void>(matmul(x, Array<double>::ones({in}))), ShapeError);
  }
}

TEST_CASE("columns divided by their largest magnitude are in [-1, 1]") {
  const auto x = SparseRows<double>::from_dense(Array<double>::of({{0, 4, -3}, {0, -8, 1}}));
  CHECK(equal(x.scaled(1 / x.largest()).to_dense(),
              Array<double>::of({{0, 0.5, -1}, {0, -1, 1.0 / 3}})));
}

TEST_CASE("forward mode and products of Hessians are those of the dense matrix") {
  const auto dense = mostly_zeros<double>(6, 7);
  const auto x = SparseRows<double>::from_dense(dense);
  const auto w = numbers<double>({7, 2}, 1), along = numbers<double>({7, 2}, 2);
  const auto f = [](const auto& rows) {
    return [=](const auto& weight) { return sum(exp(0.1 * matmul(rows, weight))); };
  };
  CHECK_AGREES(close(hvp(f(x), w, along).array(), hvp(f(dense), w, along).array(), 1e-13));
  const auto product = [](const auto& rows) {
    return [=](const auto& weight) { return matmul(rows, weight); };
  };
  CHECK(equal(jvp(product(x), w, along).array(), matmul(dense, along).array()));
  CHECK(check_gradients(f(x), w));
}

TEST_SUITE_END();
