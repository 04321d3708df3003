// SPDX-License-Identifier: BSD-3-Clause
// After its first epoch a training loop asks the system for nothing, loader included.
#include "ebb/tests/allocations.hpp"

#include <doctest/doctest.h>

#include "ebb/ebb.hpp"

using namespace ebb;
using ebb::test::allocations;

TEST_SUITE("allocations") {

TEST_CASE("a training loop allocates nothing after its first epoch") {
  Stream stream(1);
  auto x = Array<float>::uninitialized({1000, 10}), y = Array<float>::uninitialized({1000, 1});
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = float(stream.uniform());
  for (std::int64_t i = 0; i < y.size(); ++i) y.mutate()[i] = float(stream.uniform());

  auto model = nn::Linear<float>::zeros(10, 1);
  optim::Optimizer optimizer(model, optim::Adam{});
  data::Loader loader(data::TensorDataset(x, y), {.batch_size = 32});  // the last batch has 8 rows
  double total = 0;
  const auto epoch = [&] {
    for (const auto& [inputs, targets] : loader) {
      Tape tape;
      const auto loss = mse_loss(model(inputs), targets);
      backward(loss);
      optimizer.step();
      optimizer.zero_grad();
      total += loss.item();
    }
  };

  [[maybe_unused]] const long at_start = allocations;
  epoch();
  const long after_first = allocations;
  const auto pools = memory_statistics();
  for (int i = 0; i < 5; ++i) epoch();
  const long after_all = allocations;
  const auto pools_later = memory_statistics();
#ifndef EBB_SANITIZES
  CHECK(after_first > at_start);  // the count counts
#endif
  CHECK(after_all == after_first);
  CHECK(pools_later.system_allocations == pools.system_allocations);
  CHECK(pools_later.live_blocks == pools.live_blocks);
  CHECK(total > 0);
}

}  // TEST_SUITE("allocations")
