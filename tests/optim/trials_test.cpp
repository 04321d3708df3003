// SPDX-License-Identifier: BSD-3-Clause
// Trial runs: what they find, and that they leave no trace.
#include "ebb/optim/trials.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/sets/dataset.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/minimize.hpp"
#include "ebb/optim/update.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close, ebb::test::message_of, ebb::test::same_bits;

namespace {

/// Dropout from a stream of its own and from the default one, and a count: all that a loss changes.
struct Model {
  nn::Linear<double> in = nn::Linear<double>::zeros(3, 8), out = nn::Linear<double>::zeros(8, 1);
  Stream stream{11};
  std::int64_t calls = 0;

  Model() {
    Stream start(4);
    for (auto* layer : {&in, &out}) {
      auto w = Array<double>::uninitialized(layer->weight.shape());
      for (std::int64_t i = 0; i < w.size(); ++i) w.mutate()[i] = start.normal();
      layer->weight.set_value(w);
    }
  }
  Tensor<double> operator()(const Operand<double>& x) {
    ++calls;
    return out(dropout(dropout(tanh(in(x)), 0.05, stream), 0.05, default_stream()));
  }
  void each(Parts& part) {
    part("in", in);
    part("out", out);
    part("stream", stream);
    part("calls", calls);
  }
};

/// Plain descent that does not tell its options.
struct Plain {
  double learning_rate = 0.125;
  static constexpr std::array<std::string_view, 0> states = {};
  struct Step {
    double rate;
  };
  Step prepare(std::int64_t) const { return {learning_rate}; }
  template <class V>
  static void update(const Step& s, V& w, const V& g) {
    w = w - V(s.rate) * g;
  }
};

data::TensorDataset<double> rows() {
  constexpr std::int64_t n = 64;
  auto x = Array<double>::uninitialized({n, 3});
  auto y = Array<double>::uninitialized({n, 1});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) x.mutate()[3 * i + j] = std::sin(double(7 * i + 3 * j));
    y.mutate()[i] = x[3 * i] - x[3 * i + 1];
  }
  return {x, y};
}

/// All that a trial may touch, after some training.
struct Scene {
  Model model;
  data::Loader<data::TensorDataset<double>> loader;
  auto loss() {
    return [this](const auto& x, const auto& y) { return mse_loss(model(x), y); };
  }
  Optimizer<Adam> optimizer{model, Adam{.learning_rate = 0.01}, Exponential{.rate = 0.01}};

  explicit Scene(int workers = 0)
      : loader(rows(), {.batch_size = 8, .seed = 5, .workers = workers}) {
    default_stream() = Stream(9);
    fit(loss(), optimizer, loader, {.epochs = 9, .steps = 5});
    model.in.bias.set_gradient(Array<double>::ones({8}));
  }
  /// Everything, in a comparable form.
  std::vector<double> state() {
    std::vector<double> all;
    std::vector<data::StatePart> parts = {{"model", model},
                                          {"optimizer", optimizer},
                                          {"loader", loader},
                                          {"stream", default_stream()}};
    const data::NamedArrays arrays = ebb::data::detail::state_of(parts);
    for (const std::string& name : arrays.names()) {
      std::visit(
          [&](const auto& array) {
            for (const auto x : array) all.push_back(double(x));
          },
          arrays.at(name));
    }
    for (const double g : model.in.bias.gradient()) all.push_back(g);
    all.push_back(model.out.bias.has_gradient());
    all.push_back(optimizer.groups()[0].learning_rate(3));
    return all;
  }
};

/// A line with a few rows.
struct Problem {
  Array<double> x = Array<double>::full({16, 2}, 0.5), y = Array<double>::ones({16, 1});
  nn::Linear<double> model = nn::Linear<double>::zeros(2, 1);

  auto loader() const { return data::Loader(data::TensorDataset(x, y), {.batch_size = 8}); }
  auto loss() const {
    return [this](const auto& a, const auto& b) { return mse_loss(model(a), b); };
  }
};

}  // namespace

TEST_SUITE("trials") {

TEST_CASE("leave everything bit for bit as it was, with workers or not") {
  for (const int workers : {0, 2}) {
    Scene scene(workers), other(workers);
    const auto before = scene.state();
    const auto untouched = [&] { return scene.state() == before; };
    CHECK(before.size() > 100);
    default_stream() = Stream(9, default_stream().position());
    const auto curve =
        find_learning_rate(scene.model, scene.loss(), scene.optimizer, scene.loader, {.steps = 30});
    CHECK(curve.rates.size() > 8);  // it went into another epoch
    CHECK(untouched());
    const auto result = overfit_one_batch(scene.model, scene.loss(), scene.optimizer, scene.loader,
                                          {.steps = 20, .target = 1e-9});
    CHECK(result.steps == 20);
    CHECK(untouched());
    // What comes after is what would have come.
    scene.model.in.bias.zero_grad();
    const Stream start = default_stream();
    fit(scene.loss(), scene.optimizer, scene.loader, {.epochs = 2});
    default_stream() = start;
    other.model.in.bias.zero_grad();
    fit(other.loss(), other.optimizer, other.loader, {.epochs = 2});
    CHECK_AGREES(same_bits(scene.model.in.weight.value(), other.model.in.weight.value()));
  }
}

TEST_CASE("leave everything as it was after an exception, too") {
  Scene scene;
  const auto before = scene.state();
  int calls = 0;
  const auto loss = [&](const auto& x, const auto& y) {
    if (++calls == 5) throw std::runtime_error("enough");
    return mse_loss(scene.model(x), y);
  };
  CHECK_THROWS_WITH(find_learning_rate(scene.model, loss, scene.optimizer, scene.loader), "enough");
  CHECK(scene.state() == before);
}

TEST_CASE("the rates grow by an equal ratio, and those of groups keep their proportion") {
  Variable<double> a(Array<double>::of({1})), b(Array<double>::of({1}));
  struct Both {
    Variable<double>&a, &b;
    void each(Parts& part) { part("a", a), part("b", b); }
  } model{a, b};
  Optimizer<SGD> optimizer({{{a}, {.learning_rate = 0.1}}, {{b}, {.learning_rate = 0.3}}});
  const std::vector<int> batches = {1};
  std::vector<double> rates, others;
  const auto loss = [&](int) {
    rates.push_back(optimizer.groups()[0].rule.learning_rate);
    others.push_back(optimizer.groups()[1].rule.learning_rate);
    return sum(square(a) + square(b)) * 1e-9 + 1.0;  // nothing changes much
  };
  const auto curve =
      find_learning_rate(model, loss, optimizer, batches, {.from = 1e-3, .to = 1, .steps = 31});
  CHECK(curve.rates.size() == 31);
  CHECK(curve.rates.front() == 1e-3);
  CHECK_AGREES(close(curve.rates.back(), 1, 1e-12));
  CHECK_AGREES(close(curve.rates[10], 1e-2, 1e-12));
  for (std::size_t i = 1; i < rates.size(); ++i) {
    CHECK_AGREES(close(rates[i], curve.rates[i - 1], 1e-12));
    CHECK_AGREES(close(others[i], 3 * rates[i], 1e-12));
  }
  CHECK(optimizer.groups()[1].rule.learning_rate == 0.3);
}

TEST_CASE("a rate where the loss falls is suggested, and one above 2 / L runs away") {
  // f = x^2 / 2: a step changes the loss by the factor (1 - rate)^2.
  const auto search = [](auto make) {
    struct Point {
      Variable<double> x{Array<double>::of({1})};
      void each(Parts& part) { part("x", x); }
    } model;
    auto optimizer = make(model);
    const std::vector<int> batches = {1, 2};
    return find_learning_rate(model, [&](int) { return sum(square(model.x)) * 0.5; }, optimizer,
                              batches, {.from = 1e-4, .to = 100, .steps = 121, .smoothing = 0});
  };
  const auto curve = search([](auto& model) { return Optimizer(model, SGD{}); });
  CHECK(curve.has_diverged);
  CHECK(curve.rates.back() > 2);
  CHECK(curve.suggestion > 1e-3);
  CHECK(curve.suggestion < 1);
  CHECK(curve.suggestion < curve.least);
  CHECK(curve.smoothed == curve.losses);
  // Where the loss falls fastest over the logarithm of the rate, by definition.
  std::size_t at = 0;
  for (std::size_t i = 1; i + 1 < curve.rates.size(); ++i) {
    if (curve.rates[i] == curve.suggestion) at = i;
  }
  for (std::size_t i = 1; i + 1 < curve.losses.size() && curve.rates[i] <= curve.least; ++i) {
    CHECK(curve.losses[at + 1] - curve.losses[at - 1] <= curve.losses[i + 1] - curve.losses[i - 1]);
  }
  const auto any = search([](auto& model) { return AnyOptimizer(model, "sgd"); });
  CHECK(any.losses == curve.losses);
  std::ostringstream text;
  text << curve;
  CHECK(text.str().find("the loss fell fastest there; it was least at") != std::string::npos);
  CHECK(text.str().find("ran away from") != std::string::npos);
  const auto up = search([](auto& model) { return Optimizer(model, SGD{.maximize = true}); });
  CHECK(std::isnan(up.suggestion));
  text << up;
  CHECK(text.str().find("made the loss fall") != std::string::npos);
}

TEST_CASE("the smoothed loss is a moving average without its bias") {
  Variable<double> x(Array<double>::of({1}));
  struct Point {
    Variable<double>& x;
    void each(Parts& part) { part("x", x); }
  } model{x};
  Optimizer optimizer(model, SGD{});
  const std::vector<double> batches = {3, 1};
  const auto curve = find_learning_rate(model, [&](double c) { return sum(x) * 1e-12 + c; },
                                        optimizer, batches, {.steps = 10, .smoothing = 0.75});
  CHECK_AGREES(close(curve.smoothed[0], 3, 1e-9));
  CHECK_AGREES(close(curve.smoothed[1], (0.75 * 3 + 1) / 1.75, 1e-9));
}

TEST_CASE("the suggestion lies below the rate of the least loss, and a loss may run away") {
  const auto search = [](const std::vector<double>& losses, double divergence) {
    const FindLearningRateOptions options{
        .from = 1, .to = 1e10, .steps = 11, .smoothing = 0, .divergence = divergence};
    ebb::optim::detail::LearningRateSearch steps(options);
    for (const double loss : losses) {
      if (!steps.note(loss)) break;
    }
    return steps.finish();
  };
  // It falls from 5 to 1, and faster from 9 to 2, where the rate is already too large.
  const auto curve = search({5, 4.5, 2, 1, 5, 9, 2, 3}, 100);
  CHECK_AGREES(close(curve.suggestion, 100, 1e-12));
  CHECK_AGREES(close(curve.least, 1e3, 1e-12));
  CHECK_FALSE(curve.has_diverged);
  const auto away = search({5, 4, 2, 1, 2.9, 3.1, 2}, 3);
  CHECK(away.has_diverged);
  CHECK(away.losses.back() == 3.1);
  // A log-likelihood: its distance from the least counts.
  const auto below = search({-1, -2, -3, 2.9, 3.1}, 3);
  CHECK(below.has_diverged);
  CHECK(below.losses.back() == 3.1);
  CHECK(search({1, std::numeric_limits<double>::infinity()}, 3).has_diverged);
}

TEST_CASE("a rule that does not tell its options gets its rate back") {
  Scene scene;
  Optimizer optimizer(scene.model, Plain{});
  find_learning_rate(scene.model, scene.loss(), optimizer, scene.loader);
  CHECK(optimizer.rule().learning_rate == 0.125);
}

TEST_CASE("one batch is learned, or it is said that it was not") {
  Scene scene;
  const auto good =
      overfit_one_batch(scene.model,
                        [&](const auto& x, const auto& y) {
                          return mse_loss(scene.model.out(tanh(scene.model.in(x))), y);
                        },
                        scene.optimizer, scene.loader, {.steps = 5000, .target = 0.05});
  CHECK(good.has_learned);
  CHECK(good.last <= 0.05 * good.first);
  CHECK(good.steps < 5000);
  const auto bad = overfit_one_batch(
      scene.model,
      [&](const auto&, const auto& y) {  // a loss that does not depend on the batch
        return mse_loss(scene.model.out.bias * 1e-9 + 0.0, y[0]);
      },
      scene.optimizer, scene.loader, {.steps = 10});
  CHECK_FALSE(bad.has_learned);
  CHECK(bad.steps == 10);
  const auto broken = overfit_one_batch(
      scene.model, [&](const auto& x, const auto&) { return sum(log(scene.model(x) - 1e3)); },
      scene.optimizer, scene.loader);
  CHECK(broken.diagnosis.find("log") != std::string::npos);
  std::ostringstream text;
  text << good << '\n' << bad << '\n' << broken;
  CHECK(text.str().find("the model can learn") != std::string::npos);
  CHECK(text.str().find("the model did not learn it") != std::string::npos);
}

TEST_CASE("options out of range and missing batches are refused") {
  Scene scene;
  const auto refuses = [&](const FindLearningRateOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(
        find_learning_rate(scene.model, scene.loss(), scene.optimizer, scene.loader, options),
        message, ArgumentError);
  };
  refuses({.from = 0}, "find_learning_rate: from must be above 0, not 0");
  refuses({.from = 1, .to = 1}, "find_learning_rate: to must be above from, not 1");
  refuses({.steps = 9}, "find_learning_rate: steps must be at least 10, not 9");
  refuses({.smoothing = 1}, "find_learning_rate: smoothing must be in [0, 1), not 1");
  refuses({.divergence = 1}, "find_learning_rate: divergence must be above 1, not 1");
  const std::vector<int> none;
  const auto loss = [&](int) { return sum(scene.model.in.bias * 1.0); };
  CHECK_THROWS_WITH_AS(find_learning_rate(scene.model, loss, scene.optimizer, none),
                       "find_learning_rate: there is no batch", ArgumentError);
  CHECK_THROWS_WITH_AS(overfit_one_batch(scene.model, loss, scene.optimizer, none),
                       "overfit_one_batch: there is no batch", ArgumentError);
  CHECK_THROWS_AS(overfit_one_batch(scene.model, loss, scene.optimizer, none, {.steps = 0}),
                  ArgumentError);
  const std::vector<int> one = {1};
  CHECK_THROWS_WITH_AS(
      find_learning_rate(
          scene.model, [&](int) { return sum(log(scene.model.in.bias * 0.0 - 1.0)); },
          scene.optimizer, one),
      doctest::Contains("the loss of the first batch is not finite"), ArgumentError);
  const auto two = [&](int) { return concat({scene.model.in.bias, scene.model.in.bias}); };
  const std::string text = ": the loss of a batch has shape (" +
                           std::to_string(2 * scene.model.in.bias.size()) +
                           ",) and is not a single value; reduce it by mean() or sum()";
  CHECK_THROWS_WITH_AS(find_learning_rate(scene.model, two, scene.optimizer, one),
                       ("find_learning_rate" + text).c_str(), ShapeError);
  CHECK_THROWS_WITH_AS(overfit_one_batch(scene.model, two, scene.optimizer, one),
                       ("overfit_one_batch" + text).c_str(), ShapeError);
}

TEST_CASE("a loss that is no single value is refused with its shape and the cure") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  const Array<double> before = problem.model.weight.value();
  const auto loss = [&](const auto& x, const auto& y) { return square(problem.model(x) - y); };
  CHECK(message_of<ShapeError>([&] { fit(loss, optimizer, loader); }) ==
        "fit: the loss of a batch has shape (8, 1) and is not a single value; reduce it by mean() "
        "or sum()");
  CHECK(optimizer.steps() == 0);
  CHECK(equal(problem.model.weight.value(), before));
}

TEST_CASE("where all parameters are frozen, it is that which is said") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  problem.model.weight.freeze();
  CHECK_NOTHROW(fit(problem.loss(), optimizer, loader));  // the bias is trained
  problem.model.bias.freeze();
  const std::string text =
      ": all parameters of the optimizer are frozen, so that there is nothing to train; unfreeze() "
      "makes them trainable";
  CHECK(message_of<TapeError>([&] { fit(problem.loss(), optimizer, loader); }) == "fit" + text);
  CHECK(message_of<TapeError>([&] { fit(problem.loss(), optimizer, loader, {.accumulate = 2}); }) ==
        "fit" + text);
  CHECK(message_of<TapeError>([&] {
          static_cast<void>(find_learning_rate(problem.model, problem.loss(), optimizer, loader));
        }) == "find_learning_rate" + text);
  CHECK(message_of<TapeError>([&] {
          static_cast<void>(overfit_one_batch(problem.model, problem.loss(), optimizer, loader));
        }) == "overfit_one_batch" + text);
  CHECK(
      message_of<ArgumentError>([&] { optimizer.step(); }) ==
      "Optimizer: all parameters are frozen, and get no gradient; unfreeze() makes them trainable");
  CHECK(message_of<ArgumentError>([&] {
          minimize(
              problem.model, [&] { return mse_loss(problem.model(problem.x), problem.y); },
              GradientDescent{});
        }) == "minimize: all parameters of the model are frozen; unfreeze() makes them trainable");
  problem.model.bias.unfreeze();
  CHECK(message_of<ArgumentError>([&] {
          optimizer.step();
        }).starts_with("Optimizer: no parameter has a gradient"));
  const auto other = [&](const auto& x, const auto&) { return mean(x); };
  CHECK(message_of<TapeError>([&] {
          fit(other, optimizer, loader);
        }).starts_with("backward: the output does not depend on any Variable"));
}

}  // TEST_SUITE("trials")
