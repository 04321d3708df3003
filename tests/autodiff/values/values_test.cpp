// SPDX-License-Identifier: BSD-3-Clause
// The values of operations: accuracy against a higher precision, extreme arguments, and bits that
// do not depend on the position of an element. Run again under each lower instruction set.
#include <cmath>
#include <functional>
#include <limits>

#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::numeric_limits<double>::quiet_NaN();

/// |x - exact| in units of the last place of the exact value.
template <class T>
double ulps(T x, long double exact) {
  const T rounded = T(exact);
  if (std::isnan(x) || std::isnan(rounded)) return std::isnan(x) && std::isnan(rounded) ? 0 : inf;
  if (x == rounded) return 0;
  if (std::isinf(x) || std::isinf(rounded)) return inf;
  const T magnitude = std::max(std::abs(rounded), std::numeric_limits<T>::min());
  const int exponent = std::ilogb(magnitude);
  const long double unit = std::ldexp(1.0L, exponent - (std::numeric_limits<T>::digits - 1));
  return double(std::abs((long double)(x)-exact) / unit);
}

/// Arguments of every size between the limits, both signs where asked.
template <class T>
Array<T> sweep_of(double low, double high, bool negative) {
  constexpr std::int64_t n = 20000;
  auto values = Array<T>::uninitialized({n});
  T* v = values.mutate();
  Stream stream(7);
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = low * std::pow(high / low, stream.uniform());
    v[i] = T(negative && (i & 1) ? -x : x);
  }
  return values;
}

template <class T>
void check_ulps(const char* name, const std::function<Tensor<T>(const Tensor<T>&)>& f,
                const std::function<long double(long double)>& reference, double low, double high,
                bool negative) {
  const auto x = sweep_of<T>(low, high, negative);
  const auto y = f(x).array();
  double worst = 0;
  T at = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double u = ulps(y[i], reference(x[i]));
    if (u > worst) {
      worst = u;
      at = x[i];
    }
  }
  CAPTURE(name);
  CAPTURE(at);
  CAPTURE(sizeof(T));
  CHECK(worst <= 4);
}

template <class T>
void check_all_ulps() {
  using L = long double;
  const double top = sizeof(T) == 4 ? 88 : 709;
  check_ulps<T>(
      "exp", [](auto x) { return exp(x); }, [](L x) { return std::exp(x); }, 1e-10, top, true);
  check_ulps<T>(
      "expm1", [](auto x) { return expm1(x); }, [](L x) { return std::expm1(x); }, 1e-20, top,
      true);
  check_ulps<T>(
      "log", [](auto x) { return log(x); }, [](L x) { return std::log(x); }, 1e-37, 1e38, false);
  check_ulps<T>(
      "log near 1", [](auto x) { return log(x); }, [](L x) { return std::log(x); }, 0.9, 1.1,
      false);
  check_ulps<T>(
      "log1p", [](auto x) { return log1p(x); }, [](L x) { return std::log1p(x); }, 1e-20, 0.99,
      true);
  check_ulps<T>(
      "sqrt", [](auto x) { return sqrt(x); }, [](L x) { return std::sqrt(x); }, 1e-37, 1e37, false);
  check_ulps<T>(
      "sin", [](auto x) { return sin(x); }, [](L x) { return std::sin(x); }, 1e-10, 1e6, true);
  check_ulps<T>(
      "cos", [](auto x) { return cos(x); }, [](L x) { return std::cos(x); }, 1e-10, 1e6, true);
  check_ulps<T>(
      "tanh", [](auto x) { return tanh(x); }, [](L x) { return std::tanh(x); }, 1e-15, 30, true);
  check_ulps<T>(
      "sigmoid", [](auto x) { return sigmoid(x); }, [](L x) { return 1 / (1 + std::exp(-x)); },
      1e-10, 80, true);
  check_ulps<T>(
      "softplus", [](auto x) { return softplus(x); },
      [](L x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, 1e-10, 80,
      true);
  check_ulps<T>(
      "log_sigmoid", [](auto x) { return log_sigmoid(x); },
      [](L x) { return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); }, 1e-10,
      80, true);
  check_ulps<T>(
      "pow", [](auto x) { return pow(x, 2.7); }, [](L x) { return std::pow(x, L(T(2.7))); }, 1e-10,
      1e10, false);
  check_ulps<T>(
      "pow of a base", [](auto x) { return pow(1.7, x); },
      [](L x) { return std::pow(L(T(1.7)), x); }, 1e-5, 100, true);
}

template <class T>
T at(const std::function<Tensor<T>(const Tensor<T>&)>& f, double x) {
  return f(Tensor<T>(T(x))).item();
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("functions are within 4 units in the last place") {
  check_all_ulps<float>();
  check_all_ulps<double>();
}

TEST_CASE("the ends of the range come out right") {
  CHECK(std::isfinite(at<float>([](auto x) { return exp(x); }, 88.72f)));
  CHECK(at<float>([](auto x) { return exp(x); }, 88.73f) == std::numeric_limits<float>::infinity());
  CHECK(std::isfinite(at<double>([](auto x) { return exp(x); }, 709.78)));
  CHECK(at<double>([](auto x) { return exp(x); }, 709.79) == inf);
  CHECK(at<double>([](auto x) { return exp(x); }, -inf) == 0);
  for (double big : {1000.0, 1e300, inf}) {
    CAPTURE(big);
    CHECK(at<double>([](auto x) { return sigmoid(x); }, big) == 1);
    CHECK(at<double>([](auto x) { return sigmoid(x); }, -big) == 0);
    CHECK(at<double>([](auto x) { return softplus(x); }, big) == big);
    CHECK(at<double>([](auto x) { return softplus(x); }, -big) == 0);
    CHECK(at<double>([](auto x) { return log_sigmoid(x); }, -big) == -big);
    CHECK(at<double>([](auto x) { return log_sigmoid(x); }, big) == 0);
    CHECK(at<double>([](auto x) { return tanh(x); }, big) == 1);
  }
  CHECK(bce_with_logits(Tensor<double>(1000), Tensor<double>(1)).item() == 0);
  CHECK(bce_with_logits(Tensor<double>(1000), Tensor<double>(0)).item() == 1000);
  CHECK(bce_with_logits(Tensor<double>(-1000), Tensor<double>(1)).item() == 1000);
  CHECK(bce_with_logits(Tensor<double>(-1000), Tensor<double>(0)).item() == 0);
}

TEST_CASE("NaN is never hidden") {
  for (const auto& x : {Tensor<double>(nan_value)}) {
    CHECK(std::isnan(relu(x).item()));
    CHECK(std::isnan(clamp(x, -1, 1).item()));
    CHECK(std::isnan(abs(x).item()));
    CHECK(std::isnan(maximum(x, 1.0).item()));
    CHECK(std::isnan(maximum(1.0, x).item()));
    CHECK(std::isnan(minimum(x, 1.0).item()));
    CHECK(std::isnan(minimum(1.0, x).item()));
    CHECK(std::isnan(exp(x).item()));
    CHECK(std::isnan(sigmoid(x).item()));
    CHECK(std::isnan(softplus(x).item()));
  }
  for (std::int64_t n : {1, 5, 33, 1000}) {
    for (std::int64_t place : {std::int64_t(0), n / 2, n - 1}) {
      auto x = op::spread({n});
      x.mutate()[place] = nan_value;
      CAPTURE(n);
      CAPTURE(place);
      CHECK(std::isnan(max(x).item()));
      CHECK(std::isnan(min(x).item()));
      CHECK(std::isnan(sum(x).item()));
      CHECK(std::isnan(logsumexp(x).item()));
      for (const double y : softmax(x).array()) CHECK(std::isnan(y));
    }
  }
}

TEST_CASE("comparisons and where walk operands of any shape") {
  const auto a = Array<double>::of({{1, 5, 3}, {4, 2, 6}});
  const auto row = Array<double>::of({2, 3, 3});
  CHECK(equal<bool>(a > row, Array<bool>::of({{false, true, false}, {true, false, true}})));
  CHECK(equal<bool>(row <= a, Array<bool>::of({{false, true, true}, {true, false, true}})));
  CHECK(equal<bool>(a == 3.0, Array<bool>::of({{false, false, true}, {false, false, false}})));
  CHECK(equal<bool>(a != 3.0, Array<bool>::of({{true, true, false}, {true, true, true}})));
  CHECK(equal<bool>(Tensor<double>(nan_value) == nan_value, Array<bool>(false)));
  CHECK(equal(where(a > row, a, 0.0).array(), Array<double>::of({{0, 5, 0}, {4, 0, 6}})));
}

TEST_CASE("an elementwise value does not depend on its position") {
  const auto check = [](auto zero) {
    using T = decltype(zero);
    const auto x = sweep_of<T>(1e-6, 60, true);
    const std::function<Tensor<T>(const Tensor<T>&)> functions[] = {
        [](auto v) { return exp(v); },
        [](auto v) { return tanh(v); },
        [](auto v) { return log1p(v); },
        [](auto v) { return sin(v); },
        [](auto v) { return sigmoid(v); },
        [](auto v) { return softplus(v); },
        [](auto v) { return pow(abs(v), 1.3); },
        [](auto v) { return v * v + v / 3.0; },
        [](auto v) { return fuse([](auto u) { return tanh(u) * u + 1; }, v); }};
    for (const auto& f : functions) {
      const auto whole = f(x).array();
      for (std::int64_t cut : {1, 7, 33, 19999}) {
        const auto left = f(x.leading(0, cut)).array(), right = f(x.leading(cut, x.size())).array();
        CHECK_AGREES(same_bits(left, whole.leading(0, cut)));
        CHECK_AGREES(same_bits(right, whole.leading(cut, x.size())));
      }
    }
  };
  check(0.0f);
  check(0.0);
}

TEST_CASE("float sums do not stall: blocks are combined in double") {
  const std::int64_t n = std::int64_t(1) << 25;
  const auto ones = Array<float>::full({n}, 1.0f);
  CHECK(mean(ones).item() == 1);
  CHECK(sum(ones).item() == float(n));
  CHECK(mean(Array<float>::full({n / 4, 4}, 1.0f), 0).array()[3] == 1);
}

TEST_CASE("reductions agree with a plain loop in a higher precision, along every axis") {
  const Shape shape{5, 130, 37};
  const auto x = op::spread(shape);
  for (unsigned mask = 1; mask < 8; ++mask) {
    std::vector<int> axes;
    for (int i = 0; i < 3; ++i) {
      if (mask >> i & 1U) axes.push_back(i);
    }
    CAPTURE(mask);
    const auto got = sum(x, Axes(axes), true).array();
    const auto top = max(x, Axes(axes), true).array();
    const auto bottom = min(x, Axes(axes), true).array();
    const auto lse = logsumexp(x, Axes(axes), true).array();
    std::vector<long double> sums(std::size_t(got.size()), 0), maxima(sums.size(), -inf),
        minima(sums.size(), inf), exps(sums.size(), 0);
    for (std::int64_t i = 0; i < 5; ++i) {
      for (std::int64_t j = 0; j < 130; ++j) {
        for (std::int64_t k = 0; k < 37; ++k) {
          const std::int64_t p = mask & 1 ? 0 : i, q = mask & 2 ? 0 : j, r = mask & 4 ? 0 : k;
          const auto to = std::size_t((p * got.shape()[1] + q) * got.shape()[2] + r);
          const double v = x(i, j, k);
          sums[to] += v;
          maxima[to] = std::max(maxima[to], (long double)v);
          minima[to] = std::min(minima[to], (long double)v);
          exps[to] += std::exp((long double)v);
        }
      }
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      // 24050 terms of size 1, added in a tree some 12 deep.
      CHECK(std::abs(double(got[std::int64_t(i)] - sums[i])) <= 1e-11);
      CHECK(top[std::int64_t(i)] == double(maxima[i]));
      CHECK(bottom[std::int64_t(i)] == double(minima[i]));
      CHECK(std::abs(double(lse[std::int64_t(i)] - std::log(exps[i]))) <= 1e-13);
    }
  }
}

TEST_CASE("logsumexp and softmax of large and of infinite values") {
  CHECK(logsumexp(Array<double>::of({1000, 1000})).item() == 1000 + std::log(2.0));
  CHECK(logsumexp(Array<double>::of({-inf, -inf})).item() == -inf);
  CHECK(logsumexp(Array<double>::of({-inf, 3})).item() == 3);
  CHECK(logsumexp(Array<double>::of({inf, 3})).item() == inf);
  CHECK(equal(softmax(Array<double>::of({1e4, -1e4})).array(), Array<double>::of({1, 0})));
  CHECK(cross_entropy(Array<double>::of({{1e4, -1e4}}), Array<std::int64_t>::of({1})).item() ==
        2e4);
}

TEST_CASE("products of all shapes agree with a plain loop") {
  for (std::int64_t m : {1, 2, 9, 33}) {
    for (std::int64_t k : {1, 3, 16, 70}) {
      for (std::int64_t n : {1, 4, 17}) {
        for (int t = 0; t < 4; ++t) {
          const bool ta = t & 1, tb = t & 2;
          const auto a = op::spread(ta ? Shape{k, m} : Shape{m, k});
          const auto b = op::spread(tb ? Shape{n, k} : Shape{k, n});
          auto expected = Array<double>::zeros({m, n});
          for (std::int64_t i = 0; i < m; ++i) {
            for (std::int64_t j = 0; j < n; ++j) {
              for (std::int64_t p = 0; p < k; ++p) {
                expected.mutate()[i * n + j] += (ta ? a(p, i) : a(i, p)) * (tb ? b(j, p) : b(p, j));
              }
            }
          }
          CAPTURE(m);
          CAPTURE(k);
          CAPTURE(n);
          CAPTURE(t);
          // 70 products of size 1, each rounded to 1e-16.
          CHECK_AGREES(close(matmul(a, b, {.transpose_a = ta, .transpose_b = tb}).array(), expected,
                             1e-13, 1e-13));
        }
      }
    }
  }
}

template <class T>
void check_vector_products(double tolerance) {
  for (const std::int64_t rows : {1, 4, 5, 64, 65, 257, 600}) {
    for (const std::int64_t cols : {1, 7, 8, 16, 17, 63, 64, 100, 128, 129, 520}) {
      const auto x = cast<T>(op::spread({rows, cols})).array();
      const auto right = cast<T>(op::spread({cols}, 3)).array();
      const auto left = cast<T>(op::spread({rows}, 4)).array();
      auto along = Array<double>::zeros({rows}), across = Array<double>::zeros({cols});
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < cols; ++c) {
          along.mutate()[r] += double(x(r, c)) * double(right(c));
          across.mutate()[c] += double(x(r, c)) * double(left(r));
        }
      }
      CAPTURE(rows);
      CAPTURE(cols);
      CHECK_AGREES(close(matmul(x, right).array(), along, tolerance, tolerance));
      CHECK_AGREES(close(matmul(left, x).array(), across, tolerance, tolerance));
      // Into a gradient that is there already.
      Variable<T> w(right);
      Tape tape;
      backward(sum(matmul(x, w) * left) + sum(matmul(x, w) * left));
      CHECK_AGREES(
          close(w.gradient(), (Tensor<double>(across) * 2.0).array(), tolerance, 2 * tolerance));
    }
  }
}

TEST_CASE("products of a matrix and a vector, of every width") {
  check_vector_products<double>(1e-13);  // 600 terms of size 1
  check_vector_products<float>(1e-4);    // the same, in chains of up to 128
}

TEST_CASE("a scalar is made of any number, of 0 too") {
  CHECK(Array<std::int64_t>(0).item() == 0);
  CHECK(Array<double>(0).item() == 0);
  CHECK(Array<bool>(0).item() == false);
  CHECK(Array<std::int64_t>(7).shape() == Shape());
}

TEST_CASE("sizes beyond what an array or OpenBLAS can hold are refused") {
  CHECK_THROWS_WITH_AS(
      (Shape{std::int64_t(1) << 40, std::int64_t(1) << 40}),
      "shape (1099511627776, 1099511627776) has more elements than an array can hold", ShapeError);
  CHECK_THROWS_WITH_AS(
      (Shape{-1}), "shape (-1,) has a negative size; only reshape finds the size -1", ShapeError);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1}), ShapeError);
  const std::int64_t large = std::int64_t(1) << 31;
  CHECK_THROWS_WITH_AS(
      detail::gemm<float>(false, false, large, 2, 3, nullptr, nullptr, nullptr, false),
      "matmul: sizes (2147483648, 3) x (3, 2) are beyond the 32-bit integers of OpenBLAS; split "
      "the "
      "product",
      ShapeError);
}

}  // TEST_SUITE("kernels")
