// SPDX-License-Identifier: BSD-3-Clause
// The operations that neural networks are made of; see ops.hpp for what is common to all.
#pragma once
#include <optional>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// A number for the height and one for the width; a number alone is for both
struct HeightWidth {
  EBB_INLINE constexpr HeightWidth(std::int64_t both) : height(both), width(both) {}
  EBB_INLINE constexpr HeightWidth(std::int64_t h, std::int64_t w) : height(h), width(w) {}
  std::int64_t height, width;
};

// Convolutions, which are cross-correlations. There is a batch axis always. PyTorch: single images,
// too, which are `unsqueeze` of axis 0, so that a forgotten axis is seen; padding="same" and
// "valid", which depend on the kernel: here the number is written

/// Windows start `stride` apart on x between `padding` zeros at both ends; their elements stand
/// `dilation` apart. The channels are in `groups`, and each part of the result sees one of these
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
/// The same along one axis
struct Conv1dOptions {
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};
/// Windows of x (n, c_in, l) times weight (c_out, c_in / groups, kernel), plus bias (c_out,):
/// (n, c_out, windows)
template <Real T>
EBB_API Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                         Conv1dOptions options = {});
template <Real T>
EBB_API Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, Conv1dOptions options = {});

// Pooling: one number for each window of a plane of x (n, c, h, w), or of a row of x (n, c, l).
// PyTorch: single images, too, which are `unsqueeze` of axis 0; ceil_mode, whose last windows leave
// the plane, for which there is `pad`

/// As for convolutions, with a padding of at most half a kernel; a stride of 0 is the kernel's size
struct MaxPool2dOptions {
  HeightWidth stride = 0, padding = 0, dilation = 1;
};
/// The largest element of each window; the gradient goes to the first of equals, NaN stays NaN. No
/// window may hold padding alone. PyTorch: -inf of a window of padding alone, which here is refused
/// as a mistake; return_indices, which serve its max_unpool2d alone
template <Real T>
EBB_API Tensor<T> max_pool2d(const Operand<T>& x, HeightWidth kernel,
                             MaxPool2dOptions options = {});
/// The same along one axis
struct MaxPool1dOptions {
  std::int64_t stride = 0, padding = 0, dilation = 1;
};
/// max_pool2d of rows. PyTorch: see max_pool2d
template <Real T>
EBB_API Tensor<T> max_pool1d(const Operand<T>& x, std::int64_t kernel,
                             MaxPool1dOptions options = {});
/// As for max_pool2d
struct AvgPool2dOptions {
  HeightWidth stride = 0, padding = 0;
};
/// The mean over each window, where the padding counts as zeros. PyTorch: count_include_pad=False
/// and divisor_override; here avg_pool2d of x by that of ones
template <Real T>
EBB_API Tensor<T> avg_pool2d(const Operand<T>& x, HeightWidth kernel,
                             AvgPool2dOptions options = {});
/// The same along one axis
struct AvgPool1dOptions {
  std::int64_t stride = 0, padding = 0;
};
/// avg_pool2d of rows. PyTorch: see avg_pool2d
template <Real T>
EBB_API Tensor<T> avg_pool1d(const Operand<T>& x, std::int64_t kernel,
                             AvgPool1dOptions options = {});

// Rows by index.

/// Which row of an embedding stands for nothing: it gets no gradient
struct EmbeddingOptions {
  std::optional<std::int64_t> padding_index = {};
};
/// Rows of weight (rows, columns) by index: indices (...) give (..., columns). PyTorch: a negative
/// padding_idx counts from the end; max_norm, which changes the weight on the way, where here
/// values do not change; sparse and scale_grad_by_freq, which are about its optimizers
template <Real T>
EBB_API Tensor<T> embedding(const Array<std::int64_t>& indices, const Operand<T>& weight,
                            EmbeddingOptions options = {});

// Normalisation. Variances are mean squared distances, divided by the count.

/// (x - mean) / sqrt(variance + eps) times weight plus bias, over the last axes of x, which are the
/// normalized shape; that of weight and bias too. Without both, they are ones and zeros. PyTorch:
/// weight alone as well; here zeros are the bias
template <Real T>
EBB_API Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape,
                             const Operand<T>& weight, const Operand<T>& bias, double eps = 1e-5);
template <Real T>
EBB_API Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape, double eps = 1e-5);
/// Whether the moments are those of the batch, and what part they have in the running ones
struct BatchNormOptions {
  bool training = false;
  double momentum = 0.1;
  double eps = 1e-5;
};
/// The result, and the running moments to give to the next call
template <Real T>
struct BatchNormalized {
  Tensor<T> y;
  Array<T> running_mean, running_var;
};
/// The same over all axes of x (n, c, ...) but that of the channels; weight, bias and running
/// moments are (c,). With training the moments are those of the batch, of at least two values a
/// channel, and new running moments come back: (1 - momentum) times the old ones plus momentum
/// times the batch's, whose variance is then divided by the count less 1. Without training the
/// running moments are used, and come back as they are. PyTorch: changes the moments in place,
/// where here values do not change; weight, bias and, in training, moments may be missing: here
/// they are ones and zeros
template <Real T>
EBB_API BatchNormalized<T> batch_norm(const Operand<T>& x, const Array<T>& running_mean,
                                      const Array<T>& running_var, const Operand<T>& weight,
                                      const Operand<T>& bias, BatchNormOptions options = {});

/// x / (1 - p), but 0 for each element with probability p: 0 even where x is NaN. The stream gives
/// one key a call, whatever the size of x; a checkpoint repeats it. PyTorch: draws from a state of
/// the whole program, where here results repeat; training=False, which here is not to call it; NaN
/// where x is NaN
template <Real T> EBB_API Tensor<T> dropout(const Operand<T>& x, double p, Stream& stream);

// clang-format on

}  // namespace ebb::inline v0
