// SPDX-License-Identifier: BSD-3-Clause
// Work that threads do ahead of its use, handed over in order.
#pragma once
#include <cstdint>
#include <memory>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::data::detail {

/// Threads that fill numbered places with the results of the tickets 0, 1, 2, ... A slot holds one
/// result until it is taken. Results are taken in the order of the tickets, no matter which thread
/// finishes first.
class EBB_API Prefetcher {
 public:
  /// The functions that the threads call. They are plain functions, since each translation unit has
  /// its own copy, compiled with its own flags.
  struct Task {
    void* self;  ///< the first argument of both functions
    /// Makes the result of a ticket and leaves it in a slot. Several threads call it at the same
    /// time.
    void (*make)(void* self, std::size_t slot, std::int64_t ticket);
    /// Called once after each start, by one thread, when every slot was filled once; not at the
    /// end, where all threads would have to wait for it. Its exceptions are discarded.
    void (*when_idle)(void* self);
  };

  /// @throws ArgumentError for fewer than one worker or one slot, and for more workers than the
  /// system can give threads.
  Prefetcher(std::int64_t workers, std::int64_t places, const Task& task);
  /// Waits until no thread works.
  ~Prefetcher();

  /// Discards the unfinished work and waits until no thread works. From then until `start`, the
  /// data that `make` reads may be changed.
  void stop();
  /// Starts the threads on the tickets from 0 to `end` - 1. Call `stop` before.
  void start(std::int64_t end);
  /// Waits for the next ticket, or makes its result if no thread has begun it. An exception of
  /// `make` is thrown again; after it, call `stop`. @returns the slot of the result, which does not
  /// change until `release`.
  std::size_t wait();
  /// Gives the slot that `wait` returned back to the threads.
  void release();

 private:
  struct Threads;
  std::unique_ptr<Threads> threads_;
};

}  // namespace ebb::inline v0::data::detail
