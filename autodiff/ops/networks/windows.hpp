// SPDX-License-Identifier: BSD-3-Clause
// Windows that slide over an axis or a plane, for convolution and pooling.
#pragma once
#include <string_view>

#include "ebb/autodiff/operations/networks.hpp"

namespace ebb::inline v0::detail {

/// Windows of `kernel` elements, which are `dilation` apart. Each window begins `stride` elements
/// after the one before, on an axis of `size` elements between `padding` elements that are not in
/// memory.
struct Windows {
  std::int64_t size, kernel, stride, padding, dilation;
  std::int64_t count;  ///< the number of windows

  /// @throws ArgumentError for a number that is out of range; ShapeError for a kernel that does not
  /// fit.
  Windows(std::string_view operation, std::int64_t size, std::int64_t kernel, std::int64_t stride,
          std::int64_t padding, std::int64_t dilation);

  /// The position on the axis of element k of a window.
  std::int64_t at(std::int64_t window, std::int64_t k) const {
    return window * stride - padding + k * dilation;
  }
  /// The windows whose element k is on the axis and not in the padding: [first(k), end(k)).
  std::int64_t first(std::int64_t k) const { return windows_within(-at(0, k)); }
  std::int64_t end(std::int64_t k) const { return windows_within(size - at(0, k)); }

 private:
  /// The number of windows that start less than a distance after the first one.
  std::int64_t windows_within(std::int64_t distance) const;
};

/// Windows over the rows and the columns of a plane.
struct Windows2d {
  Windows rows, columns;

  /// @throws ArgumentError and ShapeError as `Windows`.
  Windows2d(std::string_view operation, HeightWidth plane, HeightWidth kernel, HeightWidth stride,
            HeightWidth padding, HeightWidth dilation)
      : rows(operation, plane.height, kernel.height, stride.height, padding.height,
             dilation.height),
        columns(operation, plane.width, kernel.width, stride.width, padding.width, dilation.width) {
  }

  std::int64_t plane() const { return rows.size * columns.size; }
  std::int64_t kernel() const { return rows.kernel * columns.kernel; }
  std::int64_t count() const { return rows.count * columns.count; }

  /// The windows in which one element of the kernel is on the plane and not in the padding: `count`
  /// runs of n windows, each along a row of windows.
  struct Runs {
    std::int64_t count, n;
    std::int64_t from, window;  ///< position of that element of the first window, and its number
    std::int64_t from_step, window_step;  ///< steps to the next run
  };
  /// Calls f(k, runs) for each element of the kernel in row-major order. In a run the elements are
  /// columns.stride apart.
  template <class F>
  EBB_INLINE void for_each_element(const F& f) const {
    for (std::int64_t k = 0; k < kernel(); ++k) {
      const std::int64_t row = k / columns.kernel, column = k % columns.kernel;
      const std::int64_t i = rows.first(row), j = columns.first(column);
      const std::int64_t count = rows.end(row) - i, n = columns.end(column) - j;
      if (count <= 0 || n <= 0) continue;
      f(k, Runs{.count = count,
                .n = n,
                .from = rows.at(i, row) * columns.size + columns.at(j, column),
                .window = i * columns.count + j,
                .from_step = rows.stride * columns.size,
                .window_step = columns.count});
    }
  }
  /// Calls f(from, window, n) for each of the runs.
  template <class F>
  EBB_INLINE void for_each_run(const F& f) const {
    for_each_element([&](std::int64_t, const Runs& runs) {
      for (std::int64_t i = 0; i < runs.count; ++i) {
        f(runs.from + i * runs.from_step, runs.window + i * runs.window_step, runs.n);
      }
    });
  }
};

}  // namespace ebb::inline v0::detail
