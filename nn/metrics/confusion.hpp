// SPDX-License-Identifier: BSD-3-Clause
// How often each class is predicted for each, over a whole set, and what follows from it:
//
//   nn::ConfusionMatrix confusion(3);
//   for (const auto& [x, labels] : loader) confusion.update(nn::predicted_labels(model(x)),
//   labels); std::cout << confusion.accuracy() << "\n" << confusion.report({"setosa", "other",
//   "virginica"});
#pragma once
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/fields.hpp"

namespace ebb::inline v0::nn {

/// The labels that logits say: of (n, classes) the position of the largest in each row, the first
/// of equals; of (n,) or (n, 1) 1 above `threshold`, else 0.
/// @throws ShapeError for other shapes; ArgumentError for a logit that is NaN.
template <Real T>
EBB_API Array<std::int64_t> predicted_labels(const Operand<T>& logits, double threshold = 0);

/// How the scores of classes become one.
enum class Average {
  binary,    ///< that of class 1, of two
  macro,     ///< their mean, over the classes that occur
  weighted,  ///< their mean, weighted by how often each is true
  micro,     ///< that of all decisions together
};

/// Counts of true classes (rows) and predicted ones (columns). Parts that threads have gathered can
/// be merged. Definitions, and 0 for 0 / 0, are scikit-learn's; without a row every number is NaN.
class EBB_API ConfusionMatrix {
 public:
  /// @throws ArgumentError for less than two classes.
  explicit ConfusionMatrix(std::int64_t classes);

  /// Adds labels 0 ... classes - 1, (n,) or any other equal shapes.
  /// @throws ShapeError for shapes that differ; ArgumentError for a label that is no class. Nothing
  /// is added then.
  void update(const Array<std::int64_t>& predicted, const Array<std::int64_t>& actual);
  /// Adds labels with a weight for each, such that one of 3 counts as three rows.
  /// @throws ArgumentError also for a weight that is negative or not finite.
  template <Real T>
  void update(const Array<std::int64_t>& predicted, const Array<std::int64_t>& actual,
              const Operand<T>& weights);
  /// @throws ArgumentError for another number of classes.
  void merge(const ConfusionMatrix& other);

  std::int64_t classes() const { return classes_; }
  std::int64_t count() const;  ///< of rows, whatever their weights
  /// (classes, classes): how often row was true and column predicted.
  Array<std::int64_t> counts() const;
  /// (classes, classes): the weights of those rows, of which all scores are made.
  Array<double> weights() const;

  double accuracy() const;
  /// The mean recall of the classes that are true at least once.
  double balanced_accuracy() const;
  /// Right predictions of a class / its predictions, / its occurrences; and right denials of it /
  /// occurrences of other classes.
  double precision(std::int64_t label) const;
  double recall(std::int64_t label) const;
  double specificity(std::int64_t label) const;
  /// (1 + beta^2) precision recall / (beta^2 precision + recall).
  double f_beta(std::int64_t label, double beta) const;
  double f1(std::int64_t label) const { return f_beta(label, 1); }
  /// Over the classes. @throws ArgumentError for `binary` unless there are two.
  double precision(Average average) const;
  double recall(Average average) const;
  double f_beta(Average average, double beta) const;
  double f1(Average average) const { return f_beta(average, 1); }
  /// Cohen's kappa (1960): agreement beyond what chance gives.
  double kappa() const;
  /// The correlation of Matthews (1975), for several classes as Gorodkin (2004) has it.
  double matthews() const;

  /// A table with precision, recall, F1 and occurrences of each class, and their averages.
  /// @throws ArgumentError unless there is a name for each class, or none.
  std::string report(const std::vector<std::string>& names = {}) const;

  /// Visits the counts and the weights.
  void each(Fields& field);

 private:
  double at(std::int64_t actual, std::int64_t predicted) const {
    return weights_[std::size_t(actual * classes_ + predicted)];
  }
  double total() const;
  void check_labels(const Array<std::int64_t>& predicted, const Array<std::int64_t>& actual) const;
  double actual(std::int64_t label) const;     ///< how often a class is true
  double predicted(std::int64_t label) const;  ///< how often it is predicted
  void check_label(std::int64_t label) const;
  template <class F>
  double averaged(Average average, const F& score) const;

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
  std::vector<double> weights_;  ///< whole numbers without weights, whose sums are exact
};

/// Prints the report.
EBB_API std::ostream& operator<<(std::ostream& out, const ConfusionMatrix& confusion);

}  // namespace ebb::inline v0::nn
