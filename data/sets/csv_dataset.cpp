// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/csv_dataset.hpp"

#include "ebb/data/files/memory_limit.hpp"
#include "ebb/data/sets/csv_rows.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {

template <Real T>
struct CsvDataset<T>::File {
  File(const std::string& path, const std::string& target, const CsvOptions& options,
       const WindowOptions& window)
      : rows(path, target, options, window) {
    for (const Column& column : rows.columns()) features.push_back(column.name);
    features.pop_back();  // the target
  }
  detail::CsvRows<T> rows;
  std::vector<std::string> features = {};
};

template <Real T>
CsvDataset<T>::CsvDataset(const std::string& path, const std::string& target,
                          const CsvOptions& options, WindowOptions window) {
  const std::int64_t size = detail::BinaryFile(path).size();
  file_ = detail::within_memory(
      path, size, [&] { return std::make_shared<const File>(path, target, options, window); });
}

template <Real T>
std::int64_t CsvDataset<T>::size() const {
  return file_->rows.size();
}

template <Real T>
const std::vector<std::string>& CsvDataset<T>::features() const {
  return file_->features;
}

template <Real T>
const std::vector<std::string>& CsvDataset<T>::levels(std::string_view name) const {
  const auto& columns = file_->rows.columns();
  const std::size_t j = detail::position_of(columns, name);
  if (j != detail::no_column) return columns[j].levels;
  throw ArgumentError(file_->rows.file().name() + ": no column " + detail::quoted(name) +
                      "; there are " + detail::list_of(columns));
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
  const detail::BinaryFile& file = file_->rows.file();
  file.check_unchanged();
  try {
    detail::within_memory(file, [&] { file_->rows.read(indices, x.mutate(), y.mutate()); });
  } catch (const FileError&) {
    file.check_unchanged();
    throw;
  }
  file.check_unchanged();
  return {x, y};
}

template class CsvDataset<float>;
template class CsvDataset<double>;

}  // namespace ebb::inline v0::data
