// SPDX-License-Identifier: BSD-3-Clause
// Progress of training for the eye.
#pragma once
#include <chrono>
#include <iosfwd>

#include "ebb/optim/callbacks/callback.hpp"

namespace ebb::inline v0::optim {

/// Prints a line an epoch, at most `lines` of them in all if the number of epochs is known; on a
/// terminal, meanwhile, a bar with the loss and the time that is left of the epoch.
class EBB_API PrintProgress : public Callback {
 public:
  /// To standard error. `epochs` is the number of epochs to come, 0 if it is not known.
  explicit PrintProgress(std::int64_t epochs = 0, std::int64_t lines = 20);
  /// To a stream, as a terminal or not.
  PrintProgress(std::ostream& out, bool is_terminal, std::int64_t epochs = 0,
                std::int64_t lines = 20);

  bool after_step(const StepRecord& step) override;
  bool after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names) override;
  void at_end() override;

 private:
  using Clock = std::chrono::steady_clock;
  void clear_bar();

  std::ostream& out_;
  bool is_terminal_;
  std::int64_t epochs_, every_;
  bool has_bar_ = false;
  std::int64_t epoch_ = 0;
  Clock::time_point began_ = Clock::now(), drawn_;
};

}  // namespace ebb::inline v0::optim
