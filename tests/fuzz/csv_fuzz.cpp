// SPDX-License-Identifier: BSD-3-Clause
// Reads any bytes as a CSV file, in several ways; every table that comes out can be described.
#include "ebb/data/formats/csv.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

using ebb::data::CsvOptions;
using ebb::data::IndexColumn;
using ebb::data::Kind;
using ebb::data::Missing;

namespace {

template <class T>
void check(const ebb::data::detail::BinaryFile& file, const CsvOptions& options) {
  const auto table = ebb::data::detail::read_csv<T>(file, options);
  ebb::fuzz::demand(table.rows() > 0 && !table.columns().empty());
  for (const auto& column : table.describe().columns) {
    ebb::fuzz::demand(column.count + column.missing == table.rows());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& read) {
    check<float>(file, {.missing = Missing::nan, .read = read});
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& read) {
    check<double>(file, {.separator = ';',
                         .header = false,
                         .comment = '#',
                         .missing = Missing::drop_row,
                         .read = read});
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& read) {
    check<double>(file, {.missing = Missing::median, .kind = Kind::numeric, .read = read});
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& read) {
    check<double>(file, {.separator = ' ',
                         .decimal = ',',
                         .index_column = IndexColumn::keep,
                         .missing = Missing::nan,
                         .read = read});
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& read) {
    check<float>(file, {.separator = ';',
                        .decimal = ',',
                        .number_names = true,
                        .index_column = IndexColumn::drop,
                        .select = {"b", "a"},
                        .n_rows = 3,
                        .missing = Missing::drop_row,
                        .read = read});
  });
  return 0;
}
