// SPDX-License-Identifier: BSD-3-Clause
// Systems of linear equations by OpenBLAS's LAPACK, without a look at their condition.
#include <algorithm>

#include "limits.hpp"

// OpenBLAS reads columns: a row-major matrix is its transpose.
extern "C" void sgetrf_(const int* m, const int* n, float* a, const int* lda, int* swaps,
                        int* info);
extern "C" void sgetrs_(const char* transpose, const int* n, const int* count, const float* a,
                        const int* lda, const int* swaps, float* b, const int* ldb, int* info);

namespace limits {

void solve(const float* a, const float* b, float* room, float* x, std::int64_t n,
           std::int64_t count) {
  int swaps[512], info = 0;
  const int size = int(n), one = 1;
  for (std::int64_t i = 0; i < count; ++i, a += n * n, b += n, x += n) {
    std::copy_n(a, n * n, room);
    std::copy_n(b, n, x);
    sgetrf_(&size, &size, room, &size, swaps, &info);
    sgetrs_("T", &size, &one, room, &size, swaps, x, &size, &info);
  }
}

}  // namespace limits
