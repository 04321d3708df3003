// SPDX-License-Identifier: BSD-3-Clause
// Reductions and softmax of a matrix that fits the last cache.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

constexpr std::int64_t rows = 4096, columns = 256, n = rows * columns;

struct Data {
  Numbers x{n}, g{n}, y{n}, gx{n};
  ebb::Array<float> input = array({rows, columns}, x), seed = array({rows, columns}, g);
  ebb::Variable<float> variable{input};
};

// Counts the forward pass alone, of a constant, into a block from the pool. The limit writes to a
// buffer that stays.
template <class F, class Limit>
Sides forward(const F& f, const Limit& limit) {
  auto d = std::make_shared<Data>();
  return {[=] { keep(f(d->input)); }, [=] { limit(*d); }};
}

// Counts the forward pass, the sweep from a dense seed into an absent gradient, and its release.
Sides softmax_both() {
  auto d = std::make_shared<Data>();
  return {[=] {
            {
              ebb::Tape tape;
              const auto y = softmax(d->variable);
              backward(ebb::SweepStart(y, d->seed));
            }
            d->variable.zero_grad();
          },
          [=] {
            limits::softmax_forward(d->x, d->y, rows, columns);
            limits::softmax_backward(d->y, d->g, d->gx, rows, columns);
          }};
}

}  // namespace

void add_reductions(std::vector<Case>& cases) {
  const auto add = [&](const char* name, std::function<Sides()> prepare) {
    cases.push_back(
        versus(std::string("reduce/") + name + "/4096x256/f32", "us", 1.2, std::move(prepare)));
  };
  add("sum", [] {
    return forward([](const auto& x) { return sum(x); },
                   [](Data& d) { keep(limits::sum(d.x, n)); });
  });
  add("mean", [] {
    return forward([](const auto& x) { return mean(x); },
                   [](Data& d) { keep(limits::sum(d.x, n) / float(n)); });
  });
  add("sum_axis_0", [] {
    return forward([](const auto& x) { return sum(x, {0}); },
                   [](Data& d) { limits::sum_rows(d.x, d.y, rows, columns); });
  });
  add("sum_axis_1", [] {
    return forward([](const auto& x) { return sum(x, {1}); },
                   [](Data& d) { limits::sum_columns(d.x, d.y, rows, columns); });
  });
  add("softmax", [] {
    return forward([](const auto& x) { return softmax(x); },
                   [](Data& d) { limits::softmax_forward(d.x, d.y, rows, columns); });
  });
  add("softmax_backward", softmax_both);
}

}  // namespace bench
