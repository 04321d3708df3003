// SPDX-License-Identifier: BSD-3-Clause
// Numbers written as text.
#pragma once
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::data::detail {

/// The kind of number that a text is.
enum class Spelled : std::uint8_t {
  number,     ///< a finite number that the type can hold
  too_large,  ///< a finite number that the type cannot hold
  infinite,   ///< "inf", "Infinity", ...
  nan,        ///< "nan", "NaN", "-nan", ...
  nothing     ///< not a number
};

/// Reads the number that a whole text is, with an optional plus sign: the nearest T, or 0 if it is
/// nearer to 0 than any T. `value` is set only if the result is `number`.
template <class T>
Spelled spelled_number(std::string_view text, T& value);
/// Reads a number with another decimal mark, which a point then is not.
template <class T>
Spelled spelled_number(std::string_view text, T& value, char decimal);

/// True if a text is an integer without point and exponent, and T rounded it to `value`.
template <class T>
EBB_API bool is_rounded(std::string_view text, T value);
/// The end of an error message for such an integer: the value that it was rounded to, and what to
/// do.
template <class T>
EBB_API std::string why_rounded(std::string_view text, T value, const std::string& advice);

/// The end of an error message, such as "is not a number", for every result but `number`.
template <class T>
std::string why_no_number(Spelled spelled);

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr double tenths[] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
                             1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15,
                             1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22};
constexpr std::uint64_t short_powers_of_ten[] = {1,      10,      100,      1000,     10000,
                                                 100000, 1000000, 10000000, 100000000};

/// Appends the digits at p to a number, eight at a time, and returns how many there are. Reads up
/// to 7 bytes after the last digit. At most 19 digits fit.
inline int take_digits(const char*& p, std::uint64_t& number) {
  int count = 0;
  for (;;) {
    std::uint64_t bytes;
    std::memcpy(&bytes, p, 8);
    bytes ^= 0x3030303030303030u;
    // The first byte is the lowest. A carry out of one above 0x89 spoils only what follows it.
    const std::uint64_t others = ((bytes + 0x7676767676767676u) | bytes) & 0x8080808080808080u;
    const int n = others ? std::countr_zero(others) >> 3 : 8;
    if (n == 0) return count;
    bytes <<= 8 * (8 - n);  // zeros come first
    bytes = bytes * 10 + (bytes >> 8);
    bytes = ((bytes & 0x000000ff000000ffu) * 0x000f424000000064u +
             ((bytes >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u) >>
            32;
    number = number * short_powers_of_ten[n] + bytes;
    p += n;
    count += n;
    if (n < 8 || count > 19) return count;
  }
}

/// Computes the nearest T to digits * 10^exponent; false if a few operations cannot be sure of it.
template <class T>
inline bool scale(std::uint64_t digits, int exponent, T& value) {
  if (exponent < -22 || exponent > 22 || digits > std::uint64_t(1) << 62) return false;
  if (sizeof(T) == 4 && exponent == 0 && digits > std::uint64_t(1) << 24) return false;
  const auto whole = double(std::int64_t(digits));
  if constexpr (sizeof(T) == 8) {
    // Both operands are exact, so the result is the nearest double (W. D. Clinger, How to read
    // floating point numbers accurately, 1990).
    value = exponent < 0 ? whole / powers_of_ten[-exponent] : whole * powers_of_ten[exponent];
    return digits <= std::uint64_t(1) << 53;
  } else {
    // Each operand and the product are rounded once, so the error of the product is less than three
    // units. Rounding it to float is correct unless it is that near to the middle of two floats.
    const double wide = whole * (exponent < 0 ? tenths[-exponent] : powers_of_ten[exponent]);
    const auto rest = std::int64_t(std::bit_cast<std::uint64_t>(wide) & 0x1fffffff) - 0x10000000;
    value = T(wide);
    const bool is_normal = wide >= double(std::numeric_limits<T>::min()) &&
                           wide <= double(std::numeric_limits<T>::max());
    return digits == 0 || (is_normal && (rest < -4 || rest > 4));
  }
}

/// Reads the number at p if it is written in a common way, and returns its end; otherwise null. The
/// value is the one that from_chars finds. At least 16 bytes that belong to no number must follow.
template <class T>
inline const char* common_number(const char* p, T& value, char decimal = '.') {
  if constexpr (std::endian::native != std::endian::little) return nullptr;
  const bool is_negative = *p == '-';
  p += is_negative;
  std::uint64_t digits = 0;
  int count = 0, exponent = 0;
  // The digits before the point are few, and mostly as many as in the field before.
  for (unsigned digit; (digit = unsigned(*p) - '0') < 10 && count < 20; ++p, ++count) {
    digits = digits * 10 + digit;
  }
  if (*p == decimal) {
    ++p;
    exponent = -take_digits(p, digits);
    count -= exponent;
  }
  if (count == 0 || count > 19) return nullptr;
  if ((*p | 0x20) == 'e') {
    ++p;
    const bool is_small = *p == '-';
    p += is_small || *p == '+';
    std::uint64_t shift = 0;
    const int n = take_digits(p, shift);
    if (n == 0 || n > 4) return nullptr;
    exponent += is_small ? -int(shift) : int(shift);
  }
  T size;
  if (!scale(digits, exponent, size)) return nullptr;
  // A branch would guess half of all signs wrong.
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  const Bits sign = Bits(is_negative) << (8 * sizeof(T) - 1);
  value = std::bit_cast<T>(std::bit_cast<Bits>(size) | sign);
  return p;
}

}  // namespace ebb::inline v0::data::detail
