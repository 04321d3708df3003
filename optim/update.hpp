// SPDX-License-Identifier: BSD-3-Clause
// The fused pass of a rule. Needed only where a new rule is defined: include this, and
// `Optimizer<MyRule>` compiles.
#pragma once
#include <algorithm>
#include <new>
#include <string>
#include <type_traits>
#include <unordered_map>

#include "ebb/autodiff/formula/elementwise.hpp"
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/parallel.hpp"
#include "ebb/optim/optimizer.hpp"

namespace ebb::inline v0::optim {

template <class Rule>
struct detail::Definitions {};

namespace detail {

/// A parameter in an error: its name, if it has one, and its shape.
inline std::string named(const Parameter& parameter) {
  return (parameter.name().empty() ? "a parameter" : "the parameter \"" + parameter.name() + '"') +
         " of shape " + to_string(parameter.shape());
}

/// Updates the rows that have a gradient, by whole vectors: what they take in of the rows beside
/// stays as it is.
template <class Rule>
void update_rows(const Update<Rule>& update, double scale) {
  constexpr std::int64_t whole = 16;  // elements, at least as many as a vector has
  std::int64_t first = 0, last = 0;
  for (std::int64_t row : *update.rows) {
    const std::int64_t begin = row * update.width / whole * whole;
    const std::int64_t end =
        std::min(((row + 1) * update.width + whole - 1) / whole * whole, update.size);
    if (begin <= last && last > first) {
      last = end;
      continue;
    }
    if (last > first) update.loop(update, scale, first, last);
    first = begin;
    last = end;
  }
  if (last > first) update.loop(update, scale, first, last);
}

}  // namespace detail

inline namespace EBB_ISA_NAMESPACE {

/// The loops of a rule over its arrays, for each number of states that it may use and each
/// instruction set.
template <class Rule, class T>
struct UpdateLoops {
  using Step = typename Rule::Step;
  using Update = detail::Update<Rule>;
  using Loop = decltype(Update::loop);

  static constexpr int most = int(std::size(Rule::states));
  /// The fewest states that the rule may use.
  static constexpr int fewest = requires(const Rule& rule) { rule.used_states(); }
  ? 0 : most;

  template <class V, int k>
  static consteval bool takes() {
    return []<std::size_t... i>(std::index_sequence<i...>) {
      return requires(const Step& step, V& v, V(&s)[most + 1]) {
        Rule::update(step, v, std::as_const(v), s[i]...);
      };
    }
    (std::make_index_sequence<std::size_t(k)>{});
  }
  /// Whether the formula takes every number of states that the rule may use.
  static constexpr bool takes_states = []<std::size_t... i>(std::index_sequence<i...>) {
    return (takes<Lanes<T, 16 / int(sizeof(T))>, fewest + int(i)>() && ...);
  }
  (std::make_index_sequence<std::size_t(most - fewest + 1)>{});

  /// One pass. The step is a copy that no store can change, so that its numbers leave the loop as
  /// vectors.
  template <class V, std::size_t... k>
  static EBB_INLINE void pass(const Update& update, double factor, std::int64_t first,
                              std::int64_t last, std::index_sequence<k...>) {
    const Step step = *update.step;
    T* const w = static_cast<T*>(update.weight);
    const T* const g = static_cast<const T*>(update.gradient);
    [[maybe_unused]] T* const at[sizeof...(k) + 1] = {static_cast<T*>(update.states[k])...,
                                                      nullptr};
    const V scale{T(factor)};
    for (std::int64_t i = first; i < last; i += V::size) {
      V weight = V::load(w + i), s[sizeof...(k) + 1] = {V::load(at[k] + i)..., V(0)};
      Rule::update(step, weight, V::load(g + i) * scale, s[k]...);
      (s[k].store(at[k] + i), ...);
      weight.store(w + i);
    }
  }

#define EBB_UPDATE(set, bytes)                                                          \
  template <int k>                                                                      \
  EBB_LOOP_##set EBB_HOT static void run_##set(const Update& update, double factor,     \
                                               std::int64_t first, std::int64_t last) { \
    pass<Lanes<T, bytes / int(sizeof(T))>>(update, factor, first, last,                 \
                                           std::make_index_sequence<std::size_t(k)>{}); \
  }
  EBB_FOR_EACH_ISA(EBB_UPDATE)
#undef EBB_UPDATE

  /// The loop for k states.
  static EBB_INLINE Loop best(int k, ebb::detail::InstructionSet set) {
    if constexpr (takes_states) {
      return [ k, set ]<std::size_t... i>(std::index_sequence<i...>) {
        static constexpr Loop loops[][3] = {{&run_sse2<fewest + int(i)>, &run_avx2<fewest + int(i)>,
                                             &run_avx512<fewest + int(i)>}...};
        return loops[k - fewest][int(set)];
      }
      (std::make_index_sequence<std::size_t(most - fewest + 1)>{});
    } else {
      return nullptr;  // `step` refuses such a rule in words
    }
  }
};

/// Whether a weight whose gradient is 0, and its states, stay as they are with these options.
template <class Rule>
bool skips_zero_gradients(const Rule& rule) {
  if constexpr (requires { rule.skips_zero_gradients(); }) return rule.skips_zero_gradients();
  return false;
}

/// How many of its states a rule uses with these options.
template <class Rule>
int used_states(const Rule& rule) {
  if constexpr (requires { rule.used_states(); }) return rule.used_states();
  return int(std::size(Rule::states));
}

}  // namespace EBB_ISA_NAMESPACE

template <class Rule>
Optimizer<Rule>::Optimizer(Parameters parameters, Rule rule)
    : Optimizer([&] {
        std::vector<Group<Rule>> groups;
        groups.push_back({std::move(parameters), std::move(rule)});
        return groups;
      }()) {}

template <class Rule>
Optimizer<Rule>::Optimizer(std::vector<Group<Rule>> groups) : groups_(std::move(groups)) {
  std::unordered_map<const void*, std::size_t> group_of;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    prepared_.push_back(groups_[g].rule.prepare(1));  // refuses bad options at once
    for (const Parameter& parameter : groups_[g].parameters) {
      const auto cell_of = [](const auto* variable) -> const void* {
        return variable ? ebb::detail::Access::cell(*variable) : nullptr;
      };
      const auto* narrow = parameter.template get<float>();
      const void* cell = narrow ? cell_of(narrow) : cell_of(parameter.template get<double>());
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

template <class Rule>
template <Real T>
EBB_INLINE bool Optimizer<Rule>::prepare(Update& update, int used, bool skips,
                                         Variable<T>& parameter, States& states) {
  auto& cell = *ebb::detail::Access::cell(parameter);
  if (cell.gradient.empty()) return false;
  for (int k = 0; k < used; ++k) {
    Array<T>& array = state<T>(states[std::size_t(k)], parameter);
    if (!(array.shape() == cell.value.shape())) [[unlikely]]
      throw_state_shape(k, array.shape(), cell.value.shape());
    update.states[k] = array.mutate();
  }
  update.weight = cell.value.mutate();
  update.gradient = cell.gradient.data();
  update.size = cell.value.size();
  update.rows = nullptr;
  if (cell.drawn && skips && cell.drawn->describe(ebb::detail::Access::block(cell.gradient)))
      [[unlikely]] {
    update.rows = &cell.drawn->rows;
    update.width = update.size / cell.value.shape()[0];
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

template <class Rule>
void Optimizer<Rule>::throw_no_gradient() {
  throw ArgumentError(
      "Optimizer: no parameter has a gradient; call backward before step, zero_grad after it, and "
      "compute the loss from the parameters themselves");
}

template <class Rule>
void Optimizer<Rule>::check_held(const Parameter& parameter) {
  const auto handles = [](const auto* variable) {
    return ebb::detail::Access::cell(*variable)->references.load(std::memory_order_relaxed);
  };
  const auto* narrow = parameter.get<float>();
  if ((narrow ? handles(narrow) : handles(parameter.get<double>())) > 1) return;
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
void Optimizer<Rule>::step(StepOptions options) {
  static_assert(UpdateLoops<Rule, float>::takes_states && UpdateLoops<Rule, double>::takes_states,
                "the formula of this rule does not take the states that it declares: `update(step, "
                "weight, gradient, one argument for each name in states...)`; with used_states() "
                "it must take every number of them");
  using Step = typename Rule::Step;
  static_assert(std::is_trivially_copyable_v<Step>, "the Step of a rule is a struct of numbers");
  const auto set = ebb::detail::instruction_set();
  // All that may throw comes before anything is changed. What is noted is written in place: a copy
  // would load whole vectors of what was just stored word by word, and wait for the stores.
  Update* next = updates_.data();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    check_group(g);
    ::new (static_cast<void*>(&prepared_[g])) Step(groups_[g].rule.prepare(steps_ + 1));
    const int used = used_states(groups_[g].rule);
    const bool skips = skips_zero_gradients(groups_[g].rule);
    const auto loop_of_float = UpdateLoops<Rule, float>::best(used, set);
    const auto loop_of_double = UpdateLoops<Rule, double>::best(used, set);
    States* states = states_[g].data();
    for (Parameter& parameter : groups_[g].parameters) {
      auto* const narrow = parameter.template get<float>();
      next->loop = narrow ? loop_of_float : loop_of_double;
      next->step = &prepared_[g];
      const bool is_updated =
          narrow ? prepare(*next, used, skips, *narrow, *states)
                 : prepare(*next, used, skips, *parameter.template get<double>(), *states);
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
  ++steps_;
  constexpr std::int64_t block = 1 << 16;
  for (const Update& update : std::span(updates_.data(), next)) {
    if (update.rows) [[unlikely]] {
      detail::update_rows(update, options.scale);
      continue;
    }
    ebb::detail::parallel_blocks(update.size, block, [&](std::int64_t first, std::int64_t last) {
      update.loop(update, options.scale, first, last);
    });
  }
}

template <class Rule>
void Optimizer<Rule>::zero_grad() {
  for (Group<Rule>& group : groups_) {
    for (Parameter& parameter : group.parameters) {
      if (auto* narrow = parameter.template get<float>()) {
        narrow->zero_grad();
      } else {
        parameter.template get<double>()->zero_grad();
      }
    }
  }
}

template <class Rule>
void Optimizer<Rule>::each(Parts& part) {
  for (std::size_t g = 0; g < groups_.size(); ++g) check_group(g);
  part("steps", steps_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const int used = used_states(groups_[g].rule);
    for (std::size_t p = 0; p < groups_[g].parameters.size(); ++p) {
      Parameter& parameter = groups_[g].parameters[p];
      const std::string name = std::to_string(g) + "." +
                               (parameter.name().empty() ? std::to_string(p) : parameter.name()) +
                               ".";
      for (int k = 0; k < used; ++k) {
        State& at = states_[g][p][std::size_t(k)];
        const std::string path = name + std::string(Rule::states[std::size_t(k)]);
        if (auto* narrow = parameter.template get<float>()) {
          part(path, state<float>(at, *narrow));
        } else {
          part(path, state<double>(at, *parameter.template get<double>()));
        }
      }
    }
  }
}

}  // namespace ebb::inline v0::optim
