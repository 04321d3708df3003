// SPDX-License-Identifier: BSD-3-Clause
// Products of sparse rows, which are constants, and a weight. The gradient in the weight is linear
// in that of the result, and its own gradient is the product again, so that these have derivatives
// of every order.
#pragma once
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// How a weight lies: (outputs, columns), as that of `linear`; or (columns, outputs).
struct SparseLayout {
  bool by_column;
};
/// With the number of columns, which a gradient of the result does not show.
struct SizedSparseLayout {
  std::int64_t columns;
  bool by_column;
};

template <class T>
SparseView<T> sparse_view(Block* ranges, Block* indices, Block* values) {
  return {ranges->shape[0], ranges->data<std::int64_t>(), indices->data<std::int64_t>(),
          values->data<T>()};
}

/// Adds the gradient in a weight to `to`.
template <class T>
void add_sparse_pull(T* to, const SparseView<T>& x, const T* g, std::int64_t outputs,
                     std::int64_t columns, bool by_column);
/// The columns that rows have, ascending, each once.
void list_columns(std::vector<std::int64_t>& list, std::int64_t rows, const std::int64_t* ranges,
                  const std::int64_t* indices, std::int64_t columns);

}  // namespace detail

namespace op {

/// Sparse rows for the samples: an empty row, a column in several of them, and one in none.
template <class T>
SparseRows<T> sparse_sample() {
  const auto x = Array<T>::of(
      {{0, 2, 0, T(-1.5), 3}, {0, 0, 0, 0, 0}, {1, T(0.5), 0, 0, 0}, {0, 4, 0, 0, T(-2)}});
  return SparseRows<T>::from_dense(x);
}
template <class T>
SparseRows<T> no_sparse_rows() {
  return SparseRows<T>::from_dense(Array<T>::zeros({0, 3}));
}

template <class O, class T, class... In>
Tensor<T> apply_sparse(const typename O::Options& options, const SparseRows<T>& x,
                       const In&... operands) {
  return detail::apply<O, T>(options, operands..., x.ranges(), x.shared_indices(),
                             x.shared_values());
}

/// g^T x, or x^T g, for g (rows, outputs): the gradient in the weight.
struct SparsePull {
  static constexpr std::string_view name = "sparse_pull";
  static constexpr bool internal = true;
  using Options = detail::SizedSparseLayout;
  static constexpr unsigned reads[] = {0b1110, 0, 0, 0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* g, detail::Block* ranges,
                                detail::Block* indices, detail::Block* values) {
    const std::int64_t outputs = g->shape[1];
    const Shape shape = o.by_column ? Shape{o.columns, outputs} : Shape{outputs, o.columns};
    detail::BlockHandle w(detail::allocate(shape, sizeof(T)));
    std::fill_n(w->data<T>(), shape.size(), T(0));
    detail::add_sparse_pull(w->data<T>(), detail::sparse_view<T>(ranges, indices, values),
                            g->data<T>(), outputs, o.columns, o.by_column);
    return w.take();
  }
  static void give(const auto& call);
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    const auto with = [](bool by_column) {
      return [=](auto x) {
        using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
        return apply_sparse<SparsePull>({5, by_column}, sparse_sample<T>(), x[0]);
      };
    };
    return {sample("to outputs and columns", {spread({4, 2}, 50)}, with(false)),
            sample("to columns and outputs", {spread({4, 3})}, with(true)),
            sample("of no rows", {spread({0, 2})}, [](auto x) {
              using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
              return apply_sparse<SparsePull>({3, false}, no_sparse_rows<T>(), x[0]);
            })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// What the products have in common. Inputs are the weight, perhaps a bias, and the three lists.
template <bool has_bias>
struct SparseProductOf {
  static constexpr bool internal = true;
  using Options = detail::SparseLayout;
  static constexpr int lists = has_bias ? 2 : 1;

  /// The gradients of the weight and of the bias.
  static void give(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    if constexpr (has_bias) {
      if (call.needs(1)) call.give(1, call.g());  // the sweep sums over the rows
    }
    if (!call.needs(0)) return;
    const auto ranges = call.template array<std::int64_t>(lists);
    const auto indices = call.template array<std::int64_t>(lists + 1);
    const auto values = call.template array<T>(lists + 2);
    const bool by_column = call.options().by_column;
    const Shape shape = call.shape_of(0);
    const int axis = by_column ? 0 : 1;
    if (call.is_recorded()) {
      return call.give(0, detail::apply<SparsePull, T>({shape[axis], by_column}, call.g(), ranges,
                                                       indices, values));
    }
    const Tensor<T> g = detail::dense(call.g());
    const detail::SparseView<T> x{ranges.shape()[0], ranges.data(), indices.data(), values.data()};
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) count += x.ranges[2 * i + 1] - x.ranges[2 * i];
    const detail::RowGradient to = call.row_gradient(0, count, axis);
    if (to.rows) detail::list_columns(*to.rows, x.rows, x.ranges, x.indices, shape[axis]);
    detail::add_sparse_pull(to.block->template data<T>(), x, g.data(), g.shape()[1], shape[axis],
                            by_column);
  }
};

/// x weight^T + bias.
struct SparseLinear : SparseProductOf<true> {
  static constexpr std::string_view name = "sparse_linear";
  static constexpr unsigned reads[] = {0b11100, 0, 0, 0, 0};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* weight, detail::Block* bias,
                                detail::Block* ranges, detail::Block* indices,
                                detail::Block* values) {
    const Shape& w = weight->shape;
    detail::BlockHandle y(detail::allocate({ranges->shape[0], w[0]}, sizeof(T)));
    detail::kernels<T>().sparse_by_output(y->data<T>(),
                                          detail::sparse_view<T>(ranges, indices, values),
                                          weight->data<T>(), bias->data<T>(), w[0], w[1]);
    return y.take();
  }
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      return linear(sparse_sample<T>(), x[0], x[1]);
    };
    return {sample("to several outputs", {spread({6, 5}, 50), spread({6})}, f),
            sample("to one output", {spread({1, 5}), spread({1})}, f),
            sample("to no output", {spread({0, 5}), spread({0})}, f),
            sample("of no rows", {spread({2, 3}), spread({2})}, [](auto x) {
              using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
              return linear(no_sparse_rows<T>(), x[0], x[1]);
            })};
  }
  static std::vector<Rejection> rejections() {
    const auto x = sparse_sample<double>();
    return {{"features",
             [=] {
               linear(x, spread({3, 2}), spread({3}));
             },
             "linear: weight must be (out, in) for sparse rows x (n, in), not (3, 2) and (4, 5)"},
            {"a vector", [=] { linear(x, spread({5}), spread({1})); },
             "linear: weight must be (out, in) for sparse rows x (n, in), not (5,) and (4, 5)"},
            {"bias",
             [=] {
               linear(x, spread({3, 5}), spread({1}));
             },
             "linear: bias must be (out,) for weight (out, in), not (1,) and (3, 5)"}};
  }
};

/// The product with a weight of either layout.
struct SparseMatmul : SparseProductOf<false> {
  static constexpr std::string_view name = "sparse_matmul";
  static constexpr unsigned reads[] = {0b1110, 0, 0, 0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* weight, detail::Block* ranges,
                                detail::Block* indices, detail::Block* values) {
    const Shape& w = weight->shape;
    const auto x = detail::sparse_view<T>(ranges, indices, values);
    const std::int64_t outputs = w[o.by_column ? 1 : 0];
    detail::BlockHandle y(detail::allocate({x.rows, outputs}, sizeof(T)));
    const auto& kernels = detail::kernels<T>();
    if (o.by_column && outputs > 1) {
      kernels.sparse_by_column(y->data<T>(), x, weight->data<T>(), outputs);
    } else {
      kernels.sparse_by_output(y->data<T>(), x, weight->data<T>(), nullptr, outputs,
                               w[o.by_column ? 0 : 1]);
    }
    return y.take();
  }
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) {
      using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
      return matmul(sparse_sample<T>(), x[0]);
    };
    return {sample("of a matrix", {spread({5, 3}, 50)}, f),
            sample("of more columns than a vector", {spread({5, 19})}, f),
            sample("of no column", {spread({5, 0})}, f),
            sample("of one column", {spread({5, 1})}, f),
            sample("of a vector", {spread({5})}, f),
            sample("of no rows", {spread({3, 2})}, [](auto x) {
              using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
              return matmul(no_sparse_rows<T>(), x[0]);
            })};
  }
  static std::vector<Rejection> rejections() {
    const auto x = sparse_sample<double>();
    return {{"inner sizes",
             [=] {
               matmul(x, spread({4, 2}));
             },
             "matmul: the inner sizes must agree, not (4, 5) and (4, 2)"},
            {"a scalar", [=] { matmul(x, spread({})); },
             "matmul: a factor of sparse rows must be a matrix or a vector, not () and (4, 5)"}};
  }
};

void SparsePull::give(const auto& call) {
  using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
  call.give(0, detail::apply<SparseMatmul, T>({call.options().by_column}, detail::dense(call.g()),
                                              call.template array<std::int64_t>(1),
                                              call.template array<std::int64_t>(2),
                                              call.template array<T>(3)));
}

/// All products of sparse rows.
using SparseProducts = List<SparseLinear, SparseMatmul, SparsePull>;

}  // namespace op
}  // namespace ebb::inline v0
