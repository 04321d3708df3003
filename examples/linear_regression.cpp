// SPDX-License-Identifier: BSD-3-Clause
// Linear regression: how a disease will progress, from ten measurements of a patient. Mini-batch
// gradient descent finds the weights, and the normal equation tells how well it did.
#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;
using example::Matrix, example::Vector;

namespace {

/// The weights, then the bias, that minimise the mean squared error: (X^T X) w = X^T y, where X has
/// a last column of ones for the bias.
Vector exact_weights(const Array<double>& x, const Array<double>& y) {
  const auto n = x.shape()[0], d = x.shape()[1];
  const auto column = [&](std::int64_t row, std::int64_t j) { return j < d ? x(row, j) : 1.0; };
  Matrix a(std::size_t(d + 1), Vector(std::size_t(d + 1)));
  Vector b(std::size_t(d + 1));
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t i = 0; i <= d; ++i) {
      for (std::int64_t j = 0; j <= d; ++j) {
        a[std::size_t(i)][std::size_t(j)] += column(row, i) * column(row, j);
      }
      b[std::size_t(i)] += column(row, i) * y[row];
    }
  }
  return example::solve(a, b);
}

void regress(const example::Options& options) {
  const auto table = data::read_csv<double>(options.data + "/diabetes.csv");
  const auto [x, y, features] = table.split_target("progression");

  // Rows that the model never sees tell how good it is. The scaler, too, sees the others only.
  const auto [train, test] = data::train_test_split(x, y, {.test = 0.2, .seed = options.seed});
  const data::Standardizer scaler(train.x);
  const data::TensorDataset rows(scaler.transform(train.x), train.y);

  nn::Linear<double> model(x.shape()[1], 1);
  optim::Optimizer optimizer(model, optim::SGD{.learning_rate = 0.05, .momentum = 0.9});
  const double first_rate = optimizer.rule().learning_rate;
  // A last batch of two rows would move the weights as far as one of 32, on far less evidence.
  data::Loader loader(rows, {.batch_size = 32, .drop_last = true, .seed = options.seed});

  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    // The gradient of a mini-batch is noisy. Ever smaller steps average the noise away.
    optimizer.rule().learning_rate = first_rate * (1 - double(epoch) / options.epochs);
    double total = 0;
    for (const auto& [inputs, targets] : loader) {
      Tape tape;
      const auto loss = mse_loss(model(inputs), targets);
      backward(loss);
      optimizer.step();
      optimizer.zero_grad();
      total += loss.item();
    }
    example::print_loss(epoch, options.epochs, total / double(loader.size()));
  }

  // r2 is the part of the variance that the model explains: 1 - error / error of the mean.
  const double mse = mse_loss(model(scaler.transform(test.x)), test.y).item();
  const double variance = mean(square(test.y - mean(test.y))).item();
  Vector w(model.weight.value().begin(), model.weight.value().end());
  w.push_back(model.bias.value().item());
  const Vector exact = exact_weights(rows.x, rows.y);
  example::print_coefficients(features, w, exact);

  std::printf("\nmse %.6g\nr2 %.6g\ndistance_to_optimum %.3g\n", mse, 1 - mse / variance,
              example::relative_distance(w, exact));
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "Linear regression on the diabetes data", 300, regress);
}
