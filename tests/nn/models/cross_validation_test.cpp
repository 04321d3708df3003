// SPDX-License-Identifier: BSD-3-Clause
// Cross-validation and grid search, by hand and on any number of threads.
#include "ebb/nn/models/cross_validation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/nn/models/linear/classifiers.hpp"
#include "ebb/nn/models/linear/regressors.hpp"
#include "ebb/nn/models/networks/mlp.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close;
using ebb::test::message_of;
using ebb::test::same_bits;
using Numbers = Array<double>;
using Positions = Array<std::int64_t>;

namespace {

const data::Table<double>& diabetes() {
  static const auto table = data::read_csv<double>(EBB_SOURCE_DIR "/examples/data/diabetes.csv")
                                .with_target("progression");
  return table;
}

struct Rows {
  Numbers x, y;
};
Rows rows() {
  const auto [x, y, names] = diabetes().split_target();
  return {x, y};
}

/// Two classes: in nine rows of ten the first.
Rows rare() {
  Stream stream(3);
  Rows rows{Numbers::uninitialized({100, 1}), Numbers::uninitialized({100})};
  for (std::int64_t i = 0; i < 100; ++i) {
    rows.y.mutate()[i] = i % 10 == 3;
    rows.x.mutate()[i] = rows.y[i] + stream.normal();
  }
  return rows;
}

}  // namespace

TEST_SUITE("cross-validation") {

TEST_CASE("each fold is fitted on its training rows and judged by the others") {
  const auto [x, y] = rows();
  const auto found = nn::cross_validate(nn::Ridge({.l2 = 0.01}), x, y,
                                        {.folds = 4, .seed = 7, .metrics = {"mae", "r2"}});
  CHECK(found.metrics == std::vector<std::string>{"mae", "r2"});
  CHECK(found.scores.shape() == Shape{2, 4});
  const auto folds = data::k_fold(442, {.folds = 4, .seed = 7});
  double sum = 0, squares = 0;
  for (std::size_t f = 0; f < 4; ++f) {
    nn::Ridge model({.l2 = 0.01});
    const nn::Features features(x);
    const nn::Targets targets(y);
    model.fit(features.rows(folds[f].train), targets.rows(folds[f].train));
    const double mae =
        model.metric("mae", features.rows(folds[f].test), targets.rows(folds[f].test));
    CHECK(found.scores(0, std::int64_t(f)) == mae);
    CHECK(found.scores(1, std::int64_t(f)) ==
          model.score(features.rows(folds[f].test), targets.rows(folds[f].test)));
    sum += mae;
    squares += mae * mae;
  }
  CHECK_AGREES(close(found.mean(), sum / 4, 1e-15));
  CHECK_AGREES(close(found.mean("mae"), sum / 4, 1e-15));
  // A difference of squares of about 2000 that are nearly equal: it has ten digits left.
  CHECK_AGREES(close(found.deviation(), std::sqrt((squares - sum * sum / 4) / 3), 1e-9));
  std::ostringstream text;
  text << found;
  CHECK(text.str().find("mae  ") == 0);
  CHECK(text.str().find("over 4 folds\nr2") != std::string::npos);
}

TEST_CASE("folds of a classifier have its classes in proportion") {
  const auto [x, y] = rare();
  const auto found =
      nn::cross_validate(nn::LogisticRegression(), x, y, {.folds = 10, .metrics = {"recall"}});
  // Each test part has one row of the rare class, which is found or not.
  for (const double score : found.scores) CHECK((score == 0 || score == 1));
  std::vector<std::string> words;
  for (const double e : y) words.push_back(e == 1 ? "rare" : "common");
  const auto named =
      nn::cross_validate(nn::LogisticRegression(), x, words, {.folds = 10, .metrics = {"recall"}});
  CHECK_AGREES(same_bits(named.scores, found.scores));
  CHECK(nn::cross_validate(nn::LinearSVM(), x, words).metrics[0] == "accuracy");
}

TEST_CASE("the pipeline of a table model is fitted in each fold alone") {
  // One row is so far out that its fold has another mean and scale.
  auto values = diabetes().values();
  values.mutate()[0] = 1e6;
  const data::Table<double> table(diabetes().columns(), values);
  const auto fold = data::k_fold(table.rows(), {.folds = 3});
  const auto found = nn::cross_validate(nn::TableModel(nn::Ridge({.l2 = 0.5})), table,
                                        "progression", {.rows = fold});
  for (std::size_t f = 0; f < 3; ++f) {
    const auto [train, test] = data::split(table, fold[f]);
    nn::TableModel model(nn::Ridge({.l2 = 0.5}));
    model.fit(train, "progression");
    CHECK(found.scores(0, std::int64_t(f)) == model.score(test));
  }
}

TEST_CASE("a grid search finds the best options, and fits them on all rows") {
  const auto [x, y] = rows();
  const nn::CrossValidationOptions options{.folds = 3, .metrics = {"mse", "r2"}};
  const auto found =
      nn::grid_search(nn::ElasticNet(), {{"l1", {0.1, 100, 1}}, {"l2", {0, 0.001}}}, x, y, options);
  CHECK(found.options == std::vector<std::string>{"l1", "l2"});
  REQUIRE(found.scores.size() == 6);
  std::size_t best = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto value = [&](std::size_t k) { return std::get<double>(found.points[i][k].get()); };
    const auto alone =
        nn::cross_validate(nn::ElasticNet({.l1 = value(0), .l2 = value(1)}), x, y, options);
    CHECK_AGREES(same_bits(alone.scores, found.scores[i].scores));
    if (alone.mean() < found.scores[best].mean()) best = i;  // an error: less is better
  }
  CHECK(found.best == best);
  CHECK(found.best != 2);
  nn::ElasticNet model({.l1 = std::get<double>(found.points[best][0].get()),
                        .l2 = std::get<double>(found.points[best][1].get())});
  model.fit(x, y);
  CHECK_AGREES(same_bits(found.model.predict(x), model.predict(x)));
  std::ostringstream text;
  text << found;
  CHECK(text.str().find("* l1 ") != std::string::npos);
}

TEST_CASE("the best is the largest mean, of losses the least, and never NaN") {
  const auto with = [](const char* metric, double mean) {
    return nn::CrossValidation{{metric}, Numbers::of({{mean, mean}}), {"", ""}};
  };
  CHECK(nn::detail::best_of({with("r2", NAN), with("r2", -3), with("r2", 1), with("r2", 1)}) == 2);
  CHECK(nn::detail::best_of({with("mae", NAN), with("mae", 3), with("mae", 1), with("mae", 2)}) ==
        2);
}

TEST_CASE("options of any type are set, of estimators in table models too") {
  const auto [x, y] = rare();
  const auto found = nn::grid_search(
      nn::LogisticRegression(),
      {{"balanced", {false, true}}, {"solver", {"newton", "lbfgs"}}, {"iterations", {200}}}, x, y,
      {.metrics = {"balanced_accuracy"}});
  CHECK(found.points.size() == 4);
  CHECK(found.model.options.balanced);
  CHECK(found.model.options.iterations == 200);
  CHECK(found.model.options.solver == nn::Solver::newton);  // equal: the first
  const auto table =
      nn::grid_search(nn::TableModel(nn::Ridge()), {{"l2", {1e-3, 1000}}}, diabetes());
  CHECK(table.best == 0);
  CHECK(table.model.estimator.options.l2 == 1e-3);
  CHECK(table.model.score(diabetes()) > 0.5);
}

TEST_CASE("fits that do not converge are told of") {
  const auto [x, y] = rows();
  const auto found = nn::cross_validate(nn::Lasso({.l1 = 0.01, .iterations = 1}), x, y);
  CHECK(found.warnings.size() == 5);
  CHECK(found.warnings[0].find("did not come to the minimum") != std::string::npos);
  std::ostringstream text;
  text << found;
  CHECK(text.str().find("fold 0: the solver") != std::string::npos);
}

TEST_CASE("what does not fit is an error that says what to do") {
  const Numbers x = rows().x, y = rows().y;
  const auto with = [&](const nn::CrossValidationOptions& options) {
    return message_of<ArgumentError>([&] { nn::cross_validate(nn::Ridge(), x, y, options); });
  };
  CHECK(with({.threads = -1}) == "cross_validate: threads must be at least 0, not -1");
  CHECK(with({.metrics = {"auc"}}).find("Ridge: there is no metric \"auc\"") == 0);
  CHECK(with({.rows = {{{0, 1}, {}}}}) == "cross_validate: a fold has no row in one of its parts");
  CHECK(with({.rows = {{{0, 1}, {442}}}}) ==
        "cross_validate: a fold has row 442, and there are 442");
  CHECK(with({.folds = 1}) != "nothing was thrown");
  const auto search = [&](const std::vector<nn::GridAxis>& grid) {
    return message_of<ArgumentError>([&] { nn::grid_search(nn::Ridge(), grid, x, y); });
  };
  CHECK(search({{"alpha", {1}}}) ==
        "grid_search: there is no option \"alpha\"; there are l2, intercept, solver");
  CHECK(search({{"l2", {}}}) == "grid_search: there is no value for \"l2\"");
  CHECK(search({{"l2", {1}}, {"l2", {2}}}) == "grid_search: \"l2\" is in the grid twice");
  CHECK(search({{"l2", {"much"}}}) == "grid_search: the option \"l2\" must be a number, not much");
  CHECK(search({{"intercept", {2}}}) ==
        "grid_search: the option \"intercept\" must be true or false, not 2");
  CHECK(search({{"solver", {"sgd"}}}).find("\"solver\" is \"sgd\"; it may be automatic, qr") !=
        std::string::npos);
  // The error of the first fold that has one, on any number of threads.
  for (const std::int64_t threads : {1, 4}) {
    CHECK(with({.folds = 3, .metrics = {"r2", "first"}, .threads = threads}).find("\"first\"") !=
          std::string::npos);
  }
  CHECK(message_of<ArgumentError>([&] {
          static_cast<void>(nn::cross_validate(nn::Ridge(), x, y).mean("mae"));
        }) == "CrossValidation: there is no \"mae\"; there are r2");
}

}  // TEST_SUITE("cross-validation")

TEST_SUITE("cross-validation threads") {

TEST_CASE("no number of threads changes a bit, of arrays or tables") {
  const auto [x, y] = rows();
  const nn::TableModel model(nn::Lasso({.l1 = 1}));
  const auto one = nn::cross_validate(nn::Ridge(), x, y, {.repeats = 2, .threads = 1});
  const auto table = nn::cross_validate(model, diabetes(), "", {.threads = 1});
  CHECK(one.scores.shape() == Shape{1, 10});
  for (const std::int64_t threads : {0, 2, 7, 50}) {
    CHECK_AGREES(
        same_bits(nn::cross_validate(nn::Ridge(), x, y, {.repeats = 2, .threads = threads}).scores,
                  one.scores));
    CHECK_AGREES(same_bits(nn::cross_validate(model, diabetes(), "", {.threads = threads}).scores,
                           table.scores));
  }
  const nn::MLPRegressor network(
      {.hidden = {4}, .dropout = 0.1, .epochs = 2, .early_stopping = true});
  CHECK_AGREES(same_bits(nn::cross_validate(network, x, y, {.threads = 3}).scores,
                         nn::cross_validate(network, x, y, {.threads = 1}).scores));
}

}  // TEST_SUITE("cross-validation threads")
