// SPDX-License-Identifier: BSD-3-Clause
// Data sets that are made up, with what they were made from. Rows are independent draws, computed
// in double and rounded once, so that float and double hold the same; the first rows of a set are
// the set of fewer rows. Noise is the standard deviation of normal numbers that are added, and 0
// leaves all other draws as they are. Classes take turns from row to row: row i is of class i
// modulo their number.
#pragma once
#include <vector>

#include "ebb/data/sets/dataset.hpp"

namespace ebb::inline v0::data {

/// Inputs and targets of a linear model, and its parameters, shaped as those of `nn::Linear(d, 1)`.
/// Destructures: `auto [x, y, weight, bias] = make_linear<double>(100)`.
template <Real T>
struct LinearSet {
  Array<T> x;       ///< (n, d)
  Array<T> y;       ///< (n, 1)
  Array<T> weight;  ///< (1, d)
  Array<T> bias;    ///< (1,)
};

struct LinearSetOptions {
  std::int64_t features = 1;  ///< d
  double noise = 0.1;         ///< on y
  std::uint64_t seed = 0;     ///< of everything
};

/// y = x weight^T + bias + noise, with standard normal x, weight and bias.
/// @throws ArgumentError for less than one row or feature, and a noise that is negative or not
/// finite; so do all functions below for what they are given.
template <Real T>
EBB_API LinearSet<T> make_linear(std::int64_t n, LinearSetOptions options = {});

struct LogisticSetOptions {
  std::int64_t features = 2;  ///< d
  double scale = 1;           ///< standard deviation of the parameters: the larger, the surer y
  std::uint64_t seed = 0;     ///< of everything
};

/// y is 1 with probability sigmoid(x weight^T + bias) and otherwise 0, as `bce_with_logits` takes
/// it, with standard normal x, and parameters that are normal with mean 0.
template <Real T>
EBB_API LinearSet<T> make_logistic(std::int64_t n, LogisticSetOptions options = {});

/// Points around centers. Destructures: `auto [x, y, centers] = make_blobs<double>(100)`.
template <Real T>
struct BlobsSet {
  Array<T> x;             ///< (n, d)
  Array<std::int64_t> y;  ///< (n,), each the row of its center
  Array<T> centers;       ///< (classes, d)
};

struct BlobsOptions {
  std::int64_t classes = 3;   ///< how many centers
  std::int64_t features = 2;  ///< d
  double box = 10;            ///< centers are uniform in [-box, box) along each axis
  double spread = 1;          ///< standard deviation of the points around them, along each axis
  std::uint64_t seed = 0;     ///< of everything
};

/// Normal clouds of equal size around random centers.
template <Real T>
EBB_API BlobsSet<T> make_blobs(std::int64_t n, BlobsOptions options = {});

struct MoonsOptions {
  double noise = 0.1;      ///< on both coordinates
  std::uint64_t seed = 0;  ///< of everything
};

/// Two half circles that reach into each other, x (n, 2), y (n,): (cos t, sin t) in class 0, and
/// (1 - cos t, 1/2 - sin t) in class 1, with t uniform in [0, pi), plus noise.
template <Real T>
EBB_API TensorDataset<T, std::int64_t> make_moons(std::int64_t n, MoonsOptions options = {});

struct CirclesOptions {
  double factor = 0.5;     ///< the radius of the inner circle, inside (0, 1)
  double noise = 0.05;     ///< on both coordinates
  std::uint64_t seed = 0;  ///< of everything
};

/// Two circles around the origin, x (n, 2), y (n,): of radius 1 in class 0, of `factor` in class 1,
/// with uniform angles, plus noise.
template <Real T>
EBB_API TensorDataset<T, std::int64_t> make_circles(std::int64_t n, CirclesOptions options = {});

struct SpiralsOptions {
  std::int64_t classes = 2;  ///< how many arms
  double turns = 1.5;        ///< of each arm from the origin to radius 1
  double noise = 0.02;       ///< on both coordinates
  std::uint64_t seed = 0;    ///< of everything
};

/// Arms of Archimedean spirals, x (n, 2), y (n,): r (cos a, sin a) with the angle a = 2 pi (turns r
/// + class / classes), plus noise. r^2 is uniform in [0.01, 1), so that the points are about as
/// dense along the whole arm and no arm begins in the origin, where all meet.
template <Real T>
EBB_API TensorDataset<T, std::int64_t> make_spirals(std::int64_t n, SpiralsOptions options = {});

/// Inputs and targets of a linear model with few weights that are not 0. Destructures: `auto [x, y,
/// weight, support] = make_sparse_regression<double>(100)`.
template <Real T>
struct SparseSet {
  Array<T> x;                         ///< (n, d)
  Array<T> y;                         ///< (n, 1)
  Array<T> weight;                    ///< (1, d)
  std::vector<std::int64_t> support;  ///< where the weights are not 0, ascending
};

struct SparseSetOptions {
  std::int64_t features = 100;   ///< d
  std::int64_t informative = 5;  ///< how many weights are not 0
  double noise = 0.1;            ///< on y
  std::uint64_t seed = 0;        ///< of everything
};

/// y = x weight^T + noise, with standard normal x. Where a weight is not 0, its size is uniform in
/// [1, 2), so that noise of less than that cannot hide it, and its sign is random.
template <Real T>
EBB_API SparseSet<T> make_sparse_regression(std::int64_t n, SparseSetOptions options = {});

/// Powers of a variable, and a polynomial in it. Destructures: `auto [x, y, weight] = ...`.
template <Real T>
struct PolynomialSet {
  Array<T> x;       ///< (n, degree + 1): the powers t^0, t^1, ..., t^degree
  Array<T> y;       ///< (n, 1)
  Array<T> weight;  ///< (1, degree + 1)
};

struct PolynomialSetOptions {
  double noise = 0.01;     ///< on y
  std::uint64_t seed = 0;  ///< of everything
};

/// y = x weight^T + noise, where x is the Vandermonde matrix of t uniform in [0, 1) and the weights
/// are standard normal. As n grows, x^T x / n becomes the Hilbert matrix 1 / (i + j + 1), whose
/// condition number grows as e^(3.5 degree) (Todd 1954, "The condition of the finite segments of
/// the Hilbert matrix"): gradient descent on raw powers crawls.
template <Real T>
EBB_API PolynomialSet<T> make_ill_conditioned_polynomial(std::int64_t n, std::int64_t degree,
                                                         PolynomialSetOptions options = {});

}  // namespace ebb::inline v0::data
