// SPDX-License-Identifier: BSD-3-Clause
// Work done ahead by threads, and handed over in order.
#pragma once
#include <cstdint>
#include <memory>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::data::detail {

/// Threads that fill numbered slots with the results of tickets 0, 1, 2, ..., at most one ticket a
/// slot ahead of the one who takes them. Whichever thread is faster, they are taken in order.
class EBB_API Prefetcher {
 public:
  /// What the threads do for somebody, by plain functions: each unit has its own, with its own
  /// flags.
  struct Task {
    void* self;  ///< whom it is done for, the first argument of both
    /// Makes a ticket's result and leaves it in a slot; called from several threads at a time.
    void (*make)(void* self, std::size_t slot, std::int64_t ticket);
    /// What one thread does once after each start, as soon as each slot was filled once: not at
    /// the end, when everybody would wait for it. What it throws is lost.
    void (*aside)(void* self);
  };

  /// @throws ArgumentError for fewer than one worker or slot, and more workers than the system
  /// gives threads.
  Prefetcher(std::int64_t workers, std::int64_t slots, const Task& task);
  /// Waits until no thread is at work.
  ~Prefetcher();

  /// Forgets what is under way, waits until no thread is at it, and allows what `make` reads to be
  /// changed until `start`.
  void stop();
  /// Sets the threads to the tickets below an end, after a `stop`.
  void start(std::int64_t end);
  /// Waits for the next ticket, or makes it if no thread has begun it. @returns its slot, which
  /// stays as it is until `release`. Rethrows what its making threw; then there must be a `stop`.
  std::size_t wait();
  /// Gives the slot of that ticket back.
  void release();

 private:
  struct Threads;
  std::unique_ptr<Threads> threads_;
};

}  // namespace ebb::inline v0::data::detail
