// SPDX-License-Identifier: BSD-3-Clause
// Tapes and blocks of memory in several threads.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/memory.hpp"

using namespace ebb;

TEST_SUITE("tape threads") {

TEST_CASE("blocks that another thread frees are used again") {
  std::int64_t bytes = 0;
  for (int i = 0; i < 10; ++i) {
    auto array = Array<double>::zeros({1 << 18});
    std::thread([freed = std::move(array)]() mutable { freed = {}; }).join();
    if (i == 0) bytes = memory_statistics().system_bytes;
  }
  CHECK(memory_statistics().system_bytes == bytes);
}

TEST_CASE("blocks that a thread frees itself are used again by it") {
  std::int64_t first = 0, later = 0;
  std::thread([&] {
    const auto use = [] { (void)Array<double>::zeros({1 << 18}); };
    use();
    first = memory_statistics().system_allocations;
    for (int i = 0; i < 10; ++i) use();
    later = memory_statistics().system_allocations;
  }).join();
  CHECK(later == first);
}

TEST_CASE("each thread has its own tape, and its blocks return to its pool") {
  const auto work = [](double start) {
    Variable<double> w(Array<double>::full({100}, start));
    for (int step = 0; step < 50; ++step) {
      Tape tape;
      backward(mean(square(w)));
      Array<double> next = w.value();
      double* v = next.mutate();
      for (std::int64_t i = 0; i < next.size(); ++i) v[i] -= 10 * w.gradient()[i];
      w.set_value(std::move(next));
      w.zero_grad();
    }
    return w.value();
  };
  const auto expected = work(1);
  const auto live = memory_statistics().live_blocks;
  Array<double> results[4];
  {
    std::vector<std::thread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = work(1); });
    for (auto& thread : threads) thread.join();
  }
  for (auto& result : results) {
    CHECK(equal(result, expected));
    result = {};  // freed here, allocated there
  }
  CHECK(memory_statistics().live_blocks == live);
}

}  // TEST_SUITE("tape threads")
