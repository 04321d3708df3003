// SPDX-License-Identifier: BSD-3-Clause
// A loader whose batches are made by threads gives what it would give without them.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/memory.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/tests/data/batches/numbers.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace std::chrono_literals;
using test::Numbers, test::Order, test::rest;

namespace {

/// Throws at one row while `broken` is true.
struct Broken : Numbers {
  std::int64_t bad = 0;
  std::shared_ptr<std::atomic<bool>> broken = std::make_shared<std::atomic<bool>>(true);

  Order rows(std::span<const std::int64_t> indices) const {
    for (const std::int64_t i : indices) {
      if (i == bad && *broken) throw std::runtime_error("row " + std::to_string(i) + " is broken");
    }
    return Numbers::rows(indices);
  }
};

/// Work whose pieces take some time.
struct Slow {
  std::atomic<int> busy = 0, begun = 0, base = 0;
  std::vector<std::int64_t> slots = std::vector<std::int64_t>(4);
  void slowly(const auto& f) {
    ++begun;
    ++busy;
    std::this_thread::sleep_for(5ms);
    f();
    --busy;
  }
};

}  // namespace

TEST_SUITE("loader threads") {

TEST_CASE("any number of workers gives the same batches") {
  for (const bool shuffle : {false, true}) {
    data::LoaderOptions options{.batch_size = 7, .shuffle = shuffle, .seed = 3};
    data::Loader plain(Numbers{}, options);
    std::vector<std::vector<Order>> epochs;
    for (int i = 0; i < 3; ++i) epochs.push_back(rest(plain));
    for (const int workers : {1, 2, 5}) {
      for (const int prefetch : {1, 3}) {
        options.workers = workers;
        options.prefetch = prefetch;
        data::Loader loader(Numbers{}, options);
        for (const auto& epoch : epochs) CHECK(rest(loader) == epoch);
      }
    }
  }
}

TEST_CASE("workers follow a break, a seek and set_epoch") {
  const data::LoaderOptions options{.batch_size = 7, .seed = 3, .workers = 2};
  data::Loader plain(Numbers{}, {.batch_size = 7, .seed = 3}), loader(Numbers{}, options);
  for (auto* l : {&plain, &loader}) {
    int given = 0;
    for (const auto& batch : *l) {
      CHECK(batch.size() == 7);
      if (++given == 4) break;
    }
    CHECK(l->position() == data::LoaderPosition{3, 0, 28});
  }
  CHECK(rest(loader) == rest(plain));
  for (auto* l : {&plain, &loader}) l->set_epoch(5);
  CHECK(loader.position() == data::LoaderPosition{3, 5, 0});
  CHECK(rest(loader) == rest(plain));
  for (auto* l : {&plain, &loader}) {
    for (const auto& batch : *l) {
      if (batch.size() == 7) break;
    }
    l->seek({8, 1, 14});
  }
  CHECK(rest(loader) == rest(plain));
  CHECK_THROWS_AS(loader.set_epoch(-1), ArgumentError);
}

TEST_CASE("a loader that moves keeps its workers") {
  data::Loader first(Numbers{}, {.batch_size = 7, .seed = 3, .workers = 2});
  data::Loader plain(Numbers{}, {.batch_size = 7, .seed = 3});
  for (auto* l : {&plain, &first}) {
    for (const auto& batch : *l) {
      if (batch.size() == 7) break;
    }
  }
  data::Loader second = std::move(first);
  CHECK(rest(second) == rest(plain));
  CHECK(rest(second) == rest(plain));
}

TEST_CASE("an exception of a worker is thrown at its batch, which may be tried again") {
  for (const int workers : {0, 1, 3}) {
    CAPTURE(workers);
    Broken data;
    data.bad = 23;
    data::Loader loader(data,
                        {.batch_size = 5, .shuffle = false, .workers = workers, .prefetch = 3});
    std::vector<Order> given;
    const auto run = [&] {
      for (const Order& batch : loader) given.push_back(batch);
    };
    CHECK_THROWS_WITH(run(), "row 23 is broken");
    CHECK(given.size() == 4);
    CHECK(loader.position().cursor == 20);
    CHECK_THROWS_WITH(run(), "row 23 is broken");
    *data.broken = false;
    run();
    CHECK(given.size() == 20);
    CHECK(given[4] == Order{20, 21, 22, 23, 24});
  }
}

TEST_CASE("workers run ahead as far as allowed, and no further") {
  Numbers data;
  data::Loader loader(data, {.batch_size = 1, .shuffle = false, .workers = 2, .prefetch = 3});
  CHECK(*data.calls == 0);  // nothing is read before it is asked for
  for (const Order& batch : loader) {
    CHECK(batch == Order{0});
    for (int i = 0; i < 2000 && *data.calls < 7; ++i) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(20ms);
    CHECK(*data.calls == 7);  // this batch and 2 * 3 more
    break;
  }
}

TEST_CASE("after a stop no thread works and no old result is handed over") {
  Slow slow;
  auto& [busy, begun, base, slots] = slow;
  data::detail::Prefetcher prefetcher(
      2, 4,
      {&slow,
       [](void* self, std::size_t slot, std::int64_t ticket) {
         auto* s = static_cast<Slow*>(self);
         s->slowly([&] { s->slots[slot] = s->base + ticket; });
       },
       [](void* self) { static_cast<Slow*>(self)->slowly([] {}); }});
  for (int round = 1; round <= 10; ++round) {
    const int before = begun;
    prefetcher.start(100);
    for (std::int64_t ticket = 0; ticket < round % 3; ++ticket) {
      CHECK(slots[prefetcher.wait()] == base + ticket);
      prefetcher.release();
    }
    while (begun == before) std::this_thread::yield();
    prefetcher.stop();
    CHECK(busy == 0);
    base = 1000 * round;
  }
  for (int round = 0; round < 3; ++round) {  // nor inside `when_idle`
    const int before = begun;
    prefetcher.start(0);
    while (begun == before) std::this_thread::yield();
    prefetcher.stop();
    CHECK(busy == 0);
  }
}

TEST_CASE("a worker draws the order of the next epoch during the current one") {
  // By a rule that says which thread it runs on, and may fail.
  const auto here = std::this_thread::get_id();
  std::atomic<int> drawn_here = 0, drawn_elsewhere = 0;
  std::atomic<bool> fails = false;
  const data::Sampler rule(10, [&](std::span<std::int64_t> rows, Stream& stream) {
    ++(std::this_thread::get_id() == here ? drawn_here : drawn_elsewhere);
    if (fails) throw std::runtime_error("no order");
    for (auto& row : rows) row = std::int64_t(stream.below(100));
  });
  const data::LoaderOptions options{.batch_size = 2, .sampler = rule, .workers = 2};
  data::Loader loader(Numbers{}, options);
  std::vector<std::vector<Order>> epochs(3);
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (const Order& batch : loader) {
      epochs[std::size_t(epoch)].push_back(batch);
      for (int i = 0; i < 10000 && drawn_elsewhere <= epoch; ++i) std::this_thread::sleep_for(1ms);
    }
  }
  CHECK(drawn_here == 1);
  CHECK(drawn_elsewhere == 3);
  loader.set_epoch(1);
  CHECK(rest(loader) == epochs[1]);
  fails = true;
  for (int i = 0; i < 2; ++i) {
    loader.set_epoch(7);
    CHECK_THROWS_WITH(rest(loader), "no order");
  }
  fails = false;
  const auto seventh = rest(loader);
  CHECK(rest(loader) != seventh);
  loader.set_epoch(7);
  CHECK(rest(loader) == seventh);
}

TEST_CASE("a batch may have any size") {
  for (const int workers : {0, 1}) {
    data::Loader loader(Numbers{}, {.batch_size = std::numeric_limits<std::int64_t>::max(),
                                    .shuffle = false,
                                    .workers = workers});
    CHECK(loader.size() == 1);
    CHECK(rest(loader)[0].size() == 100);
    loader.seek({0, 4, 60});
    CHECK(rest(loader)[0].size() == 40);
    CHECK(loader.position() == data::LoaderPosition{0, 5, 0});
  }
}

TEST_CASE("a loader can end while its workers are at work") {
  for (int i = 0; i < 50; ++i) {
    data::Loader loader(Numbers{}, {.batch_size = 1, .workers = 3});
    if (i % 2 == 0) continue;
    for (const auto& batch : loader) {
      if (batch.size() == 1) break;
    }
  }
}

TEST_CASE("memory stays flat over a hundred thousand batches") {
  auto x = Array<float>::zeros({64, 3}), y = Array<float>::zeros({64, 1});
  data::Loader loader(data::TensorDataset(x, y), {.batch_size = 1, .workers = 2});
  const auto epochs = [&](int count) {
    for (int epoch = 0; epoch < count; ++epoch) {
      for (const auto& batch : loader) CHECK(batch.x.shape()[0] == 1);
    }
  };
  epochs(50);
  const auto before = memory_statistics();
  epochs(1600);
  const auto after = memory_statistics();
  // A worker that first comes to its turn late brings the first blocks of its own: 64 KiB.
  CHECK(after.system_bytes <= before.system_bytes + 2 * (64 << 10));
}

TEST_CASE("the ranks share every epoch") {
  for (const std::int64_t world : {1, 2, 3, 7}) {
    for (const bool shuffle : {false, true}) {
      CAPTURE(world);
      std::vector<data::Loader<Numbers>> ranks;
      for (std::int64_t rank = 0; rank < world; ++rank) {
        ranks.emplace_back(Numbers{}, data::LoaderOptions{.batch_size = 1,
                                                          .shuffle = shuffle,
                                                          .seed = 4,
                                                          .workers = int(rank % 2),
                                                          .rank = rank,
                                                          .world = world});
      }
      data::Loader whole(Numbers{}, {.batch_size = 1, .shuffle = shuffle, .seed = 4});
      for (int epoch = 0; epoch < 2; ++epoch) {
        const auto all = rest(whole);
        std::vector<Order> mixed(all.size());
        for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
          const auto own = rest(ranks[rank]);
          CHECK(std::int64_t(own.size()) == ranks[rank].size());
          for (std::size_t i = 0; i < own.size(); ++i) mixed.at(i * ranks.size() + rank) = own[i];
        }
        CHECK(mixed == all);
      }
    }
  }
}

}  // TEST_SUITE("loader threads")

TEST_SUITE("loader") {

TEST_CASE("with drop_last each rank gives as many batches") {
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    data::Loader loader(Numbers{}, {.batch_size = 7, .drop_last = true, .rank = rank, .world = 3});
    CHECK(loader.size() == 4);  // of 33 rows
    const auto batches = rest(loader);
    CHECK(batches.size() == 4);
    for (const Order& batch : batches) CHECK(batch.size() == 7);
  }
}

TEST_CASE("a sampler draws other rows each epoch, and the same for the same seed") {
  const std::vector<double> weights{0, 1, 1, 2};
  const data::LoaderOptions options{.batch_size = 64,
                                    .shuffle = false,
                                    .seed = 1,
                                    .sampler = data::weighted(weights, {.draws = 64})};
  data::Loader a(Numbers{4}, options), b(Numbers{4}, options);
  CHECK(a.size() == 1);
  const Order first = rest(a)[0], second = rest(a)[0];
  CHECK(first.size() == 64);
  CHECK(first != second);
  CHECK(std::count(first.begin(), first.end(), 0) == 0);
  b.set_epoch(1);
  CHECK(rest(b)[0] == second);
}

}  // TEST_SUITE("loader")

TEST_SUITE("loader threads") {

TEST_CASE("a sampler's row that the data set does not have is refused") {
  for (const int workers : {0, 2}) {
    for (const std::int64_t bad : {-1, 4}) {
      const data::Sampler one(3, [=](std::span<std::int64_t> rows, Stream&) {
        rows[0] = rows[1] = 0;
        rows[2] = bad;
      });
      data::Loader loader(Numbers{4}, {.batch_size = 1, .sampler = one, .workers = workers});
      CHECK_THROWS_WITH(rest(loader), ("Loader: the sampler drew row " + std::to_string(bad) +
                                       " of a data set with 4 rows")
                                          .c_str());
    }
  }
}

TEST_CASE("invalid numbers of workers, ranks and processes are refused") {
  const auto with = [](data::LoaderOptions o) { return data::Loader(Numbers{10}, o); };
  CHECK_THROWS_WITH(with({.workers = -1}),
                    "Loader: workers is -1 and prefetch 4; workers must be at least 0 and "
                    "prefetch at least 1");
  CHECK_THROWS_AS(with({.workers = 1, .prefetch = 0}), ArgumentError);
  CHECK_THROWS_WITH(with({.rank = 2, .world = 2}),
                    "Loader: rank 2 of a world of 2; it is in [0, world)");
  CHECK_THROWS_AS(with({.rank = -1}), ArgumentError);
  CHECK_THROWS_AS(with({.rank = 0, .world = 0}), ArgumentError);
  CHECK_THROWS_WITH(with({.rank = 11, .world = 12}),
                    "Loader: 10 rows leave none for rank 11 of 12");
  CHECK_THROWS_WITH(with({.batch_size = 6, .drop_last = true, .rank = 1, .world = 2}),
                    "Loader: drop_last leaves no batch of 6 from 10 rows for rank 1 of 2; use a "
                    "smaller batch_size");
}

TEST_CASE("there may be more workers and batches ahead than batches in an epoch") {
  const int most = std::numeric_limits<int>::max();
  for (const data::LoaderOptions& o :
       {data::LoaderOptions{.batch_size = 3, .workers = 1, .prefetch = most},
        data::LoaderOptions{.batch_size = 3, .workers = most, .prefetch = 1},
        data::LoaderOptions{.batch_size = 3, .workers = most, .prefetch = most}}) {
    data::Loader loader(Numbers{10}, o);
    CHECK(rest(loader).size() == 4);
  }
}

}  // TEST_SUITE("loader threads")
