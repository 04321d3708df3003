// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/statistics.hpp"

#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/ops/shapes.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {

double variance_divisor(const VarianceCall& options, const Shape& x) {
  const double divisor = double(reduced_count(options.over, x)) - options.correction;
  return divisor > 0 ? divisor : std::numeric_limits<double>::quiet_NaN();
}

namespace {

template <class T>
ReduceOptions over_all(std::string_view name, const Operand<T>& x, bool keepdim = false) {
  return {(1U << Access::shape(x, name).rank()) - 1, keepdim};
}
template <class T>
ReduceOptions over(std::string_view name, const Operand<T>& x, const Axes& axes, bool keepdim) {
  return {axes.mask(name.data(), Access::shape(x, name)), keepdim};
}

VarianceCall variance_call(std::string_view name, const ReduceOptions& over,
                           const VarianceOptions& options) {
  if (!(options.correction >= 0)) {
    throw ArgumentError(std::string(name) + ": correction = " +
                        detail::to_text(options.correction) + "; it is at least 0");
  }
  return {over, options.correction};
}

}  // namespace
}  // namespace detail

#define EBB_SPREAD(f, Op)                                                                   \
  template <Real T>                                                                         \
  Tensor<T> f(const Operand<T>& x, VarianceOptions options) {                               \
    const auto over = detail::over_all(op::Op::name, x, options.keepdim);                   \
    return detail::apply<op::Op, T>(detail::variance_call(op::Op::name, over, options), x); \
  }                                                                                         \
  template <Real T>                                                                         \
  Tensor<T> f(const Operand<T>& x, const Axes& axes, VarianceOptions options) {             \
    const auto over = detail::over(op::Op::name, x, axes, options.keepdim);                 \
    return detail::apply<op::Op, T>(detail::variance_call(op::Op::name, over, options), x); \
  }                                                                                         \
  EBB_OVERLOAD_FOR_REALS(f, Tensor<T>(const Operand<T>&, VarianceOptions))                  \
  EBB_OVERLOAD_FOR_REALS(f, Tensor<T>(const Operand<T>&, const Axes&, VarianceOptions))
EBB_SPREAD(var, Var)
EBB_SPREAD(stddev, StdDev)
#undef EBB_SPREAD

namespace detail {
namespace {

/// `in` is g and the norms y: one of each for a row, or for each element.
template <class T>
EBB_INLINE void pull_norms(T* __restrict out, const T* x, const In<T>* in, Grid grid) {
  for (std::int64_t r = 0; r < grid.rows; ++r, out += grid.cols, x += grid.cols) {
    const T *g = in[0].data + r * in[0].row, *y = in[1].data + r * in[1].row;
    if (in[1].col != 0) {
      for (std::int64_t c = 0; c < grid.cols; ++c) out[c] = y[c] == 0 ? 0 : g[c] * (x[c] / y[c]);
    } else if (*y == 0) {
      std::fill_n(out, grid.cols, T(0));
    } else {
      const T upstream = *g, size = *y;
      for (std::int64_t c = 0; c < grid.cols; ++c) out[c] = upstream * (x[c] / size);
    }
  }
}

template <class T>
using NormPullLoop = void (*)(T* out, const T* x, const In<T>* in, Grid grid);
#define EBB_NORM_PULL_LOOP(set, bytes)                                                   \
  template <class T>                                                                     \
  EBB_LOOP_##set void pull_norms_##set(T* out, const T* x, const In<T>* in, Grid grid) { \
    pull_norms(out, x, in, grid);                                                        \
  }
EBB_FOR_EACH_ISA(EBB_NORM_PULL_LOOP)
#undef EBB_NORM_PULL_LOOP

}  // namespace

template <class T>
void pull_norm(T* out, const T* g, const T* y, Block* x, const ReduceOptions& options) {
  static constexpr NormPullLoop<T> loops[] = {&pull_norms_sse2<T>, &pull_norms_avx2<T>,
                                              &pull_norms_avx512<T>};
  const NormPullLoop<T> loop = loops[int(instruction_set())];
  const Shape kept = reduced_shape({options.axes, true}, x->shape);
  const Shape* const shapes[] = {&kept, &x->shape};
  const T* from = x->data<T>();
  for_each_offset(x->shape, shapes,
                  [&](std::int64_t start, const std::int64_t* offset, const Planes& planes) {
                    const In<T> in[] = {{g + offset[0], planes.row[0], planes.col[0]},
                                        {y + offset[0], planes.row[0], planes.col[0]}};
                    loop(out + start, from + start, in, planes.grid);
                  });
}
template void pull_norm(float*, const float*, const float*, Block*, const ReduceOptions&);
template void pull_norm(double*, const double*, const double*, Block*, const ReduceOptions&);

namespace {

template <class T>
Tensor<T> checked_norm(const Operand<T>& x, double p, const ReduceOptions& over) {
  if (!(p > 0)) {
    throw ArgumentError("norm: p = " + detail::to_text(p) + "; it is greater than 0");
  }
  return apply<op::Norm, T>({over, p}, x);
}

/// Vectors divided by their norms, or by eps if that is larger. Where a norm or its inverse would
/// leave the range, all are scaled by powers of two first, which does not change the result.
template <class T>
Tensor<T> unit(const Operand<T>& operand, int axis, double eps) {
  constexpr T largest = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::min();
  const Tensor<T> x = Access::as_tensor(operand, op::CosineSimilarity::name);
  const Tensor<T> size = norm(x, 2, axis, true);
  const auto is_in_range = [](T v) { return v == 0 || (v > 4 * least && v < largest / 4); };
  const Array<T>& sizes = size.array();
  if (std::all_of(sizes.begin(), sizes.end(), is_in_range)) return x / maximum(size, eps);
  Array<T> factors = max(abs(x.detach()), axis, true).array();
  constexpr int most = std::numeric_limits<T>::max_exponent - 4;
  for (T& v : std::span(factors.mutate(), std::size_t(factors.size()))) {
    v = v > 0 && std::isfinite(v) ? std::ldexp(T(1), std::clamp(-std::ilogb(v), -most, most))
                                  : T(1);
  }
  const Tensor<T> scaled = x * factors;
  return scaled / maximum(norm(scaled, 2, axis, true), factors * eps);
}

}  // namespace
}  // namespace detail

template <Real T>
Tensor<T> norm(const Operand<T>& x, double p) {
  return detail::checked_norm(x, p, detail::over_all("norm", x));
}
template <Real T>
Tensor<T> norm(const Operand<T>& x, double p, const Axes& axes, bool keepdim) {
  return detail::checked_norm(x, p, detail::over("norm", x, axes, keepdim));
}
EBB_OVERLOAD_FOR_REALS(norm, Tensor<T>(const Operand<T>&, double))
EBB_OVERLOAD_FOR_REALS(norm, Tensor<T>(const Operand<T>&, double, const Axes&, bool))

template <Real T>
Tensor<T> cosine_similarity(const Operand<T>& a, const Operand<T>& b, int axis, double eps) {
  const Shape &p = detail::Access::shape(a, "cosine_similarity"),
              &q = detail::Access::shape(b, "cosine_similarity");
  if (!(p == q)) detail::throw_shapes("cosine_similarity", "the shapes must be equal", p, q);
  if (!(eps >= 0)) {
    throw ArgumentError("cosine_similarity: eps = " + detail::to_text(eps) + "; it is at least 0");
  }
  axis = detail::axis_of("cosine_similarity", axis, p);
  return sum(detail::unit<T>(a, axis, eps) * detail::unit<T>(b, axis, eps), axis);
}
template EBB_API Tensor<float> cosine_similarity(const Operand<float>&, const Operand<float>&, int,
                                                 double);
template EBB_API Tensor<double> cosine_similarity(const Operand<double>&, const Operand<double>&,
                                                  int, double);

}  // namespace ebb::inline v0
