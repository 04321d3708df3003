// SPDX-License-Identifier: BSD-3-Clause
// Networks of linear layers in one call:
//
//   nn::MLPClassifier model({.hidden = {64, 32}, .early_stopping = true, .seed = 7});
//   model.fit(x, species);                          // words, whole numbers or truth values
//   std::cout << model.predict_words(x_new)[0] << " " << model.predict_proba(x_new) << "\n";
//
// Both minimise the mean loss of the rows with a penalty on the weights w of the layers, and none
// on their biases:
//
//   sum_i s_i loss_i / sum_i s_i + l2 / 2 sum w^2
//
// where s_i is the weight of a row, or 1, times that of its class. The network is an
// nn::Stack<double>: double as features are, and as L-BFGS needs. Features are taken as they are,
// and a network learns little from those of very different units: scale them before
// (data::Standardize), as a TableModel does. An equal seed gives equal bits on any number of
// threads. docs/estimators.md has a table of the options of scikit-learn.
#pragma once
#include "ebb/nn/models/estimators/classifier.hpp"
#include "ebb/nn/models/estimators/regressor.hpp"
#include "ebb/nn/models/networks/network.hpp"

namespace ebb::inline v0::nn {

struct EBB_API MLPRegressorOptions {
  std::vector<std::int64_t> hidden = {100};  ///< at least 1 each: the sizes of the hidden layers
  Activation activation = Activation::relu;  ///< behind each hidden layer
  NetworkSolver solver = NetworkSolver::adam;
  double l2 = 1e-4;    ///< at least 0
  double dropout = 0;  ///< in [0, 1): the part of each hidden layer that a step leaves out
  std::int64_t batch_size = 200;  ///< at least 1, and at most all rows: those of a step
  double learning_rate = 1e-3;    ///< above 0
  double momentum = 0.9;          ///< in [0, 1), of sgd
  std::int64_t epochs = 200;      ///< at least 1; of lbfgs its iterations
  /// At least 0: a loss that is less by this much is better. Of lbfgs the norm of the gradient.
  double tolerance = 1e-4;
  std::int64_t patience = 10;   ///< at least 1: epochs without a better loss before training ends
  bool early_stopping = false;  ///< takes the loss of rows that are put aside, and not trained on
  double validation = 0.1;      ///< in (0, 1): the part of the rows that early stopping puts aside
  std::uint64_t seed = 0;       ///< decides first weights, the order of rows, dropout, parts

  void each(Fields& field);
};

/// A network with the loss (y - f)^2 / 2. Targets are centred and scaled on the way, so that their
/// unit does not matter: losses and options are in units of their variance.
class EBB_API MLPRegressor : public Regressor {
 public:
  MLPRegressorOptions options;
  Network network;  ///< from d features to a number; empty before a fit
  /// The loss of each epoch with its penalty, as its steps met it; of lbfgs of each iteration.
  std::vector<double> losses;
  /// The loss, without penalty, of the rows that early stopping put aside, of each epoch.
  std::vector<double> validation_losses;

  explicit MLPRegressor(MLPRegressorOptions given = {});
  std::string name() const override;
  bool is_fitted() const override;
  void each(Parts& part);

 private:
  void learn(const Features& x, const Array<double>& y, const Array<double>& weights) override;
  Array<double> predictions(const Features& x) const override;
};

struct EBB_API MLPClassifierOptions {
  std::vector<std::int64_t> hidden = {100};  ///< as of MLPRegressor, and so are those that follow
  Activation activation = Activation::relu;
  NetworkSolver solver = NetworkSolver::adam;
  double l2 = 1e-4;
  double dropout = 0;
  std::int64_t batch_size = 200;
  double learning_rate = 1e-3;
  double momentum = 0.9;
  std::int64_t epochs = 200;
  double tolerance = 1e-4;
  std::int64_t patience = 10;
  bool early_stopping = false;
  double validation = 0.1;
  std::uint64_t seed = 0;
  bool balanced = false;  ///< as of logistic regression
  std::vector<double> class_weight = {};

  void each(Fields& field);
};

/// A network with the loss -log p(class). For two classes p is the logistic function of its one
/// output, for more the softmax of one output for each.
class EBB_API MLPClassifier : public Classifier {
 public:
  MLPClassifierOptions options;
  Network network;             ///< from d features to 1 logit, or one for each of several classes
  std::vector<double> losses;  ///< as of MLPRegressor
  std::vector<double> validation_losses;

  explicit MLPClassifier(MLPClassifierOptions given = {});
  std::string name() const override;
  bool is_fitted() const override;
  bool has_probabilities() const override;
  /// The probabilities of the classes (n, classes).
  /// @throws ArgumentError and ShapeError as `predict`.
  Array<double> predict_proba(const Features& x) const;
  void each(Parts& part);

 private:
  ClassWeights class_weights() const override;
  void learn(const Features& x, const Array<double>& weights,
             const Array<std::int64_t>& positions) override;
  Array<double> decisions(const Features& x) const override;
};

}  // namespace ebb::inline v0::nn
