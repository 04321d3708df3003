// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/identity.hpp"

#include "ebb/autodiff/engine/directions.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

template <class T>
void vjp_identity(VjpContext context) {
  const std::uint32_t input = context.record().inputs[0];
  if (context.needs(input)) context.give(input, context.take_gradient<T>());
}

template <class T>
bool directions_of_identity(DirectionsContext context) {
  const std::uint32_t input = context.record().inputs[0];
  const Shape shape = context.shape();
  if (context.needs(input)) {
    context.give<T>(input, BlockHandle(retain(context.gradients())), shape);
  }
  return true;
}

/// The name is for people: a constant that is watched, or another place of a tensor.
template <class T, bool watched>
constexpr Op identity_op{.name = watched ? "watch" : "alias",
                         .vjp = &vjp_identity<T>,
                         .is_double = sizeof(T) == 8,
                         .elementwise = true,
                         .directions = &directions_of_identity<T>};

}  // namespace

template <class T>
Tensor<T> identity_record(Records& tape, std::uint32_t input, const Tensor<T>& value) {
  const bool watched = input == Argument::constant;
  const Op& op = watched ? identity_op<T, true> : identity_op<T, false>;
  tape.next(op, value.shape(), input).inputs[0] = input;
  const Place place = tape.publish(Access::block(value));
  return Access::tensor<T>(retain(Access::block(value)), place);
}

EBB_OVERLOAD_FOR_REALS(identity_record, Tensor<T>(Records&, std::uint32_t, const Tensor<T>&))

}  // namespace ebb::inline v0::detail
