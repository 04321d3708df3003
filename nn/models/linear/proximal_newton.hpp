// SPDX-License-Identifier: BSD-3-Clause
// A smooth convex function with l1 penalties of different strengths.
#pragma once
#include "ebb/optim/minimize.hpp"

namespace ebb::inline v0::nn::detail {

/// The sum of strengths_i |u_i|, with its proximal operator.
optim::Penalty weighted_l1(const Array<double>& strengths);

/// Minimises f(u) + sum_i strengths_i |u_i|, where the last numbers of u may have no penalty.
/// Every iteration minimises the quadratic model of f with the penalty, by coordinate descent, and
/// goes as far towards that as the function falls (Lee, Sun and Saunders 2014).
optim::Minimum<double> proximal_newton(optim::detail::Objective& f, const Array<double>& strengths,
                                       const optim::Stop& stop);

}  // namespace ebb::inline v0::nn::detail
