// SPDX-License-Identifier: BSD-3-Clause
// Long short-term memory with diagonal weights, one sequence, as ADBench has it.
#pragma once
#include <vector>

#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace problems {

struct Lstm {
  using Y = ebb::Tensor<double>;

  std::int64_t layers, characters, bits;
  ebb::Array<double> state;     ///< (2 layers, bits): hidden and cell of each layer
  ebb::Array<double> sequence;  ///< (characters, bits)

  static constexpr auto next_cell = [](auto cell, auto x, auto h, auto wf, auto bf, auto wi,
                                       auto bi, auto wg, auto bg) {
    return cell * sigmoid(x * wf + bf) + sigmoid(h * wi + bi) * tanh(h * wg + bg);
  };
  static constexpr auto next_hidden = [](auto cell, auto x, auto wo, auto bo) {
    return sigmoid(x * wo + bo) * tanh(cell);
  };

  /// The loss. Parameters (2 layers, 4 bits): weights and biases of each layer, each of the gates
  /// forget, in, out and of the change; ends (3, bits): weights of the input, weights and biases of
  /// the output.
  Y operator()(const Y& parameters, const Y& ends) const {
    using ebb::Axes;
    auto x = unbind(slice(sequence, 0, {0, characters - 1}) * ends[0]);
    for (std::int64_t k = 0; k < layers; ++k) {
      const auto w = split(parameters[2 * k], bits), b = split(parameters[2 * k + 1], bits);
      Y hidden = Y(state)[2 * k], cell = Y(state)[2 * k + 1];
      for (Y& at : x) {
        cell = fuse(next_cell, cell, at, hidden, w[0], b[0], w[1], b[1], w[3], b[3]);
        at = hidden = fuse(next_hidden, cell, at, w[2], b[2]);
      }
    }
    const auto y = ebb::stack(x) * ends[1] + ends[2];
    const auto next = slice(sequence, 0, {1, characters});
    return -mean(next * (y - log(2 + sum(exp(y), Axes{1}, true))));
  }
};

}  // namespace problems
