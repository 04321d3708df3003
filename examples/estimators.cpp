// SPDX-License-Identifier: BSD-3-Clause
// Linear models in one call: regressions on the diabetes data, with clean and with wild targets;
// logistic regression and a support vector machine on the breast cancer data, with their ROC curves
// and the calibration of the probabilities; softmax regression on the iris data. Options are chosen
// by cross-validation. --pictures FOLDER draws.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;

namespace {

using Table = data::Table<double>;

/// The same table with a tenth of its targets far too high.
Table with_wild_targets(const Table& table, std::uint64_t seed) {
  Stream stream(seed);
  auto targets = table.column("progression");
  for (double& e : std::span(targets.mutate(), std::size_t(targets.size())))
    if (stream.uniform() < 0.1) e += 1000;
  return table.with("progression", targets).with_target("progression");
}

/// What becomes of one estimator.
struct Judged {
  std::string word, name, options, solver, warning;
  std::vector<std::string> features;
  Array<double> coefficients;
  double rmse, r2, r2_wild;
};

/// Chooses options on clean rows by cross-validation, fits clean and wild ones, and judges both by
/// clean rows that were not seen.
template <class Estimator>
Judged judged(const char* word, const Estimator& estimator, const std::vector<nn::GridAxis>& grid,
              const data::TableParts<double>& parts, std::uint64_t seed) {
  // With squares and products, which are many for so few rows.
  const data::Pipeline pipeline{data::Standardize(), data::Polynomial(), data::Standardize()};
  const auto found =
      nn::grid_search(nn::TableModel<Estimator>(estimator, pipeline), grid, parts.train, "",
                      {.folds = 10, .seed = seed, .metrics = {"rmse"}});
  auto wild = found.model;
  wild.fit(with_wild_targets(parts.train, seed));
  std::string options;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    options += found.options[i] + " " +
               ebb::detail::to_text(std::get<double>(found.points[found.best][i].get())) + " ";
  }
  const auto& model = found.model.estimator;
  return {word,
          model.name(),
          options,
          model.solution.solver,
          model.warning,
          found.model.features(),
          model.coefficients,
          found.scores[found.best].mean(),
          found.model.score(parts.test),
          wild.score(parts.test)};
}

void regressions(const std::string& folder, const std::string& pictures, std::uint64_t seed) {
  const auto table = data::read_csv<double>(folder + "/diabetes.csv").with_target("progression");
  const auto parts =
      data::split(table, data::split_rows(table.rows(), {.test = 0.25, .seed = seed}));
  const std::vector<nn::GridValue> l1{0.1, 0.3, 1, 3, 10}, l2{0.001, 0.01, 0.1, 1, 10};
  const Judged all[] = {
      judged("squares", nn::LinearRegression(), {}, parts, seed),
      judged("ridge", nn::Ridge(), {{"l2", l2}}, parts, seed),
      judged("lasso", nn::Lasso(), {{"l1", l1}}, parts, seed),
      judged("elastic_net", nn::ElasticNet(), {{"l1", l1}, {"l2", l2}}, parts, seed),
      judged("huber", nn::HuberRegressor(), {{"l2", l2}}, parts, seed)};
  std::printf("Progression of diabetes from ten measurements, their squares and products\n");
  std::printf("%-16s %-16s %6s %8s %8s %10s  %s\n", "estimator", "options", "zeros", "rmse", "R2",
              "R2, wild", "solver");
  for (const Judged& one : all) {
    std::printf("%-16s %-16s %6lld %8.3f %8.4f %10.4f  %s\n", one.name.c_str(), one.options.c_str(),
                static_cast<long long>(count_nonzero(one.coefficients == 0.0)), one.rmse, one.r2,
                one.r2_wild, one.solver.c_str());
  }
  for (const Judged& one : all) {
    const char* const word = one.word.c_str();
    std::printf("%s_zeros %lld\n%s_rmse %.6f\n%s_r2 %.6f\n%s_r2_wild %.6f\n", word,
                static_cast<long long>(count_nonzero(one.coefficients == 0.0)), word, one.rmse,
                word, one.r2, word, one.r2_wild);
    if (!one.warning.empty()) std::printf("warning: %s\n", one.warning.c_str());
  }

  // Those that the lasso keeps.
  plot::Bars bars;
  const Judged& lasso = all[2];
  for (std::size_t j = 0; j < lasso.features.size(); ++j)
    if (lasso.coefficients[std::int64_t(j)] != 0) bars.categories.push_back(lasso.features[j]);
  for (const Judged& one : all) {
    std::vector<double> values;
    for (std::int64_t j = 0; j < one.coefficients.size(); ++j)
      if (lasso.coefficients[j] != 0) values.push_back(one.coefficients[j]);
    if (one.word != "squares") bars.series.push_back({.name = one.name, .values = values});
  }
  example::draw(pictures, "coefficients.svg",
                plot::Figure{.title = "Coefficients of the features that the lasso keeps",
                             .y = {.label = "coefficient"},
                             .bars = bars});
}

/// The points of the ROC curve of a model on rows that it has not seen.
plot::Curve roc(const char* word, const char* name, const nn::LinearClassifier& model,
                const Array<double>& x, const Array<double>& y) {
  nn::RankingMetrics ranking;
  ranking.update<double>(model.decision_function(x), y);
  std::printf("%s_auc %.6f\n%s_accuracy %.6f\n", word, ranking.auc(), word, model.score(x, y));
  const auto curve = ranking.roc_curve();
  return {.name = name, .x = curve.false_positive_rate, .y = curve.true_positive_rate};
}

void tumours(const std::string& folder, const std::string& pictures, std::uint64_t seed) {
  const auto table = data::read_csv<double>(folder + "/breast_cancer.csv").with_target("benign");
  const auto labels = table.labels("benign");
  const std::span classes(labels.data(), std::size_t(labels.size()));
  const auto parts =
      data::split(table, data::split_stratified(classes, {.test = 0.4, .seed = seed}));
  data::Pipeline pipeline{data::Standardize()};
  const auto train = pipeline.fit_transform(parts.train).split_target();
  const auto test = pipeline.transform(parts.test).split_target();
  const Array<double> y = squeeze(test.y, {1}).array();

  const auto chosen = nn::grid_search(nn::TableModel(nn::LogisticRegression()),
                                      {{"l1", {0, 0.01}}, {"l2", {1e-4, 1e-3, 1e-2, 1e-1}}},
                                      parts.train, "", {.seed = seed, .metrics = {"log_loss"}});
  std::cout << "\nBenign tumours: log-loss by options of the logistic regression\n" << chosen;
  nn::LogisticRegression logistic(chosen.model.estimator.options);
  nn::LinearSVM svm({.l2 = 0.01});
  logistic.fit(train.x, train.y);
  svm.fit(train.x, train.y);

  const std::vector<plot::Curve> curves{roc("logistic", "logistic regression", logistic, test.x, y),
                                        roc("svm", "support vector machine", svm, test.x, y)};
  nn::ProbabilityMetrics probabilities(5);
  probabilities.update<double>(sigmoid(logistic.decision_function(test.x)), y);
  std::printf("logistic_log_loss %.6f\nlogistic_calibration_error %.6f\n", probabilities.log_loss(),
              probabilities.calibration_error());
  std::printf("%10s %10s %6s\n", "predicted", "happened", "rows");
  std::vector<double> predicted, happened;
  for (const auto& bin : probabilities.calibration_curve()) {
    if (bin.count == 0) continue;
    std::printf("%10.4f %10.4f %6lld\n", bin.predicted, bin.happened,
                static_cast<long long>(bin.count));
    predicted.push_back(bin.predicted);
    happened.push_back(bin.happened);
  }
  example::draw(
      pictures, "tumours.svg",
      plot::Panels{.columns = 2,
                   .figures = {{.title = "ROC curves on new rows",
                                .x = {.label = "false positive rate", .min = -0.01, .max = 0.3},
                                .y = {.label = "true positive rate", .min = 0.7, .max = 1.01},
                                .curves = curves},
                               {.title = "Calibration of the logistic regression",
                                .x = {.label = "predicted", .min = 0, .max = 1},
                                .y = {.label = "happened", .min = 0, .max = 1},
                                .curves = {{.name = "bins of rows",
                                            .x = predicted,
                                            .y = happened,
                                            .style = plot::Style::both},
                                           {.name = "perfect", .x = {0, 1}, .y = {0, 1}}}}}});
}

void irises(const std::string& folder, const std::string& pictures, std::uint64_t seed) {
  const auto table = data::read_csv<double>(folder + "/iris.csv").with_target("species");
  nn::TableModel model{nn::LogisticRegression({.l2 = 1e-3})};
  const auto scores = nn::cross_validate(
      model, table, "", {.folds = 10, .seed = seed, .metrics = {"accuracy", "log_loss", "f1"}});
  model.fit(table);
  std::cout << "\nThree species of iris by softmax regression\n" << scores;
  std::printf("%-14s", "");
  for (const std::string& name : model.features()) std::printf(" %12s", name.c_str());
  for (std::int64_t k = 0; k < 3; ++k) {
    std::printf("\n%-14s", model.estimator.class_names[std::size_t(k)].c_str());
    for (std::int64_t j = 0; j < 4; ++j) std::printf(" %12.4f", model.estimator.coefficients(k, j));
  }
  std::printf("\niris_accuracy %.6f\niris_log_loss %.6f\niris_training_accuracy %.6f\n",
              scores.mean(), scores.mean("log_loss"), model.score(table));

  // By the petals alone, which a plane can show.
  nn::TableModel petals{nn::LogisticRegression({.l2 = 1e-3})};
  const auto measured = table.select({"petal_length", "petal_width", "species"});
  petals.fit(measured);
  std::printf("petals_training_accuracy %.6f\n", petals.score(measured));
  if (pictures.empty()) return;
  const auto lengths = Array<double>::linspace(0.5, 7.5, 141);
  const auto widths = Array<double>::linspace(0, 2.8, 113);
  auto plane = Array<double>::uninitialized({widths.size() * lengths.size(), 2});
  double* to = plane.mutate();
  for (const double width : widths) {
    for (const double length : lengths) *to++ = length, *to++ = width;
  }
  const Table grid({{"petal_length"}, {"petal_width"}}, plane);
  const auto p = petals.predict_proba(grid);
  auto middle = Array<double>::uninitialized({widths.size(), lengths.size()});
  for (std::int64_t i = 0; i < middle.size(); ++i) middle.mutate()[i] = p(i, 1);
  std::vector<plot::Curve> species;
  for (std::int64_t k = 0; k < 3; ++k) {
    const auto rows = table.filter(table.labels("species") == k);
    species.push_back({.name = table.levels("species")[std::size_t(k)],
                       .x = rows.column("petal_length"),
                       .y = rows.column("petal_width"),
                       .style = plot::Style::points});
  }
  example::draw(pictures, "iris.svg",
                plot::Figure{.title = "Three species of iris by their petals",
                             .x = {.label = "length", .unit = "cm"},
                             .y = {.label = "width", .unit = "cm"},
                             .heat = {.x = lengths,
                                      .y = widths,
                                      .values = middle,
                                      .label = "probability of versicolor"},
                             .curves = species});
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = EBB_EXAMPLE_DATA, pictures;
  std::uint64_t seed = 0;
  CLI::App app("Linear models in one call");
  app.add_option("--data", folder, "The folder with the CSV files")->capture_default_str();
  app.add_option("--pictures", pictures, "The folder for pictures");
  app.add_option("--seed", seed, "Seed of splits, folds and wild targets")->capture_default_str();
  return example::parse_and_run(app, argc, argv, [&] {
    regressions(folder, pictures, seed);
    tumours(folder, pictures, seed);
    irises(folder, pictures, seed);
  });
}
