// SPDX-License-Identifier: BSD-3-Clause
// fuse: a user's formula gives what the operations give, forward, backward and to higher orders.
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// A formula with every kind of part: constants, choices, functions, a number as argument.
constexpr auto rich = [](auto x, auto a, auto b, auto k) {
  const auto t = tanh(x * a + b);
  const auto u = square(t) + 0.5 * x;
  return maximum(sigmoid(u), 0.1 * a) * t - select(x > 0, x, 2 * x) / (1 + b * b) +
         pow(exp(u * 0.3), k);
};

/// The gradients of f at some of the inputs, one bit each; the others are constants.
template <class F>
std::vector<Tensor<double>> gradients_at(unsigned leaves, std::span<const Array<double>> inputs,
                                         const F& f, GradOptions options = {}) {
  Tape tape;
  std::vector<Tensor<double>> x;
  std::vector<GradientOf<double>> wanted;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    x.push_back(leaves >> k & 1U ? tape.watch(inputs[k]) : Tensor<double>(inputs[k]));
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (leaves >> k & 1U) wanted.emplace_back(x[k]);
  }
  return grad(f(x), wanted, options);
}

struct Inputs3 {
  Array<double> x = op::spread({3, 5}), a = op::spread({5}, 0.8), b = op::spread({3, 1}, 1.2);
};

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("a fused formula has the value of its operations") {
  const Inputs3 in;
  const auto fused = fuse(rich, in.x, in.a, in.b, 1.5);
  const auto plain = rich(Tensor<double>(in.x), Tensor<double>(in.a), Tensor<double>(in.b), 1.5);
  CHECK(fused.shape() == Shape{3, 5});
  CHECK_AGREES(close(fused, plain, 1e-14));  // ten roundings
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 5; ++j) {
      CHECK(std::abs(fused.array()(i, j) - rich(in.x(i, j), in.a(j), in.b(i, 0), 1.5)) < 1e-13);
    }
  }
}

TEST_CASE("a fused formula has the derivatives that differences measure, at both orders") {
  const Inputs3 in;
  const auto check = [&](auto f) {
    const auto report = check_gradients(f, {in.x, in.a, in.b});
    INFO(report);
    CHECK(report);
  };
  check([](auto x) { return fuse(rich, x[0], x[1], x[2], 1.5); });
  check([](auto x) { return fuse_sum(rich, x[0], x[1], x[2], 1.5); });
  check([](auto x) { return fuse_mean(rich, x[0], x[1], x[2], 1.5); });
}

TEST_CASE("single values among arrays have derivatives to the second order") {
  const auto check = [&](const Shape& single) {
    const auto report = check_gradients(
        [](auto x) {
          return fuse([](auto a, auto s) { return square(a) * s * s + sin(s); }, x[0], x[1]);
        },
        {op::spread({2, 3}), op::spread(single, 0.7)});
    INFO(report);
    CHECK(report);
  };
  check({});
  check({1});
  check({1, 1});
}

TEST_CASE("a fused formula takes any number of inputs, for any set of which it has the gradients") {
  // Two of the thirteen arguments are numbers.
  constexpr auto f = [](auto a, auto b, auto p, auto c, auto d, auto e, auto g, auto q, auto h,
                        auto i, auto j, auto k, auto l) {
    return p * a * sin(b) + c * exp(0.1 * d) - e / (2 + square(g)) + q * tanh(h * i) * j +
           k * l * a;
  };
  std::vector<Array<double>> inputs;
  for (int k = 0; k < 11; ++k) inputs.push_back(op::spread({2, 3}, 0.5 + 0.1 * k));
  inputs[5] = op::spread({3}, 1.1);
  inputs[9] = Array<double>(0.7);
  const auto fused = [&](auto call) {
    return [call, f](std::span<const Tensor<double>> x) {
      return call(f, x[0], x[1], 0.3, x[2], x[3], x[4], x[5], 2, x[6], x[7], x[8], x[9], x[10]);
    };
  };
  const auto one = fused([](auto... x) { return fuse(x...); });
  const auto total = fused([](auto... x) { return fuse_sum(x...); });
  const auto several = fused([](auto g, auto... x) { return g(x...); });
  for (const auto& way : {std::function<Tensor<double>(std::span<const Tensor<double>>)>(one),
                          std::function<Tensor<double>(std::span<const Tensor<double>>)>(total)}) {
    const auto report = check_gradients(way, inputs);
    INFO(report);
    CHECK(report);
  }
  for (unsigned leaves : {1U, 2U, 0x10U, 0x400U, 3U, 0x21U, 0x600U, 0x0f0U, 0x7ffU}) {
    CAPTURE(leaves);
    const auto of = [&](auto way) {
      return gradients_at(leaves, inputs, [&](auto& x) { return sum(way(x)); });
    };
    const auto expected = of(several), pulled = of(one), reduced = of(total);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      CHECK_AGREES(close(pulled[k], expected[k], 1e-14, 1e-14));  // some roundings
      CHECK_AGREES(close(reduced[k], expected[k], 1e-14, 1e-14));
    }
  }
}

TEST_CASE("a step that is used twice is swept once") {
  // x^2 + x, ten times: as an expression that copies its operands it would have 3^10 parts.
  const auto iterated = [](auto x) {
    auto z = x;
    for (int i = 0; i < 10; ++i) z = z * z + z;
    return z;
  };
  const auto x = op::spread({7}, 0.3);
  const auto slope = gradient([&](const auto& v) { return sum(fuse(iterated, v)); }, x);
  CHECK_AGREES(close(slope, gradient([&](const auto& v) { return sum(iterated(v)); }, x), 1e-14));
}

TEST_CASE("a formula may call another one") {
  const Inputs3 in;
  const auto f = [](auto a, auto b) {
    constexpr auto weighted = [](auto p, auto q) { return sigmoid(p) * q; };
    return fuse(weighted, a * b, 2.0) + fuse(weighted, b, a);
  };
  const auto fused = [&](auto x) { return fuse(f, x[0], x[1]); };
  CHECK_AGREES(
      close(fuse(f, in.x, in.a), sigmoid(in.x * in.a) * 2.0 + sigmoid(in.a) * in.x, 1e-15));
  const auto report = check_gradients(fused, {in.x, in.a});
  INFO(report);
  CHECK(report);
}

TEST_CASE("a gradient is passed on where the slope is 1, and otherwise added to what is there") {
  const std::int64_t n = 1000;
  const auto x = op::spread({n}), k = op::spread({n}, 2), seed = op::spread({n}, 3);
  Tape tape;
  const Tensor<double> u = tape.watch(x), v = tape.watch(k), g(seed);
  const auto step = fuse([](auto y, auto h, auto slope) { return y + h * slope; }, u, 0.5, v);
  const auto by_step = grad(step, {u, v}, {.keep_tape = true}, &g);
  CHECK(by_step[0].array().begin() == seed.begin());  // the same block
  CHECK_AGREES(same_bits(by_step[1].array(), (seed * 0.5).array()));

  // v has a gradient from the last operation when the sweep comes to the formula: no other block.
  const auto y = fuse([](auto a, auto b) { return a * b; }, u, v) + 3.0 * v;
  const auto before = memory_statistics();
  const auto both = grad(y, {u, v}, {.keep_tape = true}, &g);
  CHECK(memory_statistics().live_blocks - before.live_blocks == 2);
  CHECK_AGREES(close(both[0], seed * k, 1e-15));
  CHECK_AGREES(close(both[1], seed * x + seed * 3.0, 1e-15));
}

TEST_CASE("a gradient of another shape is summed before it is added to what is there") {
  const auto x = op::spread({2, 300}), w = op::spread({}, 0.7);
  Tape tape;
  const Tensor<double> u = tape.watch(x), s = tape.watch(w);
  const auto y = fuse([](auto a, auto b) { return a * b * b; }, u, s);
  const auto total = sum(y) + sum(exp(u * s));
  // Sums of 600 terms.
  CHECK_AGREES(close(grad(total, s), sum(2.0 * w * x) + sum(x * exp(x * w)), 1e-12));
}

TEST_CASE("a formula that adds to a gradient keeps to zeros where the gradient or a slope is 0") {
  for (const std::int64_t n : {13, 5000}) {
    auto x = op::spread({n}, 50), w = op::spread({n}, 30);
    auto g = Array<double>::full({n}, 2);
    const std::int64_t steep = n / 2, flat = n - 1;
    for (std::int64_t i = 0; i < n; ++i) x.mutate()[i] = 1 + std::abs(x[i]);
    x.mutate()[steep] = g.mutate()[steep] = w.mutate()[flat] = 0;
    g.mutate()[flat] = std::numeric_limits<double>::infinity();
    Tape tape;
    const Tensor<double> u = tape.watch(x), v = tape.watch(w), seed(g);
    const auto y = fuse([](auto p, auto q) { return sqrt(p) * q; }, u, v);
    const auto there = Array<double>::full({n}, 1);
    const auto total = sum(y * seed) + sum(u * Tensor<double>(there));
    const auto part = grad(total, u).array();
    CHECK(part[steep] == 1);
    CHECK(part[flat] == 1);
    CHECK(part[0] == 1 + g[0] * w[0] * (0.5 / std::sqrt(x[0])));
  }
}

TEST_CASE("slow steps are computed once, in the pass forward, and cheap ones are not kept") {
  const std::int64_t n = 1000;
  const auto x = op::spread({n});
  const auto blocks = [&](auto f) {
    Tape tape;
    const Tensor<double> u = tape.watch(x);
    const auto before = memory_statistics().live_blocks;
    const auto y = fuse(f, u, 0.5);
    return memory_statistics().live_blocks - before;
  };
  // The result, and a block of what the pass back reads.
  CHECK(blocks([](auto a, auto k) { return k * a * a + sqrt(a); }) == 1);
  CHECK(blocks([](auto a, auto k) { return k * exp(a); }) == 2);
  CHECK(blocks([](auto a, auto k) { return exp(a) + tanh(a) * sigmoid(k * a); }) == 2);
  CHECK(blocks([](auto a, auto k) { return sigmoid(a * k); }) == 1);  // the result itself
  CHECK(blocks([](auto a, auto k) { return log(a * k); }) == 1);      // its slope does not read it
  CHECK(blocks([](auto a, auto k) { return k * sin(a); }) == 1);      // nor the cosine, forward
}

TEST_CASE("third derivatives of a fused formula") {
  const auto f = [](const auto& x) {
    return fuse_sum([](auto v) { return square(v) * square(v); }, x);
  };
  const auto g = [&](const auto& x) { return sum(gradient(f, x)); };
  const auto h = [&](const auto& x) { return sum(gradient(g, x)); };
  const auto x = Array<double>::of({1, 2, -3});
  CHECK(equal(gradient(h, x).array(), Array<double>::of({24, 48, -72})));
}

TEST_CASE("the gradient of a fused formula is the same by every way and for every set of leaves") {
  const Inputs3 in;
  const Array<double> inputs[] = {in.x, in.a, in.b};
  const auto gradients = [&](unsigned leaves, bool graph, auto reduce) {
    std::vector<Array<double>> result;
    for (const auto& g : gradients_at(leaves, inputs, reduce, {.create_graph = graph}))
      result.push_back(g.array());
    return result;
  };
  const auto check = [&](auto reduce) {
    const auto all = gradients(7, false, reduce);
    const auto recorded = gradients(7, true, reduce);
    for (std::size_t k = 0; k < 3; ++k) CHECK_AGREES(same_bits(all[k], recorded[k]));
    for (unsigned leaves = 1; leaves < 7; ++leaves) {
      const auto some = gradients(leaves, false, reduce);
      for (std::size_t k = 0, i = 0; k < 3; ++k) {
        if (leaves >> k & 1U) CHECK_AGREES(same_bits(some[i++], all[k]));
      }
    }
  };
  check([](auto& x) { return sum(fuse(rich, x[0], x[1], x[2], 1.5)); });
  check([](auto& x) { return 0.7 * fuse_mean(rich, x[0], x[1], x[2], 1.5); });
}

TEST_CASE("numbers, variables, tensors and arrays mix") {
  Variable<float> w(Array<float>::of({1, 2}));
  const Tensor<float> x(Array<float>::of({3, 4}));
  const Array<float> y = Array<float>::of({5, 6});
  Tape tape;
  backward(sum(fuse([](auto a, auto b, auto c, auto d) { return a * b + c * d; }, w, x, y, 2)));
  CHECK(equal(w.gradient(), Array<float>::of({3, 4})));
}

TEST_CASE("a reduction of a formula is the reduction of its values") {
  for (std::int64_t n : {1, 31, 4096, 10000}) {
    const auto x = op::spread({n}), y = op::spread({n}, 2);
    const auto f = [](auto a, auto b) { return a * b + square(a); };
    CHECK_AGREES(close(fuse_sum(f, x, y), sum(fuse(f, x, y)), 1e-15));
    CHECK_AGREES(close(fuse_mean(f, x, y), mean(fuse(f, x, y)), 1e-15));
  }
}

TEST_CASE("a fused formula runs over many blocks, in memory or past the caches") {
  const auto f = [](auto a, auto b, auto c) { return a * b + square(a) * c; };
  const auto b = op::spread({1}, 3);
  for (const std::int64_t n : {4097, 10000, (1 << 20) + 7}) {
    const auto a = op::spread({n}), c = op::spread({n}, 2), g = op::spread({n}, 5);
    const Array<double> inputs[] = {a, b, c};
    CAPTURE(n);
    for (unsigned leaves = 1; leaves < 8; ++leaves) {
      CAPTURE(leaves);
      const auto one =
          gradients_at(leaves, inputs, [&](auto& x) { return sum(fuse(f, x[0], x[1], x[2]) * g); });
      const auto several =
          gradients_at(leaves, inputs, [&](auto& x) { return sum(f(x[0], x[1], x[2]) * g); });
      // Some roundings an element, and a sum of n terms for b.
      for (std::size_t k = 0; k < one.size(); ++k) {
        CHECK_AGREES(close(one[k], several[k], 1e-13, 1e-12));
      }
    }
  }
}

TEST_CASE("an argument of a fused formula may be computed from another, at every order") {
  const auto f = [](const auto& x) {
    const auto g = [](auto a, auto b) { return a * 2.0 + b * sin(a); };
    return fuse(g, x * x * x, x);
  };
  // 2 x^3 + x sin(x^3), whose slope is 6 x^2 + sin(x^3) + 3 x^3 cos(x^3).
  const auto x = op::spread({5});
  const auto x3 = (x * x * x).array();
  const auto slope = x * x * 6.0 + sin(x3) + x3 * 3.0 * cos(x3);
  const auto along = op::spread({5}, 2);
  CHECK_AGREES(close(jvp(f, x, along), slope * along, 1e-14));
  const auto gradient_of = [&](const auto& v) {
    return gradient([&](const auto& w) { return sum(f(w)); }, v);
  };
  const auto second = x * 12.0 + x * x * 12.0 * cos(x3) - x3 * x * x * 9.0 * sin(x3);
  CHECK_AGREES(close(jvp(gradient_of, x, along), second * along, 1e-13, 1e-13));
}

TEST_CASE("elements at which a product is NaN do not change others") {
  for (const std::int64_t n : {13, 5000, 3 * 4096 + 5}) {
    CAPTURE(n);
    auto x = op::spread({n}, 50), w = op::spread({n}, 30);
    auto g = Array<double>::full({n}, 2);
    for (std::int64_t i = 0; i < n; ++i) x.mutate()[i] = 1 + std::abs(x[i]);
    const auto gradients = [&] {
      Tape tape;
      const Tensor<double> u = tape.watch(x), v = tape.watch(w), seed(g);
      return grad(fuse([](auto p, auto q) { return sqrt(p) * q; }, u, v), {u, v}, {}, &seed);
    };
    const auto plain = gradients();
    // An infinite slope at a gradient of 0, and an infinite gradient at a slope of 0.
    const std::int64_t steep = n / 2, flat = n - 1;
    x.mutate()[steep] = g.mutate()[steep] = w.mutate()[flat] = 0;
    g.mutate()[flat] = std::numeric_limits<double>::infinity();
    const auto special = gradients();
    CHECK(special[0].array()[steep] == 0);
    CHECK(special[1].array()[steep] == 0);
    CHECK(special[0].array()[flat] == 0);
    bool same = true;
    for (std::int64_t i = 0; i < n; ++i) {
      if (i == steep || i == flat) continue;
      same = same && special[0].array()[i] == plain[0].array()[i] &&
             special[1].array()[i] == plain[1].array()[i];
    }
    CHECK(same);
  }
}

TEST_CASE("no block is left alive by a fused formula") {
  const Inputs3 in;
  const auto run = [&] {
    Tape tape;
    const auto x = tape.watch(in.x);
    const auto g = grad(fuse_mean(rich, x, in.a, in.b, 1.5), x, {.create_graph = true});
    grad(sum(g * g), x);
  };
  run();
  const auto live = memory_statistics().live_blocks;
  run();
  CHECK(memory_statistics().live_blocks == live);
}

TEST_CASE_TEMPLATE("a formula that does not depend on its arguments is a number", T, float,
                   double) {
  const auto x = Array<T>::of({{1, 2, 3}}), y = Array<T>::of({1, 2}).reshape({2, 1});
  const auto half = [](auto...) { return 0.5; };
  CHECK_AGREES(same_bits(fuse(half, x, y).array(), Array<T>::full({2, 3}, T(0.5))));
  CHECK(fuse_sum(half, x, y, 4).item() == 3);
  CHECK(fuse_mean(half, x).item() == T(0.5));
}

}  // TEST_SUITE("kernels")
