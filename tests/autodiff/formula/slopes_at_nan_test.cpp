// SPDX-License-Identifier: BSD-3-Clause
// The slope of every elementwise operation at NaN, from the registry: NaN, unless it is the same
// number for every argument.
#include <cmath>
#include <map>
#include <string>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/registry.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

const double nan_value = std::numeric_limits<double>::quiet_NaN();

/// The slope of an operation of one argument at NaN, if it does not depend on the argument.
const std::map<std::string_view, double> constant = {
    {"neg", -1}, {"sign", 0}, {"floor", 0}, {"ceil", 0}, {"round", 0}};

/// The slopes at (NaN, 3) or (3, NaN) that do not depend on the argument that is NaN.
struct Linear {
  std::string_view name;
  int nan_in, slope_in;
  double slope;
};
const Linear same_everywhere[] = {
    {"add", 0, 0, 1}, {"add", 0, 1, 1},       {"add", 1, 0, 1},
    {"add", 1, 1, 1}, {"sub", 0, 0, 1},       {"sub", 0, 1, -1},
    {"sub", 1, 0, 1}, {"sub", 1, 1, -1},      {"mul", 0, 0, 3},
    {"mul", 1, 1, 3}, {"div", 0, 0, 1.0 / 3}, {"xlogy", 0, 0, 1.0986122886681098}};

bool agree(double a, double b) {
  return std::abs(a - b) <= 1e-15 || (std::isnan(a) && std::isnan(b));
}

template <class O>
O example() {
  if constexpr (requires { O::example(); }) {
    return O::example();
  } else {
    return O{};
  }
}

/// In forward mode.
template <class... O>
void check_duals(op::List<O...>) {
  const auto check = [](const auto& operation) {
    using Operation = std::decay_t<decltype(operation)>;
    CAPTURE(Operation::name);
    Dual<double, 1> x(nan_value);
    x.d[0] = 1;
    const auto is_constant = constant.find(Operation::name);
    const double expected = is_constant == constant.end() ? nan_value : is_constant->second;
    CHECK(agree(forward::unary(operation, x).d[0], expected));
  };
  (check(example<O>()), ...);
}

}  // namespace

TEST_SUITE("edge values") {

TEST_CASE("the slope of an operation of one argument at NaN is NaN, or constant") {
  for (const auto& entry : registry()) {
    if (entry.elementwise_arity != 1) continue;
    CAPTURE(entry.name);
    const auto is_constant = constant.find(entry.name);
    const double expected = is_constant == constant.end() ? nan_value : is_constant->second;
    const auto f = [&](const Tensor<double>& x) { return entry.in_double(std::span(&x, 1)); };
    CHECK(std::isnan(f(Tensor<double>(nan_value)).item()));
    CHECK(agree(gradient(f, Array<double>(nan_value)).item(), expected));
    const auto narrow = [&](const Tensor<float>& x) { return entry.in_float(std::span(&x, 1)); };
    CHECK(agree(double(gradient(narrow, Array<float>(float(nan_value))).item()), expected));
  }
  check_duals(op::Unary{});
}

TEST_CASE("the slopes of an operation of two arguments at NaN are NaN, or constant") {
  for (const auto& entry : registry()) {
    if (entry.elementwise_arity != 2) continue;
    CAPTURE(entry.name);
    for (int nan_in = 0; nan_in < 2; ++nan_in) {
      CAPTURE(nan_in);
      Tape tape;
      const Tensor<double> in[] = {tape.watch(Array<double>(nan_in == 0 ? nan_value : 3)),
                                   tape.watch(Array<double>(nan_in == 1 ? nan_value : 3))};
      const auto slopes = grad(entry.in_double(in), {in[0], in[1]});
      for (int k = 0; k < 2; ++k) {
        CAPTURE(k);
        double expected = nan_value;
        for (const Linear& known : same_everywhere) {
          if (known.name == entry.name && known.nan_in == nan_in && known.slope_in == k)
            expected = known.slope;
        }
        CHECK(agree(slopes[std::size_t(k)].item(), expected));
      }
    }
  }
}

TEST_CASE("a power that does not depend on NaN has the slope 0") {
  const auto by_base = [](const auto& x) { return pow(x, 0.0); };
  const auto by_exponent = [](const auto& x) { return pow(1.0, x); };
  const auto fused = [](const auto& x) { return fuse([](auto v) { return pow(v, 0); }, x); };
  const Array<double> x(nan_value);
  CHECK(by_base(Tensor<double>(x)).item() == 1);
  CHECK(gradient(by_base, x).item() == 0);
  CHECK(gradient(by_base, Array<float>(float(nan_value))).item() == 0);
  CHECK(gradient(fused, x).item() == 0);
  CHECK(hessian(by_base, x).item() == 0);
  CHECK(by_exponent(Tensor<double>(x)).item() == 1);
  CHECK(gradient(by_exponent, x).item() == 0);
  // What does depend on its arguments keeps its mixed derivative: b a^(b - 1) by b is 1 / a at 0.
  const auto slope_in_a = [](const auto& b) {
    return gradient([&](const auto& a) { return pow(a, b); }, Tensor<double>(4.0));
  };
  CHECK(gradient(slope_in_a, Array<double>(0.0)).item() == 0.25);
}

TEST_CASE("the slope of a fused choice at NaN is NaN") {
  const auto is_nan = [](const auto& f) {
    return std::isnan(
        gradient([&](const auto& x) { return fuse(f, x); }, Array<double>(nan_value)).item());
  };
  CHECK(is_nan([](auto x) { return relu(x); }));
  CHECK(is_nan([](auto x) { return abs(x); }));
  CHECK(is_nan([](auto x) { return clamp(x, -1, 2); }));
  CHECK(is_nan([](auto x) { return clamp_min(x, -1); }));
  CHECK(is_nan([](auto x) { return clamp_max(x, 2); }));
  CHECK(is_nan([](auto x) { return hardtanh(x); }));
  CHECK(is_nan([](auto x) { return relu6(x); }));
  CHECK(is_nan([](auto x) { return hardsigmoid(x); }));
  CHECK(is_nan([](auto x) { return hardswish(x); }));
  CHECK(is_nan([](auto x) { return softsign(x); }));
  CHECK(is_nan([](auto x) { return logaddexp(x, x); }));
  CHECK(is_nan([](auto x) { return leaky_relu(x); }));
  CHECK(is_nan([](auto x) { return elu(x); }));
  CHECK(is_nan([](auto x) { return selu(x); }));
  CHECK(is_nan([](auto x) { return maximum(x, 1); }));
  CHECK(is_nan([](auto x) { return minimum(1, x); }));
}

TEST_CASE("a row with NaN has no largest or smallest element, and NaN stays visible") {
  const auto all_nan = [](const auto& f) {
    for (const auto& x : {Array<double>::of({nan_value, 5}), Array<double>::of({5, nan_value}),
                          Array<double>::of({-INFINITY, nan_value})}) {
      const auto g = gradient([&](const auto& v) { return sum(f(v)); }, x);
      CHECK(std::isnan(sum(f(Tensor<double>(x))).item()));
      for (const double v : g.array()) CHECK(std::isnan(v));
    }
  };
  all_nan([](const auto& x) { return max(x); });
  all_nan([](const auto& x) { return min(x, 0); });
  all_nan([](const auto& x) { return logsumexp(x); });
  all_nan([](const auto& x) { return softmax(x) * Array<double>::of({1, 2}); });
  all_nan([](const auto& x) { return log_softmax(x); });
  all_nan([](const auto& x) { return norm(x); });
  all_nan([](const auto& x) { return norm(x, INFINITY); });
  all_nan([](const auto& x) { return norm(x, INFINITY, 0, true) * Array<double>::of({1, 2}); });
  all_nan([](const auto& x) { return stddev(x); });
  // A sum of distances has a slope of its own in each element.
  const auto row = Array<float>::of({float(nan_value), -5, 0});
  const auto g = gradient([](const auto& x) { return norm(x, 1); }, row).array();
  CHECK(std::isnan(g[0]));
  CHECK(g[1] == -1);
  CHECK(g[2] == 0);
}

}  // TEST_SUITE("edge values")
