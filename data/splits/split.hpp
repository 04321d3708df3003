// SPDX-License-Identifier: BSD-3-Clause
// Divides rows into rows to train on and rows to evaluate on. A split is a set of lists of row
// numbers, so that it works for arrays, tables and data sets: `split(table, parts)`,
// `Subset(dataset, fold.test)`.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"
#include "ebb/data/tables/rows.hpp"

namespace ebb::inline v0::data {

struct PartsOptions {
  double validation = 0;   ///< the fraction of rows to choose a model with
  double test = 0.2;       ///< the fraction of rows to evaluate the chosen model on
  std::uint64_t seed = 0;  ///< seed of the random choice
};

/// Divides n rows at random into parts. Their sizes are the fractions of n, rounded to the nearest
/// row; all other rows are for training. Equal seed and n give equal parts.
/// @throws ShapeError if n is more than memory holds; ArgumentError if a fraction is below 0, if
/// their sum is not below 1, and if `train`, or a part whose fraction is above 0, gets no row.
EBB_API Parts split_rows(std::int64_t n, PartsOptions options = {});

/// Divides rows at random so that each part has the classes in proportion. `classes` has the class
/// of each row. The parts have the sizes that `split_rows` gives; the number of rows of a class in
/// a part differs from its exact share by at most one. Rounding is by the largest remainder, and
/// for equal remainders the lowest class comes first.
/// @throws ShapeError and ArgumentError as `split_rows`, and ArgumentError for a class without a
/// row in some part, which it names.
EBB_API Parts split_stratified(std::span<const std::int64_t> classes, PartsOptions options = {});

/// Divides rows at random so that no group (a patient, a document, a day) is in two parts. `groups`
/// has the group of each row. Groups are drawn one by one. Each goes to the test part, then to the
/// validation part, if that brings the number of rows nearer to the requested one; the final number
/// is within half a group of it.
/// @throws ShapeError and ArgumentError as `split_rows`, and ArgumentError for a part without a
/// group.
EBB_API Parts split_grouped(std::span<const std::int64_t> groups, PartsOptions options = {});

struct TimePartsOptions {
  double validation = 0;  ///< the fraction of rows to choose a model with
  double test = 0.2;      ///< the fraction of rows to evaluate the chosen model on
};

/// Divides rows by time: all rows to train on come before those for validation, and these before
/// those for testing; each part is in the order of time. `times` has the time of each row. Rows of
/// one time stay in one part, so that a part ends at the change of time that is nearest to the
/// fraction.
/// @throws ShapeError and ArgumentError as `split_rows`, and ArgumentError for a time that is NaN,
/// and for too few different times to have all parts.
EBB_API Parts split_by_time(std::span<const double> times, TimePartsOptions options = {});

struct FoldOptions {
  std::int64_t folds = 5;    ///< the number of folds, at least 2
  std::int64_t repeats = 1;  ///< how often to make the folds, each time shuffled anew
  bool shuffle = true;       ///< if false, each fold tests consecutive rows
  std::uint64_t seed = 0;    ///< seed of the shuffles
};

/// Folds for cross-validation: each row is in the test part of exactly one fold, or of one fold in
/// each repeat, and the sizes of the test parts differ by at most one row. The folds of repeat r
/// are at [r * folds, (r + 1) * folds). The number of repeats does not change the first ones.
/// @throws ArgumentError for fewer than 2 folds, more folds than rows, and several repeats without
/// shuffling.
EBB_API std::vector<Fold> k_fold(std::int64_t n, FoldOptions options = {});

/// Folds that have the classes in proportion. `classes` has the class of each row. Between folds,
/// the number of test rows and the number of test rows of a class differ by at most one.
/// @throws ArgumentError as `k_fold`, and for a class with fewer rows than folds, which it names.
EBB_API std::vector<Fold> stratified_k_fold(std::span<const std::int64_t> classes,
                                            FoldOptions options = {});

/// Folds in which no group is in two test parts. `groups` has the group of each row. Each group
/// goes to the fold with the fewest rows so far, in random order, or, without shuffling, the
/// largest group first. The sizes of the test parts differ by at most the largest group.
/// @throws ArgumentError as `k_fold`, and for fewer groups than folds.
EBB_API std::vector<Fold> group_k_fold(std::span<const std::int64_t> groups,
                                       FoldOptions options = {});

struct ExpandingWindowOptions {
  std::int64_t folds = 5;  ///< the number of folds
  /// Rows in each test part; otherwise n / (folds + 1).
  std::optional<std::int64_t> test_size = {};
  std::int64_t gap = 0;  ///< rows left out before each test part
};

/// Folds for rows in the order of time. The last folds * test_size rows are divided into the test
/// parts, in order; each fold trains on all rows before its test part and the gap. Rows are not
/// shuffled.
/// @throws ArgumentError for sizes that leave the first fold without a row to train on.
EBB_API std::vector<Fold> expanding_window(std::int64_t n, ExpandingWindowOptions options = {});

struct SlidingWindowOptions {
  std::int64_t folds = 5;  ///< the number of folds
  /// Rows to train on; otherwise all that the first fold can use.
  std::optional<std::int64_t> train_size = {};
  /// Rows in each test part; otherwise n / (folds + 1).
  std::optional<std::int64_t> test_size = {};
  std::int64_t gap = 0;  ///< rows left out before each test part
};

/// Folds as of `expanding_window`, but each trains on the same number of rows, the last ones before
/// the gap.
/// @throws ArgumentError as `expanding_window`.
EBB_API std::vector<Fold> sliding_window(std::int64_t n, SlidingWindowOptions options = {});

}  // namespace ebb::inline v0::data
