// SPDX-License-Identifier: BSD-3-Clause
// Every layer learns one batch by heart: the parameters of a layer that has some are enough to fit
// it, behind a projection that is fixed.
#include <doctest/doctest.h>

#include <vector>

#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/attention.hpp"
#include "ebb/nn/layers/convolution.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/embedding.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/normalisation.hpp"
#include "ebb/nn/layers/pooling.hpp"
#include "ebb/nn/layers/recurrent.hpp"
#include "ebb/nn/layers/stack.hpp"
#include "ebb/nn/layers/transformer.hpp"
#include "ebb/optim/rules/adam.hpp"
#include "ebb/optim/trials.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// A layer, and a projection of its output to one number a row.
struct Projected {
  nn::AnyModule<double> layer;
  Variable<double> weight;

  Tensor<double> operator()(const Array<double>& x) {
    const Tensor<double> y = layer(x);
    const std::int64_t rows = x.shape()[0];
    return matmul(reshape(y, {rows, y.size() / rows}), weight);
  }
  void each(Parts& part) {
    part("layer", layer);
    part("weight", weight);
  }
};

void check_overfits(nn::AnyModule<double> layer, const Shape& shape) {
  CAPTURE(layer.name());
  const auto x = numbers<double>(shape, 5), y = numbers<double>({shape[0]}, 6);
  nn::train(layer);
  const std::int64_t size = layer(x).size() / shape[0];
  Projected model{std::move(layer), Variable<double>(numbers<double>({size}, 7))};
  if (count(model) > size) model.weight.freeze();
  optim::Optimizer optimizer(model, optim::Adam{.learning_rate = 0.03});
  const auto loss = [&](const Array<double>& batch) { return mse_loss(model(batch), y); };
  const auto result = optim::overfit_one_batch(model, loss, optimizer, std::vector{x},
                                               {.steps = 1000, .target = 1e-3});
  std::ostringstream text;
  text << result;
  CHECK_MESSAGE(result.has_learned, text.str());
}

/// Layers that take something else than a tensor.
struct Rows {
  nn::Embedding<double> layer{10, 6};
  Tensor<double> operator()(const Tensor<double>& x) const {
    auto labels = Array<std::int64_t>::uninitialized({x.shape()[0]});
    for (std::int64_t i = 0; i < labels.size(); ++i) labels.mutate()[i] = 3 * i;
    return layer(labels);
  }
  void each(Parts& part) { part("layer", layer); }
};
struct Products {
  nn::Bilinear<double> layer{{.in1_features = 4, .in2_features = 4, .out_features = 3}};
  Tensor<double> operator()(const Tensor<double>& x) const { return layer(x, x * x); }
  void each(Parts& part) { part("layer", layer); }
};
struct Decoded {
  nn::TransformerDecoderLayer<double> layer{
      {.d_model = 4, .nhead = 2, .dim_feedforward = 8, .dropout = 0}};
  Tensor<double> operator()(const Tensor<double>& x) { return layer(x, x * x); }
  void each(Parts& part) { part("layer", layer); }
};

}  // namespace

TEST_SUITE("overfitting of layers") {

TEST_CASE("layers with parameters learn a batch by heart") {
  const Shape rows{3, 4}, lines{3, 4, 6}, planes{3, 4, 5, 5}, sequences{3, 5, 4};
  check_overfits(nn::Linear<double>(4, 6), rows);
  check_overfits(Products(), rows);
  check_overfits(Rows(), rows);
  check_overfits(nn::PReLU<double>({.num_parameters = 4}), {2, 4, 3});
  check_overfits(nn::Conv1d<double>({.in_channels = 4, .out_channels = 3, .kernel_size = 3}),
                 lines);
  check_overfits(nn::Conv2d<double>({.in_channels = 4, .out_channels = 3, .kernel_size = 3}),
                 planes);
  check_overfits(
      nn::ConvTranspose1d<double>({.in_channels = 4, .out_channels = 3, .kernel_size = 3}), lines);
  check_overfits(
      nn::ConvTranspose2d<double>({.in_channels = 4, .out_channels = 3, .kernel_size = 3}), planes);
  check_overfits(nn::BatchNorm1d<double>(4), rows);
  check_overfits(nn::BatchNorm2d<double>(4), planes);
  check_overfits(nn::LayerNorm<double>(6), rows.with(1, 6));
  check_overfits(nn::RMSNorm<double>(6), rows.with(1, 6));
  check_overfits(nn::GroupNorm<double>({.num_groups = 2, .num_channels = 4}), planes);
  check_overfits(nn::Outputs(nn::RNN<double>({.input_size = 4, .hidden_size = 5})), sequences);
  check_overfits(nn::Outputs(nn::GRU<double>({.input_size = 4, .hidden_size = 5})), sequences);
  check_overfits(nn::Outputs(nn::LSTM<double>({.input_size = 4, .hidden_size = 5})), sequences);
  check_overfits(nn::MultiheadAttention<double>({.embed_dim = 4, .num_heads = 2}), sequences);
  check_overfits(nn::TransformerEncoderLayer<double>(
                     {.d_model = 4, .nhead = 2, .dim_feedforward = 8, .dropout = 0}),
                 sequences);
  check_overfits(Decoded(), sequences);
  // All rows have its numbers in common.
  check_overfits(nn::LearnedEncoding<double>({.max_length = 8, .features = 4}), {1, 5, 4});
}

TEST_CASE("layers without parameters let a projection learn a batch by heart") {
  const Shape lines{3, 4, 6}, planes{3, 4, 6, 6};
  check_overfits(nn::MaxPool1d({.kernel_size = 2}), lines);
  check_overfits(nn::AvgPool1d({.kernel_size = 2}), lines);
  check_overfits(nn::AdaptiveAvgPool1d({.output_size = 2}), lines);
  check_overfits(nn::MaxPool2d({.kernel_size = 2}), planes);
  check_overfits(nn::AvgPool2d({.kernel_size = 2}), planes);
  check_overfits(nn::AdaptiveAvgPool2d({.output_size = 2}), planes);
  check_overfits(nn::GlobalAvgPool(), planes);
  check_overfits(nn::GlobalMaxPool(), planes);
  check_overfits(nn::Flatten(), planes);
  check_overfits(nn::SinusoidalEncoding(), {3, 6, 4});
  check_overfits(nn::Dropout({.p = 0}), lines);
}

}  // TEST_SUITE("overfitting of layers")
