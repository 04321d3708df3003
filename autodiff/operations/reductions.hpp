// SPDX-License-Identifier: BSD-3-Clause
// Reductions, over all axes or over the given ones.
// @pytorch takes an empty list of axes for all axes; here it means no axis, so that a computed list
// has no special case.
#pragma once
#include "ebb/autodiff/values/number.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// Refuses an array of labels or a mask in words, instead of by a page of candidates.
#define EBB_REFUSE_LABELS(f)                                                                 \
  template <detail::Label U, class... Rest>                                                  \
  Tensor<double> f(const Array<U>&, const Rest&...) {                                        \
    static_assert(sizeof(U) == 0, #f " takes float or double: " #f "(cast<double>(x)), or, " \
                                  "for a mask, count_nonzero(x)");                           \
    return {};                                                                               \
  }
EBB_REFUSE_LABELS(sum)
EBB_REFUSE_LABELS(mean)
EBB_REFUSE_LABELS(max)
EBB_REFUSE_LABELS(min)
#undef EBB_REFUSE_LABELS

/// What becomes of the axes of a reduction over all of them, written by name:
/// `sum(x, {.keepdim = true})`
struct ReductionOptions {
  detail::ByName only_by_name = detail::ByName();
  bool keepdim = false;  ///< they stay, with size 1
};
#define EBB_WITH_OPTIONS(f)                                                   \
  template <Real T>                                                           \
  EBB_INLINE Tensor<T> f(const Operand<T>& x, const ReductionOptions& o) {    \
    return o.keepdim ? detail::with_all_axes(f(x), x.shape().rank()) : f(x); \
  }

/// Sum in a fixed order, added up in double
template <Real T> EBB_API Tensor<T> sum(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> sum(const Operand<T>& x, const Axes& axes, bool keepdim = false);
EBB_WITH_OPTIONS(sum)
/// Arithmetic mean; NaN for no elements
template <Real T> EBB_API Tensor<T> mean(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> mean(const Operand<T>& x, const Axes& axes, bool keepdim = false);
EBB_WITH_OPTIONS(mean)
/// The largest element, of at least one; equal ones share the gradient evenly.
/// @pytorch calls it amax. Its max over one axis also returns indices (write `argmax`), and gives
/// the gradient to one of several equal elements.
template <Real T> EBB_API Tensor<T> max(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> max(const Operand<T>& x, const Axes& axes, bool keepdim = false);
EBB_WITH_OPTIONS(max)
/// The smallest element, of at least one; equal ones share the gradient evenly.
/// @pytorch calls it amin. Its min over one axis also returns indices (write `argmin`), and gives
/// the gradient to one of several equal elements.
template <Real T> EBB_API Tensor<T> min(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> min(const Operand<T>& x, const Axes& axes, bool keepdim = false);
EBB_WITH_OPTIONS(min)
/// Product, computed in double in a fixed order, so that an intermediate overflow stays infinite; 1
/// for no elements. Derivatives of every order are right with zeros, too.
/// @pytorch reduces all axes or one.
template <Real T> EBB_API Tensor<T> prod(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> prod(const Operand<T>& x, const Axes& axes, bool keepdim = false);
EBB_WITH_OPTIONS(prod)
/// Options of var and stddev: the sum of squares is divided by the number of elements minus
/// `correction`.
struct VarianceOptions {
  detail::ByName only_by_name = detail::ByName();
  double correction = 1;
  bool keepdim = false;
};
/// Mean squared distance from the mean; NaN unless there are more elements than the correction.
/// @pytorch returns infinity if the correction is above the count, and accepts negative
/// corrections, which are an error here.
template <Real T> EBB_API Tensor<T> var(const Operand<T>& x, VarianceOptions options = {});
template <Real T>
EBB_API Tensor<T> var(const Operand<T>& x, const Axes& axes, VarianceOptions options = {});
/// The square root of var; slope 0 where all elements are equal.
/// @pytorch calls it std; otherwise it differs as in var.
template <Real T> EBB_API Tensor<T> stddev(const Operand<T>& x, VarianceOptions options = {});
template <Real T>
EBB_API Tensor<T> stddev(const Operand<T>& x, const Axes& axes, VarianceOptions options = {});
/// The p-norm for p > 0; for p = infinity the largest |x|. Slope 0 at 0; equal largest elements
/// share the gradient evenly.
/// @pytorch calls it linalg.vector_norm, and accepts p <= 0, which gives no norm.
template <Real T> EBB_API Tensor<T> norm(const Operand<T>& x, double p = 2);
template <Real T>
EBB_API Tensor<T> norm(const Operand<T>& x, double p, const Axes& axes, bool keepdim = false);
/// log(sum(e^x)) without overflow; -inf for no elements. Its gradient is the softmax.
/// @pytorch must be given axes.
template <Real T> EBB_API Tensor<T> logsumexp(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> logsumexp(const Operand<T>& x, const Axes& axes, bool keepdim = false);
EBB_WITH_OPTIONS(logsumexp)
#undef EBB_WITH_OPTIONS

// clang-format on

}  // namespace ebb::inline v0
