// SPDX-License-Identifier: BSD-3-Clause
// How the vjps of structured operations run for several directions at once: a vjp that is written
// with operations is called with operands that have the axis of the directions in front.
#pragma once
#include "ebb/autodiff/engine/directions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0::detail {

/// The options of a record.
template <class Options>
Options options_of(const Record& record) {
  Options options{};
  if constexpr (sizeof(options) <= 8) {
    std::memcpy(static_cast<void*>(&options), &record.attributes.bits, sizeof options);
  } else {
    std::memcpy(static_cast<void*>(&options), record.attributes.block->payload(), sizeof options);
  }
  return options;
}

/// The access of a vjp to its record and the gradients of all directions: `Call` with a further
/// axis. An operation O allows it by
///
///   shifted(options)     the options for operands with one more axis in front
///
/// if its vjps then do for each direction what they do for one. They read what the record kept with
/// that axis, too, but arrays of another type as they are. Where they do not, O may have
///
///   directions(call)     gives all inputs their gradients
template <class O, class T>
class DirectionsCall {
 public:
  explicit DirectionsCall(DirectionsContext context) : context_(context) {}

  /// False if there is no room for the axis.
  bool fits() const {
    bool all = context_.shape().rank() < Shape::max_rank;
    for_each_input(record(), [&](std::uint32_t id) {
      if (context_.needs(id)) all = all && context_.tape().shape_of(id).rank() < Shape::max_rank;
    });
    return all;
  }
  static bool is_recorded() { return false; }
  bool needs(int k) const { return context_.needs(record().inputs[k]); }
  std::int64_t count() const { return context_.count(); }
  /// The gradients of the result.
  Tensor<T> g() const { return with_axis(context_.gradients(), context_.shape()); }
  Tensor<T> a() const { return repeated(record().kept[0]); }
  Tensor<T> b() const { return repeated(record().kept[1]); }
  Tensor<T> y() const { return repeated(record().kept[3]); }
  /// The operand of another type, without the axis.
  template <class U>
  Array<U> array(int k) const {
    return Access::array<U>(retain(record().kept[k]));
  }
  /// The shape of an input that needs gradients, with the axis.
  Shape shape_of(int k) const {
    return with_directions(count(), context_.tape().shape_of(record().inputs[k]));
  }
  auto options() const {
    using Options = typename O::Options;
    if constexpr (requires(Options o) { O::shifted(o); }) {
      return O::shifted(options_of<Options>(record()));
    } else {
      return options_of<Options>(record());
    }
  }
  Block* dense_gradient(int k) const {
    return context_.template dense_gradients<T>(record().inputs[k]);
  }
  /// Those of an input, of which nobody lists the rows.
  RowGradient row_gradient(int k, std::int64_t, int) const { return {dense_gradient(k), nullptr}; }
  /// Gives an input its gradients, with the axis.
  void give(int k, Tensor<T>&& parts) const {
    const Shape& shape = Access::block(parts)->shape;
    const Shape of(shape.sizes().subspan(1));
    context_.template give<T>(record().inputs[k], BlockHandle(Access::take(std::move(parts))), of);
  }
  void give(int k, Upstream) const {
    const Shape shape = context_.shape();
    context_.template give<T>(record().inputs[k], BlockHandle(retain(context_.gradients())), shape);
  }
  void give(int k, const Product& product, std::int64_t batches = 1) const {
    context_.template give_product<T>(k, product, batches);
  }

 private:
  const Record& record() const { return context_.record(); }
  Tensor<T> with_axis(Block* block, const Shape& shape) const {
    return Access::tensor<T>(
        allocate_view(block, block->data<T>(), with_directions(count(), shape)));
  }
  Tensor<T> repeated(Block* block) const {
    const Tensor<T> one = Access::tensor<T>(retain(block));
    return broadcast_to(one, with_directions(count(), block->shape));
  }

  DirectionsContext context_;
};

/// True if an operation has a rule for several directions.
template <class O, class T>
constexpr bool has_directions = requires(typename O::Options options, DirectionsCall<O, T> call) {
  O::shifted(options);
}
|| requires(DirectionsCall<O, T> call) { O::directions(call); };

template <class O, class T>
bool directions_of_structured(DirectionsContext context) {
  const DirectionsCall<O, T> call(context);
  if (!call.fits()) return false;
  if constexpr (requires { O::directions(call); }) {
    O::directions(call);
  } else {
    if constexpr (requires { O::give_a(call); }) {
      if (call.needs(0)) O::give_a(call);
    }
    if constexpr (requires { O::vjp_a(call); }) {
      if (call.needs(0)) call.give(0, O::vjp_a(call));
    }
    if constexpr (requires { O::vjp_b(call); }) {
      if (call.needs(1)) call.give(1, O::vjp_b(call));
    }
    if constexpr (requires { O::vjp_c(call); }) {
      if (call.needs(2)) call.give(2, O::vjp_c(call));
    }
  }
  return true;
}

}  // namespace ebb::inline v0::detail
