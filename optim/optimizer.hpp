// SPDX-License-Identifier: BSD-3-Clause
// The loop around a rule: parameters, their state, the number of steps.
#pragma once
#include "ebb/autodiff/parallel.hpp"
#include "ebb/autodiff/parameters.hpp"
#include "ebb/optim/rules.hpp"

namespace ebb::inline v0::optim {

/// Applies a rule to parameters. A step is counted once, not once a parameter; parameters without a
/// gradient are skipped; gradients are never written to.
template <class Rule, Real T>
class EBB_API Optimizer {
 public:
  Optimizer(std::vector<Variable<T>> parameters, Rule rule)
      : rule_(rule), parameters_(std::move(parameters)) {
    rule_.prepare(1);  // refuses bad options at once
    for (const auto& p : parameters_) {
      auto& states = states_.emplace_back();
      for (int k = 0; k < rule_.states(); ++k) states.push_back(Array<T>::zeros(p.shape()));
    }
  }
  /// All parameters of a model.
  template <Module M>
  Optimizer(M& module, Rule rule) : Optimizer(ebb::parameters<T>(module), rule) {}

  /// One update of every parameter that has a gradient.
  void step() {
    const auto prepared = rule_.prepare(++steps_);
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      auto* cell = detail::Access::cell(parameters_[i]);
      if (cell->gradient.empty()) continue;
      const std::size_t n_state = states_[i].size();
      T* states[2] = {};
      for (std::size_t k = 0; k < n_state; ++k) states[k] = states_[i][k].mutate();
      T* const w = cell->value.mutate();
      const T* const g = cell->gradient.data();
      constexpr std::int64_t block = 1 << 16;
      ebb::detail::parallel_blocks(cell->value.size(), block,
                                   [&](std::int64_t first, std::int64_t last) {
                                     run(prepared, w, g, states, int(n_state), first, last);
                                   });
    }
  }
  /// Makes every gradient absent.
  void zero_grad() {
    for (auto& p : parameters_) p.zero_grad();
  }

  /// The options; the learning rate may be changed between steps.
  Rule& rule() { return rule_; }
  std::int64_t steps() const { return steps_; }

 private:
  /// Updates the elements [first, last).
  static void run(const typename Rule::Step& step, T* w, const T* g, T* const* states, int n_state,
                  std::int64_t first, std::int64_t last);

  Rule rule_;
  std::vector<Variable<T>> parameters_;
  std::vector<std::vector<Array<T>>> states_;
  std::int64_t steps_ = 0;
};

template <class M, class Rule>
Optimizer(M&, Rule) -> Optimizer<Rule, typename M::value_type>;
template <Real T, class Rule>
Optimizer(std::vector<Variable<T>>, Rule) -> Optimizer<Rule, T>;

#define EBB_EXTERN(Rule, T)                                                                     \
  extern template void Optimizer<Rule, T>::run(const Rule::Step&, T*, const T*, T* const*, int, \
                                               std::int64_t, std::int64_t);
EBB_EXTERN(SGD, float)
EBB_EXTERN(SGD, double)
EBB_EXTERN(Adam, float)
EBB_EXTERN(Adam, double)
#undef EBB_EXTERN

}  // namespace ebb::inline v0::optim
