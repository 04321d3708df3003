// SPDX-License-Identifier: BSD-3-Clause
// Batch normalisation (Ioffe and Szegedy 2015). All passes over a channel follow one another, so
// that the later ones find it in a cache.
#pragma once
#include <cmath>
#include <limits>

#include "ebb/autodiff/kernels/reduce_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct ChannelKernels {
  using R = ReduceKernels<T>;
  using V = Vector<T>;
  static constexpr int W = V::size;

  // Two ways through x (rows, channels, size), with the same functions:
  //   blocks(f)   f(block, n) for each block of n numbers a channel, which fit a first-level cache;
  //               block.sum(totals, terms) sets totals[k][j] to the sum of term k over channel j of
  //               the place, added up in T in a fixed order: terms(at, v) writes the terms of the
  //               vector at x + at to v[0], v[1], ...
  //   each(f)     f(at, n) for each vector, of which n numbers belong to the place
  //   vector(v)   the numbers of its channels as a vector that fits the others

  /// One channel with more than one number in each row.
  struct Plane {
    static constexpr int count = 1;
    std::int64_t rows, size, stride, begin;

    struct Block {
      std::int64_t rows, size, stride, begin;

      template <int terms_count, class F>
      EBB_INLINE void sum(double (&totals)[terms_count][W], F terms) const {
        constexpr int registers = R::registers / terms_count;
        V partial[terms_count][registers];
        detail::unrolled<terms_count>([&](auto k) EBB_LAMBDA {
          detail::unrolled<registers>([&](auto r) EBB_LAMBDA { partial[k][r] = V(0); });
        });
        for (std::int64_t row = 0; row < rows; ++row) add(partial, begin + row * stride, terms);
        detail::unrolled<terms_count>([&](auto k) EBB_LAMBDA {
          totals[k][0] = double(R::template fold<registers>(partial[k]).sum());
        });
      }

     private:
      template <int terms_count, int registers, class F>
      EBB_INLINE void add(V (&partial)[terms_count][registers], std::int64_t at, F terms) const {
        constexpr std::int64_t width = std::int64_t(registers) * W;
        std::int64_t i = 0;
        for (; i + width <= size; i += width) {
          detail::unrolled<registers>([&](auto r) EBB_LAMBDA {
            V v[terms_count];
            terms(at + i + std::int64_t(r) * W, v);
            detail::unrolled<terms_count>([&](auto k)
                                              EBB_LAMBDA { partial[k][r] = partial[k][r] + v[k]; });
          });
        }
        detail::unrolled<registers>([&](auto r) EBB_LAMBDA {
          if (i >= size) return;
          V v[terms_count];
          terms(at + i, v);
          detail::unrolled<terms_count>([&](auto k) EBB_LAMBDA {
            if (i + W > size) v[k] = select(V::first(int(size - i)), v[k], 0);
            partial[k][r] = partial[k][r] + v[k];
          });
          i += W;
        });
      }
    };
    template <class F>
    EBB_INLINE void blocks(F f) const {
      const std::int64_t part = size < R::block ? size : R::block, together = R::block / part;
      for (std::int64_t row = 0; row < rows; row += together) {
        const std::int64_t m = rows - row < together ? rows - row : together;
        for (std::int64_t i = 0; i < size; i += part) {
          const std::int64_t n = size - i < part ? size - i : part;
          f(Block{m, n, stride, begin + row * stride + i}, m * n);
        }
      }
    }
    template <class F>
    EBB_INLINE void each(F f) const {
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t at = begin + row * stride;
        std::int64_t i = 0;
        for (; i + W <= size; i += W) f(at + i, std::int64_t(W));
        if (i < size) f(at + i, size - i);
      }
    }
    EBB_INLINE static V vector(const T* v) { return V(*v); }
  };

  /// As many channels as a vector has numbers, each with one number in a row.
  struct Columns {
    static constexpr int count = W;
    std::int64_t rows, left, stride, begin;

    struct Block {
      std::int64_t rows, stride, begin;

      template <int terms_count, class F>
      EBB_INLINE void sum(double (&totals)[terms_count][W], F terms) const {
        constexpr int chains = 4;  // a sum is waited for before the next number is added to it
        V partial[terms_count][chains];
        detail::unrolled<terms_count>([&](auto k) EBB_LAMBDA {
          detail::unrolled<chains>([&](auto r) EBB_LAMBDA { partial[k][r] = V(0); });
        });
        for (std::int64_t row = 0; row < rows; row += chains) {
          detail::unrolled<chains>([&](auto r) EBB_LAMBDA {
            if (row + std::int64_t(r) >= rows) return;
            V v[terms_count];
            terms(begin + (row + std::int64_t(r)) * stride, v);
            detail::unrolled<terms_count>([&](auto k)
                                              EBB_LAMBDA { partial[k][r] = partial[k][r] + v[k]; });
          });
        }
        detail::unrolled<terms_count>([&](auto k) EBB_LAMBDA {
          T folded[W];
          R::template fold<chains>(partial[k]).store(folded);
          for (int j = 0; j < W; ++j) totals[k][j] = double(folded[j]);
        });
      }
    };
    template <class F>
    EBB_INLINE void blocks(F f) const {
      constexpr std::int64_t together = 256;  // rows, each with a cache line
      for (std::int64_t row = 0; row < rows; row += together) {
        const std::int64_t m = rows - row < together ? rows - row : together;
        f(Block{m, stride, begin + row * stride}, m);
      }
    }
    template <class F>
    EBB_INLINE void each(F f) const {
      for (std::int64_t row = 0; row < rows; ++row) f(begin + row * stride, left);
    }
    EBB_INLINE static V vector(const T* v) { return V::load(v); }
  };

  /// Calls f(place, c) for each place, whose first channel is c.
  template <class F>
  EBB_INLINE static void places(const Channels<T>& p, F f) {
    const std::int64_t stride = p.channels * p.size;
    if (p.size == 1) {
      for (std::int64_t c = 0; c < p.channels; c += W) {
        f(Columns{p.rows, p.channels - c, stride, c}, c);
      }
    } else {
      for (std::int64_t c = 0; c < p.channels; ++c) {
        f(Plane{p.rows, p.size, stride, c * p.size}, c);
      }
    }
  }
  /// The numbers of the channels of a place, which are fewer at the end.
  template <class Place>
  EBB_INLINE static std::int64_t channels_of(const Place&, const Channels<T>& p, std::int64_t c) {
    return p.channels - c < Place::count ? p.channels - c : Place::count;
  }

  /// The scale of a channel whose squares overflow or underflow, and its variance.
  [[gnu::noinline, gnu::cold]] static void moments_out_of_range(const Channels<T>& p,
                                                                std::int64_t c) {
    const std::int64_t stride = p.channels * p.size;
    const double n = double(p.rows * p.size);
    double largest = 0, squares = 0;
    const auto visit = [&](auto f) {
      for (std::int64_t row = 0; row < p.rows; ++row) {
        for (std::int64_t i = 0; i < p.size; ++i) {
          f(double(p.x[row * stride + c * p.size + i] - p.mean[c]));
        }
      }
    };
    visit([&](double d) { largest = std::fmax(largest, std::abs(d)); });
    if (largest > 0) visit([&](double d) { squares += (d / largest) * (d / largest); });
    p.variance[c] = T(squares / n * largest * largest);
    p.scale[c] = T(largest > 0 ? 1 / std::sqrt(squares / n + p.eps / largest / largest) / largest
                               : 1 / std::sqrt(p.eps));
  }

  /// The moments of each block, joined (Chan, Golub and LeVeque 1979), so that both passes over a
  /// block find it in the cache.
  template <class Place>
  EBB_INLINE static void find_moments(const Channels<T>& p, const Place& place, std::int64_t c) {
    // Below this number squares of distances lose digits.
    constexpr double least = sizeof(T) == 4 ? 1e-30 : 1e-280;
    double mean[W] = {}, squares[W] = {}, before = 0;
    place.blocks([&](const auto& block, std::int64_t n) EBB_LAMBDA {
      double sums[1][W], spread[1][W];
      block.sum(sums, [&](std::int64_t at, V* v) EBB_LAMBDA { v[0] = V::load(p.x + at); });
      T near[W] = {};  // the mean of the block, rounded
      for (int j = 0; j < Place::count; ++j) near[j] = T(sums[0][j] / double(n));
      const V middle = Place::vector(near);
      block.sum(spread, [&](std::int64_t at, V* v) EBB_LAMBDA {
        const V d = V::load(p.x + at) - middle;
        v[0] = d * d;
      });
      const double both = before + double(n);
      for (int j = 0; j < Place::count; ++j) {
        const double of_block = sums[0][j] / double(n), rounding = of_block - double(near[j]);
        const double change = of_block - mean[j];
        mean[j] += change * (double(n) / both);
        squares[j] += spread[0][j] - double(n) * rounding * rounding +
                      change * change * (before * double(n) / both);
      }
      before = both;
    });
    const std::int64_t channels = channels_of(place, p, c);
    for (std::int64_t j = 0; j < channels; ++j) {
      const double variance = squares[j] / before, spread = variance + p.eps;
      p.mean[c + j] = T(mean[j]);
      p.variance[c + j] = T(variance);
      p.scale[c + j] = T(1 / std::sqrt(spread));
      if (!(spread > least && spread < std::numeric_limits<double>::infinity())) {
        moments_out_of_range(p, c + j);
      }
    }
  }

  static void batch_norm(const Channels<T>& p, const T* weight, const T* bias, T* y) {
    places(p, [&](const auto& place, std::int64_t c) EBB_LAMBDA {
      using Place = std::remove_cvref_t<decltype(place)>;
      if (p.training) find_moments(p, place, c);
      const V mean = Place::vector(p.mean + c), scale = Place::vector(p.scale + c);
      const V w = Place::vector(weight + c), b = Place::vector(bias + c);
      place.each([&](std::int64_t at, std::int64_t n) EBB_LAMBDA {
        put_first(madd((V::load(p.x + at) - mean) * scale, w, b), y + at, n);
      });
    });
  }

  /// gx = weight * scale * (g - mean(g) - z * mean(g * z)), without both means for moments that
  /// were given; the sums of g * z and g for weight and bias.
  static void batch_norm_pull(const Channels<T>& p, const T* weight, const T* g, T* gx, T* sums) {
    places(p, [&](const auto& place, std::int64_t c) EBB_LAMBDA {
      using Place = std::remove_cvref_t<decltype(place)>;
      const std::int64_t channels = channels_of(place, p, c);
      const double n = double(p.rows * p.size);
      const V mean = Place::vector(p.mean + c), scale = Place::vector(p.scale + c);
      double totals[2][W] = {};
      place.blocks([&](const auto& block, std::int64_t) EBB_LAMBDA {
        double part[2][W];
        block.sum(part, [&](std::int64_t at, V* v) EBB_LAMBDA {
          v[0] = V::load(g + at) * ((V::load(p.x + at) - mean) * scale);
          v[1] = V::load(g + at);
        });
        for (int j = 0; j < Place::count; ++j) {
          totals[0][j] += part[0][j];
          totals[1][j] += part[1][j];
        }
      });
      T slopes[W] = {}, shifts[W] = {};
      for (std::int64_t j = 0; j < channels; ++j) {
        sums[c + j] = T(totals[0][j]);
        sums[p.channels + c + j] = T(totals[1][j]);
        slopes[j] = T(totals[0][j] / n);
        shifts[j] = T(totals[1][j] / n);
      }
      const V slope = Place::vector(slopes), shift = Place::vector(shifts);
      const V factor = Place::vector(weight + c) * scale;
      if (!p.training) {
        return place.each([&](std::int64_t at, std::int64_t left)
                              EBB_LAMBDA { put_first(V::load(g + at) * factor, gx + at, left); });
      }
      place.each([&](std::int64_t at, std::int64_t left) EBB_LAMBDA {
        const V z = (V::load(p.x + at) - mean) * scale;
        put_first((V::load(g + at) - shift - z * slope) * factor, gx + at, left);
      });
    });
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
