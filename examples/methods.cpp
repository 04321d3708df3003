// SPDX-License-Identifier: BSD-3-Clause
// A line search chooses how far to go along a direction d, and better directions than the negative
// gradient need fewer steps. In Rosenbrock's valley: what the searches accept, and how many
// iterations the methods take.
//
//   Armijo: f(x + a d) <= f(x) + c a g . d     Wolfe, besides: g(x + a d) . d >= 0.9 g . d
//                                              strong: in magnitude
#include <algorithm>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"
#include "ebb/optim/problems.hpp"

using namespace ebb;
using example::Window;
using Numbers = Array<double>;

namespace {

const optim::problems::Rosenbrock valley;
constexpr optim::Stop stop{.gradient = 1e-6, .iterations = 50'000};

std::int64_t evaluations(const optim::Minimum<double>& found) {
  return found.values + found.gradients + found.products;
}
double distance(const optim::Minimum<double>& found) {
  return norm(found.x - valley.optimum()).item();
}

/// What a line search has accepted.
struct Accepted {
  std::vector<double> steps;
  double excess = -1;  ///< the largest f(x + a d) - f(x) - c a g . d
  /// The least and the largest slope along d after a step, in units of that before it.
  double least = 1, largest = -1;
};

/// Descent with a line search, as a line of the table.
template <class Search>
Accepted search(const char* name, const Search& by) {
  Accepted accepted;
  std::vector<double> sorted;
  double value = 0, squared = 0;
  const auto found =
      minimize(valley, valley.start(), optim::GradientDescent{by}, stop,
               {.report =
                    [&](const optim::Progress& p) {
                      if (p.iteration > 0) {
                        accepted.steps.push_back(p.step);
                        accepted.excess =
                            std::fmax(accepted.excess, p.value - value + 1e-4 * p.step * squared);
                      }
                      value = p.value;
                      squared = p.gradient_norm * p.gradient_norm;
                      return true;
                    },
                .path = true});
  auto before = gradient(valley, found.path[0]).array();
  for (std::size_t k = 1; k < found.path.size(); ++k) {
    const auto after = gradient(valley, found.path[k]).array();
    const double slope = dot(after, before).item() / dot(before, before).item();
    accepted.least = std::fmin(accepted.least, slope);
    accepted.largest = std::fmax(accepted.largest, slope);
    before = after;
  }
  sorted = accepted.steps;
  std::sort(sorted.begin(), sorted.end());
  std::printf("%-12s %10lld %12lld %9.1e %9.1e %9.1e %8.2f %6.2f\n", name,
              static_cast<long long>(found.iterations), static_cast<long long>(evaluations(found)),
              sorted.front(), sorted[sorted.size() / 2], sorted.back(), accepted.least,
              accepted.largest);
  return accepted;
}

void line_searches(const std::string& pictures) {
  std::printf(
      "Descent in Rosenbrock's valley from (-1.2, 1) until |gradient| <= 1e-6\n"
      "%38sstep%22sslope left\n%-12s %10s %12s %9s %9s %9s %8s %6s\n",
      "", "", "search", "iterations", "evaluations", "least", "median", "largest", "least", "most");
  const Accepted armijo =
      search("Armijo", optim::Armijo{.first = 1, .decrease = 1e-4, .shrink = 0.5});
  const Accepted weak = search("weak Wolfe", optim::Wolfe{.strong = false});
  const Accepted strong = search("strong Wolfe", optim::Wolfe{});
  const auto others = std::count_if(armijo.steps.begin(), armijo.steps.end(), [](double a) {
    return std::exp2(std::round(std::log2(a))) != a;
  });
  std::printf(
      "not_halved %d\nexcess %.3e\narmijo_most %.6f\nweak_least %.6f\nweak_most %.6f\nstrong_least "
      "%.6f\nstrong_most %.6f\n",
      int(others), std::max({armijo.excess, weak.excess, strong.excess}), armijo.largest,
      weak.least, weak.largest, strong.least, strong.largest);
  const auto curve = [](const char* name, const Accepted& a) {
    const std::vector<double> first(a.steps.begin(), a.steps.begin() + 60);
    return plot::Curve{
        .name = name, .x = example::steps(first), .y = first, .style = plot::Style::both};
  };
  example::draw(
      pictures, "line_searches.svg",
      plot::Figure{.title = "The first 60 steps that line searches accept",
                   .x = {.label = "iteration"},
                   .y = {.label = "step along the negative gradient", .scale = plot::Scale::log10},
                   .curves = {curve("Armijo", armijo), curve("weak Wolfe", weak),
                              curve("strong Wolfe", strong)}});
}

void methods(const std::string& pictures) {
  std::printf("\nOther methods\n%-26s %10s %12s %10s\n", "method", "iterations", "evaluations",
              "distance");
  double worst = 0;
  const Window window{-1.6, 1.4, -0.6, 2};
  std::vector<plot::Curve> curves;
  const auto row = [&](const char* name, const auto& method, bool is_drawn = false) {
    const auto found = minimize(valley, valley.start(), method, stop, {.path = true});
    std::printf("%-26s %10lld %12lld %10.1e\n", name, static_cast<long long>(found.iterations),
                static_cast<long long>(evaluations(found)), distance(found));
    worst = std::fmax(worst, distance(found));
    if (is_drawn) curves.push_back(example::path(name, found.path, window));
  };
  row("descent, Barzilai-Borwein", optim::GradientDescent{optim::BarzilaiBorwein{}});
  row("conjugate gradients", optim::ConjugateGradient{}, true);
  row("BFGS", optim::BFGS{});
  row("L-BFGS", optim::LBFGS{}, true);
  row("Newton", optim::Newton{}, true);
  row("Newton-CG", optim::NewtonCG{});
  row("trust region", optim::TrustRegion{});
  std::printf("worst_distance %.3e\n", worst);
  example::draw(
      pictures, "methods.svg",
      plot::Figure{.title = "Paths in Rosenbrock's valley",
                   .x = {.label = "x", .min = window.left, .max = window.right},
                   .y = {.label = "y", .min = window.low, .max = window.high},
                   .contours = example::contours(valley, window, {0.5, 2, 8, 32, 128, 512}),
                   .curves = curves});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv,
                                    "Line searches and other methods in Rosenbrock's valley",
                                    [](const std::string& pictures) {
                                      line_searches(pictures);
                                      methods(pictures);
                                    });
}
