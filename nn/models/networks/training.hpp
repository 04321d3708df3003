// SPDX-License-Identifier: BSD-3-Clause
// How the networks of estimators are made of layers, and trained.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/nn/layers/stack.hpp"
#include "ebb/nn/models/estimators/inputs.hpp"
#include "ebb/nn/models/estimators/solution.hpp"
#include "ebb/nn/models/networks/network.hpp"

namespace ebb::inline v0::nn::detail {

/// The options of a network and its training, whatever it predicts.
struct NetworkPlan {
  std::vector<std::int64_t> hidden;
  Activation activation;
  NetworkSolver solver;
  double l2, dropout;
  std::int64_t batch_size;
  double learning_rate, momentum;
  std::int64_t epochs;
  double tolerance;
  std::int64_t patience;
  bool early_stopping;
  double validation;
  std::uint64_t seed;
};

/// The plan that the options of an estimator say.
template <class Options>
NetworkPlan plan_of(const Options& o) {
  return {o.hidden,     o.activation,     o.solver,     o.l2,     o.dropout,
          o.batch_size, o.learning_rate,  o.momentum,   o.epochs, o.tolerance,
          o.patience,   o.early_stopping, o.validation, o.seed};
}
/// Visits the options that all networks have.
template <class Options>
void each_network_option(Fields& field, Options& o) {
  field("hidden", o.hidden);
  field.choice("activation", o.activation,
               {"relu", "tanh", "logistic", "gelu", "silu", "identity"});
  field.choice("solver", o.solver, {"adam", "sgd", "lbfgs"});
  field("l2", o.l2);
  field("dropout", o.dropout);
  field("batch_size", o.batch_size);
  field("learning_rate", o.learning_rate);
  field("momentum", o.momentum);
  field("epochs", o.epochs);
  field("tolerance", o.tolerance);
  field("patience", o.patience);
  field("early_stopping", o.early_stopping);
  field("validation", o.validation);
  field("seed", o.seed);
}

/// Layers of random weights: linear ones with the activation between them.
Stack<double> network_of(const NetworkPlan& plan, std::int64_t inputs, std::int64_t outputs,
                         Stream& stream);

/// Rows to train on, and what they are trained to give: a number for each output, or a class.
struct TrainingRows {
  Array<double> x;                  ///< (n, d)
  Array<double> weights;            ///< (n,), at least 0
  Array<double> y = {};             ///< (n,); empty where there are labels
  Array<std::int64_t> labels = {};  ///< (n,); empty where there are numbers

  std::int64_t size() const { return x.shape()[0]; }
  TrainingRows rows(std::span<const std::int64_t> indices) const;
};

/// The losses (n,) of outputs (n, outputs).
using NetworkLoss =
    std::function<Tensor<double>(const Tensor<double>& outputs, const TrainingRows& rows)>;

/// A trained network, and how its training went.
struct NetworkFit {
  Network network;
  std::vector<double> losses, validation_losses;
  Solution solution;
  std::string warning;
};

/// Trains a network of so many outputs.
/// @throws ArgumentError, which starts with `who`, for options out of their ranges, and where the
/// loss is not finite.
NetworkFit train_network(const std::string& who, const NetworkPlan& plan, const TrainingRows& rows,
                         std::int64_t outputs, const NetworkLoss& loss);

/// The outputs (n, outputs) of rows, some hundred at a time.
Array<double> outputs_of(const Network& network, const Array<double>& x);

}  // namespace ebb::inline v0::nn::detail
