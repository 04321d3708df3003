// SPDX-License-Identifier: BSD-3-Clause
// What may look on while a model is trained.
#pragma once
#include "ebb/autodiff/parts.hpp"
#include "ebb/optim/callbacks/history.hpp"

namespace ebb::inline v0::optim {

/// One step of training.
struct StepRecord {
  std::int64_t epoch;    ///< from 1
  std::int64_t step;     ///< steps of the optimizer, this one included
  std::int64_t batches;  ///< of this epoch, done so far
  std::int64_t of;       ///< batches of an epoch; 0 if that is not known
  double loss;           ///< mean over the rows of the step
  double gradient_norm, clipped_norm;
  double learning_rate;
  bool is_last = false;  ///< training ends here: all steps are done, the time is up, or Ctrl-C

  bool ends_epoch() const { return batches == of; }
};

/// Looks on, and may end training. Every function does nothing by default.
class EBB_API Callback {
 public:
  virtual ~Callback();
  /// Called once, before the first batch; `is_resumed` is FitOptions::resume. False ends training
  /// there.
  virtual bool at_start(bool is_resumed);
  /// False ends training.
  virtual bool after_step(const StepRecord& step);
  /// Called around the validation and the metrics of an epoch, and `after_epoch` of all callbacks.
  virtual void before_validation();
  virtual void after_validation();
  /// False ends training. `names` are those of the metrics.
  virtual bool after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names);
  /// Called once, for all callbacks before `at_end` of the first, also if training ends by an
  /// exception: the weights are still those of the last step.
  virtual void before_end();
  /// Called once, also if training ends by an exception.
  virtual void at_end();
  /// The file that holds the state of the run now; empty if there is none.
  virtual std::string saved() const;
  /// What it has to remember between two runs.
  virtual void each(Parts& part);
};

namespace detail {

/// The number of an epoch with this name: "loss", "validation", or a metric.
/// @throws ArgumentError for another name.
double watched(const EpochRecord& epoch, const std::vector<std::string>& names,
               const std::string& name);

}  // namespace detail
}  // namespace ebb::inline v0::optim
