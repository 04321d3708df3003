// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/scans.hpp"

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// R lines along the last axis at the same time: each sum waits for the one before it, so that one
/// line alone would take as long as several.
template <int R, class T>
EBB_INLINE void sum_lines(T* y, const T* x, std::int64_t size, bool reverse) {
  double total[R];
  detail::unrolled<R>([&](auto r) EBB_LAMBDA { total[r] = -0.0; });  // -0 + x is x
  for (std::int64_t k = 0; k < size; ++k) {
    const std::int64_t at = reverse ? size - 1 - k : k;
    detail::unrolled<R>([&](auto r) EBB_LAMBDA {
      total[r] += double(x[std::int64_t(r) * size + at]);
      y[std::int64_t(r) * size + at] = T(total[r]);
    });
  }
}

/// Sums along an axis that other axes follow, one row of totals at a time.
template <class T>
EBB_INLINE void sum_planes(T* __restrict y, const T* __restrict x, double* __restrict total,
                           const AxisView& v, bool reverse) {
  for (std::int64_t o = 0; o < v.outer; ++o) {
    std::fill_n(total, v.inner, -0.0);
    for (std::int64_t k = 0; k < v.size; ++k) {
      const std::int64_t row = (o * v.size + (reverse ? v.size - 1 - k : k)) * v.inner;
      for (std::int64_t i = 0; i < v.inner; ++i) {
        total[i] += double(x[row + i]);
        y[row + i] = T(total[i]);
      }
    }
  }
}

template <class T>
using SumLoop = void (*)(T* y, const T* x, double* total, const AxisView& v, bool reverse);
#define EBB_SUM_LOOP(set, bytes)                                                            \
  template <class T>                                                                        \
  EBB_LOOP_##set void sum_##set(T* y, const T* x, double* total, const AxisView& v,         \
                                bool reverse) {                                             \
    if (v.inner != 1) return sum_planes(y, x, total, v, reverse);                           \
    std::int64_t o = 0;                                                                     \
    for (; o + 8 <= v.outer; o += 8)                                                        \
      sum_lines<8>(y + o * v.size, x + o * v.size, v.size, reverse);                        \
    for (; o < v.outer; ++o) sum_lines<1>(y + o * v.size, x + o * v.size, v.size, reverse); \
  }
EBB_FOR_EACH_ISA(EBB_SUM_LOOP)
#undef EBB_SUM_LOOP

}  // namespace

template <class T>
void running_sums(T* y, const T* x, const Shape& shape, const ScanOptions& options) {
  static constexpr SumLoop<T> loops[] = {&sum_sse2<T>, &sum_avx2<T>, &sum_avx512<T>};
  auto totals = running_values(shape, options);
  loops[int(instruction_set())](y, x, totals.data(), AxisView(shape, options.axis),
                                options.reverse);
}
template void running_sums(float*, const float*, const Shape&, const ScanOptions&);
template void running_sums(double*, const double*, const Shape&, const ScanOptions&);

}  // namespace detail

template <Real T>
Tensor<T> cumsum(const Operand<T>& x, int axis) {
  axis = detail::axis_of("cumsum", axis, detail::Access::shape(x, "cumsum"));
  return detail::apply<op::CumSum, T>({axis}, x);
}
EBB_FOR_REALS(cumsum)

template <Real T>
Tensor<T> cumprod(const Operand<T>& x, int axis) {
  axis = detail::axis_of("cumprod", axis, detail::Access::shape(x, "cumprod"));
  return detail::apply<op::CumProd, T>({axis}, x);
}
EBB_FOR_REALS(cumprod)

template <Real T>
Tensor<T> prod(const Operand<T>& x) {
  return detail::apply<op::Prod, T>({0}, reshape(x, {detail::Access::shape(x, "prod").size()}));
}
EBB_OVERLOAD_FOR_REALS(prod, Tensor<T>(const Operand<T>&))

template <Real T>
Tensor<T> prod(const Operand<T>& x, const Axes& axes, bool keepdim) {
  const Shape& shape = detail::Access::shape(x, "prod");
  const unsigned mask = axes.mask("prod", shape);
  Tensor<T> y = reshape(x, shape);
  // The last axis is removed first, so that the earlier ones keep their numbers.
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (!(mask >> i & 1U)) continue;
    y = detail::apply<op::Prod, T>({i}, y);
    if (keepdim) y = unsqueeze(y, i);
  }
  return y;
}
EBB_OVERLOAD_FOR_REALS(prod, Tensor<T>(const Operand<T>&, const Axes&, bool))

}  // namespace ebb::inline v0
