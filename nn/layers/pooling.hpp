// SPDX-License-Identifier: BSD-3-Clause
// One number for each window, or for each plane.
#pragma once
#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/nn/layers/layer.hpp"

namespace ebb::inline v0::nn {

// These layers have no parts, and take both element types. They throw as the operations, which say
// what their settings mean.

struct EBB_API MaxPool1dSettings {
  std::int64_t kernel_size = 0, stride = 0, padding = 0, dilation = 1;
  void each(Fields& field);
};
/// The largest element of each window of x (n, c, l), as `max_pool1d`.
struct EBB_API MaxPool1d {
  static constexpr std::string_view name = "MaxPool1d";
  MaxPool1dSettings settings;
  explicit MaxPool1d(const MaxPool1dSettings& s) : settings(s) {}
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

struct EBB_API MaxPool2dSettings {
  HeightWidth kernel_size = 0, stride = 0, padding = 0, dilation = 1;
  void each(Fields& field);
};
/// The largest element of each window of x (n, c, h, w), as `max_pool2d`.
struct EBB_API MaxPool2d {
  static constexpr std::string_view name = "MaxPool2d";
  MaxPool2dSettings settings;
  explicit MaxPool2d(const MaxPool2dSettings& s) : settings(s) {}
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

struct EBB_API AvgPool1dSettings {
  std::int64_t kernel_size = 0, stride = 0, padding = 0;
  void each(Fields& field);
};
/// The mean over each window of x (n, c, l), as `avg_pool1d`.
struct EBB_API AvgPool1d {
  static constexpr std::string_view name = "AvgPool1d";
  AvgPool1dSettings settings;
  explicit AvgPool1d(const AvgPool1dSettings& s) : settings(s) {}
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

struct EBB_API AvgPool2dSettings {
  HeightWidth kernel_size = 0, stride = 0, padding = 0;
  void each(Fields& field);
};
/// The mean over each window of x (n, c, h, w), as `avg_pool2d`.
struct EBB_API AvgPool2d {
  static constexpr std::string_view name = "AvgPool2d";
  AvgPool2dSettings settings;
  explicit AvgPool2d(const AvgPool2dSettings& s) : settings(s) {}
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

struct EBB_API AdaptiveAvgPool1dSettings {
  std::int64_t output_size = 0;  ///< at least 1
  void each(Fields& field);
};
/// As many means along the last axis of x (n, c, l) as asked for, whatever its size: mean i is over
/// the elements floor(i l / size) to ceil((i + 1) l / size).
struct EBB_API AdaptiveAvgPool1d {
  static constexpr std::string_view name = "AdaptiveAvgPool1d";
  AdaptiveAvgPool1dSettings settings;
  explicit AdaptiveAvgPool1d(const AdaptiveAvgPool1dSettings& s) : settings(s) {}
  /// @throws ShapeError if x is not (n, c, l) with elements; ArgumentError for a size below 1.
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

struct EBB_API AdaptiveAvgPool2dSettings {
  HeightWidth output_size = 0;  ///< at least 1
  void each(Fields& field);
};
/// As many means along the last two axes of x (n, c, h, w) as asked for, as AdaptiveAvgPool1d.
struct EBB_API AdaptiveAvgPool2d {
  static constexpr std::string_view name = "AdaptiveAvgPool2d";
  AdaptiveAvgPool2dSettings settings;
  explicit AdaptiveAvgPool2d(const AdaptiveAvgPool2dSettings& s) : settings(s) {}
  /// @throws ShapeError if x is not (n, c, h, w) with elements; ArgumentError for a size below 1.
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

/// The mean of each channel: x (n, c, ...) gives (n, c).
struct EBB_API GlobalAvgPool {
  static constexpr std::string_view name = "GlobalAvgPool";
  /// @throws ShapeError if x has no axis after its channels.
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

/// The largest element of each channel: x (n, c, ...) gives (n, c).
struct EBB_API GlobalMaxPool {
  static constexpr std::string_view name = "GlobalMaxPool";
  /// @throws ShapeError if x has no axis after its channels.
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

}  // namespace ebb::inline v0::nn
