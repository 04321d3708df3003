// SPDX-License-Identifier: BSD-3-Clause
// The checks of a rule's options.
#pragma once
#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::optim::detail {

/// @throws ArgumentError "rule: what, not value".
[[noreturn]] void throw_option(const char* rule, const char* what, double value);

/// @throws ArgumentError "rule: what, not value" unless a condition holds. Every step checks, so
/// that a check which holds must not be a call.
EBB_INLINE void check_option(bool holds, const char* rule, const char* what, double value) {
  if (!holds) [[unlikely]]
    throw_option(rule, what, value);
}

}  // namespace ebb::inline v0::optim::detail
