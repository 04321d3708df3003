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
    std::int64_t place = 0;  ///< the position of the entry in the file
    ElementLayout layout;
    std::uint64_t begin = 0, end = 0;  ///< the range of its bytes, from the end of the header
  };
  std::vector<Entry> entries;  ///< in the order of the header
  std::map<std::string, std::string> metadata;
};

/// Parses the JSON of a header, which is at `offset` in the file.
/// @throws FileError with the position of an error in the JSON or in the header.
SafetensorsHeader parse_safetensors_header(const BinaryFile& file, std::int64_t offset,
                                           std::string_view json);

/// The name of an element type in a header.
const char* safetensors_name(ElementType type);
/// A text as a JSON string, with its quotes.
/// @throws ArgumentError if it is not UTF-8.
std::string in_json(const std::string& text);

}  // namespace ebb::inline v0::data::detail
