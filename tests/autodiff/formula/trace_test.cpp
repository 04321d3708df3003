// SPDX-License-Identifier: BSD-3-Clause
// A formula that is traced at compile time computes what its operations compute, and its slopes.
#include "ebb/autodiff/formula/trace.hpp"

#include <cmath>
#include <string_view>

#include "ebb/autodiff/custom.hpp"
#include "ebb/autodiff/formula/program.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/autodiff/edge_values.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

struct AtPoint {
  double value, a, b;  // and the slopes
};

/// The program of a formula of two arguments at one point.
template <class F>
AtPoint traced(F, double a, double b) {
  using V = Lanes<double, 2>;
  static constexpr const auto& program =
      detail::TracedFormula<F, true, false, false>::template program<true, detail::Slopes::all,
                                                                     detail::Kept::computed>;
  const V x[] = {V(a), V(b)};
  V steps[std::size(program.steps)];
  detail::run_program<program>(x, steps);
  return {steps[program.values[0]].reg[0], steps[program.slopes[0]].reg[0],
          steps[program.slopes[1]].reg[0]};
}

/// What the operations of the formula give on a tape.
template <class F>
AtPoint recorded(F f, double a, double b) {
  Tape tape;
  const Tensor<double> x = tape.watch(Array<double>(a)), y = tape.watch(Array<double>(b));
  const Tensor<double> value = f(x, y);
  const auto slopes = grad(value, {x, y});
  return {value.item(), slopes[0].item(), slopes[1].item()};
}

/// Equal but for some roundings: kernels use FMA where the machine has it.
bool agree(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
  return x == y || std::abs(x - y) <= 1e-13 * std::abs(y);
}

const std::vector<double> edges = {-inf, -50, -1.5, -1, -0.3, 0,        1e-300,
                                   0.4,  1,   2,    50, inf,  nan_value};

template <class F>
void compare(std::string_view name, F f) {
  CAPTURE(name);
  for (const double a : edges) {
    for (const double b : edges) {
      CAPTURE(a);
      CAPTURE(b);
      const AtPoint x = traced(f, a, b), y = recorded(f, a, b);
      CHECK(agree(x.value, y.value));
      CHECK(agree(x.a, y.a));
      CHECK(agree(x.b, y.b));
    }
  }
}

struct Cube {
  static constexpr auto value(auto x) { return x * x * x; }
  static constexpr auto slope(auto x, auto) { return 3 * x * x; }
};
/// Slopes that are not those of the value, to see that no others are used.
struct Twisted {
  static constexpr auto value(auto a, auto b) { return a * b; }
  static constexpr auto slope_a(auto, auto b, auto) { return 2 * b; }
  static constexpr auto slope_b(auto, auto, auto y) { return y; }
};

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("every operation has in a formula the value and the slope that it has alone") {
#define EBB_CASE(f, O, ...)                                                \
  if constexpr (std::is_empty_v<op::O>) {                                  \
    compare(#f, [](const auto& a, const auto& b) {                         \
      if constexpr (std::is_empty_v<op::O>) return select(b > 0, f(a), b); \
    });                                                                    \
  }
  EBB_UNARY_OPERATIONS(EBB_CASE)
#undef EBB_CASE
#define EBB_CASE(f, O) compare(#f, [](const auto& a, const auto& b) { return f(a, b); });
  EBB_BINARY_OPERATIONS(EBB_CASE)
#undef EBB_CASE
  compare("polygamma", [](const auto& a, const auto& b) { return polygamma(2, a) + b; });
  compare("clamp",
          [](const auto& a, const auto& b) { return clamp(a, -1.0, 0.4) + clamp(b, -inf, 1.0); });
  compare("hardtanh", [](const auto& a, const auto& b) { return hardtanh(a, -1.0, 0.4) * b; });
}

TEST_CASE("a choice is among numbers and literals") {
  compare("choices", [](const auto& a, const auto& b) {
    return select(a >= b, a * b, select(a == -1.5, 7 * b, 2 * a)) + select(b <= 0.4, b, a);
  });
  const auto f = [](auto a, auto b) { return select(a < b, 3, -1) + select(true, a, 5.0); };
  CHECK(traced(f, 1, 2).value == 4);
  CHECK(traced(f, 2, 1).value == 1);
  CHECK(traced(f, 2, 1).a == 1);
}

TEST_CASE("what a choice did not take has no slope, whatever its own is") {
  const auto f = [](const auto& a, const auto& b) { return select(b > 0, sqrt(a), 2 * b); };
  const AtPoint taken = traced(f, 0, 1), left = traced(f, 0, -1);
  CHECK(taken.a == inf);
  CHECK(left.a == 0);
  CHECK(left.b == 2);
}

TEST_CASE("an operation of one's own is differentiated by its slopes, and not through its value") {
  const auto cube = [](const auto& a, const auto& b) { return elementwise(Cube{}, a) - b; };
  compare("cube", cube);
  CHECK(traced(cube, 2, 1).a == 12);
  const auto f = [](const auto& a, const auto& b) { return elementwise(Twisted{}, a, 3 * b); };
  const AtPoint at = traced(f, 5, 2);
  CHECK(at.value == 30);
  CHECK(at.a == 12);
  CHECK(at.b == 90);
  CHECK(traced([](auto a, auto b) { return elementwise(Twisted{}, a, 4.0) + b; }, 5, 2).a == 8);
  CHECK(traced([](auto a, auto b) { return elementwise(Twisted{}, 4.0, b) + a; }, 5, 2).b == 8);
}

TEST_CASE("numbers that depend on no argument may stand anywhere in a formula") {
  compare("literals", [](const auto& a, const auto& b) {
    const auto two = 0 * a + 2;
    std::decay_t<decltype(a + b)> sum = 1;
    for (int i = 1; i <= 3; ++i) sum = sum + i * a / (two + i);
    return sum * b;
  });
  const auto f = [](auto a, auto) {
    using Number = decltype(a);
    return Number(2) * Number(3) + select(Number(1) < Number(2), a, 0);
  };
  CHECK(traced(f, 5, 0).value == 11);
  CHECK(traced(f, 5, 0).a == 1);
  CHECK(traced(f, 5, 0).b == 0);
}

TEST_CASE("a program has the steps that its outputs need, and none twice") {
  using detail::Kept;
  using detail::Slopes;
  constexpr auto f = [](auto a, auto b) { return a + b * tanh(a * b); };
  using Formula = detail::TracedFormula<std::decay_t<decltype(f)>, false, false, false>;
  const auto count = [](const auto& program) { return std::size(program.steps); };
  // a, b, a b, tanh, its product, the sum.
  CHECK(count(Formula::program<true, Slopes::none, Kept::given>) == 6);
  CHECK(Formula::kept_count == 1);
  CHECK(Formula::kept_results[0] == -1);
  // With the result of tanh the pass back needs no step that computes it.
  for (const detail::Step& step : Formula::program<false, Slopes::all, Kept::taken>.steps) {
    CHECK((step.kind != detail::StepKind::unary ||
           step.which != op::index_in<op::Tanh>(op::Unary{})));
  }
  CHECK(count(Formula::program<false, Slopes::first, Kept::taken>) <
        count(Formula::program<false, Slopes::all, Kept::taken>));

  constexpr auto plain = [](auto a, auto b) { return a + 2 * b; };
  using Plain = detail::TracedFormula<std::decay_t<decltype(plain)>, false, false, false>;
  CHECK(Plain::passes == std::array{0, -1});
  CHECK(Plain::kept_count == 0);
  CHECK(Plain::program<false, Slopes::all, Kept::taken>.slopes[0] == -1);
  CHECK(count(Plain::program<false, Slopes::all, Kept::taken>) == 1);  // the literal 2
}

TEST_CASE("the programs of several results share steps, and read a gradient for each") {
  using detail::Kept;
  using detail::Slopes;
  constexpr auto f = [](auto a, auto b) {
    const auto t = tanh(b);
    return std::tuple(t, a + 2 * b, t * t);
  };
  using Formula = detail::TracedFormula<std::decay_t<decltype(f)>, false, false, false>;
  CHECK(Formula::results == 3);
  // The first result is kept: the slopes of tanh and of its square read it.
  CHECK(Formula::kept_count == 1);
  CHECK(Formula::kept_results[0] == 0);
  // a gets the gradient of the second result as it is.
  CHECK(Formula::passes == std::array{1, -1});
  CHECK(Formula::inputs == 2 + 3 + 1);
  // a, b, tanh, 2, 2 b, the sum, the square.
  CHECK(std::size(Formula::program<true, Slopes::none, Kept::given>.steps) == 7);
}

}  // TEST_SUITE("kernels")
