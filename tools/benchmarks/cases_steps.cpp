// SPDX-License-Identifier: BSD-3-Clause
// Training steps so small that all of it is overhead.
#include "arrays.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/nn/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

constexpr double rate = 1e-3;

struct Regression {
  Numbers x{32 * 10}, y{32}, w{16, 0, 0}, b{1, 0, 0};
  ebb::Array<float> features = array({32, 10}, x), targets = array({32, 1}, y);
  ebb::nn::Linear<float> model = ebb::nn::Linear<float>::zeros(10, 1);
  ebb::optim::Optimizer<ebb::optim::SGD> optimizer{model, ebb::optim::SGD{.learning_rate = rate}};
};

// Counts a whole step: a new tape, the forward pass, the sweep (which starts from 1 and gives each
// variable a gradient that it did not have), the update in place, and the release of the gradients.
// The limit does the same arithmetic, the loss included, and updates in place.
template <class Loss>
void step(Regression& r, const Loss& loss_of) {
  {
    ebb::Tape tape;
    const auto loss = loss_of(r.model(r.features), r.targets);
    backward(loss);
    keep(loss);
  }
  r.optimizer.step();
  r.optimizer.zero_grad();
}

Sides linear() {
  auto r = std::make_shared<Regression>();
  return {[r] { step(*r, [](const auto& z, const auto& y) { return mse_loss(z, y); }); },
          [r] { keep(limits::linear_step(r->x, r->y, r->w, r->b, float(rate))); }};
}

Sides logistic() {
  auto r = std::make_shared<Regression>();
  r->targets = array({32, 1}, r->y.to_labels());
  return {[r] { step(*r, [](const auto& z, const auto& y) { return bce_with_logits(z, y); }); },
          [r] { keep(limits::logistic_step(r->x, r->y, r->w, r->b, float(rate))); }};
}

}  // namespace

void add_steps(std::vector<Case>& cases) {
  cases.push_back(versus("step/linear_sgd/32x10/f32", "ns", 4.5, linear));
  cases.push_back(versus("step/logistic_sgd/32x10/f32", "ns", 4.0, logistic));
}

}  // namespace bench
