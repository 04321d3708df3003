// SPDX-License-Identifier: BSD-3-Clause
// The loops of a formula over lanes, compiled in the unit that has the formula. They run on the
// lanes of the best instruction set of the machine, independent of the flags of the unit.
#pragma once
#include <algorithm>

#include "ebb/autodiff/engine/formula_rows.hpp"
#include "ebb/autodiff/formula/program.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {
namespace fused {

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

/// One of the steps, if there is such a one.
template <int step, class V>
EBB_INLINE void take(V& to, const V* steps) {
  if constexpr (step >= 0) to = steps[step];
}

/// What a program gives at one place.
template <const auto& program, class V>
struct Place {
  static constexpr int arguments = int(std::size(program.slopes));
  static constexpr int results = int(std::size(program.values));
  static constexpr int kept_count = int(std::size(program.kept));
  /// The arguments whose slope it gives.
  static constexpr std::array<bool, arguments> is_given = [] {
    std::array<bool, arguments> is_given{};
    for (std::size_t k = 0; k < arguments; ++k) is_given[k] = program.slopes[k] >= 0;
    return is_given;
  }();

  V slopes[arguments], values[results], kept[kept_count];

  template <int inputs>
  EBB_INLINE explicit Place(const V (&x)[inputs])
      : Place(x, std::make_index_sequence<arguments>(), std::make_index_sequence<results>(),
              std::make_index_sequence<kept_count>()) {}

 private:
  template <int inputs, std::size_t... k, std::size_t... j, std::size_t... m>
  EBB_INLINE Place(const V (&x)[inputs], std::index_sequence<k...>, std::index_sequence<j...>,
                   std::index_sequence<m...>) {
    V steps[std::size(program.steps)];
    detail::run_program<program>(x, steps);
    (take<program.slopes[k]>(slopes[k], steps), ...);
    (take<program.values[j]>(values[j], steps), ...);
    (take<program.kept[m]>(kept[m], steps), ...);
  }
};

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
  static constexpr int inputs = (0 + ... + (number ? 0 : 1));
  static constexpr int kept_count = Formula::kept_count;

 public:
  static constexpr int results = Formula::results;

 private:
  template <class V>
  using Rows = BlockRows<V, results, kept_count, number...>;
  static constexpr std::array<bool, kept_count + 1> is_result = [] {
    std::array<bool, kept_count + 1> is_result{};
    for (std::size_t k = 0; k < kept_count; ++k) is_result[k] = Formula::kept_results[int(k)] >= 0;
    return is_result;
  }();

  /// y = f(x...), and the steps that are kept for `pull` if there is room for them.
  template <class V>
  EBB_INLINE static void value(const Block& block, std::int64_t begin, std::int64_t n) {
    Rows<V> rows(block, begin);
    rows.with_results(block, begin);
    for (std::int64_t i = 0; i < n; i += V::size) {
      V x[Formula::inputs];
      rows.template load<false>(x, i);
      const Place<Formula::template program<true, Slopes::none, Kept::given>, V> at(x);
      rows.template put_results<is_result>(at.values, at.kept, i);
    }
  }

  // Gradients are computed twice where a product is NaN. A gradient of 0 gives 0, whatever slope it
  // meets; to choose that at every step would take half of the time, and matters only there.

  /// The gradient g times each slope, or 0 where either is 0. All gradients are computed before the
  /// first store: g++ splits a `select` whose mask is used across a branch.
  template <class V, Kept keeping>
  EBB_INLINE static void carefully(const Block& block, std::int64_t begin, std::int64_t n) {
    constexpr bool takes = keeping == Kept::taken;
    Rows<V> rows(block, begin);
    if constexpr (takes) rows.with_upstream(block, begin);
    for (std::int64_t i = 0; i < n; i += V::size) {
      V x[Formula::inputs];
      rows.template load<takes>(x, i);
      const Place<FormulaOf<true>::template program<false, Slopes::all, keeping>, V> at(x);
      if constexpr (results > 1) {
        rows.template put_gradients<at.is_given>(at.slopes, i);
      } else {
        V parts[arguments];
        const V g = takes ? V::load(rows.upstream[0] + i) : V(block.scale);
        scaled_carefully<at.is_given>(at.slopes, g, parts);
        rows.template put_gradients<at.is_given>(parts, i);
      }
    }
  }

  /// The gradient g times each slope; the programs of several results have multiplied already. What
  /// is added to cannot be computed again, so that there every vector is looked at before it is
  /// added.
  template <class V, Slopes slopes, class Careful>
  EBB_INLINE static void pull(const Block& block, std::int64_t begin, std::int64_t n,
                              const Careful& carefully) {
    Rows<V> rows(block, begin);
    rows.with_upstream(block, begin);
    V seen(0);
    for (std::int64_t i = 0; i < n; i += V::size) {
      V x[Formula::inputs], parts[arguments];
      rows.template load<true>(x, i);
      const Place<Formula::template program<false, slopes, Kept::taken>, V> at(x);
      const V g = results > 1 ? V(1) : V::load(rows.upstream[0] + i);
      const V sum = within(scaled<at.is_given>(at.slopes, g, parts), i, n);
      if (block.adds && !is_number_in_every_lane(sum)) [[unlikely]] {
        carefully(block, begin + i, std::min<std::int64_t>(n - i, V::size));
        continue;
      }
      rows.template put_gradients<at.is_given>(parts, i);
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
      V x[Formula::inputs], parts[arguments];
      rows.template load<false>(x, i);
      const Place<Formula::template program<true, slopes, Kept::computed>, V> at(x);
      const V sum = scaled<at.is_given>(at.slopes, scale, parts);
      rows.template put_gradients<at.is_given>(parts, i);
      if constexpr (slopes != Slopes::none) seen = seen + within(sum, i, n);
      tree.add(within(at.values[0], i, n));
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
#ifdef EBB_SANITIZES
  // The loops are alike, and those for the widest registers take the longest to compile.
  EBB_FUSED_LOOPS(sse2, 16)
  EBB_FUSED_LOOPS(avx2, 32)
  using avx512 = avx2;
#else
  EBB_FOR_EACH_ISA(EBB_FUSED_LOOPS)
#endif
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
