// SPDX-License-Identifier: BSD-3-Clause
// What all classifiers have, linear ones and networks: classes, predictions, scores.
#pragma once
#include "ebb/autodiff/parts.hpp"
#include "ebb/nn/models/estimators/inputs.hpp"
#include "ebb/nn/models/estimators/solution.hpp"

namespace ebb::inline v0::nn {

/// What all classifiers have.
class EBB_API Classifier {
 public:
  using Target = Labels;
  virtual ~Classifier();

  /// What `predict` says, ascending: the numbers of the fit, or 0, 1, ... for words.
  Array<std::int64_t> classes;
  /// The words of the fit in the order of their bytes, or the numbers as texts.
  std::vector<std::string> class_names;
  Solution solution;    ///< how the fit ended
  std::string warning;  ///< empty, or what is wrong with the fit

  virtual std::string name() const = 0;
  virtual bool is_fitted() const = 0;
  /// Whether decisions are logits, so that there are probabilities.
  virtual bool has_probabilities() const;

  /// Fits rows x (n, d) and classes y (n,), and forgets an earlier fit. One that did not come to
  /// an end says so in `warning`.
  /// @throws ShapeError for shapes that do not fit; ArgumentError for options out of their ranges,
  /// for numbers that are not finite, and for one class alone.
  void fit(const Features& x, const Labels& y, const RowOptions& options = {});
  /// The class of each row (n,).
  /// @throws ArgumentError before a fit, and for NaN; ShapeError for another number of features.
  Array<std::int64_t> predict(const Features& x) const;
  /// The class of each row by its name.
  std::vector<std::string> predict_words(const Features& x) const;
  /// (n,) for two classes, where numbers above 0 say the second one; (n, classes) for more, where
  /// the largest says the class. Those of a linear classifier are x w + intercept, and those of a
  /// network its outputs.
  Array<double> decision_function(const Features& x) const;
  /// The part of the rows whose class is predicted.
  /// @throws ArgumentError and ShapeError as `fit` and `predict`. A class that the fit did not have
  /// counts as an error of the model.
  double score(const Features& x, const Labels& y, const RowOptions& options = {}) const;
  /// A number of the classification by its name: "accuracy", "balanced_accuracy", "precision",
  /// "recall" and "f1" (of the second of two classes, or the mean over more), "kappa", "matthews",
  /// "auc" (of two classes, or the mean of each against the rest), and, where the model has
  /// probabilities, "log_loss", "brier_score" and "calibration_error".
  /// @throws ArgumentError for another name, for classes that the fit did not have, and as `score`.
  double metric(const std::string& metric, const Features& x, const Labels& y) const;

 protected:
  Classifier();
  Classifier(const Classifier&);
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(const Classifier&);
  Classifier& operator=(Classifier&&) noexcept;
  /// How much each class counts beside the rows: that of `balanced`, or a list.
  struct ClassWeights {
    bool balanced;
    const std::vector<double>& list;
  };
  virtual ClassWeights class_weights() const = 0;
  /// Fits rows that were checked, with weights that add up to 1, to positions in `classes`; sets
  /// `solution` and `warning`. After an error the earlier fit is there.
  virtual void learn(const Features& x, const Array<double>& weights,
                     const Array<std::int64_t>& positions) = 0;
  virtual Array<double> decisions(const Features& x) const = 0;
  void each_class(Parts& part);

 private:
  Array<std::int64_t> learn_classes(const Labels& y);
  /// Multiplies weights of rows by those of their classes, and makes them add up to 1.
  void weigh_classes(Array<double>& weights, const Array<std::int64_t>& positions) const;
  /// The position of each label in `classes`; -1 for others.
  Array<std::int64_t> positions_of(const Labels& y) const;
  Array<std::int64_t> predicted_positions(const Features& x) const;
};

namespace detail {

/// The probabilities (n, classes) of decisions that are logits: by the logistic function (n,), or
/// the softmax (n, classes).
Array<double> probabilities_of(const Array<double>& decisions);
/// The sum of the weights of each class.
std::vector<double> totals_of(const Array<double>& weights, const Array<std::int64_t>& positions,
                              std::int64_t classes);
/// 1 where a row has this class, and `other` elsewhere.
Array<double> indicator(const Array<std::int64_t>& positions, std::int64_t position, double other);

}  // namespace detail
}  // namespace ebb::inline v0::nn
