// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/hook.hpp"

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/values/boxed.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

template <class T>
void vjp_hook(VjpContext context) {
  const Record& record = context.record();
  if (!context.needs(record.inputs[0])) return;
  const Tensor<T> g = dense<T>(context.gradient<T>());
  Tensor<T> result = unboxed<GradientFunction<T>>(record.attributes.block)(g);
  if (result.empty()) result = g;
  if (!(result.shape() == g.shape())) {
    throw ShapeError("hook: the function gave a gradient of shape " + to_string(result.shape()) +
                     " for one of shape " + to_string(g.shape()));
  }
  context.give(record.inputs[0], std::move(result));
}
template <class T>
constexpr Op hook_op{.name = "hook",
                     .vjp = &vjp_hook<T>,
                     .attribute_block = true,
                     .is_double = sizeof(T) == 8,
                     .destroy = &destroy_boxed<GradientFunction<T>>};

}  // namespace
}  // namespace detail

template <Real T>
Tensor<T> hook(const Operand<T>& x, std::type_identity_t<GradientFunction<T>> f) {
  using namespace detail;
  const Tensor<T> given = Access::as_tensor(x, "hook");
  Records* tape = current_records();
  if (!tape) return given;
  const std::uint32_t id = tape->admit("hook", Access::place(given));
  if (id == Argument::constant) return given;
  BlockHandle box(boxed(GradientFunction<T>(std::move(f))));
  Record& record = tape->next(hook_op<T>, given.shape(), id);
  record.inputs[0] = id;
  record.attributes.block = box.take();
  return Access::tensor<T>(retain(Access::block(given)), tape->publish(Access::block(given)));
}

EBB_FOR_REALS(hook)

}  // namespace ebb::inline v0
