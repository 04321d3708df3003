// SPDX-License-Identifier: BSD-3-Clause
// What holds for every rule.
#include "ebb/optim/rules/rules.hpp"

#include <limits>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/optim/rules/follow.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Calls f with every rule, with default options, and its name.
template <class F>
void for_each_rule(const F& f) {
#define EBB_CALL(R)    \
  {                    \
    CAPTURE(#R);       \
    f(optim::R{}, #R); \
  }
  EBB_RULES(EBB_CALL)
#undef EBB_CALL
}

template <class T>
Array<T> gradient_of(const Shape& shape, int step) {
  auto g = Array<T>::uninitialized(shape);
  for (std::int64_t i = 0; i < g.size(); ++i) g.mutate()[i] = T(gradient_at(step, int(i)));
  return g;
}

}  // namespace

TEST_SUITE("rules") {

TEST_CASE_TEMPLATE("maximize ascends: the same steps as down the negative", T, float, double) {
  for_each_rule([](auto down, const char*) {
    auto up = down;
    up.maximize = true;
    const Variable<T> a(gradient_of<T>({5, 4}, 7)), b(gradient_of<T>({5, 4}, 7));
    optim::Optimizer descend({a}, down), ascend({b}, up);
    for (int step = 1; step <= 5; ++step) {
      const Array<T> g = gradient_of<T>({5, 4}, step);
      auto negative = g;
      T* const to = negative.mutate();
      for (std::int64_t i = 0; i < g.size(); ++i) to[i] = -to[i];
      a.share().set_gradient(negative);
      b.share().set_gradient(g);
      descend.step();
      ascend.step();
      CHECK_AGREES(same_bits(a.value(), b.value()));
    }
    CHECK_FALSE(same_bits(a.value(), gradient_of<T>({5, 4}, 7)).holds);
  });
}

TEST_CASE_TEMPLATE("a gradient of 0 from the start is no step, even where all is 0 / 0", T, float,
                   double) {
  for_each_rule([](auto rule, const char*) {
    if constexpr (requires { rule.weight_decay; }) rule.weight_decay = 0;
    if constexpr (requires { rule.lambda; }) rule.lambda = 0;
    if constexpr (requires { rule.epsilon; }) rule.epsilon = 0;
    if constexpr (requires { rule.others; }) rule.others.weight_decay = rule.others.epsilon = 0;
    for (const Shape& shape : {Shape{3, 2}, Shape{6}}) {
      const Array<T> start = gradient_of<T>(shape, 3);
      const Variable<T> w(start);
      optim::Optimizer optimizer({w}, rule);
      for (int step = 0; step < 3; ++step) {
        w.share().set_gradient(Array<T>::zeros(shape));
        optimizer.step();
      }
      CHECK_AGREES(same_bits(w.value(), start));
    }
  });
}

TEST_CASE_TEMPLATE("parameters without elements, and a scalar", T, float, double) {
  for_each_rule([](const auto& rule, const char*) {
    const Variable<T> none(Array<T>::zeros({0, 3})), one(Array<T>(T(2)));
    optim::Optimizer optimizer({none, one}, rule);
    none.share().set_gradient(Array<T>::zeros({0, 3}));
    one.share().set_gradient(Array<T>(T(1)));
    optimizer.step();
    CHECK(none.size() == 0);
    CHECK(one.value().item() < 2);
  });
}

TEST_CASE_TEMPLATE("the scale and the limit come before the rule", T, float, double) {
  for_each_rule([](const auto& rule, const char*) {
    const Variable<T> a(gradient_of<T>({5, 4}, 7)), b(gradient_of<T>({5, 4}, 7));
    optim::Optimizer scaled({a}, rule), plain({b}, rule);
    for (int step = 1; step <= 3; ++step) {
      const Array<T> g = gradient_of<T>({5, 4}, step);
      auto limited = g;
      T* const to = limited.mutate();
      for (std::int64_t i = 0; i < g.size(); ++i)
        to[i] = std::min(std::max(to[i] / 2, T(-0.25)), T(0.25));
      a.share().set_gradient(g);
      b.share().set_gradient(limited);
      scaled.step({.scale = 0.5, .clip_value = 0.25});
      plain.step();
      CHECK_AGREES(same_bits(a.value(), b.value()));
    }
  });
}

TEST_CASE("refuse options out of their ranges by name") {
  const Variable<double> w(Array<double>::of({1}));
  for_each_rule([&](const auto& rule, const char* name) {
    const auto refuses = [&](auto bad, const std::string& text) {
      const std::string message = std::string(name) + ": " + text;
      CHECK_THROWS_WITH_AS(optim::Optimizer({w}, bad), message.c_str(), ArgumentError);
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    auto bad = rule;
    bad.learning_rate = -1;
    refuses(bad, "learning_rate must be at least 0, not -1");
    bad.learning_rate = nan;
    refuses(bad, "learning_rate must be at least 0, not nan");
    if constexpr (requires { rule.weight_decay; }) {
      bad = rule;
      bad.weight_decay = -0.5;
      refuses(bad, "weight_decay must be at least 0, not -0.5");
    }
    if constexpr (requires { rule.epsilon; }) {
      bad = rule;
      bad.epsilon = -1;
      refuses(bad, "epsilon must be at least 0, not -1");
    }
    if constexpr (requires { rule.beta2; }) {
      bad = rule;
      bad.beta1 = 1;
      refuses(bad, "beta1 must be in [0, 1), not 1");
      bad = rule;
      bad.beta2 = -0.1;
      refuses(bad, "beta2 must be in [0, 1), not -0.1");
    }
  });
  const auto refuses = [&](auto bad, const char* message) {
    CHECK_THROWS_WITH_AS(optim::Optimizer({w}, bad), message, ArgumentError);
  };
  refuses(optim::SGD{.momentum = -1}, "SGD: momentum must be at least 0, not -1");
  refuses(optim::SGD{.momentum = 0.5, .dampening = 2}, "SGD: dampening must be in [0, 1], not 2");
  refuses(optim::SGD{.dampening = 0.5},
          "SGD: dampening needs a momentum, and neither nesterov nor averaging, not 0.5");
  refuses(optim::SGD{.nesterov = true}, "SGD: nesterov needs a momentum above 0, not 0");
  refuses(optim::SGD{.averaging = true}, "SGD: averaging needs a momentum in (0, 1), not 0");
  refuses(optim::Adagrad{.learning_rate_decay = -1},
          "Adagrad: learning_rate_decay must be at least 0, not -1");
  refuses(optim::Adagrad{.initial_accumulator = -1},
          "Adagrad: initial_accumulator must be at least 0, not -1");
  refuses(optim::RMSProp{.alpha = 1}, "RMSProp: alpha must be in [0, 1), not 1");
  refuses(optim::RMSProp{.momentum = -1}, "RMSProp: momentum must be at least 0, not -1");
  refuses(optim::Adadelta{.rho = 1}, "Adadelta: rho must be in [0, 1), not 1");
  refuses(optim::NAdam{.momentum_decay = 0}, "NAdam: momentum_decay must be above 0, not 0");
  refuses(optim::ASGD{.lambda = -1}, "ASGD: lambda must be at least 0, not -1");
  refuses(optim::ASGD{.alpha = -1}, "ASGD: alpha must be at least 0, not -1");
  refuses(optim::ASGD{.start = -1}, "ASGD: start must be at least 0, not -1");
  refuses(optim::Rprop{.shrink = 1}, "Rprop: shrink must be in (0, 1), not 1");
  refuses(optim::Rprop{.grow = 1}, "Rprop: grow must be above 1, not 1");
  refuses(optim::Rprop{.smallest = -1}, "Rprop: smallest must be at least 0, not -1");
  refuses(optim::Rprop{.smallest = 2, .largest = 1},
          "Rprop: largest must be at least smallest, not 1");
  refuses(optim::LARS{.momentum = -1}, "LARS: momentum must be at least 0, not -1");
  refuses(optim::LARS{.trust = -1}, "LARS: trust must be at least 0, not -1");
  refuses(optim::Muon{.momentum = 1}, "Muon: momentum must be in [0, 1), not 1");
  refuses(optim::Muon{.iterations = 0}, "Muon: iterations must be at least 1, not 0");
}

TEST_CASE("the numbers without options are those that are usual") {
  CHECK(optim::SGD{}.prepare(1).rate == 0.01);
  CHECK(optim::SGD{}.prepare(1).momentum == 0);
  CHECK(optim::SGD{}.prepare(1).decay == 0);
  const optim::Adam adam;
  CHECK(adam.learning_rate == 0.001);
  CHECK(adam.beta1 == 0.9);
  CHECK(adam.beta2 == 0.999);
  CHECK(adam.epsilon == 1e-8);
  CHECK(adam.weight_decay == 0);
  CHECK(optim::AdamW{}.weight_decay == 0.01);
  CHECK(optim::Adagrad{}.learning_rate == 0.01);
  CHECK(optim::Adagrad{}.epsilon == 1e-10);
  CHECK(optim::RMSProp{}.alpha == 0.99);
  CHECK(optim::Adadelta{}.learning_rate == 1);
  CHECK(optim::Adamax{}.learning_rate == 0.002);
  CHECK(optim::NAdam{}.learning_rate == 0.002);
  CHECK(optim::NAdam{}.momentum_decay == 0.004);
  CHECK(optim::Lion{}.learning_rate == 1e-4);
  CHECK(optim::Lion{}.beta2 == 0.99);
  CHECK(optim::LAMB{}.epsilon == 1e-6);
  CHECK(optim::Muon{}.momentum == 0.95);
  CHECK(optim::Muon{}.weight_decay == 0.1);
}

}  // TEST_SUITE("rules")
