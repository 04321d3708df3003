// SPDX-License-Identifier: BSD-3-Clause
// Functions for texts that need neither files nor decompression.
#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data::detail {

FileError error_at(const std::string& file, Mark mark, const std::string& what) {
  return FileError(file + ':' + std::to_string(mark.line) + ':' + std::to_string(mark.column) +
                   ": " + what);
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out += control ? '?' : c;
  }
  return out + (text.size() > longest ? "...\"" : "\"");
}

std::string why_not_utf8(std::string_view text) {
  return text.find('\0') != text.npos ? " has a zero byte; the file is damaged, or is no text"
                                      : " is not UTF-8; convert the file to it";
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
    };
    const unsigned first = byte(i);
    if (first == 0) return false;
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0) return false;
    for (std::size_t j = 1; j < length; ++j) {
      if ((byte(i + j) & 0xc0) != 0x80) return false;
    }
    // Overlong forms, surrogates, and codes above the last one.
    const unsigned second = byte(i + 1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace ebb::inline v0::data::detail
