// SPDX-License-Identifier: BSD-3-Clause
// Lets the environment choose the term that is dropped: EBB_TERM. Tests that are linked with it, in
// the tree that tools/mutate makes, must fail for each.
#include <cstdlib>

#include "ebb/autodiff/engine/mutant.hpp"

namespace {

[[maybe_unused]] const int term = [] {
  const char* const number = std::getenv("EBB_TERM");
  return ebb::detail::mutant.term = number ? std::atoi(number) : 0;
}();

}  // namespace
