// SPDX-License-Identifier: BSD-3-Clause
// Determinants and their logarithms. The first derivatives are those of Giles 2008, "Collected
// matrix derivative results for forward and reverse mode algorithmic differentiation".
#pragma once
#include <algorithm>
#include <vector>

#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops/linear_algebra/lu.hpp"
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// The derivatives of determinants of any order, without inverses: they exist everywhere. Of a
/// (d + 1, n, m, m), which has n matrices and d directions for each, it is the gradient of the
/// derivative of the determinants along all directions (n, m, m): for d = 0 that of the
/// determinants, the cofactors. The determinant of a + t_1 u_1 + ... + t_d u_d is a polynomial,
/// and its derivative in t_1, ..., t_d at 0 is linear in each direction: the gradient in a has one
/// direction more, and that in a direction has the gradient in its place.
struct Cofactors {
  static constexpr std::string_view name = "cofactors";
  static constexpr bool internal = true;
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0001};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a);
  /// The cofactors of matrices (..., m, m).
  template <class T>
  static Tensor<T> of(const Tensor<T>& a) {
    const std::int64_t m = a.shape()[a.shape().rank() - 1];
    const std::int64_t n = detail::Matrices(a.shape()).count();
    return reshape(detail::apply<Cofactors, T>({}, reshape(a, {1, n, m, m})), a.shape());
  }
  template <class T>
  static Tensor<T> along(const std::vector<Tensor<T>>& parts) {
    return detail::apply<Cofactors, T>({}, concat(parts));
  }
  static auto vjp_a(const auto& call) {
    const auto a = call.a(), g = unsqueeze(call.g(), 0);
    std::vector parts{along<typename decltype(g)::value_type>({a, g})};
    for (std::int64_t k = 1; k < a.shape()[0]; ++k) {
      parts.push_back(
          along<typename decltype(g)::value_type>({slice(a, 0, {0, k}), g, slice(a, 0, {k + 1})}));
    }
    return stack(parts);
  }
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return of(x[0]); };
    const auto whole = [](auto x) {
      using T = typename decltype(x[0] * x[0])::value_type;
      return detail::apply<Cofactors, T>({}, x[0]);
    };
    return {sample("of a matrix", {regular(3, 10)}, f),
            sample("with exchanged rows", {Array<double>::of({{0, 2}, {1, 3}})}, f),
            sample("of a number", {regular(1)}, [](auto x) { return of(x[0]) * x[0]; }),
            sample("of matrices along directions", {spread({2, 2, 3, 3})}, whole),
            sample("along two directions", {spread({3, 1, 3, 3})}, whole),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The determinant, by its LU factors.
struct Det {
  static constexpr std::string_view name = "det";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1011};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block*, detail::Block* factors) {
    const detail::Matrices all(factors->shape);
    detail::BlockHandle y(detail::allocate(all.batch, sizeof(T)));
    const auto whole = detail::Access::array<T>(detail::retain(factors));
    for (std::int64_t i = 0; i < all.count(); ++i) {
      y->data<T>()[i] = T(detail::determinant(whole, i));
    }
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto factors = call.template array<T>(1);
    const auto a = call.a(), g = call.g();
    const auto each = [](const auto& x) { return detail::as_column(detail::as_column(x)); };
    if (!detail::are_well_conditioned(a, factors)) return each(g) * Cofactors::of(a);
    const auto one = detail::identity<T>(a.shape());
    return each(g * call.y()) * Solve::of<T>({true}, a, one, factors);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return det(x[0]); };
    return {
        sample("of a matrix", {regular(3, 10)}, f),
        sample("with exchanged rows", {Array<double>::of({{0, 2}, {1, 3}})}, f),
        sample("of a singular matrix", {Array<double>::of({{1, 2, 0}, {2, 4, 0}, {3, 1, 5}})}, f),
        sample("of a batch", {two_regular(2)}, f),
        sample("of a batch with a singular matrix",
               {Array<double>({2, 2, 2}, {1, 2, 2, 4, 3, 1, 5, 7})}, f),
        sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square", [] { det(spread({2, 3})); }, "det: a must be (..., n, n), not (2, 3)"}};
  }
};

/// The sign of the determinant and the logarithm of its absolute value, one after the other.
struct Slogdet {
  static constexpr std::string_view name = "slogdet";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0011};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block*, detail::Block* factors) {
    const detail::Matrices all(factors->shape);
    detail::BlockHandle y(detail::allocate(detail::batch_of(name, all.batch, {2}), sizeof(T)));
    detail::sign_and_log(detail::Access::array<T>(detail::retain(factors)), y->data<T>());
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto a = call.a(), g = call.g();
    const auto factors = detail::regular_factors<T>(name, a, call.template array<T>(1),
                                                    "the logarithm has no gradient there");
    const auto one = detail::identity<T>(a.shape());
    return slice(detail::as_column(g), -2, {1, 2}) * Solve::of<T>({true}, a, one, factors);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return slogdet(x[0]).logabsdet; };
    const auto with_sign = [](auto x) {
      const auto y = slogdet(x[0]);
      return y.sign * y.logabsdet;
    };
    return {sample("of a matrix", {regular(3, 10)}, f),
            sample("of a negative determinant", {Array<double>::of({{0, 2}, {1, 3}})}, with_sign),
            sample("of a batch", {two_regular(2)}, with_sign),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               slogdet(spread({2, 3}));
             },
             "slogdet: a must be (..., n, n), not (2, 3)"}};
  }
};

/// `slogdet` with NaN in place of the logarithm of a negative determinant.
struct Logdet {
  static constexpr std::string_view name = "logdet";
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return logdet(x[0]); };
    return {sample("of a matrix", {regular(3, 10)}, f), sample("of a batch", {two_regular(2)}, f),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a vector", [] { logdet(spread({3})); }, "logdet: a must be (..., n, n), not (3,)"}};
  }
};

/// All operations on determinants.
using Determinants = List<Cofactors, Det, Slogdet, Logdet>;

}  // namespace ebb::inline v0::op
