// SPDX-License-Identifier: BSD-3-Clause
// What a tape promises: gradients are added, kept or released as asked, and never silently cut.
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/hook.hpp"
#include "ebb/autodiff/ops.hpp"

#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

const Array<double> x0 = Array<double>::of({1, 2, 3});

/// The identity, which fails when it is differentiated.
struct ThrowsInSweep {
  static constexpr std::string_view name = "throws_in_sweep";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* x) {
    return detail::retain(x);
  }
  static Tensor<double> vjp_a(const auto&) { throw ArgumentError("no slope today"); }
};

}  // namespace

TEST_SUITE("tape") {

TEST_CASE("backward adds into variables until zero_grad makes the gradient absent") {
  Variable<double> w(x0);
  CHECK_FALSE(w.has_gradient());
  Tape tape;
  backward(sum(square(w)));
  backward(sum(square(w)));
  CHECK(equal(w.gradient(), Array<double>::of({4, 8, 12})));
  w.zero_grad();
  CHECK_FALSE(w.has_gradient());
  CHECK(contains(message_of<TapeError>([&] { w.gradient(); }), "gradient: a Variable has none"));
}

TEST_CASE("one sweep of several losses is that of their sum") {
  Variable<double> w(x0), v(x0);
  Tape tape;
  const auto shared = w * v;
  backward({sum(shared), sum(square(shared))});
  for (std::int64_t i = 0; i < 3; ++i) {
    const double p = x0[i] * x0[i];
    CHECK(w.gradient()[i] == x0[i] + 2 * p * x0[i]);
  }
}

TEST_CASE("a seed takes the place of one") {
  Variable<double> w(x0);
  Tape tape;
  backward(SweepStart(square(w), Array<double>::of({1, 0, -1})));
  CHECK(equal(w.gradient(), Array<double>::of({2, 0, -6})));
  const auto y = square(w);
  CHECK(contains(message_of<ShapeError>([&] { backward(y); }),
                 "(3,) and is not a single value; reduce it by mean() or sum(), or give a seed"));
  CHECK(contains(message_of<ShapeError>([&] { backward(SweepStart(y, Array<double>(1.0))); }),
                 "backward: a seed of shape () for an output of shape (3,)"));
}

[[gnu::noinline]] void write_over_the_stack() {
  volatile char below[1 << 14];
  for (volatile char& c : below) c = 85;
}

TEST_CASE("the gradient that a sweep starts from may be kept after the sweep") {
  const Variable<double> w(Array<double>(3.0));
  Tensor<double> seen;
  {
    Tape tape;
    backward(hook(reshape(w, {}), [&](const Tensor<double>& g) {
      seen = g;
      return g;
    }));
  }
  write_over_the_stack();
  CHECK(w.gradient().item() == 1);
  CHECK(seen.item() == 1);
}

TEST_CASE("grad gives the gradients of variables and of any recorded tensor, and writes nowhere") {
  Variable<double> w(x0);
  Tape tape;
  const auto a = square(w);
  const auto y = sum(a * w);
  const auto g = grad(y, {w, a});
  CHECK(equal(g[0].array(), Array<double>::of({3, 12, 27})));
  CHECK(equal(g[1].array(), x0));
  CHECK_FALSE(w.has_gradient());
  CHECK(tape.size() == 0);
}

TEST_CASE("a variable that the output does not depend on has a gradient of zeros") {
  Variable<double> w(x0), unused(x0);
  Tape tape;
  CHECK(equal(grad(sum(w * 1.0), unused).array(), Array<double>::zeros({3})));
}

TEST_CASE("a constant has gradients of zeros in everything on the tape, at every order") {
  Variable<double> w(x0), never_used(x0);
  const auto zeros = Array<double>::zeros({3});
  {
    // The gradient of a sum or of a 1-norm does not depend on where it is taken.
    Tape tape;
    for (const auto& y : {sum(w), norm(w, 1)}) {
      const auto g = grad(y, w, {.create_graph = true});
      CHECK(equal(grad(sum(g), w, {.create_graph = true}).array(), zeros));
    }
    const auto more = grad(sum(Tensor<double>(x0)), {w, never_used}, {.keep_tape = true});
    CHECK(equal(more[0].array(), zeros));
    CHECK(equal(more[1].array(), zeros));
    CHECK(tape.size() > 0);
    grad(Tensor<double>(1.0), w);
    CHECK(tape.size() == 0);
  }
  for (const auto& h : {hessian([](const auto& x) { return sum(x); }, x0),
                        hessian([](const auto& x) { return norm(x, 1); }, x0)}) {
    CHECK(equal(h.array(), Array<double>::zeros({3, 3})));
  }
}

TEST_CASE("grad refuses a constant only where it is no single value, or the input is one") {
  Variable<double> w(x0);
  const auto before = sum(w * 1.0);
  Tape tape;
  const Tensor<double> constant(x0);
  CHECK(contains(message_of<TapeError>([&] { grad(before, w); }), "grad: an operand was computed"));
  CHECK(contains(message_of<TapeError>([&] { grad(Tensor<double>(1.0), constant); }),
                 "grad: an input is a constant"));
  CHECK(contains(message_of<ShapeError>([&] { grad(constant, w); }), "is not a single value"));
  const auto seed = Tensor<double>(Array<double>::of({1, 1}));
  CHECK(contains(message_of<ShapeError>([&] { grad(constant, {w}, {}, &seed); }),
                 "a seed of shape (2,) for an output of shape (3,)"));
}

TEST_CASE("a variable is one leaf however many there are and however often it is used") {
  for (const int count : {1, 8, 9, 40}) {
    std::vector<Variable<double>> w;
    for (int i = 0; i < count; ++i) w.emplace_back(Array<double>(i + 1.0));
    for (int epoch = 0; epoch < 2; ++epoch) {
      Tape tape;
      Tensor<double> y = 0.0;
      for (int pass = 0; pass < 2; ++pass) {
        for (auto& v : w) y = y + v * v;
      }
      CAPTURE(count);
      CHECK(tape.size() == count * 5);  // a leaf, and twice a product and a sum
      const auto g = grad(y, std::vector<GradientOf<double>>(w.begin(), w.end()));
      for (int i = 0; i < count; ++i) CHECK(g[std::size_t(i)].item() == 4 * (i + 1.0));
    }
  }
}

TEST_CASE("an operand on both sides of an operation") {
  const auto x = Array<double>::of({0.5, -2, 3});
  const auto slope_of = [&](auto f) { return gradient(f, x).array(); };
  CHECK(equal(slope_of([](auto v) { return sum(v * v); }), Array<double>::of({1, -4, 6})));
  CHECK(equal(slope_of([](auto v) { return sum(v / v); }), Array<double>::of({0, 0, 0})));
  CHECK(equal(slope_of([](auto v) { return sum(v + v); }), Array<double>::of({2, 2, 2})));
  CHECK(equal(slope_of([](auto v) { return sum(v - v); }), Array<double>::of({0, 0, 0})));
  CHECK(equal(slope_of([](auto v) { return sum(maximum(v, v)); }), Array<double>::of({1, 1, 1})));
  CHECK(equal(hvp([](auto v) { return sum(v * v * v); }, Tensor<double>(x),
                  Tensor<double>(Array<double>::of({1, 1, 1})))
                  .array(),
              Array<double>::of({3, -12, 18})));
}

TEST_CASE("watch makes a leaf of a constant") {
  Tape tape;
  const auto x = tape.watch(x0);
  CHECK(equal(grad(sum(square(x)), x).array(), Array<double>::of({2, 4, 6})));
  const Tensor<double> constant(x0);
  const auto y = sum(square(tape.watch(x0)));
  CHECK(contains(message_of<TapeError>([&] { grad(y, constant); }), "tape.watch(x)"));
}

TEST_CASE("a sweep empties the tape, which is ready for the next step; keep_tape keeps it") {
  Variable<double> w(x0);
  Tape tape;
  const auto loss = sum(square(w));
  CHECK(tape.size() == 3);
  backward(loss, {.keep_tape = true});
  CHECK(tape.size() == 3);
  backward(loss);
  CHECK(tape.size() == 0);
  CHECK(equal(w.gradient(), Array<double>::of({4, 8, 12})));
  CHECK(contains(message_of<TapeError>([&] { backward(loss); }), "was released"));
  CHECK(contains(message_of<TapeError>([&] { loss + 1.0; }), "was released"));
  CHECK(loss.item() == 14);  // reading stays allowed
}

TEST_CASE("a loss added up over steps is refused, and the message names item()") {
  Variable<double> w(x0);
  Tensor<double> total = 0;
  const auto step = [&] {
    Tape tape;
    const auto loss = sum(square(w));
    total = total + loss;
    backward(loss);
  };
  step();
  CHECK(contains(message_of<TapeError>(step), "item() to add up a loss"));
}

TEST_CASE("a tensor computed before the tape cannot pass unnoticed") {
  Variable<double> w(x0);
  const auto before = w * 2.0;
  CHECK(equal((before + 1.0).array(), Array<double>::of({3, 5, 7})));  // allowed outside
  Tape tape;
  CHECK(contains(message_of<TapeError>([&] { before + w; }),
                 "add: an operand was computed from a Variable while no tape recorded"));
  CHECK_NOTHROW(before.detach() + w);
}

TEST_CASE("NoRecord pauses, and what it computed from variables is untracked") {
  Variable<double> w(x0);
  Tape tape;
  Tensor<double> y;
  {
    const NoRecord pause;
    y = w * 2.0;
  }
  CHECK(tape.size() == 0);
  CHECK_THROWS_AS(y + w, TapeError);
}

TEST_CASE("tapes nest, the innermost records, and tensors of the outer one are refused") {
  Variable<double> w(x0);
  Tape outer;
  const auto a = square(w);
  {
    Tape inner;
    CHECK_THROWS_AS(sum(a), TapeError);
    backward(sum(w * 3.0));
  }
  CHECK(equal(w.gradient(), Array<double>::of({3, 3, 3})));
  backward(sum(a));
  CHECK(equal(w.gradient(), Array<double>::of({5, 7, 9})));
}

TEST_CASE("sweeping without a tape, or from a constant, says what is missing") {
  Variable<double> w(x0);
  const auto y = sum(w * 1.0);
  CHECK(contains(message_of<TapeError>([&] { backward(y); }), "no tape records here"));
  Tape tape;
  CHECK(contains(message_of<TapeError>([&] { backward(sum(Tensor<double>(x0))); }),
                 "does not depend on any Variable"));
  w.freeze();
  CHECK(message_of<TapeError>([&] { backward(sum(square(w))); }) ==
        "backward: the output does not depend on any Variable or watched tensor of the tape; a "
        "Variable that is frozen counts as a constant until unfreeze()");
  CHECK(contains(message_of<ArgumentError>([&] { sum(Tensor<double>()); }), "an operand is empty"));
}

TEST_CASE("a sweep that throws adds nothing, and the tape is usable again") {
  // The seed of the second loss does not fit, and is only seen after the first was given.
  Variable<double> w(x0);
  Tape tape;
  w.set_gradient(Array<double>::of({1, 1, 1}));
  CHECK_THROWS_AS(backward({SweepStart(sum(w * 2.0)), SweepStart(w * 2.0, Array<double>(1.0))}),
                  ShapeError);
  CHECK(equal(w.gradient(), Array<double>::of({1, 1, 1})));
  backward(sum(w * 2.0));
  CHECK(equal(w.gradient(), Array<double>::of({3, 3, 3})));
}

TEST_CASE("a rule that throws in the middle of a sweep leaves no gradient behind") {
  Variable<double> early(x0), late(x0);
  const auto run = [&] {
    Tape tape;
    const auto first = sum(detail::apply<ThrowsInSweep, double>({}, Tensor<double>(early)));
    const auto second = sum(square(late));
    // The rule of the later variable has run by then.
    CHECK(message_of<ArgumentError>([&] { backward(first + second); }) == "no slope today");
    CHECK_FALSE(early.has_gradient());
    CHECK_FALSE(late.has_gradient());
    CHECK(tape.size() == 0);
    backward(sum(square(early)));
    CHECK(equal(early.gradient(), Array<double>::of({2, 4, 6})));
    early.zero_grad();
  };
  run();
  const auto live = memory_statistics().live_blocks;
  run();
  CHECK(memory_statistics().live_blocks == live);
}

TEST_CASE("a value that is recorded cannot go stale: an update writes elsewhere") {
  Variable<double> w(x0);
  Tape tape;
  const auto y = sum(square(w));
  Array<double> moved = w.value();
  moved.mutate()[0] = 100;
  w.set_value(moved);
  backward(y);
  CHECK(equal(w.gradient(), Array<double>::of({2, 4, 6})));
}

TEST_CASE("the gradient of a gradient, by create_graph and by nested transforms") {
  Variable<double> w(x0);
  {
    Tape tape;
    const auto g = grad(sum(square(w) * w), w, {.create_graph = true});
    CHECK(equal(grad(sum(g), w).array(), Array<double>::of({6, 12, 18})));
  }
  const auto cube = [](const auto& x) { return sum(square(x) * x); };
  const auto slope = [&](const auto& x) { return sum(gradient(cube, x)); };
  CHECK(equal(gradient(slope, x0).array(), Array<double>::of({6, 12, 18})));
  const auto curvature = [&](const auto& x) { return sum(gradient(slope, x)); };
  CHECK(equal(gradient(curvature, x0).array(), Array<double>::of({6, 6, 6})));
  CHECK(equal(hvp(cube, x0, Array<double>::of({1, 0, 2})).array(), Array<double>::of({6, 0, 36})));
}

TEST_CASE("the argument of a transform is its own, not the variable around it") {
  Tape tape;
  const auto x = tape.watch(Array<double>(3.0));
  // d/dy (y * x) at y = x is x, not 2x; and its derivative in x is 1.
  const auto g = gradient([&](const auto& y) { return y * x; }, x);
  CHECK(g.item() == 3);
  CHECK(grad(g, x).item() == 1);
}

TEST_CASE("one tape holds both types, joined by cast") {
  Variable<float> w(Array<float>::of({1, 2}));
  Variable<double> v(Array<double>::of({3, 4}));
  Tape tape;
  backward(sum(cast<double>(square(w)) * v));
  CHECK(equal(w.gradient(), Array<float>::of({6, 16})));
  CHECK(equal(v.gradient(), Array<double>::of({1, 4})));
}

TEST_CASE("variables are tied by share and copied by clone") {
  Variable<double> w(x0, "w");
  const auto tied = w.share();
  const auto copy = w.clone();
  Tape tape;
  backward(sum(w * tied));
  CHECK(equal(w.gradient(), Array<double>::of({2, 4, 6})));
  CHECK(equal(tied.gradient(), w.gradient()));
  CHECK_FALSE(copy.has_gradient());
  CHECK(copy.label() == "w");
  CHECK(contains(message_of<ShapeError>([&] { w.set_value(Array<double>(1.0)); }),
                 "set_value: the Variable \"w\" has shape (3,), the new value ()"));
}

TEST_CASE("a zero gradient gives zero, for any slope") {
  // The branch that `where` did not take has an infinite slope at 0 and none below.
  Variable<double> w(Array<double>::of({-1, 0, 4}));
  Tape tape;
  backward(sum(where(w > 0.0, sqrt(w), 0.0)));
  CHECK(equal(w.gradient(), Array<double>::of({0, 0, 0.25})));
  w.zero_grad();
  const auto f = [](const auto& x) { return sum(where(x > 0.0, sqrt(x), 0.0)); };
  const auto second = hvp(f, w.value(), Array<double>::of({1, 1, 1}));
  CHECK(equal(second.array(), Array<double>::of({0, 0, -0.03125})));
}

TEST_CASE("memory of a deep model falls as the sweep passes") {
  // Each layer keeps 8 KiB; with all of them held to the end the peak would double.
  const auto held = [](bool keep) {
    Variable<double> w(op::spread({1024}));
    Tape tape;
    Tensor<double> y = w;
    for (int i = 0; i < 200; ++i) y = sin(y);
    const auto before = memory_statistics();
    backward(sum(y), {.keep_tape = keep});
    const auto after = memory_statistics();
    return after.live_blocks - before.live_blocks;
  };
  held(true);
  const auto system = memory_statistics().system_bytes;
  CHECK(held(false) < -150);
  CHECK(memory_statistics().system_bytes == system);
}

TEST_CASE("adding to a gradient leaves no block alive") {
  Variable<double> w(x0);
  const auto step = [&] {
    Tape tape;
    backward(sum(square(w)));
  };
  step();
  const auto live = memory_statistics().live_blocks;
  step();
  CHECK(memory_statistics().live_blocks == live);
}

TEST_CASE("the gradient of a slice is added to what is there, whatever holds that") {
  const Variable<double> w(Array<double>::of({{1, 2}, {3, 4}, {5, 6}}));
  const auto gradient = [&](const auto& f) {
    w.share().zero_grad();
    Tape tape;
    backward(sum(f(Tensor<double>(w))));
    return w.gradient();
  };
  const auto is = [&](const auto& f,
                      std::initializer_list<std::initializer_list<double>> expected) {
    const auto analytic = gradient(f);
    CHECK(equal(analytic, Array<double>::of(expected)));
    // The same sweep, recorded.
    Tape tape;
    const Tensor<double> x = w;
    const auto recorded = grad(sum(f(x)), x, {.create_graph = true});
    CHECK(equal(recorded.array(), analytic));
  };
  const auto row = [](const auto& x, int i) { return slice(x, 0, {i, i + 1}); };
  is([&](const auto& x) { return square(row(x, 1)); }, {{0, 0}, {6, 8}, {0, 0}});
  is([&](const auto& x) { return row(x, 0) + row(x, 0) * 2.0; }, {{3, 3}, {0, 0}, {0, 0}});
  // Beside a gradient that has one element for all, before and behind it.
  is([&](const auto& x) { return sum(x) + sum(square(row(x, 2))); }, {{1, 1}, {1, 1}, {11, 13}});
  is([&](const auto& x) { return sum(square(row(x, 2))) + sum(x); }, {{1, 1}, {1, 1}, {11, 13}});
  // Columns, with a step, and parts that overlap.
  is(
      [&](const auto& x) {
        return slice(x, 1, {1, 2}) * slice(x, 1, {0, 1});
      },
      {{2, 1}, {4, 3}, {6, 5}});
  is([&](const auto& x) { return square(slice(x, 0, {0, 3, 2})); }, {{2, 4}, {0, 0}, {10, 12}});
  is(
      [&](const auto& x) {
        return slice(x, 0, {0, 2}) * slice(x, 0, {1, 3});
      },
      {{3, 4}, {6, 8}, {3, 4}});
  // A gradient that two tensors hold: adding to one must not change the other.
  is(
      [&](const auto& x) {
        const auto a = x * 2.0, b = x * 3.0;
        return sum((a + b) * x.detach()) + sum(square(row(a, 0)));
      },
      {{5 + 8, 10 + 16}, {15, 20}, {25, 30}});
}

}  // TEST_SUITE("tape")
