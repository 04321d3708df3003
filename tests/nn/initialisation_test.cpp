// SPDX-License-Identifier: BSD-3-Clause
// Where weights start: moments, distributions, and what stays the same.
#include "ebb/nn/initialisation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::nn;
using ebb::test::close, ebb::test::same_bits;

namespace {

const Shape wide = {300, 200};  // 60 000 numbers

struct Moments {
  double mean = 0, variance = 0, fourth = 0, low = 0, high = 0;
};
Moments moments(const Array<double>& x) {
  Moments m;
  const double n = double(x.size());
  for (const double e : x) m.mean += e / n;
  for (const double e : x) {
    const double square = (e - m.mean) * (e - m.mean);
    m.variance += square / n;
    m.fourth += square * square / n;
  }
  m.low = *std::min_element(x.begin(), x.end());
  m.high = *std::max_element(x.begin(), x.end());
  return m;
}

/// The largest distance between the distribution of numbers and that of a function (Kolmogorov).
template <class F>
double distance(const Array<double>& x, const F& distribution) {
  std::vector<double> sorted(x.begin(), x.end());
  std::sort(sorted.begin(), sorted.end());
  double most = 0;
  const double n = double(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double f = distribution(sorted[i]);
    most = std::max({most, std::abs(f - double(i) / n), std::abs(f - double(i + 1) / n)});
  }
  return most;
}
/// What the distance exceeds once in a million: sqrt(log(2e6) / 2 n).
double critical(const Array<double>& x) { return std::sqrt(std::log(2e6) / 2 / double(x.size())); }

double below(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

}  // namespace

TEST_SUITE("initialisation") {

TEST_CASE("uniform and normal numbers have their distributions") {
  Stream stream(1);
  const auto u = uniform<double>(wide, -2, 3, stream);
  CHECK(distance(u, [](double x) { return (x + 2) / 5; }) < critical(u));
  const auto n = normal<double>(wide, 1, 0.5, stream);
  CHECK(distance(n, [](double x) { return below((x - 1) / 0.5); }) < critical(n));
  CHECK(normal<double>({3}, 7, 0, stream)[2] == 7);
}

TEST_CASE("truncated normal numbers, around the mean and far from it") {
  Stream stream(2);
  for (const auto& [from, to] :
       {std::pair(-2.0, 2.0), std::pair(-0.5, 0.25), std::pair(-9.0, 9.0), std::pair(0.0, 5.0),
        std::pair(3.0, 4.0), std::pair(3.0, 3.1), std::pair(6.0, 99.0), std::pair(-99.0, -5.0),
        std::pair(1.0, 1.5), std::pair(-0.1, 40.0), std::pair(-1.0, 1.0), std::pair(0.3, 9.0)}) {
    const double low = from, high = to;
    CAPTURE(low);
    CAPTURE(high);
    const auto x = truncated_normal<double>(
        {20'000}, {.mean = 10, .deviation = 2, .low = 10 + 2 * low, .high = 10 + 2 * high}, stream);
    const Moments m = moments(x);
    CHECK(m.low >= 10 + 2 * low);
    CHECK(m.high <= 10 + 2 * high);
    // By the upper tail, which is exact where the lower one is 1.
    const double upper = below(-low), rest = below(-high);
    CHECK(distance(x, [&](double e) {
            return low > 0 ? (upper - below(-(e - 10) / 2)) / (upper - rest)
                           : (below((e - 10) / 2) - below(low)) / (below(high) - below(low));
          }) < critical(x));
  }
}

TEST_CASE("truncated normal numbers take few draws, however far or narrow the interval is") {
  Stream stream(2);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [low, high] :
       {std::pair(-infinity, 1.0), std::pair(-1.0, infinity), std::pair(40.0, infinity),
        std::pair(8.0, 8 + 1e-9), std::pair(1e8, 1e8 + 0.9)}) {
    const Moments m = moments(truncated_normal<double>({100}, {.low = low, .high = high}, stream));
    CHECK(m.low >= low);
    CHECK(m.high <= std::min(high, std::max(5.0, low + 1)));
  }
}

TEST_CASE("Xavier, He and LeCun have the variances of their papers") {
  Stream stream(3);
  // The variance of n numbers has a relative error of about sqrt(2 / n): 0.6 %; five of them.
  const auto check = [&](const Array<double>& x, double variance, bool is_uniform) {
    const Moments m = moments(x);
    CHECK_AGREES(close(m.variance, variance, 0.03));
    CHECK(std::abs(m.mean) < 5 * std::sqrt(variance / double(x.size())));
    CHECK_AGREES(close(m.fourth / (m.variance * m.variance), is_uniform ? 1.8 : 3, 0.06));
    if (is_uniform) CHECK_AGREES(close(m.high, std::sqrt(3 * variance), 1e-3));
  };
  check(xavier_uniform<double>(wide, stream), 2.0 / 500, true);
  check(xavier_normal<double>(wide, stream, tanh_gain), 25.0 / 9 * 2 / 500, false);
  check(he_uniform<double>(wide, stream), 2.0 / 200, true);
  check(he_normal<double>(wide, stream, Fan::out), 2.0 / 300, false);
  check(he_normal<double>(wide, stream, Fan::mean, leaky_relu_gain(0.5)), 1.6 / 250, false);
  check(lecun_uniform<double>(wide, stream), 1.0 / 200, true);
  check(lecun_normal<double>(wide, stream), 1.0 / 200, false);
  // Of a convolution (out, in, 3, 5).
  check(he_normal<double>({40, 100, 3, 5}, stream), 2.0 / 1500, false);
  check(xavier_uniform<double>({40, 100, 3, 5}, stream), 2.0 / (1500 + 600), true);
  CHECK(fans({40, 100, 3, 5}).in == 1500);
  CHECK(fans({40, 100, 3, 5}).out == 600);
}

TEST_CASE_TEMPLATE("orthogonal rows or columns, whichever are fewer", T, float, double) {
  Stream stream(4);
  const double near = sizeof(T) == 4 ? 1e-6 : 1e-14;
  for (const Shape& shape : {Shape{5, 5}, Shape{3, 8}, Shape{8, 3}, Shape{4, 3, 2}, Shape{1, 1}}) {
    const Array<T> w = orthogonal<T>(shape, stream, 2);
    CHECK(w.shape() == shape);
    const std::int64_t rows = shape[0], columns = shape.size() / rows,
                       few = std::min(rows, columns);
    for (std::int64_t a = 0; a < few; ++a) {
      for (std::int64_t b = 0; b < few; ++b) {
        double product = 0;
        for (std::int64_t k = 0; k < std::max(rows, columns); ++k) {
          product += rows <= columns
                         ? double(w.data()[a * columns + k]) * double(w.data()[b * columns + k])
                         : double(w.data()[k * columns + a]) * double(w.data()[k * columns + b]);
        }
        CHECK_AGREES(close(product, a == b ? 4.0 : 0.0, near, 4 * near));
      }
    }
  }
}

TEST_CASE("orthogonal matrices are evenly distributed: no sign is preferred") {
  Stream stream(5);
  int positive = 0;
  double trace = 0;
  for (int k = 0; k < 2000; ++k) {
    const auto w = orthogonal<double>({2, 2}, stream);
    positive += w.data()[0] > 0 ? 1 : 0;
    trace += w.data()[0] + w.data()[3];
  }
  CHECK(std::abs(positive - 1000) < 5 * 23);  // five deviations of sqrt(2000) / 2
  CHECK(std::abs(trace / 2000) < 5 * 1.0 / std::sqrt(2000.0));
}

TEST_CASE("a stream gives the numbers again, in both types") {
  Stream a(6), b(6), c(6);
  const auto x = he_normal<double>({4, 3}, a), y = he_normal<double>({4, 3}, b);
  const auto z = he_normal<float>({4, 3}, c);
  CHECK_AGREES(same_bits(x, y));
  CHECK_AGREES(close(x, z, 1e-6));
  CHECK_FALSE(same_bits(x, he_normal<double>({4, 3}, a)).holds);
}

TEST_CASE("shapes and numbers that do not fit are refused") {
  Stream stream(7);
  CHECK_THROWS_WITH_AS(he_normal<float>({5}, stream),
                       "fans: weights must be (out, in) or (out, in, window...), not (5,); give "
                       "vectors a value by uniform or normal",
                       ShapeError);
  CHECK_THROWS_AS(orthogonal<float>({5}, stream), ShapeError);
  CHECK_THROWS_AS(orthogonal<float>({0, 5}, stream), ShapeError);
  CHECK_THROWS_AS(uniform<double>({2}, -1e308, 1e308, stream), ArgumentError);  // too far apart
  CHECK_THROWS_WITH_AS(uniform<float>({2}, 1, 0, stream),
                       "uniform: low must be at most high, not 1", ArgumentError);
  CHECK_THROWS_AS(normal<float>({2}, 0, -1, stream), ArgumentError);
  CHECK_THROWS_AS(truncated_normal<float>({2}, {.deviation = 0}, stream), ArgumentError);
  CHECK_THROWS_AS(truncated_normal<float>({2}, {.low = 2, .high = 2}, stream), ArgumentError);
}

}  // TEST_SUITE("initialisation")
