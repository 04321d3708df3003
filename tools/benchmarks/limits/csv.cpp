// SPDX-License-Identifier: BSD-3-Clause
// Numbers out of a text by a loop that knows how they are written.
#include <cstring>

#include "limits.hpp"

namespace limits {

std::int64_t parse_lines(const char* text, std::int64_t size, float* values) {
  const char *p = text, *const end = text + size;
  float* out = values;
  while (p != end) {
    const char* const sign = p;
    p += *p == '-';
    const std::int64_t whole = *p - '0';
    // "d.dddddd", the six digits of the fraction behind two zeros.
    std::uint64_t digits;
    std::memcpy(&digits, p, 8);
    digits = ((digits ^ 0x3030303030303030u) >> 16) << 16;
    digits = digits * 10 + (digits >> 8);
    digits = ((digits & 0x000000ff000000ffu) * 0x000f424000000064u +
              ((digits >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u) >>
             32;
    const float size_of = float(whole * 1000000 + std::int64_t(digits)) * 1e-6F;
    const float signs[] = {1, -1};
    *out++ = size_of * signs[*sign == '-'];
    p += 9;  // and what separates
  }
  return out - values;
}

}  // namespace limits
