// SPDX-License-Identifier: BSD-3-Clause
// Jacobians and Hessians of which most elements are 0, by as many sweeps as their pattern has
// colours:
//
//     const auto pattern = jacobian_pattern(f, x);  // or SparsityPattern::banded(n, n, 1)
//     const SparseRows<double> j = sparse_jacobian(f, x, pattern);
//
// Rows are the elements of f(x), columns those of x, both in row-major order. The results are
// constants.
#pragma once
#include <functional>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/sparse/sparsity_pattern.hpp"

namespace ebb::inline v0 {
namespace detail {

template <Real T>
EBB_API SparsityPattern jacobian_pattern(const FunctionOf<T>& f, const Operand<T>& x);
template <Real T>
EBB_API SparsityPattern hessian_pattern(const FunctionOf<T>& f, const Operand<T>& x);
template <Real T>
EBB_API SparseRows<T> sparse_jacobian(const FunctionOf<T>& f, const Operand<T>& x,
                                      const SparsityPattern& pattern);
template <Real T>
EBB_API SparseRows<T> sparse_hessian(const FunctionOf<T>& f, const Operand<T>& x,
                                     const SparsityPattern& pattern);

}  // namespace detail

/// The places of the Jacobian of f at x that are not 0, found by sweeps from groups of results with
/// random weights, which are halved until each is one result; groups that have no argument in
/// common share a sweep. A banded Jacobian of n rows takes about 2 width log2(n) sweeps. An element
/// that is 0 at x alone is left out: unite the patterns of several points for a function with
/// branches.
template <class F, Real T>
EBB_INLINE SparsityPattern jacobian_pattern(F&& f, const Operand<T>& x) {
  return detail::jacobian_pattern<T>(std::ref(f), x);
}
/// The places of the Hessian of f at x that are not 0, found in the same way. f must return a
/// single value.
template <class F, Real T>
EBB_INLINE SparsityPattern hessian_pattern(F&& f, const Operand<T>& x) {
  return detail::hessian_pattern<T>(std::ref(f), x);
}

/// The Jacobian of f at x, (elements of f(x), elements of x), in the places of a pattern. One more
/// sweep, with random weights, finds out whether it has an element elsewhere.
/// @throws ShapeError for a pattern of another shape; ArgumentError if the pattern lacks a place.
template <class F, Real T>
EBB_INLINE SparseRows<T> sparse_jacobian(F&& f, const Operand<T>& x,
                                         const SparsityPattern& pattern) {
  return detail::sparse_jacobian<T>(std::ref(f), x, pattern);
}
/// The Jacobian of f at x, in the places of its own pattern.
template <class F, Real T>
EBB_INLINE SparseRows<T> sparse_jacobian(F&& f, const Operand<T>& x) {
  return sparse_jacobian(f, x, jacobian_pattern(f, x));
}

/// The Hessian of f at x, (elements of x, elements of x), in the places of a pattern. f must return
/// a single value.
/// @throws ShapeError for a pattern of another shape; ArgumentError if the pattern lacks a place.
template <class F, Real T>
EBB_INLINE SparseRows<T> sparse_hessian(F&& f, const Operand<T>& x,
                                        const SparsityPattern& pattern) {
  return detail::sparse_hessian<T>(std::ref(f), x, pattern);
}
/// The Hessian of f at x, in the places of its own pattern.
template <class F, Real T>
EBB_INLINE SparseRows<T> sparse_hessian(F&& f, const Operand<T>& x) {
  return sparse_hessian(f, x, hessian_pattern(f, x));
}

}  // namespace ebb::inline v0
