// SPDX-License-Identifier: BSD-3-Clause
// Pseudo-inverses, powers and exponentials of matrices: values in closed form, and matrices that
// are hard.
#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_SUITE("matrix functions") {

TEST_CASE("pseudo-inverses in closed form") {
  const auto tall = Array<double>::of({{1, 2}, {3, 4}, {5, 6}});
  const auto expected =
      Array<double>::of({{-4.0 / 3, -1.0 / 3, 2.0 / 3}, {13.0 / 12, 1.0 / 3, -5.0 / 12}});
  CHECK_AGREES(close(pinv(tall).array(), expected, 1e-13));  // a condition of 17
  CHECK_AGREES(close(pinv(transpose(tall)), transpose(expected), 1e-13));
  CHECK_AGREES(close(pinv(cast<float>(tall)).array(), expected, 1e-5));
  // x y^T has the pseudo-inverse y x^T / (|x|^2 |y|^2).
  const auto single = Array<double>::of({{1, 2}, {2, 4}, {3, 6}});
  CHECK_AGREES(close(pinv(single).array(), (transpose(single) / 70.0).array(), 1e-14));
  CHECK(equal(pinv(Array<double>::zeros({3, 2})).array(), Array<double>::zeros({2, 3})));
  CHECK_AGREES(close(pinv(Array<double>({1, 1}, {4e-300})).array(),
                     Array<double>({1, 1}, {2.5e299}), 1e-15));
  CHECK(pinv(Array<double>::zeros({0, 3})).shape() == Shape{3, 0});
  CHECK(pinv(Array<double>::zeros({2, 0, 3})).shape() == Shape{2, 3, 0});
  CHECK(std::isnan(pinv(Array<double>::of({{nan_value, 1}, {0, 1}})).array()[0]));
}

TEST_CASE("pseudo-inverses fulfil the conditions of Penrose, and solve least squares") {
  const auto singular = matmul(op::spread({4, 2}), op::spread({2, 4}, 3));
  for (const Tensor<double>& a :
       {Tensor<double>(op::spread({5, 3})), Tensor<double>(op::spread({2, 6}, 4)), singular}) {
    const auto p = pinv(a), ap = matmul(a, p), pa = matmul(p, a);
    CHECK_AGREES(close(matmul(ap, a), a, 1e-13, 1e-13));
    CHECK_AGREES(close(matmul(pa, p), p, 1e-13, 1e-13));
    CHECK_AGREES(close(ap, transpose(ap), 1e-13, 1e-13));
    CHECK_AGREES(close(pa, transpose(pa), 1e-13, 1e-13));
  }
  const auto a = op::spread({7, 3}), b = op::spread({7, 2}, 5);
  CHECK_AGREES(close(matmul(pinv(a), b), lstsq(a, b), 1e-12));
  const auto by_pinv = [&](const auto& x) { return sum(square(matmul(pinv(x), b))); };
  const auto by_lstsq = [&](const auto& x) { return sum(square(lstsq(x, b))); };
  CHECK_AGREES(close(gradient(by_pinv, a), gradient(by_lstsq, a), 1e-11, 1e-12));
}

TEST_CASE("rcond says which singular values count as 0") {
  const auto a = Array<double>::of({{1, 0}, {0, 1e-3}});
  CHECK(equal(pinv(a).array(), Array<double>::of({{1, 0}, {0, 1e3}})));
  CHECK(equal(pinv(a, {.rcond = 1e-2}).array(), Array<double>::of({{1, 0}, {0, 0}})));
  CHECK(equal(pinv(a, {.rcond = 0.0}).array(), pinv(a).array()));
  // The default is max(m, n) eps.
  const double eps = std::numeric_limits<double>::epsilon();
  CHECK(pinv(Array<double>::of({{1, 0}, {0, 2 * eps}})).array()[3] == 0);
  CHECK(pinv(Array<double>::of({{1, 0}, {0, 2.5 * eps}})).array()[3] == 1 / (2.5 * eps));
  CHECK(pinv(Array<float>::of({{1, 0}, {0, 1e-8F}})).array()[3] == 0);
}

TEST_CASE("powers are products, of the inverse for negative exponents") {
  const auto fibonacci = Array<double>::of({{1, 1}, {1, 0}});
  CHECK(equal(matrix_power(fibonacci, 10).array(), Array<double>::of({{89, 55}, {55, 34}})));
  CHECK(matrix_power(fibonacci, 77).array()[1] == 5527939700884757.0);
  CHECK(equal(matrix_power(fibonacci, -3).array(), Array<double>::of({{-1, 2}, {2, -3}})));
  CHECK(equal(matrix_power(fibonacci, 1).array(), fibonacci));
  CHECK(equal(matrix_power(Array<double>::full({2, 2}, nan_value), 0).array(),
              detail::identity<double>(2)));
  const auto one = Array<double>::of({{1, 0}, {0, 1}});
  CHECK(equal(matrix_power(one, INT64_MIN).array(), one));
  CHECK(equal(matrix_power(one, INT64_MAX).array(), one));
  CHECK(matrix_power(Array<double>::zeros({2, 0, 3, 3}), -2).shape() == Shape{2, 0, 3, 3});
  for (const std::int64_t k : {-3, -1, 0, 1, 2, 7}) {
    CAPTURE(k);
    const auto g = gradient([=](const auto& x) { return sum(matrix_power(x, k)); },
                            Array<double>({1, 1}, {1.25}));
    // k x^(k - 1), by at most six roundings.
    CHECK_AGREES(close(g.array(),
                       Array<double>({1, 1}, {double(k) * std::pow(1.25, double(k - 1))}), 1e-15));
  }
}

TEST_CASE("exponentials in closed form") {
  for (const double angle : {1e-9, 0.7, 3.0, 100.0}) {
    CAPTURE(angle);
    const auto turn = Array<double>::of({{0, -angle}, {angle, 0}});
    const double c = std::cos(angle), s = std::sin(angle);
    // Each of the halvings doubles the error: about angle / 4 of them, as steps of 2.
    CHECK_AGREES(close(matrix_exp(turn).array(), Array<double>::of({{c, -s}, {s, c}}), 1e-15,
                       4e-16 * (1 + angle)));
  }
  // Moler and Van Loan 1978: eigenvalues of -1 and -17 and a condition of the vectors of 30.
  const auto hard = Array<double>::of({{-49, 24}, {-64, 31}});
  const auto expected = Array<double>::of({{-0.735758758144755796, 0.551819099658097701},
                                           {-1.471517599088260535, 1.103638240715572589}});
  CHECK_AGREES(close(matrix_exp(hard).array(), expected, 1e-13));
  // A Jordan block: e^-3 / k! on diagonal k.
  const auto block =
      Array<double>::of({{-3, 1, 0, 0}, {0, -3, 1, 0}, {0, 0, -3, 1}, {0, 0, 0, -3}});
  const double e = std::exp(-3.0);
  CHECK_AGREES(
      close(matrix_exp(block).array(),
            Array<double>::of({{e, e, e / 2, e / 6}, {0, e, e, e / 2}, {0, 0, e, e}, {0, 0, 0, e}}),
            1e-14, 1e-17));  // the numerator is the twentieth part of the denominator
  CHECK_AGREES(
      close(matrix_exp(cast<float>(block)).array(), matrix_exp(block).array(), 5e-6, 1e-8));
  // The condition is 700.
  CHECK_AGREES(close(matrix_exp(Array<double>({1, 1}, {-700})).array(),
                     Array<double>({1, 1}, {std::exp(-700.0)}), 700 * 4e-16));
  CHECK(equal(matrix_exp(Array<double>::zeros({3, 3})).array(), detail::identity<double>(3)));
  CHECK(matrix_exp(Array<double>::zeros({2, 0, 3, 3})).shape() == Shape{2, 0, 3, 3});
}

TEST_CASE("the exponential of a matrix that is far from normal is not scaled by its size") {
  // e^x of (1, c; 0, -1) has c sinh(1) above the diagonal, whatever c is.
  for (const double c : {1e3, 1e6, 1e12}) {
    CAPTURE(c);
    const auto a = Array<double>::of({{1, c}, {0, -1}});
    CHECK_AGREES(
        close(matrix_exp(a).array(),
              Array<double>::of({{std::exp(1.0), c * std::sinh(1.0)}, {0, std::exp(-1.0)}}), 1e-14,
              1e-16));
  }
  for (const double c : {1e8, 1e30}) {
    CAPTURE(c);
    const auto nilpotent = Array<double>::of({{0, c, 2 * c}, {0, 0, c}, {0, 0, 0}});
    CHECK_AGREES(close(matrix_exp(nilpotent).array(),
                       Array<double>::of({{1, c, 2 * c + c * c / 2}, {0, 1, c}, {0, 0, 1}}),
                       1e-15));
  }
  const auto nilpotent = Array<double>::of({{0, 1e8, 3}, {0, 0, 1e8}, {0, 0, 0}});
  const auto corner = [](const auto& x) {
    return sum(slice(slice(matrix_exp(x), 0, {0, 1}), 1, {2, 3}));
  };
  // The integral of e^(s a) da e^((1 - s) a): half of 1e8 beside 1.
  const auto g = gradient(corner, nilpotent).array();
  CHECK_AGREES(close(g.reshape({9}).leading(1, 3), Array<double>::of({5e7, 1}), 1e-14));
  // By sizes of powers of 1e25 it would be halved 80 times, and nothing would be left of -40.
  const auto decaying = Array<double>::of({{-40, 1e25}, {0, -2}});
  const double corner_value = 1e25 * (std::exp(-2.0) - std::exp(-40.0)) / 38;
  CHECK_AGREES(close(matrix_exp(decaying).array(),
                     Array<double>::of({{std::exp(-40.0), corner_value}, {0, std::exp(-2.0)}}),
                     1e-11));
  const auto far = matrix_exp(Array<double>::of({{-400, 1e60}, {0, -2}})).array();
  CHECK(std::abs(far[1] / (1e60 * std::exp(-2.0) / 398) - 1) < 1e-6);
}

TEST_CASE("the exponential of a matrix whose powers vanish, but not those of its sizes") {
  // A turned triangle t with t^8 = 0, so that e^t is a polynomial.
  const auto t = triu(op::spread({8, 8}, 20), 1), q = qr(op::spread({8, 8})).q;
  const auto one = detail::identity<double>(8);
  Tensor<double> expected = one;
  for (int k = 7; k > 0; --k) expected = matmul(t, expected) / double(k) + one;
  const auto turned = [&](const auto& x) { return matmul(matmul(q, x), q, {.transpose_b = true}); };
  const double size = max(abs(expected)).item();
  // Without halvings for the sizes, rounding would be 1e-10 of the largest number.
  CHECK_AGREES(close(matrix_exp(turned(t)), turned(expected), 0, 1e-12 * size));
}

TEST_CASE("the exponential of large, infinite and unknown numbers") {
  CHECK(matrix_exp(Array<double>({1, 1}, {1000})).item() == inf);
  CHECK(matrix_exp(Array<double>({1, 1}, {-1e6})).item() == 0);
  CHECK(matrix_exp(Array<float>({1, 1}, {-1e6F})).item() == 0);
  for (const double x : {nan_value, inf, -inf}) {
    const auto y = matrix_exp(Array<double>({2, 2, 2}, {x, 1, 0, 1, 0, 0, 0, 0})).array();
    CHECK(std::isnan(y[0]));
    CHECK(equal(y.leading(1, 2).reshape({2, 2}), detail::identity<double>(2)));
  }
}

TEST_CASE("the exponential of a sum of two matrices that commute is a product") {
  const auto a = op::spread({5, 5}, 1.5);
  CHECK_AGREES(
      close(matmul(matrix_exp(a), matrix_exp(-a)).array(), detail::identity<double>(5), 0, 1e-11));
  CHECK_AGREES(close(matrix_exp(a * 3.0), matrix_power(matrix_exp(a), 3), 1e-11, 1e-11));
  // The determinant is e^trace, so that its logarithm has the gradient 1.
  const auto g = gradient([](const auto& x) { return logdet(matrix_exp(x)); }, a);
  CHECK_AGREES(close(g.array(), detail::identity<double>(5), 1e-12, 1e-11));
}

TEST_CASE("the frequency of an oscillator is found from its places") {
  // x'' = -w^2 x, with w = 2.
  const auto places = [](const Tensor<double>& w) {
    const auto to = Array<double>::of({{0, 1}, {0, 0}}),
               back = Array<double>::of({{0, 0}, {-1, 0}});
    std::vector<Tensor<double>> all;
    for (const double t : {0.2, 0.5, 0.9, 1.4}) {
      all.push_back(matmul(matrix_exp((to + back * square(w)) * t), Array<double>::of({1, 0}))[0]);
    }
    return stack(all);
  };
  auto expected = Array<double>::of({0.2, 0.5, 0.9, 1.4});
  expected = cos(expected * 2.0).array();
  Array<double> w(1.5);
  for (int step = 0; step < 60; ++step) {
    const auto loss = [&](const auto& v) { return sum(square(places(v) - expected)); };
    w = (w - gradient(loss, w) * 0.15).array();
  }
  CHECK(std::abs(w.item() - 2) < 1e-6);
}

}  // TEST_SUITE("matrix functions")
