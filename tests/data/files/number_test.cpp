// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/number.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "ebb/autodiff/values/operand.hpp"

using namespace ebb;

namespace {

/// A text in the common form, or near it: digits, a point somewhere, now and then an exponent.
std::string random_number(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t n) { return int(random() % n); };
  std::string text = below(3) == 0 ? "-" : "";
  const int whole = below(8) == 0 ? below(18) : below(4),
            fraction = below(4) ? below(12) : below(20);
  for (int i = 0; i < whole; ++i) text += char('0' + below(10));
  if (fraction > 0 || below(8) == 0) text += '.';
  for (int i = 0; i < fraction; ++i) text += char('0' + below(10));
  if (below(4) == 0) {
    text += below(2) ? 'e' : 'E';
    if (below(2)) text += below(2) ? '-' : '+';
    text += std::to_string(below(4) ? below(30) : below(400));
  }
  return text;
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

/// Whether the fast way finds nothing, or what from_chars finds.
template <class T>
bool agrees(const std::string& number, std::int64_t& fast) {
  const std::string text = number + ',' + std::string(16, '\0');
  T found = 7, expected = 7;
  const char* const end = data::detail::common_number(text.data(), found);
  if (end == nullptr) return found == 7;
  ++fast;
  const auto [p, code] = std::from_chars(text.data(), text.data() + number.size(), expected);
  return code == std::errc() && p == end && same_bits(found, expected);
}

}  // namespace

TEST_SUITE("number") {

TEST_CASE_TEMPLATE("a million random texts have the bits that from_chars gives", T, float, double) {
  std::mt19937_64 random(1);
  std::int64_t fast = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string text = random_number(random);
    if (!agrees<T>(text, fast)) FAIL_CHECK(text);
  }
  CHECK(fast > 700'000);  // the slow way alone would agree, too
}

TEST_CASE("floats next to the middle of two are not rounded twice") {
  // All of these are within 1e-17 of the middle between two floats, on either side of it.
  std::int64_t fast = 0;
  std::mt19937_64 random(2);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint32_t bits = 0x3f000000u + std::uint32_t(random() % 0x00800000);
    float low;
    std::memcpy(&low, &bits, 4);
    const double middle = double(low) + 0x1p-25;
    char text[64];
    auto* const end = std::to_chars(text, text + 64, middle, std::chars_format::fixed, 18).ptr;
    std::string number(text, end);
    CHECK(agrees<float>(number, fast));
    for (const char last : {'1', '9'}) {
      number.back() = last;
      CHECK(agrees<float>(number, fast));
      CHECK(agrees<float>(number.substr(0, 19), fast));
    }
    CHECK(fast == 0);
  }
}

TEST_CASE("edge cases of the common form are read") {
  std::int64_t fast = 0;
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "-0e5",
                           ".5",
                           "5.",
                           "-.5",
                           "00000000000000000.5",
                           "12345678",
                           "123456789",
                           "1234567890123456",
                           "12345678901234567",
                           "1234567890123456789",
                           "9999999999999999999",
                           "12345678901234567890",
                           "9007199254740992",
                           "9007199254740993",
                           "1e22",
                           "1e23",
                           "1e-22",
                           "1e-23",
                           "9007199254740992e22",
                           "9007199254740993e0",
                           "3.4028235e38",
                           "3.4028236e38",
                           "1.17549435e-38",
                           "1.1754942e-38",
                           "1e-45",
                           "1e+5",
                           "1E5",
                           "1e00005",
                           "16777217",
                           "16777219",
                           "0.1",
                           "0.3",
                           "1.00000005960464477540",
                           "4.35",
                           "8.41e21"}) {
    CAPTURE(text);
    CHECK(agrees<float>(text, fast));
    CHECK(agrees<double>(text, fast));
  }
  CHECK(fast > 40);
  // None of these is a number to its end.
  for (const std::string text :
       {"", "-", ".", "-.", "e5", "1e", "1e+", "1e-", "+1", "inf", "nan", "x", "--1", ".e5"}) {
    CAPTURE(text);
    double value = 7;
    const std::string padded = text + std::string(17, '\0');
    CHECK(data::detail::common_number(padded.data(), value) == nullptr);
    CHECK(value == 7);
  }
}

}  // TEST_SUITE("number")
