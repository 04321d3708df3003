// SPDX-License-Identifier: BSD-3-Clause
// The tape, and the reverse sweeps over it.
#pragma once
#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

namespace detail {

class Records;

/// One scope of a thread that records, or pauses recording if it has no records.
struct RecordingFrame {
  Records* records;
  Records* before;        ///< what recorded when it was opened
  RecordingFrame* outer;  ///< the scope in which it was opened
};

}  // namespace detail

struct TapeOptions {
  /// Throws NonFiniteError, which names the operation, for a result that is NaN or infinite: in the
  /// forward pass, in which operations on constants are checked, too, though not recorded, and in a
  /// sweep. Arrays and numbers that are given may be NaN or infinite: `where` removes missing
  /// values. A tape that is opened inside this one checks as well, and so does a `checkpoint`.
  bool check_finite = false;
  bool keep_values = false;  ///< keeps every result, for `explain`
};

/// Records the operations of this thread until the end of the scope. Tapes nest; the innermost one
/// records. A sweep empties the tape, which can then record the next step. Tapes that are not local
/// objects may be destroyed in any order, but by the thread that made them: another one prints an
/// error and aborts the program.
class EBB_API Tape {
 public:
  EBB_INLINE Tape() : Tape(TapeOptions{}) {}
  explicit Tape(TapeOptions options);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Makes a leaf of a constant, so that `grad` can be asked for its gradient. An operand that is
  /// on this tape gets a new place.
  /// @throws ArgumentError for an empty operand; TapeError for an operand of another tape.
  template <Real T>
  Tensor<T> watch(const Operand<T>& x);

  /// The number of records.
  std::int64_t size() const;
  /// Removes all records. Tensors that were recorded can still be read, but not used with this tape
  /// again.
  void release();

 private:
  friend struct detail::Access;
  detail::Records* records_;
  detail::RecordingFrame frame_;
};

/// Pauses recording on this thread until the end of the scope. It may outlive a tape, and belongs
/// to its thread as a tape does.
class EBB_API NoRecord {
 public:
  NoRecord();
  ~NoRecord();
  NoRecord(const NoRecord&) = delete;

 private:
  detail::RecordingFrame frame_;
};

/// An output to start a sweep from, with its gradient: 1 for a single value.
class EBB_API SweepStart {
 public:
  template <Real T>
  SweepStart(const Tensor<T>& y);
  template <Real T>
  SweepStart(const Tensor<T>& y, const Array<T>& seed);
  SweepStart(SweepStart&&) noexcept = default;
  EBB_INLINE ~SweepStart() {}

 private:
  friend struct detail::Access;
  detail::BlockHandle seed_;
  detail::Place place_;
  bool is_double_;
};

struct BackwardOptions {
  bool keep_tape = false;  ///< keeps the records for another sweep
};

/// Adds the gradient of the losses to every Variable that they were computed from, and releases the
/// tape. If the sweep throws, no gradient is added.
/// @throws TapeError if a loss is not on the current tape; ShapeError if it is not a single value
/// and has no seed.
EBB_API void backward(const SweepStart& loss, BackwardOptions options = {});
EBB_API void backward(std::initializer_list<SweepStart> losses, BackwardOptions options = {});
EBB_API void backward(std::span<const SweepStart> losses, BackwardOptions options = {});
/// A list whose length is known at run time.
template <Real T>
void backward(const std::vector<Tensor<T>>& losses, BackwardOptions options = {}) {
  const std::vector<SweepStart> starts(losses.begin(), losses.end());
  backward(std::span<const SweepStart>(starts), options);
}

struct GradOptions {
  bool keep_tape = false;  ///< keeps the records for another sweep
  /// Records the sweep, so that its results can be differentiated, and keeps the tape.
  bool create_graph = false;
};

/// A handle to a variable or a recorded tensor whose gradient is wanted.
template <Real T>
class EBB_API GradientOf {
 public:
  GradientOf(const Operand<T>& x);
  GradientOf(const GradientOf& other);
  GradientOf(GradientOf&&) noexcept = default;
  GradientOf& operator=(GradientOf other) noexcept;
  ~GradientOf();
  const Operand<T>& operand() const;

 private:
  std::variant<Tensor<T>, Variable<T>> held_;
};

/// The gradients of y with respect to each input, which may be anywhere on the tape; zeros if y
/// does not depend on it, or is a constant, such as the gradient of `sum(x)`. It changes no
/// Variable. It releases the tape unless an option keeps it. `seed`, of the shape of y, is used in
/// place of 1.
/// @throws TapeError for a y that is untracked or of another tape, and for an input that is a
/// constant; ShapeError if y is not a single value and has no seed.
template <Real T>
EBB_API std::vector<Tensor<T>> grad(const Tensor<T>& y,
                                    const std::vector<GradientOf<std::type_identity_t<T>>>& inputs,
                                    GradOptions options = {}, const Tensor<T>* seed = nullptr);
/// The gradient of y with respect to one input.
template <Real T>
Tensor<T> grad(const Tensor<T>& y, const Operand<T>& input, GradOptions options = {}) {
  return grad(y, std::vector<GradientOf<T>>{input}, options)[0];
}

}  // namespace ebb::inline v0
