// SPDX-License-Identifier: BSD-3-Clause
// Operations along an axis beside one that does as much work along the same axis.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"

namespace bench {
namespace {

using X = ebb::Variable<double>;

std::shared_ptr<X> matrix(std::int64_t rows, std::int64_t columns) {
  Numbers numbers(rows * columns);
  const auto narrow = array({rows, columns}, numbers);
  auto wide = ebb::Array<double>::uninitialized(narrow.shape());
  for (std::int64_t i = 0; i < wide.size(); ++i) wide.mutate()[i] = double(narrow[i]);
  return std::make_shared<X>(wide);
}

// Counts the forward pass alone, without a tape, into a block from the pool.
template <class F>
Loop forward(const std::shared_ptr<X>& x, const F& f) {
  return [=] { keep(f(*x)); };
}

// Counts the forward pass of a sum, the sweep into an absent gradient, and their release.
template <class F>
Loop backward(const std::shared_ptr<X>& x, const F& f) {
  return [=] {
    {
      ebb::Tape tape;
      ebb::backward(sum(f(*x)));
    }
    x->zero_grad();
  };
}

}  // namespace

void add_axes(std::vector<Case>& cases) {
  cases.push_back(versus("axes/inverse_norm_backward/4x3/f64", "ns", 1.2, [] {
    const auto x = matrix(4, 3);
    return Sides{backward(x, [](const X& v) { return 1.0 / norm(v, 2, 1); }),
                 backward(x, [](const X& v) { return rsqrt(sum(square(v), 1)); })};
  }));
  cases.push_back(versus("axes/cumprod_last/4096x256/f64", "us", 1.5, [] {
    const auto x = matrix(4096, 256);
    return Sides{forward(x, [](const X& v) { return cumprod(v, 1); }),
                 forward(x, [](const X& v) { return cumsum(v, 1); })};
  }));
}

}  // namespace bench
