// SPDX-License-Identifier: BSD-3-Clause
// A mean over many rows, differentiated a block of rows at a time.
#include "ebb/autodiff/backward_by_rows.hpp"
#include "ebb/autodiff/ops.hpp"

#include <string>

#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

struct Regression {
  Variable<double> weight{op::spread({1, 5})}, bias{Array<double>::of({0.25})};
  Tensor<double> operator()(const Array<double>& x) const { return linear(x, weight, bias); }
};

const Array<double> x = op::spread({103, 5});
const Array<double> y = op::spread({103, 1}, 7);

}  // namespace

TEST_SUITE("row blocks") {

TEST_CASE("gradients and mean are those of one pass over all rows") {
  Regression whole;
  double mean = 0;
  {
    Tape tape;
    const auto loss = mse_loss(whole(x), y);
    mean = loss.item();
    backward(loss);
  }
  for (const std::int64_t rows : {0, 1, 10, 103, 1000}) {
    Regression blocks;
    const double by_rows = backward_by_rows(
        [&](const auto& a, const auto& b) { return mse_loss(blocks(a), b); }, x, y, {.rows = rows});
    // Sums of 103 terms in another order.
    CHECK_AGREES(close(Array<double>(by_rows), Array<double>(mean), 1e-14));
    CHECK_AGREES(close(blocks.weight.gradient(), whole.weight.gradient(), 1e-13));
    CHECK_AGREES(close(blocks.bias.gradient(), whole.bias.gradient(), 1e-13));
  }
}

TEST_CASE("labels are rows too, and gradients are added") {
  Variable<double> w(op::spread({5, 3}));
  auto labels = Array<std::int64_t>::zeros({103});
  for (int i = 0; i < 103; ++i) labels.mutate()[i] = i % 3;
  const auto loss = [&](const Array<double>& a, const Array<std::int64_t>& b) {
    return cross_entropy(matmul(a, w), b);
  };
  {
    Tape tape;
    backward(loss(x, labels));
  }
  const Array<double> once = w.gradient();
  backward_by_rows(loss, x, labels, {.rows = 20});
  CHECK_AGREES(close(w.gradient(), (once * 2.0).array(), 1e-13));
}

TEST_CASE("rows, sizes and losses that make no blocks are refused") {
  Regression model;
  const auto loss = [&](const auto& a, const auto& b) { return mse_loss(model(a), b); };
  CHECK(message_of([&] { backward_by_rows(loss, x, y.leading(0, 100)); }) ==
        "backward_by_rows: x of shape (103, 5) and y of shape (100, 1); both must have the same "
        "number of rows, at least one");
  CHECK(message_of([&] { backward_by_rows(loss, x, y, {.rows = -1}); }) ==
        "backward_by_rows: blocks of -1 rows; give at least 1, or 0 for a choice");
  CHECK(message_of([&] {
          backward_by_rows([&](const auto& a, const auto&) { return model(a); }, x, y);
        }) ==
        "backward_by_rows: the loss of a block has shape (103, 1) and is not a single value; "
        "reduce it by mean");
}

}  // TEST_SUITE("row blocks")
