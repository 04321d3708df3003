// SPDX-License-Identifier: BSD-3-Clause
// Sums of products over named axes, composed of diagonals, sums, permutations and products.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// An equation whose terms have one character for each axis: a letter, or a digit for an axis of
/// "...", counted from the last.
struct EinsumEquation {
  std::vector<std::string> terms;
  std::string output;

  /// @throws ArgumentError for a text that is not an equation; ShapeError if it does not fit the
  /// operands. Both quote the equation, and name the operand, the letter and the sizes.
  EinsumEquation(std::string_view equation, const std::vector<Shape>& operands);
};

}  // namespace detail

namespace op {

/// Operands joined one by one, by a product of matrices or, if nothing is summed, of elements.
struct Einsum {
  static constexpr std::string_view name = "einsum";
  template <class X>
  static auto call(std::string_view equation, const X& x) {
    using Operands = std::vector<std::remove_cvref_t<decltype(x[0])>>;
    return einsum(equation, Operands(x.begin(), x.end()));
  }
  static std::vector<Sample> samples() {
    const auto of = [](std::string_view equation) {
      return [=](auto x) { return call(equation, x); };
    };
    const auto one = [=](const char* equation, const Shape& a) {
      return sample(equation, {spread(a, 50)}, of(equation));
    };
    const auto two = [=](const char* equation, const Shape& a, const Shape& b) {
      return sample(equation, {spread(a), spread(b)}, of(equation));
    };
    return {one("ij->ji", {2, 3}),
            one("ii", {3, 3}),
            one("iji->ij", {2, 3, 2}),
            one("b...->...", {2, 3, 2}),
            one("->", {}),
            two("bij, bjk -> bik", {2, 3, 2}, {2, 2, 2}),
            two("ij,jk", {2, 3}, {3, 2}),
            two("bi,bi->b", {2, 3}, {2, 3}),
            two("i,j->ji", {2}, {3}),
            two("ij,k->i", {2, 2}, {3}),
            two("...ij,jk->...ik", {2, 2, 3}, {3, 2}),
            two("...i,...i->...", {2, 1, 2}, {3, 2}),
            two(",i", {}, {3}),
            two("ij,jk", {2, 0}, {0, 3}),
            sample("three operands", {spread({2, 3}), spread({3, 2}), spread({2, 2})},
                   of("ij,jk,kl->il"))};
  }
  static std::vector<Rejection> rejections() {
    const auto refuse = [](const char* equation, std::vector<Shape> shapes) {
      return [=] {
        std::vector<Tensor<double>> operands;
        for (const Shape& shape : shapes) operands.push_back(spread(shape));
        einsum(equation, operands);
      };
    };
    return {
        {"two sizes", refuse("ij,jk->ik", {{2, 3}, {4, 2}}),
         "einsum \"ij,jk->ik\": letter 'j' has size 4 in operand 1 and size 3 before"},
        {"too few operands", refuse("ij,jk", {{2, 3}}), "einsum \"ij,jk\": 2 terms for 1 operands"},
        {"too few letters", refuse("i->i", {{2, 3}}),
         "einsum \"i->i\": the term \"i\" of operand 0 does not name the axes of (2, 3)"},
        {"too many letters", refuse("ij...->i", {{2}}),
         "einsum \"ij...->i\": the term \"ij...\" of operand 0 does not name the axes of (2,)"},
        {"no letter", refuse("i1->i", {{2, 3}}), "einsum \"i1->i\": '1' is not a letter"},
        {"too many axes", refuse("abcd,efgh->abcdefgh", {{1, 1, 1, 1}, {1, 1, 1, 1}}),
         "einsum \"abcd,efgh->abcdefgh\": a product on the way has 8 axes; arrays have at most 6"},
        {"two dots", refuse("i..->i", {{2, 3}}), "einsum \"i..->i\": '.' is not a letter"},
        {"an unknown letter", refuse("ij->k", {{2, 3}}),
         "einsum \"ij->k\": the output letter 'k' is in no operand"},
        {"an output letter twice", refuse("ij->ii", {{2, 3}}),
         "einsum \"ij->ii\": the output letter 'i' comes twice"},
        {"axes that do not broadcast", refuse("...i,...i->...", {{2, 3}, {4, 3}}),
         "einsum \"...i,...i->...\": an axis of \"...\" has size 4 in operand 1 and size 2 "
         "before"}};
  }
};

using Einsums = List<Einsum>;

}  // namespace op
}  // namespace ebb::inline v0
