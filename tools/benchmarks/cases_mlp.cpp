// SPDX-License-Identifier: BSD-3-Clause
// A multilayer perceptron, where nearly all time is in matrix products.
#include "arrays.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

using limits::Mlp;

// The update is so small that the loss stays what it is: training on one batch would end in
// gradients that are no longer normal numbers.
constexpr double rate = 1e-7;

struct Model {
  ebb::nn::Linear<float> first, second, out;

  explicit Model(ebb::Stream& stream)
      : first(Mlp::in, Mlp::first, stream),
        second(Mlp::first, Mlp::second, stream),
        out(Mlp::second, Mlp::out, stream) {}
  ebb::Tensor<float> operator()(const ebb::Array<float>& x) const {
    return out(relu(second(relu(first(x)))));
  }
  void each(ebb::Parts& part) {
    part("first", first);
    part("second", second);
    part("out", out);
  }
};

struct Ours {
  ebb::Stream stream{1};
  Model model{stream};
  ebb::optim::Optimizer<ebb::optim::Adam> optimizer{model, ebb::optim::Adam{.learning_rate = rate}};
  ebb::Array<float> x;
  ebb::Array<std::int64_t> labels;
};

struct Limit {
  explicit Limit(std::int64_t batch)
      : h1(batch * Mlp::first),
        h2(batch * Mlp::second),
        z(batch * Mlp::out),
        d1(h1.size()),
        d2(h2.size()) {
    mlp = {batch, p, g, m, v, h1, h2, z, d1, d2, 0};
  }
  Numbers p{Mlp::parameters, -0.05f, 0.05f}, g{Mlp::parameters, 0, 0}, m{Mlp::parameters, 0, 0},
      v{Mlp::parameters, 0, 0};
  Numbers h1, h2, z, d1, d2;
  Mlp mlp;
  std::vector<std::int64_t> labels;
};

// Counts a whole step: tape, forward pass, sweep from 1 into absent gradients, Adam in place,
// release of the gradients. The batch is always the same.
Sides step(std::int64_t batch) {
  auto x = std::make_shared<Numbers>(batch * Mlp::in);
  auto ours = std::make_shared<Ours>();
  auto limit = std::make_shared<Limit>(batch);
  for (std::int64_t i = 0; i < batch; ++i) limit->labels.push_back(i * 7 % Mlp::out);
  ours->x = array({batch, Mlp::in}, *x);
  ours->labels = ebb::Array<std::int64_t>({batch}, limit->labels);
  return {[ours] {
            {
              ebb::Tape tape;
              const auto loss = cross_entropy(ours->model(ours->x), ours->labels);
              backward(loss);
              keep(loss);
            }
            ours->optimizer.step();
            ours->optimizer.zero_grad();
          },
          [x, limit] { keep(limits::mlp_adam_step(limit->mlp, *x, limit->labels.data(), rate)); }};
}

}  // namespace

void add_mlp(std::vector<Case>& cases) {
  for (const std::int64_t batch : {64, 256}) {
    cases.push_back(versus("step/mlp_adam/784-256-128-10x" + std::to_string(batch) + "/f32", "us",
                           1.08, [=] { return step(batch); }));
  }
}

}  // namespace bench
