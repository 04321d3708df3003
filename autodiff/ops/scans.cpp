// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/scans.hpp"

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

struct RunningSum {
  static constexpr double start = -0.0;  // -0 + x is x
  EBB_INLINE static double next(double running, double x) { return running + x; }
};
struct RunningProduct {
  static constexpr double start = 1;
  EBB_INLINE static double next(double running, double x) { return running * x; }
};

/// R lines along the last axis at the same time: each result waits for the one before it, so that
/// one line alone would take as long as several.
template <class Fold, int R, class T>
EBB_INLINE void fold_lines(T* y, const T* x, std::int64_t size, bool reverse) {
  double running[R];
  detail::unrolled<R>([&](auto r) EBB_LAMBDA { running[r] = Fold::start; });
  for (std::int64_t k = 0; k < size; ++k) {
    const std::int64_t at = reverse ? size - 1 - k : k;
    detail::unrolled<R>([&](auto r) EBB_LAMBDA {
      running[r] = Fold::next(running[r], double(x[std::int64_t(r) * size + at]));
      y[std::int64_t(r) * size + at] = T(running[r]);
    });
  }
}

/// Results along an axis that other axes follow, one row of them at a time.
template <class Fold, class T>
EBB_INLINE void fold_planes(T* __restrict y, const T* __restrict x, double* __restrict running,
                            const AxisView& v, bool reverse) {
  for (std::int64_t o = 0; o < v.outer; ++o) {
    std::fill_n(running, v.inner, Fold::start);
    for (std::int64_t k = 0; k < v.size; ++k) {
      const std::int64_t row = (o * v.size + (reverse ? v.size - 1 - k : k)) * v.inner;
      for (std::int64_t i = 0; i < v.inner; ++i) {
        running[i] = Fold::next(running[i], double(x[row + i]));
        y[row + i] = T(running[i]);
      }
    }
  }
}

template <class T>
using FoldLoop = void (*)(T* y, const T* x, double* running, const AxisView& v, bool reverse);
#define EBB_FOLD_LOOP(set, bytes)                                                                  \
  template <class Fold, class T>                                                                   \
  EBB_LOOP_##set void fold_##set(T* y, const T* x, double* running, const AxisView& v,             \
                                 bool reverse) {                                                   \
    if (v.inner != 1) return fold_planes<Fold>(y, x, running, v, reverse);                         \
    std::int64_t o = 0;                                                                            \
    for (; o + scanned_together <= v.outer; o += scanned_together)                                 \
      fold_lines<Fold, scanned_together>(y + o * v.size, x + o * v.size, v.size, reverse);         \
    for (; o < v.outer; ++o) fold_lines<Fold, 1>(y + o * v.size, x + o * v.size, v.size, reverse); \
  }
EBB_FOR_EACH_ISA(EBB_FOLD_LOOP)
#undef EBB_FOLD_LOOP

template <class Fold, class T>
void fold(T* y, const T* x, const Shape& shape, const ScanOptions& options) {
  static constexpr FoldLoop<T> loops[] = {&fold_sse2<Fold, T>, &fold_avx2<Fold, T>,
                                          &fold_avx512<Fold, T>};
  auto running = running_values(shape, options);
  loops[int(instruction_set())](y, x, running.data(), AxisView(shape, options.axis),
                                options.reverse);
}

}  // namespace

template <class T>
void running_sums(T* y, const T* x, const Shape& shape, const ScanOptions& options) {
  fold<RunningSum>(y, x, shape, options);
}
template void running_sums(float*, const float*, const Shape&, const ScanOptions&);
template void running_sums(double*, const double*, const Shape&, const ScanOptions&);

template <class T>
void running_products(T* y, const T* x, const Shape& shape, const ScanOptions& options) {
  fold<RunningProduct>(y, x, shape, options);
}
template void running_products(float*, const float*, const Shape&, const ScanOptions&);
template void running_products(double*, const double*, const Shape&, const ScanOptions&);

}  // namespace detail

template <Real T>
Tensor<T> shift(const Operand<T>& x, std::int64_t n, int axis, double fill) {
  const Shape& shape = detail::Access::shape(x, "shift");
  axis = resolve_axis("shift", axis, shape);
  return detail::apply<op::Shift, T>({axis, std::clamp(n, -shape[axis], shape[axis]), fill}, x);
}
EBB_FOR_REALS(shift)

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
