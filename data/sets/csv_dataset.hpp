// SPDX-License-Identifier: BSD-3-Clause
// Delimited text files as data sets, row by row.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ebb/data/formats/csv.hpp"
#include "ebb/data/sets/dataset.hpp"

namespace ebb::inline v0::data {

/// Inputs and a target out of a file of comma-separated numbers that may be larger than memory: one
/// pass finds where its rows are and whether each of them can be read; then a batch reads its rows
/// when it is asked for, each from the last known place before it, up to 16 KiB away. What stays in
/// memory is one place for so many bytes, about a thousandth of the file. Copies share the file,
/// and any number of threads may ask at the same time.
template <Real T>
class EBB_API CsvDataset {
 public:
  /// Reads all of the file once. `target` names the column to be predicted; all others are inputs.
  /// All columns are numeric; otherwise the options mean what they mean to `read_csv`, but that
  /// missing values cannot be filled by a mean or a median, which take all rows to find.
  /// @throws FileError as `read_csv` does, with file:line:column, for whatever is wrong in any row,
  /// for a file without such a column or without any other, and for one that gzip compressed, in
  /// which no row can be reached but through all before it; ArgumentError for options that give
  /// kinds or make no sense.
  CsvDataset(const std::string& path, const std::string& target, const CsvOptions& options = {});

  /// The number of rows.
  std::int64_t size() const;
  /// The rows with these indices: x (b, d) and y (b, 1). @throws ArgumentError for an index outside
  /// of the file; FileError where the file was changed since it was opened, as far as its size and
  /// time tell (the system's clock ticks every few milliseconds), or holds no such row any more.
  Batch<T> rows(std::span<const std::int64_t> indices) const;
  /// The names of the d columns of x.
  const std::vector<std::string>& features() const;

 private:
  struct File;
  std::shared_ptr<const File> file_;
};

}  // namespace ebb::inline v0::data
