// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/lasso.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/optim/minimize/design.hpp"

namespace ebb::inline v0::optim {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
void check_finite(const char* who, const char* what, const Array<T>& x) {
  const auto bad = std::find_if(x.begin(), x.end(), [](T e) { return !std::isfinite(e); });
  if (bad == x.end()) return;
  throw ArgumentError(std::string(who) + ": " + what + " has " +
                      ebb::detail::to_text(double(*bad)) + " at position " +
                      std::to_string(bad - x.begin()) + "; impute or leave out such rows");
}

void check_strength(const char* who, double strength) {
  if (strength >= 0 && strength < infinity) return;
  throw ArgumentError(std::string(who) + ": strength must be at least 0 and finite, not " +
                      ebb::detail::to_text(strength));
}

template <class To, class From>
Array<To> converted(const Array<From>& x) {
  if constexpr (std::same_as<To, From>) {
    return x;
  } else {
    auto y = Array<To>::uninitialized(x.shape());
    std::transform(x.begin(), x.end(), y.mutate(), [](From e) { return To(e); });
    return y;
  }
}

/// Weights as numbers of double. @throws ShapeError for another shape than (size,).
template <class T>
detail::Vector vector_of(const char* who, const Array<T>& w, std::int64_t size) {
  if (!(w.shape() == Shape{size})) {
    throw ShapeError(std::string(who) + ": the point has shape " + to_string(w.shape()) +
                     "; it should have " + to_string(Shape{size}));
  }
  return detail::Vector(w.begin(), w.end());
}

double sum_of_magnitudes(const detail::Vector& x) {
  double sum = 0;
  for (double e : x) sum += std::abs(e);
  return sum;
}

}  // namespace

template <Real T>
Lasso<T>::Lasso(const Array<T>& x, const Array<T>& y, LassoOptions options) : options_(options) {
  const bool is_column = y.shape().rank() == 2 && y.shape()[1] == 1;
  if (x.shape().rank() != 2 || x.size() < 1 || (y.shape().rank() != 1 && !is_column) ||
      y.shape()[0] != x.shape()[0]) {
    throw ShapeError("Lasso: x (n, d) and y (n,) or (n, 1) with n >= 1 and d >= 1, not " +
                     to_string(x.shape()) + " and " + to_string(y.shape()));
  }
  check_strength("Lasso", options.strength);
  if (!(options.ratio >= 0 && options.ratio <= 1)) {
    throw ArgumentError("Lasso: ratio must be in [0, 1], not " +
                        ebb::detail::to_text(options.ratio));
  }
  check_finite("Lasso", "x", x);
  check_finite("Lasso", "y", y);
  design_ = std::make_shared<const detail::Design>(converted<double>(x), converted<double>(y),
                                                   options.intercept);
}

template <Real T>
Lasso<T> Lasso<T>::with_strength(double strength) const {
  check_strength("Lasso", strength);
  Lasso other = *this;
  other.options_.strength = strength;
  return other;
}

template <Real T>
Array<T> Lasso<T>::start() const {
  return Array<T>::zeros({design_->size});
}

template <Real T>
std::unique_ptr<detail::L1Objective> Lasso<T>::objective(const Array<T>& start) const {
  auto objective =
      std::make_unique<detail::DesignObjective>(design_, vector_of("Lasso", start, design_->size));
  objective->set_strength(options_.strength, options_.ratio);
  return objective;
}

template <Real T>
double Lasso<T>::value(const Array<T>& w) const {
  detail::DesignObjective f(design_, vector_of("Lasso", w, design_->size));
  f.set_strength(options_.strength, options_.ratio);
  return f.value(f.start()) + f.l1() * sum_of_magnitudes(f.start());
}

template <Real T>
double Lasso<T>::gap(const Array<T>& w) const {
  detail::DesignObjective f(design_, vector_of("Lasso", w, design_->size));
  f.set_strength(options_.strength, options_.ratio);
  detail::Point at;
  at.x = f.start();
  at.value = f.value_and_gradient(at.x, at.gradient);
  return f.gap(at);
}

template <Real T>
double Lasso<T>::largest_strength() const {
  double largest = 0;
  for (double c : design_->correlations) largest = std::fmax(largest, std::abs(c));
  return largest == 0 ? 0 : largest / options_.ratio;
}

template <Real T>
double Lasso<T>::intercept(const Array<T>& w) const {
  return design_->y_mean - detail::dot(design_->means, vector_of("Lasso", w, design_->size));
}

template <Real T>
std::function<Tensor<T>(const Tensor<T>&)> Lasso<T>::smooth_part() const {
  return [columns = converted<T>(design_->columns), y = converted<T>(design_->y)](
             const Tensor<T>& w) { return T(0.5) * mean(square(matmul(w, columns) - y)); };
}

template <Real T>
Penalty Lasso<T>::penalty() const {
  return elastic_net_penalty(options_.strength * options_.ratio,
                             options_.strength * (1 - options_.ratio));
}

template <Real T>
L1Quadratic<T>::L1Quadratic(const Array<T>& a, const Array<T>& b, double strength)
    : a_(converted<double>(a)), b_(converted<double>(b)), strength_(strength) {
  const std::int64_t d = b.size();
  if (d < 1 || !(b.shape() == Shape{d}) || !(a.shape() == Shape{d, d})) {
    throw ShapeError("L1Quadratic: a (d, d) and b (d,) with d >= 1, not " + to_string(a.shape()) +
                     " and " + to_string(b.shape()));
  }
  check_strength("L1Quadratic", strength);
  check_finite("L1Quadratic", "a", a);
  check_finite("L1Quadratic", "b", b);
  for (std::int64_t i = 0; i < d; ++i) {
    if (a_[i * d + i] < 0) {
      throw ArgumentError("L1Quadratic: a has " + ebb::detail::to_text(a_[i * d + i]) +
                          " on its diagonal, so that it is not positive semidefinite");
    }
    for (std::int64_t j = 0; j < i; ++j) {
      const double above = a_[j * d + i], below = a_[i * d + j];
      if (std::abs(above - below) > 1e-6 * std::fmax(std::abs(above), std::abs(below))) {
        throw ArgumentError("L1Quadratic: a is not symmetric: " + ebb::detail::to_text(above) +
                            " and " + ebb::detail::to_text(below) +
                            " stand opposite; give (a + "
                            "transpose(a)) / 2");
      }
    }
  }
}

template <Real T>
Array<T> L1Quadratic<T>::start() const {
  return Array<T>::zeros(b_.shape());
}

template <Real T>
std::unique_ptr<detail::L1Objective> L1Quadratic<T>::objective(const Array<T>& start) const {
  return std::make_unique<detail::MatrixObjective>(a_, b_, strength_,
                                                   vector_of("L1Quadratic", start, b_.size()));
}

template <Real T>
double L1Quadratic<T>::value(const Array<T>& x) const {
  detail::MatrixObjective f(a_, b_, strength_, vector_of("L1Quadratic", x, b_.size()));
  return f.value(f.start()) + strength_ * sum_of_magnitudes(f.start());
}

template <Real T>
std::function<Tensor<T>(const Tensor<T>&)> L1Quadratic<T>::smooth_part() const {
  return [a = converted<T>(a_), b = converted<T>(b_)](const Tensor<T>& x) {
    return dot(x, T(0.5) * matmul(a, x) - b);
  };
}

template <Real T>
Penalty L1Quadratic<T>::penalty() const {
  return l1_penalty(strength_);
}

template class Lasso<float>;
template class Lasso<double>;
template class L1Quadratic<float>;
template class L1Quadratic<double>;

namespace {

/// The strengths of a path, the largest first.
std::vector<double> strengths_of(const LassoPathOptions& options, double largest) {
  std::vector<double> strengths = options.strengths;
  if (!strengths.empty()) {
    for (double s : strengths) check_strength("lasso_path", s);
    std::sort(strengths.begin(), strengths.end(), std::greater<>());
    return strengths;
  }
  if (options.count < 2) {
    throw ArgumentError("lasso_path: count must be at least 2, not " +
                        std::to_string(options.count));
  }
  if (!(options.least > 0 && options.least < 1)) {
    throw ArgumentError("lasso_path: least must be in (0, 1), not " +
                        ebb::detail::to_text(options.least));
  }
  if (!(largest < infinity)) {
    throw ArgumentError(
        "lasso_path: with a ratio of 0 no strength makes all weights 0; give the strengths");
  }
  for (std::int64_t k = 0; k < options.count; ++k)
    strengths.push_back(largest * std::pow(options.least, double(k) / double(options.count - 1)));
  return strengths;
}

}  // namespace

template <Real T>
LassoPath<T> lasso_path(const Lasso<T>& problem, const LassoPathOptions& options) {
  const std::vector<double> strengths = strengths_of(options, problem.largest_strength());
  const auto count = std::int64_t(strengths.size());
  const std::int64_t size = problem.start().size();
  const auto numbers = [&] { return Array<double>::zeros({count}); };
  LassoPath<T> path{Array<double>(Shape{count}, strengths),
                    Array<T>::zeros({count, size}),
                    numbers(),
                    numbers(),
                    numbers(),
                    {},
                    {}};
  // One objective for all, since it keeps the products of the columns that it has met.
  const auto whole = problem.objective(problem.start());
  auto& f = static_cast<detail::DesignObjective&>(*whole);
  for (std::int64_t k = 0; k < count; ++k) {
    f.set_strength(strengths[std::size_t(k)], problem.options().ratio);
    const detail::Outcome found = detail::run(options.method, f, options.stop, {});
    f.set_start(found.at.x);
    std::transform(found.at.x.begin(), found.at.x.end(), path.weights.mutate() + k * size,
                   [](double e) { return T(e); });
    const Array<T> w = path.weights.leading(k, k + 1).reshape({size});
    detail::Point at;
    at.x = vector_of("lasso_path", w, size);
    at.value = f.value_and_gradient(at.x, at.gradient);
    path.intercepts.mutate()[k] = problem.intercept(w);
    path.values.mutate()[k] = at.value + f.l1() * sum_of_magnitudes(at.x);
    path.gaps.mutate()[k] = f.gap(at);
    path.iterations.push_back(found.iterations);
    path.reasons.push_back(found.reason);
  }
  return path;
}
EBB_FOR_REALS(lasso_path)

}  // namespace ebb::inline v0::optim
