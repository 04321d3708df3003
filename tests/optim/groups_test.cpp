// SPDX-License-Identifier: BSD-3-Clause
// Groups of parameters with separate options.
#include "ebb/optim/optimizer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

TEST_SUITE("groups") {

TEST_CASE("groups have options of their own") {
  const Variable<double> a(Array<double>::of({1})), b(Array<double>::of({1}));
  optim::Optimizer optimizer(std::vector<optim::Group<optim::SGD>>{
      {{a}, {.learning_rate = 0.5}}, {{b}, {.learning_rate = 0.25, .momentum = 0.9}}});
  const auto step = [&] {
    a.share().set_gradient(Array<double>::of({1}));
    b.share().set_gradient(Array<double>::of({1}));
    optimizer.step();
  };
  step();
  CHECK(a.value()[0] == 0.5);
  CHECK(b.value()[0] == 0.75);
  optimizer.groups()[0].rule.learning_rate = 0.125;
  step();
  CHECK(a.value()[0] == 0.375);
  CHECK(std::abs(b.value()[0] - (0.75 - 0.25 * 1.9)) < 1e-15);
  CHECK(optimizer.steps() == 2);
  CHECK_THROWS_WITH_AS(optimizer.rule(),
                       "Optimizer: there are 2 groups with options of their own; take "
                       "groups()[i].rule",
                       ArgumentError);
}

TEST_CASE("groups may mix element types, and one may be empty") {
  const Variable<float> a(Array<float>::of({1})), c(Array<float>::of({1}));
  const Variable<double> b(Array<double>::of({1})), d(Array<double>::of({1}));
  optim::Optimizer optimizer(std::vector<optim::Group<optim::SGD>>{
      {{}, {}}, {{a, b}, {.learning_rate = 0.5}}, {{c, d}, {.learning_rate = 0.25}}});
  const auto gradients = [&] {
    for (const auto* v : {&a, &c}) v->share().set_gradient(Array<float>::of({1}));
    for (const auto* v : {&b, &d}) v->share().set_gradient(Array<double>::of({1}));
  };
  gradients();
  optimizer.step({.scale = 0.5});
  CHECK(a.value()[0] == 0.75f);
  CHECK(b.value()[0] == 0.75);
  CHECK(c.value()[0] == 0.875f);
  CHECK(d.value()[0] == 0.875);
  CHECK(optimizer.steps() == 1);
  optimizer.zero_grad();
  CHECK_FALSE((a.has_gradient() || b.has_gradient() || c.has_gradient() || d.has_gradient()));
}

TEST_CASE("the state of each group is its own, under its number and the names it has") {
  struct Seen : Parts {
    std::vector<std::string> names;
    std::vector<double> first;
    void part(const std::string& path, Part part) override {
      names.push_back(path);
      first.push_back((**std::get_if<Array<double>*>(&part))[0]);
    }
    void value(const std::string&, Value) override {}
  };
  const Variable<double> a(Array<double>::of({0}), "a"), b(Array<double>::of({0})),
      c(Array<double>::of({0})), d(Array<double>::of({0}));
  optim::Optimizer optimizer(std::vector<optim::Group<optim::SGD>>{
      {{a}, {}}, {{b, c}, {.momentum = 0.5}}, {{Parameter("d.w", d)}, {.momentum = 0.5}}});
  b.share().set_gradient(Array<double>::of({2}));
  c.share().set_gradient(Array<double>::of({3}));
  optimizer.step();
  Seen seen;
  optimizer.each(seen);
  CHECK(seen.names == std::vector<std::string>{"1.0.velocity", "1.1.velocity", "2.d.w.velocity"});
  CHECK(seen.first == std::vector<double>{2, 3, 0});
}

}  // TEST_SUITE("groups")
