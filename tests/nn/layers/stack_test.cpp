// SPDX-License-Identifier: BSD-3-Clause
// Models that are put together when the program runs, and their descriptions.
#include "ebb/nn/layers/stack.hpp"

#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/convolution.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/normalisation.hpp"
#include "ebb/nn/layers/pooling.hpp"
#include "ebb/nn/layers/transformer.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// A layer that the library does not have.
struct Scale {
  struct Settings {
    double factor = 2;
    void each(Fields& field) { field("factor", factor); }
  };
  static constexpr std::string_view name = "Scale";
  Settings settings;
  Tensor<double> operator()(const Tensor<double>& x) const { return x * settings.factor; }
  void each(Parts&) {}
};

nn::Stack<double> small() {
  return nn::Stack<double>(nn::Linear<double>(3, 4), nn::Tanh(), nn::Dropout(0.5),
                           nn::Residual(nn::Stack<double>(nn::Linear<double>(4, 4), nn::ReLU())),
                           nn::LayerNorm<double>(4));
}

}  // namespace

TEST_SUITE("stack") {

TEST_CASE("a Stack calls its layers one after another, and names them by position") {
  nn::Stack<double> model = small();
  REQUIRE(model.size() == 5);
  const Parameters all = parameters(model);
  REQUIRE(all.size() == 6);
  CHECK(all[2].name() == "3.layer.0.weight");
  nn::eval(model);
  const auto x = numbers<double>({2, 3});
  Tensor<double> y = x;
  for (std::size_t i = 0; i < model.size(); ++i) y = model[i](y);
  CHECK_AGREES(same_bits(model(x).array(), y.array()));
  CHECK(model[0].get<nn::Linear<double>>()->settings.out_features == 4);
  CHECK(model[0].get<nn::Tanh>() == nullptr);
  CHECK(model[1].name() == "Tanh");
  CHECK(message_of<ArgumentError>([&] { model[5](x); }) == "Stack: there is no layer 5 of 5");
  default_stream() = Stream(7);  // a dropout that leaves something
  check_layer(small(), {6, 3}, true);
}

TEST_CASE("a model that is built from a description has its layers, and takes its state") {
  const nn::Stack<double> model = small();
  const std::string text = nn::describe(model);
  CHECK(
      text ==
      R"({"type":"Stack","layers":[{"type":"Linear","in_features":3,"out_features":4,"bias":true},)"
      R"({"type":"Tanh"},{"type":"Dropout","p":0.5},{"type":"Residual","layers":[)"
      R"({"type":"Linear","in_features":4,"out_features":4,"bias":true},{"type":"ReLU"}]},)"
      R"({"type":"LayerNorm","normalized_shape":[4],"eps":1e-05,"elementwise_affine":true,)"
      R"("bias":true}]})");
  auto built = nn::build<double>(text);
  CHECK(nn::describe(built) == text);
  CHECK(nn::load_state(built, nn::state(model)).empty());
  nn::Stack<double> copy = model.clone();
  nn::eval(built);
  nn::eval(copy);
  CHECK_AGREES(
      same_bits(built(numbers<double>({2, 3})).array(), copy(numbers<double>({2, 3})).array()));
}

TEST_CASE("every layer that can be named is built again with its settings") {
  nn::Stack<float> all(
      nn::Conv1d<float>({.in_channels = 2,
                         .out_channels = 4,
                         .kernel_size = 3,
                         .stride = 2,
                         .padding = 1,
                         .dilation = 2,
                         .groups = 2,
                         .bias = false}),
      nn::Conv2d<float>({.in_channels = 2,
                         .out_channels = 4,
                         .kernel_size = {3, 2},
                         .stride = {2, 1},
                         .padding = {1, 0},
                         .dilation = {1, 2},
                         .groups = 2}),
      nn::ConvTranspose1d<float>({.in_channels = 2,
                                  .out_channels = 4,
                                  .kernel_size = 3,
                                  .stride = 2,
                                  .output_padding = 1}),
      nn::ConvTranspose2d<float>({.in_channels = 2,
                                  .out_channels = 4,
                                  .kernel_size = {3, 2},
                                  .stride = 2,
                                  .output_padding = {1, 0}}),
      nn::MaxPool1d({.kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2}),
      nn::MaxPool2d({.kernel_size = {3, 2}, .stride = {1, 2}}), nn::AvgPool1d({.kernel_size = 3}),
      nn::AvgPool2d({.kernel_size = {3, 2}, .padding = 1}),
      nn::AdaptiveAvgPool1d({.output_size = 3}), nn::AdaptiveAvgPool2d({.output_size = {3, 2}}),
      nn::GlobalAvgPool(), nn::GlobalMaxPool(),
      nn::BatchNorm1d<float>({.num_features = 3, .eps = 0.1, .momentum = 0.2, .affine = false}),
      nn::BatchNorm2d<float>(3), nn::RMSNorm<float>({.normalized_shape = {2, 3}}),
      nn::GroupNorm<float>({.num_groups = 2, .num_channels = 4}), nn::Flatten({.start_axis = 2}),
      nn::Softmax({.axis = 1}), nn::Hardtanh({.min_val = -2}), nn::GELU({.approximate = "tanh"}),
      nn::PReLU<float>({.num_parameters = 3}), nn::ELU({.alpha = 2}), nn::SinusoidalEncoding(),
      nn::LearnedEncoding<float>({.max_length = 3, .features = 2}),
      nn::MultiheadAttention<float>({.embed_dim = 4, .num_heads = 2}),
      nn::TransformerEncoderLayer<float>(
          {.d_model = 4, .nhead = 2, .dim_feedforward = 5, .norm_first = true}),
      nn::LeakyReLU());
  const std::string text = nn::describe(all);
  auto built = nn::build<float>(text);
  CHECK(nn::describe(built) == text);
  CHECK(nn::load_state(built, nn::state(all)).empty());
}

TEST_CASE("a layer of one's own is described and built by its name") {
  const nn::Stack<double> model(Scale{{.factor = 3}});
  const std::string text = nn::describe(model);
  CHECK(text == R"({"type":"Stack","layers":[{"type":"Scale","factor":3.0}]})");
  CHECK(message_of<FileError>([&] { nn::build<double>(text); }) ==
        "build: layer 0: there is no layer \"Scale\"; add one of your own by LayerTypes::add");
  nn::LayerTypes<double> types;
  types.add<Scale>();
  const auto built = nn::build<double>(text, default_stream(), types);
  CHECK(built(numbers<double>({2})).array()[1] == 3 * numbers<double>({2})[1]);
  CHECK(message_of<ArgumentError>([&] { types.add<Scale>(); }) ==
        "LayerTypes: there is a layer named \"Scale\" already");
}

TEST_CASE("what has no description, or no copy, says so") {
  nn::Stack<double> model(nn::Linear<double>(2, 2), [](const auto& x) { return x * 2.0; });
  CHECK(message_of<ArgumentError>([&] { nn::describe(model); }) ==
        "describe: layer 1 has a type without a name; a Stack of named layers, a Residual of a "
        "Stack, "
        "and LastState and Outputs of an LSTM, GRU or RNN have descriptions");
  CHECK_NOTHROW(model.clone());
  nn::Stack<double> fixed(nn::Sequential(nn::Linear<double>(2, 2)));
  CHECK(
      message_of<ArgumentError>([&] { nn::describe(fixed); }) ==
      "describe: layer 0 is known when it is compiled only; a Stack of named layers, a Residual of "
      "a Stack, and LastState and Outputs of an LSTM, GRU or RNN have descriptions");
}

TEST_CASE("descriptions that no model has are refused with their place") {
  const auto refusal = [](const std::string& layers) {
    return message_of<FileError>(
        [&] { nn::build<float>(R"({"type":"Stack","layers":[)" + layers + "]}"); });
  };
  CHECK(refusal(R"({"type":"Linear","in_features":2,"bias":true})") ==
        "build: layer 0: Linear: 2 inputs and 0 outputs; there must be at least one of each; left "
        "out: out_features");
  CHECK(refusal(R"({"type":"Linear","in_feature":2,"out_features":3})") ==
        "build: layer 0: the key \"in_feature\" is not known");
  CHECK(refusal(R"({"type":"Linear","in_features":2,"out_features":"3","bias":true})") ==
        "build: layer 0: \"out_features\" must be a whole number");
  CHECK(refusal(
            R"({"type":"ReLU"},{"type":"Linear","in_features":0,"out_features":3,"bias":true})") ==
        "build: layer 1: Linear: 0 inputs and 3 outputs; there must be at least one of each");
  CHECK(refusal(R"({"type":"ReLU","slope":1})") ==
        "build: layer 0: the key \"slope\" is not known");
  CHECK(refusal(R"({"type":"Stack","layers":[{"type":"None"}]})") ==
        "build: layer 0: layer 0: there is no layer \"None\"; add one of your own by "
        "LayerTypes::add");
  CHECK(refusal(R"({"type":"GELU","approximate":"no"})") ==
        "build: layer 0: GELU: approximate = \"no\"; it is \"none\" or \"tanh\"");
  CHECK(refusal(R"({"type":"Flatten","start_axis":1,"start_axis":1})") ==
        "build: the key \"start_axis\" occurs twice in one object");
  CHECK(refusal("1") == "build: layer 0 must be an object such as {\"type\":\"ReLU\"}");
  CHECK(refusal("{}") == "build: layer 0: \"type\" is missing");
  CHECK(message_of<FileError>([] { nn::build<float>("[1"); }) ==
        "build:1:3: this is not JSON; a description is one that nn::describe gave");
  CHECK(message_of<FileError>([] { nn::build<float>(R"({"type":"ReLU"})"); }) ==
        "build: the outermost layer must be a Stack");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += R"({"type":"Stack","layers":[)";
  CHECK(message_of<FileError>([&] { nn::build<float>(deep); }) ==
        "build: lists within lists, deeper than a description");
}

TEST_CASE("a const Stack refuses a layer whose call changes it") {
  struct Counter {
    int calls = 0;
    Tensor<double> operator()(const Tensor<double>& x) {
      ++calls;
      return x;
    }
    void each(Parts&) {}
  };
  nn::Stack<double> model(Counter{});
  const auto& fixed = model;
  CHECK_NOTHROW(model(numbers<double>({2})));
  CHECK(message_of<ArgumentError>([&] { fixed(numbers<double>({2})); }) ==
        "AnyModule: a const model was called, and the operator() of this layer is not const");
}

TEST_CASE("a module that was moved from says so") {
  nn::AnyModule<double> from = nn::Tanh();
  nn::AnyModule<double> to = std::move(from);
  CHECK(to(numbers<double>({2})).shape() == Shape{2});
  const std::string empty =
      "AnyModule: it is empty, as it was moved from; use the one that it was moved to";
  CHECK(message_of<ArgumentError>([&] { from(numbers<double>({2})); }) == empty);
  CHECK(message_of<ArgumentError>([&] { from.get<nn::Tanh>(); }) == empty);
  CHECK(message_of<ArgumentError>([&] { from.clone(); }) == empty);
  from = std::move(to);
  CHECK(from.name() == "Tanh");
}

TEST_CASE("copies of layers one after another keep what is tied among them") {
  nn::Stack<double> model(nn::Linear<double>(2, 2), nn::Linear<double>(2, 2));
  model[1].get<nn::Linear<double>>()->weight = model[0].get<nn::Linear<double>>()->weight.share();
  auto copy = nn::clone(model);
  CHECK(parameters(copy).size() == 3);
  nn::Sequential fixed(nn::Linear<double>(2, 2), nn::Linear<double>(2, 2));
  fixed.layer<1>().weight = fixed.layer<0>().weight.share();
  auto same = nn::clone(fixed);
  CHECK(parameters(same).size() == 3);
  same.layer<0>().weight.set_value(Array<double>::zeros({2, 2}));
  CHECK(same.layer<1>().weight.value()[3] == 0);
  CHECK(fixed.layer<1>().weight.value()[3] != 0);
}

}  // TEST_SUITE("stack")
