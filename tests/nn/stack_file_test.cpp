// SPDX-License-Identifier: BSD-3-Clause
// Stacks as files: built again without their type, and files that lie.
#include "ebb/nn/stack_file.hpp"

#include <doctest/doctest.h>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/attention.hpp"
#include "ebb/nn/layers/convolution.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/normalisation.hpp"
#include "ebb/nn/layers/pooling.hpp"
#include "ebb/nn/layers/transformer.hpp"
#include "ebb/nn/modes.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::Folder;
using ebb::test::message_of;
using ebb::test::same_bits;

namespace {

/// A network of pictures, with buffers, and a part that is passed by.
nn::Stack<float> pictures() {
  Stream stream(3);
  nn::Stack<float> model(
      nn::Conv2d<float>({.in_channels = 1, .out_channels = 4, .kernel_size = {3, 3}, .groups = 1},
                        stream),
      nn::BatchNorm2d<float>({.num_features = 4}), nn::ReLU(), nn::GlobalAvgPool(),
      nn::Residual<nn::Stack<float>>(nn::Stack<float>(nn::Linear<float>(4, 4, stream), nn::Tanh())),
      nn::Dropout(0.3), nn::Linear<float>(4, 2, stream));
  Stream numbers(4);
  auto x = Array<float>::uninitialized({5, 1, 6, 6});
  for (float& e : std::span(x.mutate(), std::size_t(x.size()))) e = float(numbers.normal());
  static_cast<void>(model(x));  // changes the running moments
  return model;
}

struct Twice {
  static constexpr std::string_view name = "Twice";
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const {
    return x + x;
  }
  void each(Parts&) {}
};

}  // namespace

TEST_SUITE("stack files") {

TEST_CASE("a stack comes back with its layers, weights and buffers") {
  const Folder folder;
  nn::Stack<float> model = pictures();
  nn::save_stack(folder.path("m"), model);
  nn::Stack<float> again = nn::load_stack<float>(folder.path("m"));
  CHECK(nn::describe(again) == nn::describe(model));
  nn::eval(model);
  nn::eval(again);
  auto x = Array<float>::full({2, 1, 5, 7}, 0.5f);
  x.mutate()[3] = -2;
  CHECK_AGREES(same_bits(again(x).array(), model(x).array()));

  nn::Stack<double> wide = nn::load_stack<double>(folder.path("m"));
  CHECK(count(wide) == count(model));
  nn::Stack<float> other = pictures();
  other[6].get<nn::Linear<float>>()->bias.set_value(Array<float>::of({9, 9}));
  nn::load(folder.path("m"), other);
  nn::eval(other);
  CHECK_AGREES(same_bits(other(x).array(), model(x).array()));

  const nn::Stack<double> one(
      nn::TransformerEncoderLayer<double>({.d_model = 4, .nhead = 2, .dim_feedforward = 3}),
      nn::LearnedEncoding<double>({.max_length = 3, .features = 4}),
      nn::MultiheadAttention<double>({.embed_dim = 4, .num_heads = 2}),
      nn::LayerNorm<double>({.normalized_shape = {4}}), nn::PReLU<double>());
  nn::save_stack(folder.path("t"), one);
  CHECK(nn::describe(nn::load_stack<double>(folder.path("t"))) == nn::describe(one));
  const nn::Stack<double> grouped(nn::Conv2d<double>(
      {.in_channels = 4, .out_channels = 6, .kernel_size = {3, 3}, .groups = 2, .bias = false}));
  nn::save_stack(folder.path("n"), nn::Stack<double>(nn::LayerNorm<double>(
                                       {.normalized_shape = {100}, .elementwise_affine = false})));
  CHECK(nn::load_stack<double>(folder.path("n")).size() == 1);
  nn::save_stack(folder.path("g"), grouped);
  CHECK(nn::describe(nn::load_stack<double>(folder.path("g"))) == nn::describe(grouped));
  nn::save_stack(folder.path("e"), nn::Stack<float>());
  CHECK(nn::load_stack<float>(folder.path("e")).size() == 0);
}

TEST_CASE("layers of one's own are named") {
  const Folder folder;
  nn::save_stack(folder.path("m"), nn::Stack<float>(Twice()));
  CHECK(message_of<FileError>([&] {
          nn::load_stack<float>(folder.path("m"));
        }).find("there is no layer \"Twice\"") != std::string::npos);
  nn::LayerTypes<float> types;
  types.add<Twice>();
  CHECK(nn::load_stack<float>(folder.path("m"), types)(Array<float>::of({2})).item() == 4);
}

TEST_CASE("a file that lies is refused by its name, and takes no memory") {
  const Folder folder;
  nn::save_stack(folder.path("m"), pictures());
  const data::NamedArrays arrays = data::read_safetensors(folder.path("m"));
  const auto refused = [&](const data::NamedArrays& broken, const char* part) {
    data::write_safetensors(folder.path("broken"), broken);
    const auto text = message_of<FileError>([&] { nn::load_stack<float>(folder.path("broken")); });
    CAPTURE(text);
    CHECK(text.starts_with(folder.path("broken") + ":"));
    CHECK(text.find(part) != std::string::npos);
  };
  const auto with_text = [&](const char* key, const std::string& text, const char* part) {
    data::NamedArrays broken = arrays;
    broken.metadata[key] = text;
    refused(broken, part);
  };
  with_text("ebb.stack", "2", "version \"2\"");
  with_text("layers", "{", "not JSON");
  with_text("layers", "[]", "must be an object");
  with_text("layers", R"({"type":"Stack","layers":[]})", "0.weight is not in the model");
  with_text("layers", R"({"type":"ReLU"})", "the outermost layer must be a Stack");
  const auto with_layer = [&](const std::string& layer, const char* part) {
    with_text("layers", R"({"type":"Stack","layers":[)" + layer + "]}", part);
  };
  for (
      const char* layer :
      {R"({"type":"Linear","in_features":1000000000,"out_features":1000000000,"bias":true})",
       R"({"type":"Linear","in_features":9000000000000000000,"out_features":9000000000000000000})",
       R"({"type":"LearnedEncoding","max_length":100000,"features":100000})",
       R"({"type":"LayerNorm","normalized_shape":[100000,100000],"eps":1e-5})",
       R"({"type":"MultiheadAttention","embed_dim":100000,"num_heads":1})",
       R"({"type":"TransformerEncoderLayer","d_model":100000,"dim_feedforward":1})",
       R"({"type":"TransformerEncoderLayer","d_model":1,"dim_feedforward":100000000})",
       R"({"type":"BatchNorm2d","num_features":1000000000000})",
       R"({"type":"GroupNorm","num_groups":1,"num_channels":1000000000000})",
       R"({"type":"PReLU","num_parameters":1000000000000,"init":1})",
       R"({"type":"LastState","layer":{"type":"LSTM","input_size":600,"hidden_size":300}})",
       R"({"type":"Outputs","layer":{"type":"GRU","input_size":600,"hidden_size":400}})",
       R"({"type":"Outputs","layer":{"type":"RNN","input_size":600,"hidden_size":600,
           "bidirectional":true}})",
       R"({"type":"LastState","layer":{"type":"RNN","input_size":1,"hidden_size":2,
           "num_layers":1000000000}})",
       R"({"type":"Conv2d","in_channels":1000,"out_channels":1000,"kernel_size":[999,999]})",
       R"({"type":"Conv1d","in_channels":100000,"out_channels":100000,"kernel_size":1,"groups":1})",
       R"({"type":"BatchNorm1d","num_features":1000000000000,"affine":false})",
       R"({"type":"PReLU","num_parameters":1000000000000,"init":1,"affine":false})",
       R"({"type":"LayerNorm","normalized_shape":[1000000000],"elementwise_affine":false})",
       R"({"type":"Linear","in_features":-1000000000,"out_features":1000000000},
           {"type":"Linear","in_features":100000,"out_features":100000})",
       R"({"type":"Residual","layers":[{"type":"PReLU","num_parameters":1000000000000}]})"}) {
    with_layer(layer, "more weights than the");
  }
  with_layer(R"({"type":"Linear","in_features":"a","out_features":[],"bias":true})", "must be");
  with_layer(R"({"type":"Linear","in_features":-4,"out_features":-4,"bias":true})", "at least");
  with_layer(R"({"type":"Dropout","p":7})", "Dropout");
  with_layer(R"({"type":"Conv2d","in_channels":4,"out_channels":4,"kernel_size":[1,1],"groups":0})",
             "layer 0");
  data::NamedArrays plain = arrays;
  plain.metadata.clear();
  refused(plain, "does not say its layers");
  plain.metadata["ebb.stack"] = "1";
  refused(plain, "\"layers\"");
}

TEST_CASE("a stack's file with any byte changed or cut off is a stack or refused") {
  const Folder folder;
  nn::save_stack(folder.path("m"), pictures());
  test::check_broken_files(folder.path("m"), 5, [](const std::string& path) {
    static_cast<void>(nn::load_stack<float>(path));
  });
}

}  // TEST_SUITE("stack files")
