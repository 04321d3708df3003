// SPDX-License-Identifier: BSD-3-Clause
// Estimators of tables, from the columns of a file to predictions:
//
//   nn::TableModel model{nn::LogisticRegression({.l2 = 0.01})};
//   model.fit(train, "species");
//   std::cout << model.predict(test)[0] << " " << model.score(test) << "\n";
#pragma once
#include <concepts>
#include <type_traits>
#include <utility>

#include "ebb/autodiff/parts.hpp"
#include "ebb/data/tables/table.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/nn/models/estimators/inputs.hpp"

namespace ebb::inline v0::nn {

namespace detail {

/// The target of the rows. An empty name is the target of the table.
/// @throws ArgumentError if it is not there, and where it is missing.
template <Real T>
EBB_API void read_target(const data::Table<T>& table, const std::string& name, Targets& to);
template <Real T>
EBB_API void read_target(const data::Table<T>& table, const std::string& name, Labels& to);

/// The way from the rows of a table to features and targets.
class EBB_API TableRoad {
 public:
  TableRoad();
  explicit TableRoad(data::Pipeline pipeline);
  /// One that was fitted before.
  TableRoad(data::Pipeline fitted, std::string target, std::vector<std::string> names);
  TableRoad(const TableRoad&);
  TableRoad(TableRoad&&) noexcept;
  TableRoad& operator=(const TableRoad&);
  TableRoad& operator=(TableRoad&&) noexcept;
  ~TableRoad();

  /// Learns from these rows, and gives their features. An empty name is the target of the table.
  template <Real T>
  Features fit(const data::Table<T>& training, const std::string& target);
  template <Real T>
  Features features(const data::Table<T>& table) const;

  EBB_INLINE const data::Pipeline& pipeline() const { return pipeline_; }
  EBB_INLINE const std::string& target() const { return target_; }
  EBB_INLINE const std::vector<std::string>& names() const { return names_; }
  void each(Parts& part);

 private:
  data::Pipeline pipeline_;
  bool is_own_ = false;  ///< whether the pipeline was given
  std::string target_;
  std::vector<std::string> names_;
};

}  // namespace detail

/// An estimator with the pipeline that makes its features. Without one of your own, missing numbers
/// are imputed by their mean and all numbers standardised, and categories become columns of 0 and
/// 1, all 0 where the category is missing or new. The pipeline learns from the rows of `fit` alone,
/// and is kept. The target is left alone: classes are its words.
template <class Estimator>
class TableModel {
 public:
  /// As many words or numbers as rows.
  using Predictions = std::conditional_t<std::same_as<typename Estimator::Target, Labels>,
                                         std::vector<std::string>, Array<double>>;

  Estimator estimator;

  EBB_INLINE explicit TableModel(Estimator given = Estimator()) : estimator(std::move(given)) {}
  EBB_INLINE TableModel(Estimator given, data::Pipeline pipeline)
      : estimator(std::move(given)), road_(std::move(pipeline)) {}
  /// A fitted estimator with its road.
  EBB_INLINE TableModel(Estimator given, detail::TableRoad road)
      : estimator(std::move(given)), road_(std::move(road)) {}

  /// Fits the pipeline and the estimator. Without a name it is the target of the table
  /// (`Table::with_target`).
  /// @throws ArgumentError for a column that is not there, for rows without a target, for held-out
  /// rows, and as the fits of the pipeline and of the estimator.
  template <Real T>
  EBB_INLINE void fit(const data::Table<T>& training, const std::string& target = "",
                      const RowOptions& options = {}) {
    auto road = road_;
    const Features x = road.fit(training, target);
    estimator.fit(x, targets(road, training), options);
    road_ = std::move(road);
  }
  /// The predictions of rows, with or without a column of the target: numbers (n,), or words.
  /// @throws ArgumentError before a fit, and as the pipeline.
  template <Real T>
  EBB_INLINE Predictions predict(const data::Table<T>& table) const {
    if constexpr (std::same_as<typename Estimator::Target, Labels>) {
      return estimator.predict_words(road_.features(table));
    } else {
      return estimator.predict(road_.features(table));
    }
  }
  /// The probabilities (n, classes) of a classifier that has them, in the order of
  /// `estimator.class_names`.
  template <Real T>
  EBB_INLINE Array<double> predict_proba(const data::Table<T>& table) const {
    return estimator.predict_proba(road_.features(table));
  }
  /// The score of the estimator: R2, or the part of the classes that are right.
  /// @throws ArgumentError for a table without the target, and as `predict`.
  template <Real T>
  EBB_INLINE double score(const data::Table<T>& table, const RowOptions& options = {}) const {
    return estimator.score(road_.features(table), targets(road_, table), options);
  }
  /// A metric of the estimator by its name.
  template <Real T>
  EBB_INLINE double metric(const std::string& metric, const data::Table<T>& table) const {
    return estimator.metric(metric, road_.features(table), targets(road_, table));
  }

  /// The names of the features, which are those of the coefficients.
  EBB_INLINE const std::vector<std::string>& features() const { return road_.names(); }
  EBB_INLINE const std::string& target() const { return road_.target(); }
  /// The pipeline, fitted after `fit`.
  EBB_INLINE const data::Pipeline& pipeline() const { return road_.pipeline(); }

  /// Visits the estimator and the fitted pipeline.
  EBB_INLINE void each(Parts& part) {
    part("estimator", estimator);
    part("table", road_);
  }

 private:
  template <Real T>
  EBB_INLINE static typename Estimator::Target targets(const detail::TableRoad& road,
                                                       const data::Table<T>& table) {
    typename Estimator::Target y(Array<std::int64_t>::of({}));
    detail::read_target(table, road.target(), y);
    return y;
  }

  detail::TableRoad road_;
};

}  // namespace ebb::inline v0::nn
