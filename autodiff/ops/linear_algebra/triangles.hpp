// SPDX-License-Identifier: BSD-3-Clause
// Lower triangles from their elements in a row, as parameters and files have them, and back.
#pragma once
#include <algorithm>
#include <cstdint>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// Which elements of a matrix (d, d) stand in a row.
enum class Part : std::uint8_t { diagonal, below, lower };

/// The elements of a part of matrices (d, d), in the order in which they stand in a row.
struct Packing {
  Part part;
  bool by_rows;
  std::int32_t d;

  std::int64_t count() const {
    const std::int64_t n = d;
    return part == Part::diagonal ? n : part == Part::below ? n * (n - 1) / 2 : n * (n + 1) / 2;
  }
  /// Calls f(position in the matrix) for each element of the part.
  template <class F>
  EBB_INLINE void for_each(F f) const {
    const std::int64_t n = d, gap = part == Part::below;
    if (part == Part::diagonal) {
      for (std::int64_t i = 0; i < n; ++i) f(i * (n + 1));
    } else if (by_rows) {
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j <= i - gap; ++j) f(i * n + j);
      }
    } else {
      for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = j + gap; i < n; ++i) f(i * n + j);
      }
    }
  }
  /// Writes rows of elements to their places in matrices.
  template <class T>
  void unpack(Block* rows, Block* matrices) const {
    const std::int64_t size = std::int64_t(d) * d;
    const T* from = rows->data<T>();
    T* const to = matrices->data<T>();
    for (std::int64_t at = 0; at < matrices->shape.size(); at += size) {
      for_each([&](std::int64_t place) EBB_LAMBDA { to[at + place] = *from++; });
    }
  }
};

}  // namespace detail

namespace op {

/// A part of matrices (..., d, d) in a row.
struct Pack {
  static constexpr std::string_view name = "pack";
  static constexpr bool internal = true;
  using Options = detail::Packing;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    const detail::Matrices all(x->shape);
    detail::BlockHandle y(
        detail::allocate(detail::batch_of(name, all.batch, {o.count()}), sizeof(T)));
    const T* from = x->data<T>();
    T* to = y->data<T>();
    for (std::int64_t k = 0; k < all.count(); ++k, from += all.size()) {
      o.for_each([&](std::int64_t place) EBB_LAMBDA { *to++ = from[place]; });
    }
    return y.take();
  }
  static auto vjp_a(const auto& call);
  static constexpr Lacks lacks{.scalar = "needs matrices", .empty = "covered by lower_triangle"};
  static std::vector<Sample> samples() {
    const auto to = [](detail::Part part, bool by_rows) {
      return [=](auto x) {
        using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
        return detail::apply<Pack, T>({part, by_rows, 3}, x[0]);
      };
    };
    return {sample("a diagonal", {spread({2, 3, 3}, 50)}, to(detail::Part::diagonal, false)),
            sample("columns below it", {spread({3, 3})}, to(detail::Part::below, false)),
            sample("rows of the triangle", {spread({3, 3})}, to(detail::Part::lower, true))};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The reverse of Pack: matrices (..., d, d) with these elements, and zeros elsewhere.
struct Unpack {
  static constexpr std::string_view name = "unpack";
  static constexpr bool internal = true;
  using Options = detail::Packing;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    const Shape batch = x->shape.without(x->shape.rank() - 1);
    detail::BlockHandle y(
        detail::allocate(detail::batch_of("lower_triangle", batch, {o.d, o.d}), sizeof(T)));
    std::fill_n(y->data<T>(), y->shape.size(), T(0));
    o.unpack<T>(x, y.get());
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Pack, T>(call.options(), call.g());
  }
  static constexpr Lacks lacks{
      .scalar = "needs rows", .empty = "covered by lower_triangle", .large = "moves elements only"};
  static std::vector<Sample> samples() {
    return {sample("columns below the diagonal", {spread({2, 3})}, [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      return detail::apply<Unpack, T>({detail::Part::below, false, 3}, x[0]);
    })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

auto Pack::vjp_a(const auto& call) {
  using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
  return detail::apply<Unpack, T>(call.options(), call.g());
}

/// Matrices of a diagonal and of what is below it.
struct LowerTriangle {
  static constexpr std::string_view name = "lower_triangle";
  struct Options {
    bool by_rows;
    std::int32_t d;

    detail::Packing part(detail::Part part) const { return {part, by_rows, d}; }
  };
  static constexpr unsigned reads[] = {0, 0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* packed, detail::Block* diagonal) {
    const Shape batch = diagonal->shape.without(diagonal->shape.rank() - 1);
    detail::BlockHandle y(detail::allocate(detail::batch_of(name, batch, {o.d, o.d}), sizeof(T)));
    std::fill_n(y->data<T>(), y->shape.size(), T(0));
    o.part(detail::Part::below).unpack<T>(packed, y.get());
    o.part(detail::Part::diagonal).unpack<T>(diagonal, y.get());
    return y.take();
  }
  static auto vjp_a(const auto& call) { return part_of(call, detail::Part::below); }
  static auto vjp_b(const auto& call) { return part_of(call, detail::Part::diagonal); }
  static auto part_of(const auto& call, detail::Part part) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Pack, T>(call.options().part(part), call.g());
  }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto both = [](bool by_rows) {
      return [=](auto x) { return lower_triangle(x[0], x[1], {.by_rows = by_rows}); };
    };
    const auto all = [](bool by_rows) {
      return [=](auto x) { return lower_triangle(x[0], {.by_rows = by_rows}); };
    };
    return {sample("of columns and a diagonal", {spread({6}, 50), spread({4}, 2)}, both(false)),
            sample("of rows and diagonals", {spread({2, 1, 3}), spread({2, 1, 3}, 2)}, both(true)),
            sample("of a diagonal of one", {spread({2, 0}), spread({2, 1})}, both(false)),
            sample("of a diagonal of none", {spread({2, 0}), spread({2, 0})}, both(false)),
            sample("of columns", {spread({6})}, all(false)),
            sample("of rows", {spread({2, 3})}, all(true)),
            sample("of nothing", {spread({0, 3})}, all(false))};
  }
  static std::vector<Rejection> rejections() {
    return {{"no triangle",
             [] {
               lower_triangle(spread({2, 4}));
             },
             "lower_triangle: packed must be (..., d (d + 1) / 2), such as 1, 3, 6 or 10 elements "
             "in a row, not (2, 4)"},
            {"a scalar", [] { lower_triangle(spread({})); }, "lower_triangle: packed must be"},
            {"another diagonal", [] { lower_triangle(spread({4}), spread({3})); },
             "lower_triangle: packed must be (..., d (d - 1) / 2) for a diagonal (..., d), with "
             "the same first axes, not (4,) and (3,)"},
            {"another batch",
             [] {
               lower_triangle(spread({2, 3}), spread({1, 3}));
             },
             "the same first axes, not (2, 3) and (1, 3)"},
            {"a diagonal of no axis", [] { lower_triangle(spread({1}), spread({})); },
             "not (1,) and ()"},
            {"too many axes",
             [] {
               lower_triangle(spread({1, 1, 1, 1, 1, 3}));
             },
             "lower_triangle: "}};
  }
};

using Triangles = List<LowerTriangle, Pack, Unpack>;

}  // namespace op
}  // namespace ebb::inline v0
