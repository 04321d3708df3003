// SPDX-License-Identifier: BSD-3-Clause
// Attention is one record, whose gradients are one pull.
#pragma once
#include <array>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/networks/attention_loops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// The gradients of attention. The inputs are that of the result, and those of attention; the
/// result has the gradients that are needed one after the other.
struct AttentionPull {
  static constexpr std::string_view name = "scaled_dot_product_attention_pull";
  static constexpr bool internal = true;
  using Options = detail::AttentionCall;
  static constexpr unsigned all = 0x3f;
  static constexpr unsigned reads[] = {all, all, all, all, 0, 0};

  template <class T, class... In>
  static detail::Block* forward(const Options& o, In*... in) {
    return detail::pull_attention<T>(o, in...);
  }
  template <class T>
  static Tensor<T> as_operations(const Options& o, std::span<const Tensor<T>> in) {
    return detail::pull_attention_as_operations<T>(o, in);
  }
  static constexpr Lacks lacks{.scalar = "needs axes",
                               .empty = "covered by scaled_dot_product_attention"};
  static std::vector<Sample> samples() {
    const auto with = [](bool causal, std::uint8_t needs) {
      return [=](auto in) {
        using T = typename std::remove_cvref_t<decltype(in[0])>::value_type;
        const auto mask =
            Array<bool>::of({{true, false, true}, {true, true, false}}).reshape({2, 1, 3});
        return detail::apply<AttentionPull, T>({causal, needs}, in[0], in[1], in[2], in[3], mask,
                                               Array<T>::zeros({0}));
      };
    };
    const std::vector<Array<double>> inputs{spread({2, 2, 1}), spread({2, 2, 2}),
                                            spread({2, 3, 2}, 12), spread({2, 3, 1}, 2)};
    return {sample("of all", inputs, with(false, 7)),
            sample("of causal keys and values", inputs, with(true, 6)),
            sample("of queries", inputs, with(false, 1))};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// Attention (Vaswani et al. 2017). The inputs are the query, the key, the value, the mask, one
/// `true` for none, and the room for probabilities, which `forward` fills if they are kept: it is
/// empty if they are computed again.
struct Attention {
  static constexpr std::string_view name = "scaled_dot_product_attention";
  using Options = detail::AttentionCall;
  static constexpr unsigned all = 0x1f;
  static constexpr unsigned reads[] = {all, all, all, 0, 0};

  template <class T, class... In>
  static detail::Block* forward(const Options& o, In*... in) {
    return detail::run_attention<T>(o, in...);
  }
  static auto vjps(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    auto options = call.options();
    for (int k = 0; k < 3; ++k) options.needs |= std::uint8_t(int(call.needs(k)) << k);
    const auto flat = detail::apply<AttentionPull, T>(
        options, call.g(), call.input(0), call.input(1), call.input(2),
        call.template array<bool>(3), call.template array<T>(4));
    std::array<Tensor<T>, 3> parts;
    std::int64_t begin = 0;
    for (int k = 0; k < 3; ++k) {
      if (!call.needs(k)) continue;
      const Shape shape = call.shape_of(k);
      parts[std::size_t(k)] = reshape(slice(flat, 0, {begin, begin + shape.size()}), shape);
      begin += shape.size();
    }
    return parts;
  }
  static constexpr Lacks lacks{.scalar = "needs axes"};
  static std::vector<Sample> samples() {
    const auto with = [](AttentionOptions o) {
      return [=](auto x) { return scaled_dot_product_attention(x[0], x[1], x[2], o); };
    };
    const auto mask = Array<bool>::of({{true, false, true}, {false, false, true}});
    const std::vector<Array<double>> heads{spread({2, 2, 3}, 12), spread({2, 3, 3}, 0.2),
                                           spread({2, 3, 2})};
    return {sample("of a head", {spread({3, 2}), spread({4, 2}), spread({4, 1})}, with({})),
            sample("of heads", heads, with({})),
            sample("of probabilities that are not kept",
                   {spread({2, 1}), spread({5, 1}), spread({5, 1})}, with({})),
            sample("of no queries", {spread({2, 0, 1}), spread({2, 3, 1}), spread({2, 3, 2})},
                   with({})),
            sample("causal", heads, with({.causal = true})),
            sample("by a mask", heads, with({.mask = mask})),
            sample("of one query", {spread({1, 2}), spread({3, 2}), spread({3, 3})}, with({})),
            sample("by a key for all heads",
                   {spread({2, 1, 2, 2}), spread({1, 2, 3, 2}), spread({2, 1, 3, 1})}, with({}))};
  }
  static std::vector<Rejection> rejections() {
    const auto of = [](const Shape& key, const Shape& value, AttentionOptions o) {
      return [=] {
        scaled_dot_product_attention(spread({2, 3, 4}), spread(key), spread(value), o);
      };
    };
    const char* const shapes =
        "attention: query must be (..., queries, d), key (..., keys, d) and value (..., keys, v), "
        "not (2, 3, 4), ";
    const auto none = Array<bool>::of({{true}, {false}, {true}});
    return {
        {"other features", of({2, 5, 3}, {2, 5, 4}, {}),
         std::string(shapes) + "(2, 5, 3) and (2, 5, 4)"},
        {"more values than keys", of({2, 5, 4}, {2, 6, 4}, {}),
         std::string(shapes) + "(2, 5, 4) and (2, 6, 4)"},
        {"no keys", of({2, 0, 4}, {2, 0, 4}, {}), std::string(shapes) + "(2, 0, 4) and (2, 0, 4)"},
        {"axes that are missing", of({5, 4}, {5, 4}, {}),
         std::string(shapes) + "(5, 4) and (5, 4)"},
        {"other heads", of({3, 5, 4}, {3, 5, 4}, {}),
         "scaled_dot_product_attention: the axes before the last two must broadcast, not (2, "
         "3, 4) and (3, 5, 4)"},
        {"a mask of other keys", of({2, 5, 4}, {2, 5, 4}, {.mask = Array<bool>::full({4}, true)}),
         "scaled_dot_product_attention: shapes (2, 3, 5) and (4,) do not broadcast"},
        {"a mask of more keys", of({2, 1, 4}, {2, 1, 4}, {.mask = Array<bool>::full({4}, true)}),
         "scaled_dot_product_attention: the mask must broadcast to (..., queries, keys), not "
         "(4,) and (2, 3, 1)"},
        {"a query without a key", of({2, 5, 4}, {2, 5, 4}, {.mask = none}),
         "attention: row 1 of the mask (3, 1) leaves out every key; a query needs one, so "
         "leave out the query after the attention"}};
  }
};

using Attentions = List<Attention, AttentionPull>;

}  // namespace ebb::inline v0::op
