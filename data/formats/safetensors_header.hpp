// SPDX-License-Identifier: BSD-3-Clause
// The header of a safetensors file, which is JSON.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/data/files/elements.hpp"

namespace ebb::inline v0::data::detail {

struct SafetensorsHeader {
  struct Entry {
    std::string name;
    std::int64_t place = 0;  ///< of the entry in the file
    ElementLayout layout;
    std::uint64_t begin = 0, end = 0;  ///< of its bytes, from the end of the header
  };
  std::vector<Entry> entries;  ///< as they stand in the header
  std::map<std::string, std::string> metadata;
};

/// Reads the JSON, which stands at an offset in the file. @throws FileError with the place of what
/// is no JSON or not a header.
SafetensorsHeader parse_safetensors_header(const BinaryFile& file, std::int64_t offset,
                                           std::string_view json);

/// The name of the type in a header.
const char* safetensors_name(ElementType type);
/// A text as JSON has it, in quotes. @throws ArgumentError when it is not UTF-8.
std::string in_json(const std::string& text);

}  // namespace ebb::inline v0::data::detail
