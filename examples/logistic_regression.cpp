// SPDX-License-Identifier: BSD-3-Clause
// Logistic regression: is a tumour benign, from thirty measurements of its cells? Mini-batch
// gradient descent finds the weights, and Newton's method tells how well it did.
#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;
using example::Matrix, example::Vector;

namespace {

// A plane nearly separates the two classes, so that without a penalty the weights would grow for
// ever. This much of half their square is added to the loss; the bias is free.
constexpr double l2 = 1e-2;

/// The mean of softplus(z) - y z over the rows, z = x w + bias, and the penalty.
double penalised_loss(const Array<double>& x, const Array<double>& y, const Vector& w) {
  const auto n = x.shape()[0], d = x.shape()[1];
  double loss = 0, squares = 0;
  for (std::int64_t row = 0; row < n; ++row) {
    double z = w.back();
    for (std::int64_t j = 0; j < d; ++j) z += x(row, j) * w[std::size_t(j)];
    loss += std::fmax(z, 0) + std::log1p(std::exp(-std::fabs(z))) - y[row] * z;
  }
  for (std::int64_t j = 0; j < d; ++j) squares += w[std::size_t(j)] * w[std::size_t(j)];
  return loss / double(n) + l2 / 2 * squares;
}

/// The step of Newton's method at w: the Hessian's inverse times the gradient.
Vector newton_step(const Array<double>& x, const Array<double>& y, const Vector& w) {
  const auto n = x.shape()[0], d = x.shape()[1];
  const auto column = [&](std::int64_t row, std::size_t j) {
    return std::int64_t(j) < d ? x(row, std::int64_t(j)) : 1.0;
  };
  Matrix hessian(w.size(), Vector(w.size()));
  Vector gradient(w.size());
  for (std::int64_t row = 0; row < n; ++row) {
    double z = 0;
    for (std::size_t j = 0; j < w.size(); ++j) z += column(row, j) * w[j];
    const double p = 1 / (1 + std::exp(-z));
    for (std::size_t i = 0; i < w.size(); ++i) {
      gradient[i] += (p - y[row]) * column(row, i) / double(n);
      for (std::size_t j = 0; j < w.size(); ++j) {
        hessian[i][j] += p * (1 - p) * column(row, i) * column(row, j) / double(n);
      }
    }
  }
  for (std::size_t j = 0; j + 1 < w.size(); ++j) {
    gradient[j] += l2 * w[j];
    hessian[j][j] += l2;
  }
  return example::solve(hessian, gradient);
}

/// The weights, then the bias, that minimise the penalised loss: Newton's method, whose steps are
/// halved until they lower the loss.
Vector exact_weights(const Array<double>& x, const Array<double>& y) {
  Vector w(std::size_t(x.shape()[1] + 1));
  double loss = penalised_loss(x, y, w);
  for (int iteration = 0; iteration < 50; ++iteration) {
    const Vector step = newton_step(x, y, w);
    double length = 1, next_loss = loss;
    for (; length > 1e-9; length /= 2) {
      Vector next = w;
      for (std::size_t j = 0; j < w.size(); ++j) next[j] -= length * step[j];
      next_loss = penalised_loss(x, y, next);
      if (next_loss < loss) {
        w = next;
        break;
      }
    }
    if (!(next_loss < loss)) break;  // rounding is all that is left
    loss = next_loss;
  }
  return w;
}

void classify(const example::Options& options) {
  const auto table = data::read_csv<double>(options.data + "/breast_cancer.csv");
  const auto [x, y, features] = table.split_target("benign");

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
      const auto loss =
          bce_with_logits(model(inputs), targets) + l2 / 2 * sum(square(model.weight));
      backward(loss);
      optimizer.step();
      optimizer.zero_grad();
      total += loss.item();
    }
    example::print_loss(epoch, options.epochs, total / double(loader.size()));
  }

  // A logit above 0 says "benign", as a probability above one half does.
  const auto logits = model(scaler.transform(test.x));
  const double log_loss = bce_with_logits(logits, test.y).item();
  double right = 0;
  for (std::int64_t i = 0; i < test.size(); ++i) right += (logits.data()[i] > 0) == (test.y[i] > 0);
  Vector w(model.weight.value().begin(), model.weight.value().end());
  w.push_back(model.bias.value().item());
  const Vector exact = exact_weights(rows.x, rows.y);
  example::print_coefficients(features, w, exact);

  std::printf("\nlog_loss %.6g\naccuracy %.6g\ndistance_to_optimum %.3g\n", log_loss,
              right / double(test.size()), example::relative_distance(w, exact));
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "Logistic regression on the breast cancer data", 300, classify);
}
