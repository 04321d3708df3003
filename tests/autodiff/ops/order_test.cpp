// SPDX-License-Identifier: BSD-3-Clause
// Which elements the operations by order choose.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using Indices = Array<std::int64_t>;
const double nan_value = std::numeric_limits<double>::quiet_NaN();

/// Few values, so that many are equal.
Array<double> with_ties(const Shape& shape) {
  auto x = Array<double>::uninitialized(shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = double((i * i + 3 * i) % 7) - 3;
  return x;
}

/// Indices of a row in stable order.
std::vector<std::int64_t> stable_order(const double* row, std::int64_t n, bool descending) {
  std::vector<std::int64_t> order(std::size_t(n), 0);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [=](std::int64_t i, std::int64_t j) {
    return descending ? row[i] > row[j] : row[i] < row[j];
  });
  return order;
}

}  // namespace

TEST_SUITE("order") {

TEST_CASE("sort, topk, median, argmax and argmin choose as a stable sort does, along every axis") {
  const auto x = with_ties({6, 4, 9});
  for (int axis = 0; axis < 3; ++axis) {
    CAPTURE(axis);
    // The axis last, in the order of the others: then every row is one line.
    const auto to_last = [=](const auto& y) {
      return axis == 0   ? permute(y, {1, 2, 0})
             : axis == 1 ? permute(y, {0, 2, 1})
                         : permute(y, {0, 1, 2});
    };
    const auto index_of = [=](const Indices& i) {
      auto y = Array<double>::uninitialized(i.shape());
      std::copy(i.begin(), i.end(), y.mutate());
      return to_last(y).array();
    };
    const auto lines = to_last(x).array();
    const std::int64_t n = x.shape()[axis], count = x.size() / n, k = 3;
    const auto top = argmax(x, axis), bottom = argmin(x, axis), middle = median(x, axis).indices;
    CHECK(top.shape() == x.shape().without(axis));
    for (const bool descending : {false, true}) {
      const auto sorted = sort(x, axis, descending);
      const auto first = topk(x, k, axis, descending);
      CHECK_AGREES(same_bits(sorted.values.array(), gather(x, axis, sorted.indices).array()));
      CHECK_AGREES(same_bits(first.values.array(), gather(x, axis, first.indices).array()));
      const auto all = index_of(sorted.indices), some = index_of(first.indices);
      for (std::int64_t line = 0; line < count; ++line) {
        const auto expected = stable_order(lines.data() + line * n, n, descending);
        for (std::int64_t i = 0; i < n; ++i) {
          CHECK(std::int64_t(all[line * n + i]) == expected[std::size_t(i)]);
          if (i < k) CHECK(std::int64_t(some[line * k + i]) == expected[std::size_t(i)]);
        }
        CHECK((descending ? top : bottom)[line] == expected[0]);
        if (!descending) CHECK(middle[line] == expected[std::size_t(n - 1) / 2]);
      }
    }
  }
  const auto row = with_ties({24});
  const auto order = stable_order(row.data(), 24, false);
  CHECK(median(row.reshape({2, 3, 4})).item() == row[order[11]]);
  CHECK(argmin(row.reshape({4, 6})).item() == order[0]);
  CHECK(argmax(x, 1, true).shape() == Shape{6, 1, 9});
  CHECK(median(x, 1, true).indices.shape() == Shape{6, 1, 9});
}

TEST_CASE("NaN counts as larger than any number, and is never passed over") {
  const auto x = Array<double>::of({2, nan_value, -1, nan_value, 5});
  CHECK(equal(sort(x).indices, Indices::of({2, 0, 4, 1, 3})));
  CHECK(equal(sort(x, 0, true).indices, Indices::of({1, 3, 4, 0, 2})));
  CHECK(equal(topk(x, 3).indices, Indices::of({1, 3, 4})));
  CHECK(equal(topk(x, 2, 0, false).indices, Indices::of({2, 0})));
  CHECK(argmax(x).item() == 1);
  CHECK(argmin(x).item() == 1);
  CHECK(argmin(x, 0).item() == 1);
  CHECK(std::isnan(median(x).item()));
  CHECK(median(x, 0).indices.item() == 1);
}

TEST_CASE_TEMPLATE("sort of hard lines of any length is that of a stable sort", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> hard = {T(0),          T(-0.0),        Limits::infinity(),
                               T(1),          Limits::max(),  -Limits::infinity(),
                               Limits::min(), -Limits::max(), Limits::denorm_min(),
                               T(-1),         -Limits::min(), -Limits::denorm_min(),
                               T(1) / 3,      T(-1) / 3,      Limits::quiet_NaN()};
  for (const std::int64_t n : {1, 2, 15, 64, 1000}) {
    CAPTURE(n);
    auto x = Array<T>::uninitialized({n});
    for (std::int64_t i = 0; i < n; ++i) {
      const auto k = std::size_t(i * i * 7 + i * 3);
      x.mutate()[i] = k % 3 ? hard[k % hard.size()] : T(std::sin(double(k)) * 1e3);
    }
    for (const bool descending : {false, true}) {
      CAPTURE(descending);
      const auto before = [=](T a, T b) { return a < b || (b != b && a == a); };
      std::vector<std::int64_t> order(std::size_t(n), 0);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
        return descending ? before(x[j], x[i]) : before(x[i], x[j]);
      });
      const auto sorted = sort(x, -1, descending);
      auto values = Array<T>::uninitialized({n});
      for (std::int64_t i = 0; i < n; ++i) {
        values.mutate()[i] = x[order[std::size_t(i)]];
        CHECK(sorted.indices[i] == order[std::size_t(i)]);
      }
      CHECK_AGREES(same_bits(sorted.values.array(), values));
    }
  }
}

TEST_CASE("a choice from no elements is refused, and one from a scalar is the scalar") {
  const auto none = Array<float>::zeros({0, 3});
  CHECK_THROWS_WITH_AS(argmax(none, 0), "argmax: there must be an element to choose, not (0, 3)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(argmin(none), "argmin: there must be an element to choose, not (0, 3)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(argmax(none, 2), "argmax: axis 2 of an array with 2 axes, of shape (0, 3)",
                       ArgumentError);
  CHECK_THROWS_AS(argmax(Tensor<float>()), ArgumentError);
  CHECK(argmax(none, 1).shape() == Shape{0});
  CHECK(argmax(Tensor<float>(3)).item() == 0);
}

TEST_CASE("a scalar has an axis of one element, which is 0 or -1") {
  const auto x = Array<double>(-1.5);
  for (const int axis : {0, -1}) {
    const auto is = [](const auto& y, double value) {
      return y.shape() == Shape() && double(y.item()) == value;
    };
    for (const bool keepdim : {false, true}) {
      CHECK(is(sum(x, axis, keepdim), -1.5));
      CHECK(is(mean(x, axis, keepdim), -1.5));
      CHECK(is(max(x, axis, keepdim), -1.5));
      CHECK(is(min(x, axis, keepdim), -1.5));
      CHECK(is(prod(x, axis, keepdim), -1.5));
      CHECK(is(logsumexp(x, axis, keepdim), -1.5));
      CHECK(is(norm(x, 2, axis, keepdim), 1.5));
      CHECK(is(var(x, axis, {.correction = 0, .keepdim = keepdim}), 0));
      CHECK(is(argmax(x, axis, keepdim), 0));
      CHECK(is(argmin(x, axis, keepdim), 0));
      CHECK(is(median(x, axis, keepdim).values, -1.5));
      CHECK(is(median(x, axis, keepdim).indices, 0));
    }
    CHECK(is(softmax(x, axis), 1));
    CHECK(is(log_softmax(x, axis), 0));
    CHECK(is(cumsum(x, axis), -1.5));
    CHECK(is(cumprod(x, axis), -1.5));
    CHECK(is(sort(x, axis).values, -1.5));
    CHECK(is(sort(x, axis).indices, 0));
    CHECK(is(topk(x, 1, axis).values, -1.5));
    CHECK(is(flip(x, axis), -1.5));
    CHECK(is(squeeze(x, axis), -1.5));
    CHECK(is(gather(x, axis, Array<std::int64_t>(0)), -1.5));
    CHECK(is(scatter_add(x, axis, Array<std::int64_t>(0), x), -3));
    const auto slope = [&](const auto& f) { return gradient(f, x).item(); };
    const auto first = Array<std::int64_t>(0);
    CHECK(slope([=](const auto& v) { return cumprod(v, axis) * cumsum(v, axis); }) == -3);
    CHECK(slope([=](const auto& v) { return square(sort(v, axis).values); }) == -3);
    CHECK(slope([=](const auto& v) { return square(topk(v, 1, axis).values); }) == -3);
    CHECK(slope([=](const auto& v) { return square(gather(v, axis, first)); }) == -3);
    CHECK(slope([=](const auto& v) { return scatter_add(v, axis, first, square(v)); }) == -2);
    CHECK(slope([=](const auto& v) { return v * softmax(v, axis) + log_softmax(v, axis); }) == 1);
  }
}

TEST_CASE_TEMPLATE("the largest and the smallest elements so far", T, float, double) {
  const T none = std::numeric_limits<T>::quiet_NaN();
  const T inf = std::numeric_limits<T>::infinity();
  const auto x = Array<T>::of({2, 1, 2, inf, 0, none, 9, none});
  const auto above = cummax(x, 0), below = cummin(x, -1);
  CHECK_AGREES(
      same_bits(above.values.array(), Array<T>::of({2, 2, 2, inf, inf, none, none, none})));
  CHECK(equal(above.indices, Array<std::int64_t>::of({0, 0, 0, 3, 3, 5, 5, 5})));
  CHECK_AGREES(same_bits(below.values.array(), Array<T>::of({2, 1, 1, 1, 0, none, none, none})));
  CHECK(equal(below.indices, Array<std::int64_t>::of({0, 1, 1, 1, 4, 5, 5, 5})));
  const auto planes = Array<T>::of({{1, 5}, {3, 2}, {2, 7}}).reshape({1, 3, 2});
  CHECK(equal(cummax(planes, 1).indices,
              Array<std::int64_t>::of({{0, 0}, {1, 0}, {1, 2}}).reshape({1, 3, 2})));
  CHECK(equal(cummin(planes, 2).values.array(),
              Array<T>::of({{1, 1}, {3, 2}, {2, 2}}).reshape({1, 3, 2})));
}

TEST_CASE("quantiles are those of the manuals of NumPy and PyTorch") {
  const auto a = Array<double>::of({{10, 7, 4}, {3, 2, 1}});
  CHECK(quantile(a, 0.5).item() == 3.5);
  CHECK(equal(quantile(a, 0.5, 0).array(), Array<double>::of({6.5, 4.5, 2.5})));
  CHECK(equal(quantile(a, 0.5, 1).array(), Array<double>::of({7, 2})));
  CHECK(equal(quantile(a, 0.5, 1, true).array(), Array<double>({2, 1}, {7, 2})));
  const auto b = Array<float>::of({{0.0795F, -1.2117F, 0.9765F}, {1.1707F, 0.6706F, 0.4884F}});
  const auto three = quantile(b, {0.25, 0.5, 0.75}, 1, true).array();
  REQUIRE(three.shape() == Shape{3, 2, 1});
  const auto expected = Array<float>::of({-0.5661F, 0.5795F, 0.0795F, 0.6706F, 0.5280F, 0.9206F});
  CHECK_AGREES(close(three.reshape({6}), expected, 0, 0.5001e-4));  // the digits that are printed
}

TEST_CASE_TEMPLATE("quantiles are on the line between neighbours of a sorted row", T, float,
                   double) {
  const auto x = cast<T>(concat({with_ties({4, 3, 6}), op::spread({4, 7, 6}, 3)}, 1)).array();
  const std::vector<double> q = {0.9, 0, 0.31, 1, 0.5, 0.75, 0.31};
  for (int axis = 0; axis < 3; ++axis) {
    CAPTURE(axis);
    const auto all = quantile(x, q, axis - 3).array();
    const auto kept = quantile(x, q, axis, true).array();
    const auto sorted = sort(x, axis).values;
    const std::int64_t n = x.shape()[axis];
    REQUIRE(kept.size() == all.size());
    for (std::size_t k = 0; k < q.size(); ++k) {
      const auto at = std::int64_t(k);
      const double h = q[k] * double(n - 1), low = std::floor(h);
      const auto a = slice(sorted, axis, {std::int64_t(low), std::int64_t(low) + 1});
      const auto b =
          slice(sorted, axis, {std::int64_t(std::ceil(h)), std::int64_t(std::ceil(h)) + 1});
      const auto expected = squeeze(a + (b - a) * (h - low), axis).array();
      // A product and a sum, rounded.
      const double eps = double(std::numeric_limits<T>::epsilon());
      CHECK_AGREES(
          close(all.leading(at, at + 1).reshape(expected.shape()), expected, eps, 4 * eps));
      CHECK_AGREES(same_bits(all.leading(at, at + 1).reshape(expected.shape()),
                             quantile(x, q[k], axis).array()));
      CHECK_AGREES(same_bits(kept.leading(at, at + 1).reshape(expected.shape()),
                             quantile(x, q[k], axis, true).array().reshape(expected.shape())));
    }
    Shape shape = x.shape().with(axis, 1);
    CHECK(quantile(x, 0.3, axis, true).shape() == shape);
    CHECK(kept.shape() == Shape{7, shape[0], shape[1], shape[2]});
  }
  CHECK_AGREES(same_bits(quantile(x, q).array(), quantile(x.reshape({x.size()}), q, 0).array()));
  CHECK(quantile(x, std::vector<double>()).shape() == Shape{0});
  CHECK(quantile(Array<T>::zeros({3, 0}), 0.5, 0).shape() == Shape{0});
  CHECK(quantile(Array<T>::zeros({3, 0}), {0.5, 1}, 0).shape() == Shape{2, 0});
  CHECK(quantile(Array<T>(T(4)), {0.5, 1, 0}).shape() == Shape{3});
}

TEST_CASE_TEMPLATE("quantiles of NaN, of infinities, and of numbers far apart", T, float, double) {
  const T none = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
  const T most = std::numeric_limits<T>::max();
  const auto quarters = [](const Array<T>& x) {
    return quantile(x, {0, 0.25, 0.5, 0.75, 1}, 0).array();
  };
  CHECK(equal(quarters(Array<T>::of({inf, 1, -inf})), Array<T>::of({-inf, -inf, 1, inf, inf})));
  CHECK(equal(quarters(Array<T>::of({inf, inf, 2})), Array<T>::of({2, inf, inf, inf, inf})));
  CHECK_AGREES(
      close(quarters(Array<T>::of({-inf, inf})), Array<T>::of({-inf, none, none, none, inf}), 0));
  CHECK_AGREES(close(quarters(Array<T>::of({most, -most})),
                     Array<T>::of({-most, -most / 2, 0, most / 2, most}), 2e-7));
  const auto rows = Array<T>::of({{1, none, 3}, {4, 2, 3}, {inf, 0, 0}});
  CHECK_AGREES(close(quantile(rows, 0.75, 1).array(), Array<T>::of({none, 3.5F, inf}), 0));
  // Equal elements give exactly themselves.
  for (const double q : {0.1, 0.3, 0.77})
    CHECK(quantile(Array<T>::full({8}, T(0.1)), q).item() == T(0.1));
  // An infinite neighbour spoils no gradient.
  const auto g = gradient([](const auto& x) { return sum(quantile(x, 0.75, 1)); }, rows);
  CHECK(equal(slice(g, 0, {1, 3}).array(), Array<T>::of({{0.5F, 0, 0.5F}, {0.5F, 0, 0.5F}})));
}

TEST_CASE("the gradient of a quantile goes to both neighbours by their weights") {
  const auto at = [](double q, std::initializer_list<double> x) {
    return gradient([=](const auto& v) { return quantile(v, q); }, Array<double>::of(x)).array();
  };
  CHECK(equal(at(0.125, {8, 2, 4, 6, 0}), Array<double>::of({0, 0.5, 0, 0, 0.5})));
  CHECK(equal(at(0.5, {8, 2, 4, 6, 0}), Array<double>::of({0, 0, 1, 0, 0})));
  CHECK(equal(at(0.8125, {8, 2, 4, 6, 0}), Array<double>::of({0.25, 0, 0, 0.75, 0})));
  const auto h = hessian([](const auto& x) { return square(quantile(x, 0.25)); },
                         Array<double>::of({1, 0, 5}));
  CHECK(equal(h.array(), Array<double>::of({{0.5, 0.5, 0}, {0.5, 0.5, 0}, {0, 0, 0}})));
}

TEST_CASE("numbers scaled by their quartiles do not depend on their unit, nor on where 0 is") {
  const auto x = op::spread({40, 3}, 7);
  const auto scaled = [](const auto& v) {
    const auto quartiles = quantile(v, {0.25, 0.5, 0.75}, 0);
    return (v - quartiles[1]) / (quartiles[2] - quartiles[0]);
  };
  const auto f = [&](const auto& v) { return sum(sin(scaled(v))); };
  CHECK_AGREES(
      close(scaled(Tensor<double>(x)).array(), scaled(x * 4.0 + 3.0).array(), 1e-13, 1e-14));
  const auto g = gradient(f, x);
  // Of 40 numbers of about 1 each.
  CHECK_AGREES(close(sum(g, 0).array(), Array<double>::zeros({3}), 0, 1e-13));
  CHECK_AGREES(close(sum(g * x, 0).array(), Array<double>::zeros({3}), 0, 1e-12));
}

TEST_CASE("the gradient goes to the element that was chosen") {
  const auto x = Array<double>::of({3, 1, 3, 2});
  const auto g = gradient([](const auto& v) { return median(v); }, x);
  CHECK(equal(g.array(), Array<double>::of({0, 0, 0, 1})));
  const auto top = gradient([](const auto& v) { return sum(topk(v, 1).values); }, x);
  CHECK(equal(top.array(), Array<double>::of({1, 0, 0, 0})));
}

TEST_CASE("a place is not recorded") {
  Variable<double> x(op::spread({4}));
  Tape tape;
  CHECK(argmax(x).item() >= 0);
  CHECK(argmin(x, 0).item() >= 0);
  CHECK(tape.size() == 0);
}

}  // TEST_SUITE("order")
