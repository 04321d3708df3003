// SPDX-License-Identifier: BSD-3-Clause
// Reads any bytes as a LIBSVM file.
#include "ebb/data/formats/libsvm.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& options) {
    const auto read = ebb::data::detail::read_libsvm<float>(file, {.read = options});
    ebb::fuzz::demand(read.x.shape()[1] == std::int64_t(read.features.size()));
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& options) {
    const auto read = ebb::data::detail::read_libsvm<double>(file, {.first = 0, .read = options});
    ebb::fuzz::demand(read.x.shape()[0] == read.y.size());
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& options) {
    ebb::data::detail::read_libsvm<double>(file, {.features = 8, .first = 0, .read = options});
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& options) {
    const auto read = ebb::data::detail::read_libsvm_sparse<float>(file, {.read = options});
    ebb::fuzz::demand(read.x.rows() == read.y.size());
    ebb::fuzz::demand(read.x.compressed().values.size() == read.x.nonzeros());
  });
  return 0;
}
