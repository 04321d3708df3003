// SPDX-License-Identifier: BSD-3-Clause
// Synthetic data sets: their parameters are found again, and each seed gives the same rows.
#include "ebb/data/sets/synthetic.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close, ebb::test::message_of, ebb::test::same_bits;

namespace {

constexpr double pi = std::numbers::pi;
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
Array<double> in_double(const Array<T>& a) {
  auto result = Array<double>::uninitialized(a.shape());
  std::copy(a.begin(), a.end(), result.mutate());
  return result;
}

/// |estimate - truth| <= 5 standard errors.
bool within(double estimate, double truth, double standard_error) {
  return std::abs(estimate - truth) <= 5 * standard_error;
}

/// Mean and variance are those of n independent draws, whose fourth central moment is given in
/// units of the squared variance (3 for normal numbers, 1.8 for uniform ones).
bool moments_are(const std::vector<double>& values, double mean, double variance, double fourth) {
  const double n = double(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v, squares += (v - mean) * (v - mean);
  return within(sum / n, mean, std::sqrt(variance / n)) &&
         within(squares / n, variance, variance * std::sqrt((fourth - 1) / n));
}

/// Whether least squares find the weights (1, p) within 5 standard errors, and the noise as well.
template <class T>
bool recovers(const Array<T>& x, const Array<T>& y, const Array<T>& weight, double noise) {
  const auto inputs = in_double(x), targets = in_double(y);
  const auto estimate = lstsq(inputs, targets), residual = matmul(inputs, estimate) - targets;
  const auto covariance = inverse(matmul(transpose(inputs), inputs)).array();
  const std::int64_t n = x.shape()[0], p = x.shape()[1];
  bool good = weight.shape() == Shape{1, p};
  for (std::int64_t j = 0; j < p; ++j) {
    good = good && within(estimate.array()[j], weight[j], noise * std::sqrt(covariance(j, j)));
  }
  const double sd = std::sqrt(sum(square(residual)).item() / double(n - p));
  return good && within(sd, noise, noise / std::sqrt(2 * double(n - p)));
}

/// x with a column of ones in front of it.
template <class T>
Array<T> with_ones(const Array<T>& x) {
  return concat({Array<T>::full({x.shape()[0], 1}, 1), x}, 1).array();
}

/// The angle in [0, 2 pi) and the distance of a point from (x, y).
struct Polar {
  double angle, radius;
};
template <class T>
Polar polar(const Array<T>& points, std::int64_t i, double x = 0, double y = 0) {
  const double dx = double(points(i, 0)) - x, dy = double(points(i, 1)) - y;
  const double angle = std::atan2(dy, dx);
  return {angle < 0 ? angle + 2 * pi : angle, std::hypot(dx, dy)};
}

bool takes_turns(const Array<std::int64_t>& y, std::int64_t classes) {
  for (std::int64_t i = 0; i < y.size(); ++i) {
    if (y[i] != i % classes) return false;
  }
  return true;
}

/// The noise of a set: its difference from the set without noise.
template <class T>
std::vector<double> difference(const Array<T>& noisy, const Array<T>& plain) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    result.push_back(double(noisy[i]) - double(plain[i]));
  }
  return result;
}

template <class T>
std::vector<double> values(const Array<T>& a) {
  return {a.begin(), a.end()};
}

/// The arrays x and y of every set, of n rows.
template <class T>
std::vector<Array<T>> every_set(std::int64_t n, std::uint64_t seed) {
  std::vector<Array<T>> all;
  const auto add = [&](const auto& set) {
    all.push_back(set.x);
    if constexpr (requires { all.push_back(set.y); }) all.push_back(set.y);
  };
  add(data::make_linear<T>(n, {.features = 3, .seed = seed}));
  add(data::make_logistic<T>(n, {.features = 3, .seed = seed}));
  add(data::make_blobs<T>(n, {.seed = seed}));
  add(data::make_moons<T>(n, {.seed = seed}));
  add(data::make_circles<T>(n, {.seed = seed}));
  add(data::make_spirals<T>(n, {.seed = seed}));
  add(data::make_sparse_regression<T>(n, {.seed = seed}));
  add(data::make_ill_conditioned_polynomial<T>(n, 5, {.seed = seed}));
  return all;
}

}  // namespace

TEST_SUITE("synthetic") {

TEST_CASE_TEMPLATE("every call gives the same bits, and another seed gives others", T, float,
                   double) {
  const auto a = every_set<T>(40, 1), b = every_set<T>(40, 1), c = every_set<T>(40, 2);
  REQUIRE(a.size() == 12);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    CHECK_AGREES(same_bits(a[i], b[i]));
    CHECK_FALSE(equal(a[i], c[i]));
  }
}

TEST_CASE("fewer rows are the first of more, and float is double rounded") {
  const auto more = every_set<double>(40, 1), fewer = every_set<double>(17, 1);
  const auto single = every_set<float>(40, 1);
  for (std::size_t i = 0; i < more.size(); ++i) {
    CAPTURE(i);
    CHECK_AGREES(same_bits(more[i].leading(0, 17), fewer[i]));
    for (std::int64_t k = 0; k < more[i].size(); ++k) CHECK(single[i][k] == float(more[i][k]));
  }
}

TEST_CASE("the set of a seed never changes") {
  // By a program that shares nothing with this one but the definitions, in 40 digits.
  const double first[] = {-1.8627201219090516,
                          0.82326673917283031,
                          0.3270735309526125,
                          1,
                          -2.1275493633004927,
                          -0.18901527940723646,
                          1.0101755204036231,
                          -0.63410476614670077,
                          -1.5707510934346167,
                          -6.5515577725169209,
                          1,
                          -2.2010988962955634};
  const auto all = every_set<double>(1, 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    // Logarithms, sines and cosines are those of the C library, good to an ulp.
    CHECK(std::abs(all[i][0] - first[i]) <= 1e-14);
  }
}

TEST_CASE_TEMPLATE("linear sets follow their model", T, float, double) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    const auto [x, y, weight, bias] =
        data::make_linear<T>(2000, {.features = 4, .noise = 0.3, .seed = seed});
    CHECK(x.shape() == Shape{2000, 4});
    CHECK(y.shape() == Shape{2000, 1});
    CHECK(weight.shape() == Shape{1, 4});
    CHECK(bias.shape() == Shape{1});
    CHECK(moments_are(values(x), 0, 1, 3));
    const auto parameters = concat({bias.reshape({1, 1}), weight}, 1).array();
    CHECK(recovers(with_ones(x), y, parameters, 0.3));
  }
  // Noise changes y alone; without any, y is on the line.
  const auto plain = data::make_linear<T>(1000, {.features = 2, .noise = 0, .seed = 9});
  const auto noisy = data::make_linear<T>(1000, {.features = 2, .noise = 0.5, .seed = 9});
  CHECK_AGREES(same_bits(plain.x, noisy.x));
  CHECK_AGREES(same_bits(plain.weight, noisy.weight));
  CHECK(moments_are(difference(noisy.y, plain.y), 0, 0.25, 3));
  const auto line = matmul(plain.x, transpose(plain.weight)) + plain.bias;
  // Each factor was rounded once, and the sums of three terms below 10 are.
  CHECK_AGREES(close(line.array(), plain.y, 0, 20 * std::numeric_limits<T>::epsilon()));
}

TEST_CASE("parameters are standard normal over the seeds") {
  std::vector<double> linear, logistic;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto a = data::make_linear<double>(1, {.features = 2, .seed = seed});
    const auto b = data::make_logistic<double>(1, {.features = 2, .scale = 3, .seed = seed});
    for (const double v : {a.weight[0], a.weight[1], a.bias[0]}) linear.push_back(v);
    for (const double v : {b.weight[0], b.weight[1], b.bias[0]}) logistic.push_back(v);
  }
  CHECK(moments_are(linear, 0, 1, 3));
  CHECK(moments_are(logistic, 0, 9, 3));
}

TEST_CASE_TEMPLATE("Newton's method finds the parameters of logistic sets", T, float, double) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    const auto [x, y, weight, bias] = data::make_logistic<T>(4000, {.features = 2, .seed = seed});
    CHECK(y.shape() == Shape{4000, 1});
    CHECK(std::all_of(y.begin(), y.end(), [](T v) { return v == 0 || v == 1; }));
    CHECK(moments_are(values(x), 0, 1, 3));
    const auto inputs = in_double(with_ones(x)), targets = in_double(y);
    auto estimate = Array<double>::zeros({3, 1}), covariance = Array<double>::zeros({3, 3});
    for (int step = 0; step < 20; ++step) {
      const auto p = sigmoid(matmul(inputs, estimate));
      covariance = inverse(matmul(transpose(inputs), p * (1.0 - p) * inputs)).array();
      estimate = (estimate + matmul(covariance, matmul(transpose(inputs), targets - p))).array();
    }
    const double truth[] = {double(bias[0]), double(weight[0]), double(weight[1])};
    for (int j = 0; j < 3; ++j) {
      CHECK(within(estimate[j], truth[j], std::sqrt(covariance(j, j))));
    }
  }
}

TEST_CASE_TEMPLATE("blobs are normal clouds around their centers", T, float, double) {
  const auto [x, y, centers] =
      data::make_blobs<T>(4001, {.classes = 4, .features = 3, .box = 5, .spread = 0.5, .seed = 3});
  CHECK(x.shape() == Shape{4001, 3});
  CHECK(y.shape() == Shape{4001});
  CHECK(centers.shape() == Shape{4, 3});
  CHECK(takes_turns(y, 4));
  for (std::int64_t c = 0; c < 4; ++c) {
    for (std::int64_t j = 0; j < 3; ++j) {
      std::vector<double> column;
      for (std::int64_t i = c; i < 4001; i += 4) column.push_back(double(x(i, j)));
      CHECK(moments_are(column, double(centers(c, j)), 0.25, 3));
    }
  }
  std::vector<double> drawn;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const auto set = data::make_blobs<T>(1, {.box = 5, .seed = seed});
    CHECK(set.centers.shape() == Shape{3, 2});
    for (const T v : set.centers) drawn.push_back(double(v));
  }
  CHECK(std::all_of(drawn.begin(), drawn.end(), [](double v) { return v >= -5 && v <= 5; }));
  CHECK(moments_are(drawn, 0, 25.0 / 3, 1.8));
}

TEST_CASE_TEMPLATE("moons are half circles that reach into each other", T, float, double) {
  const auto plain = data::make_moons<T>(3000, {.noise = 0, .seed = 2});
  CHECK(plain.x.shape() == Shape{3000, 2});
  CHECK(takes_turns(plain.y, 2));
  std::vector<double> upper, lower;
  for (std::int64_t i = 0; i < 3000; ++i) {
    // The lower moon is the upper one turned around (1/2, 1/4), and so its angles are beyond pi.
    const bool low = i % 2;
    const auto [angle, radius] = polar(plain.x, i, low ? 1 : 0, low ? 0.5 : 0);
    (low ? lower : upper).push_back(angle);
    // A point was rounded, and so was its angle.
    CHECK(std::abs(radius - 1) <= 8 * double(std::numeric_limits<T>::epsilon()));
  }
  CHECK(moments_are(upper, pi / 2, pi * pi / 12, 1.8));
  CHECK(moments_are(lower, 3 * pi / 2, pi * pi / 12, 1.8));
  CHECK(*std::max_element(upper.begin(), upper.end()) <= pi + 1e-6);
  CHECK(*std::min_element(lower.begin(), lower.end()) >= pi - 1e-6);
  const auto noisy = data::make_moons<T>(3000, {.noise = 0.2, .seed = 2});
  CHECK(moments_are(difference(noisy.x, plain.x), 0, 0.04, 3));
}

TEST_CASE_TEMPLATE("circles have their radii and uniform angles", T, float, double) {
  const auto plain = data::make_circles<T>(3000, {.factor = 0.25, .noise = 0, .seed = 2});
  CHECK(plain.x.shape() == Shape{3000, 2});
  CHECK(takes_turns(plain.y, 2));
  std::vector<double> outer, inner;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const auto [angle, radius] = polar(plain.x, i);
    (i % 2 ? inner : outer).push_back(angle);
    CHECK(std::abs(radius - (i % 2 ? 0.25 : 1)) <= 8 * double(std::numeric_limits<T>::epsilon()));
  }
  CHECK(moments_are(outer, pi, pi * pi / 3, 1.8));
  CHECK(moments_are(inner, pi, pi * pi / 3, 1.8));
  const auto noisy = data::make_circles<T>(3000, {.factor = 0.25, .noise = 0.2, .seed = 2});
  CHECK(moments_are(difference(noisy.x, plain.x), 0, 0.04, 3));
}

TEST_CASE_TEMPLATE("spirals turn with the distance from the origin", T, float, double) {
  const auto plain = data::make_spirals<T>(3000, {.classes = 3, .turns = 2, .noise = 0, .seed = 2});
  CHECK(plain.x.shape() == Shape{3000, 2});
  CHECK(takes_turns(plain.y, 3));
  std::vector<double> squares;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const auto [angle, radius] = polar(plain.x, i);
    squares.push_back(radius * radius);
    const double turns = 2 * radius + double(i % 3) / 3 - angle / (2 * pi);
    // Near the origin the rounding of a point turns it by ten times as much.
    CHECK(std::abs(turns - std::round(turns)) <= 80 * double(std::numeric_limits<T>::epsilon()));
  }
  CHECK(moments_are(squares, 0.505, 0.99 * 0.99 / 12, 1.8));
  CHECK(*std::min_element(squares.begin(), squares.end()) >= 0.01 - 1e-6);
  const auto noisy =
      data::make_spirals<T>(3000, {.classes = 3, .turns = 2, .noise = 0.1, .seed = 2});
  CHECK(moments_are(difference(noisy.x, plain.x), 0, 0.01, 3));
}

TEST_CASE_TEMPLATE("sparse regression knows its support", T, float, double) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    const auto [x, y, weight, support] = data::make_sparse_regression<T>(
        1000, {.features = 30, .informative = 4, .noise = 0.5, .seed = seed});
    CHECK(x.shape() == Shape{1000, 30});
    CHECK(support.size() == 4);
    CHECK(std::is_sorted(support.begin(), support.end()));
    for (std::int64_t j = 0; j < 30; ++j) {
      const double size = std::abs(double(weight[j]));
      if (std::count(support.begin(), support.end(), j)) {
        CHECK_UNARY(size >= 1 && size <= 2);
      } else {
        CHECK(size == 0);
      }
    }
    CHECK(moments_are(values(x), 0, 1, 3));
    CHECK(recovers(x, y, weight, 0.5));
  }
  // Every column may be one of them, with either sign.
  std::set<std::int64_t> columns;
  std::vector<double> weights;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto set =
        data::make_sparse_regression<T>(1, {.features = 6, .informative = 2, .seed = seed});
    columns.insert(set.support.begin(), set.support.end());
    for (const std::int64_t j : set.support) weights.push_back(double(set.weight[j]));
  }
  CHECK(columns.size() == 6);
  // Uniform in [1, 2) with a random sign: mean square 7/3, mean fourth power 31/5.
  CHECK(moments_are(weights, 0, 7.0 / 3, 31.0 / 5 / (49.0 / 9)));
  CHECK(data::make_sparse_regression<T>(3, {.informative = 0}).support.empty());
  CHECK(data::make_sparse_regression<T>(3, {.features = 2, .informative = 2}).support.size() == 2);
}

TEST_CASE_TEMPLATE("an ill-conditioned polynomial follows its model", T, float, double) {
  const auto [x, y, weight] =
      data::make_ill_conditioned_polynomial<T>(4000, 3, {.noise = 0.1, .seed = 4});
  CHECK(x.shape() == Shape{4000, 4});
  CHECK(recovers(x, y, weight, 0.1));
  for (std::int64_t i = 0; i < 4000; ++i) {
    const double t = double(x(i, 1));
    CHECK(x(i, 0) == 1);
    // Rounded once; t itself was too.
    CHECK(std::abs(double(x(i, 3)) - t * t * t) <= 4 * double(std::numeric_limits<T>::epsilon()));
  }
  // The mean of t^(j + k) is 1 / (j + k + 1).
  const auto gram = matmul(transpose(in_double(x)), in_double(x)).array();
  for (std::int64_t j = 0; j < 4; ++j) {
    for (std::int64_t k = 0; k < 4; ++k) {
      const double m = double(j + k), mean = 1 / (m + 1);
      const double variance = 1 / (2 * m + 1) - mean * mean;
      // An absolute 1e-6 for the rounding of the powers.
      CHECK(std::abs(gram(j, k) / 4000 - mean) <= 5 * std::sqrt(variance / 4000) + 1e-6);
    }
  }
  std::vector<double> weights;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const auto set = data::make_ill_conditioned_polynomial<T>(1, 3, {.seed = seed});
    for (const T v : set.weight) weights.push_back(double(v));
  }
  CHECK(moments_are(weights, 0, 1, 3));
  CHECK(data::make_ill_conditioned_polynomial<T>(2, 0).x.shape() == Shape{2, 1});
}

TEST_CASE("the condition of the polynomial is that of the Hilbert matrix") {
  const auto condition = [](std::int64_t degree) {
    const auto set = data::make_ill_conditioned_polynomial<double>(5000, degree);
    const auto s = svd(set.x).s.array();
    return s[0] / s[degree];
  };
  // The square roots of 1.6e7 and 1.6e13, the condition numbers of the Hilbert matrices of order 6
  // and 10; a random sample is near to that.
  CHECK(condition(5) > 0.5 * std::sqrt(1.495e7));
  CHECK(condition(5) < 2 * std::sqrt(1.495e7));
  CHECK(condition(9) > 0.5 * std::sqrt(1.603e13));
  CHECK(condition(9) < 2 * std::sqrt(1.603e13));
}

TEST_CASE("sizes that make no set are refused") {
  CHECK(message_of<ArgumentError>([] { data::make_linear<float>(0); }) ==
        "make_linear: 0 rows; there must be at least 1");
  CHECK(message_of<ArgumentError>([] { data::make_linear<float>(5, {.features = -1}); }) ==
        "make_linear: -1 features; there must be at least 1");
  CHECK(message_of<ArgumentError>([] { data::make_linear<float>(5, {.noise = -0.5}); }) ==
        "make_linear: a noise of -0.5; it must be finite and at least 0");
  CHECK(message_of<ArgumentError>([] { data::make_logistic<float>(5, {.scale = infinity}); }) ==
        "make_logistic: a scale of inf; it must be finite and at least 0");
  CHECK(message_of<ArgumentError>([] { data::make_blobs<float>(5, {.classes = 0}); }) ==
        "make_blobs: 0 classes; there must be at least 1");
  CHECK(message_of<ArgumentError>([] { data::make_circles<float>(5, {.factor = 1}); }) ==
        "make_circles: a factor of 1; it must be inside (0, 1)");
  CHECK(message_of<ArgumentError>([] { data::make_spirals<float>(5, {.turns = -1}); }) ==
        "make_spirals: a number of turns of -1; it must be finite and at least 0");
  CHECK(message_of<ArgumentError>(
            [] { data::make_sparse_regression<float>(5, {.features = 3, .informative = 4}); }) ==
        "make_sparse_regression: 4 informative features of 3; there cannot be more than features");
  CHECK(message_of<ArgumentError>([] {
          data::make_sparse_regression<float>(5, {.informative = -1});
        }) == "make_sparse_regression: -1 informative features; there must be at least 0");
  CHECK(message_of<ArgumentError>([] { data::make_ill_conditioned_polynomial<float>(5, -1); }) ==
        "make_ill_conditioned_polynomial: -1 as degree; there must be at least 0");
  const double nan = std::nan("");
  CHECK_THROWS_AS(data::make_logistic<float>(0), ArgumentError);
  CHECK_THROWS_AS(data::make_logistic<float>(5, {.features = 0}), ArgumentError);
  CHECK_THROWS_AS(data::make_blobs<float>(-1), ArgumentError);
  CHECK_THROWS_AS(data::make_blobs<float>(5, {.features = 0}), ArgumentError);
  CHECK_THROWS_AS(data::make_blobs<float>(5, {.box = nan}), ArgumentError);
  CHECK_THROWS_AS(data::make_blobs<float>(5, {.spread = -1}), ArgumentError);
  CHECK_THROWS_AS(data::make_moons<float>(0), ArgumentError);
  CHECK_THROWS_AS(data::make_moons<float>(5, {.noise = nan}), ArgumentError);
  CHECK_THROWS_AS(data::make_circles<float>(0), ArgumentError);
  CHECK_THROWS_AS(data::make_circles<float>(5, {.factor = 0}), ArgumentError);
  CHECK_THROWS_AS(data::make_circles<float>(5, {.noise = infinity}), ArgumentError);
  CHECK_THROWS_AS(data::make_spirals<float>(0), ArgumentError);
  CHECK_THROWS_AS(data::make_spirals<float>(5, {.classes = 0}), ArgumentError);
  CHECK_THROWS_AS(data::make_spirals<float>(5, {.noise = -1}), ArgumentError);
  CHECK_THROWS_AS(data::make_sparse_regression<float>(0), ArgumentError);
  CHECK_THROWS_AS(data::make_sparse_regression<float>(5, {.features = 0}), ArgumentError);
  CHECK_THROWS_AS(data::make_sparse_regression<float>(5, {.noise = nan}), ArgumentError);
  CHECK_THROWS_AS(data::make_ill_conditioned_polynomial<float>(0, 3), ArgumentError);
  CHECK_THROWS_AS(data::make_ill_conditioned_polynomial<float>(5, 3, {.noise = -1}), ArgumentError);
  // More than memory can hold is refused before it is drawn.
  const auto huge = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_AS(data::make_moons<float>(huge), ShapeError);
  CHECK_THROWS_AS(data::make_blobs<float>(1, {.classes = huge, .features = 8}), ShapeError);
  CHECK_THROWS_WITH(
      data::make_blobs<float>(1, {.classes = 1LL << 40, .features = 1LL << 40}),
      "make_blobs: shape (1099511627776, 1099511627776) has more elements than an array can hold");
  CHECK_THROWS_AS(data::make_linear<float>(1, {.features = huge}), ShapeError);
  CHECK_THROWS_AS(data::make_logistic<float>(1, {.features = huge}), ShapeError);
  CHECK_THROWS_AS(data::make_sparse_regression<float>(1, {.features = huge}), ShapeError);
  CHECK_THROWS_AS(data::make_ill_conditioned_polynomial<float>(1, huge), ShapeError);
}

}  // TEST_SUITE("synthetic")
