// SPDX-License-Identifier: BSD-3-Clause
// Callbacks that follow one number of each epoch.
#pragma once
#include <functional>
#include <limits>
#include <optional>
#include <variant>
#include <vector>

#include "ebb/optim/any_optimizer.hpp"
#include "ebb/optim/callbacks/callback.hpp"

namespace ebb::inline v0::optim {

/// Which number is followed, and what counts as better.
struct WatchedNumber {
  std::string name = "validation";  ///< or "loss", or a metric
  bool larger_is_better = false;
  double at_least = 0;  ///< a smaller change for the better is none
};

struct EarlyStoppingOptions {
  std::int64_t patience = 5;  ///< at least 1: epochs without a better number before training ends
  WatchedNumber watch = {};
};

/// Ends training when a number has not become better for some epochs. Whatever ends it, the model
/// has the weights of its best epoch afterwards.
class EBB_API EarlyStopping : public Callback {
 public:
  template <HasParts M>
  explicit EarlyStopping(M& model, EarlyStoppingOptions options = {})
      : EarlyStopping(parameters(model), std::move(options)) {}
  explicit EarlyStopping(Parameters parameters, EarlyStoppingOptions options = {});

  /// A run that has ended for want of a better number is not trained further.
  bool at_start(bool is_resumed) override;
  bool after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names) override;
  void at_end() override;
  void each(Parts& part) override;

  std::int64_t best_epoch() const { return best_epoch_; }  ///< 0 before the first
  double best() const { return best_; }

 private:
  Parameters parameters_;
  EarlyStoppingOptions options_;
  std::int64_t best_epoch_ = 0, waited_ = 0;
  double best_ = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::variant<Array<float>, Array<double>>> weights_;
};

struct ReduceOnPlateauOptions {
  double factor = 0.1;         ///< in (0, 1)
  std::int64_t patience = 10;  ///< at least 0: epochs without a better number before it is reduced
  std::int64_t cooldown = 0;   ///< at least 0: epochs after that which do not count
  double minimum = 0;          ///< no learning rate gets below it
  WatchedNumber watch = {};
};

/// Reduces the learning rates of an optimizer when a number has not become better for some epochs.
class EBB_API ReduceOnPlateau : public Callback {
 public:
  /// @throws ArgumentError for options out of their range, and if a schedule sets a rate.
  template <class Rule>
  explicit ReduceOnPlateau(Optimizer<Rule>& optimizer, ReduceOnPlateauOptions options = {})
      : ReduceOnPlateau(std::move(options)) {
    for (const Group<Rule>& group : optimizer.groups()) {
      if (group.learning_rate) throw_scheduled();
    }
    reduce_ = [&optimizer, this] {
      for (Group<Rule>& group : optimizer.groups()) {
        group.rule.learning_rate = lower(group.rule.learning_rate);
      }
    };
  }
  explicit ReduceOnPlateau(AnyOptimizer& optimizer, ReduceOnPlateauOptions options = {});
  bool after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names) override;
  void each(Parts& part) override;
  std::int64_t reductions() const { return reductions_; }

 private:
  explicit ReduceOnPlateau(ReduceOnPlateauOptions options);
  [[noreturn]] static void throw_scheduled();
  double lower(double rate) const;

  ReduceOnPlateauOptions options_;
  std::function<void()> reduce_;
  double best_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t waited_ = 0, cooling_ = 0, reductions_ = 0;
};

}  // namespace ebb::inline v0::optim
