// SPDX-License-Identifier: BSD-3-Clause
// Layers that normalise: in training by the batch, in evaluation by what they have seen.
#include "ebb/nn/layers/normalisation.hpp"

#include <cmath>

#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("layers that normalise") {

TEST_CASE("BatchNorm uses the moments of the batch in training, and keeps a running share") {
  nn::BatchNorm1d<double> layer(2);
  const auto x = Array<double>::of({{1, 10}, {3, 14}});  // means 2 and 12, variances 1 and 4
  const auto y = layer(x);
  const double a = 1 / std::sqrt(1 + 1e-5), b = 2 / std::sqrt(4 + 1e-5);
  CHECK_AGREES(close(y.array(), Array<double>::of({{-a, -b}, {a, b}}), 1e-14));
  // A tenth of the mean 2 and 12; nine tenths of 1, and a tenth of the variances 2 and 8, which are
  // divided by the count minus 1.
  CHECK_AGREES(close(layer.running_mean, Array<double>::of({0.2, 1.2}), 1e-14));
  CHECK_AGREES(close(layer.running_var, Array<double>::of({1.1, 1.7}), 1e-14));
  CHECK(layer.num_batches_tracked[0] == 1);

  nn::eval(layer);
  const auto z = layer(x);
  const double s = std::sqrt(1.1 + 1e-5), t = std::sqrt(1.7 + 1e-5);
  CHECK_AGREES(
      close(z.array(), Array<double>::of({{0.8 / s, 8.8 / t}, {2.8 / s, 12.8 / t}}), 1e-14));
  CHECK(layer.num_batches_tracked[0] == 1);
  CHECK_AGREES(close(layer.running_mean, Array<double>::of({0.2, 1.2}), 1e-14));
}

TEST_CASE("its state has PyTorch's names, and the settings say what is there") {
  nn::BatchNorm2d<float> layer(3);
  CHECK(nn::state(layer).names() == std::vector<std::string>{"weight", "bias", "running_mean",
                                                             "running_var", "num_batches_tracked"});
  nn::BatchNorm2d<float> plain({.num_features = 3, .affine = false});
  CHECK(nn::state(plain).size() == 3);
  CHECK(plain(numbers<float>({2, 3, 2, 2})).shape() == Shape{2, 3, 2, 2});
  nn::LayerNorm<float> without({.normalized_shape = {3}, .bias = false});
  CHECK(nn::state(without).names() == std::vector<std::string>{"weight"});
  nn::LayerNorm<float> bare({.normalized_shape = {3}, .elementwise_affine = false});
  CHECK(parameters(bare).empty());
}

TEST_CASE("a layer that is const can be called in evaluation only") {
  nn::BatchNorm1d<double> layer(2);
  const auto& fixed = layer;
  const auto x = numbers<double>({4, 2});
  CHECK(message_of<ArgumentError>([&] { fixed(x); }) ==
        "BatchNorm: a layer in training changes its running moments, and this one is const; call "
        "eval(model), or make operator() of the model that has it not const");
  nn::eval(layer);
  CHECK_AGREES(same_bits(fixed(x).array(), layer(x).array()));
  nn::Dropout dropout(0.5);
  const auto& still = dropout;
  CHECK(message_of<ArgumentError>([&] { still(x); }) ==
        "Dropout: a layer in training draws from its stream, and this one is const; call "
        "eval(model), or make operator() of the model that has it not const");
  nn::eval(dropout);
  CHECK_AGREES(same_bits(still(x).array(), x));
}

TEST_CASE("a checkpoint computes the layer twice, and the moments see the batch once") {
  nn::BatchNorm1d<double> layer(2), plain(2);
  const Variable<double> x(numbers<double>({4, 2})), same(numbers<double>({4, 2}));
  {
    Tape tape;
    backward(sum(square(checkpoint([&](const auto& in) { return layer(in); }, x))));
  }
  {
    Tape tape;
    backward(sum(square(plain(same))));
  }
  CHECK(layer.num_batches_tracked[0] == 1);
  CHECK_AGREES(same_bits(layer.running_mean, plain.running_mean));
  CHECK_AGREES(same_bits(x.gradient(), same.gradient()));
}

TEST_CASE("gradients are right in both modes") {
  check_layer(nn::BatchNorm1d<double>(2), {4, 2});
  check_layer(nn::BatchNorm1d<double>({.num_features = 2, .affine = false}), {2, 2, 3});
  check_layer(nn::BatchNorm2d<double>(2), {2, 2, 2, 2});
  check_layer(nn::LayerNorm<double>(3), {4, 3});
  check_layer(nn::LayerNorm<double>({.normalized_shape = {2, 3}, .bias = false}), {2, 2, 3});
  check_layer(nn::RMSNorm<double>(3), {4, 3});
  check_layer(nn::GroupNorm<double>({.num_groups = 2, .num_channels = 4}), {2, 4, 2});
  check_layer(nn::GroupNorm<double>({.num_groups = 1, .num_channels = 2, .affine = false}),
              {3, 2, 2});
}

TEST_CASE("layers over last axes and groups are the operations of their settings") {
  const auto x = numbers<double>({2, 4, 3});
  nn::LayerNorm<double> last({.normalized_shape = {4, 3}, .eps = 0.1});
  CHECK_AGREES(same_bits(last(x).array(), layer_norm(x, {4, 3}, 0.1).array()));
  nn::RMSNorm<double> rms({.normalized_shape = {3}, .eps = 0.1});
  CHECK_AGREES(same_bits(rms(x).array(), rms_norm(x, {3}, rms.weight, 0.1).array()));
  nn::RMSNorm<double> bare({.normalized_shape = {3}, .eps = 0.1, .elementwise_affine = false});
  CHECK_AGREES(same_bits(bare(x).array(), rms_norm(x, {3}, 0.1).array()));
  nn::GroupNorm<double> groups({.num_groups = 2, .num_channels = 4, .eps = 0.1});
  CHECK_AGREES(
      same_bits(groups(x).array(), group_norm(x, 2, groups.weight, groups.bias, 0.1).array()));
}

TEST_CASE("layers of float give what those of double give") {
  nn::BatchNorm1d<double> layer(3);
  layer(numbers<double>({5, 3}));
  check_float(nn::BatchNorm1d<float>(3), layer, {4, 3});
  nn::RMSNorm<double> rms(3);
  check_float(nn::RMSNorm<float>(3), rms, {4, 3});
}

TEST_CASE("other channels, and settings out of their range, are refused by name") {
  nn::BatchNorm2d<float> layer(3);
  CHECK(message_of<ShapeError>([&] {
          layer(numbers<float>({2, 4, 2, 2}));
        }) == "BatchNorm2d: x must be (n, c, h, w) with c = 3, not (2, 4, 2, 2)");
  CHECK_THROWS_AS(layer(numbers<float>({2, 3, 2})), ShapeError);
  nn::BatchNorm1d<float> rows(3);
  CHECK(message_of<ShapeError>([&] { rows(numbers<float>({3})); }) ==
        "BatchNorm1d: x must be (n, c) or (n, c, l) with c = 3, not (3,)");
  CHECK(message_of<ArgumentError>([] {
          nn::BatchNorm1d<float>({.num_features = 2, .momentum = 1.5});
        }) == "BatchNorm1d: momentum = 1.5; it is in [0, 1]");
  CHECK_THROWS_AS(nn::BatchNorm1d<float>(0), ArgumentError);
  CHECK_THROWS_AS(nn::LayerNorm<float>({.normalized_shape = {3}, .eps = -1}), ArgumentError);
  CHECK_THROWS_AS(nn::LayerNorm<float>({.normalized_shape = {}}), ArgumentError);
  CHECK(message_of<ArgumentError>([] {
          nn::GroupNorm<float>({.num_groups = 2, .num_channels = 3});
        }) == "GroupNorm: 2 groups of 3 channels; the groups must be equal");
}

}  // TEST_SUITE("layers that normalise")
