// SPDX-License-Identifier: BSD-3-Clause
// The draws from streams in a checkpoint, which draws the same when it is computed again.
#pragma once
#include <cstdint>
#include <vector>

namespace ebb::inline v0::detail {

/// Until the end of the scope, the words that this thread draws are appended to a list, or are
/// taken from a list, while the streams do not advance.
class Draws {
 public:
  static Draws note(std::vector<std::uint32_t>& words) { return Draws(&words, nullptr); }
  static Draws repeat(const std::vector<std::uint32_t>& words) { return Draws(nullptr, &words); }
  ~Draws();
  Draws(const Draws&) = delete;

  /// True while words are appended or repeated.
  static bool any() { return innermost_ != nullptr; }
  /// True while words are repeated: what a computation leaves behind is there already.
  static bool repeats() { return repeated_source() != nullptr; }
  /// The next word: from the innermost list that is repeated or, without one, from draw().
  /// @throws ArgumentError after the end of that list.
  template <class Draw>
  static std::uint32_t next(const Draw& draw) {
    Draws* const source = repeated_source();
    const std::uint32_t word = source ? source->take() : draw();
    note_until(source, word);
    return word;
  }

 private:
  Draws(std::vector<std::uint32_t>* noted, const std::vector<std::uint32_t>* repeated);
  /// The innermost scope that repeats a list, or null.
  static Draws* repeated_source();
  std::uint32_t take();
  /// Adds a word to the lists of the scopes inside of this one.
  static void note_until(const Draws* source, std::uint32_t word);

  static constinit thread_local Draws* innermost_;

  std::vector<std::uint32_t>* noted_;
  const std::vector<std::uint32_t>* repeated_;
  std::size_t next_ = 0;
  Draws* outer_;
};

}  // namespace ebb::inline v0::detail
