// SPDX-License-Identifier: BSD-3-Clause
// Every elementwise operation: its value, its slope, and where the checks try it. The same lines
// run on SIMD lanes, on plain numbers, on duals and on tensors.
#pragma once
#include <limits>
#include <string_view>

#include "ebb/autodiff/formula.hpp"
#include "ebb/autodiff/ops/families.hpp"

namespace ebb::inline v0 {

/// What a function below runs on as a whole: plain numbers and lanes. Duals have theirs in
/// dual.hpp.
template <class V>
concept FormulaNumber = std::floating_point<V> || requires {
  typename V::value_type;
  typename V::Mask;
};

/// The functions that are formulas themselves and may be used in other formulas.
#define EBB_FORMULA_FUNCTIONS(X) \
  X(abs, Abs)                    \
  X(square, Square)              \
  X(sigmoid, Sigmoid) X(log_sigmoid, LogSigmoid) X(relu, Relu) X(softplus, Softplus)
#define EBB_FORMULA_FUNCTIONS2(X) X(maximum, Maximum) X(minimum, Minimum)

/// All functions of formulas and the operations behind them: duals and tensors have each of these.
#define EBB_UNARY_FUNCTIONS(X) \
  EBB_FORMULA_FUNCTIONS(X)     \
  X(operator-, Neg)            \
  X(sqrt, Sqrt)                \
  X(exp, Exp) X(expm1, Expm1) X(log, Log) X(log1p, Log1p) X(sin, Sin) X(cos, Cos) X(tanh, Tanh)
#define EBB_BINARY_FUNCTIONS(X) \
  EBB_FORMULA_FUNCTIONS2(X)     \
  X(operator+, Add) X(operator-, Sub) X(operator*, Mul) X(operator/, Div) X(pow, Pow)

#define EBB_DECLARE(f, O)       \
  template <FormulaNumber V>    \
  V f(const V& x);              \
  template <unsigned M>         \
  constexpr auto f(Uses<M> x) { \
    return x;                   \
  }
EBB_FORMULA_FUNCTIONS(EBB_DECLARE)
#undef EBB_DECLARE

namespace op {

struct Neg {
  static constexpr std::string_view name = "neg";
  EBB_INLINE static auto value(auto x) { return -x; }
  static constexpr auto slope(auto, auto) { return -1; }
  static constexpr double samples[] = {-2, 0, 1.5, 50};
};

struct Abs {
  static constexpr std::string_view name = "abs";
  EBB_INLINE static auto value(auto x) { return select(x > 0, x, 0 - x); }
  EBB_INLINE static auto slope(auto x, auto) { return select(x > 0, 1, select(x < 0, -1, 0)); }
  static constexpr double samples[] = {-2, -0.1, 0.1, 1.5, 50};
  static constexpr double kinks[] = {0};
};

struct Square {
  static constexpr std::string_view name = "square";
  EBB_INLINE static auto value(auto x) { return x * x; }
  EBB_INLINE static auto slope(auto x, auto) { return 2 * x; }
  static constexpr double samples[] = {-2, 0, 1.5, 50};
};

struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  EBB_INLINE static auto value(auto x) { return sqrt(x); }
  EBB_INLINE static auto slope(auto, auto y) { return 0.5 / y; }
  static constexpr double samples[] = {0.2, 1, 4, 50};
  static constexpr double lower_bound = 0;
};

struct Exp {
  static constexpr std::string_view name = "exp";
  EBB_INLINE static auto value(auto x) { return exp(x); }
  EBB_INLINE static auto slope(auto, auto y) { return y; }
  static constexpr double samples[] = {-30, -3, -0.5, 0, 0.7, 20};
};

/// e^x - 1 without cancellation near 0.
struct Expm1 {
  static constexpr std::string_view name = "expm1";
  EBB_INLINE static auto value(auto x) { return expm1(x); }
  EBB_INLINE static auto slope(auto, auto y) { return y + 1; }
  static constexpr double samples[] = {-30, -3, -0.5, 0, 1e-3, 0.7, 20};
};

struct Log {
  static constexpr std::string_view name = "log";
  EBB_INLINE static auto value(auto x) { return log(x); }
  EBB_INLINE static auto slope(auto x, auto) { return 1 / x; }
  static constexpr double samples[] = {0.1, 0.9, 1, 5, 50};
  static constexpr double lower_bound = 0;
};

/// log(1 + x) without cancellation near 0.
struct Log1p {
  static constexpr std::string_view name = "log1p";
  EBB_INLINE static auto value(auto x) { return log1p(x); }
  EBB_INLINE static auto slope(auto x, auto) { return 1 / (1 + x); }
  static constexpr double samples[] = {-0.5, 0, 1e-3, 0.3, 50};
  static constexpr double lower_bound = -1;
};

struct Sin {
  static constexpr std::string_view name = "sin";
  EBB_INLINE static auto value(auto x) { return sin(x); }
  EBB_INLINE static auto slope(auto x, auto) { return cos(x); }
  static constexpr double samples[] = {-3, -0.3, 0, 0.5, 1.5, 50};
};

struct Cos {
  static constexpr std::string_view name = "cos";
  EBB_INLINE static auto value(auto x) { return cos(x); }
  EBB_INLINE static auto slope(auto x, auto) { return -sin(x); }
  static constexpr double samples[] = {-3, -0.3, 0, 0.5, 1.5, 50};
};

struct Tanh {
  static constexpr std::string_view name = "tanh";
  EBB_INLINE static auto value(auto x) { return tanh(x); }
  EBB_INLINE static auto slope(auto, auto y) { return 1 - y * y; }
  static constexpr double samples[] = {-20, -2, -0.3, 0, 0.5, 1.5, 20};
};

/// 1 / (1 + e^-x), finite for every x: the exponential is only taken of negative numbers.
struct Sigmoid {
  static constexpr std::string_view name = "sigmoid";
  EBB_INLINE static auto value(auto x) {
    const auto e = exp(select(x < 0, x, -x));
    return select(x < 0, e, 1) / (1 + e);
  }
  EBB_INLINE static auto slope(auto, auto y) { return y * (1 - y); }
  static constexpr double samples[] = {-20, -4, -0.1, 0, 1.5, 3, 20};
};

/// log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|).
struct LogSigmoid {
  static constexpr std::string_view name = "log_sigmoid";
  EBB_INLINE static auto value(auto x) {
    return select(x < 0, x, 0) - log1p(exp(select(x < 0, x, -x)));
  }
  EBB_INLINE static auto slope(auto x, auto) { return sigmoid(-x); }
  static constexpr double samples[] = {-20, -4, -0.1, 0, 1.5, 3, 20};
};

/// max(x, 0); the slope at 0 is 0, and NaN stays NaN.
struct Relu {
  static constexpr std::string_view name = "relu";
  EBB_INLINE static auto value(auto x) { return select(x < 0, 0, x); }
  EBB_INLINE static auto slope(auto, auto y) { return select(y > 0, 1, 0); }
  EBB_INLINE static auto pull(auto g, auto, auto y) {
    return select(y > 0, g, 0);
  }  // never inf * 0
  static constexpr double samples[] = {-2, -0.1, 0.1, 1.5, 50};
  static constexpr double kinks[] = {0};
};

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
struct Softplus {
  static constexpr std::string_view name = "softplus";
  EBB_INLINE static auto value(auto x) {
    return select(x < 0, 0, x) + log1p(exp(select(x < 0, x, -x)));
  }
  EBB_INLINE static auto slope(auto x, auto) { return sigmoid(x); }
  static constexpr double samples[] = {-20, -4, -0.1, 0, 1.5, 3, 20};
};

/// x limited to [low, high]; the slope at both ends is 1, and NaN stays NaN.
struct Clamp {
  static constexpr std::string_view name = "clamp";
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  EBB_INLINE auto value(auto x) const { return select(x < low, low, select(x > high, high, x)); }
  EBB_INLINE auto slope(auto x, auto) const { return select(x < low, 0, select(x > high, 0, 1)); }
  EBB_INLINE auto pull(auto g, auto x, auto) const {
    return select(x < low, 0, select(x > high, 0, g));
  }
  static constexpr Clamp example();
  static constexpr double samples[] = {-50, -1.1, -0.9, 0, 1.9, 2.1};
  static constexpr double kinks[] = {-1, 2};
};

constexpr Clamp Clamp::example() { return {-1, 2}; }

struct Add {
  static constexpr std::string_view name = "add";
  EBB_INLINE static auto value(auto a, auto b) { return a + b; }
  static constexpr auto da(auto, auto, auto) { return 1; }
  static constexpr auto db(auto, auto, auto) { return 1; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {50, -40}};
};

struct Sub {
  static constexpr std::string_view name = "sub";
  EBB_INLINE static auto value(auto a, auto b) { return a - b; }
  static constexpr auto da(auto, auto, auto) { return 1; }
  static constexpr auto db(auto, auto, auto) { return -1; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {50, -40}};
};

struct Mul {
  static constexpr std::string_view name = "mul";
  EBB_INLINE static auto value(auto a, auto b) { return a * b; }
  EBB_INLINE static auto da(auto, auto b, auto) { return b; }
  EBB_INLINE static auto db(auto a, auto, auto) { return a; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {0, 2}, {50, -40}};
};

struct Div {
  static constexpr std::string_view name = "div";
  EBB_INLINE static auto value(auto a, auto b) { return a / b; }
  EBB_INLINE static auto da(auto, auto b, auto) { return 1 / b; }
  EBB_INLINE static auto db(auto, auto b, auto y) { return -y / b; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {0.4, -2}, {50, 40}};
};

/// a^b. Where a is 0 and the power does not depend on an argument, the slope in it is 0.
struct Pow {
  static constexpr std::string_view name = "pow";
  EBB_INLINE static auto value(auto a, auto b) { return pow(a, b); }
  EBB_INLINE static auto da(auto a, auto b, auto) {
    return b * pow(select(a == 0, select(b == 0, 1, a), a), b - 1);  // 0 * 0^-1 is 0 here
  }
  EBB_INLINE static auto db(auto a, auto, auto y) {
    return y * log(select(a == 0, select(y > 1, a, 1), a));  // 0^b is at most 1 unless b < 0
  }
  static constexpr double samples[][2] = {{1.5, 2}, {0.7, -1.2}, {3, 0.5}, {2, 0}, {50, 1.5}};
  static constexpr double lower_bound = 0;
};

/// The larger; ties share the gradient evenly, and NaN stays NaN.
struct Maximum {
  static constexpr std::string_view name = "maximum";
  EBB_INLINE static auto value(auto a, auto b) { return select(b == b, select(a < b, b, a), b); }
  EBB_INLINE static auto da(auto a, auto b, auto) {
    return select(a > b, 1, select(a == b, 0.5, 0));
  }
  EBB_INLINE static auto db(auto a, auto b, auto) {
    return select(b > a, 1, select(a == b, 0.5, 0));
  }
  static constexpr double samples[][2] = {{1, 2}, {-1, -3}, {50, 49}, {0.1, 0}, {-0.1, 0}};
  static constexpr double kinks[] = {0};
};

/// The smaller; ties share the gradient evenly, and NaN stays NaN.
struct Minimum {
  static constexpr std::string_view name = "minimum";
  EBB_INLINE static auto value(auto a, auto b) { return select(b == b, select(b < a, b, a), b); }
  EBB_INLINE static auto da(auto a, auto b, auto) {
    return select(a < b, 1, select(a == b, 0.5, 0));
  }
  EBB_INLINE static auto db(auto a, auto b, auto) {
    return select(b < a, 1, select(a == b, 0.5, 0));
  }
  static constexpr double samples[][2] = {{1, 2}, {-1, -3}, {50, 49}, {0.1, 0}, {-0.1, 0}};
  static constexpr double kinks[] = {0};
};

// The gradient of an input from the gradient g of the output: g * slope unless the operation says
// it better. The Jacobian is diagonal, so forward mode uses the same line.

template <class O>
EBB_INLINE constexpr auto pull(const O& f, const auto& g, const auto& x, const auto& y) {
  if constexpr (requires { f.pull(g, x, y); }) {
    return f.pull(g, x, y);
  } else {
    return g * f.slope(x, y);
  }
}
template <int side, class O>
EBB_INLINE constexpr auto slope_of(const O& f, const auto& a, const auto& b, const auto& y) {
  if constexpr (side == 0) {
    return f.da(a, b, y);
  } else {
    return f.db(a, b, y);
  }
}
template <int side, class O>
EBB_INLINE constexpr auto pull(const O& f, const auto& g, const auto& a, const auto& b,
                               const auto& y) {
  return g * slope_of<side>(f, a, b, y);
}

// What a pull reads, deduced by running it with numbers that only know where they come from: bits
// 1, 2 and 4 are a unary operation's x and y or a binary one's a, b and y.

template <class O>
constexpr unsigned unary_reads = uses_of<decltype(pull(O{}, Uses<8>{}, Uses<1>{}, Uses<2>{}))> & 7U;
template <class O, int side>
constexpr unsigned binary_reads =
    uses_of<decltype(pull<side>(O{}, Uses<8>{}, Uses<1>{}, Uses<2>{}, Uses<4>{}))> & 7U;

/// A slope that is the same everywhere needs no kernel and keeps nothing.
template <class O>
constexpr int unary_literal() {
  if constexpr (requires {
                  requires std::is_same_v<decltype(O::slope(Uses<1>{}, Uses<2>{})), int>;
                }) {
    return O::slope(Uses<1>{}, Uses<2>{});
  } else {
    return not_literal;
  }
}
template <class O, int side>
constexpr int binary_literal() {
  if constexpr (std::is_same_v<decltype(slope_of<side>(O{}, Uses<1>{}, Uses<2>{}, Uses<4>{})),
                               int>) {
    return slope_of<side>(O{}, Uses<1>{}, Uses<2>{}, Uses<4>{});
  } else {
    return not_literal;
  }
}

}  // namespace op

#define EBB_DEFINE(f, O)       \
  template <FormulaNumber V>   \
  EBB_INLINE V f(const V& x) { \
    return V(op::O::value(x)); \
  }
EBB_FORMULA_FUNCTIONS(EBB_DEFINE)
#undef EBB_DEFINE
#define EBB_DEFINE(f, O)                                              \
  template <FormulaNumber V>                                          \
  EBB_INLINE V f(const V& a, const std::type_identity_t<V>& b) {      \
    return V(op::O::value(a, b));                                     \
  }                                                                   \
  template <FormulaNumber V, Literal U>                               \
  EBB_INLINE V f(U a, const V& b) requires(!std::floating_point<V>) { \
    return V(op::O::value(V(a), b));                                  \
  }
EBB_FORMULA_FUNCTIONS2(EBB_DEFINE)
#undef EBB_DEFINE

}  // namespace ebb::inline v0
