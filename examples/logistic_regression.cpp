// SPDX-License-Identifier: BSD-3-Clause
// Logistic regression: is a tumour benign, from thirty measurements of its cells? Mini-batch
// gradient descent finds the weights, and Newton's method shows how close they are.
#include <algorithm>

#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;

namespace {

/// A plane nearly separates the two classes, so that without a penalty the weights would grow
/// without end. The bias has no penalty.
auto penalty(const auto& weights) { return 1e-2 / 2 * sum(square(weights)); }

/// The weights and, last, the bias (d + 1,) that minimise the penalised loss.
Array<double> exact_weights(const Array<double>& x, const Array<double>& y) {
  const auto inputs = example::with_ones(x), labels = squeeze(y, {1}).array();
  const auto loss = [&](const auto& w) {
    return bce_with_logits(matmul(inputs, w), labels) + penalty(slice(w, 0, {0, x.shape()[1]}));
  };
  return optim::minimize(loss, Array<double>::zeros({inputs.shape()[1]}), optim::Newton{}).x;
}

void classify(const example::Options& options) {
  const auto table =
      data::read_csv<double>(options.data + "/breast_cancer.csv").with_target("benign");

  // The score is that of rows that the model never sees. The pipeline learns from the others only.
  const auto parts =
      data::split(table, data::split_rows(table.rows(), {.test = 0.2, .seed = options.seed}));
  data::Pipeline pipeline{data::Standardize()};
  const auto train = pipeline.fit_transform(parts.train).split_target();
  const auto test = pipeline.transform(parts.test).split_target();

  auto model = nn::Linear<double>::zeros(train.x.shape()[1], 1);
  const auto loss = [&](const auto& x, const auto& y) {
    return bce_with_logits(model(x), y) + penalty(model.weight);
  };
  example::train(model, loss, train, options);
  const double distance = example::compare(train.features, model, exact_weights(train.x, train.y));

  // A logit above 0 says "benign", as a probability above one half does.
  const auto logits = model(test.x);
  const double log_loss = bce_with_logits(logits, test.y).item();
  const auto correct = logits * (2 * test.y - 1) > 0;
  const auto right = std::count(correct.begin(), correct.end(), true);
  std::printf("\nlog_loss %.6g\naccuracy %.6g\ndistance_to_optimum %.3g\n", log_loss,
              double(right) / double(correct.size()), distance);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "Logistic regression on the breast cancer data", 300, classify);
}
