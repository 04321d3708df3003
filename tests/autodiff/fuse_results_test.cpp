// SPDX-License-Identifier: BSD-3-Clause
// A formula with several results gives what its operations give, forward, backward and to higher
// orders, whichever of the results are used.
#include <array>
#include <tuple>

#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/autodiff/edge_values.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Results that share steps, one that is linear in an argument, and one that is a number.
constexpr auto rich = [](auto x, auto a, auto b) {
  const auto t = tanh(x * a + b);
  return std::tuple(t * exp(0.3 * a), b + square(t), select(x > 0, x, 2 * x) / (1 + b * b), 2.5);
};

/// A cell of an LSTM: its state and its output.
constexpr auto cell_of_lstm = [](auto input, auto forget, auto output, auto candidate, auto cell) {
  const auto next = sigmoid(forget) * cell + sigmoid(input) * tanh(candidate);
  return std::array{next, sigmoid(output) * tanh(next)};
};

struct Inputs3 {
  Array<double> x = op::spread({3, 5}), a = op::spread({5}, 0.8), b = op::spread({3, 1}, 1.2);
};

/// The sum of the chosen results, one bit each, with different weights.
template <class Results>
Tensor<double> weighed(unsigned chosen, const Results& y) {
  Tensor<double> total = 0.0;
  for (std::size_t j = 0; j < y.size(); ++j) {
    if (chosen >> j & 1U) total = total + sum(y[j] * y[j] * (0.5 + double(j)));
  }
  return total;
}
std::array<Tensor<double>, 4> plain(const Tensor<double>& x, const Tensor<double>& a,
                                    const Tensor<double>& b) {
  const auto [p, q, r, s] = rich(x, a, b);
  return {p, q, r, Tensor<double>(Array<double>::full(p.shape(), s))};
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("a formula with several results has the values of its operations") {
  const Inputs3 in;
  const auto expected = plain(Tensor<double>(in.x), Tensor<double>(in.a), Tensor<double>(in.b));
  const std::array<Tensor<double>, 4> fused = fuse(rich, in.x, in.a, in.b);
  for (std::size_t j = 0; j < 4; ++j) {
    CHECK(fused[j].shape() == Shape{3, 5});
    CHECK_AGREES(close(fused[j], expected[j], 1e-14));  // ten roundings
  }
  const auto [sum, difference] =
      fuse([](auto p, auto q) { return std::pair(p + q, p - q); }, cast<float>(in.x), 2);
  CHECK(sum.array()(1, 2) == cast<float>(in.x).array()(1, 2) + 2);
  CHECK(difference.array()(1, 2) == cast<float>(in.x).array()(1, 2) - 2);
}

TEST_CASE("a formula with several results has the derivatives that differences measure") {
  const Inputs3 in;
  for (const unsigned chosen : {1U, 2U, 3U, 5U, 6U, 15U}) {
    CAPTURE(chosen);
    const auto report =
        check_gradients([chosen](auto x) { return weighed(chosen, fuse(rich, x[0], x[1], x[2])); },
                        {in.x, in.a, in.b});
    INFO(report);
    CHECK(report);
  }
}

TEST_CASE("every set of results gives every set of arguments its gradients") {
  const Inputs3 in;
  const Array<double> inputs[] = {in.x, in.a, in.b};
  const auto gradients = [&](unsigned chosen, unsigned leaves, auto f) {
    Tape tape;
    std::vector<Tensor<double>> x;
    std::vector<GradientOf<double>> wanted;
    for (std::size_t k = 0; k < 3; ++k) {
      x.push_back(leaves >> k & 1U ? tape.watch(inputs[k]) : Tensor<double>(inputs[k]));
    }
    for (std::size_t k = 0; k < 3; ++k) {
      if (leaves >> k & 1U) wanted.emplace_back(x[k]);
    }
    return grad(weighed(chosen, f(x[0], x[1], x[2])), wanted);
  };
  for (unsigned chosen = 1; chosen < 8; ++chosen) {
    for (unsigned leaves = 1; leaves < 8; ++leaves) {
      CAPTURE(chosen);
      CAPTURE(leaves);
      const auto expected = gradients(chosen, leaves, plain);
      const auto fused = gradients(chosen, leaves, [](auto... x) { return fuse(rich, x...); });
      for (std::size_t k = 0; k < expected.size(); ++k) {
        CHECK_AGREES(close(fused[k], expected[k], 1e-14, 1e-14));  // some roundings
      }
    }
  }
}

TEST_CASE_TEMPLATE("a recurrence of cells has the gradients of its operations", T, float, double) {
  const auto run = [](bool fused, Variable<T>& w, Variable<T>& start) {
    Tape tape;
    Tensor<T> cell = tanh(start), hidden = start * T(0.5);
    for (int step = 0; step < 6; ++step) {
      const Tensor<T> z = hidden * w;
      const auto next = fused ? fuse(cell_of_lstm, z, z + T(0.1), z * T(0.7), hidden - w, cell)
                              : cell_of_lstm(z, z + T(0.1), z * T(0.7), hidden - w, cell);
      cell = next[0];
      hidden = next[1] + next[0] * T(0.1);
    }
    backward(sum(hidden * hidden));
    return std::array{w.gradient(), start.gradient()};
  };
  Variable<T> w(cast<T>(op::spread({4, 3}, 0.4))), start(cast<T>(op::spread({4, 3}, 0.9)));
  const auto expected = run(false, w, start);
  w.zero_grad();
  start.zero_grad();
  const auto fused = run(true, w, start);
  const double tolerance = std::is_same_v<T, float> ? 3e-6 : 1e-14;  // 60 roundings
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK_AGREES(close(fused[k], expected[k], tolerance, tolerance));
  }
}

TEST_CASE("a formula with several results is differentiated to the third order") {
  const Array<double> x = op::spread({4}, 0.7);
  const auto third = [&](auto f) {
    return hessian([&](auto y) { return sum(square(gradient(f, y))); }, x);
  };
  const auto expected = third([](auto y) { return weighed(7, plain(y, y, y * 0.5)); });
  const auto fused = third([](auto y) { return weighed(7, fuse(rich, y, y, y * 0.5)); });
  CHECK_AGREES(close(fused, expected, 1e-11, 1e-11));  // hundreds of roundings
}

TEST_CASE("directions are swept together through all results") {
  const Array<double> x = op::spread({4}, 0.7);
  const auto of = [](auto call) {
    return [call](const Tensor<double>& y) {
      const auto [p, q, r, s] = call(y, sin(y), y * 0.5);
      return concat({p * r, q * s, r});
    };
  };
  const auto fused = of([](const auto&... v) { return fuse(rich, v...); });
  const auto expected = of(plain);
  CHECK_AGREES(close(jacobian(fused, x), jacobian(expected, x), 1e-14, 1e-14));
  const auto total = [](auto f) {
    return [f](const Tensor<double>& y) { return sum(square(f(y))); };
  };
  CHECK_AGREES(close(hessian(total(fused), x), hessian(total(expected), x), 1e-13, 1e-13));
  // The first result may be left out, or be what is differentiated by.
  const auto second = [](const Tensor<double>& y) { return fuse(rich, y, y, y)[1]; };
  const auto plain_second = [](const Tensor<double>& y) { return plain(y, y, y)[1]; };
  CHECK_AGREES(close(jacobian(second, x), jacobian(plain_second, x), 1e-14, 1e-14));
}

TEST_CASE("the gradient of a result that nobody uses is not there") {
  Tape tape;
  const auto x = Array<double>::zeros({2});
  const Tensor<double> p = tape.watch(x);
  // The slope of the first result is infinite.
  const auto [root, same] = fuse([](auto v) { return std::tuple(sqrt(v), 3 * v); }, p);
  CHECK(grad(sum(same), p, {.keep_tape = true}).array()(0) == 3);
  CHECK(grad(sum(root), p).array()(0) == inf);
}

}  // TEST_SUITE("kernels")

TEST_CASE("an arm that was not taken passes nothing on, to any result") {
  const auto slope = [](double at) {
    Tape tape;
    const Tensor<double> p = tape.watch(Array<double>::full({3}, at));
    const auto [a, b] =
        fuse([](auto v) { return std::tuple(select(v > 0, sqrt(v), 0 * v), square(v)); }, p);
    return grad(sum(a + b), p).array()(1);
  };
  CHECK(slope(0) == 0);
  CHECK(slope(-2) == -4);
  CHECK(slope(4) == 8.25);
}

TEST_CASE("results of one formula are differentiated with respect to each other as constants") {
  Tape tape;
  const Tensor<double> p = tape.watch(Array<double>::full({2}, 0.5));
  const auto [first, second] = fuse([](auto v) { return std::tuple(exp(v), sin(v)); }, p);
  CHECK(grad(sum(second * second), second, {.keep_tape = true}).array()(0) ==
        2 * second.array()(0));
  const auto both = grad(sum(second), {first, p}, {.keep_tape = true});
  CHECK(both[0].array()(0) == 0);
  CHECK(std::abs(both[1].array()(0) - std::cos(0.5)) < 1e-15);
  const auto of_first = grad(sum(first * second), {first, second, p});
  CHECK(of_first[0].array()(0) == second.array()(0));
  CHECK(of_first[1].array()(0) == first.array()(0));
}

TEST_CASE("what a pass back keeps, or passes on, is that of the right result") {
  Tape tape;
  const auto x = tape.watch(Array<double>::of({0.3, -0.8})),
             y = tape.watch(Array<double>::of({2, 5}));
  // The slope reads the second result; y gets the gradient of the third as it is.
  const auto [p, q, r] =
      fuse([](auto a, auto b) { return std::tuple(3 * a, tanh(a), 2 * a + b); }, x, y);
  const auto g = grad(sum(p * 5.0) + sum(q * 7.0) + sum(r * 11.0), {x, y});
  for (std::int64_t i = 0; i < 2; ++i) {
    const double t = std::tanh(x.array()(i));
    CHECK(std::abs(g[0].array()(i) - (15 + 7 * (1 - t * t) + 22)) < 1e-13);
    CHECK(g[1].array()(i) == 11);
  }
}

TEST_CASE("a gradient that was left to one call reaches no other") {
  Tape tape;
  const auto x = tape.watch(Array<double>::of({0.3, -0.8})),
             w = tape.watch(Array<double>::of({2, 5}));
  constexpr auto f = [](auto v) { return std::tuple(2 * v, v * v); };
  const auto first = fuse(f, x), second = fuse(f, w);
  // Nothing goes on from the first result of the second call.
  const auto g = grad(sum(second[1]) + sum(first[0]), {second[0], x});
  CHECK(g[0].array()(0) == 0);
  CHECK(g[1].array()(0) == 2);
}

TEST_CASE("a tape with several results is swept twice, and in a checkpoint") {
  Variable<double> w(op::spread({5}, 0.6));
  const auto f = [](auto x) {
    const auto [a, b] = fuse([](auto v) { return std::array{v * exp(v), tanh(v)}; }, x);
    return sum(a * b);
  };
  Array<double> once;
  {
    Tape tape;
    const auto loss = f(w + 0.0);
    backward(loss, {.keep_tape = true});
    once = w.gradient();
    backward(loss);
  }
  CHECK_AGREES(close(w.gradient(), (once * 2).array(), 1e-15));
  w.zero_grad();
  Tape tape;
  backward(checkpoint(f, w + 0.0));
  CHECK_AGREES(close(w.gradient(), once, 1e-15));
}

TEST_CASE("results without a tape are constants") {
  const auto [a, b] =
      fuse([](auto v) { return std::tuple(v + 1, v - 1); }, Array<double>::of({1, 2}));
  CHECK(a.array()(1) == 3);
  CHECK(b.array()(1) == 1);
  const auto [twice, thrice] = fuse(
      [](auto v) {
        const auto [p, q] = fuse([](auto u) { return std::tuple(u + u, u); }, v);
        return std::tuple(p, p + q);
      },
      Array<double>::of({1, 2}));
  CHECK(twice.array()(1) == 4);
  CHECK(thrice.array()(1) == 6);
}
