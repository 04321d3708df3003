// SPDX-License-Identifier: BSD-3-Clause
// The gradient of what an index chose is added to what is there, whatever holds that.
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("tape") {

TEST_CASE("the gradient of elements by index is added to what is there, whatever holds that") {
  const Variable<double> w(Array<double>::of({{1, 2}, {3, 4}, {5, 6}}));
  const auto is = [&](const auto& f,
                      std::initializer_list<std::initializer_list<double>> expected) {
    w.share().zero_grad();
    {
      Tape tape;
      backward(sum(f(Tensor<double>(w))));
    }
    CHECK_AGREES(same_bits(w.gradient(), Array<double>::of(expected)));
    // And as a sweep that is recorded.
    Tape tape;
    const Tensor<double> x = w;
    const auto recorded = grad(sum(f(x)), x, {.create_graph = true});
    CHECK_AGREES(same_bits(recorded.array(), Array<double>::of(expected)));
  };
  const auto twice = Array<std::int64_t>::of({2, 0, 2});
  is([&](const auto& x) { return square(index_select(x, 0, twice)) + sum(x); },
     {{2 + 6, 4 + 6}, {6, 6}, {20 + 6, 24 + 6}});
  const auto last = Array<std::int64_t>::of({1});
  is([&](const auto& x) { return sum(square(x)) + sum(index_select(x, 1, last) * 3.0); },
     {{2, 7}, {6, 11}, {10, 15}});
  const auto index = Array<std::int64_t>::of({{2, 0}, {2, 1}});
  is([&](const auto& x) { return square(gather(x, 0, index)); }, {{0, 4}, {0, 8}, {20, 0}});
  is([&](const auto& x) { return sum(x) + sum(gather(x, 0, index) * 2.0); },
     {{1, 3}, {1, 3}, {5, 1}});
  is(
      [&](const auto& x) {
        const auto a = x * 2.0, b = x * 3.0;
        return sum((a + b) * x.detach()) + sum(square(gather(a, 0, index)));
      },
      {{5, 10 + 16}, {15, 20 + 32}, {25 + 80, 30}});
}

}  // TEST_SUITE("tape")
