// SPDX-License-Identifier: BSD-3-Clause
// What the examples with pictures share: options, a function to descend on, and how functions of
// two numbers and paths over them become parts of a picture.
#pragma once
#include <cmath>
#include <concepts>
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

#include "ebb/examples/example.hpp"
#include "ebb/tools/plot/plot.hpp"

namespace example {

/// w . A w / 2 + b . w with A = [[3, 0.5], [0.5, 1]] and b = (-1, 2), whose minimum is at
/// (8, -26) / 11.
struct Bowl {
  static ebb::Array<double> matrix() { return ebb::Array<double>::of({{3, 0.5}, {0.5, 1}}); }
  static ebb::Array<double> start() { return ebb::Array<double>::of({2, -3}); }
  static ebb::Array<double> optimum() { return ebb::Array<double>::of({8 / 11.0, -26 / 11.0}); }
  static constexpr double minimum = -30 / 11.0;
  ebb::Tensor<double> operator()(const ebb::Operand<double>& w) const {
    return 0.5 * dot(w, matmul(matrix(), w)) + dot(ebb::Array<double>::of({-1, 2}), w);
  }
};

/// Saves a figure or panels, if a folder is given, which is made if it is not there.
template <class Picture>
void draw(const std::string& folder, const char* name, const Picture& picture) {
  if (folder.empty()) return;
  std::filesystem::create_directories(folder);
  std::printf("%s\n", ebb::plot::save(picture, folder + "/" + name).path.c_str());
}

/// The part of the plane that a picture shows.
struct Window {
  double left, right, low, high;
};

/// The contours of a function of a tensor (2,) at these levels, on a logarithmic scale; or, without
/// levels, at equal distances.
template <class F>
ebb::plot::Contours contours(const F& f, const Window& window,
                             const std::vector<double>& levels = {}) {
  using ebb::plot::Scale;
  const auto x = ebb::Array<double>::linspace(window.left, window.right, 101);
  const auto y = ebb::Array<double>::linspace(window.low, window.high, 101);
  auto values = ebb::Array<double>::uninitialized({y.size(), x.size()});
  double* to = values.mutate();
  for (const double v : y) {
    for (const double u : x) {
      *to++ = f(ebb::Array<double>::of({u, v})).item();
    }
  }
  return {.x = x,
          .y = y,
          .values = values,
          .levels = levels,
          .scale = levels.empty() ? Scale::linear : Scale::log10};
}

/// A path as a curve. It breaks where it leaves the window.
inline ebb::plot::Curve path(const std::string& name, const std::vector<ebb::Array<double>>& points,
                             const Window& window,
                             ebb::plot::Style style = ebb::plot::Style::both) {
  std::vector<double> x, y;
  for (const ebb::Array<double>& point : points) {
    const bool is_inside = point[0] >= window.left && point[0] <= window.right &&
                           point[1] >= window.low && point[1] <= window.high;
    x.push_back(is_inside ? point[0] : std::nan(""));
    y.push_back(is_inside ? point[1] : std::nan(""));
  }
  return {.name = name, .x = x, .y = y, .style = style};
}

/// 0, 1, ..., as many as there are values: the steps of a curve.
inline ebb::plot::Numbers steps(const std::vector<double>& values) {
  return ebb::Array<double>::arange(double(values.size()));
}

/// `parse_and_run` for an example that takes the folder for pictures, and perhaps a seed.
template <class F>
int run_with_pictures(int argc, char** argv, const std::string& description, F example) {
  std::uint64_t seed = 0;
  std::string pictures;
  CLI::App app(description);
  app.add_option("--pictures", pictures, "The folder for pictures");
  if constexpr (std::invocable<F, std::string, std::uint64_t>) {
    app.add_option("--seed", seed, "Seed of everything that is random")->capture_default_str();
    return parse_and_run(app, argc, argv, [&] { example(pictures, seed); });
  } else {
    return parse_and_run(app, argc, argv, [&] { example(pictures); });
  }
}

}  // namespace example
