// SPDX-License-Identifier: BSD-3-Clause
// Convolutions and their reverse.
#pragma once
#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/layers/layer.hpp"

namespace ebb::inline v0::nn {

/// Of Conv1d; see `conv1d`. Channels and kernel are at least 1.
struct EBB_API Conv1dSettings {
  std::int64_t in_channels, out_channels, kernel_size;
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
  bool bias = true;

  void each(Fields& field);
};

/// Of Conv2d; see `conv2d`. Channels and kernel are at least 1.
struct EBB_API Conv2dSettings {
  std::int64_t in_channels, out_channels;
  HeightWidth kernel_size = 0;
  HeightWidth stride = 1, padding = 0, dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;

  void each(Fields& field);
};

/// Of ConvTranspose1d; see `conv_transpose1d`. Channels and kernel are at least 1.
struct EBB_API ConvTranspose1dSettings {
  std::int64_t in_channels, out_channels, kernel_size;
  std::int64_t stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1;
  bool bias = true;

  void each(Fields& field);
};

/// Of ConvTranspose2d; see `conv_transpose2d`. Channels and kernel are at least 1.
struct EBB_API ConvTranspose2dSettings {
  std::int64_t in_channels, out_channels;
  HeightWidth kernel_size = 0;
  HeightWidth stride = 1, padding = 0, output_padding = 0, dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;

  void each(Fields& field);
};

// All start at numbers drawn uniformly from +-1 / sqrt(fan in), as PyTorch's, and throw
// ArgumentError for sizes out of their ranges, and for groups that do not divide the channels.
// @pytorch has padding_mode; write `pad` of x.

/// Windows of x (n, in, l) times weight (out, in / groups, kernel): (n, out, windows).
template <Real T>
struct EBB_API Conv1d {
  static constexpr std::string_view name = "Conv1d";
  Conv1dSettings settings;
  Variable<T> weight;  ///< (out, in / groups, kernel)
  Variable<T> bias;    ///< (out,); none without one

  explicit Conv1d(const Conv1dSettings& settings, Stream& stream = default_stream());
  /// @throws ShapeError as `conv1d`.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    if (settings.bias) part("bias", bias);
  }
  double operations(const Operand<T>& x, const Tensor<T>& y) const;
};

/// Windows of x (n, in, h, w) times weight (out, in / groups, kernel_h, kernel_w): (n, out,
/// windows_h, windows_w).
template <Real T>
struct EBB_API Conv2d {
  static constexpr std::string_view name = "Conv2d";
  Conv2dSettings settings;
  Variable<T> weight;  ///< (out, in / groups, kernel_h, kernel_w)
  Variable<T> bias;    ///< (out,); none without one

  explicit Conv2d(const Conv2dSettings& settings, Stream& stream = default_stream());
  /// @throws ShapeError as `conv2d`.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    if (settings.bias) part("bias", bias);
  }
  double operations(const Operand<T>& x, const Tensor<T>& y) const;
};

/// The reverse of a Conv1d, as its gradient: x (n, in, l) gives (n, out, ...).
template <Real T>
struct EBB_API ConvTranspose1d {
  static constexpr std::string_view name = "ConvTranspose1d";
  ConvTranspose1dSettings settings;
  Variable<T> weight;  ///< (in, out / groups, kernel)
  Variable<T> bias;    ///< (out,); none without one

  explicit ConvTranspose1d(const ConvTranspose1dSettings& settings,
                           Stream& stream = default_stream());
  /// @throws ShapeError as `conv_transpose1d`.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    if (settings.bias) part("bias", bias);
  }
  double operations(const Operand<T>& x, const Tensor<T>& y) const;
};

/// The reverse of a Conv2d, as its gradient: x (n, in, h, w) gives (n, out, ...).
template <Real T>
struct EBB_API ConvTranspose2d {
  static constexpr std::string_view name = "ConvTranspose2d";
  ConvTranspose2dSettings settings;
  Variable<T> weight;  ///< (in, out / groups, kernel_h, kernel_w)
  Variable<T> bias;    ///< (out,); none without one

  explicit ConvTranspose2d(const ConvTranspose2dSettings& settings,
                           Stream& stream = default_stream());
  /// @throws ShapeError as `conv_transpose2d`.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    if (settings.bias) part("bias", bias);
  }
  double operations(const Operand<T>& x, const Tensor<T>& y) const;
};

}  // namespace ebb::inline v0::nn
