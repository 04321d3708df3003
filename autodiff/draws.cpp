// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/draws.hpp"

#include "ebb/autodiff/error.hpp"

namespace ebb::inline v0::detail {
namespace {

constinit thread_local Draws* innermost = nullptr;

}  // namespace

Draws::Draws(std::vector<std::uint64_t>* noted, const std::vector<std::uint64_t>* repeated)
    : noted_(noted), repeated_(repeated), outer_(innermost) {
  innermost = this;
}
Draws::~Draws() { innermost = outer_; }

std::uint64_t Draws::key(Stream& stream) {
  // Of the lists that are repeated the innermost decides; lists inside of it note what it gives.
  Draws* source = innermost;
  while (source && !source->repeated_) source = source->outer_;
  std::uint64_t key;
  if (!source) {
    const std::uint64_t high = stream.next();
    key = high << 32 | stream.next();
  } else if (source->next_ < source->repeated_->size()) {
    key = (*source->repeated_)[source->next_++];
  } else {
    throw ArgumentError(
        "checkpoint: the function draws more random numbers when it runs again; it must do the "
        "same each time");
  }
  for (Draws* list = innermost; list != source; list = list->outer_) list->noted_->push_back(key);
  return key;
}

}  // namespace ebb::inline v0::detail
