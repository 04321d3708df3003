// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/table.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {

// Defined by isa.cpp, once for each pair.
#define EBB_DECLARE(T) \
  extern const Kernels<T> kernels_sse2_##T, kernels_avx2_##T, kernels_avx512_##T;
EBB_DECLARE(float)
EBB_DECLARE(double)
#undef EBB_DECLARE

namespace {

constexpr std::pair<const char*, InstructionSet> names[] = {{"sse2", InstructionSet::sse2},
                                                            {"avx2", InstructionSet::avx2},
                                                            {"avx512", InstructionSet::avx512}};

bool available(InstructionSet set) {
  // The compiler's check asks the operating system too, so a hidden register state is seen.
  switch (set) {
    case InstructionSet::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512vl");
    case InstructionSet::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    default:
      return true;
  }
}

InstructionSet choose() {
  __builtin_cpu_init();
  if (const char* wish = std::getenv("EBB_ISA")) {
    for (const auto& [name, set] : names) {
      if (std::string_view(wish) != name) continue;
      if (available(set)) return set;
      throw ArgumentError("EBB_ISA=" + std::string(wish) +
                          ": this machine lacks these instructions; unset it to use the best set");
    }
    throw ArgumentError("EBB_ISA=" + std::string(wish) +
                        ": unknown instruction set; use sse2, avx2 or avx512");
  }
  for (const auto set : {InstructionSet::avx512, InstructionSet::avx2}) {
    if (available(set)) return set;
  }
  return InstructionSet::sse2;
}

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

InstructionSet instruction_set() {
  static const InstructionSet set = choose();
  return set;
}

const char* to_string(InstructionSet set) { return names[int(set)].first; }

template <class T>
const Kernels<T>& choose_kernels() {
  const Kernels<T>* table = table_of<T>(instruction_set());
  KernelsInUse<T>::table.store(table, std::memory_order_relaxed);
  return *table;
}

template <class T>
void fill_sum(Block* sum, Block* a, Block* b) {
  const std::int64_t n = sum->shape.size();
  T* out = sum->data<T>();
  if (!b && a->is_uniform()) {
    std::fill_n(out, n, *a->data<T>());
  } else if (!b) {
    std::copy_n(a->data<T>(), n, out);
  } else {
    const auto in_of = [&](Block* x) {
      return In<T>{x->data<T>(), 0, x->is_uniform() || n == 1 ? 0 : 1};
    };
    const In<T> in[] = {in_of(a), in_of(b), {}, {}};
    constexpr int add = op::index_in<op::Add>(op::Binary{});
    kernels<T>().binary_value[add](out, in, {1, n}, nullptr, false);
  }
}

#define EBB_INSTANTIATE(T)                        \
  template const Kernels<T>& choose_kernels<T>(); \
  template void fill_sum<T>(Block*, Block*, Block*);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::detail
