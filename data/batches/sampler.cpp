// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/batches/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/shape.hpp"
#include "ebb/data/batches/block_order.hpp"
#include "ebb/data/files/binary_file.hpp"

namespace ebb::inline v0::data {
namespace {

void check_rows(const char* name, std::int64_t n) {
  if (n < 1) throw ArgumentError(std::string(name) + ": the data set has no rows");
}

/// Sorts rows by their keys; rows of equal keys keep their order.
void sort_by(std::span<std::int64_t> rows, const std::vector<double>& keys) {
  std::sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    const double p = keys[std::size_t(a)], q = keys[std::size_t(b)];
    return p != q ? p < q : a < b;
  });
}

/// The running sums of the weights.
std::vector<double> checked_sums(std::span<const double> weights) {
  check_rows("weighted", std::int64_t(weights.size()));
  std::vector<double> sums;
  sums.reserve(weights.size());
  double sum = 0;
  for (const double w : weights) {
    if (!(w >= 0 && std::isfinite(w))) {
      throw ArgumentError("weighted: the weight of row " + std::to_string(sums.size()) + " is " +
                          std::to_string(w) + "; it is at least 0 and finite");
    }
    sums.push_back(sum += w);
  }
  if (!(sum > 0 && std::isfinite(sum))) {
    throw ArgumentError("weighted: the sum of the weights is " + std::to_string(sum) +
                        "; it is above 0 and finite");
  }
  return sums;
}

}  // namespace

Sampler::Sampler(std::int64_t draws, Rule rule) : draws_(draws), rule_(std::move(rule)) {
  if (draws < 1) {
    throw ArgumentError("Sampler: draws = " + std::to_string(draws) + "; it is at least 1");
  }
  ebb::detail::shape_for("Sampler", std::span(&draws, 1));  // throws if memory holds fewer
  if (!rule_) throw ArgumentError("Sampler: there is no rule to draw by");
}

Sampler sequential(std::int64_t n) {
  check_rows("sequential", n);
  return {n, [](std::span<std::int64_t> rows, Stream&) {
            std::iota(rows.begin(), rows.end(), std::int64_t(0));
          }};
}

Sampler shuffled(std::int64_t n) {
  check_rows("shuffled", n);
  return {n, [](std::span<std::int64_t> rows, Stream& stream) {
            std::iota(rows.begin(), rows.end(), std::int64_t(0));
            shuffle(rows, stream);
          }};
}

Sampler bootstrap(std::int64_t n, std::int64_t draws) {
  check_rows("bootstrap", n);
  return {draws == 0 ? n : draws, [n](std::span<std::int64_t> rows, Stream& stream) {
            for (std::int64_t& row : rows) row = std::int64_t(stream.below(std::uint64_t(n)));
          }};
}

Sampler weighted(std::span<const double> weights, WeightedOptions options) {
  std::vector<double> sums = checked_sums(weights);
  const auto possible =
      std::int64_t(std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; }));
  if (options.replacement) {
    const std::int64_t draws = options.draws == 0 ? std::int64_t(weights.size()) : options.draws;
    return {draws, [sums = std::move(sums)](std::span<std::int64_t> rows, Stream& stream) {
              for (std::int64_t& row : rows) {
                // The first sum above u: never a row of weight 0. By rounding u may reach the last
                // sum.
                const double u =
                    std::min(stream.uniform() * sums.back(), std::nextafter(sums.back(), 0.0));
                row = std::upper_bound(sums.begin(), sums.end(), u) - sums.begin();
              }
            }};
  }
  const std::int64_t draws = options.draws == 0 ? possible : options.draws;
  if (draws > possible) {
    throw ArgumentError("weighted: " + std::to_string(draws) + " draws without replacement from " +
                        detail::count_of(possible, "row") + " of weight above 0");
  }
  return {draws, [w = std::vector<double>(weights.begin(), weights.end())](
                     std::span<std::int64_t> rows, Stream& stream) {
            // Exponential waiting times: the order in which rows arrive is the order of the draws.
            // Their logarithms are compared, since the time for a weight of 1e-310 is infinite.
            std::vector<double> keys;
            std::vector<std::int64_t> order;
            for (std::size_t i = 0; i < w.size(); ++i) {
              keys.push_back(std::log(-std::log1p(-stream.uniform())) - std::log(w[i]));
              if (w[i] > 0) order.push_back(std::int64_t(i));
            }
            sort_by(order, keys);
            std::copy_n(order.begin(), rows.size(), rows.begin());
          }};
}

Sampler stratified(std::span<const std::int64_t> classes) {
  check_rows("stratified", std::int64_t(classes.size()));
  std::map<std::int64_t, std::vector<std::int64_t>> members;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    members[classes[i]].push_back(std::int64_t(i));
  }
  return {std::int64_t(classes.size()),
          [members = std::move(members)](std::span<std::int64_t> rows, Stream& stream) {
            // Row k of a class is at the fraction (k + offset) / size of the epoch.
            std::vector<double> keys(rows.size());
            for (const auto& [_, all] : members) {
              auto order = all;
              shuffle(order, stream);
              const double offset = stream.uniform();
              for (std::size_t k = 0; k < order.size(); ++k) {
                keys[std::size_t(order[k])] = (double(k) + offset) / double(order.size());
              }
            }
            std::iota(rows.begin(), rows.end(), std::int64_t(0));
            sort_by(rows, keys);
          }};
}

Sampler block_shuffled(std::int64_t n, BlockShuffleOptions options) {
  check_rows("block_shuffled", n);
  const auto [block, window] = options;
  if (block < 1 || window < 1) {
    throw ArgumentError("block_shuffled: blocks of " + std::to_string(block) +
                        " rows in windows of " + std::to_string(window) +
                        " blocks; both are at least 1");
  }
  Sampler sampler(n, [n, options](std::span<std::int64_t> rows, Stream& stream) {
    const detail::BlockOrder order(n, options, stream);
    for (std::int64_t w = 0; w < order.windows(); ++w) {
      const auto begin = std::size_t(order.begin(w)), end = std::size_t(order.begin(w + 1));
      order.draw(w, rows.subspan(begin, end - begin));
    }
  });
  sampler.blocks_ = options;
  return sampler;
}

}  // namespace ebb::inline v0::data
