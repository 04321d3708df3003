// SPDX-License-Identifier: BSD-3-Clause
// The declaration of a structured operation is a struct with
//
//   name                          for records and errors
//   Options                       trivially copyable; kept in the record unless it is empty
//   reads[]                       for each gradient, which inputs (bits 0 to 2) and whether the
//                                 output (bit 3) it is computed from: they are kept if needed. With
//                                 more than three inputs these are the bits from 0 on, and
//                                 `output_of_many`; the gradients come from `vjps`
//   forward<T>(options, a, b...)  checks shapes and returns the block of the result
//   vjp_a(call), vjp_b, vjp_c     the gradient of each input, written with ebb's own operations, or
//                                 what is left to the engine: an `Upstream` or a `Product`
//
// or, instead of these three, one of
//
//   vjps(call)                    an array of them all, for inputs that are needed, from one pass
//   give_a(call)                  gives the only input its gradient: for one that is added to a
//                                 part of the gradient that is already there
//   give(call)                    gives all inputs theirs, in the same way
//   as_operations<T>(options, inputs)
//                                 the result in operations on tensors, which is differentiated in
//                                 its place: for gradients that are operations of their own
//
// what directions_call.hpp names, if its vjp can run for several directions at once, and a call of
// `apply<O>(options, operands...)`. An operand that is never differentiated, such as
// indices, is an array of another type.
#pragma once
#include <cstring>
#include <span>
#include <string>

#include "ebb/autodiff/engine/directions_call.hpp"
#include "ebb/autodiff/engine/higher_order.hpp"
#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {

struct NoOptions {};

/// The bit for the output in the `reads` of an operation with more than three inputs.
constexpr unsigned output_of_many = 1U << 31;
template <class O>
constexpr bool has_many_inputs = std::size(O::reads) > 3;

/// The access of the vjp of a structured operation to its record.
template <class O, class T>
class Call {
 public:
  explicit Call(VjpContext context) : context_(context) {}

  bool is_recorded() const { return context_.is_recorded(); }
  bool needs(int k) const { return context_.needs(id_of(k)); }
  /// The gradient of the result.
  Tensor<T> g() const { return context_.gradient<T>(); }
  Tensor<T> a() const { return context_.tensor<T>(record().input(0)); }
  Tensor<T> b() const { return context_.tensor<T>(record().input(1)); }
  /// Input k of an operation with many.
  Tensor<T> input(int k) const { return context_.tensor<T>(argument(k)); }
  Tensor<T> y() const { return context_.result<T>(); }
  /// The operand of another type.
  template <class U>
  Array<U> array(int k) const {
    return Access::array<U>(retain(argument(k).block));
  }
  void give(int k, Tensor<T>&& part) const { context_.give(id_of(k), std::move(part)); }
  /// The gradient of an input, to add to in place: zeros if none has arrived.
  Block* dense_gradient(int k) const { return context_.template dense_gradient<T>(id_of(k)); }
  /// The gradient of an input for a vjp that adds to `count` rows of it, or places of another axis,
  /// and lists them if asked to.
  RowGradient row_gradient(int k, std::int64_t count, int axis = 0) const {
    return context_.template row_gradient<T>(id_of(k), count, axis);
  }
  /// The shape of an input that needs a gradient.
  Shape shape_of(int k) const { return context_.tape().shape_of(id_of(k)); }
  /// Input k, with its block if it is kept.
  Argument argument(int k) const {
    if constexpr (has_many_inputs<O>) {
      return many_inputs_of(record())[std::size_t(k)];
    } else {
      return record().input(k);
    }
  }
  typename O::Options options() const { return options_of<typename O::Options>(record()); }

 private:
  const Record& record() const { return context_.record(); }
  std::uint32_t id_of(int k) const {
    if constexpr (has_many_inputs<O>) {
      return argument(k).id;
    } else {
      return record().inputs[k];
    }
  }

  VjpContext context_;
};

/// Gives input k its part of the gradient.
template <class T, class Part>
void give_part(VjpContext context, int k, Part&& part, bool last) {
  if constexpr (requires { context.give<T>(k, part, last); }) {
    context.give<T>(k, part, last);
  } else {
    context.give(context.record().inputs[k], std::forward<Part>(part));
  }
}

template <class O, class T>
void differentiate_as_operations(VjpContext context) {
  const Call<O, T> call(context);
  Argument arguments[std::size(O::reads)];
  for (std::size_t k = 0; k < std::size(arguments); ++k) arguments[k] = call.argument(int(k));
  differentiate_recorded<T>(context, arguments, [&](std::span<const Tensor<T>> x) {
    return O::template as_operations<T>(call.options(), x);
  });
}

template <class O, class T>
bool directions_as_operations(DirectionsContext context) {
  const Record& record = context.record();
  const auto options = options_of<typename O::Options>(record);
  Argument arguments[std::size(O::reads)];
  for (std::size_t k = 0; k < std::size(arguments); ++k) {
    arguments[k] = has_many_inputs<O> ? many_inputs_of(record)[k] : record.input(int(k));
  }
  directions_of_recorded<T>(context, arguments, [&](std::span<const Tensor<T>> x) {
    return O::template as_operations<T>(options, x);
  });
  return true;
}
/// The rule of an operation for several directions, or null.
template <class O, class T>
constexpr auto directions_rule() -> bool (*)(DirectionsContext) {
  if constexpr (has_directions<O, T>) {
    return &directions_of_structured<O, T>;
  } else if constexpr (requires { &O::template as_operations<T>; }) {
    return &directions_as_operations<O, T>;
  } else {
    return nullptr;
  }
}

/// Calls the functions of the operation that give its derivatives.
template <class O, class T>
void vjp_structured(VjpContext context) {
  [[maybe_unused]] const Call<O, T> call(context);
  [[maybe_unused]] constexpr int inputs = int(std::size(O::reads));
  if constexpr (requires { &O::template as_operations<T>; })
    differentiate_as_operations<O, T>(context);
  if constexpr (requires { O::vjps(call); }) {
    auto parts = O::vjps(call);
    for (int k = 0; k < int(std::size(parts)); ++k) {
      if (!call.needs(k)) continue;
      if constexpr (has_many_inputs<O>) {
        call.give(k, std::move(parts[std::size_t(k)]));
      } else {
        give_part<T>(context, k, std::move(parts[std::size_t(k)]), false);
      }
    }
  }
  if constexpr (requires { O::give_a(call); }) {
    if (call.needs(0)) O::give_a(call);
  }
  if constexpr (requires { O::give(call); }) O::give(call);
  if constexpr (requires { O::vjp_a(call); }) {
    if (call.needs(0)) give_part<T>(context, 0, O::vjp_a(call), inputs == 1);
  }
  if constexpr (requires { O::vjp_b(call); }) {
    if (call.needs(1)) give_part<T>(context, 1, O::vjp_b(call), inputs == 2);
  }
  if constexpr (requires { O::vjp_c(call); }) {
    if (call.needs(2)) give_part<T>(context, 2, O::vjp_c(call), inputs == 3);
  }
}

/// False if no vjp reads the options, so that records need not store them.
template <class O>
constexpr bool keeps_options = !std::is_empty_v<typename O::Options>;
template <class O>
requires requires { O::vjp_reads_options; }
constexpr bool keeps_options<O> = O::vjp_reads_options;

template <class O>
constexpr bool has_large_options = keeps_options<O> && sizeof(typename O::Options) > 8;

template <class O, class T>
constexpr Op structured_op{.name = O::name,
                           .vjp = &vjp_structured<O, T>,
                           .many_inputs = has_many_inputs<O>,
                           .attribute_block = has_large_options<O>,
                           .is_double = sizeof(T) == 8,
                           .directions = directions_rule<O, T>()};

/// An operand of a structured operation, which is an array.
template <Real T>
EBB_INLINE Argument read_array(OperandReader& inputs, std::string_view operation,
                               const Operand<T>& x) {
  const Argument argument = inputs.read(operation, x);
  if (argument.is_number()) throw_empty_operand(operation);
  return argument;
}
template <class U>
Argument read_array(OperandReader&, std::string_view operation, const Array<U>& x) {
  if (x.empty()) throw_empty_operand(operation);
  return {Access::block(x), Argument::constant};
}

/// The operand with all its elements, if one element was given for all of them: a sweep that is
/// recorded may pass such a gradient to an operation.
template <Real T>
Tensor<T> dense(const Operand<T>& x, std::string_view operation = {}) {
  const Tensor<T> tensor = Access::as_tensor(x, operation);
  Block* block = Access::block(tensor);
  if (!block->is_uniform()) return tensor;
  return Access::tensor<T>(densify<T>(block), Access::place(tensor));
}
template <class U>
const Array<U>& dense(const Array<U>& x) {
  return x;
}

/// Records a structured operation whose result is computed. `keeps` has one bit for each input and
/// one for the result, as `reads` has.
Place record_structured(const Op& op, unsigned keeps, Records& tape, std::span<const Argument> in,
                        Block* y, const void* options, std::size_t option_bytes);

/// The inputs and the result that the gradients of the recorded inputs read, as bits.
template <class O>
unsigned kept_for(std::span<const Argument> in) {
  unsigned keeps = 0;
  for (std::size_t k = 0; k < std::size(O::reads); ++k) {
    if (in[k].is_recorded()) keeps |= O::reads[k];
  }
  return keeps;
}

template <class O, class T, class... In>
Tensor<T> apply(const typename O::Options& options, const In&... operands) {
  OperandReader inputs;
  const Argument in[] = {read_array(inputs, O::name, operands)...};
  for (const Argument& input : in) {
    if (input.block->is_uniform()) [[unlikely]]
      return apply<O, T>(options, dense(operands)...);
  }
  BlockHandle y = [&]<std::size_t... k>(std::index_sequence<k...>) {
    return BlockHandle(O::template forward<T>(options, in[k].block...));
  }
  (std::index_sequence_for<In...>{});
  if (!inputs.recorded) return inputs.unrecorded<T>(O::name, y.take());
  const Place place = record_structured(structured_op<O, T>, kept_for<O>(in), *inputs.tape, in,
                                        y.get(), &options, keeps_options<O> ? sizeof options : 0);
  return Access::tensor<T>(y.take(), place);
}

/// Throws ShapeError with a message about an argument of an operation.
[[noreturn]] void throw_shapes(std::string_view operation, const char* what, const Shape& a);
[[noreturn]] void throw_shapes(std::string_view operation, const char* what, const Shape& a,
                               const Shape& b);

}  // namespace ebb::inline v0::detail
