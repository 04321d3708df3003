// SPDX-License-Identifier: BSD-3-Clause
// The checker itself: it must fail on rules that are wrong by one part in a thousand.
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula_check.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"

using namespace ebb;

namespace {

/// x^2 whose slope is 2x times a factor.
template <int thousandths>
struct WrongSquare {
  static constexpr std::string_view name = "wrong_square";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0001};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    for (std::int64_t i = 0; i < x->shape.size(); ++i) {
      y->data<T>()[i] = x->data<T>()[i] * x->data<T>()[i];
    }
    return y.take();
  }
  static auto vjp_a(const auto& call) { return call.g() * (call.a() * (2e-3 * thousandths)); }
};

/// x^3 / 3, whose slope is right and whose second derivative is not.
template <int thousandths>
struct WrongAtSecondOrder {
  static constexpr std::string_view name = "wrong_at_second_order";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0001};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    for (std::int64_t i = 0; i < x->shape.size(); ++i) {
      const T v = x->data<T>()[i];
      y->data<T>()[i] = v * v * v / 3;
    }
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    return call.g() * detail::apply<WrongSquare<thousandths>, double>({}, call.a());
  }
};

template <class O>
Tensor<double> call(const Tensor<double>& x) {
  return detail::apply<O, double>({}, x);
}

const Array<double> three = Array<double>::of({0.7, -1.2, 2.5});
const Array<double> many = op::spread({30, 20});

}  // namespace

TEST_SUITE("gradient check") {

TEST_CASE("a right rule passes, entry by entry and by projections") {
  CHECK(check_gradients(call<WrongSquare<1000>>, three));
  CHECK(check_gradients(call<WrongAtSecondOrder<1000>>, three));
  CHECK(check_gradients(call<WrongAtSecondOrder<1000>>, many));
}

TEST_CASE("a slope wrong by 0.1 % fails") {
  for (const auto& x : {three, many}) {
    const auto report = check_gradients(call<WrongSquare<1001>>, x);
    CHECK_FALSE(report);
    CHECK(report.order == 1);
    CHECK_FALSE(report.kink_likely);
    CHECK(report.input == 0);
    CHECK((report.element >= 0) == (x.size() == 3));
  }
}

TEST_CASE("a second derivative wrong by 0.1 % fails, at the second order only") {
  for (const auto& x : {three, many}) {
    CHECK(check_gradients(call<WrongAtSecondOrder<1001>>, x, {.order = 1}));
    const auto report = check_gradients(call<WrongAtSecondOrder<1001>>, x);
    CHECK_FALSE(report);
    CHECK(report.order == 2);
  }
}

TEST_CASE("the report names the worst element, both values and the tolerance") {
  // Right everywhere but at element 1.
  const auto f = [](const Tensor<double>& x) {
    const auto mask = Array<bool>(Shape{3}, {true, false, true});
    return where(mask, square(x), call<WrongSquare<1001>>(x));
  };
  const auto report = check_gradients(f, three);
  CHECK(report.element == 1);
  CHECK(report.swept == -1.2 * (2e-3 * 1001));
  CHECK(std::abs(report.difference - -2.4) < 1e-9);  // the differences' own error is near 1e-12
  CHECK(report.tolerance > 0);
  std::ostringstream text;
  text << report;
  CHECK(text.str().find("element 1") != std::string::npos);
  CHECK(text.str().find("-2.4024") != std::string::npos);
}

TEST_CASE("a gradient of zero is not a success") {
  const auto constant = [](const Tensor<double>& x) { return 0.0 * x; };
  const auto report = check_gradients(constant, three);
  CHECK_FALSE(report);
  CHECK(report.reason == "the gradient is zero everywhere, so nothing was checked");

  const auto detached = [](const Tensor<double>& x) { return x.detach() * 1.0; };
  CHECK_FALSE(check_gradients(detached, three));

  // With two inputs, both count.
  const TensorFunction<double> first = [](std::span<const Tensor<double>> x) {
    return square(x[0]) + 0.0 * x[1];
  };
  CHECK(check_gradients(first, {three, three}).input == 1);
}

TEST_CASE("where a slope is declared zero, zeros are demanded") {
  const auto step = [](const Tensor<double>& x) { return where(x > 0.0, 0.0 * x + 1.0, 0.0 * x); };
  CHECK(check_gradients(step, three, {.order = 1, .zero_slope = true}));
  const auto report =
      check_gradients([](auto x) { return square(x); }, three, {.zero_slope = true});
  CHECK_FALSE(report);
  CHECK(report.reason == "a slope that was declared zero is not");
}

TEST_CASE("a kink is distinguished from an error") {
  const auto at_kink = check_gradients([](auto x) { return abs(x - 2.5) + x; }, three);
  CHECK_FALSE(at_kink);
  CHECK(at_kink.element == 2);
  CHECK(at_kink.kink_likely);
}

TEST_CASE("a function that is not finite is refused") {
  const auto report = check_gradients([](auto x) { return log(x); }, three);
  CHECK_FALSE(report);
  CHECK(report.reason == "the function is not finite at the inputs");
}

TEST_CASE("a user's formula is checked against differences and forward mode in one call") {
  const auto f = [](auto v, auto w) { return select(v > 0, tanh(v) * w, exp(v) / w); };
  const auto report = check_formula(f, three, Array<double>::of({0.3, 2, -1.5}));
  INFO(report);
  CHECK(report);
  // Six entries of the first order, more of the second, and three elements of two inputs forward.
  CHECK(report.compared > 12);
}

TEST_CASE("a function of tensors may hold a fused formula") {
  const auto f = [](const Tensor<double>& x) {
    return fuse([](auto v, auto k) { return select(v > 0, tanh(v) * k, exp(v)); }, x, 0.5);
  };
  const auto report = check_gradients(f, three);
  INFO(report);
  CHECK(report);
}

}  // TEST_SUITE("gradient check")
