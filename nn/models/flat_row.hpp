// SPDX-License-Identifier: BSD-3-Clause
// The way of one row through a pipeline, without a table.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ebb/nn/models/model_contents.hpp"

namespace ebb::inline v0::nn::detail {

/// What a pipeline of data::Impute without marks, data::Standardize, data::Robust and data::OneHot
/// does to a row. It takes the steps of the tables in their order, so that it gives the same bits.
class FlatRow {
 public:
  /// Nothing for a pipeline of other steps, and for very many levels.
  static std::optional<FlatRow> of(const ModelFile& file);

  /// Writes what the pipeline gives for one row; a category is the position of its level, and one
  /// of no level their count. False where the pipeline refuses a value, or has a hole left.
  bool inputs(const double* row, double* to) const;

 private:
  /// x becomes `fill` where it is missing, or else (x - center) / scale.
  struct Change {
    bool fills;
    double a, b;  ///< fill; or center and scale
  };
  /// Where a number of the result comes from.
  struct Source {
    std::size_t feature;
    bool is_category;
    std::size_t begin, end;  ///< places of the changes; or of the values, one for each code
  };
  bool walk(const ModelFile& file);
  bool probe(const ModelFile& file);

  std::vector<Source> sources_;
  std::vector<Change> changes_;
  std::vector<double> values_;  ///< NaN where the pipeline refuses a code
};

/// The columns that a row has, with one more level of each category, for the levels that are not
/// known.
std::vector<data::Column> row_columns(const ModelFile& file);

}  // namespace ebb::inline v0::nn::detail
