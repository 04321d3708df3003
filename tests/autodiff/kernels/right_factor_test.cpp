// SPDX-License-Identifier: BSD-3-Clause
// Products by a matrix that is packed once, against sums of products.
#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

template <class T>
void check_products(std::int64_t n, std::int64_t k, bool transpose, double tolerance) {
  const auto b = op::spread({n * k});
  Array<T> narrow = Array<T>::uninitialized({n * k});
  std::copy(b.begin(), b.end(), narrow.mutate());
  const detail::RightFactor<T> factor(transpose, n, k, narrow.data());
  for (const std::int64_t m : {1, 3, 6, 17}) {
    CAPTURE(m);
    const auto a = op::spread({m * k}, 2);
    auto a_narrow = Array<T>::uninitialized({m * k});
    std::copy(a.begin(), a.end(), a_narrow.mutate());
    auto expected = Array<double>::uninitialized({m * n + 1});
    for (std::int64_t i = 0; i < m * n; ++i) {
      double sum = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        sum += a[i / n * k + p] * b[transpose ? i % n * k + p : p * n + i % n];
      }
      expected.mutate()[i] = sum;
    }
    expected.mutate()[m * n] = 7;  // what stands after the result is not written
    auto c = Array<T>::full({m * n + 1}, T(7));
    factor.multiply(m, a_narrow.data(), c.mutate(), false);
    CHECK_AGREES(close(c, expected, tolerance, tolerance));
    factor.multiply(m, a_narrow.data(), c.mutate(), true);
    for (std::int64_t i = 0; i < m * n; ++i) expected.mutate()[i] *= 2;
    CHECK_AGREES(close(c, expected, tolerance, tolerance));
  }
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("a packed factor gives the sums of products, and writes nothing else") {
  for (const std::int64_t n : {1, 7, 16, 80, 144}) {
    for (const std::int64_t k : {1, 6, 300}) {
      for (const bool transpose : {false, true}) {
        CAPTURE(n);
        CAPTURE(k);
        CAPTURE(transpose);
        check_products<double>(n, k, transpose, 1e-12);  // roundings of sums of 300 terms of size 2
        check_products<float>(n, k, transpose, 1e-4);
      }
    }
  }
}

TEST_CASE("a packed factor without rows leaves the result, or clears it") {
  const detail::RightFactor<double> empty(false, 16, 0, nullptr);
  auto c = Array<double>::full({32}, 7);
  empty.multiply(2, nullptr, c.mutate(), true);
  CHECK_AGREES(same_bits(c, Array<double>::full({32}, 7)));
  empty.multiply(2, nullptr, c.mutate(), false);
  CHECK_AGREES(same_bits(c, Array<double>::zeros({32})));
}

}  // TEST_SUITE("kernels")
