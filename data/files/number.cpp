// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/number.hpp"

#include "ebb/autodiff/values/instances.hpp"

#include <algorithm>

namespace ebb::inline v0::data::detail {
namespace {

/// For a number that T cannot hold: true if it is too near to 0, false if it is too large. The
/// decimal exponent of its first nonzero digit is then negative.
bool is_tiny(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view digits = text.substr(0, e);
  const auto point = std::int64_t(std::min(digits.find('.'), digits.size()));
  const auto first = std::int64_t(digits.find_first_of("123456789"));
  std::int64_t exponent = 0;
  if (e != text.npos) {
    const char* begin = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
    if (std::from_chars(begin, text.data() + text.size(), exponent).ec != std::errc()) {
      return *begin == '-';
    }
  }
  return exponent < first - point;
}

}  // namespace

template <class T>
Spelled spelled_number(std::string_view text, T& value) {
  const char *begin = text.data(), *const end = begin + text.size();
  // from_chars does not accept a plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') ++begin;
  T found = 0;
  const auto [p, code] = std::from_chars(begin, end, found);
  if (p != end || code == std::errc::invalid_argument) return Spelled::nothing;
  if (code == std::errc::result_out_of_range) {
    if (!is_tiny(text)) return Spelled::too_large;
    found = *begin == '-' ? T(-0.0) : T(0);
  }
  if (std::isnan(found)) return Spelled::nan;
  if (std::isinf(found)) return Spelled::infinite;
  value = found;
  return Spelled::number;
}
EBB_OVERLOAD_FOR_REALS(spelled_number, Spelled(std::string_view, T&))

template <class T>
Spelled spelled_number(std::string_view text, T& value, char decimal) {
  if (decimal == '.') return spelled_number(text, value);
  if (text.find('.') != text.npos) return Spelled::nothing;
  std::string with_points(text);
  std::replace(with_points.begin(), with_points.end(), decimal, '.');
  return spelled_number(with_points, value);
}
EBB_OVERLOAD_FOR_REALS(spelled_number, Spelled(std::string_view, T&, char))

template <class T>
bool is_rounded(std::string_view text, T value) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.size() <= std::size_t(std::numeric_limits<T>::digits10)) return false;
  if (text.find_first_not_of("0123456789") != text.npos) return false;
  char exact[400];  // the largest double has 309 digits
  const auto end = std::to_chars(exact, exact + sizeof exact, std::abs(double(value)),
                                 std::chars_format::fixed, 0);
  return text != std::string_view(exact, std::size_t(end.ptr - exact));
}
EBB_FOR_REALS(is_rounded)

template <class T>
std::string why_rounded(std::string_view text, T value, const std::string& advice) {
  char near[400];
  const auto end =
      std::to_chars(near, near + sizeof near, double(value), std::chars_format::fixed, 0);
  std::string what = std::string(" would be rounded to ") + std::string(near, end.ptr) +
                     (sizeof(T) == 4 ? " by float" : " by double");
  double wide = 0;
  const bool is_double =
      sizeof(T) == 4 && spelled_number(text, wide) == Spelled::number && !is_rounded(text, wide);
  return what + "; " + (is_double ? "read it as double, or " : "") + advice;
}
EBB_FOR_REALS(why_rounded)

template <class T>
std::string why_no_number(Spelled spelled) {
  switch (spelled) {
    case Spelled::too_large:
      return std::string("is too large for ") + (sizeof(T) == 4 ? "float" : "double");
    case Spelled::infinite:
    case Spelled::nan:
      return "is not a finite number; replace it or remove the row";
    default:
      return "is not a number";
  }
}
EBB_FOR_REALS(why_no_number)

}  // namespace ebb::inline v0::data::detail
