// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/least_squares.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim::detail {

template <Real T>
ResidualObjective<T>::ResidualObjective(Function residuals, Array<T> start)
    : TensorObjective<T>(
          [residuals](const Tensor<T>& x) { return T(0.5) * sum(square(residuals(x))); },
          std::move(start)),
      residuals_(std::move(residuals)) {}

template <Real T>
double ResidualObjective<T>::value(const Vector& x) {
  const Array<T> r = residuals_(Tensor<T>(this->array(x))).array();
  double sum = 0;
  for (T e : r) sum += double(e) * double(e);
  return sum / 2;
}

template <Real T>
double ResidualObjective<T>::value_and_gradient(const Vector& x, Vector& gradient) {
  const Array<T> at = this->array(x);
  const Array<T> r = residuals_(Tensor<T>(at)).array();
  const Array<T> j = ebb::jacobian(residuals_, at).array();
  r_.assign(r.begin(), r.end());
  j_.assign(j.begin(), j.end());
  gradient.assign(x.size(), 0);
  for (std::size_t i = 0; i < r_.size(); ++i) {
    for (std::size_t k = 0; k < x.size(); ++k) gradient[k] += r_[i] * j_[i * x.size() + k];
  }
  return dot(r_, r_) / 2;
}
template class ResidualObjective<float>;
template class ResidualObjective<double>;

namespace {

/// The d with the least |J d + r|^2 + |diagonal d|^2, by QR; false where that is not unique.
bool least_squares(const Vector& j, const Vector& r, const Vector& diagonal, Vector& d) {
  const std::size_t n = diagonal.size();
  Vector a = j, b = times(-1, r);
  for (std::size_t i = 0; i < n; ++i) {
    if (diagonal[i] == 0) continue;
    a.insert(a.end(), n, 0.0);
    a[a.size() - n + i] = diagonal[i];
    b.push_back(0);
  }
  const auto rows = std::int64_t(b.size());
  if (rows < std::int64_t(n)) return false;
  try {
    const Array<double> x =
        lstsq(Array<double>(Shape{rows, std::int64_t(n)}, std::span<const double>(a)),
              Array<double>(Shape{rows}, std::span<const double>(b)))
            .array();
    d.assign(x.begin(), x.end());
    return std::isfinite(norm(d));
  } catch (const ArgumentError&) {  // the columns depend on one another
    return false;
  }
}

/// r . r / (m - n) (J^T J)^-1; nothing where m <= n or the columns depend on one another.
Vector covariance(const Vector& j, const Vector& residuals, std::size_t n) {
  const std::size_t m = residuals.size();
  if (m <= n) return {};
  try {
    const auto factors =
        qr(Array<double>(Shape{std::int64_t(m), std::int64_t(n)}, std::span<const double>(j)));
    const Array<double> r = factors.r.array();
    double largest = 0, least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < n; ++k) {
      const double size = std::abs(r[std::int64_t(k * n + k)]);
      largest = std::fmax(largest, size);
      least = std::fmin(least, size);
    }
    if (!(least > largest * double(m) * std::numeric_limits<double>::epsilon())) return {};
    const auto root = inverse(factors.r);
    const Array<double> c =
        (matmul(root, root, {.transpose_b = true}) * (dot(residuals, residuals) / double(m - n)))
            .array();
    return Vector(c.begin(), c.end());
  } catch (const ArgumentError&) {
    return {};
  }
}

Outcome finish(Run& run, Point at, const Residuals& r) {
  Run again = run;  // the residuals and J of the last point, which may not be the last evaluated
  again.evaluate(at);
  Outcome outcome = run.outcome(std::move(at));
  outcome.covariance = covariance(r.jacobian(), r.values(), outcome.at.x.size());
  return outcome;
}

}  // namespace

Outcome descend(const GaussNewton& method, Run& run, const Residuals& r) {
  check_search(method.search);
  Point at = run.start(), next;
  const Vector none(at.x.size(), 0);
  double length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    Vector d;
    if (!least_squares(r.jacobian(), r.values(), none, d) || !(dot(d, at.gradient) < 0))
      d = times(-1, at.gradient);
    length = line_search(method.search, run, at, d, method.search.first, next);
    if (length == 0) {
      run.end(Reason::line_search);
      break;
    }
    std::swap(at, next);
  }
  return finish(run, std::move(at), r);
}

Outcome descend(const LevenbergMarquardt& method, Run& run, const Residuals& r) {
  if (!(method.first > 0)) {
    throw ArgumentError("LevenbergMarquardt: first must be above 0, not " +
                        ebb::detail::to_text(method.first));
  }
  Point at = run.start(), next;
  const std::size_t n = at.x.size();
  Vector values = r.values(), j = r.jacobian(), scale(n, 0), roots(n);
  double damping = method.first, growth = 2, length = 0;
  bool goes_on = run.goes_on(at, norm(at.gradient), length);
  while (goes_on) {
    for (std::size_t k = 0; k < n; ++k) {
      double square = 0;
      for (std::size_t i = k; i < j.size(); i += n) square += j[i] * j[i];
      scale[k] = std::fmax(scale[k], square > 0 ? square : 1e-30);
      roots[k] = std::sqrt(damping * scale[k]);
    }
    Vector d;
    double ratio = -1;
    if (least_squares(j, values, roots, d)) {
      next.x = sum(at.x, 1, d);
      run.objective().round(next.x);
      run.evaluate(next);
      double predicted = 0;
      for (std::size_t k = 0; k < n; ++k)
        predicted += d[k] * (damping * scale[k] * d[k] - at.gradient[k]) / 2;
      // Only the first step from a point may be higher by rounding.
      const double slack = growth == 2 ? run.slack(at.value) : 0;
      if (next.is_finite()) ratio = (at.value - next.value + slack) / predicted;
    }
    if (ratio > 0) {
      length = norm(d);
      std::swap(at, next);
      values = r.values();
      j = r.jacobian();
      damping *= std::fmax(1.0 / 3, 1 - std::pow(2 * ratio - 1, 3));
      growth = 2;
      goes_on = run.goes_on(at, norm(at.gradient), length);
    } else {
      damping *= growth;
      growth *= 2;
      if (!(damping < 1e30)) {
        run.end(Reason::line_search);
        break;
      }
    }
  }
  return finish(run, std::move(at), r);
}

}  // namespace ebb::inline v0::optim::detail
