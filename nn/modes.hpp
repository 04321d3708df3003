// SPDX-License-Identifier: BSD-3-Clause
// Whether a model is trained or used, and which of its parameters are trained.
#pragma once
#include <utility>
#include <vector>

#include "ebb/nn/model_ref.hpp"

namespace ebb::inline v0::nn {

/// Tells all layers that they are trained: Dropout draws, BatchNorm uses the moments of the batch.
EBB_API void train(ModelRef model);
/// Tells all layers that they are used: Dropout does nothing, BatchNorm uses its running moments.
EBB_API void eval(ModelRef model);

/// Until the end of the scope, a model is in evaluation; then every layer is in its mode before.
class EBB_API EvaluationScope {
 public:
  explicit EvaluationScope(ModelRef model);
  ~EvaluationScope();
  EvaluationScope(const EvaluationScope&) = delete;

 private:
  std::vector<std::pair<Mode*, Mode>> modes_;
};

/// Makes all parameters constants, which get no gradient and are passed over by optimizers:
/// `freeze(model.encoder)`. The running moments of a BatchNorm are no parameters, and move in
/// training: `eval(model.encoder)` stops them, and Dropout.
EBB_API void freeze(ModelRef model);
/// Makes all parameters trainable again.
EBB_API void unfreeze(ModelRef model);

/// Calls f(name, variable) for each parameter, in its own element type; tied ones once:
/// `apply(model, [&](const std::string& name, auto& variable) { ... })`.
template <class F>
EBB_INLINE void apply(ModelRef model, const F& f) {
  for (Parameter& parameter : ebb::parameters(model))
    parameter.visit([&](auto& variable) EBB_LAMBDA { f(parameter.name(), variable); });
}

}  // namespace ebb::inline v0::nn
