// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/tape.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

using detail::Access;
using detail::Argument;
using detail::Block;
using detail::Place;
using detail::Records;
using detail::Sweep;

/// The innermost scope of this thread that was opened and not yet closed.
constinit thread_local detail::RecordingFrame* innermost = nullptr;

EBB_INLINE void open(detail::RecordingFrame& frame, Records* records) {
  frame = {records, detail::exchange_records(records), innermost};
  innermost = &frame;
}

/// Closes a scope inside of which others are still open: takes it out from between them.
void close_between(detail::RecordingFrame& frame, const char* name) {
  detail::RecordingFrame* inner = innermost;
  while (inner && inner->outer != &frame) inner = inner->outer;
  if (!inner) {
    std::fprintf(stderr,
                 "ebb: a %s was destroyed by another thread than made it; it belongs to one\n",
                 name);
    std::abort();
  }
  inner->outer = frame.outer;
  if (inner->before == frame.records) inner->before = frame.before;
}

EBB_INLINE void close(detail::RecordingFrame& frame, const char* name) {
  if (innermost != &frame) [[unlikely]]
    return close_between(frame, name);
  innermost = frame.outer;
  if (detail::current_records() == frame.records) detail::exchange_records(frame.before);
}

// The records of a finished tape are used for the next one of this thread, so that a training loop
// with one tape for each step allocates nothing.
struct Spare {
  std::vector<std::unique_ptr<Records>> tapes;
};
Spare& spare() {
  thread_local Spare spare;
  return spare;
}

/// The current tape.
Records& tape_for(std::string_view operation) {
  if (Records* tape = detail::current_records()) return *tape;
  throw TapeError(std::string(operation) +
                  ": no tape records here; open a Tape before computing the loss");
}

/// The tape for a sweep of y.
Records& tape_of(std::string_view operation, Place place) {
  const Records* current = detail::current_records();
  const bool is_recorded = place.tape >= Place::first_tape;
  if (is_recorded && !current) {
    throw TapeError(std::string(operation) +
                    ": the tape that recorded the output has ended; sweep before the end of its "
                    "scope");
  }
  if (is_recorded && place.tape != current->generation()) {
    throw TapeError(std::string(operation) +
                    ": the output is on another tape, or its tape was released by an earlier "
                    "sweep; {.keep_tape = true} for that one keeps it");
  }
  Records& tape = tape_for(operation);
  if (tape.admit(operation, place) == Argument::constant) {
    throw TapeError(std::string(operation) +
                    ": the output does not depend on any Variable or watched tensor of the tape; a "
                    "Variable that is frozen counts as a constant until unfreeze()");
  }
  return tape;
}

template <class T>
void check_single(const char* operation, const Tensor<T>& y) {
  if (y.size() == 1) return;
  throw ShapeError(std::string(operation) + ": the output has shape " + to_string(y.shape()) +
                   " and is not a single value; reduce it by mean() or sum(), or give a seed");
}

/// The gradient of an output with respect to itself: ones.
template <class T>
Block* one_for(const Shape& shape) {
  Block* one = detail::allocate(shape, sizeof(T));
  *one->template data<T>() = 1;
  return one;
}

/// The gradient 1 of a scalar output, on the stack: most sweeps start here. Marked uniform, so the
/// sweep neither writes to it nor keeps it.
template <class T>
class ScalarOne {
 public:
  ScalarOne() = default;
  ~ScalarOne() { assert(block_.is_sole()); }
  ScalarOne(const ScalarOne&) = delete;
  Block* get() {
    static_assert(offsetof(ScalarOne, value_) == sizeof(Block));
    return detail::retain(&block_);
  }

 private:
  Block block_{1, 0, 0, Block::uniform, Shape()};
  T value_ = 1;  // the elements of a block follow its header
};

/// Empties the tape at the end of the sweep, even if it throws.
class Release {
 public:
  Release(Records& tape, bool active) : tape_(tape), active_(active) {}
  ~Release() {
    if (active_) tape_.reset();
  }

 private:
  Records& tape_;
  bool active_;
};

/// Gives a sweep the gradient from which it starts.
template <class T>
void begin(Sweep& sweep, const detail::Access::Start& start, ScalarOne<T>& one) {
  Block* const gradient = start.seed ? detail::retain(start.seed) : one.get();
  sweep.give(start.place.record, Access::tensor<T>(gradient));
}

EBB_HOT void sweep_from(std::span<const SweepStart> starts, BackwardOptions options) {
  if (starts.size() == 0) throw ArgumentError("backward: no losses");
  std::uint32_t high = 0;
  Records* tape = nullptr;
  for (const SweepStart& loss : starts) {
    const Place place = Access::start(loss).place;
    tape = &tape_of("backward", place);
    high = std::max(high, place.record);
  }
  const Release release(*tape, !options.keep_tape);
  ScalarOne<float> one_f;
  ScalarOne<double> one_d;
  Sweep sweep(*tape, 1, high, {.record = false, .consume = !options.keep_tape, .commits = true});
  for (const SweepStart& loss : starts) {
    const auto start = Access::start(loss);
    if (start.is_double) {
      begin(sweep, start, one_d);
    } else {
      begin(sweep, start, one_f);
    }
  }
  sweep.run();
  sweep.commit();
}

}  // namespace

EBB_HOT Tape::Tape(TapeOptions options) {
  auto& tapes = spare().tapes;
  if (tapes.empty()) tapes.push_back(std::make_unique<Records>());
  records_ = tapes.back().release();
  tapes.pop_back();
  // Inside a tape that checks, this one checks, too: a checkpoint runs its part on a separate tape.
  const Records* around = detail::current_records();
  const bool check_finite = options.check_finite || (around && around->checks_finite());
  if (check_finite || options.keep_values) records_->observe(check_finite, options.keep_values);
  open(frame_, records_);
}

EBB_HOT Tape::~Tape() {
  close(frame_, "Tape");
  records_->reset();
  if (records_->observes()) [[unlikely]]
    records_->observe(false, false);
  std::unique_ptr<Records> finished(records_);
  if (spare().tapes.size() < spare().tapes.capacity()) {
    spare().tapes.push_back(std::move(finished));  // does not throw, since there is capacity
  }
}

template <Real T>
Tensor<T> Tape::watch(const Operand<T>& x) {
  const Tensor<T> given = Access::as_tensor(x, "watch");
  return detail::identity_record(*records_, records_->admit("watch", Access::place(given)), given);
}
EBB_OVERLOAD_FOR_REALS(Tape::watch, Tensor<T>(const Operand<T>&))

std::int64_t Tape::size() const { return records_->last(); }
void Tape::release() { records_->reset(); }

NoRecord::NoRecord() { open(frame_, nullptr); }
NoRecord::~NoRecord() { close(frame_, "NoRecord"); }

template <Real T>
EBB_HOT SweepStart::SweepStart(const Tensor<T>& y)
    : place_(Access::place(y)), is_double_(sizeof(T) == 8) {
  check_single("backward", y);
  if (y.rank() > 0) seed_ = detail::BlockHandle(one_for<T>(y.shape()));
}

template <Real T>
SweepStart::SweepStart(const Tensor<T>& y, const Array<T>& seed)
    : place_(Access::place(y)), is_double_(sizeof(T) == 8) {
  if (seed.empty()) {
    seed_ = std::move(SweepStart(y).seed_);
  } else if (seed.shape() == y.shape()) {
    seed_ = detail::BlockHandle(detail::retain(Access::block(seed)));
  } else {
    throw ShapeError("backward: a seed of shape " + to_string(seed.shape()) +
                     " for an output of shape " + to_string(y.shape()));
  }
}

void backward(const SweepStart& loss, BackwardOptions options) {
  sweep_from(std::span(&loss, 1), options);
}
void backward(std::initializer_list<SweepStart> losses, BackwardOptions options) {
  sweep_from(std::span(losses.begin(), losses.size()), options);
}
void backward(std::span<const SweepStart> losses, BackwardOptions options) {
  sweep_from(losses, options);
}

namespace {

template <class T>
std::variant<Tensor<T>, Variable<T>> handle_to(const Operand<T>& x) {
  if (auto* cell = Access::cell(x)) return Access::variable<T>(detail::retain(cell));
  return Access::as_tensor(x, "grad");
}

}  // namespace

template <Real T>
GradientOf<T>::GradientOf(const Operand<T>& x) : held_(handle_to(x)) {}
template <Real T>
GradientOf<T>::GradientOf(const GradientOf& other) : GradientOf(other.operand()) {}
template <Real T>
GradientOf<T>& GradientOf<T>::operator=(GradientOf other) noexcept {
  held_.swap(other.held_);
  return *this;
}
template <Real T>
GradientOf<T>::~GradientOf() = default;
template <Real T>
const Operand<T>& GradientOf<T>::operand() const {
  return std::visit([](const auto& x) -> const Operand<T>& { return x; }, held_);
}
template class GradientOf<float>;
template class GradientOf<double>;

template <Real T>
std::vector<Tensor<T>> grad(const Tensor<T>& y,
                            const std::vector<GradientOf<std::type_identity_t<T>>>& inputs,
                            GradOptions options, const Tensor<T>* seed) {
  if (!Access::place(y).is_constant()) tape_of("grad", Access::place(y));
  Records& tape = tape_for("grad");
  // 0 for a constant, such as the gradient of sum(x), which has gradients of zeros.
  const std::uint32_t high = tape.admit("grad", Access::place(y));
  if (y.empty()) detail::throw_empty_operand("grad");
  if (seed && !(seed->shape() == y.shape())) {
    throw ShapeError("grad: a seed of shape " + to_string(seed->shape()) +
                     " for an output of shape " + to_string(y.shape()));
  }
  if (!seed) check_single("grad", y);
  const Tensor<T> start = seed ? *seed : Access::tensor<T>(one_for<T>(y.shape()));
  std::uint32_t low = high;
  std::vector<std::uint32_t> ids;
  std::vector<Shape> shapes;
  for (const auto& wanted : inputs) {
    const auto from = Access::contents(wanted.operand(), "grad");
    if (from.is_number()) detail::throw_empty_operand("grad");
    // A variable that was not used has a gradient of zeros.
    const std::uint32_t id =
        from.cell ? tape.find_leaf(from.cell) : tape.admit("grad", from.tensor);
    if (id == 0 && !from.cell) {
      throw TapeError(
          Access::cell(wanted.operand())
              ? "grad: an input is a frozen Variable; unfreeze() makes it trainable"
              : "grad: an input is a constant; make it a leaf with tape.watch(x) first");
    }
    shapes.push_back(from.block->shape);
    ids.push_back(id);
    if (id) low = std::min(low, id);
  }
  const bool keep = options.keep_tape || options.create_graph;
  const Release release(tape, !keep);
  std::vector<Tensor<T>> gradients;
  if (high == Argument::constant) {
    for (const Shape& shape : shapes) gradients.push_back(Array<T>::zeros(shape));
    return gradients;
  }
  Sweep sweep(tape, low, high, {.record = options.create_graph, .consume = !keep});
  sweep.restrict_to(ids);
  {
    const detail::RecordingScope to(options.create_graph ? &tape : nullptr);
    sweep.give(high, Tensor<T>(start));
  }
  sweep.run();
  for (std::size_t k = 0; k < ids.size(); ++k) {
    Tensor<T> g;
    if (ids[k] >= low && ids[k] <= high) g = sweep.arrived<T>(ids[k]);
    gradients.push_back(g.empty() ? Tensor<T>(Array<T>::zeros(shapes[k])) : std::move(g));
  }
  return gradients;
}
EBB_OVERLOAD_FOR_REALS(grad,
                       std::vector<Tensor<T>>(const Tensor<T>&, const std::vector<GradientOf<T>>&,
                                              GradOptions, const Tensor<T>*))

template SweepStart::SweepStart(const Tensor<float>&);
template SweepStart::SweepStart(const Tensor<double>&);
template SweepStart::SweepStart(const Tensor<float>&, const Array<float>&);
template SweepStart::SweepStart(const Tensor<double>&, const Array<double>&);

}  // namespace ebb::inline v0
