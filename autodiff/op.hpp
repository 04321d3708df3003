// SPDX-License-Identifier: BSD-3-Clause
// How a structured operation is declared: a struct with
//
//   name                          for records and errors
//   Options                       trivially copyable; kept in the record unless it is empty
//   keeps                         which inputs (bits 0 to 2) and whether the output (bit 3) the
//   vjps read forward<T>(options, a, b...)  checks shapes and returns the block of the result
//   da(call), db(call), dc(call)  the gradient of each input, written with ebb's own operations
//
// and a call of `apply<O>(options, operands...)`. An operand that is never differentiated, such as
// indices, is an array of another type.
#pragma once
#include <cstring>
#include <string>

#include "ebb/autodiff/error.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {

struct NoOptions {};

/// What the vjp of a structured operation sees of its record.
template <class O, class T>
class Call {
 public:
  Call(Sweep& sweep, std::uint32_t id, Record& record) : sweep_(sweep), record_(record), id_(id) {}

  bool needs(int k) const { return sweep_.needs(record_.inputs[k]); }
  /// The gradient of the result.
  Tensor<T> g() const { return sweep_.gradient<T>(); }
  Tensor<T> a() const { return sweep_.kept<T>(record_, 0, record_.inputs[0]); }
  Tensor<T> b() const { return sweep_.kept<T>(record_, 1, record_.inputs[1]); }
  Tensor<T> y() const { return sweep_.kept<T>(record_, 3, id_); }
  /// An operand of another type.
  template <class U>
  Array<U> array(int k) const {
    return Access::array<U>(retain(record_.kept[k]));
  }
  /// The shape of an input that is needed.
  Shape shape_of(int k) const { return sweep_.tape().shape_of(record_.inputs[k]); }
  typename O::Options options() const {
    typename O::Options options{};
    if constexpr (sizeof(options) <= 8) {
      std::memcpy(static_cast<void*>(&options), &record_.attributes.bits, sizeof options);
    } else {
      std::memcpy(static_cast<void*>(&options), record_.attributes.block->payload(),
                  sizeof options);
    }
    return options;
  }

 private:
  Sweep& sweep_;
  Record& record_;
  std::uint32_t id_;
};

template <class O, class T>
void vjp_structured(Sweep& sweep, std::uint32_t id, Record& record) {
  const Call<O, T> call(sweep, id, record);
  if constexpr (requires { O::da(call); }) {
    if (call.needs(0)) sweep.give(record.inputs[0], O::da(call));
  }
  if constexpr (requires { O::db(call); }) {
    if (call.needs(1)) sweep.give(record.inputs[1], O::db(call));
  }
  if constexpr (requires { O::dc(call); }) {
    if (call.needs(2)) sweep.give(record.inputs[2], O::dc(call));
  }
}

/// Whether the vjps do without the options, which then are not kept.
template <class O>
constexpr bool forgets_options = std::is_empty_v<typename O::Options> || requires {
  O::forgets_options;
};
template <class O>
constexpr bool has_large_options = !forgets_options<O> && sizeof(typename O::Options) > 8;

template <class O, class T>
constexpr Op structured_op{
    .name = O::name, .vjp = &vjp_structured<O, T>, .attribute_block = has_large_options<O>};

/// One operand of a structured operation, dense.
struct DenseInput {
  Block* block;
  Place place;
  BlockHandle dense;

  template <class T>
  requires Real<T>
  explicit DenseInput(const Operand<T>& x) {
    const Source<T> source = Access::source(x);
    if (source.is_number()) throw_empty_operand();
    block = source.block;
    place = source.place;
    if (block->is_uniform()) {
      dense = BlockHandle(densify<T>(block));
      block = dense.get();
    }
  }
  template <class U>
  explicit DenseInput(const Array<U>& x) : block(Access::block(x)) {
    if (!block) throw_empty_operand();
  }
};

/// Records a structured operation whose result has been computed.
Place record_structured(const Op& op, unsigned keeps, Recorder& tape, const DenseInput* in,
                        const std::uint32_t* ids, int count, Block* y, const void* options,
                        std::size_t option_bytes);

template <class O, class T, class... In>
Tensor<T> apply(const typename O::Options& options, const In&... operands) {
  constexpr int n = sizeof...(In);
  const DenseInput in[] = {DenseInput(operands)...};
  Inputs<n> inputs;
  for (int k = 0; k < n; ++k) inputs.add(k, O::name, in[k].place);
  BlockHandle y = [&]<std::size_t... k>(std::index_sequence<k...>) {
    return BlockHandle(O::template forward<T>(options, in[k].block...));
  }
  (std::make_index_sequence<n>{});
  if (!inputs.recorded) return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
  const Place place =
      record_structured(structured_op<O, T>, O::keeps, *inputs.tape, in, inputs.ids, n, y.get(),
                        &options, forgets_options<O> ? 0 : sizeof options);
  return Access::tensor<T>(y.take(), place);
}

/// The start of a message about an argument of an operation.
[[noreturn]] void throw_shapes(std::string_view operation, const char* what, const Shape& a);
[[noreturn]] void throw_shapes(std::string_view operation, const char* what, const Shape& a,
                               const Shape& b);

}  // namespace ebb::inline v0::detail
