// SPDX-License-Identifier: BSD-3-Clause
// An optimizer whose rule is chosen while the program runs:
//
//   optim::AnyOptimizer optimizer(model, "adamw", {{"learning_rate", 1e-3}, {"amsgrad", 1}});
//   optimizer.step();
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ebb/optim/optimizer.hpp"

namespace ebb::inline v0::optim {

/// Options of a rule by their names, as `{{"learning_rate", 0.1}, {"nesterov", 1}}`; 1 and 0 are
/// true and false.
using RuleOptions = std::vector<std::pair<std::string, double>>;

/// Parameters with options of their own, of an optimizer that is chosen by name.
struct AnyGroup {
  Parameters parameters;
  RuleOptions options = {};
  Schedule learning_rate = {};
  Schedule momentum = {};
};

/// An optimizer of any rule behind one type. It does what `Optimizer` of that rule does, bit for
/// bit. Names of rules are those of their types, in upper or lower case: "SGD" or "sgd".
class EBB_API AnyOptimizer {
 public:
  /// All parameters of a model.
  /// @throws ArgumentError for a rule or an option that is not there, which lists those that are,
  /// and for options out of their range.
  template <class M>
  requires(!std::same_as<std::remove_const_t<M>, Parameters>)
      AnyOptimizer(M& model, std::string_view rule, const RuleOptions& options = {},
                   Schedule learning_rate = {})
      : AnyOptimizer(ebb::parameters(model), rule, options, std::move(learning_rate)) {
    expect_all_gradients();
  }
  /// Some parameters.
  AnyOptimizer(Parameters parameters, std::string_view rule, const RuleOptions& options = {},
               Schedule learning_rate = {});
  /// Several groups, each with separate options of one rule.
  AnyOptimizer(std::vector<AnyGroup> groups, std::string_view rule);
  /// An optimizer of a rule that is known here, as one of your own.
  template <class Rule>
  explicit AnyOptimizer(Optimizer<Rule> optimizer)
      : held_(std::make_unique<Held<Rule>>(std::move(optimizer))) {}
  AnyOptimizer(AnyOptimizer&&) noexcept;
  AnyOptimizer& operator=(AnyOptimizer&&) noexcept;
  ~AnyOptimizer();

  /// The names of the rules that can be chosen.
  static std::vector<std::string> rules();

  void step(StepOptions options = {}) { held_->step(options); }
  void zero_grad() { held_->zero_grad(); }
  /// The number of steps so far.
  std::int64_t steps() const { return held_->steps(); }
  /// Handles to the parameters of all groups.
  Parameters parameters() const { return held_->parameters(); }
  /// Visits what `Optimizer::each` visits.
  void each(Parts& part) { held_->each(part); }

  std::size_t groups() const { return held_->groups(); }
  /// The names of the options of the rule.
  std::vector<std::string> options() const;
  /// An option of a group. @throws ArgumentError for a name or a group that is not there.
  double option(std::string_view name, std::size_t group = 0) const;
  /// Sets an option of a group. One that is out of its range is refused by the next step.
  /// @throws ArgumentError for a name or a group that is not there, if it cannot hold the number,
  /// and for a learning rate that a schedule sets.
  void set_option(std::string_view name, double value, std::size_t group = 0);
  /// The schedule of the learning rate of a group; empty if it has none.
  const Schedule& learning_rate_schedule(std::size_t group = 0) const {
    return held_->learning_rate(in_range(group));
  }
  void set_learning_rate_schedule(Schedule schedule, std::size_t group = 0) {
    held_->learning_rate(in_range(group)) = std::move(schedule);
  }

 private:
  struct EBB_API AnyHeld {
    virtual ~AnyHeld();
    virtual void step(const StepOptions& options) = 0;
    virtual void zero_grad() = 0;
    virtual std::int64_t steps() const = 0;
    virtual Parameters parameters() = 0;
    virtual void each(Parts& part) = 0;
    virtual std::size_t groups() = 0;
    virtual void each_option(std::size_t group, Fields& field) = 0;
    virtual Schedule& learning_rate(std::size_t group) = 0;
    virtual void expect_all_gradients() = 0;
  };
  template <class Rule>
  struct Held final : AnyHeld {
    Optimizer<Rule> optimizer;

    explicit Held(Optimizer<Rule> o) : optimizer(std::move(o)) {}
    void step(const StepOptions& options) override { optimizer.step(options); }
    void zero_grad() override { optimizer.zero_grad(); }
    std::int64_t steps() const override { return optimizer.steps(); }
    Parameters parameters() override { return detail::parameters_of(optimizer); }
    void each(Parts& part) override { optimizer.each(part); }
    std::size_t groups() override { return optimizer.groups().size(); }
    void each_option(std::size_t group, Fields& field) override {
      if constexpr (HasFields<Rule>) optimizer.groups()[group].rule.each(field);
    }
    Schedule& learning_rate(std::size_t group) override {
      return optimizer.groups()[group].learning_rate;
    }
    void expect_all_gradients() override { optimizer.expect_all_gradients(); }
  };
  void expect_all_gradients() { held_->expect_all_gradients(); }
  std::size_t in_range(std::size_t group) const;

  std::unique_ptr<AnyHeld> held_;
};

}  // namespace ebb::inline v0::optim
