// SPDX-License-Identifier: BSD-3-Clause
// Networks as estimators: against training by hand, and against linear models in closed form.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/files/state.hpp"
#include "ebb/data/sets/synthetic.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/models/cross_validation.hpp"
#include "ebb/nn/models/linear/classifiers.hpp"
#include "ebb/nn/models/linear/regressors.hpp"
#include "ebb/nn/models/networks/mlp.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/models/classes.hpp"
#include "ebb/tests/nn/models/flats.hpp"

using namespace ebb;
using nn::MLPClassifier;
using nn::MLPRegressor;
using nn::NetworkSolver;
using test::close;
using test::clouds;
using test::message_of;
using test::Numbers;
using test::Positions;
using test::same_bits;

namespace {

struct Curve {
  Numbers x, y;
};

/// A curve of two features, and noise.
Curve curve(std::int64_t n, std::uint64_t seed = 3) {
  Stream stream(seed);
  Curve rows{Numbers::uninitialized({n, 2}), Numbers::uninitialized({n})};
  for (std::int64_t i = 0; i < n; ++i) {
    const double a = 2 * stream.uniform() - 1, b = 2 * stream.uniform() - 1;
    rows.x.mutate()[2 * i] = a;
    rows.x.mutate()[2 * i + 1] = b;
    rows.y.mutate()[i] = std::sin(3 * a) + b * b + 0.05 * stream.normal();
  }
  return rows;
}

/// A fit that ends where the gradient is almost 0.
template <class Options>
Options exact(std::vector<std::int64_t> hidden, double l2) {
  Options options;
  options.hidden = std::move(hidden);
  options.activation = nn::Activation::tanh;
  options.solver = NetworkSolver::lbfgs;
  options.l2 = l2;
  options.epochs = 5000;
  options.tolerance = 1e-8;
  return options;
}

Numbers ends(const std::vector<double>& losses) {
  return Numbers::of({losses.front(), losses.back()});
}

}  // namespace

TEST_SUITE("networks as estimators") {

TEST_CASE("networks learn what linear models cannot") {
  const auto moons = data::make_moons<double>(300, {.noise = 0.1});
  MLPClassifier model({.hidden = {16, 16}, .batch_size = 32, .learning_rate = 1e-2, .epochs = 100});
  model.fit(moons.x, moons.y);
  const auto fresh = data::make_moons<double>(300, {.noise = 0.1, .seed = 5});
  nn::LogisticRegression linear;
  linear.fit(moons.x, moons.y);
  CHECK(linear.score(fresh.x, fresh.y) < 0.92);
  CHECK(model.score(fresh.x, fresh.y) > 0.98);
  CHECK(model.metric("log_loss", fresh.x, fresh.y) < 0.1);
  CHECK(model.losses.back() < 0.2 * model.losses.front());

  const Curve train = curve(400), held_out = curve(200, 4);
  MLPRegressor curved(exact<nn::MLPRegressorOptions>({12}, 1e-4));
  curved.options.epochs = 200;
  curved.fit(train.x, train.y);
  nn::LinearRegression line;
  line.fit(train.x, train.y);
  CHECK(line.score(held_out.x, held_out.y) < 0.9);
  CHECK(curved.score(held_out.x, held_out.y) > 0.98);
  CHECK(curved.metric("mae", held_out.x, held_out.y) < 0.1);
}

TEST_CASE("a fit is the training loop that its parts make by hand") {
  const Positions y = clouds().y;
  const Numbers x = clouds().x;
  const double l2 = 0.01;
  MLPClassifier model({.hidden = {5},
                       .activation = nn::Activation::silu,
                       .l2 = l2,
                       .batch_size = 40,
                       .learning_rate = 0.02,
                       .epochs = 3,
                       .seed = 9});
  model.fit(x, y);

  Stream stream(9);
  nn::Linear<double> first(2, 5, stream), second(5, 3, stream);
  Parameters all = parameters(first);
  for (const Parameter& parameter : parameters(second)) all.push_back(parameter);
  optim::Optimizer optimizer(all, optim::Adam{.learning_rate = 0.02});
  data::Loader loader(data::TensorDataset(x, y), {.batch_size = 40, .seed = 9});
  std::vector<double> losses;
  for (int epoch = 0; epoch < 3; ++epoch) {
    double total = 0;
    for (const auto& [inputs, labels] : loader) {
      Tape tape;
      const auto loss = cross_entropy(second(silu(first(inputs))), labels) +
                        0.5 * l2 * (sum(square(first.weight)) + sum(square(second.weight)));
      total += loss.item() * double(labels.size());
      backward(loss);
      optimizer.step();
      optimizer.zero_grad();
    }
    losses.push_back(total / 150);
  }
  REQUIRE(model.losses.size() == 3);
  CHECK_AGREES(close(ends(model.losses), ends(losses), 1e-12));
  const auto decisions = second(silu(first(x))).array();
  // The weights of the best epoch, which is the last one here.
  CHECK_AGREES(close(model.decision_function(x), decisions, 1e-10));
  CHECK(model.solution.iterations == 3);
  CHECK(model.solution.value == model.losses.back());
}

TEST_CASE("without a hidden layer they are the linear models") {
  const auto rows = clouds();
  MLPClassifier softmax(exact<nn::MLPClassifierOptions>({}, 0.1));
  nn::LogisticRegression linear({.l2 = 0.1});
  Numbers weights = Numbers::full({150}, 1.0);
  for (std::int64_t i = 0; i < 150; i += 4) weights.mutate()[i] = 3;
  softmax.fit(rows.x, rows.y, {.weights = weights});
  linear.fit(rows.x, rows.y, {.weights = weights});
  CHECK_AGREES(close(softmax.predict_proba(rows.x), linear.predict_proba(rows.x), 1e-5, 1e-6));
  CHECK(softmax.score(rows.x, rows.y, {.weights = weights}) ==
        linear.score(rows.x, rows.y, {.weights = weights}));
  CHECK_AGREES(close(softmax.solution.value, linear.solution.value, 1e-7));
  CHECK(softmax.warning.empty());

  Positions two = rows.y;
  for (std::int64_t& c : std::span(two.mutate(), 150)) c = c == 1;
  softmax.options.balanced = linear.options.balanced = true;
  softmax.fit(rows.x, two);
  linear.fit(rows.x, two);
  CHECK(softmax.decision_function(rows.x).shape() == Shape{150});
  CHECK_AGREES(close(softmax.predict_proba(rows.x), linear.predict_proba(rows.x), 1e-5, 1e-6));

  // Targets in any unit: the penalty is that of targets with deviation 1, as is the loss.
  const Curve line = curve(100);
  const Numbers y = (line.y * 1000.0 + 5000.0).array();
  MLPRegressor network(exact<nn::MLPRegressorOptions>({}, 0.05));
  network.fit(line.x, y);
  nn::Ridge ridge({.l2 = 0.05});
  ridge.fit(line.x, y);
  CHECK_AGREES(close(network.predict(line.x), ridge.predict(line.x), 1e-6));
}

TEST_CASE("a weight of 2 is a row twice, and one of 0 is none") {
  const Curve all = curve(40);
  std::vector<std::int64_t> twice, without;
  Numbers two = Numbers::full({40}, 1.0), none = two;
  for (std::int64_t i = 0; i < 40; ++i) {
    twice.push_back(i);
    if (i % 4 == 0) {
      twice.push_back(i);
      two.mutate()[i] = 2;
      none.mutate()[i] = 0;
    } else {
      without.push_back(i);
    }
  }
  const nn::Features x(all.x);
  const nn::Targets y(all.y);
  MLPRegressor a(exact<nn::MLPRegressorOptions>({4}, 0.01)), b = a;
  a.fit(x, y, {.weights = two});
  b.fit(x.rows(twice), y.rows(twice));
  CHECK_AGREES(close(a.predict(x), b.predict(x), 1e-4, 1e-4));
  a.options = b.options = {.hidden = {4}, .batch_size = 7, .epochs = 3, .seed = 2};
  a.fit(x, y, {.weights = none});
  b.fit(x.rows(without), y.rows(without));
  CHECK_AGREES(close(a.predict(x), b.predict(x), 1e-12));
}

TEST_CASE("an equal seed gives equal bits, and a copy is a model of its own") {
  const auto rows = clouds();
  for (const auto solver : {NetworkSolver::adam, NetworkSolver::sgd}) {
    MLPClassifier model({.hidden = {8, 4},
                         .solver = solver,
                         .dropout = 0.2,
                         .epochs = 5,
                         .early_stopping = true,
                         .seed = 4});
    MLPClassifier again = model, other = model;
    other.options.seed = 5;
    model.fit(rows.x, rows.y);
    static_cast<void>(default_stream().uniform());  // which has no part in it
    again.fit(rows.x, rows.y);
    other.fit(rows.x, rows.y);
    const auto decisions = model.decision_function(rows.x);
    CHECK_AGREES(same_bits(again.decision_function(rows.x), decisions));
    CHECK_FALSE(same_bits(other.decision_function(rows.x), decisions).holds);
    MLPClassifier copy = model;
    copy = again;
    copy.network.layers[0].get<nn::Linear<double>>()->weight.set_value(Numbers::zeros({8, 2}));
    CHECK_AGREES(same_bits(again.decision_function(rows.x), decisions));
    CHECK_FALSE(same_bits(copy.decision_function(rows.x), decisions).holds);
  }
}

TEST_CASE("many rows have the predictions of few") {
  const Curve rows = curve(1200);
  MLPRegressor model({.hidden = {3}, .epochs = 1});
  model.fit(rows.x, rows.y);
  const nn::Features x(rows.x);
  const Numbers all = model.predict(x);
  for (const std::int64_t i : {0, 511, 512, 1023, 1024, 1199}) {
    const std::int64_t one[] = {i};
    CHECK_AGREES(close(model.predict(x.rows(one))[0], all[i], 1e-12, 1e-14));
  }
}

TEST_CASE("early stopping keeps the weights that did best on rows put aside") {
  const auto rows = clouds();
  MLPClassifier model({.hidden = {64},
                       .batch_size = 16,
                       .learning_rate = 0.05,
                       .tolerance = 0,
                       .patience = 4,
                       .early_stopping = true,
                       .validation = 0.2});
  model.fit(rows.x, rows.y);
  CHECK(model.warning.empty());
  CHECK(model.solution.converged);
  CHECK(model.solution.reason == "the validation loss got no better for 4 epochs");
  REQUIRE(model.validation_losses.size() == model.losses.size());
  CHECK(model.losses.size() < 200);
  const auto best =
      std::min_element(model.validation_losses.begin(), model.validation_losses.end());
  CHECK(model.validation_losses.end() - best == 5);
  CHECK(model.solution.value == *best);
  model.options.early_stopping = false;
  model.options.patience = 3;
  model.fit(rows.x, rows.y);
  CHECK(model.validation_losses.empty());
  CHECK(model.solution.reason == "the loss got no better for 3 epochs");
  model.options.tolerance = 10;
  model.fit(rows.x, rows.y);
  CHECK(model.losses.size() == 4);
}

TEST_CASE("steps of sgd are those of the rule with Nesterov's momentum") {
  const Curve rows = curve(30);
  for (const double momentum : {0.0, 0.8}) {
    MLPRegressor model({.hidden = {},
                        .solver = NetworkSolver::sgd,
                        .l2 = 0,
                        .batch_size = 12,
                        .learning_rate = 0.05,
                        .momentum = momentum,
                        .epochs = 2,
                        .seed = 3});
    model.fit(rows.x, rows.y);
    Stream stream(3);
    nn::Linear<double> line(2, 1, stream);
    const double mean = sum(rows.y).item() / 30;
    const double unit = std::sqrt(sum(square(rows.y - mean)).item() / 30);
    const auto z = ((rows.y - mean) / unit).array().reshape(Shape{30, 1});
    optim::Optimizer optimizer(
        line, optim::SGD{.learning_rate = 0.05, .momentum = momentum, .nesterov = momentum > 0});
    data::Loader loader(data::TensorDataset(rows.x, z), {.batch_size = 12, .seed = 3});
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (const auto& [inputs, targets] : loader) {
        Tape tape;
        backward(0.5 * mse_loss(line(inputs), targets));
        optimizer.step();
        optimizer.zero_grad();
      }
    }
    const auto expected = (line(rows.x) * unit + mean).array().reshape(Shape{30});
    CHECK_AGREES(close(model.predict(rows.x), expected, 1e-10, 1e-12));
  }
}

TEST_CASE("rows put aside are judged without dropout, and not trained on") {
  const Curve rows = curve(50);
  MLPRegressor model({.hidden = {30},
                      .dropout = 0.4,
                      .epochs = 6,
                      .early_stopping = true,
                      .validation = 0.3,
                      .seed = 8});
  model.fit(rows.x, rows.y);
  const auto parts = data::split_rows(50, {.validation = 0.3, .test = 0, .seed = 8});
  CHECK(parts.validation.size() == 15);
  const nn::Features x(rows.x);
  const nn::Targets y(rows.y);
  const double variance = [&] {
    const double mean = sum(rows.y).item() / 50;
    return sum(square(rows.y - mean)).item() / 50;
  }();
  const double loss =
      0.5 * model.metric("mse", x.rows(parts.validation), y.rows(parts.validation)) / variance;
  CHECK_AGREES(close(model.solution.value, loss, 1e-10));
}

TEST_CASE("dropout is for training alone") {
  const Curve rows = curve(60);
  MLPRegressor model({.hidden = {20}, .dropout = 0.5, .epochs = 3});
  model.fit(rows.x, rows.y);
  CHECK_AGREES(same_bits(model.predict(rows.x), model.predict(rows.x)));
  REQUIRE(model.network.layers.size() == 4);
  CHECK(model.network.layers[2].get<nn::Dropout>()->settings.p == 0.5);
}

TEST_CASE("a fit that did not end says so") {
  const Curve rows = curve(60);
  for (const auto& [solver, name] : {std::pair{NetworkSolver::adam, "adam"},
                                     {NetworkSolver::sgd, "sgd"},
                                     {NetworkSolver::lbfgs, "lbfgs"}}) {
    MLPRegressor model({.hidden = {4}, .solver = solver, .epochs = 2, .tolerance = 1e-12});
    model.fit(rows.x, rows.y);
    CHECK_FALSE(model.solution.converged);
    CHECK(model.solution.solver == name);
    CHECK(model.losses.size() == 2);
    CHECK(model.warning.starts_with(std::string("the solver ") + name + " ended with: "));
  }
}

TEST_CASE("a fit is saved, and given to an estimator that is not fitted") {
  const auto rows = clouds();
  MLPClassifier model({.hidden = {6}, .dropout = 0.1, .epochs = 4, .class_weight = {1, 2, 3}});
  std::vector<std::string> words;
  for (const std::int64_t c : rows.y) words.push_back(c == 0 ? "a" : c == 1 ? "b" : "c d");
  model.fit(rows.x, words);
  MLPClassifier again;
  const auto state = data::detail::state_of({{"model", model}});
  REQUIRE(data::detail::differences(state, {{"model", again}}).empty());
  data::detail::give_state(state, {{"model", again}});
  CHECK(again.predict_words(rows.x) == model.predict_words(rows.x));
  CHECK_AGREES(same_bits(again.predict_proba(rows.x), model.predict_proba(rows.x)));
  CHECK(again.losses == model.losses);
  CHECK(again.options.hidden == model.options.hidden);
  MLPClassifier none;
  data::detail::give_state(data::detail::state_of({{"model", none}}), {{"model", again}});
  CHECK_FALSE(again.is_fitted());

  // A text that asks for more memory than the file has is refused before it is built.
  auto broken = state;
  broken.metadata["model.network.layers"] =
      R"({"type":"Stack","layers":[{"type":"Linear","in_features":1000000000,"out_features":1000000000,"bias":true}]})";
  CHECK(message_of([&] {
          data::detail::give_state(broken, {{"model", again}});
        }).find("more weights than the") != std::string::npos);
  broken.metadata["model.network.layers"] =
      R"({"type":"Stack","layers":[{"type":"Linear","in_features":2,"out_features":1,"bias":true}]})";
  CHECK(message_of([&] {
          data::detail::give_state(broken, {{"model", again}});
        }).find("more numbers than the layers") != std::string::npos);
}

TEST_CASE("tables, cross-validation and grid searches take networks") {
  const auto table = test::flats<double>();
  nn::TableModel model(MLPClassifier({.hidden = {4}, .learning_rate = 0.05, .epochs = 100}));
  model.fit(table, "rented");
  CHECK(model.score(table) > 0.9);
  CHECK(model.predict(table)[0] == "yes");
  CHECK(model.predict_proba(table).shape() == Shape{14, 2});

  const Curve rows = curve(60);
  const MLPRegressor start(
      {.solver = NetworkSolver::lbfgs, .l2 = 0, .epochs = 30, .tolerance = 1e-3});
  const auto found = nn::grid_search(
      start,
      {{"hidden", {1, 8, std::vector<std::int64_t>{4, 4}}}, {"activation", {"identity", "tanh"}}},
      rows.x, rows.y);
  CHECK(found.points.size() == 6);
  CHECK(found.model.options.activation == nn::Activation::tanh);
  CHECK(found.model.options.hidden != std::vector<std::int64_t>{1});
  const auto hidden_of = [&](const nn::GridValue& value) {
    const auto one = nn::grid_search(start, {{"hidden", {value}}}, rows.x, rows.y, {.folds = 2});
    return one.model.options.hidden;
  };
  CHECK(hidden_of(3) == std::vector<std::int64_t>{3});
  CHECK(hidden_of(std::vector<std::int64_t>{3, 2}) == std::vector<std::int64_t>{3, 2});
  std::ostringstream text;
  text << found;
  CHECK(text.str().find("(4, 4)") != std::string::npos);
}

TEST_CASE("what does not fit is an error that says what to do") {
  const Curve rows = curve(20);
  const auto refused = [&](const nn::MLPRegressorOptions& options) {
    return message_of<ArgumentError>([&] { MLPRegressor(options).fit(rows.x, rows.y); });
  };
  CHECK(refused({.hidden = {3, 0}}) ==
        "MLPRegressor: hidden has the sizes of layers, which are at least 1");
  CHECK(refused({.l2 = -1}) == "MLPRegressor: l2 must be at least 0");
  CHECK(refused({.dropout = 1}) == "MLPRegressor: dropout must be in [0, 1)");
  CHECK(refused({.batch_size = 0}) == "MLPRegressor: batch_size must be at least 1");
  CHECK(refused({.learning_rate = 0}) == "MLPRegressor: learning_rate must be above 0");
  CHECK(refused({.momentum = 1}) == "MLPRegressor: momentum must be in [0, 1)");
  CHECK(refused({.epochs = 0}) == "MLPRegressor: epochs must be at least 1");
  CHECK(refused({.tolerance = -1}) == "MLPRegressor: tolerance must be at least 0");
  CHECK(refused({.patience = 0}) == "MLPRegressor: patience must be at least 1");
  CHECK(refused({.validation = 1}) == "MLPRegressor: validation must be in (0, 1)");
  CHECK(refused({.solver = NetworkSolver::lbfgs, .dropout = 0.1}).find("dropout must be 0") !=
        std::string::npos);
  CHECK(
      refused({.solver = NetworkSolver::lbfgs, .early_stopping = true}).find("take adam or sgd") !=
      std::string::npos);
  CHECK(
      refused({.solver = NetworkSolver::sgd, .learning_rate = 1e200}).find("scale the features") !=
      std::string::npos);
  MLPClassifier model;
  CHECK(message_of<ArgumentError>([&] { static_cast<void>(model.predict(rows.x)); }) ==
        "MLPClassifier: it is not fitted yet; call fit(x, y) before");
  model.options.epochs = 1;
  model.fit(clouds().x, clouds().y);
  const auto before = model.decision_function(rows.x);
  model.options.l2 = -1;
  CHECK_THROWS_AS(model.fit(rows.x, Positions::of({7, 8})), ShapeError);
  CHECK_THROWS_AS(model.fit(clouds().x, std::vector<std::string>(150, "x")), ArgumentError);
  CHECK_THROWS_AS(model.fit(clouds().x, clouds().y), ArgumentError);
  CHECK(model.classes.size() == 3);  // the earlier fit is whole
  CHECK_AGREES(same_bits(model.decision_function(rows.x), before));
  CHECK(message_of<ShapeError>([&] {
          static_cast<void>(model.predict(Numbers::of({{1}})));
        }).find("x has 1 columns") != std::string::npos);
}

}  // TEST_SUITE("networks as estimators")
