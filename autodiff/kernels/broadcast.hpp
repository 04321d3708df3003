// SPDX-License-Identifier: BSD-3-Clause
// The layout of operands of different shapes on the grid of an elementwise kernel.
#pragma once
#include "ebb/autodiff/kernels/table.hpp"

namespace ebb::inline v0::detail {

/// The planes of a broadcast: two axes make the kernel's grid, and the others are looped over.
/// Adjacent axes are merged if every operand walks through them in the same way.
struct Planes {
  static constexpr int max_operands = 4;
  Grid grid{1, 1};
  std::int64_t row[max_operands] = {}, col[max_operands] = {};
  int outer = 0;
  // Set for the axes that are looped over.
  std::int64_t size[Shape::max_rank];
  std::int64_t stride[max_operands][Shape::max_rank];

  /// `shapes[k]` is null for an operand with one value for all elements.
  Planes(const Shape& out, const Shape* const* shapes, int count);

 private:
  void lay_out_matrix(const Shape& out, const Shape* const* shapes, int count);
};

/// Calls f(out, offsets, planes) for each plane, with its start in the output and in each operand.
template <int operands, class F>
void for_each_offset(const Shape& out, const Shape* const (&shapes)[operands], F f) {
  if (out.size() == 0) return;
  const Planes planes(out, shapes, operands);
  std::int64_t index[Shape::max_rank] = {};
  for (std::int64_t start = 0;; start += planes.grid.rows * planes.grid.cols) {
    std::int64_t offsets[operands] = {};
    for (int k = 0; k < operands; ++k) {
      for (int i = 0; i < planes.outer; ++i) offsets[k] += index[i] * planes.stride[k][i];
    }
    f(start, offsets, planes);
    int i = planes.outer - 1;
    for (; i >= 0 && ++index[i] == planes.size[i]; --i) index[i] = 0;
    if (i < 0) return;
  }
}

/// The operands of an elementwise kernel, laid out for an output of a given shape.
template <class T, int operands>
class Layout {
 public:
  explicit Layout(const Shape& out) : out_(out) {}

  /// Sets operand k: a block that broadcasts to the output or, if the block is null, a number.
  EBB_INLINE void set(int k, Block* block, const T* number) {
    set_ |= 1U << k;
    if (!block) {
      in_[k] = {number, 0, 0};
    } else if (block->is_single()) {
      in_[k] = {block->data<T>(), 0, 0};
    } else {
      in_[k] = {block->data<T>(), 0, 1};
      shapes_[k] = &block->shape;
      flat_ = flat_ && block->shape == out_;
    }
  }
  /// True if every operand is a single value or has the shape of the output. A row then cannot run
  /// over into one that is still to be read, so that the result may overwrite an operand.
  bool flat() const { return flat_; }

  /// Calls f(out, in, grid) for each plane of a dense output.
  template <class F>
  EBB_INLINE void run(T* out, const F& f) const {
    const std::int64_t n = out_.size();
    if (n == 0) return;
    if (flat_) {
      f(out, in_, Grid{1, n});
    } else {
      run_planes(out, f);
    }
  }
  /// Computes one element for all, if every operand is a single value.
  template <class F>
  EBB_INLINE void run_uniform(T* out, const F& f) const {
    f(out, in_, Grid{1, 1});
  }

 private:
  template <class F>
  void run_planes(T* out, const F& f) const {
    for_each_offset(out_, shapes_,
                    [&](std::int64_t start, const std::int64_t* offsets, const Planes& planes) {
                      In<T> in[operands];
                      for (int k = 0; k < operands; ++k) {
                        if (set_ >> k & 1U)
                          in[k] = {in_[k].data + offsets[k], planes.row[k], planes.col[k]};
                      }
                      f(out + start, in, planes.grid);
                    });
  }

  const Shape& out_;
  In<T> in_[operands];                  // set for the operands in `set_`
  const Shape* shapes_[operands] = {};  // null for a single value
  unsigned set_ = 0;
  bool flat_ = true;
};

}  // namespace ebb::inline v0::detail
