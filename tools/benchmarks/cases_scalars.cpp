// SPDX-License-Identifier: BSD-3-Clause
// The price of an operation that computes next to nothing.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"

namespace bench {
namespace {

// Counts one operation of a chain of 1000 on one element: its part of a new tape, of recording and
// the forward pass, of the sweep, and of everything's release.
template <class F>
Loop chain(const F& f) {
  auto x = std::make_shared<ebb::Variable<float>>(ebb::Array<float>(1.0f));
  return [=] {
    {
      ebb::Tape tape;
      ebb::Tensor<float> y = *x;
      for (int i = 0; i < 1000; ++i) y = f(y);
      backward(y);
    }
    x->zero_grad();
  };
}

}  // namespace

void add_scalars(std::vector<Case>& cases) {
  const auto add = [&](const char* name, auto f) {
    cases.push_back(fixed(std::string("scalar/") + name + "/1/f32", "ns", 50.0,
                          std::function<Loop()>([=] { return chain(f); }), 1000));
  };
  using Y = ebb::Tensor<float>;
  // Kept near 1 throughout.
  const Y zero = 1e-6f, one = 1.0f;
  add("add", [=](const Y& y) { return y + zero; });
  add("mul", [=](const Y& y) { return y * one; });
  add("mul_number", [](const Y& y) { return y * 0.9999; });
  add("mul_itself", [](const Y& y) { return y * y; });
  add("square", [](const Y& y) { return square(y); });
  add("sin", [](const Y& y) { return sin(y); });
  add("tanh", [](const Y& y) { return tanh(y); });
}

}  // namespace bench
