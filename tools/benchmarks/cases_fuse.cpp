// SPDX-License-Identifier: BSD-3-Clause
// A chain of ten cheap operations as one, on arrays larger than the caches.
#include "arrays.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

constexpr auto chain = [](auto x, auto a, auto b) {
  auto t = relu(x * a + b);
  auto u = relu((square(t) + a) * 0.5f);
  return square(u * x - b);
};

struct Data {
  explicit Data(std::int64_t n) : px(n), pa(n), pb(n), pg(n), y(n), gx(n), ga(n), gb(n) {}
  Numbers px, pa, pb, pg;  // inputs and the seed
  Numbers y, gx, ga, gb;   // what the limit writes
  ebb::Variable<float> x = variable({px.size()}, px), a = variable({px.size()}, pa),
                       b = variable({px.size()}, pb);
  ebb::Array<float> seed = array({pg.size()}, pg);
  void zero_grad() {
    x.zero_grad();
    a.zero_grad();
    b.zero_grad();
  }
};

// Counts the forward pass, the sweep from a dense seed into three absent gradients, and their
// release, all blocks from the pool. The limit: one loop forward, one backward that computes
// everything again.
Sides fused(std::int64_t n) {
  auto d = std::make_shared<Data>(n);
  return {[=] {
            {
              ebb::Tape tape;
              const auto y = ebb::fuse(chain, d->x, d->a, d->b);
              backward(ebb::SweepStart(y, d->seed));
            }
            d->zero_grad();
          },
          [=] {
            limits::chain_forward(d->px, d->pa, d->pb, d->y, n);
            limits::chain_backward(d->px, d->pa, d->pb, d->pg, d->gx, d->ga, d->gb, n);
          }};
}

// Counts the same for the mean, from a gradient of 1. The limit: one loop for value and gradients.
Sides fused_mean(std::int64_t n) {
  auto d = std::make_shared<Data>(n);
  return {[=] {
            {
              ebb::Tape tape;
              const auto loss = ebb::fuse_mean(chain, d->x, d->a, d->b);
              backward(loss);
              keep(loss);
            }
            d->zero_grad();
          },
          [=] { keep(limits::chain_mean(d->px, d->pa, d->pb, d->gx, d->ga, d->gb, n)); }};
}

}  // namespace

void add_fuse(std::vector<Case>& cases) {
  constexpr std::int64_t n = 4 << 20;
  cases.push_back(versus("fuse/chain_of_10/4Mi/f32", "us", 1.2, [] { return fused(n); }));
  cases.push_back(
      versus("fuse/mean_of_chain_of_10/4Mi/f32", "us", 1.15, [] { return fused_mean(n); }));
}

}  // namespace bench
