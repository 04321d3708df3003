// SPDX-License-Identifier: BSD-3-Clause
#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

struct Chain {
  V x, a, t, u, d;
  LIMIT_INLINE Chain(const float* px, const float* pa, const float* pb, std::int64_t i)
      : x(load(px + i)), a(load(pa + i)) {
    const V b = load(pb + i);
    t = larger(madd(x, a, b), V{});
    u = larger(madd(t, t, a) * 0.5f, V{});
    d = u * x - b;
  }
  /// The gradients from g, that of y = d^2.
  template <class Store>
  LIMIT_INLINE void pull(V g, float* gx, float* ga, float* gb, const Store& store) const {
    const V gd = g * (d + d);
    const V gw = u > 0.0f ? gd * x * 0.5f : V{};
    const V gz = t > 0.0f ? gw * (t + t) : V{};
    store(gx, madd(gd, u, gz * a));
    store(ga, madd(gz, x, gw));
    store(gb, gz - gd);
  }
};

const auto streaming = [](float* to, V v) __attribute__((always_inline)) { stream(to, v); };

}  // namespace

void chain_forward(const float* x, const float* a, const float* b, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += width) {
    const Chain c(x, a, b, i);
    stream(y + i, c.d * c.d);
  }
  _mm_sfence();
}

void chain_backward(const float* x, const float* a, const float* b, const float* g, float* gx,
                    float* ga, float* gb, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += width) {
    Chain(x, a, b, i).pull(load(g + i), gx + i, ga + i, gb + i, streaming);
  }
  _mm_sfence();
}

float chain_mean(const float* x, const float* a, const float* b, float* gx, float* ga, float* gb,
                 std::int64_t n) {
  const V upstream = splat(1 / float(n));
  double result = 0;
  for (std::int64_t i = 0; i < n;) {
    const std::int64_t last = n - i < 4096 ? n : i + 4096;
    V sum{};
    for (; i < last; i += width) {
      const Chain c(x, a, b, i);
      sum = madd(c.d, c.d, sum);
      c.pull(upstream, gx + i, ga + i, gb + i, streaming);
    }
    result += double(total(sum));
  }
  _mm_sfence();
  return float(result / double(n));
}

}  // namespace limits
