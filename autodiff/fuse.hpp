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

/// A number as it is, input `index` as a dual that is seeded in its own direction; where there is
/// one direction for all, its seed stands in memory.
template <bool number, int K, int index, class V>
EBB_INLINE auto seeded(const V& v, const typename V::value_type* seed) {
  if constexpr (number) {
    return v;
  } else if constexpr (K == 1) {
    Dual<V, 1> x(v);
    x.d[0] = V::load(seed);
    return x;
  } else {
    Dual<V, K, 1U << index> x(v);
    x.d[index] = V(1);
    return x;
  }
}

/// Where a loop writes K outputs: past the caches if that is better. One that nobody wants goes to
/// the same place over and over, since a choice in the loop costs g++ more than a store.
template <class V, int K>
struct Targets {
  using T = typename V::value_type;
  T* data[K];
  std::int64_t mask[K];  // of the position
  bool streams = true;

  EBB_INLINE void open(int k, T* to, std::int64_t n, T* room) {
    data[k] = to ? to : room;
    mask[k] = to ? -1 : 0;
    streams = streams && to && V::streams(to, n);
  }
  EBB_INLINE void put(const V* values, std::int64_t i) const {
    if (streams) {
      repeat<K>([&](auto k) __attribute__((always_inline)) { values[k].stream(data[k] + i); });
    } else {
      repeat<K>([&](auto k)
                    __attribute__((always_inline)) { values[k].store(data[k] + (i & mask[k])); });
    }
  }
  EBB_INLINE void close() const {
    if (streams) V::stream_end();
  }
};

/// Partial sums in 256 bytes whatever the width of a register, to each of which every so-many-th
/// vector is added, folded by halves: the library's tree.
template <class V>
struct Tree {
  static constexpr int registers = 256 / int(sizeof(V));
  V partial[registers];
  int next = 0;

  EBB_INLINE Tree() {
    for (V& p : partial) p = V(0);
  }
  EBB_INLINE void add(const V& v) {
    if constexpr (registers <= 8) {
      // The sums take turns by moving on, which costs a register no time. It changes no bit of the
      // fold: the same pairs meet, and the order within a pair does not matter.
      const V sum = partial[0] + v;
      repeat<registers - 1>([&](auto k)
                                __attribute__((always_inline)) { partial[k] = partial[k + 1]; });
      partial[registers - 1] = sum;
    } else {
      partial[next] = partial[next] + v;
      next = (next + 1) % registers;
    }
  }
  template <int count = registers>
  EBB_INLINE double fold() {
    if constexpr (count > 1) {
      repeat<count / 2>([&](auto k) __attribute__((always_inline)) {
        partial[k] = partial[k] + partial[k + count / 2];
      });
      return fold<count / 2>();
    } else {
      return double(partial[0].sum());
    }
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

#define EBB_FUSED_VALUE(V)                        \
  EBB_FUSED_OPEN(V)                               \
  fused::Targets<V, 1> to;                        \
  to.open(0, out.y, n, nullptr);                  \
  for (std::int64_t i = 0; i < n; i += V::size) { \
    const V y[] = {V(f(in[k].at(i)...))};         \
    to.put(y, i);                                 \
  }                                               \
  to.close();                                     \
  return 0;

// The same for its gradients: where they go, and the seeds if there is one direction.
#define EBB_FUSED_OPEN_DUAL(V, K)                                                                \
  EBB_FUSED_OPEN(V)                                                                              \
  T spare[V::size];                                                                              \
  fused::Targets<V, K> to;                                                                       \
  repeat<K>([&](auto p) __attribute__((always_inline)) {                                         \
    to.open(int(p), out.gradient[K == 1 && out.only > 0 ? std::size_t(out.only) : p], n, spare); \
  });                                                                                            \
  T seed[sizeof...(number)][V::size];                                                            \
  (V(out.only < 0 || out.only == input_index<number...>(k) ? T(1) : T(0)).store(seed[k]), ...);

#define EBB_FUSED_DUAL(V, K) \
  const Dual<V, K> r(f(seeded<number, K, input_index<number...>(k)>(in[k].at(i), seed[k])...));

#define EBB_FUSED_STORE(V, K, factor)                                            \
  V pulled[K];                                                                   \
  repeat<K>([&](auto p) __attribute__((always_inline)) { pulled[p] = factor; }); \
  to.put(pulled, i);

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
  to.close();                                               \
  return 0;

// The terms of a reduction, a vector at a time, of which the last may be partial.
#define EBB_FUSED_BLOCKS(V, ...)                                                   \
  double total = 0;                                                                \
  for (std::int64_t first = 0; first < n; first += 4096) {                         \
    const std::int64_t last = n - first < 4096 ? n : first + 4096;                 \
    fused::Tree<V> tree;                                                           \
    for (std::int64_t i = first; i < last; i += V::size) {                         \
      __VA_ARGS__                                                                  \
      tree.add(i + V::size > last ? V(select(V::first(int(last - i)), v, 0)) : v); \
    }                                                                              \
    total += tree.fold();                                                          \
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
  to.close();                                               \
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
