// SPDX-License-Identifier: BSD-3-Clause
// Gradients written by hand, one function for each problem by which tools for automatic
// differentiation are compared: plain loops with the functions of the C++ library. The caller owns
// all arrays, row-major, without room past their ends; none of the functions allocates.
#pragma once
#include <cstdint>

namespace limits {

/// log(sum(e^x)) of n numbers and its gradient g, the softmax.
double log_sum_exp(const double* x, double* g, std::int64_t n);

/// sum((s - powers x)^2) / 2 of n points and its gradient g in the m <= 32 coefficients x. `powers`
/// (m, n) has those of each point in a column; n is a multiple of 32.
double least_squares(const double* powers, const double* s, const double* x, double* g,
                     std::int64_t n, std::int64_t m);

/// The sum of the squared distances of n points (n, d) from the nearest of k centres (k, d); its
/// gradient and the diagonal of its Hessian, (k, d) each. `room` has (d + 1) (k + 16) numbers.
double kmeans(const double* points, const double* centres, double* gradient, double* hessian,
              double* room, std::int64_t n, std::int64_t k, std::int64_t d);

/// A mixture of k Gaussians for n points in d dimensions.
struct Mixture {
  std::int64_t n, k, d;
  const double* x;                         ///< the points (n, d)
  const double *alphas, *means, *icf;      ///< (k), (k, d), (k, d + d (d - 1) / 2)
  double gamma, m;                         ///< numbers of the Wishart prior
  double *g_alphas, *g_means, *g_icf;      ///< the gradients
  double *centred, *z, *weights, *scales;  ///< room: (k, d), (k, d), (k), (k, d)
};
/// The part of the log-likelihood that depends on the parameters, and its gradient. A row of `icf`
/// has the logarithms of the diagonal of a lower triangle Q, then what is below it, by columns;
/// Q^T Q is the inverse of the covariance.
double gmm(const Mixture& mixture);

/// A cell for sequences of c characters of b <= 64 bits, in l layers, whose weights are diagonal.
struct DiagonalLstm {
  std::int64_t layers, characters, bits;
  const double* main;        ///< (2 l, 4 b): weights and biases of each layer, f, i, o and g
  const double* extra;       ///< (3, b): the weights of input and output, the bias of the output
  const double* state;       ///< (2 l, b): hidden state and cell of each layer
  const double* sequence;    ///< (c, b)
  double *g_main, *g_extra;  ///< the gradients
  double* steps;             ///< room: c (7 l + 1) b numbers
};
/// The mean over all bits of -bit (y - log(2 + sum(e^y))) for the next character, where y is what
/// the cell makes of the characters so far.
double diagonal_lstm(const DiagonalLstm& lstm);

/// y[n - 1] at 2 after so many steps by Runge and Kutta's rule of order 4, where y starts at 0,
/// y[0]' = x[0] and y[i]' = x[i] y[i - 1]; and its gradient g in x, n <= 32. `room` has 4 n steps
/// numbers.
double ode(const double* x, double* g, double* room, std::int64_t n, std::int64_t steps);

/// What cameras see of points. A camera (11) has a rotation as an axis whose length is the angle,
/// not 0, its centre, its focal length, the principal point, and two radial distortions.
struct Bundle {
  std::int64_t n;                            ///< observations
  const double *cameras, *points;            ///< 11 and 3 numbers each
  const double *weights, *seen;              ///< of each observation: 1 and 2 numbers
  const std::int64_t *camera_of, *point_of;  ///< of each observation
  double* rows;  ///< (n, 2, 15): the derivatives of weight (image - seen) in camera, point, weight
  double* g_weights;  ///< (n): those of 1 - weight^2
};
void bundle(const Bundle& bundle);

/// A hand of five fingers with three bones each, and n points of its skin. Bone b is number b / 5
/// of finger b % 5; a finger has four angles: bending and spreading of its first bone, bending of
/// the others. The rotation of the whole is an axis whose length is the angle, not 0.
struct Hand {
  std::int64_t n;
  const double* theta;           ///< (26): rotation, translation, the angles of each finger
  const double *base, *offsets;  ///< (15, 3, 3), (15, 3): a bone that is not bent, in its parent
  const double* skin;            ///< (15, 4, n): the points in each bone, times its weight; weights
  const double* palm;            ///< (3, n): what does not move
  double* jacobian;  ///< (26, 3, n), of the points that are seen minus those of the skin
  double* room;      ///< 3 n numbers
};
void hand(const Hand& hand);

}  // namespace limits
