// SPDX-License-Identifier: BSD-3-Clause
// Pooling: one number for each window of a plane.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/networks/windows.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The options of pooling planes. The gradient needs the size of the planes, too.
struct Pooling {
  HeightWidth kernel = 1, stride = 1, padding = 0, dilation = 1;
  HeightWidth plane = 0;

  Windows2d windows(std::string_view operation) const {
    return {operation, plane, kernel, stride, padding, dilation};
  }
};

/// The mean over each window of `planes` planes; the padding counts as zeros.
template <class T>
void average(const Windows2d& windows, std::int64_t planes, const T* x, T* y);
/// The reverse of mean pooling: each g is divided among the elements of its window.
template <class T>
void share(const Windows2d& windows, std::int64_t planes, const T* g, T* gx);

}  // namespace detail

namespace op {

/// The gradient of AvgPool2d; the gradient of this is AvgPool2d again.
struct AvgPool2dInput {
  static constexpr std::string_view name = "avg_pool2d_input";
  static constexpr bool internal = true;
  using Options = detail::Pooling;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* g) {
    const Shape &s = g->shape, x{s[0], s[1], o.plane.height, o.plane.width};
    detail::BlockHandle gx(detail::allocate(x, sizeof(T)));
    detail::share(o.windows(name), s[0] * s[1], g->data<T>(), gx->data<T>());
    return gx.take();
  }
  static auto vjp_a(const auto& call);
  static constexpr Lacks lacks{.scalar = "needs planes", .empty = "covered by avg_pool2d"};
  static std::vector<Sample> samples() {
    return {sample("with gaps", {spread({1, 2, 2, 2}, 50)}, [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      const Options options{.kernel = 2, .stride = 3, .padding = {0, 1}, .plane = {5, 4}};
      return detail::apply<AvgPool2dInput, T>(options, x[0]);
    })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The mean over windows.
struct AvgPool2d {
  static constexpr std::string_view name = "avg_pool2d";
  using Options = detail::Pooling;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    const Shape& s = x->shape;
    const detail::Windows2d windows = o.windows(name);
    detail::BlockHandle y(
        detail::allocate({s[0], s[1], windows.rows.count, windows.columns.count}, sizeof(T)));
    detail::average(windows, s[0] * s[1], x->data<T>(), y->data<T>());
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<AvgPool2dInput, T>(call.options(), call.g());
  }
  static constexpr Lacks lacks{.scalar = "needs planes"};
  static std::vector<Sample> samples() {
    return {
        sample("of whole planes", {spread({2, 2, 4, 2}, 50)},
               [](auto x) { return avg_pool2d(x[0], 2); }),
        sample("with all options", {spread({1, 2, 4, 5})},
               [](auto x) {
                 return avg_pool2d(x[0], {3, 2}, {.stride = {2, 1}, .padding = 1});
               }),
        sample("of no image", {spread({0, 2, 2, 2})}, [](auto x) { return avg_pool2d(x[0], 2); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"three axes",
             [] {
               avg_pool2d(spread({2, 3, 3}), 2);
             },
             "avg_pool2d: x must have 4 axes (n, c, h, w), not (2, 3, 3)"},
            {"a large padding",
             [] {
               avg_pool2d(spread({1, 1, 3, 3}), 3, {.padding = {1, 2}});
             },
             "avg_pool2d: padding = 2 of a kernel of 3; it is at most half of it"},
            {"a large kernel",
             [] {
               avg_pool2d(spread({1, 1, 3, 3}), {4, 1});
             },
             "avg_pool2d: a kernel that spans 4 does not fit into an axis of size 3"}};
  }
};

auto AvgPool2dInput::vjp_a(const auto& call) {
  using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
  return detail::apply<AvgPool2d, T>(call.options(), call.g());
}

/// An avg_pool2d of planes with one row.
struct AvgPool1d {
  static constexpr std::string_view name = "avg_pool1d";
  static constexpr Lacks lacks{.scalar = "needs rows"};
  static std::vector<Sample> samples() {
    return {sample("plain", {spread({2, 2, 5}, 50)}, [](auto x) { return avg_pool1d(x[0], 2); }),
            sample("with all options", {spread({1, 2, 6})},
                   [](auto x) { return avg_pool1d(x[0], 3, {.stride = 1, .padding = 1}); }),
            sample("of nothing", {spread({2, 0, 4})}, [](auto x) { return avg_pool1d(x[0], 2); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"four axes",
             [] {
               avg_pool1d(spread({1, 2, 3, 3}), 2);
             },
             "avg_pool1d: x must have 3 axes (n, c, l), not (1, 2, 3, 3)"},
            {"no kernel",
             [] {
               avg_pool1d(spread({1, 1, 3}), 0);
             },
             "avg_pool1d: kernel = 0; it is in [1, 2^30]"}};
  }
};

/// A `gather` of the largest element of each window.
struct MaxPool2d {
  static constexpr std::string_view name = "max_pool2d";
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs planes"};
  static std::vector<Sample> samples() {
    return {
        sample("of whole planes", {spread({2, 2, 4, 2}, 50)},
               [](auto x) { return max_pool2d(x[0], 2); }),
        sample(
            "with all options", {spread({1, 2, 5, 6})},
            [](auto x) {
              return max_pool2d(x[0], {3, 2}, {.stride = {1, 2}, .padding = 1, .dilation = {2, 3}});
            }),
        sample("of no image", {spread({0, 2, 2, 2})}, [](auto x) { return max_pool2d(x[0], 2); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"three axes",
             [] {
               max_pool2d(spread({2, 3, 3}), 2);
             },
             "max_pool2d: x must have 4 axes (n, c, h, w), not (2, 3, 3)"},
            {"a large padding",
             [] {
               max_pool2d(spread({1, 1, 3, 3}), 3, {.padding = 2});
             },
             "max_pool2d: padding = 2 of a kernel of 3; it is at most half of it"},
            {"a window without elements",
             [] {
               max_pool2d(spread({1, 1, 4, 2}), 2, {.stride = 1, .padding = 1, .dilation = 3});
             },
             "max_pool2d: window 0 along an axis of size 2 has only padding"},
            {"a large kernel",
             [] {
               max_pool2d(spread({1, 1, 3, 3}), 2, {.dilation = 3});
             },
             "max_pool2d: a kernel that spans 4 does not fit into an axis of size 3"}};
  }
};

/// A max_pool2d of planes with one row.
struct MaxPool1d {
  static constexpr std::string_view name = "max_pool1d";
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs rows"};
  static std::vector<Sample> samples() {
    return {sample("plain", {spread({2, 2, 5}, 50)}, [](auto x) { return max_pool1d(x[0], 2); }),
            sample("with all options", {spread({1, 2, 6})},
                   [](auto x) {
                     return max_pool1d(x[0], 3, {.stride = 1, .padding = 1, .dilation = 2});
                   }),
            sample("of nothing", {spread({2, 0, 4})}, [](auto x) { return max_pool1d(x[0], 2); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"four axes",
             [] {
               max_pool1d(spread({1, 2, 3, 3}), 2);
             },
             "max_pool1d: x must have 3 axes (n, c, l), not (1, 2, 3, 3)"},
            {"no stride",
             [] {
               max_pool1d(spread({1, 1, 3}), 2, {.stride = -1});
             },
             "max_pool1d: stride = -1; it is in [1, 2^30]"}};
  }
};

/// All pooling operations, and their gradient.
using Poolings = List<AvgPool2d, AvgPool2dInput, AvgPool1d, MaxPool2d, MaxPool1d>;

}  // namespace op
}  // namespace ebb::inline v0
