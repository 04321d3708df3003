// SPDX-License-Identifier: BSD-3-Clause
// Layers that normalise by mean and variance.
#pragma once
#include "ebb/nn/layers/layer.hpp"

namespace ebb::inline v0::nn {

/// Of BatchNorm1d and BatchNorm2d.
struct EBB_API BatchNormSettings {
  std::int64_t num_features;  ///< at least 1
  double eps = 1e-5;          ///< at least 0: added to the variance
  double momentum = 0.1;      ///< in [0, 1]: the share of a batch in the new running moments
  bool affine = true;         ///< has weight and bias

  void each(Fields& field);
};

namespace detail {

/// Normalises each channel of x over all other axes (Ioffe and Szegedy 2015): in training by the
/// moments of the batch, in evaluation by the running ones.
template <Real T>
struct EBB_API BatchNorm {
  BatchNormSettings settings;
  Variable<T> weight, bias;                 ///< (num_features,): start at 1 and 0; or none
  Array<T> running_mean, running_var;       ///< (num_features,): start at 0 and 1
  Array<std::int64_t> num_batches_tracked;  ///< a number
  Mode mode = Mode::training;

  BatchNorm(std::string_view layer, const BatchNormSettings& settings);

  EBB_INLINE void each(Parts& part) {
    if (settings.affine) {
      part("weight", weight);
      part("bias", bias);
    }
    part("running_mean", running_mean);
    part("running_var", running_var);
    part("num_batches_tracked", num_batches_tracked);
    part("mode", mode);
  }

  /// @throws ShapeError as `batch_norm`; ArgumentError for one that is const in training.
  Tensor<T> normalise(const Operand<T>& x);
  Tensor<T> normalise(const Operand<T>& x) const;
};

}  // namespace detail

// A call in training changes the running moments; a layer that is const can be called in
// evaluation only.
// @pytorch has momentum=None and track_running_stats=False.

/// Normalises each channel of x (n, c) or (n, c, l) over all other axes, then times weight plus
/// bias (Ioffe and Szegedy 2015). In training it uses the moments of the batch, which must have two
/// values a channel at least, and adds them to the running moments that evaluation uses.
template <Real T>
struct EBB_API BatchNorm1d : detail::BatchNorm<T> {
  static constexpr std::string_view name = "BatchNorm1d";

  /// @throws ArgumentError for settings out of their range.
  explicit BatchNorm1d(const BatchNormSettings& settings);
  explicit BatchNorm1d(std::int64_t num_features) : BatchNorm1d(BatchNormSettings{num_features}) {}

  /// @throws ShapeError for other axes or channels; ArgumentError for one that is const in
  /// training.
  Tensor<T> operator()(const Operand<T>& x);
  Tensor<T> operator()(const Operand<T>& x) const;
};

/// Normalises each channel of x (n, c, h, w), as BatchNorm1d.
template <Real T>
struct EBB_API BatchNorm2d : detail::BatchNorm<T> {
  static constexpr std::string_view name = "BatchNorm2d";

  /// @throws ArgumentError for settings out of their range.
  explicit BatchNorm2d(const BatchNormSettings& settings);
  explicit BatchNorm2d(std::int64_t num_features) : BatchNorm2d(BatchNormSettings{num_features}) {}

  /// @throws ShapeError for other axes or channels; ArgumentError for one that is const in
  /// training.
  Tensor<T> operator()(const Operand<T>& x);
  Tensor<T> operator()(const Operand<T>& x) const;
};

struct EBB_API LayerNormSettings {
  Shape normalized_shape;          ///< the last axes of x, at least one
  double eps = 1e-5;               ///< at least 0: added to the variance
  bool elementwise_affine = true;  ///< has a weight
  bool bias = true;                ///< has a bias, if it has a weight

  void each(Fields& field);
};

/// Normalises x over its last axes, then times weight plus bias (Ba, Kiros and Hinton 2016), as
/// `layer_norm`.
template <Real T>
struct EBB_API LayerNorm {
  static constexpr std::string_view name = "LayerNorm";
  LayerNormSettings settings;
  Variable<T> weight, bias;  ///< normalised shape: start at 1 and 0; or none

  /// @throws ArgumentError for settings out of their range.
  explicit LayerNorm(const LayerNormSettings& settings);
  /// Over the last axis alone.
  explicit LayerNorm(std::int64_t size) : LayerNorm(LayerNormSettings{Shape{size}}) {}

  /// @throws ShapeError if x does not end with the normalised shape.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) {
    if (!weight.is_none()) part("weight", weight);
    if (!bias.is_none()) part("bias", bias);
  }

 private:
  Array<T> ones_, zeros_;  // for what has no weight, or no bias
};

struct EBB_API RMSNormSettings {
  Shape normalized_shape;          ///< the last axes of x, at least one
  double eps = 1e-5;               ///< at least 0: added to the mean square
  bool elementwise_affine = true;  ///< has a weight

  void each(Fields& field);
};

/// Divides x over its last axes by the root of its mean square, then times weight (Zhang and
/// Sennrich 2019), as `rms_norm`.
/// @pytorch has the distance from 1 to the next number as the default of eps.
template <Real T>
struct EBB_API RMSNorm {
  static constexpr std::string_view name = "RMSNorm";
  RMSNormSettings settings;
  Variable<T> weight;  ///< normalised shape: starts at 1; or none

  /// @throws ArgumentError for settings out of their range.
  explicit RMSNorm(const RMSNormSettings& settings);
  /// Over the last axis alone.
  explicit RMSNorm(std::int64_t size) : RMSNorm(RMSNormSettings{Shape{size}}) {}

  /// @throws ShapeError if x does not end with the normalised shape.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) {
    if (settings.elementwise_affine) part("weight", weight);
  }
};

struct EBB_API GroupNormSettings {
  std::int64_t num_groups, num_channels;  ///< at least 1; the groups divide the channels
  double eps = 1e-5;                      ///< at least 0: added to the variance
  bool affine = true;                     ///< has weight and bias

  void each(Fields& field);
};

/// Normalises x (n, c, ...) over each group of channels and all later axes, then times weight plus
/// bias for each channel (Wu and He 2018), as `group_norm`.
template <Real T>
struct EBB_API GroupNorm {
  static constexpr std::string_view name = "GroupNorm";
  GroupNormSettings settings;
  Variable<T> weight, bias;  ///< (num_channels,): start at 1 and 0; or none

  /// @throws ArgumentError for settings out of their range.
  explicit GroupNorm(const GroupNormSettings& settings);

  /// @throws ShapeError if x does not have these channels.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) {
    if (!settings.affine) return;
    part("weight", weight);
    part("bias", bias);
  }
};

}  // namespace ebb::inline v0::nn
