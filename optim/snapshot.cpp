// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/snapshot.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/safetensors.hpp"

namespace ebb::inline v0::optim {
namespace {

constexpr const char* format = "ebb snapshot 1";

}  // namespace

void save_snapshot(const std::string& path, const std::vector<data::StatePart>& parts) {
  data::NamedArrays state = data::detail::state_of(parts);
  state.metadata["format"] = format;
  data::write_safetensors(path, state);
}

void load_snapshot(const std::string& path, const std::vector<data::StatePart>& parts) {
  const data::NamedArrays state = data::read_safetensors(path);
  const auto found = state.metadata.find("format");
  if (found == state.metadata.end() || found->second != format) {
    throw FileError(path + ": this is no snapshot: its metadata lacks \"format\": \"" + format +
                    '"');
  }
  const std::vector<std::string> differences = data::detail::differences(state, parts);
  if (!differences.empty()) {
    constexpr std::size_t most = 20;
    std::string list;
    for (std::size_t i = 0; i < std::min(most, differences.size()); ++i)
      list += "\n  " + differences[i];
    if (differences.size() > most)
      list += "\n  and " + std::to_string(differences.size() - most) + " more";
    throw FileError(path + ": the snapshot does not fit, and nothing was loaded:" + list);
  }
  // A part may refuse what it is given, as a loader of other data does.
  const data::NamedArrays before = data::detail::state_of(parts);
  try {
    data::detail::give_state(state, parts);
  } catch (const ArgumentError& error) {
    data::detail::give_state(before, parts);
    throw FileError(path + ": the snapshot does not fit, and nothing was loaded:\n  " +
                    error.what());
  }
}

SaveSnapshots::SaveSnapshots(std::string base, std::vector<data::StatePart> parts,
                             SaveSnapshotsOptions options)
    : base_(std::move(base)), parts_(std::move(parts)), options_(options) {
  const auto check = [](bool holds, const char* what) {
    if (!holds) throw ArgumentError(std::string("SaveSnapshots: ") + what);
  };
  check(options_.steps >= 1, "steps must be at least 1");
  check(options_.minutes > 0, "minutes must be above 0");
  check(options_.keep >= 1, "keep must be at least 1");
}

bool SaveSnapshots::at_start(bool is_resumed) {
  if (std::exchange(has_loaded_, false) && !is_resumed) {
    throw ArgumentError(
        "fit: load_latest() has restored a run, and resume is false: set .resume = true to go on "
        "with it");
  }
  return true;
}

bool SaveSnapshots::after_step(const StepRecord& step) {
  last_step_ = step.step;
  is_due_ = is_due_ || step.is_last || step.step % options_.steps == 0 ||
            std::chrono::duration<double>(Clock::now() - saved_).count() >= 60 * options_.minutes;
  // At the end of an epoch, its validation and what callbacks make of it belong to the state.
  if (is_due_ && !step.ends_epoch()) save(step.step);
  return true;
}

bool SaveSnapshots::after_epoch(const EpochRecord&, const std::vector<std::string>&) {
  if (is_due_) save(last_step_);
  return true;
}

void SaveSnapshots::before_end() {
  if (last_step_ >= 0 && saved_step_ != last_step_) save(last_step_);
}

void SaveSnapshots::save(std::int64_t step) {
  char name[32];
  std::snprintf(name, sizeof name, "-%09lld.safetensors", static_cast<long long>(step));
  last_file_ = base_ + name;
  save_snapshot(last_file_, parts_);
  saved_ = Clock::now();
  saved_step_ = step;
  is_due_ = false;
  const std::vector<std::string> all = files();
  for (std::size_t i = std::size_t(options_.keep); i < all.size(); ++i)
    std::filesystem::remove(all[i]);
}

std::vector<std::string> SaveSnapshots::files() const {
  const std::filesystem::path base(base_);
  const auto folder = base.has_parent_path() ? base.parent_path() : std::filesystem::path(".");
  const std::string stem = base.filename().string() + '-', end = ".safetensors";
  std::vector<std::string> found;
  if (!std::filesystem::is_directory(folder)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.size() != stem.size() + 9 + end.size() || !name.starts_with(stem) ||
        !name.ends_with(end)) {
      continue;
    }
    const auto digits = name.substr(stem.size(), 9);
    if (std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
      found.push_back(entry.path().string());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

bool SaveSnapshots::load_latest() {
  const std::vector<std::string> all = files();
  std::string first_error;
  for (const std::string& file : all) {
    try {
      load_snapshot(file, parts_);
      has_loaded_ = true;
      return true;
    } catch (const FileError& error) {
      if (first_error.empty()) first_error = error.what();
    }
  }
  if (all.empty()) return false;
  throw FileError(first_error);
}

}  // namespace ebb::inline v0::optim
