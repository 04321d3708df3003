// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/draws.hpp"

#include "ebb/autodiff/error.hpp"

namespace ebb::inline v0::detail {

constinit thread_local Draws* Draws::innermost_ = nullptr;

Draws::Draws(std::vector<std::uint32_t>* noted, const std::vector<std::uint32_t>* repeated)
    : noted_(noted), repeated_(repeated), outer_(innermost_) {
  innermost_ = this;
}
Draws::~Draws() { innermost_ = outer_; }

std::uint32_t Draws::next(Stream& stream) {
  // Of the lists that are repeated the innermost decides; lists inside of it note what it gives.
  Draws* source = innermost_;
  while (source && !source->repeated_) source = source->outer_;
  std::uint32_t word;
  if (!source) {
    word = stream.draw();
  } else if (source->next_ < source->repeated_->size()) {
    word = (*source->repeated_)[source->next_++];
  } else {
    throw ArgumentError(
        "checkpoint: the function draws more random numbers when it runs again; it must do the "
        "same each time");
  }
  for (Draws* list = innermost_; list != source; list = list->outer_) list->noted_->push_back(word);
  return word;
}

}  // namespace ebb::inline v0::detail
