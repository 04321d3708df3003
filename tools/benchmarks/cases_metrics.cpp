// SPDX-License-Identifier: BSD-3-Clause
// Metrics of large sets.
#include <algorithm>
#include <vector>

#include "bench.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/metrics/ranking.hpp"

namespace bench {
namespace {

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

void add_metrics(std::vector<Case>& cases) {
  cases.push_back(versus("metrics/auc/1e7/f64", "ms", 1.3, auc));
}

}  // namespace bench
