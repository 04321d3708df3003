// SPDX-License-Identifier: BSD-3-Clause
// ba, ht, kmeans and det: Jacobians of many results, a Hessian, and a determinant.
#include <stdexcept>

#include "ebb/autodiff/derivatives.hpp"
#include "problems/bundle.hpp"
#include "problems/clusters.hpp"
#include "problems/hand.hpp"
#include "problems/minors.hpp"
#include "protocol.hpp"

namespace gradbench {
namespace {

using Y = ebb::Tensor<double>;
using Doubles = ebb::Array<double>;
using Index = ebb::Array<std::int64_t>;

/// `count` times the numbers of a list.
Doubles repeated(const Json& input, const char* name, std::int64_t count, std::int64_t size) {
  const Doubles x = read_vector(input, name);
  if (x.size() != size) {
    throw std::runtime_error("\"" + std::string(name) + "\" has " + std::to_string(x.size()) +
                             " numbers; it needs " + std::to_string(size));
  }
  return broadcast_to(x, {count, size}).array();
}
/// 0, 1, ..., size - 1, 0, ...
Index in_turn(std::int64_t count, std::int64_t size) {
  if (size < 1) throw std::runtime_error("there is no camera, or no point");
  auto index = Index::uninitialized({count});
  for (std::int64_t i = 0; i < count; ++i) index.mutate()[i] = i % size;
  return index;
}

problems::Bundle read_bundle(const Json& input) {
  const std::int64_t n = read_count(input, "n"), m = read_count(input, "m"),
                     p = read_count(input, "p");
  return {repeated(input, "cam", n, 11),
          repeated(input, "x", m, 3),
          Doubles::full({p}, input.at("w").get<double>()),
          transpose(repeated(input, "feat", p, 2)).array(),
          in_turn(p, n),
          in_turn(p, m)};
}

struct Sparse {
  Index rows, columns;  ///< compressed sparse rows
  Y values;
};

/// The Jacobian of 2 p errors and p weights, whose columns are the cameras, the points and the
/// weights.
Sparse jacobian_of(const problems::Bundle& b) {
  constexpr std::int64_t width = 15;
  const std::int64_t p = b.weights.size(), cameras = b.cameras.size(), points = b.points.size();
  auto parts = b.jacobian();
  const Y of_weights = parts.back();
  parts.pop_back();
  Sparse sparse{Index::uninitialized({3 * p + 1}), Index::uninitialized({31 * p}),
                ebb::concat({reshape(ebb::stack(parts, 1), {-1}), of_weights})};
  std::int64_t* row = sparse.rows.mutate();
  std::int64_t* column = sparse.columns.mutate();
  for (std::int64_t i = 0; i < 3 * p; ++i) row[i] = i < 2 * p ? width * i : 30 * p + i - 2 * p;
  row[3 * p] = 31 * p;
  for (std::int64_t i = 0; i < 2 * p; ++i) {
    const std::int64_t of = i / 2;
    for (std::int64_t k = 0; k < 11; ++k) *column++ = 11 * b.camera_of[of] + k;
    for (std::int64_t k = 0; k < 3; ++k) *column++ = cameras + 3 * b.point_of[of] + k;
    *column++ = cameras + points + of;
  }
  for (std::int64_t i = 0; i < p; ++i) *column++ = cameras + points + i;
  return sparse;
}

/// The first 30 numbers of a list, and the last: those of other observations repeat them.
template <class T>
Json abridged(const T* from, std::int64_t size) {
  Json list = Json::array();
  for (std::int64_t i = 0; i < 30; ++i) list.push_back(from[i]);
  list.push_back(from[size - 1]);
  return list;
}

struct Tracking {
  problems::Hand hand;
  Doubles theta, us;
};

Tracking read_tracking(const Json& input) {
  const Json &data = input.at("data"), &model = data.at("model");
  const Doubles us = read_matrix(input, "us", 2);
  const std::int64_t vertices = std::int64_t(model.at("base_positions").size());
  std::vector<std::int64_t> seen;
  for (const std::int64_t i : read_counts(data, "correspondences")) {
    if (us.empty() || us.size() == 0) {
      seen.push_back(i);
    } else {
      for (const Json& corner : model.at("triangles").at(std::size_t(i))) seen.push_back(corner);
    }
  }
  for (const std::int64_t vertex : seen) {
    if (vertex < 0 || vertex >= vertices) {
      throw std::runtime_error("vertex " + std::to_string(vertex) + " of " +
                               std::to_string(vertices));
    }
  }
  return {problems::Hand(
              {read_counts(model, "parents"), read_matrices(model, "base_relatives"),
               read_matrices(model, "inverse_base_absolutes"), read_matrix(model, "base_positions"),
               read_matrix(model, "weights"), model.at("is_mirrored").get<bool>()},
              read_matrix(data, "points"), seen),
          read_vector(input, "theta"), us};
}
Y errors_of(const Tracking& t) {
  return t.us.size() == 0 ? t.hand(t.theta) : t.hand(t.theta, t.us);
}
/// The derivatives (n, 3, 26) by theta; before them (n, 3, 2) those by the numbers of a point's own
/// triangle.
Y jacobian_of(const Tracking& t) {
  if (t.us.size() == 0) return jacobian([&](const Y& theta) { return t.hand(theta); }, t.theta);
  const Y by_theta = jacobian([&](const Y& theta) { return t.hand(theta, t.us); }, t.theta);
  // No two points share a number, so that the derivatives of their sum are those of each.
  std::vector<Y> by_us;
  for (int axis = 0; axis < 3; ++axis) {
    by_us.push_back(gradient(
        [&](const Y& us) { return sum(unbind(t.hand(t.theta, us), 1)[std::size_t(axis)]); }, t.us));
  }
  return ebb::concat({ebb::stack(by_us, 1), by_theta}, 2);
}

}  // namespace

Module ba() {
  return {{"objective",
           [](const Json& input) {
             const auto b = read_bundle(input);
             const auto run = [b] {
               auto all = b.errors();
               all.push_back(1 - square(b.weights));
               return all;
             };
             return call(run, [](const std::vector<Y>& e) {
               const std::int64_t p = e[0].size();
               return Json{{"reproj_error",
                            {{"elements", {e[0].data()[0], e[1].data()[0]}}, {"repeated", p}}},
                           {"w_err", {{"element", e[2].data()[0]}, {"repeated", p}}}};
             });
           }},
          {"jacobian", [](const Json& input) {
             const auto b = read_bundle(input);
             return call([b] { return jacobian_of(b); },
                         [](const Sparse& j) {
                           return Json{{"rows", abridged(j.rows.data(), j.rows.size())},
                                       {"cols", abridged(j.columns.data(), j.columns.size())},
                                       {"vals", abridged(j.values.data(), j.values.size())}};
                         });
           }}};
}

Module ht() {
  return {{"objective",
           [](const Json& input) {
             const auto t = read_tracking(input);
             return call([t] { return errors_of(t); },
                         [](const Y& e) { return write_array(reshape(e, {-1})); });
           }},
          {"jacobian", [](const Json& input) {
             const auto t = read_tracking(input);
             return call([t] { return jacobian_of(t); },
                         [](const Y& j) {
                           return write_array(reshape(j, {-1, j.shape()[2]}));
                         });
           }}};
}

Module kmeans() {
  return {{"cost",
           [](const Json& input) {
             const problems::Clusters of{read_matrix(input, "points")};
             const auto centres = read_matrix(input, "centroids");
             return call([=] { return of.cost(centres)(Y(centres)); }, write_array);
           }},
          {"dir", [](const Json& input) {
             const problems::Clusters of{read_matrix(input, "points")};
             const auto centres = read_matrix(input, "centroids");
             const auto run = [=] {
               const auto step = of.step(centres);
               return step.gradient / step.hessian;
             };
             return call(run, write_array);
           }}};
}

Module det() {
  const auto read = [](const Json& input) {
    const std::int64_t n = read_count(input, "ell");
    if (n < 1 || n > 20) throw std::runtime_error("\"ell\" is not in 1 to 20");
    return std::pair(problems::Minors(int(n)), reshape(read_vector(input, "A"), {n, n}).array());
  };
  return {{"primal",
           [=](const Json& input) {
             const auto p = read(input);
             return call([p] { return p.first(p.second); }, write_array);
           }},
          {"gradient", [=](const Json& input) {
             const auto p = read(input);
             return call([p] { return ebb::gradient(p.first, p.second); },
                         [](const Y& g) { return write_array(reshape(g, {-1})); });
           }}};
}

}  // namespace gradbench
