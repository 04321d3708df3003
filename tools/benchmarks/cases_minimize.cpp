// SPDX-License-Identifier: BSD-3-Clause
// Whole minimisations, from the start to the condition that ends them.
#include <cmath>
#include <stdexcept>

#include "arrays.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/optim/lasso.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

namespace optim = ebb::optim;
using Doubles = ebb::Array<double>;

void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

/// The breast cancer data, standardised, with a column of ones.
struct Tumours {
  Doubles x, y;
  std::vector<double> z, room, w;
  limits::LogisticRows rows;

  Tumours() {
    const auto table =
        ebb::data::read_csv<double>(EBB_EXAMPLE_DATA "/breast_cancer.csv").with_target("benign");
    const auto parts = ebb::data::Standardize().fit_transform(table).split_target();
    const std::int64_t n = parts.x.shape()[0];
    x = ebb::concat({parts.x, Doubles::ones({n, 1})}, 1).array();
    y = parts.y.reshape({n});
    const std::int64_t d = x.shape()[1];
    z.resize(std::size_t(n));
    room.resize(std::size_t(24 * d));
    w.resize(std::size_t(d));
    rows = {x.data(), y.data(), n, d, 1 / double(n), z.data()};
  }
};

// Counts all from the start to |gradient| <= 1e-6. The limit has all memory before, and takes about
// as many steps, for its line search is the same.
Sides logistic() {
  auto t = std::make_shared<Tumours>();
  return {
      [t] {
        const auto loss = [&](const ebb::Tensor<double>& w) {
          return bce_with_logits(matmul(t->x, w), t->y) + t->rows.penalty / 2 * sum(square(w));
        };
        const auto found = optim::minimize(loss, Doubles::zeros({t->rows.features}), optim::LBFGS{},
                                           {.gradient = 1e-6});
        expect(found.converged(), "L-BFGS did not converge");
        keep(found);
      },
      [t] {
        std::fill(t->w.begin(), t->w.end(), 0.0);
        const auto f = [](void* rows, const double* w, double* g) {
          return limits::logistic_gradient(*static_cast<limits::LogisticRows*>(rows), w, g);
        };
        keep(limits::lbfgs(f, &t->rows, t->rows.features, 1e-6, 1000, t->w.data(), t->room.data()));
      }};
}

/// A quadratic of a million numbers, whose evaluation is timed.
struct Million : optim::detail::Objective {
  using Vector = optim::detail::Vector;
  static constexpr std::int64_t size = 1'000'000;
  static constexpr int iterations = 25;
  double spent = 0;

  static double curvature(std::int64_t i) { return 1 + double(i % 64) / 4; }
  double evaluate(const double* x, double* g) {
    const double before = now();
    double sums[8] = {};
    for (std::int64_t i = 0; i < size; i += 8) {
      for (std::int64_t k = 0; k < 8; ++k) {
        const double e = x[i + k] - 1;
        g[i + k] = curvature(i + k) * e;
        sums[k] += g[i + k] * e / 2;
      }
    }
    double value = 0;
    for (double sum : sums) value += sum;
    spent += now() - before;
    return value;
  }

  Vector start() const override { return Vector(size, 0.0); }
  void round(Vector&) const override {}
  double epsilon() const override { return 2e-16; }
  double value(const Vector& x) override {
    Vector g(x.size());
    return evaluate(x.data(), g.data());
  }
  double value_and_gradient(const Vector& x, Vector& g) override {
    g.resize(x.size());
    return evaluate(x.data(), g.data());
  }
  Vector hvp(const Vector&, const Vector& v) override { return v; }
};

// Counts what an iteration of L-BFGS with ten pairs does besides the evaluations, on both sides.
Figures own_work() {
  Million f;
  std::vector<double> x(Million::size), room(24 * Million::size), ours, limit;
  for (int sample = 0; sample < 7; ++sample) {
    f.spent = 0;
    double start = now();
    const auto found = optim::detail::run(optim::LBFGS{}, f,
                                          {.gradient = 0, .iterations = Million::iterations}, {});
    ours.push_back((now() - start - f.spent) / Million::iterations);
    expect(found.iterations == Million::iterations, "L-BFGS ended early");
    std::fill(x.begin(), x.end(), 0.0);
    f.spent = 0;
    start = now();
    const auto evaluate = [](void* data, const double* at, double* g) {
      return static_cast<Million*>(data)->evaluate(at, g);
    };
    expect(limits::lbfgs(evaluate, &f, Million::size, 0, Million::iterations, x.data(),
                         room.data()) == Million::iterations,
           "L-BFGS by hand ended early");
    limit.push_back((now() - start - f.spent) / Million::iterations);
  }
  return {median(ours) * 1e3, median(limit) * 1e3};
}

/// A design of features that depend on their neighbours, of which thirty make the targets.
struct Design {
  static constexpr std::int64_t rows = 2000, size = 300;
  Doubles columns = Doubles::uninitialized({size, rows}), y = Doubles::zeros({rows});
  std::vector<double> squares, w, room;
  std::optional<optim::Lasso<double>> problem;

  Design() {
    ebb::Stream stream(1);
    double* const x = columns.mutate();
    double* const target = y.mutate();
    for (std::int64_t j = 0; j < size; ++j) {
      double square = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        double& e = x[j * rows + i];
        e = stream.normal() + (j > 0 ? 0.5 * x[(j - 1) * rows + i] : 0);
        square += e * e;
        if (j % 10 == 0) target[i] += j % 20 == 0 ? e : -e;
      }
      squares.push_back(square / double(rows));
    }
    for (std::int64_t i = 0; i < rows; ++i) target[i] += stream.normal();
    w.resize(std::size_t(size));
    room.resize(std::size_t(rows + size));
    problem.emplace(transpose(columns).array(), y,
                    optim::LassoOptions{.strength = 1, .intercept = false});
  }
};

// Counts the minimisation from 0 to the gap; the columns stand in memory as each side likes them.
Sides lasso(double part) {
  auto d = std::make_shared<Design>();
  d->problem = d->problem->with_strength(part * d->problem->largest_strength());
  return {[d] {
            const auto found =
                optim::minimize(*d->problem, d->problem->start(),
                                optim::CoordinateDescent{.gap = 1e-8}, {.gradient = 0});
            expect(found.reason == optim::Reason::gap, "coordinate descent did not converge");
            keep(found);
          },
          [d] {
            const double gap = limits::lasso(
                d->columns.data(), d->y.data(), d->squares.data(), Design::rows, Design::size,
                d->problem->options().strength, 1e-8, d->w.data(), d->room.data());
            expect(gap <= 1e-8, "coordinate descent by hand did not converge");
          }};
}

}  // namespace

void add_minimize(std::vector<Case>& cases) {
  cases.push_back(versus("minimize/lbfgs_logistic/569x31/f64", "us", 2, logistic));
  cases.push_back({"minimize/lbfgs_own_work/1000000/f64", "ms", 1.5, own_work});
  cases.push_back(versus("minimize/lasso/2000x300_sparse/f64", "us", 3, [] { return lasso(0.1); }));
  cases.push_back(
      versus("minimize/lasso/2000x300_dense/f64", "us", 3, [] { return lasso(0.005); }));
}

}  // namespace bench
