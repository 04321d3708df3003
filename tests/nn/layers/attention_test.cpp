// SPDX-License-Identifier: BSD-3-Clause
// Attention and the blocks of a Transformer, against plain loops.
#include "ebb/nn/layers/attention.hpp"

#include <cmath>

#include "ebb/nn/layers/transformer.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Attention of one head by its formula; `sees(i, k)` says whether query i sees key k.
template <class Sees>
Array<double> plain_attention(const Array<double>& q, const Array<double>& k,
                              const Array<double>& v, const Sees& sees) {
  const std::int64_t queries = q.shape()[0], keys = k.shape()[0], d = q.shape()[1];
  const std::int64_t out = v.shape()[1];
  auto y = Array<double>::zeros({queries, out});
  double* const to = y.mutate();
  for (std::int64_t i = 0; i < queries; ++i) {
    std::vector<double> weight(std::size_t(keys), 0.0);
    double total = 0;
    for (std::int64_t j = 0; j < keys; ++j) {
      if (!sees(i, j)) continue;
      double dot = 0;
      for (std::int64_t f = 0; f < d; ++f) dot += q.begin()[i * d + f] * k.begin()[j * d + f];
      total += weight[std::size_t(j)] = std::exp(dot / std::sqrt(double(d)));
    }
    for (std::int64_t j = 0; j < keys; ++j) {
      for (std::int64_t f = 0; f < out; ++f)
        to[i * out + f] += weight[std::size_t(j)] / total * v.begin()[j * out + f];
    }
  }
  return y;
}

const auto everywhere = [](std::int64_t, std::int64_t) { return true; };
const auto before = [](std::int64_t i, std::int64_t k) { return k <= i; };

/// The features [first, first + count) of the rows of sequence n of x (n, t, features).
Array<double> part(const Tensor<double>& x, std::int64_t n, std::int64_t first,
                   std::int64_t count) {
  return slice(x[n], 1, {first, first + count}).array();
}

}  // namespace

TEST_SUITE("attention") {

TEST_CASE("it is the mean of the values by the softmax of the products of query and key") {
  const auto q = numbers<double>({3, 4}, 1), k = numbers<double>({5, 4}, 2),
             v = numbers<double>({5, 2}, 3);
  // Sums of some ten products of numbers around 1.
  const double most = 1e-14;
  CHECK_AGREES(close(nn::scaled_dot_product_attention(q, k, v).array(),
                     plain_attention(q, k, v, everywhere), most, most));
  const auto mask = Array<bool>::of({{true, false, true, true, false},
                                     {false, false, false, true, false},
                                     {true, true, true, true, true}});
  CHECK_AGREES(
      close(nn::scaled_dot_product_attention(q, k, v, {.mask = mask}).array(),
            plain_attention(q, k, v, [&](auto i, auto j) { return mask.begin()[i * 5 + j]; }), most,
            most));
  const auto s = numbers<double>({4, 4}, 4);
  CHECK_AGREES(close(nn::scaled_dot_product_attention(s, s, s, {.causal = true}).array(),
                     plain_attention(s, s, s, before), most, most));
  // The last of three queries sees the last of five keys.
  CHECK_AGREES(close(nn::scaled_dot_product_attention(q, k, v, {.causal = true}).array(),
                     plain_attention(q, k, v, [](auto i, auto j) { return j <= i + 2; }), most,
                     most));
}

TEST_CASE("shapes that do not fit, and queries without a key, are refused") {
  const auto q = numbers<double>({3, 4}), k = numbers<double>({5, 3});
  CHECK(message_of<ShapeError>([&] { nn::scaled_dot_product_attention(q, k, k); }) ==
        "attention: query must be (..., queries, d), key (..., keys, d) and value (..., keys, v), "
        "not (3, 4), (5, 3) and (5, 3)");
  const auto none =
      Array<bool>::of({{true, false, true}, {false, false, false}, {true, true, true}});
  CHECK(message_of<ArgumentError>(
            [&] { nn::scaled_dot_product_attention(q, q, q, {.mask = none}); }) ==
        "attention: row 1 of the mask (3, 3) leaves out every key; a query needs one, so "
        "leave out the query after the attention");
  CHECK_THROWS_AS(
      nn::scaled_dot_product_attention(q, q, q, {.mask = Array<bool>::of({true, true})}),
      ShapeError);
}

TEST_CASE("each head attends over its part of the projected features") {
  Stream stream(2);
  nn::MultiheadAttention<double> layer({.embed_dim = 4, .num_heads = 2}, stream);
  layer.in_proj_bias.set_value(numbers<double>({12}, 8));
  const auto x = numbers<double>({2, 3, 4}, 5), memory = numbers<double>({2, 5, 4}, 6);
  const auto check = [&](const Tensor<double>& y, const Array<double>& from, const auto& sees) {
    const auto q = linear(x, layer.in_proj_weight[{0, 4}], layer.in_proj_bias[{0, 4}]);
    const auto k = linear(from, layer.in_proj_weight[{4, 8}], layer.in_proj_bias[{4, 8}]);
    const auto v = linear(from, layer.in_proj_weight[{8, 12}], layer.in_proj_bias[{8, 12}]);
    for (std::int64_t n = 0; n < 2; ++n) {
      std::vector<Tensor<double>> heads;
      for (std::int64_t f = 0; f < 4; f += 2)
        heads.push_back(
            plain_attention(part(q, n, f, 2), part(k, n, f, 2), part(v, n, f, 2), sees));
      CHECK_AGREES(close(y[n].array(), layer.out_proj(concat(heads, 1)).array(), 1e-13, 1e-13));
    }
  };
  check(layer(x), x, everywhere);
  // For each of 6 rows and 4 features: 3 projections, and the products with 3 keys and 3 values.
  CHECK(layer.operations(x, layer(x)) == 6 * 4 * 2 * (3 * 4 + 2 * 3));
  check(layer(x, {.causal = true}), x, before);
  check(layer(x, memory), memory, everywhere);
  check(layer(x, memory, {.mask = nn::mask_of_lengths(Array<std::int64_t>::of({2, 2}), 5)}), memory,
        [](auto, auto k) { return k < 2; });
}

TEST_CASE("without a bias it is as with one of zeros, at which biases start") {
  nn::MultiheadAttention<double> with({.embed_dim = 4, .num_heads = 2}),
      bare({.embed_dim = 4, .num_heads = 2, .bias = false});
  bare.in_proj_weight.set_value(with.in_proj_weight.value());
  bare.out_proj.weight.set_value(with.out_proj.weight.value());
  const auto x = numbers<double>({2, 3, 4}, 5), memory = numbers<double>({2, 5, 4}, 6);
  CHECK_AGREES(same_bits(bare(x).array(), with(x).array()));
  CHECK_AGREES(same_bits(bare(x, memory).array(), with(x, memory).array()));
}

TEST_CASE("its state has PyTorch's names") {
  nn::TransformerDecoderLayer<float> layer({.d_model = 4, .nhead = 2, .dim_feedforward = 8});
  CHECK(nn::state(layer).names() ==
        std::vector<std::string>{"self_attn.in_proj_weight", "self_attn.in_proj_bias",
                                 "self_attn.out_proj.weight", "self_attn.out_proj.bias",
                                 "multihead_attn.in_proj_weight", "multihead_attn.in_proj_bias",
                                 "multihead_attn.out_proj.weight", "multihead_attn.out_proj.bias",
                                 "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias",
                                 "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
                                 "norm3.weight", "norm3.bias"});
  nn::TransformerEncoder<float> encoder({.d_model = 4, .nhead = 2, .dim_feedforward = 8}, 2);
  CHECK(parameters(encoder)[12].name() == "layers.1.self_attn.in_proj_weight");
  nn::MultiheadAttention<float> bare({.embed_dim = 4, .num_heads = 1, .bias = false});
  CHECK(parameters(bare).size() == 2);
}

TEST_CASE("a block adds attention and a network to its input, and normalises") {
  nn::TransformerSettings settings{.d_model = 4, .nhead = 2, .dim_feedforward = 6, .dropout = 0};
  const auto x = numbers<double>({2, 3, 4}, 5), memory = numbers<double>({2, 5, 4}, 6);
  for (const bool is_first : {false, true}) {
    settings.norm_first = is_first;
    settings.activation = is_first ? "gelu" : "relu";
    nn::TransformerEncoderLayer<double> encoder(settings);
    nn::TransformerDecoderLayer<double> decoder(settings);
    const auto network = [&](const auto& block, const Tensor<double>& in) {
      const auto hidden = block.linear1(in);
      return block.linear2(is_first ? gelu(hidden) : relu(hidden));
    };
    const auto& e = encoder;
    const auto& d = decoder;
    Tensor<double> y, z;
    if (is_first) {
      y = x + e.self_attn(e.norm1(x));
      y = y + network(e, e.norm2(y));
      z = x + d.self_attn(d.norm1(x), {.causal = true});
      z = z + d.multihead_attn(d.norm2(z), memory);
      z = z + network(d, d.norm3(z));
    } else {
      y = e.norm1(x + e.self_attn(x));
      y = e.norm2(y + network(e, y));
      z = d.norm1(x + d.self_attn(x, {.causal = true}));
      z = d.norm2(z + d.multihead_attn(z, memory));
      z = d.norm3(z + network(d, z));
    }
    CHECK_AGREES(close(encoder(x).array(), y.array(), 1e-14, 1e-14));
    CHECK_AGREES(close(decoder(x, memory).array(), z.array(), 1e-14, 1e-14));
  }
}

TEST_CASE("what comes after a position does not change it in a causal block") {
  nn::TransformerEncoder<double> model(
      {.d_model = 4, .nhead = 2, .dim_feedforward = 6, .dropout = 0, .norm_first = true}, 2);
  auto x = numbers<double>({1, 5, 4}, 5);
  const auto y = model(x, {.causal = true}).array();
  x.mutate()[4 * 4] += 1;  // the last position
  const auto z = model(x, {.causal = true}).array();
  for (std::int64_t i = 0; i < 16; ++i) CHECK(y.begin()[i] == z.begin()[i]);
  CHECK(y.begin()[16] != z.begin()[16]);
}

TEST_CASE("gradients are right, and copies and states give the same bits") {
  check_layer(nn::MultiheadAttention<double>({.embed_dim = 4, .num_heads = 2, .dropout = 0.3}),
              {2, 3, 4});
  const nn::TransformerSettings settings{
      .d_model = 4, .nhead = 2, .dim_feedforward = 6, .activation = "gelu", .norm_first = true};
  check_layer(nn::TransformerEncoderLayer<double>(settings), {1, 3, 4});
  check_layer(nn::TransformerEncoder<double>(settings, 1), {1, 2, 4});
  check_layer(nn::LearnedEncoding<double>({.max_length = 3, .features = 4}), {2, 3, 4});
  struct Pair {
    nn::TransformerDecoderLayer<double> layer;
    Variable<double> x{numbers<double>({1, 2, 4}, 5)}, memory{numbers<double>({1, 3, 4}, 6)};
    void each(Parts& part) {
      part("layer", layer);
      part("x", x);
      part("memory", memory);
    }
  } pair{nn::TransformerDecoderLayer<double>(settings)};
  const auto report = nn::check_gradients(pair, [&] { return pair.layer(pair.x, pair.memory); });
  CHECK_MESSAGE(report.passed, report.reason);
}

TEST_CASE("encodings add their numbers for each position") {
  const auto x = Array<double>::zeros({1, 3, 4});
  const auto y = nn::SinusoidalEncoding()(x).array();
  CHECK(y.begin()[0] == 0);
  CHECK(y.begin()[1] == 1);
  CHECK_AGREES(close(y.begin()[8], std::sin(2.0), 1e-15));
  CHECK_AGREES(close(y.begin()[11], std::cos(2.0 / 100), 1e-15));
  nn::LearnedEncoding<double> learned({.max_length = 3, .features = 4});
  CHECK_AGREES(same_bits(learned(x)[0].array(), learned.weight.value()));
  CHECK(message_of<ShapeError>([&] {
          learned(Array<double>::zeros({1, 4, 4}));
        }) == "LearnedEncoding: a sequence of 4 steps; max_length is 3");
  CHECK_THROWS_AS(nn::SinusoidalEncoding()(Array<double>::zeros({3, 4})), ShapeError);
}

TEST_CASE("settings that no block has are refused by name") {
  CHECK(message_of<ArgumentError>([] {
          nn::MultiheadAttention<float>({.embed_dim = 5, .num_heads = 2});
        }) == "MultiheadAttention: 2 heads of 5 features; the heads must be equal");
  CHECK(message_of<ArgumentError>([] {
          nn::TransformerEncoderLayer<float>({.d_model = 4, .nhead = 2, .activation = "elu"});
        }) == "TransformerEncoderLayer: activation = \"elu\"; it is \"relu\" or \"gelu\"");
  CHECK_THROWS_AS(nn::TransformerEncoder<float>({.d_model = 4, .nhead = 2}, 0), ArgumentError);
  CHECK(message_of<ArgumentError>([] {
          nn::mask_of_lengths(Array<std::int64_t>::of({3, 0}), 3);
        }) == "mask_of_lengths: length 0 of sequence 1; it is from 1 to 3");
  nn::MultiheadAttention<double> layer({.embed_dim = 4, .num_heads = 2});
  CHECK(message_of<ShapeError>([&] {
          layer(numbers<double>({2, 3, 5}));
        }) == "MultiheadAttention: a sequence must be (n, t, 4), not (2, 3, 5)");
}

TEST_CASE("Dropout leaves out the results of heads, of parts of a block and in its network") {
  nn::MultiheadAttention<double> heads({.embed_dim = 4, .num_heads = 2, .dropout = 1});
  heads.out_proj.bias.set_value(Array<double>::of({1, 2, 3, 4}));
  const auto x = numbers<double>({1, 3, 4}, 5);
  CHECK_AGREES(same_bits(heads(x)[0][1].array(), Array<double>::of({1, 2, 3, 4})));
  nn::eval(heads);
  CHECK_FALSE(equal(heads(x)[0][1].array(), Array<double>::of({1, 2, 3, 4})));

  nn::TransformerSettings settings{.d_model = 4, .nhead = 2, .dim_feedforward = 6, .dropout = 1};
  nn::TransformerEncoderLayer<double> last(settings);
  CHECK_AGREES(same_bits(last(x).array(), last.norm2(last.norm1(x)).array()));
  settings.norm_first = true;
  nn::TransformerEncoderLayer<double> first(settings);
  CHECK_AGREES(same_bits(first(x).array(), x));
  // With Dropout in the network alone, its second layer sees zeros.
  first.self_attn.dropout.settings.p = first.dropout1.settings.p = first.dropout2.settings.p = 0;
  const auto y = x + first.self_attn(first.norm1(x));
  CHECK_AGREES(same_bits(first(x).array(), (y + first.linear2.bias).array()));
}

TEST_CASE("copies of encoders and decoders keep what is tied") {
  const nn::TransformerSettings settings{.d_model = 4, .nhead = 2, .dim_feedforward = 6};
  nn::TransformerEncoder<double> encoder(settings, 2);
  encoder.layers[1].linear1.weight = encoder.layers[0].linear1.weight.share();
  CHECK(parameters(encoder).size() == 23);
  auto copy = nn::clone(encoder);
  CHECK(parameters(copy).size() == 23);
  CHECK_AGREES(same_bits(copy.layers[1].norm1.weight.value(), Array<double>::ones({4})));
  nn::TransformerDecoder<double> decoder(settings, 1);
  nn::eval(decoder);
  const auto x = numbers<double>({1, 2, 4}, 5);
  CHECK_AGREES(same_bits(nn::clone(decoder)(x, x).array(), decoder(x, x).array()));
  const auto& still = decoder;
  const auto y = decoder.layers[0](x, x).array();
  CHECK_AGREES(same_bits(decoder(x, x).array(), y));
  CHECK_AGREES(same_bits(still(x, x).array(), y));
}

}  // TEST_SUITE("attention")
