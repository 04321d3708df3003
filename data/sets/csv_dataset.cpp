// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/csv_dataset.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>

#include "ebb/data/files/gzip.hpp"
#include "ebb/data/formats/csv_pass.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {
namespace {

/// The bytes between two remembered places: the most that is searched for a row, and many times the
/// size of a place.
constexpr std::int64_t block_bytes = 16 << 10;

const char* const other_file = "the file has changed since it was opened; open it again";

/// The rows from one remembered place to the next.
struct Block {
  std::int64_t first_row;
  detail::Place place;
};

CsvOptions numeric(CsvOptions options) {
  if (!options.kinds.empty() || !options.columns.empty() || options.kind == Kind::categorical) {
    throw ArgumentError(
        "CsvDataset: all columns are numeric, so that no kinds can be given; read_csv reads "
        "categories");
  }
  if (options.missing == Missing::mean || options.missing == Missing::median) {
    throw ArgumentError(
        "CsvDataset: a mean or a median takes all rows to find; read missing values as NaN, a "
        "constant or an error, or drop the row");
  }
  options.kind = Kind::numeric;
  detail::check_csv_options("CsvDataset", options);
  return options;
}

}  // namespace

template <Real T>
struct CsvDataset<T>::File {
  File(const std::string& path, const std::string& target_name, const CsvOptions& csv_options);

  /// The state that one thread needs to read rows.
  struct Reader {
    explicit Reader(const File& of)
        : session({.max_bytes = of.options.read.max_bytes}), pass(of.file, session, of.options) {
      if (pass.columns().size() != of.features.size() + 1) pass.fail(other_file);
    }
    detail::ReadSession session;
    detail::CsvPass<T> pass;
  };
  std::unique_ptr<Reader> take_reader() const;
  void read_rows(Reader& reader, std::span<const std::int64_t> indices, T* x, T* y) const;

  detail::BinaryFile file;
  CsvOptions options;
  std::size_t target = 0;
  std::vector<std::string> features;
  std::int64_t rows = 0;
  std::vector<Block> blocks;
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Reader>> readers;  ///< not used by any thread at present
};

template <Real T>
CsvDataset<T>::File::File(const std::string& path, const std::string& target_name,
                          const CsvOptions& csv_options)
    : file(path), options(numeric(csv_options)) {
  if (detail::is_gzip(file)) {
    throw FileError(path +
                    ": it is compressed by gzip, so that a row can be reached only through all "
                    "rows before it; decompress it, or read the whole file by read_csv");
  }
  detail::ReadSession session(options.read);
  detail::CsvPass<T> pass(file, session, options);
  auto columns = pass.columns();
  for (const Column& column : columns) {
    if (column.name != target_name) features.push_back(column.name);
  }
  target = detail::position_of(columns, target_name);
  if (target == detail::no_column) {
    throw detail::error_at(
        path, {},
        "no column " + detail::quoted(target_name) + "; there are " + detail::list_of(columns));
  }
  const auto width = std::int64_t(columns.size());
  if (features.empty()) {
    throw detail::error_at(path, {}, "no column except the target; inputs are expected");
  }
  std::vector<T> row(std::size_t(width), T(0));
  for (;; ++rows) {
    const detail::Place place = pass.place();
    if (!pass.next(row.data())) break;
    if (blocks.empty() || place.offset - blocks.back().place.offset >= block_bytes) {
      blocks.push_back({rows, place});
    }
  }
  pass.check_has_rows(rows);
  options.n_rows = 0;  // readers count from any row
  file.check_unchanged();
  blocks.shrink_to_fit();
}

template <Real T>
std::unique_ptr<typename CsvDataset<T>::File::Reader> CsvDataset<T>::File::take_reader() const {
  {
    const std::lock_guard lock(mutex);
    if (!readers.empty()) {
      auto reader = std::move(readers.back());
      readers.pop_back();
      return reader;
    }
  }
  return std::make_unique<Reader>(*this);
}

/// Copies each row to its place in x and y, in the order of the file, so that no block is read
/// twice.
template <Real T>
void CsvDataset<T>::File::read_rows(Reader& reader, std::span<const std::int64_t> indices, T* x,
                                    T* y) const {
  std::vector<std::size_t> order(indices.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return indices[a] < indices[b]; });
  const std::size_t width = features.size();
  std::vector<T> row(width + 1);
  std::int64_t next = 0, end = 0;  // the rows of the current block that are still to be read
  std::int64_t at_hand = -1;
  for (const std::size_t i : order) {
    const std::int64_t index = indices[i];
    if (index >= end) {
      const auto behind = std::upper_bound(
          blocks.begin(), blocks.end(), index,
          [](std::int64_t number, const Block& block) { return number < block.first_row; });
      const Block& block = behind[-1];
      const bool is_last = behind == blocks.end();
      reader.pass.seek(file, block.place, is_last ? file.size() : behind->place.offset);
      next = block.first_row;
      end = is_last ? rows : behind->first_row;
    }
    for (; at_hand != index; at_hand = next++) {
      if (!reader.pass.next(row.data())) {
        reader.pass.fail(other_file);
      }
    }
    std::copy_n(row.data(), target, x + i * width);
    std::copy(row.data() + target + 1, row.data() + width + 1, x + i * width + target);
    y[i] = row[target];
  }
  if (options.missing != Missing::constant) return;
  const auto fill = [&](T value) { return std::isnan(value) ? T(options.constant) : value; };
  std::transform(x, x + indices.size() * width, x, fill);
  std::transform(y, y + indices.size(), y, fill);
}

template <Real T>
CsvDataset<T>::CsvDataset(const std::string& path, const std::string& target,
                          const CsvOptions& options)
    : file_(std::make_shared<const File>(path, target, options)) {}

template <Real T>
std::int64_t CsvDataset<T>::size() const {
  return file_->rows;
}

template <Real T>
const std::vector<std::string>& CsvDataset<T>::features() const {
  return file_->features;
}

template <Real T>
Batch<T> CsvDataset<T>::rows(std::span<const std::int64_t> indices) const {
  detail::check_indices("CsvDataset", indices, size(), "a file");
  const auto count = std::int64_t(indices.size());
  auto x = Array<T>::uninitialized({count, std::int64_t(features().size())});
  auto y = Array<T>::uninitialized({count, 1});
  if (count == 0) return {x, y};
  // Checked before, to report a changed file instead of a parse error, and after, in case it
  // changed while it was read.
  file_->file.check_unchanged();
  std::unique_ptr<typename File::Reader> reader;
  try {
    reader = file_->take_reader();
    file_->read_rows(*reader, indices, x.mutate(), y.mutate());
  } catch (const FileError&) {
    file_->file.check_unchanged();
    throw;
  }
  file_->file.check_unchanged();
  const std::lock_guard lock(file_->mutex);
  file_->readers.push_back(std::move(reader));
  return {x, y};
}

template class CsvDataset<float>;
template class CsvDataset<double>;

}  // namespace ebb::inline v0::data
