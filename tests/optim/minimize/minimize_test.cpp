// SPDX-License-Identifier: BSD-3-Clause
// What a minimisation promises whatever its method.
#include "ebb/optim/minimize.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <thread>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/problems.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close, ebb::test::same_bits;

namespace {

const auto bowl = [](const auto& x) { return sum(square(x - 3.0)); };

}  // namespace

TEST_SUITE("minimize") {

TEST_CASE("a model's loss may be maximised, and must depend on the model") {
  auto model = nn::Linear<double>::zeros(1, 1), other = nn::Linear<double>::zeros(1, 1);
  const auto x = Array<double>::of({{1}, {2}}), y = Array<double>::of({{3}, {5}});
  const auto highest = maximize(
      model, [&] { return 7.0 - mse_loss(model(x), y); }, LBFGS{});
  CHECK(highest.converged());
  CHECK_AGREES(close(highest.value, 7, 1e-12));
  CHECK_AGREES(close(model.weight.value()[0], 2, 1e-6));
  CHECK_THROWS_WITH_AS(minimize(
                           other, [&] { return mse_loss(model(x), y); }, LBFGS{}),
                       "minimize: the loss depends on no parameter of the model; compute it from "
                       "this model",
                       ArgumentError);
}

TEST_CASE("a start may be a tensor, and time ends a minimisation") {
  const problems::Rosenbrock valley;
  const Tensor<double> start = Tensor<double>(valley.start()) + 0.5;
  CHECK(minimize(valley, start, LBFGS{}).converged());
  const auto slow = [&](const auto& p) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return valley(p);
  };
  const auto found = minimize(slow, valley.start(), GradientDescent{FixedStep{.step = 1e-4}},
                              {.iterations = 1'000'000, .seconds = 0.03});
  CHECK(found.reason == Reason::time);
  CHECK(found.iterations >= 1);
  CHECK(found.iterations <= 16);
}

TEST_CASE("of one variable, as course notes have it") {
  // x^2 + 2 x + 3 from 1.5 with rate 0.01 until |f'| <= 1e-5: the error falls by 0.98 a step.
  const auto f = [](auto x) { return x * x + 2.0 * x + 3.0; };
  const GradientDescent method{FixedStep{.step = 0.01}};
  const Stop stop{.gradient = 1e-5, .iterations = 10'000};
  const auto found = minimize(f, 1.5, method, stop);
  CHECK(found.reason == Reason::gradient);
  CHECK_AGREES(close(found.x.item(), -1, 1e-5));
  CHECK_AGREES(close(found.value, 2, 1e-5));
  CHECK(found.iterations == std::ceil(std::log(1e-5 / 5) / std::log(0.98)));
  CHECK(found.gradients == found.iterations + 1);
  // A plain function has derivatives by differences.
  const auto plain = minimize([](double x) { return x * x + 2 * x + 3; }, 1.5, method, stop);
  CHECK(plain.iterations == found.iterations);
  CHECK_AGREES(close(plain.x.item(), found.x.item(), 1e-5));
  // Ascent on the negative.
  const auto up = maximize([&](auto x) { return -f(x); }, 1.5, method, stop);
  CHECK(up.iterations == found.iterations);
  CHECK_AGREES(close(up.value, -2, 1e-5));
}

TEST_CASE("of several variables, of any shape and both types") {
  const auto wide = minimize(bowl, Array<double>::zeros({2, 3}), LBFGS{});
  CHECK_AGREES(close(wide.x, Array<double>::full({2, 3}, 3), 1e-8));
  const auto narrow = minimize([](auto x) { return sum(square(x - 3.0f)); },
                               Array<float>::zeros({2}), LBFGS{}, {.gradient = 1e-5});
  CHECK(narrow.converged());
  CHECK_AGREES(close(narrow.x, Array<float>::of({3, 3}), 1e-5));
}

TEST_CASE("of a std::function, without a warning of the compiler") {
  std::function<Tensor<double>(const Tensor<double>&)> f = bowl;
  CHECK_AGREES(close(minimize(f, Array<double>::zeros({2}), LBFGS{}).x,
                     Array<double>::full({2}, 3.0), 1e-8));
}

TEST_CASE("a start at the minimum is no iteration") {
  const auto found = minimize(bowl, Array<double>::of({3}), BFGS{});
  CHECK(found.iterations == 0);
  CHECK(found.reason == Reason::gradient);
  CHECK(found.gradients == 1);
}

TEST_CASE("every reason ends it") {
  const auto reason = [](Stop stop, auto method) {
    return minimize(problems::Rosenbrock{}, problems::Rosenbrock::start(), method, stop).reason;
  };
  const GradientDescent slow{FixedStep{.step = 1e-4}};
  CHECK(reason({.gradient = 10, .iterations = 100'000}, slow) == Reason::gradient);
  CHECK(reason({.change = 1e-2}, slow) == Reason::change);
  CHECK(reason({.target = 4}, slow) == Reason::target);
  CHECK(reason({.iterations = 3}, slow) == Reason::iterations);
  CHECK(reason({.iterations = 0}, slow) == Reason::iterations);
  CHECK(reason({.evaluations = 5}, slow) == Reason::evaluations);
  CHECK(reason({.seconds = 0}, slow) == Reason::time);
  CHECK(reason({}, GradientDescent{FixedStep{.step = 10}}) == Reason::not_finite);
  std::ostringstream text;
  text << Reason::line_search;
  CHECK(text.str() == "no step along the direction makes the value smaller");
}

TEST_CASE("the report is told of every iteration, and may end it") {
  std::vector<double> values;
  const auto report = [&](const Progress& p) {
    CHECK(p.iteration == std::int64_t(values.size()));
    values.push_back(p.value);
    return values.size() < 4;
  };
  const auto found = minimize(bowl, Array<double>::of({0}), GradientDescent{FixedStep{.step = 0.1}},
                              {}, {.report = report, .path = true});
  CHECK(found.reason == Reason::report);
  CHECK(found.iterations == 3);
  CHECK(found.path.size() == 4);
  CHECK_AGREES(same_bits(found.path.back(), found.x));
  CHECK(values[0] == 9);
  CHECK_AGREES(close(values[3], 9 * std::pow(0.8, 6), 1e-5));
}

TEST_CASE("a point that is not finite is not gone to") {
  // Finite for x > 0 only. The minimum is at 1.
  const auto f = [](auto x) { return sum(x - log(x)); };
  const auto check = [&](auto method) {
    const auto found = minimize(f, Array<double>::of({0.01}), method);
    CAPTURE(found.reason);
    CHECK(found.converged());
    CHECK_AGREES(close(found.x[0], 1, 1e-5));
  };
  check(GradientDescent{Armijo{}});
  check(GradientDescent{Wolfe{}});
  check(GradientDescent{BarzilaiBorwein{.first = 1}});
  check(ConjugateGradient{});
  check(BFGS{});
  check(LBFGS{});
  check(Newton{});
  check(NewtonCG{});
  check(TrustRegion{});
  // A step of fixed length has no other choice than to end.
  const auto start = Array<double>::of({0.01});
  const auto ended =
      minimize(f, start, GradientDescent{FixedStep{.step = 0.02}}, {.iterations = 50});
  CHECK(std::isfinite(ended.value));
  const auto bad = minimize(f, Array<double>::of({-1}), BFGS{});
  CHECK(bad.reason == Reason::not_finite);
  CHECK(bad.iterations == 0);
}

TEST_CASE("after a search that fails, x is what it was") {
  const auto start = Array<double>::of({0.5, 0.25});
  // A gradient with the wrong sign. Second derivatives would be 0.
  const auto wrong = [](auto x) { return sum(square(x.detach()) - (x - x.detach())); };
  const auto fails = [&](auto method) {
    const auto found = minimize(wrong, start, method);
    CAPTURE(found.reason);
    CHECK(found.reason == Reason::line_search);
    CHECK_AGREES(same_bits(found.x, start));
    CHECK_FALSE(found.converged());
  };
  fails(GradientDescent{Armijo{}});
  fails(GradientDescent{Wolfe{}});
  fails(ConjugateGradient{});
  fails(BFGS{});
  fails(LBFGS{});
  fails(GradientDescent{BarzilaiBorwein{}});
  fails(ProjectedGradient{NonNegative{}});
}

TEST_CASE("a model has the result, or what it had if it failed") {
  const auto x = Array<double>::of({{1, 1}, {1, 2}, {2, 2}, {2, 3}});
  const auto y = Array<double>::of({{6}, {8}, {9}, {11}});
  auto model = nn::Linear<double>::zeros(2, 1);
  const auto loss = [&] { return mse_loss(model(x), y); };
  const auto check = [&](auto method, Stop stop) {
    model.weight.set_value(Array<double>::of({{0, 0}}));
    model.bias.set_value(Array<double>::of({0}));
    const auto found = minimize(model, loss, method, stop);
    CHECK(found.converged());
    CHECK_AGREES(close(model.weight.value(), Array<double>::of({{1, 2}}), 1e-5));
    CHECK_AGREES(close(model.bias.value(), Array<double>::of({3}), 1e-5));
    CHECK_AGREES(close(found.x, Array<double>::of({1, 2, 3}), 1e-5));
    CHECK_FALSE(model.weight.has_gradient());
  };
  check(LBFGS{}, {});
  check(Newton{}, {});
  check(TrustRegion{}, {});
  check(ConjugateGradient{}, {});

  model.weight.set_value(Array<double>::of({{0.5, -1}}));
  const auto weight = model.weight.value();
  int calls = 0;
  CHECK_THROWS_WITH(minimize(
                        model,
                        [&] {
                          if (++calls == 3) throw std::runtime_error("no more data");
                          return loss();
                        },
                        GradientDescent{FixedStep{}}),
                    "no more data");
  CHECK_AGREES(same_bits(model.weight.value(), weight));
}

TEST_CASE("parameters of float follow a loss of float") {
  auto model = nn::Linear<float>::zeros(1, 1);
  const auto x = Array<float>::of({{0}, {1}, {2}}), y = Array<float>::of({{1}, {3}, {5}});
  const auto found =
      minimize(model, [&] { return mse_loss(model(x), y); }, LBFGS{}, {.gradient = 1e-4});
  CHECK(found.converged());
  CHECK_AGREES(close(model.weight.value()[0], 2, 1e-3));
  CHECK_AGREES(close(model.bias.value()[0], 1, 1e-3));
}

TEST_CASE("refuses what cannot be minimised") {
  const auto x = Array<double>::of({1, 2});
  CHECK_THROWS_WITH_AS(minimize([](auto v) { return v * 2.0; }, x, BFGS{}),
                       doctest::Contains("not a single value"), ShapeError);
  CHECK_THROWS_AS(minimize(bowl, Array<double>(), BFGS{}), ArgumentError);
  CHECK_THROWS_WITH_AS(minimize(bowl, x, LBFGS{.history = 0}),
                       "LBFGS: history must be at least 1, not 0", ArgumentError);
  CHECK_THROWS_WITH_AS(minimize(bowl, x, GradientDescent{FixedStep{.step = -1}}),
                       "FixedStep: step must be above 0, not -1", ArgumentError);
  CHECK_THROWS_AS(minimize(bowl, x, GradientDescent{Armijo{.shrink = 1}}), ArgumentError);
  CHECK_THROWS_AS(minimize(bowl, x, BFGS{Wolfe{.curvature = 1}}), ArgumentError);
  CHECK_THROWS_AS(minimize(bowl, x, TrustRegion{.first = 0}), ArgumentError);
  CHECK_THROWS_WITH_AS(minimize(bowl, x, BFGS{}, {.gradient = -1}),
                       "Stop: gradient must be at least 0", ArgumentError);
  CHECK_THROWS_AS(minimize(bowl, x, BFGS{}, {.evaluations = 0}), ArgumentError);
}

}  // TEST_SUITE("minimize")

TEST_SUITE("rates") {

TEST_CASE("descent with 1 / L meets the bounds of the theory") {
  // f(x_k) - f* <= L |x_0 - x*|^2 / (2 k) for a convex function, and (1 - mu / L)^k times the first
  // difference for a strongly convex one (Nesterov 2004, theorems 2.1.14 and 2.1.15).
  const problems::Quadratic problem{.size = 5, .condition = 20};
  const auto start = problem.start();
  std::vector<double> values;
  const auto found = minimize(problem, start, GradientDescent{InverseLipschitz{}},
                              {.iterations = 100}, {.report = [&](const Progress& p) {
                                if (p.iteration > 0)
                                  CHECK_AGREES(close(p.step, 1 / problem.lipschitz(), 1e-5));
                                values.push_back(p.value);
                                return true;
                              }});
  const double rate = 1 - problem.convexity() / problem.lipschitz();
  for (std::size_t k = 1; k < values.size(); ++k) {
    CHECK(values[k] <= values[k - 1]);
    CHECK(values[k] <= problem.lipschitz() * 5 / (2 * double(k)));
    CHECK(values[k] <= std::pow(rate, double(k)) * values[0] * (1 + 1e-12));
  }
  // Above 2 / L it diverges.
  const auto away =
      minimize(problem, start, GradientDescent{FixedStep{.step = 2.1}}, {.iterations = 1000});
  CHECK(away.value > values[0]);
}

}  // TEST_SUITE("rates")
