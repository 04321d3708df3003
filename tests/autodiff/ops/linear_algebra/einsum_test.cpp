// SPDX-License-Identifier: BSD-3-Clause
// Products of named axes, against loops over every letter.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using Sizes = std::map<char, std::int64_t>;

/// The position in a row-major array whose axes have these names.
std::int64_t position(const std::string& axes, const Sizes& sizes, const Sizes& index) {
  std::int64_t at = 0;
  for (const char c : axes) at = at * sizes.at(c) + index.at(c);
  return at;
}

Shape shape_of(const std::string& axes, const Sizes& sizes) {
  std::vector<std::int64_t> all;
  for (const char c : axes) all.push_back(sizes.at(c));
  return Shape(std::span<const std::int64_t>(all));
}

/// Sums the product of all terms over every combination of letters, in long double.
Array<double> by_loops(const std::vector<std::string>& terms, const std::string& output,
                       const Sizes& sizes, const std::vector<Tensor<double>>& operands) {
  std::vector<long double> sums(std::size_t(shape_of(output, sizes).size()), 0);
  Sizes index;
  std::int64_t combinations = 1;
  for (const auto& [c, size] : sizes) combinations *= size;
  for (std::int64_t i = 0; i < combinations; ++i) {
    std::int64_t rest = i;
    for (const auto& [c, size] : sizes) {
      index[c] = rest % size;
      rest /= size;
    }
    long double p = 1;
    for (std::size_t k = 0; k < terms.size(); ++k) {
      p *= operands[k].data()[position(terms[k], sizes, index)];
    }
    sums[std::size_t(position(output, sizes, index))] += p;
  }
  auto y = Array<double>::uninitialized(shape_of(output, sizes));
  std::copy(sums.begin(), sums.end(), y.mutate());
  return y;
}

void check_einsum(const char* equation, const std::vector<std::string>& terms,
                  const std::string& output) {
  const Sizes all{{'a', 2}, {'b', 3}, {'c', 4}, {'d', 2}, {'e', 5}, {'X', 3}};
  Sizes sizes;
  std::vector<Tensor<double>> operands;
  double scale = 1;
  for (const auto& term : terms) {
    for (const char c : term) sizes[c] = all.at(c);
    operands.push_back(op::spread(shape_of(term, all), scale++));
  }
  CAPTURE(equation);
  const auto y = einsum(equation, operands).array();
  CHECK_AGREES(close(y, by_loops(terms, output, sizes, operands), 1e-13, 1e-12));
}

}  // namespace

TEST_SUITE("einsum") {

TEST_CASE("named axes agree with loops over every letter") {
  check_einsum("ab->ba", {"ab"}, "ba");
  check_einsum("abc->", {"abc"}, "");
  check_einsum("ca", {"ca"}, "ac");
  check_einsum("aXb", {"aXb"}, "Xab");
  check_einsum("aba -> ba", {"aba"}, "ba");
  check_einsum("aa", {"aa"}, "");
  check_einsum("abab->b", {"abab"}, "b");
  check_einsum("ab,bc", {"ab", "bc"}, "ac");
  check_einsum("ab,bc->ca", {"ab", "bc"}, "ca");
  check_einsum("eab,ebc->eac", {"eab", "ebc"}, "eac");
  check_einsum("abe,ecb->aec", {"abe", "ecb"}, "aec");
  check_einsum("ab,ab->", {"ab", "ab"}, "");
  check_einsum("ab,ab->b", {"ab", "ab"}, "b");
  check_einsum("ab,c->b", {"ab", "c"}, "b");
  check_einsum("aab,bc->ca", {"aab", "bc"}, "ca");
  check_einsum("ab,bc,cd,de->ae", {"ab", "bc", "cd", "de"}, "ae");
  check_einsum("ab,bc,ab->ac", {"ab", "bc", "ab"}, "ac");
  check_einsum("abcd,cdeX->abeX", {"abcd", "cdeX"}, "abeX");
}

TEST_CASE("the axes of an ellipsis broadcast") {
  const auto a = op::spread({4, 1, 2, 3}), b = op::spread({5, 3, 2});
  CHECK_AGREES(close(einsum("...ij,...jk->...ik", {a, b}), matmul(a, b), 1e-14, 1e-14));
  CHECK_AGREES(close(einsum("...ij,...jk", {a, b}), matmul(a, b), 1e-14, 1e-14));
  CHECK_AGREES(close(einsum("...ij,...jk->ik", {a, b}), sum(matmul(a, b), {0, 1}), 1e-13, 1e-13));
  CHECK_AGREES(close(einsum("...ij->...ji", {a}), permute(a, {0, 1, 3, 2}), 0));
  CHECK_AGREES(close(einsum("...,...->...", {a, op::spread({2, 1})}), a * op::spread({2, 1}), 0));
}

TEST_CASE("an equation without operands is refused") {
  CHECK(message_of<ArgumentError>([] { einsum("->", std::vector<Tensor<float>>{}); }) ==
        "einsum: no operands");
}

}  // TEST_SUITE("einsum")
