// SPDX-License-Identifier: BSD-3-Clause
// Arrays: made by a rule, from tensors, assigned, reshaped, and printed in any locale.
#include "ebb/autodiff/values/array.hpp"

#include <limits>
#include <locale>
#include <sstream>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/tape_view.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using Int = std::int64_t;

/// Numbers as in Germany, in streams that are made while this lives.
class CommaLocale {
 public:
  CommaLocale() : before_(std::locale::global(std::locale(std::locale(), new Comma))) {}
  ~CommaLocale() { std::locale::global(before_); }

 private:
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  std::locale before_;
};

}  // namespace

TEST_SUITE("array") {

TEST_CASE_TEMPLATE("lists are read by their braces", T, float, double, Int, bool) {
  CHECK(Array<T>::of({1, 0, 1}).shape() == Shape{3});
  CHECK(Array<T>::of({{1, 0, 1}, {0, 1, 0}}).shape() == Shape{2, 3});
  const auto column = Array<T>::of({{1}, {0}, {1}});
  CHECK(column.shape() == Shape{3, 1});
  CHECK(column[0] == T(1));
  CHECK(column[1] == T(0));
  CHECK(Array<T>::of({{1, 0}}).shape() == Shape{1, 2});
  CHECK(Array<T>::of({{1}}).shape() == Shape{1, 1});
  CHECK(Array<T>::of({}).shape() == Shape{0});
}

TEST_CASE_TEMPLATE("ones, and the identity matrix of any shape", T, float, double, Int, bool) {
  CHECK_AGREES(same_bits(Array<T>::ones({2, 1}), Array<T>::of({{1, 1}}).reshape({2, 1})));
  CHECK_AGREES(same_bits(Array<T>::eye(2), Array<T>::of({{1, 0}, {0, 1}})));
  CHECK_AGREES(same_bits(Array<T>::eye(2, 3), Array<T>::of({{1, 0, 0}, {0, 1, 0}})));
  CHECK_AGREES(same_bits(Array<T>::eye(3, 2), Array<T>::of({{1, 0}, {0, 1}, {0, 0}})));
  CHECK(Array<T>::eye(0).shape() == Shape{0, 0});
}

TEST_CASE_TEMPLATE("arange counts up or down, without its end", T, float, double, Int) {
  CHECK_AGREES(same_bits(Array<T>::arange(3), Array<T>::of({0, 1, 2})));
  CHECK_AGREES(same_bits(Array<T>::arange(2, 5), Array<T>::of({2, 3, 4})));
  CHECK_AGREES(same_bits(Array<T>::arange(5, 0, -2), Array<T>::of({5, 3, 1})));
  CHECK_AGREES(same_bits(Array<T>::arange(0, 5, 2), Array<T>::of({0, 2, 4})));
  CHECK_AGREES(same_bits(Array<T>::arange(0, 6, 2), Array<T>::of({0, 2, 4})));
  CHECK(Array<T>::arange(0).shape() == Shape{0});
  CHECK(Array<T>::arange(3, 1).shape() == Shape{0});
  CHECK(Array<T>::arange(1, 3, -1).shape() == Shape{0});
  CHECK(message_of<ArgumentError>([] { Array<T>::arange(0, 1, 0); }) ==
        "arange: from 0 to 1 by 0; the numbers are finite, the step is not 0, and memory holds the "
        "array");
}

TEST_CASE("arange does not reach its end by rounding") {
  // 1 + 3 * 0.1 is 1.3, but (1.3 - 1) / 0.1 is above 3.
  CHECK(Array<double>::arange(1, 1.3, 0.1).size() == 3);
  CHECK(Array<float>::arange(1, 1.3F, 0.1F).size() == 3);
  CHECK(Array<double>::arange(0, 1, 0.1).size() == 10);
  CHECK(Array<double>::arange(0, -1, -0.1).size() == 10);
  const auto tenths = Array<double>::arange(0, 100, 0.1);
  CHECK(tenths[999] == 999 * 0.1);
}

TEST_CASE("arange of integers is exact at their limits") {
  constexpr Int low = std::numeric_limits<Int>::min(), high = std::numeric_limits<Int>::max();
  CHECK_AGREES(same_bits(Array<Int>::arange(high - 2, high), Array<Int>::of({high - 2, high - 1})));
  CHECK_AGREES(same_bits(Array<Int>::arange(low, high, high), Array<Int>::of({low, -1, high - 1})));
  CHECK_AGREES(same_bits(Array<Int>::arange(high, low, low), Array<Int>::of({high, -1})));
  CHECK_THROWS_AS(Array<Int>::arange(low, high), ArgumentError);
  CHECK_THROWS_AS(Array<Int>::arange(0, high), Error);
  const double inf = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(Array<double>::arange(0, inf), ArgumentError);
  CHECK_THROWS_AS(Array<double>::arange(0, std::nan("")), ArgumentError);
}

TEST_CASE_TEMPLATE("linspace meets both ends", T, float, double) {
  CHECK_AGREES(same_bits(Array<T>::linspace(0, 1, 5), Array<T>::of({0, 0.25, 0.5, 0.75, 1})));
  CHECK_AGREES(same_bits(Array<T>::linspace(3, 1, 2), Array<T>::of({3, 1})));
  CHECK_AGREES(same_bits(Array<T>::linspace(3, 1, 1), Array<T>::of({3})));
  CHECK(Array<T>::linspace(3, 1, 0).shape() == Shape{0});
  const T most = std::numeric_limits<T>::max();
  CHECK_AGREES(same_bits(Array<T>::linspace(-most, most, 3), Array<T>::of({-most, 0, most})));
  const auto thirds = Array<T>::linspace(T(0.1), T(0.7), 4);
  CHECK(thirds[0] == T(0.1));
  CHECK(thirds[3] == T(0.7));
  CHECK(message_of<ArgumentError>([] { Array<T>::linspace(0, 1, -1); }) ==
        "linspace: a count of -1; it is at least 0");
}

TEST_CASE_TEMPLATE("a tensor that is not recorded becomes an array", T, float, double) {
  Array<T> x = exp(Array<T>::of({0, 0}));
  x = x + 1;
  CHECK_AGREES(same_bits(x, Array<T>::of({2, 2})));
  Array<T> uniform = Tensor<T>(2.0);
  CHECK(uniform.item() == 2);

  const Variable<T> w(Array<T>::of({1, 2}));
  const Array<T> outside = w * 2;
  CHECK_AGREES(same_bits(outside, Array<T>::of({2, 4})));
  const Tape tape;
  CHECK(message_of<TapeError>([&] { x = w * 2; }) ==
        "a tensor of shape (2,) is recorded, and an Array has no gradient; write x.array() for its "
        "values");
  CHECK_AGREES(same_bits(x, Array<T>::of({2, 2})));
}

TEST_CASE_TEMPLATE("an assignment changes an array, but not those that shared it", T, float,
                   double) {
  auto x = Array<T>::of({2, 4});
  const Array<T> before = x;
  x += Array<T>::of({1, 1});
  x -= 1;
  x *= Array<T>::of({3}).reshape({1});
  x /= 2;
  CHECK_AGREES(same_bits(x, Array<T>::of({3, 6})));
  CHECK_AGREES(same_bits(before, Array<T>::of({2, 4})));
  CHECK(message_of<ShapeError>([&] {
          x -= Array<T>::zeros({3, 2});
        }) == "operator-=: shape (2,) would become (3, 2); write a = a - b");
  CHECK_AGREES(same_bits(x, Array<T>::of({3, 6})));
  const Variable<T> w(Array<T>::of({1, 2}));
  const Tape tape;
  CHECK_THROWS_AS(x -= w, TapeError);
}

TEST_CASE_TEMPLATE("an assignment to a tensor is recorded", T, float, double) {
  const Variable<T> w(Array<T>::of({1, 2}));
  const Tape tape;
  Tensor<T> loss = 0;
  for (int i = 0; i < 2; ++i) loss += square(w[i]);
  loss *= 3;
  loss /= 2;
  loss -= w[0];
  backward(loss);
  CHECK_AGREES(same_bits(w.gradient(), Array<T>::of({2, 6})));
}

TEST_CASE("shapes and axes of lists whose length is known at run time") {
  const std::vector<Int> sizes = {2, 3};
  const std::vector<int> axes = {1, 0};
  const auto x = Array<double>::arange(6).reshape(sizes);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(sum(x, axes).item() == 15);
  CHECK(permute(x, axes).shape() == Shape{3, 2});
  CHECK(transpose(x, axes).shape() == Shape{3, 2});
  CHECK(sum(x, std::array{1}).shape() == Shape{2});
  CHECK(Array<double>::zeros(std::span<const Int>(sizes)).shape() == Shape{2, 3});
  CHECK_THROWS_AS(Shape(std::vector<Int>(7, 1)), ShapeError);
}

TEST_CASE_TEMPLATE("a sweep from a list of losses whose length is known at run time", T, float,
                   double) {
  const Variable<T> w(Array<T>::of({1, 2}));
  const Tape tape;
  const std::vector<Tensor<T>> losses = unbind(square(w));
  backward(losses);
  CHECK_AGREES(same_bits(w.gradient(), Array<T>::of({2, 4})));
  CHECK_THROWS_AS(backward(std::vector<Tensor<T>>{}), ArgumentError);
}

TEST_CASE("a size of -1 is what the others leave") {
  const auto x = Array<double>::arange(12);
  CHECK(x.reshape({-1, 4}).shape() == Shape{3, 4});
  CHECK(x.reshape({2, -1, 3}).shape() == Shape{2, 2, 3});
  CHECK(reshape(x, {-1, 1}).shape() == Shape{12, 1});
  CHECK(reshape(x, std::vector<Int>{3, -1}).shape() == Shape{3, 4});
  CHECK(reshape(Array<double>::zeros({0, 3}), {3, -1}).shape() == Shape{3, 0});
  CHECK(message_of<ShapeError>([&] {
          reshape(x, {-1, 5});
        }) ==
        "reshape: (12,) cannot become (-1, 5); the other sizes do not divide its 12 elements");
  CHECK(message_of<ShapeError>([&] {
          x.reshape({-1, -1});
        }) == "reshape: (12,) cannot become (-1, -1); only one size may be -1");
  CHECK(message_of<ShapeError>([&] {
          reshape(Array<double>::zeros({0}), {0, -1});
        }) == "reshape: (0,) cannot become (0, -1); beside a size of 0 any size fits, so write it");
  CHECK(message_of<ShapeError>([&] {
          reshape(x, {-2, 6});
        }) == "shape (-2, 6) has a negative size; only reshape finds the size -1");
  CHECK_THROWS_AS(x.reshape({1, 1, 1, 1, 1, 1, -1}), ShapeError);
}

TEST_CASE("numbers are printed in the same way in every locale") {
  const CommaLocale locale;
  std::ostringstream out;
  out << Array<double>::of({1234.5, 2.25}) << " " << Tensor<double>(Array<double>::of({0.5}));
  CHECK(out.str() == "[1234.5, 2.25] [0.5]");
  CHECK(message_of<ArgumentError>([] { norm(Array<double>::of({1}), -0.5); }) ==
        "norm: p = -0.5; it is greater than 0");
  TapeOptions options;
  options.keep_values = true;
  Tape tape(options);
  const Variable<double> w(Array<double>::of({1234.5}));
  sum(w * 0.5);
  CHECK(explain(tape).find("1234.5") != std::string::npos);
}

}  // TEST_SUITE("array")
