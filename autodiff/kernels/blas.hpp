// SPDX-License-Identifier: BSD-3-Clause
// The one door to matrix products, and to OpenBLAS behind it.
#pragma once
#include "ebb/autodiff/memory.hpp"

namespace ebb::inline v0::detail {

/// c (m, n) = op(a) (m, k) op(b) (k, n), or c += ...; all dense and row-major. OpenBLAS is set to
/// one thread on first use, so that no result depends on how many it would have taken.
/// @throws ShapeError when a size is beyond OpenBLAS's 32-bit integers.
template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          const T* a, const T* b, T* c, bool accumulate);

/// out (+)= op(a) op(b) of two matrices whose sizes fit; a single column or row has its own
/// kernels.
template <class T>
void product_into(Block* out, Block* a, Block* b, bool transpose_a, bool transpose_b,
                  bool accumulate);

}  // namespace ebb::inline v0::detail
