// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/batches/loader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/data/batches/numbers.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::counting, ebb::test::numbered, ebb::test::sorted;
using ebb::test::message_of, ebb::test::Numbers;
using ebb::test::Order;
using ebb::test::same_bits;

namespace {

/// Appends the rows of a batch by their numbers.
void append(Order& order, const data::Batch<float>& batch) {
  const auto& [x, y] = batch;
  REQUIRE(x.shape()[0] == y.shape()[0]);
  for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
    order.push_back(std::int64_t(x.data()[2 * i]));
    CHECK(x.data()[2 * i + 1] == -x.data()[2 * i]);
    CHECK(y.data()[i] == 10 * x.data()[2 * i]);
  }
}

/// What the loader gives until the end of its epoch.
Order rest(auto& loader) {
  Order order;
  for (const auto& batch : loader) append(order, batch);
  return order;
}

}  // namespace

TEST_SUITE("loader") {

TEST_CASE("every row exactly once an epoch, in a new order each time") {
  for (const std::int64_t batch_size : {1, 7, 32, 100, 1000}) {
    data::Loader loader(numbered(100), {.batch_size = batch_size, .seed = 5});
    const Order first = rest(loader), second = rest(loader), third = rest(loader);
    for (const auto& order : {first, second, third}) CHECK(sorted(order) == counting(100));
    CHECK(first != second);
    CHECK(second != third);
    CHECK(first != third);
    CHECK(first != counting(100));
  }
}

TEST_CASE("the order is a function of seed and epoch") {
  data::Loader a(numbered(50), {.batch_size = 8, .seed = 1});
  data::Loader b(numbered(50), {.batch_size = 5, .seed = 1});
  data::Loader c(numbered(50), {.batch_size = 8, .seed = 2});
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    const Order order = rest(a);
    CHECK(order == rest(b));
    CHECK(order != rest(c));
    Stream stream = Stream(1).split(epoch);
    CHECK(order == permutation(50, stream));
  }
}

TEST_CASE("without a shuffle the rows come in the order of the data set") {
  data::Loader loader(numbered(10), {.batch_size = 4, .shuffle = false});
  CHECK(rest(loader) == counting(10));
  CHECK(rest(loader) == counting(10));
}

TEST_CASE("the last batch is kept or dropped") {
  const auto sizes = [](auto& loader) {
    Order rows;
    for (const auto& [x, y] : loader) rows.push_back(x.shape()[0]);
    CHECK(std::int64_t(rows.size()) == loader.size());
    return rows;
  };
  data::Loader kept(numbered(10), {.batch_size = 4});
  CHECK(sizes(kept) == Order{4, 4, 2});
  data::Loader dropped(numbered(10), {.batch_size = 4, .drop_last = true});
  CHECK(sizes(dropped) == Order{4, 4});
  CHECK(sizes(dropped) == Order{4, 4});
  data::Loader even(numbered(8), {.batch_size = 4, .drop_last = true});
  CHECK(sizes(even) == Order{4, 4});
}

TEST_CASE("an interrupted run continues where it stopped") {
  data::Loader whole(numbered(20), {.batch_size = 3, .seed = 9});
  Order unbroken;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const Order order = rest(whole);
    unbroken.insert(unbroken.end(), order.begin(), order.end());
  }
  for (int stop = 0; stop <= 21; ++stop) {
    CAPTURE(stop);
    Order order;
    data::LoaderPosition position{.seed = 9};
    {
      data::Loader before(numbered(20), {.batch_size = 3, .seed = 9});
      for (int given = 0; given < stop;) {
        for (const auto& batch : before) {
          append(order, batch);
          position = before.position();
          if (++given == stop) break;
        }
      }
    }
    // The seed is part of the position.
    data::Loader after(numbered(20), {.batch_size = 3, .seed = 4});
    after.seek(position);
    CHECK(after.position() == position);
    while (after.position().epoch < 3) {
      const Order more = rest(after);
      order.insert(order.end(), more.begin(), more.end());
    }
    CHECK(order == unbroken);
    CHECK(after.position() == data::LoaderPosition{9, 3, 0});
  }
}

TEST_CASE("a position of another seed brings its order") {
  data::Loader loader(numbered(20), {.batch_size = 3, .seed = 1});
  data::Loader other(numbered(20), {.batch_size = 3, .seed = 2});
  const Order first = rest(loader);
  loader.seek({1, 0, 0});
  CHECK(rest(loader) == first);
  loader.seek({2, 0, 0});
  CHECK(rest(loader) == rest(other));
  loader.seek({1, 0, 3});
  CHECK(rest(loader) == Order(first.begin() + 3, first.end()));
}

TEST_CASE("after a break the next loop gives the rest") {
  data::Loader loader(numbered(10), {.batch_size = 4});
  Order order;
  for (const auto& batch : loader) {
    append(order, batch);
    break;
  }
  CHECK(loader.position() == data::LoaderPosition{0, 0, 4});
  const Order more = rest(loader);
  order.insert(order.end(), more.begin(), more.end());
  CHECK(sorted(order) == counting(10));
  CHECK(rest(loader).size() == 10);
}

TEST_CASE("a batch that is kept stays as it was") {
  data::Loader loader(numbered(9), {.batch_size = 3, .shuffle = false});
  std::vector<Tensor<float>> kept;
  for (const auto& [x, y] : loader) kept.push_back(y);
  for (int i = 0; i < 3; ++i) {
    CHECK_AGREES(same_bits(
        kept[std::size_t(i)].array(),
        Array<float>({3, 1}, {30.F * float(i), 30.F * float(i) + 10, 30.F * float(i) + 20})));
  }
}

TEST_CASE("labels, rows of any shape and your own data sets are loaded") {
  auto images = Array<double>::uninitialized({6, 2, 2});
  for (std::int64_t i = 0; i < 24; ++i) images.mutate()[i] = double(i);
  const Array<std::int64_t> labels({6}, {0, 1, 2, 0, 1, 2});
  data::Loader loader(data::TensorDataset(images, labels), {.batch_size = 4, .seed = 1});
  for (const auto& [x, y] : loader) {
    CHECK(x.shape() == Shape{y.size(), 2, 2});
    CHECK(cross_entropy(reshape(x, {y.size(), 4}), y).size() == 1);
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const auto row = std::int64_t(x.data()[4 * i]) / 4;
      CHECK(y[i] == row % 3);
      for (int k = 0; k < 4; ++k) CHECK(x.data()[4 * i + k] == double(4 * row + k));
    }
  }

  struct Squares {
    std::int64_t size() const { return 5; }
    std::int64_t rows(std::span<const std::int64_t> indices) const {
      std::int64_t sum = 0;
      for (const auto i : indices) sum += i * i;
      return sum;
    }
  };
  static_assert(data::Dataset<Squares>);
  static_assert(!data::Dataset<int>);
  data::Loader squares(Squares{}, {.batch_size = 2});
  std::int64_t sum = 0;
  for (const auto& part : squares) sum += part;
  CHECK(sum == 0 + 1 + 4 + 9 + 16);
}

TEST_CASE("options that give no batch are refused") {
  CHECK_THROWS_WITH(data::Loader(numbered(0)), "Loader: the data set has no rows");
  CHECK_THROWS_WITH(data::Loader(numbered(3), {.batch_size = 0}),
                    "Loader: batch_size must be at least 1, not 0");
  CHECK_THROWS_WITH(data::Loader(numbered(3), {.batch_size = 4, .drop_last = true}),
                    "Loader: drop_last leaves no batch of 4 from 3 rows; use a smaller batch_size");
  data::Loader loader(numbered(10), {.batch_size = 4, .drop_last = true});
  for (const data::LoaderPosition bad :
       {data::LoaderPosition{0, -1, 0}, {0, 0, -1}, {0, 0, 8}, {0, 0, 10}}) {
    CHECK_THROWS_AS(loader.seek(bad), ArgumentError);
  }
  // The epoch after it would have no number.
  CHECK_THROWS_AS(loader.set_epoch(std::numeric_limits<std::int64_t>::max()), ArgumentError);
  const auto rows = numbered(3);
  for (const std::int64_t bad : {-1, 3}) {
    const std::int64_t indices[] = {0, bad};
    CHECK_THROWS_WITH(
        rows.rows(indices),
        ("TensorDataset: row " + std::to_string(bad) + " of an array with 3 rows").c_str());
  }
  CHECK(rows.rows({}).x.shape() == Shape{0, 2});
  CHECK_THROWS_AS(data::TensorDataset(Array<float>::zeros({3, 2}), Array<float>::zeros({2, 1})),
                  ShapeError);
  CHECK_THROWS_AS(data::TensorDataset(Array<float>(1.F), Array<float>(1.F)), ShapeError);
}

TEST_CASE("a loop inside of a loop over the same loader is an error") {
  for (const int workers : {0, 2}) {
    for (const std::int64_t batch_size : {3, 10}) {
      data::Loader loader(Numbers{.n = 10}, {.batch_size = batch_size, .workers = workers});
      CHECK(message_of<ArgumentError>([&] {
              int pairs = 0;
              for (const auto& outer : loader) {
                for (const auto& inner : loader) {
                  static_cast<void>(outer), static_cast<void>(inner);
                  if (++pairs > 100) return;
                }
              }
            }) ==
            "Loader: another loop took batches of this loader during this one; give the inner loop "
            "a loader of its own");
      // One loop after the other, after a `break`, and with a `seek` inside, is none.
      int batches = 0;
      loader.set_epoch(0);
      for (const auto& batch : loader) {
        static_cast<void>(batch);
        break;
      }
      loader.set_epoch(0);
      for (const auto& batch : loader) {
        static_cast<void>(batch);
        if (++batches == 1) loader.seek(loader.position());
      }
      CHECK(batches == loader.size());
    }
  }
}

}  // TEST_SUITE("loader")
