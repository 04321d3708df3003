// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/initialisation.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::nn {
namespace {

void check(bool holds, const char* name, const char* what, double value) {
  if (holds) return;
  throw ArgumentError(std::string(name) + ": " + what + ", not " + ebb::detail::to_text(value));
}

template <class T, class Draw>
Array<T> drawn(const Shape& shape, const Draw& draw) {
  auto values = Array<T>::uninitialized(shape);
  T* const to = values.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) to[i] = T(draw());
  return values;
}

/// Of uniform numbers in +-limit the variance is limit^2 / 3.
template <class T>
Array<T> uniform_of_variance(const Shape& shape, double variance, Stream& stream) {
  const double limit = std::sqrt(3 * variance);
  return uniform<T>(shape, -limit, limit, stream);
}

double xavier_variance(const Shape& shape, double gain) {
  const Fans f = fans(shape);
  return 2 * gain * gain / double(std::max<std::int64_t>(1, f.in + f.out));
}
double variance_of(const Shape& shape, Fan fan, double gain) {
  const Fans f = fans(shape);
  const double size = fan == Fan::in    ? double(f.in)
                      : fan == Fan::out ? double(f.out)
                                        : (double(f.in) + double(f.out)) / 2;
  return gain * gain / std::fmax(1, size);
}

/// A standard normal number in [low, high].
double truncated(double low, double high, Stream& stream) {
  if (high < 0) return -truncated(-high, -low, stream);
  if (low <= 0) {
    // Around the middle: by normal numbers, or, for a narrow interval, by uniform ones.
    while (high - low > 2) {
      const double z = stream.normal();
      if (z >= low && z <= high) return z;
    }
    for (;;) {
      const double z = low + (high - low) * stream.uniform();
      if (stream.uniform() <= std::exp(-z * z / 2)) return z;
    }
  }
  // In the tail: by exponential numbers of the best rate, or by uniform ones.
  const double rate = (low + std::sqrt(low * low + 4)) / 2;
  while ((high - low) * rate > 1) {
    const double z = low - std::log1p(-stream.uniform()) / rate;
    if (z <= high && stream.uniform() <= std::exp(-(z - rate) * (z - rate) / 2)) return z;
  }
  for (;;) {
    const double z = low + (high - low) * stream.uniform();
    if (stream.uniform() <= std::exp((low * low - z * z) / 2)) return z;
  }
}

}  // namespace

Fans fans(const Shape& shape) {
  if (shape.rank() < 2) {
    throw ShapeError("fans: weights must be (out, in) or (out, in, window...), not " +
                     to_string(shape) + "; give vectors a value by uniform or normal");
  }
  std::int64_t window = 1;
  for (int axis = 2; axis < shape.rank(); ++axis) window *= shape[axis];
  return {shape[1] * window, shape[0] * window};
}

double leaky_relu_gain(double slope) { return std::sqrt(2 / (1 + slope * slope)); }

template <Real T>
Array<T> uniform(const Shape& shape, double low, double high, Stream& stream) {
  check(low <= high && std::isfinite(high - low), "uniform", "low must be at most high", low);
  return drawn<T>(shape, [&] { return low + (high - low) * stream.uniform(); });
}
EBB_FOR_REALS(uniform)

template <Real T>
Array<T> normal(const Shape& shape, double mean, double deviation, Stream& stream) {
  check(deviation >= 0, "normal", "the deviation must be at least 0", deviation);
  return drawn<T>(shape, [&] { return mean + deviation * stream.normal(); });
}
EBB_FOR_REALS(normal)

template <Real T>
Array<T> truncated_normal(const Shape& shape, const TruncatedNormalOptions& options,
                          Stream& stream) {
  check(options.deviation > 0, "truncated_normal", "the deviation must be above 0",
        options.deviation);
  check(options.low < options.high, "truncated_normal", "low must be below high", options.low);
  const double low = (options.low - options.mean) / options.deviation;
  const double high = (options.high - options.mean) / options.deviation;
  return drawn<T>(shape, [&] {
    const double x = options.mean + options.deviation * truncated(low, high, stream);
    return std::clamp(x, options.low, options.high);
  });
}
EBB_FOR_REALS(truncated_normal)

template <Real T>
Array<T> xavier_uniform(const Shape& shape, Stream& stream, double gain) {
  return uniform_of_variance<T>(shape, xavier_variance(shape, gain), stream);
}
EBB_FOR_REALS(xavier_uniform)

template <Real T>
Array<T> xavier_normal(const Shape& shape, Stream& stream, double gain) {
  return normal<T>(shape, 0, std::sqrt(xavier_variance(shape, gain)), stream);
}
EBB_FOR_REALS(xavier_normal)

template <Real T>
Array<T> he_uniform(const Shape& shape, Stream& stream, Fan fan, double gain) {
  return uniform_of_variance<T>(shape, variance_of(shape, fan, gain), stream);
}
EBB_FOR_REALS(he_uniform)

template <Real T>
Array<T> he_normal(const Shape& shape, Stream& stream, Fan fan, double gain) {
  return normal<T>(shape, 0, std::sqrt(variance_of(shape, fan, gain)), stream);
}
EBB_FOR_REALS(he_normal)

template <Real T>
Array<T> lecun_uniform(const Shape& shape, Stream& stream) {
  return uniform_of_variance<T>(shape, variance_of(shape, Fan::in, 1), stream);
}
EBB_FOR_REALS(lecun_uniform)

template <Real T>
Array<T> lecun_normal(const Shape& shape, Stream& stream) {
  return normal<T>(shape, 0, std::sqrt(variance_of(shape, Fan::in, 1)), stream);
}
EBB_FOR_REALS(lecun_normal)

template <Real T>
Array<T> orthogonal(const Shape& shape, Stream& stream, double gain) {
  if (shape.rank() < 2 || shape.size() == 0) {
    throw ShapeError("orthogonal: a matrix with rows and columns is needed, not " +
                     to_string(shape));
  }
  const std::int64_t rows = shape[0], columns = shape.size() / rows;
  const bool is_wide = columns > rows;
  const NoRecord pause;
  const auto gauss =
      normal<double>(is_wide ? Shape{columns, rows} : Shape{rows, columns}, 0, 1, stream);
  // The diagonal of r is not negative, and so the distribution is even (Mezzadri 2007).
  const Array<double> q = qr(gauss).q.array();
  const std::int64_t few = std::min(rows, columns);
  auto values = Array<T>::uninitialized(shape);
  T* const to = values.mutate();
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j)
      to[i * columns + j] = T(gain * q.data()[is_wide ? j * few + i : i * few + j]);
  }
  return values;
}
EBB_FOR_REALS(orthogonal)

}  // namespace ebb::inline v0::nn
