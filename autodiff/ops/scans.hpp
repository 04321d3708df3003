// SPDX-License-Identifier: BSD-3-Clause
// Running sums and products along an axis, and the product of all elements. They use no division,
// so that zeros need no special case.
#pragma once
#include <algorithm>
#include <cmath>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/formula/formula.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/ops/shapes.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The axis of a scan, and whether it starts at the end.
struct ScanOptions {
  int axis;
  bool reverse = false;

  ScanOptions back() const { return {axis, !reverse}; }
};

/// The lines along the last axis that are scanned at the same time, since each result waits for the
/// one before it.
constexpr int scanned_together = 8;

/// Calls f(offset, line among those that are scanned at the same time, whether it is the first) for
/// each element, along the axis in the order of the scan.
template <class F>
EBB_INLINE void scan(const Shape& shape, const ScanOptions& options, F f) {
  const AxisView v(shape, options.axis);
  std::int64_t o = 0;
  for (; v.inner == 1 && o + scanned_together <= v.outer; o += scanned_together) {
    for (std::int64_t k = 0; k < v.size; ++k) {
      const std::int64_t at = o * v.size + (options.reverse ? v.size - 1 - k : k);
      for (int line = 0; line < scanned_together; ++line) f(at + line * v.size, line, k == 0);
    }
  }
  for (; o < v.outer; ++o) {
    for (std::int64_t k = 0; k < v.size; ++k) {
      const std::int64_t row = (o * v.size + (options.reverse ? v.size - 1 - k : k)) * v.inner;
      for (std::int64_t i = 0; i < v.inner; ++i) f(row + i, i, k == 0);
    }
  }
}

/// y = the running sums or products of x, in double.
template <class T>
void running_sums(T* y, const T* x, const Shape& shape, const ScanOptions& options);
template <class T>
void running_products(T* y, const T* x, const Shape& shape, const ScanOptions& options);

/// The product of n elements, in double: eight partial products, folded by halves.
template <class T>
EBB_INLINE double product_of(const T* x, std::int64_t n) {
  double partial[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    detail::unrolled<8>([&](auto k) EBB_LAMBDA { partial[k] *= double(x[i + std::int64_t(k)]); });
  }
  for (int k = 0; i < n; ++i, ++k) partial[k] *= double(x[i]);
  detail::unrolled<4>([&](auto k) EBB_LAMBDA { partial[k] *= partial[k + 4]; });
  return (partial[0] * partial[2]) * (partial[1] * partial[3]);
}

/// A product that cannot overflow or underflow: a number times a power of 2.
struct ScaledProduct {
  double number = 1;
  std::int64_t exponent = 0;

  void multiply(double x) { number = reduced(number * reduced(x)); }
  /// The product with another one, as a plain number.
  double times(const ScaledProduct& other) const {
    constexpr std::int64_t limit = 1 << 20;  // far more than for any finite number
    return std::ldexp(number * other.number,
                      int(std::clamp(exponent + other.exponent, -limit, limit)));
  }

 private:
  double reduced(double x) {
    const double size = std::abs(x);
    if ((size > 0x1p-500 && size < 0x1p500) || size == 0 || !std::isfinite(x)) return x;
    int power = 0;
    x = std::frexp(x, &power);
    exponent += power;
    return x;
  }
};

/// The number of lines that are scanned at the same time, at most.
inline std::size_t lines_at_once(const Shape& shape, const ScanOptions& options) {
  return std::size_t(std::max<std::int64_t>(AxisView(shape, options.axis).inner, scanned_together));
}
/// The running values of a scan, in double, one for each line.
inline std::vector<double> running_values(const Shape& shape, const ScanOptions& options) {
  return std::vector<double>(lines_at_once(shape, options));
}

}  // namespace detail

namespace op {

/// The elements moved along an axis, and one value in the places that become free.
struct Shift {
  static constexpr std::string_view name = "shift";
  struct Options {
    int axis;
    std::int64_t count;  ///< to the end, or if negative to the front; at most the size of the axis
    double fill;
  };
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    const detail::AxisView v(x->shape, o.axis);
    const std::int64_t line = v.size * v.inner, free = std::abs(o.count) * v.inner;
    const std::int64_t lost = o.count < 0 ? free : 0, gap = o.count < 0 ? line - free : 0;
    const T* from = x->data<T>();
    T* to = y->data<T>();
    for (std::int64_t i = 0; i < v.outer; ++i, from += line, to += line) {
      std::copy_n(from + lost, line - free, to + (free - lost));
      std::fill_n(to + gap, free, T(o.fill));
    }
    return y.take();
  }
  /// The elements before each element in the order of a scan, and `first` at the start.
  template <class T>
  static Tensor<T> of(const Tensor<T>& x, const detail::ScanOptions& scan, double first) {
    const std::int64_t one = std::min<std::int64_t>(detail::AxisView(x.shape(), scan.axis).size, 1);
    return detail::apply<Shift, T>({scan.axis, scan.reverse ? -one : one, first}, x);
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const Options o = call.options();
    return detail::apply<Shift, T>({o.axis, -o.count, 0}, call.g());
  }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto by = [](std::int64_t n, int axis, double fill) {
      return [=](auto x) { return shift(x[0], n, axis, fill); };
    };
    return {sample("to the end", {spread({2, 3}, 50)}, by(1, 1, 0.5)),
            sample("to the front", {spread({3, 2})}, by(-2, 0, 2)),
            sample("of planes", {spread({2, 4, 2})}, by(3, -2, 0)),
            sample("not at all", {spread({3})}, by(0, 0, 1)),
            sample("out of sight", {spread({2, 2})},
                   [](auto x) { return shift(x[0], 5, 0) + x[0] + shift(x[0], -5, 1); }),
            sample("of nothing", {spread({0, 3})}, by(1, 0, 1))};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"of a scalar", [] { shift(spread({}), 1, 0); }, "shift: axis 0 of an array with 0 axes"},
        {"no such axis", [] { shift(spread({3}), 1, 1); },
         "shift: axis 1 of an array with 1 axes"}};
  }
};

/// y[k] = a[k] y[k - 1] + b[k] with y[-1] = 0: the linear recurrence in the gradients of running
/// products. Its gradients are recurrences again.
struct Recurrence {
  static constexpr std::string_view name = "recurrence";
  static constexpr bool internal = true;
  using Options = detail::ScanOptions;
  static constexpr unsigned reads[] = {0b1001, 0b0001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* a, detail::Block* b) {
    detail::BlockHandle y(detail::allocate(a->shape, sizeof(T)));
    auto running = detail::running_values(a->shape, options);
    const T *factor = a->data<T>(), *term = b->data<T>();
    T* to = y->data<T>();
    double* last = running.data();
    detail::scan(a->shape, options, [=](std::int64_t at, std::int64_t i, bool first) {
      last[i] = first ? double(term[at]) : double(factor[at]) * last[i] + double(term[at]);
      to[at] = T(last[i]);
    });
    return y.take();
  }
  template <class T>
  static Tensor<T> of(const Tensor<T>& a, const Tensor<T>& b, const Options& options) {
    return detail::apply<Recurrence, T>(options, a, b);
  }
  /// The gradient of b is the recurrence in reverse, with the factors that follow.
  static auto vjp_b(const auto& call) {
    const Options back = call.options().back();
    return of(Shift::of(call.a(), back, 0), call.g(), back);
  }
  static auto vjp_a(const auto& call) {
    return vjp_b(call) * Shift::of(call.y(), call.options(), 0);
  }
  static constexpr Lacks lacks{.scalar = "needs an axis", .empty = "covered by cumprod"};
  static std::vector<Sample> samples() {
    return {sample("forth", {spread({2, 3}, 10), spread({2, 3}, 2)},
                   [](auto x) { return of(x[0], x[1], {1}); }),
            sample("back", {spread({4, 2}), spread({4, 2}, 3)}, [](auto x) {
              return of(x[0], x[1], {0, true});
            })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// Running sums.
struct CumSum {
  static constexpr std::string_view name = "cumsum";
  using Options = detail::ScanOptions;
  static constexpr unsigned reads[] = {0};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    detail::running_sums(y->data<T>(), x->data<T>(), x->shape, options);
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return detail::apply<CumSum, T>(call.options().back(), call.g());
  }
  static std::vector<Sample> samples() {
    return {sample("of a vector", {spread({5}, 50)}, [](auto x) { return cumsum(x[0], 0); }),
            sample("of columns", {spread({2, 3, 2})}, [](auto x) { return cumsum(x[0], -2); }),
            sample("of many rows", {spread({9, 3})}, [](auto x) { return cumsum(x[0], 1); }),
            sample("of a scalar", {spread({})}, [](auto x) { return cumsum(x[0], 0); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return cumsum(x[0], 0); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"no such axis", [] { cumsum(spread({3}), 1); }, "cumsum: axis 1 of an array with 1 axes"}};
  }
};

/// Running products. An element is a factor of all that follow: its gradient is the product before
/// it, times a recurrence over the elements after it.
struct CumProd {
  static constexpr std::string_view name = "cumprod";
  using Options = detail::ScanOptions;
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(x->shape, sizeof(T)));
    detail::running_products(y->data<T>(), x->data<T>(), x->shape, options);
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    const Options options = call.options();
    const auto following = Shift::of(call.a(), options.back(), 0);
    return Shift::of(call.y(), options, 1) * Recurrence::of(following, call.g(), options.back());
  }
  static std::vector<Sample> samples() {
    const auto zeros = Array<double>::of({2, 0, -1.5, 0, 3});
    return {sample("of a vector", {spread({5}, 12)}, [](auto x) { return cumprod(x[0], 0); }),
            sample("with zeros", {zeros}, [](auto x) { return cumprod(x[0], 0); }),
            sample("of columns", {spread({2, 3, 2})}, [](auto x) { return cumprod(x[0], -2); }),
            sample("of many rows", {spread({9, 3})}, [](auto x) { return cumprod(x[0], 1); }),
            sample("of a scalar", {spread({})}, [](auto x) { return cumprod(x[0], 0); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return cumprod(x[0], 0); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { cumprod(spread({3}), -2); },
             "cumprod: axis -2 of an array with 1 axes"}};
  }
};

/// For each element, the product of all others along an axis: the product before it times the
/// product after it. It is finite wherever the result is, in any order of large and small elements.
struct ProductOfOthers {
  static constexpr std::string_view name = "product_of_others";
  static constexpr bool internal = true;
  using Options = detail::ScanOptions;
  static constexpr unsigned reads[] = {0b0001};

  template <class T>
  static detail::Block* forward(const Options& forth, detail::Block* x) {
    using detail::ScaledProduct;
    const Shape& shape = x->shape;
    detail::BlockHandle y(detail::allocate(shape, sizeof(T)));
    const T* from = x->data<T>();
    T* to = y->data<T>();
    std::vector<ScaledProduct> before(std::size_t(shape.size()));
    std::vector<ScaledProduct> products(detail::lines_at_once(shape, forth));
    detail::scan(shape, forth, [&](std::int64_t at, std::int64_t i, bool first) {
      ScaledProduct& product = products[std::size_t(i)];
      if (first) product = {};
      before[std::size_t(at)] = product;
      product.multiply(double(from[at]));
    });
    detail::scan(shape, forth.back(), [&](std::int64_t at, std::int64_t i, bool first) {
      ScaledProduct& product = products[std::size_t(i)];
      if (first) product = {};
      to[at] = T(product.times(before[std::size_t(at)]));
      product.multiply(double(from[at]));
    });
    return y.take();
  }
  template <class T>
  static Tensor<T> of(const Tensor<T>& x, int axis) {
    return detail::apply<ProductOfOthers, T>({axis}, x);
  }
  template <class T>
  static Tensor<T> as_operations(const Options& forth, std::span<const Tensor<T>> x) {
    const Options back = forth.back();
    const auto before = Shift::of(detail::apply<CumProd, T>(forth, x[0]), forth, 1);
    const auto after = Shift::of(detail::apply<CumProd, T>(back, x[0]), back, 1);
    return before * after;
  }
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto one = Array<double>::of({{2, 0, -1.5}, {0.5, 1, 3}});
    const auto several = Array<double>::of({{2, 0, -1.5}, {0.5, 0, 3}});
    return {sample("of columns", {spread({2, 3, 2}, 10)}, [](auto x) { return of(x[0], 1); }),
            sample("of many rows", {spread({9, 3})}, [](auto x) { return of(x[0], 1); }),
            sample("with zeros", {one}, [](auto x) { return of(x[0], 1); }),
            sample("with more zeros", {several}, [](auto x) { return of(x[0], 0); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return of(x[0], 0); })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The product along one axis, which is removed.
struct Prod {
  static constexpr std::string_view name = "prod";
  struct Options {
    int axis;
  };
  static constexpr unsigned reads[] = {0b0001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    const detail::AxisView v(x->shape, options.axis);
    detail::BlockHandle y(detail::allocate(x->shape.without(options.axis), sizeof(T)));
    std::vector<double> products(std::size_t(v.inner));
    const T* from = x->data<T>();
    T* to = y->data<T>();
    if (v.inner == 1) {
      for (std::int64_t o = 0; o < v.outer; ++o) {
        to[o] = T(detail::product_of(from + o * v.size, v.size));
      }
      return y.take();
    }
    for (std::int64_t o = 0; o < v.outer; ++o, to += v.inner) {
      std::fill(products.begin(), products.end(), 1.0);
      for (std::int64_t k = 0; k < v.size; ++k, from += v.inner) {
        for (std::int64_t i = 0; i < v.inner; ++i) products[std::size_t(i)] *= double(from[i]);
      }
      std::transform(products.begin(), products.end(), to, [](double p) { return T(p); });
    }
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    const int axis = call.options().axis;
    return ProductOfOthers::of(call.a(), axis) * unsqueeze(call.g(), axis);
  }
  static std::vector<Sample> samples() {
    const auto one = Array<double>::of({{2, 0, -1.5}, {0.5, 1, 3}});
    const auto several = Array<double>::of({{2, 0, -1.5}, {0.5, 0, 3}});
    return {sample("of all", {spread({2, 3}, 10)}, [](auto x) { return prod(x[0]); }),
            sample("of a scalar", {spread({})}, [](auto x) { return prod(x[0]); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return prod(x[0], 0); }),
            sample("with a zero", {one}, [](auto x) { return prod(x[0]); }),
            sample("with zeros", {several}, [](auto x) { return prod(x[0], 0); }),
            sample("with too many zeros for a gradient to all", {several},
                   [](auto x) { return prod(x[0]) + prod(x[0], 1); }),
            sample("along axes apart", {spread({2, 3, 2})},
                   [](auto x) {
                     return prod(x[0], {0, 2}, true);
                   }),
            sample("along the last axis", {spread({3, 4})}, [](auto x) { return prod(x[0], -1); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"an axis twice",
             [] {
               prod(spread({3, 4}), {1, -1});
             },
             "prod: axis -1 is named twice"}};
  }
};

/// All scans.
using Scans = List<Shift, Recurrence, CumSum, CumProd, ProductOfOthers, Prod>;

}  // namespace op
}  // namespace ebb::inline v0
