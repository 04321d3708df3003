// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/file_array.hpp"

#include "ebb/data/sets/row_source.hpp"

namespace ebb::inline v0::data {
template <class T>
FileArray<T>::FileArray(std::shared_ptr<const detail::RowSource> source)
    : source_(std::move(source)) {}

template <class T>
const Shape& FileArray<T>::shape() const {
  return source_->layout().shape;
}

template <class T>
std::int64_t FileArray<T>::size() const {
  return source_->layout().rows();
}

template <class T>
Array<T> FileArray<T>::rows(std::span<const std::int64_t> indices) const {
  detail::check_indices("FileArray", indices, size(), "an array");
  auto rows = Array<T>::uninitialized(shape().with(0, std::int64_t(indices.size())));
  if (rows.size() > 0) source_->copy(reinterpret_cast<std::byte*>(rows.mutate()), indices);
  return rows;
}

template <class T>
void FileArray<T>::prefetch(std::span<const std::int64_t> indices) const {
  source_->prefetch(indices);
}

template <class T>
std::int64_t FileArray<T>::block_rows() const {
  return source_->block_rows();
}

template <class T>
std::int64_t FileArray<T>::bytes_read() const {
  return source_->bytes_read();
}

template <class T>
FileArray<T> map_npy(const std::string& path) {
  auto file = std::make_unique<const detail::BinaryFile>(path);
  const auto layout = detail::npy_layout(*file, detail::type_of<T>());
  return FileArray<T>(detail::map_rows(std::move(file), layout));
}

template <class T>
FileArray<T> map_raw(const std::string& path, const RawRows& rows) {
  auto file = std::make_unique<const detail::BinaryFile>(path);
  const auto layout = detail::raw_layout("map_raw", *file, rows, detail::type_of<T>());
  return FileArray<T>(detail::map_rows(std::move(file), layout));
}

template <class T>
FileArray<T> window_npy(const std::string& path, WindowOptions options) {
  auto file = std::make_unique<const detail::BinaryFile>(path);
  const auto layout = detail::npy_layout(*file, detail::type_of<T>());
  return FileArray<T>(detail::window_rows("window_npy", std::move(file), layout, options));
}

template <class T>
FileArray<T> window_raw(const std::string& path, const RawRows& rows, WindowOptions options) {
  auto file = std::make_unique<const detail::BinaryFile>(path);
  const auto layout = detail::raw_layout("window_raw", *file, rows, detail::type_of<T>());
  return FileArray<T>(detail::window_rows("window_raw", std::move(file), layout, options));
}

#define EBB_INSTANTIATE(T)                                                     \
  template class FileArray<T>;                                                 \
  template EBB_API FileArray<T> map_npy(const std::string&);                   \
  template EBB_API FileArray<T> map_raw(const std::string&, const RawRows&);   \
  template EBB_API FileArray<T> window_npy(const std::string&, WindowOptions); \
  template EBB_API FileArray<T> window_raw(const std::string&, const RawRows&, WindowOptions);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
EBB_INSTANTIATE(std::int64_t)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
