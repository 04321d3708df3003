// SPDX-License-Identifier: BSD-3-Clause
// Batches of matrices: each operation on many matrices gives what it gives on each alone, and so
// does its gradient.
#include <functional>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Six different matrices of one shape, square ones with a large diagonal, as (2, 1, 3, m, n).
Array<double> six(std::int64_t m, std::int64_t n) {
  auto a = op::spread({2, 1, 3, m, n});
  for (std::int64_t k = 0; k < 6; ++k) {
    for (std::int64_t i = 0; i < std::min(m, n); ++i) {
      a.mutate()[k * m * n + i * (n + 1)] += double(3 + k + i);
    }
  }
  return a;
}

/// Matrix k of a batch, or its part of a gradient.
template <class T>
Array<T> one(const Array<T>& a, std::int64_t k) {
  const detail::Matrices all(a.shape());
  return a.reshape({all.count(), all.rows, all.columns})
      .leading(k, k + 1)
      .reshape({all.rows, all.columns});
}

template <class T>
Tensor<T> weighed(const Tensor<T>& x) {
  return sum(square(x) + x);
}

/// f is a sum over matrices: its value, gradient and Hessian times a vector are those of each.
template <class T, class F>
void check_each(const Array<double>& matrices, F f) {
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  const auto a = cast<T>(matrices).array(), v = cast<T>(op::spread(a.shape())).array();
  double total = 0;
  const auto g = gradient(f, a).array(), h = hvp(f, a, v).array();
  for (std::int64_t k = 0; k < detail::Matrices(a.shape()).count(); ++k) {
    CAPTURE(k);
    total += double(f(Tensor<T>(one(a, k))).item());
    CHECK_AGREES(close(one(g, k), gradient(f, one(a, k)).array(), tolerance, tolerance));
    CHECK_AGREES(close(one(h, k), hvp(f, one(a, k), one(v, k)).array(), tolerance, tolerance));
  }
  CHECK(std::abs(double(f(Tensor<T>(a)).item()) - total) <= tolerance * (1 + std::abs(total)));
}

template <class F>
void check_each(const Array<double>& matrices, F f) {
  check_each<double>(matrices, f);
  check_each<float>(matrices, f);
}

}  // namespace

TEST_SUITE("batches of matrices") {

TEST_CASE("each matrix is treated alone") {
  const auto a = six(3, 3);
  check_each(a, [](const auto& x) { return weighed(inverse(x)); });
  check_each(a, [](const auto& x) { return weighed(cholesky(x)); });
  check_each(a, [](const auto& x) { return weighed(det(x) * 0.01); });
  check_each(a, [](const auto& x) { return weighed(logdet(x)); });
  check_each(a, [](const auto& x) { return weighed(slogdet(x).logabsdet); });
  check_each(a, [](const auto& x) { return weighed(eigh(x).values * 0.1); });
  check_each(a, [](const auto& x) { return weighed(square(eigh(x).vectors)); });
  check_each(a * 0.2, [](const auto& x) { return weighed(matrix_power(x, 3)); });
  check_each(a, [](const auto& x) { return weighed(matrix_power(x, -2)); });
  check_each(a * 0.8, [](const auto& x) { return weighed(matrix_exp(x) * 0.01); });
  for (const auto& m : {six(4, 2), six(3, 3), six(2, 4)}) {
    check_each(m, [](const auto& x) { return weighed(pinv(x)); });
    check_each(m, [](const auto& x) { return weighed(qr(x).q) + weighed(qr(x).r * 0.1); });
    check_each(m, [](const auto& x) { return weighed(svd(x).s * 0.1); });
    check_each(
        m, [](const auto& x) { return weighed(square(svd(x).u)) + weighed(square(svd(x).vh)); });
  }
}

TEST_CASE("each system is solved alone") {
  const auto right = [](const auto& x, std::int64_t n) {
    using T = typename std::remove_cvref_t<decltype(x)>::value_type;
    return cast<T>(op::spread({n, 2}));
  };
  check_each(six(3, 3), [&](const auto& x) { return weighed(solve(x, right(x, 3))); });
  check_each(six(3, 3), [&](const auto& x) {
    return weighed(triangular_solve(x, right(x, 3), {.upper = true, .transpose = true}));
  });
  check_each(six(3, 3), [&](const auto& x) { return weighed(cholesky_solve(x, right(x, 3))); });
  check_each(six(4, 2), [&](const auto& x) { return weighed(lstsq(x, right(x, 4))); });
  check_each(six(2, 4),
             [&](const auto& x) { return weighed(lstsq(x, right(x, 2), {.least_norm = true})); });
}

TEST_CASE("each triangle is multiplied alone") {
  const auto right = [](const auto& x) {
    using T = typename std::remove_cvref_t<decltype(x)>::value_type;
    return cast<T>(op::spread({3, 2}));
  };
  const auto a = six(3, 3);
  check_each(a, [&](const auto& x) { return weighed(matmul(tril(x), right(x))); });
  check_each(a, [&](const auto& x) {
    return weighed(matmul(triu(x, 1), right(x), {.transpose_a = true}));
  });
  check_each(a, [&](const auto& x) { return weighed(matmul(tril(x, -1), triu(x)) * 0.1); });
  check_each(a, [&](const auto& x) {
    return weighed(triangular_solve(x, matmul(cholesky(x), right(x))));
  });
}

TEST_CASE("a side that all matrices share has the sum of the gradients") {
  const auto a = six(3, 3).reshape({6, 3, 3}), b = op::spread({3, 2}), v = op::spread({3});
  const auto is_sum = [&](const auto& f, const Array<double>& shared) {
    auto total = Array<double>::zeros(shared.shape());
    for (std::int64_t k = 0; k < 6; ++k) {
      const auto alone = [&](const auto& x) { return weighed(f(Tensor<double>(one(a, k)), x)); };
      total = total + gradient(alone, shared).array();
    }
    const auto all = [&](const auto& x) { return weighed(f(Tensor<double>(a), x)); };
    // Sums of some ten terms, in another order.
    CHECK_AGREES(close(gradient(all, shared).array(), total, 1e-13, 1e-13));
  };
  const auto product = [](const auto& x, const auto& y) { return matmul(tril(x), y); };
  const auto solution = [](const auto& x, const auto& y) { return triangular_solve(x, y); };
  const auto upper = [](const auto& x, const auto& y) {
    return triangular_solve(x, y, {.upper = true, .transpose = true, .unit_triangular = true});
  };
  const auto by_factor = [](const auto& x, const auto& y) { return cholesky_solve(tril(x), y); };
  const auto regular = [](const auto& x, const auto& y) { return solve(x, y); };
  const auto fit = [](const auto& x, const auto& y) { return lstsq(x, y); };
  for (const auto& shared : {b, v}) {
    CAPTURE(shared.shape());
    is_sum(product, shared);
    is_sum(solution, shared);
    is_sum(upper, shared);
    is_sum(by_factor, shared);
    is_sum(regular, shared);
    is_sum(fit, shared);
  }
  // One matrix, and many right-hand sides.
  const auto many = op::spread({4, 3, 2});
  const auto turned = [&](const auto& x) {
    return weighed(matmul(tril(x), many)) + weighed(triangular_solve(x, many));
  };
  auto total = Array<double>::zeros({3, 3});
  for (std::int64_t k = 0; k < 4; ++k) {
    const auto side = one(many, k);
    const auto alone = [&](const auto& x) {
      return weighed(matmul(tril(x), side)) + weighed(triangular_solve(x, side));
    };
    total = total + gradient(alone, one(a, 1)).array();
  }
  CHECK_AGREES(close(gradient(turned, one(a, 1)).array(), total, 1e-13, 1e-13));
}

TEST_CASE("right-hand sides broadcast with matrices") {
  const auto a = six(3, 3).reshape({6, 3, 3}), b = op::spread({6, 3, 2}), v = op::spread({3});
  const auto x = solve(a, b).array(), y = solve(a, v).array(), z = solve(one(a, 1), b).array();
  const auto l = lstsq(a, b).array(), m = lstsq(a, v).array();
  const auto t = triangular_solve(a, b).array(), u = triangular_solve(a, v).array();
  const auto c = cholesky_solve(a, b).array(), d = cholesky_solve(a, v).array();
  REQUIRE(y.shape() == Shape{6, 3});
  REQUIRE(m.shape() == Shape{6, 3});
  REQUIRE(u.shape() == Shape{6, 3});
  for (std::int64_t k = 0; k < 6; ++k) {
    const auto row = [&](const Array<double>& of) { return of.leading(k, k + 1).reshape({3}); };
    CHECK_AGREES(same_bits(one(x, k), solve(one(a, k), one(b, k)).array()));
    CHECK_AGREES(same_bits(row(y), solve(one(a, k), v).array()));
    CHECK_AGREES(same_bits(one(z, k), solve(one(a, 1), one(b, k)).array()));
    CHECK_AGREES(close(one(l, k), one(x, k), 1e-12));
    CHECK_AGREES(close(row(m), row(y), 1e-12));
    CHECK_AGREES(same_bits(one(t, k), triangular_solve(one(a, k), one(b, k)).array()));
    CHECK_AGREES(same_bits(row(u), triangular_solve(one(a, k), v).array()));
    CHECK_AGREES(same_bits(one(c, k), cholesky_solve(one(a, k), one(b, k)).array()));
    CHECK_AGREES(same_bits(row(d), cholesky_solve(one(a, k), v).array()));
  }
  CHECK(solve(six(3, 3), op::spread({4, 1, 3, 1})).shape() == Shape{2, 4, 3, 3, 1});
}

TEST_CASE("batches may be empty, or have four axes") {
  const auto none = Array<double>::zeros({2, 0, 3, 3});
  CHECK(det(none).shape() == Shape{2, 0});
  CHECK(inverse(none).shape() == Shape{2, 0, 3, 3});
  CHECK(svd(none).s.shape() == Shape{2, 0, 3});
  CHECK(lstsq(none, op::spread({3})).shape() == Shape{2, 0, 3});
  const auto f = [](const auto& x) {
    return weighed(slogdet(x).logabsdet) + weighed(det(x)) + weighed(svd(x).u) +
           weighed(eigh(x).vectors) + weighed(qr(x).q) + weighed(lstsq(x, op::spread({3})));
  };
  CHECK(gradient(f, none).shape() == none.shape());
  const auto many = six(3, 3).reshape({1, 3, 1, 2, 3, 3});
  CHECK(gradient(f, many).shape() == many.shape());
}

TEST_CASE("an error names the matrix") {
  auto a = six(2, 2).reshape({2, 3, 2, 2});
  for (int i = 0; i < 4; ++i) a.mutate()[4 * 5 + i] = 1;  // at [1, 2]
  const auto text = [&](auto f) {
    return message_of<ArgumentError>(
        [&] { gradient([&](const auto& x) { return sum(f(x)); }, a); });
  };
  CHECK(text([](const auto& x) { return solve(x, op::spread({2})); }) ==
        "solve: the matrix at [1, 2] is singular: pivot 1 of its LU factors is 0; a is "
        "(2, 3, 2, 2)");
  CHECK(text([](const auto& x) { return logdet(x); }) ==
        "slogdet: the matrix at [1, 2] is singular: pivot 1 of its LU factors is 0; the logarithm "
        "has no gradient there; a is (2, 3, 2, 2)");
  CHECK(text([](const auto& x) { return cholesky(x); }) ==
        "cholesky: the matrix at [1, 2] is not positive definite: pivot 1 is not above 0; a is "
        "(2, 3, 2, 2)");
  CHECK(text([](const auto& x) { return qr(x).r; }) ==
        "qr: the matrix at [1, 2] has no full rank: column 1 depends on those before it; its "
        "factor r is (2, 2)");
  for (int i = 0; i < 4; ++i) a.mutate()[4 * 4 + i] = i % 3 == 0 ? 7 : 0;  // at [1, 1]
  CHECK(text([](const auto& x) {
          return eigh(x).vectors * op::spread({2, 2});
        }) ==
        "eigh: values 0 and 1 of the matrix at [1, 1] are equal, so their vectors have no "
        "gradient; use functions of the values alone; there are 2");
  const auto tall = Array<double>({1, 2, 3, 1}, {1, 2, 3, 0, 0, 0});
  CHECK(message_of<ArgumentError>([&] {
          gradient([](const auto& x) { return sum(svd(x).u * op::spread({3, 1})); }, tall);
        }) ==
        "svd: value 0 of the matrix at [0, 1] is 0, so its vectors have no gradient; use functions "
        "of the other values alone; there are 1");
}

}  // TEST_SUITE("batches of matrices")
