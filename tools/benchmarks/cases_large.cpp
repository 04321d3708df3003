// SPDX-License-Identifier: BSD-3-Clause
// Regressions on data larger than the caches.
#include "arrays.hpp"
#include "ebb/autodiff/backward_by_rows.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

constexpr double rate = 1e-3;
constexpr std::int64_t features = 100;

// Both sides read the same rows, so that neither finds the caches full of the other's.
struct Data {
  Data(std::int64_t rows, bool labels) {
    Numbers x(rows * features), y(rows);
    if (labels) y.to_labels();
    inputs = array({rows, features}, x);
    targets = array({rows, 1}, y);
  }
  ebb::Array<float> inputs, targets;
  Numbers w{112, 0, 0}, b{1, 0, 0};
  ebb::nn::Linear<float> model = ebb::nn::Linear<float>::zeros(features, 1);
  ebb::optim::Optimizer<ebb::optim::SGD> optimizer{model, ebb::optim::SGD{.learning_rate = rate}};
};

// Counts a whole step on all rows, a block of them at a time: tapes, forward passes, sweeps into
// gradients that were absent, update in place, release of the gradients. The limit reads the rows
// once.
Sides full_batch(std::int64_t rows) {
  auto d = std::make_shared<Data>(rows, true);
  return {[=] {
            keep(ebb::backward_by_rows(
                [&](const auto& x, const auto& y) { return bce_with_logits(d->model(x), y); },
                d->inputs, d->targets));
            d->optimizer.step();
            d->optimizer.zero_grad();
          },
          [=] {
            keep(limits::full_batch_step(d->inputs.data(), d->targets.data(), rows, d->w, d->b,
                                         float(rate)));
          }};
}

// Counts the gradient of least squares alone, from blocks that read the rows once: tapes, forward
// passes, sweeps, and the release of the gradients. The limit makes one pass over the rows.
Sides full_batch_blocks(std::int64_t rows) {
  struct Gradient : Data {
    explicit Gradient(std::int64_t n) : Data(n, false) {}
    Numbers gw{112, 0, 0}, gb{1, 0, 0};
  };
  auto d = std::make_shared<Gradient>(rows);
  return {[=] {
            keep(ebb::backward_by_rows(
                [&](const auto& x, const auto& y) { return mse_loss(d->model(x), y); }, d->inputs,
                d->targets));
            d->optimizer.zero_grad();
          },
          [=] {
            keep(limits::full_batch_gradient(d->inputs.data(), d->targets.data(), rows, d->w, d->b,
                                             d->gw, d->gb));
          }};
}

// Counts an epoch: a new order, the gathering of every batch, and a whole step on each, as above.
// The limit shuffles in the same way (Fisher and Yates, with a cheaper generator), gathers each
// batch into one buffer and makes one pass over it.
Sides epoch(std::int64_t rows) {
  constexpr std::int64_t batch = 256;
  struct Loading : Data {
    explicit Loading(std::int64_t n) : Data(n, false), order(std::size_t(n)) {
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = std::int64_t(i);
    }
    ebb::data::Loader<ebb::data::TensorDataset<float>> loader{
        {inputs, targets}, {.batch_size = batch, .shuffle = true, .seed = 1}};
    std::vector<std::int64_t> order;
    std::uint64_t seed = 1;
    Numbers batch_x{batch * features}, batch_y{batch};
  };
  auto d = std::make_shared<Loading>(rows);
  return {[d] {
            for (const auto& [x, y] : d->loader) {
              {
                ebb::Tape tape;
                const auto loss = mse_loss(d->model(x), y);
                backward(loss);
                keep(loss);
              }
              d->optimizer.step();
              d->optimizer.zero_grad();
            }
          },
          [d, rows] {
            keep(limits::epoch(d->inputs.data(), d->targets.data(), rows, d->seed, d->order.data(),
                               d->batch_x, d->batch_y, d->w, d->b, float(rate)));
          }};
}

}  // namespace

void add_large(std::vector<Case>& cases) {
  cases.push_back(versus("step/logistic_full_batch/200000x100/f32", "us", 1.6,
                         [] { return full_batch(200000); }));
  cases.push_back(versus("data/full_batch_blocks/200000x100/f32", "us", 1.25,
                         [] { return full_batch_blocks(200000); }));
  cases.push_back(
      versus("epoch/linear_sgd/100000x100x256/f32", "us", 1.3, [] { return epoch(100000); }));
}

}  // namespace bench
