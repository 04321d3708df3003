// SPDX-License-Identifier: BSD-3-Clause
// What the regression examples share: their options, and a solver for their exact answers.
#pragma once
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace example {

struct Options {
  int epochs = 0;
  std::uint64_t seed = 0;
  std::string data = EBB_EXAMPLE_DATA;
};

/// Parses, runs the example, and turns errors into one line and an exit code: 2 for options that
/// make no sense, 1 for anything that went wrong later.
template <class F>
int parse_and_run(CLI::App& app, int argc, char** argv, F example) {
  try {
    app.parse(argc, argv);
    example();
    return 0;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help
    std::cerr << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}

/// The same with the options of the regressions.
template <class F>
int run(int argc, char** argv, const std::string& description, int epochs, F example) {
  Options options{.epochs = epochs};
  CLI::App app(description);
  app.add_option("--epochs", options.epochs, "Passes over the training rows")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the split and of the mini-batches")
      ->capture_default_str();
  app.add_option("--data", options.data, "The folder with the CSV files")->capture_default_str();
  return parse_and_run(app, argc, argv, [&] { example(options); });
}

/// A square matrix by rows, and a vector.
using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

/// Solves A x = b for a symmetric positive definite A by Cholesky's factorisation A = L L^T.
inline Vector solve(Matrix a, Vector b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {  // L replaces the lower half of A
    for (std::size_t k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
    if (!(a[j][j] > 0)) throw std::runtime_error("the matrix is not positive definite");
    a[j][j] = std::sqrt(a[j][j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {  // L z = b
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = n; i-- > 0;) {  // L^T x = z
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

/// ||w - exact|| / ||exact||
inline double relative_distance(const Vector& w, const Vector& exact) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    difference += (w[i] - exact[i]) * (w[i] - exact[i]);
    norm += exact[i] * exact[i];
  }
  return std::sqrt(difference / norm);
}

/// Prints the trained weights, bias last, beside the exact ones.
inline void print_coefficients(std::vector<std::string> names, const Vector& w,
                               const Vector& exact) {
  names.push_back("(bias)");
  std::printf("\n%-24s %12s %12s\n", "feature", "trained", "exact");
  for (std::size_t j = 0; j < names.size(); ++j) {
    std::printf("%-24s %12.4f %12.4f\n", names[j].c_str(), w[j], exact[j]);
  }
}

/// About twenty lines of progress, whatever the number of epochs, and the last one.
inline void print_loss(int epoch, int epochs, double loss) {
  if (epoch % std::max(1, epochs / 20) == 0 || epoch + 1 == epochs) {
    std::printf("epoch %4d  loss %.6g\n", epoch + 1, loss);
    std::fflush(stdout);
  }
}

}  // namespace example
