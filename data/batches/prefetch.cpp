// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/batches/prefetch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"

namespace ebb::inline v0::data::detail {

namespace {

/// Waits for a condition that another thread will make true soon. It spins first, since waking a
/// thread takes longer than making a small batch.
template <class Condition>
void spin_until(Condition condition) {
  using Clock = std::chrono::steady_clock;
  for (const auto start = Clock::now(); !condition();) {
    if (Clock::now() - start > std::chrono::microseconds(20)) return;
  }
}

/// Locks a mutex that other threads hold only for an instant.
void lock_soon(std::unique_lock<std::mutex>& lock) {
  spin_until([&] { return lock.try_lock(); });
  if (!lock.owns_lock()) lock.lock();
}

}  // namespace

struct Prefetcher::Threads {
  struct Slot {
    std::atomic<bool> made = false;
    std::exception_ptr error = nullptr;

    void clear() {
      error = nullptr;
      made = false;
    }
  };

  Task task;
  std::mutex mutex;                  ///< held to change the members below
  std::condition_variable_any work;  ///< there may be a ticket to make
  std::condition_variable made;      ///< a result was made
  std::vector<Slot> slots;
  /// The tickets to make next, to hand over next, to stop at.
  std::atomic<std::int64_t> next = 0, taken = 0, end = 0;
  std::atomic<bool> idle_call_due = false;
  int busy = 0;                       ///< threads that are inside `make` or `when_idle`
  std::vector<std::jthread> threads;  ///< the last member, destroyed first

  Threads(std::int64_t workers, std::int64_t slot_count, const Task& t)
      : task(t), slots(std::size_t(slot_count)) {
    for (std::int64_t i = 0; i < workers; ++i) {
      threads.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
  }

  void make(std::int64_t ticket) const { task.make(task.self, slot_of(ticket), ticket); }
  std::size_t slot_of(std::int64_t ticket) const { return std::size_t(ticket) % slots.size(); }

  bool due() const { return next < end && next - taken < std::int64_t(slots.size()); }

  bool is_idle_call_due() const {
    return idle_call_due && next >= std::min(end.load(), std::int64_t(slots.size()));
  }

  void run(const std::stop_token& stop) {
    const auto anything = [this] { return due() || is_idle_call_due(); };
    std::unique_lock lock(mutex, std::defer_lock);
    for (;;) {
      spin_until(anything);
      lock_soon(lock);
      if (!work.wait(lock, stop, anything) || stop.stop_requested()) return;
      ++busy;
      if (is_idle_call_due()) {
        idle_call_due = false;
        unlocked(lock, [&] { task.when_idle(task.self); });
      } else {
        const std::int64_t ticket = next++;
        Slot& slot = slots[slot_of(ticket)];
        slot.error = unlocked(lock, [&] { make(ticket); });
        slot.made = true;
      }
      --busy;
      lock.unlock();
      made.notify_all();
    }
  }

  /// @returns the exception that f threw, if any.
  template <class F>
  static std::exception_ptr unlocked(std::unique_lock<std::mutex>& lock, const F& f) {
    std::exception_ptr error;
    lock.unlock();
    try {
      f();
    } catch (...) {
      error = std::current_exception();
    }
    lock_soon(lock);
    return error;
  }
};

Prefetcher::Prefetcher(std::int64_t workers, std::int64_t slots, const Task& task) {
  if (workers < 1 || slots < 1) {
    throw ArgumentError("Prefetcher: " + detail::count_of(workers, "worker") + " and " +
                        detail::count_of(slots, "slot") + "; both are at least 1");
  }
  try {
    threads_ = std::make_unique<Threads>(workers, slots, task);
  } catch (const std::system_error& error) {
    throw ArgumentError("Loader: the system cannot give " + detail::count_of(workers, "thread") +
                        " (" + error.code().message() + "); use " +
                        (workers == 1 ? "no" : "fewer") + " workers");
  }
}

Prefetcher::~Prefetcher() {
  stop();  // asks all threads to stop, before each is joined
}

void Prefetcher::stop() {
  Threads& t = *threads_;
  std::unique_lock lock(t.mutex);
  t.end = t.next.load();
  t.idle_call_due = false;
  t.made.wait(lock, [&] { return t.busy == 0; });
  for (auto& slot : t.slots) slot.clear();
  t.next = t.taken = t.end = 0;
}

void Prefetcher::start(std::int64_t end) {
  {
    const std::lock_guard lock(threads_->mutex);
    threads_->end = end;
    threads_->idle_call_due = true;
  }
  threads_->work.notify_all();
}

std::size_t Prefetcher::wait() {
  Threads& t = *threads_;
  const std::size_t i = t.slot_of(t.taken);
  const auto is_made = [&] { return t.slots[i].made.load(); };
  std::unique_lock lock(t.mutex, std::defer_lock);
  lock_soon(lock);
  if (t.next == t.taken && t.next < t.end) {
    // No thread has begun it: making it here is faster than waiting.
    const std::int64_t ticket = t.next++;
    lock.unlock();
    t.make(ticket);
    return i;
  }
  lock.unlock();
  spin_until(is_made);
  lock_soon(lock);
  t.made.wait(lock, is_made);
  if (t.slots[i].error) std::rethrow_exception(t.slots[i].error);
  return i;
}

void Prefetcher::release() {
  {
    std::unique_lock lock(threads_->mutex, std::defer_lock);
    lock_soon(lock);
    threads_->slots[threads_->slot_of(threads_->taken)].clear();
    ++threads_->taken;
  }
  threads_->work.notify_one();
}

}  // namespace ebb::inline v0::data::detail
