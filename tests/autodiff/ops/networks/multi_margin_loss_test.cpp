// SPDX-License-Identifier: BSD-3-Clause
// The hinge loss of several classes: values, special values, and what a classifier learns by it.
#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("losses") {

TEST_CASE_TEMPLATE("multi_margin_loss is that of PyTorch's manual, and of a plain loop", T, float,
                   double) {
  const auto one = Array<T>::of({{0.1F, 0.2F, 0.4F, 0.8F}});
  const auto last = Array<std::int64_t>::of({3});
  // (0.3 + 0.4 + 0.6) / 4, and of squares (0.09 + 0.16 + 0.36) / 4.
  CHECK(std::abs(double(multi_margin_loss(one, last).item()) - 0.325) < 1e-7);
  CHECK(std::abs(double(multi_margin_loss(one, last, {.p = 2}).item()) - 0.1525) < 1e-7);
  const auto x = cast<T>(op::spread({50, 6}, 2)).array();
  const auto weight = Array<T>::of({1, 0, 2, 0.5F, 3, 1});
  auto labels = Array<std::int64_t>::zeros({50});
  for (int i = 0; i < 50; ++i) labels.mutate()[i] = i * i % 6;
  for (const int p : {1, 2}) {
    std::vector<double> losses;
    double total = 0;
    for (int i = 0; i < 50; ++i) {
      double loss = 0;
      for (int c = 0; c < 6; ++c) {
        const double excess = 0.7 - double(x(i, labels[i])) + double(x(i, c));
        if (c != labels[i] && excess > 0) loss += std::pow(excess, p);
      }
      losses.push_back(loss * double(weight[labels[i]]) / 6);
      total += losses.back();
    }
    const auto f = [&](Reduction reduction) {
      return multi_margin_loss(x, labels,
                               {.margin = 0.7, .p = p, .weight = weight, .reduction = reduction});
    };
    const double eps = double(std::numeric_limits<T>::epsilon());
    CHECK_AGREES(close(f(Reduction::none).array(), Array<double>({50}, losses), 20 * eps));
    CHECK(std::abs(double(f(Reduction::sum).item()) - total) <= 20 * eps * total);
    // The mean is over the rows, whatever their weights.
    CHECK(std::abs(double(f(Reduction::mean).item()) - total / 50) <= 20 * eps * total / 50);
  }
}

TEST_CASE("multi_margin_loss of NaN, infinities, one class and no rows") {
  const double inf = std::numeric_limits<double>::infinity(), none = std::nan("");
  const auto labels = Array<std::int64_t>::of({0, 0, 0, 0, 0});
  const auto x = Array<double>::of({{inf, 1}, {-inf, 1}, {0, -inf}, {none, 1}, {inf, inf}});
  const auto f = [&](const auto& v) {
    return multi_margin_loss(v, labels, {.reduction = Reduction::none});
  };
  const auto y = f(Tensor<double>(x)).array();
  CHECK(y[0] == 0);
  CHECK(y[1] == inf);
  CHECK(y[2] == 0);
  CHECK(std::isnan(y[3]));
  CHECK(std::isnan(y[4]));
  const auto g = gradient([&](const auto& v) { return sum(f(v)); }, x).array();
  CHECK(equal(g.leading(0, 3), Array<double>::of({{0, 0}, {-0.5, 0.5}, {0, 0}})));
  const auto single = Array<double>({2, 1}, {3, none});
  const auto only = Array<std::int64_t>::of({0, 0});
  CHECK(equal(multi_margin_loss(single, only, {.reduction = Reduction::none}).array(),
              Array<double>::zeros({2})));
  const auto no_labels = Array<std::int64_t>::zeros({0});
  CHECK(std::isnan(multi_margin_loss(Array<double>::zeros({0, 3}), no_labels).item()));
  CHECK(multi_margin_loss(Array<double>::zeros({0, 3}), no_labels, {.reduction = Reduction::sum})
            .item() == 0);
}

TEST_CASE("a linear classifier learns three classes by multi_margin_loss") {
  auto x = Array<double>::uninitialized({30, 2});
  auto labels = Array<std::int64_t>::zeros({30});
  for (int i = 0; i < 30; ++i) {
    const double angle = 2.1 * (i % 3) + 0.03 * i;
    x.mutate()[2 * i] = std::cos(angle);
    x.mutate()[2 * i + 1] = std::sin(angle);
    labels.mutate()[i] = i % 3;
  }
  Array<double> w = Array<double>::zeros({2, 3});
  const auto loss = [&](const auto& v) { return multi_margin_loss(matmul(x, v), labels); };
  for (int step = 0; step < 200; ++step) w = (w - gradient(loss, w) * 0.5).array();
  CHECK(equal(argmax(matmul(x, w), 1), labels));
  CHECK(loss(Tensor<double>(w)).item() < 0.2);
}

}  // TEST_SUITE("losses")
