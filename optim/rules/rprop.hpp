// SPDX-License-Identifier: BSD-3-Clause
// Rprop.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// Rprop (Riedmiller and Braun 1993, in the form iRprop- of Igel and Huesken 2000): a step of its
/// own for each weight, in the direction of the sign of its gradient. The step grows while the sign
/// stays, and shrinks when it changes, and then the weight waits. For whole gradients, not for
/// batches.
struct Rprop {
  double learning_rate = 1e-2;  ///< at least 0: the first step
  double shrink = 0.5;          ///< in (0, 1)
  double grow = 1.2;            ///< above 1
  double smallest = 1e-6;       ///< at least 0: limit of a step
  double largest = 50;          ///< at least `smallest`: limit of a step
  bool maximize = false;        ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("shrink", shrink);
    field("grow", grow);
    field("smallest", smallest);
    field("largest", largest);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 2> states = {"gradient", "step"};

  struct Step {
    double first, shrink, grow, smallest, largest;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t) const {
    using detail::check_option;
    detail::check_common("Rprop", learning_rate, 0);
    check_option(shrink > 0 && shrink < 1, "Rprop", "shrink must be in (0, 1)", shrink);
    check_option(grow > 1, "Rprop", "grow must be above 1", grow);
    check_option(smallest >= 0, "Rprop", "smallest must be at least 0", smallest);
    check_option(largest >= smallest, "Rprop", "largest must be at least smallest", largest);
    return {learning_rate, shrink, grow, smallest, largest};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& before, V& step) {
    // The signs, since the product of two small gradients may be 0.
    const V same = sign(gradient) * sign(before);
    step = select(step == V(0), V(s.first), step);
    step = select(same > V(0), minimum(step * V(s.grow), V(s.largest)), step);
    step = select(same < V(0), maximum(step * V(s.shrink), V(s.smallest)), step);
    before = select(same < V(0), V(0), gradient);
    w = w - sign(before) * step;
  }
};

}  // namespace ebb::inline v0::optim
