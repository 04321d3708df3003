// SPDX-License-Identifier: BSD-3-Clause
// Small runs for the tests of snapshots.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/files/state.hpp"
#include "ebb/data/sets/dataset.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/optim/weight_average.hpp"
#include "ebb/tests/close.hpp"

namespace ebb::test {

using namespace ebb::optim;

/// Two layers of both types' neighbours: float weights and a double scale, with dropout between.
struct Network {
  nn::Linear<float> in = nn::Linear<float>::zeros(3, 4), out = nn::Linear<float>::zeros(4, 1);
  Stream stream{11};

  Network() {
    auto w = Array<float>::uninitialized({4, 3});
    for (std::int64_t i = 0; i < 12; ++i) w.mutate()[i] = float(std::sin(1.0 + double(i)));
    in.weight.set_value(w);
    out.weight.set_value(Array<float>::of({{0.5, -0.25, 0.125, 1}}));
  }
  Tensor<float> operator()(const Operand<float>& x) {
    return out(dropout(tanh(in(x)), 0.25, stream));
  }
  void each(Parts& part) {
    part("in", in);
    part("out", out);
    part("stream", stream);
  }
};

inline data::TensorDataset<float> rows(std::int64_t n = 30) {
  auto x = Array<float>::uninitialized({n, 3});
  auto y = Array<float>::uninitialized({n, 1});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < 3; ++j)
      x.mutate()[3 * i + j] = float(std::sin(double(7 * i + 3 * j)));
    y.mutate()[i] = float(std::cos(double(i)));
  }
  return {x, y};
}

/// A run with all that it consists of.
template <class Rule>
struct Run {
  Network model;
  Optimizer<Rule> optimizer;
  data::Loader<data::TensorDataset<float>> loader;
  WeightAverage average{model, {.decay = 0.9}};

  explicit Run(Rule rule, int workers = 0)
      : optimizer(model, rule), loader(rows(), {.batch_size = 4, .seed = 5, .workers = workers}) {}

  void train(int steps) {
    while (steps > 0) {
      for (const auto& [x, y] : loader) {
        Tape tape;
        backward(mse_loss(model(x), y));
        optimizer.step();
        optimizer.zero_grad();
        average.update();
        if (--steps == 0) break;
      }
    }
  }
  std::vector<data::StatePart> parts() {
    return {{"model", model}, {"optimizer", optimizer}, {"loader", loader}, {"average", average}};
  }
};

inline void check_same(const Network& a, const Network& b) {
  CHECK_AGREES(same_bits(a.in.weight.value(), b.in.weight.value()));
  CHECK_AGREES(same_bits(a.in.bias.value(), b.in.bias.value()));
  CHECK_AGREES(same_bits(a.out.weight.value(), b.out.weight.value()));
}

}  // namespace ebb::test
