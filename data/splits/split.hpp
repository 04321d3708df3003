// SPDX-License-Identifier: BSD-3-Clause
// Rows to train on and rows to judge by. A split is lists of row numbers, so that it serves arrays,
// tables and data sets of any kind: `split(table, parts)`, `Subset(dataset, fold.test)`.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"
#include "ebb/data/tables/rows.hpp"

namespace ebb::inline v0::data {

struct PartsOptions {
  double validation = 0;   ///< the fraction of rows to choose models by
  double test = 0.2;       ///< the fraction of rows to judge the chosen one by
  std::uint64_t seed = 0;  ///< of the choice
};

/// Puts n rows at random into parts whose sizes are the fractions of n, rounded to the nearest row;
/// what is left is to train on. The same seed and n give the same parts.
/// @throws ShapeError for more rows than memory holds; ArgumentError unless the fractions are at
/// least 0, their sum is below 1, and each part that is asked for, as well as `train`, gets at
/// least one row.
EBB_API Parts split_rows(std::int64_t n, PartsOptions options = {});

/// The same with each class in its proportion, given the class of every row: the parts have the
/// sizes that `split_rows` gives them, and of each class at most one row more or less than that
/// share of it. Rounded by the largest remainder; of equal ones the lowest class is first.
/// @throws ArgumentError also for a class that is left without a row in a part, which it names.
EBB_API Parts split_stratified(std::span<const std::int64_t> classes, PartsOptions options = {});

/// The same with no group in two parts, given the group of every row (a patient, a document, a
/// day). Groups are drawn one by one into the test part, then the validation part, wherever that
/// brings its number of rows nearer to what was asked for, so that it ends within half a group.
/// @throws ArgumentError also when a part is left without a group.
EBB_API Parts split_grouped(std::span<const std::int64_t> groups, PartsOptions options = {});

struct FoldOptions {
  std::int64_t folds = 5;    ///< how many, at least 2
  std::int64_t repeats = 1;  ///< as many times that, each shuffled anew
  bool shuffle = true;       ///< without it each fold tests neighbours, in the order of the rows
  std::uint64_t seed = 0;    ///< of the shuffles
};

/// Folds for cross-validation: each row is in the test part of exactly one fold, or of one in each
/// repeat, and the test parts differ by at most one row. Repeat r is at [r * folds, (r + 1) *
/// folds), and the first is the same however many follow. @throws ArgumentError for fewer than 2
/// folds, more folds than rows, and repeats that do not shuffle.
EBB_API std::vector<Fold> k_fold(std::int64_t n, FoldOptions options = {});

/// The same, with the rows of each class shared out among the folds as evenly, to within one row.
/// @throws ArgumentError also for a class with fewer rows than folds, which it names.
EBB_API std::vector<Fold> stratified_k_fold(std::span<const std::int64_t> classes,
                                            FoldOptions options = {});

/// The same with no group in two folds: each goes to the fold that has the fewest rows, in random
/// order or, unshuffled, the largest first. The test parts differ by at most the largest group.
/// @throws ArgumentError also for fewer groups than folds.
EBB_API std::vector<Fold> group_k_fold(std::span<const std::int64_t> groups,
                                       FoldOptions options = {});

struct ExpandingWindowOptions {
  std::int64_t folds = 5;                      ///< how many
  std::optional<std::int64_t> test_size = {};  ///< rows to test; otherwise n / (folds + 1)
  std::int64_t gap = 0;                        ///< rows left out before each test part
};

/// Folds for rows in the order of time: the last folds * test_size rows are tested, part after
/// part, and each fold trains on all rows before its test part and the gap. There is nothing to
/// shuffle. @throws ArgumentError for sizes that leave the first fold no row to train on.
EBB_API std::vector<Fold> expanding_window(std::int64_t n, ExpandingWindowOptions options = {});

struct SlidingWindowOptions {
  std::int64_t folds = 5;                       ///< how many
  std::optional<std::int64_t> train_size = {};  ///< rows to train on; otherwise all the first sees
  std::optional<std::int64_t> test_size = {};   ///< rows to test; otherwise n / (folds + 1)
  std::int64_t gap = 0;                         ///< rows left out between the two
};

/// `expanding_window` in which each fold trains on equally many rows, the last before the gap.
EBB_API std::vector<Fold> sliding_window(std::int64_t n, SlidingWindowOptions options = {});

}  // namespace ebb::inline v0::data
