// SPDX-License-Identifier: BSD-3-Clause
// A formula takes the rows of a matrix as small arrays, all of them or those of an index.
#include <tuple>

#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr auto weighed_length = [](auto p, auto w, auto q, auto scale) {
  return scale * w * sqrt(1 + p[0] * p[0] + q[1] * p[1]) + q[2] * p[0];
};

/// The formula in operations on columns.
Tensor<double> by_columns(const Tensor<double>& p, const Tensor<double>& w,
                          const Tensor<double>& q) {
  return weighed_length(unbind(p, 1), w, unbind(q, 1), 0.5);
}

}  // namespace

TEST_CASE("rows of matrices are arguments of a formula, by their numbers") {
  const auto p = op::spread({4, 2}, 0.7), q = abs(op::spread({4, 3}, 1.3)).array(),
             w = op::spread({4}, 0.9);
  const auto expected = by_columns(p, w, q);
  CHECK_AGREES(close(fuse(weighed_length, rows<2>(p), w, rows<3>(q), 0.5), expected, 1e-15));
  CHECK_AGREES(
      close(fuse_sum(weighed_length, rows<2>(p), w, rows<3>(q), 0.5), sum(expected), 1e-15));
  CHECK_AGREES(
      close(fuse_mean(weighed_length, rows<2>(p), w, rows<3>(q), 0.5), mean(expected), 1e-15));
}

TEST_CASE("rows have the derivatives that differences measure, at both orders") {
  const auto p = op::spread({4, 2}, 0.7), q = abs(op::spread({4, 3}, 1.3)).array(),
             w = op::spread({4}, 0.9);
  const auto check = [&](auto f) {
    const auto report = check_gradients(f, {p, w, q});
    INFO(report);
    CHECK(report);
  };
  check([](auto x) { return fuse(weighed_length, rows<2>(x[0]), x[1], rows<3>(x[2]), 0.5); });
  check([](auto x) { return fuse_mean(weighed_length, rows<2>(x[0]), x[1], rows<3>(x[2]), 0.5); });
}

TEST_CASE("rows by an index add up the gradients of those that chose them") {
  const Array<std::int64_t> chosen({5}, {2, 0, 2, 2, 1});
  Variable<double> table(op::spread({3, 2}, 0.8));
  Tape tape;
  backward(fuse_sum([](auto v, auto w) { return w * v[0] * v[1]; }, rows<2>(table, chosen),
                    Array<double>::of({1, 2, 3, 4, 5})));
  const auto x = table.value(), g = table.gradient();
  CHECK(g(0, 0) == 2 * x(0, 1));
  CHECK(g(1, 1) == 5 * x(1, 0));
  CHECK(std::abs(g(2, 0) - 8 * x(2, 1)) < 1e-15);
}

TEST_CASE("rows and several results go together") {
  const auto x = op::spread({3, 2});
  const auto [a, b] = fuse([](auto p) { return std::array{p[0] - p[1], p[0] * p[1]}; }, rows<2>(x));
  CHECK(a.array()(1) == x(1, 0) - x(1, 1));
  CHECK(b.array()(2) == x(2, 0) * x(2, 1));
}

TEST_CASE("a matrix of another width is refused") {
  CHECK(message_of([] {
          static_cast<void>(rows<3>(op::spread({4, 2})));
        }) == "rows<3>: x of shape (4, 2); the formula takes a matrix (n, 3)");
  CHECK_THROWS_AS(static_cast<void>(rows<2>(op::spread({2}))), ShapeError);
}
