// SPDX-License-Identifier: BSD-3-Clause
// What a model consists of: every part is visited, by its name, and no kind is passed over.
#include "ebb/autodiff/parts.hpp"

#include <doctest/doctest.h>

#include <array>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

namespace {

struct Affine {
  Variable<double> weight{Array<double>::zeros({2, 3})}, bias{Array<double>::zeros({2})};
  void each(Parts& part) {
    part("weight", weight);
    part("bias", bias);
  }
};

struct Model {
  Affine first, second;
  Variable<float> scale{Array<float>::of({1, 2})};
  Array<double> mean = Array<double>::of({5});
  Array<std::int64_t> ids = Array<std::int64_t>::of({7});
  Array<bool> mask = Array<bool>::of({true});
  Array<float> state = Array<float>::of({3});
  Stream stream{4};
  Mode mode = Mode::training;
  double rate = 0.5;
  std::int64_t steps = 6;
  std::uint64_t seed = 9;
  bool frozen = true;
  std::string name = "tiny";
  std::vector<double> limits = {1, 2};
  std::vector<Affine> layers = std::vector<Affine>(2);
  std::array<Variable<float>, 1> more = {Variable<float>(Array<float>::of({4}))};

  void each(Parts& part) {
    part("first", first);
    part("second", second);
    part("scale", scale);
    part("mean", mean);
    part("ids", ids);
    part("mask", mask);
    part("state", state);
    part("stream", stream);
    part("mode", mode);
    part("rate", rate);
    part("steps", steps);
    part("seed", seed);
    part("frozen", frozen);
    part("name", name);
    part("limits", limits);
    part("layers", layers);
    part("more", more);
  }
};

/// Lists the names of all that it visits.
class Names : public Parts {
 public:
  std::vector<std::string> parts, values;

 protected:
  void part(const std::string& path, Part) override { parts.push_back(path); }
  void value(const std::string& path, Value) override { values.push_back(path); }
};

std::vector<std::string> names_of(const Parameters& parameters) {
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) names.push_back(parameter.name());
  return names;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_SUITE("parts") {

TEST_CASE("every part is visited in its order, under the names of its owners") {
  Model model;
  Names names;
  model.each(names);
  CHECK(names.parts == Texts{"first.weight", "first.bias", "second.weight", "second.bias", "scale",
                             "mean", "ids", "mask", "state", "stream", "mode", "layers.0.weight",
                             "layers.0.bias", "layers.1.weight", "layers.1.bias", "more.0"});
  CHECK(names.values == Texts{"rate", "steps", "seed", "frozen", "name", "limits"});
}

TEST_CASE("a visitor may change the parts that it visits") {
  struct Halve : Parts {
    void part(const std::string&, Part part) override {
      if (auto** array = std::get_if<Array<double>*>(&part)) (*array)->mutate()[0] /= 2;
      if (auto** mode = std::get_if<Mode*>(&part)) **mode = Mode::evaluation;
    }
    void value(const std::string&, Value value) override {
      if (auto** number = std::get_if<double*>(&value)) **number /= 2;
    }
  };
  Model model;
  Halve halve;
  model.each(halve);
  CHECK(model.mean[0] == 2.5);
  CHECK(model.rate == 0.25);
  CHECK(model.mode == Mode::evaluation);
}

TEST_CASE("the names of an owner end with it, even if it throws") {
  struct Throws {
    void each(Parts&) { throw ArgumentError("no"); }
  };
  Names names;
  Throws throws;
  Variable<float> after(Array<float>::of({1}));
  CHECK_THROWS_AS(names("outer", throws), ArgumentError);
  names("after", after);
  CHECK(names.parts == Texts{"after"});
}

TEST_CASE("the parameters of a model are those of both element types, by name") {
  Model model;
  const Parameters all = parameters(model);
  CHECK(names_of(all) == Texts{"first.weight", "first.bias", "second.weight", "second.bias",
                               "scale", "layers.0.weight", "layers.0.bias", "layers.1.weight",
                               "layers.1.bias", "more.0"});
  CHECK(parameters<float>(model).size() == 2);
  CHECK(parameters<double>(model).size() == 8);
  CHECK(count(model) == 4 * 8 + 2 + 1);
  CHECK(all[4].get<float>() != nullptr);
  CHECK(all[4].get<double>() == nullptr);
  CHECK(all[4].shape() == Shape{2});
}

TEST_CASE("a const model has its parameters too") {
  const Model model;
  CHECK(parameters(model).size() == 10);
  CHECK(parameters<float>(model).size() == 2);
  CHECK(count(model) == 4 * 8 + 2 + 1);
}

TEST_CASE("a parameter is a handle: copies share the variable") {
  Model model;
  Parameters all = parameters(model);
  Parameter copy = all[4];
  copy.get<float>()->set_gradient(Array<float>::of({1, 1}));
  CHECK(model.scale.has_gradient());
  CHECK(all[4].has_gradient());
  all[4].zero_grad();
  CHECK_FALSE(model.scale.has_gradient());
  all[4] = all[0];
  CHECK(all[4].name() == "first.weight");
  CHECK(model.scale.value()[1] == 2);
  // Now it is a handle to a variable of the other element type.
  REQUIRE(all[4].get<double>() != nullptr);
  all[4].get<double>()->set_gradient(Array<double>::zeros({2, 3}));
  CHECK(model.first.weight.has_gradient());
  CHECK(all[0].has_gradient());
  all[0].zero_grad();
  CHECK_FALSE(model.first.weight.has_gradient());
}

TEST_CASE("a parameter is visited in its own element type, const or not") {
  Model model;
  Parameters all = parameters(model);
  const auto width = []<class T>(const Variable<T>&) { return sizeof(T); };
  CHECK(all[4].visit(width) == sizeof(float));
  CHECK(all[0].visit(width) == sizeof(double));
  CHECK(std::as_const(all)[4].visit(width) == sizeof(float));
  CHECK(std::as_const(all)[0].visit(width) == sizeof(double));
  all[4].visit([](auto& variable) { variable.set_gradient(variable.value()); });
  CHECK_AGREES(same_bits(model.scale.gradient(), model.scale.value()));
}

TEST_CASE("a tied variable is one parameter, under its first name") {
  Model model;
  model.second.weight = model.first.weight.share();
  CHECK(names_of(parameters(model))[2] == "second.bias");
  CHECK(parameters(model).size() == 9);
  CHECK(parameters<double>(model).size() == 7);
  CHECK(count(model) == 4 * 8 - 6 + 2 + 1);
}

TEST_CASE("variables outside of a model are parameters under their labels") {
  Variable<double> w(Array<double>::of({1, 2}), "w");
  Variable<float> b(Array<float>::of({1}));
  const Parameters both{w, b};
  CHECK(names_of(both) == Texts{"w", ""});
  CHECK(count(both) == 3);
  both[0].get<double>()->share().set_value(Array<double>::of({3, 4}));
  CHECK_AGREES(same_bits(w.value(), Array<double>::of({3, 4})));
}

}  // TEST_SUITE("parts")

TEST_SUITE("fields") {

TEST_CASE("a choice is visited as its name, and an unknown name is refused") {
  enum class Color { red, green };
  struct Text : Fields {
    std::string text;
    void value(const std::string&, Value value) override {
      std::string& named = **std::get_if<std::string*>(&value);
      if (text.empty()) {
        text = named;
      } else {
        named = text;
      }
    }
  };
  Text field;
  Color color = Color::green;
  field.choice("color", color, {"red", "green"});
  CHECK(field.text == "green");
  field.text = "red";
  field.choice("color", color, {"red", "green"});
  CHECK(color == Color::red);
  field.text = "blue";
  CHECK_THROWS_WITH_AS(field.choice("color", color, {"red", "green"}),
                       "\"color\" is \"blue\"; it may be red, green", ArgumentError);
  CHECK(color == Color::red);
}

TEST_CASE("the fields of a struct within another have its name first, choices too") {
  enum class Color { red, green };
  struct Inner {
    double size = 1;
    Color color = Color::green;
    void each(Fields& field) {
      field("size", size);
      field.choice("color", color, {"red", "green"});
    }
  };
  struct Outer {
    Inner inner;
    bool last = true;
    void each(Fields& field) {
      field("inner", inner);
      field("last", last);
    }
  };
  struct Read : Fields {
    Texts names;
    std::string color;
    void value(const std::string& path, Value value) override {
      names.push_back(path);
      if (auto** text = std::get_if<std::string*>(&value)) **text = color;
    }
  };
  Read read;
  read.color = "red";
  Outer outer;
  outer.each(read);
  CHECK(read.names == Texts{"inner.size", "inner.color", "last"});
  CHECK(outer.inner.color == Color::red);
  read.color = "blue";
  CHECK_THROWS_WITH_AS(outer.each(read), "\"inner.color\" is \"blue\"; it may be red, green",
                       ArgumentError);
}

TEST_CASE("an optional part is visited under its name if it is there") {
  struct Layer {
    Variable<double> weight{Array<double>::zeros({2})};
    std::optional<Variable<double>> bias;
    std::optional<Affine> more;
    void each(Parts& part) {
      part("weight", weight);
      part("bias", bias);
      part("more", more);
    }
  };
  Layer layer;
  CHECK(parameters(layer).size() == 1);
  layer.bias.emplace(Array<double>::zeros({3}));
  layer.more.emplace();
  const Parameters all = parameters(layer);
  REQUIRE(all.size() == 4);
  CHECK(all[1].name() == "bias");
  CHECK(all[2].name() == "more.weight");
}

TEST_CASE("variables without a label can take the names of parameters") {
  Model model;
  model.second.bias.set_label("mine");
  detail::label(parameters(model));
  CHECK(model.first.weight.label() == "first.weight");
  CHECK(model.second.bias.label() == "mine");
}

TEST_CASE("two Variables of one name are an error, and one that is tied is not") {
  struct Pair {
    Affine first, second;
    void each(Parts& part) {
      part("layer", first);
      part("layer", second);
    }
  };
  struct Tied {
    Variable<float> in{Array<float>::of({1, 2})}, out = in.share();
    void each(Parts& part) {
      part("weight", in);
      part("weight", out);
    }
  };
  Pair pair;
  CHECK_THROWS_WITH_AS(static_cast<void>(count(pair)),
                       "parameters: two Variables have the name \"layer.weight\"; give each a name "
                       "of its own in `each`",
                       ArgumentError);
  Tied tied;
  CHECK(names_of(parameters(tied)) == std::vector<std::string>{"weight"});
}

}  // TEST_SUITE("fields")
