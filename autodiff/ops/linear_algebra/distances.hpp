// SPDX-License-Identifier: BSD-3-Clause
// Distances between all pairs of rows.
#pragma once
#include <cmath>
#include <limits>

#include "ebb/autodiff/ops/linear_algebra/batch.hpp"
#include "ebb/autodiff/ops/statistics.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The differences a_i - b_j of the rows of matrices (..., n, d) and (..., m, d) of one batch, as
/// (matrices, n, m, d).
template <class T>
Tensor<T> differences(const Tensor<T>& a, const Tensor<T>& b) {
  const Matrices p(a.shape()), q(b.shape());
  return reshape(a, {p.count(), p.rows, 1, p.columns}) -
         reshape(b, {q.count(), 1, q.rows, q.columns});
}

/// The record of the norms of differences, as `op::Norm` sees it.
template <class T>
struct NormOfDifferences {
  Tensor<T> gradient, difference, norm;
  double p;

  Tensor<T> g() const { return gradient; }
  Tensor<T> a() const { return difference; }
  Tensor<T> y() const { return norm; }
  op::Norm::Options options() const { return {{1U << 3, false}, p}; }
};

/// The sum over j of weight[i, j] f(a_i - b_j), or for side 1 over i of weight[i, j] f(b_j - a_i),
/// where f is the sign of each element or the element itself.
template <class T>
Block* combine_differences(int side, bool signs, Block* weight, Block* a, Block* b);

}  // namespace detail

namespace op {

/// The gradient of distances in one side, from weights: the gradient for p = 1, and the gradient
/// over the distance for p = 2.
struct CdistPull {
  static constexpr std::string_view name = "cdist_pull";
  static constexpr bool internal = true;
  struct Options {
    std::int32_t side;
    bool signs;
  };
  static constexpr unsigned reads[] = {0b0111, 0b0111, 0b0111};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* weight, detail::Block* a,
                                detail::Block* b) {
    return detail::combine_differences<T>(o.side, o.signs, weight, a, b);
  }
  template <class T>
  static Tensor<T> as_operations(const Options& o, std::span<const Tensor<T>> in) {
    const Tensor<T> d = detail::differences(in[1], in[2]);
    const Shape& s = d.shape();
    const Tensor<T> part = reshape(in[0], {s[0], s[1], s[2], 1}) * (o.signs ? sign(d) : d);
    return o.side == 0 ? reshape(sum(part, 2), in[1].shape())
                       : reshape(sum(part, 1) * -1.0, in[2].shape());
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs rows"};
  static std::vector<Sample> samples() {
    const auto of = [](std::int32_t side) {
      return [=](auto x) { return combined({side, false}, x[0], x[1], x[2]); };
    };
    // Signs do not depend on the rows.
    const auto by_signs = [](std::int32_t side) {
      return [=](auto x) {
        using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
        const auto a = cast<T>(Tensor<double>(spread({3, 2}))), b = a * 0.3;
        return combined({side, true}, x[0], a, b);
      };
    };
    const std::vector<Array<double>> rows = {spread({3, 4}, 3), spread({3, 2}, 50), spread({4, 2})};
    return {sample("of the left side", rows, of(0)), sample("of the right side", rows, of(1)),
            sample("of the left side, by signs", {spread({3, 3})}, by_signs(0)),
            sample("of the right side, by signs", {spread({3, 3})}, by_signs(1)),
            sample("of nothing", {spread({0, 2}), spread({0, 3}), spread({2, 3})}, [](auto x) {
              return combined({1, false}, x[0], x[1], x[2]) + x[2];
            })};
  }
  static std::vector<Rejection> rejections() { return {}; }

 private:
  template <Real T>
  static Tensor<T> combined(const Options& o, const Tensor<T>& weight, const Tensor<T>& a,
                            const Tensor<T>& b) {
    return detail::apply<CdistPull, T>(o, weight, a, b);
  }
};

/// The p-norms of the differences between all pairs of rows.
struct Cdist {
  static constexpr std::string_view name = "cdist";
  struct Options {
    double p;
  };
  static constexpr unsigned reads[] = {0b1011, 0b1011};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* a, detail::Block* b);
  static auto vjp_a(const auto& call) { return pull(call, 0); }
  static auto vjp_b(const auto& call) { return pull(call, 1); }

  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs rows"};
  static std::vector<Sample> samples();
  static std::vector<Rejection> rejections();

 private:
  static auto pull(const auto& call, int side) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const double p = call.options().p;
    const auto a = call.a(), b = call.b(), g = call.g();
    if (p == 1) return detail::apply<CdistPull, T>({side, true}, g, a, b);
    const auto y = call.y();
    if (p == 2) {
      const auto is_0 = y.detach() == 0.0;
      const double inf = std::numeric_limits<double>::infinity();
      const auto weight = select(is_0, 0, g) / select(is_0, inf, y);
      if (all_finite(weight.array())) {
        return detail::apply<CdistPull, T>({side, false}, weight, a, b);
      }
    }
    const auto d = detail::differences(a, b);
    const Shape& s = d.shape();
    const Shape pairs{s[0], s[1], s[2]};
    const auto part =
        Norm::vjp_a(detail::NormOfDifferences<T>{reshape(g, pairs), d, reshape(y, pairs), p});
    return side == 0 ? reshape(sum(part, 2), a.shape()) : reshape(sum(part, 1) * -1.0, b.shape());
  }
  template <class T>
  static bool all_finite(const Array<T>& x) {
    return std::all_of(x.begin(), x.end(), [](T v) { return std::isfinite(v); });
  }
};

inline std::vector<Sample> Cdist::samples() {
  const auto by = [](double p) { return [=](auto x) { return cdist(x[0], x[1], p); }; };
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Array<double>> rows = {spread({3, 2}, 50), spread({4, 2})};
  return {
      sample("of two sets of rows", rows, by(2)),
      sample("by sums", rows, by(1)),
      sample("by the largest", {spread({3, 2}), spread({2, 2}, 3)}, by(inf)),
      sample("by a power", {spread({3, 2}), spread({2, 2}, 3)}, by(2.5)),
      sample("of rows with themselves", {spread({4, 3})}, [](auto x) { return cdist(x[0], x[0]); }),
      sample("of batches", {spread({2, 1, 2, 3}), spread({3, 2, 3}, 2)}, by(2)),
      sample("of batches, by the largest", {spread({2, 2, 3}), spread({1, 2, 3}, 2)}, by(inf)),
      sample("of no rows", {spread({0, 3}), spread({2, 3})}, by(2)),
      sample("of rows without elements", {spread({2, 0}), spread({3, 0})}, by(1))};
}

inline std::vector<Rejection> Cdist::rejections() {
  return {{"other columns",
           [] {
             cdist(spread({3, 2}), spread({3, 4}));
           },
           "cdist: a must be (..., n, d) and b (..., m, d), not (3, 2) and (3, 4)"},
          {"a vector",
           [] {
             cdist(spread({3}), spread({2, 3}));
           },
           "cdist: a must be (..., n, d) and b (..., m, d), not (3,) and (2, 3)"},
          {"batches that do not broadcast",
           [] {
             cdist(spread({2, 3, 1}), spread({3, 3, 1}));
           },
           "cdist: the axes before the last two must broadcast, not (2, 3, 1) and (3, 3, 1)"},
          {"no norm",
           [] {
             cdist(spread({3, 2}), spread({3, 2}), 0);
           },
           "cdist: p = 0; it is greater than 0"}};
}

/// All operations on distances.
using Distances = List<Cdist, CdistPull>;

}  // namespace op
}  // namespace ebb::inline v0
