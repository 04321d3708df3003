// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/random.hpp"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "ebb/autodiff/values/draws.hpp"

namespace ebb::inline v0 {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t(0xD2511F53U) * c[0];
    const std::uint64_t p1 = std::uint64_t(0xCD9E8D57U) * c[2];
    c = {std::uint32_t(p1 >> 32) ^ c[1] ^ key[0], std::uint32_t(p1),
         std::uint32_t(p0 >> 32) ^ c[3] ^ key[1], std::uint32_t(p0)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return c;
}

Stream Stream::split(std::uint64_t tag) const {
  // A key from a counter that no draw uses: its last words are all ones.
  const auto block =
      philox4x32({std::uint32_t(tag), std::uint32_t(tag >> 32), 0xffffffffU, 0xffffffffU},
                 {std::uint32_t(key_), std::uint32_t(key_ >> 32)});
  return Stream(std::uint64_t(block[0]) | std::uint64_t(block[1]) << 32);
}

std::uint32_t Stream::next() {
  if (detail::Draws::any()) [[unlikely]]
    return detail::Draws::next([this] { return draw(); });
  return draw();
}

std::uint32_t Stream::draw() {
  const std::uint64_t index = position_ / 4;
  if (index != block_index_) {
    block_ = philox4x32({std::uint32_t(index), std::uint32_t(index >> 32), 0, 0},
                        {std::uint32_t(key_), std::uint32_t(key_ >> 32)});
    block_index_ = index;
  }
  return block_[position_++ % 4];
}

double Stream::uniform() {
  const std::uint64_t high = next() >> 5, low = next() >> 6;
  return double(high << 26 | low) * 0x1p-53;
}

// The sine would give a second number, but the position would then not be the whole state.
double Stream::normal() {
  const double u = uniform(), v = uniform();
  return std::sqrt(-2 * std::log1p(-u)) * std::cos(2 * std::numbers::pi * v);
}

// Lemire 2019, "Fast random integer generation in an interval", algorithm 5: the upper half of a
// draw times the bound; it draws again if the lower half shows that a number would come too often.
std::uint64_t Stream::below(std::uint64_t bound) {
  if (bound <= 0xffffffffU) {
    std::uint64_t product = std::uint64_t(next()) * bound;
    if (std::uint32_t(product) < bound) {
      const auto biased = std::uint32_t(0U - std::uint32_t(bound)) % std::uint32_t(bound);
      while (std::uint32_t(product) < biased) product = std::uint64_t(next()) * bound;
    }
    return product >> 32;
  }
  __extension__ using Wide = unsigned __int128;
  const auto draw = [&] {
    const std::uint64_t high = next();
    return Wide(high << 32 | next()) * bound;
  };
  Wide product = draw();
  if (std::uint64_t(product) < bound) {
    const std::uint64_t biased = (0 - bound) % bound;
    while (std::uint64_t(product) < biased) product = draw();
  }
  return std::uint64_t(product >> 64);
}

Stream& default_stream() {
  thread_local Stream stream(0);
  return stream;
}

void shuffle(std::span<std::int64_t> indices, Stream& stream) {
  for (std::size_t i = indices.size(); i > 1; --i) {
    std::swap(indices[i - 1], indices[stream.below(i)]);
  }
}

std::vector<std::int64_t> permutation(std::int64_t n, Stream& stream) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  shuffle(order, stream);
  return order;
}

}  // namespace ebb::inline v0
