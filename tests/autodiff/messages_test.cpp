// SPDX-License-Identifier: BSD-3-Clause
// The errors for bad input name the operation, the argument, and the shapes.
#include <cmath>
#include <functional>

#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/registry.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/scope.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using Indices = Array<std::int64_t>;

Tensor<double> of(const Shape& shape) { return Array<double>::zeros(shape); }

/// A call, and how the message of what it throws begins.
struct Refused {
  std::function<void()> call;
  std::string message;
};

template <class E>
void check_messages(const std::vector<Refused>& calls) {
  for (const auto& [call, expected] : calls) {
    CHECK(message_of<E>(call).substr(0, expected.size()) == expected);
  }
}

}  // namespace

TEST_SUITE("messages") {

TEST_CASE("every operation names itself when an operand is empty, whichever it is") {
  for (const auto& entry : registry()) {
    if (entry.internal) continue;
    const op::Sample sample = samples_of(entry).front();
    for (std::size_t k = 0; k < sample.inputs.size(); ++k) {
      std::vector<Tensor<double>> inputs(sample.inputs.begin(), sample.inputs.end());
      inputs[k] = Tensor<double>();
      CAPTURE(entry.name);
      CAPTURE(k);
      CHECK(message_of<ArgumentError>([&] { sample.in_double(inputs); }) ==
            std::string(entry.name) +
                ": an operand is empty: it was never given a value, or was moved from");
    }
  }
}

TEST_CASE("functions outside of the registry name themselves, too, when an operand is empty") {
  const Tensor<double> empty, x = of({2, 3});
  const auto f = [](const auto& v) { return sum(v); };
  check_messages<ArgumentError>({
      {[&] { matmul(of({3}), empty); }, "matmul: an operand is empty"},
      {[&] {
         stack({empty, x});
       },
       "stack: an operand is empty"},
      {[&] {
         concat({x, empty});
       },
       "concat: an operand is empty"},
      {[&] { gather(x, 0, Indices()); }, "gather: an operand is empty"},
      {[&] { one_hot(Indices(), 3); }, "one_hot: an operand is empty"},
      {[&] { masked_select(x, Array<bool>()); }, "masked_select: an operand is empty"},
      {[&] { argmax(empty); }, "argmax: an operand is empty"},
      {[&] { argmin(empty, 0); }, "argmin: an operand is empty"},
      {[&] { static_cast<void>(empty < x); }, "operator<: an operand is empty"},
      {[&] { gradient(f, empty); }, "gradient: an operand is empty"},
      {[&] { hvp(f, x, empty); }, "hvp: an operand is empty"},
      {[&] { checkpoint(f, empty); }, "checkpoint: an operand is empty"},
  });
  Tape tape;
  check_messages<ArgumentError>({
      {[&] { tape.watch(empty); }, "watch: an operand is empty"},
      {[&] { grad(sum(tape.watch(x)), empty); }, "grad: an operand is empty"},
  });
}

TEST_CASE("an axis that is not there is named with the shape") {
  const auto x = of({2, 3});
  check_messages<ArgumentError>({
      {[&] { cumsum(x, 2); }, "cumsum: axis 2 of an array with 2 axes, of shape (2, 3)"},
      {[&] {
         sum(x, {0, -3});
       },
       "sum: axis -3 of an array with 2 axes, of shape (2, 3)"},
      {[&] { softmax(of({}), -2); }, "softmax: axis -2 of an array with 0 axes, of shape ()"},
      {[&] { sum(of({}), 1); }, "sum: axis 1 of an array with 0 axes, of shape ()"},
      {[&] { unsqueeze(x, 3); }, "unsqueeze: axis 3 of a result with 3 axes; x is (2, 3)"},
      {[&] { unsqueeze(x, -4); }, "unsqueeze: axis -4 of a result with 3 axes; x is (2, 3)"},
      {[&] {
         stack({x, x}, 3);
       },
       "stack: axis 3 of a result with 3 axes; x is (2, 3)"},
      {[&] { slice(of({}), 0, {}); }, "slice: axis 0 of an array with 0 axes, of shape ()"},
  });
}

TEST_CASE("a result that no array can hold is refused by the operation's name") {
  constexpr std::int64_t large = std::int64_t(1) << 45;
  const auto six = of({1, 1, 1, 1, 1, 1}), x = of({4});
  const auto many = Array<std::int64_t>::zeros({64});
  check_messages<ShapeError>({
      {[&] { unsqueeze(six, 0); }, "unsqueeze: shape (1, 1, 1, 1, 1, 1, 1) has more than 6 axes"},
      {[&] {
         stack({six, six});
       },
       "stack: shape (1, 1, 1, 1, 1, 1, 1) has more than 6 axes"},
      {[&] { tile(six, std::vector<std::int64_t>(7, 1)); },
       "tile: shape (1, 1, 1, 1, 1, 1, 1) has more than 6 axes"},
      {[&] {
         tile(x, {large, large});
       },
       "tile: shape (35184372088832, 4) has more elements"},
      {[&] { repeat_interleave(x, large, 0); },
       "repeat_interleave: shape (140737488355328,) has more elements"},
      {[&] {
         repeat_interleave(of({4, 0}), INT64_MAX, 0);
       },
       "repeat_interleave: 9223372036854775807 times axis 0 of (4, 0) is more"},
      {[&] { one_hot(many, large); }, "one_hot: shape (64, 35184372088832) has more elements"},
      {[&] {
         scatter_add_rows(of({64, 64}), many, large);
       },
       "scatter_add_rows: shape (35184372088832, 64) has more elements"},
  });
  const NameScope scope("part");
  CHECK(message_of<ShapeError>([&] { unsqueeze(six, 0); }) ==
        "unsqueeze: shape (1, 1, 1, 1, 1, 1, 1) has more than 6 axes (in part)");
}

TEST_CASE("the error for shapes that do not fit has the shapes as they were given") {
  const auto s = of({}), v = of({3}), m = of({2, 4}), b = of({5, 4, 2});
  check_messages<ShapeError>({
      {[&] { matmul(s, v); }, "matmul: operands must have one axis or more, not () and (3,)"},
      {[&] { matmul(m, s); }, "matmul: operands must have one axis or more, not (2, 4) and ()"},
      {[&] { matmul(v, m); }, "matmul: the inner sizes must agree, not (3,) and (2, 4)"},
      {[&] { matmul(m, v); }, "matmul: the inner sizes must agree, not (2, 4) and (3,)"},
      {[&] { matmul(v, of({4})); }, "matmul: the inner sizes must agree, not (3,) and (4,)"},
      {[&] { matmul(v, b); }, "matmul: the inner sizes must agree, not (3,) and (5, 4, 2)"},
      {[&] { matmul(b, v); }, "matmul: the inner sizes must agree, not (5, 4, 2) and (3,)"},
      {[&] { matmul(b, m, {.transpose_a = true}); },
       "matmul: the inner sizes (after transposition) must agree, not (5, 4, 2) and (2, 4)"},
      {[&] {
         einsum("ij,jk->ik", {m, of({3, 2})});
       },
       "einsum \"ij,jk->ik\": letter 'j' has size 3 in operand 1 and size 4 before; the operands "
       "are (2, 4) (3, 2)"},
  });
  // A transposed vector is the same vector.
  CHECK(matmul(v, of({3, 2}), {.transpose_a = true}).shape() == Shape{2});
  CHECK(matmul(of({3, 2}), v, {.transpose_a = true, .transpose_b = true}).shape() == Shape{2});
}

TEST_CASE("an index, a size or a matrix that cannot be is named with the shape it is for") {
  const auto x = of({2, 3});
  const auto two = Indices::of({0, 2});
  const auto a = Array<double>::zeros({2, 2});
  check_messages<ArgumentError>({
      {[&] { index_select(x, 0, two); },
       "index_select: index 2 at position 1 is not in [0, 2); the indices are (2,) and x is (2, "
       "3)"},
      {[&] { gather_rows(x, two); },
       "gather_rows: index 2 at position 1 is not in [0, 2); the indices are (2,) and x is (2, 3)"},
      {[&] { embedding(two, x); },
       "embedding: index 2 at position 1 is not in [0, 2); the indices are (2,) and x is (2, 3)"},
      {[&] { one_hot(two, 2); },
       "one_hot: index 2 at position 1 is not in [0, 2); the indices are (2,)"},
      {[&] { topk(x, 4); }, "topk: k = 4 of axis 1 with size 3; x is (2, 3)"},
      {[&] { topk(of({}), 2); }, "topk: k = 2 of axis 0 with size 1; x is ()"},
      {[&] {
         slice(x, 1, {2, 5});
       },
       "slice: [2, 5) of axis 1 with size 3; x is (2, 3)"},
      {[&] {
         split(x, {1, 1}, 1);
       },
       "split: the sizes add up to 2, not to 3, the size of axis 1 of (2, 3)"},
      {[&] { inverse(a); },
       "inverse: the matrix is singular: pivot 0 of its LU factors is 0; a is (2, 2)"},
      {[&] { triangular_solve(a, of({2})); },
       "triangular_solve: the matrix is singular: a[0, 0] is 0; a is (2, 2)"},
      {[&] { cholesky(a); },
       "cholesky: the matrix is not positive definite: pivot 0 is not above 0; a is (2, 2)"},
      {[&] {
         lstsq(of({3, 2}), of({3}));
       },
       "lstsq: the matrix has no full rank: column 0 depends on those before it; its factor r is "
       "(2, 2)"},
  });
}

TEST_CASE("numbers that an operation cannot use are refused, and the argument is named") {
  const auto x = of({2, 3}), channels = of({3});
  const auto moments = Array<double>::zeros({3});
  check_messages<ArgumentError>({
      {[&] { elu(x, NAN); }, "elu: alpha = nan; it is finite"},
      {[&] { elu(x, INFINITY); }, "elu: alpha = inf; it is finite"},
      {[&] { leaky_relu(x, NAN); }, "leaky_relu: negative_slope = nan; it is finite"},
      {[&] { var(x, 0, {.correction = NAN}); }, "var: correction = nan; it is at least 0"},
      {[&] { stddev(x, 0, {.correction = -1}); }, "stddev: correction = -1; it is at least 0"},
      {[&] { cosine_similarity(x, x, 1, -1); }, "cosine_similarity: eps = -1; it is at least 0"},
      {[&] { cosine_similarity(x, x, 1, NAN); }, "cosine_similarity: eps = nan; it is at least 0"},
      {[&] {
         batch_norm(x, moments, moments, channels, channels, {.training = true, .momentum = 2});
       },
       "batch_norm: momentum = 2; it is in [0, 1]"},
      {[&] { batch_norm(x, moments, moments, channels, channels, {.momentum = NAN}); },
       "batch_norm: momentum = nan; it is in [0, 1]"},
  });
  // The ends of the ranges are in them.
  CHECK(var(x, 1, {.correction = 0}).shape() == Shape{2});
  CHECK(cosine_similarity(x, x, 1, 0).shape() == Shape{2});
  CHECK(batch_norm(x, moments, moments, channels, channels, {.momentum = 1}).y.shape() ==
        x.shape());
  CHECK(leaky_relu(x, -0.5).shape() == x.shape());
}

}  // TEST_SUITE("messages")
