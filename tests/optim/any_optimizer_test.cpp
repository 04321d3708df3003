// SPDX-License-Identifier: BSD-3-Clause
// Optimizers that are chosen by name.
#include "ebb/optim/any_optimizer.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <cmath>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/clip.hpp"
#include "ebb/optim/update.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::same_bits;

namespace {

/// Half the rate of plain descent, and an option.
struct Timid {
  double learning_rate = 0.1;
  std::int64_t caution = 2;
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("caution", caution);
  }
  static constexpr std::array<std::string_view, 0> states = {};
  struct Step {
    double rate;
  };
  Step prepare(std::int64_t) const { return {learning_rate / double(caution)}; }
  template <class V>
  static void update(const Step& s, V& w, const V& g) {
    w = w - V(s.rate) * g;
  }
};

Variable<double> weights() { return Variable<double>(Array<double>::of({{1, -2}, {0.5, 3}})); }

template <class O>
void train(const Variable<double>& w, O& optimizer, int steps = 3) {
  for (int i = 0; i < steps; ++i) {
    Tape tape;
    backward(sum(square(w - 0.25)));
    optimizer.step(clip_norm(optimizer, 2));
    optimizer.zero_grad();
  }
}

}  // namespace

TEST_SUITE("AnyOptimizer") {

TEST_CASE("does what the optimizer of the rule does, by its name in any case") {
  std::size_t rules = 0;
  const auto check = [&]<class Rule>(std::string name, Rule rule) {
    rule.learning_rate = 1.0 / 64;
    rule.maximize = true;
    const auto a = weights(), b = weights();
    Optimizer typed({a}, rule);
    AnyOptimizer named({b}, name, {{"learning_rate", 1.0 / 64}, {"maximize", 1}});
    train(a, typed);
    train(b, named);
    CHECK_AGREES(same_bits(a.value(), b.value()));
    CHECK(named.steps() == 3);
    ++rules;
  };
#define EBB_CHECK_RULE(R)                                                        \
  check(#R, R{});                                                                \
  {                                                                              \
    std::string lower = #R;                                                      \
    for (char& c : lower) c = char(std::tolower(static_cast<unsigned char>(c))); \
    check(lower, R{});                                                           \
  }
  EBB_RULES(EBB_CHECK_RULE)
#undef EBB_CHECK_RULE
  CHECK(rules == 2 * AnyOptimizer::rules().size());
}

TEST_CASE("every option of every rule can be read and set, and is seen by the rule") {
  const auto w = weights();
  for (const std::string& rule : AnyOptimizer::rules()) {
    AnyOptimizer optimizer({w}, rule);
    for (const std::string& name : optimizer.options()) {
      CAPTURE(rule + '.' + name);
      const double before = optimizer.option(name);
      const double other = before == 0 || before == 1 ? 1 - before : before * 2;
      optimizer.set_option(name, other);
      CHECK(optimizer.option(name) == other);
    }
  }
  CHECK(AnyOptimizer({w}, "muon", {{"iterations", 7}}).option("iterations") == 7);
  CHECK(AnyOptimizer({w}, "muon", {{"others.beta1", 0.5}}).option("others.beta1") == 0.5);
}

TEST_CASE("what is not there, or out of range, is refused with what is there") {
  const auto w = weights();
  const auto refuses = [&](const char* rule, const RuleOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(AnyOptimizer({w}, rule, options), message, ArgumentError);
  };
  refuses("Adm", {},
          "AnyOptimizer: there is no rule \"Adm\"; the rules are SGD, Adam, AdamW, Adagrad, "
          "RMSProp, Adadelta, Adamax, NAdam, RAdam, ASGD, Rprop, Lion, LARS, LAMB, Muon");
  refuses("sgd", {{"lr", 1}},
          "AnyOptimizer: the rule has no option \"lr\"; its options are learning_rate, momentum, "
          "dampening, averaging, nesterov, weight_decay, maximize");
  refuses("sgd", {{"nesterov", 0.5}},
          "AnyOptimizer: the option \"nesterov\" must be 1 or 0, for true or false, not 0.5");
  refuses("muon", {{"iterations", 2.5}},
          "AnyOptimizer: the option \"iterations\" must be an integer, not 2.5");
  refuses("sgd", {{"learning_rate", -1}}, "SGD: learning_rate must be at least 0, not -1");
  AnyOptimizer optimizer({w}, "sgd");
  CHECK_THROWS_WITH_AS(optimizer.option("learning_rate", 1),
                       "AnyOptimizer: there is no group 1 of 1", ArgumentError);
  CHECK_THROWS_AS(optimizer.set_option("lr", 1), ArgumentError);
  CHECK_THROWS_AS(AnyOptimizer(Parameters(), "sgd"), ArgumentError);
}

TEST_CASE("groups have options and schedules of their own") {
  const auto a = weights(), b = weights();
  std::vector<AnyGroup> groups;
  groups.push_back({{a}, {{"learning_rate", 0.5}}});
  groups.push_back({{b}, {}, Exponential{.rate = 0.25, .factor = 0.5}});
  AnyOptimizer optimizer(std::move(groups), "sgd");
  CHECK(optimizer.groups() == 2);
  CHECK(optimizer.parameters().size() == 2);
  CHECK_FALSE(optimizer.learning_rate_schedule(0));
  CHECK(optimizer.learning_rate_schedule(1)(1) == 0.125);
  a.share().set_gradient(Array<double>::ones({2, 2}));
  b.share().set_gradient(Array<double>::ones({2, 2}));
  optimizer.step();
  CHECK(a.value()[0] == 0.5);
  CHECK(b.value()[0] == 0.75);
  CHECK(optimizer.option("learning_rate", 1) == 0.25);
  optimizer.set_option("momentum", 0.5, 1);
  CHECK_THROWS_WITH_AS(optimizer.set_option("learning_rate", 0.1, 1),
                       "AnyOptimizer: a schedule sets the learning rate of this group before each "
                       "step; change it by set_learning_rate_schedule",
                       ArgumentError);
  optimizer.set_learning_rate_schedule({}, 1);
  optimizer.set_option("learning_rate", 0.1, 1);
  CHECK(optimizer.option("learning_rate", 1) == 0.1);
}

TEST_CASE("an optimizer of a rule of one's own") {
  const auto w = weights();
  AnyOptimizer optimizer(Optimizer({w}, Timid{}));
  optimizer.set_option("caution", 4);
  w.share().set_gradient(Array<double>::ones({2, 2}));
  optimizer.step();
  CHECK(w.value()[0] == 1 - 0.1 / 4);
  optimizer.zero_grad();
  CHECK_FALSE(w.has_gradient());
}

TEST_CASE("finds a variable that the model forgets") {
  struct Forgetful {
    Variable<double> told = weights(), untold = weights();
    void each(Parts& part) { part("told", told); }
  } model;
  model.untold.set_label("untold");
  AnyOptimizer optimizer(model, "sgd");
  {
    Tape tape;
    backward(sum(model.told * model.untold));
  }
  CHECK_THROWS_WITH_AS(optimizer.step(), doctest::Contains("untold"), ArgumentError);
}

}  // TEST_SUITE("AnyOptimizer")
