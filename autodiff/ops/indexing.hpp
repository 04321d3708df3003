// SPDX-License-Identifier: BSD-3-Clause
// Operations that choose elements by index or by mask, and their reverse operations.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/ops/shapes.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The axis of an index, and for the reverse operation the size of that axis.
struct AxisOptions {
  int axis;
};
struct SizedAxisOptions {
  std::int64_t size;
  int axis;
};

/// @throws ShapeError and ArgumentError unless the indices have the axes of x and, except along
/// `axis`, its sizes.
void check_index(std::string_view operation, const Shape& x, const Shape& index, int axis);

/// Indices along an axis of an array, checked in short runs, which are still in the cache when they
/// are used: a separate pass over all indices would take half as long as the operation.
class CheckedIndex {
 public:
  CheckedIndex(std::string_view operation, const Shape& x, Block* index, int axis)
      : operation_(operation), x_(x), index_(index), size_(AxisView(x, axis).size) {}
  /// @throws ArgumentError for the first index, of the first n, that is out of range.
  void until(std::int64_t n) {
    if (n > good_) [[unlikely]]
      look(n);
  }

 private:
  void look(std::int64_t n);

  std::string_view operation_;
  const Shape& x_;
  Block* index_;
  std::int64_t size_, good_ = 0;
};
/// Indices that were checked before.
struct GoodIndex {
  static void until(std::int64_t) {}
};

/// So many indices, or a run of them, are checked and then used at a time.
constexpr std::int64_t index_stretch = 256;

/// Calls f(leads_to(j), j) for j in [begin, end). A separate function, so that every value that the
/// loop reads is in a register.
template <class Lead, class F>
__attribute__((noinline)) void for_stretch(std::int64_t begin, std::int64_t end, Lead leads_to,
                                           F f) {
  EBB_UNROLL
  for (std::int64_t j = begin; j < end; ++j) f(leads_to(j), j);
}

/// Calls f(i, j) for each element j of an index, which selects element i of an array that has
/// `size` in place of the index's size along the axis.
template <class Check, class F>
void for_each_index(Check checked, Block* index, int axis, std::int64_t size, F f) {
  const AxisView v(index->shape, axis);
  const auto* at = index->data<std::int64_t>();
  std::int64_t j = 0;
  for (std::int64_t o = 0; o < v.outer; ++o) {
    if (v.inner == 1) {  // a loop of one element would cost more than the element
      for (const std::int64_t last = j + v.size; j < last;) {
        const std::int64_t end = std::min(last, j + index_stretch);
        checked.until(end);
        const std::int64_t line = o * size;
        for_stretch(
            j, end, [=](std::int64_t n) { return line + at[n]; }, f);
        j = end;
      }
      continue;
    }
    for (std::int64_t k = 0; k < v.size; ++k) {
      const std::int64_t end = j + v.inner, from_j = o * size * v.inner - j;
      checked.until(end);
      const std::int64_t inner = v.inner;
      for_stretch(
          j, end, [=](std::int64_t n) { return at[n] * inner + (from_j + n); }, f);
      j = end;
    }
  }
}

/// Adds slices of `from`, which has the shape `part`, to those of `to` with these indices, of which
/// there are `size` along the axis.
template <class T>
void add_slices(T* to, std::int64_t size, const T* from, const Shape& part, int axis,
                const std::int64_t* index) {
  const AxisView v(part, axis);
  for (std::int64_t i = 0; i < v.outer; ++i) {
    for (std::int64_t j = 0; j < v.size; ++j, from += v.inner) {
      T* const slice = to + (i * size + index[j]) * v.inner;
      for (std::int64_t k = 0; k < v.inner; ++k) slice[k] += from[k];
    }
  }
}

}  // namespace detail

namespace op {

/// The reverse of index_select: slices added to zeros. An index may occur more than once.
struct IndexAdd {
  static constexpr std::string_view name = "index_add";
  static constexpr bool internal = true;
  using Options = detail::SizedAxisOptions;
  static constexpr unsigned reads[] = {0b0010};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* indices) {
    detail::BlockHandle y(detail::allocate(x->shape.with(o.axis, o.size), sizeof(T)));
    std::fill_n(y->data<T>(), y->shape.size(), T(0));
    detail::add_slices(y->data<T>(), o.size, x->data<T>(), x->shape, o.axis,
                       indices->data<std::int64_t>());
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    return index_select(call.g(), call.options().axis, call.template array<std::int64_t>(1));
  }
  static Options shifted(const Options& o) { return {o.size, o.axis + 1}; }
  static constexpr Lacks lacks{.scalar = "needs an axis", .empty = "covered by index_select"};
  static std::vector<Sample> samples() {
    const auto indices = Array<std::int64_t>::of({2, 0, 2});
    return {sample("with an index twice", {spread({2, 3}, 50)}, [=](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      return detail::apply<IndexAdd, T>({4, 1}, x[0], indices);
    })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// Slices along one axis by index.
struct IndexSelect {
  static constexpr std::string_view name = "index_select";
  using Options = detail::AxisOptions;
  static constexpr unsigned reads[] = {0b0010};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* indices) {
    if (indices->shape.rank() != 1) {
      detail::throw_shapes(name, "indices must have one axis", indices->shape);
    }
    const detail::AxisView v(x->shape, o.axis);
    detail::check_range(name, indices, v.size, &x->shape);
    const std::int64_t count = indices->shape[0];
    detail::BlockHandle y(detail::allocate(x->shape.with(o.axis, count), sizeof(T)));
    const auto* index = indices->data<std::int64_t>();
    T* to = y->data<T>();
    for (std::int64_t i = 0; i < v.outer; ++i) {
      for (std::int64_t j = 0; j < count; ++j, to += v.inner) {
        std::copy_n(x->data<T>() + (i * v.size + index[j]) * v.inner, v.inner, to);
      }
    }
    return y.take();
  }
  static void give_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const int axis = call.options().axis;
    const std::int64_t size = call.shape_of(0)[axis];
    const auto indices = call.template array<std::int64_t>(1);
    if (call.is_recorded())
      return call.give(0, detail::apply<IndexAdd, T>({size, axis}, call.g(), indices));
    // Added where it belongs: an array of the size of x would take as long as x.
    const Tensor<T> g = detail::dense(call.g());
    const detail::RowGradient to = call.row_gradient(0, indices.size(), axis);
    if (to.rows) to.rows->insert(to.rows->end(), indices.data(), indices.data() + indices.size());
    detail::add_slices(to.block->template data<T>(), size, g.data(), g.shape(), axis,
                       indices.data());
  }
  static Options shifted(const Options& o) { return {o.axis + 1}; }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto indices = Array<std::int64_t>::of({2, 0, 2});
    const auto none = Array<std::int64_t>::zeros({0});
    return {sample("of rows", {spread({4, 2}, 50)},
                   [=](auto x) { return index_select(x[0], 0, indices); }),
            sample("of columns", {spread({2, 3, 2})},
                   [=](auto x) { return index_select(x[0], -2, indices); }),
            sample("of nothing", {spread({0, 3})},
                   [=](auto x) { return index_select(x[0], 0, none); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an index outside",
             [] {
               index_select(spread({2, 3}), 1, Array<std::int64_t>::of({0, 3}));
             },
             "index_select: index 3 at position 1 is not in [0, 3)"},
            {"indices of two axes",
             [] {
               index_select(spread({2}), 0, Array<std::int64_t>::zeros({1, 1}));
             },
             "index_select: indices must have one axis, not (1, 1)"},
            {"of a scalar", [] { index_select(spread({}), 0, Array<std::int64_t>::zeros({1})); },
             "index_select: axis 0 of an array with 0 axes"}};
  }
};

/// The reverse of gather: elements added to zeros. An index may occur more than once.
struct Scatter {
  static constexpr std::string_view name = "scatter";
  static constexpr bool internal = true;
  using Options = detail::SizedAxisOptions;
  static constexpr unsigned reads[] = {0b0010};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* index) {
    detail::BlockHandle y(detail::allocate(x->shape.with(o.axis, o.size), sizeof(T)));
    T* to = y->data<T>();
    std::fill_n(to, y->shape.size(), T(0));
    const T* from = x->data<T>();
    detail::for_each_index(detail::GoodIndex(), index, o.axis, o.size,
                           [=](std::int64_t i, std::int64_t j) { to[i] += from[j]; });
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    return gather(call.g(), call.options().axis, call.template array<std::int64_t>(1));
  }
  static constexpr Lacks lacks{.scalar = "needs an axis", .empty = "covered by gather"};
  static std::vector<Sample> samples() {
    const auto index = Array<std::int64_t>::of({{2, 0}, {2, 1}});
    return {sample("with an index twice", {spread({2, 2}, 50)}, [=](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      return detail::apply<Scatter, T>({3, 0}, x[0], index);
    })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// Elements along one axis, each with its index.
struct Gather {
  static constexpr std::string_view name = "gather";
  using Options = detail::AxisOptions;
  static constexpr unsigned reads[] = {0b0010};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* index) {
    detail::check_index(name, x->shape, index->shape, o.axis);
    detail::BlockHandle y(detail::allocate(index->shape, sizeof(T)));
    T* to = y->data<T>();
    const T* from = x->data<T>();
    detail::for_each_index(detail::CheckedIndex(name, x->shape, index, o.axis), index, o.axis,
                           detail::AxisView(x->shape, o.axis).size,
                           [=](std::int64_t i, std::int64_t j) { to[j] = from[i]; });
    return y.take();
  }
  static void give_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const int axis = call.options().axis;
    const std::int64_t size = detail::AxisView(call.shape_of(0), axis).size;
    const auto index = call.template array<std::int64_t>(1);
    if (call.is_recorded())
      return call.give(0, detail::apply<Scatter, T>({size, axis}, call.g(), index));
    const Tensor<T> g = detail::dense(call.g());
    T* const to = call.dense_gradient(0)->template data<T>();
    detail::for_each_index(
        detail::GoodIndex(), detail::Access::block(index), axis, size,
        [to, from = g.data()](std::int64_t i, std::int64_t j) { to[i] += from[j]; });
  }
  static std::vector<Sample> samples() {
    const auto index = Array<std::int64_t>::of({{2, 0}, {2, 1}});
    const auto none = Array<std::int64_t>::zeros({0, 3});
    return {
        sample("of columns", {spread({2, 3}, 50)}, [=](auto x) { return gather(x[0], -1, index); }),
        sample("of rows", {spread({3, 2})}, [=](auto x) { return gather(x[0], 0, index); }),
        sample("of a scalar", {spread({})},
               [](auto x) { return gather(x[0], 0, Array<std::int64_t>::zeros({})); }),
        sample("of nothing", {spread({0, 3})}, [=](auto x) { return gather(x[0], 1, none); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an index outside",
             [] {
               gather(spread({2, 3}), 0, Array<std::int64_t>::of({{0, 1, 1}, {0, -1, 0}}));
             },
             "gather: index -1 at position 4 is not in [0, 2)"},
            {"an index of another shape",
             [] {
               gather(spread({2, 3}), 1, Array<std::int64_t>::zeros({3, 2}));
             },
             "gather: the index must have the sizes of x except along the axis, not (2, 3) and (3, "
             "2)"}};
  }
};

/// Elements of a source, each added to an array at its index along one axis.
struct ScatterAdd {
  static constexpr std::string_view name = "scatter_add";
  using Options = detail::AxisOptions;
  static constexpr unsigned reads[] = {0, 0b0100};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* source,
                                detail::Block* index) {
    if (!(source->shape == index->shape)) {
      detail::throw_shapes(name, "source and index must have one shape", source->shape,
                           index->shape);
    }
    detail::check_index(name, x->shape, index->shape, o.axis);
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    T* to = y->data<T>();
    std::copy_n(x->data<T>(), x->shape.size(), to);
    const T* from = source->data<T>();
    detail::for_each_index(detail::CheckedIndex(name, x->shape, index, o.axis), index, o.axis,
                           detail::AxisView(x->shape, o.axis).size,
                           [=](std::int64_t i, std::int64_t j) { to[i] += from[j]; });
    return y.take();
  }
  static auto vjp_a(const auto&) { return detail::Upstream{}; }
  static auto vjp_b(const auto& call) {
    return gather(call.g(), call.options().axis, call.template array<std::int64_t>(2));
  }
  static std::vector<Sample> samples() {
    const auto index = Array<std::int64_t>::of({{2, 0}, {2, 1}});
    const auto none = Array<std::int64_t>::zeros({0, 3});
    return {
        sample("to columns", {spread({2, 3}, 50), spread({2, 2})},
               [=](auto x) { return scatter_add(x[0], 1, index, x[1]); }),
        sample("to rows", {spread({3, 2}), spread({2, 2})},
               [=](auto x) { return scatter_add(x[0], -2, index, x[1]); }),
        sample("to a scalar", {spread({}), spread({}, 2)},
               [](auto x) { return scatter_add(x[0], 0, Array<std::int64_t>::zeros({}), x[1]); }),
        sample("of nothing", {spread({2, 3}), spread({0, 3})},
               [=](auto x) { return scatter_add(x[0], 0, none, x[1]); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an index outside",
             [] { scatter_add(spread({2}), 0, Array<std::int64_t>::of({2}), spread({1})); },
             "scatter_add: index 2 at position 0 is not in [0, 2)"},
            {"too many sources",
             [] { scatter_add(spread({2}), 0, Array<std::int64_t>::of({1}), spread({2})); },
             "scatter_add: source and index must have one shape, not (2,) and (1,)"}};
  }
};

/// The elements where a mask is true: `gather_rows` of the flat array.
struct MaskedSelect {
  static constexpr std::string_view name = "masked_select";
  static std::vector<Sample> samples() {
    const auto mask = Array<bool>::of({{true, false, true}, {false, false, true}});
    const auto none = Array<bool>::zeros({0, 3});
    return {
        sample("of a matrix", {spread({2, 3}, 50)},
               [=](auto x) { return masked_select(x[0], mask); }),
        sample("of a scalar", {spread({})},
               [](auto x) { return masked_select(x[0], Array<bool>(true)); }),
        sample("of nothing", {spread({0, 3})}, [=](auto x) { return masked_select(x[0], none); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a mask of another shape",
             [] {
               masked_select(spread({2, 3}), Array<bool>::zeros({3}));
             },
             "masked_select: the mask must have the shape of x, not (2, 3) and (3,)"}};
  }
};

/// All operations with indices.
using Indexed = List<IndexSelect, IndexAdd, Gather, Scatter, ScatterAdd, MaskedSelect>;

}  // namespace op
}  // namespace ebb::inline v0
