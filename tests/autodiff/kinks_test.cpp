// SPDX-License-Identifier: BSD-3-Clause
// The slope of every operation that has a kink, as docs/kinks.md gives it, row by row.
#include <cmath>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// df/dx at a single value.
template <class F>
double slope(const F& f, double x) {
  return gradient(f, Array<double>(x)).item();
}

/// Whether the gradient of f at a vector is as expected, exactly.
template <class F>
bool gradient_is(const F& f, std::initializer_list<double> x,
                 std::initializer_list<double> expected) {
  return equal(gradient(f, Array<double>::of(x)).array(), Array<double>::of(expected));
}

}  // namespace

TEST_SUITE("slopes at kinks") {

TEST_CASE("elementwise operations of one argument have their slopes") {
  CHECK(slope([](const auto& x) { return abs(x); }, 0) == 0);
  CHECK(slope([](const auto& x) { return relu(x); }, 0) == 0);
  const auto none = Array<double>::zeros({1, 1});
  CHECK(slope(
            [&](const auto& x) {
              return rnn(reshape(x, {1, 1, 1}), none, Array<double>::ones({1, 1}), none,
                         {.nonlinearity = Nonlinearity::relu})
                  .hidden;
            },
            0) == 0);
  CHECK(slope([](const auto& x) { return leaky_relu(x, 0.25); }, 0) == 0.25);
  CHECK(slope([](const auto& x) { return elu(x, 0.5); }, 0) == 0.5);
  // The product of its two constants (Klambauer et al. 2017), up to its rounding.
  CHECK(std::abs(slope([](const auto& x) { return selu(x); }, 0) -
                 1.0507009873554805 * 1.6732632423543772) < 1e-15);
  for (const double end : {-1.0, 2.0}) {
    CHECK(slope([](const auto& x) { return clamp(x, -1, 2); }, end) == 1);
    CHECK(slope([](const auto& x) { return hardtanh(x, -1, 2); }, end) == 0);
  }
  CHECK(slope([](const auto& x) { return clamp_min(x, -1); }, -1) == 1);
  CHECK(slope([](const auto& x) { return clamp_max(x, 2); }, 2) == 1);
  for (const double end : {0.0, 6.0}) {
    CHECK(slope([](const auto& x) { return relu6(x); }, end) == 0);
    CHECK(slope([](const auto& x) { return hardsigmoid(x); }, end - 3) == 0);
    CHECK(slope([](const auto& x) { return hardswish(x); }, end - 3) == end / 6);
  }
  for (const double x : {0.0, 0.5, 1.0}) {
    CHECK(slope([](const auto& v) { return sign(v) + floor(v) + ceil(v) + round(v); }, x) == 0);
  }
}

TEST_CASE("elementwise operations of two arguments have their slopes") {
  CHECK(slope([](const auto& x) { return maximum(x, 3.0); }, 3) == 0.5);
  CHECK(slope([](const auto& x) { return minimum(3.0, x); }, 3) == 0.5);
  CHECK(slope([](const auto& x) { return pow(x, 0.0); }, 0) == 0);
  CHECK(slope([](const auto& x) { return pow(0.0, x); }, 0) == 0);
  const auto both_are_0 = [](const auto& f) {
    return slope([&](const auto& x) { return f(x, 0.0); }, 0) == 0 &&
           slope([&](const auto& x) { return f(0.0, x); }, 0) == 0;
  };
  CHECK(both_are_0([](const auto& a, const auto& b) { return xlogy(a, b); }));
  CHECK(both_are_0([](const auto& a, const auto& b) { return hypot(a, b); }));
  CHECK(both_are_0([](const auto& a, const auto& b) { return atan2(a, b); }));
}

TEST_CASE("reductions have their slopes") {
  CHECK(gradient_is([](const auto& x) { return max(x); }, {5, 1, 5, 5},
                    {1.0 / 3, 0, 1.0 / 3, 1.0 / 3}));
  CHECK(gradient_is([](const auto& x) { return min(x, 0); }, {1, 5, 1, 7}, {0.5, 0, 0.5, 0}));
  for (const double p : {0.5, 1.0, 2.0, 3.0, double(INFINITY)}) {
    CAPTURE(p);
    CHECK(gradient_is([=](const auto& x) { return norm(x, p); }, {0, 0}, {0, 0}));
  }
  CHECK(gradient_is([](const auto& x) { return norm(x, 1); }, {0, -2, 3}, {0, -1, 1}));
  CHECK(gradient_is([](const auto& x) { return norm(x, INFINITY); }, {-4, 4, 1}, {-0.5, 0.5, 0}));
  CHECK(gradient_is([](const auto& x) { return stddev(x); }, {7, 7, 7}, {0, 0, 0}));
  for (const double p : {0.5, 1.0, 2.0, 3.0, double(INFINITY)}) {
    CAPTURE(p);
    const auto distances = [=](const auto& x) {
      const auto rows = reshape(x, {2, 2});
      return sum(cdist(rows, rows, p));
    };
    CHECK(gradient_is(distances, {5, 7, 5, 7}, {0, 0, 0, 0}));
  }
  const auto from_0 = [](double p) {
    return [=](const auto& x) {
      return sum(cdist(reshape(x, {1, 3}), Array<double>::zeros({1, 3}), p));
    };
  };
  CHECK(gradient_is(from_0(1), {0, -2, 3}, {0, -1, 1}));
  CHECK(gradient_is(from_0(INFINITY), {-4, 4, 1}, {-0.5, 0.5, 0}));
  // Among matrices of rank 1 the last element cannot change.
  const auto inverse = [](const auto& x) {
    return sum(pinv(reshape(x, {2, 2})) * Array<double>::of({{3, 5}, {7, 11}}));
  };
  CHECK(gradient_is(inverse, {2, 0, 0, 0}, {-0.75, 1.75, 1.25, 0}));
  // At |a| = eps the norm counts half: with b = (1, 0), a . b = 3 and |a| = eps = 5.
  const auto near = [](const auto& x) {
    return sum(cosine_similarity(x, Array<double>::of({1, 0}), 0, 5) * 5.0);
  };
  // |b| is below eps, so b counts as 5 long: d/da of 5 (a . b) / (5 max(|a|, 5)), by three
  // roundings.
  const auto expected =
      Array<double>::of({1.0 / 5 - 3.0 / 25 * 0.5 * 3 / 5, -3.0 / 25 * 0.5 * 4 / 5});
  CHECK_AGREES(close(gradient(near, Array<double>::of({3, 4})).array(), expected, 1e-14));
}

TEST_CASE("the first of equal elements is chosen") {
  const auto weights = Array<double>::of({10, 20, 30});
  CHECK(gradient_is([&](const auto& x) { return sum(sort(x).values * weights); }, {5, 1, 5},
                    {20, 10, 30}));
  CHECK(gradient_is([&](const auto& x) { return sum(sort(x, 0, true).values * weights); },
                    {5, 1, 5}, {10, 30, 20}));
  CHECK(gradient_is([](const auto& x) { return sum(topk(x, 1).values); }, {1, 5, 5}, {0, 1, 0}));
  CHECK(gradient_is([&](const auto& x) { return sum(cummax(x, 0).values * weights); }, {5, 5, 1},
                    {60, 0, 0}));
  CHECK(gradient_is([&](const auto& x) { return sum(cummin(x, 0).values * weights); }, {5, 5, 1},
                    {30, 0, 30}));
  CHECK(gradient_is([](const auto& x) { return median(x); }, {3, 3, 3}, {0, 1, 0}));
  CHECK(gradient_is([](const auto& x) { return median(x, 0).values; }, {3, 3, 3}, {0, 1, 0}));
  CHECK(gradient_is([](const auto& x) { return quantile(x, 0.625); }, {3, 3, 3}, {0, 0.75, 0.25}));
  CHECK(gradient_is(
      [](const auto& x) {
        return sum(max_pool1d(reshape(x, {1, 1, 4}), 2));
      },
      {2, 2, 1, 1}, {1, 0, 1, 0}));
  CHECK(gradient_is(
      [](const auto& x) {
        return sum(max_pool2d(reshape(x, {1, 1, 2, 2}), 2));
      },
      {0, 2, 2, 2}, {0, 1, 0, 0}));
}

TEST_CASE("losses have their slopes") {
  const auto target = Array<double>(2.0), one = Array<double>(1.0);
  CHECK(slope([&](const auto& x) { return l1_loss(x, target); }, 2) == 0);
  CHECK(slope([&](const auto& x) { return smooth_l1_loss(x, target, 0); }, 2) == 0);
  CHECK(slope([&](const auto& x) { return hinge_loss(x, one); }, 1) == 0);
  CHECK(slope([&](const auto& x) { return squared_hinge_loss(x, one); }, 1) == 0);
  for (const int p : {1, 2}) {
    const auto at_margin = [=](const auto& x) {
      return multi_margin_loss(reshape(x, {1, 2}), Array<std::int64_t>::of({0}), {.p = p});
    };
    CHECK(gradient_is(at_margin, {3, 2}, {0, 0}));
  }
  // Half of q - 1 and of q, turned since e falls as the prediction grows.
  CHECK(slope([&](const auto& x) { return quantile_loss(x, target, 0.75); }, 2) == -0.25);
  const auto variance_at = [](double eps) {
    const auto of_variance = [=](const auto& v) {
      return gaussian_nll_loss(Array<double>(3.0), Array<double>(2.0), v, eps);
    };
    return slope(of_variance, 0.5);
  };
  CHECK(variance_at(0.5) == -1);  // (1 / v - 1 / v^2) / 2
  CHECK(variance_at(0.6) == 0);
  const double least = std::exp(-100.0);  // its logarithm is -100
  CHECK(slope([&](const auto& x) { return bce(x, one); }, least) == -1 / least);
  CHECK(slope([&](const auto& x) { return bce(x, one); }, least / 2) == 0);
  CHECK(slope([&](const auto& x) { return bce(x, one); }, 0) == 0);
  CHECK(slope([&](const auto& x) { return kl_div(x, Array<double>(0.0)); }, -1) == 0);
  CHECK(slope([&](const auto& x) { return kl_div(Array<double>(-1.0), x); }, 0) == 0);
}

}  // TEST_SUITE("slopes at kinks")
