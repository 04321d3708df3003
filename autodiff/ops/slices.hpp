// SPDX-License-Identifier: BSD-3-Clause
// Parts of one axis: ranges, and single elements, which lose it.
#pragma once
#include "ebb/autodiff/ops/shapes.hpp"

namespace ebb::inline v0::op {

/// A slice with a resolved range; `size` is the size of the whole axis. One element of it may lose
/// its axis.
struct SliceOptions {
  int axis;
  std::int64_t begin, count, step, size;
  bool drops_axis = false;

  Shape part(const Shape& whole) const {
    return drops_axis ? whole.without(axis) : whole.with(axis, count);
  }
  Shape whole(const Shape& part) const {
    if (!drops_axis) return part.with(axis, size);
    std::int64_t sizes[Shape::max_rank];
    const auto after = std::copy_n(part.sizes().begin(), axis, sizes);
    *after = size;
    std::copy(part.sizes().begin() + axis, part.sizes().end(), after + 1);
    return Shape(std::span(sizes, std::size_t(part.rank() + 1)));
  }
  /// This part in an array with one more axis in front.
  SliceOptions shifted() const {
    SliceOptions options = *this;
    ++options.axis;
    return options;
  }
};

/// @throws ArgumentError for an axis that x lacks, and for a range outside of it.
SliceOptions slice_options(const Shape& x, int axis, SliceRange range);

/// Calls f(whole, part, n) for each run of n elements that are next to each other in an array and
/// in its slice, with the positions of the first in both. For single elements n is a constant.
template <class F>
EBB_INLINE void for_each_run(const SliceOptions& o, const Shape& whole, const F& f) {
  const detail::AxisView v(whole, o.axis);
  const bool is_joined = o.step == 1;
  const std::int64_t runs = is_joined ? 1 : o.count;
  const auto loop = [&](auto n) EBB_LAMBDA {
    std::int64_t part = 0;
    for (std::int64_t i = 0; i < v.outer; ++i) {
      const std::int64_t start = (i * v.size + o.begin) * v.inner;
      if (runs == 1) {
        f(start, i * n, n);
        continue;
      }
      for (std::int64_t j = 0; j < runs; ++j, part += n) f(start + j * o.step * v.inner, part, n);
    }
  };
  const std::int64_t n = is_joined ? o.count * v.inner : v.inner;
  if (n == 1) {
    loop(std::integral_constant<std::int64_t, 1>());
  } else {
    loop(n);
  }
}

/// The reverse of slice: x at its positions, and zeros elsewhere.
struct Unslice {
  static constexpr std::string_view name = "unslice";
  static constexpr bool internal = true;
  using Options = SliceOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(o.whole(x->shape), sizeof(T)));
    T* const to = y->data<T>();
    std::fill_n(to, y->shape.size(), T(0));
    for_each_run(o, y->shape, [&, from = x->data<T>()](auto whole, auto part, auto n) {
      std::copy_n(from + part, std::int64_t(n), to + whole);
    });
    return y.take();
  }
  static auto vjp_a(const auto& call);
  static Options shifted(const Options& options) { return options.shifted(); }
  static constexpr Lacks lacks{
      .scalar = "needs an axis", .empty = "covered by slice", .large = "moves elements only"};
  static std::vector<Sample> samples() {
    return {sample("within an axis", {spread({2, 2})}, [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      return detail::apply<Unslice, T>({1, 1, 2, 2, 5}, x[0]);
    })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// Every step-th element of a range of one axis. Rows with a step of 1 are a view.
struct Slice {
  static constexpr std::string_view name = "slice";
  using Options = SliceOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    const Shape shape = o.part(x->shape);
    const detail::AxisView v(x->shape, o.axis);
    if (v.outer == 1 && o.step == 1) {
      return detail::allocate_view(x, x->data<T>() + o.begin * v.inner, shape);
    }
    detail::BlockHandle y(detail::allocate(shape, sizeof(T)));
    for_each_run(o, x->shape,
                 [from = x->data<T>(), to = y->data<T>()](auto whole, auto part, auto n) {
                   std::copy_n(from + whole, std::int64_t(n), to + part);
                 });
    return y.take();
  }
  static void give_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    if (call.is_recorded())
      return call.give(0, detail::apply<Unslice, T>(call.options(), call.g()));
    // Added where it belongs: as an array of the size of x, each slice would take as long as x.
    const Tensor<T> g = call.g();
    const T* const from = detail::Access::block(g)->template data<T>();
    const bool is_uniform = detail::Access::block(g)->is_uniform();
    T* const to = call.dense_gradient(0)->template data<T>();
    for_each_run(call.options(), call.shape_of(0), [&](auto whole, auto part, auto n) {
      for (std::int64_t i = 0; i < n; ++i) to[whole + i] += from[is_uniform ? 0 : part + i];
    });
  }
  static Options shifted(const Options& options) { return options.shifted(); }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    return {sample("of rows", {spread({4, 3}, 50)},
                   [](auto x) {
                     return slice(x[0], 0, {1, 3});
                   }),
            sample("of columns", {spread({4, 3})}, [](auto x) { return slice(x[0], 1, {-2}); }),
            sample("with a step", {spread({7})},
                   [](auto x) {
                     return slice(x[0], 0, {1, 7, 2});
                   }),
            sample("of nothing", {spread({0, 3})},
                   [](auto x) {
                     return slice(x[0], 1, {0, 2});
                   }),
            sample("of a row by its index", {spread({4, 3})}, [](auto x) { return x[0][-3]; }),
            sample("of an element by its index", {spread({3})}, [](auto x) { return x[0][2]; }),
            sample("of rows by a range", {spread({4, 3})}, [](auto x) {
              return x[0][{1, 4, 2}];
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an index outside",
             [] {
               Tensor<double>(spread({4, 3}))[4];
             },
             "operator[]: index 4 of an axis of size 4; x is (4, 3)"},
            {"a negative index outside", [] { Tensor<double>(spread({4}))[-5]; },
             "operator[]: index -5 of an axis of size 4; x is (4,)"},
            {"of a scalar", [] { Tensor<double>(spread({}))[0]; },
             "operator[]: axis 0 of an array with 0 axes"},
            {"outside",
             [] {
               slice(spread({4}), 0, {2, 9});
             },
             "slice: [2, 9) of axis 0 with size 4"},
            {"a backward step",
             [] {
               slice(spread({4}), 0, {0, 4, -1});
             },
             "slice: a step of -1; steps are at least 1"}};
  }
};

auto Unslice::vjp_a(const auto& call) {
  using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
  return detail::apply<Slice, T>(call.options(), call.g());
}

/// All operations on parts of an axis.
using Slices = List<Slice, Unslice>;

}  // namespace ebb::inline v0::op
