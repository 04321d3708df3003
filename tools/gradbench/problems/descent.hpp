// SPDX-License-Identifier: BSD-3-Clause
// Two problems whose functions have derivatives inside of them (Pearlmutter and Siskind 2008), and
// the plain descent that they ask for. Steps are recorded, so that the minimum that a descent finds
// can be differentiated by what its function depends on.
#pragma once
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace problems {

using Y = ebb::Tensor<double>;

enum class Mode { forward, reverse };

/// The gradient at x (n): one sweep, or the product of the Jacobian with each unit vector.
template <class F>
Y gradient_by(Mode mode, const F& f, const Y& x) {
  if (mode == Mode::reverse) return ebb::gradient(f, x);
  std::vector<Y> slopes;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    auto unit = ebb::Array<double>::zeros(x.shape());
    unit.mutate()[i] = 1;
    slopes.push_back(jvp(f, x, unit));
  }
  return reshape(ebb::stack(slopes), x.shape());
}

/// Where f has its least value, from x (n) on. A step is 1e-5 gradients long at first, twice as
/// long after ten that were good, and half as long after one that was not. It ends with a gradient
/// or a step no longer than 1e-5.
template <class F>
Y argmin(Mode mode, const F& f, Y x) {
  const auto length = [](const Y& v) { return norm(v).item(); };
  double value = f(x).item(), rate = 1e-5;
  Y slope = gradient_by(mode, f, x);
  for (int good = 0; length(slope) > 1e-5;) {
    if (good == 10) {
      rate *= 2;
      good = 0;
    }
    const Y next = x - rate * slope;
    if (length(next - x) <= 1e-5) break;
    if (const double there = f(next).item(); there < value) {
      x = next;
      value = there;
      slope = gradient_by(mode, f, x);
      ++good;
    } else {
      rate /= 2;
      good = 0;
    }
  }
  return x;
}
template <class F>
Y argmax(Mode mode, const F& f, const Y& x) {
  return argmin(
      mode, [&](const Y& at) { return -f(at); }, x);
}

/// min over x (2) of max over y (2) of |x|^2 - |y|^2, both from `start`: x, then y (4).
inline Y saddle(Mode outer, Mode inner, const Y& start) {
  const auto f = [](const Y& x, const Y& y) { return sum(square(x)) - sum(square(y)); };
  const auto highest = [&](const Y& x) {
    const auto of_y = [&](const Y& y) { return f(x, y); };
    return of_y(argmax(inner, of_y, start));
  };
  const Y x = argmin(outer, highest, start);
  const Y y = argmax(
      outer, [&](const Y& at) { return f(x, at); }, start);
  return ebb::concat({x, y});
}

/// The square of the place at which a particle crosses the axis that it falls to, in the field of
/// two charges, one of which is at a height of 10 - w (1). Euler's rule in steps of 0.1.
inline Y crossing(Mode inner, const Y& w) {
  const Y first = ebb::concat({Y(ebb::Array<double>::of({10})), 10 - w});
  const auto second = ebb::Array<double>::of({10, 0});
  const auto potential = [&](const Y& x) { return 1 / norm(x - first) + 1 / norm(x - second); };
  Y x = ebb::Array<double>::of({0, 8}), speed = ebb::Array<double>::of({0.75, 0});
  while (true) {
    const Y force = -gradient_by(inner, potential, x);
    x = x + 0.1 * speed;
    if (x[1].item() <= 0) {
      const Y time = -x[1] / speed[1];
      return square(x[0] + time * speed[0]);
    }
    speed = speed + 0.1 * force;
  }
}

}  // namespace problems
