// SPDX-License-Identifier: BSD-3-Clause
// Linear regression by descent, with the bias as the last weight of a column of ones. The half sum
// of squares, their mean, and its root have one minimum, and gradients of different sizes.
//
//   r = y - X w    sum: -X^T r    mean: -2 X^T r / n    root: -X^T r / (sqrt(n) |r|)
#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;
using Numbers = Array<double>;

namespace {

/// Four points on y = x_1 + 2 x_2 + 3.
const Numbers x = Numbers::of({{1, 1, 1}, {1, 2, 1}, {2, 2, 1}, {2, 3, 1}});
const Numbers y = Numbers::of({6, 8, 9, 11});
const Numbers truth = Numbers::of({1, 2, 3});
const Numbers start = Numbers::of({10.1, 15.1, -6.5});
constexpr double n = 4;

Tensor<double> half_sum(const Operand<double>& w) { return 0.5 * sum(square(y - matmul(x, w))); }
Tensor<double> mean_square(const Operand<double>& w) { return mean(square(y - matmul(x, w))); }
Tensor<double> root(const Operand<double>& w) { return sqrt(mean_square(w)); }

using Loss = Tensor<double> (*)(const Operand<double>&);

double largest(const Tensor<double>& t) { return max(abs(t)).item(); }

/// The gradient of a loss beside its formula.
void gradients() {
  const auto r = y - matmul(x, start);
  const auto back = matmul(transpose(x), r);
  std::printf("Gradients at (10.1, 15.1, -6.5)\n%-12s %11s %11s %11s %12s\n", "loss", "w_1", "w_2",
              "bias", "off formula");
  double worst = 0;
  const auto row = [&](const char* name, Loss loss, const Tensor<double>& formula) {
    const Numbers g = gradient(loss, start).array();
    const double off = largest(g - formula) / largest(formula);
    std::printf("%-12s %11.4f %11.4f %11.4f %12.1e\n", name, g[0], g[1], g[2], off);
    worst = std::fmax(worst, off);
  };
  row("half sum", half_sum, -back);
  row("mean", mean_square, (-2 / n) * back);
  row("root", root, -back / (std::sqrt(n) * norm(r)));
  std::printf("off_formula %.3e\n", worst);
}

/// Descent, and the distance from the truth after each step.
struct Descent {
  Numbers w;
  std::vector<Numbers> path;
  std::vector<double> distances;
};

Descent descend(Loss loss, const optim::Schedule& rate) {
  Variable<double> w(start.reshape({3}));
  optim::Optimizer optimizer({w}, optim::SGD{}, rate);
  Descent run;
  for (int k = 0; k < 5000; ++k) {
    Tape tape;
    backward(loss(w));
    optimizer.step();
    optimizer.zero_grad();
    run.path.push_back(w.value());
    run.distances.push_back(norm(w.value() - truth).item());
  }
  run.w = w.value();
  return run;
}

void four_points(const std::string& pictures) {
  std::printf("\n5000 steps from there\n%-32s %10s %10s %10s %10s\n", "loss, rate", "w_1", "w_2",
              "bias", "distance");
  std::vector<plot::Curve> curves;
  const auto row = [&](const char* name, Loss loss, const optim::Schedule& rate) {
    Descent run = descend(loss, rate);
    std::printf("%-32s %10.6f %10.6f %10.6f %10.1e\n", name, run.w[0], run.w[1], run.w[2],
                run.distances.back());
    std::vector<double> numbers, some;
    for (std::size_t k = 0; k < run.distances.size(); k += 20) {
      numbers.push_back(double(k + 1));
      some.push_back(run.distances[k]);
    }
    curves.push_back({.name = name, .x = numbers, .y = some});
    return run;
  };
  const Descent sum = row("half sum, 0.01", half_sum, optim::Constant{0.01});
  const Descent mean = row("mean, 0.01", mean_square, optim::Constant{0.01});
  const Descent matched = row("mean, 0.01 n / 2", mean_square, optim::Constant{0.01 * n / 2});
  // The gradient of the root keeps its length down to the minimum: a constant rate steps over it.
  const Descent constant = row("root, 0.05", root, optim::Constant{0.05});
  const Descent falling =
      row("root, 0.05 falling to 0", root, optim::LinearRamp{.from = 0.05, .to = 0, .steps = 5000});
  double apart = 0;
  for (std::size_t k = 0; k < sum.path.size(); ++k) {
    apart = std::fmax(apart, largest(sum.path[k] - matched.path[k]));
  }
  std::printf(
      "distance_to_optimum %.3e\ndistance_by_mean %.3e\nmatched_apart %.3e\n"
      "distance_by_root %.3e\ndistance_by_falling_root %.3e\n",
      sum.distances.back(), mean.distances.back(), apart, constant.distances.back(),
      falling.distances.back());
  example::draw(pictures, "regression_losses.svg",
                plot::Figure{.title = "Four points on a plane: three losses",
                             .x = {.label = "step"},
                             .y = {.label = "distance from (1, 2, 3)", .scale = plot::Scale::log10},
                             .curves = curves});
}

/// 200 rows of normal numbers, w = (1, -2, 0.5), noise of 0.3, no bias.
void synthetic(const std::string& pictures, std::uint64_t seed) {
  Stream stream(seed);
  auto rows = Numbers::uninitialized({200, 3}), noise = Numbers::uninitialized({200});
  for (std::int64_t i = 0; i < rows.size(); ++i) rows.mutate()[i] = stream.normal();
  for (std::int64_t i = 0; i < noise.size(); ++i) noise.mutate()[i] = 0.3 * stream.normal();
  const auto w = Numbers::of({1, -2, 0.5});
  const auto targets = (matmul(rows, w) + noise).array();
  const auto loss = [&](const auto& v) { return mse_loss(matmul(rows, v), targets); };
  std::vector<double> values;
  const auto found =
      minimize(loss, Numbers::zeros({3}), optim::GradientDescent{optim::FixedStep{.step = 0.2}},
               {.gradient = 0, .iterations = 300}, {.report = [&](const optim::Progress& p) {
                 values.push_back(p.value);
                 return true;
               }});
  const auto exact = optim::fit_linear(rows, targets, {.intercept = false});
  std::printf("\n200 rows with noise of 0.3, 300 steps of rate 0.2\n%10s %10s %10s %16s\n", "w",
              "trained", "exact", "standard error");
  for (std::int64_t j = 0; j < 3; ++j) {
    std::printf("%10.2f %10.6f %10.6f %16.4f\n", w[j], found.x[j], exact.coefficients[j],
                exact.standard_errors[j]);
  }
  std::printf("mse %.6f\ndistance_to_truth %.6f\ndistance_to_exact %.3e\n", found.value,
              norm(found.x - w).item(), norm(found.x - exact.coefficients).item());
  values.resize(40);
  example::draw(pictures, "regression_synthetic.svg",
                plot::Figure{.title = "200 rows with noise of 0.3, the first 40 steps",
                             .x = {.label = "step"},
                             .y = {.label = "mean of squares", .scale = plot::Scale::log10},
                             .curves = {{.x = example::steps(values), .y = values}}});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "Losses of linear regression",
                                    [](const std::string& pictures, std::uint64_t seed) {
                                      gradients();
                                      four_points(pictures);
                                      synthetic(pictures, seed);
                                    });
}
