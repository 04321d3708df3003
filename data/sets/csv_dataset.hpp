// SPDX-License-Identifier: BSD-3-Clause
// Delimited text files as data sets, read row by row.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/data/formats/csv.hpp"
#include "ebb/data/sets/dataset.hpp"
#include "ebb/data/sets/row_options.hpp"

namespace ebb::inline v0::data {

/// Inputs and a target in a file of comma-separated values that may be larger than memory. One pass
/// at the start checks every row and remembers where rows are, one place for about 16 KiB of the
/// file, so that the places take about a thousandth of its size. A batch then takes its rows from
/// memory, where a window keeps the blocks that were used last, or reads their blocks. A file
/// larger than the window is best read by `block_shuffled`, which needs each block once an epoch;
/// in a full shuffle most rows take the reading of 16 KiB. Copies share the file and the window,
/// and any number of threads may call `rows` at the same time.
///
/// A file compressed by gzip can be reached about every 2 MiB of its text, for which 40 KiB are
/// kept; its blocks are of 1 MiB.
template <Real T>
class EBB_API CsvDataset {
 public:
  /// Reads the whole file once. `target` is the name of the column to predict; all other columns
  /// that are read are inputs. A column is numeric unless `kinds`, `columns` or `kind` of the
  /// options say otherwise; a category becomes the position of its level, as in `levels(name)`. The
  /// other options are those of `read_csv`, except that missing values cannot be replaced by a mean
  /// or a median, which need all rows. `window` says how much memory rows take that stay there, and
  /// how many of them are read at once; 0: about 16 KiB of text.
  /// @throws FileError as `read_csv`, with file:line:column, for an error in any row, and for a
  /// file without the target or without another column; ArgumentError for invalid options.
  CsvDataset(const std::string& path, const std::string& target, const CsvOptions& options = {},
             WindowOptions window = {});

  /// The number of rows.
  std::int64_t size() const;
  /// The rows with these indices: x (b, d) and y (b, 1).
  /// @throws ArgumentError for an index outside of the file; FileError if the file was changed
  /// since it was opened, as far as its size and time show (the clock of the file system advances
  /// every few milliseconds), or no longer has such a row.
  Batch<T> rows(std::span<const std::int64_t> indices) const;
  /// The names of the d columns of x.
  const std::vector<std::string>& features() const;
  /// The levels of a categorical column, by their codes; none of a numeric column.
  /// @throws ArgumentError, which lists the columns, for a name that no column has.
  const std::vector<std::string>& levels(std::string_view name) const;

 private:
  struct File;
  std::shared_ptr<const File> file_;
};

}  // namespace ebb::inline v0::data
