// SPDX-License-Identifier: BSD-3-Clause
// The lasso: which of ten measurements tell how a disease will progress. The stronger the penalty
// on the magnitudes of the weights, the more weights are exactly 0:
//
//   |y - x w - b|^2 / (2 n) + strength (|w_1| + ... + |w_10|)
//
// The duality gap proves how close each minimum is, without knowing it. --pictures FOLDER draws the
// weights against the strength, and the gaps of three methods on their way.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"
#include "ebb/tools/plot/plot.hpp"

using namespace ebb;

namespace {

using Problem = optim::Lasso<double>;

/// Saves a picture, if a folder is given.
void draw(const std::string& folder, const char* name, const plot::Figure& figure) {
  if (folder.empty()) return;
  std::filesystem::create_directories(folder);
  std::printf("%s\n", plot::save(figure, folder + "/" + name).path.c_str());
}

/// The duality gap at weights, as a part of the value at 0.
double relative_gap(const Problem& problem, const Array<double>& w) {
  return problem.gap(w) / problem.value(problem.start());
}

/// The weights for sixty strengths, the largest of which leaves none.
void path(const Problem& problem, const std::vector<std::string>& features,
          const std::string& pictures) {
  const auto path = optim::lasso_path(problem, {.count = 60, .least = 1e-3});
  const std::int64_t size = path.weights.shape()[1];
  std::vector<bool> has_entered(features.size());
  std::string order;
  double worst = 0;
  std::printf("%12s %8s %8s %8s  %s\n", "strength", "weights", "sweeps", "gap", "new");
  for (std::int64_t k = 0; k < path.strengths.size(); ++k) {
    std::string entered;
    int weights = 0;
    for (std::int64_t j = 0; j < size; ++j) {
      if (path.weights(k, j) == 0) continue;
      ++weights;
      if (has_entered[std::size_t(j)]) continue;
      has_entered[std::size_t(j)] = true;
      entered += " " + features[std::size_t(j)];
    }
    order += entered;
    const double gap = path.gaps[k] / problem.value(problem.start());
    worst = std::fmax(worst, gap);
    if (!entered.empty() || k % 10 == 0 || k + 1 == path.strengths.size()) {
      std::printf("%12.4f %8d %8lld %8.1e %s\n", path.strengths[k], weights,
                  static_cast<long long>(path.iterations[std::size_t(k)]), gap, entered.c_str());
    }
  }
  std::printf("order%s\nlargest_strength %.6f\nworst_gap %.3e\n", order.c_str(), path.strengths[0],
              worst);

  plot::Figure figure{.title = "Weights of the lasso on the diabetes data",
                      .x = {.label = "strength", .scale = plot::Scale::log10},
                      .y = {.label = "weight of a standardised feature"}};
  for (std::int64_t j = 0; j < size; ++j) {
    std::vector<double> weights;
    for (std::int64_t k = 0; k < path.strengths.size(); ++k) weights.push_back(path.weights(k, j));
    figure.curves.push_back({.name = features[std::size_t(j)], .x = path.strengths, .y = weights});
  }
  draw(pictures, "path.svg", figure);
}

/// Steps of three methods until the gap is below 1e-8.
void methods(const Problem& whole, const std::string& pictures) {
  const Problem problem = whole.with_strength(whole.largest_strength() / 100);
  std::printf("\nUntil the gap is 1e-8 of the value at 0, with strength %.4f\n",
              problem.options().strength);
  plot::Figure figure{
      .title = "Duality gap on the way",
      .x = {.label = "iteration", .scale = plot::Scale::log10},
      .y = {.label = "gap / value at 0", .scale = plot::Scale::log10, .min = 1e-10, .max = 1}};
  const optim::Watch watch{.path = true};
  const auto report = [&](const char* word, const char* name, const optim::Minimum<double>& found) {
    std::vector<double> steps, gaps;
    for (std::size_t k = 1; k < found.path.size(); ++k) {
      steps.push_back(double(k));
      gaps.push_back(relative_gap(problem, found.path[k]));
      if (gaps.back() <= 1e-8) break;
    }
    figure.curves.push_back({.name = name, .x = steps, .y = gaps});
    std::printf("%s %.0f\n", word, gaps.back() <= 1e-8 ? steps.back() : NAN);
  };
  const auto proximal = [&](bool accelerate) {
    return minimize(problem.smooth_part(), problem.start(),
                    optim::ProximalGradient{.penalty = problem.penalty(), .accelerate = accelerate},
                    {.gradient = 1e-7, .iterations = 50'000}, watch);
  };
  const auto coordinates = [&](bool accelerate) {
    return minimize(problem, problem.start(), optim::CoordinateDescent{.accelerate = accelerate},
                    {}, watch);
  };
  const auto fista = proximal(true), best = coordinates(true);
  report("ista", "ISTA", proximal(false));
  report("fista", "FISTA", fista);
  report("coordinate_descent", "coordinate descent", coordinates(false));
  report("and_newton_steps", "coordinate descent and Newton's steps", best);
  std::printf("distance %.3e\n", (norm(fista.x - best.x) / norm(best.x)).item());
  draw(pictures, "gaps.svg", figure);
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = EBB_EXAMPLE_DATA, pictures;
  CLI::App app("The lasso on the diabetes data");
  app.add_option("--data", folder, "The folder with the CSV files")->capture_default_str();
  app.add_option("--pictures", pictures, "The folder for pictures");
  return example::parse_and_run(app, argc, argv, [&] {
    const auto table = data::read_csv<double>(folder + "/diabetes.csv").with_target("progression");
    const auto rows = data::Standardize().fit_transform(table).split_target();
    const Problem problem(rows.x, rows.y);
    path(problem, rows.features, pictures);
    methods(problem, pictures);
  });
}
