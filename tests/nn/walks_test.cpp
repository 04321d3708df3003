// SPDX-License-Identifier: BSD-3-Clause
// What is done with every part of a model: modes, freezing, state, copies, summary, paths in
// errors.
#include <sstream>

#include "ebb/nn/gradcheck.hpp"
#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/normalisation.hpp"
#include "ebb/nn/layers/sequential.hpp"
#include "ebb/nn/layers/stack.hpp"
#include "ebb/nn/summary.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/layers/checks.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

template <class T>
struct Network {
  nn::Linear<T> in{3, 4};
  nn::BatchNorm1d<T> norm{4};
  nn::Dropout drop{0.5};
  nn::Sequential<nn::Linear<T>, nn::Tanh, nn::Linear<T>> head{nn::Linear<T>(4, 4), nn::Tanh(),
                                                              nn::Linear<T>(4, 1)};
  Variable<T> scale{Array<T>::of({2})};

  Tensor<T> operator()(const Operand<T>& x) { return scale * head(drop(norm(in(x)))); }
  void each(Parts& part) {
    part("in", in);
    part("norm", norm);
    part("drop", drop);
    part("head", head);
    part("scale", scale);
  }
};

/// A layer of one's own, which announces nothing.
template <class T>
struct Scaled {
  nn::Linear<T> inner;
  Variable<T> factor{Array<T>::ones({3})};
  bool breaks = false;

  explicit Scaled(Stream& stream) : inner(3, 3, stream) {}
  Tensor<T> operator()(const Operand<T>& x) const {
    return inner(x) * (breaks ? Array<T>::ones({4}) : factor.value()) * factor;
  }
  void each(Parts& part) {
    part("inner", inner);
    part("factor", factor);
  }
};

const std::vector<std::string> names = {"in.weight",
                                        "in.bias",
                                        "norm.weight",
                                        "norm.bias",
                                        "norm.running_mean",
                                        "norm.running_var",
                                        "norm.num_batches_tracked",
                                        "head.0.weight",
                                        "head.0.bias",
                                        "head.2.weight",
                                        "head.2.bias",
                                        "scale"};

}  // namespace

TEST_SUITE("walks over a model") {

TEST_CASE("train and eval reach every layer, and a scope restores each mode") {
  Network<double> model;
  nn::eval(model);
  CHECK(model.drop.mode == Mode::evaluation);
  CHECK(model.norm.mode == Mode::evaluation);
  nn::train(model);
  model.norm.mode = Mode::evaluation;
  {
    const nn::EvaluationScope scope(model);
    CHECK(model.drop.mode == Mode::evaluation);
  }
  CHECK(model.drop.mode == Mode::training);
  CHECK(model.norm.mode == Mode::evaluation);
}

TEST_CASE("a frozen part is not trained, and the rest is") {
  Network<double> model;
  nn::freeze(model.head);
  optim::Optimizer optimizer(model, optim::AdamW{.weight_decay = 0.1});
  const auto before = nn::state(model);
  {
    Tape tape;
    backward(sum(square(model(numbers<double>({5, 3})))));
  }
  optimizer.step();
  const auto after = nn::state(model);
  const auto same = [&](const char* name) {
    return equal(before.get<double>(name), after.get<double>(name));
  };
  CHECK(same("head.0.weight"));
  CHECK(same("head.2.bias"));
  CHECK_FALSE(same("in.weight"));
  nn::unfreeze(model);
  CHECK_FALSE(model.head.layer<0>().weight.is_frozen());
}

TEST_CASE("names that differ by what they begin with are told apart, and can be loaded") {
  struct Wrapped {
    Network<float> module;
    void each(Parts& part) { part("module", module); }
  } whole;
  Network<float> model;
  const Folder folder;
  const std::string path = folder.path("whole.safetensors");
  nn::save(path, whole);
  const auto hint = [](const std::string& message) {
    return message.substr(message.rfind('\n') + 1);
  };
  const std::string message = message_of<FileError>([&] { nn::load(path, model); });
  CHECK(message.starts_with(path + ": its arrays differ from the model"));
  CHECK(
      hint(message) ==
      "  the names of the arrays begin with \"module.\", and those of the model do not: load them "
      "with {.prefix = \"module.\"}");
  CHECK(nn::load(path, model, {.prefix = "module."}).empty());
  CHECK_AGREES(same_bits(model.in.weight.value(), whole.module.in.weight.value()));
  CHECK(message_of<FileError>([&] { nn::load(path, model, {.prefix = "model."}); }) ==
        path + ": its arrays have no name that begins with \"model.\"");
  CHECK(message_of<ArgumentError>([&] {
          nn::load_state(model, nn::state(whole), {.prefix = "model."});
        }) == "load_state: the arrays have no name that begins with \"model.\"");

  CHECK(
      hint(message_of<ArgumentError>([&] { nn::load_state(whole, nn::state(model)); })) ==
      "  the names of the model begin with \"module.\", and those of the arrays do not: load them "
      "into its part module");
  data::NamedArrays some;  // a file without the first one, and with one more
  const data::NamedArrays all = nn::state(whole);
  for (const std::string& name : all.names())
    if (name != "module.in.weight") some.add(name, all.at(name));
  some.add("step", Array<float>(1));
  CHECK(
      hint(nn::load_state(model, some, {.strict = false}).text()).find("{.prefix = \"module.\"}") !=
      std::string::npos);
  const auto rest = nn::load_state(model, some, {.strict = false, .prefix = "module."});
  CHECK(rest.missing == std::vector<std::string>{"in.weight"});
  CHECK(rest.unexpected == std::vector<std::string>{"step"});
  // One layer of several is no prefix of all.
  nn::Linear<float> layer(3, 4);
  CHECK(nn::load_state(layer, nn::state(model), {.strict = false}).text().find("prefix") ==
        std::string::npos);
}

TEST_CASE("apply calls a function with every parameter, tied ones once") {
  struct Tied {
    Variable<float> a{Array<float>::of({1, 2})};
    Variable<float> b = a.share();
    Variable<double> c{Array<double>::of({3})};
    void each(Parts& part) {
      part("a", a);
      part("b", b);
      part("c", c);
    }
  } model;
  std::string seen;
  nn::apply(model, [&](const std::string& name, auto& variable) {
    seen += name + " ";
    variable.set_value((variable * 0.0).array());
  });
  CHECK(seen == "a c ");
  CHECK(model.b.value()[1] == 0);

  const Tied copy = nn::clone(model);
  copy.a.share().set_value(Array<float>::of({5, 6}));
  CHECK(copy.b.value()[1] == 6);  // tied as in the model
  CHECK(model.a.value()[1] == 0);
}

TEST_CASE("the state has parameters and buffers by name, and goes through a file to the bit") {
  Network<float> model, other;
  model(numbers<float>({5, 3}));
  CHECK(nn::state(model).names() == names);
  CHECK(nn::buffers(model).size() == 3);
  CHECK(nn::buffers(model)[0].name == "norm.running_mean");
  const Folder folder;
  const std::string path = folder.path("model.safetensors");
  nn::save(path, model);
  CHECK(nn::load(path, other).empty());
  nn::eval(model);
  nn::eval(other);
  const auto x = numbers<float>({7, 3});
  CHECK_AGREES(same_bits(model(x).array(), other(x).array()));
  // Numbers are converted to the type of the model.
  Network<double> wide;
  CHECK(nn::load(path, wide).empty());
  CHECK(wide.in.weight.value()[3] == double(model.in.weight.value()[3]));
}

TEST_CASE("arrays that differ are listed, and nothing is loaded unless it is asked for") {
  Network<float> model;
  auto arrays = nn::state(model);
  data::NamedArrays others;
  for (const std::string& name : arrays.names()) {
    if (name == "in.bias") continue;
    if (name == "head.0.weight") {
      others.add(name, Array<float>::zeros({4, 5}));
    } else if (name == "scale") {
      others.add(name, Array<float>::of({7}));
    } else {
      others.add(name, arrays.at(name));
    }
  }
  others.add("tail.weight", Array<float>::zeros({1}));
  const std::string list =
      "  in.bias is missing\n  tail.weight is not in the model\n  head.0.weight has shape (4, 5) "
      "instead of (4, 4)";
  CHECK(message_of<ArgumentError>([&] { nn::load_state(model, others); }) ==
        "load_state: the arrays differ from the model, and nothing was loaded:\n" + list);
  CHECK(model.scale.value()[0] == 2);
  const auto differences = nn::load_state(model, others, {.strict = false});
  CHECK(differences.text() == list);
  CHECK(differences.missing == std::vector<std::string>{"in.bias"});
  CHECK(model.scale.value()[0] == 7);

  const Folder folder;
  const std::string path = folder.path("other.safetensors");
  nn::save(path, nn::Linear<float>(2, 2));
  CHECK(message_of<FileError>([&] {
          nn::load(path, model);
        }).starts_with(path + ": its arrays differ"));
  CHECK_THROWS_AS(nn::load(folder.path("none"), model), FileError);
}

TEST_CASE("copy_state gives all that a model has, also streams, modes and what is frozen") {
  Network<double> model, other;
  nn::freeze(model.in);
  model(numbers<double>({5, 3}));
  nn::copy_state(model, other);
  CHECK(other.in.weight.is_frozen());
  const auto x = numbers<double>({7, 3});
  CHECK_AGREES(same_bits(model(x).array(), other(x).array()));  // the same elements are left out
  nn::Linear<double> small(2, 2), large(3, 2);
  CHECK(
      message_of<ArgumentError>([&] { nn::copy_state(small, large); }) ==
      "copy_state: the models differ, and nothing was copied:\n  \"model.weight\" has shape (2, 2) "
      "in the model to copy, (2, 3) here");
}

TEST_CASE("an error in a layer names its path in the model") {
  Network<double> model;
  nn::train(model);
  CHECK(message_of<ShapeError>([&] { model(numbers<double>({5, 2})); }).ends_with("(in in)"));
  CHECK(message_of<ShapeError>([&] {
          model.head(numbers<double>({5, 2}));
        }).ends_with("(in head.0)"));
  const NameScope scope("step");
  CHECK(message_of<ShapeError>([&] {
          model.head(numbers<double>({5, 2}));
        }).ends_with("(in step.head.0)"));
  struct Outer {
    Network<double> network;
    void each(Parts& part) { part("network", network); }
  } outer;
  const optim::Optimizer optimizer(outer, optim::SGD{});
  CHECK(message_of<ShapeError>([&] {
          outer.network.head(numbers<double>({5, 2}));
        }).ends_with("(in step.network.head.0)"));
}

TEST_CASE("a summary has a row for each layer, and counts parameters, bytes and operations") {
  Network<float> model;
  nn::freeze(model.in);
  const auto summary = nn::summary(model, numbers<float>({5, 3}));
  std::ostringstream text;
  text << summary;
  // 5 rows: 2 * 3 + 1 for each of 4 outputs; 2 * 4 + 1 for each of 4 and of 1.
  CHECK(text.str() ==
        "layer        path    output  parameters  FLOPs\n"
        "Linear       in      (5, 4)          16    140\n"
        "BatchNorm1d  norm    (5, 4)           8\n"
        "Dropout              (5, 4)\n"
        "Sequential   head    (5, 1)\n"
        "  Linear     head.0  (5, 4)          20    180\n"
        "  Tanh               (5, 4)\n"
        "  Linear     head.2  (5, 1)           5     45\n"
        "in none of them: scale (1,)\n"
        "50 parameters, 34 of them trained; 240 bytes; 365 FLOPs\n");
  CHECK(model.norm.num_batches_tracked[0] == 0);
  CHECK(model.norm.mode == Mode::training);
}

TEST_CASE(
    "layers of one's own are in the summary, and errors have their path, in every container") {
  Stream stream(1);
  nn::Sequential<Scaled<float>, nn::Residual<Scaled<float>>, nn::Stack<float>, nn::AnyModule<float>>
      model{Scaled<float>(stream), nn::Residual(Scaled<float>(stream)),
            nn::Stack<float>(Scaled<float>(stream), nn::Tanh()), Scaled<float>(stream)};
  const auto text = [&](auto& m) {
    std::ostringstream out;
    out << nn::summary(m, numbers<float>({5, 3}));
    return out.str();
  };
  CHECK(text(model) ==
        "layer         path           output  parameters  FLOPs\n"
        "Sequential                   (5, 3)\n"
        "  Scaled      0              (5, 3)           3\n"
        "    Linear    0.inner        (5, 3)          12    105\n"
        "  Residual    1              (5, 3)\n"
        "    Scaled    1.layer        (5, 3)           3\n"
        "      Linear  1.layer.inner  (5, 3)          12    105\n"
        "  Stack       2              (5, 3)\n"
        "    Scaled    2.0            (5, 3)           3\n"
        "      Linear  2.0.inner      (5, 3)          12    105\n"
        "    Tanh                     (5, 3)\n"
        "  Scaled      3              (5, 3)           3\n"
        "    Linear    3.inner        (5, 3)          12    105\n"
        "60 parameters; 240 bytes; 420 FLOPs\n");
  const optim::Optimizer optimizer(model, optim::SGD{});
  const auto fails = [&](auto&& change) {
    change(true);
    const std::string message = message_of<ShapeError>([&] { model(numbers<float>({5, 3})); });
    change(false);
    return message;
  };
  CHECK(fails([&](bool b) { model.layer<0>().breaks = b; }).ends_with("(in 0)"));
  CHECK(fails([&](bool b) { model.layer<1>().layer().breaks = b; }).ends_with("(in 1.layer)"));
  CHECK(fails([&](bool b) {
          model.layer<2>()[0].get<Scaled<float>>()->breaks = b;
        }).ends_with("(in 2.0)"));
  CHECK(fails([&](bool b) {
          model.layer<3>().get<Scaled<float>>()->breaks = b;
        }).ends_with("(in 3)"));
  struct Fixed {
    nn::Stack<float> stack;
    nn::Sequential<Scaled<float>> chain;
    Tensor<float> operator()(const Operand<float>& x) const { return chain(stack(x)); }
    void each(Parts& part) {
      part("stack", stack);
      part("chain", chain);
    }
  } fixed{nn::Stack<float>(Scaled<float>(stream)), nn::Sequential(Scaled<float>(stream))};
  CHECK(text(fixed) ==
        "layer       path           output  parameters  FLOPs\n"
        "Stack       stack          (5, 3)\n"
        "  Scaled    stack.0        (5, 3)           3\n"
        "    Linear  stack.0.inner  (5, 3)          12    105\n"
        "Sequential  chain          (5, 3)\n"
        "  Scaled    chain.0        (5, 3)           3\n"
        "    Linear  chain.0.inner  (5, 3)          12    105\n"
        "30 parameters; 120 bytes; 210 FLOPs\n");
}

TEST_CASE("a layer that another one calls is announced by one line of its own") {
  struct Encoder {
    Variable<double> factor{Array<double>::of({2, 3})};
    Tensor<double> operator()(const Operand<double>& x) const {
      return nn::in_layer(*this, x, [&] { return x * factor; });
    }
    void each(Parts& part) { part("factor", factor); }
    double operations(const Operand<double>& x, const Tensor<double>&) const {
      return double(x.shape().size());
    }
  };
  struct Outer {
    Encoder encoder;
    nn::Sequential<Encoder> same{Encoder()};  // announced twice, by the container and itself
    Tensor<double> operator()(const Operand<double>& x) const { return same(encoder(x)); }
    void each(Parts& part) {
      part("encoder", encoder);
      part("same", same);
    }
  } model;
  std::ostringstream out;
  out << nn::summary(model, numbers<double>({5, 2}));
  CHECK(out.str() ==
        "layer       path     output  parameters  FLOPs\n"
        "Encoder     encoder  (5, 2)           2     10\n"
        "Sequential  same     (5, 2)\n"
        "  Encoder   same.0   (5, 2)           2     10\n"
        "4 parameters; 32 bytes; 20 FLOPs\n");
  const optim::Optimizer optimizer(model, optim::SGD{});
  CHECK(message_of<ShapeError>([&] { model(numbers<double>({5, 3})); }).ends_with("(in encoder)"));
  CHECK(nn::summary(model.same, numbers<double>({5, 2})).layers.size() == 2);
}

TEST_CASE("the gradients of a whole model are checked in one call, which names what is wrong") {
  Network<double> model;
  const auto x = numbers<double>({5, 3}), y = numbers<double>({5, 1});
  const auto before = nn::state(model);
  CHECK(nn::check_gradients(model, [&] { return mse_loss(model(x), y); }));
  CHECK(equal(nn::state(model).get<double>("norm.running_mean"),
              before.get<double>("norm.running_mean")));
  const auto cut = nn::check_gradients(model, [&] {
    return mse_loss(model(x) + sum(square(Tensor<double>(model.in.bias.value()))), y);
  });
  CHECK(cut.reason.empty());  // what is read by value() is a constant of the check, too
  const auto unused = nn::check_gradients(model, [&] { return sum(square(model.in(x))); });
  CHECK_FALSE(unused);
  CHECK(unused.reason.starts_with("norm.weight: "));
  nn::freeze(model);
  nn::unfreeze(model.in);
  CHECK(nn::check_gradients(model, [&] { return sum(square(model.in(x))); }));
  nn::Linear<float> narrow(2, 1);
  CHECK_THROWS_AS(nn::check_gradients(narrow, [] { return Tensor<double>(1.0); }), ArgumentError);
}

}  // TEST_SUITE("walks over a model")
