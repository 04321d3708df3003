// SPDX-License-Identifier: BSD-3-Clause
// What the examples share: options and exit codes, and the training loop of the regressions with
// the table of their coefficients.
#pragma once
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "ebb/ebb.hpp"

namespace example {

struct Options {
  int epochs = 0;
  std::uint64_t seed = 0;
  std::string data = EBB_EXAMPLE_DATA;
};

/// Parses the options and runs the example. An error is printed as one line and gives an exit code:
/// 2 for wrong options, 1 for any other error.
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

/// Lets the command line set the options above.
inline void add_options(CLI::App& app, Options& options) {
  app.add_option("--epochs", options.epochs, "Passes over the training rows")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of everything that is random")
      ->capture_default_str();
  app.add_option("--data", options.data, "The folder with the CSV files")->capture_default_str();
}

/// `parse_and_run` for an example that takes them.
template <class F>
int run(int argc, char** argv, const std::string& description, int epochs, F example) {
  Options options{.epochs = epochs};
  CLI::App app(description);
  add_options(app, options);
  return parse_and_run(app, argc, argv, [&] { example(options); });
}

/// x (n, d) with a last column of ones, whose weight is the bias: (n, d + 1).
inline ebb::Array<double> with_ones(const ebb::Array<double>& x) {
  return ebb::concat({x, ebb::Array<double>::full({x.shape()[0], 1}, 1.0)}, 1).array();
}

/// Trains a model by mini-batches of x and y, on the loss that `loss_of_batch(inputs, targets)`
/// records, and prints about twenty lines of progress.
template <class Loss>
void train(ebb::nn::Linear<double>& model, const Loss& loss_of_batch,
           const ebb::data::Supervised<double>& rows, const Options& options) {
  // A last batch of two rows would move the weights as far as one of 32 rows, with much more noise.
  ebb::data::Loader loader(ebb::data::TensorDataset(rows.x, rows.y),
                           {.batch_size = 32, .drop_last = true, .seed = options.seed});
  // The gradient of a mini-batch is noisy. Smaller and smaller steps average the noise out.
  ebb::optim::Optimizer optimizer(
      model, ebb::optim::SGD{.momentum = 0.9},
      ebb::optim::LinearRamp{.from = 0.05, .to = 0, .steps = options.epochs * loader.size()});
  ebb::optim::PrintProgress progress(std::cout, false, options.epochs);
  ebb::optim::fit(loss_of_batch, optimizer, loader,
                  {.epochs = options.epochs, .callbacks = {&progress}});
}

/// Prints the trained weights, and the bias last, beside the exact ones (d + 1,). Returns the
/// relative distance between the two, |trained - exact| / |exact|.
inline double compare(std::vector<std::string> names, const ebb::nn::Linear<double>& model,
                      const ebb::Array<double>& exact) {
  const auto trained = ebb::concat({squeeze(model.weight, {0}), model.bias}).array();
  names.push_back("(bias)");
  std::printf("\n%-24s %12s %12s\n", "feature", "trained", "exact");
  for (std::int64_t j = 0; j < exact.size(); ++j) {
    std::printf("%-24s %12.4f %12.4f\n", names[std::size_t(j)].c_str(), trained[j], exact[j]);
  }
  return (norm(trained - exact) / norm(exact)).item();
}

}  // namespace example
