// SPDX-License-Identifier: BSD-3-Clause
// Sweeps of several directions together give each what a sweep of its own gives.
#include "ebb/autodiff/engine/directions.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/autodiff/custom.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/derivatives_of_many.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/hook.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/registry.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

// Sums are added in another order, of at most some hundred parts.
template <class T>
constexpr double roundings = 200 * double(std::numeric_limits<T>::epsilon());

template <class T>
using OnList = std::function<Tensor<T>(std::span<const Tensor<T>>)>;

template <class T>
Array<T> numbers(const Shape& shape, double scale) {
  return cast<T>(op::spread(shape, scale)).array();
}

/// The gradients of y at the points for each seed, one sweep after the other and all together: the
/// largest distance of both, in parts of the largest gradient of the same direction.
template <class T>
double distance_of_ways(const Tape& tape, const Tensor<T>& y, const std::vector<Tensor<T>>& points,
                        const std::vector<Array<T>>& seeds) {
  const auto count = std::int64_t(seeds.size());
  std::vector<std::uint32_t> ids;
  std::vector<GradientOf<T>> wanted;
  for (const auto& x : points) {
    ids.push_back(detail::Access::place(x).record);
    wanted.emplace_back(x);
  }
  detail::BlockHandle all(detail::allocate({count, y.size()}, sizeof(T)));
  for (std::int64_t j = 0; j < count; ++j)
    std::copy_n(seeds[std::size_t(j)].data(), y.size(), all->data<T>() + j * y.size());
  detail::DirectionSweep sweep(detail::Access::records(tape), detail::Access::place(y).record, ids);
  sweep.run(std::move(all), count);
  std::vector<detail::BlockHandle> together;
  for (std::uint32_t id : ids) together.push_back(sweep.take(id));
  double farthest = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    const Tensor<T> seed = seeds[std::size_t(j)];
    const auto one = grad(y, wanted, {.keep_tape = true}, &seed);
    double scale = 1, distance = 0;
    for (std::size_t k = 0; k < points.size(); ++k) {
      const std::int64_t size = one[k].size();
      const T* const found = together[k] ? together[k]->template data<T>() + j * size : nullptr;
      for (std::int64_t i = 0; i < size; ++i) {
        const double a = double(one[k].data()[i]), b = found ? double(found[i]) : 0;
        if (std::isnan(a) && std::isnan(b)) continue;
        if (a == b) continue;
        if (!std::isfinite(a) || !std::isfinite(b)) return INFINITY;
        scale = std::max(scale, std::abs(a));
        distance = std::max(distance, std::abs(a - b));
      }
    }
    farthest = std::max(farthest, distance / scale);
  }
  return farthest;
}

/// The distance for f, and with `twice` for its recorded gradient as a function of the inputs and
/// the seed.
template <class T>
double distance_of_ways(const OnList<T>& f, const std::vector<Array<T>>& inputs, std::int64_t count,
                        bool twice) {
  Tape tape;
  std::vector<Tensor<T>> points;
  for (const auto& x : inputs) points.push_back(tape.watch(x));
  Tensor<T> y = f(points);
  if (detail::Access::place(y).is_constant()) return 0;
  const auto seeds_for = [&](const Shape& shape) {
    std::vector<Array<T>> seeds;
    for (std::int64_t j = 0; j < count; ++j) seeds.push_back(numbers<T>(shape, 0.5 + double(j)));
    return seeds;
  };
  if (!twice) return distance_of_ways<T>(tape, y, points, seeds_for(y.shape()));
  points.push_back(tape.watch(numbers<T>(y.shape(), 1.3)));
  const std::vector<GradientOf<T>> wanted(points.begin(), points.end() - 1);
  double farthest = 0;
  for (const auto& g : grad(y, wanted, {.create_graph = true}, &points.back())) {
    if (detail::Access::place(g).is_constant()) continue;
    farthest = std::max(farthest, distance_of_ways<T>(tape, g, points, seeds_for(g.shape())));
  }
  return farthest;
}

template <class T>
void check_sample(const op::Sample& sample, const OnList<T>& f) {
  std::vector<Array<T>> inputs;
  for (const auto& x : sample.inputs) inputs.push_back(cast<T>(x).array());
  for (const std::int64_t count : {1, 3}) {
    for (const bool twice : {false, true}) {
      CAPTURE(count);
      CAPTURE(twice);
      CHECK(distance_of_ways<T>(f, inputs, count, twice) <= roundings<T>);
    }
  }
}

/// J of f at x from one reverse sweep a row.
template <class F>
Array<double> jacobian_by_rows(const F& f, const Array<double>& x) {
  Tape tape;
  const auto point = tape.watch(x);
  const Tensor<double> y = f(point);
  std::vector<Tensor<double>> rows;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    auto unit = Array<double>::zeros(y.shape());
    unit.mutate()[i] = 1;
    const Tensor<double> seed = unit;
    rows.push_back(reshape(grad(y, {point}, {.keep_tape = true}, &seed)[0].detach(), {-1}));
  }
  return stack(rows).array();
}

template <class F>
void check_jacobian(const F& f, const Array<double>& x, double tolerance = roundings<double>) {
  const Array<double> expected = jacobian_by_rows(f, x);
  const Tensor<double> found = jacobian(f, x);
  double scale = 0;
  for (double v : expected) {
    if (std::isfinite(v)) scale = std::max(scale, std::abs(v));
  }
  CHECK_AGREES(close(reshape(found, {expected.shape()[0], -1}).array(), expected, tolerance,
                     tolerance * scale));
}

}  // namespace

TEST_SUITE("directions") {

TEST_CASE("every operation gives several directions what it gives each, at both orders") {
  for (const RegistryEntry& entry : registry()) {
    CAPTURE(entry.name);
    for (const op::Sample& sample : samples_of(entry)) {
      CAPTURE(sample.label);
      check_sample<double>(sample, sample.in_double);
      check_sample<float>(sample, sample.in_float);
    }
  }
}

TEST_CASE("a Jacobian and a Hessian of many directions are those of one sweep each") {
  const auto x = op::spread({12}), wide = op::spread({5, 12}, 0.7);
  const auto mixed = [&](const Tensor<double>& v) {
    const auto m = reshape(v, {3, 4});
    const auto row = m[1] * slice(m, 1, {0, 4, 2})[0][0] + sum(m, 0);
    const auto both =
        concat({matmul(m, transpose(m)), exp(0.1 * matmul(m, reshape(v, {4, 3})))}, 1);
    return sum(both * both / 10.0, 0) * reshape(mean(row), {1}) + sin(both[0]);
  };
  check_jacobian(mixed, x);
  check_jacobian([&](const auto& v) { return mixed(v)[{1, 3}]; }, x);
  check_jacobian([&](const auto& v) { return tanh(matmul(wide, v)) * v[{2, 7}]; }, x);
  check_jacobian([&](const auto& v) { return softmax(wide * v) + log_softmax(wide + v, 0); }, x);
  check_jacobian(
      [&](const auto& v) {
        return gather_rows(v * v, Array<std::int64_t>::of({2, 2, 9}));
      },
      x);
  check_jacobian([&](const auto& v) { return pad(flip(roll(sin(v), 5, 0), 0), {{1, 2}}); }, x);
  check_jacobian(
      [&](const auto& v) { return gradient([&](const auto& u) { return sum(mixed(u)); }, v); }, x);
  const auto total = [&](const Tensor<double>& v) { return sum(square(mixed(v))); };
  CHECK_AGREES(close(hessian(total, x).array(),
                     jacobian_by_rows([&](const auto& v) { return gradient(total, v); }, x),
                     roundings<double>, 1e-12));
}

TEST_CASE("fused formulas, checkpoints, hooks and own gradients take several directions") {
  const auto x = op::spread({9}), weights = op::spread({4, 9});
  const auto fused = [&](const Tensor<double>& v) {
    return fuse([](auto a, auto b, auto c) { return exp(sin(a) * b) + c * a; }, weights, v, v[0]) *
           fuse([](auto a) { return a * a + a; }, v);
  };
  check_jacobian(fused, x);
  check_jacobian([&](const auto& v) { return sum(fused(v), 0)[{0, 3}]; }, x);
  const auto total = [&](const Tensor<double>& v) {
    return fuse_sum([](auto a, auto b) { return square(a * b) * exp(a); }, fused(v), sin(v[3]));
  };
  CHECK_AGREES(close(hessian(total, x).array(),
                     jacobian_by_rows([&](const auto& v) { return gradient(total, v); }, x), 1e-11,
                     1e-9));
  check_jacobian(
      [&](const auto& v) {
        return checkpoint([&](const Tensor<double>& u) { return tanh(matmul(weights, u)); }, v) *
               v[{1, 5}];
      },
      x);
  int calls = 0;
  check_jacobian(
      [&](const auto& v) {
        return hook(sin(v), [&](const Tensor<double>& g) {
          ++calls;
          return 2.0 * g;
        });
      },
      x);
  CHECK(calls == 18);  // nine sweeps of one direction, and nine directions together
}

TEST_CASE("what a choice does not take, and NaN, are the same for several directions") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const auto x = Array<double>::of({-2, 0, 3, 1, -0.5, nan, inf});
  check_jacobian([](const auto& v) { return sqrt(maximum(v, 0)); }, x);
  check_jacobian([](const auto& v) { return sqrt(relu(v)) * abs(v); }, x);
  check_jacobian([](const auto& v) { return log(where(v.array() > 0, v, 1)); }, x);
  check_jacobian([](const auto& v) { return sqrt(v * 0.0); }, x);
  check_jacobian([](const auto& v) { return fuse([](auto a) { return sqrt(maximum(a, 0)); }, v); },
                 x);
  check_jacobian([](const auto& v) { return sqrt(fuse([](auto a) { return relu(a); }, v)); }, x);
  check_jacobian(
      [](const auto& v) {
        return gradient([](const auto& u) { return sum(pow(relu(u), 1.5)); }, v);
      },
      x);
  const auto curved = [](const Tensor<double>& v) { return sum(pow(relu(v), 1.5) * v[0]); };
  CHECK_AGREES(close(hessian(curved, x).array(),
                     jacobian_by_rows([&](const auto& v) { return gradient(curved, v); }, x),
                     roundings<double>, 1e-14));
}

TEST_CASE("directions without room for their axis, and many blocks of them, are swept as well") {
  const auto x = op::spread({1, 2, 1, 3, 1, 2});
  const auto f = [](const auto& v) {
    return reshape(exp(transpose(v * slice(v, 1, {0, 1}), {5, 1, 2, 3, 4, 0})), {-1});
  };
  Array<double> flat = reshape(x, {12}).array();
  check_jacobian([&](const auto& v) { return f(reshape(v, {1, 2, 1, 3, 1, 2})); }, flat);
  // 120 kB to a record: two directions fit together, and three blocks are swept, of rows or
  // columns.
  const auto few = op::spread({5}), large = op::spread({3000}, 0.1);
  const auto wide = [&](const auto& v) { return sum(reshape(v, {5, 1}) * large, 1) + square(v); };
  check_jacobian(wide, few);
  check_jacobian([&](const auto& v) { return concat({wide(v), v * v[0]}); }, few);
}

TEST_CASE("the Jacobian of independent rows has a block for each row") {
  const auto x = op::spread({7, 3}), w = op::spread({3, 4}, 0.8);
  const auto rows = [&](const Tensor<double>& v) {
    return tanh(matmul(v, w)) * slice(v, 1, {0, 1});
  };
  const auto by_row = [&](const auto& f, const Array<double>& at, std::int64_t i) {
    return jacobian([&](const auto& v) { return f(v)[0]; }, at.leading(i, i + 1));
  };
  const auto found = row_jacobian(rows, x);
  REQUIRE(found.shape() == Shape{7, 4, 3});
  const auto two = [&](const Tensor<double>& v) { return slice(rows(v), 1, {1, 3}); };
  const auto found_two = row_jacobian(two, x);  // fewer outputs than inputs: the other way
  REQUIRE(found_two.shape() == Shape{7, 2, 3});
  for (std::int64_t i = 0; i < 7; ++i) {
    CHECK_AGREES(
        close(found[i].array(), reshape(by_row(rows, x, i), {4, 3}).array(), 1e-14, 1e-14));
    CHECK_AGREES(
        close(found_two[i].array(), reshape(by_row(two, x, i), {2, 3}).array(), 1e-14, 1e-14));
  }
}

TEST_CASE("rows of a Jacobian may be single numbers, and belong to several arguments") {
  const auto x = op::spread({5}), y = op::spread({5, 2});
  const auto sine = row_jacobian([](const auto& v) { return sin(v); }, x);
  CHECK_AGREES(close(sine, cos(Tensor<double>(x)), 1e-15));
  const auto [by_x, by_y] =
      row_jacobian([](const auto& a, const auto& b) { return a * sum(b * b, 1); }, x, y);
  CHECK_AGREES(close(by_x, sum(square(Tensor<double>(y)), 1), 1e-15));
  CHECK_AGREES(close(by_y, 2 * reshape(Tensor<double>(x), {5, 1}) * y, 1e-15));
  // Three outputs of one input each: forward.
  const auto [many_x, many_y] = row_jacobian(
      [](const auto& a, const auto& b) {
        const auto column = reshape(a, {5, 1});
        return concat({column * b, b, column * column, b * b}, 1);
      },
      x, y);
  REQUIRE(many_x.shape() == Shape{5, 7});
  REQUIRE(many_y.shape() == Shape{5, 7, 2});
  CHECK_AGREES(close(slice(many_x, 1, {0, 2}), Tensor<double>(y), 1e-15));
  CHECK_AGREES(close(many_x[{0, 5}].array()[4], 2 * x[0], 1e-15));
  CHECK_AGREES(close(many_y[3].array()[0], x[3], 1e-15));
  CHECK_AGREES(close(many_y[3].array()[13], 2 * y[7], 1e-15));
  const auto constant = row_jacobian(
      [](const auto&) {
        return Tensor<double>(op::spread({5, 3}));
      },
      y);
  CHECK_AGREES(same_bits(constant.array(), Array<double>::zeros({5, 3, 2})));
}

TEST_CASE("the Jacobian of rows is recorded inside a recording, either way") {
  const auto x = op::spread({4, 2}), w = op::spread({2, 3}, 0.6);
  for (const std::int64_t outputs : {2, 3}) {
    const auto f = [&](const Tensor<double>& v) {
      return slice(exp(matmul(v, w)), 1, {0, outputs});
    };
    const Tensor<double> expected = row_jacobian(f, x);
    {
      Tape tape;
      CHECK_AGREES(close(row_jacobian(f, tape.watch(x)).detach(), expected, roundings<double>));
    }
    CHECK(check_gradients(
        [&](const auto& p) {
          return sum(op::spread({4, outputs, 2}) * row_jacobian(f, p));
        },
        x));
  }
}

TEST_CASE("functions whose rows do not fit are refused") {
  const auto x = op::spread({4, 2});
  CHECK(
      message_of([&] { row_jacobian([](const auto& v) { return sum(v); }, x); }) ==
      "row_jacobian: the function's value has shape () for an argument of shape (4, 2); both must "
      "have the same rows, (n, ...); jacobian takes any function");
  CHECK(message_of([&] {
          row_jacobian([](const auto& v) { return slice(v, 0, {0, 3}); }, x);
        }) ==
        "row_jacobian: the function's value has shape (3, 2) for an argument of shape (4, 2); both "
        "must have the same rows, (n, ...); jacobian takes any function");
  CHECK(message_of([&] {
          row_jacobian([](const auto& v) { return v * v; }, op::spread({2, 1, 1, 1, 2}));
        }) ==
        "row_jacobian: the axes of (2, 1, 1, 1, 2) and (1, 1, 1, 2) together are more than 6; take "
        "the argument or the value as a vector");
}

TEST_CASE("per-row gradients of one recording are those of a recording for each row") {
  Variable<double> weight(op::spread({3, 5})), bias(op::spread({3})), unused(op::spread({2}));
  const auto x = op::spread({70, 5}), y = op::spread({70, 3}, 9);
  const auto loss = [&](const auto& rows, const auto& targets) {
    return mean(square(tanh(linear(rows, weight, bias)) - targets));
  };
  const auto losses = [&] { return mean(square(tanh(linear(x, weight, bias)) - y), 1); };
  const auto expected = per_sample_gradients(loss, {weight, bias, unused}, x, y);
  const auto found = per_sample_gradients(losses, {weight, bias, unused});
  REQUIRE(found.size() == 3);
  for (std::size_t k = 0; k < 3; ++k) CHECK_AGREES(close(found[k], expected[k], 1e-13, 1e-14));
  CHECK_FALSE(weight.has_gradient());
  CHECK(message_of([&] { per_sample_gradients([&] { return sum(losses()); }, {weight}); }) ==
        "per_sample_gradients: the losses have shape (); there must be one for each row, (n,)");
  weight.freeze();
  CHECK(message_of([&] { per_sample_gradients(losses, {weight}); }) ==
        "per_sample_gradients: an input is not a Variable that is trained; its gradients are asked "
        "for");
}

}  // TEST_SUITE("directions")
