// SPDX-License-Identifier: BSD-3-Clause
// Reverse mode at compile time: a formula runs once on numbers that list what is done to them, and
// a sweep over the list, which calls the slope formulas of the operations on such numbers, adds the
// steps of the derivatives.
#pragma once
#include <array>

#include "ebb/autodiff/formula/elementwise.hpp"

namespace ebb::inline v0 {

namespace detail {
class Trace;
}

/// A number of a formula that is traced: a step of the trace, or a literal.
struct Traced {
  detail::Trace* trace = nullptr;  ///< null for a literal
  int step = 0;
  double literal = 0;

  constexpr Traced() = default;
  constexpr Traced(detail::Trace* t, int s) : trace(t), step(s) {}
  template <Literal U>
  constexpr Traced(U x) : literal(double(x)) {}

  /// The larger of the number and the bound; NaN stays NaN.
  constexpr Traced at_least(double low) const;
};

/// A comparison of traced numbers.
struct TracedMask {
  detail::Trace* trace = nullptr;  ///< null for a comparison of literals
  int step = 0;
  bool literal = false;

  /// A formula has as many results as there are lanes, so it cannot branch on them.
  template <class B>
  requires std::is_same_v<B, bool>
  constexpr explicit operator B() const {
    static_assert(sizeof(B) == 0, "a formula cannot branch: use select(condition, a, b)");
    return false;
  }
};

template <class A>
inline constexpr bool is_traced = std::is_same_v<A, Traced>;

/// Two operands, of which one is traced, and the other is too or is a literal.
template <class A, class B>
concept TracedPair = (is_traced<A> && (is_traced<B> || Literal<B>)) || (Literal<A> && is_traced<B>);

namespace detail {

/// What a step computes from earlier ones, a, b and c.
enum class StepKind : char {
  input,    ///< argument `which`
  literal,  ///< p
  unary,    ///< operation `which` of `op::Unary`, with the parameters p and q
  binary,   ///< operation `which` of `op::Binary`
  same,     ///< a, as an operation of its own
  less,
  greater,
  at_most,
  at_least,
  equal,
  choice  ///< b where the mask a is set, else c
};

struct Step {
  StepKind kind;
  int which;
  int a, b, c;
  double p, q;
  /// Gives what step `at` depends on its part of the derivative, from the derivative g with respect
  /// to the step itself. Never null: with -fsanitize=undefined that could not be asked.
  void (*pull)(Trace& trace, int at, const Traced& g);

  /// The number of steps that this one reads: a, b and c, in this order.
  constexpr int reads() const {
    switch (kind) {
      case StepKind::input:
      case StepKind::literal:
        return 0;
      case StepKind::unary:
      case StepKind::same:
        return 1;
      case StepKind::choice:
        return 3;
      default:
        return 2;
    }
  }
};

/// The pull of a step that depends on nothing.
constexpr void pull_nothing(Trace&, int, const Traced&) {}

/// The steps of a formula and, after a sweep, those of its derivatives.
class Trace {
 public:
  static constexpr int most_steps = 4096;

  /// Adds a step. `depends` says whether it depends on an input that is differentiated.
  constexpr int add(const Step& step, bool depends) {
    if (count_ == most_steps) throw "the formula has too many steps";
    steps_[count_] = step;
    depends_[count_] = depends;
    return count_++;
  }
  constexpr Traced input(int which, bool differentiated) {
    return {this, add({StepKind::input, which, 0, 0, 0, 0, 0, &pull_nothing}, differentiated)};
  }
  /// The step of a number.
  constexpr int step_of(const Traced& x) {
    if (x.trace) return x.step;
    return add({StepKind::literal, 0, 0, 0, 0, x.literal, 0, &pull_nothing}, false);
  }
  constexpr Traced number(int step) { return {this, step}; }
  constexpr bool depends(int step) const { return depends_[step]; }
  constexpr const Step& operator[](int step) const { return steps_[step]; }
  constexpr int count() const { return count_; }

  /// Adds to the derivative with respect to a step.
  constexpr void give(int step, const Traced& part);
  /// Adds g times a slope, which may be the same number everywhere. In a careful sweep that is 0
  /// where g is, even if the slope is infinite or NaN: what a choice did not take has no part in
  /// what follows.
  constexpr void pass(int step, const Traced& g, const Traced& part, bool is_same_everywhere);
  /// Differentiates the sum of each result times its seed with respect to all steps on which the
  /// results depend.
  template <std::size_t results>
  constexpr void sweep(const std::array<Traced, results>& y,
                       const std::array<Traced, results>& seeds, bool careful);
  /// The derivative with respect to a step, after a sweep.
  constexpr Traced derivative(int step) {
    const Given& given = given_[step];
    if (!given.any) return 0;
    return given.traced ? Traced(this, given.step) : Traced(given.literal);
  }

 private:
  struct Given {
    bool any, traced;
    int step;
    double literal;
  };

  // Only those in use have a value.
  Step steps_[most_steps];
  bool depends_[most_steps];
  Given given_[most_steps];
  int count_ = 0;
  bool careful_ = false;
};

/// The trace of operands that are not all literals; null if they are.
constexpr Trace* trace_of(const auto&... x) {
  Trace* trace = nullptr;
  ((trace = x.trace ? x.trace : trace), ...);
  return trace;
}

template <class O>
constexpr Traced traced_unary(const Traced& x, double p = 0, double q = 0);
template <class O>
constexpr Traced traced_binary(const Traced& a, const Traced& b);
constexpr void pull_select(Trace& trace, int at, const Traced& g);

template <StepKind kind>
constexpr TracedMask traced_comparison(const Traced& a, const Traced& b, bool of_literals) {
  Trace* const trace = trace_of(a, b);
  if (!trace) return {nullptr, 0, of_literals};
  const int p = trace->step_of(a), q = trace->step_of(b);
  return {trace, trace->add({kind, 0, p, q, 0, 0, 0, &pull_nothing}, false)};
}

}  // namespace detail

#define EBB_UNARY(f, O, ...)                                                          \
  /** Adds a step. */                                                                 \
  template <class A>                                                                  \
  requires is_traced<A>                                                               \
  constexpr Traced f(EBB_PARAMETERS_BEFORE(__VA_ARGS__)                               \
                         const A& x EBB_PARAMETERS_BEHIND(__VA_ARGS__)) {             \
    return detail::traced_unary<op::O>(x __VA_OPT__(, ) EBB_PARAMETERS(__VA_ARGS__)); \
  }
EBB_UNARY_OPERATIONS(EBB_UNARY)
#undef EBB_UNARY

#define EBB_BINARY(f, O)      \
  /** Adds a step. */         \
  template <class A, class B> \
  requires TracedPair<A, B>   \
  constexpr Traced f(const A& a, const B& b) { return detail::traced_binary<op::O>(a, b); }
EBB_BINARY_OPERATIONS(EBB_BINARY)
#undef EBB_BINARY

#define EBB_COMPARE(symbol, kind)                                                               \
  /** Adds a step. */                                                                           \
  template <class A, class B>                                                                   \
  requires TracedPair<A, B>                                                                     \
  constexpr TracedMask operator symbol(const A& a, const B& b) {                                \
    const Traced x(a), y(b);                                                                    \
    return detail::traced_comparison<detail::StepKind::kind>(x, y, x.literal symbol y.literal); \
  }
EBB_COMPARE(<, less)
EBB_COMPARE(>, greater)
EBB_COMPARE(<=, at_most)
EBB_COMPARE(>=, at_least)
EBB_COMPARE(==, equal)
#undef EBB_COMPARE

/// `a` where the mask is set, else `b`.
constexpr Traced select(const TracedMask& mask, const Traced& a, const Traced& b) {
  if (!mask.trace) return mask.literal ? a : b;
  detail::Trace& trace = *mask.trace;
  const int p = trace.step_of(a), q = trace.step_of(b);
  return {&trace,
          trace.add({detail::StepKind::choice, 0, mask.step, p, q, 0, 0, &detail::pull_select},
                    trace.depends(p) || trace.depends(q))};
}
/// `a` if the condition is true, else `b`.
template <class A, class B>
requires TracedPair<A, B>
constexpr Traced select(bool condition, const A& a, const B& b) {
  return condition ? Traced(a) : Traced(b);
}

constexpr Traced Traced::at_least(double low) const { return select(*this < low, low, *this); }

namespace detail {

/// The operation with these parameters.
template <class O>
EBB_INLINE constexpr O operation_with(double p, double q) {
  if constexpr (std::is_empty_v<O>) {
    return O{};
  } else if constexpr (requires { O{p, q}; }) {
    return O{p, q};
  } else {
    return O{int(p)};
  }
}

/// Passes on the derivative g with respect to y = f(x).
template <class O>
constexpr void pass_unary(Trace& trace, const O& f, int x, int y, const Traced& g) {
  if (!trace.depends(x)) return;
  constexpr bool is_same = op::unary_literal<O>() != op::not_literal;
  trace.pass(x, g, op::pull(f, g, trace.number(x), trace.number(y)), is_same);
}
/// Passes on the derivative g with respect to y = f(a, b).
template <class O>
constexpr void pass_binary(Trace& trace, const O& f, int a, int b, int y, const Traced& g) {
  const Traced p = trace.number(a), q = trace.number(b), r = trace.number(y);
  constexpr bool is_same[] = {op::binary_literal<O, 0>() != op::not_literal,
                              op::binary_literal<O, 1>() != op::not_literal};
  if (trace.depends(a)) trace.pass(a, g, op::pull<0>(f, g, p, q, r), is_same[0]);
  if (trace.depends(b)) trace.pass(b, g, op::pull<1>(f, g, p, q, r), is_same[1]);
}

template <class O>
constexpr void pull_unary(Trace& trace, int at, const Traced& g) {
  const Step step = trace[at];
  pass_unary(trace, operation_with<O>(step.p, step.q), step.a, at, g);
}
template <class O>
constexpr void pull_binary(Trace& trace, int at, const Traced& g) {
  const Step step = trace[at];
  pass_binary(trace, O{}, step.a, step.b, at, g);
}
template <class O>
constexpr void pull_own_unary(Trace& trace, int at, const Traced& g) {
  pass_unary(trace, O{}, trace[at].b, at, g);
}
template <class O>
constexpr void pull_own_binary(Trace& trace, int at, const Traced& g) {
  const Step step = trace[at];
  pass_binary(trace, O{}, step.b, step.c, at, g);
}
constexpr void pull_select(Trace& trace, int at, const Traced& g) {
  const Step step = trace[at];
  const TracedMask mask{&trace, step.a};
  if (trace.depends(step.b)) trace.give(step.b, select(mask, g, 0));
  if (trace.depends(step.c)) trace.give(step.c, select(mask, 0, g));
}

template <class O>
constexpr Traced traced_unary(const Traced& x, double p, double q) {
  if (!x.trace) return operation_with<O>(p, q).value(x.literal);
  constexpr int which = op::index_in<O>(op::Unary{});
  return {x.trace, x.trace->add({StepKind::unary, which, x.step, 0, 0, p, q, &pull_unary<O>},
                                x.trace->depends(x.step))};
}
template <class O>
constexpr Traced traced_binary(const Traced& a, const Traced& b) {
  Trace* const trace = trace_of(a, b);
  if (!trace) return O{}.value(a.literal, b.literal);
  if constexpr (std::is_same_v<O, op::Mul>) {  // slopes of 1 and -1 are frequent
    if (!a.trace && a.literal == 1) return b;
    if (!b.trace && b.literal == 1) return a;
    if (!a.trace && a.literal == -1) return -b;
    if (!b.trace && b.literal == -1) return -a;
  }
  constexpr int which = op::index_in<O>(op::Binary{});
  const int p = trace->step_of(a), q = trace->step_of(b);
  return {trace, trace->add({StepKind::binary, which, p, q, 0, 0, 0, &pull_binary<O>},
                            trace->depends(p) || trace->depends(q))};
}

/// An operation that is in no list, with a formula for its value and for its slope.
template <class O>
constexpr Traced traced_own(const Traced& x) {
  const Traced y = O{}.value(x);
  if (!x.trace) return y;
  const int value = x.trace->step_of(y);
  return {x.trace, x.trace->add({StepKind::same, 0, value, x.step, 0, 0, 0, &pull_own_unary<O>},
                                x.trace->depends(x.step))};
}
template <class O>
constexpr Traced traced_own(const Traced& a, const Traced& b) {
  const Traced y = O{}.value(a, b);
  Trace* const trace = trace_of(a, b);
  if (!trace) return y;
  const int value = trace->step_of(y), p = trace->step_of(a), q = trace->step_of(b);
  return {trace, trace->add({StepKind::same, 0, value, p, q, 0, 0, &pull_own_binary<O>},
                            trace->depends(p) || trace->depends(q))};
}

constexpr void Trace::give(int step, const Traced& part) {
  if (!part.trace && part.literal == 0) return;
  const Traced sum = given_[step].any ? derivative(step) + part : part;
  given_[step] = {true, sum.trace != nullptr, sum.step, sum.literal};
}

constexpr void Trace::pass(int step, const Traced& g, const Traced& part, bool is_same_everywhere) {
  give(step, careful_ && !is_same_everywhere ? select(g == 0, 0, part) : part);
}

template <std::size_t results>
constexpr void Trace::sweep(const std::array<Traced, results>& y,
                            const std::array<Traced, results>& seeds, bool careful) {
  careful_ = careful;
  const int last = count_ - 1;
  for (int i = 0; i <= last; ++i) given_[i].any = false;
  for (std::size_t k = 0; k < results; ++k) {
    if (y[k].trace && depends_[y[k].step]) give(y[k].step, seeds[k]);
  }
  for (int i = last; i >= 0; --i) {
    if (given_[i].any) steps_[i].pull(*this, i, derivative(i));
  }
}

}  // namespace detail
}  // namespace ebb::inline v0
