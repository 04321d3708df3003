// SPDX-License-Identifier: BSD-3-Clause
// Products of many small matrices.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

// Counts the forward pass into a block from the pool, the sweep from a dense seed into fresh
// gradients from the pool, and their release. The limit makes the same products into buffers that
// stay.
Sides batched(std::int64_t count) {
  struct Data {
    explicit Data(std::int64_t batch)
        : shape{batch, 64, 64},
          a(shape.size()),
          b(a.size()),
          g(a.size()),
          y(a.size()),
          ga(a.size()),
          gb(a.size()) {}
    ebb::Shape shape;
    Numbers a, b, g, y, ga, gb;
    ebb::Array<float> seed = array(shape, g);
    ebb::Variable<float> left = variable(shape, a), right = variable(shape, b);
  };
  auto d = std::make_shared<Data>(count);
  return {[=] {
            {
              ebb::Tape tape;
              backward(ebb::SweepStart(matmul(d->left, d->right), d->seed));
            }
            d->left.zero_grad();
            d->right.zero_grad();
          },
          [=] { limits::batched_product(d->a, d->b, d->g, d->y, d->ga, d->gb, count); }};
}

}  // namespace

void add_products(std::vector<Case>& cases) {
  cases.push_back(versus("product/batched/64x64x64x64/f32", "us", 1.3, [] { return batched(64); }));
}

}  // namespace bench
