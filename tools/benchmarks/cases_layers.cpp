// SPDX-License-Identifier: BSD-3-Clause
// Layers: attention and batch normalisation forward and back, and a network for one row.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/attention.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/normalisation.hpp"
#include "ebb/nn/layers/sequential.hpp"
#include "ebb/nn/modes.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

using B = limits::BatchNorm;
using M = limits::Mlp;

struct Heads {
  limits::Attention of;
  std::int64_t all = of.batch * of.heads * of.steps * of.features;
  Numbers q{all}, k{all}, v{all}, g{all}, y{all}, gq{all}, gk{all}, gv{all},
      weights{of.batch * of.heads * of.steps * of.steps}, room{of.steps * of.steps};
  ebb::Shape shape{of.batch, of.heads, of.steps, of.features};
  ebb::Variable<float> query = variable(shape, q), key = variable(shape, k),
                       value = variable(shape, v);
  ebb::Array<float> seed = array(shape, g);

  explicit Heads(const limits::Attention& sizes) : of(sizes) {}
};

struct Pictures {
  static constexpr std::int64_t all = B::batch * B::channels * B::side * B::side;
  Numbers x{all}, g{all}, y{all}, gx{all}, w{B::channels}, b{B::channels}, gw{B::channels},
      gb{B::channels}, mean{B::channels}, var{B::channels};
  ebb::Shape shape{B::batch, B::channels, B::side, B::side};
  ebb::nn::BatchNorm2d<float> layer{B::channels};
  ebb::Variable<float> input = variable(shape, x);
  ebb::Array<float> seed = array(shape, g);
};

struct OneRow {
  Numbers x{M::in}, w1{M::in * M::first}, b1{M::first}, w2{M::first * M::second}, b2{M::second},
      w3{M::second * M::out}, b3{M::out}, h1{M::first}, h2{M::second}, z{M::out + 6};
  ebb::nn::Sequential<ebb::nn::Linear<float>, ebb::nn::ReLU, ebb::nn::Linear<float>, ebb::nn::ReLU,
                      ebb::nn::Linear<float>>
      model{ebb::nn::Linear<float>(M::in, M::first), ebb::nn::ReLU(),
            ebb::nn::Linear<float>(M::first, M::second), ebb::nn::ReLU(),
            ebb::nn::Linear<float>(M::second, M::out)};
  ebb::Array<float> input = array({1, M::in}, x);

  OneRow() {
    const auto give = [](ebb::nn::Linear<float>& layer, Numbers& w, Numbers& b) {
      layer.weight.set_value(array(layer.weight.shape(), w));
      layer.bias.set_value(array(layer.bias.shape(), b));
    };
    give(model.layer<0>(), w1, b1);
    give(model.layer<2>(), w2, b2);
    give(model.layer<4>(), w3, b3);
  }
};

// Counts the forward pass, the sweep from a dense seed into absent gradients, and their release.
Sides attention(const limits::Attention& of) {
  auto d = std::make_shared<Heads>(of);
  return {[=] {
            {
              ebb::Tape tape;
              const auto y = ebb::nn::scaled_dot_product_attention(d->query, d->key, d->value);
              backward(ebb::SweepStart(y, d->seed));
            }
            for (auto* v : {&d->query, &d->key, &d->value}) v->zero_grad();
          },
          [=] {
            limits::attention(d->of, d->q, d->k, d->v, d->g, d->weights, d->room, d->y, d->gq,
                              d->gk, d->gv);
          }};
}

// As above, with the running moments.
Sides batch_norm() {
  auto d = std::make_shared<Pictures>();
  return {[=] {
            {
              ebb::Tape tape;
              const auto y = d->layer(d->input);
              backward(ebb::SweepStart(y, d->seed));
            }
            for (auto* v : {&d->input, &d->layer.weight, &d->layer.bias}) v->zero_grad();
          },
          [=] {
            limits::batch_norm(d->x, d->w, d->b, d->g, d->y, d->gx, d->gw, d->gb, d->mean, d->var);
          }};
}

// Counts a call of the model for one row, without a tape.
Sides inference() {
  auto d = std::make_shared<OneRow>();
  return {[=] { keep(d->model(d->input)); },
          [=] {
            limits::mlp_inference(d->x, d->w1, d->b1, d->w2, d->b2, d->w3, d->b3, d->h1, d->h2,
                                  d->z);
          }};
}

}  // namespace

void add_layers(std::vector<Case>& cases) {
  cases.push_back(versus("layers/attention_backward/16x4x64x32/f32", "us", 1.3,
                         [] { return attention(limits::attention_of_words); }));
  cases.push_back(versus("layers/attention_backward/2x4x1024x64/f32", "us", 1.3,
                         [] { return attention(limits::attention_of_pages); }));
  cases.push_back(versus("layers/batch_norm2d_backward/32x32x16x16/f32", "us", 1.3, batch_norm));
  cases.push_back(versus("layers/mlp_inference/1x784/f32", "us", 1.3, inference));
}

}  // namespace bench
