// SPDX-License-Identifier: BSD-3-Clause
// Hand tracking: a skinned hand beside points that are seen (Srajer, Kukelova and Fitzgibbon 2018,
// section 4.3).
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace problems {

class Hand {
 public:
  using Y = ebb::Tensor<double>;
  using Doubles = ebb::Array<double>;
  using Index = ebb::Array<std::int64_t>;

  struct Model {
    std::vector<std::int64_t> parents;               ///< -1 for none; a parent is before its bones
    Doubles base_relatives, inverse_base_absolutes;  ///< (bones, 4, 4)
    Doubles base_positions;                          ///< (vertices, 4)
    Doubles weights;                                 ///< (vertices, bones)
    bool is_mirrored;
  };

  /// Points (n, 3) are seen of these vertices, three for each if they are the corners of triangles.
  Hand(const Model& model, Doubles points, const std::vector<std::int64_t>& vertices)
      : points_(std::move(points)), bones_(std::int64_t(model.parents.size())) {
    // Finger f bends by bones 2 + 4 f and the two behind it.
    if (bones_ < 21) {
      throw std::runtime_error("a hand needs 21 bones, not " + std::to_string(bones_));
    }
    relatives_ = model.base_relatives;
    inverses_ = model.inverse_base_absolutes;
    std::vector<std::int64_t> bend(std::size_t(bones_), theta_size), spread = bend;
    for (std::int64_t finger = 0, next = 6; finger < 5; ++finger) {
      for (std::int64_t k = 0; k < 3; ++k) {
        const auto bone = std::size_t(2 + 4 * finger + k);
        bend[bone] = next++;
        if (k == 0) spread[bone] = next++;
      }
    }
    bend_ = index(bend);
    spread_ = index(spread);
    find_generations(model.parents);
    // What the four columns of each bone's transform carry to each vertex that is seen.
    const std::int64_t count = std::int64_t(vertices.size());
    skin_ = Doubles::uninitialized({bones_ * 4, count});
    for (std::int64_t bone = 0; bone < bones_; ++bone) {
      for (std::int64_t k = 0; k < 4; ++k) {
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t v = vertices[std::size_t(i)];
          skin_.mutate()[(bone * 4 + k) * count + i] =
              model.weights(v, bone) * model.base_positions(v, k);
        }
      }
    }
    mirror_ = Doubles({3, 1}, {model.is_mirrored ? -1.0 : 1.0, 1, 1});
  }

  /// The errors (n, 3) of one vertex for each point, for 26 parameters: how the hand is turned,
  /// where it is, and four angles of each finger.
  Y operator()(const Y& theta) const { return points_ - transpose(positions(theta)); }
  /// The errors (n, 3) of places in triangles, by the weights (n, 2) of the first two corners.
  Y operator()(const Y& theta, const Y& us) const {
    const std::int64_t n = points_.shape()[0];
    const auto corners = reshape(transpose(positions(theta)), {n, 3, 3});
    const auto third = 1 - sum(us, ebb::Axes{1}, true);
    return points_ - sum(corners * unsqueeze(ebb::concat({us, third}, 1), 2), ebb::Axes{1});
  }

 private:
  static constexpr std::int64_t theta_size = 26;

  static Index index(const std::vector<std::int64_t>& places) {
    return Index({std::int64_t(places.size())}, places);
  }

  /// Orders the bones by the number of bones before them, so that those of one number are one
  /// product.
  void find_generations(const std::vector<std::int64_t>& parents) {
    std::vector<std::size_t> generation(parents.size());
    std::vector<std::vector<std::int64_t>> members;
    std::vector<std::int64_t> place(parents.size());
    for (std::size_t bone = 0; bone < parents.size(); ++bone) {
      const std::int64_t parent = parents[bone];
      if (parent >= std::int64_t(bone)) throw std::runtime_error("a bone is before its parent");
      generation[bone] = parent < 0 ? 0 : generation[std::size_t(parent)] + 1;
      if (generation[bone] == members.size()) members.emplace_back();
      place[bone] = std::int64_t(members[generation[bone]].size());
      members[generation[bone]].push_back(std::int64_t(bone));
    }
    std::vector<std::int64_t> order(parents.size());
    std::int64_t next = 0;
    for (const auto& bones : members) {
      std::vector<std::int64_t> before;
      for (const std::int64_t bone : bones) {
        order[std::size_t(bone)] = next++;
        const std::int64_t parent = parents[std::size_t(bone)];
        before.push_back(parent < 0 ? 0 : place[std::size_t(parent)]);
      }
      generations_.push_back({index(bones), index(before)});
    }
    order_ = index(order);
  }

  /// The rotations of all bones (bones, 4, 4), first about x and then about z.
  Y turns(const Y& theta) const {
    const auto angles = ebb::concat({theta, Y(Doubles::zeros({1}))});
    const auto x = gather_rows(angles, bend_), z = gather_rows(angles, spread_);
    const auto a = cos(x), b = sin(x), c = cos(z), s = sin(z);
    const Y o = Doubles::zeros({bones_}), one = Doubles::ones({bones_});
    const std::vector<Y> elements{c, -s * a, s * b, o, s, c * a, -c * b, o,  //
                                  o, b,      a,     o, o, o,     o,      one};
    return reshape(ebb::stack(elements, 1), {bones_, 4, 4});
  }
  /// The rotation about an axis (3) whose length is the angle, by Rodrigues: (3, 3).
  static Y rotation(const Y& r) {
    const Y angle = norm(r);
    // As the problem is stated.
    if (angle.item() < 0.0001) return Doubles::eye(3);
    const Y w = r / angle, o = 0.0;
    const std::vector<Y> elements{o, -w[2], w[1], w[2], o, -w[0], -w[1], w[0], o};
    const Y cross = reshape(ebb::stack(elements), {3, 3});
    return cos(angle) * Doubles::eye(3) + sin(angle) * cross + (1 - cos(angle)) * outer(w, w);
  }
  /// The vertices that are seen: (3, n), or three for each.
  Y positions(const Y& theta) const {
    const auto relatives = matmul(relatives_, turns(theta));
    std::vector<Y> absolutes;
    for (const Generation& g : generations_) {
      const auto own = gather_rows(relatives, g.bones);
      absolutes.push_back(
          absolutes.empty() ? own : matmul(gather_rows(absolutes.back(), g.parents), own));
    }
    const auto transforms = matmul(gather_rows(ebb::concat(absolutes), order_), inverses_);
    const auto rows = reshape(transpose(slice(transforms, 1, {0, 3}), {1, 0, 2}), {3, bones_ * 4});
    return matmul(rotation(theta[{0, 3}]), matmul(rows, skin_) * mirror_) +
           reshape(theta[{3, 6}], {3, 1});
  }

  struct Generation {
    Index bones, parents;  ///< parents by their places in the generation before
  };
  Doubles points_, relatives_, inverses_, skin_, mirror_;
  std::int64_t bones_;
  Index bend_, spread_, order_;
  std::vector<Generation> generations_;
};

}  // namespace problems
