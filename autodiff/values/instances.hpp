// SPDX-License-Identifier: BSD-3-Clause
// Explicit instances of function templates, for sources: a line below the body of a function says
// for which types it is compiled. Visibility is that of the declaration.
#pragma once

/// Instantiates a function template for one type.
#define EBB_INSTANCE(f, ...) template decltype(f<__VA_ARGS__>) f<__VA_ARGS__>;

/// Instantiates the function template f for float and double, below its body.
#define EBB_FOR_REALS(f) EBB_INSTANCE(f, float) EBB_INSTANCE(f, double)

/// Instantiates one of the overloads of f for float and double. Its type is a function type that
/// says T:
///
///     EBB_OVERLOAD_FOR_REALS(squeeze, Tensor<T>(const Operand<T>&, const Axes&))
#define EBB_OVERLOAD_FOR_REALS(f, ...) \
  EBB_TYPED_INSTANCES(EBB_JOINED(Overload, __COUNTER__), f, __VA_ARGS__)
#define EBB_TYPED_INSTANCES(Overload, f, ...) \
  template <class T>                          \
  using Overload = __VA_ARGS__;               \
  template Overload<float> f<float>;          \
  template Overload<double> f<double>;
#define EBB_JOINED(a, b) EBB_PASTED(a, b)
#define EBB_PASTED(a, b) a##b
