// SPDX-License-Identifier: BSD-3-Clause
// Averaged gradient descent.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// Averaged gradient descent (Polyak and Juditsky 1992): plain descent with decay and a falling
/// rate, r_t = rate / (1 + lambda rate (t - 1))^alpha, and beside the weights the mean of those
/// from step start + 1 on, which is the better estimate at the end: `state(w, "average")`. Decay is
/// decoupled: w <- w - r_t (g + lambda w).
struct ASGD {
  double learning_rate = 1e-2;  ///< at least 0
  double lambda = 1e-4;         ///< at least 0: decay of the weights and of the rate
  double alpha = 0.75;          ///< at least 0: power of the rate
  double start = 1e6;           ///< at least 0: until then the average is the weight itself
  double weight_decay = 0;      ///< at least 0; adds weight_decay w to the gradient
  bool maximize = false;        ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("lambda", lambda);
    field("alpha", alpha);
    field("start", start);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 1> states = {"average"};

  struct Step {
    double rate, shrink, share, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    using detail::check_option;
    detail::check_common("ASGD", learning_rate, weight_decay);
    check_option(lambda >= 0, "ASGD", "lambda must be at least 0", lambda);
    check_option(alpha >= 0, "ASGD", "alpha must be at least 0", alpha);
    check_option(start >= 0, "ASGD", "start must be at least 0", start);
    const double t = double(step - 1);
    const double rate = learning_rate / std::pow(1 + lambda * learning_rate * t, alpha);
    return {rate, rate * lambda, 1 / std::max(1.0, double(step) - start), weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& average) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    if (s.shrink != 0) w = w - V(s.shrink) * w;
    w = w - V(s.rate) * g;
    average = s.share == 1 ? w : average + V(s.share) * (w - average);
  }
};

}  // namespace ebb::inline v0::optim
