// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/csv_rows.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/data/files/gzip.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// The bytes between two remembered places: the most that is read for a row, and many times the
/// size of a place.
constexpr std::int64_t block_bytes_of_text = 16 << 10;
/// In a compressed file all bytes from the last point to a row are inflated for it, and a point
/// takes 40 KiB.
constexpr std::int64_t block_bytes_of_gzip = 1 << 20, point_distance = 2 << 20;

const char* const other_file = "the file has changed since it was opened; open it again";

CsvOptions checked(CsvOptions options, const WindowOptions& window) {
  if (options.missing == Missing::mean || options.missing == Missing::median) {
    throw ArgumentError(
        "CsvDataset: a mean or a median takes all rows to find; read missing values as NaN, a "
        "constant or an error, or drop the row");
  }
  if (window.memory < 0 || window.block_rows < 0) {
    throw ArgumentError("CsvDataset: a window of " + std::to_string(window.memory) +
                        " bytes, blocks of " + std::to_string(window.block_rows) +
                        " rows; neither can be negative");
  }
  if (!options.kind) options.kind = Kind::numeric;
  check_csv_options("CsvDataset", options);
  return options;
}

}  // namespace

template <class T>
typename BlockCache<T>::Values BlockCache<T>::find(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(number);
  if (place == places_.end()) return nullptr;
  blocks_.splice(blocks_.begin(), blocks_, place->second);
  return place->second->second;
}

template <class T>
void BlockCache<T>::keep(std::int64_t number, const Values& values) {
  const std::lock_guard lock(mutex_);
  if (places_.contains(number)) return;  // another thread has read it, too
  left_ -= bytes_of(values);
  while (left_ < 0 && !blocks_.empty()) {
    left_ += bytes_of(blocks_.back().second);
    places_.erase(blocks_.back().first);
    blocks_.pop_back();
  }
  if (left_ < 0) {
    left_ += bytes_of(values);
    return;
  }
  blocks_.emplace_front(number, values);
  places_.emplace(number, blocks_.begin());
}

template <class T>
CsvRows<T>::Reader::Reader(const CsvRows& of)
    : session({.max_bytes = of.options_.read.max_bytes}), pass(of.file_, session, of.options_) {
  if (pass.columns().size() != of.columns_.size()) pass.fail(other_file);
}

template <class T>
CsvRows<T>::CsvRows(const std::string& path, const std::string& target, const CsvOptions& options,
                    const WindowOptions& window)
    : file_(path), options_(checked(options, window)), cache_(window.memory) {
  ReadSession session(options_.read);
  CsvPass<T> pass(file_, session, options_);
  pass.collect_points(file_, point_distance);
  options_.columns = pass.columns();
  arrange(options_.columns, target);
  remember_blocks(pass, window);
  pass.check_has_rows(rows_);
  file_.check_unchanged();
  points_ = pass.points();
  // So the readers know all levels, and where each row begins.
  options_.kinds.clear();
  options_.n_rows = 0;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    columns_[j].levels = options_.columns[positions_[j]].levels;
  }
}

/// Puts the columns of the file into the order of x and y.
template <class T>
void CsvRows<T>::arrange(std::vector<Column> columns, const std::string& target) {
  const auto fail = [&](const std::string& what) { throw error_at(file_.name(), {}, what); };
  const std::size_t last = position_of(columns, target);
  if (last == no_column) {
    fail("no column " + quoted(target) + "; there are " + list_of(columns));
  }
  if (columns.size() == 1) fail("no column except the target; inputs are expected");
  std::vector<std::size_t> order(columns.size());
  for (std::size_t j = 0; j < order.size(); ++j) {
    order[j] = options_.select.empty() ? j : position_of(columns, options_.select[j]);
  }
  order.erase(std::find(order.begin(), order.end(), last));
  order.push_back(last);
  for (const std::size_t j : order) columns_.push_back(columns[j]);
  positions_ = std::move(order);
}

/// Reads all rows, and finds the levels and where blocks begin.
template <class T>
void CsvRows<T>::remember_blocks(CsvPass<T>& pass, const WindowOptions& window) {
  const std::int64_t most = is_gzip(file_) ? block_bytes_of_gzip : block_bytes_of_text;
  std::vector<Column>& columns = options_.columns;
  std::vector<std::vector<bool>> codes(columns.size());
  std::vector<T> row(columns.size());
  for (;; ++rows_) {
    const Place place = pass.place();
    if (!pass.next(row.data())) break;
    if (blocks_.empty() ||
        (window.block_rows > 0 ? rows_ - blocks_.back().first_row >= window.block_rows
                               : place.offset - blocks_.back().place.offset >= most)) {
      const auto& points = pass.points();
      std::size_t point = points.size();
      while (point > 0 && points[point - 1]->position() > place.offset) --point;
      blocks_.push_back({rows_, place, point > 0 ? point - 1 : 0});
    }
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (columns[j].kind == Kind::numeric || std::isnan(row[j])) continue;
      const auto code = std::size_t(row[j]);
      if (code >= codes[j].size()) codes[j].resize(code + 1);
      codes[j][code] = true;
    }
  }
  blocks_.shrink_to_fit();
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (columns[j].kind == Kind::categorical) columns[j].levels = pass.sorted_levels(j, codes[j]);
  }
}

template <class T>
std::unique_ptr<typename CsvRows<T>::Reader> CsvRows<T>::take_reader() const {
  {
    const std::lock_guard lock(mutex_);
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return std::make_unique<Reader>(*this);
}

/// The rows of a block, as they are in the file.
template <class T>
typename BlockCache<T>::Values CsvRows<T>::load(std::int64_t number, Reader& reader) const {
  const Block& block = blocks_[std::size_t(number)];
  const bool is_last = std::size_t(number) + 1 == blocks_.size();
  const Block* const next = is_last ? nullptr : &block + 1;
  const std::int64_t end = is_last ? rows_ : next->first_row;
  if (points_.empty()) {
    reader.pass.seek(file_, block.place, is_last ? file_.size() : next->place.offset, nullptr);
  } else if (reader.row != block.first_row) {
    reader.pass.seek(file_, block.place, 0, points_[block.point].get());
  }
  const std::size_t width = columns_.size();
  std::vector<T> values(std::size_t(end - block.first_row) * width);
  for (T* row = values.data(); row != values.data() + values.size(); row += width) {
    if (!reader.pass.next(row)) reader.pass.fail(other_file);
    for (std::size_t j = 0; j < width; ++j) {
      const Column& column = options_.columns[j];
      const bool is_known = std::isnan(row[j]) || (row[j] >= 0 && row[j] < T(column.levels.size()));
      if (column.kind == Kind::categorical && !is_known) reader.pass.fail(other_file);
      if (options_.missing == Missing::constant && std::isnan(row[j])) {
        row[j] = T(options_.constant);
      }
    }
  }
  reader.row = end;
  return std::make_shared<const std::vector<T>>(std::move(values));
}

/// A block out of memory, or out of the file by a reader, which is taken if it is needed.
template <class T>
typename BlockCache<T>::Values CsvRows<T>::block(std::int64_t number,
                                                 std::unique_ptr<Reader>& reader) const {
  if (auto values = cache_.find(number)) return values;
  if (!reader) reader = take_reader();
  auto values = load(number, *reader);
  cache_.keep(number, values);
  return values;
}

/// In the order of the file, so that no block is read twice.
template <class T>
void CsvRows<T>::read(std::span<const std::int64_t> indices, T* x, T* y) const {
  std::vector<std::size_t> order(indices.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return indices[a] < indices[b]; });
  const std::size_t width = columns_.size();
  std::unique_ptr<Reader> reader;
  typename BlockCache<T>::Values values;
  std::int64_t first = 0, end = 0;  // the rows at hand
  for (const std::size_t i : order) {
    const std::int64_t index = indices[i];
    if (index >= end) {
      const auto behind = std::upper_bound(
          blocks_.begin(), blocks_.end(), index,
          [](std::int64_t row, const Block& block) { return row < block.first_row; });
      values = block(behind - blocks_.begin() - 1, reader);
      first = behind[-1].first_row;
      end = behind == blocks_.end() ? rows_ : behind->first_row;
    }
    const T* const row = values->data() + std::size_t(index - first) * width;
    for (std::size_t j = 0; j + 1 < width; ++j) x[i * (width - 1) + j] = row[positions_[j]];
    y[i] = row[positions_[width - 1]];
  }
  if (!reader) return;
  const std::lock_guard lock(mutex_);
  readers_.push_back(std::move(reader));
}

template class BlockCache<float>;
template class BlockCache<double>;
template class CsvRows<float>;
template class CsvRows<double>;

}  // namespace ebb::inline v0::data::detail
