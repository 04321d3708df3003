// SPDX-License-Identifier: BSD-3-Clause
// Forward over all characters, with what the way back needs of each; then back.
#include <algorithm>
#include <cmath>

#include "ad.hpp"

namespace limits {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// What a layer keeps of one step, b numbers each: the gates f, i, o, g, the tanh of the cell, the
/// cell, and the hidden state.
struct Kept {
  double *f, *i, *o, *g, *t, *cell, *hidden;
  Kept(double* at, std::int64_t b)
      : f(at),
        i(at + b),
        o(at + 2 * b),
        g(at + 3 * b),
        t(at + 4 * b),
        cell(at + 5 * b),
        hidden(at + 6 * b) {}
};

}  // namespace

double diagonal_lstm(const DiagonalLstm& a) {
  const std::int64_t b = a.bits, layers = a.layers, steps = a.characters - 1;
  const std::int64_t size = (7 * layers + 1) * b;
  const auto layer_of = [&](std::int64_t t, std::int64_t k) {
    return Kept(a.steps + t * size + b + k * 7 * b, b);
  };
  // A step begins with the input of the first layer; at the end it has the gradient of y.
  const auto before = [&](std::int64_t t, std::int64_t k, const double*& hidden,
                          const double*& cell) {
    hidden = t > 0 ? layer_of(t - 1, k).hidden : a.state + 2 * k * b;
    cell = t > 0 ? layer_of(t - 1, k).cell : a.state + (2 * k + 1) * b;
  };
  const double *const w_in = a.extra, *const w_out = a.extra + b, *const b_out = a.extra + 2 * b;
  const double count = double(steps * b);
  double total = 0;
  for (std::int64_t t = 0; t < steps; ++t) {
    double* const first = a.steps + t * size;
    for (std::int64_t j = 0; j < b; ++j) first[j] = a.sequence[t * b + j] * w_in[j];
    const double* input = first;
    for (std::int64_t k = 0; k < layers; ++k) {
      const double *const w = a.main + 8 * k * b, *const bias = w + 4 * b;
      const Kept s = layer_of(t, k);
      const double *hidden, *cell;
      before(t, k, hidden, cell);
      for (std::int64_t j = 0; j < b; ++j) {
        s.f[j] = sigmoid(input[j] * w[j] + bias[j]);
        s.i[j] = sigmoid(hidden[j] * w[b + j] + bias[b + j]);
        s.o[j] = sigmoid(input[j] * w[2 * b + j] + bias[2 * b + j]);
        s.g[j] = std::tanh(hidden[j] * w[3 * b + j] + bias[3 * b + j]);
        s.cell[j] = cell[j] * s.f[j] + s.i[j] * s.g[j];
        s.t[j] = std::tanh(s.cell[j]);
        s.hidden[j] = s.o[j] * s.t[j];
      }
      input = s.hidden;
    }
    const double* const bits = a.sequence + (t + 1) * b;
    double y[64], sum = 2, ones = 0;
    for (std::int64_t j = 0; j < b; ++j) {
      const double out = input[j] * w_out[j] + b_out[j];
      y[j] = std::exp(out);
      sum += y[j];
      ones += bits[j];
      total += bits[j] * out;
    }
    total -= ones * std::log(sum);
    for (std::int64_t j = 0; j < b; ++j) first[j] = (ones * y[j] / sum - bits[j]) / count;
  }

  std::fill_n(a.g_main, 8 * layers * b, 0.0);
  std::fill_n(a.g_extra, 3 * b, 0.0);
  double *const g_in = a.g_extra, *const g_out = g_in + b, *const g_bias = g_out + b;
  // The gradients of the hidden state and the cell of each layer.
  double* const carried = a.steps + steps * size;
  std::fill_n(carried, 2 * layers * b, 0.0);
  for (std::int64_t t = steps - 1; t >= 0; --t) {
    const double* const g_y = a.steps + t * size;
    const double* const last = layer_of(t, layers - 1).hidden;
    double from_above[64];
    for (std::int64_t j = 0; j < b; ++j) {
      g_out[j] += g_y[j] * last[j];
      g_bias[j] += g_y[j];
      from_above[j] = g_y[j] * w_out[j];
    }
    for (std::int64_t k = layers - 1; k >= 0; --k) {
      const double* const w = a.main + 8 * k * b;
      double* __restrict const g_w = a.g_main + 8 * k * b;
      double* __restrict const g_b = g_w + 4 * b;
      double* __restrict const g_hidden = carried + 2 * k * b;
      double* __restrict const g_cell = g_hidden + b;
      const Kept s = layer_of(t, k);
      const double *hidden, *cell;
      before(t, k, hidden, cell);
      double first[64];
      const double* input = first;
      if (k > 0) {
        input = layer_of(t, k - 1).hidden;
      } else {
        for (std::int64_t j = 0; j < b; ++j) first[j] = a.sequence[t * b + j] * w_in[j];
      }
      for (std::int64_t j = 0; j < b; ++j) {
        const double gh = g_hidden[j] + from_above[j];
        const double go = gh * s.t[j] * s.o[j] * (1 - s.o[j]);
        const double gc = g_cell[j] + gh * s.o[j] * (1 - s.t[j] * s.t[j]);
        const double gf = gc * cell[j] * s.f[j] * (1 - s.f[j]);
        const double gi = gc * s.g[j] * s.i[j] * (1 - s.i[j]);
        const double gg = gc * s.i[j] * (1 - s.g[j] * s.g[j]);
        g_cell[j] = gc * s.f[j];
        g_hidden[j] = gi * w[b + j] + gg * w[3 * b + j];
        from_above[j] = gf * w[j] + go * w[2 * b + j];
        g_w[j] += gf * input[j];
        g_w[b + j] += gi * hidden[j];
        g_w[2 * b + j] += go * input[j];
        g_w[3 * b + j] += gg * hidden[j];
        g_b[j] += gf;
        g_b[b + j] += gi;
        g_b[2 * b + j] += go;
        g_b[3 * b + j] += gg;
      }
    }
    for (std::int64_t j = 0; j < b; ++j) g_in[j] += from_above[j] * a.sequence[t * b + j];
  }
  return -total / count;
}

}  // namespace limits
