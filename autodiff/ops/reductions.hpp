// SPDX-License-Identifier: BSD-3-Clause
// Reductions, and operations that normalise by them.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The axes to reduce, one bit each, and whether they are kept with size 1.
struct ReduceOptions {
  unsigned axes;
  bool keepdim;

  /// The options for an array with one more axis in front, which is not reduced.
  ReduceOptions shifted() const { return {axes << 1, keepdim}; }
};

/// A reduction as loops over `outer` matrices (count, inner), whose rows are reduced.
struct ReducePlan {
  std::int64_t outer = 1, count = 1, inner = 1;
  Shape shape;
  BlockHandle permuted;  ///< a copy with the reduced axes last, if they were not adjacent
  Block* x;

  ReducePlan(const ReduceOptions& options, Block* x, std::size_t element_size);
};

Shape reduced_shape(const ReduceOptions& options, const Shape& x);
/// g, of the reduced shape, broadcast to the shape of the input.
template <class T>
Tensor<T> expand(const Tensor<T>& g, const ReduceOptions& options, const Shape& to);
/// The result with the reduced axes kept.
template <class T>
Tensor<T> keep_axes(const Tensor<T>& y, const ReduceOptions& options, const Shape& x);
/// The reduced axes as a list.
Axes axes_of(const ReduceOptions& options);
/// The number of elements that are reduced to one element of the result.
std::int64_t reduced_count(const ReduceOptions& options, const Shape& x);

/// Calls rows(out, x, rows, cols), or columns(...), for each matrix whose rows, or columns, are
/// reduced.
template <class T, class Rows, class Columns>
Block* reduce(const ReduceOptions& options, Block* x, Rows rows, Columns columns) {
  const ReducePlan plan(options, x, sizeof(T));
  BlockHandle y(allocate(plan.shape, sizeof(T)));
  T* out = y->data<T>();
  const T* in = plan.x->template data<T>();
  if (plan.inner == 1) {
    rows(out, in, plan.outer, plan.count);
  } else if (plan.inner > 0) {
    for (std::int64_t o = 0; o < plan.outer; ++o) {
      columns(out + o * plan.inner, in + o * plan.count * plan.inner, plan.count, plan.inner);
    }
  }
  return y.take();
}

/// Passes the rows one by one.
template <class T, class Row>
auto each_row(Row row) {
  return [=](T* out, const T* in, std::int64_t rows, std::int64_t cols) {
    for (std::int64_t r = 0; r < rows; ++r) out[r] = row(in + r * cols, cols);
  };
}
/// Passes each column as a row. Columns that share a cache line are copied together.
template <class T, class Row>
auto each_column(Row row) {
  return [=](T* out, const T* in, std::int64_t count, std::int64_t cols) {
    constexpr std::int64_t together = 64 / sizeof(T);
    const std::int64_t stride = count + together;  // kernels read whole vectors
    std::vector<T> columns(std::size_t(together * stride));
    for (std::int64_t first = 0; first < cols; first += together) {
      const std::int64_t width = std::min(together, cols - first);
      for (std::int64_t r = 0; r < count; ++r) {
        for (std::int64_t c = 0; c < width; ++c) {
          columns[std::size_t(c * stride + r)] = in[r * cols + first + c];
        }
      }
      for (std::int64_t c = 0; c < width; ++c) {
        out[first + c] = row(columns.data() + c * stride, count);
      }
    }
  };
}

/// Reduces x over all axes.
template <class O, class T>
Tensor<T> reduce_all(const Operand<T>& x) {
  return apply<O, T>({(1U << Access::shape(x, O::name).rank()) - 1, false}, x);
}
/// Reduces x over some axes.
template <class O, class T>
Tensor<T> reduce_along(const Operand<T>& x, const Axes& axes, bool keepdim) {
  return apply<O, T>({axes.mask(O::name.data(), Access::shape(x, O::name)), keepdim}, x);
}
/// Defines the functions of a reduction.
#define EBB_REDUCTION(f, Op)                                         \
  template <Real T>                                                  \
  Tensor<T> f(const Operand<T>& x) {                                 \
    return detail::reduce_all<op::Op, T>(x);                         \
  }                                                                  \
  template <Real T>                                                  \
  Tensor<T> f(const Operand<T>& x, const Axes& axes, bool keepdim) { \
    return detail::reduce_along<op::Op, T>(x, axes, keepdim);        \
  }                                                                  \
  EBB_OVERLOAD_FOR_REALS(f, Tensor<T>(const Operand<T>&))            \
  EBB_OVERLOAD_FOR_REALS(f, Tensor<T>(const Operand<T>&, const Axes&, bool))

}  // namespace detail

namespace op {

/// The sum. Its gradient is one number for all elements of a sum.
struct Sum {
  static constexpr std::string_view name = "sum";
  using Options = detail::ReduceOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    const auto& kernels = detail::kernels<T>();
    return detail::reduce<T>(
        options, x,
        [&](T* out, const T* in, std::int64_t rows, std::int64_t cols) {
          kernels.row_sum(out, in, rows, cols, 1);
        },
        [&](T* out, const T* in, std::int64_t rows, std::int64_t cols) {
          kernels.column_sum(out, in, rows, cols, 1);
        });
  }
  static auto vjp_a(const auto& call) {
    return detail::expand(call.g(), call.options(), call.shape_of(0));
  }
  static Options shifted(const Options& options) { return options.shifted(); }
  static std::vector<Sample> samples() {
    return {
        sample("of all", {spread({3, 4})}, [](auto x) { return sum(x[0]); }),
        sample("of a scalar", {spread({})}, [](auto x) { return sum(x[0]); }),
        sample("along the axis of a scalar", {spread({})},
               [](auto x) { return sum(x[0], -1, true); }),
        sample("of nothing", {spread({0, 3})}, [](auto x) { return sum(x[0]); }),
        sample("along the first axis", {spread({3, 4})}, [](auto x) { return sum(x[0], 0); }),
        sample("of an empty axis", {spread({0, 3})}, [](auto x) { return sum(x[0], 0); }),
        sample("along the last axis", {spread({3, 4})}, [](auto x) { return sum(x[0], -1, true); }),
        sample("along axes apart", {spread({2, 3, 2, 2})},
               [](auto x) {
                 return sum(x[0], {0, 2});
               }),
        sample("of a row longer than a block", {spread({2, 9000}, 50)},
               [](auto x) { return sum(x[0], 1); })};
  }
  static std::vector<Rejection> rejections() {
    const auto x = spread({3, 4});
    return {{"no such axis", [=] { sum(x, 2); },
             "sum: axis 2 of an array with 2 axes, of shape (3, 4)"},
            {"an axis twice",
             [=] {
               sum(x, {1, -1});
             },
             "sum: axis -1 is named twice"}};
  }
};

/// The sum divided by the count.
struct Mean {
  static constexpr std::string_view name = "mean";
  using Options = detail::ReduceOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    const auto& kernels = detail::kernels<T>();
    return detail::reduce<T>(
        options, x,
        [&](T* out, const T* in, std::int64_t rows, std::int64_t cols) {
          kernels.row_sum(out, in, rows, cols, double(cols));
        },
        [&](T* out, const T* in, std::int64_t rows, std::int64_t cols) {
          kernels.column_sum(out, in, rows, cols, 1 / double(rows));
        });
  }
  static auto vjp_a(const auto& call) {
    const Shape x = call.shape_of(0);
    const auto count = double(detail::reduced_count(call.options(), x));
    return detail::expand(call.g() * (1 / count), call.options(), x);
  }
  static Options shifted(const Options& options) { return options.shifted(); }
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({3, 4}, 50)}, [](auto x) { return mean(x[0]); }),
            sample("of a scalar", {spread({})}, [](auto x) { return mean(x[0]); }),
            sample("along the first axis", {spread({3, 4})}, [](auto x) { return mean(x[0], 0); }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return mean(x[0], 1); }),
            sample("along the last axis", {spread({3, 4})},
                   [](auto x) { return mean(x[0], -1, true); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis",
             [] {
               mean(spread({3, 4}), -3);
             },
             "mean: axis -3 of an array with 2 axes"}};
  }
};

/// log(sum(e^x)), relative to the largest element.
struct LogSumExp {
  static constexpr std::string_view name = "logsumexp";
  using Options = detail::ReduceOptions;
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    const auto& kernels = detail::kernels<T>();
    const auto columns = [&](T* out, const T* in, std::int64_t rows, std::int64_t cols) {
      if (rows <= detail::short_line) return kernels.column_logsumexp(out, in, rows, cols);
      const auto column = [&](const T* values, std::int64_t n) {
        T y;
        kernels.row_logsumexp(&y, values, 1, n);
        return y;
      };
      detail::each_column<T>(column)(out, in, rows, cols);
    };
    return detail::reduce<T>(options, x, kernels.row_logsumexp, columns);
  }
  /// The softmax. A result that is much larger than the distances between the elements has lost
  /// their digits, so that the weights are divided by their sum, which is 1 but for that.
  static auto vjp_a(const auto& call) {
    const auto options = call.options();
    const auto x = call.a();
    const auto y = detail::keep_axes(call.y().detach(), options, x.shape());
    auto distance = x - y;
    const auto results = y.array();
    if (std::any_of(results.begin(), results.end(), [](auto v) { return std::isinf(v); })) {
      const auto is_infinite = abs(y) == std::numeric_limits<double>::infinity();
      distance = where(x.detach() == y, where(is_infinite, 0, distance), distance);
    }
    const auto weights = exp(distance);
    const auto total = sum(weights, detail::axes_of(options), true);
    return detail::expand(detail::keep_axes(call.g(), options, x.shape()) / total,
                          {options.axes, true}, x.shape()) *
           weights;
  }
  static Options shifted(const Options& options) { return options.shifted(); }
  static std::vector<Sample> samples() {
    return {
        sample("of all", {spread({3, 4}, 50)}, [](auto x) { return logsumexp(x[0]); }),
        sample("of a scalar", {spread({})}, [](auto x) { return logsumexp(x[0]); }),
        sample("along the first axis", {spread({3, 4})}, [](auto x) { return logsumexp(x[0], 0); }),
        sample("of no rows", {spread({0, 3})}, [](auto x) { return logsumexp(x[0], 1); }),
        // e^x itself overflows.
        sample("of large elements", {spread({3})}, [](auto x) { return logsumexp(x[0] + 1000.0); }),
        sample("along the last axis", {spread({3, 4})},
               [](auto x) { return logsumexp(x[0], -1, true); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { logsumexp(spread({3}), 1); },
             "logsumexp: axis 1 of an array with 1 axes"}};
  }
};

/// y * (g - sum(g * y)) for each row: the gradient of softmax, as a separate operation.
struct SoftmaxPull {
  static constexpr std::string_view name = "softmax_pull";
  static constexpr bool internal = true;
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0010, 0b0011};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* g, detail::Block* y) {
    detail::BlockHandle out(detail::allocate(y->shape, sizeof(T)));
    const std::int64_t cols = y->shape[y->shape.rank() - 1];
    detail::kernels<T>().softmax_pull(out->data<T>(), g->data<T>(), y->data<T>(),
                                      cols ? y->shape.size() / cols : 0, cols);
    return out.take();
  }
  static auto apply_to(const auto& g, const auto& y) {
    using T = typename std::remove_cvref_t<decltype(g)>::value_type;
    return detail::apply<SoftmaxPull, T>({}, g, y);
  }
  static auto vjp_a(const auto& call) { return apply_to(call.g(), call.b()); }
  static auto vjp_b(const auto& call) {
    const auto h = call.g(), g = call.a(), y = call.b();
    return h * (g - sum(g * y, -1, true)) - g * sum(h * y, -1, true);
  }
  static Options shifted(const Options& options) { return options; }
  static constexpr Lacks lacks{
      .scalar = "needs an axis", .empty = "covered by softmax", .large = "linear in both"};
  static std::vector<Sample> samples() {
    return {sample("of rows", {spread({3, 4}), spread({3, 4})},
                   [](auto x) { return apply_to(x[0], x[1]); })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// e^x / sum(e^x) along the last axis.
struct Softmax {
  static constexpr std::string_view name = "softmax";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1000};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    const std::int64_t cols = x->shape[x->shape.rank() - 1];
    detail::kernels<T>().softmax(y->data<T>(), x->data<T>(), cols ? x->shape.size() / cols : 0,
                                 cols);
    return y.take();
  }
  static auto vjp_a(const auto& call) { return SoftmaxPull::apply_to(call.g(), call.y()); }
  static Options shifted(const Options& options) { return options; }
  static constexpr Lacks lacks{.scalar = "of one element 1"};
  static std::vector<Sample> samples() {
    return {sample("of rows", {spread({3, 4})}, [](auto x) { return softmax(x[0]); }),
            sample("of columns", {spread({3, 4}, 50)}, [](auto x) { return softmax(x[0], 0); }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return softmax(x[0]); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { softmax(spread({}), 1); },
             "softmax: axis 1 of an array with 0 axes, of shape ()"}};
  }
};

/// x - logsumexp(x) along the last axis, relative to the largest element.
struct LogSoftmax {
  static constexpr std::string_view name = "log_softmax";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1000};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    const std::int64_t cols = x->shape[x->shape.rank() - 1];
    detail::kernels<T>().log_softmax(y->data<T>(), x->data<T>(), cols ? x->shape.size() / cols : 0,
                                     cols);
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    const auto g = call.g();
    return g - exp(call.y()) * sum(g, -1, true);
  }
  static Options shifted(const Options& options) { return options; }
  static constexpr Lacks lacks{.scalar = "of one element 0"};
  static std::vector<Sample> samples() {
    return {sample("of rows", {spread({3, 4})}, [](auto x) { return log_softmax(x[0]); }),
            sample("of columns", {spread({3, 4}, 50)}, [](auto x) { return log_softmax(x[0], 0); }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return log_softmax(x[0]); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { log_softmax(spread({3}), 1); },
             "log_softmax: axis 1 of an array with 1 axes"}};
  }
};

/// All reductions.
using Reductions = List<Sum, Mean, LogSumExp, Softmax, SoftmaxPull, LogSoftmax>;

}  // namespace op
}  // namespace ebb::inline v0
