// SPDX-License-Identifier: BSD-3-Clause
// Layers that go through a sequence step by step.
#pragma once
#include <string>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/layer.hpp"
#include "ebb/nn/state.hpp"

namespace ebb::inline v0::nn {

/// Of LSTM and GRU.
struct EBB_API RecurrentSettings {
  std::int64_t input_size, hidden_size;  ///< at least 1
  std::int64_t num_layers = 1;           ///< at least 1, each over the output of the one before
  bool bias = true;
  double dropout = 0;          ///< in [0, 1]: of the output of each layer but the last
  bool bidirectional = false;  ///< a second run from the end, whose output follows the first one's

  void each(Fields& field);
};

struct EBB_API RNNSettings {
  std::int64_t input_size, hidden_size;  ///< at least 1
  std::int64_t num_layers = 1;           ///< at least 1
  std::string nonlinearity = "tanh";     ///< or "relu"
  bool bias = true;
  double dropout = 0;
  bool bidirectional = false;

  void each(Fields& field);
};

/// The states after the last step, which a call for what follows takes: (num_layers directions, n,
/// hidden_size) each.
template <Real T>
struct LSTMState {
  Tensor<T> hidden, cell;
  /// States through which no gradient flows, for truncated backpropagation through time.
  EBB_INLINE LSTMState detach() const { return {hidden.detach(), cell.detach()}; }
};
template <Real T>
struct RecurrentState {
  Tensor<T> hidden;
  /// States through which no gradient flows, for truncated backpropagation through time.
  EBB_INLINE RecurrentState detach() const { return {hidden.detach()}; }
};

/// How many steps each row (n,) has, all if it is missing, and the states before the first step,
/// zeros if they are missing.
template <Real T>
struct LSTMOptions {
  Array<std::int64_t> lengths = {};
  LSTMState<T> state = {};
};
template <Real T>
struct RecurrentCallOptions {
  Array<std::int64_t> lengths = {};
  RecurrentState<T> state = {};
};

/// The output of the last layer for each step (n, t, directions hidden_size), 0 after the length of
/// a row; and the states.
template <Real T>
struct LSTMOutput {
  Tensor<T> output;
  LSTMState<T> state;
};
template <Real T>
struct RecurrentOutput {
  Tensor<T> output;
  RecurrentState<T> state;
};

namespace detail {

/// The weights of one layer in one direction.
template <Real T>
struct RecurrentWeights {
  Variable<T> weight_ih, weight_hh;  ///< (gates hidden, inputs), (gates hidden, hidden)
  Variable<T> bias_ih, bias_hh;      ///< (gates hidden,); none without them
};

/// What LSTM, GRU and RNN have in common.
template <Real T, class Settings>
struct EBB_API Recurrent {
  Settings settings;
  std::vector<RecurrentWeights<T>> weights;  ///< layer by layer, forward before reverse
  Dropout dropout;

  /// Starts at numbers drawn uniformly from +-1 / sqrt(hidden_size).
  Recurrent(std::string_view layer, const Settings& settings, std::int64_t gates, Stream& stream);
  /// Visits the weights under PyTorch's names: "weight_ih_l0", "bias_hh_l1_reverse", ...
  void each(Parts& part);
};

}  // namespace detail

// x is (n, t, input_size), the batch first. A call with Dropout between layers changes the layer
// while it is trained.
// @pytorch has the axis of time first as the default, and proj_size.

/// Long short-term memory over a sequence (Hochreiter and Schmidhuber 1997), as `lstm`.
template <Real T>
struct EBB_API LSTM : detail::Recurrent<T, RecurrentSettings> {
  static constexpr std::string_view name = "LSTM";
  /// @throws ArgumentError for settings out of their range.
  explicit LSTM(const RecurrentSettings& settings, Stream& stream = default_stream());
  /// @throws ShapeError for other features and states; ArgumentError for lengths outside of [0, t].
  LSTMOutput<T> operator()(const Operand<T>& x, const LSTMOptions<T>& options = {});
  LSTMOutput<T> operator()(const Operand<T>& x, const LSTMOptions<T>& options = {}) const;
  double operations(const Operand<T>& x, const LSTMOutput<T>& y) const;
};

/// Gated recurrent units over a sequence (Cho et al. 2014), as `gru`.
template <Real T>
struct EBB_API GRU : detail::Recurrent<T, RecurrentSettings> {
  static constexpr std::string_view name = "GRU";
  /// @throws ArgumentError for settings out of their range.
  explicit GRU(const RecurrentSettings& settings, Stream& stream = default_stream());
  /// @throws ShapeError for other features and states; ArgumentError for lengths outside of [0, t].
  RecurrentOutput<T> operator()(const Operand<T>& x, const RecurrentCallOptions<T>& options = {});
  RecurrentOutput<T> operator()(const Operand<T>& x,
                                const RecurrentCallOptions<T>& options = {}) const;
  double operations(const Operand<T>& x, const RecurrentOutput<T>& y) const;
};

/// The simplest recurrent layer over a sequence (Elman 1990), as `rnn`.
template <Real T>
struct EBB_API RNN : detail::Recurrent<T, RNNSettings> {
  static constexpr std::string_view name = "RNN";
  /// @throws ArgumentError for settings out of their range.
  explicit RNN(const RNNSettings& settings, Stream& stream = default_stream());
  /// @throws ShapeError for other features and states; ArgumentError for lengths outside of [0, t].
  RecurrentOutput<T> operator()(const Operand<T>& x, const RecurrentCallOptions<T>& options = {});
  RecurrentOutput<T> operator()(const Operand<T>& x,
                                const RecurrentCallOptions<T>& options = {}) const;
  double operations(const Operand<T>& x, const RecurrentOutput<T>& y) const;
};

/// The output of a recurrent layer for each step, as a layer from tensors to tensors for a
/// Sequential: `Sequential{Outputs(LSTM<float>(settings)), Linear<float>(64, 1)}`.
template <class Layer>
struct Outputs {
  static constexpr std::string_view name = "Outputs";
  Layer layer;
  explicit Outputs(Layer l) : layer(std::move(l)) {}
  EBB_INLINE auto operator()(const auto& x) { return layer(x).output; }
  EBB_INLINE auto operator()(const auto& x) const { return layer(x).output; }
  EBB_INLINE void each(Parts& part) { layer.each(part); }
  EBB_INLINE Outputs clone() const { return Outputs(nn::clone(layer)); }
};

/// The state of the last layer after the last step of each row (n, directions hidden_size), as a
/// layer from tensors to tensors.
template <class Layer>
struct LastState {
  static constexpr std::string_view name = "LastState";
  Layer layer;
  explicit LastState(Layer l) : layer(std::move(l)) {}
  EBB_INLINE auto operator()(const auto& x) { return last_of(layer, x); }
  EBB_INLINE auto operator()(const auto& x) const { return last_of(layer, x); }
  EBB_INLINE void each(Parts& part) { layer.each(part); }
  EBB_INLINE LastState clone() const { return LastState(nn::clone(layer)); }

 private:
  EBB_INLINE static auto last_of(auto& layer, const auto& x) {
    const auto hidden = layer(x).state.hidden;
    const std::int64_t all = hidden.shape()[0];
    auto last = hidden[all - 1];
    if (layer.settings.bidirectional) last = concat({hidden[all - 2], last}, 1);
    return last;
  }
};

}  // namespace ebb::inline v0::nn
