// SPDX-License-Identifier: BSD-3-Clause
// The definitions of `Optimizer`, whose functions optim/optimizer.hpp describes. Needed only where
// a new rule is defined: include this, and `Optimizer<MyRule>` compiles.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <unordered_map>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/update_loops.hpp"

namespace ebb::inline v0::optim {

/// Says that the definitions are here, for the message of a rule without them.
template <class Rule>
struct detail::Definitions {};

namespace detail {

/// A parameter in an error: its name, if it has one, and its shape.
inline std::string named(const Parameter& parameter) {
  return (parameter.name().empty() ? "a parameter" : "the parameter \"" + parameter.name() + '"') +
         " of shape " + to_string(parameter.shape());
}

/// How many states a parameter has, of those that the options ask for.
template <class Rule>
int states_of(int used, [[maybe_unused]] const Shape& shape) {
  if constexpr (UpdatesMatrices<Rule>) {
    if (shape.rank() == 2 && shape.size() > 0) return Rule::matrix_states;
  }
  return used;
}

}  // namespace detail

template <class Rule>
Optimizer<Rule>::Optimizer(Parameters parameters, Rule rule, Schedule learning_rate)
    : Optimizer([&] {
        std::vector<Group<Rule>> groups;
        groups.push_back({std::move(parameters), std::move(rule), std::move(learning_rate)});
        return groups;
      }()) {}

/// Refuses at once what the first step would refuse: options of a rule, a parameter that is updated
/// twice, and no parameter at all.
template <class Rule>
Optimizer<Rule>::Optimizer(std::vector<Group<Rule>> groups) : groups_(std::move(groups)) {
  std::unordered_map<const void*, std::size_t> group_of;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    follow_schedules(groups_[g], 0);
    prepared_.push_back(groups_[g].rule.prepare(1));  // refuses bad options at once
    for (const Parameter& parameter : groups_[g].parameters) {
      const void* const cell = parameter.visit(
          [](const auto& variable) -> const void* { return ebb::detail::Access::cell(variable); });
      const auto [found, is_new] = group_of.emplace(cell, g);
      if (!is_new) {
        throw ArgumentError("Optimizer: " + detail::named(parameter) +
                            (found->second == g ? " is twice in group " + std::to_string(g)
                                                : " is in group " + std::to_string(found->second) +
                                                      " and in group " + std::to_string(g)) +
                            "; it can be updated once a step");
      }
    }
    states_.emplace_back(groups_[g].parameters.size());
    updates_.resize(updates_.size() + groups_[g].parameters.size());
  }
  if (group_of.empty()) {
    throw ArgumentError(
        "Optimizer: there is no parameter to update; does `each` of the model name "
        "its Variables?");
  }
}

template <class Rule>
Optimizer<Rule>::Optimizer(Optimizer&&) noexcept = default;
template <class Rule>
Optimizer<Rule>& Optimizer<Rule>::operator=(Optimizer&&) noexcept = default;
template <class Rule>
Optimizer<Rule>::~Optimizer() = default;

template <class Rule>
Rule& Optimizer<Rule>::rule() {
  if (groups_.size() == 1) return groups_[0].rule;
  throw ArgumentError("Optimizer: there are " + std::to_string(groups_.size()) +
                      " groups with options of their own; take groups()[i].rule");
}

/// Zeros, which are allocated when a parameter gets its first step.
template <class Rule>
template <Real T>
Array<T>& Optimizer<Rule>::state(State& state, const Variable<T>& parameter) {
  Array<T>* array = std::get_if<Array<T>>(&state);
  if (!array || array->empty())
    array = &state.template emplace<Array<T>>(Array<T>::zeros(parameter.shape()));
  return *array;
}

template <class Rule>
void Optimizer<Rule>::throw_state_shape(int k, const Shape& state, const Shape& parameter) {
  throw ShapeError("Optimizer: the state \"" + std::string(Rule::states[std::size_t(k)]) +
                   "\" has shape " + to_string(state) + ", its parameter " + to_string(parameter) +
                   "; was it loaded for another model?");
}

/// Un-shares weight and states, so that the loop writes in place, and chooses the loop: over rows
/// that were drawn, over a matrix at once, or over blocks of elements.
template <class Rule>
template <Real T>
EBB_INLINE bool Optimizer<Rule>::prepare(Update& update, int used, bool skips,
                                         Variable<T>& parameter, States& states) {
  auto& cell = *ebb::detail::Access::cell(parameter);
  if (cell.gradient.empty()) return false;
  if constexpr (std::size(Rule::states) > 0) {
    const int count = detail::states_of<Rule>(used, cell.value.shape());
    for (int k = 0; k < count; ++k) {
      Array<T>& array = state<T>(states[std::size_t(k)], parameter);
      if (!(array.shape() == cell.value.shape())) [[unlikely]]
        throw_state_shape(k, array.shape(), cell.value.shape());
      update.states[k] = array.mutate();
    }
  }
  update.weight = cell.value.mutate();
  update.gradient = cell.gradient.data();
  update.size = cell.value.size();
  update.whole = nullptr;
  if (cell.drawn && skips && cell.drawn->describe(ebb::detail::Access::block(cell.gradient)))
      [[unlikely]] {
    update.whole = &detail::update_rows<Rule>;
    update.drawn = cell.drawn.get();
    update.shape = &cell.value.shape();
  }
  if constexpr (detail::Measures<Rule>) {
    update.whole = &detail::update_measured<Rule>;
    update.squares = UpdateLoops<Rule, T>::squares(ebb::detail::instruction_set());
  }
  if constexpr (detail::UpdatesMatrices<Rule>) {
    if (const Shape& shape = cell.value.shape(); shape.rank() == 2 && shape.size() > 0) {
      update.whole = &detail::update_matrix<T, Rule>;
      update.width = shape[1];
      const std::int64_t numbers = shape.size() + Rule::room(shape[0], shape[1]);
      room_bytes_ = std::max(room_bytes_, numbers * std::int64_t(sizeof(T)));
    }
  }
  return true;
}

template <class Rule>
void Optimizer<Rule>::throw_changed(std::size_t g) const {
  throw ArgumentError("Optimizer: the parameters of group " + std::to_string(g) + " changed from " +
                      std::to_string(states_[g].size()) + " to " +
                      std::to_string(groups_[g].parameters.size()) +
                      " since it was made; make a new one");
}

/// A schedule for an option that the rule lacks is an error, and not without effect.
template <class Rule>
void Optimizer<Rule>::follow_schedules(Group<Rule>& group, std::int64_t step) {
  if (group.learning_rate) {
    if constexpr (requires { group.rule.learning_rate; }) {
      group.rule.learning_rate = group.learning_rate(step);
    } else {
      throw ArgumentError(
          "Optimizer: this rule has no learning_rate that a schedule could set; leave it empty");
    }
  }
  if (!group.momentum) return;
  if constexpr (requires { group.rule.momentum; }) {
    group.rule.momentum = group.momentum(step);
  } else if constexpr (requires { group.rule.beta1; }) {
    group.rule.beta1 = group.momentum(step);
  } else {
    throw ArgumentError(
        "Optimizer: this rule has neither momentum nor beta1 that a schedule could "
        "set; leave Group::momentum empty");
  }
}

template <class Rule>
void Optimizer<Rule>::throw_no_gradient() const {
  bool are_frozen = true;
  for (const Group<Rule>& group : groups_) are_frozen &= detail::are_frozen(group.parameters);
  if (are_frozen) {
    throw ArgumentError(
        "Optimizer: all parameters are frozen, and get no gradient; unfreeze() makes them "
        "trainable");
  }
  throw ArgumentError(
      "Optimizer: no parameter has a gradient; call backward before step, zero_grad after it, and "
      "compute the loss from the parameters themselves");
}

/// A cell whose only handle is here was replaced in the model, which would go on without updates.
template <class Rule>
void Optimizer<Rule>::check_held(const Parameter& parameter) {
  const std::int64_t handles = parameter.visit([](const auto& variable) {
    return std::int64_t(
        ebb::detail::Access::cell(variable)->references.load(std::memory_order_relaxed));
  });
  if (handles > 1) return;
  throw ArgumentError(
      "Optimizer: nothing but this optimizer holds " + detail::named(parameter) +
      " any more: was another Variable assigned to it, or its layer removed? Change a value by "
      "set_value, or make a new Optimizer");
}

template <class Rule>
void Optimizer<Rule>::expect_all_gradients() {
  expects_all_gradients_ = true;
  ebb::detail::expect_unheld();
}

/// What the sweep before the first step has listed are Variables that `each` of the model forgets.
template <class Rule>
void Optimizer<Rule>::check_all_gradients() {
  expects_all_gradients_ = false;
  std::string list;
  for (const std::string& variable : ebb::detail::take_unheld())
    list += (list.empty() ? "" : ", ") + variable;
  if (list.empty()) return;
  throw ArgumentError(
      "Optimizer: no optimizer updates " + list +
      ", which got gradients: name every layer and Variable in `each` of the model; or, if they "
      "are to stay as they are, make it from a list: Optimizer(parameters(model), rule)");
}

template <class Rule>
void Optimizer<Rule>::throw_options(const StepOptions& options) {
  const bool is_scale = !(std::abs(options.scale) < std::numeric_limits<double>::infinity());
  throw ArgumentError(is_scale ? "Optimizer: the scale of the gradients must be finite, not " +
                                     ebb::detail::to_text(options.scale)
                               : "Optimizer: clip_value must be above 0, not " +
                                     ebb::detail::to_text(options.clip_value));
}

template <class Rule>
void Optimizer<Rule>::throw_used_states(int used) {
  throw ArgumentError("Optimizer: used_states() of the rule says " + std::to_string(used) +
                      "; its formula takes " + std::to_string(UpdateLoops<Rule, float>::fewest) +
                      " to " + std::to_string(UpdateLoops<Rule, float>::most));
}

/// Two passes over the parameters: the first notes all updates and may throw, the second writes.
template <class Rule>
void Optimizer<Rule>::step(StepOptions options) {
  using Loops = UpdateLoops<Rule, float>;
  static_assert(Loops::takes_states && UpdateLoops<Rule, double>::takes_states,
                "the formula of this rule does not take the states that it declares: `update(step, "
                "weight, gradient, one argument for each name in states...)`; with used_states() "
                "it must take every number of them, from fewest_states on if that is declared");
  using Step = typename Rule::Step;
  static_assert(std::is_trivially_copyable_v<Step>, "the Step of a rule is a struct of numbers");
  if (!(std::abs(options.scale) < std::numeric_limits<double>::infinity()) ||
      !(options.clip_value > 0)) [[unlikely]]
    throw_options(options);
  const auto set = ebb::detail::instruction_set();
  // All that may throw comes before anything is changed. What is noted is written in place: a copy
  // would load whole vectors of what was just stored word by word, and wait for the stores.
  Update* next = updates_.data();
  room_bytes_ = 0;
  Step* prepared = prepared_.data();
  for (std::size_t g = 0; g < groups_.size(); ++g, ++prepared) {
    check_group(g);
    Group<Rule>& group = groups_[g];
    const Rule& rule = group.rule;
    if (group.learning_rate || group.momentum) [[unlikely]]
      follow_schedules(group, steps_);
    ::new (static_cast<void*>(prepared)) Step(rule.prepare(steps_ + 1));
    const int used = used_states(rule);
    if (used < Loops::fewest || used > Loops::most) [[unlikely]]
      throw_used_states(used);
    const bool skips = skips_zero_gradients(rule);
    const double scale = ascends(rule) ? -options.scale : options.scale;
    States* states = states_[g].data();
    for (Parameter& parameter : group.parameters) {
      next->step = prepared;
      next->scale = scale;
      next->limit = options.clip_value;
      const bool is_updated = parameter.visit([&]<class T>(Variable<T>& variable) {
        next->loop = UpdateLoops<Rule, T>::best(used, set);
        return prepare(*next, used, skips, variable, *states);
      });
      if (!is_updated) [[unlikely]]
        check_held(parameter);
      next += is_updated;
      ++states;
    }
  }
  if (expects_all_gradients_) [[unlikely]]
    check_all_gradients();
  if (next == updates_.data()) [[unlikely]]
    throw_no_gradient();
  const ebb::detail::BlockHandle room(
      room_bytes_ > 0 ? ebb::detail::allocate_bytes(std::size_t(room_bytes_)) : nullptr);
  ++steps_;
  for (const Update& update : std::span(updates_.data(), next)) {
    if (update.whole) [[unlikely]] {
      update.whole(update, room ? room->payload() : nullptr);
    } else {
      detail::update_blocks(update);
    }
  }
}

template <class Rule>
void Optimizer<Rule>::zero_grad() {
  for (Group<Rule>& group : groups_) {
    for (Parameter& parameter : group.parameters) {
      parameter.visit([](auto& variable) { variable.zero_grad(); });
    }
  }
}

template <class Rule>
Array<float> Optimizer<Rule>::state(const Variable<float>& parameter, std::string_view name) const {
  return copy_of_state(parameter, name);
}
template <class Rule>
Array<double> Optimizer<Rule>::state(const Variable<double>& parameter,
                                     std::string_view name) const {
  return copy_of_state(parameter, name);
}

template <class Rule>
template <Real T>
Array<T> Optimizer<Rule>::copy_of_state(const Variable<T>& parameter, std::string_view name) const {
  const void* const cell = ebb::detail::Access::cell(parameter);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t p = 0; p < groups_[g].parameters.size(); ++p) {
      const auto* here = groups_[g].parameters[p].template get<T>();
      if (!here || ebb::detail::Access::cell(*here) != cell) continue;
      const int used = detail::states_of<Rule>(used_states(groups_[g].rule), parameter.shape());
      for (int k = 0; k < used; ++k) {
        if (Rule::states[std::size_t(k)] != name) continue;
        const Array<T>* held = std::get_if<Array<T>>(&states_[g][p][std::size_t(k)]);
        return held && !held->empty() ? *held : Array<T>::zeros(parameter.shape());
      }
      throw ArgumentError("state: the rule keeps no \"" + std::string(name) +
                          "\" with its options");
    }
  }
  throw ArgumentError(
      "state: this optimizer does not update " +
      (parameter.label().empty() ? std::string("the Variable") : '"' + parameter.label() + '"') +
      " of shape " + to_string(parameter.shape()));
}

template <class Rule>
void Optimizer<Rule>::each(Parts& part) {
  for (std::size_t g = 0; g < groups_.size(); ++g) check_group(g);
  part("steps", steps_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if constexpr (HasParts<Rule>) part("options." + std::to_string(g), groups_[g].rule);
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const int used = used_states(groups_[g].rule);
    for (std::size_t p = 0; p < groups_[g].parameters.size(); ++p) {
      Parameter& parameter = groups_[g].parameters[p];
      const std::string name = std::to_string(g) + "." +
                               (parameter.name().empty() ? std::to_string(p) : parameter.name()) +
                               ".";
      const int count = detail::states_of<Rule>(used, parameter.shape());
      for (int k = 0; k < count; ++k) {
        State& at = states_[g][p][std::size_t(k)];
        const std::string path = name + std::string(Rule::states[std::size_t(k)]);
        parameter.visit(
            [&]<class T>(const Variable<T>& variable) { part(path, state<T>(at, variable)); });
      }
    }
  }
}

}  // namespace ebb::inline v0::optim
