// SPDX-License-Identifier: BSD-3-Clause
// Gradient descent, x <- x - rate f'(x), on functions whose minimum is known: how many steps it
// takes, how fast theory says that it must be, and which steps and methods need fewer. --pictures
// FOLDER draws the errors beside the bound, and the paths of some methods.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"
#include "ebb/optim/problems.hpp"
#include "ebb/tools/plot/plot.hpp"

using namespace ebb;
using optim::minimize;

namespace {

/// Saves a picture, if a folder is given.
void draw(const std::string& folder, const char* name, const plot::Figure& figure) {
  if (folder.empty()) return;
  std::filesystem::create_directories(folder);
  std::printf("%s\n", plot::save(figure, folder + "/" + name).path.c_str());
}

/// Starts uniform in [-2, 2].
Array<double> start(std::int64_t size, Stream& stream) {
  auto x = Array<double>::uninitialized({size});
  for (std::int64_t i = 0; i < size; ++i) x.mutate()[i] = 4 * stream.uniform() - 2;
  return x;
}

void one_and_two_variables(Stream& stream) {
  const optim::GradientDescent descent{optim::FixedStep{.step = 1e-2}};
  const optim::Stop stop{.gradient = 1e-5, .iterations = 100'000};
  std::printf("Descent with rate 0.01 until |gradient| <= 1e-5\n");

  const auto parabola = [](auto x) { return x * x + 2.0 * x + 3.0; };
  const double x = start(1, stream)[0];
  const auto low = minimize(parabola, x, descent, stop);
  std::printf("x^2 + 2 x + 3 from %.3f: x = %.6f after %lld steps\n", x, low.x.item(),
              static_cast<long long>(low.iterations));
  const auto high = optim::maximize([&](auto v) { return -parabola(v); }, x, descent, stop);
  std::printf("ascent on its negative: x = %.6f after %lld steps\n", high.x.item(),
              static_cast<long long>(high.iterations));

  const auto bowl = [](const auto& v) { return square(v[0]) + 2.0 * square(v[1]); };
  const auto bottom = minimize(bowl, start(2, stream), descent, stop);
  std::printf("x^2 + 2 y^2: (%.2g, %.2g) after %lld steps\n", bottom.x[0], bottom.x[1],
              static_cast<long long>(bottom.iterations));
  std::printf("steps_of_one %lld\nsteps_of_two %lld\n", static_cast<long long>(low.iterations),
              static_cast<long long>(bottom.iterations));
}

/// The error falls by 1 - mu / L at least with the step 1 / L, for curvatures from mu to L.
void theory(const std::string& pictures) {
  const optim::problems::Quadratic bowl{.size = 5, .condition = 20};
  std::vector<double> values;
  minimize(bowl, bowl.start(), optim::GradientDescent{optim::InverseLipschitz{}},
           {.gradient = 0, .iterations = 60}, {.report = [&](const optim::Progress& p) {
             values.push_back(p.value);
             return true;
           }});
  const double rate = 1 - bowl.convexity() / bowl.lipschitz();
  std::printf("\nA bowl of condition 20 by steps 1 / L, L from power iteration\n%5s %12s %12s\n",
              "step", "f", "bound");
  double worst = 0;
  std::vector<double> steps, bounds;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double bound = std::pow(rate, double(k)) * values[0];
    steps.push_back(double(k));
    bounds.push_back(bound);
    worst = std::fmax(worst, values[k] / bound);
    if (k % 15 == 0) std::printf("%5zu %12.3e %12.3e\n", k, values[k], bound);
  }
  const auto away =
      minimize(bowl, bowl.start(), optim::GradientDescent{optim::FixedStep{.step = 2.1}},
               {.iterations = 200});
  std::printf("a step of 2.1 / L diverges: f = %.3e after 200 steps\nworst_of_bound %.6f\n",
              away.value, worst);
  draw(pictures, "theory.svg",
       {.title = "Descent with step 1 / L on a bowl of condition 20",
        .x = {.label = "step"},
        .y = {.label = "f", .scale = plot::Scale::log10},
        .curves = {{.name = "measured", .x = steps, .y = values},
                   {.name = "bound (1 - mu / L)^k", .x = steps, .y = bounds}}});
}

void methods() {
  const optim::problems::Rosenbrock valley;
  std::printf(
      "\nRosenbrock's valley from (-1.2, 1) until |gradient| <= 1e-6\n%-26s %10s %12s %10s\n",
      "method", "iterations", "evaluations", "distance");
  const auto row = [&](const char* name, const auto& method) {
    const auto found =
        minimize(valley, valley.start(), method, {.gradient = 1e-6, .iterations = 50'000});
    const double distance = std::hypot(found.x[0] - 1, found.x[1] - 1);
    std::printf("%-26s %10lld %12lld %10.1e\n", name, static_cast<long long>(found.iterations),
                static_cast<long long>(found.values + found.gradients + found.products), distance);
    return distance;
  };
  double worst = 0;
  const auto add = [&](double distance) { worst = std::fmax(worst, distance); };
  add(row("descent, Armijo", optim::GradientDescent{optim::Armijo{}}));
  add(row("descent, strong Wolfe", optim::GradientDescent{optim::Wolfe{}}));
  add(row("descent, Barzilai-Borwein", optim::GradientDescent{optim::BarzilaiBorwein{}}));
  add(row("conjugate gradients", optim::ConjugateGradient{}));
  add(row("BFGS", optim::BFGS{}));
  add(row("L-BFGS", optim::LBFGS{}));
  add(row("Newton", optim::Newton{}));
  add(row("Newton-CG", optim::NewtonCG{}));
  add(row("trust region", optim::TrustRegion{}));
  std::printf("worst_distance %.3e\n", worst);
}

/// The path of a method over the valley, as a curve.
plot::Curve path(const char* name, const auto& method) {
  const optim::problems::Rosenbrock valley;
  const auto found = minimize(valley, valley.start(), method, {.gradient = 1e-6}, {.path = true});
  std::vector<double> x, y;
  for (const Array<double>& point : found.path) {
    x.push_back(point[0]);
    y.push_back(point[1]);
  }
  return {.name = name, .x = x, .y = y, .style = plot::Style::both};
}

void paths(const std::string& pictures) {
  if (pictures.empty()) return;
  const auto x = Array<double>::linspace(-1.6, 1.4, 91), y = Array<double>::linspace(-0.6, 2, 79);
  auto values = Array<double>::uninitialized({y.size(), x.size()});
  for (std::int64_t i = 0; i < y.size(); ++i) {
    for (std::int64_t j = 0; j < x.size(); ++j) {
      const auto point = Array<double>::of({x[j], y[i]});
      values.mutate()[i * x.size() + j] =
          optim::problems::Rosenbrock{}(Tensor<double>(point)).item();
    }
  }
  draw(pictures, "paths.svg",
       {.title = "Paths in Rosenbrock's valley",
        .x = {.label = "x", .min = -1.6, .max = 1.4},
        .y = {.label = "y", .min = -0.6, .max = 2},
        .contours = {.x = x, .y = y, .values = values, .count = 10, .scale = plot::Scale::log10},
        .curves = {path("conjugate gradients", optim::ConjugateGradient{}),
                   path("L-BFGS", optim::LBFGS{}), path("Newton", optim::Newton{})}});
}

/// Four points on the plane y = x_1 + 2 x_2 + 3, the bias as a column of ones, and the loss
/// r . r / 2 of the residuals r = X w - y.
void four_points() {
  const auto x = Array<double>::of({{1, 1, 1}, {1, 2, 1}, {2, 2, 1}, {2, 3, 1}});
  const auto y = Array<double>::of({6, 8, 9, 11});
  const auto loss = [&](const auto& w) { return 0.5 * sum(square(matmul(x, w) - y)); };
  const auto found = minimize(loss, Array<double>::of({10.1, 15.1, -6.5}),
                              optim::GradientDescent{optim::FixedStep{.step = 0.01}},
                              {.gradient = 0, .iterations = 5000});
  std::printf("\nFour points by 5000 steps of rate 0.01: w = (%.6f, %.6f, %.6f)\n", found.x[0],
              found.x[1], found.x[2]);
  const auto error = norm(found.x - Array<double>::of({1, 2, 3})).item();
  std::printf("distance_to_optimum %.3e\n", error);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 0;
  std::string pictures;
  CLI::App app("Gradient descent on functions whose minimum is known");
  app.add_option("--seed", seed, "Seed of the starts")->capture_default_str();
  app.add_option("--pictures", pictures, "The folder for pictures");
  return example::parse_and_run(app, argc, argv, [&] {
    Stream stream(seed);
    one_and_two_variables(stream);
    theory(pictures);
    methods();
    paths(pictures);
    four_points();
  });
}
