// SPDX-License-Identifier: BSD-3-Clause
// What is drawn from streams, and how a part that is computed again draws the same.
#pragma once
#include <cstdint>
#include <vector>

#include "ebb/autodiff/random.hpp"

namespace ebb::inline v0::detail {

/// Until the end of the scope, the words that this thread draws are noted in a list, or taken from
/// it, in which case the streams stay where they are.
class Draws {
 public:
  static Draws note(std::vector<std::uint32_t>& words) { return Draws(&words, nullptr); }
  /// @throws ArgumentError from `next` when the list has come to its end.
  static Draws repeat(const std::vector<std::uint32_t>& words) { return Draws(nullptr, &words); }
  ~Draws();
  Draws(const Draws&) = delete;

  /// Whether words are noted or repeated.
  static bool any() { return innermost_ != nullptr; }
  /// The next word: of the stream or, while a list is repeated, of the list.
  static std::uint32_t next(Stream& stream);

 private:
  Draws(std::vector<std::uint32_t>* noted, const std::vector<std::uint32_t>* repeated);

  static constinit thread_local Draws* innermost_;

  std::vector<std::uint32_t>* noted_;
  const std::vector<std::uint32_t>* repeated_;
  std::size_t next_ = 0;
  Draws* outer_;
};

}  // namespace ebb::inline v0::detail
