// SPDX-License-Identifier: BSD-3-Clause
// Minimising the squares of residuals.
#pragma once
#include <functional>

#include "ebb/optim/minimize/methods.hpp"

namespace ebb::inline v0::optim::detail {

/// Residuals r(x) as a function that is minimised: r . r / 2, with the gradient J^T r.
template <Real T>
class EBB_API ResidualObjective : public TensorObjective<T> {
 public:
  using Function = typename TensorObjective<T>::Function;
  ResidualObjective(Function residuals, Array<T> start);
  double value(const Vector& x) override;
  double value_and_gradient(const Vector& x, Vector& gradient) override;

  /// The residuals (m,) and J (m, n) at the last point where the gradient was computed.
  const Vector& residuals() const { return r_; }
  const Vector& jacobian() const { return j_; }

 private:
  Function residuals_;
  Vector r_, j_;
};

/// The last residuals and their Jacobian, for methods that are not templates.
struct Residuals {
  std::function<const Vector&()> values, jacobian;
};
Outcome descend(const GaussNewton& method, Run& run, const Residuals& r);
Outcome descend(const LevenbergMarquardt& method, Run& run, const Residuals& r);

}  // namespace ebb::inline v0::optim::detail
