// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/sparse/sparse_derivatives.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::detail {
namespace {

using List = std::vector<std::int64_t>;

/// One recording of a function, and products with its Jacobian, (results, arguments).
template <class T>
class Recording {
 public:
  /// With `gradient`, of the gradient of f, which must return a single value.
  Recording(const char* name, const FunctionOf<T>& f, const Operand<T>& x, bool gradient)
      : name_(name) {
    if (!current_records()) tape_.emplace();
    const Tensor<T> given = Access::as_tensor(x, name);
    Records& records = *current_records();
    point_ = identity_record(records, records.admit(name, Access::place(given)), given);
    y_ = f(point_);
    if (!gradient) return;
    if (y_.size() != 1) {
      throw ShapeError(std::string(name) + ": the function's value has shape " +
                       to_string(y_.shape()) + " and is not a single value");
    }
    y_ = is_constant() ? Tensor<T>(Array<T>::zeros(point_.shape()))
                       : grad(y_, point_, {.keep_tape = true, .create_graph = true});
  }

  const char* name() const { return name_; }
  std::int64_t results() const { return y_.size(); }
  std::int64_t arguments() const { return point_.size(); }
  Shape shape() const { return {results(), arguments()}; }

  /// v^T J for v (results): one number for each argument.
  Array<T> vjp(const Array<T>& v) const {
    if (is_constant()) return Array<T>::zeros({arguments()});
    const Tensor<T> seed(reshape(v, y_.shape()).array());
    return reshape(grad(y_, {point_}, {.keep_tape = true}, &seed)[0], {-1}).array();
  }
  /// J u for u (arguments): one number for each result, by the derivative of v -> v^T J u.
  Array<T> jvp(const Array<T>& u) {
    if (is_constant()) return Array<T>::zeros({results()});
    if (v_.empty()) {
      v_ = identity_record(*current_records(), Argument::constant,
                           Tensor<T>(Array<T>::ones(y_.shape())));
      product_ = grad(y_, {point_}, {.keep_tape = true, .create_graph = true}, &v_)[0];
    }
    if (Access::place(product_).is_constant()) return Array<T>::zeros({results()});
    const Tensor<T> seed(reshape(u, point_.shape()).array());
    return reshape(grad(product_, {v_}, {.keep_tape = true}, &seed)[0], {-1}).array();
  }

 private:
  bool is_constant() const { return Access::place(y_).is_constant(); }

  const char* name_;
  std::optional<Tape> tape_;
  Tensor<T> point_, y_, v_, product_;
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
  for (std::int64_t s = 0; s < sweeps; ++s) {
    auto seed = Array<T>::zeros({f.results()});
    T* const v = seed.mutate();
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (sweep[i] != s) continue;
      for (std::int64_t r = groups[i].first; r < groups[i].last; ++r) v[r] = weight<T>(stream);
    }
    const Array<T> g = f.vjp(seed);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (sweep[i] == s)
        std::erase_if(groups[i].arguments, [&](std::int64_t a) { return g[a] == 0; });
    }
  }
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
Array<T> values_of(Recording<T>& f, const SparsityPattern& pattern,
                   const SparsityPattern::Colouring& colouring) {
  const std::int64_t size = colouring.of_rows ? f.results() : f.arguments();
  auto values = Array<T>::zeros({pattern.places()});
  T* const to = values.mutate();
  const Array<std::int64_t>&offsets = pattern.offsets(), &indices = pattern.indices();
  // The places of each colour: by rows they are those of whole rows.
  std::vector<List> rows_of(static_cast<std::size_t>(colouring.colours));
  for (std::int64_t i = 0; i < pattern.rows(); ++i) {
    if (colouring.of_rows) {
      rows_of[std::size_t(colouring.of[std::size_t(i)])].push_back(i);
      continue;
    }
    for (std::int64_t k = offsets[i]; k < offsets[i + 1]; ++k) {
      const auto c = std::size_t(colouring.of[std::size_t(indices[k])]);
      rows_of[c].push_back(i);
      rows_of[c].push_back(k);
    }
  }
  for (std::int64_t c = 0; c < colouring.colours; ++c) {
    auto seed = Array<T>::zeros({size});
    T* const v = seed.mutate();
    for (std::int64_t i = 0; i < size; ++i) v[i] = T(colouring.of[std::size_t(i)] == c);
    const List& list = rows_of[std::size_t(c)];
    if (colouring.of_rows) {
      const Array<T> g = f.vjp(seed);
      for (const std::int64_t i : list) {
        for (std::int64_t k = offsets[i]; k < offsets[i + 1]; ++k) to[k] = g[indices[k]];
      }
    } else {
      const Array<T> y = f.jvp(seed);
      for (std::size_t at = 0; at < list.size(); at += 2) to[list[at + 1]] = y[list[at]];
    }
  }
  return values;
}

/// Compares a sum of rows with random weights with a sweep from these weights.
template <class T>
void check_complete(const Recording<T>& f, const SparsityPattern& pattern, const Array<T>& values) {
  Stream stream(0xc4ec);
  auto seed = Array<T>::zeros({f.results()});
  T* const v = seed.mutate();
  for (std::int64_t i = 0; i < seed.size(); ++i) v[i] = weight<T>(stream);
  std::vector<double> sums(static_cast<std::size_t>(f.arguments())), sizes = sums;
  for (std::int64_t i = 0; i < pattern.rows(); ++i) {
    for (std::int64_t k = pattern.offsets()[i]; k < pattern.offsets()[i + 1]; ++k) {
      const auto j = std::size_t(pattern.indices()[k]);
      const double part = double(v[i]) * double(values[k]);
      sums[j] += part;
      sizes[j] += std::abs(part);
    }
  }
  const Array<T> found = f.vjp(seed);
  // Sweeps round each step, and not each element: their sums agree to some thousand roundings.
  const double tolerance = 1e4 * double(std::numeric_limits<T>::epsilon());
  for (std::int64_t j = 0; j < f.arguments(); ++j) {
    const double expected = sums[std::size_t(j)], difference = double(found[j]) - expected;
    if (std::abs(difference) <= tolerance * sizes[std::size_t(j)]) continue;
    if (!std::isfinite(expected)) continue;
    throw ArgumentError(std::string(f.name()) + ": results depend on argument " +
                        std::to_string(j) +
                        " outside of the pattern; find the pattern at this point, and unite it "
                        "with the other: pattern.united(...)");
  }
}

template <class T>
SparseRows<T> sparse(Recording<T>& f, const SparsityPattern& pattern,
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
  Recording<T> recording("sparse_jacobian", f, x, false);
  check_shape(recording, pattern);
  return sparse(recording, pattern, pattern.colouring());
}
EBB_FOR_REALS(sparse_jacobian)

template <Real T>
SparseRows<T> sparse_hessian(const FunctionOf<T>& f, const Operand<T>& x,
                             const SparsityPattern& pattern) {
  Recording<T> recording("sparse_hessian", f, x, true);
  check_shape(recording, pattern);
  return sparse(recording, pattern, pattern.row_colouring());
}
EBB_FOR_REALS(sparse_hessian)

}  // namespace ebb::inline v0::detail
