// SPDX-License-Identifier: BSD-3-Clause
// Model files: what is saved comes back with its bits, and what is broken is refused.
#include "ebb/nn/models/model_file.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/state.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/features.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/stack_file.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/nn/models/flats.hpp"

using namespace ebb;
using ebb::test::flats;
using ebb::test::Folder;
using ebb::test::message_of;
using ebb::test::same_bits;

namespace {

/// Whether two models have equal states, to the bit.
template <class M>
bool same_state(M a, M b) {
  const auto first = data::detail::state_of({{"model", a}});
  const auto second = data::detail::state_of({{"model", b}});
  if (first.metadata != second.metadata || first.names() != second.names()) return false;
  for (const std::string& name : first.names()) {
    const auto* x = std::get_if<Array<double>>(&first.at(name));
    if (x && !same_bits(*x, std::get<Array<double>>(second.at(name))).holds) return false;
    const auto* n = std::get_if<Array<std::int64_t>>(&first.at(name));
    if (n && !same_bits(*n, std::get<Array<std::int64_t>>(second.at(name))).holds) return false;
  }
  return true;
}

template <class Estimator>
void check_round_trip(Estimator estimator, const std::string& target) {
  CAPTURE(estimator.name());
  const auto rows = flats<double>().filter(
      [](std::int64_t row) { return !flats<double>().level(row, "zone").empty(); });
  const Folder folder;
  nn::TableModel<Estimator> model(std::move(estimator));
  model.fit(rows, target);
  nn::save_model(folder.path("m"), model, rows);
  const auto again = nn::load_model<Estimator>(folder.path("m"));
  CHECK(same_state(model, again));
  CHECK(again.predict(rows)[3] == model.predict(rows)[3]);
}

std::string read_error(const Folder& folder, const data::NamedArrays& arrays) {
  data::write_safetensors(folder.path("broken"), arrays);
  return message_of<FileError>([&] { nn::read_model(folder.path("broken")); });
}

/// A text with one part of it replaced, which must be there.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void save_flats(const std::string& path) {
  nn::TableModel model(nn::LogisticRegression({.l2 = 0.01}));
  model.fit(flats<double>(), "rented");
  nn::save_model(path, model, flats<double>(),
                 {.units = {{"area", "m2"}},
                  .bins = 4,
                  .seed = 7,
                  .metrics = {{"accuracy", 1}},
                  .saved_at = 1700000000});
}

}  // namespace

TEST_SUITE("model files") {

TEST_CASE("every estimator comes back with its bits") {
  check_round_trip(nn::LinearRegression(), "price");
  check_round_trip(nn::Ridge({.l2 = 0.1, .solver = nn::Solver::svd}), "price");
  check_round_trip(nn::Lasso({.l1 = 0.1}), "price");
  check_round_trip(nn::ElasticNet({.l1 = 0.1, .iterations = 20000}), "price");
  check_round_trip(nn::HuberRegressor({.epsilon = 1.5}), "price");
  check_round_trip(nn::PoissonRegressor({.l2 = 0.5}), "price");
  check_round_trip(nn::MLPRegressor({.hidden = {3, 2}, .epochs = 2}), "price");
  check_round_trip(nn::MLPClassifier({.hidden = {3}, .dropout = 0.1, .epochs = 2}), "zone");
  check_round_trip(
      nn::MLPClassifier({.hidden = {}, .epochs = 2, .early_stopping = true, .validation = 0.3}),
      "rented");
  check_round_trip(nn::LogisticRegression({.class_weight = {1, 2}}), "rented");
  check_round_trip(nn::LogisticRegression({.balanced = true}), "zone");
  check_round_trip(nn::LinearSVM({.intercept = false}), "rented");
}

TEST_CASE("a pipeline of one's own is in the file") {
  const Folder folder;
  nn::TableModel model(nn::Ridge(),
                       data::Pipeline{data::Impute({.mark = true}), data::MinMax(),
                                      data::OneHot({.missing = data::Unknown::level})});
  model.fit(flats<double>(), "price");
  nn::save_model(folder.path("m"), model, flats<double>());
  const auto again = nn::load_model<nn::Ridge>(folder.path("m"));
  CHECK_AGREES(same_bits(again.predict(flats<double>()), model.predict(flats<double>())));
  CHECK(again.features() == model.features());
}

TEST_CASE("a file says what the model takes and what its training rows had") {
  const Folder folder;
  save_flats(folder.path("m"));
  const nn::ModelFile file = nn::read_model(folder.path("m"));
  CHECK(file.estimator == "LogisticRegression");
  CHECK(file.ebb_version.find('.') != std::string::npos);
  CHECK(file.options.find("\"l2\":0.01") != std::string::npos);
  CHECK(file.target == "rented");
  CHECK(file.class_names == std::vector<std::string>{"no", "yes"});
  CHECK(file.seed == 7);
  CHECK(file.metrics.at("accuracy") == 1);
  CHECK(file.saved_at == 1700000000);
  REQUIRE(file.features.size() == 3);
  const nn::FeatureProfile& area = file.features[0];
  CHECK(area.name == "area");
  CHECK(area.unit == "m2");
  CHECK(area.minimum == 50);
  CHECK(area.maximum == 150);
  CHECK(area.missing == 1);
  CHECK(area.edges.size() == 3);
  CHECK(area.rows() == 14);
  // Thirteen areas in four bins of equal parts.
  for (const std::int64_t count : area.counts) CHECK((count == 3 || count == 4));
  const nn::FeatureProfile& zone = file.features[2];
  CHECK(zone.name == "zone");
  CHECK(zone.kind == data::Kind::categorical);
  CHECK(zone.levels == std::vector<std::string>{"east", "north", "south"});
  CHECK(zone.counts == std::vector<std::int64_t>{3, 5, 5});
  CHECK(zone.missing == 1);
}

TEST_CASE("bins are as many as a column has different parts") {
  nn::FeatureProfile profile;
  profile.edges = {1, 2};
  CHECK(profile.bin(0.5) == 0);
  CHECK(profile.bin(1) == 1);
  CHECK(profile.bin(1.5) == 1);
  CHECK(profile.bin(2) == 2);
  const Folder folder;
  const data::Table<double> table(
      {{"flag"}, {"one"}, {"y"}},
      Array<double>::of({{0, 3, 1}, {1, 3, 2}, {0, 3, 1}, {1, 3, 2.5}}));
  nn::TableModel model(nn::Ridge{});
  model.fit(table, "y");
  nn::save_model(folder.path("m"), model, table);
  const auto features = nn::read_model(folder.path("m")).features;
  CHECK(features[1].counts == std::vector<std::int64_t>{4});
  CHECK(features[0].counts.front() == 2);
  CHECK(features[0].counts.back() == 2);
}

TEST_CASE("the arrays have PyTorch's names and shapes") {
  const Folder folder;
  save_flats(folder.path("m"));
  const auto arrays = data::read_safetensors(folder.path("m"));
  CHECK(std::get<Array<double>>(arrays.at("weight")).shape() == Shape{1, 5});
  CHECK(std::get<Array<double>>(arrays.at("bias")).shape() == Shape{1});
}

TEST_CASE("a model that cannot be saved says why") {
  const Folder folder;
  const auto save = [&](const auto& model, const auto& table, nn::SaveModelOptions options = {}) {
    return message_of<ArgumentError>(
        [&] { nn::save_model(folder.path("m"), model, table, options); });
  };
  nn::TableModel model(nn::Ridge{});
  CHECK(save(model, flats<double>()).find("not fitted") != std::string::npos);
  model.fit(flats<double>(), "price");
  CHECK(save(model, flats<double>(), {.bins = 1}).find("bins must be") != std::string::npos);
  CHECK(save(model, flats<double>(), {.units = {{"aera", "m2"}}}).find("\"aera\"") !=
        std::string::npos);
  CHECK(save(model, flats<double>().drop({"zone"})).find("zone") != std::string::npos);
  CHECK(save(model, flats<double>(), {.units = {{"area", "\xff"}}}).find("UTF-8") !=
        std::string::npos);
  CHECK(folder.names().empty());
}

TEST_CASE("another file, version or estimator is refused by its name") {
  const Folder folder;
  data::write_safetensors(folder.path("arrays"), {{"weight", Array<double>::of({1})}});
  CHECK(message_of<FileError>([&] {
          nn::read_model(folder.path("arrays"));
        }).find("is not a model") != std::string::npos);
  nn::save_stack(folder.path("stack"), nn::Stack<float>(nn::Linear<float>(2, 1)));
  CHECK(message_of<FileError>([&] {
          nn::read_model(folder.path("stack"));
        }).ends_with(": this is a stack of layers; nn::load_stack reads it"));
  save_flats(folder.path("model"));
  CHECK(message_of<FileError>([&] { nn::load_stack<float>(folder.path("model")); })
            .ends_with(
                ": this is a model file of save_model; nn::Predictor and nn::load_model read it"));
  folder.add("text", "a,b\n1,2\n");
  CHECK(message_of<FileError>([&] { nn::read_model(folder.path("text")); }).find("text") !=
        std::string::npos);
  save_flats(folder.path("m"));
  CHECK(message_of<FileError>([&] {
          nn::load_model<nn::Ridge>(folder.path("m"));
        }).find("is a LogisticRegression, not a Ridge") != std::string::npos);
  auto arrays = data::read_safetensors(folder.path("m"));
  arrays.metadata["ebb.model"] = "3";
  CHECK(read_error(folder, arrays).find("version \"3\"") != std::string::npos);
}

TEST_CASE("a file whose parts do not fit each other is refused") {
  const Folder folder;
  save_flats(folder.path("m"));
  const auto arrays = data::read_safetensors(folder.path("m"));
  const auto refuses = [&](const char* key, const std::string& from, const std::string& to,
                           const char* what) {
    CAPTURE(to);
    auto broken = arrays;
    broken.metadata[key] = replaced(broken.metadata[key], from, to);
    const std::string message = read_error(folder, broken);
    CAPTURE(message);
    CHECK(message.find(what) != std::string::npos);
    CHECK(message.starts_with(folder.path("broken") + ":"));
  };
  refuses("model", "\"LogisticRegression\"", "\"Oracle\"", "no estimator \"Oracle\"");
  refuses("model", "\"LogisticRegression\"", "\"Ridge\"", "not known");
  refuses("model", "[\"no\",\"yes\"]", "[\"no\",\"yes\",\"maybe\"]", "classes");
  refuses("model", "[\"no\",\"yes\"]", "[]", "arrays that a model does not have");
  refuses("model", "[\"no\",\"yes\"]", "[\"no\",\"no\"]", "one name");
  refuses("model", "\"zone=east\",", "", "inputs");
  refuses("model", "\"zone=east\"", "\"zone=west\"", "other columns");
  refuses("model", "\"l2\":0.01", "\"l2\":\"much\"", "must be a number");
  refuses("schema", "\"area\"", "\"aera\"", "differ at \"area\"");
  refuses("schema", "\"minimum\":50.0", "\"minimum\":500.0", "wrong range");
  refuses("schema", "\"missing\":1", "\"missing\":-1", "wrong count");
  refuses("schema", "\"counts\":[", "\"counts\":[1,", "a count for each");
  refuses("schema", "\"missing\":1", "\"missing\":9007199254740992", "wrong count");
  refuses("schema", "[65.0,80.0,125.0]", "[65.0,125.0,80.0]", "do not ascend");
  refuses("schema", "[65.0,80.0,125.0]", "[\"NaN\",80.0,125.0]", "do not ascend");
  refuses("schema", "[65.0,80.0,125.0]", "[65.0,80.0,151.0]", "do not ascend");
  refuses("schema", "[65.0,80.0,125.0]", "[50.0,80.0,125.0]", "do not ascend");
  refuses("training", "\"accuracy\":1.0", "\"accuracy\":\"good\"", "must be a number");
  refuses("pipeline", "\"version\":1", "\"version\":9", "version 9");
  for (const char* key : {"model", "schema", "training", "pipeline", "ebb.version"}) {
    auto broken = arrays;
    broken.metadata.erase(key);
    CHECK(read_error(folder, broken).find(key) != std::string::npos);
    if (key == std::string("ebb.version")) continue;
    broken.metadata[key] = "[{\"a\":";
    CHECK(read_error(folder, broken).find("not JSON") != std::string::npos);
    broken.metadata[key] = "3";
    CHECK(read_error(folder, broken).find("must be") + 1 +
              read_error(folder, broken).find("is a JSON object") + 1 !=
          0);
  }
  const auto with = [&](const char* name, data::AnyArray array) {
    data::NamedArrays broken;
    broken.metadata = arrays.metadata;
    for (const auto& other : arrays.names())
      if (other != name) broken.add(other, arrays.at(other));
    broken.add(name, std::move(array));
    return read_error(folder, broken);
  };
  CHECK(with("weight", Array<double>::zeros({1, 4})).find("shape (1, 4)") != std::string::npos);
  CHECK(with("weight", Array<double>::zeros({2, 5})).find("\"bias\"") != std::string::npos);
  CHECK(with("weight", Array<float>::zeros({1, 5})).find("another type") != std::string::npos);
  CHECK(with("bias", Array<double>::of({NAN})).find("not finite") != std::string::npos);
  CHECK(with("classes", Array<std::int64_t>::of({1, 0})).find("ascend") != std::string::npos);
  CHECK(with("more", Array<double>::of({1})).find("does not have") != std::string::npos);
}

TEST_CASE("the first version of the format stays readable") {
  const std::string path =
      std::string(EBB_SOURCE_DIR) + "/tests/nn/models/golden/model_1.safetensors";
  const nn::ModelFile file = nn::read_model(path);
  CHECK(file.features[0].unit == "m2");
  CHECK(file.saved_at == 1700000000);
  const auto model = nn::load_model<nn::LogisticRegression>(path);
  CHECK(model.estimator.options.l2 == 0.01);
  CHECK(model.estimator.solution.converged);
  CHECK(model.predict(flats<double>())[0] == "yes");
  CHECK(model.predict(flats<double>())[1] == "no");
  // The digits that the model gave when the file was written; only exp may round differently.
  const auto p = model.predict_proba(flats<double>());
  const auto seen = Array<double>::of({p[1], p[3], p[5], p[7]});
  CHECK_AGREES(test::close(seen,
                           Array<double>::of({0.8931844929210756, 0.03169607354557074,
                                              0.99383111286855497, 0.23132963139843327}),
                           1e-13));
}

TEST_CASE("a file with any byte changed or cut off is a model or refused") {
  const Folder folder;
  save_flats(folder.path("m"));
  test::check_broken_files(folder.path("m"), 3, [](const std::string& path) {
    static_cast<void>(nn::read_model(path));
  });
}

}  // TEST_SUITE("model files")
