// SPDX-License-Identifier: BSD-3-Clause
// Recurrent layers: their weights by PyTorch's names, layers, directions,
// lengths and states.
#include "ebb/nn/layers/recurrent.hpp"

#include "ebb/data/formats/safetensors.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/sequential.hpp"
#include "ebb/nn/stack_file.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

const nn::RecurrentSettings deep{
    .input_size = 3, .hidden_size = 2, .num_layers = 2, .bidirectional = true};

/// A layer with a name of the library's.
struct Taken {
  static constexpr std::string_view name = "Outputs";
  Tensor<float> operator()(const Operand<float>& x) const { return x + 0.0f; }
  void each(Parts&) {}
};

/// The state of a layer, by the name of a weight.
Array<double> weight(const auto& layer, const std::string& name) {
  return nn::state(layer).template get<double>(name);
}

}  // namespace

TEST_SUITE("recurrent layers") {

TEST_CASE("their weights have PyTorch's names and shapes") {
  nn::LSTM<float> layer(deep);
  std::vector<std::string> names;
  for (const char* const end : {"_l0", "_l0_reverse", "_l1", "_l1_reverse"}) {
    for (const char* const start : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
      names.push_back(std::string(start) + end);
  }
  CHECK(nn::state(layer).names() == names);
  CHECK(layer.weights[0].weight_ih.shape() == Shape{8, 3});
  CHECK(layer.weights[2].weight_ih.shape() == Shape{8, 4});
  CHECK(nn::GRU<float>(deep).weights[3].weight_hh.shape() == Shape{6, 2});
  nn::RNN<float> plain({.input_size = 3, .hidden_size = 2, .bias = false});
  CHECK(nn::state(plain).names() == std::vector<std::string>{"weight_ih_l0", "weight_hh_l0"});
}

TEST_CASE("their weights start within 1 / sqrt(hidden)") {
  const nn::GRU<double> layer({.input_size = 10, .hidden_size = 25});
  for (const auto& w : {layer.weights[0].weight_ih.value(), layer.weights[0].weight_hh.value()})
    CHECK_AGREES(close(max(abs(w)).item(), 0.2, 0.02));
}

TEST_CASE(
    "layers run over the outputs of both directions of the layer "
    "before them") {
  nn::LSTM<double> layer(deep);
  const auto x = numbers<double>({2, 4, 3});
  const auto y = layer(x);
  const auto zeros = Array<double>::zeros({2, 2});
  const auto run = [&](const Tensor<double>& in, const std::string& end, bool reverse) {
    return lstm<double>(in, zeros, zeros, weight(layer, "weight_ih" + end),
                        weight(layer, "weight_hh" + end), weight(layer, "bias_ih" + end),
                        weight(layer, "bias_hh" + end), {.reverse = reverse});
  };
  const auto a = run(x, "_l0", false), b = run(x, "_l0_reverse", true);
  const auto between = concat({a.output, b.output}, 2);
  const auto c = run(between, "_l1", false), d = run(between, "_l1_reverse", true);
  CHECK_AGREES(same_bits(y.output.array(), concat({c.output, d.output}, 2).array()));
  CHECK_AGREES(
      same_bits(y.state.hidden.array(), stack({a.hidden, b.hidden, c.hidden, d.hidden}).array()));
  CHECK_AGREES(same_bits(y.state.cell[3].array(), d.cell.array()));

  const nn::GRU<double> gru_layer(deep);
  CHECK(gru_layer(x).output.shape() == Shape{2, 4, 4});
  const nn::RNN<double> relu_layer(
      {.input_size = 3, .hidden_size = 2, .nonlinearity = "relu", .bias = false});
  CHECK_AGREES(
      same_bits(relu_layer(x).output.array(),
                rnn<double>(x, zeros, relu_layer.weights[0].weight_ih,
                            relu_layer.weights[0].weight_hh, {.nonlinearity = Nonlinearity::relu})
                    .output.array()));
}

TEST_CASE("gated layers without biases are the operations without them") {
  const nn::RecurrentSettings bare{.input_size = 3, .hidden_size = 2, .bias = false};
  const auto x = numbers<double>({2, 4, 3}), zeros = Array<double>::zeros({2, 2});
  const nn::LSTM<double> layer(bare);
  const auto& a = layer.weights[0];
  CHECK_AGREES(same_bits(layer(x).output.array(),
                         lstm<double>(x, zeros, zeros, a.weight_ih, a.weight_hh).output.array()));
  const nn::GRU<double> gated(bare);
  const auto& b = gated.weights[0];
  CHECK_AGREES(same_bits(gated(x).output.array(),
                         gru<double>(x, zeros, b.weight_ih, b.weight_hh).output.array()));
}

TEST_CASE("a sequence in two parts goes on from the state of the first") {
  const nn::RecurrentSettings two{.input_size = 3, .hidden_size = 2, .num_layers = 2};
  const nn::LSTM<double> layer(two);
  const nn::GRU<double> gated(two);
  const auto x = numbers<double>({2, 5, 3});
  const auto head = slice(x, 1, {0, 2}).array(), tail = slice(x, 1, {2, 5}).array();
  const auto first = layer(head);
  const auto second = layer(tail, {.state = first.state.detach()});
  // The products of other numbers of rows round differently.
  CHECK_AGREES(close(concat({first.output, second.output}, 1).array(), layer(x).output.array(),
                     1e-14, 1e-14));
  CHECK_AGREES(close(second.state.cell.array(), layer(x).state.cell.array(), 1e-14, 1e-14));
  const auto start = gated(head);
  CHECK_AGREES(close(gated(tail, {.state = start.state}).state.hidden.array(),
                     gated(x).state.hidden.array(), 1e-14, 1e-14));
}

TEST_CASE("rows end at their lengths") {
  const nn::GRU<double> layer(deep);
  const auto x = numbers<double>({2, 4, 3});
  const auto y = layer(x, {.lengths = Array<std::int64_t>::of({2, 4})});
  const auto alone = layer(slice(slice(x, 0, {0, 1}), 1, {0, 2}));
  CHECK_AGREES(close(slice(y.output[0], 0, {0, 2}).array(), alone.output[0].array(), 1e-14, 1e-14));
  CHECK_AGREES(same_bits(slice(y.output[0], 0, {2, 4}).array(), Array<double>::zeros({2, 4})));
  CHECK_AGREES(
      close(slice(y.state.hidden, 1, {0, 1}).array(), alone.state.hidden.array(), 1e-14, 1e-14));
  CHECK_THROWS_AS(layer(x, {.lengths = Array<std::int64_t>::of({2, 5})}), ArgumentError);
}

TEST_CASE("Dropout leaves out what goes from one layer to the next, in training") {
  nn::GRU<double> layer({.input_size = 3, .hidden_size = 4, .num_layers = 2, .dropout = 1});
  const auto x = numbers<double>({1, 3, 3});
  const auto trained = layer(x).output.array();
  const auto nothing = layer(x * 0.0).output.array();
  CHECK_AGREES(same_bits(trained, nothing));  // the second layer sees zeros
  nn::eval(layer);
  CHECK_FALSE(equal(layer(x).output.array(), trained));
  nn::GRU<double> single({.input_size = 3, .hidden_size = 4, .dropout = 1});
  const auto whole = single(x).output.array();
  nn::eval(single);
  CHECK_AGREES(same_bits(single(x).output.array(), whole));  // there is nothing between layers
}

TEST_CASE("gradients are right, and copies and states give the same bits") {
  check_layer(nn::Outputs(nn::LSTM<double>({.input_size = 2, .hidden_size = 2})), {2, 3, 2});
  check_layer(nn::Outputs(nn::GRU<double>(
                  {.input_size = 2, .hidden_size = 2, .num_layers = 2, .dropout = 0.5})),
              {2, 2, 2});
  check_layer(nn::LastState(nn::RNN<double>(
                  {.input_size = 2, .hidden_size = 2, .bias = false, .bidirectional = true})),
              {2, 3, 2});
}

TEST_CASE("each step counts two operations for each of the weights") {
  const nn::LSTM<double> layer(deep);
  const nn::GRU<double> gated({.input_size = 3, .hidden_size = 2});
  const nn::RNN<double> plain({.input_size = 3, .hidden_size = 2});
  const auto x = numbers<double>({2, 4, 3});
  CHECK(layer.operations(x, layer(x)) == 2 * 4 * 2 * (2 * 8 * (3 + 2) + 2 * 8 * (4 + 2)));
  CHECK(gated.operations(x, gated(x)) == 2 * 4 * 2 * 6 * (3 + 2));
  CHECK(plain.operations(x, plain(x)) == 2 * 4 * 2 * 2 * (3 + 2));
}

TEST_CASE("outputs and last states are layers of a Sequential") {
  nn::Sequential all{nn::Outputs(nn::LSTM<float>(deep)), nn::Linear<float>(4, 1)};
  CHECK(all(numbers<float>({2, 5, 3})).shape() == Shape{2, 5, 1});
  CHECK(parameters(all)[0].name() == "0.weight_ih_l0");
  nn::Sequential last{nn::LastState(nn::GRU<float>(deep)), nn::Linear<float>(4, 1)};
  CHECK(last(numbers<float>({2, 5, 3})).shape() == Shape{2, 1});
  const nn::GRU<double> layer(deep);
  const auto x = numbers<double>({2, 4, 3});
  const auto y = layer(x);
  CHECK_AGREES(same_bits(nn::LastState(nn::clone(layer))(x).array(),
                         concat({y.state.hidden[2], y.state.hidden[3]}, 1).array()));
}

TEST_CASE("a Stack with recurrent layers is described, built again, and saved") {
  const Folder folder;
  const nn::RNNSettings relu{.input_size = 4, .hidden_size = 2, .nonlinearity = "relu"};
  const nn::Stack<float> model{nn::Outputs(nn::LSTM<float>(deep)),
                               nn::Outputs(nn::RNN<float>(relu)),
                               nn::LastState(nn::GRU<float>({.input_size = 2, .hidden_size = 3}))};
  const std::string text = nn::describe(model);
  CHECK(text ==
        R"({"type":"Stack","layers":[{"type":"Outputs","layer":{"type":"LSTM","input_size":3,)"
        R"("hidden_size":2,"num_layers":2,"bias":true,"dropout":0.0,"bidirectional":true}},)"
        R"({"type":"Outputs","layer":{"type":"RNN","input_size":4,"hidden_size":2,"num_layers":1,)"
        R"("nonlinearity":"relu","bias":true,"dropout":0.0,"bidirectional":false}},)"
        R"({"type":"LastState","layer":{"type":"GRU","input_size":2,"hidden_size":3,)"
        R"("num_layers":1,"bias":true,"dropout":0.0,"bidirectional":false}}]})");
  nn::save_stack(folder.path("m"), model);
  const nn::Stack<float> again = nn::load_stack<float>(folder.path("m"));
  CHECK(nn::describe(again) == text);
  const auto x = numbers<float>({2, 5, 3});
  CHECK_AGREES(same_bits(again(x).array(), model(x).array()));
  CHECK_AGREES(same_bits(nn::clone(model)(x).array(), model(x).array()));
  const auto deepest = [](std::int64_t layers) {  // more than the slack of a file
    return nn::Stack<float>(nn::LastState(nn::RNN<float>({.input_size = 600,
                                                          .hidden_size = 700,
                                                          .num_layers = layers,
                                                          .bias = false,
                                                          .bidirectional = true})));
  };
  nn::save_stack(folder.path("deep"), deepest(2));
  auto loaded = nn::load_stack<float>(folder.path("deep"));
  CHECK(count(loaded) == 2 * 700 * (600 + 700) + 2 * 700 * (1400 + 700));
  for (const char* wrong : {"num_layers\":3", "hidden_size\":900", "bidirectional\":true,\"x"}) {
    CAPTURE(wrong);
    auto arrays = data::read_safetensors(folder.path("deep"));
    std::string& layers = arrays.metadata["layers"];
    const std::string key = std::string(wrong).substr(0, std::string(wrong).find(':') + 1);
    layers.replace(layers.find(key), layers.find(',', layers.find(key)) - layers.find(key), wrong);
    data::write_safetensors(folder.path("lies"), arrays);
    CHECK_THROWS_AS(nn::load_stack<float>(folder.path("lies")), FileError);
  }
}

TEST_CASE("descriptions of recurrent layers that there are not are refused with their place") {
  const auto refusal = [](const std::string& layer) {
    return message_of<FileError>([&] {
      nn::build<float>(R"({"type":"Stack","layers":[{"type":"LastState","layer":)" + layer + "}]}");
    });
  };
  CHECK(refusal(R"({"type":"Linear","in_features":1,"out_features":1})") ==
        "build: layer 0: its layer: \"Linear\" is no LSTM, GRU or RNN");
  CHECK(refusal(R"({"type":"GRU","input_size":3})") ==
        "build: layer 0: its layer: GRU: hidden_size = 0; it is at least 1; left out: hidden_size, "
        "num_layers, bias, dropout, bidirectional");
  CHECK(refusal(R"({"type":"GRU","input_size":3,"hidden_sizes":3})") ==
        "build: layer 0: its layer: the key \"hidden_sizes\" is not known");
  CHECK(refusal(R"({"type":"LSTM","input_size":3,"hidden_size":3,"x":3})") ==
        "build: layer 0: its layer: the key \"x\" is not known");
  CHECK(refusal("[]") == "build: layer 0: \"layer\" must be an object");
  CHECK(refusal(R"({"type":"LSTM","input_size":3,"hidden_size":3},"x":1)") ==
        "build: layer 0: the key \"x\" is not known");
  CHECK(message_of<FileError>([&] {
          nn::build<float>(R"({"type":"Stack","layers":[{"type":"LSTM","input_size":1}]})");
        }) ==
        "build: layer 0: \"LSTM\" returns outputs and a state; put it in a LastState or Outputs, "
        "which return one tensor: {\"type\":\"LastState\",\"layer\":{\"type\":\"LSTM\", ...}}");
  nn::LayerTypes<float> types;
  CHECK(message_of<ArgumentError>([&] { types.add<Taken>(); }) ==
        "LayerTypes: there is a layer named \"Outputs\" already");
  struct Mine : nn::GRU<float> {
    using nn::GRU<float>::GRU;
  };
  const nn::Stack<float> own{nn::Outputs(Mine({.input_size = 2, .hidden_size = 2}))};
  CHECK(
      message_of<ArgumentError>([&] { nn::describe(own); }) ==
      "describe: layer 0 is known when it is compiled only; a Stack of named layers, a Residual of "
      "a Stack, and LastState and Outputs of an LSTM, GRU or RNN have descriptions");
}

TEST_CASE("what does not fit is refused by name") {
  const nn::LSTM<double> layer(deep);
  CHECK(message_of<ShapeError>([&] {
          layer(numbers<double>({2, 4}));
        }) == "LSTM: a sequence must be (n, t, 3), not (2, 4)");
  const auto state = numbers<double>({4, 3, 2});
  CHECK(message_of<ShapeError>([&] {
          layer(numbers<double>({2, 4, 3}), {.state = {state, state}});
        }) ==
        "LSTM: a state must be (layers directions, n, hidden) = (4, 2, "
        "2), not (4, 3, 2)");
  CHECK(message_of<ArgumentError>([] {
          nn::RNN<float>({.input_size = 3, .hidden_size = 2, .nonlinearity = "elu"});
        }) == "RNN: nonlinearity = \"elu\"; it is \"tanh\" or \"relu\"");
  CHECK(message_of<ArgumentError>([] { nn::GRU<float>({.input_size = 3, .hidden_size = 0}); }) ==
        "GRU: hidden_size = 0; it is at least 1");
}

}  // TEST_SUITE("recurrent layers")
