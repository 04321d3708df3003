// SPDX-License-Identifier: BSD-3-Clause
// The fused pass of a rule. Needed only where a new rule is defined: include this, and
// `Optimizer<MyRule>` compiles.
#pragma once
#include <string>
#include <unordered_map>

#include "ebb/autodiff/formula/elementwise.hpp"
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/parallel.hpp"
#include "ebb/optim/optimizer.hpp"

namespace ebb::inline v0::optim {
inline namespace EBB_ISA_NAMESPACE {

/// What an update of one parameter reads and writes.
template <class T>
struct UpdateArrays {
  T* weight;
  const T* gradient;
  T* const* states;  ///< as many as the rule uses
  T scale;           ///< of the gradient
};

/// The loops of a rule over its arrays, for each number of states that it may use and each
/// instruction set.
template <class Rule, class T>
struct UpdateLoops {
  using Step = typename Rule::Step;
  /// Updates the elements [first, last).
  using Loop = void (*)(const Step& step, const UpdateArrays<T>& arrays, std::int64_t first,
                        std::int64_t last);

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
  static EBB_INLINE void pass(const Step& given, const UpdateArrays<T>& arrays, std::int64_t first,
                              std::int64_t last, std::index_sequence<k...>) {
    const Step step = given;
    T* const w = arrays.weight;
    const T* const g = arrays.gradient;
    [[maybe_unused]] T* const at[sizeof...(k) + 1] = {arrays.states[k]..., nullptr};
    const V scale(arrays.scale);
    for (std::int64_t i = first; i < last; i += V::size) {
      V weight = V::load(w + i), s[sizeof...(k) + 1] = {V::load(at[k] + i)..., V(0)};
      Rule::update(step, weight, V::load(g + i) * scale, s[k]...);
      (s[k].store(at[k] + i), ...);
      weight.store(w + i);
    }
  }

#define EBB_UPDATE(set, bytes)                                                                  \
  template <int k>                                                                              \
  EBB_LOOP_##set EBB_HOT static void run_##set(const Step& step, const UpdateArrays<T>& arrays, \
                                               std::int64_t first, std::int64_t last) {         \
    pass<Lanes<T, bytes / int(sizeof(T))>>(step, arrays, first, last,                           \
                                           std::make_index_sequence<std::size_t(k)>{});         \
  }
  EBB_UPDATE(sse2, 16)
  EBB_UPDATE(avx2, 32)
  EBB_UPDATE(avx512, 64)
#undef EBB_UPDATE

  /// The loop for k states and what this machine has.
  static Loop best(int k) {
    if constexpr (takes_states) {
      return [k]<std::size_t... i>(std::index_sequence<i...>) {
        static constexpr Loop loops[][3] = {{&run_sse2<fewest + int(i)>, &run_avx2<fewest + int(i)>,
                                             &run_avx512<fewest + int(i)>}...};
        return loops[k - fewest][int(ebb::detail::instruction_set())];
      }
      (std::make_index_sequence<std::size_t(most - fewest + 1)>{});
    } else {
      return nullptr;  // `step` refuses such a rule in words
    }
  }
};

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
        const std::string name =
            parameter.name().empty() ? "a parameter" : "the parameter \"" + parameter.name() + '"';
        throw ArgumentError("Optimizer: " + name + " of shape " + to_string(parameter.shape()) +
                            (found->second == g ? " is twice in group " + std::to_string(g)
                                                : " is in group " + std::to_string(found->second) +
                                                      " and in group " + std::to_string(g)) +
                            "; it can be updated once a step");
      }
    }
    states_.emplace_back(groups_[g].parameters.size());
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
EBB_INLINE void Optimizer<Rule>::prepare(std::size_t group, int used, Variable<T>& parameter,
                                         States& states) {
  auto& cell = *ebb::detail::Access::cell(parameter);
  if (cell.gradient.empty()) return;
  Update update;
  for (int k = 0; k < used; ++k) {
    Array<T>& array = state<T>(states[std::size_t(k)], parameter);
    if (!(array.shape() == cell.value.shape())) [[unlikely]]
      throw_state_shape(k, array.shape(), cell.value.shape());
    update.states[k] = array.mutate();
  }
  update.weight = cell.value.mutate();
  update.gradient = cell.gradient.data();
  update.size = cell.value.size();
  update.group = std::uint32_t(group);
  update.is_double = sizeof(T) == 8;
  updates_.push_back(update);
}

template <class Rule>
template <Real T>
EBB_INLINE void Optimizer<Rule>::run(const Update& update, double scale) {
  T* states[most_states];
  const int used = used_states(groups_[update.group].rule);
  for (int k = 0; k < used; ++k) states[k] = static_cast<T*>(update.states[k]);
  const UpdateArrays<T> arrays{static_cast<T*>(update.weight),
                               static_cast<const T*>(update.gradient), states, T(scale)};
  const auto loop = UpdateLoops<Rule, T>::best(used);
  const typename Rule::Step& step = prepared_[update.group];
  constexpr std::int64_t block = 1 << 16;
  ebb::detail::parallel_blocks(update.size, block, [&](std::int64_t first, std::int64_t last) {
    loop(step, arrays, first, last);
  });
}

template <class Rule>
void Optimizer<Rule>::check_groups() const {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::size_t known = states_[g].size();
    if (groups_[g].parameters.size() == known) continue;
    throw ArgumentError("Optimizer: the parameters of group " + std::to_string(g) +
                        " changed from " + std::to_string(known) + " to " +
                        std::to_string(groups_[g].parameters.size()) +
                        " since it was made; make a new one");
  }
}

template <class Rule>
void Optimizer<Rule>::step(StepOptions options) {
  static_assert(UpdateLoops<Rule, float>::takes_states && UpdateLoops<Rule, double>::takes_states,
                "the formula of this rule does not take the states that it declares: `update(step, "
                "weight, gradient, one argument for each name in states...)`; with used_states() "
                "it must take every number of them");
  check_groups();
  // All that may throw comes before anything is changed.
  updates_.clear();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    prepared_[g] = groups_[g].rule.prepare(steps_ + 1);
    const int used = used_states(groups_[g].rule);
    States* states = states_[g].data();
    for (Parameter& parameter : groups_[g].parameters) {
      if (auto* narrow = parameter.template get<float>()) {
        prepare(g, used, *narrow, *states);
      } else {
        prepare(g, used, *parameter.template get<double>(), *states);
      }
      ++states;
    }
  }
  ++steps_;
  for (const Update& update : updates_) {
    if (update.is_double) {
      run<double>(update, options.scale);
    } else {
      run<float>(update, options.scale);
    }
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
  check_groups();
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
