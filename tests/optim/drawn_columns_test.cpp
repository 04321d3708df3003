// SPDX-License-Identifier: BSD-3-Clause
// Gradients of few columns: what a step does to a weight of which a batch of sparse rows has some
// columns is what it does with the same gradient as a whole array.
#include <doctest/doctest.h>

#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

namespace {

constexpr std::int64_t columns = 2500;  // as many as it takes for columns to be listed

template <class T>
Variable<T> weight_of(const Shape& shape) {
  auto values = Array<T>::uninitialized(shape);
  T* to = values.mutate();
  for (std::int64_t i = 0; i < values.size(); ++i) to[i] = T(i % 97) / 16 - 3;
  return Variable<T>(values);
}

/// Two rows, with columns beside each other, at both ends, and in both rows.
template <class T>
SparseRows<T> batch(std::int64_t t) {
  const std::int64_t a = (t * 131) % 1000 + 10;
  return SparseRows<T>(columns, Array<std::int64_t>::of({0, 4, 7}),
                       Array<std::int64_t>::of({0, a, a + 1, columns - 1, a + 1, a + 500, 2000}),
                       Array<T>::of({1, 2, T(-0.5), 1, 3, T(0.25), 1}));
}

template <class T>
Tensor<T> product(const Operand<T>& w, std::int64_t t) {
  if (w.shape()[0] == columns) return matmul(batch<T>(t), w);
  return linear(batch<T>(t), w, Array<T>::ones({w.shape()[0]}));
}
template <class T>
Tensor<T> loss_of(const Operand<T>& w, std::int64_t t) {
  return sum(square(product<T>(w, t)) * T(0.5));
}
/// The same loss from a tensor that is no leaf, whose gradient is a whole array.
template <class T>
Tensor<T> whole_loss_of(const Variable<T>& w, std::int64_t t) {
  return loss_of<T>(w * T(1), t);
}

template <class F>
void sweep(const F& loss) {
  Tape tape;
  backward(loss());
}

const std::vector<Shape> shapes{{2, columns}, {3, columns}, {columns, 2}};

}  // namespace

TEST_SUITE_BEGIN("drawn columns");

TEST_CASE_TEMPLATE("every rule does the same steps", T, float, double) {
  const auto run = [](auto rule) {
    for (const Shape& shape : shapes) {
      auto few = weight_of<T>(shape), whole = weight_of<T>(shape);
      optim::Optimizer step_few({few}, rule), step_whole({whole}, rule);
      for (std::int64_t t = 0; t < 6; ++t) {
        for (int part = 0; part <= t % 2; ++part) {  // of one sweep, or of two that add up
          sweep([&] { return loss_of<T>(few, t + part); });
          sweep([&] { return whole_loss_of(whole, t + part); });
        }
        CHECK_AGREES(same_bits(few.gradient(), whole.gradient()));
        step_few.step({.scale = 0.03125});
        step_whole.step({.scale = 0.03125});
        CHECK_AGREES(same_bits(few.value(), whole.value()));
        step_few.zero_grad();
        step_whole.zero_grad();
      }
    }
  };
  run(optim::SGD{.learning_rate = 0.1});
  run(optim::SGD{.learning_rate = 0.1, .momentum = 0.9});
  run(optim::Adam{.learning_rate = 0.1});
  run(optim::Adagrad{.learning_rate = 0.1});
}

TEST_CASE("columns that no row has stay as they are, bit for bit") {
  for (const Shape& shape : shapes) {
    auto w = weight_of<double>(shape);
    const auto before = w.value();
    optim::Optimizer optimizer({w}, optim::Adagrad{.learning_rate = 0.1});
    for (int k = 0; k < 3; ++k) {
      sweep([&] { return loss_of<double>(w, 1); });
      optimizer.step();
      optimizer.zero_grad();
    }
    std::vector<bool> has(std::size_t(columns), false);
    const auto x = batch<double>(1);
    for (const std::int64_t j : x.shared_indices()) has[std::size_t(j)] = true;
    const std::int64_t inner = shape[0] == columns ? shape[1] : 1;
    for (std::int64_t i = 0; i < w.size(); ++i) {
      const bool is_touched = has[std::size_t(i / inner % columns)];
      if ((w.value()[i] != before[i]) != is_touched) FAIL_CHECK("element " << i);
    }
  }
}

TEST_CASE("the gradient lists its columns, and a step passes over the others") {
  auto w = weight_of<float>({2, columns});
  sweep([&] { return loss_of<float>(w, 1); });
  const auto& drawn = *detail::Access::cell(w)->drawn;
  CHECK(drawn.axis == 1);
  CHECK(drawn.rows == std::vector<std::int64_t>{0, 141, 142, 641, 2000, 2499});
  w.zero_grad();
  CHECK(drawn.rows.empty());
  CHECK(drawn.zeros);
  for (std::int64_t i = 0; i < w.size(); ++i) {
    if (drawn.zeros->data<float>()[i] != 0) FAIL_CHECK("element " << i);
  }
}

TEST_CASE("a weight whose rows are drawn as well reaches both") {
  const auto both = [](const Operand<double>& w, const Operand<double>& v) {
    return loss_of<double>(w, 2) +
           sum(square(embedding(Array<std::int64_t>::of({3, 90}), v)) * 0.5);
  };
  // A square weight would be large: rows of it are drawn by sparse rows of its height.
  for (const bool rows_first : {false, true}) {
    auto few = weight_of<double>({2600, columns}), whole = weight_of<double>({2600, columns});
    optim::Optimizer step_few({few}, optim::SGD{.learning_rate = 0.01});
    optim::Optimizer step_whole({whole}, optim::SGD{.learning_rate = 0.01});
    const auto rows = [](const Operand<double>& w) {
      return sum(square(embedding(Array<std::int64_t>::of({3, 90}), w)) * 0.5);
    };
    const auto run = [&](auto& w, const auto& copy) {
      if (rows_first) {
        sweep([&] { return rows(copy(w)); });
        sweep([&] { return loss_of<double>(copy(w), 2); });
      } else {
        sweep([&] { return both(copy(w), copy(w)); });
      }
    };
    run(
        few, [](const auto& w) -> const auto& { return w; });
    run(whole, [](const auto& w) { return w * 1.0; });
    CHECK_AGREES(same_bits(few.gradient(), whole.gradient()));
    step_few.step();
    step_whole.step();
    CHECK_AGREES(same_bits(few.value(), whole.value()));
  }
}

TEST_SUITE_END();
