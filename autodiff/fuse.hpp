// SPDX-License-Identifier: BSD-3-Clause
// A formula of the user's own as one operation: one pass forward, one pass back.
//
//   auto y = fuse([](auto x, auto a) { return square(tanh(x * a)); }, x, a);
//
// The formula runs on SIMD lanes of the best instruction set of the machine, whatever flags the
// unit is compiled with; backward it runs on duals, and for higher orders on tensors.
#pragma once
#include <span>

#include "ebb/autodiff/dual.hpp"
#include "ebb/autodiff/lanes.hpp"
#include "ebb/autodiff/tape.hpp"

namespace ebb::inline v0 {
namespace detail {

inline constexpr int max_fused_inputs = 4;
inline constexpr int max_fused_arguments = 8;

/// The arguments of a fused loop: pointers to n elements, or to one value.
template <class T>
struct FusedArguments {
  const T* data[max_fused_arguments];
  bool splat[max_fused_arguments];
};

/// What the loops of one formula write: the value, or the gradient of each input (null to skip).
template <class T>
struct FusedOutputs {
  T* y;
  T* gradient[max_fused_inputs];
  const T* g;  ///< upstream gradient
  bool g_splat;
  T scale;   ///< of the gradients that a reduction writes on its way forward
  int only;  ///< the one input that is differentiated, or -1 for all
};

/// The compiled loops of one formula, for each instruction set.
template <class T>
struct FusedLoops {
  using Loop = double (*)(const FusedArguments<T>&, const FusedOutputs<T>&, std::int64_t n);
  Loop value[3];  ///< y = f(x...)
  Loop pull[3];   ///< gradient[k] = g * df/dx[k]
  Loop sum[3];    ///< returns the sum of f; no gradients
  Loop sum_and_gradient[3];
  Tensor<T> (*on_tensors)(std::span<const Tensor<T>> arguments);
};

enum class FusedReduction { none, sum, mean };

/// The operation on its operands, of which the first is no number.
template <class T>
EBB_API Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                                 std::span<const Operand<T>* const> operands);

}  // namespace detail

inline namespace EBB_UNIT {
namespace fused {

template <class T, class A>
constexpr bool is_number = std::is_arithmetic_v<std::remove_cvref_t<A>>;

/// The position of argument i among those that are differentiated.
template <bool... number>
constexpr int input_index(std::size_t i) {
  constexpr bool numbers[] = {number...};
  int index = 0;
  for (std::size_t k = 0; k < i; ++k) index += numbers[k] ? 0 : 1;
  return index;
}

/// An argument in a loop: a row of lanes, or the same lanes over and over. Both are read by one
/// load, since a choice in the loop costs g++ both.
template <class V>
struct Source {
  using T = typename V::value_type;
  const T* data = nullptr;
  std::int64_t mask = 0;  // of the position

  EBB_INLINE void open(const T* from, bool splat, T* room) {
    if (splat) V(*from).store(room);
    data = splat ? room : from;
    mask = splat ? 0 : -1;
  }
  EBB_INLINE V at(std::int64_t i) const { return V::load(data + (i & mask)); }
};

/// A number as it is, an input as a dual that is seeded in its own direction; the seed of a single
/// direction stands in memory.
template <bool number, int K, class V>
EBB_INLINE auto seeded(const V& v, int index, const typename V::value_type* seed) {
  if constexpr (number) {
    return v;
  } else {
    Dual<V, K> x(v);
    if constexpr (K == 1) {
      x.d[0] = V::load(seed);
    } else {
      repeat<K>([&](auto p)
                    __attribute__((always_inline)) { x.d[p] = V(int(p) == index ? 1 : 0); });
    }
    return x;
  }
}

/// Writes to an output, past the caches if that is better.
template <class V>
EBB_INLINE void put(const V& v, typename V::value_type* to, bool streams) {
  if (streams) {
    v.stream(to);
  } else {
    v.store(to);
  }
}

/// Partial sums in 256 bytes whatever the width of a register, folded by halves: the library's
/// tree.
template <class V>
struct Tree {
  static constexpr int registers = 256 / int(sizeof(V));
  static constexpr int width = registers * V::size;
  V partial[registers];
  EBB_INLINE Tree() { clear(); }
  EBB_INLINE void clear() {
    for (V& p : partial) p = V(0);
  }
  EBB_INLINE double fold() {
    EBB_UNROLL
    for (int half = registers / 2; half > 0; half /= 2) {
      EBB_UNROLL
      for (int k = 0; k < half; ++k) partial[k] = partial[k] + partial[k + half];
    }
    return double(partial[0].sum());
  }
};

/// The loops over lanes of type V. The call of f stands literally in the flattened functions, since
/// clang flattens direct calls only.
template <class F, class T, bool... number>
struct Loops {
  static constexpr int inputs = (0 + ... + (number ? 0 : 1));
  using In = detail::FusedArguments<T>;
  using Out = detail::FusedOutputs<T>;

// What a loop needs of its arguments, before it begins.
#define EBB_FUSED_OPEN(V)                 \
  const F f{};                            \
  T room[sizeof...(number)][V::size];     \
  fused::Source<V> in[sizeof...(number)]; \
  (in[k].open(given.data[k], given.splat[k], room[k]), ...);

#define EBB_FUSED_VALUE(V)                            \
  EBB_FUSED_OPEN(V)                                   \
  T* const y = out.y;                                 \
  const bool streams = V::streams(y, n);              \
  for (std::int64_t i = 0; i < n; i += V::size) {     \
    fused::put(V(f(in[k].at(i)...)), y + i, streams); \
  }                                                   \
  if (streams) V::stream_end();                       \
  return 0;

// The same for its gradients: where they go, and the seeds if there is one direction.
#define EBB_FUSED_OPEN_DUAL(V, K)                                                          \
  EBB_FUSED_OPEN(V)                                                                        \
  T* to[K];                                                                                \
  repeat<K>([&](auto p) __attribute__((always_inline)) {                                   \
    to[p] = out.gradient[K == 1 && out.only > 0 ? std::size_t(out.only) : std::size_t(p)]; \
  });                                                                                      \
  bool streams = true;                                                                     \
  repeat<K>([&](auto p) __attribute__((always_inline)) {                                   \
    streams &= to[p] == nullptr || V::streams(to[p], n);                                   \
  });                                                                                      \
  T seed[sizeof...(number)][V::size];                                                      \
  (V(out.only < 0 || out.only == input_index<number...>(k) ? T(1) : T(0)).store(seed[k]), ...);

#define EBB_FUSED_DUAL(V, K) \
  const Dual<V, K> r(f(seeded<number, K>(in[k].at(i), input_index<number...>(k), seed[k])...));

// All gradients before the first store: g++ takes a choice apart if its mask crosses a branch.
#define EBB_FUSED_STORE(V, K, factor)                                            \
  V pulled[K];                                                                   \
  repeat<K>([&](auto p) __attribute__((always_inline)) { pulled[p] = factor; }); \
  repeat<K>([&](auto p) __attribute__((always_inline)) {                         \
    if (to[p]) fused::put(pulled[p], to[p] + i, streams);                        \
  });

#define EBB_FUSED_PULL(V, K)                                \
  EBB_FUSED_OPEN_DUAL(V, K)                                 \
  T g_room[V::size];                                        \
  fused::Source<V> upstream;                                \
  upstream.open(out.g, out.g_splat, g_room);                \
  for (std::int64_t i = 0; i < n; i += V::size) {           \
    EBB_FUSED_DUAL(V, K)                                    \
    const V g = upstream.at(i);                             \
    EBB_FUSED_STORE(V, K, V(select(g == 0, 0, g * r.d[p]))) \
  }                                                         \
  if (streams) V::stream_end();                             \
  return 0;

// One vector of a reduction; the last one may be partial.
#define EBB_FUSED_TERM(V, ...)                                                                    \
  if (i < last) {                                                                                 \
    __VA_ARGS__ tree.partial[part] =                                                              \
        tree.partial[part] + (i + V::size > last ? V(select(V::first(int(last - i)), v, 0)) : v); \
    i += V::size;                                                                                 \
  }

// Partial sums live in registers where they are few; more of them would multiply the code.
#define EBB_FUSED_BLOCKS(V, ...)                                           \
  double total = 0;                                                        \
  for (std::int64_t first = 0; first < n; first += 4096) {                 \
    const std::int64_t last = n - first < 4096 ? n : first + 4096;         \
    Tree<V> tree;                                                          \
    for (std::int64_t i = first; i < last;) {                              \
      if constexpr (Tree<V>::registers <= 4) {                             \
        EBB_UNROLL for (int part = 0; part < Tree<V>::registers; ++part) { \
          EBB_FUSED_TERM(V, __VA_ARGS__)                                   \
        }                                                                  \
      } else {                                                             \
        for (int part = 0; part < Tree<V>::registers; ++part) {            \
          EBB_FUSED_TERM(V, __VA_ARGS__)                                   \
        }                                                                  \
      }                                                                    \
    }                                                                      \
    total += tree.fold();                                                  \
  }

#define EBB_FUSED_SUM(V)                             \
  EBB_FUSED_OPEN(V)                                  \
  EBB_FUSED_BLOCKS(V, const V v(f(in[k].at(i)...));) \
  return total;
#define EBB_FUSED_SUM_AND_GRADIENT(V, K)                    \
  EBB_FUSED_OPEN_DUAL(V, K)                                 \
  const V scale(out.scale);                                 \
  EBB_FUSED_BLOCKS(V, EBB_FUSED_DUAL(V, K) const V v = r.v; \
                   EBB_FUSED_STORE(V, K, (r.d[p] * scale))) \
  if (streams) V::stream_end();                             \
  return total;

#define EBB_FUSED_LOOPS(set, attributes, bytes)                                                    \
  template <std::size_t... k>                                                                      \
  attributes static double value_##set(const In& given, const Out& out, std::int64_t n,            \
                                       std::index_sequence<k...>) {                                \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_VALUE(V)                                                                             \
  }                                                                                                \
  template <int K, std::size_t... k>                                                               \
  attributes static double pull_##set(const In& given, const Out& out, std::int64_t n,             \
                                      std::index_sequence<k...>) {                                 \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_PULL(V, K)                                                                           \
  }                                                                                                \
  template <std::size_t... k>                                                                      \
  attributes static double sum_##set(const In& given, const Out&, std::int64_t n,                  \
                                     std::index_sequence<k...>) {                                  \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_SUM(V)                                                                               \
  }                                                                                                \
  template <int K, std::size_t... k>                                                               \
  attributes static double sum_and_gradient_##set(const In& given, const Out& out, std::int64_t n, \
                                                  std::index_sequence<k...>) {                     \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                    \
    EBB_FUSED_SUM_AND_GRADIENT(V, K)                                                               \
  }

  // Lists of features, not architectures: g++ refuses to inline across the latter.
  EBB_FUSED_LOOPS(sse2, __attribute__((EBB_LOOP)), 16)
  EBB_FUSED_LOOPS(avx2, __attribute__((EBB_LOOP, target("avx2,fma"))), 32)
  EBB_FUSED_LOOPS(avx512,
                  __attribute__((EBB_LOOP, target("avx2,fma,avx512f,avx512bw,avx512dq,avx512cd,"
                                                  "avx512vl"))),
                  64)

  using Sequence = std::make_index_sequence<sizeof...(number)>;
  // One differentiated input of several needs one partial, not all.
#define EBB_FUSED_ENTRY(name, set)                                                       \
  static double name##_##set##_entry(const In& in, const Out& out, std::int64_t n) {     \
    if (inputs > 1 && out.only < 0) return name##_##set<inputs>(in, out, n, Sequence{}); \
    return name##_##set<1>(in, out, n, Sequence{});                                      \
  }
  EBB_FUSED_ENTRY(pull, sse2)
  EBB_FUSED_ENTRY(pull, avx2)
  EBB_FUSED_ENTRY(pull, avx512)
  EBB_FUSED_ENTRY(sum_and_gradient, sse2)
  EBB_FUSED_ENTRY(sum_and_gradient, avx2)
  EBB_FUSED_ENTRY(sum_and_gradient, avx512)
#undef EBB_FUSED_ENTRY
#define EBB_FUSED_ENTRY(name, set)                                                   \
  static double name##_##set##_entry(const In& in, const Out& out, std::int64_t n) { \
    return name##_##set(in, out, n, Sequence{});                                     \
  }
  EBB_FUSED_ENTRY(value, sse2)
  EBB_FUSED_ENTRY(value, avx2)
  EBB_FUSED_ENTRY(value, avx512)
  EBB_FUSED_ENTRY(sum, sse2)
  EBB_FUSED_ENTRY(sum, avx2)
  EBB_FUSED_ENTRY(sum, avx512)
#undef EBB_FUSED_ENTRY
#undef EBB_FUSED_LOOPS
#undef EBB_FUSED_SUM_AND_GRADIENT
#undef EBB_FUSED_SUM
#undef EBB_FUSED_BLOCKS
#undef EBB_FUSED_TERM
#undef EBB_FUSED_PULL
#undef EBB_FUSED_STORE
#undef EBB_FUSED_DUAL
#undef EBB_FUSED_OPEN_DUAL
#undef EBB_FUSED_VALUE
#undef EBB_FUSED_OPEN

  static Tensor<T> on_tensors(std::span<const Tensor<T>> x) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) { return Tensor<T>(F{}(x[k]...)); }
    (Sequence{});
  }

  static constexpr detail::FusedLoops<T> table{
      {&value_sse2_entry, &value_avx2_entry, &value_avx512_entry},
      {&pull_sse2_entry, &pull_avx2_entry, &pull_avx512_entry},
      {&sum_sse2_entry, &sum_avx2_entry, &sum_avx512_entry},
      {&sum_and_gradient_sse2_entry, &sum_and_gradient_avx2_entry, &sum_and_gradient_avx512_entry},
      &on_tensors};
};

/// An argument as an operand: itself, or a number in its place.
template <class T, class A>
decltype(auto) as_operand(const A& a) {
  if constexpr (std::is_arithmetic_v<A>) {
    return Number<T>(double(a));
  } else {
    return static_cast<const Operand<T>&>(a);
  }
}

template <class F, Real T, class... Rest>
Tensor<T> run(detail::FusedReduction reduction, const Operand<T>& x, const Rest&... rest) {
  static_assert(std::is_empty_v<F> && std::is_default_constructible_v<F>,
                "fuse: the lambda must capture nothing, since it runs again in the sweep; pass "
                "numbers and tensors as arguments");
  constexpr int inputs = 1 + (0 + ... + (std::is_arithmetic_v<Rest> ? 0 : 1));
  static_assert(inputs <= detail::max_fused_inputs && sizeof...(Rest) < detail::max_fused_arguments,
                "fuse: at most four tensors and eight arguments");
  return [&](const auto&... operand) {
    const Operand<T>* const operands[] = {&x, &operand...};
    return detail::fuse_arguments<T>(Loops<F, T, false, std::is_arithmetic_v<Rest>...>::table,
                                     reduction, operands);
  }(as_operand<T>(rest)...);
}

}  // namespace fused

/// f(x, rest...) element by element, as one operation. `f` is a generic lambda without captures
/// over the functions of formulas; a condition is written select(condition, a, b). Up to four of
/// the arguments are arrays, tensors or variables, which broadcast; the others are numbers.
template <class F, Real T, class... Rest>
Tensor<T> fuse(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F>(detail::FusedReduction::none, x, rest...);
}

/// The sum of f(x, rest...) over all elements; its gradients are computed on the way forward.
template <class F, Real T, class... Rest>
Tensor<T> fuse_sum(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F>(detail::FusedReduction::sum, x, rest...);
}

/// The mean of f(x, rest...) over all elements; its gradients are computed on the way forward.
template <class F, Real T, class... Rest>
Tensor<T> fuse_mean(F, const Operand<T>& x, const Rest&... rest) {
  return fused::run<F>(detail::FusedReduction::mean, x, rest...);
}

}  // namespace EBB_UNIT
}  // namespace ebb::inline v0
