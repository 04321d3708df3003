// SPDX-License-Identifier: BSD-3-Clause
// Reads any bytes as a pipeline; what comes out transforms a table of its columns.
#include <limits>

#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

using namespace ebb;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzz::try_read(bytes, count, [](const auto& file, const auto&) {
    const auto pipeline = data::detail::read_pipeline(file, {});
    fuzz::demand(pipeline.is_fitted() && pipeline.training_rows() > 0);
    std::vector<data::Column> columns = pipeline.inputs();
    for (auto& column : columns) {
      if (column.kind == data::Kind::categorical) column.levels.push_back("of no training row");
    }
    // What is missing, 0 or the first level, 1 or the second or a new one.
    auto values = Array<double>::zeros({3, std::int64_t(columns.size())});
    for (std::int64_t j = 0; j < values.shape()[1]; ++j) {
      values.mutate()[j] = std::numeric_limits<double>::quiet_NaN();
      const bool has_one = columns[std::size_t(j)].levels.size() != 1;
      values.mutate()[2 * values.shape()[1] + j] = has_one;
    }
    try {
      const auto result = pipeline.transform(data::Table<double>(std::move(columns), values));
      fuzz::demand(result.rows() == 3);
      pipeline.inverse(result);
    } catch (const ArgumentError&) {  // values that it cannot take
    }
    try {
      const auto width = std::int64_t(pipeline.outputs().size());
      pipeline.inverse(data::Table<double>(pipeline.outputs(), Array<double>::zeros({2, width})));
    } catch (const ArgumentError&) {
    }
  });
  return 0;
}
