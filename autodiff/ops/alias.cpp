// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/alias.hpp"

#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {
namespace {

template <class T>
void vjp_alias(Sweep& sweep, std::uint32_t, Record& record) {
  if (sweep.needs(record.inputs[0])) sweep.give(record.inputs[0], sweep.take_gradient<T>());
}

/// The name is for people: a constant that is watched, or another place of a tensor.
template <class T, bool watched>
constexpr Op alias_op{.name = watched ? "watch" : "alias",
                      .vjp = &vjp_alias<T>,
                      .is_double = sizeof(T) == 8,
                      .elementwise = true};

}  // namespace

template <class T>
Tensor<T> fresh_leaf(Recorder& tape, std::uint32_t input, const Tensor<T>& value) {
  const bool watched = input == Record::constant;
  const Op& op = watched ? alias_op<T, true> : alias_op<T, false>;
  tape.next(op, value.shape(), input).inputs[0] = input;
  const Place place = tape.publish(Access::block(value));
  return Access::tensor<T>(retain(Access::block(value)), place);
}

template Tensor<float> fresh_leaf(Recorder&, std::uint32_t, const Tensor<float>&);
template Tensor<double> fresh_leaf(Recorder&, std::uint32_t, const Tensor<double>&);

}  // namespace ebb::inline v0::detail
