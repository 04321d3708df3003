// SPDX-License-Identifier: BSD-3-Clause
// Training steps: one that is all overhead, and one that is mostly matrix products.
#include <cmath>
#include <stdexcept>

#include "../arrays.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "peers.hpp"
#include "torch.hpp"

namespace bench {
namespace {

using torch_side::Mlp;
using torch_side::Work;

/// Counts a whole step: a new tape, the forward pass, the sweep, the update in place and the
/// release of the gradients. Returns the loss.
template <class Model, class Rule, class LossOf>
ebb::Array<float> step(const Model& model, ebb::optim::Optimizer<Rule>& optimizer,
                       const LossOf& loss_of) {
  ebb::Array<float> value;
  {
    ebb::Tape tape;
    const auto loss = loss_of(model);
    backward(loss);
    value = loss.array();
  }
  optimizer.step();
  optimizer.zero_grad();
  return value;
}

struct Regression {
  Numbers x{32 * 10}, y{32};
  ebb::Array<float> features = array({32, 10}, x), targets = array({32, 1}, y);
  ebb::nn::Linear<float> model = ebb::nn::Linear<float>::zeros(10, 1);
  ebb::optim::Optimizer<ebb::optim::SGD> optimizer;

  explicit Regression(double rate) : optimizer(model, ebb::optim::SGD{.learning_rate = rate}) {}
  ebb::Array<float> run() {
    return step(model, optimizer, [&](const auto& m) { return mse_loss(m(features), targets); });
  }
  std::unique_ptr<Work> torchs(bool as_modules) {
    return torch_side::linear_steps(x, y, optimizer.rule().learning_rate, as_modules);
  }
};

Sides linear(bool as_modules) {
  // Long enough that the loss depends on the updates.
  Regression checked(0.05);
  const auto peer = checked.torchs(as_modules);
  for (int i = 0; i < 20; ++i) {
    const double ours = checked.run().item();
    peer->run();
    check_same_loss("linear regression", ours, peer->loss(), 1e-5);
  }

  auto r = std::make_shared<Regression>(1e-3);
  const std::shared_ptr<Work> limit = r->torchs(as_modules);
  return {[r] { keep(r->run()); }, [limit] { limit->run(); }};
}

struct Perceptron {
  ebb::Stream stream{1};
  ebb::nn::Linear<float> first{Mlp::in, Mlp::first, stream},
      second{Mlp::first, Mlp::second, stream}, out{Mlp::second, Mlp::out, stream};
  ebb::Array<float> x;
  ebb::Array<std::int64_t> labels;
  ebb::optim::Optimizer<ebb::optim::Adam> optimizer;

  Perceptron(std::int64_t batch, double rate)
      : optimizer(*this, ebb::optim::Adam{.learning_rate = rate}) {
    Numbers numbers(batch * Mlp::in);
    x = array({batch, Mlp::in}, numbers);
    std::vector<std::int64_t> classes;
    for (std::int64_t i = 0; i < batch; ++i) classes.push_back(i * 7 % Mlp::out);
    labels = ebb::Array<std::int64_t>({batch}, classes);
  }
  void each(ebb::Parts& part) {
    part("first", first);
    part("second", second);
    part("out", out);
  }
  ebb::Tensor<float> operator()(const ebb::Array<float>& inputs) const {
    return out(relu(second(relu(first(inputs)))));
  }
  ebb::Array<float> run() {
    return step(*this, optimizer, [&](const auto& m) { return cross_entropy(m(x), labels); });
  }
  std::unique_ptr<Work> torchs() {
    const auto numbers = [](const ebb::Variable<float>& v) { return v.value().data(); };
    const torch_side::MlpParameters parameters{numbers(first.weight),  numbers(first.bias),
                                               numbers(second.weight), numbers(second.bias),
                                               numbers(out.weight),    numbers(out.bias)};
    return torch_side::mlp_steps(parameters, labels.size(), x.data(), labels.data(),
                                 optimizer.rule().learning_rate);
  }
};

Sides mlp(std::int64_t batch) {
  // Adam's first updates are the signs of gradients: those that are nearly zero differ, and the
  // loss a little.
  Perceptron checked(batch, 1e-4);
  const auto peer = checked.torchs();
  for (int i = 0; i < 10; ++i) {
    const double ours = checked.run().item();
    peer->run();
    check_same_loss("multilayer perceptron", ours, peer->loss(), 1e-4);
  }

  // So small an update that the loss stays what it is: training on one batch would end in gradients
  // that are no longer normal numbers.
  auto p = std::make_shared<Perceptron>(batch, 1e-7);
  const std::shared_ptr<Work> limit = p->torchs();
  return {[p] { keep(p->run()); }, [limit] { limit->run(); }};
}

}  // namespace

void check_same_loss(const char* work, double ours, double torchs, double tolerance) {
  if (std::abs(ours - torchs) <= tolerance * std::abs(torchs)) return;
  throw std::runtime_error(std::string(work) + ": the loss of ebb is " + std::to_string(ours) +
                           ", that of libtorch " + std::to_string(torchs) +
                           "; make both sides do the same work");
}

void add_peer_steps(std::vector<Case>& cases) {
  cases.push_back(
      versus("step/linear_sgd/32x10/f32", "us", no_slower, [] { return linear(true); }));
  cases.push_back(versus("step/linear_sgd_bare_tensors/32x10/f32", "us", no_slower,
                         [] { return linear(false); }));
  for (const std::int64_t batch : {64, 256}) {
    cases.push_back(versus("step/mlp_adam/784-256-128-10x" + std::to_string(batch) + "/f32", "us",
                           no_slower, [=] { return mlp(batch); }));
  }
}

}  // namespace bench
