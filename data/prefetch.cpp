// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/prefetch.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ebb/autodiff/error.hpp"

namespace ebb::inline v0::data::detail {

struct Prefetcher::Threads {
  struct Slot {
    bool made = false;
    std::exception_ptr error = nullptr;
  };

  Make make;
  std::mutex mutex;
  std::condition_variable_any work;  ///< there may be a ticket to take on
  std::condition_variable made;      ///< one was made
  std::vector<Slot> slots;
  std::int64_t next = 0, taken = 0, end = 0;  ///< to make, to hand over, to stop at
  int busy = 0;                               ///< threads that make one
  std::vector<std::jthread> threads;          ///< the last member: they end before the others

  Threads(int workers, int slot_count, Make f)
      : make(std::move(f)), slots(std::size_t(slot_count)) {
    for (int i = 0; i < workers; ++i) {
      threads.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
  }

  std::size_t slot_of(std::int64_t ticket) const { return std::size_t(ticket) % slots.size(); }

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    const auto due = [this] { return next < end && next - taken < std::int64_t(slots.size()); };
    while (work.wait(lock, stop, due) && !stop.stop_requested()) {
      const std::int64_t ticket = next++;
      ++busy;
      lock.unlock();
      std::exception_ptr error;
      try {
        make(slot_of(ticket), ticket);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      --busy;
      slots[slot_of(ticket)] = {true, std::move(error)};
      made.notify_all();
    }
  }
};

Prefetcher::Prefetcher(int workers, int slots, Make make) {
  if (workers < 1 || slots < 1) {
    throw ArgumentError("Prefetcher: " + std::to_string(workers) + " workers and " +
                        std::to_string(slots) + " slots; both are at least 1");
  }
  threads_ = std::make_unique<Threads>(workers, slots, std::move(make));
}

Prefetcher::~Prefetcher() = default;

void Prefetcher::stop() {
  Threads& t = *threads_;
  std::unique_lock lock(t.mutex);
  t.end = t.next;
  t.made.wait(lock, [&] { return t.busy == 0; });
  for (auto& slot : t.slots) slot = {};
  t.next = t.taken = t.end = 0;
}

void Prefetcher::start(std::int64_t end) {
  {
    const std::lock_guard lock(threads_->mutex);
    threads_->end = end;
  }
  threads_->work.notify_all();
}

std::size_t Prefetcher::wait() {
  Threads& t = *threads_;
  std::unique_lock lock(t.mutex);
  const std::size_t i = t.slot_of(t.taken);
  t.made.wait(lock, [&] { return t.slots[i].made; });
  if (t.slots[i].error) std::rethrow_exception(t.slots[i].error);
  return i;
}

void Prefetcher::release() {
  {
    const std::lock_guard lock(threads_->mutex);
    threads_->slots[threads_->slot_of(threads_->taken)] = {};
    ++threads_->taken;
  }
  threads_->work.notify_one();
}

}  // namespace ebb::inline v0::data::detail
