// SPDX-License-Identifier: BSD-3-Clause
// Hand tracking: a skinned hand beside points that are seen. A simpler hand than ADBench's, with
// the same 26 parameters.
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace bench {
namespace {

using Y = ebb::Tensor<double>;

/// Matrices (n, 3, 3) of their nine elements, (n) each.
Y matrices(const std::vector<Y>& elements) { return reshape(ebb::stack(elements, 1), {-1, 3, 3}); }
/// Rotations about x and z by angles (5).
Y bend(const Y& angle) {
  const Y o = Doubles::zeros({5}), one = Doubles::ones({5}), c = cos(angle), s = sin(angle);
  return matrices({one, o, o, o, c, -s, o, s, c});
}
Y spread(const Y& angle) {
  const Y o = Doubles::zeros({5}), one = Doubles::ones({5}), c = cos(angle), s = sin(angle);
  return matrices({c, -s, o, s, c, o, o, o, one});
}
/// The rotation about an axis (3) whose length is the angle, by Rodrigues.
Y rotation(const Y& r) {
  const Y angle = norm(r), o = 0.0;
  const Y x = r[0], y = r[1], z = r[2];
  const Y cross = matrices({reshape(o, {1}), reshape(-z, {1}), reshape(y, {1}), reshape(z, {1}),
                            reshape(o, {1}), reshape(-x, {1}), reshape(-y, {1}), reshape(x, {1}),
                            reshape(o, {1})})[0];
  return cos(angle) * Doubles::eye(3) + sin(angle) / angle * cross +
         (1 - cos(angle)) / square(angle) * outer(r, r);
}

struct Hand {
  std::int64_t n;
  Doubles base, offsets;  ///< (3, 5, 3, 3), (3, 5, 3, 1): bones by their number in each finger
  Doubles skin, palm;     ///< (60, n), (3, n)
  Doubles seen;           ///< (3, n)

  Y operator()(const Y& theta) const {
    const Y angles = transpose(reshape(theta[{6, 26}], {5, 4}));
    std::vector<Y> bones;
    Y whole, offset;
    for (std::int64_t k = 0; k < 3; ++k) {
      const Y turned = k == 0 ? matmul(spread(angles[1]), bend(angles[0])) : bend(angles[k + 1]);
      const Y own = matmul(Y(base)[k], turned);
      offset = k == 0 ? Y(offsets)[0] : offset + matmul(whole, Y(offsets)[k]);
      whole = k == 0 ? own : matmul(whole, own);
      bones.push_back(ebb::concat({whole, offset}, 2));
    }
    // All bones side by side (3, 60), times what they carry.
    const Y all = reshape(transpose(ebb::concat(bones), {1, 0, 2}), {3, 60});
    const Y skinned = matmul(all, skin) + palm;
    return seen - matmul(rotation(theta[{0, 3}]), skinned) - reshape(theta[{3, 6}], {3, 1});
  }
};

// Counts the Jacobian (3, n, 26), by hand (26, 3, n).
Sides hand(std::int64_t n) {
  ebb::Stream stream(8);
  const Doubles theta = uniform({26}, stream, 0.1, 0.6);
  const auto p = std::make_shared<Hand>(
      Hand{n, uniform({3, 5, 3, 3}, stream), uniform({3, 5, 3, 1}, stream),
           uniform({60, n}, stream), uniform({3, n}, stream), uniform({3, n}, stream)});
  auto room = std::make_shared<Room>(std::size_t(81 * n));
  const limits::Hand by_hand{n,
                             theta.data(),
                             p->base.data(),
                             p->offsets.data(),
                             p->skin.data(),
                             p->palm.data(),
                             room->data(),
                             room->data() + 78 * n};
  const auto ours = [=] { return ebb::jacobian(*p, theta); };
  const auto limit = [by_hand, room] { limits::hand(by_hand); };
  limit();
  expect_equal("the Jacobian of a hand", transpose(ours(), {2, 0, 1}), by_hand.jacobian);
  return {[=] { keep(ours()); },
          [limit, room] {
            limit();
            keep(*room);
          }};
}

}  // namespace

void add_hand(std::vector<Case>& cases) {
  // A Jacobian of more results than arguments takes a direction for each argument.
  cases.push_back(versus("ad/ht/100_points/f64", "us", 1.25, [] { return hand(100); }));
}

}  // namespace bench
