// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/alias.hpp"

#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {
namespace {

template <class T>
void vjp_alias(Sweep& sweep, std::uint32_t, Record& record) {
  if (sweep.needs(record.inputs[0])) sweep.give(record.inputs[0], sweep.gradient<T>());
}

template <class T>
constexpr Op alias_op{.name = "alias", .vjp = &vjp_alias<T>};

}  // namespace

template <class T>
Tensor<T> fresh_leaf(Recorder& tape, std::uint32_t input, const Tensor<T>& value) {
  Record& record = tape.next();
  const std::uint32_t shape = tape.intern(value.shape(), input);
  record.op = &alias_op<T>;
  for (Block*& kept : record.kept) kept = nullptr;
  for (std::uint32_t& id : record.inputs) id = 0;
  record.attributes.bits = 0;
  record.inputs[0] = input;
  record.shape = shape;
  return Access::tensor<T>(retain(Access::block(value)), tape.place(tape.publish()));
}

template Tensor<float> fresh_leaf(Recorder&, std::uint32_t, const Tensor<float>&);
template Tensor<double> fresh_leaf(Recorder&, std::uint32_t, const Tensor<double>&);

}  // namespace ebb::inline v0::detail
