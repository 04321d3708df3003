// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize.hpp"

#include <algorithm>

namespace ebb::inline v0::optim::detail {

#define EBB_RUN(M)                                                                   \
  Outcome run(const M& method, Objective& f, const Stop& stop, const Watch& watch) { \
    Run run(f, stop, watch);                                                         \
    Point at = descend(method, run);                                                 \
    return run.outcome(std::move(at));                                               \
  }
EBB_METHODS(EBB_RUN)
#undef EBB_RUN

Outcome run(const CoordinateDescent& method, L1Objective& f, const Stop& stop, const Watch& watch) {
  Run run(f, stop, watch);
  Point at = descend(method, f, run);
  return run.outcome(std::move(at));
}

template <Real T>
Outcome run(const GaussNewton& method, ResidualObjective<T>& f, const Stop& stop,
            const Watch& watch) {
  Run run(f, stop, watch);
  return descend(method, run,
                 {[&]() -> const Vector& { return f.residuals(); },
                  [&]() -> const Vector& { return f.jacobian(); }});
}
template <Real T>
Outcome run(const LevenbergMarquardt& method, ResidualObjective<T>& f, const Stop& stop,
            const Watch& watch) {
  Run run(f, stop, watch);
  return descend(method, run,
                 {[&]() -> const Vector& { return f.residuals(); },
                  [&]() -> const Vector& { return f.jacobian(); }});
}
template Outcome run(const GaussNewton&, ResidualObjective<float>&, const Stop&, const Watch&);
template Outcome run(const GaussNewton&, ResidualObjective<double>&, const Stop&, const Watch&);
template Outcome run(const LevenbergMarquardt&, ResidualObjective<float>&, const Stop&,
                     const Watch&);
template Outcome run(const LevenbergMarquardt&, ResidualObjective<double>&, const Stop&,
                     const Watch&);

template <Real T>
Minimum<T> minimum(Outcome outcome, const Shape& shape) {
  const auto array = [&](const Vector& x) {
    auto to = Array<T>::uninitialized(shape);
    std::transform(x.begin(), x.end(), to.mutate(), [](double e) { return T(e); });
    return to;
  };
  Minimum<T> found{};
  found.x = array(outcome.at.x);
  found.value = outcome.at.value;
  found.gradient_norm = outcome.gradient_norm;
  found.iterations = outcome.iterations;
  found.values = outcome.values;
  found.gradients = outcome.gradients;
  found.products = outcome.products;
  found.reason = outcome.reason;
  for (const Vector& x : outcome.path) found.path.push_back(array(x));
  if (!outcome.covariance.empty()) {
    const auto n = std::int64_t(outcome.at.x.size());
    found.covariance = Array<double>(Shape{n, n}, std::span<const double>(outcome.covariance));
  }
  return found;
}
template Minimum<float> minimum(Outcome, const Shape&);
template Minimum<double> minimum(Outcome, const Shape&);

Minimum<double> of_model(ModelObjective& objective, const std::function<Outcome()>& run) {
  const Vector before = objective.start();
  try {
    Outcome outcome = run();
    objective.set(outcome.at.x);
    const auto n = std::int64_t(outcome.at.x.size());
    return minimum<double>(std::move(outcome), Shape{n});
  } catch (...) {
    objective.set(before);  // an error leaves the model as it was
    throw;
  }
}

}  // namespace ebb::inline v0::optim::detail
