// SPDX-License-Identifier: BSD-3-Clause
// Trial runs before a training. They train for a while, and leave the model, the optimizer, the
// batches and the default stream as they were, bit for bit:
//
//   const auto curve = optim::find_learning_rate(model, loss, optimizer, loader);
//   std::cout << curve << "\n";   // the rate where the loss fell fastest
//   optimizer.rule().learning_rate = curve.suggestion;
#pragma once
#include <cmath>
#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

#include "ebb/data/files/state.hpp"
#include "ebb/optim/fit.hpp"

namespace ebb::inline v0::optim {

struct FindLearningRateOptions {
  double from = 1e-7;        ///< above 0
  double to = 10;            ///< above `from`; rates grow by an equal ratio from step to step
  std::int64_t steps = 100;  ///< at least 10
  double smoothing = 0.9;    ///< in [0, 1): decay of the mean of losses that is looked at
  double divergence = 4;     ///< above 1: ends where the smoothed loss is so many times the least
  /// What the loss changes besides, as a stream that is no part of the model.
  std::vector<data::StatePart> keep = {};
};

/// The loss of a batch at each learning rate, before the step with it.
struct EBB_API LearningRateCurve {
  std::vector<double> rates, losses;
  std::vector<double> smoothed;  ///< their exponential moving average, without its bias
  /// The rate where the smoothed loss fell fastest over the logarithm of the rate, below that where
  /// it was least; NaN if it never fell.
  double suggestion = std::numeric_limits<double>::quiet_NaN();
  double least = std::numeric_limits<double>::quiet_NaN();  ///< the rate of the least smoothed loss
  bool has_diverged = false;                                ///< the last rates were not tried
};
/// The suggestion in a sentence.
EBB_API std::ostream& operator<<(std::ostream& out, const LearningRateCurve& curve);

struct OverfitOptions {
  std::int64_t steps = 500;  ///< at least 1
  double target = 1e-2;      ///< above 0: ends when the loss is so many times that of the start
  /// What the loss changes besides, as a stream that is no part of the model.
  std::vector<data::StatePart> keep = {};
};

/// What training on one batch has come to.
struct EBB_API OverfitResult {
  double first = 0, last = 0;  ///< losses of the batch
  std::int64_t steps = 0;
  bool has_learned = false;  ///< the loss has come to the target
  std::string diagnosis;     ///< of what was not finite
};
/// The result in a sentence.
EBB_API std::ostream& operator<<(std::ostream& out, const OverfitResult& result);

namespace detail {

/// Gives everything back at the end of a scope: the state of parts, and gradients.
class EBB_API Trial {
 public:
  Trial(std::vector<data::StatePart> parts, Parameters parameters);
  Trial(const Trial&) = delete;
  ~Trial();

 private:
  std::vector<data::StatePart> parts_;
  data::NamedArrays state_;
  Parameters parameters_;
  std::vector<std::variant<Array<float>, Array<double>>> gradients_;
};

/// The parts of a trial.
template <class M, class O, class Batches>
std::vector<data::StatePart> parts_of_trial(M& model, O& optimizer, Batches& batches,
                                            const std::vector<data::StatePart>& keep) {
  std::vector<data::StatePart> parts = {
      {"model", model}, {"optimizer", optimizer}, {"stream", default_stream()}};
  if constexpr (HasParts<Batches>) parts.emplace_back("batches", batches);
  for (const data::StatePart& part : keep) parts.push_back(part);
  return parts;
}

/// Takes the learning rates of an optimizer into its hands, until the end of a scope.
class EBB_API LearningRates {
 public:
  template <class Rule>
  explicit LearningRates(Optimizer<Rule>& optimizer) {
    static_assert(
        requires(Rule & rule) { rule.learning_rate = 1.0; },
        "find_learning_rate: this rule has no learning_rate");
    for (Group<Rule>& group : optimizer.groups()) {
      groups_.push_back({std::exchange(group.learning_rate, {}), group.rule.learning_rate,
                         [&group](double rate) { group.rule.learning_rate = rate; },
                         [&group](Schedule s) { group.learning_rate = std::move(s); }});
    }
    start(optimizer.steps());
  }
  explicit LearningRates(AnyOptimizer& optimizer);
  LearningRates(const LearningRates&) = delete;
  ~LearningRates();
  /// Sets that of the first group, and those of the others in their proportion to it.
  void set(double rate);

 private:
  struct Taken {
    Schedule schedule;
    double rate;
    std::function<void(double)> set_rate;
    std::function<void(Schedule)> set_schedule;
    double proportion = 1;
  };
  void start(std::int64_t steps);
  std::vector<Taken> groups_;
};

/// Notes losses, and finds the suggestion.
class EBB_API LearningRateSearch {
 public:
  explicit LearningRateSearch(const FindLearningRateOptions& options);
  /// The rate of the next step; NaN if the search is over.
  double next() const;
  /// False if the search is over.
  bool note(double loss);
  LearningRateCurve finish();

 private:
  const FindLearningRateOptions& options_;
  LearningRateCurve curve_;
  double mean_ = 0;
};

/// @throws ArgumentError.
EBB_API void check_overfit(const OverfitOptions& options);

}  // namespace detail

/// A range test of learning rates (Smith 2017): trains with rates that grow from step to step,
/// until the loss runs away. Several groups keep the proportions of their rates. Afterwards the
/// model, the optimizer, its schedules, the batches and the default stream are bit for bit what
/// they were.
/// @throws ArgumentError for options out of their ranges and batches without a batch; ShapeError
/// for a loss that is not a single value.
template <HasParts M, class Loss, class O, class Batches>
LearningRateCurve find_learning_rate(M& model, Loss&& loss_of_batch, O& optimizer,
                                     Batches&& batches,
                                     const FindLearningRateOptions& options = {}) {
  detail::LearningRateSearch search(options);
  const detail::Trial trial(detail::parts_of_trial(model, optimizer, batches, options.keep),
                            parameters(model));
  detail::LearningRates rates(optimizer);
  optimizer.zero_grad();
  bool goes_on = true;
  while (goes_on) {
    goes_on = false;  // unless there is a batch
    for (const auto& batch : batches) {
      double value = 0;
      {
        Tape tape;
        const auto loss = detail::loss_of(loss_of_batch, batch);
        value = detail::value_of_loss("find_learning_rate", loss);
        if (std::isfinite(value)) detail::sweep_loss("find_learning_rate", loss, optimizer);
      }
      rates.set(search.next());
      goes_on = search.note(value);
      if (!goes_on) break;
      optimizer.step();
      optimizer.zero_grad();
    }
  }
  return search.finish();
}

/// Trains on the first batch alone, as a check of the model, the loss and the optimizer: if the
/// loss does not fall to almost nothing, one of them is wrong, or the learning rate. Afterwards the
/// model, the optimizer, the batches and the default stream are bit for bit what they were.
/// @throws ArgumentError for options out of their ranges and batches without a batch; ShapeError
/// for a loss that is not a single value.
template <HasParts M, class Loss, class O, class Batches>
OverfitResult overfit_one_batch(M& model, Loss&& loss_of_batch, O& optimizer, Batches&& batches,
                                const OverfitOptions& options = {}) {
  detail::check_overfit(options);
  const detail::Trial trial(detail::parts_of_trial(model, optimizer, batches, options.keep),
                            parameters(model));
  OverfitResult result;
  optimizer.zero_grad();
  for (const auto& batch : batches) {
    const auto loss_now = [&](bool is_first) {
      Tape tape;
      const auto loss = detail::loss_of(loss_of_batch, batch);
      result.last = detail::value_of_loss("overfit_one_batch", loss);
      if (is_first) result.first = result.last;
      if (std::isfinite(result.last)) detail::sweep_loss("overfit_one_batch", loss, optimizer);
    };
    for (loss_now(true);; loss_now(false)) {
      result.has_learned = result.last <= options.target * result.first;
      if (!std::isfinite(result.last)) {
        optimizer.zero_grad();
        result.diagnosis = detail::diagnose(loss_of_batch, batch, "the loss");
      }
      if (result.has_learned || !result.diagnosis.empty() || result.steps == options.steps) {
        return result;
      }
      optimizer.step();
      optimizer.zero_grad();
      ++result.steps;
    }
  }
  throw ArgumentError("overfit_one_batch: there is no batch");
}

}  // namespace ebb::inline v0::optim
