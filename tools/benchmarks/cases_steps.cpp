// SPDX-License-Identifier: BSD-3-Clause
// Training steps so small that all of it is overhead.
#include <optional>

#include "arrays.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/nn/layers/linear.hpp"
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

struct Table {
  static constexpr std::int64_t rows = 200'000, columns = 64, count = 512;
  Numbers w{rows * columns}, drawn{count * columns};
  ebb::Variable<float> weight = variable({rows, columns}, w);
  ebb::Array<std::int64_t> indices = ebb::Array<std::int64_t>::uninitialized({count});
  ebb::optim::Optimizer<ebb::optim::SGD> optimizer{{weight},
                                                   ebb::optim::SGD{.learning_rate = rate}};
  Table() {
    for (std::int64_t i = 0; i < count; ++i) indices.mutate()[i] = i * 7919 % rows;
  }
};

// Counts a whole step of which few rows of the weight are a part. The limit touches no other row.
Sides embedding_step() {
  auto t = std::make_shared<Table>();
  return {[t] {
            {
              ebb::Tape tape;
              const auto loss = mean(square(embedding(t->indices, t->weight)));
              backward(loss);
              keep(loss);
            }
            t->optimizer.step();
            t->optimizer.zero_grad();
          },
          [t] {
            keep(limits::embedding_step(t->w, t->indices.data(), t->drawn, Table::count,
                                        Table::columns, float(rate)));
          }};
}

// The same parameters for the optimizer and for the limit.
struct ManyParameters {
  std::vector<ebb::Variable<float>> variables;
  ebb::Parameters parameters;
  Numbers p, g, m, v;  // of all, one after the other
  std::int64_t steps = 0;
  std::optional<ebb::optim::Optimizer<ebb::optim::Adam>> optimizer;

  ManyParameters(std::int64_t arrays, std::int64_t size)
      : p(arrays * size), g(arrays * size), m(arrays * size, 0, 1), v(arrays * size, 0, 1) {
    Numbers numbers(size);
    for (std::int64_t k = 0; k < arrays; ++k) {
      variables.push_back(variable({size}, numbers));
      variables.back().set_gradient(array({size}, numbers));
      parameters.emplace_back(variables.back());
    }
    optimizer.emplace(parameters, ebb::optim::Adam{.learning_rate = rate});
  }
};

// Counts the step alone: gradients are there and stay.
Sides adam_step(std::int64_t arrays, std::int64_t size) {
  auto s = std::make_shared<ManyParameters>(arrays, size);
  return {[s] { s->optimizer->step(); },
          [s, size] {
            ++s->steps;
            for (std::int64_t k = 0; k < s->p.size(); k += size) {
              limits::adam_step(s->p + k, s->g + k, s->m + k, s->v + k, size, s->steps, rate);
            }
          }};
}

}  // namespace

void add_steps(std::vector<Case>& cases) {
  cases.push_back(versus("step/linear_sgd/32x10/f32", "ns", 4.5, linear));
  cases.push_back(versus("step/logistic_sgd/32x10/f32", "ns", 4.0, logistic));
  cases.push_back(versus("step/embedding_sgd/512_of_200000x64/f32", "us", 4.0, embedding_step));
  cases.push_back(
      versus("step/adam/10000000/f32", "us", 1.1, [] { return adam_step(1, 10'000'000); }));
  cases.push_back(versus("step/adam/1000x64/f32", "us", 1.5, [] { return adam_step(1000, 64); }));
}

}  // namespace bench
