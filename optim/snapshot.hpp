// SPDX-License-Identifier: BSD-3-Clause
// A snapshot: one file with the state of everything that is given, from which a run goes on as if
// nothing had happened.
//
//   optim::save_snapshot("run.safetensors", {{"model", model}, {"optimizer", optimizer},
//                                            {"loader", loader}, {"stream", default_stream()}});
//   optim::load_snapshot("run.safetensors", ...the same...);
#pragma once
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "ebb/data/files/state.hpp"
#include "ebb/optim/callbacks/callback.hpp"

namespace ebb::inline v0::optim {

/// Writes the state of all parts as a safetensors file, under the names "model.weight",
/// "optimizer.steps", ...; whole or not at all.
/// @throws ArgumentError for two equal names; FileError when the file cannot be written.
EBB_API void save_snapshot(const std::string& path, const std::vector<data::StatePart>& parts);

/// Gives all parts the state of a file. Either all of it, or, after an error, none.
/// @throws FileError for a file that cannot be read, that is no snapshot, or that does not fit: it
/// lists what is missing, what is too much, and what has another type or shape.
EBB_API void load_snapshot(const std::string& path, const std::vector<data::StatePart>& parts);

struct SaveSnapshotsOptions {
  std::int64_t steps = std::numeric_limits<std::int64_t>::max();  ///< at least 1: steps between two
  double minutes = 5;                                             ///< above 0: minutes between two
  std::int64_t keep = 2;  ///< at least 1: older ones are removed
};

/// Saves snapshots while `fit` runs, and a last one at its end: "base-000000123.safetensors" after
/// step 123. Put it behind callbacks whose state it saves. One that is due at the end of an epoch
/// is saved after its validation.
class EBB_API SaveSnapshots : public Callback {
 public:
  SaveSnapshots(std::string base, std::vector<data::StatePart> parts,
                SaveSnapshotsOptions options = {});
  /// @throws ArgumentError if a run was loaded, and `fit` is not told to go on with it.
  bool at_start(bool is_resumed) override;
  bool after_step(const StepRecord& step) override;
  bool after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names) override;
  void before_end() override;
  std::string saved() const override { return last_file_; }

  /// Loads the latest snapshot that can be read and fits; one that cannot is passed over. False if
  /// there is none.
  /// @throws FileError of the latest one if there are some and none can be loaded.
  bool load_latest();

 private:
  void save(std::int64_t step);
  std::vector<std::string> files() const;  // the latest first

  using Clock = std::chrono::steady_clock;
  std::string base_;
  std::vector<data::StatePart> parts_;
  SaveSnapshotsOptions options_;
  Clock::time_point saved_ = Clock::now();
  std::int64_t last_step_ = -1, saved_step_ = -1;
  bool is_due_ = false, has_loaded_ = false;
  std::string last_file_;
};

}  // namespace ebb::inline v0::optim
