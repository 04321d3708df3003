// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/callbacks/callback.hpp"

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {

Callback::~Callback() = default;
bool Callback::at_start(bool) { return true; }
bool Callback::after_step(const StepRecord&) { return true; }
bool Callback::after_epoch(const EpochRecord&, const std::vector<std::string>&) { return true; }
void Callback::before_validation() {}
void Callback::after_validation() {}
void Callback::before_end() {}
void Callback::at_end() {}
std::string Callback::saved() const { return {}; }
void Callback::each(Parts&) {}

double detail::watched(const EpochRecord& epoch, const std::vector<std::string>& names,
                       const std::string& name) {
  if (name == "loss") return epoch.loss;
  if (name == "validation" && epoch.has_validation) return epoch.validation;
  std::string known = epoch.has_validation ? "\"loss\", \"validation\"" : "\"loss\"";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return epoch.metrics[i];
    known += ", \"" + names[i] + '"';
  }
  throw ArgumentError("a callback follows \"" + name + "\"; an epoch has " + known +
                      "; FitOptions::validation and metrics add to it");
}

}  // namespace ebb::inline v0::optim
