// SPDX-License-Identifier: BSD-3-Clause
// Tapes and blocks of memory in several threads.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
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

TEST_CASE("threads that end leave no memory behind, whatever they made first") {
  // Freed or made after the thread has given its pool away: the records that a tape leaves to the
  // next one, and what an object of the thread makes when it is destroyed.
  struct Late {
    std::int64_t size = 10;
    ~Late() { (void)Array<double>::zeros({size}); }
  };
  const auto train = [] {
    thread_local Late late;
    late.size = 20;
    Tape tape;
    const Variable<double> w(Array<double>::of({1, 2}));
    backward(sum(square(w)));
  };
  const auto after = [&](int threads) {
    for (int i = 0; i < threads; ++i) std::thread(train).join();
    return memory_statistics();
  };
  const auto first = after(3), later = after(200);
  CHECK(later.system_bytes == first.system_bytes);
  CHECK(later.live_blocks == first.live_blocks);
}

TEST_CASE("memory of freed arrays is given back on request") {
  const auto before = memory_statistics();
  (void)Array<double>::zeros({1 << 20});
  CHECK(memory_statistics().system_bytes >= before.system_bytes);
  CHECK(release_memory() >= 8 << 20);
  CHECK(release_memory() == 0);
  const auto after = memory_statistics();
  CHECK(after.system_bytes <= before.system_bytes);
  CHECK(after.live_blocks == before.live_blocks);
  // Of a thread that has ended, too; and what is held stays.
  const auto held = Array<double>::full({1 << 15}, 2);
  std::thread([] { (void)Array<double>::zeros({1 << 20}); }).join();
  CHECK(release_memory() >= 8 << 20);
  CHECK(held[(1 << 15) - 1] == 2);
}

TEST_CASE("a tape that another thread destroys stops the program with a message") {
  int out[2];
  REQUIRE(pipe(out) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 2);
    std::signal(SIGABRT, SIG_DFL);
    auto tape = std::make_unique<Tape>();
    std::thread([&] { tape.reset(); }).join();
    _exit(0);
  }
  close(out[1]);
  std::string text(200, '\0');
  text.resize(std::size_t(std::max<ssize_t>(read(out[0], text.data(), text.size()), 0)));
  close(out[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(text == "ebb: a Tape was destroyed by another thread than made it; it belongs to one\n");
}

}  // TEST_SUITE("tape threads")
