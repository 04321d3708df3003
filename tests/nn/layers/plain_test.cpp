// SPDX-License-Identifier: BSD-3-Clause
// Layers without weights: pools, activations, dropout, and what joins layers.
#include <cmath>

#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/pooling.hpp"
#include "ebb/nn/layers/sequential.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("layers without weights") {

TEST_CASE("each activation is its operation") {
  const auto x = numbers<double>({3, 4});
  const auto same = [&](const auto& layer, const Tensor<double>& expected) {
    CAPTURE(layer.name);
    CHECK_AGREES(same_bits(layer(x).array(), expected.array()));
  };
  same(nn::Identity(), x);
  same(nn::ReLU(), relu(x));
  same(nn::ReLU6(), relu6(x));
  same(nn::SELU(), selu(x));
  same(nn::SiLU(), silu(x));
  same(nn::Mish(), mish(x));
  same(nn::Sigmoid(), sigmoid(x));
  same(nn::LogSigmoid(), log_sigmoid(x));
  same(nn::Tanh(), tanh(x));
  same(nn::Softplus(), softplus(x));
  same(nn::Softsign(), softsign(x));
  same(nn::Hardsigmoid(), hardsigmoid(x));
  same(nn::Hardswish(), hardswish(x));
  same(nn::GELU(), gelu(x));
  same(nn::GELU({.approximate = "tanh"}), gelu_tanh(x));
  same(nn::LeakyReLU({.negative_slope = 0.2}), leaky_relu(x, 0.2));
  same(nn::ELU({.alpha = 0.5}), elu(x, 0.5));
  same(nn::Hardtanh({.min_val = -0.5, .max_val = 0.25}), hardtanh(x, -0.5, 0.25));
  same(nn::Softmax({.axis = 0}), softmax(x, 0));
  same(nn::Softmax(), softmax(x));
  same(nn::LogSoftmax(), log_softmax(x));
  CHECK(message_of<ArgumentError>([] { nn::GELU({.approximate = "erf"}); }) ==
        "GELU: approximate = \"erf\"; it is \"none\" or \"tanh\"");
}

TEST_CASE("PReLU learns its slope on the left, for all or for each channel") {
  nn::PReLU<double> one, each({.num_parameters = 2});
  CHECK_AGREES(same_bits(one(Array<double>::of({-4, 2})).array(), Array<double>::of({-1, 2})));
  each.weight.set_value(Array<double>::of({0.5, 2}));
  const auto x = Array<double>::of({-1, 1, -1, 3}).reshape({1, 2, 2});
  CHECK_AGREES(same_bits(each(x).array(), Array<double>::of({-0.5, 1, -2, 3}).reshape({1, 2, 2})));
  CHECK_AGREES(
      same_bits(each(Array<double>::of({{-1, -1}})).array(), Array<double>::of({{-0.5, -2}})));
  check_layer(nn::PReLU<double>({.num_parameters = 2}), {2, 2, 3}, true);
  CHECK(message_of<ShapeError>([&] {
          each(numbers<double>({2, 3}));
        }) == "PReLU: x must be (n, c, ...) with c = 2, not (2, 3)");
  CHECK_THROWS_AS(nn::PReLU<float>({.num_parameters = 0}), ArgumentError);
}

TEST_CASE("pools are the operations of their settings") {
  const auto planes = numbers<double>({2, 3, 6, 7});
  const auto rows = numbers<double>({2, 3, 9});
  CHECK_AGREES(same_bits(
      nn::MaxPool2d({.kernel_size = {2, 3}, .stride = 2, .padding = {1, 0}, .dilation = {2, 1}})(
          planes)
          .array(),
      max_pool2d(planes, {2, 3}, {.stride = 2, .padding = {1, 0}, .dilation = {2, 1}}).array()));
  CHECK_AGREES(same_bits(
      nn::MaxPool1d({.kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2})(rows).array(),
      max_pool1d(rows, 3, {.stride = 2, .padding = 1, .dilation = 2}).array()));
  CHECK_AGREES(
      same_bits(nn::AvgPool2d({.kernel_size = 2, .stride = {1, 2}, .padding = 1})(planes).array(),
                avg_pool2d(planes, 2, {.stride = {1, 2}, .padding = 1}).array()));
  CHECK_AGREES(same_bits(nn::AvgPool1d({.kernel_size = 3, .stride = 1, .padding = 1})(rows).array(),
                         avg_pool1d(rows, 3, {.stride = 1, .padding = 1}).array()));
}

TEST_CASE("an adaptive pool gives as many means as asked for, over parts that may overlap") {
  const auto x = Array<double>::of({1, 2, 3, 4, 5}).reshape({1, 1, 5});
  // Of five elements three parts: 0 to 2, 1 to 4, 3 to 5.
  CHECK_AGREES(close(nn::AdaptiveAvgPool1d({.output_size = 3})(x).array(),
                     Array<double>::of({1.5, 3, 4.5}).reshape({1, 1, 3}), 1e-15));
  const auto planes = numbers<double>({2, 2, 5, 4});
  const auto y = nn::AdaptiveAvgPool2d({.output_size = {3, 2}})(planes);
  REQUIRE(y.shape() == Shape{2, 2, 3, 2});
  const std::int64_t begin[] = {0, 1, 3}, end[] = {2, 4, 5};
  for (std::int64_t p = 0; p < 4; ++p) {
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 2; ++j) {
        double sum = 0;
        for (std::int64_t r = begin[i]; r < end[i]; ++r) {
          for (std::int64_t c = 2 * j; c < 2 * j + 2; ++c)
            sum += planes.begin()[(p * 5 + r) * 4 + c];
        }
        const double mean = sum / (2 * double(end[i] - begin[i]));
        CHECK_AGREES(close(y.array().begin()[(p * 3 + i) * 2 + j], mean, 1e-14, 1e-14));
      }
    }
  }
  CHECK_AGREES(
      close(nn::AdaptiveAvgPool2d({.output_size = 2})(numbers<double>({1, 1, 4, 6})).array(),
            avg_pool2d(numbers<double>({1, 1, 4, 6}), {2, 3}).array(), 1e-15));
  CHECK_THROWS_AS(nn::AdaptiveAvgPool2d({})(planes), ArgumentError);
  CHECK_THROWS_AS(nn::AdaptiveAvgPool2d({.output_size = 2})(x), ShapeError);
}

TEST_CASE("a global pool leaves one number for each channel") {
  const auto x = Array<double>::of({1, 2, 3, 6, -1, -5, 0, 2}).reshape({1, 2, 2, 2});
  CHECK_AGREES(close(nn::GlobalAvgPool()(x).array(), Array<double>::of({{3, -1}}), 1e-15));
  CHECK_AGREES(same_bits(nn::GlobalMaxPool()(x).array(), Array<double>::of({{6, 2}})));
  CHECK(message_of<ShapeError>([] {
          nn::GlobalAvgPool()(numbers<double>({2, 3}));
        }) == "GlobalAvgPool: x must be (n, c, ...) with elements, not (2, 3)");
}

TEST_CASE("the gradients of pools are right") {
  check_layer(nn::AdaptiveAvgPool1d({.output_size = 3}), {1, 2, 5});
  check_layer(nn::AdaptiveAvgPool2d({.output_size = {2, 3}}), {1, 1, 3, 4});
  check_layer(nn::GlobalAvgPool(), {2, 2, 3});
  check_layer(nn::GlobalMaxPool(), {2, 2, 3}, true);
  check_layer(nn::MaxPool1d({.kernel_size = 2}), {1, 2, 4}, true);
}

TEST_CASE("Dropout leaves out a share of the elements in training, and nothing in evaluation") {
  Stream stream(5);
  nn::Dropout layer(0.25, stream);
  const auto x = Array<double>::full({10000}, 3.0);
  const auto y = layer(x).array();
  int zeros = 0;
  for (const double v : y) {
    zeros += v == 0;
    CHECK((v == 0 || v == 4));
  }
  CHECK(std::abs(zeros - 2500) < 6 * std::sqrt(10000 * 0.25 * 0.75));  // six deviations
  CHECK_FALSE(equal(layer(x).array(), y));
  nn::eval(layer);
  CHECK_AGREES(same_bits(layer(x).array(), x));
  nn::train(layer);
  nn::Dropout again = nn::clone(layer);
  CHECK_AGREES(same_bits(again(x).array(), layer(x).array()));
  CHECK(message_of<ArgumentError>([] { nn::Dropout(1.5); }) == "Dropout: p = 1.5; it is in [0, 1]");
  check_layer(nn::Dropout(0.5), {3, 4});
}

TEST_CASE("Flatten joins axes") {
  const auto x = numbers<double>({2, 3, 4, 5});
  CHECK(nn::Flatten()(x).shape() == Shape{2, 60});
  CHECK(nn::Flatten({.start_axis = 0})(x).shape() == Shape{120});
  CHECK(nn::Flatten({.start_axis = -3, .end_axis = 2})(x).shape() == Shape{2, 12, 5});
  CHECK_AGREES(same_bits(nn::Flatten()(x).array().reshape({2, 3, 4, 5}), x));
  CHECK(message_of<ArgumentError>([&] { nn::Flatten({.start_axis = 2, .end_axis = 1})(x); }) ==
        "Flatten: start_axis 2 is after end_axis 1 of shape (2, 3, 4, 5)");
}

TEST_CASE("Sequential calls layers and functions one after another") {
  nn::Sequential model(
      nn::Linear<double>(3, 4), nn::Tanh(), [](const auto& x) { return x * 2.0; },
      nn::Linear<double>(4, 2));
  const auto x = numbers<double>({5, 3});
  const auto& first = model.layer<0>();
  const auto& last = model.layer<3>();
  CHECK_AGREES(same_bits(model(x).array(), last(tanh(first(x)) * 2.0).array()));
  const Parameters all = parameters(model);
  REQUIRE(all.size() == 4);
  CHECK(all[0].name() == "0.weight");
  CHECK(all[3].name() == "3.bias");
  check_layer(nn::Sequential(nn::Linear<double>(3, 4), nn::Tanh(), nn::Linear<double>(4, 2)),
              {5, 3});
}

TEST_CASE("Residual adds its input, and refuses a layer that changes the shape") {
  nn::Residual model(nn::Sequential(nn::Linear<double>(3, 3), nn::Tanh()));
  const auto x = numbers<double>({5, 3});
  CHECK_AGREES(same_bits(model(x).array(), (x + model.layer()(x)).array()));
  CHECK(parameters(model)[0].name() == "layer.0.weight");
  check_layer(nn::Residual(nn::Linear<double>(3, 3)), {2, 3});
  nn::Residual wrong(nn::Linear<double>(3, 1));
  CHECK(message_of<ShapeError>([&] { wrong(x); }) ==
        "Residual: the layer must keep the shape of x, not (5, 3) and (5, 1)");
}

}  // TEST_SUITE("layers without weights")
