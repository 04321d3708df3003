// SPDX-License-Identifier: BSD-3-Clause
// The operations on sparse rows; see ops.hpp for the properties that all operations share.
#pragma once
#include "ebb/autodiff/sparse/sparse_rows.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

// Sparse rows x (n, in) are constants: there is no gradient in their values. The gradient in a
// weight adds up the columns that the rows have; in all others it is 0. A step of a rule that rests
// at gradient 0 leaves those as they are, bit for bit, and takes as long as the columns of the
// batch where these are few.
// @pytorch calls it torch.sparse.mm, of sparse tensors.

/// x weight^T + bias for sparse rows x (n, in): weight (out, in), bias (out,). Infinities of a
/// weight do not meet the zeros of x.
template <Real T>
EBB_API Tensor<T> linear(const SparseRows<T>& x, const Operand<T>& weight, const Operand<T>& bias);
/// Product of sparse rows x (n, in) and a matrix (in, out), or a vector (in,).
template <Real T>
EBB_API Tensor<T> matmul(const SparseRows<T>& x, const Operand<T>& weight);

// clang-format on

}  // namespace ebb::inline v0
