// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/callbacks/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace ebb::inline v0::optim {

PrintProgress::PrintProgress(std::int64_t epochs, std::int64_t lines)
    : PrintProgress(std::cerr, isatty(STDERR_FILENO) != 0, epochs, lines) {}

PrintProgress::PrintProgress(std::ostream& out, bool is_terminal, std::int64_t epochs,
                             std::int64_t lines)
    : out_(out),
      is_terminal_(is_terminal),
      epochs_(epochs),
      every_(std::max<std::int64_t>(1, epochs / std::max<std::int64_t>(1, lines))) {}

bool PrintProgress::after_step(const StepRecord& step) {
  if (!is_terminal_) return true;
  // Looking at the clock and drawing would take longer than a small step.
  const auto now = Clock::now();
  if (step.epoch != epoch_) {
    epoch_ = step.epoch;
    began_ = drawn_ = now;
  }
  if (now - drawn_ < std::chrono::milliseconds(100)) return true;
  drawn_ = now;
  char text[160];
  const double seconds = std::chrono::duration<double>(now - began_).count();
  if (step.of > 0) {
    const double part = double(step.batches) / double(step.of);
    const int full = int(20 * part);
    std::snprintf(text, sizeof text,
                  "\r\033[Kepoch %lld [%.*s%.*s] %lld/%lld  loss %.5g  %.0f s left",
                  static_cast<long long>(step.epoch), full, "####################", 20 - full,
                  "....................", static_cast<long long>(step.batches),
                  static_cast<long long>(step.of), step.loss, std::ceil(seconds / part - seconds));
  } else {
    std::snprintf(text, sizeof text, "\r\033[Kepoch %lld  batch %lld  loss %.5g  %.0f s",
                  static_cast<long long>(step.epoch), static_cast<long long>(step.batches),
                  step.loss, seconds);
  }
  out_ << text << std::flush;
  has_bar_ = true;
  return true;
}

bool PrintProgress::after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names) {
  clear_bar();
  if (epoch.epoch % every_ != 0 && epoch.epoch != 1 && epoch.epoch != epochs_) return true;
  char text[64];
  const auto print = [&](const char* name, double value) {
    std::snprintf(text, sizeof text, "  %s %.6g", name, value);
    out_ << text;
  };
  std::snprintf(text, sizeof text, "epoch %4lld", static_cast<long long>(epoch.epoch));
  out_ << text;
  print("loss", epoch.loss);
  if (epoch.has_validation) print("validation", epoch.validation);
  for (std::size_t i = 0; i < names.size(); ++i) print(names[i].c_str(), epoch.metrics[i]);
  out_ << std::endl;
  return true;
}

void PrintProgress::at_end() { clear_bar(); }

void PrintProgress::clear_bar() {
  if (has_bar_) out_ << "\r\033[K" << std::flush;
  has_bar_ = false;
}

}  // namespace ebb::inline v0::optim
