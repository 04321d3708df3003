// SPDX-License-Identifier: BSD-3-Clause
// Sums over the rows of matrices of many sizes, and products of a matrix and a vector.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/random.hpp"

using namespace ebb;

namespace {

template <class T>
Array<T> uniform(const Shape& shape) {
  Stream stream(3);
  auto x = Array<T>::uninitialized(shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = T(stream.next() % 2001) / 1000 - 1;
  return x;
}

// Up to three vectors of any set, around the panels in which columns are summed, and beyond.
constexpr std::int64_t few = 70, wide[] = {127, 128, 129, 256, 511, 512, 513, 1100};
template <class F>
void for_each_width(const F& f) {
  for (std::int64_t cols = 1; cols <= few; ++cols) f(cols);
  for (const std::int64_t cols : wide) f(cols);
}

/// What column_sum promises: blocks of 128 rows in T, row after row, and these in double.
template <class T>
T sum_of_column(const Array<T>& x, std::int64_t c) {
  const std::int64_t rows = x.shape()[0];
  double total = 0;
  for (std::int64_t first = 0; first < rows; first += 128) {
    T part = 0;
    for (std::int64_t r = first; r < std::min(rows, first + 128); ++r) part += x(r, c);
    total += double(part);
  }
  return T(total);
}

}  // namespace

TEST_SUITE_BEGIN("kernels");

TEST_CASE_TEMPLATE("a column has the same sum in a matrix of any width", T, float, double) {
  for (const std::int64_t rows : {1, 7, 8, 128, 129, 300}) {
    for_each_width([&](std::int64_t cols) {
      CAPTURE(rows);
      CAPTURE(cols);
      const auto x = uniform<T>({rows, cols});
      auto sums = Array<T>::uninitialized({cols});
      detail::kernels<T>().column_sum(sums.mutate(), x.data(), rows, cols, 1);
      bool same = true;
      for (std::int64_t c = 0; c < cols; ++c) same = same && sums[c] == sum_of_column(x, c);
      CHECK(same);
    });
  }
}

TEST_CASE("a matrix of any size meets a vector from both sides") {
  for (const std::int64_t rows : {1, 3, 64, 65, 256, 300}) {
    for_each_width([&](std::int64_t cols) {
      CAPTURE(rows);
      CAPTURE(cols);
      const auto x = uniform<double>({rows, cols}), w = uniform<double>({cols}),
                 g = uniform<double>({rows});
      auto y = Array<double>::uninitialized({rows}), out = Array<double>::full({cols}, 2);
      detail::kernels<double>().rows_dot(y.mutate(), x.data(), w.data(), 0.5, rows, cols);
      detail::kernels<double>().rows_combine(out.mutate(), x.data(), g.data(), rows, cols, true);
      // Sums of at most 1100 terms up to 1, in two orders.
      constexpr double tolerance = 1e-12;
      double worst = 0;
      for (std::int64_t r = 0; r < rows; ++r) {
        double sum = 0.5;
        for (std::int64_t c = 0; c < cols; ++c) sum += x(r, c) * w[c];
        worst = std::max(worst, std::abs(y[r] - sum));
      }
      for (std::int64_t c = 0; c < cols; ++c) {
        double sum = 2;
        for (std::int64_t r = 0; r < rows; ++r) sum += x(r, c) * g[r];
        worst = std::max(worst, std::abs(out[c] - sum));
      }
      CHECK(worst < tolerance);
    });
  }
}

TEST_CASE_TEMPLATE("a small product is that of its elements, transposed and added or not", T, float,
                   double) {
  int products = 0;
  for (const std::int64_t m : {1, 2, 3, 4, 5, 6, 7, 13}) {
    for (const std::int64_t n : {1, 4, 8, 16, 24, 48, 64}) {
      for (const std::int64_t k : {1, 2, 4, 5, 32, 64}) {
        for (const unsigned way : {0U, 1U, 2U, 3U, 4U, 7U}) {
          const bool ta = way & 1U, tb = way & 2U, accumulate = way & 4U;
          const auto a = uniform<T>(ta ? Shape{k, m} : Shape{m, k});
          const auto b = uniform<T>(tb ? Shape{n, k} : Shape{k, n});
          auto c = Array<T>::full({m, n}, 2);
          if (!detail::kernels<T>().product(ta, tb, m, n, k, a.data(), b.data(), c.mutate(),
                                            accumulate)) {
            continue;
          }
          ++products;
          double worst = 0;
          for (std::int64_t i = 0; i < m; ++i) {
            for (std::int64_t j = 0; j < n; ++j) {
              double sum = accumulate ? 2 : 0;
              for (std::int64_t p = 0; p < k; ++p) {
                sum += double(ta ? a(p, i) : a(i, p)) * double(tb ? b(j, p) : b(p, j));
              }
              worst = std::max(worst, std::abs(double(c(i, j)) - sum));
            }
          }
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(k);
          CAPTURE(way);
          // At most 64 terms up to 1, each with half a unit of the last place of a sum up to 64.
          CHECK(worst <= 64 * 64 * double(std::numeric_limits<T>::epsilon()));
        }
      }
    }
  }
  CHECK(products > 500);
}

TEST_SUITE_END();
