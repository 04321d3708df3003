// SPDX-License-Identifier: BSD-3-Clause
// The loops of a formula over lanes, compiled in the unit that has the formula. They run on the
// lanes of the best instruction set of the machine, independent of the flags of the unit.
#pragma once
#include <algorithm>

#include "ebb/autodiff/engine/fused_loops.hpp"
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/formula/program.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {
namespace fused {

/// All bits of every lane.
template <class V>
EBB_INLINE V ones() {
  return V(typename V::Bits(~typename V::Bits::Word(0)));
}
/// g * d, or 0 where the derivative d is 0.
template <class V>
EBB_INLINE V product(const V& g, const V& d) {
  return V(select(d == 0, 0, g * d));
}

/// Partial sums in 256 bytes, for registers of any width. Vectors are added to them in turn, and
/// the sums are folded by halves: the order of additions that all sums of the library have.
template <class V>
struct Tree {
  static constexpr int registers = 256 / int(sizeof(V));
  V partial[registers];
  int next = 0;

  EBB_INLINE Tree() {
    detail::unrolled<registers>([&](auto k) EBB_LAMBDA { partial[k] = V(0); });
  }
  EBB_INLINE void add(const V& v) {
    if constexpr (registers <= 8) {
      // The sums take turns by rotation, which needs no extra register. It does not change the bits
      // of the result: each fold adds the same pairs, and the order in a pair does not matter.
      const V sum = partial[0] + v;
      detail::unrolled<registers - 1>([&](auto k) EBB_LAMBDA { partial[k] = partial[k + 1]; });
      partial[registers - 1] = sum;
    } else {
      partial[next] = partial[next] + v;
      next = (next + 1) % registers;
    }
  }
  template <int count = registers>
  EBB_INLINE double fold() {
    if constexpr (count > 1) {
      detail::unrolled<count / 2>(
          [&](auto k) EBB_LAMBDA { partial[k] = partial[k] + partial[k + count / 2]; });
      return fold<count / 2>();
    } else {
      return double(partial[0].sum());
    }
  }
};

/// The lanes of the vector at element i of n, and 0 past the end.
template <class V>
EBB_INLINE V within(const V& v, std::int64_t i, std::int64_t n) {
  return i + V::size > n ? V(select(V::first(int(n - i)), v, 0)) : v;
}
/// False if a lane is NaN.
template <class V>
EBB_INLINE bool is_number_in_every_lane(const V& v) {
  const auto sum = v.sum();
  return sum == sum;
}

/// What a loop does with a vector of an output.
enum class Way : char { store, stream, add, none };

template <class V, class T>
EBB_INLINE void put(const V& v, T* to, Way way) {
  if (way == Way::store) [[likely]] {
    v.store(to);
  } else if (way == Way::stream) {
    v.stream(to);
  } else if (way == Way::add) {
    (V::load(to) + v).store(to);
  }
}

/// The loops of a formula F for elements of type T and arguments of which some are plain numbers.
template <class F, class T, bool... number>
class FormulaLoops {
  template <bool careful>
  using FormulaOf = detail::TracedFormula<F, careful, number...>;
  using Formula = FormulaOf<false>;
  static_assert(Formula::kept_count == FormulaOf<true>::kept_count);
  using Block = detail::FusedBlock<T>;
  using Slopes = detail::Slopes;
  using Kept = detail::Kept;
  static constexpr int arguments = sizeof...(number);
  static constexpr bool is_number[] = {number...};
  static constexpr int inputs = (0 + ... + (number ? 0 : 1));
  static constexpr int kept_count = Formula::kept_count;

 public:
  static constexpr int results = Formula::results;

 private:
  /// The rows of a block, from an element on.
  template <class V>
  struct Rows {
    const T* data[arguments];
    V numbers[arguments];
    T* gradients[arguments];
    Way ways[arguments];
    T* kept[kept_count + 1];  // and one, since no array is empty
    const T* upstream[results];
    Way way;  // of the results and of what is kept

    EBB_INLINE Rows(const Block& block, std::int64_t begin) {
      way = block.streams ? Way::stream : Way::store;
      detail::unrolled<arguments>([&](auto k) EBB_LAMBDA {
        const detail::FusedArgument<T>& argument = block.arguments[k];
        if constexpr (is_number[k]) {
          numbers[k] = V(argument.number);
        } else {
          data[k] = argument.values.at(begin);
          gradients[k] = argument.gradient + begin;
          ways[k] = !argument.gradient ? Way::none : argument.adds ? Way::add : way;
        }
      });
      detail::unrolled<kept_count>(
          [&](auto k) EBB_LAMBDA { kept[k] = block.kept ? block.kept[k] + begin : nullptr; });
    }
    /// The rows of a pass back, with the upstream gradients.
    EBB_INLINE static Rows with_upstream(const Block& block, std::int64_t begin) {
      Rows rows(block, begin);
      detail::unrolled<results>([&](auto j)
                                    EBB_LAMBDA { rows.upstream[j] = block.g[j].at(begin); });
      return rows;
    }
  };

  /// What the steps of a program compute at element i.
  template <class V, bool with_value, Slopes slopes, Kept keeping, bool careful = false>
  struct Place {
    static constexpr const auto& program =
        FormulaOf<careful>::template program<with_value, slopes, keeping>;

    V steps[std::size(program.steps)];

    EBB_INLINE Place(const Rows<V>& rows, std::int64_t i) {
      V x[Formula::inputs];
      detail::unrolled<arguments>([&](auto k) EBB_LAMBDA {
        if constexpr (is_number[k]) {
          x[k] = rows.numbers[k];
        } else {
          x[k] = V::load(rows.data[k] + i);
        }
      });
      if constexpr (keeping == Kept::taken) {
        if constexpr (results > 1) {
          detail::unrolled<results>(
              [&](auto j) EBB_LAMBDA { x[arguments + j] = V::load(rows.upstream[j] + i); });
        }
        detail::unrolled<kept_count>(
            [&](auto k) EBB_LAMBDA { x[Formula::first_kept + k] = V::load(rows.kept[k] + i); });
      }
      detail::run_program<program>(x, steps);
    }
    EBB_INLINE const V& value(int j = 0) const { return steps[program.values[j]]; }
    EBB_INLINE const V& kept(int k) const { return steps[program.kept[k]]; }
    /// Calls f(k, slope) for every argument k whose slope is wanted.
    template <class G>
    EBB_INLINE void each_slope(const G& f) const {
      detail::unrolled<arguments>([&](auto k) EBB_LAMBDA {
        if constexpr (program.slopes[k] >= 0) f(k, steps[program.slopes[k]]);
      });
    }
    /// Writes the gradients of these arguments, or adds to them.
    EBB_INLINE void put(const V (&parts)[arguments], const Rows<V>& rows, std::int64_t i) const {
      each_slope([&](auto k, const V&)
                     EBB_LAMBDA { fused::put(parts[k], rows.gradients[k] + i, rows.ways[k]); });
    }
  };

  /// y = f(x...), and the steps that are kept for `pull` if there is room for them.
  template <class V>
  EBB_INLINE static void value(const Block& block, std::int64_t begin, std::int64_t n) {
    const Rows<V> rows(block, begin);
    T* y[results];
    detail::unrolled<results>([&](auto j) EBB_LAMBDA { y[j] = block.y[j] + begin; });
    for (std::int64_t i = 0; i < n; i += V::size) {
      const Place<V, true, Slopes::none, Kept::given> at(rows, i);
      detail::unrolled<results>([&](auto j)
                                    EBB_LAMBDA { fused::put(at.value(j), y[j] + i, rows.way); });
      detail::unrolled<kept_count>([&](auto k) EBB_LAMBDA {
        if constexpr (Formula::kept_results[k] >= 0) return;  // it is in y
        if (rows.kept[k]) fused::put(at.kept(k), rows.kept[k] + i, rows.way);
      });
    }
  }

  // Gradients are computed twice where a product is NaN. A gradient of 0 gives 0, whatever slope it
  // meets; to choose that at every step would take half of the time, and matters only there.

  /// The gradient g times each slope, or 0 where either is 0. The lanes in which g is not 0 are
  /// bits and not a mask: in a unit without AVX-512, g++ makes lanes of 64 bytes one by one for a
  /// mask that is used more than once. All gradients are computed before the first store: g++
  /// splits a `select` whose mask is used across a branch.
  template <class V, Kept keeping>
  EBB_INLINE static void carefully(const Block& block, std::int64_t begin, std::int64_t n) {
    const Rows<V> rows =
        keeping == Kept::taken ? Rows<V>::with_upstream(block, begin) : Rows<V>(block, begin);
    for (std::int64_t i = 0; i < n; i += V::size) {
      const Place<V, false, Slopes::all, keeping, true> at(rows, i);
      V parts[arguments];
      if constexpr (results > 1) {
        at.each_slope([&](auto k, const V& slope) EBB_LAMBDA { parts[k] = slope; });
      } else {
        const V g = keeping == Kept::taken ? V::load(rows.upstream[0] + i) : V(block.scale);
        const auto passes = V(select(g == 0, 0, ones<V>())).bits();
        at.each_slope([&](auto k, const V& slope)
                          EBB_LAMBDA { parts[k] = V(product(g, slope).bits() & passes); });
      }
      at.put(parts, rows, i);
    }
  }

  /// The gradient g times each slope; the programs of several results have multiplied already. What
  /// is added to cannot be computed again, so that there every vector is looked at before it is
  /// added.
  template <class V, Slopes slopes, class Careful>
  EBB_INLINE static void pull(const Block& block, std::int64_t begin, std::int64_t n,
                              const Careful& carefully) {
    const auto rows = Rows<V>::with_upstream(block, begin);
    V seen(0);
    for (std::int64_t i = 0; i < n; i += V::size) {
      const Place<V, false, slopes, Kept::taken> at(rows, i);
      const V g = results > 1 ? V(1) : V::load(rows.upstream[0] + i);
      V parts[arguments], sum(0);
      at.each_slope([&](auto k, const V& slope) EBB_LAMBDA {
        parts[k] = results > 1 ? slope : V(g * slope);
        sum = sum + parts[k];
      });
      sum = within(sum, i, n);
      if (block.adds && !is_number_in_every_lane(sum)) [[unlikely]] {
        carefully(block, begin + i, std::min<std::int64_t>(n - i, V::size));
        continue;
      }
      at.put(parts, rows, i);
      seen = seen + sum;
    }
    if (!is_number_in_every_lane(seen)) carefully(block, begin, n);
  }

  /// The sum of f(x...), and the gradient of each argument, scale * slope.
  template <class V, Slopes slopes, class Careful>
  EBB_INLINE static double sum(const Block& block, std::int64_t begin, std::int64_t n,
                               const Careful& carefully) {
    const Rows<V> rows(block, begin);
    const V scale(block.scale);
    Tree<V> tree;
    V seen(0);
    for (std::int64_t i = 0; i < n; i += V::size) {
      const Place<V, true, slopes, Kept::computed> at(rows, i);
      V parts[arguments], sum(0);
      at.each_slope([&](auto k, const V& slope) EBB_LAMBDA {
        parts[k] = slope * scale;
        sum = sum + parts[k];
      });
      at.put(parts, rows, i);
      if constexpr (slopes != Slopes::none) seen = seen + within(sum, i, n);
      tree.add(within(at.value(), i, n));
    }
    if constexpr (slopes != Slopes::none) {
      if (!is_number_in_every_lane(seen)) carefully(block, begin, n);
    }
    return tree.fold();
  }

  /// Losses differentiate only their first input, and a loop that computes one slope is worth its
  /// code. Formulas of many inputs are no losses.
  static constexpr bool has_first = inputs > 1 && inputs <= 4;

// The loops for one instruction set.
#define EBB_FUSED_LOOPS(set, bytes)                                                                \
  struct set {                                                                                     \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_LOOP_##set static double value(const Block& block, std::int64_t begin, std::int64_t n) {   \
      FormulaLoops::value<V>(block, begin, n);                                                     \
      return 0;                                                                                    \
    }                                                                                              \
    template <Kept keeping>                                                                        \
    EBB_LOOP_##set __attribute__((noinline)) static void carefully(const Block& block,             \
                                                                   std::int64_t begin,             \
                                                                   std::int64_t n) {               \
      FormulaLoops::carefully<V, keeping>(block, begin, n);                                        \
    }                                                                                              \
    template <Slopes slopes>                                                                       \
    EBB_LOOP_##set static double pull_of(const Block& block, std::int64_t begin, std::int64_t n) { \
      FormulaLoops::pull<V, slopes>(block, begin, n, &carefully<Kept::taken>);                     \
      return 0;                                                                                    \
    }                                                                                              \
    template <Slopes slopes>                                                                       \
    EBB_LOOP_##set static double sum_of(const Block& block, std::int64_t begin, std::int64_t n) {  \
      return FormulaLoops::sum<V, slopes>(block, begin, n, &carefully<Kept::computed>);            \
    }                                                                                              \
    static double pull(const Block& block, std::int64_t begin, std::int64_t n) {                   \
      if constexpr (has_first) {                                                                   \
        if (block.first_only) return pull_of<Slopes::first>(block, begin, n);                      \
      }                                                                                            \
      return pull_of<Slopes::all>(block, begin, n);                                                \
    }                                                                                              \
    static double sum_with_gradient(const Block& block, std::int64_t begin, std::int64_t n) {      \
      if constexpr (has_first) {                                                                   \
        if (block.first_only) return sum_of<Slopes::first>(block, begin, n);                       \
      }                                                                                            \
      return sum_of<Slopes::all>(block, begin, n);                                                 \
    }                                                                                              \
  };
  EBB_FOR_EACH_ISA(EBB_FUSED_LOOPS)
#undef EBB_FUSED_LOOPS

  static void on_tensors(std::span<const Tensor<T>> x, std::span<Tensor<T>> y) {
    auto values = [&]<std::size_t... k>(std::index_sequence<k...>) {
      return detail::results_of<Tensor<T>>(F{}(x[k]...));
    }
    (std::make_index_sequence<std::size_t(arguments)>{});
    std::move(values.begin(), values.end(), y.begin());
  }

 public:
  /// Sets only the loops of a reduction, or only the other ones, so that a unit compiles no more.
  template <bool reduces>
  static constexpr detail::FusedLoops<T> table = [] {
    detail::FusedLoops<T> loops{};
    if constexpr (requires { F::name; }) loops.name = F::name;
    if constexpr (requires { F::equal_shapes; }) loops.equal_shapes = F::equal_shapes;
    loops.results = results;
    loops.passes = Formula::passes.data();
    loops.kept_count = kept_count;
    loops.kept_results = Formula::kept_results.data();
    loops.on_tensors = &on_tensors;
    if constexpr (requires { &F::template pull<T>; }) loops.pull_on_tensors = &F::template pull<T>;
    if constexpr (reduces) {
      loops.reduce = {{&sse2::template sum_of<Slopes::none>, &avx2::template sum_of<Slopes::none>,
                       &avx512::template sum_of<Slopes::none>}};
      loops.reduce_with_gradient = {
          {&sse2::sum_with_gradient, &avx2::sum_with_gradient, &avx512::sum_with_gradient}};
    } else {
      loops.value = {{&sse2::value, &avx2::value, &avx512::value}};
      loops.pull = {{&sse2::pull, &avx2::pull, &avx512::pull}};
    }
    return loops;
  }();
};

}  // namespace fused
}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
