// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/estimators/checks.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::nn::detail {

namespace {

[[noreturn]] void throw_number(const std::string& who, double number, std::int64_t row,
                               std::int64_t column) {
  throw ArgumentError(who + ": x has " + ebb::detail::to_text(number) + " in row " +
                      std::to_string(row) + ", column " + std::to_string(column) +
                      "; impute it (data::Impute), or leave out such rows");
}

void check_finite(const std::string& who, const SparseRows<double>& x) {
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    const auto row = x.row(i);
    for (std::size_t k = 0; k < row.values.size(); ++k)
      if (!std::isfinite(row.values[k])) throw_number(who, row.values[k], i, row.columns[k]);
  }
}

}  // namespace

void check_finite(const std::string& who, const Features& x) {
  if (x.are_sparse()) return check_finite(who, x.sparse());
  const auto& values = x.values();
  const auto bad =
      std::find_if(values.begin(), values.end(), [](double e) { return !std::isfinite(e); });
  if (bad == values.end()) return;
  const std::int64_t at = bad - values.begin();
  throw_number(who, *bad, at / x.columns(), at % x.columns());
}

void check_finite(const std::string& who, const Targets& y) {
  const auto& values = y.values();
  const auto bad =
      std::find_if(values.begin(), values.end(), [](double e) { return !std::isfinite(e); });
  if (bad == values.end()) return;
  throw ArgumentError(who + ": y has " + ebb::detail::to_text(*bad) + " in row " +
                      std::to_string(bad - values.begin()) + "; leave out such rows");
}

void check_counts(const std::string& who, const Features& x, std::int64_t targets) {
  if (x.count() == targets) return;
  throw ShapeError(who + ": x has " + std::to_string(x.count()) + " rows, and y has " +
                   std::to_string(targets) + "; each row needs one target");
}

void check_rows(const std::string& who, const Features& x, bool is_fitted, std::int64_t known) {
  if (!is_fitted) throw ArgumentError(who + ": it is not fitted yet; call fit(x, y) before");
  if (x.columns() != known) {
    throw ShapeError(who + ": x has " + std::to_string(x.columns()) + " columns, " +
                     to_string(x.shape()) + "; that of the fit had " + std::to_string(known) +
                     ", so give the same features");
  }
  check_finite(who, x);
}

Array<double> normalised_weights(const std::string& who, const RowOptions& options,
                                 std::int64_t rows) {
  if (options.weights.empty()) return Array<double>::full({rows}, 1 / double(rows));
  const Array<double>& given = options.weights;
  const bool is_column = given.rank() == 2 && given.shape()[1] == 1;
  if (given.size() != rows || !(given.rank() == 1 || is_column)) {
    throw ShapeError(who + ": weights must be " + to_string(Shape{rows}) +
                     ", one for each row, not " + to_string(given.shape()));
  }
  double sum = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (!(given[i] >= 0 && std::isfinite(given[i]))) {
      throw ArgumentError(who + ": weights must be at least 0 and finite; that of row " +
                          std::to_string(i) + " is " + ebb::detail::to_text(given[i]));
    }
    sum += given[i];
  }
  if (!(sum > 0 && std::isfinite(sum))) {
    throw ArgumentError(who + ": the weights add up to " + ebb::detail::to_text(sum) +
                        "; some must be above 0");
  }
  auto weights = given.reshape(Shape{rows});
  for (double& e : std::span(weights.mutate(), std::size_t(rows))) e /= sum;
  return weights;
}

Array<double> predictors(const Features& x, const Array<double>& coefficients,
                         const Array<double>& intercept) {
  const std::int64_t n = x.count(), d = x.columns(), outputs = intercept.size();
  auto y = Array<double>::uninitialized({n, outputs});
  double* to = y.mutate();
  if (x.are_sparse()) {
    for (std::int64_t i = 0; i < n; ++i) {
      const auto row = x.sparse().row(i);
      const double* w = coefficients.data();
      for (std::int64_t k = 0; k < outputs; ++k, w += d) {
        double sum = intercept.data()[k];
        for (std::size_t j = 0; j < row.columns.size(); ++j)
          sum += row.values[j] * w[row.columns[j]];
        *to++ = sum;
      }
    }
    return y;
  }
  const double* row = x.values().data();
  for (std::int64_t i = 0; i < n; ++i, row += d) {
    const double* w = coefficients.data();
    for (std::int64_t k = 0; k < outputs; ++k, w += d) {
      double sum = intercept.data()[k];
      for (std::int64_t j = 0; j < d; ++j) sum += row[j] * w[j];
      *to++ = sum;
    }
  }
  return y;
}

void check_result(const std::string& who, const Array<double>& coefficients,
                  const Array<double>& intercept) {
  const auto is_finite = [](double e) { return std::isfinite(e); };
  if (std::all_of(coefficients.begin(), coefficients.end(), is_finite) &&
      std::all_of(intercept.begin(), intercept.end(), is_finite)) {
    return;
  }
  throw ArgumentError(who +
                      ": x or y has numbers that are too large, or too small, for double; "
                      "scale them (data::Standardize)");
}

std::string warning_of(const std::string& warning, const Solution& solution) {
  if (solution.converged) return warning;
  const std::string text = "the solver " + solution.solver +
                           " did not come to the minimum, but ended with: " + solution.reason +
                           "; allow more iterations, scale the features, or add l2";
  return warning.empty() ? text : warning + "; " + text;
}

void each_array(Parts& part, std::string_view name, Array<double>& array, std::int64_t rank) {
  // Lists may have any length, so that an estimator that is not fitted yet can be given a fit.
  std::vector<double> list(array.begin(), array.end()), shape;
  for (std::int64_t i = 0; i < rank && !array.empty(); ++i)
    shape.push_back(double(array.shape()[int(i)]));
  const std::vector<double> list_before = list, shape_before = shape;
  part(name, list);
  part(std::string(name) + "_shape", shape);
  const auto is_same = [](const auto& a, const auto& b) {
    return a.size() == b.size() && (a.empty() || std::equal(a.begin(), a.end(), b.begin()));
  };
  if (is_same(list, list_before) && is_same(shape, shape_before)) return;
  std::int64_t size = 1;
  for (const double e : shape) size *= std::int64_t(e);
  part.refuse_unless(shape.empty() ? list.empty() : size == std::int64_t(list.size()),
                     std::string(name) + " has " + std::to_string(list.size()) +
                         " numbers, which are not those of its shape");
  if (shape.empty()) {
    array.clear();
  } else {
    const Array<double> flat(Shape{size}, std::span<const double>(list));
    array = shape.size() == 1 ? flat
                              : flat.reshape(Shape{std::int64_t(shape[0]), std::int64_t(shape[1])});
  }
}

}  // namespace ebb::inline v0::nn::detail
