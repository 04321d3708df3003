// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/linear.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/parts.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

TEST_SUITE("linear") {

TEST_CASE_TEMPLATE("the layer has the shape and value of x w^T + b", T, float, double) {
  nn::Linear<T> layer(3, 2);
  CHECK(layer.weight.shape() == Shape{2, 3});
  CHECK(layer.bias.shape() == Shape{2});
  layer.weight.set_value(Array<T>::of({{1, 2, 3}, {4, 5, 6}}));
  layer.bias.set_value(Array<T>::of({10, 20}));
  // Small whole numbers: every sum is exact.
  const auto y = layer(Array<T>::of({{1, 0, 0}, {1, 1, 1}, {0, -1, 2}, {0, 0, 0}}));
  CHECK_AGREES(same_bits(y.array(), Array<T>::of({{11, 24}, {16, 35}, {14, 27}, {10, 20}})));
}

TEST_CASE_TEMPLATE("gradients reach weight and bias", T, float, double) {
  nn::Linear<T> layer(2, 1);
  const auto x = Array<T>::of({{1, 2}, {3, 4}, {5, 6}});
  Tape tape;
  backward(sum(layer(x)));
  CHECK_AGREES(same_bits(layer.weight.gradient(), Array<T>::of({{9, 12}})));
  CHECK_AGREES(same_bits(layer.bias.gradient(), Array<T>::of({3})));
}

TEST_CASE_TEMPLATE("sparse rows give the value and the gradients of the dense ones", T, float,
                   double) {
  const auto dense = Array<T>::of({{0, 2, 0}, {1, 0, -1}, {0, 0, 0}});
  const auto x = SparseRows<T>::from_dense(dense);
  for (const bool has_bias : {true, false}) {
    nn::Linear<T> a({.in_features = 3, .out_features = 2, .bias = has_bias});
    nn::Linear<T> b({.in_features = 3, .out_features = 2, .bias = has_bias});
    const auto weight = Array<T>::of({{1, 2, 3}, {4, 5, 6}});
    a.weight.set_value(weight);
    b.weight.set_value(weight);
    if (has_bias) a.bias.set_value(b.bias.value());
    Tape tape;
    const auto y = a(x), z = b(dense);
    CHECK_AGREES(same_bits(y.array(), z.array()));
    CHECK(a.operations(x, y) == 2 * 3 * 2 + (has_bias ? 6 : 0));
    backward(sum(square(y)) + sum(square(z)));
    CHECK_AGREES(same_bits(a.weight.gradient(), b.weight.gradient()));
    if (has_bias) CHECK_AGREES(same_bits(a.bias.gradient(), b.bias.gradient()));
    CHECK_THROWS_AS(static_cast<void>(a(SparseRows<T>::from_dense(Array<T>::ones({2, 4})))),
                    ShapeError);
  }
}

TEST_CASE_TEMPLATE("random weights fill +-1 / sqrt(in)", T, float, double) {
  Stream stream(1);
  const nn::Linear<T> layer(100, 50, stream);
  for (const auto* part : {&layer.weight, &layer.bias}) {
    const auto [low, high] = std::minmax_element(part->value().begin(), part->value().end());
    CHECK(*low >= T(-0.1));
    CHECK(*high <= T(0.1));
    // 50 draws or more all miss an outer tenth on one side with a chance below 0.95^50 = 8 %; the
    // stream is fixed, so this does not flicker.
    CHECK(*low < T(-0.09));
    CHECK(*high > T(0.09));
  }
  double total = 0;
  for (const T w : layer.weight.value()) total += double(w);
  // Six standard deviations, 0.1 / sqrt(3) each, of the mean of 5000.
  CHECK(std::abs(total / 5000) < 6 * 0.1 / std::sqrt(3 * 5000));

  Stream same(1), other(2);
  CHECK(equal(nn::Linear<T>(100, 50, same).weight.value(), layer.weight.value()));
  CHECK(same.position() == stream.position());
  CHECK_FALSE(equal(nn::Linear<T>(100, 50, other).weight.value(), layer.weight.value()));
  CHECK_FALSE(equal(nn::Linear<T>(100, 50, stream).weight.value(), layer.weight.value()));
}

TEST_CASE("sizes that no layer has, and inputs of another size, are refused") {
  for (const auto& [in, out] : {std::pair{0, 1}, {1, 0}, {-1, 2}}) {
    CHECK_THROWS_AS(nn::Linear<float>(in, out), ArgumentError);
  }
  CHECK_THROWS_WITH(nn::Linear<float>(0, 2),
                    "Linear: 0 inputs and 2 outputs; there must be at least one of each");
  const nn::Linear<float> layer(3, 2);
  CHECK_THROWS_AS(layer(Array<float>::zeros({4, 2})), ShapeError);
}

TEST_CASE("its parts are weight and bias") {
  nn::Linear<float> layer(3, 2);
  const Parameters all = parameters(layer);
  REQUIRE(all.size() == 2);
  CHECK(all[0].name() == "weight");
  CHECK(all[1].name() == "bias");
  CHECK(count(layer) == 8);
}

TEST_CASE("without a stream it draws from that of the thread, which repeats by its key") {
  const auto made = [](std::uint64_t key) {
    default_stream() = Stream(key);
    return nn::Linear<float>(20, 10);
  };
  const auto first = made(0), again = made(0), other = made(1);
  CHECK(equal(first.weight.value(), again.weight.value()));
  CHECK_FALSE(equal(first.weight.value(), other.weight.value()));
  const nn::Linear<float> next(20, 10);
  CHECK_FALSE(equal(other.weight.value(), next.weight.value()));
  default_stream() = Stream(0);
}

TEST_CASE("two of them behind one another learn from their start") {
  default_stream() = Stream(0);
  nn::Linear<double> first(2, 3), second(3, 1);
  Tape tape;
  backward(sum(second(tanh(first(Array<double>::of({1, 2}).reshape({1, 2}))))));
  for (const double g : first.weight.gradient()) CHECK(g != 0);
}

TEST_CASE("zeros is a word that one writes") {
  const auto layer = nn::Linear<float>::zeros(3, 2);
  CHECK(equal(layer.weight.value(), Array<float>::zeros({2, 3})));
  CHECK(equal(layer.bias.value(), Array<float>::zeros({2})));
  CHECK_THROWS_AS(nn::Linear<float>::zeros(0, 2), ArgumentError);
}

}  // TEST_SUITE("linear")
