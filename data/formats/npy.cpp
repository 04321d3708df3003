// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/npy.hpp"

#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/memory_limit.hpp"
#include "ebb/data/formats/npy_format.hpp"

namespace ebb::inline v0::data {

template <class T>
Array<T> read_npy(const std::string& path, const ReadOptions& options) {
  const detail::BinaryFile file(path);
  detail::FileReader reader(file);
  return detail::within_memory(file, [&] {
    detail::ReadSession session(options);
    return detail::read_npy<T>(reader, session);
  });
}

AnyArray read_npy_any(const std::string& path, const ReadOptions& options) {
  const detail::BinaryFile file(path);
  detail::FileReader reader(file);
  return detail::within_memory(file, [&] {
    detail::ReadSession session(options);
    return detail::read_npy_any(reader, session);
  });
}

template <class T>
void write_npy(const std::string& path, const Array<T>& array) {
  detail::AtomicFile file(path);
  file.write(detail::npy_header(detail::type_of<T>(), array.shape()));
  file.write(array.data(), array.size() * std::int64_t(sizeof(T)));
  file.commit();
}

#define EBB_INSTANTIATE(T)                                                    \
  template EBB_API Array<T> read_npy(const std::string&, const ReadOptions&); \
  template EBB_API void write_npy(const std::string&, const Array<T>&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
EBB_INSTANTIATE(std::int64_t)
EBB_INSTANTIATE(bool)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
