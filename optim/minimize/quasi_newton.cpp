// SPDX-License-Identifier: BSD-3-Clause
// Methods that learn the curvature from changes of the gradient.
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/minimize/methods.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

/// The loop that both share. `direction(g, d)` sets d to minus the approximate inverse Hessian
/// times g, `learn(from, to)` takes in a change if it can, and `forget()` starts anew.
/// `keep(place)` is called before each report.
struct Place {
  Point at;
  double length = 0;  ///< of the step that led to it
  bool knows_curvature = false;
};
template <class Direction, class Learn, class Forget, class Keep>
Point quasi_newton(const Wolfe& search, Run& run, Place place, const Direction& direction,
                   const Learn& learn, const Forget& forget, const Keep& keep) {
  check_search(search);
  auto& [at, length, knows_curvature] = place;
  Point next;
  Vector d;
  double size = norm(at.gradient);
  const auto goes_on = [&] {
    keep(place);
    return run.goes_on(place.at, size, place.length);
  };
  while (goes_on()) {
    direction(at.gradient, d);
    // The first step has no scale; later ones have length 1.
    const double first = search.first / std::fmax(1, size);
    length = line_search(search, run, at, d, knows_curvature ? search.first : first, next);
    if (length == 0 && knows_curvature) {
      forget();
      knows_curvature = false;
      d = times(-1, at.gradient);
      length = line_search(search, run, at, d, first, next);
    }
    if (length == 0) {
      run.end(Reason::line_search);
      break;
    }
    if (learn(at, next)) knows_curvature = true;
    std::swap(at, next);
    size = norm(at.gradient);
  }
  return std::move(at);
}

}  // namespace

Point descend(const BFGS& method, Run& run) {
  Vector inverse;  // (n, n), row by row; empty for a multiple of 1 that is not known yet
  Change change;
  return quasi_newton(
      method.search, run, {run.start()},
      [&](const Vector& g, Vector& d) { d = times(-1, inverse.empty() ? g : product(inverse, g)); },
      [&](const Point& from, const Point& to) {
        change.set(from.x, from.gradient, to.x, to.gradient);
        if (!change.has_curvature()) return false;
        const auto& [s, y, ss, sy, yy] = change;
        const std::size_t n = s.size();
        if (inverse.empty()) {
          inverse.assign(n * n, 0);
          for (std::size_t i = 0; i < n; ++i) inverse[i * n + i] = sy / yy;
        }
        // H <- (1 - s y^T / sy) H (1 - y s^T / sy) + s s^T / sy.
        const Vector hy = product(inverse, y);
        const double factor = (1 + dot(y, hy) / sy) / sy;
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            inverse[i * n + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
          }
        }
        return true;
      },
      [&] { inverse.clear(); }, [](const Place&) {});
}

Point descend(const LBFGS& method, Run& run) {
  if (method.history < 1) {
    throw ArgumentError("LBFGS: history must be at least 1, not " + std::to_string(method.history));
  }
  LBFGSMemory own;
  LBFGSMemory& memory = method.memory ? *method.memory : own;
  std::vector<Change>& pairs = memory.pairs_;  // the oldest first
  Place place;
  if (memory.empty()) {
    place.at = run.start();
  } else {
    const std::size_t size = run.start_x().size();
    if (memory.x_.size() != size) {
      throw ArgumentError("LBFGS: the memory is of a minimisation over " +
                          std::to_string(memory.x_.size()) + " numbers, and the start has " +
                          std::to_string(size) + "; clear() it to begin anew");
    }
    place = {{memory.x_, memory.value_, memory.gradient_}, memory.length_, memory.knows_curvature_};
    // Rounding may differ from machine to machine, and no more than that.
    const double value = run.value(memory.x_);
    const double near = 1e4 * run.objective().epsilon() * std::fmax(1, std::abs(memory.value_));
    if (!(std::abs(value - memory.value_) <= near)) {
      throw ArgumentError("LBFGS: the function is " + ebb::detail::to_text(value) +
                          " at the point of the memory, which says " +
                          ebb::detail::to_text(memory.value_) +
                          ": it is that of another function; clear() it to begin anew");
    }
    run.resume(memory.iterations_, memory.values_, memory.gradients_);
    while (std::int64_t(pairs.size()) > method.history) pairs.erase(pairs.begin());
  }
  bool has_begun = false;
  Change fresh;
  Vector weights;
  return quasi_newton(
      method.search, run, std::move(place),
      // Each loop adds one pair and takes the product with the next in one pass over d.
      [&](const Vector& g, Vector& d) {
        d.resize(g.size());
        for (std::size_t i = 0; i < d.size(); ++i) d[i] = -g[i];
        if (pairs.empty()) return;
        weights.resize(pairs.size());
        double along = dot(pairs.back().s, d);
        for (std::size_t i = pairs.size(); i-- > 0;) {
          weights[i] = along / pairs[i].sy;
          along = add_and_dot(d, -weights[i], pairs[i].y, i > 0 ? pairs[i - 1].s : pairs[0].y);
        }
        const double scale = pairs.back().sy / pairs.back().yy;
        for (double& e : d) e *= scale;
        along *= scale;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
          const Vector& next = pairs[std::min(i + 1, pairs.size() - 1)].y;
          along = add_and_dot(d, weights[i] - along / pairs[i].sy, pairs[i].s, next);
        }
      },
      [&](const Point& from, const Point& to) {
        fresh.set(from.x, from.gradient, to.x, to.gradient);
        if (!fresh.has_curvature()) return false;
        if (std::int64_t(pairs.size()) < method.history) {
          pairs.push_back(std::exchange(fresh, {}));
        } else {  // the oldest pair gives its memory to the next one
          std::rotate(pairs.begin(), pairs.begin() + 1, pairs.end());
          std::swap(pairs.back(), fresh);
        }
        return true;
      },
      [&] { pairs.clear(); },
      [&](const Place& now) {
        if (!method.memory) return;
        memory.x_ = now.at.x;
        memory.gradient_ = now.at.gradient;
        memory.value_ = now.at.value;
        memory.length_ = now.length;
        memory.knows_curvature_ = now.knows_curvature;
        // The run counts an iteration where it is asked whether it goes on.
        memory.iterations_ = run.iterations() + (has_begun ? 1 : 0);
        memory.values_ = run.values();
        memory.gradients_ = run.gradients();
        has_begun = true;
      });
}

}  // namespace ebb::inline v0::optim::detail

namespace ebb::inline v0::optim {

Array<double> LBFGSMemory::x() const {
  return Array<double>(Shape{std::int64_t(x_.size())}, std::span<const double>(x_));
}

void LBFGSMemory::each(Fields& field) {
  using List = std::vector<double>;
  std::vector<List> s, y, products;
  for (const detail::Change& pair : pairs_) {
    s.emplace_back(pair.s.begin(), pair.s.end());
    y.emplace_back(pair.y.begin(), pair.y.end());
    products.push_back({pair.ss, pair.sy, pair.yy});
  }
  List x(x_.begin(), x_.end()), gradient(gradient_.begin(), gradient_.end());
  field("x", x);
  field("gradient", gradient);
  field("value", value_);
  field("length", length_);
  field("knows_curvature", knows_curvature_);
  field("iterations", iterations_);
  field("values", values_);
  field("gradients", gradients_);
  field("s", s);
  field("y", y);
  field("products", products);
  const auto has = [](const std::vector<List>& lists, std::size_t count, std::size_t size) {
    return lists.size() == count &&
           std::ranges::all_of(lists, [&](const List& list) { return list.size() == size; });
  };
  const std::size_t n = x.size();
  field.refuse_unless(gradient.size() == n && has(s, s.size(), n) && has(y, s.size(), n) &&
                          has(products, s.size(), 3),
                      "the lists of an LBFGSMemory do not fit each other");
  x_.assign(x.begin(), x.end());
  gradient_.assign(gradient.begin(), gradient.end());
  pairs_.clear();
  for (std::size_t i = 0; i < s.size(); ++i) {
    pairs_.push_back({{s[i].begin(), s[i].end()},
                      {y[i].begin(), y[i].end()},
                      products[i][0],
                      products[i][1],
                      products[i][2]});
  }
}

}  // namespace ebb::inline v0::optim
