// SPDX-License-Identifier: BSD-3-Clause
// Elementwise loops over lanes. Blocks are padded to whole vectors, so that there is no code for
// tails: a last partial vector runs over into the next row, which is written later, or into the
// padding.
#pragma once
#include <cstring>

#include "ebb/autodiff/formula/elementwise.hpp"
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

/// The widest vectors of this unit.
template <class T>
using Vector = Lanes<T, EBB_KERNEL_BYTES / int(sizeof(T))>;

/// The operands of one row of a grid. Only those in `reads` are loaded.
template <class T, unsigned reads, bool dense>
struct Row {
  using V = Vector<T>;
  const T* data[4];
  bool splat[4];

  EBB_INLINE explicit Row(const In<T>* in) {
    each([&](auto k) EBB_LAMBDA {
      data[k] = in[k].data;
      splat[k] = in[k].col == 0;
    });
  }
  EBB_INLINE void next(const In<T>* in) {
    each([&](auto k) EBB_LAMBDA { data[k] += in[k].row; });
  }
  template <class F>
  EBB_INLINE static void each(F f) {
    if constexpr (reads & 1U) f(std::integral_constant<int, 0>{});
    if constexpr (reads & 2U) f(std::integral_constant<int, 1>{});
    if constexpr (reads & 4U) f(std::integral_constant<int, 2>{});
    if constexpr (reads & 8U) f(std::integral_constant<int, 3>{});
  }
  template <int k>
  EBB_INLINE V at(std::int64_t c) const {
    if constexpr (!((reads >> k) & 1U)) {
      return V(0);
    } else if constexpr (dense) {
      return V::load(data[k] + c);
    } else {
      return splat[k] ? V(*data[k]) : V::load(data[k] + c);
    }
  }
};

/// True if an output should be written past the caches: it is large, and all its vectors are
/// aligned.
template <class T>
EBB_INLINE bool streams(const T* out, Grid grid) {
  using V = Vector<T>;
  return sizeof(V) >= 32 && prefers_streaming(out, grid.rows * grid.cols) &&
         (grid.rows == 1 || grid.cols % V::size == 0);
}
/// Writes a vector to an output, past the caches if `streamed`.
template <class T>
EBB_INLINE void put(const Vector<T>& v, T* to, bool streamed) {
  if (sizeof(v) >= 32 && streamed) {
    v.stream(to);
  } else {
    v.store(to);
  }
}

/// Writes the first n numbers of a vector, all of them for n >= its size: for outputs that are
/// followed by others.
template <class T>
EBB_INLINE void put_first(const Vector<T>& v, T* to, std::int64_t n) {
  constexpr int W = Vector<T>::size;
  if (n >= W) return v.store(to);
  T part[W];
  v.store(part);
  for (std::int64_t i = 0; i < n; ++i) to[i] = part[i];
}

/// Adds each lane to a number of its own.
template <class V>
EBB_INLINE void add_lanes(double* total, const V& v) {
  if constexpr (sizeof(typename V::value_type) == sizeof(double)) {
    (V::load(total) + v).store(total);
  } else {
    using Half = Lanes<double, V::size / 2>;
    using Register = typename Half::Register;
    const Half low(__builtin_convertvector(v.low().reg, Register));
    const Half high(__builtin_convertvector(v.high().reg, Register));
    (Half::load(total) + low).store(total);
    (Half::load(total + Half::size) + high).store(total + Half::size);
  }
}

/// out = f(operands), or out += ..., row after row. `dense` means that no operand is a single value
/// for each row.
template <class T, unsigned reads, bool dense, bool accumulate, class F>
EBB_INLINE void map_rows(T* out, const In<T>* in, Grid grid, const F& f) {
  using V = Vector<T>;
  const bool streamed = !accumulate && streams(out, grid);
  Row<T, reads, dense> row(in);
  for (std::int64_t r = grid.rows;;) {
    for (std::int64_t c = 0; c < grid.cols; c += V::size) {
      V v = f(row.template at<0>(c), row.template at<1>(c), row.template at<2>(c),
              row.template at<3>(c));
      if constexpr (accumulate) {
        const V old = V::load(out + c);
        v = old + v;
        if (c + V::size > grid.cols) v = select(V::first(int(grid.cols - c)), v, old);
      }
      put(v, out + c, streamed);
    }
    if (--r == 0) break;
    row.next(in);
    out += grid.cols;
  }
  if (streamed) V::stream_end();
}

/// out = f(operands), or out += ..., by the loop for the layout of the operands.
template <unsigned reads, class T, class F>
EBB_INLINE void map(T* out, const In<T>* in, Grid grid, bool accumulate, const F& f) {
  bool dense = true;
  Row<T, reads, true>::each([&](auto k) { dense &= in[k].col == 1; });
  if (accumulate) {
    map_rows<T, reads, false, true>(out, in, grid, f);
  } else if (dense) {
    map_rows<T, reads, true, false>(out, in, grid, f);
  } else {
    map_rows<T, reads, false, false>(out, in, grid, f);
  }
}

/// The formula object that a record carries; most have no members.
template <class O>
EBB_INLINE const O& formula_of(const void* bytes) {
  static constexpr O stateless{};
  return std::is_empty_v<O> ? stateless : *static_cast<const O*>(bytes);
}

/// A zero gradient of the result gives a zero gradient of the input, for any slope.
template <class V>
EBB_INLINE V annihilate(const V& g, const V& result) {
  return select(g == 0, 0, result);
}

/// The loops of a formula O of one argument.
template <class T, class O>
struct UnaryKernels {
  using V = Vector<T>;

  static void value(T* out, const In<T>* in, Grid grid, const void* formula, bool) {
    const O& f = formula_of<O>(formula);
    map<1U>(out, in, grid, false,
            [&](const V& x, const V&, const V&, const V&) EBB_LAMBDA { return V(f.value(x)); });
  }
  static void pull(T* out, const In<T>* in, Grid grid, const void* formula, bool accumulate) {
    const O& f = formula_of<O>(formula);
    map<1U | op::unary_reads<O> << 1>(out, in, grid, accumulate,
                                      [&](const V& g, const V& x, const V& y, const V&) EBB_LAMBDA {
                                        return annihilate(g, V(op::pull(f, g, x, y)));
                                      });
  }
};

/// The loops of a formula O of two arguments.
template <class T, class O>
struct BinaryKernels {
  using V = Vector<T>;

  static void value(T* out, const In<T>* in, Grid grid, const void* formula, bool) {
    const O& f = formula_of<O>(formula);
    map<3U>(out, in, grid, false, [&](const V& a, const V& b, const V&, const V&) EBB_LAMBDA {
      return V(f.value(a, b));
    });
  }
  template <int side>
  static void pull(T* out, const In<T>* in, Grid grid, const void* formula, bool accumulate) {
    const O& f = formula_of<O>(formula);
    map<1U | op::binary_reads<O, side> << 1>(
        out, in, grid, accumulate, [&](const V& g, const V& a, const V& b, const V& y) EBB_LAMBDA {
          return annihilate(g, V(op::pull<side>(f, g, a, b, y)));
        });
  }
  static void both(T* da, T* db, const In<T>* in, Grid grid, const void* formula) {
    const O& f = formula_of<O>(formula);
    constexpr unsigned reads = 1U | (op::binary_reads<O, 0> | op::binary_reads<O, 1>) << 1;
    const bool streamed = db && streams(da, grid) && streams(db, grid);
    Row<T, reads, false> row(in);
    for (std::int64_t r = grid.rows;;) {
      for (std::int64_t c = 0; c < grid.cols; c += V::size) {
        const V g = row.template at<0>(c), a = row.template at<1>(c), b = row.template at<2>(c),
                y = row.template at<3>(c);
        const V to_a = annihilate(g, V(op::pull<0>(f, g, a, b, y)));
        const V to_b = annihilate(g, V(op::pull<1>(f, g, a, b, y)));
        if (db) {
          put(to_a, da + c, streamed);
          put(to_b, db + c, streamed);
        } else {
          (to_a + to_b).store(da + c);
        }
      }
      if (--r == 0) break;
      row.next(in);
      da += grid.cols;
      if (db) db += grid.cols;
    }
    if (streamed) V::stream_end();
  }
};

/// Comparisons, which give bytes of 0 and 1, and choices by such bytes.
template <class T>
struct MaskKernels {
  using V = Vector<T>;
  typedef signed char Bytes __attribute__((vector_size(V::size)));

  template <class F>
  EBB_INLINE static void compare_with(bool* out, const In<T>* in, Grid grid, F holds) {
    Row<T, 3U, false> row(in);
    for (std::int64_t r = 0; r < grid.rows; ++r, row.next(in)) {
      for (std::int64_t c = 0; c < grid.cols; c += V::size) {
        const auto mask = holds(row.template at<0>(c), row.template at<1>(c));
        const Bytes bytes = __builtin_convertvector(mask.reg, Bytes) & 1;
        std::memcpy(out + r * grid.cols + c, &bytes, sizeof bytes);
      }
    }
  }
#define EBB_COMPARE(name, relation)                                                          \
  static void name(bool* out, const In<T>* in, Grid grid) {                                  \
    compare_with(out, in, grid, [](const V& a, const V& b) EBB_LAMBDA { return relation; }); \
  }
  EBB_COMPARE(less, a < b)
  EBB_COMPARE(greater, a > b)
  EBB_COMPARE(less_equal, a <= b)
  EBB_COMPARE(greater_equal, a >= b)
  EBB_COMPARE(equal, a == b)
  EBB_COMPARE(not_equal, ~(a == b))
#undef EBB_COMPARE

  static void where(T* out, const In<bool>& mask, const In<T>* in, Grid grid) {
    Row<T, 3U, false> row(in);
    for (std::int64_t r = 0; r < grid.rows; ++r, row.next(in)) {
      const bool* m = mask.data + r * mask.row;
      for (std::int64_t c = 0; c < grid.cols; c += V::size) {
        Bytes bytes;
        if (mask.col) {
          std::memcpy(&bytes, m + c, sizeof bytes);
        } else {
          bytes = static_cast<signed char>(*m) - Bytes{};
        }
        using MaskRegister = typename V::Mask::Register;
        const typename V::Mask set(__builtin_convertvector(bytes, MaskRegister) != 0);
        select(set, row.template at<0>(c), row.template at<1>(c)).store(out + r * grid.cols + c);
      }
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
