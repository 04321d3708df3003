// SPDX-License-Identifier: BSD-3-Clause
// Running sums of exponentials along an axis.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/ops/scans.hpp"

namespace ebb::inline v0::op {

/// log of the running sums of e^x. The gradient g of the results goes back by a recurrence: with
/// R[i] = g[i] + e^(y[i] - y[i + 1]) R[i + 1], whose factors are at most 1, x[i] gets e^(x[i] -
/// y[i]) R[i].
struct LogCumSumExp {
  static constexpr std::string_view name = "logcumsumexp";
  using Options = detail::ScanOptions;
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    auto largest = detail::running_values(x->shape, options);
    std::vector<double> sums(largest.size());  // of e^(x - largest)
    const T* from = x->data<T>();
    T* to = y->data<T>();
    detail::scan(x->shape, options, [&](std::int64_t at, std::int64_t i, bool first) {
      const double v = double(from[at]);
      double &top = largest[std::size_t(i)], &sum = sums[std::size_t(i)];
      if (first) {
        top = v;
        sum = 1;
      } else if (v > top) {
        sum = sum * std::exp(top - v) + 1;
        top = v;
      } else {
        sum += v == top ? 1 : std::exp(v - top);
      }
      to[at] = T(top + std::log(sum));
    });
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    const Options back = call.options().back();
    const auto x = call.a(), y = call.y();
    const auto next = Shift::of(y, back, std::numeric_limits<double>::infinity());
    const auto count = equal_so_far(x.array(), y.array(), call.options());
    const auto factor = exp(distance(y, next)) * (count / Shift::of(count, back, 1));
    return exp(distance(x, y)) / count * Recurrence::of(factor, call.g(), back);
  }
  static std::vector<Sample> samples() {
    return {
        sample("of a vector", {spread({5}, 12)}, [](auto x) { return logcumsumexp(x[0], 0); }),
        sample("of large elements", {spread({4})},
               [](auto x) { return logcumsumexp(x[0] + 1000.0, 0); }),
        sample("of columns", {spread({2, 3, 2})}, [](auto x) { return logcumsumexp(x[0], -2); }),
        sample("of a scalar", {spread({})}, [](auto x) { return logcumsumexp(x[0], 0); }),
        sample("of nothing", {spread({0, 3})}, [](auto x) { return logcumsumexp(x[0], 0); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { logcumsumexp(spread({3}), 1); },
             "logcumsumexp: axis 1 of an array with 1 axes"}};
  }

 private:
  /// a - b, and 0 for equal infinite elements.
  template <class T>
  static Tensor<T> distance(const Tensor<T>& a, const Tensor<T>& b) {
    return where(a == b && isinf(a), 0.0, a - b);
  }
  /// Where a result is infinite, the number of elements up to there that are equal to it, which
  /// share the weight; elsewhere 1.
  template <class T>
  static Tensor<T> equal_so_far(const Array<T>& x, const Array<T>& y, const Options& options) {
    if (std::none_of(y.begin(), y.end(), [](T v) { return std::isinf(v); })) {
      return Array<T>::full(y.shape(), 1);
    }
    auto count = Array<T>::uninitialized(y.shape());
    auto running = detail::running_values(y.shape(), options);
    T* to = count.mutate();
    detail::scan(y.shape(), options, [&](std::int64_t at, std::int64_t i, bool first) {
      double& n = running[std::size_t(i)];  // negative where it counts -inf
      const double sign = !std::isinf(y[at]) ? 0 : y[at] < 0 ? -1 : 1;
      if (first || n * sign <= 0) n = 0;
      if (x[at] == y[at]) n += sign;
      to[at] = sign == 0 ? T(1) : T(std::abs(n));
    });
    return count;
  }
};

/// All running sums of exponentials.
using LogScans = List<LogCumSumExp>;

}  // namespace ebb::inline v0::op
