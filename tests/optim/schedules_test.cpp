// SPDX-License-Identifier: BSD-3-Clause
// Schedules against their closed forms, worked out by hand.
#include "ebb/optim/schedules.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close;

namespace {

constexpr double few = 1e-14;  // a few roundings

/// The numbers of steps 0, 1, 2, ...
void gives(const Schedule& schedule, const std::vector<double>& expected) {
  for (std::size_t step = 0; step < expected.size(); ++step) {
    CAPTURE(step);
    if (expected[step] == 0) {
      CHECK(std::abs(schedule(std::int64_t(step))) < 1e-15);
    } else {
      CHECK_AGREES(close(schedule(std::int64_t(step)), expected[step], few));
    }
  }
}

}  // namespace

TEST_SUITE("schedules") {

TEST_CASE("constant, and in straight lines") {
  gives(Constant{.rate = 0.5}, {0.5, 0.5, 0.5});
  gives(LinearRamp{.from = 1, .to = 3, .steps = 4}, {1, 1.5, 2, 2.5, 3, 3, 3});
  gives(LinearWarmup{.rate = 2, .steps = 4}, {0.5, 1, 1.5, 2, 2, 2});
}

TEST_CASE("falling by factors") {
  gives(StepDecay{.rate = 1, .every = 2, .factor = 0.5}, {1, 1, 0.5, 0.5, 0.25, 0.25, 0.125});
  gives(MultiStep{.rate = 1, .steps = {1, 4}, .factor = 0.1}, {1, 0.1, 0.1, 0.1, 0.01, 0.01});
  gives(Exponential{.rate = 2, .factor = 0.5}, {2, 1, 0.5, 0.25});
}

TEST_CASE("falling to an end") {
  gives(Polynomial{.rate = 1, .steps = 4, .power = 2}, {1, 0.5625, 0.25, 0.0625, 0, 0});
  gives(Polynomial{.rate = 3, .steps = 2, .end = 1}, {3, 2, 1, 1});
  const double root = std::sqrt(0.5);
  gives(Cosine{.rate = 2, .steps = 4}, {2, 1 + root, 1, 1 - root, 0, 0});
  gives(Cosine{.rate = 3, .steps = 2, .end = 1}, {3, 2, 1, 1});
}

TEST_CASE("restarts, as often or ever longer") {
  gives(WarmRestarts{.rate = 2, .first = 2}, {2, 1, 2, 1, 2, 1});
  const double root = std::sqrt(0.5);
  gives(WarmRestarts{.rate = 2, .first = 1, .growth = 2, .end = 0},
        {2, 2, 1, 2, 1 + root, 1, 1 - root, 2});
  gives(WarmRestarts{.rate = 3, .first = 2, .end = 1}, {3, 2, 3, 2});
  // 1, 1.5, 2.25 steps, rounded: 1, 2, 2.
  gives(WarmRestarts{.rate = 2, .first = 1, .growth = 1.5}, {2, 2, 1, 2, 1, 2});
}

TEST_CASE("one cycle up and down, and its momentum down and up") {
  // The peak is at step 0.3 * 10 - 1 = 2, the end at step 9.
  const OneCycle cycle{.peak = 1, .steps = 10};
  gives(cycle, {0.04, (0.04 + 1) / 2, 1});
  CHECK_AGREES(close(Schedule(cycle)(9), 4e-6, few));
  CHECK_AGREES(close(Schedule(cycle)(20), 4e-6, few));
  // Halfway down, between steps 5 and 6: both together give the two ends.
  CHECK_AGREES(close(Schedule(cycle)(5) + Schedule(cycle)(6), 1 + 4e-6, few));
  gives(cycle.momentum(), {0.95, 0.9, 0.85});
  CHECK_AGREES(close(cycle.momentum()(9), 0.95, few));
  gives(OneCycle{.peak = 1, .steps = 1}, {1, 1});
}

TEST_CASE("inverse square root after a warm-up") {
  gives(InverseSquareRoot{.rate = 1, .warmup = 4}, {0.25, 0.5, 0.75, 1, std::sqrt(0.8)});
  CHECK_AGREES(close(Schedule(InverseSquareRoot{.rate = 1, .warmup = 4})(15), 0.5, few));
}

TEST_CASE("cycles of triangles, which may get lower") {
  gives(Cyclic{.low = 1, .high = 3, .half = 2}, {1, 2, 3, 2, 1, 2, 3, 2, 1});
  gives(Cyclic{.low = 1, .high = 3, .half = 1, .decay = 0.5}, {1, 3, 1, 2, 1, 1.5, 1});
}

TEST_CASE("one after another, and times one another") {
  gives(Sequence{{LinearWarmup{.rate = 1, .steps = 2}, 2},
                 {Constant{.rate = 5}, 1},
                 {Exponential{.rate = 1, .factor = 0.5}, 1}},
        {0.5, 1, 5, 1, 0.5, 0.25});
  gives(
      Schedule(LinearRamp{.from = 0, .to = 1, .steps = 2}) * Exponential{.rate = 8, .factor = 0.5},
      {0, 2, 2, 1});
  gives(LinearRamp{.from = 0, .to = 1, .steps = 2} * Exponential{.rate = 8, .factor = 0.5},
        {0, 2, 2, 1});
  gives([](std::int64_t step) { return 1 / (1.0 + double(step)); }, {1, 0.5, 1 / 3.0});
}

TEST_CASE("refuse options out of their ranges") {
  const auto refuses = [](auto bad, const char* message) {
    CHECK_THROWS_WITH_AS(Schedule{bad}, message, ArgumentError);
  };
  refuses(LinearWarmup{.rate = 0.1}, "LinearWarmup: steps must be at least 1, not 0");
  refuses(LinearRamp{.steps = 0}, "LinearRamp: steps must be at least 1, not 0");
  refuses(LinearWarmup{.steps = 0}, "LinearWarmup: steps must be at least 1, not 0");
  refuses(StepDecay{.every = 0}, "StepDecay: every must be at least 1, not 0");
  refuses(StepDecay{.every = 1, .factor = -1}, "StepDecay: factor must be at least 0, not -1");
  refuses(MultiStep{.factor = -1}, "MultiStep: factor must be at least 0, not -1");
  refuses(Exponential{.factor = -1}, "Exponential: factor must be at least 0, not -1");
  refuses(Polynomial{.steps = -3}, "Polynomial: steps must be at least 1, not -3");
  refuses(Polynomial{.steps = 1, .power = -1}, "Polynomial: power must be at least 0, not -1");
  refuses(Cosine{.steps = 0}, "Cosine: steps must be at least 1, not 0");
  refuses(WarmRestarts{.first = 0}, "WarmRestarts: first must be at least 1, not 0");
  refuses(WarmRestarts{.first = 1, .growth = 0.5},
          "WarmRestarts: growth must be at least 1, not 0.5");
  refuses(OneCycle{.steps = 0}, "OneCycle: steps must be at least 1, not 0");
  refuses(OneCycle{.steps = 9, .rise = 1}, "OneCycle: rise must be in (0, 1), not 1");
  refuses(OneCycle{.steps = 9, .start_divisor = 0},
          "OneCycle: start_divisor must be above 0, not 0");
  refuses(OneCycle{.steps = 9, .end_divisor = 0}, "OneCycle: end_divisor must be above 0, not 0");
  refuses(InverseSquareRoot{.warmup = 0}, "InverseSquareRoot: warmup must be at least 1, not 0");
  refuses(Cyclic{.half = 0}, "Cyclic: half must be at least 1, not 0");
  refuses(Cyclic{.half = 1, .decay = -1}, "Cyclic: decay must be at least 0, not -1");
  refuses(Sequence({}), "Sequence: there is no part");
  refuses(Sequence{{Constant{}, -1}, {Constant{}, 0}},
          "Sequence: the steps of a part must be at least 0, not -1");
  CHECK_THROWS_WITH_AS(Schedule{}(0), "Schedule: it is empty; give it a function of the step",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(Schedule{Constant{}}(-1),
                       "Schedule: step -1; the first step has 0 steps before it", ArgumentError);
}

TEST_CASE("an optimizer follows the schedules of its groups") {
  const Variable<double> a(Array<double>::of({0})), b(Array<double>::of({0}));
  std::vector<Group<SGD>> groups;
  groups.push_back({{a}, SGD{}, Exponential{.rate = 1, .factor = 0.5}});
  groups.push_back(
      {{b}, SGD{.learning_rate = 1}, {}, LinearRamp{.from = 0.5, .to = 0, .steps = 1}});
  Optimizer optimizer(std::move(groups));
  const auto step = [&] {
    a.share().set_gradient(Array<double>::of({-1}));
    b.share().set_gradient(Array<double>::of({-1}));
    optimizer.step();
  };
  step();
  CHECK(a.value()[0] == 1);
  CHECK(b.value()[0] == 1);
  step();
  CHECK(a.value()[0] == 1.5);  // the rate is 0.5
  CHECK(b.value()[0] == 2);    // the momentum is 0 now
  CHECK(optimizer.groups()[0].rule.learning_rate == 0.5);
  Optimizer alone({a}, Adam{}, Constant{.rate = 0.25});
  CHECK(alone.rule().learning_rate == 0.25);
  std::vector<Group<Adam>> adam;
  adam.push_back({{a}, Adam{}, {}, Constant{.rate = 0.5}});
  CHECK(Optimizer(std::move(adam)).rule().beta1 == 0.5);
}

TEST_CASE("a schedule of what a rule does not have, or out of its range, is refused") {
  const Variable<double> w(Array<double>::of({0}));
  std::vector<Group<Adagrad>> groups;
  groups.push_back({{w}, Adagrad{}, {}, Constant{}});
  CHECK_THROWS_WITH_AS(Optimizer(std::move(groups)),
                       "Optimizer: this rule has neither momentum nor beta1 that a schedule could "
                       "set; leave Group::momentum empty",
                       ArgumentError);
  Optimizer optimizer({w}, SGD{}, LinearRamp{.from = 1, .to = -1, .steps = 1});
  w.share().set_gradient(Array<double>::of({1}));
  optimizer.step();
  CHECK_THROWS_WITH_AS(optimizer.step(), "SGD: learning_rate must be at least 0, not -1",
                       ArgumentError);
  CHECK(optimizer.steps() == 1);
  CHECK(w.value()[0] == -1);
}

}  // TEST_SUITE("schedules")
