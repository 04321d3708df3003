// SPDX-License-Identifier: BSD-3-Clause
// The choice between two tensors by a mask.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// Selects and never multiplies, forward and backward, so that a NaN in the branch that is not
/// taken has no effect.
struct Where {
  static constexpr std::string_view name = "where";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0100, 0b0100};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a, detail::Block* b,
                                detail::Block* mask);
  static auto vjp_a(const auto& call) { return where(call.template array<bool>(2), call.g(), 0.0); }
  static auto vjp_b(const auto& call) { return where(call.template array<bool>(2), 0.0, call.g()); }
  static std::vector<Sample> samples() {
    const auto mask = Array<bool>::of({{true, false, true}, {false, false, true}});
    const auto all = Array<bool>(true), none = Array<bool>::zeros({0, 3});
    return {
        sample("of two", {spread({2, 3}, 50), spread({2, 3})},
               [=](auto x) { return where(mask, x[0], x[1]); }),
        sample("of a row and a column", {spread({3}), spread({2, 1})},
               [=](auto x) { return where(mask, x[0], x[1]); }),
        sample("of a scalar", {spread({}), spread({2, 3})},
               [=](auto x) { return where(mask, x[0], x[1]); }),
        sample("by one value", {spread({})}, [=](auto x) { return where(all, x[0], 0.5); }),
        sample("of nothing", {spread({0, 3}), spread({})},
               [=](auto x) { return where(none, x[0], x[1]); }),
        sample("with a number", {spread({2, 3})}, [=](auto x) { return where(mask, x[0], 0.5); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"shapes that do not broadcast",
             [] { where(Array<bool>::zeros({2}), spread({3}), spread({})); },
             "where: shapes (2,) and (3,) do not broadcast"}};
  }
};

/// x with a value where the mask is true, by `where`.
struct MaskedFill {
  static constexpr std::string_view name = "masked_fill";
  static std::vector<Sample> samples() {
    const auto row = Array<bool>::of({true, false, false});
    const auto mask = Array<bool>::of({{true, false, true}, {false, false, true}});
    const auto none = Array<bool>(false);
    return {
        sample("of a matrix", {spread({2, 3}, 50)},
               [=](auto x) { return masked_fill(x[0], mask, -3); }),
        sample("of a row of the mask", {spread({2, 3})},
               [=](auto x) { return masked_fill(x[0], row, 0.5); }),
        sample("of a scalar", {spread({})}, [=](auto x) { return masked_fill(x[0], none, 1); }),
        sample("of nothing", {spread({0, 3})}, [=](auto x) { return masked_fill(x[0], row, 1); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a mask that does not broadcast",
             [] { masked_fill(spread({3}), Array<bool>::zeros({2}), 0); },
             "masked_fill: shapes (2,) and (3,) do not broadcast"},
            {"a mask that is larger",
             [] {
               masked_fill(spread({3}), Array<bool>::zeros({2, 3}), 0);
             },
             "masked_fill: the mask must broadcast to the shape of x, not (2, 3) and (3,)"}};
  }
};

using Masked = List<Where, MaskedFill>;

}  // namespace ebb::inline v0::op
