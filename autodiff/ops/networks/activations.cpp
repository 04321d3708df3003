// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

/// The formula of an operation as an argument of `fuse`.
template <class O>
struct Formula {
  static constexpr std::string_view name = O::name;
  EBB_INLINE constexpr auto operator()(const auto&... x) const { return O::value(x...); }
};

void check_finite_option(const char* argument, double value) {
  if (std::isfinite(value)) return;
  throw ArgumentError(std::string(argument) + " = " + detail::to_text(value) + "; it is finite");
}

}  // namespace

#define EBB_ACTIVATION(f, O)          \
  template <Real T>                   \
  Tensor<T> f(const Operand<T>& x) {  \
    return fuse(Formula<op::O>{}, x); \
  }                                   \
  EBB_OVERLOAD_FOR_REALS(f, Tensor<T>(const Operand<T>&))
EBB_ACTIVATION(silu, Silu)
EBB_ACTIVATION(mish, Mish)
EBB_ACTIVATION(selu, Selu)
EBB_ACTIVATION(relu6, Relu6)
EBB_ACTIVATION(hardsigmoid, Hardsigmoid)
EBB_ACTIVATION(hardswish, Hardswish)
#undef EBB_ACTIVATION

template <Real T>
Tensor<T> elu(const Operand<T>& x, double alpha) {
  check_finite_option("elu: alpha", alpha);
  return fuse(Formula<op::Elu>{}, x, alpha);
}
EBB_OVERLOAD_FOR_REALS(elu, Tensor<T>(const Operand<T>&, double))

template <Real T>
Tensor<T> clamp_min(const Operand<T>& x, double low) {
  if (std::isnan(low)) throw ArgumentError("clamp_min: low is NaN");
  return fuse(Formula<op::ClampMin>{}, x, low);
}
EBB_OVERLOAD_FOR_REALS(clamp_min, Tensor<T>(const Operand<T>&, double))

template <Real T>
Tensor<T> clamp_max(const Operand<T>& x, double high) {
  if (std::isnan(high)) throw ArgumentError("clamp_max: high is NaN");
  return fuse(Formula<op::ClampMax>{}, x, high);
}
EBB_OVERLOAD_FOR_REALS(clamp_max, Tensor<T>(const Operand<T>&, double))

template <Real T>
Tensor<T> leaky_relu(const Operand<T>& x, double negative_slope) {
  check_finite_option("leaky_relu: negative_slope", negative_slope);
  return fuse(Formula<op::LeakyRelu>{}, x, negative_slope);
}
EBB_OVERLOAD_FOR_REALS(leaky_relu, Tensor<T>(const Operand<T>&, double))

}  // namespace ebb::inline v0
