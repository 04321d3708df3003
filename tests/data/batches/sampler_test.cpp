// SPDX-License-Identifier: BSD-3-Clause
// The rules by which an epoch draws rows.
#include "ebb/data/batches/sampler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/data/batches/numbers.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::data::Sampler;
using ebb::test::counting, ebb::test::Order, ebb::test::sorted;

namespace {

Order draw(const Sampler& sampler, std::uint64_t seed) {
  Order order(std::size_t(sampler.size()), -1);
  Stream stream(seed);
  sampler.draw(order, stream);
  return order;
}

/// How often each of n rows was drawn in some epochs.
std::vector<double> counts(const Sampler& sampler, std::int64_t n, std::uint64_t epochs) {
  std::vector<double> count(static_cast<std::size_t>(n));
  for (std::uint64_t seed = 0; seed < epochs; ++seed) {
    for (const std::int64_t row : draw(sampler, seed)) ++count.at(std::size_t(row));
  }
  return count;
}

/// Within 5 standard errors of a binomial count.
void check_count(double count, double draws, double probability) {
  const double error = std::sqrt(draws * probability * (1 - probability));
  CHECK(std::abs(count - draws * probability) <= 5 * error);
}

}  // namespace

TEST_SUITE("sampler") {

TEST_CASE("samplers without repetition draw every row once") {
  const Order classes{3, 3, 1, 3, 7, 7, 3};
  const std::vector<double> weights{1, 2, 3, 4, 5, 6, 7};
  const Sampler all[] = {data::sequential(7),
                         data::shuffled(7),
                         data::stratified(classes),
                         data::weighted(weights, {.replacement = false}),
                         data::block_shuffled(7, {.block = 2, .window = 2}),
                         data::block_shuffled(7),
                         data::block_shuffled(7, {.block = 7, .window = 1})};
  for (const Sampler& sampler : all) {
    CHECK(sampler.size() == 7);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      CHECK(sorted(draw(sampler, seed)) == counting(7));
      CHECK(draw(sampler, seed) == draw(sampler, seed));
    }
  }
  CHECK(draw(all[0], 1) == counting(7));
  for (const Sampler& sampler : std::span(all).subspan(1, 5)) {
    CHECK(draw(sampler, 1) != draw(sampler, 2));
  }
}

TEST_CASE("a bootstrap draws rows with equal probability, some never") {
  const Sampler sampler = data::bootstrap(5);
  CHECK(sampler.size() == 5);
  for (const double n : counts(sampler, 5, 4000)) check_count(n, 20000, 0.2);
  double whole = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    whole += sorted(draw(sampler, seed)) == counting(5) ? 1 : 0;
  }
  check_count(whole, 4000, 120.0 / 3125);
  CHECK(draw(data::bootstrap(3, 100), 1).size() == 100);
}

TEST_CASE("weights are probabilities, and a row without weight never comes") {
  const std::vector<double> weights{0, 1, 0, 3, 6, 0};
  const auto with = counts(data::weighted(weights, {.draws = 4}), 6, 5000);
  for (std::size_t i = 0; i < weights.size(); ++i) check_count(with[i], 20000, weights[i] / 10);
  CHECK(data::weighted(weights).size() == 6);

  const Sampler without = data::weighted(weights, {.draws = 2, .replacement = false});
  double first[6] = {}, second[6] = {};
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    const Order pair = draw(without, seed);
    CHECK(pair[0] != pair[1]);
    ++first[pair[0]];
    ++second[pair[1]];
  }
  // The second by its weight among those that are left.
  const double then[] = {
      0, 0.3 * 1 / 7 + 0.6 * 1 / 4, 0, 0.1 * 3 / 9 + 0.6 * 3 / 4, 0.1 * 6 / 9 + 0.3 * 6 / 7, 0};
  for (std::size_t i = 0; i < 6; ++i) {
    check_count(first[i], 20000, weights[i] / 10);
    check_count(second[i], 20000, then[i]);
  }
  CHECK(data::weighted(weights, {.replacement = false}).size() == 3);
}

TEST_CASE("without replacement weights are probabilities, however small all are") {
  constexpr int epochs = 2000;
  for (const double unit : {1.0, 1e-310, 1e300}) {
    CAPTURE(unit);
    const auto sampler = data::weighted(std::vector{unit, 2 * unit, unit}, {.replacement = false});
    int heavy_first = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      heavy_first += draw(sampler, std::uint64_t(epoch))[0] == 1;
    }
    // Five standard deviations of the share of one half.
    CHECK(std::abs(heavy_first - epochs / 2) < 5 * std::sqrt(epochs / 4.0));
  }
}

TEST_CASE("any part of a stratified epoch has the classes in proportion") {
  Order classes;
  for (int i = 0; i < 300; ++i) classes.push_back(i < 200 ? 4 : i < 290 ? 1 : 2);
  const Sampler sampler = data::stratified(classes);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Order order = draw(sampler, seed);
    for (const auto& [value, share] : {std::pair(4, 2.0 / 3), {1, 0.3}, {2, 1.0 / 30}}) {
      for (std::size_t first = 0; first < 300; first += 7) {
        for (const std::size_t size : {1U, 16U, 100U}) {
          const std::size_t last = std::min<std::size_t>(first + size, 300);
          const auto in = std::count_if(
              order.begin() + std::ptrdiff_t(first), order.begin() + std::ptrdiff_t(last),
              [&, c = value](auto i) { return classes[std::size_t(i)] == c; });
          const double expected = share * double(last - first);
          CHECK(std::abs(double(in) - expected) <= 2 + 2 * share);
        }
      }
    }
    // Each class is shuffled.
    Order rare;
    for (const auto i : order) {
      if (classes[std::size_t(i)] == 2) rare.push_back(i);
    }
    CHECK(!std::is_sorted(rare.begin(), rare.end()));
  }
}

TEST_CASE("no class of a stratified epoch is always first") {
  Order classes(300, 4);
  std::fill_n(classes.begin(), 10, 2);
  const Sampler sampler = data::stratified(classes);
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Order order = draw(sampler, seed);
    sum += double(std::find_if(order.begin(), order.end(), [](auto row) { return row < 10; }) -
                  order.begin());
  }
  // Its place is uniform in the first tenth of the epoch, but for the rounding to a place.
  CHECK(std::abs(sum / 200 - 15) <= 1 + 5 * 30 / std::sqrt(12.0 * 200));
}

TEST_CASE("a block-wise shuffle visits a window of blocks at a time") {
  const std::int64_t n = 1003, block = 10, window = 4;
  const Sampler sampler = data::block_shuffled(n, {.block = block, .window = window});
  const Order order = draw(sampler, 3);
  CHECK(sorted(order) == counting(n));
  // The short last block may be in any window.
  std::vector<std::int64_t> seen;
  std::size_t at = 0;
  bool neighbours_apart = false;
  for (std::int64_t w = 0; at < order.size(); ++w) {
    Order blocks;
    std::size_t rows = 0;
    while (at + rows < order.size() && std::int64_t(rows) < window * block) {
      const std::int64_t b = order[at + rows] / block;
      if (std::count(seen.begin(), seen.end(), b) > 0) break;  // the window had the short block
      if (std::count(blocks.begin(), blocks.end(), b) == 0) {
        if (std::int64_t(blocks.size()) == window) break;
        blocks.push_back(b);
      }
      ++rows;
    }
    CHECK(std::int64_t(blocks.size()) <= window);
    CHECK(rows > 0);
    neighbours_apart |= blocks.size() > 1 && std::abs(blocks[0] - blocks[1]) > 1;
    seen.insert(seen.end(), blocks.begin(), blocks.end());
    at += rows;
  }
  CHECK(std::int64_t(seen.size()) == (n - 1) / block + 1);  // each once: no block is read twice
  CHECK(neighbours_apart);
  // Each window has an order of its own.
  const Order alone = draw(data::block_shuffled(100, {.block = 20, .window = 1}), 3);
  std::set<Order> orders;
  for (auto first = alone.begin(); first != alone.end(); first += 20) {
    Order places(first, first + 20);
    for (std::int64_t& place : places) place %= 20;
    orders.insert(places);
  }
  CHECK(orders.size() == 5);
  // Inside of a window the blocks are mixed.
  CHECK(order[0] / block != order[1] / block);
}

TEST_CASE("your own rule draws the rows") {
  const Sampler backwards(3, [](std::span<std::int64_t> rows, Stream&) {
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = std::int64_t(rows.size() - 1 - i);
  });
  CHECK(draw(backwards, 0) == Order{2, 1, 0});
}

TEST_CASE("invalid draws are refused") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const auto weights = [](std::vector<double> w, data::WeightedOptions o = {}) {
    return data::weighted(w, o);
  };
  CHECK_THROWS_WITH(data::sequential(0), "sequential: the data set has no rows");
  CHECK_THROWS_WITH(data::shuffled(0), "shuffled: the data set has no rows");
  CHECK_THROWS_WITH(data::bootstrap(0), "bootstrap: the data set has no rows");
  CHECK_THROWS_WITH(data::bootstrap(3, -1), "Sampler: draws = -1; it is at least 1");
  CHECK_THROWS_WITH(data::stratified({}), "stratified: the data set has no rows");
  CHECK_THROWS_WITH(data::block_shuffled(-1), "block_shuffled: the data set has no rows");
  CHECK_THROWS_WITH(
      data::block_shuffled(5, {.block = 0}),
      "block_shuffled: blocks of 0 rows in windows of 16 blocks; both are at least 1");
  CHECK_THROWS_AS(data::block_shuffled(5, {.window = 0}), ArgumentError);
  CHECK_THROWS_WITH(weights({}), "weighted: the data set has no rows");
  CHECK_THROWS_WITH(weights({1, -0.5}),
                    "weighted: the weight of row 1 is -0.500000; it is at least 0 and finite");
  CHECK_THROWS_AS(weights({nan}), ArgumentError);
  CHECK_THROWS_AS(weights({1, inf}), ArgumentError);
  CHECK_THROWS_WITH(weights({0, 0}),
                    "weighted: the sum of the weights is 0.000000; it is above 0 and finite");
  CHECK_THROWS_AS(weights({1e308, 1e308}), ArgumentError);
  CHECK_THROWS_WITH(weights({1, 0, 2}, {.draws = 3, .replacement = false}),
                    "weighted: 3 draws without replacement from 2 rows of weight above 0");
  CHECK_THROWS_AS(weights({1}, {.draws = -1}), ArgumentError);
  CHECK_THROWS_WITH(data::bootstrap(3, std::numeric_limits<std::int64_t>::max()),
                    "Sampler: shape (9223372036854775807,) has more elements than an array can "
                    "hold");
  CHECK_THROWS_WITH(Sampler(3, nullptr), "Sampler: there is no rule to draw by");
}

}  // TEST_SUITE("sampler")
