// SPDX-License-Identifier: BSD-3-Clause
// Operations of the user's own, for which the library has everything but the formula:
//
//   struct Cube {
//     static auto value(auto x) { return x * x * x; }
//     static auto slope(auto x, auto) { return 3 * x * x; }
//   };
//   auto y = elementwise(Cube{}, x);
//   std::cout << check_gradients([](auto x) { return elementwise(Cube{}, x); }, {x});
#pragma once
#include <functional>
#include <string_view>

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

inline namespace EBB_UNIT {

namespace fused {

/// The name of an operation that has one.
template <class O>
struct Named {};
template <class O>
requires requires { O::name; }
struct Named<O> {
  static constexpr std::string_view name = O::name;
};

/// A user's operation as the formula of a `fuse`, which calls it as a whole.
template <class O>
struct Primitive : Named<O> {
  EBB_INLINE auto operator()(const auto&... x) const { return elementwise(O{}, x...); }

  /// The gradient of argument i on tensors.
  template <class T>
  static Tensor<T> pull(int i, const Tensor<T>& g, std::span<const Tensor<T>> x) {
    const auto tensor = [&](const auto& pulled) {
      if constexpr (Literal<std::decay_t<decltype(pulled)>>) {
        return Tensor<T>(Array<T>::full(g.shape(), T(pulled)));
      } else {
        return Tensor<T>(pulled);
      }
    };
    if constexpr (requires { O{}.da(x[0], x[0], x[0]); }) {
      const Tensor<T> y = elementwise(O{}, x[0], x[1]);
      if (i == 0) return tensor(op::pull<0>(O{}, g, x[0], x[1], y));
      return tensor(op::pull<1>(O{}, g, x[0], x[1], y));
    } else {
      return tensor(op::pull(O{}, g, x[0], elementwise(O{}, x[0])));
    }
  }
};

}  // namespace fused

/// O's formula for each element of x, as one record. O is a struct without data that says the value
/// and the slope once, for every kind of number, with the functions that formulas may use:
///
///   auto value(auto x) const;
///   auto slope(auto x, auto y) const;    dy/dx, from the input and the output
///
/// A `static constexpr std::string_view name` is for records and errors. A slope that is 0
/// everywhere is `static constexpr int slope(auto, auto) { return 0; }`. The call may stand inside
/// of a formula for `fuse`, too.
template <class O, Real T>
Tensor<T> elementwise(const O&, const Operand<T>& x) {
  static_assert(std::is_empty_v<O>,
                "elementwise: the operation must hold no data, since its formula runs again in the "
                "sweep; a number is the second argument of a formula of two");
  return fuse(fused::Primitive<O>{}, x);
}

/// The same for two arguments that broadcast, of which either may be a number:
///
///   auto value(auto a, auto b) const;
///   auto da(auto a, auto b, auto y) const;    dy/da
///   auto db(auto a, auto b, auto y) const;    dy/db
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

// The same on the numbers of a formula.

template <class O, FormulaNumber V>
EBB_INLINE V elementwise(const O& op, const V& x) {
  return V(op.value(x));
}
template <class O, FormulaNumber V>
EBB_INLINE V elementwise(const O& op, const V& a, const std::type_identity_t<V>& b) {
  return V(op.value(a, b));
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

}  // namespace EBB_UNIT

/// An operation on whole arrays as one record. O is a struct that is copied into it, with options
/// as members:
///
///   static constexpr std::string_view name;                     for records and errors
///   template <class T>
///   Array<T> forward(const Array<T>& x...) const;               the result
///   template <class T>
///   std::array<Tensor<T>, inputs> vjp(const Tensor<T>& g, const Tensor<T>& y,
///                                     const Tensor<T>& x...) const;
///
/// vjp gives the gradient of each input, of its shape, from that of the result; `Tensor<T>()` is no
/// gradient, and with one input it is a tensor alone. Written with operations, it can be
/// differentiated itself. `forward` may throw; what it throws reaches the caller.
/// @throws ShapeError in a sweep for a gradient of another shape than its input.
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
