// SPDX-License-Identifier: BSD-3-Clause
// Categories encoded as numbers.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ebb/data/transforms/column_transform.hpp"

namespace ebb::inline v0::data {

/// How to treat a category that the training rows do not have, or that is missing.
enum class Unknown : std::uint8_t {
  error,   ///< an error that names its row
  ignore,  ///< no category: zeros if one-hot, NaN if ordinal, the mean of all rows in target
           ///< encoding
  level    ///< a separate category
};

/// Base of the transforms that encode categories. It learns the levels of the training rows, in the
/// order of the table or in a given order. A level that the table has only for rows of other parts
/// counts as unknown.
class EBB_API Encoder : public ColumnTransform {
 public:
  ~Encoder() override;
  /// The levels of each used column, in the order of `used()`.
  EBB_INLINE const std::vector<std::vector<std::string>>& levels() const { return levels_; }

 protected:
  Encoder(std::vector<std::string> columns, Unknown unknown, Unknown missing,
          std::map<std::string, std::vector<std::string>> levels = {});
  std::optional<Kind> takes() const override;
  void learn(const Table<double>& training) override;
  void each(Fields& fields) override;
  /// False if all levels are given.
  bool learns() const override;

  EBB_INLINE Unknown unknown() const { return unknown_; }
  EBB_INLINE Unknown missing() const { return missing_; }

  /// True if the options give the levels of a used column.
  bool is_given(std::size_t index) const;
  /// The code of a value that has no category and is ignored.
  static constexpr std::int64_t none = -1;
  /// The number of categories of a column, including those for unknown and missing values.
  std::int64_t slot_count(std::size_t index) const;
  /// The category of each value of a column: the position of its level. Unknown and missing values
  /// have the positions after the levels if they are categories, otherwise `none`.
  std::vector<std::int64_t> slots_of(const Table<double>& table, const Place& place) const;
  /// The column as it was before the transform, and the code in it of each category; NaN for a
  /// category that was not a level.
  Column column_before(std::size_t index) const;
  std::vector<double> codes_before(std::size_t index) const;

 private:
  std::vector<Column> given_;  ///< levels given in the options, by column
  Unknown unknown_, missing_;
  std::vector<std::vector<std::string>> levels_;
};

struct OneHotOptions {
  std::vector<std::string> columns = {};  ///< the columns to encode; empty: all categorical columns
  Unknown unknown = Unknown::error;  ///< how to treat a level that the training rows do not have
  Unknown missing = Unknown::error;  ///< how to treat a missing value
  /// Leaves out the column of the first level, whose rows are then all zeros. Without it the
  /// columns of all levels add up to 1, which a linear model cannot distinguish from its bias.
  /// Unknown::ignore is then refused.
  bool drop_first = false;
  /// The levels of some columns, in the order to use.
  std::map<std::string, std::vector<std::string>> levels = {};
  /// Encodes a column even if it has more than 20 levels, and one for every two rows. Otherwise
  /// that is an error, since it is mostly a name, or numbers that were read as texts.
  bool many_levels = false;
};

/// Replaces a categorical column by one column for each level, such as "zone=north": 1 in rows of
/// that level, else 0. Unknown and missing values get the columns "zone=(unknown)" and
/// "zone=(missing)" if they are categories. `inverse` takes the largest number of a row if it is
/// above one half, and otherwise gives a missing value. A column with one level, which `drop_first`
/// left out, is restored only if all other columns are there, since nothing else shows that it
/// existed.
class EBB_API OneHot : public Encoder {
 public:
  explicit OneHot(OneHotOptions options = {});
  std::string type() const override;

 private:
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void learn(const Table<double>& training) override;
  std::vector<std::string> taken(const std::vector<Column>& result) const override;
  void each(Fields& fields) override;
  std::vector<std::string> names_of(std::size_t index) const;
  struct Source;
  void decode(const Table<double>& from, const Source& source, double* out, std::size_t step) const;

  bool drop_first_;
  bool many_levels_;  ///< it is not in files, since it changes only a fit
};

struct OrdinalOptions {
  std::vector<std::string> columns = {};  ///< the columns to encode; empty: all categorical columns
  Unknown unknown = Unknown::error;  ///< how to treat a level that the training rows do not have
  Unknown missing = Unknown::error;  ///< how to treat a missing value
  /// The levels of some columns, from 0 on: {{"size", {"small", "medium", "large"}}}.
  std::map<std::string, std::vector<std::string>> levels = {};
};

/// Replaces each level by its position: 0 ... n - 1 for n levels. Unknown and missing values have
/// the next positions if they are categories. `inverse` rounds to the nearest position.
class EBB_API Ordinal : public Encoder {
 public:
  explicit Ordinal(OrdinalOptions options = {});
  std::string type() const override;

 private:
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
};

}  // namespace ebb::inline v0::data
