// SPDX-License-Identifier: BSD-3-Clause
// Operations outside of the common frame: with any number of inputs, or with two element types.
#pragma once
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// Arrays joined along an axis; each input gets its slice of the gradient.
struct Concat {
  static constexpr std::string_view name = "concat";
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto join = [](int axis) {
      return [=](auto x) {
        using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
        return concat(std::vector<Tensor<T>>(x.begin(), x.end()), axis);
      };
    };
    return {sample("of rows", {spread({2, 3}, 50), spread({1, 3}), spread({2, 3})}, join(0)),
            sample("of columns", {spread({2, 3}), spread({2, 1}), spread({2, 2}), spread({2, 1})},
                   join(-1)),
            sample("with nothing", {spread({0, 3}), spread({2, 3})}, join(0))};
  }
  static std::vector<Rejection> rejections() {
    return {{"other sizes",
             [] {
               concat({Tensor<double>(spread({2, 3})), Tensor<double>(spread({2, 2}))}, 0);
             },
             "concat: all sizes except along the axis must agree, not (2, 3) and (2, 2)"},
            {"no parts", [] { concat(std::vector<Tensor<double>>{}); }, "concat: no tensors"}};
  }
};

/// The values in another type; the gradient is converted back.
struct Cast {
  static constexpr std::string_view name = "cast";
  static constexpr Lacks lacks{.scalar = "runs element by element",
                               .empty = "runs element by element"};
  static std::vector<Sample> samples() {
    // To its own type only: differences computed through float would see its rounding.
    return {sample("to its own type", {spread({3}, 50)},
                   [](auto x) {
                     using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
                     return cast<T>(x[0]);
                   }),
            sample("to double and back", {spread({3}, 50)}, [](auto x) {
              using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
              return cast<T>(cast<double>(x[0]));
            })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// All operations outside of the common frame.
using Joins = List<Concat, Cast>;

}  // namespace ebb::inline v0::op
