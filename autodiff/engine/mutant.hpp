// SPDX-License-Identifier: BSD-3-Clause
// One error in one derivative, to prove that the checks find it. Only the build of tools/mutate,
// with EBB_MUTATE, includes this file.
#pragma once
#include <cstdint>
#include <utility>

#include "ebb/autodiff/formula/formula.hpp"
#include "ebb/autodiff/values/operand.hpp"

namespace ebb::inline v0 {

template <Real T>
class Tensor;

namespace detail {

struct Record;

/// The error in effect; by default none.
struct Mutant {
  /// Returns the number of the input of a record whose gradient is to be wrong; -1 for none.
  int (*input_to_break)(const Record& record) = nullptr;
  /// Returns the wrong gradient in place of `part`, the one that the vjp of the record gave.
  Tensor<double> (*broken_double)(const Tensor<double>& part) = nullptr;
  Tensor<float> (*broken_float)(const Tensor<float>& part) = nullptr;
  /// The number of the term to drop; 0: none.
  int term = 0;
};
inline constinit Mutant mutant;

/// Runs the vjp of a record, and replaces the gradient that it gives to the chosen input. The
/// gradient that earlier records gave to that input is saved first, so that its slot has only the
/// part of this record.
template <class S, class R, class SlotOf>
void run_vjp(S& sweep, std::uint32_t id, R& record, SlotOf slot_of) {
  const int k = mutant.input_to_break ? mutant.input_to_break(record) : -1;
  const std::uint32_t input = k < 0                    ? R::constant
                              : record.op->many_inputs ? many_inputs_of(record).entries[k].id
                                                       : record.inputs[k];
  if (!sweep.needs(input)) return record.op->vjp(sweep, id, record);
  const auto others = std::exchange(slot_of(input), {});
  record.op->vjp(sweep, id, record);
  const auto part = std::exchange(slot_of(input), others);
  if (!part.block) return;
  const auto give = [&]<Real T>(Tensor<T> (*broken)(const Tensor<T>&)) {
    sweep.give(input, broken(sweep.template tensor<T>(part.block, part.id)));
  };
  sweep.tape().at(input).op->is_double ? give(mutant.broken_double) : give(mutant.broken_float);
  release(part.block);
}

/// The factor of term n of a sum in a slope or a vjp: 0 if the term is dropped, else 1.
template <int n>
struct Term {};

template <int n, class X>
EBB_INLINE constexpr auto operator*(Term<n>, const X& x) {
  if constexpr (is_uses<X>) {
    return x;
  } else if constexpr (requires { x.shape(); }) {
    using Result = decltype(x * 0.0);
    return mutant.term == n ? x * 0.0 : Result(x);
  } else {
    return x * (mutant.term == n ? 0.0 : 1.0);
  }
}

}  // namespace detail
}  // namespace ebb::inline v0
