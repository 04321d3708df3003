// SPDX-License-Identifier: BSD-3-Clause
// Synthetic data sets, with the parameters that they were made from. Rows are independent draws,
// computed in double and rounded once, so that float and double sets agree. The first rows of a set
// do not depend on the number of rows. Noise is the standard deviation of normal numbers that are
// added; with noise 0 all other draws are the same. Row i is of class i modulo the number of
// classes.
#pragma once
#include <vector>

#include "ebb/data/sets/dataset.hpp"

namespace ebb::inline v0::data {

/// Inputs and targets of a linear model, and its parameters, which have the shapes of
/// `nn::Linear(d, 1)`. Destructures: `auto [x, y, weight, bias] = make_linear<double>(100)`.
template <Real T>
struct LinearSet {
  Array<T> x;       ///< (n, d)
  Array<T> y;       ///< (n, 1)
  Array<T> weight;  ///< (1, d)
  Array<T> bias;    ///< (1,)
};

struct LinearSetOptions {
  std::int64_t features = 1;  ///< d
  double noise = 0.1;         ///< standard deviation of the noise on y
  std::uint64_t seed = 0;     ///< seed of all draws
};

/// Draws y = x weight^T + bias + noise, with standard normal x, weight and bias.
/// @throws ArgumentError for less than one row or feature, and for noise that is negative or not
/// finite.
template <Real T>
EBB_API LinearSet<T> make_linear(std::int64_t n, LinearSetOptions options = {});

struct LogisticSetOptions {
  std::int64_t features = 2;  ///< d
  double scale = 1;           ///< standard deviation of the parameters: the larger, the surer y
  std::uint64_t seed = 0;     ///< seed of all draws
};

/// Draws y, which is 1 with probability sigmoid(x weight^T + bias) and otherwise 0, as
/// `bce_with_logits` expects. x is standard normal; the parameters are normal with mean 0.
/// @throws ArgumentError for less than one row or feature, and for a scale that is negative or not
/// finite.
template <Real T>
EBB_API LinearSet<T> make_logistic(std::int64_t n, LogisticSetOptions options = {});

/// Points around centers, and the class of each point. Destructures: `auto [x, y, centers] =
/// make_blobs<double>(100)`.
template <Real T>
struct BlobsSet {
  Array<T> x;             ///< (n, d)
  Array<std::int64_t> y;  ///< (n,), the row of each point's center in `centers`
  Array<T> centers;       ///< (classes, d)
};

struct BlobsOptions {
  std::int64_t classes = 3;   ///< the number of centers
  std::int64_t features = 2;  ///< d
  double box = 10;            ///< centers are uniform in [-box, box) along each axis
  double spread = 1;          ///< standard deviation of the points around them, along each axis
  std::uint64_t seed = 0;     ///< seed of all draws
};

/// Draws normal clouds of points around random centers, in turns, so that their sizes differ by at
/// most one.
/// @throws ArgumentError for sizes below 1, and for a box or a spread that is negative or not
/// finite.
template <Real T>
EBB_API BlobsSet<T> make_blobs(std::int64_t n, BlobsOptions options = {});

struct MoonsOptions {
  double noise = 0.1;      ///< standard deviation of the noise on both coordinates
  std::uint64_t seed = 0;  ///< seed of all draws
};

/// Draws two interleaved half circles, x (n, 2), y (n,): (cos t, sin t) in class 0, and (1 - cos t,
/// 1/2 - sin t) in class 1, with t uniform in [0, pi), plus noise.
/// @throws ArgumentError for less than one row, and for noise that is negative or not finite.
template <Real T>
EBB_API TensorDataset<T, std::int64_t> make_moons(std::int64_t n, MoonsOptions options = {});

struct CirclesOptions {
  double factor = 0.5;     ///< the radius of the inner circle, inside (0, 1)
  double noise = 0.05;     ///< standard deviation of the noise on both coordinates
  std::uint64_t seed = 0;  ///< seed of all draws
};

/// Draws two circles around the origin, x (n, 2), y (n,): radius 1 in class 0, radius `factor` in
/// class 1, with uniform angles, plus noise.
/// @throws ArgumentError for less than one row, a factor outside of (0, 1), and noise that is
/// negative or not finite.
template <Real T>
EBB_API TensorDataset<T, std::int64_t> make_circles(std::int64_t n, CirclesOptions options = {});

struct SpiralsOptions {
  std::int64_t classes = 2;  ///< the number of arms
  double turns = 1.5;        ///< turns of each arm from the origin to radius 1
  double noise = 0.02;       ///< standard deviation of the noise on both coordinates
  std::uint64_t seed = 0;    ///< seed of all draws
};

/// Draws arms of Archimedean spirals, x (n, 2), y (n,): r (cos a, sin a) with the angle a = 2 pi
/// (turns r + class / classes), plus noise. r^2 is uniform in [0.01, 1), so that the density of the
/// points is about the same along an arm, and no arm reaches the origin, where all arms would meet.
/// @throws ArgumentError for less than one row or class, and for turns or noise that are negative
/// or not finite.
template <Real T>
EBB_API TensorDataset<T, std::int64_t> make_spirals(std::int64_t n, SpiralsOptions options = {});

/// Inputs and targets of a linear model with few weights that are not 0. Destructures: `auto [x, y,
/// weight, support] = make_sparse_regression<double>(100)`.
template <Real T>
struct SparseSet {
  Array<T> x;                         ///< (n, d)
  Array<T> y;                         ///< (n, 1)
  Array<T> weight;                    ///< (1, d)
  std::vector<std::int64_t> support;  ///< the positions of the weights that are not 0, ascending
};

struct SparseSetOptions {
  std::int64_t features = 100;   ///< d
  std::int64_t informative = 5;  ///< the number of weights that are not 0
  double noise = 0.1;            ///< standard deviation of the noise on y
  std::uint64_t seed = 0;        ///< seed of all draws
};

/// Draws y = x weight^T + noise, with standard normal x. The absolute value of a weight that is not
/// 0 is uniform in [1, 2), so that noise below 1 cannot hide it; its sign is random.
/// @throws ArgumentError for less than one row or feature, more informative weights than features,
/// and noise that is negative or not finite.
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
  double noise = 0.01;     ///< standard deviation of the noise on y
  std::uint64_t seed = 0;  ///< seed of all draws
};

/// Draws y = x weight^T + noise, where x is the Vandermonde matrix of t uniform in [0, 1) and the
/// weights are standard normal. As n grows, x^T x / n converges to the Hilbert matrix 1 / (i + j +
/// 1), whose condition number grows as e^(3.5 degree) (Todd 1954, "The condition of the finite
/// segments of the Hilbert matrix"), so that gradient descent on the powers is very slow.
/// @throws ArgumentError for less than one row, a negative degree, and noise that is negative or
/// not finite.
template <Real T>
EBB_API PolynomialSet<T> make_ill_conditioned_polynomial(std::int64_t n, std::int64_t degree,
                                                         PolynomialSetOptions options = {});

}  // namespace ebb::inline v0::data
