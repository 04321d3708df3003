// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/rules/muon.hpp"

#include <algorithm>

#include "ebb/autodiff/kernels/blas.hpp"

namespace ebb::inline v0::optim {
namespace {

/// Replaces x (rows, columns), rows <= columns, by a matrix with the same singular vectors and
/// singular values near 1: x <- a x + (b s + c s^2) x with s = x x^T. The polynomial is that of the
/// authors: it takes what lies in (0, 1] to about [0.7, 1.2] in five steps.
template <class T>
void orthogonalize(std::int64_t rows, std::int64_t columns, std::int64_t iterations, T* x, T* next,
                   T* square, T* power) {
  using ebb::detail::gemm;
  const T a = T(3.4445), b = T(-4.775), c = T(2.0315);
  for (std::int64_t i = 0; i < iterations; ++i) {
    gemm(false, true, rows, rows, columns, x, x, square, false);
    gemm(false, false, rows, rows, rows, square, square, power, false);
    for (std::int64_t k = 0; k < rows * rows; ++k) power[k] = b * square[k] + c * power[k];
    for (std::int64_t k = 0; k < rows * columns; ++k) next[k] = a * x[k];
    gemm(false, false, rows, columns, rows, power, x, next, true);
    std::copy_n(next, rows * columns, x);
  }
}

}  // namespace

template <class T>
void Muon::update_matrix(const Step& step, std::int64_t rows, std::int64_t columns, T* w,
                         const T* g, T* const* kept, T* room) {
  const std::int64_t size = rows * columns, side = std::min(rows, columns);
  T* const m = kept[0];
  T* const x = room;
  T* const next = x + size;
  T* const square = next + size;
  const T keep = T(step.momentum), add = T(1 - step.momentum);
  // The longer side is that of the rows of x: a tall matrix is transposed.
  const bool is_tall = rows > columns;
  double sum = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t i = r * columns + c;
      m[i] = keep * m[i] + add * g[i];
      const T d = step.nesterov ? add * g[i] + keep * m[i] : m[i];
      x[is_tall ? c * rows + r : i] = d;
      sum += double(d) * double(d);
    }
  }
  const double norm = std::sqrt(sum) + step.epsilon;
  const T inverse = norm > 0 ? T(1 / norm) : T(0);
  for (std::int64_t i = 0; i < size; ++i) x[i] *= inverse;
  orthogonalize(side, std::max(rows, columns), step.iterations, x, next, square,
                square + side * side);
  const double ratio = double(rows) / double(columns);
  const T rate = T(step.rate * std::sqrt(std::max(1.0, ratio))), shrink = T(step.shrink);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t i = r * columns + c;
      w[i] = w[i] - shrink * w[i] - rate * x[is_tall ? c * rows + r : i];
    }
  }
}
template void Muon::update_matrix(const Step&, std::int64_t, std::int64_t, float*, const float*,
                                  float* const*, float*);
template void Muon::update_matrix(const Step&, std::int64_t, std::int64_t, double*, const double*,
                                  double* const*, double*);

}  // namespace ebb::inline v0::optim
