// SPDX-License-Identifier: BSD-3-Clause
// Products of many small matrices, and distances between all pairs of rows.
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

struct Points {
  static constexpr std::int64_t n = 512, m = 512, d = 64;
  Numbers a{n * d}, b{m * d}, g{n * m}, y{n * m}, ga{n * d}, gb{m * d}, columns{m * d},
      weights{n * m};
  ebb::Array<float> seed = array({n, m}, g);
  ebb::Variable<float> left = variable({n, d}, a), right = variable({m, d}, b);
};

// Counts the forward pass alone, without a tape.
Sides distances() {
  auto d = std::make_shared<Points>();
  return {[=] { keep(cdist(d->left, d->right)); },
          [=] { limits::distances_forward(d->a, d->b, d->columns, d->y, d->n, d->m, d->d); }};
}

// Counts the forward pass, the sweep from a dense seed into fresh gradients, and their release.
Sides distances_and_gradients() {
  auto d = std::make_shared<Points>();
  return {[=] {
            {
              ebb::Tape tape;
              backward(ebb::SweepStart(cdist(d->left, d->right), d->seed));
            }
            d->left.zero_grad();
            d->right.zero_grad();
          },
          [=] {
            limits::distances_forward(d->a, d->b, d->columns, d->y, d->n, d->m, d->d);
            limits::distances_backward(d->a, d->b, d->g, d->y, d->weights, d->ga, d->gb, d->n, d->m,
                                       d->d);
          }};
}

}  // namespace

void add_products(std::vector<Case>& cases) {
  cases.push_back(versus("product/batched/64x64x64x64/f32", "us", 1.3, [] { return batched(64); }));
  cases.push_back(versus("product/cdist/512x512x64/f32", "us", 1.3, distances));
  cases.push_back(
      versus("product/cdist_backward/512x512x64/f32", "us", 1.3, distances_and_gradients));
}

}  // namespace bench
