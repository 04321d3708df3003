// SPDX-License-Identifier: BSD-3-Clause
// What the transforms of derivatives.hpp share: their tape, and sweeps of many directions.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "ebb/autodiff/engine/directions.hpp"
#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {

/// What a gradient is used for: it is the last one that this tape computes, others follow, or it is
/// differentiated again.
enum class Use { last, others, differentiate };

/// The axes of a, followed by those of b.
/// @throws ShapeError for more than a shape can have.
inline Shape joined(const char* name, const Shape& a, const Shape& b) {
  if (a.rank() + b.rank() > Shape::max_rank) {
    throw ShapeError(std::string(name) + ": the axes of " + to_string(a) + " and " + to_string(b) +
                     " together are more than " + std::to_string(Shape::max_rank) +
                     "; take the argument or the value as a vector");
  }
  std::vector<std::int64_t> sizes(a.sizes().begin(), a.sizes().end());
  sizes.insert(sizes.end(), b.sizes().begin(), b.sizes().end());
  return Shape(std::span<const std::int64_t>(sizes));
}

/// One call of a transform, with the current tape or, if there is none, a new one.
class Transform {
 public:
  explicit Transform(const char* name) : name_(name) {
    if (!current_records()) own_.emplace();
  }

  /// A new leaf for an argument.
  template <class T>
  Tensor<T> point(const Operand<T>& x) const {
    const Tensor<T> given = Access::as_tensor(x, name_);
    return identity_record(*current_records(),
                           current_records()->admit(name_, Access::place(given)), given);
  }
  /// Another argument of the call.
  template <class T>
  Tensor<T> given(const Operand<T>& x) const {
    return Access::as_tensor(x, name_);
  }
  /// The gradient of seed . y at a point; without a seed, that of y, which must be a single value.
  /// Inside a recording it is always recorded.
  template <class T>
  Tensor<T> pull(const Tensor<T>& y, const Tensor<T>& point, Use use = Use::last,
                 const Tensor<T>* seed = nullptr) const {
    if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
    const GradOptions options{.keep_tape = use != Use::last,
                              .create_graph = use == Use::differentiate || !own_};
    return grad(y, {point}, options, seed)[0];
  }
  /// The result of a call: recorded inside a recording, otherwise a constant.
  template <class T>
  Tensor<T> result(const Tensor<T>& y) const {
    return own_ ? y.detach() : y;
  }
  bool nested() const { return !own_; }
  Shape joined(const Shape& a, const Shape& b) const { return detail::joined(name_, a, b); }

  void check_single(const Shape& value) const {
    if (value.size() == 1) return;
    throw ShapeError(std::string(name_) + ": the function's value has shape " + to_string(value) +
                     " and is not a single value");
  }
  void check_equal(const char* what, const Shape& given, const char* whose,
                   const Shape& expected) const {
    if (given == expected) return;
    throw ShapeError(std::string(name_) + ": " + what + " of shape " + to_string(given) + " for " +
                     whose + " of shape " + to_string(expected));
  }

 private:
  const char* name_;
  std::optional<Tape> own_;
};

/// Sweeps n directions in blocks. `seed(to, j)` sets what is not 0 in the gradient `to` of the
/// output, of `size` elements, in direction j; `taken(first, count)` follows each block.
template <class T, class Seed, class Taken>
void sweep_directions(DirectionSweep& sweep, std::int64_t n, std::int64_t size, const Seed& seed,
                      const Taken& taken) {
  const std::int64_t together = sweep.fitting(n);
  for (std::int64_t first = 0; first < n; first += together) {
    const std::int64_t count = std::min(together, n - first);
    BlockHandle seeds(allocate({count, size}, sizeof(T)));
    T* const to = seeds->data<T>();
    std::fill_n(to, count * size, T(0));
    for (std::int64_t j = 0; j < count; ++j) seed(to + j * size, first + j);
    sweep.run(std::move(seeds), count);
    taken(first, count);
  }
}

}  // namespace ebb::inline v0::detail
