// SPDX-License-Identifier: BSD-3-Clause
// Delimited text files as data sets, read row by row.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ebb/data/formats/csv.hpp"
#include "ebb/data/sets/dataset.hpp"

namespace ebb::inline v0::data {

/// Inputs and a target in a file of comma-separated numbers that may be larger than memory. One
/// pass at the start checks every row and remembers where rows are, one place for about 16 KiB of
/// the file, so that the places take about a thousandth of its size. A batch then reads its rows
/// from the file, each from the last known place before it. Copies share the file, and any number
/// of threads may call `rows` at the same time.
template <Real T>
class EBB_API CsvDataset {
 public:
  /// Reads the whole file once. `target` is the name of the column to predict; all other columns
  /// are inputs. All columns are numeric. The other options are those of `read_csv`, except that
  /// missing values cannot be replaced by a mean or a median, which need all rows.
  /// @throws FileError as `read_csv`, with file:line:column, for an error in any row, for a file
  /// without the target or without another column, and for a file compressed by gzip, in which a
  /// row can be reached only through all rows before it; ArgumentError for options that give kinds,
  /// and for invalid options.
  CsvDataset(const std::string& path, const std::string& target, const CsvOptions& options = {});

  /// The number of rows.
  std::int64_t size() const;
  /// The rows with these indices: x (b, d) and y (b, 1).
  /// @throws ArgumentError for an index outside of the file; FileError if the file was changed
  /// since it was opened, as far as its size and time show (the clock of the file system advances
  /// every few milliseconds), or no longer has such a row.
  Batch<T> rows(std::span<const std::int64_t> indices) const;
  /// The names of the d columns of x.
  const std::vector<std::string>& features() const;

 private:
  struct File;
  std::shared_ptr<const File> file_;
};

}  // namespace ebb::inline v0::data
