// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/variable.hpp"

#include <algorithm>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

thread_local std::vector<std::string> unheld;  // the variables that the last sweep has listed

std::string named(const std::string& label) {
  return label.empty() ? "a Variable" : "the Variable \"" + label + '"';
}

}  // namespace

namespace detail {

template <class T>
void destroy(Cell<T>* cell) {
  delete cell;
}
EBB_OVERLOAD_FOR_REALS(destroy, void(Cell<T>*))

template <class T>
void zero_drawn(Cell<T>& cell) {
  Block* const block = Access::block(cell.gradient);
  DrawnRows& drawn = *cell.drawn;
  if (drawn.describe(block) && block->is_sole()) {
    T* const to = block->data<T>();
    for_each_drawn(block->shape, drawn.axis, drawn.rows,
                   [&](auto first, auto last) { std::fill(to + first, to + last, T(0)); });
    drawn.zeros = BlockHandle(retain(block));
  }
  drawn.forget();
  cell.gradient.clear();
}
EBB_OVERLOAD_FOR_REALS(zero_drawn, void(Cell<T>&))

void throw_moved_from() {
  throw ArgumentError(
      "a Variable is empty: it was moved from; use the one that it was moved to; or its layer does "
      "without it, as with .bias = false");
}

constinit thread_local bool lists_unheld = false;

template <class T>
void list_if_unheld(const Cell<T>* cell) {
  // The handle in the model, and that of the tape.
  if (cell->references.load(std::memory_order_relaxed) > 2) return;
  unheld.push_back(named(cell->label) + " of shape " + to_string(cell->value.shape()));
}
EBB_OVERLOAD_FOR_REALS(list_if_unheld, void(const Cell<T>*))

void clear_unheld() { unheld.clear(); }

void expect_unheld() {
  unheld.clear();
  lists_unheld = true;
}

std::vector<std::string> take_unheld() {
  lists_unheld = false;
  return std::exchange(unheld, {});
}

}  // namespace detail

template <Real T>
Variable<T>::Variable(Array<T> value, std::string label)
    : Variable([&] {
        if (value.empty()) throw ArgumentError("a Variable needs a value");
        auto* cell = new detail::Cell<T>;
        cell->value = std::move(value);
        cell->label = std::move(label);
        return cell;
      }()) {}

template <Real T>
Variable<T>& Variable<T>::operator=(Variable&& other) noexcept {
  detail::Cell<T>* mine = cell();
  this->set(other.cell(), Operand<T>::Kind::variable);
  other.set(mine, Operand<T>::Kind::variable);
  return *this;
}

template <Real T>
Variable<T>::~Variable() {
  if (cell()) detail::release(cell());
}

template <Real T>
Variable<T> Variable<T>::clone() const {
  Variable copy(value(), label());
  copy.held().is_frozen = is_frozen();
  return copy;
}

template <Real T>
Variable<T> Variable<T>::share() const {
  return Variable(detail::retain(&held()));
}

template <Real T>
void Variable<T>::set_value(Array<T> value) {
  if (!(value.shape() == shape())) {
    throw ShapeError("set_value: " + named(label()) + " has shape " + to_string(shape()) +
                     ", the new value " + to_string(value.shape()));
  }
  held().value = std::move(value);
}

template <Real T>
void Variable<T>::freeze() {
  zero_grad();
  held().is_frozen = true;
}

template <Real T>
const Array<T>& Variable<T>::gradient() const {
  if (!has_gradient()) {
    throw TapeError("gradient: " + named(label()) +
                    (is_frozen() ? " has none, since it is frozen; unfreeze() makes it trainable"
                                 : " has none; no sweep has reached it since zero_grad"));
  }
  return held().gradient;
}

template <Real T>
void Variable<T>::set_gradient(Array<T> gradient) {
  if (!(gradient.shape() == shape())) {
    throw ShapeError("set_gradient: " + named(label()) + " has shape " + to_string(shape()) +
                     ", the gradient " + to_string(gradient.shape()));
  }
  if (held().drawn) held().drawn->forget();
  held().gradient = std::move(gradient);
}

template class Variable<float>;
template class Variable<double>;

template <Real T>
Tensor<T>::Tensor(const Variable<T>& source) : Tensor(detail::Access::as_tensor<T>(source)) {}

template Tensor<float>::Tensor(const Variable<float>&);
template Tensor<double>::Tensor(const Variable<double>&);

template <class T>
const Shape& detail::shape_of(const Operand<T>& x) {
  return Access::shape(x, "shape");
}
template const Shape& detail::shape_of(const Operand<float>&);
template const Shape& detail::shape_of(const Operand<double>&);

}  // namespace ebb::inline v0
