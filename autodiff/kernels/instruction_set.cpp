// SPDX-License-Identifier: BSD-3-Clause
// The choice among the loops that exist once an instruction set, without the loops themselves.
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {
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

}  // namespace

InstructionSet instruction_set() {
  static const InstructionSet set = choose();
  return set;
}

const char* to_string(InstructionSet set) { return names[int(set)].first; }

}  // namespace ebb::inline v0::detail
