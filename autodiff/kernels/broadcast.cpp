// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/broadcast.hpp"

namespace ebb::inline v0::detail {

/// The layout for an output of at most two axes, whose strides follow from the sizes.
void Planes::lay_out_matrix(const Shape& out, const Shape* const* shapes, int count) {
  const auto last = [](const Shape& s, int from_end) {
    return s.rank() > from_end ? s[s.rank() - 1 - from_end] : 1;
  };
  grid = {last(out, 1), last(out, 0)};
  bool joined = true;
  for (int k = 0; k < count; ++k) {
    if (!shapes[k]) continue;
    const std::int64_t cols = last(*shapes[k], 0);
    col[k] = cols > 1;
    row[k] = last(*shapes[k], 1) > 1 ? cols : 0;
    joined &= row[k] == col[k] * grid.cols;
  }
  if (grid.rows == 1) return;
  // The rows of a column are its elements, and rows that all operands have one after the other
  // are one.
  if (grid.cols > 1 && !joined) return;
  for (int k = 0; k < count; ++k) {
    if (grid.cols == 1) col[k] = row[k];
    row[k] = 0;
  }
  grid = {1, grid.rows * grid.cols};
}

Planes::Planes(const Shape& out, const Shape* const* shapes, int count) {
  if (out.rank() <= 2) {
    lay_out_matrix(out, shapes, count);
    return;
  }
  // The strides of each operand along the axes of the output; 0 where it is broadcast.
  std::int64_t sizes[Shape::max_rank], strides[max_operands][Shape::max_rank] = {};
  int axes = 0;
  for (int i = 0; i < out.rank(); ++i) {
    if (out[i] == 1) continue;
    for (int k = 0; k < count; ++k) {
      if (!shapes[k]) continue;
      const Shape& s = *shapes[k];
      const int j = i - (out.rank() - s.rank());
      if (j < 0 || s[j] == 1) continue;
      strides[k][axes] = 1;
      for (int l = j + 1; l < s.rank(); ++l) strides[k][axes] *= s[l];
    }
    sizes[axes++] = out[i];
  }
  // Axis i is merged with axis i + 1 if one step along it equals a whole walk along the other.
  int kept = 0;
  for (int i = 0; i < axes; ++i) {
    bool joins = kept > 0;
    for (int k = 0; joins && k < count; ++k) {
      joins = strides[k][kept - 1] == strides[k][i] * sizes[i];
    }
    const int to = joins ? kept - 1 : kept++;
    sizes[to] = joins ? sizes[to] * sizes[i] : sizes[i];
    for (int k = 0; k < count; ++k) strides[k][to] = strides[k][i];
  }
  if (kept > 0) grid.cols = sizes[kept - 1];
  if (kept > 1) grid.rows = sizes[kept - 2];
  for (int k = 0; k < count; ++k) {
    if (kept > 0) col[k] = strides[k][kept - 1];
    if (kept > 1) row[k] = strides[k][kept - 2];
  }
  outer = kept > 2 ? kept - 2 : 0;
  for (int i = 0; i < outer; ++i) {
    size[i] = sizes[i];
    for (int k = 0; k < count; ++k) stride[k][i] = strides[k][i];
  }
}

}  // namespace ebb::inline v0::detail
