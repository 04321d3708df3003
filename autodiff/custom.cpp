// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/custom.hpp"

#include <map>
#include <mutex>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/boxed.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

template <class T>
void vjp_custom(VjpContext context) {
  const Record& record = context.record();
  const std::span<const Argument> inputs = many_inputs_of(record);
  std::vector<Tensor<T>> x;
  for (const Argument& input : inputs) x.push_back(context.tensor<T>(input));
  const Tensor<T> y = context.result<T>();
  const Tensor<T> g = dense<T>(context.gradient<T>());
  std::vector<Tensor<T>> parts = unboxed<VjpFunction<T>>(record.attributes.block)(g, y, x);
  const std::string name(record.op->name);
  if (parts.size() != x.size()) {
    throw ArgumentError(name + ": vjp gave " + std::to_string(parts.size()) + " gradients for " +
                        std::to_string(x.size()) + " inputs");
  }
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (parts[k].empty() || !context.needs(inputs[k].id)) continue;
    if (!(parts[k].shape() == x[k].shape())) {
      throw ShapeError(name + ": vjp gave a gradient of shape " + to_string(parts[k].shape()) +
                       " for input " + std::to_string(k) + " of shape " + to_string(x[k].shape()));
    }
    context.give(inputs[k].id, std::move(parts[k]));
  }
}

/// The constant to which all records of an operation of this name point. It exists until the
/// program ends.
template <class T>
const Op& op_named(std::string_view name) {
  static std::mutex mutex;
  static auto& named = *new std::map<std::string, Op, std::less<>>;
  const std::lock_guard lock(mutex);
  const auto found = named.find(name);
  if (found != named.end()) return found->second;
  const auto added = named.emplace(name, Op{.name = {},
                                            .vjp = &vjp_custom<T>,
                                            .many_inputs = true,
                                            .attribute_block = true,
                                            .is_double = sizeof(T) == 8,
                                            .destroy = &destroy_boxed<VjpFunction<T>>});
  added.first->second.name = added.first->first;
  return added.first->second;
}

}  // namespace

template <Real T>
Tensor<T> structured(std::string_view name, std::span<const Operand<T>* const> operands,
                     const ForwardFunction<T>& forward, VjpFunction<T> vjp) {
  OperandReader inputs;
  std::vector<Tensor<T>> x;
  std::vector<Array<T>> arrays;
  std::vector<Argument> arguments;
  for (const Operand<T>* operand : operands) {
    x.push_back(dense<T>(*operand, name));
    arrays.push_back(x.back().array());
    arguments.push_back({Access::block(x.back()), inputs.read(name, x.back()).id});
  }
  Array<T> y;
  {
    const NoRecord pause;
    y = forward(arrays);
  }
  if (y.empty()) throw ArgumentError(std::string(name) + ": forward gave an empty array");
  Block* result = Access::block(y);
  if (!inputs.recorded) return inputs.unrecorded<T>(name, retain(result));
  Records& tape = *inputs.tape;
  const Op& op = op_named<T>(name);
  BlockHandle box(boxed(std::move(vjp)));
  Record& record = tape.next_wide(op, y.shape(), arguments.size());
  keep_inputs(record, arguments);
  record.kept[3] = retain(result);
  record.attributes.block = box.take();
  return Access::tensor<T>(retain(result), tape.publish(result));
}
EBB_FOR_REALS(structured)

}  // namespace ebb::inline v0::detail
