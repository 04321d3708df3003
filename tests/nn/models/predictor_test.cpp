// SPDX-License-Identifier: BSD-3-Clause
// Predictions of model files: what the model gives, and what is done with rows unlike the training.
#include "ebb/nn/models/predictor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <sstream>
#include <thread>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/features.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/nn/models/model_file.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/models/flats.hpp"

using namespace ebb;
using ebb::test::close;
using ebb::test::flats;
using ebb::test::Folder;
using ebb::test::message_of;
using ebb::test::same_bits;
using Numbers = Array<double>;

namespace {

/// The rows of a table, as a caller of single rows makes them.
std::vector<std::vector<double>> rows_of(const nn::Predictor& predictor,
                                         const data::Table<double>& table) {
  std::vector<std::vector<double>> rows(std::size_t(table.rows()));
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    for (const nn::FeatureProfile& feature : predictor.features()) {
      const double x = table.column(feature.name)[i];
      rows[std::size_t(i)].push_back(
          feature.kind == data::Kind::numeric
              ? x
              : predictor.code(feature.name, table.level(i, feature.name)));
    }
  }
  return rows;
}

data::Table<double> complete() {
  return flats<double>().filter(
      [](std::int64_t row) { return !flats<double>().level(row, "zone").empty(); });
}

/// Saves a fitted model, and opens it.
template <class Estimator>
nn::Predictor opened(const nn::TableModel<Estimator>& model,
                     const nn::PredictorOptions& options = {}) {
  const Folder folder;
  nn::save_model(folder.path("m"), model, complete());
  return nn::Predictor(folder.path("m"), options);
}

template <class Estimator>
nn::TableModel<Estimator> fitted(Estimator estimator, const std::string& target) {
  nn::TableModel<Estimator> model(std::move(estimator));
  model.fit(complete(), target);
  return model;
}

/// One flat.
data::Table<double> flat(double area, double price, const std::string& zone) {
  return data::Table<double>({{"price"}, {"area"}}, Numbers::of({{price, area}}))
      .with("zone", std::vector<std::string>{zone});
}

template <class Estimator>
void check_same(Estimator estimator, const std::string& target) {
  CAPTURE(estimator.name());
  const auto model = fitted(std::move(estimator), target);
  const nn::Predictor predictor = opened(model);
  CHECK(predictor.is_flat());
  const auto expected = predictor.predict(complete());
  if constexpr (std::same_as<typename Estimator::Target, nn::Targets>)
    CHECK_AGREES(same_bits(expected, model.predict(complete())));
  const auto rows = rows_of(predictor, complete());
  for (std::size_t i = 0; i < rows.size(); ++i)
    CHECK(predictor.predict(rows[i]) == expected[std::int64_t(i)]);
}

}  // namespace

TEST_SUITE("predictors") {

TEST_CASE("tables and rows have the predictions of the model, to the bit") {
  check_same(nn::LinearRegression(), "price");
  check_same(nn::HuberRegressor(), "price");
  check_same(nn::PoissonRegressor(), "price");
  check_same(nn::LogisticRegression(), "rented");
  check_same(nn::LogisticRegression(), "zone");
  check_same(nn::LinearSVM(), "zone");
}

TEST_CASE("rows of any digits have the bits of a table") {
  Stream stream(3);
  auto numbers = Numbers::uninitialized({200, 4});
  for (double& e : std::span(numbers.mutate(), 800)) e = stream.normal();
  for (std::int64_t i = 0; i < 200; i += 7) numbers.mutate()[4 * i + i % 3] = NAN;
  const data::Table<double> table({{"a"}, {"b"}, {"c"}, {"y"}}, numbers);
  nn::TableModel model(nn::Ridge{});
  model.fit(table, "y");
  const Folder folder;
  nn::save_model(folder.path("m"), model, table);
  const nn::Predictor predictor(folder.path("m"));
  const Numbers expected = model.predict(table);
  const auto rows = rows_of(predictor, table);
  for (std::size_t i = 0; i < rows.size(); ++i)
    CHECK(predictor.predict(rows[i]) == expected[std::int64_t(i)]);
}

TEST_CASE("words and probabilities are those of the model") {
  for (const char* target : {"rented", "zone"}) {
    const auto model = fitted(nn::LogisticRegression(), target);
    const nn::Predictor predictor = opened(model);
    CHECK(predictor.is_classifier());
    CHECK(predictor.predict_words(complete()) == model.predict(complete()));
    const Numbers p = model.predict_proba(complete());
    CHECK_AGREES(same_bits(predictor.predict_proba(complete()), p));
    const auto rows = rows_of(predictor, complete());
    const auto classes = predictor.model().class_names.size();
    auto single = Numbers::zeros(p.shape());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      predictor.predict_proba(rows[i], std::span(single.mutate() + i * classes, classes));
      CHECK(predictor.predict_word(rows[i]) == predictor.predict_words(complete())[i]);
    }
    // The exponential of a row is that of the C library, which rounds at most a few digits apart.
    CHECK_AGREES(close(single, p, 1e-13));
  }
}

TEST_CASE("float tables have the predictions of their numbers") {
  const auto model = fitted(nn::Ridge(), "price");
  const nn::Predictor predictor = opened(model);
  CHECK_AGREES(same_bits(predictor.predict(flats<float>()), predictor.predict(flats<double>())));
}

TEST_CASE("a pipeline of other steps goes the way of tables") {
  const auto check = [](data::Pipeline pipeline, bool is_flat) {
    nn::TableModel model(nn::Ridge(), std::move(pipeline));
    model.fit(complete(), "price");
    const nn::Predictor predictor = opened(model);
    CHECK(predictor.is_flat() == is_flat);
    const auto expected = model.predict(complete());
    const auto rows = rows_of(predictor, complete());
    for (std::size_t i = 0; i < rows.size(); ++i)
      CHECK(predictor.predict(rows[i]) == expected[std::int64_t(i)]);
  };
  using data::Unknown;
  check({data::Impute(), data::MinMax(), data::OneHot()}, false);
  check({data::Impute({.mark = true}), data::OneHot()}, false);
  check({data::OneHot({.drop_first = true}), data::Impute(), data::Robust()}, true);
  check({data::Impute({.strategy = data::Strategy::most_frequent}), data::OneHot(),
         data::Standardize(), data::Standardize()},
        true);
  check({data::Impute({.strategy = data::Strategy::median}),
         data::OneHot({.unknown = Unknown::level, .missing = Unknown::level})},
        true);
}

TEST_CASE("columns are found by name, and others are counted or refused") {
  const auto model = fitted(nn::Ridge(), "price");
  const auto turned = complete().select({"rented", "zone", "area"});
  const auto more = turned.with("colour", Numbers::zeros({13, 1}));
  const nn::Predictor predictor = opened(model);
  const Numbers expected = model.predict(complete());
  CHECK_AGREES(same_bits(predictor.predict(turned), expected));
  CHECK(predictor.warnings().extra_columns == 0);
  CHECK_AGREES(same_bits(predictor.predict(more), expected));
  CHECK(predictor.warnings().extra_columns == 1);
  // Levels in another order have the codes of the file.
  const auto reordered = turned.with("zone",
                                     [&] {
                                       std::vector<std::string> words;
                                       for (std::int64_t i = 0; i < turned.rows(); ++i)
                                         words.push_back(turned.level(i, "zone"));
                                       return words;
                                     }(),
                                     {"south", "west", "north", "east"});
  CHECK_AGREES(same_bits(predictor.predict(reordered), expected));
  CHECK(predictor.warnings().unknown_level == 0);
  const nn::Predictor refusing = opened(model, {.extra_columns = nn::Policy::error});
  CHECK(message_of<ArgumentError>([&] { refusing.predict(more); }).find("\"colour\"") !=
        std::string::npos);
  CHECK_AGREES(same_bits(refusing.predict(complete()), expected));
}

TEST_CASE("what is not filled in a row is missing") {
  const auto model = fitted(nn::LogisticRegression(), "rented");
  const auto predictor = opened(model), refusing = opened(model, {.missing = nn::Policy::error});
  const std::vector<double> row = predictor.row();
  CHECK(row.size() == predictor.features().size());
  CHECK(std::all_of(row.begin(), row.end(), [](double x) { return std::isnan(x); }));
  CHECK(std::isnan(predictor.code("zone", "")));
  CHECK_THROWS_AS(refusing.predict(row), ArgumentError);
  predictor.predict(row);
  std::ostringstream text;
  text << predictor.warnings();
  CHECK(text.str() == "0 out of range, " + std::to_string(row.size()) +
                          " missing, 0 of unknown levels, 0 extra columns");
}

TEST_CASE("what is out of the training range is refused, taken or clamped") {
  const auto model = fitted(nn::LogisticRegression(), "rented");
  const auto far = flat(500, 200, "north"), edge = flat(150, 200, "north");
  const auto refusing = opened(model, {.out_of_range = nn::Policy::error});
  const std::string message = message_of<ArgumentError>([&] { refusing.predict(far); });
  CHECK(message == "Predictor: \"area\" of row 0 is 500; the training rows have 50 to 150");
  CHECK(refusing.rows() == 0);
  CHECK(refusing.warnings().out_of_range == 0);
  CHECK(refusing.drift().features[0].rows == 0);
  const auto clamping = opened(model, {.out_of_range = nn::Policy::clamp});
  CHECK_AGREES(same_bits(clamping.predict_proba(far), model.predict_proba(edge)));
  CHECK(clamping.warnings().out_of_range == 1);
  const auto warning = opened(model);
  CHECK_AGREES(same_bits(warning.predict_proba(far), model.predict_proba(far)));
  CHECK(warning.warnings().out_of_range == 1);
  CHECK(warning.warnings().missing == 0);
  for (const nn::Predictor* predictor : {&refusing, &clamping, &warning}) {
    CHECK(message_of<ArgumentError>([&] {
            predictor->predict(flat(HUGE_VAL, 200, "north"));
          }).find("is infinite") != std::string::npos);
    const auto row = rows_of(*predictor, far)[0];
    if (predictor == &refusing) {
      CHECK(message_of<ArgumentError>([&] { predictor->predict(row); }) == message);
    } else {
      CHECK(predictor->predict(row) == predictor->predict(far)[0]);
    }
  }
}

TEST_CASE("missing values and new levels are refused or counted") {
  const auto model = fitted(nn::LogisticRegression(), "rented");
  const auto none = flat(NAN, 200, ""), other = flat(80, 200, "west");
  const auto refusing =
      opened(model, {.missing = nn::Policy::error, .unknown_level = nn::Policy::error});
  CHECK(message_of<ArgumentError>([&] { refusing.predict(none); }).find("is missing") !=
        std::string::npos);
  CHECK(message_of<ArgumentError>([&] { refusing.predict(other); }).find("\"west\"") !=
        std::string::npos);
  CHECK(message_of<ArgumentError>([&] {
          refusing.predict(rows_of(refusing, other)[0]);
        }).find("level") != std::string::npos);
  const auto warning = opened(model);
  CHECK_AGREES(same_bits(warning.predict_proba(none), model.predict_proba(none)));
  CHECK_AGREES(same_bits(warning.predict_proba(other), model.predict_proba(other)));
  CHECK(warning.predict(rows_of(warning, other)[0]) == warning.predict(other)[0]);
  CHECK(warning.warnings().missing == 2);
  CHECK(warning.warnings().unknown_level == 3);
  CHECK(warning.drift().features[2].unknown == 3);
  CHECK(warning.drift().features[2].missing == 1);
  CHECK(warning.rows() == 4);
}

TEST_CASE("misuse says what to do") {
  const Folder folder;
  nn::save_model(folder.path("m"), fitted(nn::Ridge(), "price"), complete());
  CHECK(message_of<ArgumentError>([&] {
          nn::Predictor(folder.path("m"), {.missing = nn::Policy::clamp});
        }).find("error or warn") != std::string::npos);
  nn::Predictor predictor(folder.path("m"));
  const std::vector<double> row{80, 0, 0};
  CHECK(message_of<ShapeError>([&] {
          predictor.predict(std::vector<double>{1});
        }).find("takes 3") != std::string::npos);
  CHECK(message_of<ArgumentError>([&] {
          predictor.predict(std::vector<double>{80, 7, 0});
        }).find("no code of a level") != std::string::npos);
  CHECK(message_of<ArgumentError>([&] {
          predictor.predict(std::vector<double>{80, 0.5, 0});
        }).find("no code of a level") != std::string::npos);
  CHECK(message_of<ArgumentError>([&] { predictor.predict_word(row); }).find("no classes") !=
        std::string::npos);
  CHECK(message_of<ArgumentError>([&] { predictor.position("aera"); }).find("area, zone, rented") !=
        std::string::npos);
  CHECK(message_of<ArgumentError>([&] {
          static_cast<void>(predictor.code("area", "x"));
        }).find("no levels") != std::string::npos);
  CHECK(message_of<ArgumentError>([&] {
          predictor.predict(complete().drop({"zone"}));
        }).find("no column \"zone\"") != std::string::npos);
  CHECK(message_of<ArgumentError>([&] {
          predictor.predict(complete().with("zone", Numbers::zeros({13, 1})));
        }).find("takes categories") != std::string::npos);
  const nn::Predictor blind(folder.path("m"), {.watch = false});
  blind.predict(row);
  CHECK(message_of<ArgumentError>([&] { blind.drift(); }).find("watch") != std::string::npos);
  CHECK(blind.rows() == 1);
}

}  // TEST_SUITE("predictors")

TEST_SUITE("predictor threads") {

TEST_CASE("many threads may predict at once, and all rows are counted") {
  const auto check = [](const nn::Predictor& predictor) {
    const auto rows = rows_of(predictor, complete());
    const auto table = complete();
    const double expected = predictor.predict(rows[0]), of_table = predictor.predict(table)[0];
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) wrong += predictor.predict(rows[0]) != expected;
        for (int i = 0; i < 20; ++i) wrong += predictor.predict(table)[0] != of_table;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    // One, 2000 of each thread, and 81 times the 13 of the table.
    CHECK(predictor.rows() == 8001 + 81 * 13);
    CHECK(predictor.drift().features[0].rows == 8001 + 81 * 13);
  };
  check(opened(fitted(nn::Ridge(), "price")));
  check(opened(fitted(nn::MLPRegressor({.hidden = {5}, .dropout = 0.1, .epochs = 1}), "price")));
}

}  // TEST_SUITE("predictor threads")

TEST_SUITE("drift") {

TEST_CASE("the index and the distance are those of their formulas") {
  nn::FeatureProfile training;
  training.name = "age";
  training.edges = {1, 2};
  training.counts = {50, 30, 20};
  training.missing = 10;
  // With half a row more in each of the four bins: 50.5, 30.5, 20.5 and 10.5 of 112.
  const auto drift = nn::drift_of(training, {20, 30, 50, 100, 0});
  double psi = 0;
  const double p[] = {50.5 / 112, 30.5 / 112, 20.5 / 112, 10.5 / 112};
  const double q[] = {20.5 / 202, 30.5 / 202, 50.5 / 202, 100.5 / 202};
  for (int i = 0; i < 4; ++i) psi += (q[i] - p[i]) * std::log(q[i] / p[i]);
  // Sums of four numbers, in the same order.
  CHECK_AGREES(close(drift.psi, psi, 1e-14));
  CHECK_AGREES(close(drift.ks, 0.3, 1e-15));
  CHECK(drift.rows == 200);
  CHECK(drift.missing == 100);
  const auto same = nn::drift_of(training, {50, 30, 20, 10, 0});
  CHECK(same.psi == 0);
  CHECK(same.ks == 0);
  CHECK_THROWS_AS(static_cast<void>(nn::drift_of(training, {1, 2})), ArgumentError);
}

TEST_CASE("an alarm needs enough rows, and one of the two numbers") {
  nn::FeatureProfile training;
  training.edges = {1};
  training.counts = {500, 500};
  CHECK_FALSE(nn::drift_of(training, {0, 499, 0, 0}).alarm);
  CHECK(nn::drift_of(training, {0, 500, 0, 0}).alarm);
  CHECK_FALSE(nn::drift_of(training, {275, 225, 0, 0}).alarm);
  CHECK(nn::drift_of(training, {310, 190, 0, 0}).alarm);  // of KS 0.12 alone
  CHECK_FALSE(nn::drift_of(training, {310, 190, 0, 0}, {.ks = 0.15}).alarm);
  CHECK(nn::drift_of(training, {300, 300, 400, 0}).alarm);  // of the missing alone
  training.kind = data::Kind::categorical;
  training.levels = {"a", "b"};
  training.edges = {};
  CHECK(std::isnan(nn::drift_of(training, {310, 190, 0, 0}).ks));
  CHECK_FALSE(nn::drift_of(training, {310, 190, 0, 0}).alarm);
  CHECK(nn::drift_of(training, {310, 190, 0, 300}).alarm);
}

TEST_CASE("a predictor has no alarm for rows of the training, and one for others") {
  nn::Predictor predictor = opened(fitted(nn::Ridge(), "price"), {.drift = {.minimum_rows = 100}});
  for (int i = 0; i < 10; ++i) predictor.predict(complete());
  CHECK_FALSE(predictor.drift().alarm());
  nn::Predictor other = opened(fitted(nn::Ridge(), "price"), {.drift = {.minimum_rows = 100}});
  const std::vector<double> row{140, 0, 0};
  for (int i = 0; i < 200; ++i) other.predict(row);
  CHECK(other.drift().alarm());
  CHECK(other.drift().features[0].alarm);
  predictor.merge(other);
  CHECK(predictor.rows() == 330);
  CHECK(predictor.drift().features[0].rows == 330);
  CHECK(predictor.drift().alarm());
  predictor.reset();
  CHECK(predictor.rows() == 0);
  CHECK_FALSE(predictor.drift().alarm());
  CHECK(predictor.drift().features[0].rows == 0);
  const nn::Predictor classes = opened(fitted(nn::LinearSVM(), "rented"));
  CHECK_THROWS_AS(predictor.merge(classes), ArgumentError);
}

}  // TEST_SUITE("drift")
