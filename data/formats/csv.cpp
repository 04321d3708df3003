// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv.hpp"

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/memory_limit.hpp"
#include "ebb/data/formats/csv_pass.hpp"

namespace ebb::inline v0::data {
namespace detail {

template <Real T>
Table<T> read_csv(const BinaryFile& file, const CsvOptions& options) {
  check_csv_options("read_csv", options);
  ReadSession session(options.read);
  std::vector<FoundKind> kinds;
  for (;;) {
    const std::int64_t left = session.left();
    CsvPass<T> pass(file, session, options);
    if (auto table = pass.read(kinds)) return *std::move(table);
    session.give_back(left - session.left());
  }
}
EBB_OVERLOAD_FOR_REALS(read_csv, Table<T>(const BinaryFile&, const CsvOptions&))

}  // namespace detail

template <Real T>
Table<T> read_csv(const std::string& path, const CsvOptions& options) {
  const detail::BinaryFile file(path);
  return detail::within_memory(file, [&] { return detail::read_csv<T>(file, options); });
}
EBB_OVERLOAD_FOR_REALS(read_csv, Table<T>(const std::string&, const CsvOptions&))

template <Real T>
Table<T> read_tsv(const std::string& path, CsvOptions options) {
  options.separator = '\t';
  return read_csv<T>(path, options);
}
EBB_FOR_REALS(read_tsv)

}  // namespace ebb::inline v0::data
