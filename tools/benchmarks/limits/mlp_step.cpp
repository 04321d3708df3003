// SPDX-License-Identifier: BSD-3-Clause
#include <cblas.h>

#include <cmath>

#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

using Int = std::int64_t;

void product(bool ta, bool tb, Int m, Int n, Int k, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
              blasint(m), blasint(n), blasint(k), 1.0f, a, blasint(ta ? m : k), b,
              blasint(tb ? k : n), 0.0f, c, blasint(n));
}

void add_bias_relu(float* h, const float* b, Int rows, Int columns) {
  for (Int row = 0; row < rows; ++row, h += columns) {
    for (Int i = 0; i < columns; i += width) {
      store(h + i, larger(load(h + i) + load(b + i), V{}));
    }
  }
}

/// Clears the gradient where relu gave 0, and sums its rows for the bias.
void relu_gradient(float* d, const float* h, float* gb, Int rows, Int columns) {
  for (Int i = 0; i < columns; i += 8 * width) {
    V sums[8] = {};
    for (Int row = 0; row < rows; ++row) {
      float* const to = d + row * columns + i;
      const float* const from = h + row * columns + i;
#pragma GCC unroll 8
      for (int k = 0; k < 8; ++k) {
        const V g = load(from + k * width) > 0.0f ? load(to + k * width) : V{};
        store(to + k * width, g);
        sums[k] += g;
      }
    }
    for (int k = 0; k < 8; ++k) store(gb + i + k * width, sums[k]);
  }
}

/// The loss of the logits, which become their gradient, summed over rows for the bias.
float cross_entropy(float* z, const float* b, float* gb, const Int* labels, Int rows) {
  constexpr int classes = Mlp::out, parts = (classes + width - 1) / width;
  const float scale = 1 / float(rows);
  V bias[parts], sums[parts] = {};
  for (int k = 0; k < parts; ++k) bias[k] = load(b + k * width);
  float loss = 0;
  for (Int row = 0; row < rows; ++row, z += classes) {
    alignas(64) float e[parts * width];
    V logit[parts];
    V top = splat(-INFINITY);
    for (int k = 0; k < parts; ++k) {
      logit[k] = load(z + k * width) + bias[k];
      logit[k] = first(classes - k * width, V{} + 1.0f) > 0.0f ? logit[k] : splat(-INFINITY);
      store(e + k * width, logit[k]);
      top = larger(top, logit[k]);
    }
    const float target = e[labels[row]];
    alignas(64) float lanes[width];
    store(lanes, top);
    float largest = lanes[0];
    for (float v : lanes) largest = largest < v ? v : largest;
    V sum{};
    for (int k = 0; k < parts; ++k) {
      logit[k] = first(classes - k * width, exponential(logit[k] - largest));
      sum += logit[k];
    }
    const float s = total(sum);
    loss += largest - target + std::log(s);
    for (int k = 0; k < parts; ++k) store(e + k * width, logit[k] * (scale / s));
    e[labels[row]] -= scale;
    for (int k = 0; k < parts; ++k) sums[k] += load(e + k * width);
    for (int i = 0; i < classes; ++i) z[i] = e[i];
  }
  alignas(64) float lanes[parts * width];
  for (int k = 0; k < parts; ++k) store(lanes + k * width, sums[k]);
  for (int i = 0; i < classes; ++i) gb[i] = lanes[i];
  return loss * scale;
}

void adam(Mlp& mlp, double learning_rate) {
  adam_step(mlp.p, mlp.g, mlp.m, mlp.v, Mlp::parameters, ++mlp.step, learning_rate);
}

}  // namespace

void adam_step(float* p, const float* g, float* m, float* v, std::int64_t n, std::int64_t step,
               double learning_rate) {
  const double c1 = 1 - std::pow(0.9, double(step)), c2 = 1 - std::pow(0.999, double(step));
  const V rate = splat(float(-learning_rate / c1)), scale = splat(float(1 / std::sqrt(c2)));
  for (std::int64_t i = 0; i < n; i += width) {
    const V gradient = load(g + i);
    const V mean = madd(load(m + i) - gradient, splat(0.9f), gradient);
    const V square = gradient * gradient;
    const V squares = madd(load(v + i) - square, splat(0.999f), square);
    store(m + i, mean);
    store(v + i, squares);
    const V d = mean / madd(root(squares), scale, splat(1e-8f));
    store(p + i, madd(d, rate, load(p + i)));
  }
}

float mlp_adam_step(Mlp& s, const float* x, const std::int64_t* labels, double rate) {
  using M = Mlp;
  const Int n = s.batch;
  product(false, false, n, M::first, M::in, x, s.p + M::w1, s.h1);
  add_bias_relu(s.h1, s.p + M::b1, n, M::first);
  product(false, false, n, M::second, M::first, s.h1, s.p + M::w2, s.h2);
  add_bias_relu(s.h2, s.p + M::b2, n, M::second);
  product(false, false, n, M::out, M::second, s.h2, s.p + M::w3, s.z);
  const float loss = cross_entropy(s.z, s.p + M::b3, s.g + M::b3, labels, n);

  product(true, false, M::second, M::out, n, s.h2, s.z, s.g + M::w3);
  product(false, true, n, M::second, M::out, s.z, s.p + M::w3, s.d2);
  relu_gradient(s.d2, s.h2, s.g + M::b2, n, M::second);
  product(true, false, M::first, M::second, n, s.h1, s.d2, s.g + M::w2);
  product(false, true, n, M::first, M::second, s.d2, s.p + M::w2, s.d1);
  relu_gradient(s.d1, s.h1, s.g + M::b1, n, M::first);
  product(true, false, M::in, M::first, n, x, s.d1, s.g + M::w1);
  adam(s, rate);
  return loss;
}

}  // namespace limits
