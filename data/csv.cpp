// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/csv.hpp"

#include "ebb/data/csv_pass.hpp"

namespace ebb::inline v0::data {
namespace detail {

void check_separator(const char* operation, char separator) {
  const auto byte = static_cast<unsigned char>(separator);
  const bool is_part_of_text = (byte >= '0' && byte <= '9') ||
                               ((byte | 0x20u) >= 'a' && (byte | 0x20u) <= 'z') || byte >= 0x80;
  if (is_part_of_text || std::string_view("\"\r\n \0.+-", 8).find(separator) != std::string::npos) {
    throw ArgumentError(std::string(operation) + ": " + quoted({&separator, 1}) +
                        " cannot separate fields");
  }
}

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
