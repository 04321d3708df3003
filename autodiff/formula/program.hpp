// SPDX-License-Identifier: BSD-3-Clause
// A traced formula with its slopes as a program without branches, and its run on any kind of
// number.
#pragma once
#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>
#include <utility>

#include "ebb/autodiff/formula/trace.hpp"

namespace ebb::inline v0::detail {

/// The slopes that a program computes: none, that for the first argument, or all.
enum class Slopes { none, first, all };

/// What a program does with the steps that are kept from a pass forward to the pass back: computes
/// them as all others, gives them as outputs, or takes them as inputs behind the arguments.
enum class Kept { computed, given, taken };

/// An array that is indexed by int, as steps and arguments are.
template <class T, int n>
struct Items : std::array<T, std::size_t(n)> {
  using Base = std::array<T, std::size_t(n)>;
  constexpr T& operator[](int i) { return Base::operator[](std::size_t(i)); }
  constexpr const T& operator[](int i) const { return Base::operator[](std::size_t(i)); }
};

/// A list of steps, each of which reads earlier ones.
template <int count, int arguments, int results, int kept_count>
struct Program {
  Step steps[count > 0 ? count : 1];
  int values[results];                        ///< the step with each result, or -1
  int slopes[arguments];                      ///< that with the slope for each argument, or -1
  int kept[kept_count > 0 ? kept_count : 1];  ///< the steps to keep
};

/// What a formula with several results returns: a tuple, a pair or an array of them.
template <class R>
concept SeveralResults = requires {
  std::tuple_size<std::remove_cvref_t<R>>::value;
};

/// The results of a formula, as an array of values.
template <class V, class R>
EBB_INLINE constexpr auto results_of(const R& y) {
  if constexpr (SeveralResults<R>) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) EBB_LAMBDA {
      return std::array<V, sizeof...(k)>{V(std::get<k>(y))...};
    }
    (std::make_index_sequence<std::tuple_size_v<R>>());
  } else {
    return std::array<V, 1>{V(y)};
  }
}

template <class, class V>
using value_for = V;
template <class V, class F, class... Arguments>
inline constexpr int number_of_results =
    int(decltype(results_of<V>(F{}(std::declval<value_for<Arguments, V>>()...))){}.size());

/// Whether computing a step takes longer than writing what it gave and reading it again.
constexpr bool is_slow(const Step& step) {
  const auto is_any_of = []<class All, class... Ops>(int which, All all, op::List<Ops...>) {
    return ((which == op::index_in<Ops>(all)) || ...);
  };
  using op::List;
  if (step.kind == StepKind::unary) {
    return !is_any_of(
        step.which, op::Unary{},
        List<op::Neg, op::Abs, op::Sign, op::Square, op::Reciprocal, op::Sqrt, op::Rsqrt, op::Floor,
             op::Ceil, op::Round, op::Relu, op::Softsign, op::Clamp, op::Hardtanh>{});
  }
  return step.kind == StepKind::binary &&
         !is_any_of(step.which, op::Binary{},
                    List<op::Add, op::Sub, op::Mul, op::Div, op::Maximum, op::Minimum>{});
}

/// A trace of a formula F with all slopes, for arguments of which some are plain numbers. The
/// slopes of several results are those of their sum, each times a gradient, an input behind the
/// arguments.
template <class F, bool careful, bool... number>
struct FormulaTrace {
  static constexpr int arguments = sizeof...(number);
  static constexpr int results = number_of_results<Traced, F, std::bool_constant<number>...>;

  Trace trace;
  int formula_count;                       // the steps of the formula alone
  int values[results], slopes[arguments];  // steps; -1 for the slope of a number

  constexpr FormulaTrace() {
    constexpr bool is_number[] = {number...};
    Traced x[arguments];
    for (int k = 0; k < arguments; ++k) x[k] = trace.input(k, !is_number[k]);
    const std::array<Traced, results> y = [&]<std::size_t... k>(std::index_sequence<k...>) {
      return results_of<Traced>(F{}(x[k]...));
    }
    (std::index_sequence_for<std::bool_constant<number>...>{});
    formula_count = trace.count();
    std::array<Traced, results> seeds;
    for (std::size_t j = 0; j < results; ++j) {
      seeds[j] = results == 1 ? Traced(1) : trace.input(arguments + int(j), false);
    }
    trace.sweep(y, seeds, careful);
    for (std::size_t j = 0; j < results; ++j) values[j] = trace.step_of(y[j]);
    for (int k = 0; k < arguments; ++k) {
      slopes[k] = is_number[k] ? -1 : trace.step_of(trace.derivative(x[k].step));
    }
  }

  static constexpr int count() { return FormulaTrace().trace.count(); }
  static constexpr int count_without_slopes() { return FormulaTrace().formula_count; }
};

/// True if the formula can be traced at compile time.
template <class F, bool... number>
concept Traceable = requires {
  typename std::integral_constant<int, FormulaTrace<F, false, number...>::count()>;
};

/// The programs of a formula F. Those of a careful sweep give 0 wherever a derivative of 0 meets an
/// infinite slope; the others give NaN there.
template <class F, bool careful, bool... number>
class TracedFormula {
  using Whole = FormulaTrace<F, careful, number...>;

 public:
  static constexpr int results = Whole::results;

 private:
  static constexpr int arguments = Whole::arguments;
  static constexpr int total = Whole::count();
  using Marks = Items<bool, total>;

  static constexpr auto whole = [] {
    const Whole traced;
    Program<total, arguments, results, 0> whole{};
    for (int i = 0; i < total; ++i) {
      whole.steps[i] = traced.trace[i];
      whole.steps[i].pull = nullptr;
    }
    for (int j = 0; j < results; ++j) whole.values[j] = traced.values[j];
    for (int k = 0; k < arguments; ++k) whole.slopes[k] = traced.slopes[k];
    return whole;
  }();

  /// Calls f(i) for every step that step `at` reads.
  template <class G>
  static constexpr void each_read(int at, const G& f) {
    const Step& step = whole.steps[at];
    const int reads[] = {step.a, step.b, step.c};
    for (int k = 0; k < step.reads(); ++k) f(reads[k]);
  }
  /// Marks what the marked steps read, directly or not, but nothing below the steps of `ends`.
  static constexpr void mark_needed(Marks& marks, const Marks& ends) {
    for (int i = total - 1; i >= 0; --i) {
      if (marks[i] && !ends[i]) each_read(i, [&](int input) { marks[input] = true; });
    }
  }
  /// The result at a step; -1 if there is none.
  static constexpr int result_at(int step) {
    for (int j = 0; j < results; ++j) {
      if (whole.values[j] == step) return j;
    }
    return -1;
  }
  /// The result whose gradient is that of an argument with this slope; -1 if there is none.
  static constexpr int passed_by(int slope) {
    if (slope < 0) return -1;
    const Step& step = whole.steps[slope];
    if (results > 1) return step.kind == StepKind::input ? step.which - arguments : -1;
    return step.kind == StepKind::literal && step.p == 1 ? 0 : -1;
  }
  /// The slopes that a program gives: where a gradient is passed on, a pass back computes nothing.
  static constexpr Items<int, arguments> slopes_of(Slopes slopes, Kept keeping) {
    Items<int, arguments> given{};
    for (int k = 0; k < arguments; ++k) {
      const int slope = whole.slopes[k];
      const bool wanted = slopes == Slopes::all || (slopes == Slopes::first && k == 0);
      const bool is_passed = keeping == Kept::taken && passed_by(slope) >= 0;
      given[k] = wanted && !is_passed ? slope : -1;
    }
    return given;
  }
  static constexpr void mark_slopes(Marks& marks, Slopes slopes, Kept keeping) {
    for (const int slope : slopes_of(slopes, keeping)) {
      if (slope >= 0) marks[slope] = true;
    }
  }

  static constexpr int formula_count = Whole::count_without_slopes();
  /// The slow steps of the formula that slopes need. A result is kept in their place if it makes
  /// them unnecessary: its block is there in any case.
  static constexpr Marks kept = [] {
    Marks slow{};  // a slow step, or one that was computed from one
    for (int i = 0; i < total; ++i) {
      slow[i] = is_slow(whole.steps[i]);
      each_read(i, [&](int input) { slow[i] = slow[i] || slow[input]; });
    }
    Marks needed{}, kept{};
    mark_slopes(needed, Slopes::all, Kept::taken);
    for (int i = total - 1; i >= 0; --i) {
      if (!needed[i]) continue;
      const bool is_wanted = is_slow(whole.steps[i]) || result_at(i) >= 0;
      kept[i] = is_wanted && slow[i] && i < formula_count;
      if (!kept[i]) each_read(i, [&](int input) { needed[input] = true; });
    }
    return kept;
  }();

  template <bool with_value, Slopes slopes, Kept keeping>
  static constexpr Marks needed = [] {
    Marks needed{};
    for (int j = 0; with_value && j < results; ++j) needed[whole.values[j]] = true;
    mark_slopes(needed, slopes, keeping);
    for (int i = 0; keeping == Kept::given && i < total; ++i) needed[i] = needed[i] || kept[i];
    mark_needed(needed, keeping == Kept::taken ? kept : Marks{});
    return needed;
  }();
  static constexpr int number_of(const Marks& marks) {
    int marked = 0;
    for (const bool mark : marks) marked += mark;
    return marked;
  }

 public:
  /// The number of steps that are kept.
  static constexpr int kept_count = number_of(kept);
  /// The result that each of these steps is, or -1.
  static constexpr Items<int, kept_count + 1> kept_results = [] {
    Items<int, kept_count + 1> list{};
    int next = 0;
    for (int i = 0; i < total; ++i) {
      if (kept[i]) list[next++] = result_at(i);
    }
    return list;
  }();
  /// The result whose gradient each argument gets as it is, since its slope is 1 everywhere, or -1.
  static constexpr Items<int, arguments> passes = [] {
    Items<int, arguments> passes{};
    for (int k = 0; k < arguments; ++k) passes[k] = passed_by(whole.slopes[k]);
    return passes;
  }();
  /// The inputs of a program: arguments, the gradients of several results, and kept steps.
  static constexpr int first_kept = arguments + (results > 1 ? results : 0);
  static constexpr int inputs = first_kept + kept_count;

  template <bool with_value, Slopes slopes, Kept keeping>
  static constexpr auto program = [] {
    constexpr const Marks& marks = needed<with_value, slopes, keeping>;
    Program<number_of(marks), arguments, results, kept_count> program{};
    int place[total]{};
    int next = 0, next_kept = 0;
    for (int i = 0; i < total; ++i) {
      const int position = kept[i] ? next_kept++ : 0;
      if (!marks[i]) continue;
      Step& step = program.steps[next];
      step = whole.steps[i];
      if (kept[i] && keeping == Kept::taken) {
        step = {StepKind::input, first_kept + position, 0, 0, 0, 0, 0, nullptr};
      }
      int* const reads[] = {&step.a, &step.b, &step.c};
      for (int k = 0; k < step.reads(); ++k) *reads[k] = place[*reads[k]];
      if (kept[i]) program.kept[position] = next;
      place[i] = next++;
    }
    for (int j = 0; j < results; ++j) program.values[j] = with_value ? place[whole.values[j]] : -1;
    constexpr auto given = slopes_of(slopes, keeping);
    for (int k = 0; k < arguments; ++k) program.slopes[k] = given[k] < 0 ? -1 : place[given[k]];
    return program;
  }();
};

/// The operation at a position of a list.
template <int i, class... Ops>
std::tuple_element_t<std::size_t(i), std::tuple<Ops...>> operation_at(op::List<Ops...>);

/// Runs the step at place `at` of a program on the inputs x: what it computes goes to
/// `steps`, that of a comparison to `masks`. This does not depend on the program, so that a unit
/// compiles it once for all its formulas.
template <StepKind kind, int which, class V>
EBB_INLINE void run_step(const Step& step, const V* x, V* steps, typename V::Mask* masks, int at) {
  const V& a = steps[step.a];
  const V& b = steps[step.b];
  V& y = steps[at];
  using enum StepKind;
  if constexpr (kind == input) {
    y = x[step.which];
  } else if constexpr (kind == literal) {
    y = V(typename V::value_type(step.p));
  } else if constexpr (kind == unary) {
    using O = decltype(operation_at<which>(op::Unary{}));
    y = V(operation_with<O>(step.p, step.q).value(a));
  } else if constexpr (kind == binary) {
    using O = decltype(operation_at<which>(op::Binary{}));
    y = V(O::value(a, b));
  } else if constexpr (kind == same) {
    y = a;
  } else if constexpr (kind == less) {
    masks[at] = a < b;
  } else if constexpr (kind == greater) {
    masks[at] = a > b;
  } else if constexpr (kind == at_most) {
    masks[at] = a <= b;
  } else if constexpr (kind == at_least) {
    masks[at] = a >= b;
  } else if constexpr (kind == equal) {
    masks[at] = a == b;
  } else {
    y = select(masks[step.a], b, steps[step.c]);
  }
}
/// The operation of a step that has one, or 0.
constexpr int operation_of(const Step& step) {
  return step.kind == StepKind::unary || step.kind == StepKind::binary ? step.which : 0;
}

/// A program is run in parts of this many steps, since clang folds at most 256 calls.
inline constexpr int most_steps_in_part = 128;
/// The places of the part that begins with step `first`, counted from there.
template <const auto& program, int first>
using PartOf = std::make_index_sequence<std::size_t(
    std::min(int(std::size(program.steps)) - first, most_steps_in_part))>;

/// Runs a program from step `first` on, where a part of steps i begins.
template <const auto& program, int first, class V, std::size_t... i>
EBB_INLINE void run_steps(const V* x, V* steps, typename V::Mask* masks,
                          std::index_sequence<i...>) {
  constexpr const Step* list = program.steps + first;
  (run_step<list[i].kind, operation_of(list[i])>(list[i], x, steps, masks, first + int(i)), ...);
  constexpr int next = first + int(sizeof...(i));
  if constexpr (next < int(std::size(program.steps))) {
    run_steps<program, next>(x, steps, masks, PartOf<program, next>{});
  }
}

/// Runs a program on lanes x, one for each of its inputs.
/// y[i] is what step i computes; that of a comparison has no value.
template <const auto& program, class V, int inputs, int count>
EBB_INLINE void run_program(const V (&x)[inputs], V (&y)[count]) {
  typename V::Mask masks[count];
  run_steps<program, 0>(x, y, masks, PartOf<program, 0>{});
}

}  // namespace ebb::inline v0::detail
