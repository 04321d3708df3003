// SPDX-License-Identifier: BSD-3-Clause
// Normalisation by mean and variance, for each row or each channel.
#pragma once
#include <array>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

struct LayerNormOptions {
  double eps;
};

/// Options of the record of batch_norm.
struct BatchNormCall {
  double eps;
  bool training;  ///< the moments are those of x, and depend on it
};
/// x (rows, channels, size) with its moments: rows of means, variances and scales.
template <class T>
Channels<T> channels_of(const BatchNormCall& call, Block* x, Block* moments) {
  const std::int64_t channels = x->shape[1];
  T* const of_moments = moments->data<T>();
  return {.x = x->data<T>(),
          .rows = x->shape[0],
          .channels = channels,
          .size = x->shape[2],
          .eps = call.eps,
          .training = call.training,
          .mean = of_moments,
          .variance = of_moments + channels,
          .scale = of_moments + 2 * channels};
}

}  // namespace detail

namespace op {

/// All gradients of LayerNorm in one pass over g and x: first the rows of x, then a row for the
/// weight and one for the bias.
struct LayerNormPull {
  static constexpr std::string_view name = "layer_norm_pull";
  static constexpr bool internal = true;
  using Options = detail::LayerNormOptions;
  static constexpr unsigned reads[] = {0b0111, 0b0111, 0b0111};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* g, detail::Block* x,
                                detail::Block* weight) {
    const std::int64_t rows = x->shape[0], cols = x->shape[1];
    detail::BlockHandle out(detail::allocate({rows + 2, cols}, sizeof(T)));
    // A block is padded so that whole vectors can be written after its end, and each sum takes a
    // separate block.
    const detail::BlockHandle weight_sums(detail::allocate({cols}, sizeof(T))),
        bias_sums(detail::allocate({cols}, sizeof(T))),
        totals(detail::allocate({2 * cols}, sizeof(double)));
    detail::kernels<T>().layer_norm_pull({.out = out->data<T>(),
                                          .g = g->data<T>(),
                                          .x = x->data<T>(),
                                          .weight = weight->data<T>(),
                                          .rows = rows,
                                          .cols = cols,
                                          .eps = o.eps,
                                          .weight_sums = weight_sums->data<T>(),
                                          .bias_sums = bias_sums->data<T>(),
                                          .totals = totals->data<double>()});
    return out.take();
  }
  template <class T>
  static Tensor<T> as_operations(const Options& o, std::span<const Tensor<T>> in) {
    const auto &g = in[0], &x = in[1], &weight = in[2];
    const auto centred = x - mean(x, 1, true);
    const auto scale = rsqrt(mean(square(centred), 1, true) + o.eps);
    const auto z = centred * scale, h = g * weight;
    const auto gx = scale * (h - mean(h, 1, true) - z * mean(h * z, 1, true));
    return concat({gx, sum(g * z, 0, true), sum(g, 0, true)});
  }
  static constexpr Lacks lacks{.scalar = "needs rows", .empty = "covered by layer_norm"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      return detail::apply<LayerNormPull, T>({0.1}, x[0], x[1], x[2]);
    };
    return {sample("of rows", {spread({3, 4}), spread({3, 4}, 20), spread({4})}, f)};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// (x - mean) / sqrt(variance + eps) of each row, times the weight plus the bias (Ba, Kiros and
/// Hinton 2016, "Layer normalization"). The record has a matrix, for x of any shape.
struct LayerNorm {
  static constexpr std::string_view name = "layer_norm";
  using Options = detail::LayerNormOptions;
  static constexpr unsigned reads[] = {0b0011, 0b0011, 0b0011};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* weight,
                                detail::Block* bias) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    detail::kernels<T>().layer_norm(y->data<T>(), x->data<T>(), weight->data<T>(), bias->data<T>(),
                                    x->shape[0], x->shape[1], o.eps);
    return y.take();
  }
  static auto vjps(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto x = call.a(), weight = call.b();
    const std::int64_t rows = x.shape()[0];
    const auto all = detail::apply<LayerNormPull, T>(call.options(), call.g(), x, weight);
    // The sum over one row is a copy, which does not keep the other rows in memory.
    const auto row = [&](std::int64_t r) { return sum(slice(all, 0, {r, r + 1}), 0); };
    std::array<Tensor<T>, 3> parts;
    if (call.needs(0)) parts[0] = slice(all, 0, {0, rows});
    if (call.needs(1)) parts[1] = row(rows);
    if (call.needs(2)) parts[2] = row(rows + 1);
    return parts;
  }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto over = [](const Shape& axes, double eps) {
      return [=](auto x) { return layer_norm(x[0], axes, x[1], x[2], eps); };
    };
    return {sample("of rows", {spread({3, 4}, 20), spread({4}), spread({4})}, over({4}, 0.1)),
            sample("of planes", {spread({2, 2, 3}, 3), spread({2, 3}), spread({2, 3})},
                   over({2, 3}, 1e-5)),
            sample("of one row", {spread({5}), spread({5}), spread({5})}, over({5}, 0)),
            sample("without weight and bias", {spread({3, 5})},
                   [](auto x) { return layer_norm(x[0], {5}); }),
            sample("of no rows", {spread({0, 3}), spread({3}), spread({3})}, over({3}, 1e-5)),
            sample("of more rows than a block", {spread({70, 3}), spread({3}), spread({3})},
                   over({3}, 0.1))};
  }
  static std::vector<Rejection> rejections() {
    return {{"other axes",
             [] {
               layer_norm(spread({2, 3}), {2});
             },
             "layer_norm: x must end with the normalized shape, not (2, 3) and (2,)"},
            {"no axes", [] { layer_norm(spread({2}), {}); },
             "layer_norm: the normalized shape must have an axis, not ()"},
            {"a weight of another shape",
             [] {
               layer_norm(spread({2, 3}), {3}, spread({1}), spread({3}));
             },
             "layer_norm: weight must have the normalized shape, not (1,) and (3,)"},
            {"a bias of another shape",
             [] {
               layer_norm(spread({2, 3}), {3}, spread({3}), spread({1, 3}));
             },
             "layer_norm: bias must have the normalized shape, not (1, 3) and (3,)"},
            {"a negative eps",
             [] {
               layer_norm(spread({2, 3}), {3}, -1.0);
             },
             "layer_norm: eps = -1; it is at least 0"}};
  }
};

/// All gradients of BatchNorm in one pass over each channel: those of x, then the weight, then the
/// bias. The inputs are g, x (rows, channels, size), the weight, and the moments.
struct BatchNormPull {
  static constexpr std::string_view name = "batch_norm_pull";
  static constexpr bool internal = true;
  using Options = detail::BatchNormCall;
  static constexpr unsigned reads[] = {0b1111, 0b1111, 0b1111, 0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* g, detail::Block* x,
                                detail::Block* weight, detail::Block* moments) {
    const std::int64_t size = x->shape.size();
    detail::BlockHandle out(detail::allocate({size + 2 * x->shape[1], 1}, sizeof(T)));
    T* const gx = out->data<T>();
    detail::kernels<T>().batch_norm_pull(detail::channels_of<T>(o, x, moments), weight->data<T>(),
                                         g->data<T>(), gx, gx + size);
    return out.take();
  }
  template <class T>
  static Tensor<T> as_operations(const Options& o, std::span<const Tensor<T>> in) {
    const auto &g = in[0], &x = in[1], &given = in[3];
    const Shape channels{1, x.shape()[1], 1};
    const Axes others{0, 2};
    const auto row = [&](std::int64_t r) { return reshape(slice(given, 0, {r, r + 1}), channels); };
    const Tensor<T> m = o.training ? mean(x, others, true) : row(0);
    const Tensor<T> scale = o.training ? rsqrt(mean(square(x - m), others, true) + o.eps) : row(2);
    const auto z = (x - m) * scale;
    const auto factor = scale * reshape(in[2], channels);
    const Tensor<T> gx = o.training
                             ? factor * (g - mean(g, others, true) - z * mean(g * z, others, true))
                             : factor * g;
    const auto column = [](const Tensor<T>& part) { return reshape(part, {part.size(), 1}); };
    return concat({column(gx), column(sum(g * z, others)), column(sum(g, others))});
  }
  static constexpr Lacks lacks{.scalar = "needs channels", .empty = "covered by batch_norm"};
  static std::vector<Sample> samples();
  static std::vector<Rejection> rejections() { return {}; }
};

/// Normalises each channel over all other axes (Ioffe and Szegedy 2015, "Batch normalization"). The
/// inputs are x (rows, channels, size), the weight, the bias, and the moments (3, channels), which
/// `forward` finds in training.
struct BatchNorm {
  static constexpr std::string_view name = "batch_norm";
  using Options = detail::BatchNormCall;
  static constexpr unsigned reads[] = {0b1011, 0b1011, 0b1011, 0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x, detail::Block* weight,
                                detail::Block* bias, detail::Block* moments) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    detail::kernels<T>().batch_norm(detail::channels_of<T>(o, x, moments), weight->data<T>(),
                                    bias->data<T>(), y->data<T>());
    return y.take();
  }
  static auto vjps(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto x = call.input(0);
    const std::int64_t size = x.size(), channels = x.shape()[1];
    const auto flat = detail::apply<BatchNormPull, T>(call.options(), call.g(), x, call.input(1),
                                                      call.template array<T>(3));
    std::array<Tensor<T>, 3> parts;
    if (call.needs(0)) parts[0] = reshape(slice(flat, 0, {0, size}), x.shape());
    for (int k = 1; k < 3; ++k) {
      if (!call.needs(k)) continue;
      const std::int64_t begin = size + (k - 1) * channels;
      // The sum over one row is a copy, which does not keep the rest in memory.
      parts[std::size_t(k)] =
          sum(reshape(slice(flat, 0, {begin, begin + channels}), {1, channels}), 0);
    }
    return parts;
  }
  static constexpr Lacks lacks{.scalar = "needs channels"};
  static std::vector<Sample> samples() {
    const auto with = [](BatchNormOptions o) {
      return [=](auto x) {
        using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
        const auto running_mean = cast<T>(spread({2})).array();
        const auto running_var = cast<T>(exp(spread({2}))).array();
        return batch_norm(x[0], running_mean, running_var, x[1], x[2], o).y;
      };
    };
    const BatchNormOptions training{.training = true, .eps = 0.1}, none{};
    return {sample("of rows", {spread({4, 2}, 20), spread({2}), spread({2})}, with(training)),
            sample("of planes", {spread({2, 2, 2, 3}), spread({2}), spread({2})}, with(training)),
            sample("of given moments", {spread({2, 2, 3}), spread({2}), spread({2})}, with(none)),
            sample("of nothing", {spread({0, 2, 3}), spread({2}), spread({2})}, with(none))};
  }
  static std::vector<Rejection> rejections() {
    const auto with = [](const Shape& x, const Shape& weight, const Shape& running) {
      const auto mean = Array<double>::zeros(running), var = Array<double>::full(running, 1);
      batch_norm(spread(x), mean, var, spread(weight), spread({3}), {.training = true});
    };
    return {{"a vector", [=] { with({3}, {3}, {3}); },
             "batch_norm: x must be (n, channels, ...), not (3,)"},
            {"a weight of another size",
             [=] {
               with({2, 3}, {2}, {3});
             },
             "batch_norm: weight must have one number for each channel of x, not (2,) and (2, 3)"},
            {"running moments of another size",
             [=] {
               with({2, 3}, {3}, {3, 1});
             },
             "batch_norm: running_mean must have one number for each channel of x, not (3, 1) and "
             "(2, 3)"},
            {"a single value",
             [=] {
               with({1, 3}, {3}, {3});
             },
             "batch_norm: training needs two values a channel at least, not (1, 3)"}};
  }
};

inline std::vector<Sample> BatchNormPull::samples() {
  const auto with = [](bool training) {
    return [=](auto in) {
      using T = typename std::remove_cvref_t<decltype(in[0])>::value_type;
      const auto moments = cast<T>(exp(spread({3, 2}))).array();
      const Options options{.eps = 0.1, .training = training};
      if (training) {
        detail::apply<BatchNorm, T>(options, in[1].detach(), in[2].detach(), in[2].detach(),
                                    moments);
      }
      return detail::apply<BatchNormPull, T>(options, in[0], in[1], in[2], moments);
    };
  };
  const std::vector<Array<double>> planes{spread({2, 2, 3}), spread({2, 2, 3}, 20), spread({2})};
  const std::vector<Array<double>> rows{spread({3, 2, 1}), spread({3, 2, 1}, 20), spread({2})};
  return {sample("of planes", planes, with(true)), sample("of rows", rows, with(true)),
          sample("of given moments", planes, with(false))};
}

/// Divides rows by the root of their mean square (Zhang and Sennrich 2019, "Root mean square layer
/// normalization"), in operations on tensors.
struct RmsNorm {
  static constexpr std::string_view name = "rms_norm";
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto over = [](const Shape& axes, double eps) {
      return [=](auto x) { return rms_norm(x[0], axes, x[1], eps); };
    };
    return {
        sample("of rows", {spread({3, 4}, 20), spread({4})}, over({4}, 0.1)),
        sample("of planes", {spread({2, 2, 3}, 3), spread({2, 3})}, over({2, 3}, 1e-5)),
        sample("of one row", {spread({5}), spread({5})}, over({5}, 0)),
        sample("without a weight", {spread({3, 5})}, [](auto x) { return rms_norm(x[0], {5}); }),
        sample("of no rows", {spread({0, 3}), spread({3})}, over({3}, 1e-5))};
  }
  static std::vector<Rejection> rejections() {
    return {{"other axes",
             [] {
               rms_norm(spread({2, 3}), {2});
             },
             "rms_norm: x must end with the normalized shape, not (2, 3) and (2,)"},
            {"a weight of another shape",
             [] {
               rms_norm(spread({2, 3}), {3}, spread({1}));
             },
             "rms_norm: weight must have the normalized shape, not (1,) and (3,)"},
            {"a negative eps",
             [] {
               rms_norm(spread({2, 3}), {3}, -1.0);
             },
             "rms_norm: eps = -1; it is at least 0"}};
  }
};

/// Normalises groups of channels (Wu and He 2018, "Group normalization"), by `layer_norm`.
struct GroupNorm {
  static constexpr std::string_view name = "group_norm";
  static constexpr Lacks lacks{.scalar = "needs channels"};
  static std::vector<Sample> samples() {
    const auto in = [](std::int64_t groups, double eps) {
      return [=](auto x) { return group_norm(x[0], groups, x[1], x[2], eps); };
    };
    return {sample("of planes", {spread({2, 4, 2}, 20), spread({4}), spread({4})}, in(2, 0.1)),
            sample("of channels", {spread({2, 2, 3}), spread({2}), spread({2})}, in(2, 0.01)),
            sample("of rows", {spread({2, 6}), spread({6}), spread({6})}, in(1, 1e-5)),
            sample("without weight and bias", {spread({2, 4, 3})},
                   [](auto x) { return group_norm(x[0], 2); }),
            sample("of nothing", {spread({0, 4, 3}), spread({4}), spread({4})}, in(2, 1e-5))};
  }
  static std::vector<Rejection> rejections() {
    return {{"a vector", [] { group_norm(spread({4}), 2); },
             "group_norm: x must be (n, channels, ...), not (4,)"},
            {"groups that differ",
             [] {
               group_norm(spread({2, 4}), 3);
             },
             "group_norm: 3 groups of 4 channels; the groups must be equal"},
            {"no groups",
             [] {
               group_norm(spread({2, 4}), 0);
             },
             "group_norm: 0 groups of 4 channels; the groups must be equal"},
            {"a weight of another size",
             [] {
               group_norm(spread({2, 4}), 2, spread({2}), spread({4}));
             },
             "group_norm: weight must have one number for each channel of x, not (2,) and (2, 4)"},
            {"a bias of another size",
             [] {
               group_norm(spread({2, 4}), 2, spread({4}), spread({4, 1}));
             },
             "group_norm: bias must have one number for each channel of x, not (4, 1) and (2, 4)"},
            {"a negative eps",
             [] {
               group_norm(spread({2, 4}), 2, -1.0);
             },
             "group_norm: eps = -1; it is at least 0"}};
  }
};

/// All normalisations, and their gradients.
using Normalisations = List<LayerNorm, LayerNormPull, BatchNorm, BatchNormPull, RmsNorm, GroupNorm>;

}  // namespace op
}  // namespace ebb::inline v0
