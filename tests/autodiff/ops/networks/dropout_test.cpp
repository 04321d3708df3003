// SPDX-License-Identifier: BSD-3-Clause
// Dropout: what is left out, how often, and that it is the same when it is computed again.
#include <cmath>
#include <limits>
#include <thread>

#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// 0 or 1 / (1 - p) for each element.
Array<double> mask(std::int64_t n, double p, std::uint64_t seed) {
  Stream stream(seed);
  return dropout(Array<double>::full({n}, 1), p, stream).array();
}

}  // namespace

TEST_SUITE("dropout") {

TEST_CASE("dropout leaves out a share of p, and scales the others") {
  constexpr std::int64_t n = 100000;
  for (const double p : {0.1, 0.5, 0.9}) {
    CAPTURE(p);
    const auto m = mask(n, p, 3);
    std::int64_t dropped = 0;
    for (const double v : m) {
      if (v != 0) CHECK(v == 1 / (1 - p));
      dropped += v == 0;
    }
    // Five standard deviations.
    CHECK(std::abs(double(dropped) / n - p) <= 5 * std::sqrt(p * (1 - p) / n));
  }
  const auto x = op::spread({7, 5});
  Stream stream(1);
  CHECK_AGREES(same_bits(dropout(x, 0, stream).array(), x));
  CHECK(equal(dropout(x, 1, stream).array(), Array<double>::zeros({7, 5})));
}

TEST_CASE("each call draws one key, and streams of one key draw the same") {
  const auto x = op::spread({1000});
  Stream a(5), b(5);
  const auto first = dropout(x, 0.5, a).array(), second = dropout(x, 0.5, a).array();
  CHECK(a.position() == 4);
  CHECK_FALSE(equal(first, second));
  dropout(op::spread({3}), 0.2, b);  // of any size and any p
  CHECK_AGREES(same_bits(dropout(x, 0.5, b).array(), second));
}

}  // TEST_SUITE("dropout")

TEST_SUITE("dropout threads") {

TEST_CASE("dropout of an element depends on its position and the key alone") {
  const auto all = mask(10000, 0.5, 9);
  for (const std::int64_t n : {1, 5, 4095, 4097, 9999}) {
    CHECK_AGREES(same_bits(mask(n, 0.5, 9), all.leading(0, n)));
  }
  Array<double> elsewhere;
  std::thread([&] { elsewhere = mask(10000, 0.5, 9); }).join();
  CHECK_AGREES(same_bits(elsewhere, all));
  // In float the same elements are left out.
  Stream stream(9);
  const auto narrow = dropout(Array<float>::full({10000}, 1), 0.5, stream).array();
  CHECK_AGREES(same_bits(cast<double>(narrow).array(), all));
}

}  // TEST_SUITE("dropout threads")

TEST_SUITE("dropout") {

TEST_CASE("the gradient passes through kept elements, and NaN stays unless dropped") {
  const auto x = op::spread({50});
  const auto f = [](const auto& v) {
    Stream stream(2);
    return sum(dropout(v, 0.25, stream));
  };
  CHECK_AGREES(same_bits(gradient(f, x).array(), mask(50, 0.25, 2)));
  Stream stream(2);
  const double nan = std::nan("");
  const auto y = dropout(Array<double>::full({50}, nan), 0.25, stream).array();
  const auto m = mask(50, 0.25, 2);
  for (std::int64_t i = 0; i < 50; ++i) CHECK(std::isnan(y[i]) == (m[i] != 0));
}

}  // TEST_SUITE("dropout")

TEST_SUITE("checkpoint") {

TEST_CASE("a checkpoint drops the same elements again, at both orders") {
  // Small integers, which no order of additions rounds.
  auto x0 = Array<double>::uninitialized({64}), u = x0;
  for (int i = 0; i < 64; ++i) {
    x0.mutate()[i] = i % 7 - 3;
    u.mutate()[i] = i % 5 - 2;
  }
  const auto run = [&](bool again) {
    Stream stream(4);
    const auto inner = [&](const Tensor<double>& v) {
      return dropout(v * square(v), 0.75, stream);
    };
    const auto part = [&](const Tensor<double>& v) {
      const auto h = dropout(square(v), 0.5, stream);
      return h * (again ? checkpoint(inner, v) : inner(v));
    };
    const auto f = [&](const Tensor<double>& v) { return again ? checkpoint(part, v) : part(v); };
    Variable<double> x(x0);
    Tape tape;
    const auto y = sum(square(f(dropout(x, 0.5, stream))));
    const auto g = grad(y, x, {.create_graph = true});
    const auto h = grad(sum(g * u), x, {.keep_tape = true});
    backward(y);
    return std::vector<Array<double>>{y.array(), g.array(), h.array(), x.gradient(),
                                      Array<double>(double(stream.position()))};
  };
  const auto kept = run(false), again = run(true);
  for (std::size_t k = 0; k < kept.size(); ++k) {
    CAPTURE(k);
    CHECK_AGREES(same_bits(kept[k], again[k]));
  }
  CHECK(kept[4].item() == 6);  // three keys of two words, and not one for a second run
}

TEST_CASE("draws from a stream in a checkpoint are made once and repeated") {
  const Variable<double> w(Array<double>::of({1, 2, 3, 4}));
  Stream stream(3);
  const auto noisy = [&](const Tensor<double>& v) {
    const auto order = permutation(4, stream);
    return sum(index_select(v, 0, Array<std::int64_t>({4}, order)) *
               Array<double>::of({stream.uniform(), stream.uniform(), 0, double(stream.below(9))}));
  };
  Tape tape;
  const auto y = checkpoint(noisy, w);
  const auto position = stream.position();
  backward(y);
  // The function is linear: its value is that of its gradient times w, if both drew the same.
  CHECK_AGREES(close(sum(w.gradient() * w).array(), y.array(), 1e-15));
  CHECK(stream.position() == position);
}

TEST_CASE("a checkpoint of a function that draws more when it runs again is refused") {
  Variable<double> x(op::spread({3}));
  Stream stream(1);
  int runs = 0;
  const auto f = [&](const Tensor<double>& v) {
    Tensor<double> y = v;
    ++runs;
    for (int i = 0; i < runs; ++i) y = dropout(y, 0.5, stream);
    return y;
  };
  Tape tape;
  const auto y = sum(checkpoint(f, x));
  CHECK(message_of<ArgumentError>([&] { backward(y); }) ==
        "checkpoint: the function draws more random numbers when it runs again; it must do the "
        "same each time");
}

}  // TEST_SUITE("checkpoint")
