// SPDX-License-Identifier: BSD-3-Clause
// Refused: the formula of this rule does not take the states that it declares
#include <ebb/nn/layers/linear.hpp>
#include <ebb/optim/update.hpp>

struct Mine {
  double learning_rate = 0.1;
  static constexpr std::string_view states[] = {"a", "b", "c"};
  struct Step {
    double rate;
  };
  Step prepare(std::int64_t) const { return {learning_rate}; }
  template <class V>
  static void update(const Step& step, V& w, const V& g, V&, V&) {
    w = w - V(step.rate) * g;
  }
};
void train(ebb::nn::Linear<float>& model) {
  ebb::optim::Optimizer optimizer(model, Mine{});
  optimizer.step();
}
