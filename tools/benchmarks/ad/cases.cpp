// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "ad.hpp"

namespace bench {

Doubles uniform(const ebb::Shape& shape, ebb::Stream& stream, double low, double high) {
  Doubles x = Doubles::uninitialized(shape);
  double* const to = x.mutate();
  for (std::int64_t i = 0; i < x.size(); ++i) to[i] = low + (high - low) * stream.uniform();
  return x;
}

void expect_equal(const std::string& name, const ebb::Tensor<double>& ours, const double* limit) {
  const Doubles x = ours.array();
  double largest = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(limit[i]));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (std::abs(x.data()[i] - limit[i]) <= 1e-9 * largest) continue;
    throw std::runtime_error(std::string(name).append(": element ").append(std::to_string(i)) +
                             " is " + std::to_string(x.data()[i]) + "; by hand it is " +
                             std::to_string(limit[i]));
  }
}

void add_ad(std::vector<Case>& cases) {
  add_sums(cases);
  add_kmeans(cases);
  add_gmm(cases);
  add_lstm(cases);
  add_ode(cases);
  add_bundle(cases);
  add_hand(cases);
}

}  // namespace bench
