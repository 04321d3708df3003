// SPDX-License-Identifier: BSD-3-Clause
// Linear equations of small and middling matrices, alone and in batches.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

// Counts what a user gets: the factors, the estimate of the condition and the result from the pool.
// The limit has neither the estimate nor an array.
Sides solved(std::int64_t n, std::int64_t count) {
  struct Data {
    Data(std::int64_t size, std::int64_t matrices)
        : a(matrices * size * size), b(matrices * size), room(size * size), x(b.size()) {
      for (std::int64_t i = 0; i < a.size(); ++i) {
        if (i % (size * size) % (size + 1) == 0) a.data()[i] += float(size);
      }
    }
    Numbers a, b, room, x;
    ebb::Array<float> left, right;
  };
  auto d = std::make_shared<Data>(n, count);
  d->left = array(count == 1 ? ebb::Shape{n, n} : ebb::Shape{count, n, n}, d->a);
  d->right = array(count == 1 ? ebb::Shape{n, 1} : ebb::Shape{count, n, 1}, d->b);
  return {[=] { keep(solve(d->left, d->right)); },
          [=] { limits::solve(d->a, d->b, d->room, d->x, n, count); }};
}

}  // namespace

void add_equations(std::vector<Case>& cases) {
  const auto add = [&](const char* name, const char* unit, double bound, std::int64_t n,
                       std::int64_t count) {
    cases.push_back(versus(name, unit, bound, [=] { return solved(n, count); }));
  };
  add("equations/solve/4/f32", "ns", 6, 4, 1);
  add("equations/solve/32/f32", "us", 2, 32, 1);
  add("equations/solve/256/f32", "us", 1.8, 256, 1);
  add("equations/solve/64x4/f32", "us", 3, 4, 64);
}

}  // namespace bench
