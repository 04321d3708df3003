// SPDX-License-Identifier: BSD-3-Clause
// Lists of row numbers: what a split gives, and what tables and data sets take.
#pragma once
#include <cstdint>
#include <vector>

namespace ebb::inline v0::data {

/// Row numbers, from 0.
using Rows = std::vector<std::int64_t>;

/// Every row in one of three parts, each in the order in which its rows were drawn: so the first
/// rows of a part are themselves a random choice, and no order of the data is left in it.
struct Parts {
  Rows train, validation, test;
};

/// Rows to train on and rows to judge by, both ascending.
struct Fold {
  Rows train, test;
};

}  // namespace ebb::inline v0::data
