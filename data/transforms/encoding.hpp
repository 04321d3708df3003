// SPDX-License-Identifier: BSD-3-Clause
// Categories as numbers.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ebb/data/transforms/column_transform.hpp"

namespace ebb::inline v0::data {

/// What becomes of a category that the training rows did not have, or that is missing.
enum class Unknown : std::uint8_t {
  error,   ///< it is refused, with its place
  ignore,  ///< it is no category: zeros one-hot, NaN ordinal, the mean target
  level    ///< it is a category of its own
};

/// Knows the levels that the training rows have, in the order of the table or in a given one. A
/// level that stands in the table for rows of other parts only is as unknown as any other.
class EBB_API Encoder : public ColumnTransform {
 public:
  ~Encoder() override;
  /// The levels of each column, by the columns that are used.
  EBB_INLINE const std::vector<std::vector<std::string>>& levels() const { return levels_; }

 protected:
  Encoder(std::vector<std::string> columns, Unknown unknown, Unknown missing,
          std::map<std::string, std::vector<std::string>> levels = {});
  std::optional<Kind> takes() const override;
  void learn(const Table<double>& training) override;
  void each(Fields& fields) override;

  EBB_INLINE Unknown unknown() const { return unknown_; }
  EBB_INLINE Unknown missing() const { return missing_; }

  /// No category, where that is ignored.
  static constexpr std::int64_t none = -1;
  /// How many categories a column has, those for what is unknown and missing among them.
  std::int64_t slots(std::size_t index) const;
  /// The category of each value of a column: the position of its level, behind them that of what
  /// is unknown and that of what is missing, if they are levels, or `none`.
  std::vector<std::int64_t> slots_of(const Table<double>& table, const Place& place) const;
  /// The column as it was before, and the code of a category in it; NaN where it had no level.
  Column column_before(std::size_t index) const;
  std::vector<double> codes_before(std::size_t index) const;

 private:
  std::vector<Column> given_;  ///< levels by column
  Unknown unknown_, missing_;
  std::vector<std::vector<std::string>> levels_;
};

struct OneHotOptions {
  std::vector<std::string> columns = {};  ///< those to be encoded; without any, all categorical
  Unknown unknown = Unknown::error;       ///< for a level that the training rows did not have
  Unknown missing = Unknown::error;       ///< for a missing value
  /// Leaves out the first level, which is then all zeros: the columns of all levels add up to 1,
  /// which a linear model with a bias cannot tell from it. Nothing can be ignored then.
  bool drop_first = false;
  /// The levels of some columns, in an order of their own.
  std::map<std::string, std::vector<std::string>> levels = {};
};

/// One column a level, "zone=north", in the place of the column: 1 where it is that level, 0
/// elsewhere. "zone=(unknown)" and "zone=(missing)" where these are levels. The way back takes the
/// largest number of a row that is above one half; where there is none, the value is missing. A
/// column whose only level is left out comes back with all other columns only, for nothing else
/// tells that it was there.
class EBB_API OneHot : public Encoder {
 public:
  explicit OneHot(OneHotOptions options = {});
  std::string type() const override;

 private:
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;
  std::vector<std::string> names_of(std::size_t index) const;
  struct Source;
  void decode(const Table<double>& from, const Source& source, double* out, std::size_t step) const;

  bool drop_first_;
};

struct OrdinalOptions {
  std::vector<std::string> columns = {};  ///< those to be encoded; without any, all categorical
  Unknown unknown = Unknown::error;       ///< for a level that the training rows did not have
  Unknown missing = Unknown::error;       ///< for a missing value
  /// The levels of some columns, from 0 on: {{"size", {"small", "medium", "large"}}}.
  std::map<std::string, std::vector<std::string>> levels = {};
};

/// The position of the level, from 0 on: n levels are 0 ... n - 1, and behind them what is unknown
/// and what is missing, where these are levels. The way back rounds.
class EBB_API Ordinal : public Encoder {
 public:
  explicit Ordinal(OrdinalOptions options = {});
  std::string type() const override;

 private:
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
};

}  // namespace ebb::inline v0::data
