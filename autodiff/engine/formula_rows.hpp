// SPDX-License-Identifier: BSD-3-Clause
// What the loops of a formula read and write. Nothing here depends on a formula but on how many
// arguments, results and kept steps it has, so that a unit compiles it once for all that are alike.
#pragma once
#include <array>

#include "ebb/autodiff/engine/fused_loops.hpp"
#include "ebb/autodiff/formula/lanes.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {
namespace fused {

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

/// The rows of a block, from an element on, for arguments of which some are plain numbers.
template <class V, int results, int kept_count, bool... number>
struct BlockRows {
  using T = typename V::value_type;
  static constexpr int arguments = sizeof...(number);
  static constexpr bool is_number[] = {number...};

  const T* data[arguments];
  V numbers[arguments];
  T* gradients[arguments];
  Way ways[arguments];
  T* kept[kept_count + 1];  // and one, since no array is empty
  T* y[results];
  const T* upstream[results];
  Way way;  // of the results and of what is kept

  EBB_INLINE BlockRows(const detail::FusedBlock<T>& block, std::int64_t begin) {
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
  /// The rows of the results.
  EBB_INLINE void with_results(const detail::FusedBlock<T>& block, std::int64_t begin) {
    detail::unrolled<results>([&](auto j) EBB_LAMBDA { y[j] = block.y[j] + begin; });
  }
  /// The rows of the upstream gradients.
  EBB_INLINE void with_upstream(const detail::FusedBlock<T>& block, std::int64_t begin) {
    detail::unrolled<results>([&](auto j) EBB_LAMBDA { upstream[j] = block.g[j].at(begin); });
  }

  /// Loads the inputs of a program at element i: the arguments, and for one that takes what was
  /// kept also that, behind the upstream gradients if there are several.
  template <bool takes>
  EBB_INLINE void load(V* x, std::int64_t i) const {
    detail::unrolled<arguments>([&](auto k) EBB_LAMBDA {
      if constexpr (is_number[k]) {
        x[k] = numbers[k];
      } else {
        x[k] = V::load(data[k] + i);
      }
    });
    if constexpr (takes) {
      V* next = x + arguments;
      if constexpr (results > 1) {
        detail::unrolled<results>([&](auto j) EBB_LAMBDA { next[j] = V::load(upstream[j] + i); });
        next += results;
      }
      detail::unrolled<kept_count>([&](auto k) EBB_LAMBDA { next[k] = V::load(kept[k] + i); });
    }
  }
  /// Writes the results, and the steps to keep that are none of them.
  template <std::array<bool, kept_count + 1> is_result>
  EBB_INLINE void put_results(const V* values, const V* steps, std::int64_t i) const {
    detail::unrolled<results>([&](auto j) EBB_LAMBDA { put(values[j], y[j] + i, way); });
    detail::unrolled<kept_count>([&](auto k) EBB_LAMBDA {
      if constexpr (is_result[k]) return;
      if (kept[k]) put(steps[k], kept[k] + i, way);
    });
  }
  /// Writes the gradients that are given, or adds to them.
  template <std::array<bool, arguments> is_given>
  EBB_INLINE void put_gradients(const V* parts, std::int64_t i) const {
    detail::unrolled<arguments>([&](auto k) EBB_LAMBDA {
      if constexpr (is_given[k]) put(parts[k], gradients[k] + i, ways[k]);
    });
  }
};

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

/// Gives the gradients, g times each slope that is given, and returns their sum.
template <auto is_given, class V>
EBB_INLINE V scaled(const V* slopes, const V& g, V* parts) {
  V sum(0);
  detail::unrolled<int(is_given.size())>([&](auto k) EBB_LAMBDA {
    if constexpr (is_given[k]) {
      parts[k] = g * slopes[k];
      sum = sum + parts[k];
    }
  });
  return sum;
}
/// Gives the gradients, g times each slope, or 0 where either is 0. The lanes in which g is not 0
/// are bits and not a mask: in a unit without AVX-512, g++ makes lanes of 64 bytes one by one for a
/// mask that is used more than once.
template <auto is_given, class V>
EBB_INLINE void scaled_carefully(const V* slopes, const V& g, V* parts) {
  const auto passes = V(select(g == 0, 0, ones<V>())).bits();
  detail::unrolled<int(is_given.size())>([&](auto k) EBB_LAMBDA {
    if constexpr (is_given[k]) parts[k] = V(product(g, slopes[k]).bits() & passes);
  });
}

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

}  // namespace fused
}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
