// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/distances.hpp"

#include <algorithm>
#include <vector>

#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// Rows (count, d) in panels of `width` rows: for each panel the first elements of its rows, then
/// the second ones, and so on, with zeros for rows that there are not.
template <class T>
std::vector<T> panels_of(const T* rows, std::int64_t count, std::int64_t d, std::int64_t width) {
  std::vector<T> panels(std::size_t((count + width - 1) / width * width * d), T(0));
  for (std::int64_t i = 0; i < count; ++i, rows += d) {
    T* const to = panels.data() + i / width * width * d + i % width;
    for (std::int64_t k = 0; k < d; ++k) to[k * width] = rows[k];
  }
  return panels;
}

/// The number in every lane, by one load: g++ 12 would need three shuffles in a function of a wider
/// instruction set than that of its unit.
template <class V, class T>
EBB_INLINE V in_every_lane(const T& x) {
#ifndef __clang__
  if constexpr (sizeof(V) >= 32) {
    V y;
    if constexpr (sizeof(T) == 4) {
      asm("vbroadcastss %1, %0" : "=v"(y.reg) : "m"(x));
    } else {
      asm("vbroadcastsd %1, %0" : "=v"(y.reg) : "m"(x));
    }
    return y;
  }
#endif
  return V(x);
}

/// The larger of two numbers that are not negative; NaN stays NaN. In such a function g++ 12 would
/// compare the lanes one by one.
template <class V>
EBB_INLINE V larger_size(const V& a, const V& b) {
#ifndef __clang__
  if constexpr (sizeof(V) >= 32) {
    V p, q;  // of a NaN and a number the instruction gives the operand that stands first
    if constexpr (sizeof(typename V::value_type) == 4) {
      asm("vmaxps %1, %2, %0" : "=v"(p.reg) : "v"(a.reg), "v"(b.reg));
      asm("vmaxps %2, %1, %0" : "=v"(q.reg) : "v"(a.reg), "v"(b.reg));
    } else {
      asm("vmaxpd %1, %2, %0" : "=v"(p.reg) : "v"(a.reg), "v"(b.reg));
      asm("vmaxpd %2, %1, %0" : "=v"(q.reg) : "v"(a.reg), "v"(b.reg));
    }
    return V(p.bits() | q.bits());
  }
#endif
  return select(b == b, select(b > a, b, a), b);
}

/// What the elements of a difference add up to.
enum class Measure { squares, sizes, largest };

template <Measure measure, class V>
EBB_INLINE V with_difference(const V& total, const V& d) {
  if constexpr (measure == Measure::squares) {
    return madd(d, d, total);
  } else {
    const V size = select(d < 0, -d, d);
    if constexpr (measure == Measure::sizes) return total + size;
    return larger_size(total, size);
  }
}

/// The rows of one matrix a (n, d), the rows of b (m, d) in panels, and their distances y (n, m).
template <class T>
struct DistanceCall {
  const T *a, *panels;
  T* y;
  std::int64_t n, m, d;
};

/// The distances of R rows of a from the rows of a panel of two vectors.
template <Measure measure, int R, class V, class T>
EBB_INLINE void measure_panel(const T* a, const T* panel, std::int64_t d, T* out) {
  constexpr std::int64_t chunk = 32;      // added up for themselves, which rounds less
  using Register = typename V::Register;  // arrays of plain vectors stay out of memory
  Register totals[2 * R] = {};
  for (std::int64_t first = 0; first < d; first += chunk) {
    Register parts[2 * R] = {};
    for (std::int64_t k = first; k < std::min(first + chunk, d); ++k) {
      const V b0 = V::load(panel + k * 2 * V::size);
      const V b1 = V::load(panel + k * 2 * V::size + V::size);
      detail::unrolled<R>([&](auto r) EBB_LAMBDA {
        constexpr int at = 2 * int(r);
        const V x = in_every_lane<V>(a[std::int64_t(r) * d + k]);
        parts[at] = with_difference<measure>(V(parts[at]), x - b0).reg;
        parts[at + 1] = with_difference<measure>(V(parts[at + 1]), x - b1).reg;
      });
    }
    detail::unrolled<2 * R>([&](auto i) EBB_LAMBDA {
      totals[i] = measure == Measure::largest ? larger_size(V(totals[i]), V(parts[i])).reg
                                              : totals[i] + parts[i];
    });
  }
  detail::unrolled<2 * R>([&](auto i) EBB_LAMBDA {
    const V total(totals[i]);
    const V y = measure == Measure::squares ? sqrt(total) : total;
    y.store(out + int(i) * V::size);
  });
}

template <Measure measure, int R, class V, class T>
EBB_INLINE void measure_rows(const DistanceCall<T>& call, std::int64_t i, std::int64_t j) {
  T out[R * 2 * V::size];
  measure_panel<measure, R, V>(call.a + i * call.d, call.panels + j * call.d, call.d, out);
  const std::int64_t count = std::min<std::int64_t>(2 * V::size, call.m - j);
  for (int r = 0; r < R; ++r) {
    std::copy_n(out + r * 2 * V::size, count, call.y + (i + r) * call.m + j);
  }
}

template <Measure measure, class V, class T>
EBB_INLINE void measure_all(const DistanceCall<T>& call) {
  for (std::int64_t j = 0; j < call.m; j += 2 * V::size) {
    std::int64_t i = 0;
    for (; i + 4 <= call.n; i += 4) measure_rows<measure, 4, V>(call, i, j);
    for (; i < call.n; ++i) measure_rows<measure, 1, V>(call, i, j);
  }
}

/// The columns of a sum of differences: x (columns, d) in panels, y (rows, d), and the weights of
/// column c and row r at weight[c * of_column + r * of_row].
template <class T>
struct CombineCall {
  const T *panels, *y, *weight;
  T* out;
  std::int64_t columns, rows, d, of_column, of_row;
};

/// Adds the part of K elements k of a panel, and of these rows, to `sums`.
template <bool signs, int K, class V, class T>
EBB_INLINE void combine_elements(const T* panel, const T* y, const T* weights, std::int64_t rows,
                                 std::int64_t d, T* sums) {
  using Register = typename V::Register;
  Register x[K], parts[K];
  detail::unrolled<K>([&](auto q) EBB_LAMBDA {
    x[q] = V::load(panel + int(q) * V::size).reg;
    parts[q] = Register{};
  });
  for (std::int64_t r = 0; r < rows; ++r, y += d) {
    const V w = V::load(weights + r * V::size);
    detail::unrolled<K>([&](auto q) EBB_LAMBDA {
      const V difference = V(x[q]) - in_every_lane<V>(y[int(q)]);
      if constexpr (signs) {
        const V sign = select(difference > 0, V(1), select(difference < 0, V(-1), difference));
        parts[q] = madd(w, sign, V(parts[q])).reg;
      } else {
        parts[q] = madd(w, difference, V(parts[q])).reg;
      }
    });
  }
  detail::unrolled<K>([&](auto q) EBB_LAMBDA {
    (V::load(sums + int(q) * V::size) + V(parts[q])).store(sums + int(q) * V::size);
  });
}

template <bool signs, class V, class T>
EBB_INLINE void combine_all(const CombineCall<T>& call, T* weights, T* sums) {
  constexpr std::int64_t block = 64;  // rows that stay in the nearest cache
  const std::int64_t d = call.d;
  for (std::int64_t c = 0; c < call.columns; c += V::size) {
    const std::int64_t count = std::min<std::int64_t>(V::size, call.columns - c);
    std::fill_n(sums, d * V::size, T(0));
    for (std::int64_t first = 0; first < call.rows; first += block) {
      const std::int64_t rows = std::min(block, call.rows - first);
      std::fill_n(weights, rows * V::size, T(0));
      for (std::int64_t r = 0; r < rows; ++r) {
        const T* const from = call.weight + c * call.of_column + (first + r) * call.of_row;
        for (std::int64_t i = 0; i < count; ++i) {
          weights[r * V::size + i] = from[i * call.of_column];
        }
      }
      const T *panel = call.panels + c * d, *y = call.y + first * d;
      std::int64_t k = 0;
      for (; k + 4 <= d; k += 4) {
        combine_elements<signs, 4, V>(panel + k * V::size, y + k, weights, rows, d,
                                      sums + k * V::size);
      }
      for (; k < d; ++k) {
        combine_elements<signs, 1, V>(panel + k * V::size, y + k, weights, rows, d,
                                      sums + k * V::size);
      }
    }
    for (std::int64_t i = 0; i < count; ++i) {
      T* const to = call.out + (c + i) * d;
      for (std::int64_t k = 0; k < d; ++k) to[k] = sums[k * V::size + i];
    }
  }
}

#define EBB_DISTANCE_LOOPS(set, bytes)                                                 \
  template <Measure measure, class T>                                                  \
  EBB_LOOP_##set void measure_##set(const DistanceCall<T>& call) {                     \
    measure_all<measure, Lanes<T, bytes / int(sizeof(T))>>(call);                      \
  }                                                                                    \
  template <bool signs, class T>                                                       \
  EBB_LOOP_##set void combine_##set(const CombineCall<T>& call, T* weights, T* sums) { \
    combine_all<signs, Lanes<T, bytes / int(sizeof(T))>>(call, weights, sums);         \
  }
EBB_FOR_EACH_ISA(EBB_DISTANCE_LOOPS)
#undef EBB_DISTANCE_LOOPS

/// The number of elements of T in a register of the instruction set in use.
template <class T>
std::int64_t register_size() {
  constexpr int bytes[] = {16, 32, 64};
  return bytes[int(instruction_set())] / std::int64_t(sizeof(T));
}

template <Measure measure, class T>
void measure_by(const DistanceCall<T>& call) {
  static constexpr void (*loops[])(const DistanceCall<T>&) = {
      &measure_sse2<measure, T>, &measure_avx2<measure, T>, &measure_avx512<measure, T>};
  loops[int(instruction_set())](call);
}

template <bool signs, class T>
void combine_by(const CombineCall<T>& call, T* weights, T* sums) {
  static constexpr void (*loops[])(const CombineCall<T>&, T*, T*) = {
      &combine_sse2<signs, T>, &combine_avx2<signs, T>, &combine_avx512<signs, T>};
  loops[int(instruction_set())](call, weights, sums);
}

/// Computes alone, scaled or by powers, the distances for which `holds` is false.
template <class T, class Holds>
void measure_alone(const DistanceCall<T>& call, const T* b, double p, Holds holds) {
  std::vector<T> difference(std::size_t(call.d));
  for (std::int64_t i = 0; i < call.n; ++i) {
    T* const y = call.y + i * call.m;
    if (std::all_of(y, y + call.m, holds)) continue;
    for (std::int64_t j = 0; j < call.m; ++j) {
      if (holds(y[j])) continue;
      const T* const to = b + j * call.d;
      std::transform(to, to + call.d, call.a + i * call.d, difference.begin(),
                     [](T of_b, T of_a) { return of_a - of_b; });
      y[j] = T(norm_of(difference.data(), call.d, p));
    }
  }
}

/// The distances of the rows of one matrix from those of another.
template <class T>
void measure_pairs(const DistanceCall<T>& call, const T* b, double p) {
  if (p == 1) return measure_by<Measure::sizes>(call);
  if (p == std::numeric_limits<double>::infinity()) return measure_by<Measure::largest>(call);
  if (p != 2) return measure_alone(call, b, p, [](T) { return false; });
  measure_by<Measure::squares>(call);
  // Squares of others have overflowed, or may have lost digits below the smallest number.
  const T least = std::sqrt(std::numeric_limits<T>::min()) / std::numeric_limits<T>::epsilon();
  const T most = std::numeric_limits<T>::max();
  measure_alone(call, b, p, [=](T y) { return (y >= least) & (y <= most); });
}

}  // namespace

template <class T>
Block* combine_differences(int side, bool signs, Block* weight, Block* a, Block* b) {
  const Matrices left(a->shape), right(b->shape);
  Block *const x = side == 0 ? a : b, *const y = side == 0 ? b : a;
  const Matrices of_x(x->shape), of_y(y->shape);
  const std::int64_t d = left.columns, m = right.rows, width = register_size<T>();
  BlockHandle out(allocate(x->shape, sizeof(T)));
  std::vector<T> weights(std::size_t(64 * width)), sums(std::size_t(d * width));
  for (std::int64_t i = 0; i < left.count(); ++i) {
    const auto panels = panels_of(x->data<T>() + i * of_x.size(), of_x.rows, d, width);
    const CombineCall<T> call{.panels = panels.data(),
                              .y = y->data<T>() + i * of_y.size(),
                              .weight = weight->data<T>() + i * left.rows * m,
                              .out = out->data<T>() + i * of_x.size(),
                              .columns = of_x.rows,
                              .rows = of_y.rows,
                              .d = d,
                              .of_column = side == 0 ? m : 1,
                              .of_row = side == 0 ? 1 : m};
    signs ? combine_by<true>(call, weights.data(), sums.data())
          : combine_by<false>(call, weights.data(), sums.data());
  }
  return out.take();
}
EBB_FOR_REALS(combine_differences)

}  // namespace detail

template <class T>
detail::Block* op::Cdist::forward(const Options& o, detail::Block* a, detail::Block* b) {
  using namespace detail;
  const Matrices left(a->shape), right(b->shape);
  const std::int64_t n = left.rows, m = right.rows, d = left.columns;
  BlockHandle y(allocate(batch_of(name, left.batch, {n, m}), sizeof(T)));
  for (std::int64_t i = 0; i < left.count(); ++i) {
    const T* const to = b->data<T>() + i * right.size();
    const auto panels = panels_of(to, m, d, 2 * register_size<T>());
    const DistanceCall<T> call{
        a->data<T>() + i * left.size(), panels.data(), y->data<T>() + i * n * m, n, m, d};
    measure_pairs(call, to, o.p);
  }
  return y.take();
}

template <Real T>
Tensor<T> cdist(const Operand<T>& a, const Operand<T>& b, double p) {
  constexpr const char* name = "cdist";
  const Shape &s = detail::Access::shape(a, name), &t = detail::Access::shape(b, name);
  if (s.rank() < 2 || t.rank() < 2 || s[s.rank() - 1] != t[t.rank() - 1]) {
    detail::throw_shapes(name, "a must be (..., n, d) and b (..., m, d)", s, t);
  }
  if (!(p > 0)) {
    throw ArgumentError("cdist: p = " + detail::to_text(p) + "; it is greater than 0");
  }
  const Shape batch = detail::common_batch(name, s, t);
  return detail::apply<op::Cdist, T>({p}, detail::with_batch<T>(name, a, batch),
                                     detail::with_batch<T>(name, b, batch));
}
EBB_FOR_REALS(cdist)

}  // namespace ebb::inline v0
