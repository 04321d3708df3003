// SPDX-License-Identifier: BSD-3-Clause
// Linear regression: how a disease will progress, from ten measurements of a patient. Mini-batch
// gradient descent finds the weights, and exact least squares shows how close they are.
#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;

namespace {

void regress(const example::Options& options) {
  const auto table =
      data::read_csv<double>(options.data + "/diabetes.csv").with_target("progression");

  // The score is that of rows that the model never sees. The pipeline learns from the others only.
  const auto parts =
      data::split(table, data::split_rows(table.rows(), {.test = 0.2, .seed = options.seed}));
  data::Pipeline pipeline{data::Standardize()};
  const auto train = pipeline.fit_transform(parts.train).split_target();
  const auto test = pipeline.transform(parts.test).split_target();

  auto model = nn::Linear<double>::zeros(train.x.shape()[1], 1);
  const auto loss = [&](const auto& x, const auto& y) { return mse_loss(model(x), y); };
  example::train(model, loss, train, options);

  // The weights and, last, the bias with the smallest squared error on the training rows.
  const auto exact = lstsq(example::with_ones(train.x), squeeze(train.y, {1})).array();
  const double distance = example::compare(train.features, model, exact);

  // r2 is the part of the variance that the model explains: 1 - error / error of the mean.
  const double mse = loss(test.x, test.y).item();
  const double variance = mean(square(test.y - mean(test.y))).item();
  std::printf("\nmse %.6g\nr2 %.6g\ndistance_to_optimum %.3g\n", mse, 1 - mse / variance, distance);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "Linear regression on the diabetes data", 300, regress);
}
