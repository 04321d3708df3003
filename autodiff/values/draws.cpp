// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/draws.hpp"

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {

constinit thread_local Draws* Draws::innermost_ = nullptr;

Draws::Draws(std::vector<std::uint32_t>* noted, const std::vector<std::uint32_t>* repeated)
    : noted_(noted), repeated_(repeated), outer_(innermost_) {
  innermost_ = this;
}
Draws::~Draws() { innermost_ = outer_; }

Draws* Draws::repeated_source() {
  Draws* source = innermost_;
  while (source && !source->repeated_) source = source->outer_;
  return source;
}

std::uint32_t Draws::take() {
  if (next_ < repeated_->size()) return (*repeated_)[next_++];
  throw ArgumentError(
      "checkpoint: the function draws more random numbers when it runs again; it must do the "
      "same each time");
}

void Draws::note_until(const Draws* source, std::uint32_t word) {
  for (Draws* list = innermost_; list != source; list = list->outer_) list->noted_->push_back(word);
}

}  // namespace ebb::inline v0::detail
