// SPDX-License-Identifier: BSD-3-Clause
// Operations that a program adds itself: values, derivatives to every order, and what is said when
// one of them is wrong.
#include "ebb/autodiff/custom.hpp"
#include "ebb/autodiff/ops.hpp"

#include <algorithm>
#include <sstream>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape_view.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

struct Cube {
  static constexpr std::string_view name = "cube";
  static constexpr auto value(auto x) { return x * x * x; }
  static constexpr auto slope(auto x, auto) { return 3 * x * x; }
};

/// A slope that reads the output.
struct Logistic {
  constexpr auto value(auto x) const { return 1 / (1 + exp(-x)); }
  constexpr auto slope(auto, auto y) const { return y * (1 - y); }
};

struct Ratio {
  static constexpr auto value(auto a, auto b) { return a / b; }
  static constexpr auto slope_a(auto, auto b, auto) { return 1 / b; }
  static constexpr auto slope_b(auto, auto b, auto y) { return -y / b; }
};

struct Truncated {
  static constexpr auto value(auto x) { return select(x < 0, ceil(x), floor(x)); }
  static constexpr int slope(auto, auto) { return 0; }
};

/// A slope of 0 that is computed.
struct Rounded : Truncated {
  static constexpr auto slope(auto x, auto) { return 0 * x; }
};

/// Wrong by one part in a thousand.
struct WrongCube : Cube {
  static constexpr auto slope(auto x, auto) { return 3.003 * x * x; }
};

/// An option, and a gradient that is the operation itself.
struct Reversed {
  static constexpr std::string_view name = "reversed";
  double factor = 1;

  template <class T>
  Array<T> forward(const Array<T>& x) const {
    std::vector<T> values(x.begin(), x.end());
    std::reverse(values.begin(), values.end());
    for (T& v : values) v *= T(factor);
    return Array<T>(x.shape(), values);
  }
  template <class T>
  Tensor<T> vjp(const Tensor<T>& g, const Tensor<T>&, const Tensor<T>&) const {
    return structured(*this, g);
  }
};

/// Two inputs; the gradients read both of them and the result.
struct Distance {
  static constexpr std::string_view name = "distance";

  template <class T>
  Array<T> forward(const Array<T>& a, const Array<T>& b) const {
    return sqrt(sum(square(a - b))).array();
  }
  template <class T>
  std::array<Tensor<T>, 2> vjp(const Tensor<T>& g, const Tensor<T>& y, const Tensor<T>& a,
                               const Tensor<T>& b) const {
    const Tensor<T> direction = g * (a - b) / y;
    return {direction, -direction};
  }
};

/// The gradient of another shape than the input.
struct WrongShape : Reversed {
  template <class T>
  Tensor<T> vjp(const Tensor<T>& g, const Tensor<T>&, const Tensor<T>&) const {
    return sum(g);
  }
};

struct WrongCount : Distance {
  template <class T>
  std::vector<Tensor<T>> vjp(const Tensor<T>& g, const Tensor<T>&, const Tensor<T>&,
                             const Tensor<T>&) const {
    return {g};
  }
};

struct Failing : Reversed {
  template <class T>
  Array<T> forward(const Array<T>&) const {
    throw std::runtime_error("no result today");
  }
};

GradientReport checked(auto f, const std::vector<Array<double>>& inputs,
                       GradientCheckOptions options = {}) {
  return check_gradients([f](std::span<const Tensor<double>> x) { return f(x); }, inputs, options);
}

}  // namespace

TEST_SUITE("custom operations") {

TEST_CASE("an elementwise operation of your own has its derivatives at both orders") {
  const auto matrix = op::spread({2, 5}), row = op::spread({5}, 1.7);
  const auto passes = [](const GradientReport& report) {
    INFO(report);
    CHECK(report);
  };
  passes(checked([](auto x) { return elementwise(Cube{}, x[0]); }, {matrix}));
  passes(checked([](auto x) { return elementwise(Logistic{}, x[0]); }, {matrix}));
  passes(checked([](auto x) { return elementwise(Ratio{}, x[0], x[1]); }, {matrix, row}));
  passes(checked([](auto x) { return elementwise(Ratio{}, x[0], 1.5); }, {matrix}));
  passes(checked([](auto x) { return elementwise(Ratio{}, 1.5, x[0]); }, {matrix}));
  passes(checked([](auto x) { return elementwise(Cube{}, x[0]); }, {Array<double>(0.7)}));
  passes(checked([](auto x) { return elementwise(Truncated{}, x[0]); }, {matrix},
                 {.zero_slope = true}));
  passes(
      checked([](auto x) { return elementwise(Rounded{}, x[0]); }, {matrix}, {.zero_slope = true}));
}

TEST_CASE("an elementwise operation of your own has its formula's value and every order") {
  const auto x = Array<double>::of({-2, 0.5, 3});
  CHECK(equal(elementwise(Cube{}, x).array(), Array<double>::of({-8, 0.125, 27})));
  CHECK(equal(elementwise(Truncated{}, x).array(), Array<double>::of({-2, 0, 3})));
  CHECK(equal(elementwise(Ratio{}, x, 0.5).array(), Array<double>::of({-4, 1, 6})));
  CHECK(equal(elementwise(Ratio{}, 6.0, x).array(), Array<double>::of({-3, 12, 2})));
  const auto f = [](const auto& v) { return sum(elementwise(Cube{}, v)); };
  const auto g = [&](const auto& v) { return sum(gradient(f, v)); };
  const auto h = [&](const auto& v) { return sum(gradient(g, v)); };
  CHECK(equal(gradient(g, x).array(), Array<double>::of({-12, 3, 18})));
  CHECK(equal(gradient(h, x).array(), Array<double>::of({6, 6, 6})));
}

TEST_CASE("an operation of your own is called inside of a formula as a whole") {
  const auto report = checked(
      [](auto x) {
        return fuse(
            [](auto a, auto b) { return elementwise(Ratio{}, elementwise(Cube{}, a), b) + sin(a); },
            x[0], x[1]);
      },
      {op::spread({7}), op::spread({7}, 1.3)});
  INFO(report);
  CHECK(report);
}

TEST_CASE("the check sees a slope that is wrong by one part in a thousand") {
  CHECK_FALSE(checked([](auto x) { return elementwise(WrongCube{}, x[0]); }, {op::spread({3})}));
}

TEST_CASE("a structured operation of your own has its derivatives at both orders") {
  const auto a = op::spread({2, 3}), b = op::spread({2, 3}, 0.6);
  const auto passes = [](const GradientReport& report) {
    INFO(report);
    CHECK(report);
  };
  passes(checked([](auto x) { return structured(Reversed{.factor = 1.5}, x[0]); }, {a}));
  passes(checked([](auto x) { return structured(Reversed{}, square(x[0])); }, {a}));
  passes(checked([](auto x) { return structured(Distance{}, x[0], x[1]); }, {a, b}));
  passes(checked([](auto x) { return structured(Reversed{}, x[0]) * x[1]; }, {a, b}));
}

TEST_CASE(
    "a structured operation of one's own is a record with its name, its options and its kind") {
  Tape tape;
  const auto x = tape.watch(Array<float>::of({1, 2, 3}));
  const auto y = structured(Reversed{.factor = 2}, x);
  CHECK(equal(y.array(), Array<float>::of({6, 4, 2})));
  CHECK(tape.size() == 2);
  std::ostringstream text;
  text << tape;
  CHECK(text.str().find("reversed") != std::string::npos);
  std::ostringstream named;
  elementwise(Cube{}, x);
  named << tape;
  CHECK(named.str().find(" cube ") != std::string::npos);
  const Tensor<float> seed(Array<float>::of({1, 10, 100}));
  CHECK(equal(grad(y, {x}, {}, &seed)[0].array(), Array<float>::of({200, 20, 2})));
}

TEST_CASE(
    "without a tape or a variable nothing is recorded, and a variable's result is untracked") {
  const Variable<double> w(Array<double>::of({1, 2}));
  const Tensor<double> y = structured(Reversed{}, w);
  Tape tape;
  CHECK(
      equal(structured(Reversed{}, Array<double>::of({1, 2})).array(), Array<double>::of({2, 1})));
  CHECK(tape.size() == 0);
  CHECK(message_of<TapeError>([&] {
          structured(Reversed{}, y);
        }).find("reversed: an operand was") == 0);
}

TEST_CASE("an error says what is wrong with an operation of your own") {
  Tape tape;
  const auto x = tape.watch(op::spread({2, 3}));
  CHECK(message_of<ShapeError>([&] { grad(sum(structured(WrongShape{}, x)), x); }) ==
        "reversed: vjp gave a gradient of shape () for input 0 of shape (2, 3)");
  const auto a = tape.watch(op::spread({2}));
  CHECK(message_of<ArgumentError>([&] { grad(structured(WrongCount{}, a, 2.0 * a), a); }) ==
        "distance: vjp gave 1 gradients for 2 inputs");
  const std::int64_t before = tape.size();
  CHECK_THROWS_AS(structured(Failing{}, tape.watch(op::spread({2}))), std::runtime_error);
  CHECK(tape.size() <= before + 1);  // the leaf at most
  CHECK(message_of<ArgumentError>([&] { structured(Reversed{}, Array<double>()); }).find("empty") !=
        std::string::npos);
}

TEST_CASE("an operation of your own frees all its blocks") {
  const auto run = [] {
    Tape tape;
    const auto x = tape.watch(op::spread({2, 3}));
    const auto g =
        grad(structured(Distance{}, elementwise(Cube{}, x), sin(x)), x, {.create_graph = true});
    grad(sum(square(g)), x);
  };
  run();
  const auto live = memory_statistics().live_blocks;
  run();
  CHECK(memory_statistics().live_blocks == live);
}

}  // TEST_SUITE("custom operations")
