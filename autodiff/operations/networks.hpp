// SPDX-License-Identifier: BSD-3-Clause
// The operations of neural networks; see ops.hpp for the properties that all operations share.
#pragma once
#include <optional>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// A number for the height and one for the width; a single number is for both
struct HeightWidth {
  EBB_INLINE constexpr HeightWidth(std::int64_t both) : height(both), width(both) {}
  EBB_INLINE constexpr HeightWidth(std::int64_t h, std::int64_t w) : height(h), width(w) {}
  std::int64_t height, width;
};

// Convolutions, which are cross-correlations. x always has a batch axis.
// @pytorch also takes single images (write `unsqueeze` of axis 0), and padding="same" or "valid",
// which depends on the kernel: write the number.

/// Options of conv2d. x gets `padding` zeros at both ends; windows start every `stride` elements,
/// and their elements are `dilation` apart. The channels are divided into `groups`, and each group
/// of output channels sees one group of input channels.
struct Conv2dOptions {
  HeightWidth stride = 1, padding = 0, dilation = 1;
  std::int64_t groups = 1;
};
/// Windows of x (n, c_in, h, w) times weight (c_out, c_in / groups, kernel_h, kernel_w), plus bias
/// (c_out,): (n, c_out, windows_h, windows_w).
template <Real T>
EBB_API Tensor<T> conv2d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                         Conv2dOptions options = {});
template <Real T>
EBB_API Tensor<T> conv2d(const Operand<T>& x, const Operand<T>& weight, Conv2dOptions options = {});
/// Options of conv1d, which are those of conv2d along one axis
struct Conv1dOptions {
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};
/// Windows of x (n, c_in, l) times weight (c_out, c_in / groups, kernel), plus bias (c_out,): (n,
/// c_out, windows).
template <Real T>
EBB_API Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                         Conv1dOptions options = {});
template <Real T>
EBB_API Tensor<T> conv1d(const Operand<T>& x, const Operand<T>& weight, Conv1dOptions options = {});

// Transposed convolutions. x always has a batch axis.
// @pytorch also takes single images (write `unsqueeze` of axis 0), and output_size: write
// output_padding.

/// Options of conv_transpose2d: those of the conv2d that it reverses, and how many rows and columns
/// its result has more at the end, which is less than the stride or the dilation.
struct ConvTranspose2dOptions {
  HeightWidth stride = 1, padding = 0, output_padding = 0, dilation = 1;
  std::int64_t groups = 1;
};
/// The reverse of conv2d, as its gradient in x: adds up weight (c_in, c_out / groups, kernel_h,
/// kernel_w) times each element of x (n, c_in, h, w) at the window of that element, plus bias
/// (c_out,). The result is (n, c_out, ...) with (size - 1) stride - 2 padding + (kernel - 1)
/// dilation + output_padding + 1 rows and columns.
template <Real T>
EBB_API Tensor<T> conv_transpose2d(const Operand<T>& x, const Operand<T>& weight,
                                   const Operand<T>& bias, ConvTranspose2dOptions options = {});
template <Real T>
EBB_API Tensor<T> conv_transpose2d(const Operand<T>& x, const Operand<T>& weight,
                                   ConvTranspose2dOptions options = {});
/// Options of conv_transpose1d, which are those of conv_transpose2d along one axis
struct ConvTranspose1dOptions {
  std::int64_t stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1;
};
/// The reverse of conv1d: conv_transpose2d along one axis, of x (n, c_in, l) with weight (c_in,
/// c_out / groups, kernel) and bias (c_out,).
template <Real T>
EBB_API Tensor<T> conv_transpose1d(const Operand<T>& x, const Operand<T>& weight,
                                   const Operand<T>& bias, ConvTranspose1dOptions options = {});
template <Real T>
EBB_API Tensor<T> conv_transpose1d(const Operand<T>& x, const Operand<T>& weight,
                                   ConvTranspose1dOptions options = {});

// Pooling: one number for each window of a plane of x (n, c, h, w), or of a row of x (n, c, l).
// @pytorch also takes single images (write `unsqueeze` of axis 0), and ceil_mode, whose last
// windows exceed the plane: write `pad`.

/// Options of max_pool2d, as of conv2d. The padding is at most half a kernel; a stride of 0 means
/// the size of the kernel.
struct MaxPool2dOptions {
  HeightWidth stride = 0, padding = 0, dilation = 1;
};
/// The largest element of each window. The gradient goes to the first of equal elements; NaN stays
/// NaN. A window of padding only is an error.
/// @pytorch returns -inf for a window of padding only, and takes return_indices, which only its
/// max_unpool2d needs.
template <Real T>
EBB_API Tensor<T> max_pool2d(const Operand<T>& x, HeightWidth kernel,
                             MaxPool2dOptions options = {});
/// Options of max_pool1d, which are those of max_pool2d along one axis
struct MaxPool1dOptions {
  std::int64_t stride = 0, padding = 0, dilation = 1;
};
/// max_pool2d along one axis, of x (n, c, l).
/// @pytorch differs as in max_pool2d.
template <Real T>
EBB_API Tensor<T> max_pool1d(const Operand<T>& x, std::int64_t kernel,
                             MaxPool1dOptions options = {});
/// Options of avg_pool2d, as of max_pool2d
struct AvgPool2dOptions {
  HeightWidth stride = 0, padding = 0;
};
/// The mean over each window, in which the padding counts as zeros.
/// @pytorch also takes count_include_pad=False and divisor_override; write avg_pool2d of x divided
/// by that of ones.
template <Real T>
EBB_API Tensor<T> avg_pool2d(const Operand<T>& x, HeightWidth kernel,
                             AvgPool2dOptions options = {});
/// Options of avg_pool1d, which are those of avg_pool2d along one axis
struct AvgPool1dOptions {
  std::int64_t stride = 0, padding = 0;
};
/// avg_pool2d along one axis, of x (n, c, l).
/// @pytorch differs as in avg_pool2d.
template <Real T>
EBB_API Tensor<T> avg_pool1d(const Operand<T>& x, std::int64_t kernel,
                             AvgPool1dOptions options = {});

// Rows by index.

/// Options of embedding: the row of `padding_index` gets no gradient
struct EmbeddingOptions {
  std::optional<std::int64_t> padding_index = {};
};
/// Rows of weight (rows, columns) by index: indices (...) give (..., columns).
/// Training by few rows of many takes as long as those, if the rule rests at gradient 0.
/// @pytorch counts a negative padding_idx from the end; takes max_norm, which changes the weight;
/// and sparse and scale_grad_by_freq, which serve its optimizers.
template <Real T>
EBB_API Tensor<T> embedding(const Array<std::int64_t>& indices, const Operand<T>& weight,
                            EmbeddingOptions options = {});

// Normalisation. Variances are mean squared distances, divided by the count.

/// Normalises x over its last axes, which have the shape normalized_shape: (x - mean) /
/// sqrt(variance + eps) times weight plus bias, both of that shape. Without them weight is 1 and
/// bias is 0.
/// @pytorch also takes a weight without a bias; write a bias of zeros.
template <Real T>
EBB_API Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape,
                             const Operand<T>& weight, const Operand<T>& bias, double eps = 1e-5);
template <Real T>
EBB_API Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape, double eps = 1e-5);
/// Divides x over its last axes, which have the shape normalized_shape, by the root of its mean
/// square: x / sqrt(mean(x^2) + eps) times weight, of that shape, which is 1 if it is missing
/// (Zhang and Sennrich 2019).
/// @pytorch has the distance from 1 to the next number as the default of eps.
template <Real T>
EBB_API Tensor<T> rms_norm(const Operand<T>& x, const Shape& normalized_shape,
                           const Operand<T>& weight, double eps = 1e-5);
template <Real T>
EBB_API Tensor<T> rms_norm(const Operand<T>& x, const Shape& normalized_shape, double eps = 1e-5);
/// Normalises x (n, c, ...) over each of `groups` groups of channels and all later axes, as
/// layer_norm does, then times weight (c,) plus bias (c,) for each channel (Wu and He 2018).
/// Without them weight is 1 and bias is 0.
/// @pytorch also takes a weight without a bias; write a bias of zeros.
template <Real T>
EBB_API Tensor<T> group_norm(const Operand<T>& x, std::int64_t groups, const Operand<T>& weight,
                             const Operand<T>& bias, double eps = 1e-5);
template <Real T>
EBB_API Tensor<T> group_norm(const Operand<T>& x, std::int64_t groups, double eps = 1e-5);
/// Options of batch_norm: whether to use the moments of the batch, and their share in the new
/// running moments.
struct BatchNormOptions {
  bool training = false;
  double momentum = 0.1;
  double eps = 1e-5;
};
/// The result of batch_norm, and the running moments for the next call
template <Real T>
struct BatchNormalized {
  Tensor<T> y;
  Array<T> running_mean, running_var;
};
/// Normalises each channel of x (n, c, ...) over all other axes. weight, bias, running_mean,
/// running_var: (c,). With `training` it uses the moments of the batch, which must have at least
/// two values for each channel. The new running moments are (1 - momentum) times the old ones plus
/// momentum times those of the batch, whose variance is then divided by the count minus 1. Without
/// `training` it uses the running moments, and returns them unchanged.
/// @pytorch changes the moments in place; weight, bias and, in training, moments may be missing:
/// write ones and zeros.
template <Real T>
EBB_API BatchNormalized<T> batch_norm(const Operand<T>& x, const Array<T>& running_mean,
                                      const Array<T>& running_var, const Operand<T>& weight,
                                      const Operand<T>& bias, BatchNormOptions options = {});

/// Sets each element to 0 with probability p, even if it is NaN; the others become x / (1 - p). A
/// call draws one key from the stream, for any size of x; a checkpoint repeats it.
/// @pytorch draws from a state of the whole program; takes training=False (do not call it then);
/// and keeps NaN.
template <Real T> EBB_API Tensor<T> dropout(const Operand<T>& x, double p, Stream& stream);

/// Options of scaled_dot_product_attention. `mask` is true where a key takes part, and broadcasts to
/// (..., queries, keys); none means everywhere. With `causal` a query sees the keys up to its own
/// position only; the last query stands at the last key.
struct AttentionOptions {
  Array<bool> mask = {};
  bool causal = false;
};
/// The mean of the values by softmax(query key^T / sqrt(d)) (Vaswani et al. 2017, equation 1):
/// query (..., queries, d), key (..., keys, d) and value (..., keys, v) give (..., queries, v). For
/// many keys the gradient computes the softmax again, and nothing of (queries, keys) is kept. If a
/// row of the mask has no key, that is an ArgumentError, as its query has no mean.
/// @pytorch also takes numbers to add as the mask, dropout_p and scale; with is_causal the first
/// query stands at the first key.
template <Real T>
EBB_API Tensor<T> scaled_dot_product_attention(const Operand<T>& query, const Operand<T>& key,
                                               const Operand<T>& value,
                                               const AttentionOptions& options = {});

// Recurrent layers: one layer in one direction over sequences x (n, t, in), from states, which are
// zeros at first. weight_ih: (gates hidden, in); weight_hh: (gates hidden, hidden); biases, which
// may be left out: (gates hidden,). A sequence may come in parts, each of which starts from the
// states of the one before, or from their `detach`, which cuts the gradient.
// @pytorch has layers of several layers and directions in a call, with time as the first axis.

/// Options of lstm and gru. `reverse` runs from the last step to the first. `lengths` (n,) says how
/// many steps each row has, in [0, t]; without it each has t. After its end a row of x is not read,
/// its output is 0, and its states stay; in reverse a row starts at its own last step. Other shapes
/// are a ShapeError, and other lengths an ArgumentError.
struct RecurrentOptions {
  bool reverse = false;
  Array<std::int64_t> lengths = {};
};
/// The states of all steps (n, t, hidden), and those after the last step (n, hidden)
template <Real T>
struct LstmResult {
  Tensor<T> output, hidden, cell;
};
template <Real T>
struct RecurrentResult {
  Tensor<T> output, hidden;  ///< as in LstmResult
};
/// Long short-term memory (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000, for
/// the gate f). With the gates i, f, g, o in this order in the weights, cell = f cell + i g and
/// hidden = o tanh(cell); g is a tanh and the others are sigmoids of weight_ih x + bias_ih +
/// weight_hh hidden + bias_hh. h0 and c0: (n, hidden).
/// @pytorch also takes proj_size: a hidden state that a matrix makes smaller.
template <Real T>
EBB_API LstmResult<T> lstm(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& c0,
                           const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                           const Operand<T>& bias_ih, const Operand<T>& bias_hh,
                           const RecurrentOptions& options = {});
template <Real T>
EBB_API LstmResult<T> lstm(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& c0,
                           const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                           const RecurrentOptions& options = {});
/// Gated recurrent units (Cho et al. 2014), whose reset gate multiplies the product of the state.
/// With the gates r, z, n in this order in the weights, hidden = (1 - z) n + z hidden; r and z are
/// sigmoids of weight_ih x + bias_ih + weight_hh hidden + bias_hh, and n = tanh(weight_ih x +
/// bias_ih + r (weight_hh hidden + bias_hh)). h0: (n, hidden).
template <Real T>
EBB_API RecurrentResult<T> gru(const Operand<T>& x, const Operand<T>& h0,
                               const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                               const Operand<T>& bias_ih, const Operand<T>& bias_hh,
                               const RecurrentOptions& options = {});
template <Real T>
EBB_API RecurrentResult<T> gru(const Operand<T>& x, const Operand<T>& h0,
                               const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                               const RecurrentOptions& options = {});
/// What the simplest recurrent layer does with its sums
enum class Nonlinearity { tanh, relu };
/// Options of rnn: the nonlinearity, and those of lstm
struct RnnOptions {
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  bool reverse = false;
  Array<std::int64_t> lengths = {};
};
/// The simplest recurrent layer (Elman 1990): hidden = tanh(weight_ih x + bias_ih + weight_hh
/// hidden + bias_hh), or relu in place of tanh. h0: (n, hidden).
template <Real T>
EBB_API RecurrentResult<T> rnn(const Operand<T>& x, const Operand<T>& h0,
                               const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                               const Operand<T>& bias_ih, const Operand<T>& bias_hh,
                               const RnnOptions& options = {});
template <Real T>
EBB_API RecurrentResult<T> rnn(const Operand<T>& x, const Operand<T>& h0,
                               const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                               const RnnOptions& options = {});

// clang-format on

}  // namespace ebb::inline v0
