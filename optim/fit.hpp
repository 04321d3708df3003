// SPDX-License-Identifier: BSD-3-Clause
// The training loop:
//
//   const auto loss = [&](const auto& x, const auto& y) { return mse_loss(model(x), y); };
//   optim::EarlyStopping stopping(model, {.patience = 5});
//   const optim::History history = optim::fit(loss, optimizer, loader,
//       {.epochs = 100, .validation = [&] { return loss(test.x, test.y).item(); },
//        .callbacks = {&stopping}});
//   std::cout << history;
//
// What it does can be written by hand from the same parts: a Tape, `backward`, `clip_norm`, `step`
// and `zero_grad`. With the same batches the weights are the same bit for bit.
#pragma once
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/any_optimizer.hpp"
#include "ebb/optim/callbacks/callback.hpp"
#include "ebb/optim/clip.hpp"
#include "ebb/optim/optimizer.hpp"

namespace ebb::inline v0::optim {

/// A number of a model on the whole of some data, such as its accuracy.
struct Metric {
  std::string name;
  std::function<double()> compute;
};

struct FitOptions {
  std::int64_t epochs = 1;  ///< at least 0: loops over the batches
  /// At least 0: of this call, over all epochs.
  std::int64_t steps = std::numeric_limits<std::int64_t>::max();
  double seconds = std::numeric_limits<double>::infinity();
  /// Goes on with a run that a snapshot has restored: `epochs` counts those, too, that the loader
  /// has behind it, and the first one is the rest of that in which the run was saved.
  bool resume = false;
  /// Kept up to date, so that it can be a part of a snapshot: a run that is resumed then has the
  /// whole history. Cleared at the start of a run that is not.
  History* history = nullptr;
  /// At least 1: batches whose gradients make one step together, each weighted by its rows, so that
  /// it is that of one large batch. The last step of an epoch may have fewer.
  std::int64_t accumulate = 1;
  /// Above 0: limit of the norm of all gradients together.
  double clip_norm = std::numeric_limits<double>::infinity();
  /// Above 0: limit of each element, after that.
  double clip_value = std::numeric_limits<double>::infinity();
  /// Called after every epoch, without recording: the loss on other data.
  std::function<double()> validation = {};
  std::vector<Metric> metrics = {};
  std::vector<Callback*> callbacks = {};
  /// Called between the sweep and the step: all gradients are there, and may be changed.
  std::function<void()> before_step = {};
  /// Ctrl-C ends training after the step that it meets, and a line on standard error says how to go
  /// on; a second one ends the program.
  bool catch_interrupt = false;
};

namespace detail {

/// The weights before a step.
class EBB_API WeightsBefore {
 public:
  explicit WeightsBefore(const Parameters& parameters);
  /// The norm of what was added to the weights since, divided by theirs; NaN if that is 0.
  double update_ratio(const Parameters& parameters) const;

 private:
  std::vector<std::variant<Array<float>, Array<double>>> weights_;
};

/// What a training loop counts and decides, whatever its types are.
class EBB_API FitLoop {
 public:
  FitLoop(const FitOptions& options, std::int64_t batches);
  ~FitLoop();
  FitLoop(const FitLoop&) = delete;

  const FitOptions& options() const { return options_; }
  /// Goes on after so many epochs, and batches of the one after them.
  void skip(std::int64_t epochs, std::int64_t batches);
  void start();
  bool begins_epoch();
  /// Whether the next step is the first one of its epoch.
  bool is_first_step() const { return history_.open.steps == 0; }
  void note_update_ratio(double ratio) { history_.open.update_ratio = ratio; }
  /// Counts a batch; true if a step is due.
  bool counts(double loss, std::int64_t rows);
  /// Whether batches wait for a step.
  bool has_batches() const { return waiting_ > 0; }
  /// The options of the step, for gradients of this norm.
  StepOptions step_options(double norm) const;
  /// False if training is over.
  bool after_step(std::int64_t step, double norm, double learning_rate);
  bool after_epoch(std::int64_t steps);
  void end(Ending ending, std::string diagnosis = {});
  /// Tells the callbacks that training is over, and returns what has happened.
  History finish();

 private:
  using Clock = std::chrono::steady_clock;
  /// Of this call.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }
  bool tell(const auto& f);
  void say_how_to_resume();
  /// The factor that makes the gradients of the waiting batches those of their mean.
  double mean_scale() const {
    return options_.accumulate == 1 || waiting_rows_ == 0 ? 1 : 1 / waiting_rows_;
  }

  const FitOptions& options_;
  std::int64_t batches_of_epoch_;
  Clock::time_point began_ = Clock::now();
  History own_history_;
  History& history_;           // its `open` has the sums of the epoch
  double seconds_before_ = 0;  // of the run that is resumed
  bool is_over_ = false, is_told_ = false;
  std::int64_t epoch_ = 0, batches_before_ = 0, steps_ = 0, last_step_ = 0;
  double rate_ = 0;
  // Of the batches that wait for a step.
  std::int64_t waiting_ = 0;
  double waiting_rows_ = 0, waiting_loss_ = 0;
  void (*old_handler_)(int) = nullptr;
};

/// The loss of a batch, for a function of the batch, or of its x and y.
template <class Loss, class Batch>
auto loss_of(Loss& loss, const Batch& batch) {
  if constexpr (requires {
                  batch.x;
                  batch.y;
                  loss(batch.x, batch.y);
                }) {
    return loss(batch.x, batch.y);
  } else {
    return loss(batch);
  }
}
[[noreturn]] EBB_API void refuse_loss(const char* operation, const Shape& shape);
/// The value of a loss. @throws ShapeError, which names the operation, unless it is a single one.
template <class Tensor>
double value_of_loss(const char* operation, const Tensor& loss) {
  if (loss.size() != 1) refuse_loss(operation, loss.shape());
  return double(loss.item());
}
inline Parameters parameters_of(const AnyOptimizer& optimizer) { return optimizer.parameters(); }
/// @throws TapeError if all parameters are frozen, so that a sweep finds nothing.
EBB_API void check_trainable(const char* operation, const Parameters& parameters);
/// The sweep of a loss. @throws TapeError, which says so, if there is nothing to train.
template <class Tensor, class O>
void sweep_loss(const char* operation, const Tensor& loss, O& optimizer) {
  try {
    backward(loss);
  } catch (const TapeError&) {
    check_trainable(operation, parameters_of(optimizer));
    throw;
  }
}
/// The rows of a batch; 1 if it does not tell.
template <class Batch>
std::int64_t rows_of(const Batch& batch) {
  if constexpr (requires { batch.x.shape()[0]; }) return batch.x.shape()[0];
  return 1;
}
/// Batches of an epoch; 0 if they are not counted.
template <class Batches>
std::int64_t count_of(const Batches& batches) {
  if constexpr (requires { std::int64_t(batches.size()); }) return std::int64_t(batches.size());
  return 0;
}
/// Runs the batch again on a tape that checks; what it finds, or that it finds nothing.
template <class Loss, class Batch>
std::string diagnose(Loss& loss, const Batch& batch, const char* what) {
  try {
    Tape tape{{.check_finite = true}};
    backward(loss_of(loss, batch));
  } catch (const NonFiniteError& error) {
    return error.what();
  }
  return std::string(what) + " is not finite, though no operation of the same batch, run again, is";
}
template <class Rule>
double rate_of(Optimizer<Rule>& optimizer) {
  if constexpr (requires { optimizer.groups()[0].rule.learning_rate; }) {
    return optimizer.groups()[0].rule.learning_rate;
  } else {
    return 0;
  }
}
EBB_API double rate_of(const AnyOptimizer& optimizer);

/// `fit` for either kind of optimizer.
template <class Loss, class O, class Batches>
History fit(Loss& loss_of_batch, O& optimizer, Batches& batches, const FitOptions& options) {
  FitLoop loop(options, count_of(batches));
  if (options.resume) {
    if constexpr (requires { batches.position().epoch; }) {
      std::int64_t done = 0;
      if constexpr (requires { batches.batches_left(); }) {
        done = batches.size() - batches.batches_left();
      }
      loop.skip(batches.position().epoch, done);
    } else {
      throw ArgumentError("fit: resume needs batches with a position, as those of data::Loader");
    }
  }
  loop.start();
  const auto step = [&](const auto& batch) {
    if (options.before_step) options.before_step();
    double norm = 0;
    try {
      norm = gradient_norm(optimizer);
    } catch (const NonFiniteError&) {
      optimizer.zero_grad();
      loop.end(Ending::not_finite, diagnose(loss_of_batch, batch, "a gradient"));
      optimizer.zero_grad();
      return false;
    }
    std::optional<WeightsBefore> before;
    if (loop.is_first_step()) before.emplace(parameters_of(optimizer));
    optimizer.step(loop.step_options(norm));
    if (before) loop.note_update_ratio(before->update_ratio(parameters_of(optimizer)));
    optimizer.zero_grad();
    return loop.after_step(optimizer.steps(), norm, rate_of(optimizer));
  };
  while (loop.begins_epoch()) {
    bool goes_on = true;
    std::optional<std::remove_cvref_t<decltype(*std::begin(batches))>> last;
    for (const auto& batch : batches) {
      const std::int64_t rows = rows_of(batch);
      double value = 0;
      {
        Tape tape;
        const auto loss = loss_of(loss_of_batch, batch);
        value = value_of_loss("fit", loss);
        if (std::isfinite(value)) {
          using T = typename std::remove_cvref_t<decltype(loss)>::value_type;
          if (options.accumulate == 1) {
            sweep_loss("fit", loss, optimizer);
          } else {
            sweep_loss("fit", loss * T(rows), optimizer);
          }
        }
      }
      if (!std::isfinite(value)) {
        optimizer.zero_grad();
        loop.end(Ending::not_finite, diagnose(loss_of_batch, batch, "the loss"));
        optimizer.zero_grad();
        goes_on = false;
      } else if (loop.counts(value, rows)) {
        goes_on = step(batch);
      } else {
        last.emplace(batch);
      }
      if (!goes_on) break;
    }
    if (goes_on && loop.has_batches()) goes_on = step(*last);
    if (!loop.after_epoch(optimizer.steps())) break;
  }
  return loop.finish();
}

/// Batches, and a loss of them, of which a compiler that finds them false says no more.
template <class Batches>
constexpr bool has_batches = requires(Batches& batches) {
  *std::begin(batches);
};
template <class Loss, class Batches>
constexpr bool has_loss = requires(Loss& loss, Batches& batches) {
  loss_of(loss, *std::begin(batches)).item();
};
template <class Loss, class O, class Batches>
History fit_checked(Loss& loss_of_batch, O& optimizer, Batches& batches,
                    const FitOptions& options) {
  if constexpr (!has_batches<Batches>) {
    static_assert(has_batches<Batches>,
                  "fit: batches are gone over once an epoch; make some of a data set: "
                  "data::Loader loader(dataset, {.batch_size = 32})");
    return {};
  } else if constexpr (!has_loss<Loss, Batches>) {
    static_assert(has_loss<Loss, Batches>,
                  "fit: the loss of a batch must be a tensor, not its item(): "
                  "[&](const auto& x, const auto& y) { return mse_loss(model(x), y); }");
    return {};
  } else {
    return detail::fit(loss_of_batch, optimizer, batches, options);
  }
}

}  // namespace detail

/// Trains by mini-batches: for every batch, the sweep of `loss_of_batch(batch)`, or of
/// `loss_of_batch(x, y)` for batches with these, then a step of the optimizer. `batches` is gone
/// over once an epoch, as a `data::Loader`.
///
/// A loss or a gradient that is not finite ends training before its step; the history says which
/// operation it came from. Gradients are absent afterwards.
/// @throws ArgumentError for options out of their range, ShapeError for a loss that is not a single
/// value, and what the loss or a callback throws.
template <class Loss, class Rule, class Batches>
History fit(Loss&& loss_of_batch, Optimizer<Rule>& optimizer, Batches&& batches,
            const FitOptions& options = {}) {
  return detail::fit_checked(loss_of_batch, optimizer, batches, options);
}
template <class Loss, class Batches>
History fit(Loss&& loss_of_batch, AnyOptimizer& optimizer, Batches&& batches,
            const FitOptions& options = {}) {
  return detail::fit_checked(loss_of_batch, optimizer, batches, options);
}

}  // namespace ebb::inline v0::optim
