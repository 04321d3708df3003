// SPDX-License-Identifier: BSD-3-Clause
// The keys that operations draw from streams, and how a part that is computed again draws the same.
#pragma once
#include <cstdint>
#include <vector>

#include "ebb/autodiff/random.hpp"

namespace ebb::inline v0::detail {

/// Until the end of the scope, keys that this thread draws are noted in a list, or taken from it.
class Draws {
 public:
  static Draws note(std::vector<std::uint64_t>& keys) { return Draws(&keys, nullptr); }
  /// @throws ArgumentError from `key` when the list has come to its end.
  static Draws repeat(const std::vector<std::uint64_t>& keys) { return Draws(nullptr, &keys); }
  ~Draws();
  Draws(const Draws&) = delete;

  /// The next key: two words of the stream or, while a list is repeated, what the list has.
  static std::uint64_t key(Stream& stream);

 private:
  Draws(std::vector<std::uint64_t>* noted, const std::vector<std::uint64_t>* repeated);

  std::vector<std::uint64_t>* noted_;
  const std::vector<std::uint64_t>* repeated_;
  std::size_t next_ = 0;
  Draws* outer_;
};

}  // namespace ebb::inline v0::detail
