// SPDX-License-Identifier: BSD-3-Clause
// Weights under PyTorch's names and in its shapes are loaded as they are, and give what its
// formulas give. corpus/make.py made both files.
#include <doctest/doctest.h>

#include "ebb/data/formats/safetensors.hpp"
#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/attention.hpp"
#include "ebb/nn/layers/convolution.hpp"
#include "ebb/nn/layers/embedding.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/normalisation.hpp"
#include "ebb/nn/layers/recurrent.hpp"
#include "ebb/nn/layers/transformer.hpp"
#include "ebb/nn/modes.hpp"
#include "ebb/nn/state.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close;

namespace {

const std::string folder = EBB_SOURCE_DIR "/tests/nn/layers/corpus/";

struct Layers {
  nn::Linear<double> linear{4, 3};
  nn::Bilinear<double> bilinear{{.in1_features = 3, .in2_features = 4, .out_features = 2}};
  nn::Embedding<double> embedding{6, 3};
  nn::PReLU<double> prelu{{.num_parameters = 3}};
  nn::Conv1d<double> conv1d{{.in_channels = 4,
                             .out_channels = 6,
                             .kernel_size = 3,
                             .stride = 2,
                             .padding = 1,
                             .dilation = 2,
                             .groups = 2}};
  nn::Conv2d<double> conv2d{
      {.in_channels = 2, .out_channels = 3, .kernel_size = {2, 3}, .padding = {1, 0}}};
  nn::ConvTranspose2d<double> conv_transpose2d{{.in_channels = 2,
                                                .out_channels = 3,
                                                .kernel_size = 3,
                                                .stride = 2,
                                                .padding = 1,
                                                .output_padding = 1}};
  nn::BatchNorm2d<double> batch_norm{3};
  nn::LayerNorm<double> layer_norm{{.normalized_shape = {3, 4}}};
  nn::RMSNorm<double> rms_norm{{.normalized_shape = {4}, .eps = 1e-6}};
  nn::GroupNorm<double> group_norm{{.num_groups = 2, .num_channels = 4}};
  nn::LSTM<double> lstm{
      {.input_size = 3, .hidden_size = 2, .num_layers = 2, .bidirectional = true}};
  nn::GRU<double> gru{{.input_size = 3, .hidden_size = 2, .num_layers = 2}};
  nn::RNN<double> rnn{{.input_size = 3, .hidden_size = 2, .bidirectional = true}};
  nn::MultiheadAttention<double> attention{{.embed_dim = 4, .num_heads = 2}};
  nn::TransformerEncoder<double> encoder{{.d_model = 4, .nhead = 2, .dim_feedforward = 6}, 2};
  nn::TransformerDecoderLayer<double> decoder{
      {.d_model = 4, .nhead = 2, .dim_feedforward = 6, .norm_first = true}};

  void each(Parts& part) {
    part("linear", linear);
    part("bilinear", bilinear);
    part("embedding", embedding);
    part("prelu", prelu);
    part("conv1d", conv1d);
    part("conv2d", conv2d);
    part("conv_transpose2d", conv_transpose2d);
    part("batch_norm", batch_norm);
    part("layer_norm", layer_norm);
    part("rms_norm", rms_norm);
    part("group_norm", group_norm);
    part("lstm", lstm);
    part("gru", gru);
    part("rnn", rnn);
    part("attention", attention);
    part("encoder", encoder);
    part("decoder", decoder);
  }
};

}  // namespace

TEST_CASE("a PyTorch file is loaded without renaming, and its layers give PyTorch's outputs") {
  Layers m;
  nn::load(folder + "state.safetensors", m);  // refuses a name or a shape that differs
  nn::eval(m);
  const auto cases = data::read_safetensors(folder + "cases.safetensors");
  const auto in = [&](const std::string& name) { return cases.get<double>(name); };
  // Sums of a few products in another order, all near 1.
  const auto agrees = [&](const std::string& layer, const Tensor<double>& y) {
    CAPTURE(layer);
    CHECK_AGREES(close(y.array(), in(layer + ".y"), 1e-12, 1e-12));
  };
  agrees("linear", m.linear(in("linear.x")));
  agrees("bilinear", m.bilinear(in("bilinear.x"), in("bilinear.x2")));
  agrees("embedding", m.embedding(cases.get<std::int64_t>("embedding.labels")));
  agrees("prelu", m.prelu(in("prelu.x")));
  agrees("conv1d", m.conv1d(in("conv1d.x")));
  agrees("conv2d", m.conv2d(in("conv2d.x")));
  agrees("conv_transpose2d", m.conv_transpose2d(in("conv_transpose2d.x")));
  agrees("batch_norm", m.batch_norm(in("batch_norm.x")));
  CHECK(m.batch_norm.num_batches_tracked.item() == 11);
  agrees("layer_norm", m.layer_norm(in("layer_norm.x")));
  agrees("rms_norm", m.rms_norm(in("rms_norm.x")));
  agrees("group_norm", m.group_norm(in("group_norm.x")));
  const auto lstm = m.lstm(in("lstm.x"));
  agrees("lstm", lstm.output);
  CHECK_AGREES(close(lstm.state.hidden.array(), in("lstm.last"), 1e-12, 1e-12));
  const auto gru = m.gru(in("gru.x"));
  agrees("gru", gru.output);
  CHECK_AGREES(close(gru.state.hidden.array(), in("gru.last"), 1e-12, 1e-12));
  const auto rnn = m.rnn(in("rnn.x"));
  agrees("rnn", rnn.output);
  CHECK_AGREES(close(rnn.state.hidden.array(), in("rnn.last"), 1e-12, 1e-12));
  agrees("attention", m.attention(in("attention.x"), {.causal = true}));
  agrees("encoder", m.encoder(in("encoder.x")));
  agrees("decoder", m.decoder(in("decoder.x"), in("decoder.memory")));
}
