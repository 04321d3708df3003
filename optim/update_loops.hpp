// SPDX-License-Identifier: BSD-3-Clause
// The loops of a rule over its arrays: its formula on SIMD lanes, one pass.
#pragma once
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "ebb/autodiff/formula/elementwise.hpp"
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/parallel.hpp"
#include "ebb/optim/optimizer.hpp"

namespace ebb::inline v0::optim {

namespace detail {

/// A rule that needs norms over a whole parameter.
template <class Rule>
concept Measures = requires(const typename Rule::Step& step) {
  Rule::measured(step, 1.0, 1.0);
};
/// A rule that treats matrices in a way of their own.
template <class Rule>
concept UpdatesMatrices = requires {
  Rule::matrix_states;
};

/// Elements in a block of a pass. Blocks are the same for any number of threads.
inline constexpr std::int64_t update_block = 1 << 16;

template <class Rule>
void update_blocks(const Update<Rule>& update) {
  ebb::detail::parallel_blocks(update.size, update_block,
                               [&](auto first, auto last) { update.loop(update, first, last); });
}

/// Updates the rows that have a gradient, by whole vectors: what they take in of the rows beside
/// stays as it is.
template <class Rule>
void update_rows(const Update<Rule>& update, void*) {
  constexpr std::int64_t whole = 16;  // elements, at least as many as a vector has
  std::int64_t first = 0, last = 0;
  ebb::detail::for_each_drawn(*update.shape, update.drawn->axis, update.drawn->rows,
                              [&](std::int64_t of_row, std::int64_t to) {
                                const std::int64_t begin = of_row / whole * whole;
                                const std::int64_t end =
                                    std::min((to + whole - 1) / whole * whole, update.size);
                                if (begin <= last && last > first) {
                                  last = std::max(last, end);
                                  return;
                                }
                                if (last > first) update.loop(update, first, last);
                                first = begin;
                                last = end;
                              });
  if (last > first) update.loop(update, first, last);
}

/// The first pass measures, the second updates by the norms of the first.
template <Measures Rule>
void update_measured(const Update<Rule>& update, void*) {
  const auto norm = [&](bool of_weight) {
    return std::sqrt(ebb::detail::parallel_sum(
        update.size, update_block,
        [&](auto first, auto last) { return update.squares(update, of_weight, first, last); }));
  };
  const double weight = norm(true), measured = norm(false);
  const typename Rule::Step step = Rule::measured(*update.step, weight, measured);
  Update<Rule> next = update;
  next.step = &step;
  update_blocks(next);
}

/// A matrix by its own rule.
template <class T, UpdatesMatrices Rule>
void update_matrix(const Update<Rule>& update, void* room) {
  T* states[std::size(Rule::states) + 1] = {};
  for (int k = 0; k < Rule::matrix_states; ++k) states[k] = static_cast<T*>(update.states[k]);
  const T* const g = static_cast<const T*>(update.gradient);
  T* const scaled = static_cast<T*>(room);
  for (std::int64_t i = 0; i < update.size; ++i) {
    const double x = double(g[i]) * update.scale;
    scaled[i] = T(x > update.limit ? update.limit : x < -update.limit ? -update.limit : x);
  }
  Rule::update_matrix(*update.step, update.size / update.width, update.width,
                      static_cast<T*>(update.weight), scaled, states, scaled + update.size);
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
  using Squares = decltype(Update::squares);

  static constexpr T infinity = std::numeric_limits<T>::infinity();

  static constexpr int most = int(std::size(Rule::states));
  /// The fewest states that the rule may use.
  static constexpr int fewest = [] {
    if constexpr (requires { Rule::fewest_states; }) return int(Rule::fewest_states);
    return requires(const Rule& rule) { rule.used_states(); }
    ? 0 : most;
  }();

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
  static EBB_INLINE void pass(const Update& update, std::int64_t first, std::int64_t last,
                              std::index_sequence<k...>) {
    const Step step = *update.step;
    T* const w = static_cast<T*>(update.weight);
    const T* const g = static_cast<const T*>(update.gradient);
    [[maybe_unused]] T* const at[sizeof...(k) + 1] = {static_cast<T*>(update.states[k])...,
                                                      nullptr};
    const V scale{T(update.scale)};
    const T limit = T(update.limit);
    for (std::int64_t i = first; i < last; i += V::size) {
      V weight = V::load(w + i), s[sizeof...(k) + 1] = {V::load(at[k] + i)..., V(0)};
      V gradient = V::load(g + i) * scale;
      if (limit < infinity) gradient = gradient.clamped(-limit, limit);
      Rule::update(step, weight, gradient, s[k]...);
      (s[k].store(at[k] + i), ...);
      weight.store(w + i);
    }
  }

  /// The first pass of a rule that measures. Squares are added up in lanes over 1024 elements, and
  /// then in double.
  template <class V, std::size_t... k>
  static EBB_INLINE double sum_squares(const Update& update, bool of_weight, std::int64_t first,
                                       std::int64_t last, std::index_sequence<k...>) {
    const Step step = *update.step;
    const T* const w = static_cast<T*>(update.weight);
    const T* const g = static_cast<const T*>(update.gradient);
    [[maybe_unused]] T* const at[sizeof...(k) + 1] = {static_cast<T*>(update.states[k])...,
                                                      nullptr};
    const V scale{T(update.scale)};
    const T limit = T(update.limit);
    double total = 0;
    for (std::int64_t begin = first; begin < last; begin += 1024) {
      const std::int64_t end = std::min(begin + 1024, last);
      V sum{0};
      for (std::int64_t i = begin; i < end; i += V::size) {
        V x = V::load(w + i);
        if (!of_weight) {
          V s[sizeof...(k) + 1] = {V::load(at[k] + i)..., V(0)};
          V gradient = V::load(g + i) * scale;
          if (limit < infinity) gradient = gradient.clamped(-limit, limit);
          x = Rule::measure(step, x, gradient, s[k]...);
          (s[k].store(at[k] + i), ...);
        }
        // Past the end of an array stand numbers of any kind.
        sum = sum + select(V::first(int(std::min<std::int64_t>(end - i, V::size))), x * x, V(0));
      }
      total += double(sum.sum());
    }
    return total;
  }

#define EBB_UPDATE(set, bytes)                                                              \
  template <int k>                                                                          \
  EBB_LOOP_##set EBB_HOT static void run_##set(const Update& update, std::int64_t first,    \
                                               std::int64_t last) {                         \
    pass<Lanes<T, bytes / int(sizeof(T))>>(update, first, last,                             \
                                           std::make_index_sequence<std::size_t(k)>{});     \
  }                                                                                         \
  EBB_LOOP_##set static double squares_##set(const Update& update, bool of_weight,          \
                                             std::int64_t first, std::int64_t last) {       \
    return sum_squares<Lanes<T, bytes / int(sizeof(T))>>(update, of_weight, first, last,    \
                                                         std::make_index_sequence<most>{}); \
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
  static EBB_INLINE Squares squares(ebb::detail::InstructionSet set) {
    static constexpr Squares all[] = {&squares_sse2, &squares_avx2, &squares_avx512};
    return all[int(set)];
  }
};

/// Whether a weight whose gradient is 0, and its states, stay as they are with these options.
template <class Rule>
bool skips_zero_gradients(const Rule& rule) {
  if constexpr (requires { rule.skips_zero_gradients(); }) return rule.skips_zero_gradients();
  return false;
}

template <class Rule>
bool ascends(const Rule& rule) {
  if constexpr (requires { rule.maximize; }) return rule.maximize;
  return false;
}

/// How many of its states a rule uses with these options.
template <class Rule>
int used_states(const Rule& rule) {
  if constexpr (requires { rule.used_states(); }) return rule.used_states();
  return int(std::size(Rule::states));
}

}  // namespace EBB_ISA_NAMESPACE

}  // namespace ebb::inline v0::optim
