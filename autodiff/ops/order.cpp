// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/order.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "ebb/autodiff/formula/formula.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops/shapes.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

using Indices = Array<std::int64_t>;

/// Strictly less, where NaN is above all numbers.
struct Less {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b || (b != b && a == a);
  }
};
struct Greater {
  template <class T>
  bool operator()(T a, T b) const {
    return Less()(b, a);
  }
};

/// Less or NaN, to find the smallest element and see NaN.
struct LessOrNaN {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b || (a != a && b == b);
  }
};

/// @throws ShapeError if there are results but no elements to choose from.
void check_choice(std::string_view name, const Shape& x, int axis) {
  if (x.rank() > 0 && x[axis] == 0 && x.with(axis, 1).size() > 0) {
    throw_shapes(name, "there must be an element to choose", x);
  }
}

/// Writes the index of the first of the best for each row or column of a matrix.
template <class T>
using FirstOf = void (*)(std::int64_t* first, const T* x, std::int64_t rows, std::int64_t cols);

template <class T>
Indices first_along(const char* name, const Operand<T>& x, int axis, bool keepdim, FirstOf<T> rows,
                    FirstOf<T> columns) {
  const Shape& shape = Access::shape(x, name);
  axis = axis_of(name, axis, shape);
  check_choice(name, shape, axis);
  const AxisView v(shape, axis);
  Indices indices = Indices::uninitialized(keepdim ? shape.with(axis, 1) : shape.without(axis));
  const T* from = Access::contents(x).block->template data<T>();
  std::int64_t* first = indices.mutate();
  if (v.inner == 1) {
    rows(first, from, v.outer, v.size);
  } else {
    for (std::int64_t o = 0; o < v.outer; ++o, first += v.inner, from += v.size * v.inner) {
      columns(first, from, v.size, v.inner);
    }
  }
  return indices;
}

template <class T>
Indices first_of_all(const char* name, const Operand<T>& x, FirstOf<T> rows) {
  const Shape& shape = Access::shape(x, name);
  if (shape.size() == 0) throw_shapes(name, "there must be an element to choose", shape);
  std::int64_t first = 0;
  rows(&first, Access::contents(x).block->template data<T>(), 1, shape.size());
  return Indices(first);
}

/// The `count` first indices for each line along an axis, as choose(line, indices) orders them;
/// `line` gives the element at an index.
template <class T, class Choose>
Indices choose_along(const Operand<T>& x, int axis, std::int64_t count, Choose choose) {
  const Shape& shape = Access::shape(x);
  const AxisView v(shape, axis);
  Indices indices = Indices::uninitialized(shape.with(axis, count));
  const T* from = Access::contents(x).block->template data<T>();
  std::int64_t* to = indices.mutate();
  std::vector<std::int64_t> order(std::size_t(v.size));
  std::vector<T> line(order.size());
  for (std::int64_t o = 0; o < v.outer; ++o, from += v.size * v.inner, to += count * v.inner) {
    for (std::int64_t i = 0; i < v.inner; ++i) {
      for (std::int64_t k = 0; k < v.size; ++k) line[std::size_t(k)] = from[k * v.inner + i];
      std::iota(order.begin(), order.end(), 0);
      choose(line, order);
      for (std::int64_t k = 0; k < count; ++k) to[k * v.inner + i] = order[std::size_t(k)];
    }
  }
  return indices;
}

/// Compares elements by their indices. Of equal elements the first comes first.
template <class T, class Before>
auto by_element(const std::vector<T>& line, Before before) {
  return [&line, before](std::int64_t i, std::int64_t j) {
    const T a = line[std::size_t(i)], b = line[std::size_t(j)];
    return before(a, b) || (!before(b, a) && i < j);
  };
}

template <class T, class Before>
Indices partially_sorted_along(const Operand<T>& x, int axis, std::int64_t count, Before before) {
  return choose_along(x, axis, count, [=](const auto& line, auto& order) {
    std::partial_sort(order.begin(), order.begin() + count, order.end(), by_element(line, before));
  });
}

/// An element as an integer with the order of `Less`, and its position in a line.
template <class T>
struct Placed {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  Word key, place;

  static Word key_of(T x) {
    constexpr int top = 8 * sizeof(T) - 1;
    const Word bits = std::bit_cast<Word>(x + T(0));  // -0 equals 0
    // Below 0 all bits are inverted, otherwise only the sign; without a branch, since signs are
    // hard to predict.
    const Word key = bits ^ ((Word(0) - (bits >> top)) | (Word(1) << top));
    return x != x ? ~Word(0) : key;
  }
};

/// Sorts the positions of n elements by key_at(position), byte by byte from the lowest; equal keys
/// keep their order. Returns the array that has the result: `line` or `room`.
template <class T, class KeyAt>
Placed<T>* radix_sort(Placed<T>* line, Placed<T>* room, std::size_t n, KeyAt key_at) {
  using Word = typename Placed<T>::Word;
  constexpr std::size_t digits = sizeof(T);
  std::uint32_t ends[digits][256] = {};
  for (std::size_t k = 0; k < n; ++k) {
    const Word key = key_at(k);
    line[k] = {key, Word(k)};
    detail::unrolled<int(digits)>([&](auto d) { ++ends[d][key >> (8 * d) & 255]; });
  }
  for (std::size_t d = 0; d < digits; ++d) {
    const auto digit_of = [=](const Placed<T>& x) { return x.key >> (8 * d) & 255; };
    if (ends[d][digit_of(line[0])] == n) continue;  // the digit is the same for all
    std::uint32_t start = 0;
    for (std::uint32_t& end : ends[d]) start += std::exchange(end, start);
    for (std::size_t i = 0; i < n; ++i) room[ends[d][digit_of(line[i])]++] = line[i];
    std::swap(line, room);
  }
  return line;
}

template <class T>
Indices sorted_along(const Operand<T>& x, int axis, bool descending) {
  const Shape& shape = Access::shape(x);
  const AxisView v(shape, axis);
  if (v.size > std::int64_t(UINT32_MAX)) {  // more than the counters of radix_sort can count
    return descending ? partially_sorted_along(x, axis, v.size, Greater())
                      : partially_sorted_along(x, axis, v.size, Less());
  }
  Indices indices = Indices::uninitialized(shape);
  if (shape.size() == 0) return indices;
  const T* from = Access::contents(x).block->template data<T>();
  std::int64_t* to = indices.mutate();
  const auto n = std::size_t(v.size);
  const auto flip = descending ? ~typename Placed<T>::Word(0) : 0;
  std::vector<Placed<T>> line(n), room(n);
  for (std::int64_t o = 0; o < v.outer; ++o, from += v.size * v.inner, to += v.size * v.inner) {
    for (std::int64_t i = 0; i < v.inner; ++i) {
      const Placed<T>* sorted = radix_sort(line.data(), room.data(), n, [=](std::size_t k) {
        return Placed<T>::key_of(from[std::int64_t(k) * v.inner + i]) ^ flip;
      });
      for (std::size_t k = 0; k < n; ++k) {
        to[std::int64_t(k) * v.inner + i] = std::int64_t(sorted[k].place);
      }
    }
  }
  return indices;
}

template <class T>
Indices middle_along(const Operand<T>& x, int axis) {
  return choose_along(x, axis, 1, [](const auto& line, auto& order) {
    const auto nan = std::find_if(line.begin(), line.end(), [](T v) { return v != v; });
    const auto middle = order.begin() + (std::ptrdiff_t(order.size()) - 1) / 2;
    if (nan != line.end()) {
      order[0] = nan - line.begin();
    } else {
      std::nth_element(order.begin(), middle, order.end(), by_element(line, Less()));
      std::swap(order[0], *middle);
    }
  });
}

/// Brings the elements of these ranks, which ascend, to their places in [first, last) of the order.
template <class Before>
void place_ranks(std::vector<std::int64_t>& order, std::int64_t first, std::int64_t last,
                 std::span<const std::int64_t> ranks, Before before) {
  if (ranks.empty()) return;
  const std::size_t middle = ranks.size() / 2;
  const std::int64_t rank = ranks[middle];
  std::nth_element(order.begin() + first, order.begin() + rank, order.begin() + last, before);
  place_ranks(order, first, rank, ranks.first(middle), before);
  place_ranks(order, rank + 1, last, ranks.subspan(middle + 1), before);
}

/// The indices of the elements of these ranks, which ascend, for each line; of the first NaN for
/// all of them, if there is one.
template <class T>
Indices ranked_along(const Operand<T>& x, int axis, const std::vector<std::int64_t>& ranks) {
  const auto count = std::int64_t(ranks.size());
  return choose_along(x, axis, count, [&](const auto& line, auto& order) {
    const auto nan = std::find_if(line.begin(), line.end(), [](T v) { return v != v; });
    if (nan != line.end()) {
      std::fill_n(order.begin(), count, nan - line.begin());
      return;
    }
    place_ranks(order, 0, std::int64_t(order.size()), ranks, by_element(line, Less()));
    for (std::size_t k = 0; k < ranks.size(); ++k) order[k] = order[std::size_t(ranks[k])];
  });
}

/// Between which elements of the order quantiles are, as positions among `ranks`, and how near to
/// the upper one.
struct QuantilePlan {
  std::vector<std::int64_t> ranks;
  Indices below, above;
  std::vector<double> weights;

  /// @throws ArgumentError for a q that is not in [0, 1].
  QuantilePlan(std::span<const double> q, std::int64_t size)
      : below(Indices::uninitialized({std::int64_t(q.size())})), above(below), weights(q.size()) {
    std::int64_t *low = below.mutate(), *high = above.mutate();
    for (std::size_t k = 0; k < q.size(); ++k) {
      if (!(q[k] >= 0 && q[k] <= 1)) {
        throw ArgumentError("quantile: q = " + to_text(q[k]) + "; it is in [0, 1]");
      }
      const double at = q[k] * double(size - 1);
      low[k] = std::int64_t(std::floor(at));
      // Half of an element and half of the same are it, even if it is infinite.
      weights[k] = at == std::floor(at) ? 0.5 : at - std::floor(at);
      high[k] = std::int64_t(std::ceil(at));
      ranks.insert(ranks.end(), {low[k], high[k]});
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    for (std::int64_t* rank : {low, high}) {
      for (std::size_t k = 0; k < q.size(); ++k) {
        rank[k] = std::lower_bound(ranks.begin(), ranks.end(), rank[k]) - ranks.begin();
      }
    }
  }
};

/// The quantiles along an axis, which then counts them.
template <class T>
Tensor<T> quantiles_along(const Tensor<T>& x, int axis, std::span<const double> q) {
  const QuantilePlan plan(q, x.shape()[axis]);
  const Tensor<T> ranked = gather(x, axis, ranked_along<T>(x, axis, plan.ranks));
  // Chosen at once, so that the gradient of an element adds up in one order in every sweep.
  const std::int64_t count = plan.below.size();
  Indices ends = Indices::uninitialized({2 * count});
  std::copy(plan.below.begin(), plan.below.end(), ends.mutate());
  std::copy(plan.above.begin(), plan.above.end(), ends.mutate() + count);
  const Tensor<T> chosen = index_select(ranked, axis, ends);
  const Tensor<T> a = slice(chosen, axis, {0, count});
  const Tensor<T> b = slice(chosen, axis, {count, 2 * count});
  auto weights = Array<T>::uninitialized({std::int64_t(q.size())});
  std::copy(plan.weights.begin(), plan.weights.end(), weights.mutate());
  std::vector<std::int64_t> sizes(std::size_t(x.shape().rank() - axis), 1);
  sizes[0] = weights.size();
  const Tensor<T> weight = reshape(weights, Shape(sizes));
  const Tensor<T> between = lerp(a, b, weight);
  const Array<bool> finite = abs(b.detach() - a.detach()) < std::numeric_limits<double>::infinity();
  if (std::all_of(finite.begin(), finite.end(), [](bool x_is) { return x_is; })) return between;
  // The distance is not a number or too large for one, but the parts may be.
  return where(finite, between, a * (1 - weight) + b * weight);
}

/// The quantiles along an axis with the new axis first. With `keepdim` the old axis stays.
template <class T>
Tensor<T> quantiles(const Operand<T>& x, std::span<const double> q, int axis, bool keepdim,
                    bool is_list) {
  constexpr const char* name = "quantile";
  const Shape& shape = Access::shape(x, name);
  axis = axis_of(name, axis, shape);
  check_choice(name, shape, axis);
  const bool scalar = shape.rank() == 0;
  const Shape lines = scalar ? Shape{1} : shape;
  const Tensor<T> found =
      quantiles_along(scalar ? reshape(x, lines) : Access::as_tensor(x), axis, q);
  if (!is_list) return keepdim && !scalar ? found : reshape(found, shape.without(axis));
  std::vector<int> order = {axis};
  std::vector<std::int64_t> sizes = {std::int64_t(q.size())};
  for (int i = 0; i < lines.rank(); ++i) {
    if (i != axis) order.push_back(i);
    if (scalar || (i == axis && !keepdim)) continue;
    sizes.push_back(i == axis ? 1 : shape[i]);
  }
  return reshape(permute(found, order), shape_for(name, sizes));
}

template <class T>
Tensor<T> quantiles_of_all(const Operand<T>& x, std::span<const double> q, bool is_list) {
  const Shape& shape = Access::shape(x, "quantile");
  if (shape.size() == 0) throw_shapes("quantile", "there must be an element to choose", shape);
  return quantiles<T>(reshape(x, {shape.size()}), q, 0, false, is_list);
}

/// For each element, the index of the first that comes before all others up to there.
template <class T, class Before>
Indices first_so_far(const Operand<T>& x, int axis, Before before) {
  const Shape& shape = Access::shape(x);
  const AxisView v(shape, axis);
  Indices indices = Indices::uninitialized(shape);
  const T* from = Access::contents(x).block->template data<T>();
  std::int64_t* to = indices.mutate();
  for (std::int64_t o = 0; o < v.outer; ++o, from += v.size * v.inner) {
    for (std::int64_t k = 0; k < v.size; ++k, to += v.inner) {
      for (std::int64_t i = 0; i < v.inner; ++i) {
        const std::int64_t best = k == 0 ? 0 : to[i - v.inner];
        to[i] = before(from[k * v.inner + i], from[best * v.inner + i]) ? k : best;
      }
    }
  }
  return indices;
}

template <class T>
Selected<T> select_along(const Operand<T>& x, int axis, Indices indices) {
  return {gather(x, axis, indices), std::move(indices)};
}

}  // namespace
}  // namespace detail

#define EBB_FIRST(f)                                                                       \
  template <Real T>                                                                        \
  Array<std::int64_t> f(const Operand<T>& x) {                                             \
    return detail::first_of_all(#f, x, detail::kernels<T>().row_##f);                      \
  }                                                                                        \
  template <Real T>                                                                        \
  Array<std::int64_t> f(const Operand<T>& x, int axis, bool keepdim) {                     \
    const auto& kernels = detail::kernels<T>();                                            \
    return detail::first_along(#f, x, axis, keepdim, kernels.row_##f, kernels.column_##f); \
  }                                                                                        \
  EBB_OVERLOAD_FOR_REALS(f, Array<std::int64_t>(const Operand<T>&))                        \
  EBB_OVERLOAD_FOR_REALS(f, Array<std::int64_t>(const Operand<T>&, int, bool))
EBB_FIRST(argmax)
EBB_FIRST(argmin)
#undef EBB_FIRST

template <Real T>
Selected<T> sort(const Operand<T>& x, int axis, bool descending) {
  axis = detail::axis_of("sort", axis, detail::Access::shape(x, "sort"));
  return detail::select_along(x, axis, detail::sorted_along(x, axis, descending));
}
EBB_FOR_REALS(sort)

template <Real T>
Selected<T> topk(const Operand<T>& x, std::int64_t k, int axis, bool largest) {
  const Shape& shape = detail::Access::shape(x, "topk");
  axis = detail::axis_of("topk", axis, shape);
  const std::int64_t size = detail::AxisView(shape, axis).size;
  // The result for a scalar has one element.
  if (k < (shape.rank() > 0 ? 0 : 1) || k > size) {
    throw ArgumentError("topk: k = " + std::to_string(k) + " of axis " + std::to_string(axis) +
                        " with size " + std::to_string(size) + "; x is " + to_string(shape));
  }
  return detail::select_along(x, axis,
                              largest
                                  ? detail::partially_sorted_along(x, axis, k, detail::Greater())
                                  : detail::partially_sorted_along(x, axis, k, detail::Less()));
}
EBB_FOR_REALS(topk)

#define EBB_SO_FAR(f, Before)                                                              \
  template <Real T>                                                                        \
  Selected<T> f(const Operand<T>& x, int axis) {                                           \
    axis = detail::axis_of(#f, axis, detail::Access::shape(x, #f));                        \
    return detail::select_along(x, axis, detail::first_so_far(x, axis, detail::Before())); \
  }                                                                                        \
  EBB_FOR_REALS(f)
EBB_SO_FAR(cummax, Greater)
EBB_SO_FAR(cummin, LessOrNaN)
#undef EBB_SO_FAR

template <Real T>
Tensor<T> median(const Operand<T>& x) {
  const Shape& shape = detail::Access::shape(x, "median");
  if (shape.size() == 0) {
    detail::throw_shapes("median", "there must be an element to choose", shape);
  }
  const Tensor<T> row = reshape(x, {shape.size()});
  return reshape(gather_rows(row, detail::middle_along<T>(row, 0)), Shape());
}
EBB_OVERLOAD_FOR_REALS(median, Tensor<T>(const Operand<T>&))

template <Real T>
Selected<T> median(const Operand<T>& x, int axis, bool keepdim) {
  const Shape& shape = detail::Access::shape(x, "median");
  axis = detail::axis_of("median", axis, shape);
  detail::check_choice("median", shape, axis);
  Selected<T> middle = detail::select_along(x, axis, detail::middle_along(x, axis));
  if (keepdim) return middle;
  return {squeeze(middle.values, axis), middle.indices.reshape(shape.without(axis))};
}
EBB_OVERLOAD_FOR_REALS(median, Selected<T>(const Operand<T>&, int, bool))

template <Real T>
Tensor<T> quantile(const Operand<T>& x, double q) {
  return detail::quantiles_of_all(x, {&q, 1}, false);
}
template <Real T>
Tensor<T> quantile(const Operand<T>& x, double q, int axis, bool keepdim) {
  return detail::quantiles(x, {&q, 1}, axis, keepdim, false);
}
template <Real T>
Tensor<T> quantile(const Operand<T>& x, const std::vector<double>& q) {
  return detail::quantiles_of_all(x, q, true);
}
template <Real T>
Tensor<T> quantile(const Operand<T>& x, const std::vector<double>& q, int axis, bool keepdim) {
  return detail::quantiles(x, q, axis, keepdim, true);
}
EBB_OVERLOAD_FOR_REALS(quantile, Tensor<T>(const Operand<T>&, double))
EBB_OVERLOAD_FOR_REALS(quantile, Tensor<T>(const Operand<T>&, double, int, bool))
EBB_OVERLOAD_FOR_REALS(quantile, Tensor<T>(const Operand<T>&, const std::vector<double>&))
EBB_OVERLOAD_FOR_REALS(quantile,
                       Tensor<T>(const Operand<T>&, const std::vector<double>&, int, bool))

}  // namespace ebb::inline v0
