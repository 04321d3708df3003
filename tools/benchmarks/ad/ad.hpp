// SPDX-License-Identifier: BSD-3-Clause
// The problems of ADBench (Srajer, Kukelova and Fitzgibbon 2018) and GradBench, by which tools for
// automatic differentiation are compared. Each program is checked against the derivative by hand
// before it is measured.
#pragma once
#include <string>
#include <vector>

#include "../bench.hpp"
#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/tensor.hpp"

namespace bench {

using Doubles = ebb::Array<double>;

/// Numbers of a stream, uniform in [low, high).
Doubles uniform(const ebb::Shape& shape, ebb::Stream& stream, double low = -1, double high = 1);
/// Throws unless each number of `ours` is that of the limit, up to 1e-9 of the largest of these.
void expect_equal(const std::string& name, const ebb::Tensor<double>& ours, const double* limit);
/// Memory that a limit writes to.
using Room = std::vector<double>;

void add_sums(std::vector<Case>& cases);
void add_kmeans(std::vector<Case>& cases);
void add_gmm(std::vector<Case>& cases);
void add_lstm(std::vector<Case>& cases);
void add_ode(std::vector<Case>& cases);
void add_bundle(std::vector<Case>& cases);
void add_hand(std::vector<Case>& cases);

}  // namespace bench
