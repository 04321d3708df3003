// SPDX-License-Identifier: BSD-3-Clause
// Masks and arrays of labels: comparisons, logic, counts, choices, types and rows.
#include "ebb/autodiff/operations/masks.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using Int = std::int64_t;
using Bits = Array<bool>;
using Labels = Array<Int>;

}  // namespace

TEST_SUITE("masks") {

TEST_CASE_TEMPLATE("and, or and not of comparisons", T, float, double) {
  const auto x = Array<T>::of({-1, 0, 0.5, 2});
  CHECK(equal<bool>(x > 0 && x < 1, Bits::of({false, false, true, false})));
  CHECK(equal<bool>(x < 0 || x > 1, Bits::of({true, false, false, true})));
  CHECK(equal<bool>(!(x > 0), Bits::of({true, true, false, false})));
  CHECK(equal<bool>(x > 0 && Bits(true), Bits::of({false, false, true, true})));
  CHECK(equal<bool>(Bits(false) || x > 0, Bits::of({false, false, true, true})));
  CHECK(equal<bool>(Bits::of({true, false}) && Bits::of({true, true}), Bits::of({true, false})));
  // A mask that knows the element type is what `select` takes.
  CHECK_AGREES(same_bits(select(!(x > 0 && x < 1), x, 0.0).array(), Array<T>::of({-1, 0, 0, 2})));
}

TEST_CASE("masks broadcast") {
  const auto rows = Bits::of({true, false}).reshape({2, 1}),
             columns = Bits::of({true, true, false});
  CHECK(equal<bool>(rows && columns, Bits::of({{true, true, false}, {false, false, false}})));
  CHECK(message_of<ShapeError>([&] { rows.reshape({2}) || columns; }) ==
        "operator||: shapes (2,) and (3,) do not broadcast; axis 0 has sizes 2 and 3");
  CHECK_THROWS_AS(rows && Bits(), ArgumentError);
}

TEST_CASE("any, all and count_nonzero, of everything and along axes") {
  const auto m = Bits::of({{true, false, true}, {false, false, true}});
  CHECK(any(m));
  CHECK(!all(m));
  CHECK(all(m || !m));
  CHECK(!any(m && !m));
  CHECK(count_nonzero(m) == 3);
  CHECK(equal(count_nonzero(m, 0), Labels::of({1, 0, 2})));
  CHECK(equal(count_nonzero(m, 1, true), Labels::of({2, 1}).reshape({2, 1})));
  CHECK(equal(count_nonzero(m, {0, 1}), Labels(3)));
  CHECK(equal(any(m, 0), Bits::of({true, false, true})));
  CHECK(equal(all(m, 0), Bits::of({false, false, true})));
  CHECK(equal(all(m, -1), Bits::of({false, false})));
  // The middle axis of three.
  const auto cube = Labels::arange(24).reshape({2, 3, 4});
  CHECK(equal(count_nonzero(cube >= 10, 1), Labels::of({{0, 0, 1, 1}, {3, 3, 3, 3}})));
  const auto none = Bits::zeros({0, 2});
  CHECK(!any(none));
  CHECK(all(none));
  CHECK(equal(all(none, 0), Bits::of({true, true})));
  CHECK_THROWS_AS(any(m, 2), ArgumentError);
  CHECK(message_of<ArgumentError>([] { all(Bits(), 0); }) ==
        "all: an operand is empty: it was never given a value, or was moved from");
}

TEST_CASE_TEMPLATE("what is NaN, infinite and finite", T, float, double) {
  const T inf = std::numeric_limits<T>::infinity();
  const auto x = Array<T>::of(
      {std::numeric_limits<T>::quiet_NaN(), inf, -inf, std::numeric_limits<T>::max(), 0});
  CHECK(equal<bool>(isnan(x), Bits::of({true, false, false, false, false})));
  CHECK(equal<bool>(isinf(x), Bits::of({false, true, true, false, false})));
  CHECK(equal<bool>(isfinite(x), Bits::of({false, false, false, true, true})));
  const Tape tape;
  const Variable<T> w(x);
  CHECK_AGREES(same_bits(where(isfinite(w), w, 0.0).array(),
                         Array<T>::of({0, 0, 0, std::numeric_limits<T>::max(), 0})));
  CHECK(equal<bool>(isnan(Tensor<T>(Array<T>(T(1)))), Bits(false)));
}

TEST_CASE_TEMPLATE("where chooses between two numbers, and between labels", T, float, double) {
  const auto x = Array<T>::of({-1, 2});
  const Tensor<T> signs = where(x < 0, -1, 1);
  CHECK_AGREES(same_bits(signs.array(), Array<T>::of({-1, 1})));
  CHECK_AGREES(same_bits(where<T>(Bits::of({true, false}), 3, 4).array(), Array<T>::of({3, 4})));
  CHECK(equal(where(x < 0, Labels::of({7, 8}), Labels(9)), Labels::of({7, 9})));
  CHECK(equal(where(Bits::of({true, false}).reshape({2, 1}), Labels::of({1, 2, 3}), Labels(0)),
              Labels::of({{1, 2, 3}, {0, 0, 0}})));
}

TEST_CASE_TEMPLATE("masked_fill puts a number where the mask is true", T, float, double) {
  const auto x = Array<T>::of({{1, std::numeric_limits<T>::quiet_NaN(), 3}, {4, 5, 6}});
  const auto filled = masked_fill(x, Bits::of({false, true, false}), -1);
  CHECK_AGREES(same_bits(filled.array(), Array<T>::of({{1, -1, 3}, {4, -1, 6}})));
  CHECK(masked_fill(x, x > 3, 0.5).array()[4] == T(0.5));
  CHECK_AGREES(same_bits(masked_fill(x, Bits(true), 7).array(), Array<T>::full({2, 3}, 7)));
  CHECK_THROWS_AS(masked_fill(x, Bits(), 1), ArgumentError);
}

TEST_CASE("labels are compared with labels and with a number") {
  const auto a = Labels::of({0, 1, 2}), b = Labels::of({2, 1, 0});
  CHECK(equal(a == b, Bits::of({false, true, false})));
  CHECK(equal(a != b, Bits::of({true, false, true})));
  CHECK(equal(a < b, Bits::of({true, false, false})));
  CHECK(equal(a > b, Bits::of({false, false, true})));
  CHECK(equal(a <= b, Bits::of({true, true, false})));
  CHECK(equal(a >= 1, Bits::of({false, true, true})));
  CHECK(equal(Bits::of({true, false}) == true, Bits::of({true, false})));
  CHECK(equal(a == b.reshape({3, 1}),
              Bits::of({{false, false, true}, {false, true, false}, {true, false, false}})));
  CHECK(message_of<ShapeError>([&] {
          any(a == Labels::of({1, 2}));
        }) == "operator==: shapes (3,) and (2,) do not broadcast; axis 0 has sizes 3 and 2");
}

TEST_CASE("the share of right answers is one line") {
  const auto scores = Array<double>::of({{1, 2}, {3, 1}, {0, 1}});
  const auto labels = Labels::of({1, 0, 0});
  CHECK(mean(cast<double>(argmax(scores, 1) == labels)).item() == 2.0 / 3);
}

TEST_CASE("labels and masks as numbers, and back") {
  CHECK_AGREES(same_bits(cast<float>(Bits::of({true, false})), Array<float>::of({1, 0})));
  CHECK_AGREES(same_bits(cast<double>(Labels::of({-3, 7})), Array<double>::of({-3, 7})));
  CHECK(equal(cast<Int>(Bits::of({true, false})), Labels::of({1, 0})));
  CHECK(equal(cast<bool>(Labels::of({0, -2})), Bits::of({false, true})));
  CHECK(equal(cast<Int>(Array<float>::of({2, -0.0F})), Labels::of({2, 0})));
  CHECK(equal(cast<bool>(Array<double>::of({0.5, 0})), Bits::of({true, false})));
}

TEST_CASE("a label that a type would round is an error") {
  constexpr Int odd = (Int(1) << 53) + 1;
  CHECK(message_of<ArgumentError>([] {
          cast<double>(Labels::of({0, odd}));
        }) == "cast: 9007199254740993 at position 1 would be rounded by double");
  CHECK(message_of<ArgumentError>([] { cast<float>(Labels(16777217)); }) ==
        "cast: 16777217 at position 0 would be rounded by float; cast to double");
  CHECK_THROWS_AS(cast<double>(Labels(std::numeric_limits<Int>::max())), ArgumentError);
  CHECK(cast<double>(Labels(std::numeric_limits<Int>::min())).item() == -0x1p63);
  CHECK(message_of<ArgumentError>([] {
          cast<Int>(Array<double>::of({1, 2.5}));
        }) == "cast: 2.5 at position 1 is not an integer of 64 bits; write round(x) or floor(x)");
  CHECK_THROWS_AS(cast<Int>(Array<float>::of({0x1p63F})), ArgumentError);
  CHECK_THROWS_AS(cast<Int>(Array<double>::of({std::nan("")})), ArgumentError);
  CHECK_THROWS_AS(cast<bool>(Array<double>::of({std::nan("")})), ArgumentError);
}

TEST_CASE("slices and rows of labels") {
  const auto x = Labels::arange(6).reshape({3, 2});
  CHECK(equal(slice(x, 0, {1, 3}), Labels::of({{2, 3}, {4, 5}})));
  CHECK(equal(slice(x, -1, {1}), Labels::of({1, 3, 5}).reshape({3, 1})));
  CHECK(equal(slice(Labels::arange(5), 0, {0, -1, 2}), Labels::of({0, 2})));
  CHECK(equal(gather_rows(x, Labels::of({2, 0})), Labels::of({{4, 5}, {0, 1}})));
  CHECK(equal(gather_rows(Bits::of({true, false}), Labels::of({1, 1, 0})),
              Bits::of({false, false, true})));
  CHECK(message_of<ArgumentError>([&] { gather_rows(x, Labels::of({3})); }) ==
        "gather_rows: index 3 at position 0 is not in [0, 3); the indices are (1,) and x is (3, "
        "2)");
  CHECK_THROWS_AS(gather_rows(Labels(1), Labels::of({0})), ShapeError);
  CHECK_THROWS_AS(slice(x, 0, {0, 4}), ArgumentError);
  CHECK_THROWS_AS(slice(Labels(), 0, {0, 1}), ArgumentError);
}

}  // TEST_SUITE("masks")
