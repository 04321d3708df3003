// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/tables/statistics.hpp"

#include "ebb/autodiff/values/instances.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ebb::inline v0::data::detail {

template <class T>
std::vector<Moments> column_moments(const Array<T>& rows) {
  const auto d = std::size_t(rows.shape()[1]);
  std::vector<Moments> moments(d);
  std::vector<double> first(d);
  for (const T* row = rows.begin(); row != rows.end(); row += d) {
    for (std::size_t j = 0; j < d; ++j) {
      const auto x = double(row[j]);
      if (std::isnan(x)) continue;
      Moments& m = moments[j];
      if (m.count++ == 0) first[j] = m.minimum = m.maximum = x;
      m.mean += x - first[j];  // smaller numbers lose less in a sum
      m.minimum = std::min(m.minimum, x);
      m.maximum = std::max(m.maximum, x);
    }
  }
  for (std::size_t j = 0; j < d; ++j) {
    Moments& m = moments[j];
    if (m.count == 0) continue;
    const double range = m.maximum - m.minimum;
    if (std::isinf(m.minimum) || std::isinf(m.maximum)) {  // differences may be NaN
      m.mean = m.minimum + m.maximum;
      m.deviation = std::numeric_limits<double>::quiet_NaN();
    } else if (std::isinf(m.mean) &&
               std::isfinite(range)) {  // the sum overflows, the mean does not
      double parts = 0;
      for (const T* x = rows.begin() + j; x < rows.end(); x += d) {
        if (!std::isnan(*x)) parts += (double(*x) - first[j]) / range;
      }
      m.mean = first[j] + parts / double(m.count) * range;
    } else {
      m.mean = first[j] + m.mean / double(m.count);
    }
  }
  // Computed in units of the range, so that squares neither overflow nor underflow.
  for (const T* row = rows.begin(); row != rows.end(); row += d) {
    for (std::size_t j = 0; j < d; ++j) {
      Moments& m = moments[j];
      const double range = m.maximum - m.minimum;
      if (std::isnan(row[j]) || !(range > 0)) continue;
      const double part = (double(row[j]) - m.mean) / range;
      m.deviation += part * part;
    }
  }
  for (Moments& m : moments) {
    if (m.deviation > 0) {
      m.deviation = std::sqrt(m.deviation / double(m.count)) * (m.maximum - m.minimum);
    }
  }
  return moments;
}

double quantile_of_sorted(const std::vector<double>& sorted, double quantile) {
  const double position = quantile * double(sorted.size() - 1);
  const auto below = std::size_t(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double a = sorted[below], b = sorted[above], t = position - double(below);
  if (a == b || t == 0) return a;  // also for infinities
  if (std::isinf(b - a)) return a * (1 - t) + b * t;
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

EBB_FOR_REALS(column_moments)

}  // namespace ebb::inline v0::data::detail
