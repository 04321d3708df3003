// SPDX-License-Identifier: BSD-3-Clause
// The loops of recurrent layers over time, forward and back.
#pragma once
#include <initializer_list>
#include <span>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0::detail {

enum class RecurrentCell { lstm, gru, rnn };

/// Options of the record of a recurrent layer.
struct RecurrentCall {
  bool reverse = false;
  bool relu = false;       ///< in place of tanh, for rnn
  std::uint8_t needs = 0;  ///< for a pull: the inputs whose gradients it computes, one bit each
};

/// The sizes of a recurrent layer.
struct RecurrentSizes {
  std::int64_t batch, steps, in, hidden;
  std::int64_t gates;   ///< in the weights
  std::int64_t states;  ///< of a row, hidden and cell
  bool has_memory;      ///< the gradient of a step needs one more number for each of `hidden`

  RecurrentSizes(RecurrentCell cell, const Shape& x, std::int64_t hidden_size)
      : batch(x[0]),
        steps(x[1]),
        in(x[2]),
        hidden(hidden_size),
        gates(cell == RecurrentCell::lstm  ? 4
              : cell == RecurrentCell::gru ? 3
                                           : 1),
        states(cell == RecurrentCell::lstm ? 2 : 1),
        has_memory(cell != RecurrentCell::rnn) {}
  /// How many numbers the output has.
  std::int64_t outputs() const { return batch * steps * hidden; }
  /// How many numbers the gradients need besides the result: the memory, then the gates.
  std::int64_t room() const { return outputs() * (gates + std::int64_t(has_memory)); }
};

/// Where a row stands at a step, counted in the direction of the layer, and how many it has.
struct RowSteps {
  std::int64_t length;
  bool reverse;
  std::int64_t time(std::int64_t step) const { return reverse ? length - 1 - step : step; }
};

/// The result of a layer. `in` has x, the states, the weights, the biases, the lengths and the
/// room.
template <class T>
Block* run_recurrence(RecurrentCell cell, const RecurrentCall& call,
                      std::initializer_list<Block*> in);
/// The gradients that are needed, one after the other, from that of the result. `in` has what the
/// layer has, with the result in front of the room.
template <class T>
Block* pull_recurrence(RecurrentCell cell, const RecurrentCall& call, Block* g,
                       std::initializer_list<Block*> in);
/// These gradients in operations on tensors, made by a sweep over a restatement of the layer.
template <class T>
Tensor<T> pull_recurrence_as_operations(RecurrentCell cell, const RecurrentCall& call,
                                        std::span<const Tensor<T>> in);

}  // namespace ebb::inline v0::detail
