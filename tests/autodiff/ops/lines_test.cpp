// SPDX-License-Identifier: BSD-3-Clause
// Short rows, which are reduced several at a time, give the bits that each gives alone, and columns
// those of the same numbers as rows: the order of additions depends on neither.
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

template <class T>
struct Function {
  std::string name;
  std::function<Tensor<T>(const Tensor<T>& x, int axis)> f;
};

/// Reductions that keep the axis, and operations that normalise along it.
template <class T>
std::vector<Function<T>> functions() {
  const auto slopes = [](const auto& f) {
    return [=](const Tensor<T>& x, int axis) -> Tensor<T> {
      return gradient([&](const auto& v) { return sum(sin(f(v, axis))); }, x.array());
    };
  };
  const auto weights = [](const auto& x, int axis) { return softmax(x, axis); };
  const auto logarithms = [](const auto& x, int axis) { return log_softmax(x, axis); };
  return {{"sum", [](const auto& x, int axis) { return sum(x, axis, true); }},
          {"mean", [](const auto& x, int axis) { return mean(x, axis, true); }},
          {"max", [](const auto& x, int axis) { return max(x, axis, true); }},
          {"min", [](const auto& x, int axis) { return min(x, axis, true); }},
          {"logsumexp", [](const auto& x, int axis) { return logsumexp(x, axis, true); }},
          {"softmax", weights},
          {"log_softmax", logarithms},
          {"gradient of softmax", slopes(weights)},
          {"gradient of log_softmax", slopes(logarithms)}};
}

/// Numbers, and rows with infinities and NaN among them where there is room.
template <class T>
Array<T> numbers(std::int64_t rows, std::int64_t columns, bool hard) {
  const T inf = std::numeric_limits<T>::infinity(), none = std::numeric_limits<T>::quiet_NaN();
  auto x = cast<T>(Tensor<double>(op::spread({rows, columns}, 4))).array();
  if (!hard) return x;
  const T values[] = {inf, -inf, none, -0.0F, 0};
  for (std::int64_t i = 0; i < x.size(); i += 7) x.mutate()[i] = values[i / 7 % 5];
  for (std::int64_t i = 0; i < columns; ++i) x.mutate()[(rows - 1) * columns + i] = -inf;
  return x;
}

/// The bits of y, where all NaN count as one, and so do both zeros among equal elements.
template <class T>
Array<T> bits_of(const Tensor<T>& y, bool one_zero) {
  auto bits = y.array();
  for (T& v : std::span(bits.mutate(), std::size_t(bits.size()))) {
    if (v != v) v = std::numeric_limits<T>::quiet_NaN();
    if (v == 0 && one_zero) v = 0;
  }
  return bits;
}

template <class T>
void check_rows(std::int64_t rows, std::int64_t columns, bool hard) {
  CAPTURE(rows);
  CAPTURE(columns);
  CAPTURE(hard);
  const Tensor<T> x(numbers<T>(rows, columns, hard));
  for (const Function<T>& function : functions<T>()) {
    const auto& [name, f] = function;
    CAPTURE(function.name);
    const bool one_zero = name == "max" || name == "min";
    const auto together = bits_of(f(x, 1), one_zero);
    std::vector<Tensor<T>> alone;
    for (std::int64_t r = 0; r < rows; ++r) alone.push_back(f(slice(x, 0, {r, r + 1}), 1));
    CHECK_AGREES(same_bits(together, bits_of(concat(alone, 0), one_zero)));
    // Sums of columns have an order of their own.
    if (name == "sum" || name == "mean" || name == "gradient of log_softmax") continue;
    CHECK_AGREES(same_bits(bits_of(transpose(f(transpose(x), 0)), one_zero), together));
  }
}

template <class T>
void check_all() {
  for (const bool hard : {false, true}) {
    for (const std::int64_t columns : {1, 2, 3, 5, 8, 15, 16, 17, 33, 64, 65, 130}) {
      for (const std::int64_t rows : {1, 2, 7, 37}) check_rows<T>(rows, columns, hard);
    }
    check_rows<T>(3, 9000, hard);
  }
}

}  // namespace

TEST_SUITE("reductions") {

TEST_CASE("rows together and columns give the bits of each row alone") {
  check_all<float>();
  check_all<double>();
}

TEST_CASE("sums of short rows are those of a tree of halves") {
  const auto x = Array<float>::of({{1e8F, 1, -1e8F, 1}, {1, 1e8F, 1, -1e8F}});
  // (x0 + x2) + (x1 + x3)
  const auto many = concat(std::vector<Tensor<float>>(16, Tensor<float>(x)), 0);
  for (const float s : sum(many, 1).array()) CHECK(s == 2);
}

TEST_CASE("columns and rows of no elements") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor<double> columns(Array<double>::zeros({0, 40})), rows(Array<double>::zeros({40, 0}));
  CHECK_AGREES(same_bits(logsumexp(columns, 0).array(), Array<double>::full({40}, -inf)));
  CHECK_AGREES(same_bits(logsumexp(rows, 1).array(), Array<double>::full({40}, -inf)));
  CHECK_AGREES(same_bits(sum(rows, 1).array(), Array<double>::zeros({40})));
  CHECK(softmax(rows, 1).shape() == Shape{40, 0});
  CHECK(log_softmax(columns, 0).shape() == Shape{0, 40});
}

}  // TEST_SUITE("reductions")
