// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/networks/training.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/modes.hpp"
#include "ebb/optim/callbacks/early_stopping.hpp"
#include "ebb/optim/fit.hpp"
#include "ebb/optim/minimize.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

void check_plan(const std::string& who, const NetworkPlan& p) {
  const auto demand = [&](bool holds, const char* what) {
    if (!holds) throw ArgumentError(who + ": " + what);
  };
  demand(std::all_of(p.hidden.begin(), p.hidden.end(), [](std::int64_t n) { return n >= 1; }),
         "hidden has the sizes of layers, which are at least 1");
  demand(p.l2 >= 0 && std::isfinite(p.l2), "l2 must be at least 0");
  demand(p.dropout >= 0 && p.dropout < 1, "dropout must be in [0, 1)");
  demand(p.batch_size >= 1, "batch_size must be at least 1");
  demand(p.learning_rate > 0 && std::isfinite(p.learning_rate), "learning_rate must be above 0");
  demand(p.momentum >= 0 && p.momentum < 1, "momentum must be in [0, 1)");
  demand(p.epochs >= 1, "epochs must be at least 1");
  demand(p.tolerance >= 0, "tolerance must be at least 0");
  demand(p.patience >= 1, "patience must be at least 1");
  demand(p.validation > 0 && p.validation < 1, "validation must be in (0, 1)");
  if (p.solver != NetworkSolver::lbfgs) return;
  demand(p.dropout == 0, "lbfgs needs a loss that does not change, so that dropout must be 0");
  demand(!p.early_stopping, "lbfgs has no early stopping; take adam or sgd");
}

AnyModule<double> activation_of(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return ReLU();
    case Activation::tanh:
      return Tanh();
    case Activation::logistic:
      return Sigmoid();
    case Activation::gelu:
      return GELU();
    case Activation::silu:
      return SiLU();
    case Activation::identity:
      break;
  }
  return Identity();
}

template <class T>
Array<T> rows_of(const Array<T>& x, std::span<const std::int64_t> indices) {
  if (x.empty()) return {};
  const std::int64_t width = x.rank() == 2 ? x.shape()[1] : 1, n = std::int64_t(indices.size());
  auto rows = Array<T>::uninitialized(x.rank() == 2 ? Shape{n, width} : Shape{n});
  T* to = rows.mutate();
  for (const std::int64_t i : indices) to = std::copy_n(x.data() + i * width, width, to);
  return rows;
}

/// The rows that count, with weights whose mean is 1.
TrainingRows counted(const TrainingRows& all) {
  std::vector<std::int64_t> indices;
  double sum = 0;
  for (std::int64_t i = 0; i < all.size(); ++i) {
    if (!(all.weights[i] > 0)) continue;
    indices.push_back(i);
    sum += all.weights[i];
  }
  TrainingRows rows = all.rows(indices);
  const double mean = sum / double(rows.size());
  const auto [least, most] = std::minmax_element(rows.weights.begin(), rows.weights.end());
  const bool are_equal = *least == *most;
  for (double& w : std::span(rows.weights.mutate(), indices.size())) w = are_equal ? 1 : w / mean;
  return rows;
}

/// A data set of rows, for the loader.
struct RowsDataset {
  const TrainingRows* all;
  std::int64_t size() const { return all->size(); }
  TrainingRows rows(std::span<const std::int64_t> indices) const { return all->rows(indices); }
};

/// The mean loss of rows, and its penalty.
struct Objective {
  Stack<double>& network;
  const NetworkLoss& loss;
  double l2;

  Tensor<double> data(const TrainingRows& rows) const {
    return mean(loss(network(rows.x), rows) * rows.weights);
  }
  Tensor<double> operator()(const TrainingRows& rows) const {
    Tensor<double> value = data(rows);
    for (std::size_t i = 0; l2 > 0 && i < network.size(); ++i) {
      if (const auto* layer = network[i].get<Linear<double>>())
        value = value + 0.5 * l2 * sum(square(layer->weight));
    }
    return value;
  }
};

void train_in_full(const NetworkPlan& plan, const TrainingRows& rows, const Objective& objective,
                   NetworkFit& to) {
  const auto found =
      optim::minimize(to.network.layers, [&] { return objective(rows); }, optim::LBFGS{},
                      {.gradient = plan.tolerance, .iterations = plan.epochs},
                      {.report = [&](const optim::Progress& progress) {
                        if (progress.iteration > 0) to.losses.push_back(progress.value);
                        return true;
                      }});
  to.solution = {"lbfgs", to_string(found.reason), found.converged(), found.iterations,
                 found.value};
}

/// False where the loss or a gradient was not finite.
bool train_in_batches(const NetworkPlan& plan, const TrainingRows& rows,
                      const TrainingRows& held_out, const Objective& objective, NetworkFit& to) {
  const bool is_adam = plan.solver == NetworkSolver::adam;
  optim::RuleOptions options{{"learning_rate", plan.learning_rate}};
  if (!is_adam && plan.momentum > 0) {
    options.emplace_back("momentum", plan.momentum);
    options.emplace_back("nesterov", 1);
  }
  Stack<double>& network = to.network.layers;
  optim::AnyOptimizer optimizer(network, is_adam ? "adam" : "sgd", options);
  data::Loader loader(RowsDataset{&rows},
                      {.batch_size = std::min(plan.batch_size, rows.size()), .seed = plan.seed});
  const char* const watched = plan.early_stopping ? "validation" : "loss";
  optim::EarlyStopping stopping(
      network, {.patience = plan.patience, .watch = {watched, false, plan.tolerance}});
  optim::FitOptions fit{.epochs = plan.epochs, .callbacks = {&stopping}};
  if (plan.early_stopping) {
    fit.validation = [&] {
      const EvaluationScope evaluation(network);
      return objective.data(held_out).item();
    };
  }
  const optim::History history = optim::fit(objective, optimizer, loader, fit);
  for (const optim::EpochRecord& epoch : history.epochs) {
    to.losses.push_back(epoch.loss);
    if (plan.early_stopping) to.validation_losses.push_back(epoch.validation);
  }
  to.solution = {is_adam ? "adam" : "sgd", to_string(history.ending),
                 history.ending == optim::Ending::callback, std::int64_t(history.epochs.size()),
                 stopping.best()};
  if (to.solution.converged) {
    to.solution.reason = std::string("the ") + watched + (plan.early_stopping ? " loss" : "") +
                         " got no better for " + std::to_string(plan.patience) + " epochs";
  }
  return history.ending != optim::Ending::not_finite;
}

}  // namespace

TrainingRows TrainingRows::rows(std::span<const std::int64_t> indices) const {
  return {rows_of(x, indices), rows_of(weights, indices), rows_of(y, indices),
          rows_of(labels, indices)};
}

Stack<double> network_of(const NetworkPlan& plan, std::int64_t inputs, std::int64_t outputs,
                         Stream& stream) {
  Stack<double> network;
  for (const std::int64_t size : plan.hidden) {
    network.add(Linear<double>(inputs, size, stream)).add(activation_of(plan.activation));
    if (plan.dropout > 0) network.add(Dropout(plan.dropout, stream));
    inputs = size;
  }
  network.add(Linear<double>(inputs, outputs, stream));
  return network;
}

NetworkFit train_network(const std::string& who, const NetworkPlan& plan, const TrainingRows& all,
                         std::int64_t outputs, const NetworkLoss& loss) {
  check_plan(who, plan);
  TrainingRows rows = counted(all), held_out;
  if (plan.early_stopping) {
    const data::PartsOptions parts{.validation = plan.validation, .test = 0, .seed = plan.seed};
    const data::Parts split =
        rows.labels.empty() ? data::split_rows(rows.size(), parts)
                            : data::split_stratified(
                                  std::span(rows.labels.data(), std::size_t(rows.size())), parts);
    held_out = rows.rows(split.validation);
    rows = rows.rows(split.train);
  }
  Stream stream(plan.seed);
  NetworkFit fit;
  fit.network = Network(network_of(plan, all.x.shape()[1], outputs, stream));
  Stack<double>& network = fit.network.layers;
  const Objective objective{network, loss, plan.l2};
  train(network);
  bool is_finite = true;
  if (plan.solver == NetworkSolver::lbfgs) {
    train_in_full(plan, rows, objective, fit);
  } else {
    is_finite = train_in_batches(plan, rows, held_out, objective, fit);
  }
  eval(network);
  if (!is_finite || !std::isfinite(fit.solution.value)) {
    throw ArgumentError(who + ": the loss is not finite (" + fit.solution.reason +
                        "); scale the features (data::Standardize), or lower learning_rate");
  }
  if (!fit.solution.converged) {
    fit.warning = "the solver " + fit.solution.solver + " ended with: " + fit.solution.reason +
                  "; allow more epochs, scale the features, or change learning_rate";
  }
  return fit;
}

Array<double> outputs_of(const Network& network, const Array<double>& x) {
  const NoRecord pause;
  constexpr std::int64_t most = 512;  // so that the hidden layers of all rows need no memory
  const std::int64_t n = x.shape()[0];
  if (n <= most) return network.layers(x).array();
  Array<double> all;
  double* to = nullptr;
  for (std::int64_t first = 0; first < n; first += most) {
    const std::int64_t count = std::min(most, n - first), d = x.shape()[1];
    const std::span some(x.data() + first * d, std::size_t(count * d));
    const Array<double> part = network.layers(Array<double>(Shape{count, d}, some)).array();
    if (first == 0) {
      all = Array<double>::uninitialized({n, part.shape()[1]});
      to = all.mutate();
    }
    to = std::copy(part.begin(), part.end(), to);
  }
  return all;
}

}  // namespace ebb::inline v0::nn::detail
