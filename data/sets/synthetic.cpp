// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::data {
namespace {

/// A separate random stream for each kind of set. Parameters and rows are drawn from different
/// streams, so that the number of rows changes neither.
constexpr std::uint64_t tag_of_sets = 0x736574735f5f7631;  // "sets__v1"
enum class SetKind : std::uint64_t {
  linear,
  logistic,
  blobs,
  moons,
  circles,
  spirals,
  sparse,
  powers
};

struct Streams {
  Streams(SetKind kind, std::uint64_t seed)
      : Streams(Stream(seed).split(tag_of_sets).split(std::uint64_t(kind))) {}
  explicit Streams(const Stream& both) : parameters(both.split(0)), rows(both.split(1)) {}

  Stream parameters, rows;
};

void check_count(const char* name, std::int64_t count, const char* what, std::int64_t least = 1) {
  if (count >= least) {
    // A size that an array cannot have is refused before anything is drawn.
    ebb::detail::shape_for(name, std::span(&count, 1));
    return;
  }
  throw ArgumentError(std::string(name) + ": " + std::to_string(count) + " " + what +
                      "; there must be at least " + std::to_string(least));
}

void check_size(const char* name, double size, const char* what) {
  if (size >= 0 && std::isfinite(size)) return;
  throw ArgumentError(std::string(name) + ": a " + what + " of " + ebb::detail::to_text(size) +
                      "; it must be finite and at least 0");
}

std::vector<double> normal_numbers(std::int64_t count, double scale, Stream& stream) {
  std::vector<double> values(std::size_t(count), 0);
  for (double& value : values) value = scale * stream.normal();
  return values;
}

template <class T>
Array<T> rounded(const Shape& shape, const std::vector<double>& values) {
  auto array = Array<T>::uninitialized(shape);
  std::transform(values.begin(), values.end(), array.mutate(), [](double v) { return T(v); });
  return array;
}

/// Draws x (n, weight.size()) and y (n, 1): `input(row)` draws a row of x, and `target(x weight^T +
/// bias)` its y.
template <class T, class Input, class Target>
std::pair<Array<T>, Array<T>> linear_rows(std::int64_t n, const std::vector<double>& weight,
                                          double bias, Input input, Target target) {
  const auto d = std::int64_t(weight.size());
  auto x = Array<T>::uninitialized({n, d}), y = Array<T>::uninitialized({n, 1});
  T *to_x = x.mutate(), *to_y = y.mutate();
  std::vector<double> row(weight.size());
  for (std::int64_t i = 0; i < n; ++i) {
    input(row);
    double sum = bias;
    for (std::size_t j = 0; j < row.size(); ++j) {
      sum += row[j] * weight[j];
      *to_x++ = T(row[j]);
    }
    *to_y++ = T(target(sum));
  }
  return {std::move(x), std::move(y)};
}

/// Draws a row of standard normal numbers.
auto normal_input(Stream& stream) {
  return [&stream](std::vector<double>& row) {
    for (double& value : row) value = stream.normal();
  };
}

auto with_noise(double noise, Stream& stream) {
  return [noise, &stream](double value) { return value + noise * stream.normal(); };
}

/// Draws points in the plane whose classes alternate; `point(class)` draws one point.
template <class T, class Point>
TensorDataset<T, std::int64_t> plane(std::int64_t n, std::int64_t classes, double noise,
                                     Stream& stream, Point point) {
  auto x = Array<T>::uninitialized({n, 2});
  auto y = Array<std::int64_t>::uninitialized({n});
  T* to_x = x.mutate();
  std::int64_t* to_y = y.mutate();
  const auto noisy = with_noise(noise, stream);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::pair<double, double> p = point(i % classes);
    *to_x++ = T(noisy(p.first));
    *to_x++ = T(noisy(p.second));
    *to_y++ = i % classes;
  }
  return {std::move(x), std::move(y)};
}

std::pair<double, double> polar(double radius, double angle) {
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace

template <Real T>
LinearSet<T> make_linear(std::int64_t n, LinearSetOptions options) {
  const char* const name = "make_linear";
  check_count(name, n, "rows");
  check_count(name, options.features, "features");
  check_size(name, options.noise, "noise");
  Streams streams(SetKind::linear, options.seed);
  const auto bias = normal_numbers(1, 1, streams.parameters);
  const auto weight = normal_numbers(options.features, 1, streams.parameters);
  auto [x, y] = linear_rows<T>(n, weight, bias[0], normal_input(streams.rows),
                               with_noise(options.noise, streams.rows));
  return {x, y, rounded<T>({1, options.features}, weight), rounded<T>({1}, bias)};
}
EBB_FOR_REALS(make_linear)

template <Real T>
LinearSet<T> make_logistic(std::int64_t n, LogisticSetOptions options) {
  const char* const name = "make_logistic";
  check_count(name, n, "rows");
  check_count(name, options.features, "features");
  check_size(name, options.scale, "scale");
  Streams streams(SetKind::logistic, options.seed);
  const auto bias = normal_numbers(1, options.scale, streams.parameters);
  const auto weight = normal_numbers(options.features, options.scale, streams.parameters);
  auto [x, y] = linear_rows<T>(n, weight, bias[0], normal_input(streams.rows), [&](double logit) {
    return streams.rows.uniform() < 1 / (1 + std::exp(-logit)) ? 1.0 : 0.0;
  });
  return {x, y, rounded<T>({1, options.features}, weight), rounded<T>({1}, bias)};
}
EBB_FOR_REALS(make_logistic)

template <Real T>
BlobsSet<T> make_blobs(std::int64_t n, BlobsOptions options) {
  const char* const name = "make_blobs";
  check_count(name, n, "rows");
  check_count(name, options.classes, "classes");
  check_count(name, options.features, "features");
  check_size(name, options.box, "box");
  check_size(name, options.spread, "spread");
  Streams streams(SetKind::blobs, options.seed);
  const std::int64_t d = options.features;
  const std::int64_t sizes[] = {options.classes, d};
  const Shape shape = ebb::detail::shape_for(name, sizes);  // throws if no memory holds so many
  std::vector<double> centers(std::size_t(shape.size()));
  for (double& c : centers) c = options.box * (2 * streams.parameters.uniform() - 1);
  auto x = Array<T>::uninitialized({n, d});
  auto y = Array<std::int64_t>::uninitialized({n});
  T* to_x = x.mutate();
  std::int64_t* to_y = y.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t c = i % options.classes;
    for (std::int64_t j = 0; j < d; ++j) {
      *to_x++ = T(centers[std::size_t(c * d + j)] + options.spread * streams.rows.normal());
    }
    *to_y++ = c;
  }
  return {std::move(x), std::move(y), rounded<T>(shape, centers)};
}
EBB_FOR_REALS(make_blobs)

template <Real T>
TensorDataset<T, std::int64_t> make_moons(std::int64_t n, MoonsOptions options) {
  check_count("make_moons", n, "rows");
  check_size("make_moons", options.noise, "noise");
  Streams streams(SetKind::moons, options.seed);
  return plane<T>(n, 2, options.noise, streams.rows, [&](std::int64_t c) {
    const auto [x, y] = polar(1, std::numbers::pi * streams.rows.uniform());
    return c == 0 ? std::pair(x, y) : std::pair(1 - x, 0.5 - y);
  });
}
EBB_FOR_REALS(make_moons)

template <Real T>
TensorDataset<T, std::int64_t> make_circles(std::int64_t n, CirclesOptions options) {
  check_count("make_circles", n, "rows");
  check_size("make_circles", options.noise, "noise");
  if (!(options.factor > 0 && options.factor < 1)) {
    throw ArgumentError("make_circles: a factor of " + ebb::detail::to_text(options.factor) +
                        "; it must be inside (0, 1)");
  }
  Streams streams(SetKind::circles, options.seed);
  return plane<T>(n, 2, options.noise, streams.rows, [&](std::int64_t c) {
    return polar(c == 0 ? 1 : options.factor, 2 * std::numbers::pi * streams.rows.uniform());
  });
}
EBB_FOR_REALS(make_circles)

template <Real T>
TensorDataset<T, std::int64_t> make_spirals(std::int64_t n, SpiralsOptions options) {
  check_count("make_spirals", n, "rows");
  check_count("make_spirals", options.classes, "classes");
  check_size("make_spirals", options.turns, "number of turns");
  check_size("make_spirals", options.noise, "noise");
  Streams streams(SetKind::spirals, options.seed);
  return plane<T>(n, options.classes, options.noise, streams.rows, [&](std::int64_t c) {
    const double radius = std::sqrt(0.01 + 0.99 * streams.rows.uniform());
    const double turns = options.turns * radius + double(c) / double(options.classes);
    return polar(radius, 2 * std::numbers::pi * turns);
  });
}
EBB_FOR_REALS(make_spirals)

template <Real T>
SparseSet<T> make_sparse_regression(std::int64_t n, SparseSetOptions options) {
  const char* const name = "make_sparse_regression";
  check_count(name, n, "rows");
  check_count(name, options.features, "features");
  check_count(name, options.informative, "informative features", 0);
  check_size(name, options.noise, "noise");
  if (options.informative > options.features) {
    throw ArgumentError(std::string(name) + ": " + std::to_string(options.informative) +
                        " informative features of " + std::to_string(options.features) +
                        "; there cannot be more than features");
  }
  Streams streams(SetKind::sparse, options.seed);
  auto support = permutation(options.features, streams.parameters);
  support.resize(std::size_t(options.informative));
  std::sort(support.begin(), support.end());
  std::vector<double> weight(std::size_t(options.features), 0);
  for (const std::int64_t feature : support) {
    const double size = 1 + streams.parameters.uniform();
    weight[std::size_t(feature)] = streams.parameters.uniform() < 0.5 ? -size : size;
  }
  auto [x, y] = linear_rows<T>(n, weight, 0, normal_input(streams.rows),
                               with_noise(options.noise, streams.rows));
  return {x, y, rounded<T>({1, options.features}, weight), std::move(support)};
}
EBB_FOR_REALS(make_sparse_regression)

template <Real T>
PolynomialSet<T> make_ill_conditioned_polynomial(std::int64_t n, std::int64_t degree,
                                                 PolynomialSetOptions options) {
  const char* const name = "make_ill_conditioned_polynomial";
  check_count(name, n, "rows");
  check_count(name, degree, "as degree", 0);
  check_size(name, options.noise, "noise");
  Streams streams(SetKind::powers, options.seed);
  const auto weight = normal_numbers(degree + 1, 1, streams.parameters);
  const auto powers = [&](std::vector<double>& row) {
    const double t = streams.rows.uniform();
    double power = 1;
    for (double& value : row) value = power, power *= t;
  };
  auto [x, y] = linear_rows<T>(n, weight, 0, powers, with_noise(options.noise, streams.rows));
  return {x, y, rounded<T>({1, degree + 1}, weight)};
}
EBB_FOR_REALS(make_ill_conditioned_polynomial)

}  // namespace ebb::inline v0::data
