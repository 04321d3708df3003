// SPDX-License-Identifier: BSD-3-Clause
// A loader that shuffles block by block, with workers and without.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/tests/data/batches/numbers.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using test::Numbers, test::Order, test::rest;

TEST_SUITE("block-wise shuffle threads") {

TEST_CASE("workers draw the windows of a block-wise shuffle as the loop reaches them") {
  const std::int64_t n = 1003;
  for (const data::BlockShuffleOptions& blocks :
       {data::BlockShuffleOptions{.block = 10, .window = 4}, {1, 1}, {7, 1000}, {5000, 3}}) {
    CAPTURE(blocks.block);
    const data::Sampler sampler = data::block_shuffled(n, blocks);
    Order whole(std::size_t(n), -1);
    Stream stream = Stream(5).split(2);
    sampler.draw(whole, stream);
    for (const int workers : {0, 1, 3}) {
      for (const std::int64_t world : {1, 3}) {
        Order given(std::size_t(n), -1);
        for (std::int64_t rank = 0; rank < world; ++rank) {
          const data::LoaderOptions options{.batch_size = 30,
                                            .seed = 5,
                                            .sampler = sampler,
                                            .workers = workers,
                                            .rank = rank,
                                            .world = world};
          data::Loader loader(Numbers{n}, options), again(Numbers{n}, options);
          loader.set_epoch(2);
          std::vector<Order> batches = rest(loader);
          std::int64_t place = rank;
          for (const Order& batch : batches) {
            for (const std::int64_t row : batch) {
              given[std::size_t(place)] = row;
              place += world;
            }
          }
          again.seek({5, 2, 60});  // from the middle of a window
          batches.erase(batches.begin(), batches.begin() + 2);
          CHECK(rest(again) == batches);
          // The next epoch has other windows, which are the same in a new loader.
          data::Loader fresh(Numbers{n}, options);
          fresh.set_epoch(3);
          const auto next = rest(fresh);
          CHECK(rest(loader) == next);
          CHECK(rest(again) == next);
        }
        CHECK(given == whole);
      }
    }
  }
}

TEST_CASE(
    "the memory for the order of a block-wise shuffle does not depend on the number of rows") {
  // A list of 2^36 rows would take 512 GB.
  const std::int64_t n = std::int64_t(1) << 36, block = 1 << 16;
  for (const int workers : {0, 2}) {
    for (const bool shuffle : {false, true}) {
      data::LoaderOptions options{.batch_size = 1000, .shuffle = shuffle, .workers = workers};
      if (shuffle) options.sampler = data::block_shuffled(n, {.block = block, .window = 2});
      data::Loader loader(Numbers{n}, options);
      loader.seek({0, 0, n / 2});
      Order rows;
      for (const Order& batch : loader) {
        rows.insert(rows.end(), batch.begin(), batch.end());
        if (rows.size() == 200000) break;
      }
      std::sort(rows.begin(), rows.end());
      CHECK(std::adjacent_find(rows.begin(), rows.end()) == rows.end());  // each once
      std::set<std::int64_t> seen;
      for (const std::int64_t row : rows) seen.insert(row / block);
      CHECK(std::int64_t(seen.size()) == 4);  // those of this window and the next
      CHECK((rows.front() == n / 2) == !shuffle);
    }
  }
  // The first batch finds that there are fewer rows.
  for (const int workers : {0, 2}) {
    data::Loader wrong(Numbers{10}, {.batch_size = 2,
                                     .sampler = data::block_shuffled(12, {.block = 2, .window = 1}),
                                     .workers = workers});
    CHECK(ebb::test::message_of<ArgumentError>([&] { wrong.begin(); }) ==
          "Loader: the sampler drew row 11 of a data set with 10 rows");
  }
}

}  // TEST_SUITE("block-wise shuffle threads")
