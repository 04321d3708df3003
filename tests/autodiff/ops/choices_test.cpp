// SPDX-License-Identifier: BSD-3-Clause
// Reductions that choose an element, and their gradients, of lines shorter and longer than any
// register and than a block, beside loops.
#include "ebb/autodiff/derivatives.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Few different numbers, both zeros among them, so that there are ties.
template <class T>
Array<T> with_ties(const Shape& shape, std::uint32_t seed) {
  constexpr T values[] = {3, -2, T(-0.0), 0, 7, 1, -5, 2};
  auto x = Array<T>::uninitialized(shape);
  for (T& v : std::span(x.mutate(), std::size_t(x.size()))) {
    seed = seed * 1664525u + 1013904223u;
    v = values[seed >> 29];
  }
  return x;
}

/// x (outer, size, inner) as lines along the middle axis.
template <class T>
std::vector<std::vector<T>> lines_of(const Array<T>& x) {
  const std::int64_t size = x.shape()[1], inner = x.shape()[2];
  std::vector<std::vector<T>> lines(std::size_t(x.shape()[0] * inner));
  for (std::int64_t at = 0; at < x.size(); ++at) {
    lines[std::size_t(at / (size * inner) * inner + at % inner)].push_back(x[at]);
  }
  return lines;
}

/// The first element that `better` puts before all others; the first NaN, if there is one.
template <class T, class Better>
std::int64_t first_of(const std::vector<T>& line, Better better) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (std::isnan(line[i])) return std::int64_t(i);
    if (better(line[i], line[first])) first = i;
  }
  return std::int64_t(first);
}

template <class T>
void check_choices(const Array<T>& x) {
  CAPTURE(x.shape());
  const auto lines = lines_of(x);
  const auto largest = max(x, 1).array(), smallest = min(x, 1).array();
  const auto top = argmax(x, 1), bottom = argmin(x, 1);
  const auto g = with_ties<T>(largest.shape(), 5);
  const auto pulled = gradient([&](const auto& v) { return sum(max(v, 1) * g); }, x);
  const auto parts = lines_of(pulled.array());
  bool right = true;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    const auto& line = lines[l];
    const auto at = std::int64_t(l);
    const T best = line[std::size_t(first_of(line, std::greater<T>()))];
    right &= top[at] == first_of(line, std::greater<T>());
    right &= bottom[at] == first_of(line, std::less<T>());
    right &= largest[at] == best || (std::isnan(largest[at]) && std::isnan(best));
    const T least = line[std::size_t(bottom[at])];
    right &= smallest[at] == least || (std::isnan(smallest[at]) && std::isnan(least));
    const auto ties = std::count(line.begin(), line.end(), best);
    for (std::size_t i = 0; i < line.size(); ++i) {
      const T part = parts[l][i];
      right &=
          std::isnan(best) ? std::isnan(part) : part == (line[i] == best ? g[at] / T(ties) : T(0));
    }
    CAPTURE(l);
    REQUIRE(right);
  }
}

template <class T>
void check_sizes() {
  const T inf = std::numeric_limits<T>::infinity(), none = std::numeric_limits<T>::quiet_NaN();
  for (const std::int64_t inner : {1, 2, 5, 17, 70}) {
    for (const std::int64_t size : {1, 2, 5, 13, 40, 130}) {
      for (const std::int64_t outer : {1, 3, 18}) {
        auto x = with_ties<T>({outer, size, inner}, std::uint32_t(size + inner));
        check_choices(x);
        const std::int64_t n = x.size();
        x.mutate()[n / 2] = inf;
        x.mutate()[n / 3] = -inf;
        x.mutate()[n - 1] = inf;
        check_choices(x);
        x.mutate()[2 * n / 3] = none;
        x.mutate()[0] = none;
        x.mutate()[n - 1] = none;
        check_choices(x);
      }
    }
  }
  for (const std::int64_t inner : {1, 3}) {
    for (const std::int64_t size : {4096, 9001}) {
      auto x = with_ties<T>({2, size, inner}, 3);
      for (const std::int64_t at : {size / 2, size - 1, 2 * size - 2}) x.mutate()[at * inner] = 9;
      check_choices(x);
      x.mutate()[5000] = none;
      check_choices(x);
    }
  }
}

}  // namespace

TEST_SUITE("order") {

TEST_CASE("the first of the largest or smallest is chosen, and equal ones share the gradient") {
  check_sizes<float>();
  check_sizes<double>();
}

TEST_CASE("equal elements along axes apart share the gradient") {
  for (const bool keepdim : {false, true}) {
    const auto x = with_ties<double>({5, 3, 20}, 1);
    const auto f = [=](const auto& v) { return sum(square(max(v, {0, 2}, keepdim))); };
    const auto together = reshape(permute(Tensor<double>(x), {1, 0, 2}), {3, 100}).array();
    const auto rows = gradient([](const auto& v) { return sum(square(max(v, 1))); }, together);
    CHECK_AGREES(
        same_bits(gradient(f, x).array(), permute(reshape(rows, {3, 5, 20}), {1, 0, 2}).array()));
  }
}

}  // TEST_SUITE("order")
