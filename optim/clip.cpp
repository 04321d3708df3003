// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/clip.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The sum of number(x)^2, in eight parts, so that no addition waits for the one before.
template <class T, class Number>
double squares_of(const T* x, std::int64_t n, const Number& number) {
  double sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int k = 0; k < 8; ++k) {
      const double y = number(x[i + k]);
      sums[k] += y * y;
    }
  }
  for (; i < n; ++i) sums[0] += number(x[i]) * number(x[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}
template <class T>
double squares(const T* x, std::int64_t n) {
  return squares_of(x, n, [](T e) { return double(e); });
}
/// The sum of (x / scale)^2: divisions take longer than all the rest.
template <class T>
double squares(const T* x, std::int64_t n, double scale) {
  return squares_of(x, n, [=](T e) { return double(e) / scale; });
}

template <class T>
void throw_if_not_finite(const Parameter& parameter, const Array<T>& gradient) {
  const auto bad =
      std::find_if(gradient.begin(), gradient.end(), [](T x) { return !std::isfinite(x); });
  if (bad == gradient.end()) return;
  throw NonFiniteError(
      "clip_norm: the gradient of " +
      (parameter.name().empty() ? std::string("a parameter") : '"' + parameter.name() + '"') +
      " of shape " + to_string(gradient.shape()) + " has " + ebb::detail::to_text(double(*bad)) +
      " at position " + std::to_string(bad - gradient.begin()) +
      "; a Tape with check_finite finds the operation that it comes from");
}

}  // namespace

void detail::GradientNorm::add(const Parameter& parameter) {
  if (!parameter.has_gradient()) return;
  parameter.visit([&](const auto& variable) {
    const auto& gradient = variable.gradient();
    const double plain = squares(gradient.data(), gradient.size());
    if (scale_ == 1 && plain < infinity && sum_ + plain < infinity) {
      sum_ += plain;
      return;
    }
    throw_if_not_finite(parameter, gradient);
    double largest = scale_;
    for (const auto x : gradient) largest = std::max(largest, std::abs(double(x)));
    sum_ *= scale_ / largest * (scale_ / largest);
    scale_ = largest;
    sum_ += squares(gradient.data(), gradient.size(), scale_);
  });
}

double gradient_norm(const Parameters& parameters) {
  detail::GradientNorm norm;
  for (const Parameter& parameter : parameters) norm.add(parameter);
  return norm.value();
}

ClippedNorm detail::clipped(double norm, double limit) {
  if (!(limit > 0)) {
    throw ArgumentError("clip_norm: the limit must be above 0, not " + ebb::detail::to_text(limit));
  }
  return {norm, norm > limit ? limit / norm : 1};
}

ClippedNorm clip_norm(const Parameters& parameters, double limit) {
  return detail::clipped(gradient_norm(parameters), limit);
}

void clip_adaptive(const Parameters& parameters, double factor, double smallest) {
  for (const double x : {factor, smallest}) {
    if (!(x > 0)) {
      throw ArgumentError(std::string("clip_adaptive: the ") +
                          (x == factor ? "factor" : "smallest norm") + " must be above 0, not " +
                          ebb::detail::to_text(x));
    }
  }
  for (const Parameter& parameter : parameters) {
    if (!parameter.has_gradient()) continue;
    parameter.visit([&](const auto& variable) {
      const Shape& shape = variable.shape();
      const std::int64_t rows = shape.rank() < 2 ? 1 : shape[0];
      const std::int64_t width = rows > 0 ? shape.size() / rows : 0;
      auto gradient = variable.gradient();
      throw_if_not_finite(parameter, gradient);
      bool is_larger = false;
      for (std::int64_t row = 0; row < rows; ++row) {
        const double norm = std::sqrt(squares(gradient.data() + row * width, width));
        const double weight = std::sqrt(squares(variable.value().data() + row * width, width));
        const double limit = factor * std::max(weight, smallest);
        if (!(norm > limit)) continue;
        is_larger = true;
        auto* to = gradient.mutate() + row * width;
        using T = std::remove_reference_t<decltype(*to)>;
        for (std::int64_t i = 0; i < width; ++i) to[i] *= T(limit / norm);
      }
      if (is_larger) variable.share().set_gradient(std::move(gradient));
    });
  }
}

}  // namespace ebb::inline v0::optim
