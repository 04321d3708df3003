// SPDX-License-Identifier: BSD-3-Clause
// Elements that are left out in training.
#pragma once
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/layers/layer.hpp"

namespace ebb::inline v0::nn {

struct EBB_API DropoutSettings {
  double p = 0.5;  ///< in [0, 1]: the probability that an element is left out

  void each(Fields& field);
};

/// In training, sets each element to 0 with probability p, and divides the others by 1 - p, as
/// `dropout`; in evaluation it changes nothing (Srivastava et al. 2014). It draws from a stream of
/// its own, which is part of a snapshot.
struct EBB_API Dropout {
  static constexpr std::string_view name = "Dropout";
  DropoutSettings settings;
  Stream stream;
  Mode mode = Mode::training;

  /// @throws ArgumentError for a probability outside of [0, 1].
  explicit Dropout(const DropoutSettings& settings, Stream& from = default_stream());
  explicit Dropout(double p = 0.5, Stream& from = default_stream())
      : Dropout(DropoutSettings{p}, from) {}

  template <Real T>
  Tensor<T> operator()(const Operand<T>& x);
  /// @throws ArgumentError in training, since a draw changes the stream.
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;

  EBB_INLINE void each(Parts& part) {
    part("stream", stream);
    part("mode", mode);
  }
};

}  // namespace ebb::inline v0::nn
