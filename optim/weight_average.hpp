// SPDX-License-Identifier: BSD-3-Clause
// Averages of weights over the steps of training, which often predict better than the last weights.
#pragma once
#include <variant>
#include <vector>

#include "ebb/optim/callbacks/callback.hpp"

namespace ebb::inline v0::optim {

struct WeightAverageOptions {
  /// In [0, 1): average <- decay average + (1 - decay) weight, an exponential moving average. The
  /// mean of all updates for a negative number, stochastic weight averaging (Izmailov et al. 2018).
  double decay = 0.999;
};

/// The average of each parameter. Call `update` after every step, or after every epoch.
///
///     optim::WeightAverage average(model);
///     ...                     // train: optimizer.step(); average.update();
///     average.swap();         // the model has the averages now
///     ...                     // evaluate, save
///     average.swap();         // and its own weights again
class EBB_API WeightAverage {
 public:
  /// The averages start at the weights as they are.
  /// @throws ArgumentError for a decay of 1 or more, and NaN.
  template <class M>
  requires(!std::same_as<std::remove_const_t<M>, Parameters> &&
           !std::same_as<std::remove_const_t<M>,
                         WeightAverage>) explicit WeightAverage(M& model,
                                                                WeightAverageOptions options = {})
      : WeightAverage(ebb::parameters(model), options) {}
  explicit WeightAverage(Parameters parameters, WeightAverageOptions options = {});

  /// Takes the weights as they are into the average. The first update of a mean replaces the start.
  /// @throws ArgumentError while the averages are swapped in.
  void update();
  /// Exchanges the weights and the averages.
  void swap();
  /// Whether the model has the averages.
  bool is_swapped() const { return is_swapped_; }
  std::int64_t updates() const { return updates_; }

  /// Visits the number of updates, whether they are swapped, and the averages by the names of their
  /// parameters.
  void each(Parts& part);

 private:
  Parameters parameters_;
  std::vector<std::variant<Array<float>, Array<double>>> averages_;
  WeightAverageOptions options_;
  std::int64_t updates_ = 0;
  bool is_swapped_ = false;
};

struct AverageWeightsOptions {
  std::int64_t first_epoch = 1;  ///< at least 1: nothing is averaged before it
  bool each_epoch = false;       ///< averages once an epoch, not after every step
};

/// Averages the weights while `fit` runs. Validation and metrics, and the callbacks after it in the
/// list, as EarlyStopping, see the averages; so does the model at the end.
class EBB_API AverageWeights : public Callback {
 public:
  /// @throws ArgumentError for a first epoch below 1.
  explicit AverageWeights(WeightAverage& average, AverageWeightsOptions options = {});
  bool at_start(bool is_resumed) override;
  bool after_step(const StepRecord& step) override;
  void before_validation() override;
  void after_validation() override;
  void at_end() override;

 private:
  WeightAverage& average_;
  AverageWeightsOptions options_;
  std::int64_t epoch_ = 0;
};

}  // namespace ebb::inline v0::optim
