// SPDX-License-Identifier: BSD-3-Clause
// A user's formula as one operation: one pass forward, one pass back.
//
//   auto y = fuse([](auto x, auto a) { return square(tanh(x * a)); }, x, a);
//
// The formula runs on SIMD lanes of the best instruction set of the machine, independent of the
// flags that the unit is compiled with. Backward it runs on duals, and for higher orders on
// tensors.
#pragma once
#include <algorithm>
#include <span>

#include "ebb/autodiff/engine/fused_loops.hpp"
#include "ebb/autodiff/formula/activations.hpp"
#include "ebb/autodiff/formula/dual.hpp"
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0 {
namespace detail {

enum class FusedReduction { none, sum, mean };

/// Runs the operation on its operands, of which the first must not be a number.
template <class T>
EBB_API Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                                 std::span<const Operand<T>* const> operands);

}  // namespace detail

inline namespace EBB_ISA_NAMESPACE {
namespace fused {

/// The position of argument i among the differentiated arguments.
template <bool... number>
constexpr int input_index(std::size_t i) {
  constexpr bool numbers[] = {number...};
  int index = 0;
  for (std::size_t k = 0; k < i; ++k) index += numbers[k] ? 0 : 1;
  return index;
}

/// The position of differentiated input p among all arguments.
template <bool... number>
constexpr std::size_t position(int p) {
  std::size_t i = 0;
  while (input_index<number...>(i + 1) <= p) ++i;
  return i;
}

/// An argument in a loop: a row of lanes, or a number in all lanes.
template <bool number, class V>
EBB_INLINE V at(const typename V::value_type* data, const V& constant, std::int64_t i) {
  if constexpr (number) {
    return constant;
  } else {
    return V::load(data + i);
  }
}

/// The number of inputs that a loop differentiates at a time. More directions than registers would
/// be slower than another pass over a block in the cache. `any` is one input that is known only at
/// run time.
inline constexpr int chunk = 4;
inline constexpr int any = -1;

/// An argument with its derivative. A number, or an input that is not differentiated, is itself;
/// input `index` is a dual with a seed in its own direction. The seed of `any` is in memory.
template <bool number, int first, int K, int index, class V>
EBB_INLINE auto seeded(const V& v, const typename V::value_type* seed) {
  if constexpr (number) {
    return v;
  } else if constexpr (first == any) {
    Dual<V, 1> x(v);
    x.d[0] = V::load(seed);
    return x;
  } else if constexpr (index < first || index >= first + K) {
    return v;
  } else {
    Dual<V, K, 1U << (index - first)> x(v);
    x.d[index - first] = V(1);
    return x;
  }
}

/// Writes a vector to each of K outputs, past the caches if `streams`.
template <int K, class V, class T>
EBB_INLINE void put(const V (&values)[K], T* const (&to)[K], std::int64_t i, bool streams) {
  if (streams) {
    detail::unrolled<K>([&](auto k) EBB_LAMBDA { values[k].stream(to[k] + i); });
  } else {
    detail::unrolled<K>([&](auto k) EBB_LAMBDA { values[k].store(to[k] + i); });
  }
}

/// All bits of every lane.
template <class V>
EBB_INLINE V ones() {
  return V(typename V::Bits(~typename V::Bits::Word(0)));
}
template <int K, class V>
EBB_INLINE V sum(const V (&values)[K]) {
  V sum = values[0];
  detail::unrolled<K - 1>([&](auto k) EBB_LAMBDA { sum = sum + values[k + 1]; });
  return sum;
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

/// The loops over lanes of type V. The call of f is written out in the flattened functions, since
/// clang flattens only direct calls.
template <class F, class T, bool... number>
struct Loops {
  static constexpr int inputs = (0 + ... + (number ? 0 : 1));
  using Block = detail::FusedBlock<T>;

// Evaluates the formula at element i.
#define EBB_FUSED_OPEN(V)                                                        \
  const F f{};                                                                   \
  const auto* const arguments = block.arguments;                                 \
  const T* const data[] = {number ? nullptr : arguments[k].values.at(begin)...}; \
  const V constant[] = {V(number ? arguments[k].number : T(0))...};
#define EBB_FUSED_AT(V, i) fused::at<number>(data[k], constant[k], i)

#define EBB_FUSED_VALUE(V)                        \
  EBB_FUSED_OPEN(V)                               \
  T* const to[] = {block.y + begin};              \
  const bool streams = block.streams;             \
  for (std::int64_t i = 0; i < n; i += V::size) { \
    const V y[] = {V(f(EBB_FUSED_AT(V, i)...))};  \
    fused::put(y, to, i, streams);                \
  }                                               \
  return 0;

// Evaluates the formula and its derivatives at element i.
#define EBB_FUSED_OPEN_DUAL(V)                                                               \
  EBB_FUSED_OPEN(V)                                                                          \
  const bool streams = block.streams;                                                        \
  T* to[K];                                                                                  \
  detail::unrolled<K>([&](auto p) EBB_LAMBDA {                                               \
    const std::size_t at = first == fused::any ? std::size_t(block.only)                     \
                                               : fused::position<number...>(first + int(p)); \
    to[p] = arguments[at].gradient.at(begin);                                                \
  });                                                                                        \
  T seed[sizeof...(number)][V::size];                                                        \
  if constexpr (first == fused::any) {                                                       \
    (V(block.only == int(k) ? T(1) : T(0)).store(seed[k]), ...);                             \
  }
#define EBB_FUSED_DUAL(V, i) \
  Dual<V, K>(f(              \
      fused::seeded<number, first, K, input_index<number...>(k)>(EBB_FUSED_AT(V, i), seed[k])...))

// Computes all gradients before the first store: g++ splits a `select` whose mask is used across a
// branch.
#define EBB_FUSED_STORE(V, factor)                                     \
  V pulled[K];                                                         \
  detail::unrolled<K>([&](auto p) EBB_LAMBDA { pulled[p] = factor; }); \
  fused::put(pulled, to, i, streams);

// The gradient g times each derivative, or 0 where either is 0. The lanes in which g is not 0 are
// bits and not a mask: in a unit without AVX-512, g++ makes lanes of 64 bytes one by one for a mask
// that is used more than once.
//
// With registers of 32 bytes, the choices would take a fifth of the time. They matter only where a
// product is NaN, so that plain products come first, and their sum shows whether one was.
#define EBB_FUSED_PULL(V)                                              \
  EBB_FUSED_OPEN_DUAL(V)                                               \
  const T* const upstream = block.g.at(begin);                         \
  if constexpr (sizeof(V) == 32) {                                     \
    V seen(0);                                                         \
    for (std::int64_t i = 0; i < n; i += V::size) {                    \
      const auto r = EBB_FUSED_DUAL(V, i);                             \
      const V g = V::load(upstream + i);                               \
      EBB_FUSED_STORE(V, g* r.d[p])                                    \
      seen = seen + fused::sum(pulled);                                \
    }                                                                  \
    const T total = seen.sum();                                        \
    if (total == total) return 0;                                      \
  }                                                                    \
  for (std::int64_t i = 0; i < n; i += V::size) {                      \
    const auto r = EBB_FUSED_DUAL(V, i);                               \
    const V g = V::load(upstream + i);                                 \
    const auto passes = V(select(g == 0, 0, fused::ones<V>())).bits(); \
    EBB_FUSED_STORE(V, V(fused::product(g, r.d[p]).bits() & passes))   \
  }                                                                    \
  return 0;

// One vector of a sum. The last one may be partial.
#define EBB_FUSED_ADD(V, v) tree.add(i + V::size > n ? V(select(V::first(int(n - i)), v, 0)) : (v));

#define EBB_FUSED_SUM(V)                          \
  EBB_FUSED_OPEN(V)                               \
  fused::Tree<V> tree;                            \
  for (std::int64_t i = 0; i < n; i += V::size) { \
    const V y(f(EBB_FUSED_AT(V, i)...));          \
    EBB_FUSED_ADD(V, y)                           \
  }                                               \
  return tree.fold();
#define EBB_FUSED_SUM_AND_GRADIENT(V)             \
  EBB_FUSED_OPEN_DUAL(V)                          \
  const V scale(block.scale);                     \
  fused::Tree<V> tree;                            \
  for (std::int64_t i = 0; i < n; i += V::size) { \
    const auto r = EBB_FUSED_DUAL(V, i);          \
    EBB_FUSED_STORE(V, (r.d[p] * scale))          \
    EBB_FUSED_ADD(V, r.v)                         \
  }                                               \
  return tree.fold();

#define EBB_FUSED_LOOPS(set, bytes)                                                                \
  template <std::size_t... k>                                                                      \
  EBB_LOOP_##set static double value_##set(const Block& block, std::int64_t begin, std::int64_t n, \
                                           std::index_sequence<k...>) {                            \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_VALUE(V)                                                                             \
  }                                                                                                \
  template <int first, int K, std::size_t... k>                                                    \
  EBB_LOOP_##set static double pull_##set(const Block& block, std::int64_t begin, std::int64_t n,  \
                                          std::index_sequence<k...>) {                             \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_PULL(V)                                                                              \
  }                                                                                                \
  template <std::size_t... k>                                                                      \
  EBB_LOOP_##set static double sum_##set(const Block& block, std::int64_t begin, std::int64_t n,   \
                                         std::index_sequence<k...>) {                              \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_SUM(V)                                                                               \
  }                                                                                                \
  template <int first, int K, std::size_t... k>                                                    \
  EBB_LOOP_##set static double sum_and_gradient_##set(const Block& block, std::int64_t begin,      \
                                                      std::int64_t n, std::index_sequence<k...>) { \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_SUM_AND_GRADIENT(V)                                                                  \
  }

  EBB_FOR_EACH_ISA(EBB_FUSED_LOOPS)

  using Sequence = std::make_index_sequence<sizeof...(number)>;
  /// True if a gradient of the inputs from `first` on is wanted.
  static bool wants(const Block& block, int first) {
    const auto* const begin = block.arguments + fused::position<number...>(first);
    const auto* const end = block.arguments +
                            fused::position<number...>(std::min(first + fused::chunk, inputs) - 1) +
                            1;
    return std::any_of(begin, end, [](const auto& argument) { return argument.owned; });
  }
  using Chunks = std::make_index_sequence<(inputs + fused::chunk - 1) / fused::chunk>;
  // Losses differentiate only their first input, and one derivative less is worth a separate loop.
#define EBB_FUSED_PULL_ENTRY(name, set)                                                           \
  template <std::size_t... c>                                                                     \
  static double name##_##set##_chunks(const Block& block, std::int64_t begin, std::int64_t n,     \
                                      std::index_sequence<c...>) {                                \
    constexpr int first[] = {fused::chunk * int(c)...};                                           \
    const double sums[] = {                                                                       \
        (c == 0 || wants(block, first[c])                                                         \
             ? name##_##set<first[c], std::min(fused::chunk, inputs - first[c])>(block, begin, n, \
                                                                                 Sequence{})      \
             : 0)...};                                                                            \
    return sums[0];                                                                               \
  }                                                                                               \
  static double name##_##set##_entry(const Block& block, std::int64_t begin, std::int64_t n) {    \
    if constexpr (inputs > 1) {                                                                   \
      if (block.only == 0) return name##_##set<0, 1>(block, begin, n, Sequence{});                \
      if (block.only > 0) return name##_##set<fused::any, 1>(block, begin, n, Sequence{});        \
    }                                                                                             \
    return name##_##set##_chunks(block, begin, n, Chunks{});                                      \
  }
#define EBB_FUSED_ENTRY(name, set)                                                             \
  static double name##_##set##_entry(const Block& block, std::int64_t begin, std::int64_t n) { \
    return name##_##set(block, begin, n, Sequence{});                                          \
  }
#define EBB_FUSED_ENTRIES(set, bytes) \
  EBB_FUSED_ENTRY(value, set)         \
  EBB_FUSED_ENTRY(sum, set)           \
  EBB_FUSED_PULL_ENTRY(pull, set)     \
  EBB_FUSED_PULL_ENTRY(sum_and_gradient, set)
  EBB_FOR_EACH_ISA(EBB_FUSED_ENTRIES)
#undef EBB_FUSED_ENTRIES
#undef EBB_FUSED_ENTRY
#undef EBB_FUSED_PULL_ENTRY
#undef EBB_FUSED_LOOPS
#undef EBB_FUSED_SUM_AND_GRADIENT
#undef EBB_FUSED_SUM
#undef EBB_FUSED_ADD
#undef EBB_FUSED_PULL
#undef EBB_FUSED_STORE
#undef EBB_FUSED_DUAL
#undef EBB_FUSED_OPEN_DUAL
#undef EBB_FUSED_VALUE
#undef EBB_FUSED_AT
#undef EBB_FUSED_OPEN

  static Tensor<T> on_tensors(std::span<const Tensor<T>> x) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) { return Tensor<T>(F{}(x[k]...)); }
    (Sequence{});
  }

  /// Sets only the loops of a reduction, or only the other ones, so that a unit compiles no more.
  template <bool reduces>
  static constexpr detail::FusedLoops<T> table = [] {
    detail::FusedLoops<T> loops{};
    if constexpr (requires { F::name; }) loops.name = F::name;
    if constexpr (requires { F::equal_shapes; }) loops.equal_shapes = F::equal_shapes;
    loops.on_tensors = &on_tensors;
    if constexpr (requires { &F::template pull<T>; }) loops.pull_on_tensors = &F::template pull<T>;
    if constexpr (reduces) {
      loops.reduce = {{&sum_sse2_entry, &sum_avx2_entry, &sum_avx512_entry}};
      loops.reduce_with_gradient = {{&sum_and_gradient_sse2_entry, &sum_and_gradient_avx2_entry,
                                     &sum_and_gradient_avx512_entry}};
    } else {
      loops.value = {{&value_sse2_entry, &value_avx2_entry, &value_avx512_entry}};
      loops.pull = {{&pull_sse2_entry, &pull_avx2_entry, &pull_avx512_entry}};
    }
    return loops;
  }();
};

/// Converts an argument to an operand; a plain number becomes a `Number`.
template <class T, class A>
decltype(auto) as_operand(const A& a) {
  if constexpr (std::is_arithmetic_v<A>) {
    return Number<T>(double(a));
  } else {
    return static_cast<const Operand<T>&>(a);
  }
}

template <class T, class>
using as_tensor = Tensor<T>;

/// A formula whose value is a number, whatever its arguments are.
template <class F, detail::FusedReduction reduction, Real T, class... Rest>
Tensor<T> on_constant(const Operand<T>& x, const Rest&... rest) {
  Shape shape = x.shape();
  [[maybe_unused]] const auto include = [&](const auto& argument) {
    if constexpr (!std::is_arithmetic_v<std::decay_t<decltype(argument)>>)
      shape = broadcast("fuse", shape, argument.shape());
  };
  (include(rest), ...);
  const auto value = T(F{}(Tensor<T>(T(0)), as_tensor<T, Rest>(T(0))...));
  if constexpr (reduction == detail::FusedReduction::none) {
    return Array<T>::full(shape, value);
  } else {
    return reduction == detail::FusedReduction::mean ? value : value * T(shape.size());
  }
}

template <class F, detail::FusedReduction reduction, Real T, class... Rest>
Tensor<T> run(const Operand<T>& x, const Rest&... rest) {
  constexpr bool is_empty = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(is_empty,
                "fuse: the lambda must capture nothing, since it runs again in the sweep; pass "
                "numbers and tensors as arguments");
  if constexpr (is_empty) {
    using Value = decltype(
        F{}(std::declval<as_tensor<T, Operand<T>>>(), std::declval<as_tensor<T, Rest>>()...));
    if constexpr (std::is_arithmetic_v<Value>)
      return on_constant<F, reduction, T>(x, rest...);
    else {
      return [&](const auto&... operand) {
        const Operand<T>* const operands[] = {&x, &operand...};
        using Compiled = Loops<F, T, false, std::is_arithmetic_v<Rest>...>;
        constexpr bool reduces = reduction != detail::FusedReduction::none;
        return detail::fuse_arguments<T>(Compiled::template table<reduces>, reduction, operands);
      }(as_operand<T>(rest)...);
    }
  }
}

}  // namespace fused

/// Computes f(x, rest...) element by element, as one operation. `f` is a generic lambda without
/// captures that uses the functions of formulas; write a condition as select(condition, a, b). The
/// arguments are arrays, tensors and variables, which broadcast, and numbers; the first is not a
/// number. There may be any number of arguments; the sweep makes one pass over a block for every
/// four. The type of an intermediate value depends on its arguments, so declare each as a new
/// `const auto`.
template <class F, Real T, class... Rest>
Tensor<T> fuse(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F, detail::FusedReduction::none>(x, rest...);
}

/// The sum of f(x, rest...) over all elements. Gradients are computed in the forward pass.
template <class F, Real T, class... Rest>
Tensor<T> fuse_sum(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F, detail::FusedReduction::sum>(x, rest...);
}

/// The mean of f(x, rest...) over all elements. Gradients are computed in the forward pass.
template <class F, Real T, class... Rest>
Tensor<T> fuse_mean(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F, detail::FusedReduction::mean>(x, rest...);
}

}  // namespace EBB_ISA_NAMESPACE
}  // namespace ebb::inline v0
