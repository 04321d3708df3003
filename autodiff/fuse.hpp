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

/// One argument as the front end sees it: an operand, or a number.
template <class T>
struct FusedArgument {
  const Operand<T>* operand;
  T number;
};

template <class T>
EBB_API Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                                 std::span<const FusedArgument<T>> arguments);

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

template <class V, class T>
EBB_INLINE V read(const detail::FusedArguments<T>& in, std::size_t k, std::int64_t i) {
  return in.splat[k] ? V(*in.data[k]) : V::load(in.data[k] + i);
}

/// A number as it is, an input as a dual that is seeded in its own direction.
template <bool number, int K, class V, class T>
EBB_INLINE auto seeded(const detail::FusedArguments<T>& in, std::size_t k, int index, int only,
                       std::int64_t i) {
  if constexpr (number) {
    return read<V>(in, k, i);
  } else {
    Dual<V, K> x(read<V>(in, k, i));
    if constexpr (K == 1) {
      x.d[0] = V(only < 0 || only == index ? 1 : 0);
    } else {
      for_each_partial<K>([&](auto p) __attribute__((always_inline)) {
        x.d[p] = V(int(p) == index ? 1 : 0);
      });
    }
    return x;
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

#define EBB_FUSED_VALUE(V)                        \
  const F f{};                                    \
  for (std::int64_t i = 0; i < n; i += V::size) { \
    V(f(read<V>(in, k, i)...)).store(out.y + i);  \
  }                                               \
  return 0;

#define EBB_FUSED_DUAL(V, K) \
  const Dual<V, K> r(f(seeded<number, K, V>(in, k, input_index<number...>(k), out.only, i)...));

#define EBB_FUSED_STORE(K, factor)                                                \
  for_each_partial<K>([&](auto p) __attribute__((always_inline)) {                \
    T* to = K == 1 ? out.gradient[out.only < 0 ? 0 : out.only] : out.gradient[p]; \
    if (to) factor.store(to + i);                                                 \
  });

#define EBB_FUSED_PULL(V, K)                                  \
  const F f{};                                                \
  for (std::int64_t i = 0; i < n; i += V::size) {             \
    EBB_FUSED_DUAL(V, K)                                      \
    const V g = out.g_splat ? V(*out.g) : V::load(out.g + i); \
    EBB_FUSED_STORE(K, V(select(g == 0, 0, g * r.d[p])))      \
  }                                                           \
  return 0;

#define EBB_FUSED_BLOCKS(V, BODY)                                              \
  const F f{};                                                                 \
  double total = 0;                                                            \
  for (std::int64_t first = 0; first < n; first += 4096) {                     \
    const std::int64_t last = n - first < 4096 ? n : first + 4096;             \
    Tree<V> tree;                                                              \
    std::int64_t i = first;                                                    \
    while (i + Tree<V>::width <= last) {                                       \
      EBB_UNROLL for (int part = 0; part < Tree<V>::registers; ++part) {       \
        BODY tree.partial[part] = tree.partial[part] + v;                      \
        i += V::size;                                                          \
      }                                                                        \
    }                                                                          \
    EBB_UNROLL for (int part = 0; part < Tree<V>::registers; ++part) {         \
      if (i >= last) break;                                                    \
      BODY tree.partial[part] =                                                \
          tree.partial[part] +                                                 \
          (i + V::size > last ? V(select(V::first(int(last - i)), v, 0)) : v); \
      i += V::size;                                                            \
    }                                                                          \
    total += tree.fold();                                                      \
  }                                                                            \
  return total;

#define EBB_FUSED_SUM(V) EBB_FUSED_BLOCKS(V, const V v(f(read<V>(in, k, i)...));)
#define EBB_FUSED_SUM_AND_GRADIENT(V, K)                    \
  EBB_FUSED_BLOCKS(V, EBB_FUSED_DUAL(V, K) const V v = r.v; \
                   EBB_FUSED_STORE(K, (r.d[p] * V(out.scale))))

#define EBB_FUSED_LOOPS(set, attributes, bytes)                                                 \
  template <std::size_t... k>                                                                   \
  attributes static double value_##set(const In& in, const Out& out, std::int64_t n,            \
                                       std::index_sequence<k...>) {                             \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                 \
    EBB_FUSED_VALUE(V)                                                                          \
  }                                                                                             \
  template <int K, std::size_t... k>                                                            \
  attributes static double pull_##set(const In& in, const Out& out, std::int64_t n,             \
                                      std::index_sequence<k...>) {                              \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                 \
    EBB_FUSED_PULL(V, K)                                                                        \
  }                                                                                             \
  template <std::size_t... k>                                                                   \
  attributes static double sum_##set(const In& in, const Out&, std::int64_t n,                  \
                                     std::index_sequence<k...>) {                               \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                 \
    EBB_FUSED_SUM(V)                                                                            \
  }                                                                                             \
  template <int K, std::size_t... k>                                                            \
  attributes static double sum_and_gradient_##set(const In& in, const Out& out, std::int64_t n, \
                                                  std::index_sequence<k...>) {                  \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                                 \
    EBB_FUSED_SUM_AND_GRADIENT(V, K)                                                            \
  }

  // Lists of features, not architectures: g++ refuses to inline across the latter.
  EBB_FUSED_LOOPS(sse2, __attribute__((flatten)), 16)
  EBB_FUSED_LOOPS(avx2, __attribute__((flatten, target("avx2,fma"))), 32)
  EBB_FUSED_LOOPS(avx512,
                  __attribute__((flatten, target("avx2,fma,avx512f,avx512bw,avx512dq,avx512cd,"
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
#undef EBB_FUSED_VALUE

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

template <class T, class A>
detail::FusedArgument<T> argument(const A& a) {
  if constexpr (std::is_arithmetic_v<A>) {
    return {nullptr, T(a)};
  } else {
    return {&static_cast<const Operand<T>&>(a), T(0)};
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
  const detail::FusedArgument<T> arguments[] = {{&x, T(0)}, argument<T>(rest)...};
  return detail::fuse_arguments<T>(Loops<F, T, false, std::is_arithmetic_v<Rest>...>::table,
                                   reduction, arguments);
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
