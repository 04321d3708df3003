// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/log_scans.hpp"

#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {

template <Real T>
Tensor<T> logcumsumexp(const Operand<T>& x, int axis) {
  axis = detail::axis_of("logcumsumexp", axis, detail::Access::shape(x, "logcumsumexp"));
  return detail::apply<op::LogCumSumExp, T>({axis}, x);
}
EBB_FOR_REALS(logcumsumexp)

}  // namespace ebb::inline v0
