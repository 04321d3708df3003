// SPDX-License-Identifier: BSD-3-Clause
// The classes of classifiers, their probabilities and metrics, and what is refused.
#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/state.hpp"
#include "ebb/nn/models/linear/classifiers.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/models/classes.hpp"

using namespace ebb;
using ebb::test::breast_cancer;
using ebb::test::close;
using ebb::test::clouds;
using ebb::test::message_of;
using ebb::test::Numbers;
using ebb::test::Positions;
using ebb::test::Rows;

TEST_SUITE("classes") {

TEST_CASE("classes are words, whole numbers or truth values, and come back as such") {
  const auto x = Numbers::of({{0}, {1}, {2}, {3}, {4}, {5}});
  nn::LogisticRegression words, numbers, truth, column;
  words.fit(x, std::vector<std::string>{"low", "low", "low", "high", "high", "high"});
  CHECK(words.class_names == std::vector<std::string>{"high", "low"});
  CHECK(equal(words.classes, Positions::of({0, 1})));
  CHECK(words.predict_words(Numbers::of({{-1}, {9}})) == std::vector<std::string>{"low", "high"});
  CHECK(equal(words.predict(Numbers::of({{-1}, {9}})), Positions::of({1, 0})));
  CHECK(words.score(x, std::vector<std::string>{"low", "low", "low", "high", "high", "low"}) ==
        5.0 / 6);

  numbers.fit(x, Positions::of({10, 10, 10, -7, -7, -7}));
  CHECK(equal(numbers.classes, Positions::of({-7, 10})));
  CHECK(numbers.class_names == std::vector<std::string>{"-7", "10"});
  CHECK(equal(numbers.predict(Numbers::of({{-1}, {9}})), Positions::of({10, -7})));
  CHECK(equal(numbers.coefficients, words.coefficients));
  // A label that the fit did not have is an error of the model.
  CHECK(numbers.score(x, Positions::of({10, 10, 10, -7, -7, 3})) == 5.0 / 6);
  CHECK_THROWS_AS(
      static_cast<void>(numbers.metric("f1", x, Positions::of({10, 10, 10, -7, -7, 3}))),
      ArgumentError);

  truth.fit(x, Array<bool>::of({false, false, false, true, true, true}));
  column.fit(x, Array<float>::of({{0}, {0}, {0}, {1}, {1}, {1}}));
  CHECK(equal(truth.coefficients, column.coefficients));
  // The classes change places: both fits end within 1e-8 of the gradient.
  CHECK_AGREES(close(truth.coefficients, (-words.coefficients).array(), 1e-7));
  CHECK(equal(truth.predict(Numbers::of({{9}})), Positions::of({1})));
}

TEST_CASE("probabilities and decisions belong together") {
  const Rows two = breast_cancer(true), three = clouds();
  nn::LogisticRegression model;
  model.fit(two.x, two.y);
  const Numbers f = model.decision_function(two.x), p = model.predict_proba(two.x);
  CHECK(f.shape() == Shape{569});
  CHECK(p.shape() == Shape{569, 2});
  for (std::int64_t i = 0; i < 569; ++i) {
    CHECK(std::abs(p(i, 0) + p(i, 1) - 1) < 1e-15);
    CHECK((p(i, 1) > 0.5) == (f[i] > 0));
  }
  model.fit(three.x, three.y);
  CHECK(model.decision_function(three.x).shape() == Shape{150, 3});
  const Numbers q = model.predict_proba(three.x);
  const Positions predicted = model.predict(three.x);
  for (std::int64_t i = 0; i < 150; ++i) {
    CHECK(std::abs(q(i, 0) + q(i, 1) + q(i, 2) - 1) < 1e-15);
    for (std::int64_t c = 0; c < 3; ++c) CHECK(q(i, predicted[i]) >= q(i, c));
  }
}

TEST_CASE("classes that a plane separates have no best coefficients without a penalty") {
  const auto x = Numbers::of({{0}, {1}, {2}, {3}});
  const auto y = Positions::of({0, 0, 1, 1});
  nn::LogisticRegression model({.l2 = 0});
  model.fit(x, y);
  CHECK_FALSE(model.solution.converged);
  CHECK(model.warning.find("the classes can be separated") != std::string::npos);
  CHECK(model.score(x, y) == 1);
  model.options.l2 = 0.01;
  model.fit(x, y);
  CHECK(model.warning == "");
  nn::LogisticRegression three({.l2 = 0});
  three.fit(Numbers::of({{0, 0}, {1, 0}, {0, 1}}), Positions::of({0, 1, 2}));
  CHECK(three.warning.find("the classes can be separated") != std::string::npos);
  nn::LogisticRegression short_run({.iterations = 1});
  short_run.fit(breast_cancer(true).x, breast_cancer(true).y);
  CHECK(short_run.warning.find("as many iterations as were allowed") != std::string::npos);
}

TEST_CASE("metrics have the names of their classes") {
  const Rows rows = breast_cancer(true);
  nn::LogisticRegression model({.l2 = 0.01});
  model.fit(rows.x, rows.y);
  CHECK(model.metric("accuracy", rows.x, rows.y) == model.score(rows.x, rows.y));
  for (const char* name :
       {"balanced_accuracy", "precision", "recall", "f1", "kappa", "matthews", "auc"}) {
    CAPTURE(name);
    CHECK(model.metric(name, rows.x, rows.y) > 0.95);
    CHECK(model.metric(name, rows.x, rows.y) <= 1);
  }
  for (const char* name : {"log_loss", "brier_score", "calibration_error"}) {
    CAPTURE(name);
    CHECK(model.metric(name, rows.x, rows.y) < 0.1);
    CHECK(model.metric(name, rows.x, rows.y) > 0);
  }
  nn::LinearSVM svm;
  svm.fit(rows.x, rows.y);
  CHECK(svm.metric("auc", rows.x, rows.y) > 0.99);
  CHECK(message_of<ArgumentError>([&] {
          svm.metric("log_loss", rows.x, rows.y);
        }).find("there is no metric \"log_loss\"") != std::string::npos);
}

TEST_CASE("a fit is saved, and given to an estimator that is not fitted") {
  const Rows rows = clouds();
  nn::LogisticRegression model({.l2 = 0.1, .class_weight = {1, 2, 3}}), again;
  std::vector<std::string> words;
  for (const std::int64_t c : rows.y) words.push_back(c == 0 ? "a" : c == 1 ? "b" : "c d");
  model.fit(rows.x, words);
  const auto state = data::detail::state_of({{"model", model}});
  REQUIRE(data::detail::differences(state, {{"model", again}}).empty());
  data::detail::give_state(state, {{"model", again}});
  CHECK(again.predict_words(rows.x) == model.predict_words(rows.x));
  CHECK(equal(again.predict_proba(rows.x), model.predict_proba(rows.x)));
  CHECK(again.options.class_weight == model.options.class_weight);
  CHECK(equal(again.classes, model.classes));
  nn::LinearSVM none;
  data::detail::give_state(data::detail::state_of({{"model", none}}), {{"model", none}});
  CHECK_FALSE(none.is_fitted());
}

TEST_CASE("what does not fit is an error that says what to do") {
  const auto x = Numbers::of({{1}, {3}, {5}});
  const auto y = Positions::of({0, 1, 1});
  nn::LogisticRegression model;
  CHECK(message_of<ArgumentError>([&] { model.predict(x); }) ==
        "LogisticRegression: it is not fitted yet; call fit(x, y) before");
  CHECK(message_of<ArgumentError>([&] {
          model.fit(x, Positions::of({4, 4, 4}));
        }) ==
        "LogisticRegression: all rows have the class 4; there must be at least two classes to tell "
        "apart");
  CHECK(message_of<ShapeError>([&] {
          model.fit(x, Positions::of({0, 1}));
        }) == "LogisticRegression: x has 3 rows, and y has 2; each row needs one target");
  CHECK(message_of<ArgumentError>([&] {
          model.fit(x, Numbers::of({0, 1, 0.5}));
        }) ==
        "Labels: the class of row 2 is 0.5; classes are whole numbers, or words. For other numbers "
        "take a regressor");
  CHECK(message_of<ArgumentError>([&] {
          model.fit(x, std::vector<std::string>{"a", "", "b"});
        }) == "Labels: row 1 has no class; leave out such rows");
  model.fit(x, y);
  const Numbers before = model.coefficients;
  CHECK(message_of<ArgumentError>([&] {
          model.fit(x, Positions::of({5, 6, 5}), {.weights = Numbers::of({1, 0, 1})});
        }) == "LogisticRegression: all rows of the class 6 have the weight 0");
  CHECK(equal(model.classes, Positions::of({0, 1})));  // the earlier fit is whole
  CHECK(equal(model.coefficients, before));
  CHECK(message_of<ShapeError>([&] {
          model.predict(Numbers::of({{1, 2}}));
        }) ==
        "LogisticRegression: x has 2 columns, (1, 2); that of the fit had 1, so give the same "
        "features");
  model.options.class_weight = {1, 2, 3};
  CHECK(message_of<ArgumentError>([&] { model.fit(x, y); }) ==
        "LogisticRegression: class_weight has 3 numbers, and there are 2 classes");
  model.options.class_weight = {1, 0};
  CHECK(message_of<ArgumentError>([&] { model.fit(x, y); }) ==
        "LogisticRegression: class_weight must be above 0 and finite, not 0");
  model.options.balanced = true;
  CHECK(message_of<ArgumentError>([&] { model.fit(x, y); }) ==
        "LogisticRegression: give either balanced or class_weight");
  CHECK(message_of<ArgumentError>(
            [&] { nn::LogisticRegression({.l1 = 1, .solver = nn::Solver::newton}).fit(x, y); }) ==
        "LogisticRegression: the solver newton is not for its loss with l1; take automatic, "
        "coordinate_descent or proximal_gradient");
}

}  // TEST_SUITE("classes")
