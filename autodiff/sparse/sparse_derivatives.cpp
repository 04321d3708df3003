// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/sparse/sparse_derivatives.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "ebb/autodiff/derivatives/transform.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::detail {
namespace {

using List = std::vector<std::int64_t>;

/// One recording of a function, and sweeps for products with its Jacobian, (results, arguments).
template <class T>
class Recording {
 public:
  /// With `gradient`, of the gradient of f, which must return a single value.
  Recording(const char* name, const FunctionOf<T>& f, const Operand<T>& x, bool gradient)
      : name_(name), transform_(name), point_(transform_.point(x)), y_(f(point_)) {
    if (!gradient) return;
    transform_.check_single(y_.shape());
    y_ = transform_.pull(y_, point_, Use::differentiate);
  }

  const char* name() const { return name_; }
  std::int64_t results() const { return y_.size(); }
  std::int64_t arguments() const { return point_.size(); }
  Shape shape() const { return {results(), arguments()}; }

  /// v^T J for n vectors: `seed(v, k)` sets what is not 0 in vector k, and `take(k, product)` gets
  /// the numbers of its product.
  template <class Seed, class Take>
  void vjps(std::int64_t n, const Seed& seed, const Take& take) const {
    sweep(y_, point_, n, seed, take);
  }
  /// J u for n vectors, by the derivative of v -> v^T J u.
  template <class Seed, class Take>
  void jvps(std::int64_t n, const Seed& seed, const Take& take) const {
    const Tensor<T> v = transform_.template point<T>(Tensor<T>(Array<T>::ones(y_.shape())));
    sweep(transform_.pull(y_, point_, Use::differentiate, &v), v, n, seed, take);
  }

 private:
  template <class Seed, class Take>
  static void sweep(const Tensor<T>& from, const Tensor<T>& to, std::int64_t n, const Seed& seed,
                    const Take& take) {
    const std::int64_t size = to.size();
    const std::vector<T> zeros(static_cast<std::size_t>(size));
    if (Access::place(from).is_constant()) {
      for (std::int64_t k = 0; k < n; ++k) take(k, zeros.data());
      return;
    }
    const std::uint32_t id[] = {Access::place(to).record};
    DirectionSweep sweep(*current_records(), Access::place(from).record, id);
    sweep_directions<T>(sweep, n, from.size(), seed, [&](std::int64_t first, std::int64_t count) {
      const BlockHandle products = sweep.take(id[0]);
      for (std::int64_t k = 0; k < count; ++k) {
        take(first + k, products ? products->data<T>() + k * size : zeros.data());
      }
    });
  }

  const char* name_;
  Transform transform_;
  Tensor<T> point_, y_;
};

/// Weights that no sum of elements cancels, but by chance.
template <class T>
T weight(Stream& stream) {
  return T(0.5 + stream.uniform());
}

/// Consecutive results, and the arguments on which they may depend, ascending.
struct Group {
  std::int64_t first, last;
  List arguments;
};

/// Groups that have no argument in common get one number, at first come.
std::int64_t share_sweeps(const std::vector<Group>& groups, std::int64_t arguments, List& sweep) {
  // For each argument the groups that have it, of which each knows its sweep.
  std::vector<List> owners(static_cast<std::size_t>(arguments));
  List taken_by;
  sweep.assign(groups.size(), -1);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const std::int64_t a : groups[i].arguments) {
      for (const std::int64_t s : owners[std::size_t(a)])
        taken_by[std::size_t(s)] = std::int64_t(i);
    }
    const auto free =
        std::ranges::find_if(taken_by, [&](std::int64_t by) { return by != std::int64_t(i); });
    sweep[i] = free - taken_by.begin();
    if (free == taken_by.end()) taken_by.push_back(-1);
    for (const std::int64_t a : groups[i].arguments) owners[std::size_t(a)].push_back(sweep[i]);
  }
  return std::int64_t(taken_by.size());
}

/// Leaves to each group the arguments that its results depend on.
template <class T>
void narrow(const Recording<T>& f, std::vector<Group>& groups, Stream& stream) {
  List sweep;
  const std::int64_t sweeps = share_sweeps(groups, f.arguments(), sweep);
  const auto seed = [&](T* v, std::int64_t s) {
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (sweep[i] != s) continue;
      for (std::int64_t r = groups[i].first; r < groups[i].last; ++r) v[r] = weight<T>(stream);
    }
  };
  f.vjps(sweeps, seed, [&](std::int64_t s, const T* g) {
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (sweep[i] != s) continue;
      std::erase_if(groups[i].arguments, [&](std::int64_t a) { return g[a] == 0; });
    }
  });
}

template <class T>
SparsityPattern pattern_of(const Recording<T>& f) {
  Stream stream(0x5eed);
  List all(static_cast<std::size_t>(f.arguments()));
  std::iota(all.begin(), all.end(), 0);
  std::vector<Group> groups{{0, f.results(), std::move(all)}};
  if (f.results() == 0) groups.clear();
  for (bool halves = true; halves;) {
    narrow(f, groups, stream);
    halves = false;
    std::vector<Group> next;
    for (Group& group : groups) {
      const std::int64_t middle = (group.first + group.last) / 2;
      // What depends on nothing, or is one result, stays.
      if (middle == group.first || group.arguments.empty()) {
        next.push_back(std::move(group));
        continue;
      }
      halves = true;
      next.push_back({group.first, middle, group.arguments});
      next.push_back({middle, group.last, std::move(group.arguments)});
    }
    groups = std::move(next);
  }
  List offsets{0}, indices;
  for (const Group& group : groups) {
    indices.insert(indices.end(), group.arguments.begin(), group.arguments.end());
    offsets.resize(std::size_t(group.last) + 1, std::int64_t(indices.size()));
  }
  return {f.arguments(), Array<std::int64_t>({std::int64_t(offsets.size())}, offsets),
          Array<std::int64_t>({std::int64_t(indices.size())}, indices)};
}

/// The values at the places of a pattern.
template <class T>
Array<T> values_of(const Recording<T>& f, const SparsityPattern& pattern,
                   const SparsityPattern::Colouring& colouring) {
  const std::int64_t size = colouring.of_rows ? f.results() : f.arguments();
  auto values = Array<T>::zeros({pattern.places()});
  T* const to = values.mutate();
  const Array<std::int64_t>&offsets = pattern.offsets(), &indices = pattern.indices();
  // The places of each colour: by rows they are those of whole rows.
  std::vector<List> of_colour(static_cast<std::size_t>(colouring.colours));
  for (std::int64_t i = 0; i < pattern.rows(); ++i) {
    if (colouring.of_rows) {
      of_colour[std::size_t(colouring.of[std::size_t(i)])].push_back(i);
      continue;
    }
    for (std::int64_t k = offsets[i]; k < offsets[i + 1]; ++k) {
      const auto c = std::size_t(colouring.of[std::size_t(indices[k])]);
      of_colour[c].push_back(i);
      of_colour[c].push_back(k);
    }
  }
  const auto seed = [&](T* v, std::int64_t c) {
    for (std::int64_t i = 0; i < size; ++i) v[i] = T(colouring.of[std::size_t(i)] == c);
  };
  if (colouring.of_rows) {
    f.vjps(colouring.colours, seed, [&](std::int64_t c, const T* g) {
      for (const std::int64_t i : of_colour[std::size_t(c)]) {
        for (std::int64_t k = offsets[i]; k < offsets[i + 1]; ++k) to[k] = g[indices[k]];
      }
    });
  } else {
    f.jvps(colouring.colours, seed, [&](std::int64_t c, const T* y) {
      const List& list = of_colour[std::size_t(c)];
      for (std::size_t at = 0; at < list.size(); at += 2) to[list[at + 1]] = y[list[at]];
    });
  }
  return values;
}

/// Compares a sum of rows with random weights with a sweep from these weights.
template <class T>
void check_complete(const Recording<T>& f, const SparsityPattern& pattern, const Array<T>& values) {
  Stream stream(0xc4ec);
  std::vector<T> v(static_cast<std::size_t>(f.results()));
  for (T& each : v) each = weight<T>(stream);
  std::vector<double> sums(static_cast<std::size_t>(f.arguments())), sizes = sums;
  for (std::int64_t i = 0; i < pattern.rows(); ++i) {
    for (std::int64_t k = pattern.offsets()[i]; k < pattern.offsets()[i + 1]; ++k) {
      const auto j = std::size_t(pattern.indices()[k]);
      const double part = double(v[std::size_t(i)]) * double(values[k]);
      sums[j] += part;
      sizes[j] += std::abs(part);
    }
  }
  // Sweeps round each step, and not each element: their sums agree to some thousand roundings.
  const double tolerance = 1e4 * double(std::numeric_limits<T>::epsilon());
  const auto compare = [&](std::int64_t, const T* found) {
    for (std::int64_t j = 0; j < f.arguments(); ++j) {
      const double expected = sums[std::size_t(j)], difference = double(found[j]) - expected;
      if (std::abs(difference) <= tolerance * sizes[std::size_t(j)]) continue;
      if (!std::isfinite(expected)) continue;
      throw ArgumentError(std::string(f.name()) + ": results depend on argument " +
                          std::to_string(j) +
                          " outside of the pattern; find the pattern at this point, and unite it "
                          "with the other: pattern.united(...)");
    }
  };
  f.vjps(
      1, [&](T* to, std::int64_t) { std::ranges::copy(v, to); }, compare);
}

template <class T>
SparseRows<T> sparse(const Recording<T>& f, const SparsityPattern& pattern,
                     const SparsityPattern::Colouring& colouring) {
  const Array<T> values = values_of(f, pattern, colouring);
  check_complete(f, pattern, values);
  return SparseRows<T>(pattern.columns(), pattern.offsets(), pattern.indices(), values);
}

template <class T>
void check_shape(const Recording<T>& f, const SparsityPattern& pattern) {
  const Shape given{pattern.rows(), pattern.columns()};
  if (given == f.shape()) return;
  throw ShapeError(std::string(f.name()) + ": a pattern of shape " + to_string(given) +
                   " for a matrix of shape " + to_string(f.shape()));
}

}  // namespace

template <Real T>
SparsityPattern jacobian_pattern(const FunctionOf<T>& f, const Operand<T>& x) {
  return pattern_of(Recording<T>("jacobian_pattern", f, x, false));
}
EBB_FOR_REALS(jacobian_pattern)

template <Real T>
SparsityPattern hessian_pattern(const FunctionOf<T>& f, const Operand<T>& x) {
  return pattern_of(Recording<T>("hessian_pattern", f, x, true));
}
EBB_FOR_REALS(hessian_pattern)

template <Real T>
SparseRows<T> sparse_jacobian(const FunctionOf<T>& f, const Operand<T>& x,
                              const SparsityPattern& pattern) {
  const Recording<T> recording("sparse_jacobian", f, x, false);
  check_shape(recording, pattern);
  return sparse(recording, pattern, pattern.colouring());
}
EBB_FOR_REALS(sparse_jacobian)

template <Real T>
SparseRows<T> sparse_hessian(const FunctionOf<T>& f, const Operand<T>& x,
                             const SparsityPattern& pattern) {
  const Recording<T> recording("sparse_hessian", f, x, true);
  check_shape(recording, pattern);
  return sparse(recording, pattern, pattern.row_colouring());
}
EBB_FOR_REALS(sparse_hessian)

}  // namespace ebb::inline v0::detail
