// SPDX-License-Identifier: BSD-3-Clause
// Linear without a bias, Bilinear, Embedding and the convolutions, against plain loops.
#include <cmath>

#include "ebb/nn/layers/convolution.hpp"
#include "ebb/nn/layers/embedding.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("layers that multiply") {

TEST_CASE("a Linear without a bias multiplies only, for any leading axes") {
  Stream stream(1);
  nn::Linear<double> layer({.in_features = 3, .out_features = 2, .bias = false}, stream);
  CHECK(layer.bias.is_none());
  CHECK(parameters(layer).size() == 1);
  layer.weight.set_value(Array<double>::of({{1, 2, 3}, {4, 5, 6}}));
  const auto y = layer(Array<double>::of({1, 0, 0, 1, 1, 1}).reshape({2, 1, 3}));
  CHECK_AGREES(same_bits(y.array(), Array<double>::of({1, 4, 6, 15}).reshape({2, 1, 2})));
  check_layer(nn::Linear<double>({.in_features = 3, .out_features = 2, .bias = false}), {2, 2, 3});
}

TEST_CASE("the gradients of a Linear are right in its input, weight and bias") {
  check_layer(nn::Linear<double>(3, 2), {4, 3});
  check_layer(nn::Linear<double>(3, 2), {2, 1, 3});
}

TEST_CASE("the start of a layer fills +-1 / sqrt(fan in), as PyTorch's") {
  Stream stream(2);
  const auto extreme = [](const auto& variable) {
    double most = 0;
    for (const double v : variable.value()) most = std::fmax(most, std::abs(v));
    return most;
  };
  // The largest of 600 numbers or more is within 2 % of the limit but for a chance of 1e-5.
  const nn::Conv2d<double> conv(
      {.in_channels = 4, .out_channels = 20, .kernel_size = {3, 5}, .groups = 2}, stream);
  CHECK(conv.weight.shape() == Shape{20, 2, 3, 5});
  CHECK_AGREES(close(extreme(conv.weight), 1 / std::sqrt(30.0), 0.02));
  CHECK(extreme(conv.bias) <= 1 / std::sqrt(30.0));
  // PyTorch counts the outputs of a transposed convolution as its fan in.
  const nn::ConvTranspose1d<double> reverse(
      {.in_channels = 20, .out_channels = 8, .kernel_size = 4}, stream);
  CHECK(reverse.weight.shape() == Shape{20, 8, 4});
  CHECK_AGREES(close(extreme(reverse.weight), 1 / std::sqrt(32.0), 0.02));
  const nn::Bilinear<double> bilinear({.in1_features = 9, .in2_features = 10, .out_features = 8},
                                      stream);
  CHECK_AGREES(close(extreme(bilinear.weight), 1.0 / 3, 0.02));
}

TEST_CASE("a Bilinear is x1^T weight x2 + bias for each output") {
  nn::Bilinear<double> layer({.in1_features = 2, .in2_features = 3, .out_features = 2});
  const auto x1 = numbers<double>({2, 2, 2}, 5), x2 = numbers<double>({2, 2, 3}, 6);
  const auto y = layer(x1, x2);
  REQUIRE(y.shape() == Shape{2, 2, 2});
  const auto& w = layer.weight.value();
  for (std::int64_t row = 0; row < 4; ++row) {
    for (std::int64_t k = 0; k < 2; ++k) {
      double sum = layer.bias.value()[k];
      for (std::int64_t i = 0; i < 2; ++i) {
        for (std::int64_t j = 0; j < 3; ++j)
          sum += x1.begin()[row * 2 + i] * w.begin()[(k * 2 + i) * 3 + j] * x2.begin()[row * 3 + j];
      }
      CHECK_AGREES(close(y.array().begin()[row * 2 + k], sum, 1e-14, 1e-14));  // twelve products
    }
  }
  CHECK(message_of<ShapeError>([&] { layer(x1, x1); }) ==
        "Bilinear: x1 must be (..., 2) and x2 (..., 3) with equal axes before, not (2, 2, 2) and "
        "(2, 2, 2)");
  CHECK_THROWS_AS(layer(x1, numbers<double>({2, 3})), ShapeError);
}

TEST_CASE("the gradients of a Bilinear are right in both inputs, weight and bias") {
  struct Pair {
    nn::Bilinear<double> layer{{.in1_features = 2, .in2_features = 3, .out_features = 2}};
    Variable<double> a{numbers<double>({4, 2}, 5)}, b{numbers<double>({4, 3}, 6)};
    void each(Parts& part) {
      part("layer", layer);
      part("a", a);
      part("b", b);
    }
  } pair;
  CHECK(nn::check_gradients(pair, [&] { return pair.layer(pair.a, pair.b); }));
}

TEST_CASE("an Embedding gives rows, and its padding row is zeros that stay") {
  Stream stream(3);
  nn::Embedding<double> layer({.num_embeddings = 5, .embedding_dim = 3, .padding_idx = 2}, stream);
  const auto indices = Array<std::int64_t>::of({{4, 2}, {0, 4}});
  const auto y = layer(indices);
  REQUIRE(y.shape() == Shape{2, 2, 3});
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(y.array().begin()[i] == layer.weight.value().begin()[12 + i]);
    CHECK(y.array().begin()[3 + i] == 0);
  }
  Tape tape;
  backward(sum(layer(indices)));
  const auto& g = layer.weight.gradient();
  const double expected[] = {1, 0, 0, 0, 2};  // how often each row was drawn, but the padding
  for (std::int64_t row = 0; row < 5; ++row) CHECK(g.begin()[row * 3] == expected[row]);
  CHECK_THROWS_AS(layer(Array<std::int64_t>::of({5})), ArgumentError);
  CHECK(message_of<ArgumentError>([] {
          nn::Embedding<float>({.num_embeddings = 5, .embedding_dim = 3, .padding_idx = 5});
        }) == "Embedding: padding_idx = 5 is none of the 5 rows");
}

TEST_CASE("an Embedding starts with standard normal numbers, but for the padding row") {
  Stream stream(3);
  for (const std::optional<std::int64_t> padding : {std::optional<std::int64_t>(), {2}}) {
    const nn::Embedding<double> layer(
        {.num_embeddings = 200, .embedding_dim = 50, .padding_idx = padding}, stream);
    // Of 10 000 numbers: a standard deviation of 1 % of the mean, and of 1.4 % of the square.
    CHECK(std::abs(mean(layer.weight).item()) < 0.06);
    CHECK_AGREES(close(mean(square(layer.weight)).item(), 1.0, 0.09));
  }
}

TEST_CASE("a convolution layer is the operation of its settings") {
  Stream stream(4);
  const auto x = numbers<double>({2, 4, 6, 5}, 7);
  const nn::Conv2d<double> conv({.in_channels = 4,
                                 .out_channels = 6,
                                 .kernel_size = {3, 2},
                                 .stride = {2, 1},
                                 .padding = {1, 0},
                                 .dilation = {1, 2},
                                 .groups = 2},
                                stream);
  CHECK_AGREES(
      same_bits(conv(x).array(),
                conv2d(x, conv.weight, conv.bias,
                       {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}, .groups = 2})
                    .array()));
  const nn::Conv2d<double> plain(
      {.in_channels = 4, .out_channels = 2, .kernel_size = 3, .bias = false}, stream);
  CHECK_AGREES(same_bits(plain(x).array(), conv2d(x, plain.weight).array()));
  const auto row = numbers<double>({2, 4, 7}, 8);
  const nn::Conv1d<double> one(
      {.in_channels = 4, .out_channels = 2, .kernel_size = 3, .stride = 2, .padding = 1}, stream);
  CHECK_AGREES(same_bits(one(row).array(),
                         conv1d(row, one.weight, one.bias, {.stride = 2, .padding = 1}).array()));
  const nn::ConvTranspose1d<double> back(
      {.in_channels = 4, .out_channels = 2, .kernel_size = 3, .stride = 2, .output_padding = 1},
      stream);
  CHECK_AGREES(same_bits(
      back(row).array(),
      conv_transpose1d(row, back.weight, back.bias, {.stride = 2, .output_padding = 1}).array()));
  const nn::ConvTranspose2d<double> wide(
      {.in_channels = 4, .out_channels = 2, .kernel_size = 2, .stride = 2, .padding = 1}, stream);
  CHECK_AGREES(
      same_bits(wide(x).array(),
                conv_transpose2d(x, wide.weight, wide.bias, {.stride = 2, .padding = 1}).array()));
}

TEST_CASE("the gradients of convolutions are right, and each knows its parts") {
  check_layer(nn::Conv1d<double>({.in_channels = 2, .out_channels = 3, .kernel_size = 2}),
              {2, 2, 4});
  check_layer(nn::Conv2d<double>({.in_channels = 1, .out_channels = 2, .kernel_size = 2}),
              {1, 1, 3, 3});
  check_layer(nn::ConvTranspose1d<double>({.in_channels = 2, .out_channels = 2, .kernel_size = 2}),
              {1, 2, 3});
  check_layer(nn::ConvTranspose2d<double>(
                  {.in_channels = 1, .out_channels = 2, .kernel_size = 2, .bias = false}),
              {1, 1, 2, 2});
}

TEST_CASE("layers of float give what those of double give") {
  nn::Linear<double> linear(3, 2);
  check_float(nn::Linear<float>(3, 2), linear, {4, 3});
  const nn::Conv2dSettings conv{.in_channels = 2, .out_channels = 3, .kernel_size = 2};
  nn::Conv2d<double> wide(conv);
  check_float(nn::Conv2d<float>(conv), wide, {2, 2, 4, 4});
}

TEST_CASE("settings that no layer has are refused by name") {
  CHECK(message_of<ArgumentError>([] {
          nn::Conv2d<float>({.in_channels = 3, .out_channels = 4});
        }) == "Conv2d: kernel_size = 0; it is at least 1");
  CHECK(message_of<ArgumentError>([] {
          nn::Conv1d<float>({.in_channels = 3, .out_channels = 4, .kernel_size = 2, .groups = 2});
        }) == "Conv1d: 2 groups of 3 and 4 channels; the groups must be equal");
  CHECK(message_of<ArgumentError>([] {
          nn::Bilinear<float>({.in1_features = 3, .in2_features = 0, .out_features = 1});
        }) == "Bilinear: in2_features = 0; it is at least 1");
  CHECK_THROWS_AS(
      nn::ConvTranspose2d<float>({.in_channels = 0, .out_channels = 1, .kernel_size = 1}),
      ArgumentError);
  CHECK_THROWS_AS(nn::Embedding<float>({.num_embeddings = 0, .embedding_dim = 1}), ArgumentError);
}

TEST_CASE("settings of transposed convolutions reach the operation") {
  const auto x = numbers<double>({1, 2, 3, 4}, 7);
  const nn::ConvTranspose2d<double> layer({.in_channels = 2,
                                           .out_channels = 4,
                                           .kernel_size = 2,
                                           .stride = {3, 2},
                                           .padding = {1, 0},
                                           .output_padding = {0, 1},
                                           .dilation = {1, 3},
                                           .groups = 2});
  CHECK_AGREES(same_bits(layer(x).array(), conv_transpose2d(x, layer.weight, layer.bias,
                                                            {.stride = {3, 2},
                                                             .padding = {1, 0},
                                                             .output_padding = {0, 1},
                                                             .dilation = {1, 3},
                                                             .groups = 2})
                                               .array()));
}

TEST_CASE("a convolution counts two operations for each product, and one for each bias") {
  const auto x = numbers<double>({1, 4, 5, 5}, 7);
  const nn::Conv2d<double> layer(
      {.in_channels = 4, .out_channels = 6, .kernel_size = 3, .groups = 2});
  // Each of 54 results is a sum over 2 channels of 9 points.
  CHECK(layer.operations(x, layer(x)) == 54 * (2 * 18 + 1));
  const nn::ConvTranspose2d<double> back(
      {.in_channels = 4, .out_channels = 6, .kernel_size = 3, .groups = 2, .bias = false});
  // Each of 100 numbers goes to 3 channels of 9 points.
  CHECK(back.operations(x, back(x)) == 100 * 2 * 27);
}

TEST_CASE("layers of products count two operations for each of them, and one for each bias") {
  const auto x = numbers<double>({5, 3});
  const nn::Linear<double> linear(3, 2), bare({.in_features = 3, .out_features = 2, .bias = false});
  CHECK(linear.operations(x, linear(x)) == 10 * (2 * 3 + 1));
  CHECK(bare.operations(x, bare(x)) == 10 * 2 * 3);
  const nn::Bilinear<double> both({.in1_features = 3, .in2_features = 4, .out_features = 2});
  CHECK(both.operations(x, both(x, numbers<double>({5, 4}))) == 10 * (2 * 3 * 4 + 2 * 3 + 1));
}

}  // TEST_SUITE("layers that multiply")
