// SPDX-License-Identifier: BSD-3-Clause
// How well an estimator does on rows that it has not seen, and which of its options do best:
//
//   std::cout << nn::cross_validate(nn::Ridge(), x, y, {.folds = 10, .metrics = {"r2", "mae"}});
//   auto found = nn::grid_search(nn::Ridge(), {{"l2", {0.01, 0.1, 1}}}, x, y);
//   std::cout << found << found.model.predict(x_new);
//
// Every fold has a copy of the estimator, and, of a TableModel, fits the pipeline on its own
// training rows. Folds run on several threads, and their number does not change a result.
#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "ebb/data/splits/split.hpp"
#include "ebb/data/splits/table_split.hpp"
#include "ebb/nn/models/table_model.hpp"

namespace ebb::inline v0::nn {

struct CrossValidationOptions {
  std::int64_t folds = 5;    ///< at least 2
  std::int64_t repeats = 1;  ///< how often to make the folds, each time shuffled anew
  std::uint64_t seed = 0;    ///< seeds the shuffles
  /// Folds of your own, as data::group_k_fold or data::expanding_window make them, in place of the
  /// three above. Otherwise those of a classifier have its classes in proportion.
  std::vector<data::Fold> rows = {};
  /// Metrics of the estimator by their names, as of `metric`. None: "r2", or "accuracy".
  std::vector<std::string> metrics = {};
  std::int64_t threads = 0;  ///< 0: as many as there are processors
};

/// The scores of folds.
struct CrossValidation {
  std::vector<std::string> metrics;
  Array<double> scores;               ///< (metrics, folds)
  std::vector<std::string> warnings;  ///< what each fit says; empty where all is well

  /// The mean of a metric over the folds; without a name that of the first one.
  /// @throws ArgumentError for another name.
  EBB_API double mean(const std::string& metric = "") const;
  /// Its standard deviation over the folds, whose variance is divided by folds - 1.
  EBB_API double deviation(const std::string& metric = "") const;
};
/// Prints the mean and the deviation of each metric, and the first warning.
EBB_API std::ostream& operator<<(std::ostream& out, const CrossValidation& scores);

/// A value that an option of an estimator can have; a text is the name of a choice. Of an option
/// that is a list of whole numbers, a number is a list of one.
class GridValue {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> EBB_INLINE GridValue(T number) : value_(double(number)) {}
  EBB_INLINE GridValue(const char* text) : value_(std::string(text)) {}
  EBB_INLINE GridValue(std::string text) : value_(std::move(text)) {}
  EBB_INLINE GridValue(std::vector<std::int64_t> list) : value_(std::move(list)) {}
  EBB_INLINE const std::variant<double, std::string, std::vector<std::int64_t>>& get() const {
    return value_;
  }

 private:
  std::variant<double, std::string, std::vector<std::int64_t>> value_;
};
/// An option by its name, and the values to try.
struct GridAxis {
  std::string option;
  std::vector<GridValue> values;
};

/// The scores of all combinations of options, and the model with the best ones.
template <class Estimator>
struct GridSearch {
  std::vector<std::string> options;            ///< the names
  std::vector<std::vector<GridValue>> points;  ///< the values of each combination
  std::vector<CrossValidation> scores;         ///< of each
  std::size_t best = 0;  ///< the position of the best mean of the first metric
  Estimator model;       ///< the estimator with these options, fitted on all rows
};

namespace detail {

/// True if less of a metric is better.
bool is_loss(const std::string& metric);

/// The folds and the metrics.
struct ValidationPlan {
  std::vector<data::Fold> folds;
  std::vector<std::string> metrics;
  std::int64_t threads;
};
EBB_API ValidationPlan plan_of(const CrossValidationOptions& options, const Targets& y);
EBB_API ValidationPlan plan_of(const CrossValidationOptions& options, const Labels& y);

/// The scores of one combination in one fold, which are written to `scores`; returns the warning.
using ValidationJob =
    std::function<std::string(std::size_t point, const data::Fold& fold, double* scores)>;
/// Runs all jobs. The first error, in the order of combinations and folds, is thrown.
EBB_API std::vector<CrossValidation> validate(const ValidationPlan& plan, std::size_t points,
                                              const ValidationJob& job);

/// All combinations, the last option changing fastest.
/// @throws ArgumentError for an option without a value, and for one that is there twice.
EBB_API std::vector<std::vector<GridValue>> points_of(const std::vector<GridAxis>& grid);
/// Sets an option that `each` visits.
/// @throws ArgumentError for a name that there is not, and for a value of another type.
EBB_API void set_option(const std::function<void(Fields&)>& each, const std::string& option,
                        const GridValue& value);
EBB_API std::size_t best_of(const std::vector<CrossValidation>& scores);
EBB_API void print(std::ostream& out, const std::vector<std::string>& options,
                   const std::vector<std::vector<GridValue>>& points,
                   const std::vector<CrossValidation>& scores, std::size_t best);

template <class Estimator>
EBB_INLINE void set_options(Estimator& estimator, const std::vector<GridAxis>& grid,
                            const std::vector<GridValue>& point) {
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const auto each = [&](Fields& field) EBB_LAMBDA {
      if constexpr (requires { estimator.options; }) {
        estimator.options.each(field);
      } else {
        estimator.estimator.options.each(field);  // a TableModel
      }
    };
    set_option(each, grid[i].option, point[i]);
  }
}

template <class Estimator>
EBB_INLINE const std::string& warning_of(const Estimator& estimator) {
  if constexpr (requires { estimator.warning; }) {
    return estimator.warning;
  } else {
    return estimator.estimator.warning;
  }
}

/// The scores of combinations, of arrays.
template <class Estimator>
EBB_INLINE std::vector<CrossValidation> validate(const std::vector<Estimator>& estimators,
                                                 const Features& x,
                                                 const typename Estimator::Target& y,
                                                 const CrossValidationOptions& options) {
  const ValidationPlan plan = plan_of(options, y);
  return validate(plan, estimators.size(),
                  [&](std::size_t point, const data::Fold& fold, double* scores) EBB_LAMBDA {
                    Estimator estimator = estimators[point];
                    estimator.fit(x.rows(fold.train), y.rows(fold.train));
                    const Features held_out = x.rows(fold.test);
                    const auto truth = y.rows(fold.test);
                    for (const std::string& name : plan.metrics)
                      *scores++ = estimator.metric(name, held_out, truth);
                    return warning_of(estimator);
                  });
}
/// The scores of combinations, of a table.
template <class Estimator, Real T>
EBB_INLINE std::vector<CrossValidation> validate(const std::vector<TableModel<Estimator>>& models,
                                                 const data::Table<T>& table,
                                                 const std::string& target,
                                                 const CrossValidationOptions& options) {
  typename Estimator::Target y(Array<std::int64_t>::of({}));
  read_target(table, target, y);
  const ValidationPlan plan = plan_of(options, y);
  return validate(plan, models.size(),
                  [&](std::size_t point, const data::Fold& fold, double* scores) EBB_LAMBDA {
                    TableModel<Estimator> model = models[point];
                    const auto [train, test] = data::split(table, fold);
                    model.fit(train, target);
                    for (const std::string& name : plan.metrics)
                      *scores++ = model.metric(name, test);
                    return warning_of(model);
                  });
}

template <class Estimator, class Validate, class Fit>
EBB_INLINE GridSearch<Estimator> search(const Estimator& estimator,
                                        const std::vector<GridAxis>& grid,
                                        const Validate& validate_all, const Fit& fit) {
  const auto points = points_of(grid);
  std::vector<Estimator> estimators(points.size(), estimator);
  for (std::size_t i = 0; i < points.size(); ++i) set_options(estimators[i], grid, points[i]);
  const auto scores = validate_all(estimators);
  const std::size_t best = best_of(scores);
  GridSearch<Estimator> found{{}, points, scores, best, std::move(estimators[best])};
  for (const GridAxis& axis : grid) found.options.push_back(axis.option);
  fit(found.model);
  return found;
}

}  // namespace detail

/// The scores of an estimator in each fold: fitted on its training rows, judged by the others.
/// @throws ArgumentError for options out of their ranges, and as the fits and the metrics.
template <class Estimator>
EBB_INLINE CrossValidation cross_validate(const Estimator& estimator, const Features& x,
                                          const typename Estimator::Target& y,
                                          const CrossValidationOptions& options = {}) {
  return std::move(detail::validate(std::vector<Estimator>{estimator}, x, y, options)[0]);
}
/// The scores of a model of tables, whose pipeline is fitted anew in each fold. An empty name is
/// the target of the table.
template <class Estimator, Real T>
EBB_INLINE CrossValidation cross_validate(const TableModel<Estimator>& model,
                                          const data::Table<T>& table,
                                          const std::string& target = "",
                                          const CrossValidationOptions& options = {}) {
  return std::move(
      detail::validate(std::vector<TableModel<Estimator>>{model}, table, target, options)[0]);
}

/// Tries all combinations of options, such as {{"l2", {0.01, 0.1, 1}}, {"solver", {"newton"}}}, and
/// fits the best one on all rows. Of equal ones the first is the best.
/// @throws ArgumentError for an option that there is not, and as `cross_validate`.
template <class Estimator>
EBB_INLINE GridSearch<Estimator> grid_search(const Estimator& estimator,
                                             const std::vector<GridAxis>& grid, const Features& x,
                                             const typename Estimator::Target& y,
                                             const CrossValidationOptions& options = {}) {
  return detail::search(
      estimator, grid,
      [&](const auto& all) EBB_LAMBDA { return detail::validate(all, x, y, options); },
      [&](Estimator& best) EBB_LAMBDA { best.fit(x, y); });
}
/// Tries the options of the estimator of a model of tables.
template <class Estimator, Real T>
EBB_INLINE GridSearch<TableModel<Estimator>> grid_search(
    const TableModel<Estimator>& model, const std::vector<GridAxis>& grid,
    const data::Table<T>& table, const std::string& target = "",
    const CrossValidationOptions& options = {}) {
  return detail::search(
      model, grid,
      [&](const auto& all) EBB_LAMBDA { return detail::validate(all, table, target, options); },
      [&](TableModel<Estimator>& best) EBB_LAMBDA { best.fit(table, target); });
}

/// Prints the mean and the deviation of the first metric for all combinations.
template <class Estimator>
EBB_INLINE std::ostream& operator<<(std::ostream& out, const GridSearch<Estimator>& found) {
  detail::print(out, found.options, found.points, found.scores, found.best);
  return out;
}

}  // namespace ebb::inline v0::nn
