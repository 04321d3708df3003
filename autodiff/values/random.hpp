// SPDX-License-Identifier: BSD-3-Clause
// Random numbers by counting: a stream is a key and a position, so that every draw can be repeated.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

/// Ten rounds of Philox4x32 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as
/// 1, 2, 3"): 128 random bits for each counter and key.
EBB_API std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                std::array<std::uint32_t, 2> key);

/// A reproducible stream of random numbers. Streams of different keys are independent. To save a
/// stream, save its key and position.
class EBB_API Stream {
 public:
  explicit Stream(std::uint64_t key, std::uint64_t position = 0) : key_(key), position_(position) {}
  /// A separate stream for each tag.
  Stream split(std::uint64_t tag) const;

  std::uint64_t key() const { return key_; }
  /// The number of 32-bit words drawn so far.
  std::uint64_t position() const { return position_; }

  /// Draws 32 random bits. In a `checkpoint` they are drawn once and repeated.
  std::uint32_t next();
  /// Draws a number in [0, 1) with 53 random bits.
  double uniform();
  /// Draws a normal number with mean 0 and standard deviation 1, from four words: sqrt(-2 log(1 -
  /// u)) cos(2 pi v), with two uniform numbers u and v (Box and Muller 1958, "A note on the
  /// generation of random normal deviates"). The largest possible one is 8.6.
  double normal();
  /// Draws a number in [0, bound) without bias, bound > 0 (Lemire 2019, "Fast random integer
  /// generation in an interval").
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint32_t draw();

  std::uint64_t key_, position_;
  std::uint64_t block_index_ = ~std::uint64_t(0);
  std::array<std::uint32_t, 4> block_{};
};

/// The stream of this thread for what is given none, such as `nn::Linear(in, out)`. It starts with
/// key 0 in every thread, so that a program repeats; `default_stream() = Stream(7)` seeds it.
EBB_API Stream& default_stream();

/// Shuffles indices in place (Fisher and Yates).
EBB_API void shuffle(std::span<std::int64_t> indices, Stream& stream);

/// The numbers 0 ... n - 1 in random order.
EBB_API std::vector<std::int64_t> permutation(std::int64_t n, Stream& stream);

}  // namespace ebb::inline v0
