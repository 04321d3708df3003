// SPDX-License-Identifier: BSD-3-Clause
// Variance, standard deviation and norms.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ebb/autodiff/formula/formula.hpp"
#include "ebb/autodiff/ops/reductions.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The sum of f(x) over n elements, in double: eight partial sums, folded by halves.
template <class T, class F>
EBB_INLINE double sum_in_double(const T* x, std::int64_t n, F f) {
  double partial[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    detail::unrolled<8>([&](auto k)
                            EBB_LAMBDA { partial[k] += f(double(x[i + std::int64_t(k)])); });
  }
  for (int k = 0; i < n; ++i, ++k) partial[k] += f(double(x[i]));
  detail::unrolled<4>([&](auto k) EBB_LAMBDA { partial[k] += partial[k + 4]; });
  return (partial[0] + partial[2]) + (partial[1] + partial[3]);
}

/// The spread of values: the axes to reduce, and by how much the divisor of the sum of squares is
/// less than the number of elements.
struct VarianceCall {
  ReduceOptions over;
  double correction;
};

/// The divisor of the sum of squares; NaN if there are too few elements.
double variance_divisor(const VarianceCall& options, const Shape& x);

/// The largest |x|, or NaN if there is one.
template <class T, class F>
double largest_size(const T* x, std::int64_t n, F f) {
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double v = std::abs(f(double(x[i])));
    if (v > largest || v != v) largest = v;
  }
  return largest;
}

/// The exponent of a power of two of about this size, whose inverse is finite, too. Multiplying by
/// it rounds nothing.
inline int exponent_of(double size) { return std::clamp(std::ilogb(size), -1000, 1000); }

/// The mean squared distance from the mean, in two passes, or its square root.
template <class T>
double spread_of(const T* x, std::int64_t n, double divisor, bool root) {
  const auto squares = [=](double factor, double mean, double unit) {
    return sum_in_double(x, n, [=](double v) {
      const double d = (v * factor - mean) * unit;
      return d * d;
    });
  };
  const double s = squares(1, sum_in_double(x, n, std::identity{}) / double(n), 1) / divisor;
  if (s > 1e-280 && s < std::numeric_limits<double>::infinity()) return root ? std::sqrt(s) : s;
  // Squares or their sum may overflow or underflow when the result does not.
  const double largest = largest_size(x, n, std::identity{});
  if (!(largest > 0) || std::isinf(largest)) return s;
  const int size = exponent_of(largest);
  const double factor = std::ldexp(1.0, -size);
  const double mean = sum_in_double(x, n, [=](double v) { return v * factor; }) / double(n);
  const double farthest = largest_size(x, n, [=](double v) { return v * factor - mean; });
  if (farthest == 0) return 0 / divisor;
  const int distance = exponent_of(farthest);
  const double t = squares(factor, mean, std::ldexp(1.0, -distance)) / divisor;
  const int exponent = size + distance;
  return root ? std::ldexp(std::sqrt(t), exponent) : std::ldexp(t, 2 * exponent);
}

/// A variance or its square root.
template <class T>
Block* reduce_variance(const VarianceCall& options, Block* x, bool root) {
  const double divisor = variance_divisor(options, x->shape);
  const auto row = [=](const T* in, std::int64_t n) { return T(spread_of(in, n, divisor, root)); };
  return reduce<T>(options.over, x, each_row<T>(row), each_column<T>(row));
}

/// The root of the sum of |x|^p, or the largest |x|; scaled if a power overflows or underflows.
template <class T>
double norm_of(const T* x, std::int64_t n, double p) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto scaled_by = [=](double factor) {
    if (p == 1) return sum_in_double(x, n, [=](double v) { return std::abs(v) * factor; });
    if (p == 2) return sum_in_double(x, n, [=](double v) { return v * factor * (v * factor); });
    return sum_in_double(x, n, [=](double v) { return std::pow(std::abs(v) * factor, p); });
  };
  const auto root = [=](double s) {
    return p == 1 ? s : p == 2 ? std::sqrt(s) : std::pow(s, 1 / p);
  };
  if (p < inf) {
    const double s = scaled_by(1);
    if (s > 1e-280 && s < inf) return root(s);
  }
  const double largest = largest_size(x, n, std::identity{});
  if (p == inf || !(largest > 0) || largest == inf) return largest;
  if (p != 1 && p != 2) {  // scaled so that each is at most 1
    return largest *
           root(sum_in_double(x, n, [=](double v) { return std::pow(std::abs(v) / largest, p); }));
  }
  const int exponent = exponent_of(largest);
  return std::ldexp(root(scaled_by(std::ldexp(1.0, -exponent))), exponent);
}

/// out = g * x / y for the norms y of x with p = 2, and 0 where a norm is 0. `out` has the shape of
/// x, and g and y have an element for each norm.
template <class T>
void pull_norm(T* out, const T* g, const T* y, Block* x, const ReduceOptions& options);

}  // namespace detail

namespace op {

/// The mean squared distance from the mean.
struct Var {
  static constexpr std::string_view name = "var";
  using Options = detail::VarianceCall;
  static constexpr unsigned reads[] = {0b0001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    return detail::reduce_variance<T>(options, x, false);
  }
  static auto vjp_a(const auto& call) {
    const auto options = call.options();
    const auto x = call.a();
    const double divisor = detail::variance_divisor(options, x.shape());
    return detail::expand(call.g() * (2 / divisor), options.over, x.shape()) *
           (x - mean(x, detail::axes_of(options.over), true));
  }
  static constexpr Lacks lacks{.scalar = "of one element 0 or NaN"};
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({3, 4}, 50)}, [](auto x) { return var(x[0]); }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return var(x[0], 1); }),
            sample("along the first axis", {spread({3, 4})},
                   [](auto x) { return var(x[0], 0, {.correction = 0}); }),
            sample("along axes apart", {spread({2, 3, 2})},
                   [](auto x) {
                     return var(x[0], {0, 2}, {.correction = 1.5});
                   }),
            sample("along the last axis", {spread({3, 9})},
                   [](auto x) { return var(x[0], -1, {.keepdim = true}); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis", [] { var(spread({3}), 1); }, "var: axis 1 of an array with 1 axes"}};
  }
};

/// The square root of the variance; the slope is 0 where all elements are equal.
struct StdDev {
  static constexpr std::string_view name = "stddev";
  using Options = detail::VarianceCall;
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    return detail::reduce_variance<T>(options, x, true);
  }
  static auto vjp_a(const auto& call) {
    const auto options = call.options();
    const auto x = call.a(), y = call.y();
    const double divisor = detail::variance_divisor(options, x.shape());
    const auto factor = select(y.detach() == 0.0, 0, call.g() * (1 / divisor) / y);
    return detail::expand(factor, options.over, x.shape()) *
           (x - mean(x, detail::axes_of(options.over), true));
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "of one element 0 or NaN"};
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({3, 4}, 50)}, [](auto x) { return stddev(x[0]); }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return stddev(x[0], 1); }),
            sample("along the first axis", {spread({3, 4})},
                   [](auto x) { return stddev(x[0], 0, {.correction = 0}); }),
            sample("along the last axis", {spread({3, 9})},
                   [](auto x) { return stddev(x[0], -1, {.keepdim = true}); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"no such axis", [] { stddev(spread({3}), 1); }, "stddev: axis 1 of an array with 1 axes"}};
  }
};

/// g * x / y, where y is the norm of x with p = 2: its gradient, as a separate operation. At 0
/// there is no slope, and the derivatives of every order are 0.
struct NormPull {
  static constexpr std::string_view name = "norm_pull";
  static constexpr bool internal = true;
  using Options = detail::ReduceOptions;
  static constexpr unsigned reads[] = {0b0111, 0b0111, 0b0111};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* g, detail::Block* x,
                                detail::Block* y) {
    detail::BlockHandle out(detail::allocate(x->shape, sizeof(T)));
    detail::pull_norm(out->data<T>(), g->data<T>(), y->data<T>(), x, options);
    return out.take();
  }
  static auto of(const auto& g, const auto& x, const auto& y, const Options& options) {
    using T = typename std::remove_cvref_t<decltype(g)>::value_type;
    return detail::apply<NormPull, T>(options, g, x, y);
  }
  template <class T>
  static Tensor<T> as_operations(const Options& options, std::span<const Tensor<T>> in) {
    const Shape& shape = in[1].shape();
    const auto g = detail::keep_axes(in[0], options, shape);
    const auto y = detail::keep_axes(in[2], options, shape);
    const auto is_0 = y.detach() == 0.0;
    return select(is_0, 0, g) * (in[1] / select(is_0, std::numeric_limits<double>::infinity(), y));
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.large = "scales with x"};
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({}), spread({3, 4}), spread({}, 3)},
                   [](auto x) {
                     return of(x[0], x[1], x[2], {3, false});
                   }),
            sample("along the first axis", {spread({3}), spread({2, 3}), spread({3}, 2)},
                   [](auto x) {
                     return of(x[0], x[1], x[2], {1, false});
                   }),
            sample("along axes apart", {spread({1, 3, 1}), spread({2, 3, 2}), spread({1, 3, 1}, 2)},
                   [](auto x) {
                     return of(x[0], x[1], x[2], {5, true});
                   }),
            sample("of nothing", {spread({0}), spread({0, 3}), spread({0})}, [](auto x) {
              return of(x[0], x[1], x[2], {2, false});
            })};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The p-norm. Its slope is 0 at 0; for p = infinity equal largest elements share it evenly.
struct Norm {
  static constexpr std::string_view name = "norm";
  struct Options {
    detail::ReduceOptions over;
    double p;
  };
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options& options, detail::Block* x) {
    const auto row = [p = options.p](const T* in, std::int64_t n) {
      return T(detail::norm_of(in, n, p));
    };
    return detail::reduce<T>(options.over, x, detail::each_row<T>(row),
                             detail::each_column<T>(row));
  }
  static auto vjp_a(const auto& call) {
    const auto options = call.options();
    const double p = options.p;
    const auto x = call.a();
    if (p == 2) return NormPull::of(call.g(), x, call.y(), options.over);
    const auto y = detail::keep_axes(call.y(), options.over, x.shape());
    const auto g = detail::expand(call.g(), options.over, x.shape());
    const auto fixed = x.detach();
    const auto sign = select(fixed > 0.0, 1, select(fixed < 0.0, -1, fixed));  // 0 and NaN stay
    if (p == 1) return select(sign == 0.0, 0, g * sign);
    if (p == std::numeric_limits<double>::infinity()) {
      const auto largest = y.detach();  // NaN if there is one, which then has no place
      const auto chosen =
          select(abs(fixed) == largest, sign, select(largest == largest, 0, largest));
      const auto ties = sum(abs(chosen), detail::axes_of(options.over), true);
      const auto share = (chosen / maximum(ties, 1.0)).detach();
      return select(share == 0.0, 0, g * share);
    }
    // At 0 there is no slope, and the derivatives of every order are 0.
    const double inf = std::numeric_limits<double>::infinity();
    const auto part = x / select(y.detach() == 0.0, inf, y);
    return select(fixed == 0.0, 0, g * (sign * pow(abs(part), p - 1)));
  }
  static constexpr bool has_kinks = true;
  static std::vector<Sample> samples() {
    const double inf = std::numeric_limits<double>::infinity();
    return {
        sample("of all", {spread({3, 4}, 50)}, [](auto x) { return norm(x[0]); }),
        sample("of a scalar", {spread({})}, [](auto x) { return norm(x[0], 3); }),
        sample("of no rows", {spread({0, 3})}, [](auto x) { return norm(x[0], 2, 1); }),
        sample("of nothing", {spread({0, 3})}, [=](auto x) { return norm(x[0], inf); }),
        sample("by the sum", {spread({3, 4})}, [](auto x) { return norm(x[0], 1, 0); }),
        sample("by the largest", {spread({3, 4})}, [=](auto x) { return norm(x[0], inf, 1); }),
        sample("along the first axis", {spread({3, 4})}, [](auto x) { return norm(x[0], 2, 0); }),
        sample("by a power above 2", {spread({3, 4})},
               [](auto x) { return norm(x[0], 2.5, -1, true); }),
        sample("by a power below 2", {spread({2, 3, 2})}, [](auto x) {
          return norm(x[0], 1.5, {0, 2});
        })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"no norm", [] { norm(spread({3}), 0); }, "norm: p = 0; it is greater than 0"},
        {"no such axis", [] { norm(spread({3}), 2, 1); }, "norm: axis 1 of an array with 1 axes"}};
  }
};

/// The cosine of the angle between two vectors, computed by `sum` and `norm`.
struct CosineSimilarity {
  static constexpr std::string_view name = "cosine_similarity";
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    return {sample("of nothing", {spread({0, 3}), spread({0, 3})},
                   [](auto x) { return cosine_similarity(x[0], x[1]); }),
            sample("of rows", {spread({3, 4}, 50), spread({3, 4})},
                   [](auto x) { return cosine_similarity(x[0], roll(x[1], 1, 1)); }),
            sample("of columns", {spread({3, 4}), spread({3, 4})},
                   [](auto x) { return cosine_similarity(x[0], roll(x[1], 1, 1), 0); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a column against a vector",
         [] {
           cosine_similarity(spread({3, 1}), spread({3}));
         },
         "cosine_similarity: the shapes must be equal, not (3, 1) and (3,)"},
        {"of vectors, along the default axis", [] { cosine_similarity(spread({3}), spread({3})); },
         "cosine_similarity: axis 1 of an array with 1 axes"}};
  }
};

/// All statistics.
using Statistics = List<Var, StdDev, Norm, NormPull, CosineSimilarity>;

}  // namespace op
}  // namespace ebb::inline v0
