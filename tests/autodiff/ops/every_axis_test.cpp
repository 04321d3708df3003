// SPDX-License-Identifier: BSD-3-Clause
// Every operation along an axis, on arrays of five axes of which some have size 1 or 0: each axis
// may be counted from either end, a size of 1 is no special case, and one beyond is refused.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

struct Along {
  std::string_view name;
  std::function<Tensor<double>(const Tensor<double>&, int axis)> f;
};

/// Zeros as indices, in the shape of x.
Array<std::int64_t> first_of(const Tensor<double>& x) {
  return Array<std::int64_t>::zeros(x.shape());
}

#define ALONG(name, call)                                                        \
  Along {                                                                        \
    name, [](const Tensor<double>& x, int axis) { return Tensor<double>(call); } \
  }

const std::vector<Along>& table() {
  static const std::vector<Along> all = {
      ALONG("sum", sum(x, axis)),
      ALONG("sum, kept", sum(x, axis, true)),
      ALONG("mean", mean(x, axis)),
      ALONG("max", max(x, axis)),
      ALONG("min", min(x, axis)),
      ALONG("prod", prod(x, axis)),
      ALONG("var", var(x, axis, {.correction = 0})),
      ALONG("stddev", stddev(x, axis, {.correction = 0})),
      ALONG("norm", norm(x, 2, axis)),
      ALONG("logsumexp", logsumexp(x, axis)),
      ALONG("softmax", softmax(x, axis)),
      ALONG("log_softmax", log_softmax(x, axis)),
      ALONG("cosine_similarity", cosine_similarity(x, x * 2.0, axis)),
      ALONG("cumsum", cumsum(x, axis)),
      ALONG("cumprod", cumprod(x, axis)),
      ALONG("logcumsumexp", logcumsumexp(x, axis)),
      ALONG("cummax", cummax(x, axis).values),
      ALONG("cummin", cummin(x, axis).values),
      ALONG("sort", sort(x, axis).values),
      ALONG("median", median(x, axis).values),
      ALONG("quantile", quantile(x, 0.3, axis)),
      ALONG("quantile, several", quantile(x, {0.8, 0.1}, axis)),
      ALONG("flip", flip(x, axis)),
      ALONG("roll", roll(x, 1, axis)),
      ALONG("slice", slice(x, axis, {.begin = -1})),
      ALONG("concat", concat({x, x * 2.0}, axis)),
      ALONG("split", split(x, 1, axis).back()),
      ALONG("squeeze", squeeze(x, axis)),
      ALONG("repeat_interleave", repeat_interleave(x, 2, axis)),
      ALONG("index_select", index_select(x, axis, Array<std::int64_t>::zeros({3}))),
      ALONG("gather", gather(x, axis, first_of(x))),
      ALONG("scatter_add", scatter_add(x, axis, first_of(x), x * 3.0))};
  return all;
}

/// What f gives or says.
template <class F>
std::string outcome(const F& f) {
  std::string text = "done";
  try {
    f();
  } catch (const Error& error) {
    text = error.what();
  }
  return text;
}

}  // namespace

TEST_SUITE("axes") {

TEST_CASE("an axis counted from the end is the one counted from the front, in value and gradient") {
  for (const Shape& shape : {Shape{2, 1, 3, 1, 2}, Shape{1, 1, 1, 1, 1}, Shape{2, 3, 1, 2, 3}}) {
    const auto x = op::spread(shape, 1.3);
    for (const Along& along : table()) {
      CAPTURE(along.name);
      for (int axis = 0; axis < 5; ++axis) {
        CAPTURE(axis);
        const auto front = [&](const auto& v) { return along.f(v, axis); };
        const auto back = [&](const auto& v) { return along.f(v, axis - 5); };
        CHECK_AGREES(same_bits(front(Tensor<double>(x)).array(), back(Tensor<double>(x)).array()));
        const auto gradient_of = [&](const auto& f) {
          return gradient([&](const auto& v) { return sum(sin(f(v))); }, x).array();
        };
        CHECK_AGREES(same_bits(gradient_of(front), gradient_of(back)));
      }
    }
  }
}

TEST_CASE("along axes of size 1 a reduction gives the element, and an order leaves it") {
  const auto x = op::spread({2, 1, 3, 1, 2}, 1.3);
  for (const Along& along : table()) {
    const std::string name(along.name);
    CAPTURE(name);
    const auto y = along.f(Tensor<double>(x), 1).array();
    const bool element = name == "sum" || name == "mean" || name == "max" || name == "min" ||
                         name == "prod" || name == "median" || name == "quantile" ||
                         name == "logsumexp";
    const bool as_it_was = name == "sum, kept" || name == "cumsum" || name == "cumprod" ||
                           name == "logcumsumexp" || name == "cummax" || name == "cummin" ||
                           name == "sort" || name == "flip" || name == "roll" || name == "slice" ||
                           name == "split" || name == "gather";
    if (element) CHECK_AGREES(same_bits(y, x.reshape({2, 3, 1, 2})));
    if (as_it_was) CHECK_AGREES(same_bits(y, x));
  }
}

TEST_CASE(
    "along axes beside one of size 0 the outcome is the same from either end, never a crash") {
  const auto x = Array<double>::zeros({2, 0, 3, 1, 2});
  for (const Along& along : table()) {
    CAPTURE(along.name);
    for (int axis = 0; axis < 5; ++axis) {
      CAPTURE(axis);
      Shape front, back;
      const auto first = outcome([&] { front = along.f(Tensor<double>(x), axis).shape(); });
      const auto second = outcome([&] { back = along.f(Tensor<double>(x), axis - 5).shape(); });
      CHECK((first == "done") == (second == "done"));
      CHECK(front == back);
    }
  }
}

TEST_CASE("an axis beyond the last is refused by name") {
  const auto x = op::spread({2, 1, 3, 1, 2});
  for (const Along& along : table()) {
    const std::string name(along.name);
    CAPTURE(name);
    for (int axis : {5, -6}) {
      const auto said = message_of<Error>([&] { along.f(Tensor<double>(x), axis); });
      CAPTURE(said);
      CHECK(said.find("axis " + std::to_string(axis)) != std::string::npos);
      CHECK(said.find(name.substr(0, name.find(','))) == 0);
    }
  }
}

}  // TEST_SUITE("axes")
