// SPDX-License-Identifier: BSD-3-Clause
// Each step of all rows is next to each other, and weights are (in, out), so that every product is
// of dense matrices in the layout that OpenBLAS multiplies fastest.
#include <cblas.h>

#include <cstring>

#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

using Int = std::int64_t;
using R = Recurrent;
constexpr Int h = R::hidden, rows = R::batch, all = R::steps * R::batch;

void product(bool ta, bool tb, Int m, Int n, Int k, const float* a, const float* b, float beta,
             float* c) {
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
              blasint(m), blasint(n), blasint(k), 1.0f, a, blasint(ta ? m : k), b,
              blasint(tb ? k : n), beta, c, blasint(n));
}
LIMIT_INLINE V sigmoid(V x) { return 1.0f / (1.0f + exponential(-x)); }

/// y = the sums of the columns of x (rows, columns).
void sum_to_bias(const float* x, float* y, Int count, Int columns) {
  for (Int i = 0; i < columns; i += 4 * width) {
    V sums[4] = {};
    for (Int row = 0; row < count; ++row) {
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) sums[k] += load(x + row * columns + i + k * width);
    }
    for (int k = 0; k < 4; ++k) store(y + i + k * width, sums[k]);
  }
}

void lstm_gates(float* gates, const float* b, const float* c, float* c_next, float* h_next) {
  for (Int row = 0; row < rows; ++row, gates += 4 * h, c += h, c_next += h, h_next += h) {
    for (Int j = 0; j < h; j += width) {
      const V i = sigmoid(load(gates + j) + load(b + j));
      const V f = sigmoid(load(gates + h + j) + load(b + h + j));
      const V g = hyperbolic_tangent(load(gates + 2 * h + j) + load(b + 2 * h + j));
      const V o = sigmoid(load(gates + 3 * h + j) + load(b + 3 * h + j));
      const V cell = madd(f, load(c + j), i * g);
      store(gates + j, i);
      store(gates + h + j, f);
      store(gates + 2 * h + j, g);
      store(gates + 3 * h + j, o);
      store(c_next + j, cell);
      store(h_next + j, o * hyperbolic_tangent(cell));
    }
  }
}
void lstm_gates_backward(float* gates, const float* c, const float* c_next, const float* g_out,
                         const float* gh, float* gc) {
  for (Int row = 0; row < rows; ++row) {
    for (Int j = 0; j < h; j += width) {
      const V i = load(gates + j), f = load(gates + h + j), g = load(gates + 2 * h + j);
      const V o = load(gates + 3 * h + j), t = hyperbolic_tangent(load(c_next + j));
      const V d = load(gh + j) + load(g_out + j);
      const V dc = madd(d * o, 1.0f - t * t, load(gc + j));
      store(gates + j, dc * g * (i * (1.0f - i)));
      store(gates + h + j, dc * load(c + j) * (f * (1.0f - f)));
      store(gates + 2 * h + j, dc * i * (1.0f - g * g));
      store(gates + 3 * h + j, d * t * (o * (1.0f - o)));
      store(gc + j, dc * f);
    }
    gates += 4 * h, c += h, c_next += h, g_out += h, gh += h, gc += h;
  }
}

void gru_gates(float* gates, const float* rec, const float* b, const float* b_rec, float* memory,
               const float* before, float* next) {
  for (Int row = 0; row < rows; ++row) {
    for (Int j = 0; j < h; j += width) {
      const V r = sigmoid(load(gates + j) + load(b + j) + load(rec + j));
      const V z = sigmoid(load(gates + h + j) + load(b + h + j) + load(rec + h + j));
      const V a = load(rec + 2 * h + j) + load(b_rec + j);
      const V n = hyperbolic_tangent(madd(r, a, load(gates + 2 * h + j) + load(b + 2 * h + j)));
      store(gates + j, r);
      store(gates + h + j, z);
      store(gates + 2 * h + j, n);
      store(memory + j, a);
      store(next + j, madd(z, load(before + j) - n, n));
    }
    gates += 3 * h, rec += 3 * h, memory += h, before += h, next += h;
  }
}
void gru_gates_backward(float* gates, float* rec, const float* memory, const float* before,
                        const float* g_out, float* gh) {
  for (Int row = 0; row < rows; ++row) {
    for (Int j = 0; j < h; j += width) {
      const V r = load(gates + j), z = load(gates + h + j), n = load(gates + 2 * h + j);
      const V d = load(gh + j) + load(g_out + j);
      const V dn = d * (1.0f - z) * (1.0f - n * n);
      const V dr = dn * load(memory + j) * (r * (1.0f - r));
      const V dz = d * (load(before + j) - n) * (z * (1.0f - z));
      store(gates + j, dr);
      store(gates + h + j, dz);
      store(gates + 2 * h + j, dn);
      store(rec + j, dr);
      store(rec + h + j, dz);
      store(rec + 2 * h + j, dn * r);
      store(gh + j, d * z);
    }
    gates += 3 * h, rec += 3 * h, memory += h, before += h, g_out += h, gh += h;
  }
}

}  // namespace

void lstm(const Recurrent& r, const float* x, const float* g) {
  product(false, false, all, 4 * h, R::in, x, r.w_ih, 0, r.gates);
  for (Int t = 0; t < R::steps; ++t) {
    float *const gates = r.gates + t * rows * 4 * h, *const before = r.states + t * rows * h,
                 *const cells = r.memory + t * rows * h;
    product(false, false, rows, 4 * h, h, before, r.w_hh, 1, gates);
    lstm_gates(gates, r.b_ih, cells, cells + rows * h, before + rows * h);
  }
  std::memset(r.gh, 0, rows * h * sizeof(float));
  std::memset(r.gc, 0, rows * h * sizeof(float));
  for (Int t = R::steps - 1; t >= 0; --t) {
    float *const gates = r.gates + t * rows * 4 * h, *const cells = r.memory + t * rows * h;
    lstm_gates_backward(gates, cells, cells + rows * h, g + t * rows * h, r.gh, r.gc);
    product(false, true, rows, h, 4 * h, gates, r.w_hh, 0, r.gh);
  }
  product(true, false, h, 4 * h, all, r.states, r.gates, 0, r.gw_hh);
  product(true, false, R::in, 4 * h, all, x, r.gates, 0, r.gw_ih);
  product(false, true, all, R::in, 4 * h, r.gates, r.w_ih, 0, r.gx);
  sum_to_bias(r.gates, r.gb_ih, all, 4 * h);
}

void gru(const Recurrent& r, const float* x, const float* g) {
  product(false, false, all, 3 * h, R::in, x, r.w_ih, 0, r.gates);
  for (Int t = 0; t < R::steps; ++t) {
    float *const gates = r.gates + t * rows * 3 * h, *const before = r.states + t * rows * h;
    product(false, false, rows, 3 * h, h, before, r.w_hh, 0, r.rec);
    gru_gates(gates, r.rec, r.b_ih, r.b_hh + 2 * h, r.memory + t * rows * h, before,
              before + rows * h);
  }
  std::memset(r.gh, 0, rows * h * sizeof(float));
  for (Int t = R::steps - 1; t >= 0; --t) {
    const Int at = t * rows * h;
    gru_gates_backward(r.gates + 3 * at, r.rec + 3 * at, r.memory + at, r.states + at, g + at,
                       r.gh);
    product(false, true, rows, h, 3 * h, r.rec + 3 * at, r.w_hh, 1, r.gh);
  }
  product(true, false, h, 3 * h, all, r.states, r.rec, 0, r.gw_hh);
  product(true, false, R::in, 3 * h, all, x, r.gates, 0, r.gw_ih);
  product(false, true, all, R::in, 3 * h, r.gates, r.w_ih, 0, r.gx);
  sum_to_bias(r.gates, r.gb_ih, all, 3 * h);
  sum_to_bias(r.rec, r.gb_hh, all, 3 * h);
}

}  // namespace limits
