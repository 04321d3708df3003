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
/// The shape with axes of size 1 behind its first, up to a rank.
Shape behind_first(const Shape& x, int rank);
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
  static void directions(const auto& call) { call.give(0, vjp_a(call)); }
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
  static Options shifted(const Options& options) {
    Options all;
    all.rank = static_cast<signed char>(options.rank + 1);
    for (int i = 0; i < options.rank; ++i)
      all.order[i + 1] = static_cast<signed char>(options.order[i] + 1);
    return all;
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
  static void directions(const auto& call) {
    call.give(0, index_select(call.g(), 1, call.template array<std::int64_t>(1)));
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
  static void give_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto indices = call.template array<std::int64_t>(1);
    if (call.is_recorded())
      return call.give(0, scatter_add_rows(call.g(), indices, call.shape_of(0)[0]));
    // Added where it belongs: an array of the size of x would take as long as x.
    const Tensor<T> g = detail::dense(call.g());
    const detail::RowGradient to = call.row_gradient(0, indices.size());
    const detail::AxisView v(g.shape(), 0);
    if (to.rows) to.rows->insert(to.rows->end(), indices.data(), indices.data() + indices.size());
    detail::add_rows(to.block->template data<T>(), detail::Access::block(g)->template data<T>(),
                     indices.data(), v.size, v.inner);
  }
  static void directions(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto indices = call.template array<std::int64_t>(1);
    const Tensor<T> g = call.g();
    const Shape x = call.shape_of(0);
    const std::int64_t inner = detail::AxisView(g.shape(), 1).inner, size = x[1] * inner;
    T* const to = call.dense_gradient(0)->template data<T>();
    for (std::int64_t j = 0; j < x[0]; ++j) {
      detail::add_rows(to + j * size, g.data() + j * indices.size() * inner, indices.data(),
                       indices.size(), inner);
    }
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
  static void directions(const auto& call) {
    const Shape to = call.shape_of(0);
    call.give(
        0, broadcast_to(reshape(call.g(), detail::behind_first(call.g().shape(), to.rank())), to));
  }
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
  static void directions(const auto& call) { call.give(0, detail::Upstream()); }
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
using Shapes = List<Reshape, Transpose, GatherRows, ScatterAddRows, SumTo, BroadcastTo>;

}  // namespace op
}  // namespace ebb::inline v0
