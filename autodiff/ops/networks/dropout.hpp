// SPDX-License-Identifier: BSD-3-Clause
// Random operations. Each keeps the key of a separate stream, so that its numbers can be computed
// again at any place and in any order.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0 {
namespace detail {

struct DropoutOptions {
  std::uint64_t key;
  double p;
};
/// y = x / (1 - p), or 0 with probability p. Word i of the stream decides for element i.
template <class T>
void drop_out(const DropoutOptions& call, std::int64_t n, const T* x, T* y);

}  // namespace detail

namespace op {

/// Linear in x, and so its own gradient: the same key drops the same elements.
struct Dropout {
  static constexpr std::string_view name = "dropout";
  using Options = detail::DropoutOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    detail::drop_out(options, x->shape.size(), x->data<T>(), y->data<T>());
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<Dropout, T>(call.options(), call.g());
  }
  static std::vector<Sample> samples() {
    const auto with = [](double p) {
      return [=](auto x) {
        Stream stream(7);
        return dropout(x[0], p, stream);
      };
    };
    return {sample("of a matrix", {spread({5, 7}, 50)}, with(0.3)),
            sample("of a scalar", {spread({})}, with(0.01)),
            sample("of nothing", {spread({0, 3})}, with(0.5)),
            sample("of nothing left out", {spread({6})}, with(0)),
            sample("of everything left out", {spread({6})},
                   [=](auto x) { return with(1)(x) + 2 * x[0]; })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no probability",
             [] {
               Stream stream(1);
               dropout(spread({3}), 1.5, stream);
             },
             "dropout: p = 1.5; it is in [0, 1]"}};
  }
};

using Drawn = List<Dropout>;

}  // namespace op
}  // namespace ebb::inline v0
