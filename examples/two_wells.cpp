// SPDX-License-Identifier: BSD-3-Clause
// A function that is not convex has local minima, and saddles between them; where descent ends
// depends on its start. Noise keeps descent from settling in a minimum unless the rate falls.
//
//   f = (x^2 - 1)^2 + x / 4 + y^2 / 2     w <- w - rate (f'(w) + noise)
#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"
#include "ebb/optim/problems.hpp"

using namespace ebb;
using example::Window;
using Numbers = Array<double>;

namespace {

const optim::problems::TwoWells wells;

/// A point where the gradient is 0, by least squares on the gradient itself.
Numbers stationary(const Numbers& from) {
  return minimize([](const auto& w) { return gradient(wells, w); }, from,
                  optim::LevenbergMarquardt{}, {.gradient = 1e-13})
      .x;
}

void points(const std::string& pictures) {
  std::printf("%-12s %20s %10s %20s\n", "point", "at", "f", "curvatures");
  double residual = 0, saddle = 0;
  const auto row = [&](const char* name, const Numbers& from) {
    const Numbers at = stationary(from);
    const auto curvatures = eigh(hessian(wells, at)).values.array();
    residual = std::fmax(residual, norm(gradient(wells, at)).item());
    const double f = wells(at).item();
    std::printf("%-12s   (%7.4f, %7.4f) %10.4f   (%7.4f, %7.4f)  %s\n", name, at[0], at[1], f,
                curvatures[0], curvatures[1], curvatures[0] > 0 ? "minimum" : "saddle");
    return curvatures[0] > 0 ? f : (saddle = at[0], f);
  };
  const double left = row("left well", Numbers::of({-1.2, 0.5}));
  const double right = row("right well", Numbers::of({1.2, 0.5}));
  const double between = row("between", Numbers::of({0.1, 0.5}));

  // Descent from both sides of the saddle's line, which is the ridge between the wells.
  const Window window{-1.6, 1.6, -1.4, 1.4};
  std::vector<plot::Curve> curves;
  int wrong = 0;
  for (const double x : {-1.5, -0.6, saddle - 1e-3, saddle + 1e-3, 0.7, 1.5}) {
    const auto found =
        minimize(wells, Numbers::of({x, 1.2}), optim::GradientDescent{optim::FixedStep{0.05}},
                 {.gradient = 1e-8}, {.path = true});
    wrong += (found.x[0] < 0) != (x < saddle);
    char name[40];
    std::snprintf(name, sizeof name, "from x = %.3f", x);
    curves.push_back(example::path(name, found.path, window, plot::Style::lines));
  }
  std::printf("f_left %.6f\nf_right %.6f\nf_between %.6f\nresidual %.1e\nin_the_wrong_well %d\n",
              left, right, between, residual, wrong);
  const plot::Curve saddle_point{
      .name = "saddle", .x = {saddle}, .y = {0}, .style = plot::Style::points};
  curves.push_back(saddle_point);
  example::draw(pictures, "two_wells.svg",
                plot::Figure{.title = "Descent into two wells",
                             .x = {.label = "x", .min = window.left, .max = window.right},
                             .y = {.label = "y", .min = window.low, .max = window.high},
                             .contours = example::contours(wells, window),
                             .curves = curves});
}

constexpr int steps = 4000;
constexpr double noise = 1;  // its standard deviation in each direction

/// Stochastic descent near the left well: the squared distance from its bottom after each step.
std::vector<double> descend(const Numbers& bottom, const optim::Schedule& rate,
                            std::uint64_t seed) {
  Stream stream(seed);
  Variable<double> w(wells.start());
  optim::Optimizer optimizer({w}, optim::SGD{}, rate);
  std::vector<double> squares;
  for (int k = 0; k < steps; ++k) {
    const auto xi = Numbers::of({noise * stream.normal(), noise * stream.normal()});
    Tape tape;
    backward(wells(w) + dot(w, xi));  // the slope of the last term is the noise
    optimizer.step();
    optimizer.zero_grad();
    squares.push_back(sum(square(w.value() - bottom)).item());
  }
  return squares;
}

void noisy_descent(const std::string& pictures, std::uint64_t seed) {
  const Numbers bottom = stationary(wells.start());
  const auto curvatures = eigh(hessian(wells, bottom)).values.array();
  struct Case {
    const char* name;
    optim::Schedule rate;
    double last;  ///< the mean square over the second half
    std::vector<double> means;
  };
  std::vector<Case> cases{
      {"constant 0.02", optim::Constant{0.02}, 0, {}},
      {"constant 0.005", optim::Constant{0.005}, 0, {}},
      {"0.02 / (1 + k / 50)", [](std::int64_t k) { return 0.02 / (1 + double(k) / 50); }, 0, {}}};
  const std::uint64_t runs = 60;
  std::printf("\nNoise of 1 in each slope: mean squared distance over %d runs after k steps\n%-20s",
              int(runs), "rate");
  for (int k = steps / 64; k <= steps; k *= 4) std::printf(" %10d", k);
  std::printf("\n");
  for (Case& c : cases) {
    c.means.assign(steps, 0);
    for (std::uint64_t run = 0; run < runs; ++run) {
      const std::vector<double> squares = descend(bottom, c.rate, runs * seed + run);
      for (std::size_t k = 0; k < steps; ++k) c.means[k] += squares[k] / double(runs);
    }
    for (std::size_t k = steps / 2; k < steps; ++k) c.last += c.means[k] / (steps / 2);
    std::printf("%-20s", c.name);
    for (int k = steps / 64; k <= steps; k *= 4)
      std::printf(" %10.2e", c.means[std::size_t(k) - 1]);
    std::printf("\n");
  }
  // On a quadratic the noise and the pull of curvature h balance at rate noise^2 / (h (2 - rate
  // h)).
  const auto theory = [&](double rate) {
    double total = 0;
    for (const double h : curvatures) total += rate * noise * noise / (h * (2 - rate * h));
    return total;
  };
  std::printf("constant_of_theory %.3f\nsmall_of_theory %.3f\ndecayed_of_constant %.4f\n",
              cases[0].last / theory(0.02), cases[1].last / theory(0.005),
              cases[2].means.back() / cases[0].last);
  plot::Figure figure{.title = "Noisy descent in a well",
                      .x = {.label = "step", .scale = plot::Scale::log10},
                      .y = {.label = "mean squared distance", .scale = plot::Scale::log10}};
  for (const Case& c : cases) {
    std::vector<double> x, y;
    for (double k = 1; k <= steps; k *= 1.15) {
      x.push_back(std::floor(k));
      y.push_back(c.means[std::size_t(k) - 1]);
    }
    figure.curves.push_back({.name = c.name, .x = x, .y = y});
  }
  example::draw(pictures, "noisy_descent.svg", figure);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "Two wells, a saddle, and noise",
                                    [](const std::string& pictures, std::uint64_t seed) {
                                      points(pictures);
                                      noisy_descent(pictures, seed);
                                    });
}
