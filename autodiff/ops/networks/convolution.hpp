// SPDX-License-Identifier: BSD-3-Clause
// Convolution. It is linear in x and in the weight, and so are its gradients: at every order the
// gradients of the three operations here are these operations again.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/networks/windows.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The sizes of a convolution. The channels are those of one group.
struct Convolution {
  Windows2d windows;
  std::int64_t batch, groups, in, out;

  /// `axes` is the number of axes of a window, 1 or 2.
  /// @throws ShapeError and ArgumentError for shapes that do not fit.
  Convolution(std::string_view operation, int axes, const Shape& x, const Shape& weight,
              const Conv2dOptions& options);

  Shape y() const { return {batch, groups * out, windows.rows.count, windows.columns.count}; }
};
/// @throws ShapeError unless there is one number for each channel of the result.
void check_bias(std::string_view operation, const Shape& bias, const Shape& weight);

template <class T>
void convolve(const Convolution& c, const T* x, const T* weight, const T* bias, T* y);
/// Computes gx from g = gy, plus a number for each channel of x, unless `bias` is null.
template <class T>
void convolve_input(const Convolution& c, const T* g, const T* weight, const T* bias, T* gx);
template <class T>
void convolve_weight(const Convolution& c, const T* x, const T* g, T* gw);

/// Options of the gradients of a convolution: the height and width of their result.
struct ConvolutionOptions {
  Conv2dOptions options;
  HeightWidth size = 0;
};
inline HeightWidth height_width(const Shape& shape) { return {shape[2], shape[3]}; }

}  // namespace detail

namespace op {

/// The gradient of a convolution with respect to its weight, from x and the gradient of the result.
struct Conv2dWeight {
  static constexpr std::string_view name = "conv2d_weight";
  static constexpr bool internal = true;
  using Options = detail::ConvolutionOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0001};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* g) {
    const Shape weight{g->shape[1], x->shape[1] / o.options.groups, o.size.height, o.size.width};
    detail::BlockHandle gw(detail::allocate(weight, sizeof(T)));
    detail::convolve_weight({name, 2, x->shape, weight, o.options}, x->data<T>(), g->data<T>(),
                            gw->data<T>());
    return gw.take();
  }
  static auto vjp_a(const auto& call);
  static auto vjp_b(const auto& call) { return conv2d(call.a(), call.g(), call.options().options); }
  static constexpr Lacks lacks{.scalar = "needs planes", .empty = "covered by conv2d"};
  static std::vector<Sample> samples() {
    return {sample("with groups", {spread({2, 2, 3, 3}, 50), spread({2, 2, 2, 3})}, [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      const Options options{{.padding = {0, 1}, .groups = 2}, {2, 3}};
      return detail::apply<Conv2dWeight, T>(options, x[0], x[1]);
    })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The gradient of a convolution with respect to x, from the gradient of the result and the weight:
/// a transposed convolution.
struct Conv2dInput {
  static constexpr std::string_view name = "conv2d_input";
  static constexpr bool internal = true;
  using Options = detail::ConvolutionOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0001};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* g, detail::Block* weight) {
    const Shape x{g->shape[0], weight->shape[1] * o.options.groups, o.size.height, o.size.width};
    detail::BlockHandle gx(detail::allocate(x, sizeof(T)));
    const T* const no_bias = nullptr;
    detail::convolve_input({name, 2, x, weight->shape, o.options}, g->data<T>(), weight->data<T>(),
                           no_bias, gx->data<T>());
    return gx.take();
  }
  static auto vjp_a(const auto& call) { return conv2d(call.g(), call.b(), call.options().options); }
  static auto vjp_b(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Conv2dWeight, T>(
        {call.options().options, detail::height_width(call.shape_of(1))}, call.g(), call.a());
  }
  static constexpr Lacks lacks{.scalar = "needs planes", .empty = "covered by conv2d"};
  static std::vector<Sample> samples() {
    return {sample("with strides", {spread({1, 2, 2, 1}, 50), spread({2, 1, 2, 3})}, [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      const Options options{{.stride = {1, 2}}, {3, 4}};
      return detail::apply<Conv2dInput, T>(options, x[0], x[1]);
    })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

auto Conv2dWeight::vjp_a(const auto& call) {
  using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
  return detail::apply<Conv2dInput, T>(
      {call.options().options, detail::height_width(call.shape_of(0))}, call.b(), call.g());
}

/// Windows of x times the weight, summed, plus the bias of each channel.
struct Conv2d {
  static constexpr std::string_view name = "conv2d";
  using Options = Conv2dOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0001, 0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* weight,
                                detail::Block* bias) {
    const detail::Convolution c(name, 2, x->shape, weight->shape, o);
    detail::check_bias(name, bias->shape, weight->shape);
    detail::BlockHandle y(detail::allocate(c.y(), sizeof(T)));
    detail::convolve(c, x->data<T>(), weight->data<T>(), bias->data<T>(), y->data<T>());
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Conv2dInput, T>({call.options(), detail::height_width(call.shape_of(0))},
                                         call.g(), call.b());
  }
  static auto vjp_b(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Conv2dWeight, T>({call.options(), detail::height_width(call.shape_of(1))},
                                          call.a(), call.g());
  }
  static auto vjp_c(const auto& call) {
    const auto g = call.g();
    const Shape& s = g.shape();
    return sum(sum(reshape(g, {s[0], s[1], s[2] * s[3]}), 2), 0);
  }
  static constexpr Lacks lacks{.scalar = "needs planes"};
  static std::vector<Sample> samples() {
    const auto with = [](Conv2dOptions o) {
      return [=](auto x) { return conv2d(x[0], x[1], x[2], o); };
    };
    return {
        sample("plain", {spread({2, 2, 3, 3}, 50), spread({2, 2, 2, 2}), spread({2})}, with({})),
        sample("without a bias", {spread({1, 1, 3, 4}), spread({2, 1, 2, 3})},
               [](auto x) { return conv2d(x[0], x[1]); }),
        sample("of single elements", {spread({2, 2, 2, 3}), spread({3, 2, 1, 1}), spread({3})},
               with({})),
        sample("to planes of the same size",
               {spread({1, 2, 3, 4}), spread({2, 2, 3, 3}), spread({2})}, with({.padding = 1})),
        sample("with all options", {spread({1, 2, 5, 4}), spread({4, 1, 3, 2}), spread({4})},
               with({.stride = {2, 1}, .padding = {2, 1}, .dilation = {2, 3}, .groups = 2})),
        sample("of a padding that has windows of its own",
               {spread({1, 1, 1, 2}), spread({1, 1, 1, 2}), spread({1})}, with({.padding = 3})),
        sample("with strides that leave elements out",
               {spread({1, 1, 4, 5}), spread({1, 1, 1, 1}), spread({1})}, with({.stride = 3})),
        sample("of no image", {spread({0, 2, 3, 3}), spread({2, 2, 2, 2}), spread({2})}, with({})),
        sample("of no channel", {spread({1, 0, 2, 2}), spread({2, 0, 2, 1}), spread({2})},
               with({}))};
  }
  static std::vector<Rejection> rejections() {
    const auto x = spread({2, 4, 3, 3});
    const auto weight = spread({6, 2, 2, 2});
    return {{"three axes",
             [=] {
               conv2d(spread({4, 3, 3}), weight);
             },
             "conv2d: x must have 4 axes (n, c_in, h, w) and weight 4, not (4, 3, 3) and "
             "(6, 2, 2, 2)"},
            {"other channels", [=] { conv2d(x, weight); },
             "conv2d: weight must be (c_out, c_in / groups, ...) with c_out and c_in in 1 groups, "
             "not (6, 2, 2, 2) for x (2, 4, 3, 3)"},
            {"groups that do not divide", [=] { conv2d(x, weight, {.groups = 4}); },
             "in 4 groups, not (6, 2, 2, 2) for x (2, 4, 3, 3)"},
            {"no group", [=] { conv2d(x, weight, {.groups = 0}); },
             "conv2d: groups = 0; there is at least one"},
            {"a bias of another size", [=] { conv2d(x, weight, spread({4}), {.groups = 2}); },
             "conv2d: bias must be (c_out,) for weight (c_out, ...), not (4,) and (6, 2, 2, 2)"},
            {"a large kernel",
             [=] {
               conv2d(x, spread({2, 4, 3, 6}), {.padding = 1});
             },
             "conv2d: a kernel that spans 6 does not fit into an axis of size 3 with a padding of "
             "1 at both ends"},
            {"no stride",
             [=] {
               conv2d(x, weight, {.stride = {1, 0}, .groups = 2});
             },
             "conv2d: stride = 0; it is in [1, 2^30]"},
            {"a negative padding", [=] { conv2d(x, weight, {.padding = -1, .groups = 2}); },
             "conv2d: padding = -1; it is in [0, 2^30]"}};
  }
};

/// A conv2d of planes with one row.
struct Conv1d {
  static constexpr std::string_view name = "conv1d";
  static constexpr Lacks lacks{.scalar = "needs rows"};
  static std::vector<Sample> samples() {
    const auto with = [](Conv1dOptions o) {
      return [=](auto x) { return conv1d(x[0], x[1], x[2], o); };
    };
    return {sample("plain", {spread({2, 2, 5}, 50), spread({3, 2, 3}), spread({3})}, with({})),
            sample("without a bias", {spread({1, 2, 3}), spread({1, 2, 2})},
                   [](auto x) { return conv1d(x[0], x[1]); }),
            sample("with all options", {spread({2, 2, 6}), spread({2, 1, 3}), spread({2})},
                   with({.stride = 2, .padding = 3, .dilation = 2, .groups = 2})),
            sample("of nothing", {spread({0, 1, 3}), spread({1, 1, 2}), spread({1})}, with({}))};
  }
  static std::vector<Rejection> rejections() {
    return {{"four axes",
             [] {
               conv1d(spread({1, 1, 1, 3}), spread({1, 1, 1, 2}));
             },
             "conv1d: x must have 3 axes (n, c_in, l) and weight 3, not (1, 1, 1, 3) and "
             "(1, 1, 1, 2)"},
            {"a large kernel",
             [] {
               conv1d(spread({1, 1, 3}), spread({1, 1, 2}), {.dilation = 3});
             },
             "conv1d: a kernel that spans 4 does not fit into an axis of size 3"},
            {"a bias of another size",
             [] {
               conv1d(spread({1, 1, 3}), spread({1, 1, 2}), spread({1, 1}));
             },
             "conv1d: bias must be (c_out,) for weight (c_out, ...), not (1, 1) and (1, 1, 2)"}};
  }
};

/// Convolutions and their gradients.
using Convolutions = List<Conv2d, Conv2dInput, Conv2dWeight, Conv1d>;

}  // namespace op
}  // namespace ebb::inline v0
