// SPDX-License-Identifier: BSD-3-Clause
// Figures of a training, to be saved, or changed before:
//
//   plot::save(plot::training_curves(history), "training.svg");
#pragma once
#include "ebb/optim/callbacks/history.hpp"
#include "ebb/optim/trials.hpp"
#include "ebb/tools/plot/figure.hpp"

namespace ebb::inline v0::plot {

/// The history of a training over its epochs: losses, metrics if there are some, norms of gradients
/// with the update ratio, and the learning rate. Positive losses, norms and rates
/// are on logarithmic axes.
/// @throws ArgumentError for a history without an epoch.
Panels training_curves(const optim::History& history);

/// A training with a name for the legend.
struct NamedRun {
  std::string name;
  const optim::History& history;
};
/// The validation losses of several runs, or the losses where a run has no validation.
/// @throws ArgumentError for a list without a run and for a run without an epoch.
Figure compare_runs(const std::vector<NamedRun>& runs);

/// The loss over the learning rate, as it is and smoothed, with the suggestion.
/// @throws ArgumentError for a curve without a rate.
Figure learning_rate_curve(const optim::LearningRateCurve& curve);

}  // namespace ebb::inline v0::plot
