// SPDX-License-Identifier: BSD-3-Clause
// How operands of different shapes lie on the grid of an elementwise kernel.
#pragma once
#include "ebb/autodiff/kernels/table.hpp"

namespace ebb::inline v0::detail {

/// An operand of an elementwise kernel: a block, or a plain number where the block is null.
template <class T>
struct MapOperand {
  Block* block = nullptr;
  const T* number = nullptr;

  bool is_scalar() const { return !block || block->is_uniform() || block->shape.size() == 1; }
  const T* data() const { return block ? block->data<T>() : number; }
};

/// The planes of a broadcast: two axes make the kernel's grid, the others are looped over. Adjacent
/// axes that every operand walks through in the same way count as one.
struct Planes {
  static constexpr int max_operands = 4;
  Grid grid{1, 1};
  std::int64_t row[max_operands] = {}, col[max_operands] = {};
  int outer = 0;
  std::int64_t size[Shape::max_rank] = {};
  std::int64_t stride[max_operands][Shape::max_rank] = {};

  /// `shapes[k]` is null for an operand that is one value everywhere.
  Planes(const Shape& out, const Shape* const* shapes, int count);
};

/// Calls f(out, offsets, planes) for each plane: where it starts in the output and in each operand.
template <int N, class F>
void for_each_offset(const Shape& out, const Shape* const (&shapes)[N], F f) {
  if (out.size() == 0) return;
  const Planes planes(out, shapes, N);
  std::int64_t index[Shape::max_rank] = {};
  for (std::int64_t start = 0;; start += planes.grid.rows * planes.grid.cols) {
    std::int64_t offsets[N] = {};
    for (int k = 0; k < N; ++k) {
      for (int i = 0; i < planes.outer; ++i) offsets[k] += index[i] * planes.stride[k][i];
    }
    f(start, offsets, planes);
    int i = planes.outer - 1;
    for (; i >= 0 && ++index[i] == planes.size[i]; --i) index[i] = 0;
    if (i < 0) return;
  }
}

/// Calls f(out, in, grid) for each plane of `out`, which is dense or uniform.
template <class T, int N, class F>
void for_each_plane(Block* out, const MapOperand<T> (&operands)[N], F f) {
  const std::int64_t n = out->is_uniform() ? 1 : out->shape.size();
  if (n == 0) return;
  In<T> in[Planes::max_operands];
  bool flat = true;
  for (int k = 0; k < N; ++k) {
    const bool scalar = operands[k].is_scalar();
    in[k] = {operands[k].data(), 0, scalar ? 0 : 1};
    flat &= scalar || operands[k].block->shape == out->shape;
  }
  T* data = out->data<T>();
  if (flat) {
    f(data, in, Grid{1, n});
    return;
  }
  const Shape* shapes[N];
  for (int k = 0; k < N; ++k) {
    shapes[k] = operands[k].is_scalar() ? nullptr : &operands[k].block->shape;
  }
  for_each_offset(out->shape, shapes,
                  [&](std::int64_t start, const std::int64_t* offsets, const Planes& planes) {
                    for (int k = 0; k < N; ++k) {
                      in[k] = {operands[k].data() + offsets[k], planes.row[k], planes.col[k]};
                    }
                    f(data + start, in, planes.grid);
                  });
}

}  // namespace ebb::inline v0::detail
