// SPDX-License-Identifier: BSD-3-Clause
// Tapes, pauses and variables that are used beyond their time work, or say what to do.
#include <memory>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
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

}  // namespace

TEST_SUITE("tape lifetime") {

TEST_CASE("tapes on the heap end in any order, and the innermost that is left records") {
  Variable<double> w(x0);
  auto outer = std::make_unique<Tape>(), inner = std::make_unique<Tape>();
  outer.reset();
  backward(sum(square(w)));  // on the inner one
  CHECK(equal(w.gradient(), Array<double>::of({2, 4, 6})));
  inner.reset();
  CHECK_THROWS_AS(backward(sum(square(w))), TapeError);

  auto first = std::make_unique<Tape>(), second = std::make_unique<Tape>(),
       third = std::make_unique<Tape>();
  second.reset();
  third.reset();
  w.zero_grad();
  backward(sum(square(w)));  // on the first one
  CHECK(equal(w.gradient(), Array<double>::of({2, 4, 6})));
}

TEST_CASE("a pause may outlive the tape that it paused") {
  const Variable<double> w(x0);
  auto tape = std::make_unique<Tape>();
  auto pause = std::make_unique<NoRecord>();
  tape.reset();
  pause.reset();
  CHECK(contains(message_of<TapeError>([&] { backward(sum(square(w))); }), "no tape records here"));
}

TEST_CASE("a second sweep, and one after the tape has ended, say what to do") {
  const Variable<double> w(x0);
  Tensor<double> y;
  {
    Tape tape;
    y = sum(square(w));
    backward(y);
    for (const auto& text : {message_of<TapeError>([&] { backward(y); }),
                             message_of<TapeError>([&] { grad(y, w); })}) {
      CHECK(contains(text,
                     "its tape was released by an earlier sweep; {.keep_tape = true} for that"));
    }
    y = sum(square(w));
  }
  for (const auto& text :
       {message_of<TapeError>([&] { backward(y); }), message_of<TapeError>([&] { grad(y, w); })}) {
    CHECK(
        contains(text, "the tape that recorded the output has ended; sweep before the end of its"));
  }
}

TEST_CASE("gradients are asked for by handles, which may be made of temporaries") {
  const Variable<double> w(x0);
  Tape tape;
  const auto y = square(w);
  std::vector<GradientOf<double>> wanted;
  {
    const std::vector<Variable<double>> handles = [&] {
      std::vector<Variable<double>> list;
      list.push_back(w.share());
      return list;
    }();
    for (const auto& handle : handles) wanted.push_back(handle);
    wanted.push_back(GradientOf<double>(y + 0.0));
    wanted.back() = wanted.front();
    wanted.push_back(y);
  }
  const auto gradients = grad(sum(y), wanted);
  CHECK(equal(gradients[0].array(), Array<double>::of({2, 4, 6})));
  CHECK(equal(gradients[1].array(), Array<double>::of({2, 4, 6})));
  CHECK(equal(gradients[2].array(), Array<double>::of({1, 1, 1})));
}

TEST_CASE("a variable that was moved from says so in every function") {
  Variable<double> from(x0, "w");
  const Variable<double> to(std::move(from));
  const auto says = [&](const auto& use) {
    CHECK(message_of<ArgumentError>(use) ==
          "a Variable is empty: it was moved from; use the one that it was moved to; or its layer "
          "does without it, as with .bias = false");
  };
  says([&] { from.value(); });
  says([&] { from.shape(); });
  says([&] { from.size(); });
  says([&] { from.gradient(); });
  says([&] { from.has_gradient(); });
  says([&] { from.zero_grad(); });
  says([&] { from.label(); });
  says([&] { from.set_label("v"); });
  says([&] { from.set_value(x0); });
  says([&] { from.set_gradient(x0); });
  says([&] { (void)from.clone(); });
  says([&] { (void)from.share(); });
  CHECK_THROWS_AS(sum(from), ArgumentError);
  from = Variable<double>(x0);
  CHECK(from.size() == 3);
}

}  // TEST_SUITE("tape lifetime")
