// SPDX-License-Identifier: BSD-3-Clause
// Sparse Jacobians and Hessians have the elements of the dense ones, by few sweeps, and nothing is
// left out in silence.
#include "ebb/autodiff/sparse/sparse_derivatives.hpp"

#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/hook.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using Index = Array<std::int64_t>;

/// Each result depends on an argument and its neighbours: (n) to (n). The first has none before it,
/// and so does not depend on its own.
const auto neighbours = [](const auto& x) {
  const std::int64_t n = x.shape()[0];
  const auto before = pad(x[{0, n - 1}], {{1, 0}}), after = pad(x[{1, n}], {{0, 1}});
  return square(x) * before + sin(after);
};
/// Rosenbrock's valley in n dimensions, whose Hessian is tridiagonal.
const auto valley = [](const auto& x) {
  const std::int64_t n = x.shape()[0];
  const auto a = x[{0, n - 1}], b = x[{1, n}];
  return sum(100 * square(b - square(a)) + square(1 - a));
};

/// Calls of a function.
template <class F>
struct Counted {
  F f;
  int* calls;
  Tensor<double> operator()(const Tensor<double>& x) const {
    ++*calls;
    return f(x);
  }
};

}  // namespace

TEST_CASE("a sparse Jacobian has the elements of the dense one") {
  const auto same = [](auto f, const Array<double>& x) {
    const auto found = sparse_jacobian(f, x);
    const auto dense = jacobian(f, x);
    const std::int64_t columns = x.size(), rows = dense.size() / columns;
    CHECK(found.shape() == Shape{rows, columns});
    // Sweeps in another order differ by some roundings.
    CHECK_AGREES(close(found.to_dense(), reshape(dense, {rows, columns}).array(), 1e-14, 1e-14));
    return found.nonzeros();
  };
  CHECK(same(neighbours, op::spread({7}, 0.6)) == 18);
  CHECK(same([](const auto& x) { return x[{0, 6}] * x[{1, 7}]; }, op::spread({7})) == 12);
  CHECK(same([](const auto& x) { return exp(x); }, op::spread({2, 3})) == 6);
  // One result for many arguments, and the reverse.
  CHECK(same([](const auto& x) { return sum(square(x)); }, op::spread({5})) == 5);
  CHECK(same([](const auto& x) { return outer(x, x)[0]; }, op::spread({4})) == 7);
  CHECK(same(
            [](const auto& x) {
              return concat({x, x * x, sum(x, {}, true)});
            },
            op::spread({4}, 0.9)) == 12);
  CHECK(same([](const auto& x) { return fuse([](auto v) { return v * v; }, x); },
             op::spread({3})) == 3);
}

TEST_CASE("a sparse Hessian has the elements of the dense one") {
  const auto x = op::spread({8}, 0.4);
  const auto found = sparse_hessian(valley, x);
  CHECK(found.nonzeros() == 8 + 2 * 7);
  CHECK_AGREES(close(found.to_dense(), hessian(valley, x).array(), 1e-13, 1e-13));
  CHECK(sparse_hessian([](const auto& v) { return sum(v); }, x).nonzeros() == 0);
}

TEST_CASE_TEMPLATE("a pattern that is given is used at any point", T, float, double) {
  const auto pattern = SparsityPattern::banded(9, 9, 1);
  CHECK(pattern.places() == 9 + 2 * 8);
  CHECK(pattern.colouring().colours == 3);
  for (const double scale : {0.3, 0.8}) {
    const auto x = cast<T>(op::spread({9}, scale)).array();
    const auto found = sparse_jacobian(neighbours, x, pattern);
    const double tolerance = std::is_same_v<T, float> ? 1e-6 : 1e-14;  // some roundings
    CHECK_AGREES(close(found.to_dense(), jacobian(neighbours, x).array(), tolerance, tolerance));
  }
  // Places of the pattern where the matrix has 0 stay places.
  const auto diagonal = [](const auto& v) { return exp(v); };
  const auto x = cast<T>(op::spread({9})).array();
  CHECK(sparse_jacobian(diagonal, x, pattern).nonzeros() == 25);
}

TEST_CASE("a pattern has as few colours as it can") {
  // Columns: none of two rows in common.
  CHECK(SparsityPattern::from_dense(Array<bool>::full({1, 6}, true)).colouring().colours == 1);
  const auto column = SparsityPattern::from_dense(Array<bool>::full({6, 1}, true)).colouring();
  CHECK(column.colours == 1);
  CHECK(!column.of_rows);
  CHECK(SparsityPattern::from_dense(Array<bool>::full({3, 3}, true)).colouring().colours == 3);
  CHECK(SparsityPattern::banded(100, 100, 2).colouring().colours == 5);
  // Three rows that share one column, and two columns: a sweep for a group of columns counts twice.
  auto tall = Array<bool>::full({3, 2}, false);
  for (std::int64_t i = 0; i < 3; ++i) tall.mutate()[2 * i] = true;
  tall.mutate()[1] = true;
  CHECK(SparsityPattern::from_dense(tall).colouring().of_rows);
  // A full first row, and a diagonal: columns differ all, and so do rows; rows cost one sweep each.
  auto arrow = Array<bool>::full({5, 5}, false);
  for (std::int64_t i = 0; i < 5; ++i) arrow.mutate()[i] = arrow.mutate()[6 * i] = true;
  CHECK(SparsityPattern::from_dense(arrow).colouring().of_rows);
  CHECK(SparsityPattern::from_dense(arrow).colouring().colours == 2);
  // No two rows of one colour share a column.
  const auto pattern = SparsityPattern::banded(40, 40, 3);
  const auto& rows = pattern.row_colouring();
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t j = i + 1; j < std::min<std::int64_t>(i + 7, 40); ++j) {
      CHECK(rows.of[std::size_t(i)] != rows.of[std::size_t(j)]);
    }
  }
}

TEST_CASE("finding a banded pattern takes about the logarithm of its size in sweeps") {
  // Each sweep calls the hook of x once.
  const std::int64_t n = 512;
  int sweeps = 0;
  const auto f = [&](const Tensor<double>& x) {
    return neighbours(hook(x, [&](const Tensor<double>& g) {
      ++sweeps;
      return g;
    }));
  };
  const auto pattern = jacobian_pattern(f, op::spread({n}, 0.01));
  CHECK(pattern.places() == 3 * n - 3);
  CHECK(sweeps <= 6 * 9 + 1);
  sweeps = 0;
  static_cast<void>(sparse_jacobian(f, op::spread({n}, 0.01), pattern));
  CHECK(sweeps == 3 + 1);  // three colours, and one that looks for other places
}

TEST_CASE("the function is recorded once") {
  int calls = 0;
  const auto f = Counted<decltype(neighbours)>{neighbours, &calls};
  static_cast<void>(sparse_jacobian(f, op::spread({6}), SparsityPattern::banded(6, 6, 1)));
  CHECK(calls == 1);
}

TEST_CASE("an element outside of the pattern is an error") {
  const auto x = op::spread({6}, 0.5);
  const auto narrow = SparsityPattern::banded(6, 6, 0);
  const std::string message =
      message_of([&] { static_cast<void>(sparse_jacobian(neighbours, x, narrow)); });
  CHECK(message ==
        "sparse_jacobian: results depend on argument 0 outside of the pattern; find the pattern at "
        "this point, and unite it with the other: pattern.united(...)");
  CHECK_THROWS_AS(static_cast<void>(sparse_hessian(valley, x, narrow)), ArgumentError);
  // A branch that another point takes.
  const auto kink = [](const auto& v) { return relu(v) + flip(relu(-v), {0}); };
  const auto up = Array<double>::of({1, 2, 3}), down = Array<double>::of({-1, -2, -3});
  const auto found = jacobian_pattern(kink, up);
  CHECK(found.places() == 3);
  CHECK_THROWS_AS(static_cast<void>(sparse_jacobian(kink, down, found)), ArgumentError);
  const auto both = found.united(jacobian_pattern(kink, down));
  CHECK(both.places() == 5);
  CHECK_AGREES(
      close(sparse_jacobian(kink, down, both).to_dense(), jacobian(kink, down).array(), 0));
}

TEST_CASE("what is not finite stays visible") {
  const auto f = [](const auto& x) { return sqrt(x); };
  const auto j = sparse_jacobian(f, Array<double>::of({4, 0, 9})).to_dense();
  CHECK(j(0, 0) == 0.25);
  CHECK(j(1, 1) == std::numeric_limits<double>::infinity());
}

TEST_CASE(
    "inside a recording the results are constants, and what f captures is one of its tensors") {
  Tape tape;
  const auto w = tape.watch(Array<double>::of({2, 3, 4}));
  const auto x = Array<double>::of({1, 2, 3});
  const auto j = sparse_jacobian([&](const auto& v) { return w * square(v); }, x).to_dense();
  CHECK(j(2, 2) == 24);
  CHECK(grad(sum(w * w), w).array()(0) == 4);  // the tape is as it was
}

TEST_CASE("shapes that do not fit are refused") {
  const auto x = op::spread({4});
  CHECK(message_of([&] {
          static_cast<void>(sparse_jacobian(neighbours, x, SparsityPattern::banded(4, 5, 1)));
        }) == "sparse_jacobian: a pattern of shape (4, 5) for a matrix of shape (4, 4)");
  CHECK(message_of([&] { static_cast<void>(sparse_hessian(neighbours, x)); }) ==
        "hessian_pattern: the function's value has shape (4,) and is not a single value");
  CHECK_THROWS_AS(static_cast<void>(SparsityPattern::banded(4, 5, -1)), ArgumentError);
  CHECK_THROWS_AS(static_cast<void>(SparsityPattern::from_dense(Array<bool>::full({3}, true))),
                  ShapeError);
  CHECK_THROWS_AS(
      static_cast<void>(SparsityPattern::banded(2, 2, 0).united(SparsityPattern::banded(2, 3, 0))),
      ShapeError);
  CHECK_THROWS_AS(SparsityPattern(2, Index::zeros({2}), Index::zeros({1})), ArgumentError);
}
