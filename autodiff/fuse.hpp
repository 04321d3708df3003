// SPDX-License-Identifier: BSD-3-Clause
// A user's formula as one operation: one pass forward, one pass back.
//
//   auto y = fuse([](auto x, auto a) { return square(tanh(x * a)); }, x, a);
//
// The formula is traced at compile time, with its slopes for all arguments, and what was traced
// runs on SIMD lanes. For higher orders the formula runs on tensors.
#pragma once
#include <algorithm>
#include <array>
#include <span>
#include <tuple>
#include <vector>

#include "ebb/autodiff/engine/formula_loops.hpp"
#include "ebb/autodiff/formula/activations.hpp"
#include "ebb/autodiff/operations/fuse_without_header.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0 {
namespace detail {

template <class F>
struct FuseHeader {};

/// @throws ShapeError for an argument of `rows<size>` that is no matrix (n, size).
EBB_API void check_width(int size, const Shape& shape);

enum class FusedReduction { none, sum, mean };

/// Runs the operation on its operands, of which the first must not be a number. Gives the first
/// result back, and puts the further ones where `further` points.
template <class T>
EBB_API Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                                 std::span<const Operand<T>* const> operands, Tensor<T>* further);

}  // namespace detail

inline namespace EBB_ISA_NAMESPACE {
namespace fused {

/// Converts an argument to an operand; a plain number becomes a `Number`.
template <class T, class A>
decltype(auto) as_operand(const A& a) {
  if constexpr (std::is_arithmetic_v<A>) {
    return Number<T>(double(a));
  } else {
    return static_cast<const Operand<T>&>(a);
  }
}

template <class T, class>
using as_tensor = Tensor<T>;

/// A formula whose value is a number, whatever its arguments are.
template <class F, detail::FusedReduction reduction, Real T, class... Rest>
Tensor<T> on_constant(const Operand<T>& x, const Rest&... rest) {
  Shape shape = x.shape();
  [[maybe_unused]] const auto include = [&](const auto& argument) {
    if constexpr (!std::is_arithmetic_v<std::decay_t<decltype(argument)>>)
      shape = broadcast("fuse", shape, argument.shape());
  };
  (include(rest), ...);
  const auto value = T(F{}(Tensor<T>(T(0)), as_tensor<T, Rest>(T(0))...));
  if constexpr (reduction == detail::FusedReduction::none) {
    return Array<T>::full(shape, value);
  } else {
    return reduction == detail::FusedReduction::mean ? value : value * T(shape.size());
  }
}

template <class F, detail::FusedReduction reduction, Real T, class... Rest>
auto run_traced(const Operand<T>& x, const Rest&... rest) {
  constexpr bool is_traceable = detail::Traceable<F, false, std::is_same_v<Rest, Number<T>>...>;
  static_assert(is_traceable,
                "fuse: a formula is traced at compile time; write constexpr before the functions "
                "that it calls and the numbers that it reads, and pass what is known at run time "
                "as an argument");
  if constexpr (is_traceable) {
    const Operand<T>* const operands[] = {&x, &rest...};
    using Compiled = FormulaLoops<F, T, false, std::is_same_v<Rest, Number<T>>...>;
    constexpr bool reduces = reduction != detail::FusedReduction::none;
    constexpr int results = Compiled::results;
    if constexpr (results == 1) {
      return detail::fuse_arguments<T>(Compiled::template table<reduces>, reduction, operands,
                                       nullptr);
    } else if constexpr (reduces) {
      static_assert(results == 1,
                    "fuse_sum, fuse_mean: the formula has several results; use `fuse`, and reduce "
                    "each of them");
      return Tensor<T>();
    } else {
      std::array<Tensor<T>, results> y;
      y[0] =
          detail::fuse_arguments<T>(Compiled::template table<reduces>, reduction, operands, &y[1]);
      return y;
    }
  } else {
    return Tensor<T>();
  }
}

template <class F, detail::FusedReduction reduction, Real T, class... Rest>
auto run(const Operand<T>& x, const Rest&... rest) {
  constexpr bool is_empty = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(is_empty,
                "fuse: the lambda must capture nothing, since it runs again in the sweep; pass "
                "numbers and tensors as arguments");
  if constexpr (is_empty) {
    using Value = decltype(
        F{}(std::declval<as_tensor<T, Operand<T>>>(), std::declval<as_tensor<T, Rest>>()...));
    if constexpr (std::is_arithmetic_v<Value>) {
      return on_constant<F, reduction, T>(x, rest...);
    } else {
      return run_traced<F, reduction, T>(x, as_operand<T>(rest)...);
    }
  } else {
    return Tensor<T>();
  }
}

/// Columns of a matrix that a formula takes as one argument.
template <Real T, int size>
struct Rows {
  static_assert(size > 0);
  std::vector<Tensor<T>> columns;
};
template <class>
inline constexpr int width_of = 0;  // of an argument that is no rows
template <class T, int size>
inline constexpr int width_of<Rows<T, size>> = size;
template <class... Arguments>
concept WithRows = ((width_of<Arguments> > 0) || ...);

/// A formula of columns that gives them to F as small arrays, where a width is not 0.
template <class F, int... widths>
struct OfColumns {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    return call(std::tuple<const X&...>(x...), std::make_index_sequence<sizeof...(widths)>());
  }

 private:
  static constexpr std::array<int, sizeof...(widths)> width{widths...};
  static constexpr auto first = [] {
    std::array<std::size_t, sizeof...(widths)> first{};
    for (std::size_t k = 1; k < first.size(); ++k) {
      first[k] = first[k - 1] + std::size_t(std::max(width[k - 1], 1));
    }
    return first;
  }();
  template <std::size_t k, class X>
  static constexpr decltype(auto) argument(const X& x) {
    constexpr std::size_t at = first[k];
    if constexpr (width[k] == 0) {
      return std::get<at>(x);
    } else {
      return [&]<std::size_t... i>(std::index_sequence<i...>) {
        return std::array{std::get<at + i>(x)...};
      }
      (std::make_index_sequence<std::size_t(width[k])>());
    }
  }
  template <class X, std::size_t... k>
  static constexpr auto call(const X& x, std::index_sequence<k...>) {
    return F{}(argument<k>(x)...);
  }
};

template <class A>
auto columns_of(const A& x) {
  constexpr int width = width_of<A>;
  if constexpr (width > 0) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) { return std::tuple(x.columns[i]...); }
    (std::make_index_sequence<std::size_t(width)>());
  } else {
    return std::tuple<const A&>(x);
  }
}
/// Runs a formula of which some arguments are rows.
template <class F, detail::FusedReduction reduction, class... A>
auto run_with_rows(const A&... x) {
  constexpr bool is_empty = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(is_empty,
                "fuse: the lambda must capture nothing, since it runs again in the sweep; pass "
                "numbers and tensors as arguments");
  if constexpr (is_empty) {
    return std::apply(
        [](const auto&... each) { return run<OfColumns<F, width_of<A>...>, reduction>(each...); },
        std::tuple_cat(columns_of(x)...));
  }
}

}  // namespace fused

/// The rows of a matrix x (n, size), each of which a formula takes as one small array: `p[0]` is
/// then the first number of a row.
///
///     fuse([](auto p, auto w) { return w * sqrt(p[0] * p[0] + p[1] * p[1]); }, rows<2>(x),
///     weights)
///
/// @throws ShapeError for a matrix of another shape.
template <int size, Real T>
fused::Rows<T, size> rows(const Operand<T>& x) {
  detail::check_width(size, x.shape());
  return {unbind(transpose(x))};
}
/// The rows of a matrix x (rows, size) with these indices (n,). The gradient adds up what all that
/// chose a row give it.
template <int size, Real T>
fused::Rows<T, size> rows(const Operand<T>& x, const Array<std::int64_t>& indices) {
  return rows<size>(gather_rows(x, indices));
}

/// Computes f(x, rest...) element by element, as one operation. `f` is a generic lambda without
/// captures that uses the functions of formulas; write a condition as select(condition, a, b). The
/// arguments are arrays, tensors and variables, which broadcast, and numbers; the first is not a
/// number. The sweep makes one pass for all arguments. The formula is traced at compile time:
/// helper functions that it calls are lambdas or `constexpr`.
///
/// A formula that returns a tuple or an array has several results, which are an array of tensors:
/// `auto [cell, hidden] = fuse(step, x, state);`
template <class F, Real T, class... Rest>
auto fuse(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F, detail::FusedReduction::none>(x, rest...);
}

/// Computes a formula with rows of matrices among its arguments.
template <class F, class... A>
requires fused::WithRows<A...>
auto fuse(F, const A&... x) { return fused::run_with_rows<F, detail::FusedReduction::none>(x...); }

/// The call of a formula inside of another one.
template <class F, FormulaValue V, class... Rest>
EBB_INLINE constexpr auto fuse(F f, const V& x, const Rest&... rest) {
  return f(x, rest...);
}

/// The sum of f(x, rest...) over all elements. Gradients are computed in the forward pass.
template <class F, Real T, class... Rest>
Tensor<T> fuse_sum(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F, detail::FusedReduction::sum>(x, rest...);
}
/// The sum with rows of matrices among the arguments.
template <class F, class... A>
requires fused::WithRows<A...>
auto fuse_sum(F, const A&... x) {
  return fused::run_with_rows<F, detail::FusedReduction::sum>(x...);
}

/// The mean of f(x, rest...) over all elements. Gradients are computed in the forward pass.
template <class F, Real T, class... Rest>
Tensor<T> fuse_mean(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F, detail::FusedReduction::mean>(x, rest...);
}
/// The mean with rows of matrices among the arguments.
template <class F, class... A>
requires fused::WithRows<A...>
auto fuse_mean(F, const A&... x) {
  return fused::run_with_rows<F, detail::FusedReduction::mean>(x...);
}

}  // namespace EBB_ISA_NAMESPACE
}  // namespace ebb::inline v0
