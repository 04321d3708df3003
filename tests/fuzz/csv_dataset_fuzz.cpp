// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a text file that is not read into memory: it gives the rows that read_csv finds.
#include "ebb/data/sets/csv_dataset.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

using namespace ebb;

namespace {

template <class T>
void check(const fuzz::NamedFile& file, const data::CsvOptions& options) {
  std::optional<data::Table<T>> table;
  const bool is_read = file.accepts([&] { table = data::read_csv<T>(file.path(), options); });
  const std::string target = is_read ? table->columns().back().name : "column2";
  const bool is_taken = file.accepts([&] {
    // Blocks of few rows, and room for some of them.
    const data::CsvDataset<T> dataset(file.path(), target, options,
                                      {.memory = 1000, .block_rows = 5});
    const auto rows = fuzz::backwards(dataset.size());
    const auto batch = dataset.rows(rows);
    if (!is_read) return;  // as for what it takes in memory
    fuzz::demand(dataset.size() == table->rows());
    const auto expected = table->rows(rows);
    fuzz::demand(dataset.features() == expected.drop({target}).names());
    fuzz::demand(fuzz::same(batch.x, expected.drop({target}).values()));
    fuzz::demand(fuzz::same(batch.y, expected.column(target)));
  });
  if (is_read && table->columns().size() > 1) fuzz::demand(is_taken);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  const fuzz::NamedFile file(bytes, count);
  check<float>(file, {.missing = data::Missing::nan,
                      .kind = data::Kind::numeric,
                      .read = {.max_bytes = 16 << 20}});
  check<double>(file, {.separator = ';',
                       .header = false,
                       .comment = '#',
                       .missing = data::Missing::drop_row,
                       .missing_names = {"", "7"},
                       .kind = data::Kind::numeric,
                       .read = {.max_bytes = 16 << 20}});
  check<double>(file, {.separator = ' ',
                       .decimal = ',',
                       .index_column = data::IndexColumn::keep,
                       .n_rows = 20,
                       .missing = data::Missing::drop_row,
                       .kind = data::Kind::categorical,
                       .read = {.max_bytes = 16 << 20}});
  return 0;
}
