// SPDX-License-Identifier: BSD-3-Clause
// What happened in training.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

#include "ebb/autodiff/values/fields.hpp"

namespace ebb::inline v0::optim {

/// Why training ended.
enum class Ending {
  epochs,       ///< all epochs are done
  steps,        ///< all steps are done
  callback,     ///< a callback wanted no more, as early stopping
  time,         ///< as many seconds as were allowed
  not_finite,   ///< the loss or a gradient is NaN or infinite; the step was not made
  interrupted,  ///< the program was asked to end, by Ctrl-C
};
EBB_API std::string to_string(Ending ending);
EBB_API std::ostream& operator<<(std::ostream& out, Ending ending);

/// One epoch, or the part of it that was done.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t steps = 0;  ///< steps of the optimizer so far
  double loss = 0;         ///< mean over the rows of the epoch, each with the weights of its batch
  bool has_validation = false;
  double validation = std::numeric_limits<double>::quiet_NaN();  ///< NaN if nothing computes it
  std::vector<double> metrics = {};                              ///< by the names of the history
  double gradient_norm = 0;  ///< mean over steps, before clipping
  double clipped_norm = 0;   ///< mean over steps, after it
  /// What the first step of the epoch added to the weights: its norm, divided by theirs.
  double update_ratio = std::numeric_limits<double>::quiet_NaN();
  double learning_rate = 0;  ///< that of the first group, at the last step
  double seconds = 0;        ///< since the start of training
};

namespace detail {

/// What has been added up of an epoch that is not over.
struct EBB_API OpenEpoch {
  std::int64_t epoch = 0, batches = 0, steps = 0;
  double rows = 0, loss = 0, gradient_norm = 0, clipped_norm = 0;
  double update_ratio = std::numeric_limits<double>::quiet_NaN();
  double seconds = 0;
  void each(Fields& field);
};

}  // namespace detail

/// All epochs of a training. Printed, it is a table.
struct EBB_API History {
  std::vector<std::string> metrics;
  std::vector<EpochRecord> epochs;
  Ending ending = Ending::epochs;
  /// Of what was not finite: the operation, as a tape that checks finds it.
  std::string diagnosis;
  /// Of a run that was interrupted: the file that holds its state, and how to go on.
  std::string how_to_resume;
  detail::OpenEpoch open;

  /// Visits all of it, so that a snapshot may hold it.
  void each(Fields& field);

  /// Columns epoch, steps, loss, validation, the metrics, gradient_norm, clipped_norm,
  /// update_ratio, learning_rate, seconds. Numbers are read back as they were; NaN is an empty
  /// cell.
  /// @throws FileError if the file cannot be written.
  void write_csv(const std::string& path) const;
  /// One JSON object a line, with the same names; NaN is null.
  void write_json_lines(const std::string& path) const;
};
EBB_API std::ostream& operator<<(std::ostream& out, const History& history);

}  // namespace ebb::inline v0::optim
