// SPDX-License-Identifier: BSD-3-Clause
// The cases beside libtorch.
#pragma once
#include "../bench.hpp"

namespace bench {

/// The bound of a case: ebb takes no longer than libtorch.
constexpr double no_slower = 1.0;

void add_peer_steps(std::vector<Case>& cases);
void add_peer_loaders(std::vector<Case>& cases);
void add_peer_programs(std::vector<Case>& cases);

/// @throws std::runtime_error if ebb's loss is not libtorch's, up to a relative error.
void check_same_loss(const char* work, double ours, double torchs, double tolerance);

}  // namespace bench
