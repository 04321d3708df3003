// SPDX-License-Identifier: BSD-3-Clause
// A model that predicts row by row asks the system for no memory.
#include "ebb/tests/allocations.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "ebb/autodiff/values/memory.hpp"
#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/sequential.hpp"
#include "ebb/nn/models/model_file.hpp"
#include "ebb/nn/models/predictor.hpp"
#include "ebb/nn/modes.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/nn/models/flats.hpp"

using namespace ebb;
using ebb::test::allocations;
using ebb::test::flats;

namespace {

template <class Estimator>
void check_rows(Estimator estimator, const std::string& target) {
  CAPTURE(estimator.name());
  const test::Folder folder;
  nn::TableModel<Estimator> model(std::move(estimator));
  model.fit(flats<double>(), target);
  nn::save_model(folder.path("m"), model, flats<double>());
  const nn::Predictor predictor(folder.path("m"), {.out_of_range = nn::Policy::clamp});
  REQUIRE(predictor.is_flat());
  std::vector<double> row(predictor.features().size(), 1), proba(2);
  double sum = 0;
  const auto predict = [&] {
    row[predictor.position("area")] += 1;
    sum += predictor.predict(row);
    if constexpr (requires { predictor.is_classifier(), model.estimator.classes; }) {
      predictor.predict_proba(row, proba);
      sum += proba[0] + double(predictor.predict_word(row).size());
    }
  };
  [[maybe_unused]] const long before = allocations;
  predict();
#ifndef EBB_SANITIZES
  CHECK(allocations > before);  // the count counts
#endif
  const long after_first = allocations;
  const auto pools = memory_statistics();
  for (int i = 0; i < 100; ++i) predict();
  const long after_all = allocations;
  CHECK(after_all == after_first);
  CHECK(memory_statistics().system_allocations == pools.system_allocations);
  CHECK(memory_statistics().live_blocks == pools.live_blocks);
  CHECK(sum != 0);
}

}  // namespace

TEST_SUITE("allocations of predictions") {

TEST_CASE("a network without a tape allocates nothing after its first row") {
  [[maybe_unused]] const long start = allocations;
  nn::Sequential model{nn::Linear<float>(784, 256), nn::ReLU(), nn::Linear<float>(256, 128),
                       nn::ReLU(), nn::Linear<float>(128, 10)};
  nn::eval(model);
  const auto x = Array<float>::full({1, 784}, 0.5F);
  const auto& fixed = model;
  float sum = fixed(x).array()[0];
  const long before = allocations;
#ifndef EBB_SANITIZES
  CHECK(before > start);  // the count counts
#endif
  for (int i = 0; i < 100; ++i) sum += fixed(x).array()[0];
  const long after = allocations;
  CHECK(after == before);
  CHECK(std::isfinite(sum));
}

TEST_CASE("rows allocate nothing after the first one, of linear models and networks") {
  const auto in_thread = [](const auto& f) { std::thread(f).join(); };  // where nothing is warm
  in_thread([] { check_rows(nn::Ridge(), "price"); });
  in_thread([] { check_rows(nn::LogisticRegression(), "rented"); });
  in_thread([] { check_rows(nn::MLPRegressor({.hidden = {8, 8}, .epochs = 1}), "price"); });
  in_thread([] { check_rows(nn::MLPClassifier({.hidden = {300}, .epochs = 1}), "rented"); });
}

}  // TEST_SUITE("allocations of predictions")
