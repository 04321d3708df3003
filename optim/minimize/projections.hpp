// SPDX-License-Identifier: BSD-3-Clause
// Sets to project on, penalties with a proximal operator, and the methods for them.
#pragma once
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "ebb/optim/minimize/run.hpp"

namespace ebb::inline v0::optim {

/// Moves a point to the nearest point of a closed convex set.
using Projection = std::function<void(std::span<double> x)>;

/// x >= 0.
struct EBB_API NonNegative {
  void operator()(std::span<double> x) const;
};
/// low <= x <= high, element by element; a list of one number is for all.
struct EBB_API Box {
  std::vector<double> low = {-std::numeric_limits<double>::infinity()};
  std::vector<double> high = {std::numeric_limits<double>::infinity()};
  void operator()(std::span<double> x) const;
};
/// |x| <= radius in the euclidean norm.
struct EBB_API Ball {
  double radius = 1;  ///< at least 0
  void operator()(std::span<double> x) const;
};
/// |x_1| + |x_2| + ... <= radius (Duchi et al. 2008).
struct EBB_API L1Ball {
  double radius = 1;  ///< at least 0
  void operator()(std::span<double> x) const;
};
/// x >= 0 and x_1 + x_2 + ... = sum (Held, Wolfe and Crowder 1974).
struct EBB_API Simplex {
  double sum = 1;  ///< above 0
  void operator()(std::span<double> x) const;
};

/// A convex penalty that is added to the function, by its value and its proximal operator: the x
/// that minimises penalty(x) + |x - z|^2 / (2 step).
struct Penalty {
  std::function<double(std::span<const double> x)> value;
  std::function<void(std::span<double> z, double step)> prox;
};
/// weight (|x_1| + |x_2| + ...).
EBB_API Penalty l1_penalty(double weight);
/// l1 (|x_1| + ...) + l2 / 2 (x_1^2 + ...).
EBB_API Penalty elastic_net_penalty(double l1, double l2);
/// weight times the sum of the euclidean norms of groups of `size` elements that follow one
/// another.
EBB_API Penalty group_penalty(double weight, std::int64_t size);
/// weight times the sum of the singular values of x as a matrix (rows, columns).
EBB_API Penalty nuclear_penalty(double weight, std::int64_t rows, std::int64_t columns);

/// Along the negative gradient, back to the set after every step: spectral projected gradient
/// (Birgin, Martinez and Raydan 2000), whose steps are those of Barzilai and Borwein.
struct ProjectedGradient {
  Projection onto = {};  ///< the set, which must be given
};

/// f(x) + penalty(x): x <- prox(x - step g, step). Accelerated (Beck and Teboulle 2009, FISTA),
/// with a restart where the momentum points up (O'Donoghue and Candes 2015).
struct ProximalGradient {
  Penalty penalty = {};
  double first = 1;        ///< above 0: the first step; it is halved where it is too long
  bool accelerate = true;  ///< FISTA; ISTA without it
  bool restart = true;
};

namespace detail {

Point descend(const ProjectedGradient& method, Run& run);
Point descend(const ProximalGradient& method, Run& run);

}  // namespace detail
}  // namespace ebb::inline v0::optim
