// SPDX-License-Identifier: BSD-3-Clause
// Products, statistics, norms and scans against plain loops in a higher precision, and at the
// places where they are easily wrong: zeros, equal elements, too few, and the ends of the range.
#include <cmath>
#include <functional>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<long double>;

/// f of all elements that go into each result of a reduction along these axes.
Array<double> by_loop(const Array<double>& x, unsigned mask,
                      const std::function<long double(const Values&)>& f) {
  Shape shape = x.shape();
  for (int i = 0; i < 3; ++i) {
    if (mask >> i & 1U) shape = shape.with(i, 1);
  }
  std::vector<Values> groups(std::size_t(shape.size()));
  for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
    for (std::int64_t j = 0; j < x.shape()[1]; ++j) {
      for (std::int64_t k = 0; k < x.shape()[2]; ++k) {
        const std::int64_t p = mask & 1 ? 0 : i, q = mask & 2 ? 0 : j, r = mask & 4 ? 0 : k;
        groups[std::size_t((p * shape[1] + q) * shape[2] + r)].push_back(x(i, j, k));
      }
    }
  }
  auto y = Array<double>::uninitialized(shape);
  for (std::size_t i = 0; i < groups.size(); ++i) y.mutate()[i] = double(f(groups[i]));
  return y;
}

long double variance(const Values& x, long double correction) {
  long double mean = 0, squares = 0;
  for (const long double v : x) mean += v / (long double)(x.size());
  for (const long double v : x) squares += (v - mean) * (v - mean);
  return squares / ((long double)(x.size()) - correction);
}

long double p_norm(const Values& x, long double p) {
  long double sum = 0, largest = 0;
  for (const long double v : x) {
    sum += std::pow(std::abs(v), p);
    largest = std::max(largest, std::abs(v));
  }
  return std::isinf(p) ? largest : std::pow(sum, 1 / p);
}

template <class F>
Array<double> slope(F f, const Array<double>& x) {
  return gradient([&](const auto& v) { return sum(f(v)); }, x).array();
}

}  // namespace

TEST_SUITE("statistics") {

TEST_CASE("products, variances and norms agree with a plain loop along every axis") {
  const auto x = op::spread({5, 13, 37}, 1.5);
  for (unsigned mask = 1; mask < 8; ++mask) {
    std::vector<int> list;
    for (int i = 0; i < 3; ++i) {
      if (mask >> i & 1U) list.push_back(i);
    }
    const Axes axes(list);
    CAPTURE(mask);
    CHECK_AGREES(close(prod(x, axes, true).array(),
                       by_loop(x, mask,
                               [](const Values& v) {
                                 long double product = 1;
                                 for (const long double factor : v) product *= factor;
                                 return product;
                               }),
                       1e-13));  // 2405 factors, each rounded to 1e-16
    for (const double correction : {0.0, 1.0, 1.5}) {
      const auto expected =
          by_loop(x, mask, [=](const Values& v) { return variance(v, correction); });
      CHECK_AGREES(close(var(x, axes, {.correction = correction, .keepdim = true}).array(),
                         expected, 1e-14));
      CHECK_AGREES(close(stddev(x, axes, {.correction = correction, .keepdim = true}).array(),
                         sqrt(expected).array(), 1e-14));
    }
    for (const double p : {1.0, 2.0, 0.5, 3.5, inf}) {
      CAPTURE(p);
      CHECK_AGREES(close(norm(x, p, axes, true).array(),
                         by_loop(x, mask, [=](const Values& v) { return p_norm(v, p); }), 1e-14));
    }
  }
  CHECK(var(x, {0, 2}).shape() == Shape{13});
  // Options by name are not axes.
  const auto two = Array<double>::of({1, 3});
  CHECK(var(two, {.correction = 0}).item() == 1);
  CHECK(stddev(two, {.correction = 0, .keepdim = true}).shape() == Shape{1});
  CHECK_THROWS_AS(var(two, {.correction = -1}), ArgumentError);
  CHECK(prod(x).shape() == Shape{});
}

TEST_CASE("a variance takes two passes: a large mean costs no digits") {
  const auto x = Array<double>::of({1e9 + 1, 1e9 + 2, 1e9 + 3});
  CHECK(var(x).item() == 1);
  CHECK(stddev(x, 0, {.correction = 0}).item() == std::sqrt(2.0 / 3));
  CHECK(var(Array<float>::of({1e4f, 1e4f + 1})).item() == 0.5f);
}

TEST_CASE("the spread of numbers does not overflow before its result does, nor vanish") {
  const auto steps = Array<double>::of({1, 2, 4, 10});
  for (const double size : {1e307, 1e200, 1e-200, 5e-308}) {
    CAPTURE(size);
    const double expected = size * stddev(steps).item();
    // The sizes are no powers of two: each product is rounded to 1e-16.
    CHECK_AGREES(
        close(stddev((steps - 4) * size).array(), Array<double>::full({}, expected), 1e-15));
    CHECK(equal(var(steps * size).array(), Array<double>::full({}, expected * expected)));
    const auto slopes = [](const auto& x) {
      return slope([](const auto& v) { return stddev(v); }, x);
    };
    CHECK_AGREES(close(slopes(((steps - 4) * size).array()), slopes(steps), 1e-14));
  }
  const auto shifted = Array<double>::of({1, 1 + 1e-12, 1 - 1e-12});
  CHECK(stddev(shifted).item() == stddev((shifted * 0x1p+900).array()).item() * 0x1p-900);
  CHECK(var(Array<double>::full({5}, 1e308)).item() == 0);
  CHECK(std::isnan(stddev(Array<double>::of({inf, 1})).item()));
}

TEST_CASE("a variance of too few elements is NaN, and equal elements have a slope of 0") {
  CHECK(std::isnan(var(Array<double>::of({3})).item()));
  CHECK(std::isnan(stddev(Array<double>::of({3, 4}), 0, {.correction = 3}).item()));
  CHECK(std::isnan(var(Array<double>::zeros({0, 2}), 0, {.correction = 0}).array()[1]));
  CHECK(std::isnan(var(Array<double>::of({1, nan_value})).item()));
  CHECK(var(Array<double>::of({3}), 0, {.correction = 0}).item() == 0);
  const auto same = Array<double>::of({2, 2, 2});
  const auto by_std = slope([](const auto& x) { return stddev(x); }, same);
  CHECK(equal(by_std, Array<double>::zeros({3})));
}

TEST_CASE("a norm of a high order is no larger than it should be") {
  for (const double v : {0.75, 1.9, 1e300}) {
    CHECK(std::abs(norm(Array<double>::of({v}), 2000).item() / v - 1) <= 1e-15);
    // Two equal ones: the root of 2, of a high order.
    CHECK(std::abs(norm(Array<double>::of({v, -v}), 2000).item() / v - std::exp2(1.0 / 2000)) <=
          1e-15);
  }
}

TEST_CASE("norms at 0, at both ends of the range, and of special values") {
  for (const double p : {1.0, 2.0, 1.5, 3.0, inf}) {
    CAPTURE(p);
    const auto f = [=](const auto& x) { return norm(x, p); };
    CHECK(f(Array<double>::zeros({3})).item() == 0);
    CHECK(equal(slope(f, Array<double>::zeros({3})), Array<double>::zeros({3})));
    CHECK(slope(f, Array<double>::of({0, -3}))[0] == 0);
    CHECK(slope(f, Array<double>::of({0, -3}))[1] == -1);
    CHECK(std::isnan(f(Array<double>::of({nan_value, 1})).item()));
    CHECK(std::isnan(f(Array<double>::of({1, nan_value, 2})).item()));
    CHECK(f(Array<double>::of({1, -inf})).item() == inf);
    for (const double size : {1e-320, 1e-300, 1e300}) {
      CAPTURE(size);
      const auto y = f(Array<double>::of({3 * size, 4 * size})).item();
      CHECK(std::abs(y / (size * double(p_norm({3, 4}, p))) - 1) < (size < 1e-310 ? 1e-2 : 1e-14));
    }
  }
  CHECK(norm(Array<float>::of({3e30f, 4e30f})).item() == 5e30f);
  const auto ties =
      slope([](const auto& x) { return norm(x, inf); }, Array<double>::of({2, 1, -2}));
  CHECK(equal(ties, Array<double>::of({0.5, 0, -0.5})));
}

TEST_CASE("the product of elements with zeros has the right gradient") {
  const auto f = [](const auto& x) { return prod(x); };
  CHECK(equal(slope(f, Array<double>::of({2, 3, 4})), Array<double>::of({12, 8, 6})));
  CHECK(equal(slope(f, Array<double>::of({2, 0, 4})), Array<double>::of({0, 8, 0})));
  CHECK(equal(slope(f, Array<double>::of({2, 0, 0})), Array<double>::zeros({3})));
  CHECK(prod(Array<double>::zeros({0})).item() == 1);
  const auto row = hvp(f, Array<double>::of({2, 0, 0}), Array<double>::of({0, 1, 0}));
  CHECK(equal(row.array(), Array<double>::of({0, 0, 2})));
}

TEST_CASE("the gradient of a product is finite wherever the products of the others are") {
  const auto product = [](const auto& x) { return prod(x); };
  const auto x = Array<double>::of({1e200, 1e200, 1e-200, 1e-200});
  CHECK_AGREES(close(gradient(product, x).array(),
                     Array<double>::of({1e-200, 1e-200, 1e200, 1e200}), 4e-16));
  auto y = Array<float>::full({90}, 10.0f);
  for (int i = 45; i < 90; ++i) y.mutate()[i] = 0.1f;
  const auto g = gradient(product, y).array();
  // The products of ninety rounded numbers.
  CHECK_AGREES(close(g, (prod(y) / Tensor<float>(y)).array(), 1e-5));
  const auto largest = Array<double>::of({0x1p1023, 0x1p1023, 0x1p-1022, 0x1p-1022, 0x1p-1074});
  CHECK(gradient(product, largest).array()[4] == 4);
}

TEST_CASE("the cosine of vectors whose product would overflow, and of such that would vanish") {
  const auto a = Array<float>::of({{1e20f, 1e20f}, {1e-30f, 1e-30f}});
  const auto b = Array<float>::of({{1e20f, 0}, {1e-30f, 0}});
  // A rounded root, product and sum.
  const auto half_root = Array<float>::of({0.70710678f, 0.70710678f});
  CHECK_AGREES(close(cosine_similarity(a, b, 1, 0).array(), half_root, 3e-7));
}

TEST_CASE("the norm at 0 has slope 0, and so has its slope") {
  for (const double p : {1.5, 2.0, 3.0}) {
    CAPTURE(p);
    const auto f = [p](const auto& x) { return norm(x, p); };
    CHECK(equal(hessian(f, Array<double>::zeros({2})).array(), Array<double>::zeros({2, 2})));
  }
}

TEST_CASE("running sums and products agree with a plain loop along every axis") {
  const auto x = op::spread({3, 7, 5}, 1.5);
  for (int axis = 0; axis < 3; ++axis) {
    auto sums = x, products = x;
    double *s = sums.mutate(), *p = products.mutate();
    const std::int64_t step = axis == 0 ? 35 : axis == 1 ? 5 : 1;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      if (i / step % x.shape()[axis] == 0) continue;
      s[i] += s[i - step];
      p[i] *= p[i - step];
    }
    CAPTURE(axis);
    CHECK_AGREES(same_bits(cumsum(x, axis).array(), sums));
    CHECK_AGREES(same_bits(cumprod(x, axis).array(), products));
  }
  // 0.1f a million times: in float the sum is off by a percent.
  const auto sums = cumsum(Array<float>::full({1000000}, 0.1f), 0).array();
  CHECK(sums[999999] == float(1000000 * double(0.1f)));
}

TEST_CASE("the smallest element shares its gradient among ties") {
  const auto f = [](const auto& x) { return min(x); };
  CHECK(equal(slope(f, Array<double>::of({1, 3, 1})), Array<double>::of({0.5, 0, 0.5})));
}

TEST_CASE("running sums of any number of lines start at an end, and keep the sign of zero") {
  for (const Shape& shape : {Shape{19, 7}, Shape{2, 1, 5, 3, 2}, Shape{3, 0, 2}, Shape{1, 8, 1}}) {
    const auto x = op::spread(shape, 20), weights = op::spread(shape, 3);
    for (int axis = 0; axis < shape.rank(); ++axis) {
      CAPTURE(to_string(shape));
      CAPTURE(axis);
      std::int64_t inner = 1;
      for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
      auto forth = Array<double>::uninitialized(shape), back = Array<double>::uninitialized(shape);
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const bool first = i / inner % shape[axis] == 0;
        forth.mutate()[i] = first ? x[i] : forth[i - inner] + x[i];
      }
      for (std::int64_t i = x.size() - 1; i >= 0; --i) {
        const bool last = i / inner % shape[axis] == shape[axis] - 1;
        back.mutate()[i] = last ? weights[i] : back[i + inner] + weights[i];
      }
      const auto total = [&](const auto& v) {
        return sum(cumsum(v, axis - shape.rank()) * weights);
      };
      CHECK_AGREES(same_bits(cumsum(x, axis).array(), forth));
      CHECK_AGREES(same_bits(gradient(total, x).array(), back));
    }
  }
  const auto zeros = Array<double>::of({-0.0, -0.0, 0.0, -0.0});
  CHECK_AGREES(same_bits(cumsum(zeros, 0).array(), Array<double>::of({-0.0, -0.0, 0, 0})));
  const auto ends = Array<double>::of({1e308, 1e308, -inf, 1});
  const auto sums = cumsum(ends, 0).array();
  CHECK(sums[1] == inf);
  CHECK(std::isnan(sums[2]));
  CHECK(std::isnan(sums[3]));
}

}  // TEST_SUITE("statistics")
