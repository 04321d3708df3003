// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/alias.hpp"

#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {
namespace {

template <class T>
void vjp_alias(Sweep& sweep, std::uint32_t, Record& record) {
  if (sweep.needs(record.inputs[0])) sweep.give(record.inputs[0], sweep.take_gradient<T>());
}

template <class T>
constexpr Op alias_op{
    .name = "alias", .vjp = &vjp_alias<T>, .is_double = sizeof(T) == 8, .elementwise = true};

}  // namespace

template <class T>
Tensor<T> fresh_leaf(Recorder& tape, std::uint32_t input, const Tensor<T>& value) {
  tape.next(alias_op<T>, value.shape(), input).inputs[0] = input;
  const Place place = tape.publish(Access::block(value));
  return Access::tensor<T>(retain(Access::block(value)), place);
}

template Tensor<float> fresh_leaf(Recorder&, std::uint32_t, const Tensor<float>&);
template Tensor<double> fresh_leaf(Recorder&, std::uint32_t, const Tensor<double>&);

}  // namespace ebb::inline v0::detail
