// SPDX-License-Identifier: BSD-3-Clause
// Epochs of batches, without training on them.
#include "../arrays.hpp"
#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/data/batches/loader.hpp"
#include "peers.hpp"
#include "torch.hpp"

namespace bench {
namespace {

constexpr std::int64_t rows = 100000, features = 100, batch = 256;

// Counts a new order and the copying of every batch, by the calling thread.
struct Epochs {
  Numbers x{rows * features}, y{rows};
  ebb::data::Loader<ebb::data::TensorDataset<float>> loader{
      ebb::data::TensorDataset(array({rows, features}, x), array({rows, 1}, y)),
      {.batch_size = batch, .seed = 1}};

  void run() {
    for (const auto& each : loader) keep(each);
  }
  /// The mean over rows of (sum of the row of x - y)^2.
  double loss() {
    double total = 0;
    std::int64_t count = 0;
    for (const auto& [inputs, targets] : loader) {
      const std::int64_t n = targets.size();
      total += double(n) * mse_loss(sum(inputs, 1, true), targets).item();
      count += n;
    }
    return total / double(count);
  }
};

Sides shuffled(bool by_data_loader) {
  auto ours = std::make_shared<Epochs>();
  const std::shared_ptr<torch_side::Work> limit =
      torch_side::epochs(ours->x, ours->y, rows, features, batch, by_data_loader);
  check_same_loss("epoch of batches", ours->loss(), limit->loss(), 1e-5);
  return {[ours] { ours->run(); }, [limit] { limit->run(); }};
}

}  // namespace

void add_peer_loaders(std::vector<Case>& cases) {
  const auto add = [&](const char* name, bool by_data_loader) {
    cases.push_back(versus(name, "us", no_slower, [=] { return shuffled(by_data_loader); }));
  };
  add("loader/shuffled_epoch_index_select/100000x100x256/f32", false);
  add("loader/shuffled_epoch_data_loader/100000x100x256/f32", true);
}

}  // namespace bench
