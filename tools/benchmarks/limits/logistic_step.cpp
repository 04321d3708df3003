// SPDX-License-Identifier: BSD-3-Clause
#include "limits.hpp"
#include "logistic.hpp"
#include "small_step.hpp"

float limits::logistic_step(const float* x, const float* y, float* w, float* b, float rate) {
  return small_step(
      x, y, w, b, rate, [](V z, V target, V & loss) __attribute__((always_inline)) {
        return logistic_slope(z, target, loss);
      });
}
