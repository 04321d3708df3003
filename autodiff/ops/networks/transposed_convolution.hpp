// SPDX-License-Identifier: BSD-3-Clause
// Transposed convolution: the gradient of a convolution in its input, as an operation of its own.
// It is linear in x and in the weight, and its gradients are the convolution and its gradients.
#pragma once
#include "ebb/autodiff/ops/networks/convolution.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The convolution that a transposed convolution reverses, and the planes that it takes.
/// @throws ShapeError and ArgumentError, which name the operation, for shapes that do not fit;
/// `axes` is the number of axes of a plane, 1 or 2.
ConvolutionOptions reversed_convolution(std::string_view operation, int axes, const Shape& x,
                                        const Shape& weight, const ConvTranspose2dOptions& options);

}  // namespace detail

namespace op {

/// The sums of the windows at which each element of x times the weight is added, plus the bias of
/// each channel.
struct ConvTranspose2d {
  static constexpr std::string_view name = "conv_transpose2d";
  using Options = detail::ConvolutionOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0001, 0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* weight,
                                detail::Block* bias) {
    const Shape y{x->shape[0], weight->shape[1] * o.options.groups, o.size.height, o.size.width};
    detail::BlockHandle out(detail::allocate(y, sizeof(T)));
    detail::convolve_input({name, 2, y, weight->shape, o.options}, x->data<T>(), weight->data<T>(),
                           bias->data<T>(), out->data<T>());
    return out.take();
  }
  static auto vjp_a(const auto& call) { return conv2d(call.g(), call.b(), call.options().options); }
  static auto vjp_b(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Conv2dWeight, T>(
        {call.options().options, detail::height_width(call.shape_of(1))}, call.g(), call.a());
  }
  static auto vjp_c(const auto& call) { return Conv2d::vjp_c(call); }
  static constexpr Lacks lacks{.scalar = "needs planes"};
  static std::vector<Sample> samples() {
    const auto with = [](ConvTranspose2dOptions o) {
      return [=](auto x) { return conv_transpose2d(x[0], x[1], x[2], o); };
    };
    return {
        sample("plain", {spread({2, 2, 3, 2}, 50), spread({2, 3, 2, 2}), spread({3})}, with({})),
        sample("without a bias", {spread({1, 1, 2, 3}), spread({1, 2, 2, 3})},
               [](auto x) { return conv_transpose2d(x[0], x[1]); }),
        sample("of single elements", {spread({2, 2, 2, 3}), spread({2, 3, 1, 1}), spread({3})},
               with({})),
        sample("to planes of twice the size",
               {spread({1, 2, 2, 3}), spread({2, 2, 3, 3}), spread({2})},
               with({.stride = 2, .padding = 1, .output_padding = 1})),
        sample("with all options", {spread({1, 4, 2, 3}), spread({4, 1, 3, 2}), spread({2})},
               with({.stride = {2, 3},
                     .padding = {2, 1},
                     .output_padding = {1, 2},
                     .dilation = {2, 3},
                     .groups = 2})),
        sample("with more at the end than a stride",
               {spread({1, 1, 2, 2}), spread({1, 1, 2, 2}), spread({1})},
               with({.stride = {1, 2}, .output_padding = {2, 3}, .dilation = {3, 4}})),
        sample("of no image", {spread({0, 2, 3, 3}), spread({2, 2, 2, 2}), spread({2})}, with({})),
        sample("of no channel", {spread({1, 0, 2, 2}), spread({0, 2, 2, 1}), spread({2})},
               with({}))};
  }
  static std::vector<Rejection> rejections();
};

/// A conv_transpose2d of planes with one row.
struct ConvTranspose1d {
  static constexpr std::string_view name = "conv_transpose1d";
  static constexpr Lacks lacks{.scalar = "needs rows"};
  static std::vector<Sample> samples() {
    const auto with = [](ConvTranspose1dOptions o) {
      return [=](auto x) { return conv_transpose1d(x[0], x[1], x[2], o); };
    };
    return {
        sample("plain", {spread({2, 2, 3}, 50), spread({2, 3, 2}), spread({3})}, with({})),
        sample("without a bias", {spread({1, 2, 3}), spread({2, 1, 2})},
               [](auto x) { return conv_transpose1d(x[0], x[1]); }),
        sample("with all options", {spread({2, 2, 3}), spread({2, 1, 3}), spread({2})},
               with({.stride = 2, .padding = 1, .output_padding = 1, .dilation = 2, .groups = 2})),
        sample("of nothing", {spread({0, 1, 3}), spread({1, 1, 2}), spread({1})}, with({}))};
  }
  static std::vector<Rejection> rejections() {
    return {{"four axes",
             [] {
               conv_transpose1d(spread({1, 1, 1, 3}), spread({1, 1, 1, 2}));
             },
             "conv_transpose1d: x must have 3 axes (n, c_in, l) and weight 3, not (1, 1, 1, 3) and "
             "(1, 1, 1, 2)"},
            {"nothing left",
             [] {
               conv_transpose1d(spread({1, 1, 2}), spread({1, 1, 3}), {.padding = 2});
             },
             "conv_transpose1d: a padding of 2 at both ends leaves nothing of an axis of size 4"},
            {"a bias of another size",
             [] {
               conv_transpose1d(spread({1, 1, 3}), spread({1, 2, 2}), spread({1}));
             },
             "conv_transpose1d: bias must be (c_out,) for weight (c_in, c_out / groups, ...) in 1 "
             "groups, not (1,) and (1, 2, 2)"}};
  }
};

inline std::vector<Rejection> ConvTranspose2d::rejections() {
  const auto x = spread({2, 4, 3, 3});
  const auto weight = spread({4, 3, 2, 2});
  return {
      {"three axes",
       [=] {
         conv_transpose2d(spread({4, 3, 3}), weight);
       },
       "conv_transpose2d: x must have 4 axes (n, c_in, h, w) and weight 4, not (4, 3, 3) and (4, "
       "3, 2, 2)"},
      {"other channels",
       [=] {
         conv_transpose2d(x, spread({6, 4, 2, 2}));
       },
       "conv_transpose2d: weight must be (c_in, c_out / groups, ...) with c_in in 1 groups, not "
       "(6, "
       "4, 2, 2) for x (2, 4, 3, 3)"},
      {"groups that do not divide", [=] { conv_transpose2d(x, weight, {.groups = 3}); },
       "in 3 groups, not (4, 3, 2, 2) for x (2, 4, 3, 3)"},
      {"no group", [=] { conv_transpose2d(x, weight, {.groups = 0}); },
       "conv_transpose2d: groups = 0; there is at least one"},
      {"a bias of another size", [=] { conv_transpose2d(x, weight, spread({3}), {.groups = 2}); },
       "conv_transpose2d: bias must be (c_out,) for weight (c_in, c_out / groups, ...) in 2 "
       "groups, "
       "not (3,) and (4, 3, 2, 2)"},
      {"more at the end than the stride and the dilation",
       [=] {
         conv_transpose2d(x, weight, {.stride = {2, 3}, .output_padding = {1, 3}});
       },
       "conv_transpose2d: output_padding = 3; it is at least 0 and less than the stride 3 or the "
       "dilation 1"},
      {"less at the end", [=] { conv_transpose2d(x, weight, {.output_padding = -1}); },
       "conv_transpose2d: output_padding = -1; it is at least 0 and less than"},
      {"no stride",
       [=] {
         conv_transpose2d(x, weight, {.stride = {1, 0}});
       },
       "conv_transpose2d: stride = 0; it is in [1, 2^30]"},
      {"an empty plane",
       [=] {
         conv_transpose2d(spread({2, 4, 3, 0}), weight);
       },
       "conv_transpose2d: a plane must have elements, not (2, 4, 3, 0)"},
      {"a kernel of nothing",
       [=] {
         conv_transpose2d(x, spread({4, 3, 0, 2}));
       },
       "conv_transpose2d: kernel = 0; it is in [1, 2^30]"}};
}

/// Transposed convolutions.
using TransposedConvolutions = List<ConvTranspose2d, ConvTranspose1d>;

}  // namespace op
}  // namespace ebb::inline v0
