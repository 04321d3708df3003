// SPDX-License-Identifier: BSD-3-Clause
// What linear estimators share: checks of what they are given, and predictions.
#pragma once
#include <string>

#include "ebb/autodiff/parts.hpp"
#include "ebb/nn/models/estimators/inputs.hpp"
#include "ebb/nn/models/estimators/solution.hpp"

namespace ebb::inline v0::nn::detail {

/// @throws ArgumentError, which names the row and the column, for NaN and infinities.
void check_finite(const std::string& who, const Features& x);
void check_finite(const std::string& who, const Targets& y);
/// @throws ShapeError for another number of rows.
void check_counts(const std::string& who, const Features& x, std::int64_t targets);
/// @throws ArgumentError before a fit, and for what is not finite; ShapeError for another number of
/// features than `known`.
void check_rows(const std::string& who, const Features& x, bool is_fitted, std::int64_t known);
/// Weights (n,) that add up to 1.
/// @throws ShapeError for another number of them; ArgumentError for negative ones, for what is not
/// finite, and if all are 0.
Array<double> normalised_weights(const std::string& who, const RowOptions& options,
                                 std::int64_t rows);
/// The predictors (n, outputs) of x (n, d), for coefficients (outputs, d) and an intercept
/// (outputs,). A row has the bits that it has alone.
Array<double> predictors(const Features& x, const Array<double>& coefficients,
                         const Array<double>& intercept);
/// @throws ArgumentError for coefficients that are not finite.
void check_result(const std::string& who, const Array<double>& coefficients,
                  const Array<double>& intercept);
/// What `warning` says of a fit.
std::string warning_of(const std::string& warning, const Solution& solution);
/// Visits an array of any size, which is empty before a fit.
void each_array(Parts& part, std::string_view name, Array<double>& array, std::int64_t rank);

}  // namespace ebb::inline v0::nn::detail
