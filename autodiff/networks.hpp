// SPDX-License-Identifier: BSD-3-Clause
// The operations that neural networks are made of; see ops.hpp for what is common to all.
#pragma once
#include <optional>

#include "ebb/autodiff/random.hpp"
#include "ebb/autodiff/tensor.hpp"
#include "ebb/autodiff/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// A number for the height and one for the width; a number alone is for both
struct HeightWidth {
  EBB_INLINE constexpr HeightWidth(std::int64_t both) : height(both), width(both) {}
  EBB_INLINE constexpr HeightWidth(std::int64_t h, std::int64_t w) : height(h), width(w) {}
  std::int64_t height, width;
};

// Convolutions are cross-correlations, as everywhere in the field. There is a batch axis always.

/// In elements: windows start `stride` apart, on x between `padding` zeros at both ends, and their
/// elements stand `dilation` apart. Each of `groups` parts of the channels is for itself
struct Conv2dOptions {
  HeightWidth stride = 1, padding = 0, dilation = 1;
  std::int64_t groups = 1;
};
/// Windows of x (n, c_in, h, w) times weight (c_out, c_in / groups, kernel_h, kernel_w), plus bias
/// (c_out,): (n, c_out, windows_h, windows_w)
template <Real T>
EBB_API Tensor<T> conv2d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                         Conv2dOptions options = {});
template <Real T>
EBB_API Tensor<T> conv2d(const Operand<T>& x, const Operand<T>& weight, Conv2dOptions options = {});
struct Conv1dOptions {
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};
/// The same along one axis: x (n, c_in, l), weight (c_out, c_in / groups, kernel), bias (c_out,)
template <Real T>
EBB_API Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                         Conv1dOptions options = {});
template <Real T>
EBB_API Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, Conv1dOptions options = {});

// Pooling: a number for each window of a plane of x (n, c, h, w), or of a row of x (n, c, l). There
// is padding at both ends, at most half a kernel; a stride of 0 stands for the kernel's size.

struct MaxPool2dOptions {
  HeightWidth stride = 0, padding = 0, dilation = 1;
};
/// The largest element of each window; the gradient goes to the first of equals, NaN stays NaN. No
/// window may be of padding alone (PyTorch: -inf)
template <Real T>
EBB_API Tensor<T> max_pool2d(const Operand<T>& x, HeightWidth kernel, MaxPool2dOptions options = {});
struct MaxPool1dOptions {
  std::int64_t stride = 0, padding = 0, dilation = 1;
};
/// The same of rows
template <Real T>
EBB_API Tensor<T> max_pool1d(const Operand<T>& x, std::int64_t kernel, MaxPool1dOptions options = {});
struct AvgPool2dOptions {
  HeightWidth stride = 0, padding = 0;
};
/// The mean over each window, where the padding counts as zeros
template <Real T>
EBB_API Tensor<T> avg_pool2d(const Operand<T>& x, HeightWidth kernel, AvgPool2dOptions options = {});
struct AvgPool1dOptions {
  std::int64_t stride = 0, padding = 0;
};
/// The same of rows
template <Real T>
EBB_API Tensor<T> avg_pool1d(const Operand<T>& x, std::int64_t kernel, AvgPool1dOptions options = {});

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_index = {};  ///< the row that gets no gradient
};
/// Rows of weight (rows, columns) by index: indices (...) give (..., columns)
template <Real T>
EBB_API Tensor<T> embedding(const Array<std::int64_t>& indices, const Operand<T>& weight,
                            EmbeddingOptions options = {});

/// (x - mean) / sqrt(variance + eps) times weight plus bias, over the last axes of x, which are the
/// normalized shape; that of weight and bias too. Without both, they are ones and zeros
template <Real T>
EBB_API Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape, const Operand<T>& weight,
                             const Operand<T>& bias, double eps = 1e-5);
template <Real T>
EBB_API Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape, double eps = 1e-5);
struct BatchNormOptions {
  bool training = false;
  double momentum = 0.1;
  double eps = 1e-5;
};
template <Real T>
struct BatchNormalized {
  Tensor<T> y;
  Array<T> running_mean, running_var;
};
/// The same over all axes of x (n, c, ...) but that of the channels; weight and bias are (c,). With
/// training the moments are those of the batch, of two values a channel at least, else the running
/// ones. Those that come back are to be kept for the next call: (1 - momentum) times the old ones
/// plus momentum times the batch's, whose variance is then divided by its count less 1; without
/// training they are the old ones. Nothing is changed in place, where PyTorch changes its arguments
template <Real T>
EBB_API BatchNormalized<T> batch_norm(const Operand<T>& x, const Array<T>& running_mean,
                                      const Array<T>& running_var, const Operand<T>& weight,
                                      const Operand<T>& bias, BatchNormOptions options = {});

/// x / (1 - p), but 0 for each element with probability p: 0 even where x is NaN (PyTorch: NaN).
/// The stream gives one key a call, whatever the size of x; a checkpoint repeats it
template <Real T> EBB_API Tensor<T> dropout(const Operand<T>& x, double p, Stream& stream);

// clang-format on

}  // namespace ebb::inline v0
