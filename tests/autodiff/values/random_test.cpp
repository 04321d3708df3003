// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

using namespace ebb;

TEST_SUITE("random") {

TEST_CASE("Philox4x32-10 gives the published vectors") {
  // Random123, tests/kat_vectors.
  using Block = std::array<std::uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream gives the words of its counter, from any position") {
  const std::uint64_t key = 0x299f31d0a4093822;
  Stream stream(key);
  std::vector<std::uint32_t> words;
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const auto word : philox4x32({block, 0, 0, 0}, {0xa4093822, 0x299f31d0})) {
      CHECK(stream.next() == word);
      words.push_back(word);
    }
  }
  CHECK(stream.position() == 12);
  CHECK(stream.key() == key);
  for (std::size_t start = 0; start < words.size(); ++start) {
    Stream later(key, start);
    for (std::size_t i = start; i < words.size(); ++i) CHECK(later.next() == words[i]);
  }
  // The counter goes beyond 32 bits.
  Stream far(key, std::uint64_t(1) << 34);
  CHECK(far.next() == philox4x32({0, 1, 0, 0}, {0xa4093822, 0x299f31d0})[0]);
}

TEST_CASE("streams of different keys and tags differ") {
  std::set<std::uint64_t> keys;
  for (std::uint64_t key = 0; key < 10; ++key) {
    keys.insert(key);
    for (std::uint64_t tag = 0; tag < 100; ++tag) keys.insert(Stream(key).split(tag).key());
    keys.insert(Stream(key).split(std::uint64_t(1) << 32).key());
  }
  CHECK(keys.size() == 10 * 102);
  // Earlier draws do not matter.
  Stream used(3);
  used.next();
  CHECK(used.split(4).key() == Stream(3).split(4).key());
}

TEST_CASE("uniform numbers have the moments of [0, 1)") {
  Stream stream(1);
  constexpr int n = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = stream.uniform();
    CHECK_UNARY(u >= 0 && u < 1);
    sum += u, squares += (u - 0.5) * (u - 0.5);
  }
  // Six standard deviations of the mean, and of the mean of squares.
  CHECK(std::abs(sum / n - 0.5) < 6 * std::sqrt(1.0 / 12 / n));
  CHECK(std::abs(squares / n - 1.0 / 12) < 6 * std::sqrt(1.0 / 180 / n));
}

TEST_CASE("normal numbers have the moments of the normal distribution") {
  // By their formula in 40 digits, from the words of the stream. The logarithm and the cosine are
  // those of the C library, good to an ulp.
  Stream stream(1);
  for (const double expected :
       {-1.8045566655837294, -1.4756192505458461, -0.17310520351395519, 1.0454458530365962}) {
    CHECK(std::abs(stream.normal() - expected) <= 4e-16 * std::abs(expected) + 4e-16);
  }
  // Four words each, from any position.
  CHECK(stream.position() == 16);
  CHECK(Stream(1, 12).normal() == [] {
    Stream other(1, 8);
    other.normal();
    return other.normal();
  }());

  constexpr int n = 100000;
  double sums[4] = {}, product = 0, before = 0;
  int beyond[4] = {};
  for (int i = 0; i < n; ++i) {
    const double z = stream.normal();
    double power = 1;
    for (double& sum : sums) sum += power *= z;
    for (int k = 0; k < 4; ++k) beyond[k] += z > k;
    product += z * before;
    before = z;
  }
  // Six standard deviations of the mean of z, z^2, z^3, z^4, whose variances are 1, 2, 15, 96.
  const double means[] = {0, 1, 0, 3}, variances[] = {1, 2, 15, 96};
  for (int k = 0; k < 4; ++k) {
    CHECK(std::abs(sums[k] / n - means[k]) < 6 * std::sqrt(variances[k] / n));
  }
  // Neighbours are independent.
  CHECK(std::abs(product / n) < 6 * std::sqrt(1.0 / n));
  // And the same of how many are above 0, 1, 2 and 3.
  for (int k = 0; k < 4; ++k) {
    const double p = std::erfc(k / std::sqrt(2.0)) / 2;
    CHECK(std::abs(beyond[k] - n * p) < 6 * std::sqrt(n * p * (1 - p)));
  }
}

TEST_CASE("numbers below a bound are equally frequent") {
  Stream stream(2);
  for (const unsigned bound : {1U, 2U, 3U, 7U, 10U}) {
    std::vector<int> times(bound, 0);
    const int n = 10000 * int(bound);
    for (int i = 0; i < n; ++i) {
      const std::uint64_t k = stream.below(bound);
      REQUIRE(k < bound);
      ++times[k];
    }
    // Six standard deviations of a count with mean 10000 are below 600.
    for (const int count : times) CHECK(std::abs(count - 10000) <= 600);
  }
  // Three quarters of the range: without the rejection every third number would come twice as
  // often.
  const std::uint64_t large = (std::uint64_t(1) << 63) + (std::uint64_t(1) << 62);
  int thirds = 0;
  for (int i = 0; i < 10000; ++i) thirds += stream.below(large) % 3 == 0;
  CHECK(std::abs(thirds - 3333) <= 283);  // six standard deviations
}

TEST_CASE("permutations contain every number, and are equally frequent") {
  Stream stream(3);
  CHECK(permutation(0, stream).empty());
  CHECK(permutation(1, stream) == std::vector<std::int64_t>{0});
  const auto order = permutation(1000, stream);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 1000; ++i) CHECK(sorted[std::size_t(i)] == i);
  CHECK(order != sorted);
  CHECK(permutation(1000, stream) != order);
  // All six orders of three, each about 10000 times in 60000.
  std::vector<int> times(27, 0);
  for (int i = 0; i < 60000; ++i) {
    const auto p = permutation(3, stream);
    ++times[std::size_t(9 * p[0] + 3 * p[1] + p[2])];
  }
  CHECK(std::count(times.begin(), times.end(), 0) == 21);
  for (const int count : times) CHECK((count == 0 || std::abs(count - 10000) <= 600));
}

}  // TEST_SUITE("random")
