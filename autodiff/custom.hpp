// SPDX-License-Identifier: BSD-3-Clause
// Operations of your own. You write the formula, and the library does the rest:
//
//   struct Cube {
//     static constexpr auto value(auto x) { return x * x * x; }
//     static constexpr auto slope(auto x, auto) { return 3 * x * x; }
//   };
//   auto y = elementwise(Cube{}, x);
//   std::cout << check_gradients([](auto x) { return elementwise(Cube{}, x); }, {x});
#pragma once
#include <functional>
#include <string_view>

#include "ebb/autodiff/formula/dual.hpp"
#include "ebb/autodiff/fuse.hpp"

namespace ebb::inline v0 {
namespace detail {

template <class T>
using ForwardFunction = std::function<Array<T>(std::span<const Array<T>> x)>;
template <class T>
using VjpFunction = std::function<std::vector<Tensor<T>>(const Tensor<T>& g, const Tensor<T>& y,
                                                         std::span<const Tensor<T>> x)>;
template <Real T>
EBB_API Tensor<T> structured(std::string_view name, std::span<const Operand<T>* const> operands,
                             const ForwardFunction<T>& forward, VjpFunction<T> vjp);

}  // namespace detail

inline namespace EBB_ISA_NAMESPACE {

namespace fused {

/// The name of the operation, if it has one.
template <class O>
struct Named {};
template <class O>
requires requires { O::name; }
struct Named<O> {
  static constexpr std::string_view name = O::name;
};

/// A user's operation as the formula of a `fuse`, for a call on whole operands.
template <class O>
struct Primitive : Named<O> {
  EBB_INLINE constexpr auto operator()(const auto&... x) const { return elementwise(O{}, x...); }

  /// The gradient of argument i, computed on tensors.
  template <class T>
  static Tensor<T> pull(int i, const Tensor<T>& g, std::span<const Tensor<T>> x) {
    const auto tensor = [&](const auto& pulled) {
      if constexpr (Literal<std::decay_t<decltype(pulled)>>) {
        return Tensor<T>(Array<T>::full(g.shape(), T(pulled)));
      } else {
        return Tensor<T>(pulled);
      }
    };
    if constexpr (requires { O{}.slope_a(x[0], x[0], x[0]); }) {
      const Tensor<T> y = elementwise(O{}, x[0], x[1]);
      if (i == 0) return tensor(op::pull<0>(O{}, g, x[0], x[1], y));
      return tensor(op::pull<1>(O{}, g, x[0], x[1], y));
    } else {
      return tensor(op::pull(O{}, g, x[0], elementwise(O{}, x[0])));
    }
  }
};

}  // namespace fused

/// Computes a formula for each element of x, as one record. O is a struct without data that has the
/// value and the slope, once for every kind of number, written with the functions of formulas:
///
///     constexpr auto value(auto x) const;
///     constexpr auto slope(auto x, auto y) const;    dy/dx, from the input and the output
///
/// A `static constexpr std::string_view name` is used in records and errors. For a slope of 0
/// everywhere write `static constexpr int slope(auto, auto) { return 0; }`. The function may also
/// be called inside a formula for `fuse`.
template <class O, Real T>
Tensor<T> elementwise(const O&, const Operand<T>& x) {
  static_assert(std::is_empty_v<O>,
                "elementwise: the operation must hold no data, since its formula runs again in the "
                "sweep; a number is the second argument of a formula of two");
  return fuse(fused::Primitive<O>{}, x);
}

/// Computes a formula for each pair of elements of two arguments, which broadcast, as one record.
/// One of them may be a number. O is a struct without data:
///
///   constexpr auto value(auto a, auto b) const;
///   constexpr auto slope_a(auto a, auto b, auto y) const;    dy/da
///   constexpr auto slope_b(auto a, auto b, auto y) const;    dy/db
template <class O, Real T>
Tensor<T> elementwise(const O&, const Operand<T>& a, const Operand<T>& b) {
  static_assert(std::is_empty_v<O>, "elementwise: the operation must hold no data");
  return fuse(fused::Primitive<O>{}, a, b);
}
template <class O, Real T>
Tensor<T> elementwise(const O&, const Operand<T>& a, double b) {
  static_assert(std::is_empty_v<O>, "elementwise: the operation must hold no data");
  return fuse(fused::Primitive<O>{}, a, b);
}
template <class O, Real T>
Tensor<T> elementwise(const O&, double a, const Operand<T>& b) {
  static_assert(std::is_empty_v<O>, "elementwise: the operation must hold no data");
  return fuse(fused::Primitive<O>{}, Array<T>(T(a)), b);
}

// The calls of `elementwise` inside a formula, on its numbers.

template <class O, FormulaNumber V>
EBB_INLINE V elementwise(const O& op, const V& x) {
  return V(op.value(x));
}
template <class O, FormulaNumber V>
EBB_INLINE V elementwise(const O& op, const V& a, const std::type_identity_t<V>& b) {
  return V(op.value(a, b));
}
template <class O>
constexpr Traced elementwise(const O&, const Traced& x) {
  return detail::traced_own<O>(x);
}
template <class O>
constexpr Traced elementwise(const O&, const Traced& a, const Traced& b) {
  return detail::traced_own<O>(a, b);
}
template <class O, class V, int K, unsigned on>
EBB_INLINE Dual<V, K, on> elementwise(const O& op, const Dual<V, K, on>& x) {
  return forward::unary(op, x);
}
template <class O, class V, int K, unsigned p, unsigned q>
EBB_INLINE Dual<V, K, p | q> elementwise(const O& op, const Dual<V, K, p>& a,
                                         const Dual<V, K, q>& b) {
  return forward::binary(op, a, b);
}
template <class O, class V, int K, unsigned on>
EBB_INLINE Dual<V, K, on> elementwise(const O& op, const Dual<V, K, on>& a,
                                      const std::type_identity_t<V>& b) {
  return forward::binary(op, a, forward::constant<V, K>(b));
}
template <class O, class V, int K, unsigned on>
EBB_INLINE Dual<V, K, on> elementwise(const O& op, const std::type_identity_t<V>& a,
                                      const Dual<V, K, on>& b) {
  return forward::binary(op, forward::constant<V, K>(a), b);
}

}  // namespace EBB_ISA_NAMESPACE

/// Computes an operation on whole arrays, as one record. O is a struct, which is copied into the
/// record; its members are options:
///
///   static constexpr std::string_view name;                     for records and errors
///   template <class T>
///   Array<T> forward(const Array<T>& x...) const;               the result
///   template <class T>
///   std::array<Tensor<T>, inputs> vjp(const Tensor<T>& g, const Tensor<T>& y,
///                                     const Tensor<T>& x...) const;
///
/// vjp returns the gradient of each input, of its shape, given that of the result; `Tensor<T>()`
/// means no gradient. With one input it returns a tensor instead of an array. If it is written with
/// operations, it can be differentiated itself. Exceptions of `forward` reach the caller.
/// @throws ShapeError in a sweep, for a gradient whose shape differs from that of its input.
template <class O, Real T, class... Rest>
EBB_INLINE Tensor<T> structured(const O& op, const Operand<T>& x, const Rest&... rest) {
  constexpr std::size_t inputs = 1 + sizeof...(Rest);
  const Operand<T>* const operands[] = {&x, &static_cast<const Operand<T>&>(rest)...};
  const auto call = [](const auto& f, const auto& in) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) { return f(in[k]...); }
    (std::make_index_sequence<inputs>{});
  };
  return detail::structured<T>(
      O::name, operands,
      [&](std::span<const Array<T>> in) -> Array<T> {
        return call([&](const auto&... a) { return op.forward(a...); }, in);
      },
      [op, call](const Tensor<T>& g, const Tensor<T>& y, std::span<const Tensor<T>> in) {
        const auto parts = call([&](const auto&... t) { return op.vjp(g, y, t...); }, in);
        if constexpr (std::is_same_v<decltype(parts), const Tensor<T>>) {
          return std::vector<Tensor<T>>{parts};
        } else {
          return std::vector<Tensor<T>>(std::begin(parts), std::end(parts));
        }
      });
}

}  // namespace ebb::inline v0
