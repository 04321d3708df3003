// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/pooling.hpp"

#include <algorithm>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/parallel.hpp"

namespace ebb::inline v0 {
namespace detail {

template <class T>
void average(const Windows2d& windows, std::int64_t planes, const T* x, T* y) {
  const std::int64_t stride = windows.columns.stride, count = windows.count();
  const T divisor = T(windows.kernel());
  parallel_blocks(planes, 1, [&](std::int64_t plane, std::int64_t) {
    const T* in = x + plane * windows.plane();
    T* out = y + plane * count;
    std::fill_n(out, count, T(0));
    windows.for_each_run([=](std::int64_t from, std::int64_t at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) out[at + i] += in[from + i * stride];
    });
    for (std::int64_t i = 0; i < count; ++i) out[i] /= divisor;
  });
}
EBB_FOR_REALS(average)

template <class T>
void share(const Windows2d& windows, std::int64_t planes, const T* g, T* gx) {
  const std::int64_t stride = windows.columns.stride, size = windows.plane();
  const T divisor = T(windows.kernel());
  parallel_blocks(planes, 1, [&](std::int64_t plane, std::int64_t) {
    const T* in = g + plane * windows.count();
    T* out = gx + plane * size;
    std::fill_n(out, size, T(0));
    windows.for_each_run([=](std::int64_t to, std::int64_t at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) out[to + i * stride] += in[at + i];
    });
    for (std::int64_t i = 0; i < size; ++i) out[i] /= divisor;
  });
}
EBB_FOR_REALS(share)

namespace {

/// @throws ArgumentError if a window consists of padding only.
void check_elements(std::string_view operation, const Windows& w) {
  for (std::int64_t window = 0; window < w.count; ++window) {
    std::int64_t k = 0;
    while (k < w.kernel && (w.at(window, k) < 0 || w.at(window, k) >= w.size)) ++k;
    if (k < w.kernel) continue;
    throw ArgumentError(std::string(operation) + ": window " + std::to_string(window) +
                        " along an axis of size " + std::to_string(w.size) + " has only padding");
  }
}

/// The position in its plane of the largest element of each window: the first of equal ones, or the
/// first NaN.
template <class T>
Array<std::int64_t> largest(const Windows2d& windows, std::int64_t planes, const T* x) {
  const std::int64_t stride = windows.columns.stride, count = windows.count();
  auto index = Array<std::int64_t>::full({planes, count}, -1);
  std::int64_t* all = index.mutate();
  parallel_blocks(planes, 1, [&](std::int64_t plane, std::int64_t) {
    const T* in = x + plane * windows.plane();
    std::int64_t* best = all + plane * count;
    windows.for_each_run([=](std::int64_t from, std::int64_t at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t here = from + i * stride, before = best[at + i];
        const bool wins = before < 0 || in[here] > in[before] ||
                          (in[here] != in[here] && in[before] == in[before]);
        best[at + i] = wins ? here : before;
      }
    });
  });
  return index;
}

/// The options for pooling planes; a stride of 0 becomes the size of the kernel.
/// @throws ShapeError and ArgumentError for an x with other axes, and for a padding of more than
/// half a kernel.
Pooling pooling(std::string_view operation, int axes, const Shape& x, HeightWidth kernel,
                HeightWidth stride, HeightWidth padding, HeightWidth dilation = 1) {
  if (x.rank() != axes + 2) {
    throw_shapes(operation,
                 axes == 1 ? "x must have 3 axes (n, c, l)" : "x must have 4 axes (n, c, h, w)", x);
  }
  const auto of_axis = [&](std::int64_t& step, std::int64_t size, std::int64_t margin) {
    if (step == 0) step = size;
    if (size < 1 || margin <= size / 2) return;
    throw ArgumentError(std::string(operation) + ": padding = " + std::to_string(margin) +
                        " of a kernel of " + std::to_string(size) + "; it is at most half of it");
  };
  of_axis(stride.height, kernel.height, padding.height);
  of_axis(stride.width, kernel.width, padding.width);
  return {kernel, stride, padding, dilation,
          axes == 1 ? HeightWidth(1, x[2]) : HeightWidth(x[2], x[3])};
}

/// The shape of the result, which has as many axes as x.
Shape pooled_shape(const Shape& x, const Windows2d& windows) {
  if (x.rank() == 3) return {x[0], x[1], windows.columns.count};
  return {x[0], x[1], windows.rows.count, windows.columns.count};
}

template <class T>
Tensor<T> max_pool(std::string_view operation, const Operand<T>& x, const Pooling& options) {
  const Tensor<T> in = dense(x);
  const Shape s = in.shape();
  const Windows2d windows = options.windows(operation);
  check_elements(operation, windows.rows);
  check_elements(operation, windows.columns);
  const std::int64_t planes = s[0] * s[1];
  const auto index = largest(windows, planes, in.data());
  return reshape(gather(reshape(in, {planes, windows.plane()}), 1, index),
                 pooled_shape(s, windows));
}

template <class T>
Tensor<T> avg_pool(std::string_view operation, const Operand<T>& x, const Pooling& options) {
  const Shape& s = Access::shape(x);
  if (s.rank() == 4) return apply<op::AvgPool2d, T>(options, x);
  const Shape y = pooled_shape(s, options.windows(operation));
  const Shape planes{s[0], s[1], options.plane.height, options.plane.width};
  return reshape(apply<op::AvgPool2d, T>(options, reshape(x, planes)), y);
}

}  // namespace
}  // namespace detail

template <Real T>
Tensor<T> max_pool2d(const Operand<T>& x, HeightWidth kernel, MaxPool2dOptions o) {
  const Shape& shape = detail::Access::shape(x, "max_pool2d");
  return detail::max_pool(
      "max_pool2d", x,
      detail::pooling("max_pool2d", 2, shape, kernel, o.stride, o.padding, o.dilation));
}
EBB_FOR_REALS(max_pool2d)
template <Real T>
Tensor<T> max_pool1d(const Operand<T>& x, std::int64_t kernel, MaxPool1dOptions o) {
  const Shape& shape = detail::Access::shape(x, "max_pool1d");
  return detail::max_pool("max_pool1d", x,
                          detail::pooling("max_pool1d", 1, shape, {1, kernel}, {1, o.stride},
                                          {0, o.padding}, {1, o.dilation}));
}
EBB_FOR_REALS(max_pool1d)
template <Real T>
Tensor<T> avg_pool2d(const Operand<T>& x, HeightWidth kernel, AvgPool2dOptions o) {
  const Shape& shape = detail::Access::shape(x, "avg_pool2d");
  return detail::avg_pool("avg_pool2d", x,
                          detail::pooling("avg_pool2d", 2, shape, kernel, o.stride, o.padding));
}
EBB_FOR_REALS(avg_pool2d)
template <Real T>
Tensor<T> avg_pool1d(const Operand<T>& x, std::int64_t kernel, AvgPool1dOptions o) {
  const Shape& shape = detail::Access::shape(x, "avg_pool1d");
  return detail::avg_pool(
      "avg_pool1d", x,
      detail::pooling("avg_pool1d", 1, shape, {1, kernel}, {1, o.stride}, {0, o.padding}));
}
EBB_FOR_REALS(avg_pool1d)

}  // namespace ebb::inline v0
