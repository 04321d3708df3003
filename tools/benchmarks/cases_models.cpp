// SPDX-License-Identifier: BSD-3-Clause
// The time that a service takes for one row, and metrics of large sets.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "bench.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/metrics/ranking.hpp"
#include "ebb/nn/models/model_file.hpp"
#include "ebb/nn/models/predictor.hpp"

namespace bench {
namespace {

/// A predictor of a logistic regression of 30 features, whose file is gone.
std::shared_ptr<const ebb::nn::Predictor> predictor_of_thirty() {
  constexpr std::int64_t rows = 400, features = 30;
  ebb::Stream stream(1);
  auto values = ebb::Array<double>::uninitialized({rows, features + 1});
  std::vector<ebb::data::Column> columns;
  for (std::int64_t j = 0; j < features; ++j)
    columns.push_back({std::string("x") + std::to_string(j)});
  columns.push_back({"y"});
  for (std::int64_t i = 0; i < rows; ++i) {
    double* const row = values.mutate() + i * (features + 1);
    for (std::int64_t j = 0; j < features; ++j) row[j] = stream.normal();
    row[features] = row[0] + row[1] + stream.normal() > 0;
  }
  const ebb::data::Table<double> table(std::move(columns), values);
  ebb::nn::TableModel model{ebb::nn::LogisticRegression()};
  model.fit(table, "y");
  const auto path = std::filesystem::temp_directory_path() /
                    (std::string("ebb_bench_") + std::to_string(::getpid()) + ".safetensors");
  ebb::nn::save_model(path.string(), model, table);
  auto predictor = std::make_shared<const ebb::nn::Predictor>(path.string());
  std::filesystem::remove(path);
  return predictor;
}

// Counts the probabilities of one row: its checks, imputation, scaling, the sum, and its counts for
// the drift.
Loop row() {
  auto predictor = predictor_of_thirty();
  return [predictor, x = std::vector<double>(30, 0.5), p = std::vector<double>(2)]() mutable {
    predictor->predict_proba(x, p);
    keep(p[1]);
  };
}

// Counts the area under the curve of rows that are there already; the limit sorts their scores.
Sides auc() {
  constexpr std::int64_t rows = 10'000'000;
  ebb::Stream stream(1);
  auto scores = std::make_shared<std::vector<double>>();
  auto y = ebb::Array<double>::uninitialized({rows});
  for (std::int64_t i = 0; i < rows; ++i) {
    y.mutate()[i] = stream.uniform() < 0.3;
    scores->push_back(stream.normal() + y[i]);
  }
  auto ranking = std::make_shared<ebb::nn::RankingMetrics>();
  ranking->update<double>(ebb::Array<double>({rows}, std::span<const double>(*scores)), y);
  return {[ranking] {
            const double area = ranking->auc();
            keep(area);
          },
          [scores] {
            auto sorted = *scores;
            std::sort(sorted.begin(), sorted.end());
            keep(sorted[0]);
          }};
}

}  // namespace

void add_models(std::vector<Case>& cases) {
  cases.push_back(versus("metrics/auc/1e7/f64", "ms", 1.3, auc));
  cases.push_back(fixed("models/predict_row/30/f64", "ns", 1000, row));
}

}  // namespace bench
