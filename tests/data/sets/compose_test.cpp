// SPDX-License-Identifier: BSD-3-Clause
// Data sets made from data sets: their laws, and what they forward.
#include "ebb/data/sets/compose.hpp"
#include "ebb/data/splits/split.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/variable.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/formats/npy.hpp"
#include "ebb/data/sets/file_array.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::ConcatDataset;
using data::Rows;
using data::Subset;
using data::TransformedDataset;
using test::message_of;
using test::same_bits;

namespace {

using Numbered = data::TensorDataset<float>;

/// Row i of n is x = (first + i, -(first + i)), y = 10 (first + i).
Numbered numbered(std::int64_t n, std::int64_t first = 0) {
  auto x = Array<float>::uninitialized({n, 2}), y = Array<float>::uninitialized({n, 1});
  for (std::int64_t i = 0; i < n; ++i) {
    x.mutate()[2 * i] = float(first + i);
    x.mutate()[2 * i + 1] = -float(first + i);
    y.mutate()[i] = 10 * float(first + i);
  }
  return {x, y};
}

/// The numbers of the rows of a batch, which must be whole and beside their targets.
Rows numbers(const data::Batch<float>& batch) {
  Rows rows;
  REQUIRE(batch.x.shape() == Shape{batch.y.size(), 2});
  REQUIRE(batch.y.shape() == Shape{batch.y.size(), 1});
  for (std::int64_t i = 0; i < batch.y.size(); ++i) {
    const float number = batch.x.data()[2 * i];
    CHECK(batch.x.data()[2 * i + 1] == -number);
    CHECK(batch.y.data()[i] == 10 * number);
    rows.push_back(std::int64_t(number));
  }
  return rows;
}

/// Two data sets give the same for every list of rows.
template <class A, class B>
void check_same(const A& a, const B& b) {
  REQUIRE(a.size() == b.size());
  Stream stream(1);
  for (int i = 0; i < 20; ++i) {
    const auto order = permutation(a.size(), stream);
    const auto some = std::span(order).first(std::size_t(i) * order.size() / 19);
    CHECK(numbers(a.rows(some)) == numbers(b.rows(some)));
  }
}

/// Counts the calls, and keeps the rows that it was given.
struct Listener {
  struct Heard {
    int calls = 0;
    Rows rows, expected;
  };
  std::int64_t n;
  std::shared_ptr<Heard> heard = std::make_shared<Heard>();

  std::int64_t size() const { return n; }
  Array<float> rows(std::span<const std::int64_t> indices) const {
    ++heard->calls;
    heard->rows.assign(indices.begin(), indices.end());
    return Array<float>::zeros({std::int64_t(indices.size())});
  }
  void prefetch(std::span<const std::int64_t> indices) const {
    heard->expected.assign(indices.begin(), indices.end());
  }
};

/// Has no `prefetch`, and gives no rows of an array.
struct Sum {
  std::int64_t size() const { return 10; }
  std::int64_t rows(std::span<const std::int64_t> indices) const {
    std::int64_t sum = 0;
    for (const auto i : indices) sum += i;
    return sum;
  }
};

Rows range(std::int64_t first, std::int64_t last) {
  Rows rows;
  for (std::int64_t i = first; i < last; ++i) rows.push_back(i);
  return rows;
}

}  // namespace

TEST_SUITE("concat") {

TEST_CASE("rows come from both data sets, in the order of the request") {
  const ConcatDataset both(numbered(3), numbered(4, 3));
  static_assert(data::Dataset<decltype(both)>);
  CHECK(both.size() == 7);
  CHECK(numbers(both.rows(range(0, 7))) == range(0, 7));
  CHECK(numbers(both.rows(Rows{6, 0, 3, 2, 3, 6, 1})) == Rows{6, 0, 3, 2, 3, 6, 1});
  CHECK(numbers(both.rows(Rows{2, 0})) == Rows{2, 0});
  CHECK(numbers(both.rows(Rows{6, 3})) == Rows{6, 3});
  CHECK(numbers(both.rows({})).empty());
  check_same(both, numbered(7));
}

TEST_CASE(
    "concatenation is associative, has the empty set as its identity, and takes any number of "
    "sets") {
  const auto a = numbered(3), b = numbered(1, 3), c = numbered(5, 4), none = numbered(0);
  const auto whole = numbered(9);
  check_same(ConcatDataset(ConcatDataset(a, b), c), whole);
  check_same(ConcatDataset(a, ConcatDataset(b, c)), whole);
  check_same(ConcatDataset(none, a, none, none, b, c, none), whole);
  check_same(ConcatDataset(std::vector{a, b, c}), whole);
  check_same(ConcatDataset(std::vector{ConcatDataset(a, b), ConcatDataset(c)}), whole);
  check_same(ConcatDataset(whole), whole);
  const ConcatDataset nothing(none, none);
  CHECK(nothing.size() == 0);
  CHECK(numbers(nothing.rows({})).empty());
  CHECK(message_of<ArgumentError>([] { ConcatDataset(std::vector<Numbered>()); }) ==
        "ConcatDataset: there are no data sets");
}

TEST_CASE("data sets of different types, in files and in memory, can be concatenated") {
  const test::Folder folder;
  const auto first = numbered(4), second = numbered(3, 4);
  data::write_npy(folder.path("x.npy"), first.x);
  data::write_npy(folder.path("y.npy"), first.y);
  const data::FileDataset file(data::map_npy<float>(folder.path("x.npy")),
                               data::window_npy<float>(folder.path("y.npy")));
  check_same(ConcatDataset(file, second), numbered(7));

  const Array<double> x({2, 1}, {1, 2});
  const data::TensorDataset labelled(x, Array<std::int64_t>({2}, {7, 8}));
  const auto batch = ConcatDataset(labelled, labelled).rows(Rows{3, 0, 2});
  CHECK_AGREES(same_bits(batch.x.array(), Array<double>({3, 1}, {2, 1, 1})));
  CHECK_AGREES(same_bits(batch.y, Array<std::int64_t>({3}, {8, 7, 7})));

  const auto rows = data::map_npy<float>(folder.path("y.npy"));
  CHECK_AGREES(
      same_bits(ConcatDataset(rows, rows).rows(Rows{5, 2}), Array<float>({2, 1}, {10, 20})));
}

TEST_CASE("each data set is asked once a batch, and prefetches its own rows only") {
  const Listener a{.n = 10}, b{.n = 20}, c{.n = 5};
  const ConcatDataset all(a, b, c);
  all.rows(Rows{30, 3, 12, 34, 1});
  CHECK(a.heard->rows == Rows{3, 1});
  CHECK(b.heard->rows == Rows{2});
  CHECK(c.heard->rows == Rows{0, 4});
  all.rows(Rows{29, 10});
  CHECK(b.heard->rows == Rows{19, 0});
  CHECK((a.heard->calls == 1 && b.heard->calls == 2 && c.heard->calls == 1));
  all.prefetch(Rows{12345, -1});  // rows that do not exist are not passed on
  all.prefetch(Rows{-1});
  all.prefetch(Rows{9, 10, 0});
  CHECK(a.heard->expected == Rows{9, 0});
  CHECK(b.heard->expected == Rows{0});
  CHECK(c.heard->expected.empty());
}

TEST_CASE("rows outside, rows of other shapes and recorded tensors are refused") {
  const ConcatDataset both(numbered(3), numbered(4, 3));
  for (const std::int64_t bad : {-1, 7}) {
    CHECK(message_of<ArgumentError>([&] {
            both.rows(Rows{0, bad});
          }) == "ConcatDataset: row " + std::to_string(bad) + " of data sets with 7 rows");
  }
  const data::TensorDataset wide(Array<float>::zeros({2, 3}), Array<float>::zeros({2, 1}));
  CHECK(message_of<ShapeError>([&] {
          ConcatDataset(numbered(3), wide).rows(Rows{0, 3, 4});
        }) ==
        "ConcatDataset: arrays of shape (1, 2) and (2, 3) in one batch; rows must have the same "
        "shape");
  const data::TensorDataset deep(Array<float>::zeros({2, 2}), Array<float>::zeros({2, 1, 1}));
  CHECK(message_of<ShapeError>([&] {
          ConcatDataset(numbered(3), deep).rows(Rows{0, 3});
        }).find("arrays of shape (1, 1) and (1, 1, 1)") != std::string::npos);
  struct Short {
    std::int64_t size() const { return 4; }
    Array<float> rows(std::span<const std::int64_t>) const { return Array<float>::zeros({1}); }
  };
  CHECK(message_of<ShapeError>([&] {
          ConcatDataset(Short(), Short()).rows(Rows{0, 1, 5});
        }) == "ConcatDataset: a data set was asked for 2 rows and gave an array of shape (1,)");

  const Variable<float> scale(Array<float>(2.F));
  const TransformedDataset scaled(numbered(3), [&](const data::Batch<float>& batch) {
    return data::Batch<float>{batch.x * scale, batch.y};
  });
  Tape tape;
  CHECK(message_of<TapeError>([&] {
          ConcatDataset(scaled, scaled).rows(Rows{0, 3});
        }).find("ConcatDataset: a data set gives a tensor that depends on variables") == 0);
}

}  // TEST_SUITE("concat")

TEST_SUITE("subset") {

TEST_CASE("a subset has the listed rows, in their order, as often as they are listed") {
  const Subset some(numbered(10), Rows{7, 2, 2, 9});
  static_assert(data::Dataset<decltype(some)>);
  CHECK(some.size() == 4);
  CHECK(numbers(some.rows(range(0, 4))) == Rows{7, 2, 2, 9});
  CHECK(numbers(some.rows(Rows{3, 0, 3})) == Rows{9, 7, 9});
  CHECK(numbers(some.rows({})).empty());
  check_same(Subset(numbered(10), range(0, 10)), numbered(10));
  check_same(Subset(numbered(10), range(4, 10)), numbered(6, 4));
  // A subset of a subset.
  CHECK(numbers(Subset(some, Rows{3, 1}).rows(Rows{1, 0})) == Rows{2, 9});
  CHECK(Subset(numbered(3), Rows()).size() == 0);
}

TEST_CASE("the parts of a split make subsets with every row in exactly one") {
  const auto whole = numbered(20);
  const auto parts = data::split_rows(20, {.validation = 0.2, .test = 0.2, .seed = 5});
  const ConcatDataset together(Subset(whole, parts.train), Subset(whole, parts.validation),
                               Subset(whole, parts.test));
  auto rows = numbers(together.rows(range(0, 20)));
  CHECK(rows != range(0, 20));
  std::sort(rows.begin(), rows.end());
  CHECK(rows == range(0, 20));
}

TEST_CASE("rows outside of the data set or of the list are refused") {
  for (const std::int64_t bad : {-1, 10}) {
    CHECK(message_of<ArgumentError>([&] {
            Subset(numbered(10), Rows{0, bad});
          }) == "Subset: row " + std::to_string(bad) + " of a data set with 10 rows");
  }
  const Subset some(numbered(10), Rows{7, 2});
  for (const std::int64_t bad : {-1, 2}) {
    CHECK(message_of<ArgumentError>([&] {
            some.rows(Rows{0, bad});
          }) == "Subset: row " + std::to_string(bad) + " of a subset with 2 rows");
  }
}

}  // TEST_SUITE("subset")

TEST_SUITE("transformed") {

TEST_CASE("a function makes its batches of the rows, one by one") {
  const auto whole = numbered(10);
  const float mean = 4.5f, scale = 3;
  const auto standardize = [=](const auto& x) { return (x - mean) / scale; };
  const TransformedDataset scaled(whole, [=](const data::Batch<float>& batch) {
    return data::Batch<float>{standardize(batch.x), batch.y};
  });
  static_assert(data::Dataset<decltype(scaled)>);
  CHECK(scaled.size() == 10);
  const data::TensorDataset expected(standardize(whole.x).array(), whole.y);
  const auto batch = scaled.rows(Rows{8, 1}), same = expected.rows(Rows{8, 1});
  CHECK_AGREES(same_bits(batch.x.array(), same.x.array()));
  CHECK_AGREES(same_bits(batch.y.array(), same.y.array()));
  // The function may give anything, and two of them are one.
  const auto sum = [](const data::Batch<float>& b) { return std::int64_t(b.y.data()[0]); };
  const TransformedDataset sums(whole, sum);
  const TransformedDataset doubled(sums, [](std::int64_t y) { return 2 * y; });
  CHECK(sums.rows(Rows{3}) == 30);
  CHECK(doubled.rows(Rows{3}) == 60);
  CHECK(doubled.dataset().dataset().size() == 10);
}

}  // TEST_SUITE("transformed")

TEST_SUITE("composed data sets") {

TEST_CASE("transformed, subset and concat commute, and a loader takes their nest") {
  const auto negate = [](const data::Batch<float>& b) { return data::Batch<float>{-b.x, -b.y}; };
  const auto a = numbered(6), b = numbered(6, 6);
  const Rows odd{1, 3, 5, 7, 9, 11};
  const auto one = Subset(TransformedDataset(ConcatDataset(a, b), negate), odd);
  const auto other = ConcatDataset(TransformedDataset(Subset(a, Rows{1, 3, 5}), negate),
                                   TransformedDataset(Subset(b, Rows{1, 3, 5}), negate));
  check_same(one, other);
  auto order = data::Loader(one, {.batch_size = 4, .seed = 2});
  Rows rows;
  for (const auto& batch : order) {
    for (const std::int64_t number : numbers(batch)) rows.push_back(number);
  }
  std::sort(rows.begin(), rows.end());
  CHECK(rows == Rows{-11, -9, -7, -5, -3, -1});
}

TEST_CASE("composed data sets pass prefetch on to data sets that have it") {
  const Listener listener{.n = 1000};
  const auto identity = [](const Array<float>& x) { return x; };
  Rows backwards = range(0, 1000);
  std::reverse(backwards.begin(), backwards.end());
  const TransformedDataset nest(ConcatDataset(Subset(listener, backwards)), identity);
  nest.prefetch(Rows{1, 500});
  CHECK(listener.heard->expected == Rows{998, 499});
  nest.prefetch(range(0, 1000));
  CHECK(listener.heard->expected.size() == 256);
  CHECK(listener.heard->expected.back() == 1000 - 256);
  const TransformedDataset sums(Subset(Sum(), Rows{4, 5}), [](std::int64_t i) { return i; });
  sums.prefetch(Rows{0});
  CHECK(sums.rows(Rows{0, 1}) == 9);
}

TEST_CASE("composed data sets are values") {
  auto whole = numbered(4);
  Subset some(whole, Rows{1, 2});
  const ConcatDataset both(some, some);
  auto copy = both;
  whole.x.mutate()[2] = 77;
  some = Subset(numbered(4), Rows{0});
  CHECK(numbers(both.rows(range(0, 4))) == Rows{1, 2, 1, 2});
  copy = ConcatDataset(some);
  CHECK(numbers(copy.rows(Rows{0})) == Rows{0});
  CHECK(numbers(both.rows(Rows{3})) == Rows{2});
}

}  // TEST_SUITE("composed data sets")
