// SPDX-License-Identifier: BSD-3-Clause
// Matrix products. Their gradients are products again, which the sweep adds to existing gradients.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// op(a) op(b) of two matrices.
struct Matmul {
  static constexpr std::string_view name = "matmul";
  using Options = MatmulOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0001};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* a, detail::Block* b) {
    const Shape &p = a->shape, &q = b->shape;
    if (p.rank() != 2 || q.rank() != 2) {
      detail::throw_shapes(name, "operands must have one axis or more", p, q);
    }
    if (p[o.transpose_a ? 0 : 1] != q[o.transpose_b ? 1 : 0]) {
      detail::throw_shapes(name, inner_sizes(o), p, q);
    }
    detail::BlockHandle y(
        detail::allocate({p[o.transpose_a ? 1 : 0], q[o.transpose_b ? 0 : 1]}, sizeof(T)));
    detail::product_into<T>(y.get(), a, b, o.transpose_a, o.transpose_b, false);
    return y.take();
  }
  static const char* inner_sizes(const Options& o) {
    return o.transpose_a || o.transpose_b ? "the inner sizes (after transposition) must agree"
                                          : "the inner sizes must agree";
  }
  static detail::Product vjp_a(const auto& call) {
    using P = detail::Product;
    const auto o = call.options();
    if (o.transpose_a) return {P::b, P::g, o.transpose_b, true};
    return {P::g, P::b, false, !o.transpose_b};
  }
  static detail::Product vjp_b(const auto& call) {
    using P = detail::Product;
    const auto o = call.options();
    if (o.transpose_b) return {P::g, P::a, true, o.transpose_a};
    return {P::a, P::g, !o.transpose_a, false};
  }
  static Options shifted(const Options& options) { return options; }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto with = [](bool ta, bool tb) {
      return [=](auto x) { return matmul(x[0], x[1], {.transpose_a = ta, .transpose_b = tb}); };
    };
    return {sample("plain", {spread({3, 2}), spread({2, 4}, 50)}, with(false, false)),
            sample("transposed on the left", {spread({2, 3}), spread({2, 4})}, with(true, false)),
            sample("transposed on the right", {spread({3, 2}), spread({4, 2})}, with(false, true)),
            sample("both transposed", {spread({2, 3}), spread({4, 2})}, with(true, true)),
            sample("through OpenBLAS", {spread({9, 8}), spread({8, 7})}, with(false, false)),
            sample("a column", {spread({5, 3}), spread({3, 1})}, with(false, false)),
            sample("a transposed column", {spread({3, 5}), spread({3, 1})}, with(true, false)),
            sample("a row", {spread({1, 3}), spread({3, 5})}, with(false, false)),
            sample("a row, transposed", {spread({1, 3}), spread({5, 3})}, with(false, true)),
            sample("of two vectors", {spread({3}), spread({3})}, with(false, false)),
            sample("of a matrix and a vector", {spread({2, 3}), spread({3})}, with(false, false)),
            sample("of a vector and a matrix", {spread({2}), spread({2, 3})}, with(false, false)),
            sample("of no rows", {spread({0, 3}), spread({3, 2})}, with(false, false)),
            sample("over an empty axis", {spread({2, 0}), spread({0, 3})}, with(false, false))};
  }
  static std::vector<Rejection> rejections() {
    return {{"inner sizes",
             [] {
               matmul(spread({3, 2}), spread({3, 2}));
             },
             "matmul: the inner sizes must agree, not (3, 2) and (3, 2)"},
            {"a scalar",
             [] {
               matmul(spread({}), spread({1, 2}));
             },
             "matmul: operands must have one axis or more, not () and (1, 2)"}};
  }
};

/// Products of n pairs of matrices: (n, m, k) and (n, k, p). `matmul` uses it for operands with
/// more axes.
struct BatchedMatmul {
  static constexpr std::string_view name = "batched_matmul";
  static constexpr bool internal = true;
  using Options = MatmulOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0001};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* a, detail::Block* b) {
    const Shape &p = a->shape, &q = b->shape;
    const std::int64_t m = p[o.transpose_a ? 2 : 1], k = p[o.transpose_a ? 1 : 2];
    const std::int64_t n = q[o.transpose_b ? 1 : 2];
    detail::BlockHandle y(detail::allocate({p[0], m, n}, sizeof(T)));
    for (std::int64_t i = 0; i < p[0]; ++i) {
      detail::product(o.transpose_a, o.transpose_b, m, n, k, a->data<T>() + i * m * k,
                      b->data<T>() + i * k * n, y->data<T>() + i * m * n, false);
    }
    return y.take();
  }
  template <class T>
  static Tensor<T> of(const Options& options, const Tensor<T>& a, const Tensor<T>& b) {
    return detail::apply<BatchedMatmul, T>(options, a, b);
  }
  static auto vjp_a(const auto& call) {
    const auto o = call.options();
    return o.transpose_a ? of({o.transpose_b, true}, call.b(), call.g())
                         : of({false, !o.transpose_b}, call.g(), call.b());
  }
  static auto vjp_b(const auto& call) {
    const auto o = call.options();
    return o.transpose_b ? of({true, o.transpose_a}, call.g(), call.a())
                         : of({!o.transpose_a, false}, call.a(), call.g());
  }
  static void directions(const auto& call) {
    const std::int64_t batches = call.g().shape()[1];
    if (call.needs(0)) call.give(0, Matmul::vjp_a(call), batches);
    if (call.needs(1)) call.give(1, Matmul::vjp_b(call), batches);
  }
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    const auto with = [](bool ta, bool tb) {
      return [=](auto x) { return matmul(x[0], x[1], {.transpose_a = ta, .transpose_b = tb}); };
    };
    return {
        sample("plain", {spread({2, 3, 2}), spread({2, 2, 4}, 50)}, with(false, false)),
        sample("transposed on the left", {spread({2, 2, 3}), spread({2, 2, 2})}, with(true, false)),
        sample("transposed on the right", {spread({2, 3, 2}), spread({2, 4, 2})},
               with(false, true)),
        sample("both transposed", {spread({2, 2, 3}), spread({2, 4, 2})}, with(true, true)),
        sample("that broadcast", {spread({3, 1, 2, 2}), spread({2, 2, 3})}, with(false, false)),
        sample("with a matrix on the left", {spread({3, 2}), spread({2, 3, 2})}, with(true, false)),
        sample("with a matrix on the right", {spread({2, 3, 2}), spread({4, 2})},
               with(false, true)),
        sample("with a vector on the left", {spread({3}), spread({2, 3, 2})}, with(true, false)),
        sample("with a vector on the right", {spread({2, 3, 2}), spread({2})}, with(false, true)),
        sample("through OpenBLAS", {spread({2, 5, 4}), spread({2, 4, 6})}, with(false, false)),
        sample("of no batches", {spread({0, 2, 3}), spread({0, 3, 2})}, with(false, false)),
        sample("over an empty axis", {spread({2, 2, 0}), spread({2, 0, 3})}, with(false, false))};
  }
  static std::vector<Rejection> rejections() {
    return {{"inner sizes",
             [] {
               matmul(spread({4, 3, 2}), spread({4, 3, 2}));
             },
             "matmul: the inner sizes must agree, not (4, 3, 2) and (4, 3, 2)"},
            {"batches",
             [] {
               matmul(spread({4, 3, 2}), spread({3, 2, 3}));
             },
             "matmul: the axes before the last two must broadcast, not (4, 3, 2) and (3, 2, 3)"},
            {"a scalar",
             [] {
               matmul(spread({4, 3, 2}), spread({}));
             },
             "matmul: operands must have one axis or more, not (4, 3, 2) and ()"}};
  }
};

/// x weight^T + bias.
struct Linear {
  static constexpr std::string_view name = "linear";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0001, 0};

  template <class T>
  EBB_HOT static detail::Block* forward(const Options&, detail::Block* x, detail::Block* weight,
                                        detail::Block* bias) {
    const Shape &s = x->shape, &w = weight->shape;
    if (s.rank() != 2 || w.rank() != 2 || s[1] != w[1]) {
      detail::throw_shapes(name, "x must be (..., in) and weight (out, in)", s, w);
    }
    if (bias->shape.rank() != 1 || bias->shape[0] != w[0]) {
      detail::throw_shapes(name, "bias must be (out,) for weight (out, in)", bias->shape, w);
    }
    detail::BlockHandle y(detail::allocate({s[0], w[0]}, sizeof(T)));
    T* out = y->data<T>();
    if (w[0] == 1) {
      detail::kernels<T>().rows_dot(out, x->data<T>(), weight->data<T>(), *bias->data<T>(), s[0],
                                    s[1]);
      return y.take();
    }
    // The bias is written first and the product is added to it, which saves a separate pass.
    for (std::int64_t r = 0; r < s[0]; ++r) {
      std::memcpy(out + r * w[0], bias->data<T>(), std::size_t(w[0]) * sizeof(T));
    }
    detail::product_into<T>(y.get(), x, weight, false, true, true);
    return y.take();
  }
  static detail::Product vjp_a(const auto&) { return {detail::Product::g, detail::Product::b}; }
  static detail::Product vjp_b(const auto&) {
    return {detail::Product::g, detail::Product::a, true};
  }
  /// The bias was broadcast over the rows; the sweep sums over them.
  static detail::Upstream vjp_c(const auto&) { return {}; }
  static Options shifted(const Options& options) { return options; }
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return linear(x[0], x[1], x[2]); };
    return {sample("plain", {spread({3, 2}, 50), spread({4, 2}), spread({4})}, f),
            sample("of one row", {spread({3}), spread({2, 3}), spread({2})}, f),
            sample("of planes", {spread({2, 2, 3}), spread({4, 3}), spread({4})}, f),
            sample("of planes of no rows", {spread({2, 0, 3}), spread({4, 3}), spread({4})}, f),
            sample("to one output", {spread({5, 3}), spread({1, 3}), spread({1})}, f),
            sample("through OpenBLAS", {spread({9, 8}), spread({7, 8}), spread({7})}, f),
            sample("of no rows", {spread({0, 3}), spread({2, 3}), spread({2})}, f),
            sample("of no features", {spread({2, 0}), spread({3, 0}), spread({3})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"features",
             [] {
               linear(spread({3, 2}), spread({2, 3}), spread({2}));
             },
             "linear: x must be (..., in) and weight (out, in), not (3, 2) and (2, 3)"},
            {"features of planes",
             [] {
               linear(spread({2, 3, 4}), spread({2, 3}), spread({2}));
             },
             "linear: x must be (..., in) and weight (out, in), not (2, 3, 4) and (2, 3)"},
            {"a scalar",
             [] {
               linear(spread({}), spread({2, 1}), spread({2}));
             },
             "linear: x must be (..., in) and weight (out, in), not () and (2, 1)"},
            {"bias",
             [] {
               linear(spread({3, 2}), spread({4, 2}), spread({1}));
             },
             "linear: bias must be (out,) for weight (out, in), not (1,) and (4, 2)"}};
  }
};

using LinearAlgebra = List<Matmul, BatchedMatmul, Linear>;

}  // namespace ebb::inline v0::op
