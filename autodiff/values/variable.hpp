// SPDX-License-Identifier: BSD-3-Clause
// Trainable arrays.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0 {

namespace detail {

/// Which rows of a gradient may differ from 0, where few of many were drawn by index, and zeros for
/// the next such gradient. So a step takes as long as the rows that were drawn, not as all. The
/// rows may also be places along another axis: the columns of a weight that sparse features have.
struct DrawnRows {
  const Block* of = nullptr;       ///< the gradient that the rows describe; null for none
  int axis = 0;                    ///< of which the rows are places
  std::vector<std::int64_t> rows;  ///< ascending, each once
  BlockHandle zeros;               ///< in the shape of the value; or nothing

  bool describe(const Block* gradient) const { return of && of == gradient; }
  void forget() {
    of = nullptr;
    rows.clear();
  }
};

/// Calls f(first, last) for each run of elements at these places of an axis.
template <class F>
void for_each_drawn(const Shape& shape, int axis, const std::vector<std::int64_t>& places,
                    const F& f) {
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t place : places) {
      const std::int64_t first = (o * shape[axis] + place) * inner;
      f(first, first + inner);
    }
  }
}

/// The value and gradient of a variable, which optimizers and tapes hold, too. It has no state of a
/// tape.
template <class T>
struct alignas(16) Cell {
  std::atomic<std::uint32_t> references = 1;
  Array<T> value;
  Array<T> gradient;
  std::unique_ptr<DrawnRows> drawn;  ///< made by the first gradient of few rows
  bool is_frozen = false;
  std::string label;
};

template <class T>
void destroy(Cell<T>* cell);
template <class T>
EBB_INLINE Cell<T>* retain(Cell<T>* cell) {
  cell->references.fetch_add(1, std::memory_order_relaxed);
  return cell;
}
template <class T>
EBB_INLINE void release(Cell<T>* cell) {
  if (cell->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(cell);
}
[[noreturn]] EBB_API void throw_moved_from();
/// Removes the gradient of a variable that had one of few rows, and keeps its memory as zeros.
template <class T>
EBB_API void zero_drawn(Cell<T>& cell);

/// Whether sweeps of this thread list the variables that no optimizer holds.
extern constinit thread_local bool lists_unheld;
/// Lists, by name and shape, a variable that got a gradient.
template <class T>
void list_if_unheld(const Cell<T>* cell);
/// Removes what the sweeps before this one have listed.
void clear_unheld();
/// From now on, sweeps of this thread list the variables that no optimizer holds.
EBB_API void expect_unheld();
/// What the last sweep of this thread has listed, which ends the listing.
EBB_API std::vector<std::string> take_unheld();

}  // namespace detail

/// A trainable array with its gradient. It can be moved but not copied, so that no weight is
/// duplicated by accident: `clone()` copies, `share()` makes another handle. After a move, every
/// function but an assignment throws ArgumentError.
template <Real T>
class EBB_API Variable : public Operand<T> {
 public:
  using value_type = T;

  explicit Variable(Array<T> value, std::string label = {});
  EBB_INLINE Variable(Variable&& other) noexcept : Operand<T>(other) {
    other.set(nullptr, Operand<T>::Kind::variable);
  }
  Variable& operator=(Variable&& other) noexcept;
  Variable(const Variable&) = delete;  // clone() copies; share() makes another handle
  ~Variable();

  /// A handle to nothing, for what a layer may lack. Every function but an assignment and `is_none`
  /// throws ArgumentError.
  static Variable none() { return Variable(static_cast<detail::Cell<T>*>(nullptr)); }
  /// True for `none()`, and after a move.
  EBB_INLINE bool is_none() const { return !cell(); }

  /// Another variable with the same value and label, and no gradient.
  Variable clone() const;
  /// Another handle to this value and gradient.
  Variable share() const;

  EBB_INLINE const Array<T>& value() const { return held().value; }
  EBB_INLINE const Shape& shape() const { return value().shape(); }
  EBB_INLINE std::int64_t size() const { return value().size(); }
  /// Replaces the value.
  /// @throws ShapeError for another shape.
  void set_value(Array<T> value);

  EBB_INLINE bool has_gradient() const { return !held().gradient.empty(); }
  /// The sum of the gradients of all sweeps since `zero_grad`.
  /// @throws TapeError if there is none.
  const Array<T>& gradient() const;
  /// Replaces the gradient.
  /// @throws ShapeError for another shape than that of the value.
  void set_gradient(Array<T> gradient);
  /// Removes the gradient. One of few drawn rows keeps its memory, for the next of its kind.
  EBB_INLINE void zero_grad() {
    detail::Cell<T>& cell = held();
    if (cell.drawn) [[unlikely]]
      return detail::zero_drawn(cell);
    cell.gradient.clear();
  }

  /// Makes it a constant of every operation from now on: it gets no gradient, the one that it has
  /// is removed, and optimizers pass it over.
  void freeze();
  /// Makes it trainable again.
  void unfreeze() { held().is_frozen = false; }
  EBB_INLINE bool is_frozen() const { return held().is_frozen; }

  /// A name for records, errors and files; may be empty.
  EBB_INLINE const std::string& label() const { return held().label; }
  void set_label(std::string label) { held().label = std::move(label); }

 private:
  friend struct detail::Access;
  EBB_INLINE explicit Variable(detail::Cell<T>* owned)
      : Operand<T>(owned, Operand<T>::Kind::variable) {}
  /// @throws ArgumentError for a variable that was moved from.
  EBB_INLINE detail::Cell<T>& held() const {
    if (!cell()) [[unlikely]]
      detail::throw_moved_from();
    return *cell();
  }
  EBB_INLINE detail::Cell<T>* cell() const {
    return this->template object<detail::Cell<T>>(Operand<T>::Kind::variable);
  }
};

template <Real T>
std::ostream& operator<<(std::ostream& out, const Variable<T>& variable) {
  return out << variable.value();
}

}  // namespace ebb::inline v0
