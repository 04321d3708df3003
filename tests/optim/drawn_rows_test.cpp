// SPDX-License-Identifier: BSD-3-Clause
// Gradients of few rows: what a step does to an embedding of which a batch draws some rows is what
// it does with the same gradient as a whole array.
#include <doctest/doctest.h>

#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

namespace {

// As many elements as it takes for rows to be listed, in rows that share vectors.
constexpr std::int64_t rows = 700, width = 7;

template <class T>
Variable<T> table() {
  auto values = Array<T>::uninitialized({rows, width});
  T* to = values.mutate();
  for (std::int64_t i = 0; i < values.size(); ++i) to[i] = T(i % 97) / 16 - 3;
  return Variable<T>(values);
}

/// Indices of batch t; some are drawn twice, some beside each other.
Array<std::int64_t> batch(std::int64_t t) {
  return Array<std::int64_t>::of(
      {(t * 131) % rows, (t * 131 + 1) % rows, (t * 37) % rows, (t * 131) % rows, rows - 1, 0});
}

template <class T>
Tensor<T> loss_of(const Operand<T>& weight, std::int64_t t) {
  return sum(square(embedding(batch(t), weight)) * T(0.5));
}

/// The same loss from a tensor that is no leaf, whose gradient is a whole array.
template <class T>
Tensor<T> whole_loss_of(const Variable<T>& weight, std::int64_t t) {
  return loss_of<T>(weight * T(1), t);
}

template <class F>
void sweep(const F& loss) {
  Tape tape;
  backward(loss());
}

}  // namespace

TEST_SUITE("drawn rows") {

TEST_CASE_TEMPLATE("the gradient is the same", T, float, double) {
  auto few = table<T>(), whole = table<T>();
  for (std::int64_t t = 1; t < 5; ++t) {  // in batch 0 one row is drawn four times
    sweep([&] { return loss_of<T>(few, t); });
    sweep([&] { return whole_loss_of(whole, t); });
    CHECK_AGREES(same_bits(few.gradient(), whole.gradient()));
    CHECK(few.gradient()[((t * 131) % rows) * width] ==
          2 * few.value()[((t * 131) % rows) * width]);
    few.zero_grad();
    whole.zero_grad();
    CHECK(!few.has_gradient());
  }
}

TEST_CASE_TEMPLATE("gradients of several sweeps add up", T, float, double) {
  auto few = table<T>(), whole = table<T>();
  optim::Optimizer step_few({few}, optim::SGD{.learning_rate = 0.5});
  optim::Optimizer step_whole({whole}, optim::SGD{.learning_rate = 0.5});
  for (std::int64_t t = 0; t < 3; ++t) {
    for (std::int64_t k = 0; k < 3; ++k) {
      sweep([&] { return loss_of<T>(few, 3 * t + k); });
      sweep([&] { return whole_loss_of(whole, 3 * t + k); });
    }
    CHECK_AGREES(same_bits(few.gradient(), whole.gradient()));
    step_few.step();
    step_whole.step();
    CHECK_AGREES(same_bits(few.value(), whole.value()));
    step_few.zero_grad();
    step_whole.zero_grad();
  }
}

TEST_CASE_TEMPLATE("every rule does the same steps", T, float, double) {
  const auto run = [](auto rule) {
    auto few = table<T>(), whole = table<T>();
    optim::Optimizer step_few({few}, rule), step_whole({whole}, rule);
    for (std::int64_t t = 0; t < 5; ++t) {
      sweep([&] { return loss_of<T>(few, t); });
      sweep([&] { return whole_loss_of(whole, t); });
      step_few.step({.scale = 0.75});
      step_whole.step({.scale = 0.75});
      CHECK_AGREES(same_bits(few.value(), whole.value()));
      step_few.zero_grad();
      step_whole.zero_grad();
    }
  };
  run(optim::SGD{.learning_rate = 0.1});
  run(optim::SGD{.learning_rate = 0.1, .momentum = 0.9});
  run(optim::SGD{.learning_rate = 0.1, .weight_decay = 0.1});
  run(optim::Adam{.learning_rate = 0.1});
  run(optim::Adagrad{.learning_rate = 0.1, .learning_rate_decay = 0.1});
}

TEST_CASE_TEMPLATE("a part for all rows reaches all rows", T, float, double) {
  const auto check = [](const auto& few_sweeps, const auto& whole_sweeps) {
    auto few = table<T>(), whole = table<T>();
    optim::Optimizer step_few({few}, optim::SGD{.learning_rate = 0.1});
    optim::Optimizer step_whole({whole}, optim::SGD{.learning_rate = 0.1});
    for (std::int64_t t = 0; t < 2; ++t) {
      few_sweeps(few, t);
      whole_sweeps(whole, t);
      CHECK_AGREES(same_bits(few.gradient(), whole.gradient()));
      step_few.step();
      step_whole.step();
      CHECK_AGREES(same_bits(few.value(), whole.value()));
      step_few.zero_grad();
      step_whole.zero_grad();
    }
  };
  SUBCASE("in the same loss, after the rows") {
    check([](auto& w, auto t) { sweep([&] { return sum(square(w)) + loss_of<T>(w, t); }); },
          [](auto& w, auto t) { sweep([&] { return sum(square(w)) + whole_loss_of(w, t); }); });
  }
  SUBCASE("in the same loss, before the rows") {
    check([](auto& w, auto t) { sweep([&] { return loss_of<T>(w, t) + sum(square(w)); }); },
          [](auto& w, auto t) { sweep([&] { return whole_loss_of(w, t) + sum(square(w)); }); });
  }
  SUBCASE("by a product that is added in place") {
    const auto ones = Array<T>::full({1, rows}, 1);
    check([&](auto& w, auto t) { sweep([&] { return loss_of<T>(w, t) + sum(matmul(ones, w)); }); },
          [&](auto& w, auto t) {
            sweep([&] { return whole_loss_of(w, t) + sum(matmul(ones, w)); });
          });
  }
  SUBCASE("in a sweep after it") {
    const auto both = [](auto& w, auto t, const auto& loss) {
      sweep([&] { return loss(w, t); });
      sweep([&] { return sum(square(w)); });
    };
    check(
        [&](auto& w, auto t) { both(w, t, [](auto& v, auto s) { return loss_of<T>(v, s); }); },
        [&](auto& w, auto t) { both(w, t, [](auto& v, auto s) { return whole_loss_of(v, s); }); });
  }
  SUBCASE("in a sweep before it") {
    const auto both = [](auto& w, auto t, const auto& loss) {
      sweep([&] { return sum(square(w)); });
      sweep([&] { return loss(w, t); });
    };
    check(
        [&](auto& w, auto t) { both(w, t, [](auto& v, auto s) { return loss_of<T>(v, s); }); },
        [&](auto& w, auto t) { both(w, t, [](auto& v, auto s) { return whole_loss_of(v, s); }); });
  }
  SUBCASE("by set_gradient") {
    // The second array may stand in the memory that the first one has set free.
    const auto set = [](auto& w, auto) {
      w.set_gradient(w.value());
      w.set_gradient(Array<T>::full(w.shape(), T(2)));
    };
    check([&](auto& w, auto t) { sweep([&] { return loss_of<T>(w, t); }), set(w, t); }, set);
  }
}

TEST_CASE_TEMPLATE("a gradient that is held elsewhere stays as it is", T, float, double) {
  auto w = table<T>();
  sweep([&] { return loss_of<T>(w, 1); });
  const auto copy_of = [](const Array<T>& x) {
    return Array<T>(x.shape(), std::span(x.data(), std::size_t(x.size())));
  };
  const Array<T> held = w.gradient(), copy = copy_of(held);
  sweep([&] { return loss_of<T>(w, 2); });
  CHECK_AGREES(same_bits(held, copy));
  w.zero_grad();
  sweep([&] { return loss_of<T>(w, 3); });
  const Array<T> third = w.gradient(), copy_of_third = copy_of(third);
  w.zero_grad();
  CHECK_AGREES(same_bits(third, copy_of_third));
  sweep([&] { return loss_of<T>(w, 1); });
  CHECK_AGREES(same_bits(held, copy));
  CHECK_AGREES(same_bits(w.gradient(), copy));
}

TEST_CASE_TEMPLATE("a sweep that throws leaves nothing behind", T, float, double) {
  auto w = table<T>(), other = table<T>();
  for (std::int64_t t = 0; t < 3; ++t) {
    sweep([&] { return loss_of<T>(w, t); });
    w.zero_grad();
    Tape tape{{.check_finite = true}};
    const auto steep = sqrt(sum(other) - sum(other));  // its slope at 0 is infinite
    const auto loss = steep + loss_of<T>(w, t);
    CHECK_THROWS_AS(backward(loss), NonFiniteError);
    CHECK(!w.has_gradient());
  }
  sweep([&] { return loss_of<T>(w, 1); });
  sweep([&] { return loss_of<T>(other, 1); });
  CHECK_AGREES(same_bits(w.gradient(), other.gradient()));
}

TEST_CASE_TEMPLATE("index_select draws rows, or places of another axis", T, float, double) {
  const auto trained = [](auto is_leaf, int axis) {
    auto w = Variable<T>(axis == 0 ? table<T>().value() : Array<T>(transpose(table<T>())));
    optim::Optimizer step({w}, optim::SGD{.learning_rate = 0.1});
    for (std::int64_t t = 1; t < 5; ++t) {
      sweep([&] {
        const Tensor<T> x = is_leaf ? Tensor<T>(w) : w * T(1);
        return sum(square(index_select(x, axis, batch(t))));
      });
      const auto* drawn = detail::Access::cell(w)->drawn.get();
      CHECK(is_leaf == (drawn && drawn->describe(detail::Access::block(w.gradient()))));
      step.step();
      step.zero_grad();
    }
    return w.value();
  };
  for (const int axis : {0, 1}) {
    CAPTURE(axis);
    CHECK_AGREES(same_bits(trained(true, axis), trained(false, axis)));
  }
}

}  // TEST_SUITE("drawn rows")
