// SPDX-License-Identifier: BSD-3-Clause
// As many doubles as the widest register of the machine holds that the limits are compiled for.
#pragma once
#include <cstdint>

namespace limits {
namespace {

#if defined(__AVX512F__)
#define LIMIT_PACK_BYTES 64
#elif defined(__AVX2__)
#define LIMIT_PACK_BYTES 32
#else
#define LIMIT_PACK_BYTES 16
#endif
typedef double Pack __attribute__((vector_size(LIMIT_PACK_BYTES)));
typedef double PackAnywhere __attribute__((vector_size(LIMIT_PACK_BYTES), aligned(8), may_alias));
inline constexpr std::int64_t lanes = LIMIT_PACK_BYTES / sizeof(double);

inline Pack load(const double* from) { return *reinterpret_cast<const PackAnywhere*>(from); }
inline double total(const Pack& x) {
  double sum = 0;
  for (std::int64_t i = 0; i < lanes; ++i) sum += x[i];
  return sum;
}

}  // namespace
}  // namespace limits
