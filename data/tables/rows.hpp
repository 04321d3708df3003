// SPDX-License-Identifier: BSD-3-Clause
// Lists of row numbers: what a split gives, and what tables and data sets take.
#pragma once
#include <cstdint>
#include <vector>

namespace ebb::inline v0::data {

/// Row numbers, from 0.
using Rows = std::vector<std::int64_t>;

/// Every row in one of three parts. Each part is in random order, so that its first rows are a
/// random sample of it, and nothing of the original order is left.
struct Parts {
  Rows train, validation, test;
};

/// Rows to train on and rows to test on, both ascending.
struct Fold {
  Rows train, test;
};

}  // namespace ebb::inline v0::data
