// SPDX-License-Identifier: BSD-3-Clause
// Elementwise operations, forward and backward.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

// Every case counts the forward pass into a block from the pool, the sweep from a dense seed into
// fresh gradients from the pool, and their release. The limit makes the same passes over buffers
// that stay.
struct Data {
  explicit Data(std::int64_t size) : n(size), x(n), a(n), b(n), g(n), y(n), t(n), gx(n), ga(n) {}
  std::int64_t n;
  Numbers x, a, b, g;    // inputs and the seed
  Numbers y, t, gx, ga;  // what the limit writes
  ebb::Array<float> seed = array({n}, g);
};

template <class F, class... Variables>
void forward_backward(const F& f, const ebb::Array<float>& seed, Variables&... variables) {
  {
    ebb::Tape tape;
    const ebb::Tensor<float> y = f(variables...);
    backward(ebb::SweepStart(y, seed));
  }
  (variables.zero_grad(), ...);
}

template <class F, class Limit>
Sides unary(std::int64_t n, const F& f, const Limit& limit) {
  auto d = std::make_shared<Data>(n);
  auto x = std::make_shared<ebb::Variable<float>>(variable({n}, d->x));
  return {[=] { forward_backward(f, d->seed, *x); }, [=] { limit(*d); }};
}

Sides exponential(std::int64_t n) {
  return unary(
      n, [](const auto& x) { return exp(x); },
      [](Data& d) {
        limits::exp_forward(d.x, d.y, d.n);
        limits::exp_backward(d.y, d.g, d.gx, d.n);
      });
}

Sides hyperbolic_tangent(std::int64_t n) {
  return unary(
      n, [](const auto& x) { return tanh(x); },
      [](Data& d) {
        limits::tanh_forward(d.x, d.y, d.n);
        limits::tanh_backward(d.y, d.g, d.gx, d.n);
      });
}

Sides error_function(std::int64_t n) {
  return unary(
      n, [](const auto& x) { return erf(x); },
      [](Data& d) {
        limits::erf_forward(d.x, d.y, d.n);
        limits::erf_backward(d.x, d.g, d.gx, d.n);
      });
}

// Two operations: x a is written and read again, on both sides. The gradient of the summand is the
// seed itself, which is not copied, on either side.
Sides multiply_add(std::int64_t n) {
  auto d = std::make_shared<Data>(n);
  auto x = std::make_shared<ebb::Variable<float>>(variable({n}, d->x));
  auto a = std::make_shared<ebb::Variable<float>>(variable({n}, d->a));
  auto b = std::make_shared<ebb::Variable<float>>(variable({n}, d->b));
  return {[=] {
            forward_backward([](const auto& p, const auto& q, const auto& r) { return p * q + r; },
                             d->seed, *x, *a, *b);
          },
          [=] {
            limits::mul_forward(d->x, d->a, d->t, n);
            limits::add_forward(d->t, d->b, d->y, n);
            limits::mul_backward(d->x, d->a, d->g, d->gx, d->ga, n);
          }};
}

// x (n / 256, 256) + b (256). The gradient of x is the seed itself; that of b sums its rows.
Sides add_row(std::int64_t n) {
  constexpr std::int64_t columns = 256;
  const std::int64_t rows = n / columns;
  auto d = std::make_shared<Data>(n);
  d->seed = array({rows, columns}, d->g);
  auto x = std::make_shared<ebb::Variable<float>>(variable({rows, columns}, d->x));
  auto b = std::make_shared<ebb::Variable<float>>(variable({columns}, d->b));
  return {[=] {
            forward_backward([](const auto& p, const auto& q) { return p + q; }, d->seed, *x, *b);
          },
          [=] {
            limits::add_row_forward(d->x, d->b, d->y, rows, columns);
            limits::sum_rows(d->g, d->ga, rows, columns);
          }};
}

}  // namespace

void add_elementwise(std::vector<Case>& cases) {
  struct Size {
    const char* name;
    std::int64_t n;
  };
  struct Operation {
    const char* name;
    Sides (*prepare)(std::int64_t);
    double bound = 1.15;
  };
  for (const Operation& f : {Operation{"exp", exponential}, Operation{"tanh", hyperbolic_tangent},
                             Operation{"erf", error_function, 1.3},
                             Operation{"mul_add", multiply_add}, Operation{"add_row", add_row}}) {
    for (const Size& size : {Size{"16Ki", 16 << 10}, Size{"4Mi", 4 << 20}}) {
      cases.push_back(versus(std::string("elementwise/") + f.name + "/" + size.name + "/f32", "us",
                             f.bound, [=] { return f.prepare(size.n); }));
    }
  }
}

}  // namespace bench
