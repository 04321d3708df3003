// SPDX-License-Identifier: BSD-3-Clause
// Operations that move elements: to another order, between other elements, or to several places.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/ops/shapes.hpp"

namespace ebb::inline v0 {
namespace detail {

/// A dense copy with the elements reversed along the axes in the mask.
Block* flip(Block* x, unsigned axes, std::size_t element_size);

/// Calls f(offset in outer, offset in inner, length) for each row of a box `inner` that begins at
/// `begin` in `outer`.
template <class F>
void for_each_row(const Shape& outer, const std::int64_t* begin, const Shape& inner, F f) {
  const int last = inner.rank() - 1;
  const std::int64_t width = last < 0 ? 1 : inner[last];
  for (std::int64_t at = 0; at < inner.size(); at += width) {
    std::int64_t stride = last < 0 ? 1 : outer[last], to = last < 0 ? 0 : begin[last];
    std::int64_t row = at / width;
    for (int i = last - 1; i >= 0; --i) {
      to += (begin[i] + row % inner[i]) * stride;
      row /= inner[i];
      stride *= outer[i];
    }
    f(to, at, width);
  }
}

}  // namespace detail

namespace op {

/// `transpose` with a given order.
struct Permute {
  static constexpr std::string_view name = "permute";
  static std::vector<Sample> samples() {
    return {sample("of a scalar", {spread({})}, [](auto x) { return permute(x[0], {}); }),
            sample("of nothing", {spread({0, 3})},
                   [](auto x) {
                     return permute(x[0], {1, 0});
                   }),
            sample("in a cycle", {spread({2, 3, 4}, 50)}, [](auto x) {
              return permute(x[0], {-1, 0, 1});
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis",
             [] {
               permute(spread({3, 4}), {0, 2});
             },
             "permute: axis 2 of an array with 2 axes"},
            {"too many axes",
             [] {
               permute(spread({3}), {0, -1});
             },
             "permute: axis -1 is named twice"}};
  }
};

/// A view without axes of size 1.
struct Squeeze {
  static constexpr std::string_view name = "squeeze";
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({1, 3, 1}, 50)}, [](auto x) { return squeeze(x[0]); }),
            sample("to a scalar", {spread({1, 1})}, [](auto x) { return squeeze(x[0]); }),
            sample("of a scalar", {spread({})}, [](auto x) { return squeeze(x[0]); }),
            sample("of nothing", {spread({0, 1})}, [](auto x) { return squeeze(x[0]); }),
            sample("of one axis, not of a longer one", {spread({1, 3, 1})}, [](auto x) {
              return squeeze(x[0], {1, 2});
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { squeeze(spread({1}), 1); },
             "squeeze: axis 1 of an array with 1 axes"}};
  }
};

/// A view with an additional axis of size 1.
struct Unsqueeze {
  static constexpr std::string_view name = "unsqueeze";
  static std::vector<Sample> samples() {
    return {sample("of a scalar", {spread({})}, [](auto x) { return unsqueeze(x[0], 0); }),
            sample("of nothing", {spread({0})}, [](auto x) { return unsqueeze(x[0], 1); }),
            sample("at the end", {spread({2, 3}, 50)}, [](auto x) { return unsqueeze(x[0], -1); }),
            sample("between", {spread({2, 3})}, [](auto x) { return unsqueeze(x[0], 1); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { unsqueeze(spread({3}), 2); },
             "unsqueeze: axis 2 of a result with 2 axes; x is (3,)"}};
  }
};

/// A `concat` of views that have the new axis.
struct Stack {
  static constexpr std::string_view name = "stack";
  static std::vector<Sample> samples() {
    const auto join = [](int axis) {
      return [=](auto x) {
        using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
        return stack(std::vector<Tensor<T>>(x.begin(), x.end()), axis);
      };
    };
    return {sample("of scalars", {spread({}), spread({}, 50)}, join(0)),
            sample("of rows", {spread({3}), spread({3}), spread({3})}, join(0)),
            sample("of columns", {spread({3}), spread({3})}, join(-1)),
            sample("between", {spread({2, 3}), spread({2, 3})}, join(1)),
            sample("of nothing", {spread({0}), spread({0})}, join(1))};
  }
  static std::vector<Rejection> rejections() {
    return {{"other sizes",
             [] {
               stack({Tensor<double>(spread({2})), Tensor<double>(spread({3}))});
             },
             "stack: the shapes must be equal, not (2,) and (3,)"},
            {"no such axis", [] { stack({Tensor<double>(spread({2}))}, 2); },
             "stack: axis 2 of a result with 2 axes; x is (2,)"},
            {"no parts", [] { stack(std::vector<Tensor<double>>{}); }, "stack: no tensors"}};
  }
};

/// A `slice` for each part.
struct Split {
  static constexpr std::string_view name = "split";
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    return {sample("of which the last is shorter", {spread({5, 2}, 50)},
                   [](auto x) {
                     const auto parts = split(x[0], 2);
                     return parts[0] * parts[1] + parts[2];
                   }),
            sample("by sizes", {spread({2, 4})},
                   [](auto x) {
                     const auto parts = split(x[0], {1, 0, 3}, -1);
                     return parts[0] * parts[2] + sum(parts[1]);
                   }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return split(x[0], 2)[0]; })};
  }
  static std::vector<Rejection> rejections() {
    return {{"sizes of another sum",
             [] {
               split(spread({4}), {1, 2});
             },
             "split: the sizes add up to 3, not to 4, the size of axis 0"},
            {"a negative size",
             [] {
               split(spread({4}), {5, -1});
             },
             "split: a size of -1"},
            {"parts of no size", [] { split(spread({4}), 0); }, "split: a size of 0"}};
  }
};

/// A part for each index, as `slice` without its axis.
struct Unbind {
  static constexpr std::string_view name = "unbind";
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    return {sample("of columns", {spread({2, 3}, 50)},
                   [](auto x) {
                     const auto parts = unbind(x[0], -1);
                     return parts[0] * parts[2] + sum(parts[1]);
                   }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return unbind(x[0], 1)[2]; })};
  }
  static std::vector<Rejection> rejections() {
    return {{"of a scalar", [] { unbind(spread({})); }, "unbind: axis 0 of an array with 0 axes"}};
  }
};

/// The elements reversed along some axes. It is its own reverse.
struct Flip {
  static constexpr std::string_view name = "flip";
  struct Options {
    unsigned axes;
  };
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    return detail::flip(x, options.axes, sizeof(T));
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Flip, T>(call.options(), call.g());
  }
  static Options shifted(const Options& options) { return {options.axes << 1}; }
  static std::vector<Sample> samples() {
    return {sample("of no axis", {spread({})}, [](auto x) { return flip(x[0], Axes()); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return flip(x[0], 0); }),
            sample("of rows", {spread({3, 4}, 50)}, [](auto x) { return flip(x[0], 0); }),
            sample("of two axes", {spread({2, 3, 20})}, [](auto x) {
              return flip(x[0], {-1, 0});
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an axis twice", [] { flip(spread({3}), {0, -1}); }, "flip: axis -1 is named twice"}};
  }
};

/// Elements shifted along one axis; those that leave it at the end return at the start.
struct Roll {
  static constexpr std::string_view name = "roll";
  struct Options {
    int axis;
    std::int64_t shift;  ///< in [0, size of the axis), or 0
  };
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    const detail::AxisView v(x->shape, o.axis);
    const std::int64_t moved = o.shift * v.inner, all = v.size * v.inner;
    for (std::int64_t i = 0; i < v.outer; ++i) {
      const T* from = x->data<T>() + i * all;
      std::rotate_copy(from, from + (all - moved), from + all, y->data<T>() + i * all);
    }
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    return roll(call.g(), -call.options().shift, call.options().axis);
  }
  static Options shifted(const Options& o) { return {o.axis + 1, o.shift}; }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    return {sample("of rows", {spread({4, 2}, 50)}, [](auto x) { return roll(x[0], 1, 0); }),
            sample("back, and more than around", {spread({2, 4})},
                   [](auto x) { return roll(x[0], -7, -1); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return roll(x[0], 1, 0); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"of a scalar", [] { roll(spread({}), 1, 0); }, "roll: axis 0 of an array with 0 axes"}};
  }
};

/// The number of elements added before and after an array along each axis.
struct PadOptions {
  std::int64_t before[Shape::max_rank] = {}, after[Shape::max_rank] = {};
  double value = 0;

  /// The widths for an array with one more axis in front, which has no margins.
  PadOptions shifted() const {
    PadOptions options{.value = value};
    std::copy_n(before, Shape::max_rank - 1, options.before + 1);
    std::copy_n(after, Shape::max_rank - 1, options.after + 1);
    return options;
  }
};

/// The reverse of pad: the elements inside the margins.
struct Unpad {
  static constexpr std::string_view name = "unpad";
  static constexpr bool internal = true;
  using Options = PadOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    Shape shape = x->shape;
    for (int i = 0; i < shape.rank(); ++i) {
      shape = shape.with(i, x->shape[i] - o.before[i] - o.after[i]);
    }
    detail::BlockHandle y(detail::allocate(shape, sizeof(T)));
    detail::for_each_row(x->shape, o.before, shape,
                         [&](std::int64_t from, std::int64_t to, std::int64_t n) {
                           std::copy_n(x->data<T>() + from, n, y->data<T>() + to);
                         });
    return y.take();
  }
  static auto vjp_a(const auto& call);
  static Options shifted(const Options& options) { return options.shifted(); }
  static constexpr Lacks lacks{
      .scalar = "covered by pad", .empty = "covered by pad", .large = "moves elements only"};
  static std::vector<Sample> samples() {
    const auto without = [](const PadOptions& widths) {
      return [=](auto x) {
        using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
        return detail::apply<Unpad, T>(widths, x[0]);
      };
    };
    return {sample("within two axes", {spread({4, 3})}, without({{1, 0}, {1, 2}, 5})),
            sample("to the end", {spread({4, 3})}, without({{2, 1}, {0, 0}, 5}))};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// An array with margins of one value.
struct Pad {
  static constexpr std::string_view name = "pad";
  using Options = PadOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    Shape shape = x->shape;
    for (int i = 0; i < shape.rank(); ++i) {
      shape = shape.with(i, x->shape[i] + o.before[i] + o.after[i]);
    }
    detail::BlockHandle y(detail::allocate(shape, sizeof(T)));
    std::fill_n(y->data<T>(), shape.size(), T(o.value));
    detail::for_each_row(shape, o.before, x->shape,
                         [&](std::int64_t to, std::int64_t from, std::int64_t n) {
                           std::copy_n(x->data<T>() + from, n, y->data<T>() + to);
                         });
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Unpad, T>(call.options(), call.g());
  }
  static Options shifted(const Options& options) { return options.shifted(); }
  static std::vector<Sample> samples() {
    return {sample("of a scalar", {spread({})}, [](auto x) { return pad(x[0], {}); }),
            sample("of a vector", {spread({3}, 50)},
                   [](auto x) {
                     return pad(x[0], {{2, 1}}, 0.5);
                   }),
            sample("around planes", {spread({2, 3, 2})},
                   [](auto x) {
                     return pad(x[0], {{1, 0}, {0, 2}, {1, 1}});
                   }),
            sample("of nothing", {spread({0, 3})}, [](auto x) {
              return pad(x[0], {{1, 1}, {0, 0}}, 2);
            })};
  }
  static std::vector<Rejection> rejections() {
    return {{"too few axes",
             [] {
               pad(spread({3, 4}), {{1, 1}});
             },
             "pad: 1 widths for the shape (3, 4)"},
            {"a negative width",
             [] {
               pad(spread({3}), {{1, -1}});
             },
             "pad: widths (1, -1) of axis 0; widths are in [0, 2^48]"}};
  }
};

auto Unpad::vjp_a(const auto& call) {
  using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
  Options options = call.options();
  options.value = 0;
  return detail::apply<Pad, T>(options, call.g());
}

/// An array repeated along each axis, by `broadcast_to`.
struct Tile {
  static constexpr std::string_view name = "tile";
  static std::vector<Sample> samples() {
    return {sample("of a scalar", {spread({})}, [](auto x) { return tile(x[0], {3}); }),
            sample("with fewer counts than axes", {spread({2, 3}, 50)},
                   [](auto x) { return tile(x[0], {2}); }),
            sample("along two axes", {spread({2, 3})},
                   [](auto x) {
                     return tile(x[0], {2, 3});
                   }),
            sample("never", {spread({2})}, [](auto x) { return tile(x[0], {0}) + sum(x[0]); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return tile(x[0], {2}); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a negative count", [] { tile(spread({3}), {-1}); },
             "tile: a count of -1; counts are at least 0"}};
  }
};

/// `tile` with a count for every axis.
struct Repeat {
  static constexpr std::string_view name = "repeat";
  static std::vector<Sample> samples() {
    return {sample("of a scalar", {spread({})}, [](auto x) { return repeat(x[0], {}); }),
            sample("with a new axis", {spread({3}, 50)},
                   [](auto x) {
                     return repeat(x[0], {2, 1});
                   }),
            sample("along two axes", {spread({2, 3})},
                   [](auto x) {
                     return repeat(x[0], {3, 2});
                   }),
            sample("of nothing", {spread({0})}, [](auto x) { return repeat(x[0], {2}); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"too few counts",
             [] {
               repeat(spread({3, 4}), {2});
             },
             "repeat: 1 counts for the shape (3, 4); tile takes fewer"},
            {"a negative count", [] { repeat(spread({3}), {-1}); },
             "repeat: a count of -1; counts are at least 0"}};
  }
};

/// Each element repeated several times, by `broadcast_to`.
struct RepeatInterleave {
  static constexpr std::string_view name = "repeat_interleave";
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    return {sample("of rows", {spread({2, 3}, 50)},
                   [](auto x) { return repeat_interleave(x[0], 2, 0); }),
            sample("of columns", {spread({2, 3})},
                   [](auto x) { return repeat_interleave(x[0], 3, -1); }),
            sample("of nothing", {spread({0, 3})},
                   [](auto x) { return repeat_interleave(x[0], 3, 1); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a negative count", [] { repeat_interleave(spread({3}), -1, 0); },
             "repeat_interleave: a count of -1; counts are at least 0"},
            {"of a scalar", [] { repeat_interleave(spread({}), 2, 0); },
             "repeat_interleave: axis 0 of an array with 0 axes"}};
  }
};

/// All operations that rearrange elements.
using Rearrangements = List<Permute, Squeeze, Unsqueeze, Stack, Split, Unbind, Flip, Roll, Pad,
                            Unpad, Tile, Repeat, RepeatInterleave>;

}  // namespace op
}  // namespace ebb::inline v0
