// SPDX-License-Identifier: BSD-3-Clause
// The checks of a rule's options.
#pragma once

namespace ebb::inline v0::optim::detail {

/// @throws ArgumentError "rule: what, not value" unless a condition holds.
void check_option(bool holds, const char* rule, const char* what, double value);

}  // namespace ebb::inline v0::optim::detail
