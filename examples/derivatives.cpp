// SPDX-License-Identifier: BSD-3-Clause
// What a derivative is, and what can be done with one: slopes, partial derivatives, the chain rule,
// gradients and directions, Jacobians and Hessians, kinks, checks, and the tape itself. --out
// writes numbers for pictures as CSV files.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <utility>

#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;
using Vector = Array<double>;

namespace {

const double pi = std::acos(-1.0);

// Functions of vectors, written once for values and for derivatives of any order.

const auto parabola = [](const auto& x) { return square(x) + 2 * x + 3; };
/// -(cos(x)^2 + cos(y)^2)^2
const auto hills = [](const auto& v) { return -square(sum(square(cos(v)))); };
const auto rosenbrock = [](const auto& v) {
  const auto x = slice(v, 0, {0, 1}), y = slice(v, 0, {1, 2});
  return sum(square(1 - x) + 100 * square(y - square(x)));
};

/// A file of numbers in columns. If no folder is given, nothing is written.
class Csv {
 public:
  Csv(const std::filesystem::path& folder, const char* name, const char* columns) {
    if (folder.empty()) return;
    path_ = folder / name;
    file_.open(path_);
    file_ << columns << '\n';
    check();
  }
  void row(std::initializer_list<double> numbers) {
    if (path_.empty()) return;
    const char* before = "";
    for (const double number : numbers) file_ << std::exchange(before, ",") << number;
    file_ << '\n';
  }
  /// @throws FileError if a number could not be written.
  void finish() {
    if (path_.empty()) return;
    file_.close();
    check();
  }

 private:
  void check() const {
    if (!file_) throw FileError("cannot write " + path_.string());
  }

  std::filesystem::path path_;
  std::ofstream file_;
};

void heading(const char* text) { std::printf("\n%s\n", text); }

/// The slope of a curve is the limit of its chords' slopes.
void limits() {
  heading("The slope of x^2 + 2x + 3 at 1, and of chords to points nearby");
  const Vector x(1.0);
  const double slope = gradient(parabola, x).item();
  for (double h = 1; h > 1e-6; h /= 10) {
    const double chord = (parabola(Vector(1 + h)).item() - parabola(x).item()) / h;
    std::printf("h %.0e  chord %.8f\n", h, chord);
  }
  std::printf("slope %.8f\n", slope);
}

/// df = sum of df/dx_i dx_i, against the difference of two values.
void total_differential() {
  heading("The total differential of -(cos^2 x + cos^2 y)^2 at (0.4, -1.1)");
  const auto x = Vector::of({0.4, -1.1});
  const auto both = value_and_gradient(hills, x);
  for (double h : {1e-1, 1e-2, 1e-3}) {
    const auto dx = Vector::of({h, 2 * h});
    const double differential = sum(both.gradient * dx).item();
    const double change = hills(x + dx).item() - both.value.item();
    std::printf("dx (%.0e, %.0e)  df %.9f  f(x + dx) - f(x) %.9f\n", h, 2 * h, differential,
                change);
  }
}

/// z(t) = f(g(t), h(t)) by a sum of products, and in vectors: the gradient of f(g(x)) is J^T grad
/// f.
void chain_rule() {
  heading("The chain rule");
  const auto inner = [](const auto& t) { return concat({square(t), sin(t)}); };
  const auto outer = [](const auto& v) { return sum(slice(v, 0, {0, 1}) * slice(v, 0, {1, 2})); };
  const auto t = Vector::of({0.7});
  const Tensor<double> v = inner(Tensor<double>(t));
  const auto partial = gradient(outer, v), along = jacobian(inner, t);
  const double product = partial.data()[0] * along.data()[0] + partial.data()[1] * along.data()[1];
  const auto whole = [&](const auto& s) { return outer(inner(s)); };
  std::printf("sum of products %.8f\n", product);
  std::printf("chain %.8f\n", gradient(whole, t).item());
  std::printf("vjp %.8f\n", vjp(inner, t, partial).item());
}

/// A gradient points to where the function grows fastest, and its norm is the slope in that
/// direction. In the opposite direction the function falls as fast.
void directions(Csv& sweep, Csv& field) {
  heading("The slope of -(cos^2 x + cos^2 y)^2 at (0.4, -1.1) in every direction");
  const auto x = Vector::of({0.4, -1.1});
  const Vector g = gradient(hills, x).array();
  double steepest = -INFINITY, best = 0, lowest = INFINITY, worst = 0;
  for (int degrees = -180; degrees < 180; ++degrees) {
    const double angle = degrees * pi / 180;
    const auto u = Vector::of({std::cos(angle), std::sin(angle)});
    const double slope = directional_derivative(hills, x, u).item();
    if (slope > steepest) {
      steepest = slope;
      best = angle;
    }
    if (slope < lowest) {
      lowest = slope;
      worst = angle;
    }
    sweep.row({angle, slope});
  }
  for (int i = -10; i <= 10; ++i) {
    for (int j = -10; j <= 10; ++j) {
      const auto at = Vector::of({i * 0.15, j * 0.15});
      const Vector d = gradient(hills, at).array();
      field.row({at[0], at[1], d[0], d[1]});
    }
  }
  sweep.finish();
  field.finish();
  const double size = norm(g).item(), along = std::atan2(g[1], g[0]),
               against = std::atan2(-g[1], -g[0]);
  std::printf("largest slope %.6f at %.3f, norm of the gradient %.6f at %.3f\n", steepest, best,
              size, along);
  std::printf("smallest slope %.6f at %.3f, against the gradient %.6f at %.3f\n", lowest, worst,
              -size, against);
  std::printf("angle_error %.6f\n", std::abs(best - along));
  std::printf("angle_error_against %.6f\n", std::abs(worst - against));
  std::printf("slope_sum %.9f\n", steepest + lowest);
}

/// A function is convex where its Hessian has no negative eigenvalue.
void second_order() {
  heading("Jacobians, Hessians, and the model that they make");
  const auto polar = [](const auto& v) {
    const auto r = slice(v, 0, {0, 1}), angle = slice(v, 0, {1, 2});
    return concat({r * cos(angle), r * sin(angle)});
  };
  std::cout << "J of (r cos a, r sin a) at (2, 0.5)\n"
            << jacobian(polar, Vector::of({2, 0.5})) << '\n';
  const auto A = Vector::of({{3, 0.5}, {0.5, 1}}), b = Vector::of({-1, 2});
  const auto quadratic = [&](const auto& w) { return 0.5 * sum(w * matmul(A, w)) + sum(b * w); };
  const Vector H = hessian(quadratic, Vector::of({2, -3})).array();
  const Vector values = eigh(H).values.array();
  std::printf("eigenvalues %.6f %.6f: %s\n", values[0], values[1],
              values[0] >= 0 ? "convex" : "not convex");
  const auto x = Vector::of({-1.2, 1});
  const auto g = gradient(rosenbrock, x);
  const auto h = hessian(rosenbrock, x);
  double before = 0, order = 0;
  for (double step : {1e-1, 5e-2, 2.5e-2}) {
    const auto d = Vector::of({step, -step});
    const double model =
        rosenbrock(x).item() + sum(g * d).item() + 0.5 * sum(d * matmul(h, d)).item();
    const double error = std::abs(rosenbrock(x + d).item() - model);
    order = std::log2(before / error);
    before = error;
    std::printf("step %.3f  error of the second-order model %.8f\n", step, error);
  }
  std::printf("order %.3f\n", order);
}

/// At a kink the slopes of the two sides differ. Descent with shrinking steps still finds the
/// lowest point, if the best one so far is kept.
void kinks() {
  heading("Subgradient descent on |x - 1| + 2 |y + 0.5| + max(0, 1 - x)");
  const auto f = [](const auto& v) {
    const auto x = slice(v, 0, {0, 1}), y = slice(v, 0, {1, 2});
    return sum(abs(x - 1) + 2 * abs(y + 0.5) + relu(1 - x));
  };
  auto x = Vector::of({4, 3});
  double best = f(x).item();
  for (int k = 1; k <= 4000; ++k) {
    x = (x - gradient(f, x) * (1 / std::sqrt(double(k)))).array();
    best = std::fmin(best, f(x).item());
    if (k == 1 || k == 10 || k == 100 || k == 1000) std::printf("step %4d  best %.6f\n", k, best);
  }
  std::printf("best %.6f\n", best);
}

/// Any function is checked against differences in one call.
void check() {
  heading("A gradient checked against central differences");
  const auto f = [](const auto& v) { return log(1 + sum(square(v))) * tanh(v); };
  const auto report = check_gradients(f, Vector::of({0.3, -0.8, 1.7}));
  std::cout << report << '\n';
  std::printf("check %s\n", report ? "passed" : "failed");
}

/// One sweep gives the derivatives in all parameters; the tape shows how.
void tape() {
  heading("The tape of a logistic loss");
  Variable<double> w(Vector(0.5), "w"), b(Vector(-1.0), "b");
  Tape tape({.keep_values = true});
  Tensor<double> z;
  {
    const NameScope scope("model");
    z = w * 2.0 + b;
  }
  const auto loss = softplus(z) - z;  // of a row with x = 2 and label 1
  std::cout << tape << '\n' << explain(tape);
  backward(loss);
  std::printf("dloss/dw %.6f\n", w.gradient()[0]);
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path out;
  CLI::App app("Derivatives: limits, directions, the chain rule, second order, kinks, the tape");
  app.add_option("--out", out, "A folder for CSV files of what would be drawn")
      ->check(CLI::ExistingDirectory);
  return example::parse_and_run(app, argc, argv, [&] {
    Csv sweep(out, "directions.csv", "angle,slope"), field(out, "gradient_field.csv", "x,y,dx,dy");
    limits();
    total_differential();
    chain_rule();
    directions(sweep, field);
    second_order();
    kinks();
    check();
    tape();
  });
}
