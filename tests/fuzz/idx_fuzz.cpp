// SPDX-License-Identifier: BSD-3-Clause
// Reads any bytes as an IDX file, plain or compressed.
#include "ebb/data/formats/idx.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& options) {
    ebb::data::detail::read_idx<float>(file, options);
  });
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& options) {
    ebb::data::detail::read_idx<std::int64_t>(file, options);
  });
  return 0;
}
