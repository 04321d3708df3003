// SPDX-License-Identifier: BSD-3-Clause
#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

/// Beyond this many elements an output is streamed past the caches, which saves reading it first.
constexpr std::int64_t large = 1 << 20;

/// f(i) gives the value at i, which goes to y.
template <class F>
LIMIT_INLINE void map(float* y, std::int64_t n, const F& f) {
  if (n >= large) {
    for (std::int64_t i = 0; i < n; i += width) stream(y + i, f(i));
    _mm_sfence();
  } else {
    for (std::int64_t i = 0; i < n; i += width) store(y + i, f(i));
  }
}

LIMIT_INLINE V at(const float* x, std::int64_t i) { return load(x + i); }

}  // namespace

#define LIMIT_LAMBDA(i) [&](std::int64_t i) __attribute__((always_inline))

void exp_forward(const float* x, float* y, std::int64_t n) {
  map(
      y, n, LIMIT_LAMBDA(i) { return exponential(at(x, i)); });
}
void exp_backward(const float* y, const float* g, float* gx, std::int64_t n) {
  map(
      gx, n, LIMIT_LAMBDA(i) { return at(y, i) * at(g, i); });
}
void tanh_forward(const float* x, float* y, std::int64_t n) {
  map(
      y, n, LIMIT_LAMBDA(i) { return hyperbolic_tangent(at(x, i)); });
}
void tanh_backward(const float* y, const float* g, float* gx, std::int64_t n) {
  map(
      gx, n, LIMIT_LAMBDA(i) {
        const V v = at(y, i);
        return (1.0f - v * v) * at(g, i);
      });
}
void erf_forward(const float* x, float* y, std::int64_t n) {
  map(
      y, n, LIMIT_LAMBDA(i) { return error_function(at(x, i)); });
}
void erf_backward(const float* x, const float* g, float* gx, std::int64_t n) {
  map(
      gx, n, LIMIT_LAMBDA(i) {
        const V v = at(x, i);
        return 1.12837917f * exponential(-(v * v)) * at(g, i);
      });
}
void mul_forward(const float* a, const float* b, float* y, std::int64_t n) {
  map(
      y, n, LIMIT_LAMBDA(i) { return at(a, i) * at(b, i); });
}
void mul_backward(const float* a, const float* b, const float* g, float* ga, float* gb,
                  std::int64_t n) {
  if (n >= large) {
    for (std::int64_t i = 0; i < n; i += width) {
      const V v = at(g, i);
      stream(ga + i, v * at(b, i));
      stream(gb + i, v * at(a, i));
    }
    _mm_sfence();
  } else {
    for (std::int64_t i = 0; i < n; i += width) {
      const V v = at(g, i);
      store(ga + i, v * at(b, i));
      store(gb + i, v * at(a, i));
    }
  }
}
void add_forward(const float* a, const float* b, float* y, std::int64_t n) {
  map(
      y, n, LIMIT_LAMBDA(i) { return at(a, i) + at(b, i); });
}
void add_row_forward(const float* x, const float* b, float* y, std::int64_t rows,
                     std::int64_t columns) {
  const bool streamed = rows * columns >= large;
  for (std::int64_t row = 0; row < rows; ++row, x += columns, y += columns) {
    if (streamed) {
      for (std::int64_t i = 0; i < columns; i += width) stream(y + i, at(x, i) + at(b, i));
    } else {
      for (std::int64_t i = 0; i < columns; i += width) store(y + i, at(x, i) + at(b, i));
    }
  }
  if (streamed) _mm_sfence();
}

}  // namespace limits
