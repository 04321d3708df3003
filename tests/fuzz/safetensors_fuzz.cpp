// SPDX-License-Identifier: BSD-3-Clause
// Reads any bytes as a safetensors file.
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  ebb::fuzz::try_read(bytes, count, [](const auto& file, const auto& options) {
    const auto arrays = ebb::data::detail::read_safetensors(file, options);
    for (const auto& name : arrays.names()) ebb::fuzz::demand(arrays.contains(name));
  });
  return 0;
}
