// SPDX-License-Identifier: BSD-3-Clause
// The loop around a rule: parameters, their state, the number of steps.
#pragma once
#include "ebb/autodiff/parameters.hpp"
#include "ebb/optim/rules.hpp"

namespace ebb::inline v0::optim {

/// Applies a rule to parameters. A step is counted once, not once a parameter; parameters without a
/// gradient are skipped; gradients are never written to.
template <class Rule, Real T>
class EBB_API Optimizer {
 public:
  /// @throws ArgumentError for options that make no sense.
  Optimizer(std::vector<Variable<T>> parameters, Rule rule);
  /// All parameters of a model.
  template <Module M>
  EBB_INLINE Optimizer(M& module, Rule rule) : Optimizer(ebb::parameters<T>(module), rule) {}
  Optimizer(Optimizer&&) noexcept = default;
  Optimizer& operator=(Optimizer&&) noexcept = default;
  EBB_INLINE ~Optimizer() {}

  /// One update of every parameter that has a gradient.
  EBB_HOT void step();
  /// Makes every gradient absent.
  EBB_INLINE void zero_grad() {
    for (auto& p : parameters_) p.zero_grad();
  }

  /// The options; the learning rate may be changed between steps.
  EBB_INLINE Rule& rule() { return rule_; }
  EBB_INLINE std::int64_t steps() const { return steps_; }

 private:
  Rule rule_;
  std::vector<Variable<T>> parameters_;
  int states_each_;               // arrays of state a parameter
  std::vector<Array<T>> states_;  // those of a parameter one after the other
  std::int64_t steps_ = 0;
};

template <class M, class Rule>
Optimizer(M&, Rule) -> Optimizer<Rule, typename M::value_type>;
template <Real T, class Rule>
Optimizer(std::vector<Variable<T>>, Rule) -> Optimizer<Rule, T>;

extern template class Optimizer<SGD, float>;
extern template class Optimizer<SGD, double>;
extern template class Optimizer<Adam, float>;
extern template class Optimizer<Adam, double>;

}  // namespace ebb::inline v0::optim
