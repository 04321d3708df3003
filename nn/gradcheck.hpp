// SPDX-License-Identifier: BSD-3-Clause
// A check of the gradients of a whole model.
#pragma once
#include <functional>

#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/nn/model_ref.hpp"

namespace ebb::inline v0::nn {

/// Checks the derivatives of f() in all parameters of type double of a model that are not frozen,
/// as `ebb::check_gradients`: `check_gradients(model, [&] { return mse_loss(model(x), y); })`. f is
/// called many times, each time with the streams, running moments and modes that the model has now,
/// so that a Dropout leaves out the same elements; the model is as before at the end. The reason of
/// a failure names the parameter.
/// @throws ArgumentError for a model that has no such parameter.
EBB_API GradientReport check_gradients(ModelRef model, const std::function<Tensor<double>()>& f,
                                       const GradientCheckOptions& options = {});

}  // namespace ebb::inline v0::nn
