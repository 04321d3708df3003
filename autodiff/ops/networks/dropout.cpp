// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/dropout.hpp"

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/parallel.hpp"

namespace ebb::inline v0 {
namespace detail {

template <class T>
void drop_out(const DropoutOptions& call, std::int64_t n, const T* x, T* y) {
  constexpr std::int64_t block = 4096;
  // A word is below this bound with probability p.
  const auto bound = std::uint64_t(call.p * 0x1p32);
  const T scale = T(call.p < 1 ? 1 / (1 - call.p) : 0);
  parallel_blocks(n, block, [&](std::int64_t first, std::int64_t last) {
    Stream words(call.key, std::uint64_t(first));
    for (std::int64_t i = first; i < last; ++i) y[i] = words.next() < bound ? T(0) : x[i] * scale;
  });
}

EBB_OVERLOAD_FOR_REALS(drop_out, void(const DropoutOptions&, std::int64_t, const T*, T*))

}  // namespace detail

template <Real T>
Tensor<T> dropout(const Operand<T>& x, double p, Stream& stream) {
  if (!(p >= 0 && p <= 1)) {
    throw ArgumentError("dropout: p = " + detail::to_text(p) + "; it is in [0, 1]");
  }
  const std::uint64_t high = stream.next();
  return detail::apply<op::Dropout, T>({high << 32 | stream.next(), p}, x);
}
EBB_FOR_REALS(dropout)

}  // namespace ebb::inline v0
