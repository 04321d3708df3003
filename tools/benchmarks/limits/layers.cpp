// SPDX-License-Identifier: BSD-3-Clause
#include <cblas.h>

#include <cmath>

#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

using Int = std::int64_t;

/// c = factor a b, or with the transpose of one of both.
void product(bool a_transposed, bool b_transposed, Int m, Int n, Int k, float factor,
             const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans,
              b_transposed ? CblasTrans : CblasNoTrans, int(m), int(n), int(k), factor, a,
              int(a_transposed ? m : k), b, int(b_transposed ? k : n), 0, c, int(n));
}

/// Each row becomes its softmax.
void softmax_rows(float* x, Int rows, Int columns) {
  for (Int row = 0; row < rows; ++row, x += columns) {
    V most = load(x);
    for (Int i = width; i < columns; i += width) most = larger(most, load(x + i));
    float top = most[0];
    for (int lane = 1; lane < width; ++lane) top = most[lane] > top ? most[lane] : top;
    V sum{};
    for (Int i = 0; i < columns; i += width) {
      const V e = exponential(load(x + i) - top);
      store(x + i, e);
      sum += e;
    }
    const float share = 1 / total(sum);
    for (Int i = 0; i < columns; i += width) store(x + i, load(x + i) * share);
  }
}

/// From the gradient of the softmax y to that of its rows, in place.
void softmax_rows_backward(const float* y, float* g, Int rows, Int columns) {
  for (Int row = 0; row < rows; ++row, y += columns, g += columns) {
    V sum{};
    for (Int i = 0; i < columns; i += width) sum = madd(load(y + i), load(g + i), sum);
    const float shift = total(sum);
    for (Int i = 0; i < columns; i += width) store(g + i, load(y + i) * (load(g + i) - shift));
  }
}

}  // namespace

void attention(const Attention& of, const float* q, const float* k, const float* v, const float* g,
               float* weights, float* room, float* y, float* gq, float* gk, float* gv) {
  const float scale = 1 / std::sqrt(float(of.features));
  const Int part = of.steps * of.features, square = of.steps * of.steps;
  for (Int i = 0; i < of.batch * of.heads; ++i) {
    float* const w = weights + i * square;
    product(false, true, of.steps, of.steps, of.features, scale, q + i * part, k + i * part, w);
    softmax_rows(w, of.steps, of.steps);
    product(false, false, of.steps, of.features, of.steps, 1, w, v + i * part, y + i * part);
  }
  for (Int i = 0; i < of.batch * of.heads; ++i) {
    const float* const w = weights + i * square;
    product(true, false, of.steps, of.features, of.steps, 1, w, g + i * part, gv + i * part);
    product(false, true, of.steps, of.steps, of.features, 1, g + i * part, v + i * part, room);
    softmax_rows_backward(w, room, of.steps, of.steps);
    product(false, false, of.steps, of.features, of.steps, scale, room, k + i * part,
            gq + i * part);
    product(true, false, of.steps, of.features, of.steps, scale, room, q + i * part, gk + i * part);
  }
}

void batch_norm(const float* x, const float* w, const float* b, const float* g, float* y, float* gx,
                float* gw, float* gb, float* running_mean, float* running_var) {
  using B = BatchNorm;
  constexpr Int plane = B::side * B::side, count = B::batch * plane;
  for (Int c = 0; c < B::channels; ++c) {
    const auto at = [&](Int n) { return (n * B::channels + c) * plane; };
    V sum{}, squares{};
    for (Int n = 0; n < B::batch; ++n) {
      for (Int i = 0; i < plane; i += width) sum += load(x + at(n) + i);
    }
    const float mean = total(sum) / float(count);
    for (Int n = 0; n < B::batch; ++n) {
      for (Int i = 0; i < plane; i += width) {
        const V d = load(x + at(n) + i) - mean;
        squares = madd(d, d, squares);
      }
    }
    const float variance = total(squares) / float(count);
    const float scale = 1 / std::sqrt(variance + 1e-5f);
    V product{}, all{};
    for (Int n = 0; n < B::batch; ++n) {
      for (Int i = 0; i < plane; i += width) {
        const V z = (load(x + at(n) + i) - mean) * scale, gi = load(g + at(n) + i);
        store(y + at(n) + i, madd(z, splat(w[c]), splat(b[c])));
        product = madd(gi, z, product);
        all += gi;
      }
    }
    gw[c] = total(product);
    gb[c] = total(all);
    const float factor = w[c] * scale, shift = gb[c] / float(count), slope = gw[c] / float(count);
    for (Int n = 0; n < B::batch; ++n) {
      for (Int i = 0; i < plane; i += width) {
        const V z = (load(x + at(n) + i) - mean) * scale;
        store(gx + at(n) + i, (load(g + at(n) + i) - shift - z * slope) * factor);
      }
    }
    running_mean[c] = 0.9f * running_mean[c] + 0.1f * mean;
    running_var[c] = 0.9f * running_var[c] + 0.1f * variance * float(count) / float(count - 1);
  }
}

void mlp_inference(const float* x, const float* w1, const float* b1, const float* w2,
                   const float* b2, const float* w3, const float* b3, float* h1, float* h2,
                   float* z) {
  const auto layer = [](const float* w, const float* b, const float* in, float* out, Int n, Int m) {
    cblas_scopy(int(m), b, 1, out, 1);
    cblas_sgemv(CblasRowMajor, CblasNoTrans, int(m), int(n), 1, w, int(n), in, 1, 1, out, 1);
  };
  const auto rectify = [](float* h, Int n) {
    for (Int i = 0; i < n; i += width) store(h + i, larger(load(h + i), V{}));
  };
  layer(w1, b1, x, h1, Mlp::in, Mlp::first);
  rectify(h1, Mlp::first);
  layer(w2, b2, h1, h2, Mlp::first, Mlp::second);
  rectify(h2, Mlp::second);
  layer(w3, b3, h2, z, Mlp::second, Mlp::out);
}

}  // namespace limits
