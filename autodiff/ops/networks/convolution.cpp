// SPDX-License-Identifier: BSD-3-Clause
// Convolution as a matrix product: the windows of an image become the columns of a matrix, which is
// multiplied by the weight, a matrix of (channels out, elements of a window) (Chellapilla, Puri and
// Simard 2006, "High performance convolutional neural networks for document processing").
#include "ebb/autodiff/ops/networks/convolution.hpp"

#include <algorithm>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/parallel.hpp"

namespace ebb::inline v0 {
namespace detail {

namespace {

/// The windows of a convolution, after a check of the shapes.
Windows2d windows_of(std::string_view operation, int axes, const Shape& x, const Shape& weight,
                     const Conv2dOptions& o) {
  if (x.rank() != axes + 2 || weight.rank() != axes + 2) {
    throw_shapes(operation,
                 axes == 1 ? "x must have 3 axes (n, c_in, l) and weight 3"
                           : "x must have 4 axes (n, c_in, h, w) and weight 4",
                 x, weight);
  }
  if (o.groups < 1) {
    throw ArgumentError(std::string(operation) + ": groups = " + std::to_string(o.groups) +
                        "; there is at least one");
  }
  if (x[1] % o.groups != 0 || weight[0] % o.groups != 0 || weight[1] != x[1] / o.groups) {
    throw ShapeError(std::string(operation) +
                     ": weight must be (c_out, c_in / groups, ...) with c_out and c_in in " +
                     std::to_string(o.groups) + " groups, not " + to_string(weight) + " for x " +
                     to_string(x));
  }
  const auto plane = [=](const Shape& s) {
    return axes == 1 ? HeightWidth(1, s[2]) : height_width(s);
  };
  return {operation, plane(x), plane(weight), o.stride, o.padding, o.dilation};
}

}  // namespace

Convolution::Convolution(std::string_view operation, int axes, const Shape& x, const Shape& weight,
                         const Conv2dOptions& options)
    : windows(windows_of(operation, axes, x, weight, options)),
      batch(x[0]),
      groups(options.groups),
      in(weight[1]),
      out(weight[0] / groups) {}

void check_bias(std::string_view operation, const Shape& bias, const Shape& weight) {
  if (bias.rank() == 1 && bias[0] == weight[0]) return;
  throw_shapes(operation, "bias must be (c_out,) for weight (c_out, ...)", bias, weight);
}

namespace {

/// The windows of one image as the columns of a matrix. If they are the image itself, nothing is
/// copied; otherwise the zeros of the padding are written once, since they are the same for all
/// images.
template <class T>
class Columns {
 public:
  explicit Columns(const Convolution& c) : channels_(c.in), w_(c.windows) {
    const Windows &r = w_.rows, &s = w_.columns;
    if (r.kernel * s.kernel * r.stride * s.stride == 1 && r.padding + s.padding == 0) return;
    matrix_ = BlockHandle(allocate({c.in * w_.kernel(), r.count, s.count}, sizeof(T)));
    if (r.padding + s.padding == 0) return;
    std::fill_n(matrix_->data<T>(), matrix_->shape.size(), T(0));
  }
  /// The matrix for an image.
  const T* of(const T* image) {
    if (!matrix_) return image;
    visit([&](std::int64_t plane, T* columns, const Runs& runs) {
      const T* x = image + plane + runs.from;
      if (contiguous(runs)) {
        std::copy_n(x, length(runs), columns);
        clear_gaps(columns, runs);
        return;
      }
      for (std::int64_t r = 0; r < runs.count; ++r) {
        for (std::int64_t i = 0; i < runs.n; ++i) columns[i] = x[i * w_.columns.stride];
        columns += runs.window_step;
        x += runs.from_step;
      }
    });
    return matrix_->data<T>();
  }
  /// Whether the matrix is the image itself.
  bool is_image() const { return !matrix_; }
  /// The memory for a matrix, which `add_to` then adds to an image.
  T* matrix(T* image) { return matrix_ ? matrix_->data<T>() : image; }
  /// The reverse of `of`: adds to each element of the image the sum over all windows that contain
  /// it.
  void add_to(T* image) {
    if (!matrix_) return;
    visit([&](std::int64_t plane, T* columns, const Runs& runs) {
      T* x = image + plane + runs.from;
      if (contiguous(runs)) {
        clear_gaps(columns, runs);
        const std::int64_t n = length(runs);
        for (std::int64_t i = 0; i < n; ++i) x[i] += columns[i];
        return;
      }
      for (std::int64_t r = 0; r < runs.count; ++r) {
        for (std::int64_t i = 0; i < runs.n; ++i) x[i * w_.columns.stride] += columns[i];
        columns += runs.window_step;
        x += runs.from_step;
      }
    });
  }

 private:
  using Runs = Windows2d::Runs;

  /// Calls f(plane, columns, runs) for each channel and element of the kernel: the start of the
  /// channel in the image, and the runs in the matrix.
  template <class F>
  EBB_INLINE void visit(const F& f) {
    T* row = matrix_->data<T>();
    for (std::int64_t channel = 0; channel < channels_; ++channel) {
      w_.for_each_element([&](std::int64_t k, const Runs& runs) {
        f(channel * w_.plane(), row + k * w_.count() + runs.window, runs);
      });
      row += w_.kernel() * w_.count();
    }
  }
  /// True if all runs can be copied at once, including the elements between them: windows are as
  /// far apart as their elements, both in a row and from row to row, as for x and a result of the
  /// same size.
  bool contiguous(const Runs& runs) const {
    return w_.columns.stride == 1 && runs.from_step == runs.window_step &&
           2 * runs.n > runs.window_step;
  }
  static std::int64_t length(const Runs& runs) {
    return (runs.count - 1) * runs.window_step + runs.n;
  }
  /// Clears the elements between the runs, which are padding.
  static void clear_gaps(T* columns, const Runs& runs) {
    for (std::int64_t r = 0; r + 1 < runs.count; ++r, columns += runs.window_step) {
      std::fill(columns + runs.n, columns + runs.window_step, T(0));
    }
  }

  std::int64_t channels_;
  const Windows2d& w_;
  BlockHandle matrix_;
};

/// Calls f(image, group) for the images [first, last) and each group of channels; `image` is the
/// number of the part of x and y.
template <class F>
void for_each_part(const Convolution& c, std::int64_t first, std::int64_t last, const F& f) {
  for (std::int64_t part = first * c.groups; part < last * c.groups; ++part) {
    f(part, part % c.groups);
  }
}

}  // namespace

template <class T>
void convolve(const Convolution& c, const T* x, const T* weight, const T* bias, T* y) {
  const std::int64_t inner = c.in * c.windows.kernel(), count = c.windows.count();
  parallel_blocks(c.batch, 1, [&](std::int64_t first, std::int64_t last) {
    Columns<T> columns(c);
    for_each_part(c, first, last, [&](std::int64_t part, std::int64_t group) {
      T* out = y + part * c.out * count;
      for (std::int64_t i = 0; i < c.out; ++i) {
        std::fill_n(out + i * count, count, bias[group * c.out + i]);
      }
      gemm(false, false, c.out, count, inner, weight + group * c.out * inner,
           columns.of(x + part * c.in * c.windows.plane()), out, true);
    });
  });
}
EBB_FOR_REALS(convolve)

template <class T>
void convolve_input(const Convolution& c, const T* g, const T* weight, const T* bias, T* gx) {
  const std::int64_t inner = c.in * c.windows.kernel(), count = c.windows.count();
  const std::int64_t plane = c.windows.plane();
  parallel_blocks(c.batch, 1, [&](std::int64_t first, std::int64_t last) {
    Columns<T> columns(c);
    for_each_part(c, first, last, [&](std::int64_t part, std::int64_t group) {
      T* image = gx + part * c.in * plane;
      for (std::int64_t i = 0; i < c.in; ++i) {
        std::fill_n(image + i * plane, plane, bias ? bias[group * c.in + i] : T(0));
      }
      gemm(true, false, inner, count, c.out, weight + group * c.out * inner,
           g + part * c.out * count, columns.matrix(image), columns.is_image());
      columns.add_to(image);
    });
  });
}
EBB_FOR_REALS(convolve_input)

template <class T>
void convolve_weight(const Convolution& c, const T* x, const T* g, T* gw) {
  const std::int64_t inner = c.in * c.windows.kernel(), count = c.windows.count();
  std::fill_n(gw, c.groups * c.out * inner, T(0));
  if (c.batch == 0) return;
  Columns<T> columns(c);
  for_each_part(c, 0, c.batch, [&](std::int64_t part, std::int64_t group) {
    gemm(false, true, c.out, inner, count, g + part * c.out * count,
         columns.of(x + part * c.in * c.windows.plane()), gw + group * c.out * inner, true);
  });
}
EBB_FOR_REALS(convolve_weight)

}  // namespace detail

namespace {

/// A bias of zeros for an operation without one.
template <class T>
Array<T> no_bias(std::string_view operation, const Operand<T>& weight) {
  const Shape& shape = detail::Access::shape(weight, operation);
  return Array<T>::zeros({shape.rank() > 0 ? shape[0] : 0});
}

}  // namespace

template <Real T>
Tensor<T> conv2d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                 Conv2dOptions options) {
  return detail::apply<op::Conv2d, T>(options, x, weight, bias);
}
EBB_OVERLOAD_FOR_REALS(conv2d, Tensor<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                         Conv2dOptions))
template <Real T>
Tensor<T> conv2d(const Operand<T>& x, const Operand<T>& weight, Conv2dOptions options) {
  return detail::apply<op::Conv2d, T>(options, x, weight, no_bias("conv2d", weight));
}
EBB_OVERLOAD_FOR_REALS(conv2d, Tensor<T>(const Operand<T>&, const Operand<T>&, Conv2dOptions))

template <Real T>
Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                 Conv1dOptions o) {
  const Conv2dOptions options{.stride = {1, o.stride},
                              .padding = {0, o.padding},
                              .dilation = {1, o.dilation},
                              .groups = o.groups};
  const Shape s = detail::Access::shape(x, "conv1d"), w = detail::Access::shape(weight, "conv1d");
  const detail::Convolution c("conv1d", 1, s, w, options);
  detail::check_bias("conv1d", detail::Access::shape(bias, "conv1d"), w);
  const Tensor<T> y = conv2d(reshape(x, {s[0], s[1], 1, s[2]}),
                             reshape(weight, {w[0], w[1], 1, w[2]}), bias, options);
  return reshape(y, c.y().without(2));
}
EBB_OVERLOAD_FOR_REALS(conv1d, Tensor<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                         Conv1dOptions))
template <Real T>
Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, Conv1dOptions options) {
  return conv1d(x, weight, no_bias("conv1d", weight), options);
}
EBB_OVERLOAD_FOR_REALS(conv1d, Tensor<T>(const Operand<T>&, const Operand<T>&, Conv1dOptions))

}  // namespace ebb::inline v0
