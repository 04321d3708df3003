// SPDX-License-Identifier: BSD-3-Clause
// Layer and batch normalisation against a plain loop in a higher precision.
#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using L = long double;

/// Each row by its own moments.
Array<double> rows_normalised(const Array<double>& x, const Array<double>& w,
                              const Array<double>& b, double eps) {
  auto result = x;
  double* y = result.mutate();
  const std::int64_t n = w.size();
  for (std::int64_t start = 0; start < x.size(); start += n) {
    L mean = 0, squares = 0;
    for (std::int64_t i = 0; i < n; ++i) mean += L(x[start + i]) / L(n);
    for (std::int64_t i = 0; i < n; ++i) squares += (x[start + i] - mean) * (x[start + i] - mean);
    const L scale = 1 / std::sqrt(squares / L(n) + L(eps));
    for (std::int64_t i = 0; i < n; ++i) {
      y[start + i] = double((x[start + i] - mean) * scale * w[i] + b[i]);
    }
  }
  return result;
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("layer_norm agrees with a plain loop at every width") {
  for (const std::int64_t n : {1, 2, 3, 7, 8, 15, 16, 17, 31, 64, 65, 100, 257, 5000}) {
    CAPTURE(n);
    const auto x = op::spread({5, n}, 30), w = op::spread({n}), b = op::spread({n}, 2);
    const auto expected = rows_normalised(x, w, b, 1e-5);
    CHECK_AGREES(close(layer_norm(x, {n}, w, b).array(), expected, 1e-12, 1e-12));
    const auto narrow = layer_norm(cast<float>(x), {n}, cast<float>(w), cast<float>(b));
    CHECK_AGREES(close(narrow.array(), expected, 2e-5, 2e-5));
  }
}

TEST_CASE("batch_norm agrees with plain operations, forward and back, for all sizes") {
  const auto plain = [](const auto& x, const auto& w, const auto& b, bool is_trained) {
    const Shape channels{1, x.shape()[1], 1};
    const auto m =
        is_trained ? mean(x, {0, 2}, true) : Tensor<double>(Array<double>::full({1}, 0.5));
    const auto v = is_trained ? mean(square(x - m), {0, 2}, true)
                              : Tensor<double>(Array<double>::full({1}, 2));
    return (x - m) * rsqrt(v + 0.1) * reshape(w, channels) + reshape(b, channels);
  };
  // Rows, channels and sizes; of one number, of few, of many; more than a block in either way.
  for (const Shape& shape : {Shape{5, 3, 1},
                             {2, 17, 1},
                             {700, 5, 1},
                             {3, 20, 2},
                             {2, 3, 7},
                             {3, 2, 16},
                             {2, 5, 49},
                             {40, 2, 130},
                             {2, 2, 5000},
                             {1, 1, 4097}}) {
    for (const bool is_trained : {true, false}) {
      CAPTURE(shape);
      CAPTURE(is_trained);
      const Shape c{shape[1]};
      const auto run = [&]<class T>(T, const auto& f) {
        Variable<T> x(cast<T>(op::spread(shape, 30)).array()), w(cast<T>(op::spread(c)).array()),
            b(cast<T>(op::spread(c, 2)).array());
        Tape tape;
        const Tensor<T> y = f(x, w, b);
        backward(SweepStart(y, cast<T>(op::spread(shape, 3)).array()));
        return std::vector<Array<double>>{
            cast<double>(y.detach()).array(), cast<double>(x.gradient()).array(),
            cast<double>(w.gradient()).array(), cast<double>(b.gradient()).array()};
      };
      const auto fused = [&](const auto& x, const auto& w, const auto& b) {
        using T = typename std::remove_cvref_t<decltype(x.value())>::value_type;
        return batch_norm(x, Array<T>::full(c, T(0.5)), Array<T>::full(c, 2), w, b,
                          {.training = is_trained, .eps = 0.1})
            .y;
      };
      const auto expected = run(0.0, [&](const auto& x, const auto& w, const auto& b) {
        return plain(x, w, b, is_trained);
      });
      const auto in_double = run(0.0, fused), in_float = run(0.0F, fused);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        CAPTURE(k);
        // Up to 10^4 terms in another order, some of which cancel.
        CHECK_AGREES(close(in_double[k], expected[k], 1e-11, 1e-11));
        CHECK_AGREES(close(in_float[k], expected[k], 2e-4, 2e-4));
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch_norm of squares that vanish or overflow, and of equal numbers", T, float,
                   double) {
  const double small = sizeof(T) == 4 ? 1e-25 : 1e-170, large = sizeof(T) == 4 ? 1e25 : 1e170;
  const auto ones = Array<T>::ones({2}), zeros = Array<T>::zeros({2});
  const auto normalised = [&](const Array<T>& x, double eps) {
    return batch_norm(x, zeros, zeros, ones, zeros, {.training = true, .eps = eps}).y.array();
  };
  const auto twice = [](const auto& x) {  // a second number in each row
    return concat({x.reshape({3, 2, 1}), x.reshape({3, 2, 1})}, 2).array();
  };
  const auto x = Array<T>::of({{T(-small), T(-large)}, {0, 0}, {T(small), T(large)}});
  const double side = std::sqrt(1.5);
  const auto y = Array<double>::of({{-side, -side}, {0, 0}, {side, side}});
  CHECK_AGREES(close(normalised(x, 0), y, 1e-6, 1e-6));
  CHECK_AGREES(close(normalised(twice(x), 0), twice(y), 1e-6, 1e-6));
  // Equal elements are at their mean, for any eps.
  const auto same = Array<T>::full({3, 2}, 7);
  CHECK(equal(normalised(same, 1e-36), Array<T>::zeros({3, 2})));
  CHECK(equal(normalised(twice(same), 1e-36), Array<T>::zeros({3, 2, 2})));
}

TEST_CASE("what is not finite in one channel of batch_norm stays there") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const bool is_plane : {false, true}) {
    auto x = op::spread(is_plane ? Shape{3, 2, 5} : Shape{3, 2, 1});
    x.mutate()[0] = inf;
    Variable<double> v(x);
    const auto ones = Array<double>::ones({2}), zeros = Array<double>::zeros({2});
    {
      Tape tape;
      backward(sum(batch_norm(v, zeros, ones, ones, zeros, {.training = true}).y));
    }
    for (std::int64_t i = 0; i < x.size(); ++i) {
      CAPTURE(i);
      CHECK(std::isnan(v.gradient().begin()[i]) == (i / x.shape()[2] % 2 == 0));
    }
    v.zero_grad();
    // By given moments each number has a slope of its own.
    Tape tape;
    backward(sum(batch_norm(v, zeros, ones, ones, zeros).y));
    for (const double slope : v.gradient()) CHECK(std::isfinite(slope));
  }
}

TEST_CASE("layer_norm has the gradients of the same in plain operations, at every width") {
  for (const std::int64_t n : {1, 3, 8, 17, 64, 100, 257, 600}) {
    CAPTURE(n);
    const auto gradients = [&](const auto& f) {
      Variable<double> x(op::spread({130, n}, 3)), w(op::spread({n})), b(op::spread({n}));
      Tape tape;
      backward(SweepStart(f(x, w, b), op::spread({130, n}, 2)));
      return std::vector<Array<double>>{x.gradient(), w.gradient(), b.gradient()};
    };
    const auto fused = gradients(
        [&](const auto& x, const auto& w, const auto& b) { return layer_norm(x, {n}, w, b, 0.1); });
    const auto plain = gradients([](const auto& x, const auto& w, const auto& b) {
      const auto centred = x - mean(x, 1, true);
      return centred / sqrt(mean(square(centred), 1, true) + 0.1) * w + b;
    });
    for (std::size_t k = 0; k < 3; ++k) CHECK_AGREES(close(fused[k], plain[k], 1e-11, 1e-11));
  }
}

}  // TEST_SUITE("kernels")

TEST_SUITE("normalisation") {

TEST_CASE("layer_norm over several axes, and without weight and bias") {
  const auto x = op::spread({2, 3, 4, 5}, 3), w = op::spread({4, 5}), b = op::spread({4, 5}, 2);
  const auto expected = rows_normalised(x, w, b, 0.01);
  CHECK_AGREES(close(layer_norm(x, {4, 5}, w, b, 0.01).array(), expected, 1e-13, 1e-13));
  const auto ones = Array<double>::full({60}, 1), zeros = Array<double>::zeros({60});
  CHECK_AGREES(
      close(layer_norm(x, {3, 4, 5}).array(), rows_normalised(x, ones, zeros, 1e-5), 1e-13, 1e-13));
}

TEST_CASE("layer_norm of special rows") {
  const double inf = std::numeric_limits<double>::infinity();
  const auto x = Array<double>::of({{3, 3, 3}, {1, inf, 2}, {1, 2, 3}, {1e8, 1e8 + 1, 1e8 + 2}});
  const auto w = Array<double>::full({3}, 2), b = Array<double>::full({3}, 5);
  const auto y = layer_norm(x, {3}, w, b, 0.0 + 1e-12).array();
  for (int i = 0; i < 3; ++i) {
    CHECK(y[i] == 5);  // equal elements have no distance from their mean
    CHECK(std::isnan(y[3 + i]));
    CHECK(std::isfinite(y[6 + i]));
    CHECK(y[6 + i] == y[9 + i]);  // far from 0
  }
  const auto f = [&](const auto& v) { return sum(square(layer_norm(v, {3}, w, b))); };
  const auto g = gradient(f, Array<double>::full({1, 3}, 7)).array();
  for (const double v : g) CHECK(std::isfinite(v));
}

TEST_CASE("layer_norm of rows whose squares leave the range") {
  const std::int64_t n = 37;
  const auto w = op::spread({n}), b = op::spread({n}, 2), g = op::spread({3, n});
  const auto check = [&](const auto& x, double size, double tolerance) {
    using T = typename std::remove_cvref_t<decltype(x)>::value_type;
    const auto large = (x * size).array();
    const auto f = [&](const auto& v) { return layer_norm(v, {n}, cast<T>(w), cast<T>(b), 1e-5); };
    // Far from eps the result does not depend on the size, and its gradient falls as 1 / size.
    const auto slopes = [&](const Array<T>& v) {
      return gradient([&](const auto& u) { return sum(f(u) * cast<T>(g)); }, v);
    };
    CHECK_AGREES(close(f(large).array(), f((x * 1e3).array()).array(), tolerance, tolerance));
    CHECK_AGREES(close((slopes(large) * size).array(), (slopes((x * 1e3).array()) * 1e3).array(),
                       tolerance, tolerance));
  };
  check(op::spread({3, n}, 3), 1e200, 1e-11);  // eps / 1e6 is what the sizes differ by
  check(cast<float>(op::spread({3, n}, 3)).array(), 1e25, 1e-5);  // and 7 digits in sums of 37
}

TEST_CASE("layer_norm of rows whose squares vanish") {
  const auto x = Array<float>({1, 3}, {0, 1e-25F, 2e-25F});
  const float side = std::sqrt(1.5F);
  const auto y = layer_norm(x, {3}, 0.0).array();
  CHECK_AGREES(close(y, Array<float>({1, 3}, {-side, 0, side}), 1e-6, 1e-6));
  // Equal elements are at their mean, for any eps.
  const auto same = layer_norm(Array<float>::full({1, 3}, 2), {3}, 1e-36).array();
  CHECK(equal(same, Array<float>::zeros({1, 3})));
}

TEST_CASE("a gradient of the weight of layer_norm holds only its own memory") {
  Variable<float> x(cast<float>(op::spread({1000, 64})).array());
  Variable<float> w(Array<float>::full({64}, 1)), b(Array<float>::zeros({64}));
  const auto blocks_after_step = [&] {
    {
      Tape tape;
      backward(sum(layer_norm(x, {64}, w, b)));
    }
    x.zero_grad();
    return memory_statistics().live_blocks;
  };
  const auto with_gradients = blocks_after_step();
  w.zero_grad();
  b.zero_grad();
  CHECK(memory_statistics().live_blocks == with_gradients - 2);
}

TEST_CASE_TEMPLATE("rms_norm of numbers whose squares overflow is that of smaller ones", T, float,
                   double) {
  const double large = sizeof(T) == 4 ? 0x1p100 : 0x1p1000;
  const auto small = Array<T>::of({{3, -4}, {1, 2}, {2, 5}});
  const auto scale = Array<T>::of({{T(large)}, {T(1)}, {T(large)}});
  const auto of = [](const auto& x) { return rms_norm(x, {2}, 1e-5); };
  const Array<T> x = small * scale;
  const Array<T> y = of(x), expected = of(small);
  // eps is nothing beside large numbers, and 1e-6 of small ones.
  CHECK_AGREES(close(y, expected, 1e-5));
  CHECK(equal(y.leading(1, 2), expected.leading(1, 2)));
  const auto g = Array<T>::of({{1, 2}, {3, 4}, {5, 6}});
  const Array<T> slope = vjp(of, x, g) * scale;
  CHECK_AGREES(close(slope, vjp(of, small, g).array(), 1e-5));
  CHECK(std::isnan(of(Array<T>::of({{INFINITY, 1}}))[0][0].item()));
}

TEST_CASE_TEMPLATE("rms_norm divides by the root of the mean square", T, float, double) {
  const auto x = Array<T>::of({{3, -4}, {0, 0}}), w = Array<T>::of({1, 2});
  const double root = std::sqrt(12.5 + 0.5);
  const auto expected = Array<double>::of({{3 / root, -8 / root}, {0, 0}});
  CHECK_AGREES(close(rms_norm(x, {2}, w, 0.5).array(), expected, 1e-6));
  CHECK_AGREES(close(rms_norm(x, {2, 2}, 0.5).array(), (x / std::sqrt(6.25 + 0.5)).array(), 1e-6));
}

TEST_CASE("group_norm normalises groups of channels") {
  const auto x = op::spread({2, 6, 5}, 3);
  const auto w = op::spread({6}), b = op::spread({6}, 2);
  const auto ones = Array<double>::ones({10}), zeros = Array<double>::zeros({10});
  const auto plain = rows_normalised(x.reshape({6, 10}), ones, zeros, 0.1).reshape({2, 6, 5});
  CHECK_AGREES(close(group_norm(x, 3, 0.1).array(), plain, 1e-14, 1e-14));
  const auto scaled = (plain * w.reshape({6, 1}) + b.reshape({6, 1})).array();
  CHECK_AGREES(close(group_norm(x, 3, w, b, 0.1).array(), scaled, 1e-14, 1e-14));
  // Of one group: all channels together; of as many groups as channels: each alone.
  CHECK_AGREES(close(group_norm(x, 1).array(), layer_norm(x, {6, 5}).array(), 1e-14, 1e-14));
  CHECK_AGREES(close(group_norm(x, 6).array(), layer_norm(x, {5}).array(), 1e-14, 1e-14));
}

TEST_CASE("batch_norm normalises each channel by the batch, or by given statistics") {
  const auto x = op::spread({4, 3, 2, 5}, 3), w = op::spread({3}), b = op::spread({3}, 2);
  const auto mean0 = op::spread({3}, 5), var0 = exp(op::spread({3})).array();
  const auto trained = batch_norm(x, mean0, var0, w, b, {.training = true, .momentum = 0.3});
  const auto given = batch_norm(x, mean0, var0, w, b, {.eps = 0.01});
  auto by_batch = x, by_given = x, mean1 = mean0, var1 = var0;
  double *yb = by_batch.mutate(), *yg = by_given.mutate();
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto each = [&](auto f) {
      for (std::int64_t n = 0; n < 4; ++n) {
        for (std::int64_t i = 0; i < 10; ++i) f((n * 3 + c) * 10 + i);
      }
    };
    L mean = 0, squares = 0;
    each([&](std::int64_t i) { mean += L(x[i]) / 40; });
    each([&](std::int64_t i) { squares += (x[i] - mean) * (x[i] - mean); });
    each([&](std::int64_t i) {
      yb[i] = double((x[i] - mean) / std::sqrt(squares / 40 + L(1e-5)) * w[c] + b[c]);
      yg[i] = (x[i] - mean0[c]) / std::sqrt(var0[c] + 0.01) * w[c] + b[c];
    });
    mean1.mutate()[c] = double(L(0.7) * mean0[c] + L(0.3) * mean);
    var1.mutate()[c] = double(L(0.7) * var0[c] + L(0.3) * squares / 39);
  }
  CHECK_AGREES(close(trained.y.array(), by_batch, 1e-12, 1e-12));
  CHECK_AGREES(close(trained.running_mean, mean1, 1e-14, 1e-14));
  CHECK_AGREES(close(trained.running_var, var1, 1e-14, 1e-14));
  CHECK_AGREES(close(given.y.array(), by_given, 1e-13, 1e-13));
  CHECK_AGREES(same_bits(given.running_mean, mean0));
  CHECK_AGREES(same_bits(given.running_var, var0));
}

TEST_CASE("the running moments of batch_norm are constants of the tape") {
  Variable<double> x(op::spread({4, 3}));
  Tape tape;
  const auto ones = Array<double>::full({3}, 1);
  const auto result = batch_norm(x, ones, ones, ones, ones, {.training = true});
  CHECK_FALSE(result.running_mean.empty());
  CHECK_THROWS_AS(backward(sum(Tensor<double>(result.running_mean))), TapeError);
  backward(sum(square(result.y)));
  CHECK(x.has_gradient());
}

}  // TEST_SUITE("normalisation")
