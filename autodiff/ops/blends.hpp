// SPDX-License-Identifier: BSD-3-Clause
// Elementwise formulas of three arguments.
#pragma once
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// a + weight (b - a), from the end that is nearer, so that both ends are exact.
struct Lerp {
  static constexpr std::string_view name = "lerp";
  EBB_INLINE static constexpr auto value(auto a, auto b, auto weight) {
    return select(weight < 0.5, a + weight * (b - a), b - (1 - weight) * (b - a));
  }
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return lerp(x[0], x[1], x[2]); };
    return {sample("of vectors", {spread({7}, 50), spread({7}), spread({7}, 1.2)}, f),
            sample("of scalars", {spread({}), spread({}, 2), spread({}, 0.4)}, f),
            sample("of a row, a column and a number", {spread({3}), spread({2, 1})},
                   [](auto x) { return lerp(x[0], x[1], 0.3); }),
            sample("beyond the end", {spread({3}), spread({3}, 2)},
                   [](auto x) { return lerp(x[0], x[1], 1.7); }),
            sample("of nothing", {spread({0, 3}), spread({3}), spread({})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"shapes that do not broadcast", [] { lerp(spread({2}), spread({3}), 0.5); },
             "lerp: shapes (2,) and (3,) do not broadcast"}};
  }
};

/// All formulas of three arguments.
using Blends = List<Lerp>;

}  // namespace ebb::inline v0::op
