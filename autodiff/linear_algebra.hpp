// SPDX-License-Identifier: BSD-3-Clause
// The operations on vectors and matrices; see ops.hpp for what is common to all.
#pragma once
#include "ebb/autodiff/tensor.hpp"
#include "ebb/autodiff/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};
/// Matrix product of (m, k) and (k, n); a vector is a row on the left and a column on the right
template <Real T>
EBB_API Tensor<T> matmul(const Operand<T>& a, const Operand<T>& b, MatmulOptions options = {});
/// x weight^T + bias in one record: x (n, in), weight (out, in), bias (out,)
template <Real T>
EBB_API Tensor<T> linear(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias);
/// a . b of two vectors of one size
template <Real T> EBB_API Tensor<T> dot(const Operand<T>& a, const Operand<T>& b);
/// out[i, j] = a[i] b[j] of two vectors
template <Real T> EBB_API Tensor<T> outer(const Operand<T>& a, const Operand<T>& b);
/// The elements (i, i + offset) of a matrix; of a vector, the square matrix that has them there
template <Real T> EBB_API Tensor<T> diag(const Operand<T>& x, std::int64_t offset = 0);
/// The sum of the elements (i, i) of a matrix
template <Real T> EBB_API Tensor<T> trace(const Operand<T>& x);
/// The elements (i, j) with j <= i + offset of the last two axes, zeros elsewhere
template <Real T> EBB_API Tensor<T> tril(const Operand<T>& x, std::int64_t offset = 0);
/// The elements (i, j) with j >= i + offset of the last two axes, zeros elsewhere
template <Real T> EBB_API Tensor<T> triu(const Operand<T>& x, std::int64_t offset = 0);

// clang-format on

}  // namespace ebb::inline v0
