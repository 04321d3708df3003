// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"
// included after fuse.hpp, so that the formulas find the functions of every number type
#include "ebb/autodiff/ops/blends.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

/// The formula of an operation as an argument of `fuse`.
template <class O>
struct Formula {
  static constexpr std::string_view name = O::name;
  EBB_INLINE constexpr auto operator()(const auto&... x) const { return O::value(x...); }
};

}  // namespace

template <Real T>
Tensor<T> lerp(const Operand<T>& a, const Operand<T>& b, const Operand<T>& weight) {
  return fuse(Formula<op::Lerp>{}, a, b, weight);
}
EBB_OVERLOAD_FOR_REALS(lerp, Tensor<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&))

template <Real T>
Tensor<T> lerp(const Operand<T>& a, const Operand<T>& b, double weight) {
  return fuse(Formula<op::Lerp>{}, a, b, weight);
}
EBB_OVERLOAD_FOR_REALS(lerp, Tensor<T>(const Operand<T>&, const Operand<T>&, double))

}  // namespace ebb::inline v0
