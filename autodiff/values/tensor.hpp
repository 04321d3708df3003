// SPDX-License-Identifier: BSD-3-Clause
// The results of operations: an immutable array and its place on a tape.
#pragma once
#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0 {

template <Real T>
class Variable;

/// A handle to an immutable array that knows how it was computed: it is a constant, a record of a
/// tape, or computed from a variable while no tape recorded.
template <Real T>
class EBB_API Tensor : public Operand<T> {
 public:
  using value_type = T;

  /// An empty handle. Operations refuse it.
  EBB_INLINE Tensor() : Operand<T>(nullptr, Operand<T>::Kind::tensor) {}
  /// A constant.
  Tensor(const Array<T>& array);
  /// A constant scalar.
  template <class U>
  requires std::is_arithmetic_v<U> Tensor(U value) : Tensor(Array<T>(T(value))) {}
  /// The value of a variable, as a leaf of the current tape.
  Tensor(const Variable<T>& source);

  EBB_INLINE Tensor(const Tensor& other) : Operand<T>(other), place_(other.place_) {
    if (block()) detail::retain(block());
  }
  EBB_INLINE Tensor(Tensor&& other) noexcept : Operand<T>(other), place_(other.place_) {
    other.set(nullptr, Operand<T>::Kind::tensor);
  }
  EBB_INLINE Tensor& operator=(Tensor other) & noexcept {
    detail::Block* mine = block();
    this->set(other.block(), Operand<T>::Kind::tensor);
    other.set(mine, Operand<T>::Kind::tensor);
    place_ = other.place_;
    return *this;
  }
  void operator=(Tensor) && = delete;  // a result is no place to write: use where, or an Array
  EBB_INLINE ~Tensor() {
    if (block()) detail::release(block());
  }

  EBB_INLINE bool empty() const { return block() == nullptr; }
  EBB_INLINE const Shape& shape() const { return block() ? block()->shape : detail::no_elements(); }
  EBB_INLINE int rank() const { return shape().rank(); }
  EBB_INLINE std::int64_t size() const { return shape().size(); }
  EBB_INLINE const T* data() const { return block() ? block()->template data<T>() : nullptr; }
  /// The value of a tensor with one element.
  /// @throws ShapeError for any other.
  T item() const;
  /// The values, without a place on a tape.
  Array<T> array() const;
  /// The values as a constant: no gradient flows through it.
  EBB_INLINE Tensor detach() const { return Tensor(array()); }
  /// Does not compile: a sweep is a function, `backward(loss)`.
  template <class U = T>
  void backward() const {
    static_assert(sizeof(U) == 0, "a sweep is a function: write backward(loss)");
  }

 private:
  friend struct detail::Access;
  EBB_INLINE detail::Block* block() const {
    return this->template object<detail::Block>(Operand<T>::Kind::tensor);
  }
  detail::Place place_;
};

/// The result of a comparison: an array of bool that knows the element type of the operands.
template <Real T>
class Mask : public Array<bool> {
 public:
  Mask(Array<bool> mask) : Array<bool>(std::move(mask)) {}
  /// A mask has an answer for each element, so that it cannot be a condition.
  explicit operator bool() const {
    static_assert(sizeof(T) == 0,
                  "a mask is not a condition: use where or select(condition, a, b)");
    return false;
  }
};

namespace detail {

// What inline functions of the operations call; defined with the operations of shapes.

/// x in the shape of these sizes, of which one may be -1.
template <Real T>
EBB_API Tensor<T> reshape_to(const Operand<T>& x, std::span<const std::int64_t> sizes);
/// Replaces a by a result. @throws ShapeError if its shape is another.
template <Real T>
EBB_API Array<T>& assign(const char* operation, Array<T>& a, const Tensor<T>& result);
template <Real T>
EBB_API Tensor<T>& assign(const char* operation, Tensor<T>& a, const Tensor<T>& result);
enum class Logic { both, either };
EBB_API Array<bool> combine(Logic logic, const Array<bool>& a, const Array<bool>& b);
/// A single value with as many axes as given, of size 1.
template <Real T>
EBB_API Tensor<T> with_all_axes(const Tensor<T>& x, int rank);

}  // namespace detail

template <Real T>
std::ostream& operator<<(std::ostream& out, const Tensor<T>& tensor) {
  return out << tensor.array();
}

}  // namespace ebb::inline v0
