// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/tools/plot/figure.hpp"

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::plot {

Matrix::Matrix(std::initializer_list<std::initializer_list<double>> rows) : rows_(rows.size()) {
  std::vector<double> all;
  for (const auto& row : rows) {
    if (row.size() != rows.begin()->size()) {
      throw ShapeError("plot: the rows of a matrix have " + std::to_string(rows.begin()->size()) +
                       " and " + std::to_string(row.size()) + " numbers; make them equally long");
    }
    all.insert(all.end(), row.begin(), row.end());
  }
  columns_ = rows_ ? rows.begin()->size() : 0;
  values_ = Numbers(all);
}

void Matrix::check_rank(int rank) {
  if (rank == 2) return;
  throw ShapeError("plot: a matrix must have 2 axes, not " + std::to_string(rank) + "; reshape it");
}

}  // namespace ebb::inline v0::plot
