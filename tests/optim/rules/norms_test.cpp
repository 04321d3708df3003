// SPDX-License-Identifier: BSD-3-Clause
// Rules that look at a whole parameter: its norm, or its matrix.
#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/optim/rules/follow.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

double norm(const Numbers& x) {
  double sum = 0;
  for (double e : x) sum += e * e;
  return std::sqrt(sum);
}

/// a b of matrices (n, k) and (k, m), row by row.
Numbers times(const Numbers& a, const Numbers& b, int n, int k, int m) {
  Numbers y(std::size_t(n * m), 0);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < m; ++j)
      for (int l = 0; l < k; ++l)
        y[std::size_t(i * m + j)] += a[std::size_t(i * k + l)] * b[std::size_t(l * m + j)];
  return y;
}
Numbers transposed(const Numbers& x, int rows, int columns) {
  Numbers y(x.size(), 0);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      y[std::size_t(j * rows + i)] = x[std::size_t(i * columns + j)];
  return y;
}

}  // namespace

TEST_SUITE("rules with norms") {

TEST_CASE_TEMPLATE("LARS: algorithm 1 of the paper", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    follow<T>(
        optim::LARS{.learning_rate = 0.5, .momentum = 0.9, .trust = 0.1, .weight_decay = decay},
        [=](Plain& p, int) {
          const double rate = 0.5 * 0.1 * norm(p.w) / (norm(p.g) + decay * norm(p.w));
          for (std::size_t i = 0; i < p.w.size(); ++i) {
            p.a[i] = 0.9 * p.a[i] + rate * (p.g[i] + decay * p.w[i]);
            p.w[i] -= p.a[i];
          }
        });
  }
}

TEST_CASE_TEMPLATE("LAMB: algorithm 2 of the paper", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    follow<T>(optim::LAMB{.learning_rate = 0.05,
                          .beta1 = 0.8,
                          .beta2 = 0.95,
                          .epsilon = 1e-3,
                          .weight_decay = decay},
              [=](Plain& p, int t) {
                Numbers d(p.w.size());
                for (std::size_t i = 0; i < d.size(); ++i) {
                  p.a[i] = 0.8 * p.a[i] + 0.2 * p.g[i];
                  p.b[i] = 0.95 * p.b[i] + 0.05 * p.g[i] * p.g[i];
                  d[i] = p.a[i] / (1 - std::pow(0.8, t)) /
                             (std::sqrt(p.b[i] / (1 - std::pow(0.95, t))) + 1e-3) +
                         decay * p.w[i];
                }
                const double ratio = norm(p.w) / norm(d);
                for (std::size_t i = 0; i < d.size(); ++i) p.w[i] -= 0.05 * ratio * d[i];
              });
  }
}

TEST_CASE_TEMPLATE("a parameter or a gradient of zeros takes the plain rate", T, float, double) {
  for (const auto& [weight, gradient] : {std::pair(0.0, 2.0), std::pair(2.0, 0.0)}) {
    const auto step = [w = weight, g = gradient](auto rule) {
      const Variable<T> v(Array<T>::full({70'000}, T(w)));  // more than a block
      optim::Optimizer optimizer({v}, rule);
      v.share().set_gradient(Array<T>::full({70'000}, T(g)));
      optimizer.step();
      return v.value()[69'999];
    };
    CHECK(step(optim::LARS{.learning_rate = 0.25}) == T(weight - 0.25 * gradient));
    CHECK(step(optim::LAMB{.learning_rate = 0.25, .epsilon = 0}) ==
          T(weight - 0.25 * (gradient > 0)));
  }
}

TEST_CASE_TEMPLATE("norms are those of all blocks of a large parameter", T, float, double) {
  const std::int64_t n = 200'003;
  const Variable<T> w(Array<T>::full({n}, T(3)));
  optim::Optimizer optimizer({w}, optim::LARS{.learning_rate = 1, .trust = 1});
  w.share().set_gradient(Array<T>::full({n}, T(2)));
  optimizer.step();
  // The ratio of norms is 3 / 2. A sum of 1024 equal squares is exact but for a few ulp.
  const double tolerance = sizeof(T) == 8 ? 1e-13 : 1e-5;
  CHECK_AGREES(close(w.value(), Array<T>::zeros({n}), 0, 3 * tolerance));
}

TEST_CASE_TEMPLATE("Muon: the momentum of a matrix, made orthogonal", T, float, double) {
  const auto adamw = [](Plain& p, int t) {
    for (std::size_t i = 0; i < p.w.size(); ++i) {
      p.a[i] = 0.8 * p.a[i] + 0.2 * p.g[i];
      p.b[i] = 0.9 * p.b[i] + 0.1 * p.g[i] * p.g[i];
      const double d =
          p.a[i] / (1 - std::pow(0.8, t)) / (std::sqrt(p.b[i] / (1 - std::pow(0.9, t))) + 1e-3);
      p.w[i] -= 0.02 * (d + 0.1 * p.w[i]);
    }
  };
  for (const bool nesterov : {false, true}) {
    follow<T>(
        optim::Muon{.learning_rate = 0.05,
                    .momentum = 0.9,
                    .nesterov = nesterov,
                    .weight_decay = 0.3,
                    .others = {.learning_rate = 0.02,
                               .beta1 = 0.8,
                               .beta2 = 0.9,
                               .epsilon = 1e-3,
                               .weight_decay = 0.1}},
        [=](Plain& p, int t) {
          if (p.columns == 1) return adamw(p, t);
          Numbers x(p.w.size());
          for (std::size_t i = 0; i < x.size(); ++i) {
            p.a[i] = 0.9 * p.a[i] + 0.1 * p.g[i];
            x[i] = nesterov ? 0.1 * p.g[i] + 0.9 * p.a[i] : p.a[i];
          }
          const double size = norm(x) + 1e-7;
          for (double& e : x) e /= size;
          for (int i = 0; i < 5; ++i) {
            const Numbers s = times(x, transposed(x, p.rows, p.columns), p.rows, p.columns, p.rows);
            const Numbers ss = times(s, s, p.rows, p.rows, p.rows);
            const Numbers sx = times(s, x, p.rows, p.rows, p.columns);
            const Numbers ssx = times(ss, x, p.rows, p.rows, p.columns);
            for (std::size_t k = 0; k < x.size(); ++k)
              x[k] = 3.4445 * x[k] - 4.775 * sx[k] + 2.0315 * ssx[k];
          }
          // Fewer rows than columns, so the factor sqrt(rows / columns) is 1.
          for (std::size_t i = 0; i < x.size(); ++i) p.w[i] -= 0.05 * (x[i] + 0.3 * p.w[i]);
        },
        10);  // the polynomial's slope is 3.4445 at 0, five times in a row
  }
}

TEST_CASE_TEMPLATE("Muon's direction has singular values near 1, wide and tall", T, float, double) {
  for (const auto& shape : {Shape{3, 7}, Shape{7, 3}, Shape{4, 4}}) {
    const bool is_tall = shape[0] > shape[1];
    auto g = Array<T>::uninitialized(shape);
    for (std::int64_t i = 0; i < g.size(); ++i) g.mutate()[i] = T(std::sin(0.7 * double(i * i)));
    const Variable<T> w(Array<T>::zeros(shape));
    optim::Optimizer optimizer({w}, optim::Muon{.learning_rate = 1, .weight_decay = 0});
    w.share().set_gradient(g);
    optimizer.step();
    const double factor = is_tall ? std::sqrt(7.0 / 3.0) : 1;
    for (const T value : svd(Tensor<T>(w.value())).s.array()) {
      CHECK(double(value) / factor > 0.6);
      CHECK(double(value) / factor < 1.3);
    }
    // It goes down: along the negative gradient.
    CHECK(sum(w.value() * g).item() < 0);
  }
}

}  // TEST_SUITE("rules with norms")
