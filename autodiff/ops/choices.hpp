// SPDX-License-Identifier: BSD-3-Clause
// Reductions that choose an element.
#pragma once
#include <vector>

#include "ebb/autodiff/ops/reductions.hpp"

namespace ebb::inline v0 {
namespace detail {

/// @throws ShapeError if an element must be chosen where there is none.
void check_elements(std::string_view name, const ReduceOptions& options, const Shape& x);

/// Reduces by choosing one of the elements.
template <class T, class Rows, class Columns>
Block* choose(std::string_view name, const ReduceOptions& options, Block* x, Rows rows,
              Columns columns) {
  check_elements(name, options, x->shape);
  return reduce<T>(options, x, rows, columns);
}

/// out = g / (the number of elements of x that equal y) for each element of x that does, else 0;
/// NaN where y is. `out` has the shape of x, and g and y have an element for each result.
template <class T>
void pull_choice(T* out, const T* g, const T* y, Block* x, const ReduceOptions& options);

}  // namespace detail

namespace op {

/// The gradient of the largest or smallest element, as a separate operation: equal ones share g
/// evenly. At every order the choice of the elements is constant, so x and the result y are, too.
struct ChoicePull {
  static constexpr std::string_view name = "choice_pull";
  static constexpr bool internal = true;
  using Options = detail::ReduceOptions;
  static constexpr unsigned reads[] = {0b0111, 0, 0};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* g, detail::Block* x,
                                detail::Block* y) {
    detail::BlockHandle out(detail::allocate(x->shape, sizeof(T)));
    detail::pull_choice(out->data<T>(), g->data<T>(), y->data<T>(), x, options);
    return out.take();
  }
  static auto of(const auto& g, const auto& x, const auto& y, const Options& options) {
    using T = typename std::remove_cvref_t<decltype(g)>::value_type;
    return detail::apply<ChoicePull, T>(options, g, x.detach(), y.detach());
  }
  template <class T>
  static Tensor<T> as_operations(const Options& options, std::span<const Tensor<T>> in) {
    const Tensor<T>& x = in[1];
    const auto y = detail::keep_axes(in[2], options, x.shape());
    const auto chosen = x == y;
    const auto count = sum(select(chosen, 1, 0), detail::axes_of(options), true);
    // Others get nothing even of an infinite gradient, unless NaN leaves nothing to choose.
    const auto others = select(y == y, 0, y);
    return select(chosen, detail::keep_axes(in[0], options, x.shape()) / count, others);
  }
  static constexpr Lacks lacks{.scalar = "covered by max", .large = "scales with g"};
  static std::vector<Sample> samples() {
    const auto x = Array<double>::of({{2, 1, 2}, {2, 3, 0}});
    const auto columns = Array<double>::of({2, 3, 2});
    const auto rows = Array<double>::of({2, 3}).reshape({2, 1});
    const auto none = Array<double>::zeros({3, 0}), no_columns = Array<double>::zeros({0});
    const auto as_like = [](const auto& g, const Array<double>& v) {
      return cast<typename std::remove_cvref_t<decltype(g)>::value_type>(Tensor<double>(v));
    };
    return {sample("along the first axis", {spread({3})},
                   [=](auto g) {
                     return of(g[0], as_like(g[0], x), as_like(g[0], columns), {1, false});
                   }),
            sample("along the last axis", {spread({2, 1})},
                   [=](auto g) {
                     return of(g[0], as_like(g[0], x), as_like(g[0], rows), {2, true});
                   }),
            sample("of nothing", {spread({0})}, [=](auto g) {
              return of(g[0], as_like(g[0], none), as_like(g[0], no_columns), {1, false});
            })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The largest element.
struct Max {
  static constexpr std::string_view name = "max";
  using Options = detail::ReduceOptions;
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    const auto& kernels = detail::kernels<T>();
    return detail::choose<T>(name, options, x, kernels.row_max, kernels.column_max);
  }
  static auto vjp_a(const auto& call) {
    return ChoicePull::of(call.g(), call.a(), call.y(), call.options());
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "of no rows is a sample, of nothing is refused"};
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({3, 4}, 50)}, [](auto x) { return max(x[0]); }),
            sample("of a scalar", {spread({})}, [](auto x) { return max(x[0]); }),
            sample("along the first axis", {spread({3, 4})}, [](auto x) { return max(x[0], 0); }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return max(x[0], 1); }),
            sample("along the last axis", {spread({3, 4})},
                   [](auto x) { return max(x[0], -1, true); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"of nothing",
             [] {
               max(spread({0, 3}), 0);
             },
             "max: there must be an element to choose, not (0, 3)"}};
  }
};

/// The smallest element.
struct Min {
  static constexpr std::string_view name = "min";
  using Options = detail::ReduceOptions;
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    const auto& kernels = detail::kernels<T>();
    return detail::choose<T>(name, options, x, kernels.row_min, kernels.column_min);
  }
  static auto vjp_a(const auto& call) {
    return ChoicePull::of(call.g(), call.a(), call.y(), call.options());
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.empty = "of no rows is a sample, of nothing is refused"};
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({3, 4}, 50)}, [](auto x) { return min(x[0]); }),
            sample("of a scalar", {spread({})}, [](auto x) { return min(x[0]); }),
            sample("along the first axis", {spread({3, 4})}, [](auto x) { return min(x[0], 0); }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return min(x[0], 1); }),
            sample("along the last axis", {spread({3, 4})},
                   [](auto x) { return min(x[0], -1, true); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"of nothing",
             [] {
               min(spread({0, 3}), 0);
             },
             "min: there must be an element to choose, not (0, 3)"}};
  }
};

/// All choices.
using Choices = List<Max, Min, ChoicePull>;

}  // namespace op
}  // namespace ebb::inline v0
