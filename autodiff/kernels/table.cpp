// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/table.hpp"

#include "ebb/autodiff/values/instances.hpp"

#include <algorithm>

namespace ebb::inline v0::detail {

// Defined in isa.cpp, once for each pair.
#define EBB_DECLARE(T) \
  extern const Kernels<T> kernels_sse2_##T, kernels_avx2_##T, kernels_avx512_##T;
EBB_DECLARE(float)
EBB_DECLARE(double)
#undef EBB_DECLARE

namespace {

template <class T>
const Kernels<T>* table_of(InstructionSet set) {
  if constexpr (sizeof(T) == 4) {
    return set == InstructionSet::avx512 ? &kernels_avx512_float
           : set == InstructionSet::avx2 ? &kernels_avx2_float
                                         : &kernels_sse2_float;
  } else {
    return set == InstructionSet::avx512 ? &kernels_avx512_double
           : set == InstructionSet::avx2 ? &kernels_avx2_double
                                         : &kernels_sse2_double;
  }
}

}  // namespace

template <class T>
const Kernels<T>& choose_kernels() {
  const Kernels<T>* table = table_of<T>(instruction_set());
  KernelsInUse<T>::table.store(table, std::memory_order_relaxed);
  return *table;
}
EBB_FOR_REALS(choose_kernels)

template <class T>
void add_into(Block* sum, Block* a, Block* b) {
  const std::int64_t n = sum->shape.size();
  T* out = sum->data<T>();
  const auto in_of = [&](Block* x) {
    return In<T>{x->data<T>(), 0, x->is_uniform() || n == 1 ? 0 : 1};
  };
  const In<T> in[] = {in_of(a), in_of(b), {}, {}};
  constexpr int add = op::index_in<op::Add>(op::Binary{});
  kernels<T>().binary_value[add](out, in, {1, n}, nullptr, false);
}
EBB_FOR_REALS(add_into)

}  // namespace ebb::inline v0::detail
