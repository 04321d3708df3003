// SPDX-License-Identifier: BSD-3-Clause
// Epochs of batches, without training on them.
#include <numeric>

#include "arrays.hpp"
#include "ebb/data/batches/loader.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

constexpr std::int64_t rows = 100000, features = 100, batch = 256;

struct Epochs {
  explicit Epochs(int workers) {
    Numbers x(rows * features), y(rows);
    inputs = array({rows, features}, x);
    targets = array({rows, 1}, y);
    loader.emplace(ebb::data::TensorDataset(inputs, targets),
                   ebb::data::LoaderOptions{.batch_size = batch, .seed = 1, .workers = workers});
    std::iota(order.begin(), order.end(), std::int64_t(0));
  }

  void by_hand() {
    limits::gather_epoch(inputs.data(), targets.data(), rows, seed, order.data(), batch_x, batch_y);
    keep(batch_x);
  }

  ebb::Array<float> inputs, targets;
  std::optional<ebb::data::Loader<ebb::data::TensorDataset<float>>> loader;
  std::vector<std::int64_t> order = std::vector<std::int64_t>(std::size_t(rows));
  std::uint64_t seed = 1;
  Numbers batch_x{batch * features}, batch_y{batch};
};

// Counts a new order and the gathering of every batch, into blocks from the pool. The limit
// shuffles in the same way (Fisher and Yates, with a cheaper generator) and gathers into one
// buffer.
Sides gathering() {
  auto e = std::make_shared<Epochs>(0);
  return {[e] {
            for (const auto& each : *e->loader) keep(each);
          },
          [e] { e->by_hand(); }};
}

// Counts an epoch whose every batch is worked on for its share of the time that an epoch takes to
// load, while one thread loads the next ones: all of the thread's time is needed. The limit is the
// work alone; without the thread the ratio would be 2.
Sides hidden() {
  struct Working : Epochs {
    Working() : Epochs(1) {
      ebb::data::Loader plain(loader->dataset(), {.batch_size = batch});
      for (int i = 0; i < 3; ++i) {
        const double start = now();
        for (const auto& each : plain) keep(each);
        const double each = (now() - start) / double(plain.size());
        if (i == 0 || each < seconds) seconds = each;
      }
    }
    // In the first cache, so that the threads only share the clock.
    void work() const {
      for (const double start = now(); now() - start < seconds;) {
      }
    }
    double seconds = 0;
  };
  auto e = std::make_shared<Working>();
  return {[e] {
            for (const auto& each : *e->loader) {
              keep(each);
              e->work();
            }
          },
          [e] {
            for (std::int64_t i = 0; i < rows; i += batch) e->work();
          }};
}

}  // namespace

void add_loaders(std::vector<Case>& cases) {
  cases.push_back(versus("loader/shuffled_epoch/100000x100x256/f32", "us", 1.15, gathering));
  cases.push_back(versus("loader/hidden_by_work/100000x100x256/f32", "us", 1.35, hidden));
}

}  // namespace bench
