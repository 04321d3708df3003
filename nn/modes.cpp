// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/modes.hpp"

namespace ebb::inline v0::nn {
namespace {

/// Collects the modes of a walk.
class ModeFinder : public Parts {
 public:
  std::vector<Mode*> found;

 protected:
  void part(const std::string&, Part part) override {
    if (Mode** const mode = std::get_if<Mode*>(&part)) found.push_back(*mode);
  }
  void value(const std::string&, Value) override {}
};

std::vector<Mode*> modes(ModelRef model) {
  ModeFinder finder;
  model.each(finder);
  return std::move(finder.found);
}

void set_mode(ModelRef model, Mode mode) {
  for (Mode* const one : modes(model)) *one = mode;
  ebb::detail::label(ebb::parameters(model));
}

}  // namespace

void train(ModelRef model) { set_mode(model, Mode::training); }
void eval(ModelRef model) { set_mode(model, Mode::evaluation); }

EvaluationScope::EvaluationScope(ModelRef model) {
  for (Mode* const mode : modes(model))
    modes_.emplace_back(mode, std::exchange(*mode, Mode::evaluation));
}
EvaluationScope::~EvaluationScope() {
  for (const auto& [mode, before] : modes_) *mode = before;
}

void freeze(ModelRef model) {
  apply(model, [](const std::string&, auto& variable) { variable.freeze(); });
}
void unfreeze(ModelRef model) {
  apply(model, [](const std::string&, auto& variable) { variable.unfreeze(); });
}

}  // namespace ebb::inline v0::nn
