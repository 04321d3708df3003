// SPDX-License-Identifier: BSD-3-Clause
// Estimators of tables: what they do by hand, and that nothing of held-out rows is learned.
#include "ebb/nn/models/table_model.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/state.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/data/splits/table_split.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/features.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/nn/models/linear/classifiers.hpp"
#include "ebb/nn/models/linear/regressors.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close;
using ebb::test::message_of;
using ebb::test::same_bits;
using Numbers = Array<double>;

namespace {

/// Twelve houses; one area and one zone are missing.
template <class T>
data::Table<T> houses() {
  const data::Table<T> numbers({{"area"}, {"price"}}, Array<T>::of({{80, 210},
                                                                    {120, 295},
                                                                    {60, 150},
                                                                    {95, 245},
                                                                    {140, 350},
                                                                    {T(NAN), 190},
                                                                    {110, 280},
                                                                    {55, 140},
                                                                    {70, 190},
                                                                    {100, 260},
                                                                    {130, 330},
                                                                    {90, 220}}));
  return numbers
      .with("zone", {"north", "south", "north", "east", "south", "east", "", "north", "south",
                     "east", "north", "south"})
      .with("kind", {"flat", "house", "flat", "flat", "house", "flat", "house", "flat", "flat",
                     "house", "house", "flat"});
}

const data::Fold fold{{0, 1, 2, 3, 4, 5, 6, 7, 8}, {9, 10, 11}};

}  // namespace

TEST_SUITE("table models") {

TEST_CASE_TEMPLATE("a regression of a table is the one that takes its steps by hand", T, float,
                   double) {
  const auto [train, test] = data::split(houses<T>(), fold);
  nn::TableModel model(nn::Ridge({.l2 = 0.1}));
  model.fit(train, "price");

  data::Pipeline pipeline{
      data::Impute(), data::Standardize(),
      data::OneHot({.unknown = data::Unknown::ignore, .missing = data::Unknown::ignore})};
  const auto seen = pipeline.fit_transform(train.with_target("price")).split_target();
  nn::Ridge ridge({.l2 = 0.1});
  ridge.fit(seen.x, seen.y);
  CHECK(model.features() == seen.features);
  CHECK(model.features().size() == 6);
  CHECK(model.target() == "price");
  CHECK_AGREES(same_bits(model.estimator.coefficients, ridge.coefficients));
  const auto unseen = pipeline.transform(test.with_target("price")).split_target();
  CHECK_AGREES(same_bits(model.predict(test), ridge.predict(unseen.x)));
  CHECK(model.score(test) == ridge.score(unseen.x, unseen.y));
  CHECK(model.metric("mae", test) == ridge.metric("mae", unseen.x, unseen.y));
  // Without the target, and with the columns in another order.
  CHECK_AGREES(
      same_bits(model.predict(test.select({"kind", "zone", "area"})), model.predict(test)));
  // The target that the table names.
  nn::TableModel named(nn::Ridge({.l2 = 0.1}));
  named.fit(train.with_target("price"));
  CHECK_AGREES(same_bits(named.estimator.coefficients, ridge.coefficients));
}

TEST_CASE("classes are the words of the target, and weights are those of rows") {
  const auto [train, test] = data::split(houses<double>(), fold);
  nn::TableModel model(nn::LogisticRegression({.l2 = 0.1}));
  model.fit(train, "kind");
  CHECK(model.estimator.class_names == std::vector<std::string>{"flat", "house"});
  const auto predicted = model.predict(test);
  CHECK(predicted == std::vector<std::string>{"flat", "house", "flat"});
  CHECK(model.score(test) == 2.0 / 3);
  CHECK(model.predict_proba(test).shape() == Shape{3, 2});
  // Weights of 0 and 1 are a choice of rows for the estimator; the pipeline sees all of them.
  nn::TableModel weighted(nn::LogisticRegression({.l2 = 0.1}));
  weighted.fit(train, "kind", {.weights = Numbers::of({1, 1, 1, 1, 1, 1, 1, 1, 1})});
  CHECK_AGREES(close(weighted.estimator.coefficients, model.estimator.coefficients, 1e-12));
  weighted.fit(train, "kind", {.weights = Numbers::of({5, 1, 1, 1, 1, 1, 1, 1, 1})});
  CHECK_FALSE(equal(weighted.estimator.coefficients, model.estimator.coefficients));
  // A numeric column of whole numbers has classes, too.
  const auto table = data::read_csv<double>(EBB_SOURCE_DIR "/examples/data/breast_cancer.csv");
  nn::TableModel tumours(nn::LinearSVM({.l2 = 0.1}));
  tumours.fit(table, "benign");
  CHECK(tumours.predict(table.head(1)) == std::vector<std::string>{"0"});
  CHECK(tumours.score(table) > 0.95);
}

TEST_CASE("a pipeline of one's own is copied, fitted and kept") {
  data::Pipeline pipeline{data::Polynomial({.columns = {"area"}}), data::Impute(),
                          data::Standardize(), data::Ordinal({.missing = data::Unknown::level})};
  nn::TableModel model(nn::Ridge(), pipeline);
  model.fit(houses<double>(), "price");
  CHECK_FALSE(pipeline.is_fitted());
  CHECK(model.pipeline().is_fitted());
  CHECK(model.features() == std::vector<std::string>{"area", "zone", "kind", "area^2"});
  // One that leaves holes is told so.
  nn::TableModel holes(nn::Ridge(), {data::Ordinal({.missing = data::Unknown::level})});
  CHECK(message_of<ArgumentError>([&] {
          holes.fit(houses<double>(), "price");
        }).find("column \"area\" misses 1 of 12 values") != std::string::npos);
  holes.fit(data::split(houses<double>(), data::Fold{{0, 1, 2, 3, 4}, {5}}).train, "price");
  CHECK(message_of<ArgumentError>([&] { holes.predict(houses<double>()); }) ==
        "TableModel: \"area\" of row 5 of table is missing; add data::Impute to the pipeline");
}

TEST_CASE("held-out rows are not learned from") {
  const auto part = data::split(houses<double>(), fold);
  nn::TableModel model{nn::Ridge()};
  CHECK(message_of<ArgumentError>([&] { model.fit(part.test, "price"); }).find("held-out") !=
        std::string::npos);
  model.fit(houses<double>(), "price");
  const auto all = houses<double>();
  const auto parts = data::split(all, fold);
  model.fit(all, "price");
  CHECK_THROWS_AS(static_cast<void>(model.score(parts.test)), ArgumentError);
}

TEST_CASE("a fit with its pipeline is saved, and given to a model that is not fitted") {
  nn::TableModel model(nn::LogisticRegression({.l2 = 0.1})), again{nn::LogisticRegression()};
  model.fit(houses<double>(), "kind");
  const auto state = data::detail::state_of({{"model", model}});
  REQUIRE(data::detail::differences(state, {{"model", again}}).empty());
  data::detail::give_state(state, {{"model", again}});
  CHECK(again.predict(houses<double>()) == model.predict(houses<double>()));
  CHECK(equal(again.predict_proba(houses<double>()), model.predict_proba(houses<double>())));
  CHECK(again.features() == model.features());
  CHECK(again.target() == "kind");
  nn::TableModel none{nn::Ridge()};
  data::detail::give_state(data::detail::state_of({{"model", none}}), {{"model", none}});
  CHECK_THROWS_AS(static_cast<void>(none.predict(houses<double>())), ArgumentError);
}

TEST_CASE("what does not fit is an error that says what to do, and keeps the earlier fit") {
  nn::TableModel model{nn::Ridge()};
  CHECK(message_of<ArgumentError>([&] { model.predict(houses<double>()); }) ==
        "TableModel: it is not fitted yet; call fit(table, \"target\") before");
  CHECK(message_of<ArgumentError>([&] { model.fit(houses<double>()); }) ==
        "TableModel: the table has no target; name one, as in fit(table, \"price\")");
  CHECK(message_of<ArgumentError>([&] { model.fit(houses<double>(), "cost"); }) ==
        "TableModel: table has no column \"cost\", which is the target; there are area, price, "
        "zone, kind");
  CHECK(message_of<ArgumentError>([&] { model.fit(houses<double>(), "area"); }) ==
        "TableModel: the target \"area\" of row 5 of table is missing; leave out such rows "
        "(Table::filter)");
  CHECK(message_of<ArgumentError>([&] { model.fit(houses<double>(), "kind"); }) ==
        "TableModel: the target \"kind\" of table has categories, as \"flat\"; take a classifier");
  CHECK(message_of<ArgumentError>([&] {
          model.fit(houses<double>().select({"price"}), "price");
        }) == "TableModel: table has no column but the target \"price\"");
  model.fit(houses<double>(), "price");
  const Numbers before = model.predict(houses<double>());
  CHECK_THROWS_AS(model.fit(houses<double>(), "kind"), ArgumentError);
  CHECK(equal(model.predict(houses<double>()), before));
  CHECK(
      message_of<ArgumentError>([&] { model.score(houses<double>().drop({"price"})); }) ==
      "TableModel: table has no column \"price\", which is the target; there are area, zone, kind");
}

}  // TEST_SUITE("table models")
