// SPDX-License-Identifier: BSD-3-Clause
// The tape, and the sweeps back over it.
#pragma once
#include <array>
#include <initializer_list>
#include <memory>
#include <vector>

#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

namespace detail {
class Recorder;
}

struct TapeOptions {
  /// A NaN or an infinity throws NonFiniteError, which names the operation that gave it: forward,
  /// where operations on constants are checked though they are not recorded, and in a sweep. What
  /// is read in, an array or a number, may have them: `where` takes missing values out. A tape that
  /// opens inside of this one checks as well, and so does the part of a `checkpoint`.
  bool check_finite = false;
  bool keep_values = false;  ///< every result is kept, for `explain`
};

/// Records the operations of this thread until the end of the scope. Tapes nest; the innermost one
/// records. A sweep empties the tape, which is then ready for the next step.
class EBB_API Tape {
 public:
  EBB_INLINE Tape() : Tape(TapeOptions{}) {}
  explicit Tape(TapeOptions options);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Makes a leaf of a constant, so that `grad` can be asked for it. An operand that is on this
  /// tape gets a new place of its own.
  template <Real T>
  Tensor<T> watch(const Operand<T>& x);

  /// The number of records.
  std::int64_t size() const;
  /// Drops all records; tensors that they gave can be read, but not used in this tape again.
  void release();

 private:
  friend struct detail::Access;
  detail::Recorder* recorder_;
  detail::Recorder* before_;
};

/// Pauses recording on this thread until the end of the scope.
class EBB_API NoRecord {
 public:
  NoRecord();
  ~NoRecord();
  NoRecord(const NoRecord&) = delete;

 private:
  detail::Recorder* before_;
};

/// One output of a sweep, with the gradient that it starts from: 1 for a single value.
class EBB_API Loss {
 public:
  template <Real T>
  Loss(const Tensor<T>& y);
  template <Real T>
  Loss(const Tensor<T>& y, const Array<T>& seed);
  Loss(Loss&&) noexcept = default;
  EBB_INLINE ~Loss() {}

 private:
  friend struct LossAccess;
  detail::BlockHandle seed_;
  detail::Place place_;
  bool is_double_;
};

struct BackwardOptions {
  bool keep_tape = false;  ///< keeps the records for another sweep
};

/// Adds the gradient of the losses into every Variable that they were computed from, and releases
/// the tape. All gradients are added or, when the sweep throws, none.
/// @throws TapeError when a loss is not on the tape that records; ShapeError when it is not a
/// single value and has no seed.
EBB_API void backward(const Loss& loss, BackwardOptions options = {});
EBB_API void backward(std::initializer_list<Loss> losses, BackwardOptions options = {});

struct GradOptions {
  bool keep_tape = false;  ///< keeps the records for another sweep
  bool create_graph =
      false;  ///< records the sweep, so that its results can be differentiated; keeps
};

/// Something to differentiate with respect to: a variable or a recorded tensor.
template <Real T>
class Wanted {
 public:
  Wanted(const Operand<T>& x) : operand_(&x) {}
  const Operand<T>& operand() const { return *operand_; }

 private:
  const Operand<T>* operand_;
};

/// The gradients of y with respect to each input, which may stand anywhere on the tape; zeros where
/// y does not depend on it, as where y is a constant: the gradient of `sum(x)` is one. Writes to no
/// Variable. Releases the tape unless an option keeps it. `seed` starts the sweep in the place of
/// 1, with the shape of y.
/// @throws TapeError for a y that is untracked or of another tape, and for an input that is a
/// constant; ShapeError when y is not a single value and has no seed.
template <Real T>
EBB_API std::vector<Tensor<T>> grad(const Tensor<T>& y,
                                    const std::vector<Wanted<std::type_identity_t<T>>>& inputs,
                                    GradOptions options = {}, const Tensor<T>* seed = nullptr);
/// The gradient of y with respect to one input.
template <Real T>
Tensor<T> grad(const Tensor<T>& y, const Operand<T>& input, GradOptions options = {}) {
  return grad(y, std::vector<Wanted<T>>{input}, options)[0];
}

}  // namespace ebb::inline v0
