// SPDX-License-Identifier: BSD-3-Clause
// Operations that move elements: shapes, slices, rows by index, joins, broadcasts.
#pragma once
#include <algorithm>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// A dense copy of this shape. The element at an index is in x at offset + index . strides.
Block* copy_strided(Block* x, const Shape& shape, std::int64_t offset, const std::int64_t* strides,
                    std::size_t element_size);
/// A dense copy with the axes in another order: axis i of the result is axis order[i] of x.
Block* permute(Block* x, const int* order, std::size_t element_size);
/// An array as seen from one axis: (outer, size, inner).
struct AxisView {
  std::int64_t outer = 1, size, inner = 1;
  AxisView(const Shape& shape, int axis);
};
/// @throws ArgumentError for the first index that is not in [0, size), with its position.
void check_range(std::string_view operation, Block* indices, std::int64_t size,
                 const Shape* x = nullptr);
/// x.with(axis, size).
/// @throws ShapeError, which names the operation.
Shape shape_with(std::string_view operation, const Shape& x, int axis, std::int64_t size);
/// The axis that an axis, which may be negative, means. A scalar has one axis here, 0 or -1, as in
/// PyTorch.
/// @throws ArgumentError if there is no such axis.
int axis_of(const char* operation, int axis, const Shape& shape);
/// x summed over the axes in the mask, which are removed.
template <class T>
Block* sum_block(Block* x, unsigned axes);
/// x broadcast to a shape. With `uniform` the result may have one element for all.
template <class T>
Block* broadcast_block(Block* x, const Shape& shape, bool uniform);

}  // namespace detail

namespace op {

/// A view of the elements in another shape of the same size.
struct Reshape {
  static constexpr std::string_view name = "reshape";
  struct Options {
    Shape shape;
  };
  static constexpr unsigned reads[] = {0};
  static constexpr bool vjp_reads_options = false;

  template <class T>
  static detail::Block* forward(const Options& to, detail::Block* x) {
    if (to.shape.size() != x->shape.size()) {
      detail::throw_shapes(name, "the sizes must agree", x->shape, to.shape);
    }
    return detail::allocate_view(x, x->data<T>(), to.shape);
  }
  static auto vjp_a(const auto& call) { return reshape(call.g(), call.shape_of(0)); }
  static std::vector<Sample> samples() {
    return {sample("to a matrix", {spread({6}, 50)},
                   [](auto x) {
                     return reshape(x[0], {2, 3});
                   }),
            sample("of a scalar", {spread({})},
                   [](auto x) {
                     return reshape(x[0], {1, 1});
                   }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return reshape(x[0], {0}); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"another size", [] { reshape(spread({6}), {4}); },
             "reshape: the sizes must agree, not (6,) and (4,)"}};
  }
};

/// A copy with the axes in another order. The gradient has the inverse order.
struct Transpose {
  static constexpr std::string_view name = "transpose";
  struct Options {
    signed char order[Shape::max_rank] = {};
    signed char rank = 0;
    Options() = default;
    Options(const int* axes, int count) : rank(static_cast<signed char>(count)) {
      for (int i = 0; i < count; ++i) order[i] = static_cast<signed char>(axes[i]);
    }
  };
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    int order[Shape::max_rank];
    std::copy_n(options.order, options.rank, order);
    return detail::permute(x, order, sizeof(T));
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const Options forward = call.options();
    Options inverse = forward;
    for (int i = 0; i < forward.rank; ++i)
      inverse.order[forward.order[i]] = static_cast<signed char>(i);
    return detail::apply<Transpose, T>(inverse, call.g());
  }
  static std::vector<Sample> samples() {
    return {
        sample("of a matrix", {spread({3, 4}, 50)}, [](auto x) { return transpose(x[0]); }),
        sample("of a scalar", {spread({})}, [](auto x) { return transpose(x[0]); }),
        sample("of nothing", {spread({0, 3})}, [](auto x) { return transpose(x[0]); }),
        sample("in a cycle", {spread({2, 3, 4})},
               [](auto x) {
                 return transpose(x[0], {2, 0, 1});
               }),
        sample("of a large matrix", {spread({17, 33})}, [](auto x) { return transpose(x[0]); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an axis twice",
             [] {
               transpose(spread({3, 4}), {0, 0});
             },
             "transpose: axis 0 is named twice"},
            {"too few axes",
             [] {
               transpose(spread({3, 4}), {0});
             },
             "transpose: 1 axes for the shape (3, 4)"}};
  }
};

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

/// Rows added to zeros by index. An index may occur more than once.
struct ScatterAddRows {
  static constexpr std::string_view name = "scatter_add_rows";
  struct Options {
    std::int64_t rows;
  };
  static constexpr unsigned reads[] = {0b0010};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x, detail::Block* indices) {
    check_rows(x->shape.rank() > 0 ? x->shape[0] : -1, options.rows, x, indices);
    const Shape shape = detail::shape_with(name, x->shape, 0, options.rows);
    detail::BlockHandle y(detail::allocate(shape, sizeof(T)));
    std::fill_n(y->data<T>(), y->shape.size(), T(0));
    const detail::AxisView v(x->shape, 0);
    detail::add_rows(y->data<T>(), x->data<T>(), indices->data<std::int64_t>(), v.size, v.inner);
    return y.take();
  }
  static void check_rows(std::int64_t count, std::int64_t rows, detail::Block* x,
                         detail::Block* indices) {
    if (count < 0 || indices->shape.rank() != 1 || indices->shape[0] != count) {
      detail::throw_shapes(name, "x must have one row an index", x->shape, indices->shape);
    }
    detail::check_range(name, indices, rows);
  }
  static auto vjp_a(const auto& call) {
    return gather_rows(call.g(), call.template array<std::int64_t>(1));
  }
  static constexpr Lacks lacks{.scalar = "needs rows", .empty = "no index is valid"};
  static std::vector<Sample> samples() {
    const auto indices = Array<std::int64_t>::of({2, 0, 2});
    return {sample("with an index twice", {spread({3, 2}, 50)},
                   [=](auto x) { return scatter_add_rows(x[0], indices, 4); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"too few indices",
             [] {
               scatter_add_rows(spread({3, 2}), Array<std::int64_t>::of({0}), 4);
             },
             "scatter_add_rows: x must have one row an index, not (3, 2) and (1,)"},
            {"an index outside",
             [] {
               scatter_add_rows(spread({1, 2}), Array<std::int64_t>::of({4}), 4);
             },
             "scatter_add_rows: index 4 at position 0 is not in [0, 4); the indices are (1,)"}};
  }
};

/// Rows by index; the reverse of ScatterAddRows.
struct GatherRows {
  static constexpr std::string_view name = "gather_rows";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0010};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* x, detail::Block* indices) {
    if (x->shape.rank() == 0 || indices->shape.rank() != 1) {
      detail::throw_shapes(name, "x must have rows and indices one axis", x->shape, indices->shape);
    }
    detail::check_range(name, indices, x->shape[0], &x->shape);
    detail::BlockHandle y(detail::allocate(x->shape.with(0, indices->shape[0]), sizeof(T)));
    const detail::AxisView v(y->shape, 0);
    detail::copy_rows(y->data<std::byte>(), x->data<std::byte>(), std::size_t(v.inner) * sizeof(T),
                      x->shape[0], {indices->data<std::int64_t>(), std::size_t(v.size)});
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    return scatter_add_rows(call.g(), call.template array<std::int64_t>(1), call.shape_of(0)[0]);
  }
  static constexpr Lacks lacks{.scalar = "needs rows", .empty = "no index is valid"};
  static std::vector<Sample> samples() {
    const auto indices = Array<std::int64_t>::of({2, 0, 3, 2});
    return {sample("with an index twice", {spread({4, 2}, 50)},
                   [=](auto x) { return gather_rows(x[0], indices); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an index outside",
             [] {
               gather_rows(spread({2}), Array<std::int64_t>::of({0, -1}));
             },
             "gather_rows: index -1 at position 1 is not in [0, 2)"}};
  }
};

/// The sum over the axes that a broadcast stretched; the reverse of BroadcastTo.
struct SumTo {
  static constexpr std::string_view name = "sum_to";
  struct Options {
    Shape shape;
  };
  static constexpr unsigned reads[] = {0};
  static constexpr bool vjp_reads_options = false;

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    return detail::sum_to_block<T>(x, options.shape);
  }
  static auto vjp_a(const auto& call) { return broadcast_to(call.g(), call.shape_of(0)); }
  static constexpr Lacks lacks{.scalar = "a scalar result is a sample"};
  static std::vector<Sample> samples() {
    return {sample("a row", {spread({3, 4}, 50)}, [](auto x) { return sum_to(x[0], {4}); }),
            sample("a column", {spread({3, 4})},
                   [](auto x) {
                     return sum_to(x[0], {3, 1});
                   }),
            sample("axes apart", {spread({2, 3, 2})},
                   [](auto x) {
                     return sum_to(x[0], {1, 3, 1});
                   }),
            sample("a scalar", {spread({3, 4})}, [](auto x) { return sum_to(x[0], {}); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) {
              return sum_to(x[0], {1, 3});
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no broadcast",
             [] {
               sum_to(spread({3, 4}), {3});
             },
             "sum_to: the second does not broadcast to the first, not (3, 4) and (3,)"}};
  }
};

/// A copy that is stretched as in NumPy's broadcasting.
struct BroadcastTo {
  static constexpr std::string_view name = "broadcast_to";
  struct Options {
    Shape shape;
    bool uniform = false;  ///< one element for all; only in a sweep
  };
  static constexpr unsigned reads[] = {0};
  static constexpr bool vjp_reads_options = false;

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    return detail::broadcast_block<T>(x, options.shape, options.uniform);
  }
  static auto vjp_a(const auto& call) { return sum_to(call.g(), call.shape_of(0)); }
  static constexpr Lacks lacks{.empty = "to nothing is a sample"};
  static std::vector<Sample> samples() {
    return {sample("a row", {spread({4}, 50)},
                   [](auto x) {
                     return broadcast_to(x[0], {3, 4});
                   }),
            sample("a column", {spread({3, 1})},
                   [](auto x) {
                     return broadcast_to(x[0], {3, 4});
                   }),
            sample("a scalar", {spread({})},
                   [](auto x) {
                     return broadcast_to(x[0], {3, 4});
                   }),
            sample("to nothing", {spread({1, 3})}, [](auto x) {
              return broadcast_to(x[0], {0, 3});
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no broadcast",
             [] {
               broadcast_to(spread({3}), {3, 4});
             },
             "broadcast_to: the first does not broadcast to the second, not (3,) and (3, 4)"}};
  }
};

/// All operations on shapes and indices.
using Shapes =
    List<Reshape, Transpose, Slice, Unslice, GatherRows, ScatterAddRows, SumTo, BroadcastTo>;

}  // namespace op
}  // namespace ebb::inline v0
