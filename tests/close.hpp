// SPDX-License-Identifier: BSD-3-Clause
// The tests' own comparison of arrays: it names the worst element.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <sstream>
#include <string>
#include <type_traits>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::test {

/// Whether two arrays agree; `text` says where they differ most.
struct Agreement {
  bool holds = true;
  std::string text;
};

/// |a - b| <= relative * max(|a|, |b|) + absolute, element by element; NaN agrees with NaN.
template <class T, class U>
Agreement close(const Array<T>& a, const Array<U>& b, double relative, double absolute = 0) {
  if (!(a.shape() == b.shape())) {
    return {false, "shapes " + to_string(a.shape()) + " and " + to_string(b.shape())};
  }
  double worst = 0;
  std::int64_t at = -1;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double x = double(a[i]), y = double(b[i]);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (x == y) continue;
    const double error =
        std::abs(x - y) / (relative * std::fmax(std::abs(x), std::abs(y)) + absolute);
    if (error <= worst) continue;
    worst = error;
    at = i;
    if (std::isnan(error)) break;  // nothing is worse than NaN or an infinity beside a number
  }
  if (at < 0 || worst <= 1) return {};
  std::ostringstream text;
  text.precision(17);
  text << "element " << at << ": " << double(a[at]) << " and " << double(b[at]) << ", " << worst
       << " times the tolerance";
  return {false, text.str()};
}
/// Agreement of two numbers.
template <class T, class U>
requires(std::is_arithmetic_v<T>&& std::is_arithmetic_v<U>) Agreement
    close(T a, U b, double relative, double absolute = 0) {
  return close(Array<double>(double(a)), Array<double>(double(b)), relative, absolute);
}
template <class T>
Agreement close(const Tensor<T>& a, const Tensor<T>& b, double relative, double absolute = 0) {
  return close(a.array(), b.array(), relative, absolute);
}

/// Agreement if every element has the same bits.
template <class T>
Agreement same_bits(const Array<T>& a, const Array<T>& b) {
  if (!(a.shape() == b.shape())) {
    return {false, "shapes " + to_string(a.shape()) + " and " + to_string(b.shape())};
  }
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(a.data() + i, b.data() + i, sizeof(T)) == 0) continue;
    std::ostringstream text;
    text.precision(17);
    text << "element " << i << ": " << a[i] << " and " << b[i];
    return {false, text.str()};
  }
  return {};
}

}  // namespace ebb::test

#define CHECK_AGREES(...)                                \
  do {                                                   \
    const ebb::test::Agreement agreement_ = __VA_ARGS__; \
    INFO(agreement_.text);                               \
    CHECK(agreement_.holds);                             \
  } while (false)
