// SPDX-License-Identifier: BSD-3-Clause
#include "bench.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

namespace bench {
namespace {

constexpr int samples = 15;
constexpr double sample_seconds = 5e-3;

double per_second(const std::string& unit) {
  if (unit == "ns") return 1e9;
  if (unit == "us") return 1e6;
  if (unit == "ms") return 1e3;
  throw std::invalid_argument("no unit of time: " + unit);
}

double seconds(const Loop& loop, std::int64_t n) {
  const double start = now();
  loop(n);
  return now() - start;
}

/// How often a loop runs in one sample; warms its buffers up on the way.
std::int64_t calls_in_a_sample(const Loop& loop) {
  loop(2);
  std::int64_t n = 1;
  for (;;) {
    const double s = seconds(loop, n);
    if (s >= sample_seconds) return n;
    n = std::max(n + 1, std::int64_t(double(n) * std::min(10.0, 1.2 * sample_seconds / s)));
  }
}

}  // namespace

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

double median(std::vector<double> v) {
  const auto middle = v.begin() + std::ptrdiff_t(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

Case versus(std::string name, std::string unit, double bound, std::function<Sides()> prepare,
            double operations) {
  const double factor = per_second(unit) / operations;
  return {std::move(name), std::move(unit), bound, [=] {
            const Sides sides = prepare();
            const std::int64_t n = calls_in_a_sample(sides.ours);
            const std::int64_t m = calls_in_a_sample(sides.limit);
            std::vector<double> ours, limit;
            for (int i = 0; i < samples; ++i) {
              ours.push_back(seconds(sides.ours, n) / double(n));
              limit.push_back(seconds(sides.limit, m) / double(m));
            }
            return Figures{median(ours) * factor, median(limit) * factor};
          }};
}

Case fixed(std::string name, std::string unit, double limit, std::function<Loop()> prepare,
           double operations) {
  const double factor = per_second(unit) / operations;
  return fixed(std::move(name), std::move(unit), limit, std::function<double()>([=] {
                 const Loop loop = prepare();
                 const std::int64_t n = calls_in_a_sample(loop);
                 std::vector<double> ours;
                 for (int i = 0; i < samples; ++i) ours.push_back(seconds(loop, n) / double(n));
                 return median(ours) * factor;
               }));
}

Case fixed(std::string name, std::string unit, double limit, std::function<double()> measure) {
  return {std::move(name), std::move(unit), 1.0, [=] { return Figures{measure(), limit}; }};
}

Numbers::Numbers(std::int64_t n, float low, float high) : n_(n) {
  static std::uint32_t state = 1;
  static std::size_t place = 0;
  constexpr std::size_t line = 64, page = 4096, huge_page = std::size_t(2) << 20;
  // An odd number of lines further on in each array: equal offsets in a page would collide.
  place = (place + 5 * line) % page;
  const std::size_t bytes = std::size_t(n) * sizeof(float) + page + 2 * line;
  const std::size_t unit = bytes < huge_page ? page : huge_page;
  const std::size_t rounded = (bytes + unit - 1) / unit * unit;
  memory_ = std::aligned_alloc(unit, rounded);
  if (!memory_) throw std::bad_alloc();
  if (unit == huge_page) madvise(memory_, rounded, MADV_HUGEPAGE);
  std::memset(memory_, 0, rounded);
  data_ = reinterpret_cast<float*>(static_cast<char*>(memory_) + place);
  for (std::int64_t i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;
    data_[i] = low + (high - low) * (float(state >> 8) / 16777216.0f);
  }
}

Numbers::~Numbers() { std::free(memory_); }

Numbers& Numbers::to_labels() {
  for (std::int64_t i = 0; i < n_; ++i) data_[i] = data_[i] > 0 ? 1.0f : 0.0f;
  return *this;
}

}  // namespace bench
