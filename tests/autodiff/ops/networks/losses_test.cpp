// SPDX-License-Identifier: BSD-3-Clause
// Losses against a plain loop in a higher precision, at their kinks and at extreme arguments.
#include <cmath>
#include <functional>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using L = long double;

template <class T>
using Loss = std::function<Tensor<T>(const Tensor<T>&, const Tensor<T>&)>;

const Array<double> predictions = op::spread({4099, 1}, 3);

/// The mean of a formula over all elements, in both types.
void check(const char* name, const Array<double>& target, const Loss<double>& in_double,
           const Loss<float>& in_float, const std::function<L(L, L)>& formula) {
  L total = 0;
  for (std::int64_t i = 0; i < target.size(); ++i) total += formula(predictions[i], target[i]);
  const double expected = double(total / L(target.size()));
  CAPTURE(name);
  CHECK(std::abs(in_double(predictions, target).item() - expected) <= 1e-14 * std::abs(expected));
  const float narrow = in_float(cast<float>(predictions), cast<float>(target)).item();
  CHECK(std::abs(double(narrow) - expected) <= 2e-6 * std::abs(expected));
}

/// The slope in the prediction of a loss of one element.
template <class F>
double slope(F loss, double prediction, double target) {
  const auto f = [=](const auto& p) { return loss(p, Tensor<double>(target)); };
  return gradient(f, Tensor<double>(prediction)).item();
}

}  // namespace

TEST_SUITE("losses") {

TEST_CASE("losses are the means of their formulas") {
  const auto target = sin(predictions * 7.0).array();
  const auto sign = select(predictions * 5.0 - 1.0 > 0.0, 1, -1).array();
  const auto share = square(target).array();
  const auto both = [](auto f) { return [f](const auto& p, const auto& t) { return f(p, t); }; };
#define CHECK_LOSS(target, call, formula)                                       \
  check(#call, target, both([](const auto& p, const auto& t) { return call; }), \
        both([](const auto& p, const auto& t) { return call; }),                \
        [](L p, L t) -> L { return formula; })
  CHECK_LOSS(target, l1_loss(p, t), std::abs(p - t));
  CHECK_LOSS(target, huber_loss(p, t, 0.7),
             std::abs(p - t) <= 0.7 ? (p - t) * (p - t) / 2 : 0.7 * (std::abs(p - t) - 0.35));
  CHECK_LOSS(target, smooth_l1_loss(p, t, 0.7),
             std::abs(p - t) < 0.7 ? (p - t) * (p - t) / 1.4 : std::abs(p - t) - 0.35);
  CHECK_LOSS(target, smooth_l1_loss(p, t, 0), std::abs(p - t));
  CHECK_LOSS(sign, hinge_loss(p, t), std::max(1 - p * t, L(0)));
  CHECK_LOSS(sign, squared_hinge_loss(p, t), std::pow(std::max(1 - p * t, L(0)), 2));
  CHECK_LOSS(share, poisson_nll_loss(p, t), std::exp(p) - t * p);
  CHECK_LOSS(target, quantile_loss(p, t, 0.9), (t > p ? 0.9L : -0.1L) * (t - p));
  CHECK_LOSS(share, kl_div(p, t), t * (std::log(t) - p));
  CHECK_LOSS(share, bce(0.01 + 0.04 * square(p), t),
             -t * std::log(0.01L + 0.04L * p * p) - (1 - t) * std::log(0.99L - 0.04L * p * p));
  CHECK_LOSS(share, gaussian_nll_loss(p, t, exp(p), 0.25),
             (std::log(std::max(std::exp(p), L(0.25))) +
              (p - t) * (p - t) / std::max(std::exp(p), L(0.25))) /
                 2);
#undef CHECK_LOSS
}

TEST_CASE("the slopes of losses at their kinks are those that the list of operations gives") {
  CHECK(slope([](auto p, auto t) { return l1_loss(p, t); }, 2, 2) == 0);
  CHECK(slope([](auto p, auto t) { return smooth_l1_loss(p, t, 0); }, 2, 2) == 0);
  CHECK(slope([](auto p, auto t) { return huber_loss(p, t, 0.5); }, 2.5, 2) == 0.5);
  CHECK(slope([](auto p, auto t) { return hinge_loss(p, t); }, -1, -1) == 0);
  CHECK(slope([](auto p, auto t) { return quantile_loss(p, t, 0.75); }, 2, 2) == -0.25);
  CHECK(slope([](auto p, auto t) { return kl_div(p, t); }, -3, 0) == 0);
}

TEST_CASE_TEMPLATE("a reduction is the mean or the sum of the losses one by one", T, float,
                   double) {
  const auto p = Array<T>::of({{0.25, 0.625}, {0.75, 0.875}}), t = Array<T>::of({{1, 0}, {0.5, 1}});
  const auto check_reductions = [](const auto& loss) {
    const Tensor<T> each = loss(Reduction::none);
    CHECK(each.shape() == Shape({2, 2}));
    const T total = sum(each).item(), tolerance = 4 * std::numeric_limits<T>::epsilon();
    CHECK(std::abs(loss(Reduction::sum).item() - total) <= tolerance * std::abs(total));
    CHECK(std::abs(loss(Reduction::mean).item() - total / 4) <= tolerance * std::abs(total));
  };
  check_reductions([&](Reduction r) { return mse_loss(p, t, r); });
  check_reductions([&](Reduction r) { return l1_loss(p, t, r); });
  check_reductions([&](Reduction r) { return huber_loss(p, t, 0.5, r); });
  check_reductions([&](Reduction r) { return smooth_l1_loss(p, t, 0.5, r); });
  check_reductions([&](Reduction r) { return hinge_loss(p, t, r); });
  check_reductions([&](Reduction r) { return squared_hinge_loss(p, t, r); });
  check_reductions([&](Reduction r) { return poisson_nll_loss(p, t, r); });
  check_reductions([&](Reduction r) { return quantile_loss(p, t, 0.25, r); });
  check_reductions([&](Reduction r) { return kl_div(p, t, r); });
  check_reductions([&](Reduction r) { return bce(p, t, r); });
  check_reductions([&](Reduction r) { return gaussian_nll_loss(p, t, p, 1e-6, r); });
  check_reductions([&](Reduction r) { return bce_with_logits(p, t, {.reduction = r}); });
  const auto weight = Array<T>::of({0.5, 3});
  check_reductions(
      [&](Reduction r) { return bce_with_logits(p, t, {.pos_weight = weight, .reduction = r}); });
  CHECK_AGREES(same_bits(mse_loss(p, t, Reduction::none).array(), square(p - t).array()));
  CHECK_THROWS_AS(mse_loss(p, t.reshape({4}), Reduction::none), ShapeError);
  CHECK_THROWS_AS(mse_loss(p, t.reshape({4}), Reduction::sum), ShapeError);
}

TEST_CASE("bce limits logarithms to -100, and shows what is no probability") {
  const auto value = [](double p, double t) {
    return bce(Tensor<double>(p), Tensor<double>(t)).item();
  };
  CHECK(value(0, 0) == 0);
  CHECK(value(1, 1) == 0);
  CHECK(value(0, 1) == 100);
  CHECK(value(1, 0) == 100);
  CHECK(value(1, 0.25) == 75);
  CHECK(std::isnan(value(-0.1, 1)));
  CHECK(std::isnan(value(1.1, 1)));
  CHECK(std::isnan(value(0.5, std::nan(""))));
  const auto f = [](auto p, auto t) { return bce(p, t); };
  CHECK(slope(f, 0, 1) == 0);
  CHECK(slope(f, 0, 0) == 1);
  CHECK(slope(f, 1, 1) == -1);
  CHECK(std::isnan(slope(f, std::nan(""), 0.5)));
  CHECK(bce(Tensor<float>(0.0F), Tensor<float>(1.0F)).item() == 100);
}

TEST_CASE("gaussian_nll_loss limits the variance, and shows a negative one") {
  const auto value = [](double p, double t, double v) {
    return gaussian_nll_loss(Tensor<double>(p), Tensor<double>(t), Tensor<double>(v), 0.5).item();
  };
  CHECK(value(2, 0, 1) == 2);
  CHECK(value(1, 0, 0) == value(1, 0, 0.5));
  CHECK(value(1, 0, 0.25) == value(1, 0, 0.5));
  CHECK(std::isnan(value(1, 0, -1)));
  CHECK(std::isnan(value(1, 0, std::nan(""))));
  const auto of_variance = [](const auto& v) {
    return gaussian_nll_loss(Tensor<double>(1), Tensor<double>(0), v, 0.5);
  };
  CHECK(gradient(of_variance, Array<double>(0.25)).item() == 0);
  CHECK(std::isnan(gradient(of_variance, Array<double>(-1.0)).item()));
  CHECK(std::isnan(gradient(of_variance, Array<double>(std::nan(""))).item()));
}

TEST_CASE("losses of extreme arguments") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor<double> zero(0), huge(1e300);
  CHECK(kl_div(Tensor<double>(-inf), zero).item() == 0);
  CHECK(huber_loss(huge, zero).item() == 1e300);
  CHECK(slope([](auto p, auto t) { return huber_loss(p, t); }, 1e300, 0) == 1);
  CHECK(poisson_nll_loss(Tensor<double>(-1000), zero).item() == 0);
  CHECK(hinge_loss(huge, Tensor<double>(1)).item() == 0);
  CHECK(std::isnan(hinge_loss(Tensor<double>(std::nan("")), zero).item()));
}

TEST_CASE("the slope of a loss at NaN is NaN") {
  const double none = std::nan("");
  CHECK(std::isnan(slope([](auto p, auto t) { return mse_loss(p, t); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return l1_loss(p, t); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return huber_loss(p, t); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return smooth_l1_loss(p, t); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return hinge_loss(p, t); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return squared_hinge_loss(p, t); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return quantile_loss(p, t, 0.75); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return bce_with_logits(p, t); }, none, 1)));
  CHECK(std::isnan(slope([](auto p, auto t) { return poisson_nll_loss(p, t); }, none, 1)));
}

TEST_CASE("an infinite logit that the target does not weigh costs nothing") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto bce = [](auto z, auto t) { return bce_with_logits(z, t); };
  const auto poisson = [](auto z, auto t) { return poisson_nll_loss(z, t); };
  struct Point {
    double z, t, value, slope;
  };
  const auto check_points = [](const auto& loss, std::initializer_list<Point> points) {
    for (const Point& point : points) {
      CAPTURE(point.z);
      CAPTURE(point.t);
      CHECK(loss(Tensor<double>(point.z), Tensor<double>(point.t)).item() == point.value);
      CHECK(loss(Tensor<float>(point.z), Tensor<float>(point.t)).item() == float(point.value));
      CHECK(slope(loss, point.z, point.t) == point.slope);
      const auto f = [&](const auto& z) { return loss(z, Tensor<double>(point.t)); };
      CHECK(hessian(f, Array<double>(point.z)).item() == (std::isinf(point.slope) ? inf : 0));
      const auto of_target = [&](const auto& t) { return loss(Tensor<double>(point.z), t); };
      if (point.value == 0) CHECK(gradient(of_target, Array<double>(point.t)).item() == 0);
    }
  };
  check_points(bce, {{-inf, 0, 0, 0},
                     {inf, 1, 0, 0},
                     {inf, 0, inf, 1},
                     {-inf, 1, inf, -1},
                     {inf, 0.25, inf, 0.75},
                     {-inf, 0.25, inf, -0.25}});
  check_points(poisson,
               {{-inf, 0, 0, 0}, {-inf, 2, inf, -2}, {inf, 0, inf, inf}, {inf, 2, inf, inf}});
}

TEST_CASE("bce_with_logits weighs positive targets") {
  const auto z = op::spread({5, 2}, 3), t = square(sin(z)).array();
  const auto weight = Array<double>::of({0.25, 4});
  L total = 0;
  for (std::int64_t i = 0; i < z.size(); ++i) {
    const L p = 1 / (1 + std::exp(L(-z[i]))), w = L(weight[i % 2]);
    total -= w * L(t[i]) * std::log(p) + (1 - L(t[i])) * std::log(1 - p);
  }
  CHECK(std::abs(bce_with_logits(z, t, {.pos_weight = weight}).item() - double(total / 10)) <=
        1e-15 * double(total));
  const auto ones = bce_with_logits(z, t, {.pos_weight = Array<double>(1.0)}).item();
  CHECK(std::abs(ones - bce_with_logits(z, t).item()) <= 1e-15);
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto f = [](auto logit, auto target) {
    return bce_with_logits(logit, target, {.pos_weight = Array<double>(3.0)});
  };
  const auto at = [&](double logit, double target) {
    return f(Tensor<double>(logit), Tensor<double>(target)).item();
  };
  CHECK(at(inf, 1) == 0);
  CHECK(at(-inf, 0) == 0);
  CHECK(at(-inf, 1) == inf);
  CHECK(at(1000, 1) == 0);
  CHECK(at(-1000, 1) == 3000);
  CHECK(slope(f, -inf, 1) == -3);
  CHECK(slope(f, inf, 1) == 0);
  CHECK(slope(f, inf, 0) == 1);
  CHECK(std::isnan(slope(f, std::nan(""), 1)));
  const auto labels = Array<std::int64_t>::of({1, 0, 0});
  CHECK(bce_with_logits(Array<double>::of({2, -1, 0.5}), labels, {.reduction = Reduction::sum})
            .item() == 3 * bce_with_logits(Array<double>::of({2, -1, 0.5}), labels).item());
}

TEST_CASE("cross_entropy and nll_loss with options are the sums of their definition") {
  const auto logits = op::spread({5, 3}, 4);
  const auto labels = Array<std::int64_t>::of({2, 0, -7, 1, 1});
  const auto weight = Array<double>::of({0.5, 2, 3});
  const auto log_p = log_softmax(logits).array();
  for (const double smoothing : {0.0, 0.3, 1.0}) {
    CAPTURE(smoothing);
    L total = 0, divisor = 0;
    std::vector<double> each;
    for (std::int64_t i = 0; i < 5; ++i) {
      L loss = 0;
      for (std::int64_t c = 0; c < 3 && labels[i] >= 0; ++c) {
        const L q = L(smoothing) / 3 + (c == labels[i] ? 1 - L(smoothing) : 0);
        loss -= L(weight[c]) * q * L(log_p[3 * i + c]);
      }
      if (labels[i] >= 0) divisor += L(weight[labels[i]]);
      total += loss;
      each.push_back(double(loss));
    }
    const auto losses = Array<double>({5}, std::span<const double>(each));
    const auto call = [&](Reduction reduction) {
      return cross_entropy(logits, labels,
                           {.weight = weight,
                            .label_smoothing = smoothing,
                            .ignore_index = -7,
                            .reduction = reduction});
    };
    CHECK_AGREES(close(call(Reduction::none).array(), losses, 1e-14));
    CHECK(std::abs(call(Reduction::sum).item() - double(total)) <= 1e-14 * double(total));
    CHECK(std::abs(call(Reduction::mean).item() - double(total / divisor)) <= 1e-14);
    if (smoothing != 0) continue;
    const auto nll = [&](Reduction reduction) {
      return nll_loss(log_p, labels,
                      {.weight = weight, .ignore_index = -7, .reduction = reduction});
    };
    CHECK_AGREES(close(nll(Reduction::none).array(), losses, 1e-14));
    CHECK(std::abs(nll(Reduction::sum).item() - double(total)) <= 1e-14 * double(total));
    CHECK(std::abs(nll(Reduction::mean).item() - double(total / divisor)) <= 1e-14);
  }
  // A row that is ignored has no part, whatever it contains.
  const auto all = Array<std::int64_t>::full({5}, 1);
  CHECK(std::isnan(cross_entropy(logits, all, {.ignore_index = 1}).item()));
  CHECK(cross_entropy(logits, all, {.ignore_index = 1, .reduction = Reduction::sum}).item() == 0);
  const auto spoilt = Array<double>::of({{std::nan(""), 0}, {1, 1}});
  const auto ignored = [](const auto& x) {
    return cross_entropy(x, Array<std::int64_t>::of({-1, 0}), {.ignore_index = -1});
  };
  CHECK(std::abs(ignored(Tensor<double>(spoilt)).item() - std::log(2.0)) <= 1e-15);
  CHECK(equal(gradient(ignored, spoilt).array(), Array<double>::of({{0, 0}, {-0.5, 0.5}})));
}

TEST_CASE("cross_entropy with options of infinite logits") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto f = [](const auto& x) {
    return cross_entropy(x, Array<std::int64_t>::of({0}), {.reduction = Reduction::sum});
  };
  const auto row = Array<double>::of({{0, -inf}});
  CHECK(f(Tensor<double>(row)).item() == 0);
  CHECK(equal(gradient(f, row).array(), Array<double>::of({{0, 0}})));
  CHECK(f(Tensor<double>(Array<double>::of({{-inf, 0}}))).item() == inf);
  CHECK(f(Tensor<double>(Array<double>::of({{1e4, -1e4}}))).item() == 0);
  const auto smooth = cross_entropy(row, Array<std::int64_t>::of({0}), {.label_smoothing = 0.5});
  CHECK(smooth.item() == inf);
}

TEST_CASE("nll_loss of log_softmax is cross_entropy") {
  const auto logits = op::spread({5, 7}, 4);
  const auto labels = Array<std::int64_t>::of({6, 0, 3, 3, 1});
  CHECK(std::abs(nll_loss(log_softmax(logits), labels).item() -
                 cross_entropy(logits, labels).item()) <= 1e-14);
}

TEST_CASE("nll_loss refuses labels that are no array") {
  CHECK_THROWS_AS(nll_loss(Array<double>::zeros({0, 3}), Array<std::int64_t>()), ArgumentError);
}

TEST_CASE("cosine_similarity is the cosine, and 0 for a vector of zeros") {
  const auto a = Array<double>::of({{1, 0}, {3, 4}, {0, 0}, {1e-200, 0}});
  const auto b = Array<double>::of({{2, 2}, {-3, -4}, {1, 2}, {1e-200, 0}});
  const auto y = cosine_similarity(a, b).array();
  CHECK(std::abs(y[0] - std::sqrt(0.5)) <= 1e-15);
  CHECK(std::abs(y[1] + 1) <= 1e-15);
  CHECK(y[2] == 0);
  CHECK(y[3] == 0);  // shorter than eps
  const auto g = gradient([&](const auto& x) { return sum(cosine_similarity(x, b)); }, a).array();
  for (const double v : g) CHECK(std::isfinite(v));
}

TEST_CASE("cosine_similarity of vectors whose squares leave the range") {
  const double cosine = 0.9922778767136677;  // 8 / sqrt(65)
  const auto check_scaled = [&]<class T>(T scale, T other, double tolerance) {
    CAPTURE(scale);
    const auto a = Array<T>::of({{2 * scale, 3 * scale}});
    const auto b = Array<T>::of({{other, 2 * other}});
    const auto f = [&](const auto& x) { return sum(cosine_similarity(x, b, 1, 0)); };
    CHECK(std::abs(double(f(Tensor<T>(a)).item()) - cosine) <= tolerance);
    // b / (|a| |b|) - cos a / |a|^2, which is (-3, 2) / (13 sqrt(65) scale).
    const auto g = gradient(f, a).array();
    const double unit = 1 / (13 * std::sqrt(65.0)) / double(scale);
    const double absolute = tolerance * unit + 2 * double(std::numeric_limits<T>::denorm_min());
    CHECK(std::abs(double(g[0]) + 3 * unit) <= 9 * absolute);
    CHECK(std::abs(double(g[1]) - 2 * unit) <= 9 * absolute);
  };
  check_scaled(1e38F, 1.0F, 4e-7);
  check_scaled(1e38F, 1e38F, 4e-7);
  check_scaled(1e-37F, 1.0F, 4e-7);
  check_scaled(1e-37F, 1e38F, 4e-7);
  check_scaled(5e307, 1.0, 1e-15);
  check_scaled(5e307, 5e307, 1e-15);
  check_scaled(1e-306, 5e307, 1e-15);
  const auto with_eps =
      cosine_similarity(Array<float>::of({{2e38F, 3e38F}}), Array<float>::of({{1, 2}}));
  CHECK(std::abs(double(with_eps.item()) - cosine) <= 4e-7);
}

TEST_CASE("the slope of stddev is right for the largest and the smallest numbers") {
  for (const double scale : {1e308, 1e-308, 1.0}) {
    CAPTURE(scale);
    const auto g =
        gradient([](const auto& x) { return stddev(x); }, Array<double>::of({scale, -scale}))
            .array();
    CHECK(std::abs(g[0] - std::sqrt(0.5)) <= 1e-15);
    CHECK(std::abs(g[1] + std::sqrt(0.5)) <= 1e-15);
  }
}

TEST_CASE_TEMPLATE("bce_with_logits takes labels, of each logit or of each row", T, float, double) {
  const auto logits = Array<T>::of({2, -1, 0.5}), target = Array<T>::of({1, 0, 0});
  const auto labels = Array<std::int64_t>::of({1, 0, 0});
  const T expected = bce_with_logits(logits, target).item();
  CHECK(bce_with_logits(logits, labels).item() == expected);
  CHECK(bce_with_logits(logits.reshape({3, 1}), labels).item() == expected);
  CHECK(bce_with_logits(logits.reshape({3, 1}), labels.reshape({3, 1})).item() == expected);
  CHECK_THROWS_AS(bce_with_logits(logits, labels.reshape({3, 1})), ShapeError);
  CHECK(message_of<ArgumentError>([&] {
          bce_with_logits(logits, Array<std::int64_t>::of({0, 2, 1}));
        }) ==
        "bce_with_logits: label 2 at position 1; labels are 0 and 1, and for more classes there is "
        "cross_entropy");
}

}  // TEST_SUITE("losses")
