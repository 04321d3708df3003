// SPDX-License-Identifier: BSD-3-Clause
// Memory that runs out does no harm: a step that fails adds no gradient, its tape goes on, and
// nothing leaks. Every allocation of a first step fails once, each in a process of its own, since
// only there the pools are empty.
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>

#include "ebb/autodiff/fuse.hpp"
#include "ebb/ebb.hpp"

namespace {

long allocations_until_failure = -1;  // negative: none fails

bool fails() { return allocations_until_failure >= 0 && allocations_until_failure-- == 0; }

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) { return fails() ? nullptr : __libc_malloc(size); }
void* realloc(void* p, std::size_t size) { return fails() ? nullptr : __libc_realloc(p, size); }
void* memalign(std::size_t alignment, std::size_t size) {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  *p = memalign(alignment, size);
  return *p ? 0 : ENOMEM;
}
}

using namespace ebb;

namespace {

enum Outcome { held, no_failure, gradient_after_failure, other_bits, leaked, wrong_exception };

/// What the child process reports: the blocks in use if no step failed.
struct Shared {
  std::int64_t after_steps, at_end;
};

struct Model {
  Array<double> x = Array<double>::full({70, 9}, 0.5);  // blocks of several sizes
  Variable<double> w{Array<double>::full({7, 9}, 0.25)}, b{Array<double>::full({7}, 2.0)};
  Variable<double> unused[12]{mine(), mine(), mine(), mine(), mine(), mine(),
                              mine(), mine(), mine(), mine(), mine(), mine()};
  static Variable<double> mine() { return Variable<double>(Array<double>(1.5)); }

  void step() {
    const auto z = linear(x, w, b);
    const auto p = fuse([](auto t, auto u) { return tanh(t) * u; }, z, b);
    auto loss = mean(concat({maximum(p / b, 0.25), softmax(z)}, 0)) +
                fuse_mean([](auto t) { return square(t); }, z);
    for (auto& v : unused) loss = loss + v * v;  // more leaves than a short list holds
    backward(loss);
  }
  void zero_grad() {
    w.zero_grad();
    b.zero_grad();
    for (auto& v : unused) v.zero_grad();
  }
};

/// A step whose allocation `k` fails, another one on the same tape, and one on a new tape.
Outcome run(long k, Shared& shared) {
  Model model;
  Array<double> again_w, again_b;
  {
    Tape tape;
    bool failed = false;
    allocations_until_failure = k;
    try {
      model.step();
    } catch (const std::bad_alloc&) {
      failed = true;
    } catch (...) {
      return wrong_exception;
    }
    allocations_until_failure = -1;
    if (failed && (model.w.has_gradient() || model.b.has_gradient())) return gradient_after_failure;
    if (!failed) model.zero_grad();
    model.step();
    again_w = model.w.gradient();
    again_b = model.b.gradient();
    model.zero_grad();
    if (!failed) {
      shared.after_steps = memory_statistics().live_blocks;
      return no_failure;
    }
    if (memory_statistics().live_blocks != shared.after_steps) return leaked;
  }
  Tape fresh;
  model.step();
  const bool same = equal(model.w.gradient(), again_w) && equal(model.b.gradient(), again_b);
  return same ? held : other_bits;
}

/// As `run`, and also checks that the model's own blocks are freed with it.
Outcome run_to_end(long k, Shared& shared) {
  const Outcome outcome = run(k, shared);
  const std::int64_t live = memory_statistics().live_blocks;
  if (outcome == no_failure) shared.at_end = live;
  return outcome == held && live != shared.at_end ? leaked : outcome;
}

Outcome in_a_process(long k, Shared& shared) {
  const pid_t child = fork();
  if (child == 0) _exit(run_to_end(k, shared));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  INFO("allocation " << k << ", status " << status);
  REQUIRE(WIFEXITED(status));
  return Outcome(WEXITSTATUS(status));
}

}  // namespace

TEST_SUITE("allocation failures") {

TEST_CASE("a failure of any allocation of a first step is survived") {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  Shared& shared = *static_cast<Shared*>(memory);
  REQUIRE(in_a_process(1 << 30, shared) == no_failure);
  long k = 0;
  for (Outcome outcome = held; outcome != no_failure; ++k) {
    outcome = in_a_process(k, shared);
    CAPTURE(k);
    CAPTURE(int(outcome));
    CHECK((outcome == held || outcome == no_failure));
  }
  // Slabs, chunks of records, and the lists of a tape.
  CHECK(k > 10);
  munmap(memory, sizeof(Shared));
}

}  // TEST_SUITE("allocation failures")
