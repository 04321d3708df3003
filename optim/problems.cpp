// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/problems.hpp"

#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::optim::problems {

Array<double> Quadratic::matrix() const {
  if (size < 1 || !(condition >= 1)) {
    throw ArgumentError("Quadratic: size and condition must be at least 1, not " +
                        std::to_string(size) + " and " + detail::to_text(condition));
  }
  // H D H with the reflection H = 1 - tilt v v^T, v = (2, 1, ..., 1), tilt = 2 / |v|^2. With v of
  // equal elements it would only swap the axes of a plane.
  auto a = Array<double>::uninitialized({size, size});
  double* const to = a.mutate();
  const auto eigenvalue = [&](std::int64_t i) {
    return size == 1 ? 1 : std::pow(condition, -double(i) / double(size - 1));
  };
  const auto v = [](std::int64_t i) { return i == 0 ? 2.0 : 1.0; };
  const double tilt = 2 / double(size + 3);
  double total = 0;
  for (std::int64_t i = 0; i < size; ++i) total += v(i) * v(i) * eigenvalue(i);
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t j = 0; j < size; ++j) {
      to[i * size + j] = (i == j ? eigenvalue(i) : 0) +
                         v(i) * v(j) * tilt * (tilt * total - eigenvalue(i) - eigenvalue(j));
    }
  }
  return a;
}

Array<double> Logistic::features() const {
  Stream stream(1);
  auto x = Array<double>::uninitialized({rows, size});
  double* const to = x.mutate();
  for (std::int64_t i = 0; i < x.size(); ++i) to[i] = stream.normal();
  return x;
}

Array<double> Logistic::labels() const {
  const auto x = features();
  Stream stream(2);
  auto y = Array<double>::uninitialized({rows});
  double* const to = y.mutate();
  for (std::int64_t i = 0; i < rows; ++i) {
    double z = 0;
    for (std::int64_t k = 0; k < size; ++k) z += x[i * size + k] * (k % 2 == 0 ? 2 : -1.5);
    to[i] = stream.uniform() < 1 / (1 + std::exp(-z)) ? 1 : 0;
  }
  return y;
}

}  // namespace ebb::inline v0::optim::problems
