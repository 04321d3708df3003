// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv.hpp"

#include "ebb/data/formats/csv_pass.hpp"

namespace ebb::inline v0::data {
namespace detail {

template <Real T>
Table<T> read_csv(const BinaryFile& file, const CsvOptions& options) {
  check_csv_options("read_csv", options);
  ReadSession session(options.read);
  std::vector<Kind> kinds;
  for (;;) {
    const std::int64_t left = session.left();
    CsvPass<T> pass(file, session, options);
    if (auto table = pass.read(kinds)) return *std::move(table);
    session.give_back(left - session.left());
  }
}

}  // namespace detail

template <Real T>
Table<T> read_csv(const std::string& path, const CsvOptions& options) {
  return detail::read_csv<T>(detail::BinaryFile(path), options);
}

template <Real T>
Table<T> read_tsv(const std::string& path, CsvOptions options) {
  options.separator = '\t';
  return read_csv<T>(path, options);
}

#define EBB_INSTANTIATE(T)                                                          \
  template Table<T> detail::read_csv(const detail::BinaryFile&, const CsvOptions&); \
  template EBB_API Table<T> read_csv(const std::string&, const CsvOptions&);        \
  template EBB_API Table<T> read_tsv(const std::string&, CsvOptions);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
