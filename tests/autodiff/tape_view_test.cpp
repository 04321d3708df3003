// SPDX-License-Identifier: BSD-3-Clause
// Reading a tape, naming its parts, and refusing what is not finite.
#include "ebb/autodiff/tape_view.hpp"
#include "ebb/autodiff/ops.hpp"

#include <functional>
#include <limits>
#include <sstream>
#include <string>

#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

std::string printed(const Tape& tape) {
  std::ostringstream text;
  text << tape;
  return text.str();
}

/// The logistic loss of one row, by single steps.
Tensor<double> logistic(const Variable<double>& w, const Variable<double>& b) {
  const Array<double> x = Array<double>(2.0), y = Array<double>(1.0);
  Tensor<double> z;
  {
    const NameScope layer("layer");
    z = w * x + b;
  }
  const auto p = softplus(z);
  return p - z * y;
}

}  // namespace

TEST_SUITE("tape view") {

TEST_CASE("the view is a table of the records") {
  Variable<double> w(Array<double>(0.5), "w"), b(Array<double>(-1.0));
  Tape tape;
  const NameScope scope("model");
  logistic(w, b);
  CHECK(printed(tape) ==
        " #  operation  shape  inputs        keeps  scope\n"
        "#1  leaf       ()     \"w\"           -      model.layer\n"
        "#2  mul        ()     #1, constant  128 B  model.layer\n"
        "#3  leaf       ()                   -      model.layer\n"
        "#4  add        ()     #2, #3        -      model.layer\n"
        "#5  softplus   ()     #4            128 B  model\n"
        "#6  mul        ()     #4, constant  128 B  model\n"
        "#7  sub        ()     #5, #6        -      model\n"
        "7 records keep 384 B\n");
  tape.release();
  CHECK(printed(tape) == "#  operation  shape  inputs  keeps  scope\n0 records keep 0 B\n");
}

TEST_CASE("numbers, wide records and arrays kept twice are counted") {
  Tape tape;
  const auto x = tape.watch(Array<float>::of({1, 2, 3}));
  const auto y = fuse([](auto a, auto b, auto c) { return a * b + c; }, x, 2.5, x);
  square(y * 0.5);
  CHECK(printed(tape) ==
        " #  operation  shape  inputs       keeps  scope\n"
        "#1  watch      (3,)                -\n"
        "#2  fuse       (3,)   #1, 2.5, #1  256 B\n"
        "#3  mul        (3,)   #2, 0.5      -\n"
        "#4  square     (3,)   #3           128 B\n"
        "4 records keep 256 B\n");
}

TEST_CASE("a formula of the library has its own name") {
  Tape tape({.check_finite = true});
  const auto x = tape.watch(Array<float>::of({1, 2}));
  CHECK(message_of<NonFiniteError>([&] { mse_loss(x, 1e30F * x); }) ==
        "mse_loss: the result of shape () is inf at []");
  gelu(x);
  std::ostringstream text;
  text << tape;
  CHECK(text.str().find(" gelu ") != std::string::npos);
}

TEST_CASE("the view prints a graph for Graphviz") {
  Variable<double> w(Array<double>(0.5), "a \"b\"");
  Tape tape;
  const NameScope scope("part");
  square(w * w);
  CHECK(to_dot(tape) ==
        "digraph tape {\n  rankdir=BT;\n  node [shape=box];\n"
        "  n1 [label=\"part: \\\"a \\\"b\\\"\\\"\\n()\", style=filled];\n"
        "  n2 [label=\"part: mul\\n()\"];\n  n1 -> n2;\n  n1 -> n2;\n"
        "  n3 [label=\"part: square\\n()\"];\n  n2 -> n3;\n}\n");
}

TEST_CASE("explain shows values, local slopes and their products along the chain") {
  Variable<double> w(Array<double>(0.5), "w"), b(Array<double>(-1.0), "b");
  Tape tape({.keep_values = true});
  logistic(w, b);
  // z = 0, so that softplus has the slope 1/2; the target is 1, the input 2.
  CHECK(explain(tape) ==
        " #  operation  value     slopes of this step  gradient of #7\n"
        "#1  \"w\"        0.5                            -1\n"
        "#2  mul        1         d/d#1 2              -0.5\n"
        "#3  \"b\"        -1                             -0.5\n"
        "#4  add        0         d/d#2 1, d/d#3 1     -0.5\n"
        "#5  softplus   0.693147  d/d#4 0.5            1\n"
        "#6  mul        0         d/d#4 1              -1\n"
        "#7  sub        0.693147  d/d#5 1, d/d#6 -1    1\n");
  // It changes nothing: the sweep gives what it said.
  CHECK(tape.size() == 7);
  const auto again = explain(tape);
  CHECK(again == explain(tape));
}

TEST_CASE("long arrays are shortened, and a matrix has no single slope") {
  Variable<float> w(Array<float>({5, 1}, {1, 2, 3, 4, 5}), "w");
  Tape tape({.keep_values = true});
  sum(square(matmul(Array<float>::full({2, 5}, 1), w)));
  CHECK(explain(tape) ==
        " #  operation  value              slopes of this step  gradient of #4\n"
        "#1  \"w\"        [1, 2, 3, 4, ...]                       [60, 60, 60, 60, ...]\n"
        "#2  matmul     [15, 15]           ...                  [30, 30]\n"
        "#3  square     [225, 225]         d/d#2 [30, 30]       [1, 1]\n"
        "#4  sum        450                d/d#3 [1, 1]         1\n");
}

TEST_CASE("the errors of explain say what it needs") {
  Variable<double> w(Array<double>::of({1, 2}));
  {
    Tape tape;
    sum(w * w);
    CHECK(message_of<TapeError>([&] { explain(tape); }) ==
          "explain: the tape keeps no values; open it as Tape tape({.keep_values = true})");
  }
  Tape tape({.keep_values = true});
  CHECK(explain(tape) == "nothing is recorded\n");
  square(w);
  CHECK(message_of<ShapeError>([&] { explain(tape); }) ==
        "explain: the last record has shape (2,) and is not a single value");
}

}  // TEST_SUITE("tape view")

TEST_SUITE("scope") {

TEST_CASE("errors end with the path, but only inside the scope") {
  const auto fail = [] { (void)(Array<double>::zeros({2}) + Array<double>::zeros({3})); };
  const std::string plain = message_of(fail);
  CHECK(NameScope::path() == "");
  {
    const NameScope outer("encoder");
    {
      const NameScope inner("attention");
      CHECK(NameScope::path() == "encoder.attention");
      CHECK(message_of(fail) == plain + " (in encoder.attention)");
    }
    CHECK(message_of(fail) == plain + " (in encoder)");
  }
  CHECK(message_of(fail) == plain);
}

}  // TEST_SUITE("scope")

TEST_SUITE("check finite") {

TEST_CASE("the first result that is not finite is named, with index and scope") {
  const auto x = Array<double>({2, 2}, {1, 2, 0, -1});
  Variable<double> w(x);
  {
    Tape tape({.check_finite = true});
    const NameScope scope("head");
    CHECK(message_of<NonFiniteError>([&] { log(w); }) ==
          "log: the result of shape (2, 2) is -inf at [1, 0] (in head)");
    CHECK(message_of<NonFiniteError>([&] { exp(w * 1000); }) ==
          "exp: the result of shape (2, 2) is inf at [0, 0] (in head)");
    CHECK(message_of<NonFiniteError>([&] { fuse([](auto v) { return log(v); }, w); }) ==
          "fuse: the result of shape (2, 2) is -inf at [1, 0] (in head)");
    backward(sum(square(w)));  // the tape goes on
  }
  CHECK(w.gradient()[1] == 4);
  Tape tape;  // and the next one checks nothing
  CHECK(std::isinf(log(w).data()[2]));
}

TEST_CASE("operations on constants are checked, though not recorded") {
  const auto bad = Array<double>::of({2, -1});
  Variable<double> w(Array<double>::of({1, 1}));
  Tape tape({.check_finite = true});
  const auto message = [](const auto& f) { return message_of<NonFiniteError>(f); };
  CHECK(message([&] { log(bad); }) == "log: the result of shape (2,) is nan at [1]");
  CHECK(message([&] { bad / 0.0; }) == "div: the result of shape (2,) is inf at [0]");
  CHECK(message([&] { fuse([](auto x) { return log(x); }, bad); }) ==
        "fuse: the result of shape (2,) is nan at [1]");
  CHECK(message([&] { fuse_sum([](auto x) { return log(x); }, bad); }) ==
        "fuse: the result of shape () is nan at []");
  CHECK(message([&] { mean(Array<double>::zeros({0})); }) ==
        "mean: the result of shape () is nan at []");
  CHECK(message([&] { cast<float>(bad * 1e300); }) ==
        "cast: the result of shape (2,) is inf at [0]");
  // What is read in may be missing, and does no harm where it is taken out.
  const auto missing = Array<double>::of({NAN, 3});
  CHECK(equal(where(missing != missing, 0, missing).array(), Array<double>::of({0, 3})));
  CHECK(message([&] {
          concat({missing, missing});
        }) == "concat: the result of shape (4,) is nan at [0]");
  CHECK(message([&] { sum(w * missing); }) == "mul: the result of shape (2,) is nan at [0]");
  {
    const NoRecord pause;
    CHECK(std::isnan(log(bad).data()[1]));
  }
}

TEST_CASE("an operation inside a checkpoint is named") {
  Variable<double> w(Array<double>::of({4, -1}));
  Tape tape({.check_finite = true});
  const auto part = [](const auto& x) { return sum(square(log(x))); };
  CHECK(message_of<NonFiniteError>([&] { checkpoint(part, w); }) ==
        "log: the result of shape (2,) is nan at [1]");
  CHECK(message_of<NonFiniteError>([&] {
          checkpoint([&](const auto& x) { return x * log(w); }, w);
        }) == "log: the result of shape (2,) is nan at [1]");
  // sqrt has no slope at 0.
  const auto y = checkpoint([](const auto& x) { return sum(sqrt(x + 1)); }, w);
  CHECK(message_of<NonFiniteError>([&] { backward(y); }).substr(0, 42) ==
        "sqrt: in the sweep, the gradient that it g");
}

TEST_CASE("a watched tensor is named as such") {
  Tape tape({.check_finite = true});
  CHECK(message_of<NonFiniteError>([&] { tape.watch(Array<double>(INFINITY)); }) ==
        "watch: the result of shape () is inf at []");
}

TEST_CASE("the first gradient that is not finite is an error, and none is added") {
  Variable<double> w(Array<double>::of({4, 0}), "w");
  Tape tape({.check_finite = true});
  const auto loss = sum(sqrt(w) * 3);
  CHECK(message_of<NonFiniteError>([&] { backward(loss); }) ==
        "sqrt: in the sweep, the gradient that it gives #1 (leaf), of shape (2,) is inf at [1]");
  CHECK_FALSE(w.has_gradient());
  // A sweep that records checks what it computes.
  const auto again = sum(sqrt(w) * 3);
  CHECK(message_of<NonFiniteError>([&] {
          grad(again, w, {.create_graph = true});
        }).find("is inf at [1]") != std::string::npos);
}

TEST_CASE("values kept by the check outlive the blocks of the sweep, and are then freed") {
  Variable<double> w(Array<double>::of({4, 1}));
  const auto live = memory_statistics().live_blocks;
  {
    Tape tape({.check_finite = true, .keep_values = true});
    sum(sqrt(w));
    explain(tape);
    backward(sum(sqrt(w)));
    sum(sqrt(w));
  }
  w.zero_grad();
  CHECK(memory_statistics().live_blocks == live);
}

}  // TEST_SUITE("check finite")
