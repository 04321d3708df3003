// SPDX-License-Identifier: BSD-3-Clause
// SIMD lanes as compiler vectors, which work in a unit compiled with any flags: every function here
// is inlined, and uses the instruction set of the function that it is inlined into. There are no
// intrinsics, since these cannot be inlined into generic code of a lower instruction set.
//
// Lanes and masks have user-defined copy constructors, which make the compiler pass them by
// reference: no calling convention depends on the flags of a unit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "ebb/autodiff/formula/formula.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

template <class T, int W>
struct Lanes;
template <class T, int W>
struct LaneBits;

/// The integer type of the width of T.
template <class T>
using LaneInt = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

namespace lane {

/// The lanes of `a` and then `b`, numbered continuously, starting at lane First.
template <int First, class To, class From, std::size_t... i>
EBB_INLINE void pick(To& to, const From& a, const From& b, std::index_sequence<i...>) {
  to = __builtin_shufflevector(a, b, (First + int(i))...);
}

/// One half of the lanes, twice.
template <class To, class From, std::size_t... i>
EBB_INLINE void twice(To& to, const From& half, std::index_sequence<i...>) {
  to = __builtin_shufflevector(half, half, int(i)...);
}

/// The size of the widest registers that the flags of this unit allow.
#if defined(__AVX512F__)
inline constexpr int unit_bytes = 64;
#elif defined(__AVX2__)
inline constexpr int unit_bytes = 32;
#else
inline constexpr int unit_bytes = 16;
#endif

/// The number in every lane of `to`.
template <class R, class T>
EBB_INLINE void splat(R& to, T x) {
  constexpr int bytes = int(sizeof(R));
  if constexpr (bytes <= unit_bytes) {
    to = x - R{};
  } else {
    // In a function of a wider instruction set than that of its unit, g++ 12 would set the lanes
    // one by one.
    typedef T Half __attribute__((vector_size(bytes / 2)));
    Half half;
    splat(half, x);
    twice(to, half, std::make_index_sequence<bytes / sizeof(T)>{});
  }
}

/// The number, hidden from the optimizer: only then g++ 12 turns a comparison and a choice into one
/// minimum or maximum, which saves a fifth of the time of exp. clang does so with constants, too.
template <class T>
EBB_INLINE T opaque(T x) {
#ifndef __clang__
  asm("" : "+x"(x));
#endif
  return x;
}

}  // namespace lane

/// The result of a comparison in each lane: all bits set or none.
template <class T, int W>
struct LaneMask {
  typedef LaneInt<T> Register __attribute__((vector_size(W * sizeof(T))));

  Register reg;

  LaneMask() = default;
  EBB_INLINE explicit LaneMask(const Register& r) : reg(r) {}
  /// A formula has as many results as there are lanes, so it cannot branch on them.
  explicit operator bool() const {
    static_assert(sizeof(T) == 0, "a formula cannot branch: use select(condition, a, b)");
    return false;
  }
  EBB_INLINE LaneMask(const LaneMask& other) : reg(other.reg) {}
  EBB_INLINE LaneMask& operator=(const LaneMask& other) {
    reg = other.reg;
    return *this;
  }

  friend EBB_INLINE LaneMask operator&(const LaneMask& a, const LaneMask& b) {
    return LaneMask(a.reg & b.reg);
  }
  friend EBB_INLINE LaneMask operator|(const LaneMask& a, const LaneMask& b) {
    return LaneMask(a.reg | b.reg);
  }
  friend EBB_INLINE LaneMask operator~(const LaneMask& a) { return LaneMask(~a.reg); }

  /// In each lane a if the mask is set, else b. It is a friend of the mask, which is never a
  /// literal, so that both branches may be literals.
  friend EBB_INLINE Lanes<T, W> select(const LaneMask& mask, const Lanes<T, W>& a,
                                       const Lanes<T, W>& b) {
    return Lanes<T, W>(mask.reg ? a.reg : b.reg);
  }

  /// All bits of the lanes that are set.
  EBB_INLINE LaneBits<T, W> bits() const {
    return LaneBits<T, W>(reinterpret_cast<typename LaneBits<T, W>::Register>(reg));
  }
  /// True if any lane is set.
  EBB_INLINE bool any() const {
    if constexpr (sizeof(Register) > 16) {
      typename LaneMask<T, W / 2>::Register low, high;
      lane::pick<0>(low, reg, reg, std::make_index_sequence<W / 2>{});
      lane::pick<W / 2>(high, reg, reg, std::make_index_sequence<W / 2>{});
      return LaneMask<T, W / 2>(low | high).any();
    } else {
      using Words = typename LaneMask<double, 2>::Register;
      if constexpr (sizeof(Register) < sizeof(Words)) {
        return (reg[0] | reg[1]) != 0;
      } else {
        const Words words = reinterpret_cast<Words>(reg);
        return (words[0] | words[1]) != 0;
      }
    }
  }
};

/// The bit patterns of W numbers of type T, as unsigned integers.
template <class T, int W>
struct LaneBits {
  using Word = std::make_unsigned_t<LaneInt<T>>;
  typedef Word Register __attribute__((vector_size(W * sizeof(T))));

  Register reg;

  EBB_INLINE explicit LaneBits(const Register& r) : reg(r) {}
  EBB_INLINE LaneBits(const LaneBits& other) : reg(other.reg) {}
  EBB_INLINE LaneBits& operator=(const LaneBits& other) {
    reg = other.reg;
    return *this;
  }
  EBB_INLINE LaneBits(Word word) : reg(word - Register{}) {}

  /// The lanes whose highest bit is set.
  EBB_INLINE LaneMask<T, W> negative() const {
    using Mask = typename LaneMask<T, W>::Register;
    return LaneMask<T, W>(Mask(reg) < 0);
  }

  friend EBB_INLINE LaneBits operator+(const LaneBits& a, const LaneBits& b) {
    return LaneBits(a.reg + b.reg);
  }
  friend EBB_INLINE LaneBits operator-(const LaneBits& a, const LaneBits& b) {
    return LaneBits(a.reg - b.reg);
  }
  friend EBB_INLINE LaneBits operator&(const LaneBits& a, const LaneBits& b) {
    return LaneBits(a.reg & b.reg);
  }
  friend EBB_INLINE LaneBits operator|(const LaneBits& a, const LaneBits& b) {
    return LaneBits(a.reg | b.reg);
  }
  friend EBB_INLINE LaneBits operator^(const LaneBits& a, const LaneBits& b) {
    return LaneBits(a.reg ^ b.reg);
  }
  friend EBB_INLINE LaneBits operator<<(const LaneBits& a, int n) { return LaneBits(a.reg << n); }
  friend EBB_INLINE LaneBits operator>>(const LaneBits& a, int n) { return LaneBits(a.reg >> n); }
};

/// W numbers of type T; every operation acts on each lane.
template <class T, int W>
struct Lanes {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  static_assert(W >= 2 && (W & (W - 1)) == 0 && W * sizeof(T) <= 64);

  using value_type = T;
  static constexpr int size = W;
  typedef T Register __attribute__((vector_size(W * sizeof(T))));
  using Bits = LaneBits<T, W>;
  using Mask = LaneMask<T, W>;
  /// True if madd rounds once. Registers of at least 32 bytes are used only together with FMA
  /// instructions.
  static constexpr bool fused = sizeof(Register) >= 32;

  Register reg;

  Lanes() = default;
  EBB_INLINE Lanes(const Lanes& other) : reg(other.reg) {}
  EBB_INLINE Lanes& operator=(const Lanes& other) {
    reg = other.reg;
    return *this;
  }
  EBB_INLINE explicit Lanes(const Register& r) : reg(r) {}
  EBB_INLINE explicit Lanes(const Bits& bits) : reg(reinterpret_cast<Register>(bits.reg)) {}
  /// The literal in every lane.
  template <Literal U>
  EBB_INLINE Lanes(U x) {
    lane::splat(reg, static_cast<T>(x));
  }

  /// Loads W numbers from any address.
  EBB_INLINE static Lanes load(const T* from) {
    Lanes y;
    y.reg = *reinterpret_cast<const Unaligned*>(from);
    return y;
  }
  /// Stores all lanes at any address.
  EBB_INLINE void store(T* to) const { *reinterpret_cast<Unaligned*>(to) = reg; }
  /// Stores all lanes past the caches, at an address that is a multiple of their size, for outputs
  /// larger than the caches. Call stream_end() after the last one.
  EBB_INLINE void stream(T* to) const {
#ifdef __clang__
    __builtin_nontemporal_store(reg, reinterpret_cast<Aligned*>(to));
#else
    Aligned& at = *reinterpret_cast<Aligned*>(to);
    // The VEX-encoded form if a register is wide, since its function mixes it with no other form.
    if constexpr (sizeof(Register) >= 32) {
      asm("vmovntps %1, %0" : "=m"(at) : "v"(reg));
    } else if constexpr (sizeof(Register) == 16) {
      asm("movntps %1, %0" : "=m"(at) : "x"(reg));
    } else {
      store(to);
    }
#endif
  }
  EBB_INLINE static void stream_end() { __builtin_ia32_sfence(); }
  /// The mask of the first n lanes; all of them for n >= W.
  EBB_INLINE static Mask first(int n) {
    typename Mask::Register index;
    for (int i = 0; i < W; ++i) index[i] = i;
    // The sign of index - n; comparing constants with n crashes g++ 12 at -O3 in some functions.
    return Mask((index - LaneInt<T>(n)) >> int(8 * sizeof(T) - 1));
  }

  friend EBB_INLINE Lanes operator+(const Lanes& a, const Lanes& b) { return Lanes(a.reg + b.reg); }
  friend EBB_INLINE Lanes operator-(const Lanes& a, const Lanes& b) { return Lanes(a.reg - b.reg); }
  friend EBB_INLINE Lanes operator*(const Lanes& a, const Lanes& b) { return Lanes(a.reg * b.reg); }
  friend EBB_INLINE Lanes operator/(const Lanes& a, const Lanes& b) { return Lanes(a.reg / b.reg); }
  friend EBB_INLINE Lanes operator-(const Lanes& a) { return Lanes(-a.reg); }
  friend EBB_INLINE Mask operator<(const Lanes& a, const Lanes& b) { return Mask(a.reg < b.reg); }
  friend EBB_INLINE Mask operator>(const Lanes& a, const Lanes& b) { return Mask(a.reg > b.reg); }
  friend EBB_INLINE Mask operator<=(const Lanes& a, const Lanes& b) { return Mask(a.reg <= b.reg); }
  friend EBB_INLINE Mask operator>=(const Lanes& a, const Lanes& b) { return Mask(a.reg >= b.reg); }
  friend EBB_INLINE Mask operator==(const Lanes& a, const Lanes& b) { return Mask(a.reg == b.reg); }

  /// a * b + c, rounded once if the registers imply FMA instructions, else twice.
  friend EBB_INLINE Lanes madd(const Lanes& a, const Lanes& b, const Lanes& c) {
    if constexpr (fused) {
      Lanes y;
      fuse(y.reg, a.reg, b.reg, c.reg);
      return y;
    } else {
      return a * b + c;
    }
  }

  /// The bit pattern of every lane.
  EBB_INLINE Bits bits() const { return Bits(reinterpret_cast<typename Bits::Register>(reg)); }
  /// The sign bit of every lane, and zeros.
  EBB_INLINE Bits sign_bits() const { return bits() & sign_mask; }
  /// Every lane without its sign.
  EBB_INLINE Lanes magnitude() const { return Lanes(bits() & ~sign_mask); }
  /// Every lane limited to [low, high]; NaN stays NaN.
  EBB_INLINE Lanes clamped(T low, T high) const { return at_least(low).at_most(high); }
  /// The larger of every lane and the bound; NaN stays NaN.
  EBB_INLINE Lanes at_least(T low) const {
    const Lanes bound(lane::opaque(low));
    return Lanes(reg < bound.reg ? bound.reg : reg);
  }
  /// The smaller of every lane and the bound; NaN stays NaN.
  EBB_INLINE Lanes at_most(T high) const {
    const Lanes bound(lane::opaque(high));
    return Lanes(reg > bound.reg ? bound.reg : reg);
  }

  /// The lower half of the lanes.
  EBB_INLINE Lanes<T, W / 2> low() const {
    Lanes<T, W / 2> y;
    lane::pick<0>(y.reg, reg, reg, std::make_index_sequence<W / 2>{});
    return y;
  }
  /// The upper half of the lanes.
  EBB_INLINE Lanes<T, W / 2> high() const {
    Lanes<T, W / 2> y;
    lane::pick<W / 2>(y.reg, reg, reg, std::make_index_sequence<W / 2>{});
    return y;
  }
  /// The lanes of two halves, one after the other.
  EBB_INLINE static Lanes join(const Lanes<T, W / 2>& low, const Lanes<T, W / 2>& high) {
    Lanes y;
    lane::pick<0>(y.reg, low.reg, high.reg, std::make_index_sequence<W>{});
    return y;
  }

  /// The sum of all lanes, computed by adding halves.
  EBB_INLINE T sum() const {
    if constexpr (W == 2) {
      return reg[0] + reg[1];
    } else if constexpr (sizeof(Register) <= 16) {
      return (reg[0] + reg[2]) + (reg[1] + reg[3]);
    } else {
      return (low() + high()).sum();
    }
  }
  /// Lane r is the sum of all lanes of row(r), computed by shuffles in a fifth of the time of W
  /// times sum(). `row` gets its number as a constant.
  template <class F>
  EBB_INLINE static Lanes sums(const F& row) {
    return sums<W, 0>(row);
  }

  static constexpr typename Bits::Word sign_mask = typename Bits::Word(1) << (8 * sizeof(T) - 1);

 private:
  typedef T Unaligned __attribute__((vector_size(W * sizeof(T)), aligned(alignof(T)), may_alias));
  typedef T Aligned __attribute__((vector_size(W * sizeof(T)), may_alias));

  // The sums of rows [first, first + n), each in W / n lanes.
  template <int n, int first, class F>
  EBB_INLINE static Lanes sums(const F& row) {
    if constexpr (n == 1) {
      return row(std::integral_constant<int, first>{});
    } else {
      const Lanes a = sums<n / 2, first>(row), b = sums<n / 2, first + n / 2>(row);
      constexpr auto all = std::make_index_sequence<W>{};
      return half_of_rows<n, 0>(a, b, all) + half_of_rows<n, 1>(a, b, all);
    }
  }
  // One of the two lanes that contain each part of a sum. Shuffles within 16 bytes come first,
  // since they are the cheapest; then blocks of 16 bytes are moved as a whole.
  template <int n, int which, std::size_t... i>
  EBB_INLINE static Lanes half_of_rows(const Lanes& a, const Lanes& b, std::index_sequence<i...>) {
    constexpr int unit = 16 / int(sizeof(T)), block = n <= unit ? n / 2 : unit;
    constexpr auto from = [](int k) {
      if (n > unit) return 2 * (k / unit) * unit + k % unit;
      return (k / block % 2 ? W : 0) + k / (2 * block) * (2 * block) + k % block;
    };
    return Lanes(__builtin_shufflevector(a.reg, b.reg, (from(int(i)) + which * block)...));
  }

  // There is no portable builtin for vectors. Clang contracts where a pragma says so. g++ has a
  // builtin if the flags of the unit allow it; otherwise it makes one instruction of a loop, but
  // that sends c through memory.
  EBB_INLINE static void fuse(Register& y, const Register& a, const Register& b,
                              const Register& c) {
#ifdef __clang__
#pragma clang fp contract(on)
    y = a * b + c;
#else
#if defined(__AVX512F__)
    constexpr int rounding = 4;  // the current rounding mode, as in all other instructions
    if constexpr (sizeof(Register) == 64 && sizeof(T) == 4) {
      y = __builtin_ia32_vfmaddps512_mask(a, b, c, static_cast<unsigned short>(-1), rounding);
      return;
    } else if constexpr (sizeof(Register) == 64) {
      y = __builtin_ia32_vfmaddpd512_mask(a, b, c, static_cast<unsigned char>(-1), rounding);
      return;
    }
#endif
#if defined(__FMA__)
    if constexpr (sizeof(Register) == 32 && sizeof(T) == 4) {
      y = __builtin_ia32_vfmaddps256(a, b, c);
      return;
    } else if constexpr (sizeof(Register) == 32) {
      y = __builtin_ia32_vfmaddpd256(a, b, c);
      return;
    }
#endif
#pragma GCC unroll 1  // at -O3 g++ would unroll it before it recognizes the one instruction
    for (int i = 0; i < W; ++i) {
      if constexpr (sizeof(T) == 4) {
        y[i] = __builtin_fmaf(a[i], b[i], c[i]);
      } else {
        y[i] = __builtin_fma(a[i], b[i], c[i]);
      }
    }
#endif
  }
};

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
