// SPDX-License-Identifier: BSD-3-Clause
// Model files of networks: predictions without their type, and files that lie.
#include <doctest/doctest.h>

#include <cmath>

#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/nn/models/model_file.hpp"
#include "ebb/nn/models/predictor.hpp"
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

template <class Estimator>
nn::TableModel<Estimator> saved(const std::string& path, Estimator estimator,
                                const std::string& target) {
  nn::TableModel<Estimator> model(std::move(estimator));
  model.fit(flats<double>(), target);
  nn::save_model(path, model, flats<double>(), {.seed = 7, .saved_at = 1700000000});
  return model;
}
nn::TableModel<nn::MLPClassifier> save_flats(const std::string& path) {
  return saved(path, nn::MLPClassifier({.hidden = {3}, .learning_rate = 0.1, .epochs = 30}),
               "rented");
}

/// A file with other arrays or texts.
class Lie {
 public:
  explicit Lie(const Folder& folder) : folder_(folder) {
    save_flats(folder.path("m"));
    arrays_ = data::read_safetensors(folder.path("m"));
  }
  std::string text(const std::string& key, const std::string& from, const std::string& to) const {
    data::NamedArrays broken = arrays_;
    replace(broken, from, to, key);
    return error(broken);
  }
  std::string array(const std::string& name, data::AnyArray array) const {
    data::NamedArrays broken = without(name);
    broken.add(name, std::move(array));
    return error(broken);
  }
  std::string no_array(const std::string& name) const { return error(without(name)); }
  /// A network whose first layer takes four numbers, in its text and in its arrays.
  std::string narrow() const {
    data::NamedArrays broken = without("0.weight");
    broken.add("0.weight", Array<double>::zeros({3, 4}));
    replace(broken, "\"in_features\":5", "\"in_features\":4");
    return error(broken);
  }
  /// A network that calls itself a linear model, with the options of that.
  std::string linear() const {
    data::NamedArrays broken = arrays_;
    std::string& text = broken.metadata.at("model");
    text = text.substr(0, text.find("\"options\":")) +
           "\"options\":{\"l2\":1,\"balanced\":false,\"class_weight\":[],\"intercept\":true,"
           "\"solver\":\"newton\",\"tolerance\":1,\"iterations\":9}," +
           text.substr(text.find("\"losses\":"));
    replace(broken, "MLPClassifier", "LinearSVM");
    return error(broken);
  }

 private:
  static void replace(data::NamedArrays& in, const std::string& from, const std::string& to,
                      const std::string& key = "model") {
    std::string& text = in.metadata.at(key);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  }
  data::NamedArrays without(const std::string& name) const {
    data::NamedArrays rest;
    rest.metadata = arrays_.metadata;
    for (const auto& other : arrays_.names())
      if (other != name) rest.add(other, arrays_.at(other));
    return rest;
  }
  std::string error(const data::NamedArrays& broken) const {
    data::write_safetensors(folder_.path("broken"), broken);
    const auto message = message_of<FileError>([&] { nn::read_model(folder_.path("broken")); });
    CHECK(message.starts_with(folder_.path("broken") + ":"));
    return message;
  }

  const Folder& folder_;
  data::NamedArrays arrays_;
};

}  // namespace

TEST_SUITE("model files of networks") {

TEST_CASE("a network is used without its type, and rows have the bits of their tables") {
  const Folder folder;
  const auto model = save_flats(folder.path("m"));
  const auto table = flats<double>();
  const nn::Predictor predictor(folder.path("m"));
  CHECK(predictor.is_flat());
  CHECK(predictor.model().estimator == "MLPClassifier");
  for (const char* name : {"0.weight", "0.bias", "2.weight", "2.bias"})
    CHECK(predictor.model().state.contains(name));
  CHECK(predictor.predict_words(table) == model.predict(table));
  CHECK_AGREES(same_bits(predictor.predict_proba(table), model.predict_proba(table)));
  std::vector<double> row(3), p(2);
  row[predictor.position("area")] = 150;
  row[predictor.position("price")] = 360;
  row[predictor.position("zone")] = predictor.code("zone", "east");
  CHECK(predictor.predict_word(row) == "no");
  CHECK(predictor.predict(row) == 0);
  predictor.predict_proba(row, p);
  CHECK_AGREES(test::close(p[1], model.predict_proba(table)[19], 1e-12));

  const auto priced =
      saved(folder.path("p"), nn::MLPRegressor({.hidden = {4, 2}, .epochs = 5}), "price");
  const nn::Predictor prices(folder.path("p"));
  const std::int64_t ninth[] = {9};
  const auto one = table.rows(ninth);
  row = {150, prices.code("zone", "east"), prices.code("rented", "no")};
  REQUIRE(prices.position("rented") == 2);
  CHECK(prices.predict(row) == priced.predict(one)[0]);
  CHECK(message_of<ArgumentError>([&] { prices.predict_words(table); }).find("has no classes") !=
        std::string::npos);
  CHECK(message_of<FileError>([&] {
          nn::load_model<nn::MLPClassifier>(folder.path("p"));
        }).find("is a MLPRegressor, not a MLPClassifier") != std::string::npos);
}

TEST_CASE("a network whose parts do not fit each other is refused") {
  const Folder folder;
  const Lie lie(folder);
  const auto has = [](const std::string& text, const char* part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  has(lie.text("model", "\"out_features\":3", "\"out_features\":2"), "0.weight has shape");
  has(lie.text("model", "\"out_features\":3", "\"out_features\":1000000000000"), "more weights");
  has(lie.text("model", "\"out_features\":3", "\"out_features\":-3"), "at least one of each");
  has(lie.text("model", "\"out_features\":3", "\"out_features\":\"3\""), "must be a whole number");
  has(lie.text("model", "\"ReLU\"", "\"Relu\""), "there is no layer \"Relu\"");
  has(lie.text("model", "\"ReLU\"", "\"Tanh\""), "not those of the options");
  has(lie.text("model", "\"activation\":\"relu\"", "\"activation\":\"tanh\""),
      "not those of the options");
  has(lie.text("model", "\"hidden\":[3]", "\"hidden\":[4]"), "other sizes than the options");
  has(lie.text("model", "\"hidden\":[3]", "\"hidden\":[3,1000000000000]"), "other sizes");
  has(lie.text("model", "\"network\":", "\"net\":"), "\"network\" is missing");
  has(lie.text("model", "\"network\":{", "\"network\":3,\"more\":{"), "must be an object");
  has(lie.text("model", "\"losses\":[", "\"losses\":[\"a\","), "\"losses\" must be");
  has(lie.text("model", "MLPClassifier", "MLPRegressor"), "\"balanced\" is not known");
  has(lie.text("model", "MLPClassifier", "LinearSVM"), "the options of LinearSVM");
  has(lie.text("model", "[\"no\",\"yes\"]", "[\"no\"]"), "\"classes\" has 2 numbers");
  has(lie.text("ebb.model", "2", "1"), "is not known");
  const auto numbers = [](Shape shape) { return Array<double>::full(shape, 1.0); };
  has(lie.array("0.weight", numbers({3, 4})), "0.weight has shape (3, 4)");
  has(lie.array("0.weight", Array<float>::full({3, 5}, 1)), "has another type");
  has(lie.array("0.bias", Array<double>::of({1, NAN, 2})), "a weight is not finite");
  has(lie.array("4.bias", numbers({1})), "4.bias is not in the model");
  has(lie.array("classes", Array<std::int64_t>::of({1, 0})), "ascend");
  has(lie.no_array("2.bias"), "2.bias is missing");
  has(lie.no_array("classes"), "\"classes\" is missing");
  has(lie.narrow(), "not those of the options");
  has(lie.linear(), "a linear estimator has none");
}

TEST_CASE("the first version of files of networks stays readable") {
  const std::string path =
      std::string(EBB_SOURCE_DIR) + "/tests/nn/models/golden/model_2.safetensors";
  const auto model = nn::load_model<nn::MLPClassifier>(path);
  CHECK(model.estimator.options.hidden == std::vector<std::int64_t>{3});
  CHECK(model.estimator.losses.size() == 30);
  const nn::Predictor predictor(path);
  const auto p = predictor.predict_proba(flats<double>());
  // The digits that the model gave when the file was written.
  CHECK_AGREES(test::close(Array<double>::of({p[1], p[3], p[5], p[7]}),
                           Array<double>::of({0.99999757552200974, 0.062773980803225909,
                                              0.99999999979582022, 0.062773980803225909}),
                           1e-12));
}

TEST_CASE("a network's file with any byte changed or cut off is a model or refused") {
  const Folder folder;
  save_flats(folder.path("m"));
  test::check_broken_files(folder.path("m"), 2, [](const std::string& path) {
    static_cast<void>(nn::read_model(path));
  });
}

}  // TEST_SUITE("model files of networks")
