// SPDX-License-Identifier: BSD-3-Clause
// Linear classifiers in one call:
//
//   nn::LogisticRegression model({.l2 = 0.01});
//   model.fit(x, species);                          // words, whole numbers or truth values
//   std::cout << model.predict_words(x_new)[0] << " " << model.predict_proba(x_new) << "\n";
//
// All minimise the mean loss of the rows with a penalty on the coefficients w, and none on the
// intercepts:
//
//   sum_i s_i loss_i / sum_i s_i + l1 sum |w| + l2 / 2 sum w^2
//
// where s_i is the weight of a row, or 1, times that of its class. All is computed in double.
// Features are taken as they are: a penalty knows no units, so scale them before
// (data::Standardize). docs/estimators.md has a table of the penalties of scikit-learn.
#pragma once
#include "ebb/autodiff/parts.hpp"
#include "ebb/nn/models/estimators/inputs.hpp"
#include "ebb/nn/models/estimators/solution.hpp"

namespace ebb::inline v0::nn {

namespace detail {
struct LinearProblem;
struct LinearSolution;
}  // namespace detail

/// What all linear classifiers have.
class EBB_API LinearClassifier {
 public:
  using Target = Labels;
  virtual ~LinearClassifier();

  /// (1, d) for two classes, whose larger values speak for the second one; (classes, d) for more.
  /// Empty before a fit.
  Array<double> coefficients;
  Array<double> intercept;  ///< (1,) or (classes,)
  /// What `predict` says, ascending: the numbers of the fit, or 0, 1, ... for words.
  Array<std::int64_t> classes;
  /// The words of the fit in the order of their bytes, or the numbers as texts.
  std::vector<std::string> class_names;
  Solution solution;    ///< how the solver ended
  std::string warning;  ///< empty, or what is wrong with the fit

  virtual std::string name() const = 0;
  EBB_INLINE bool is_fitted() const { return !coefficients.empty(); }

  /// Fits rows x (n, d) and classes y (n,), and forgets an earlier fit. One that did not come to
  /// the minimum says so in `warning`.
  /// @throws ShapeError for shapes that do not fit; ArgumentError for options out of their ranges,
  /// for numbers that are not finite, and for one class alone.
  void fit(const Features& x, const Labels& y, const RowOptions& options = {});
  /// The class of each row (n,).
  /// @throws ArgumentError before a fit, and for NaN; ShapeError for another number of features.
  Array<std::int64_t> predict(const Features& x) const;
  /// The class of each row by its name.
  std::vector<std::string> predict_words(const Features& x) const;
  /// x w + intercept: (n,) for two classes, where numbers above 0 say the second one; (n, classes)
  /// for more, where the largest says the class.
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
  LinearClassifier();
  LinearClassifier(const LinearClassifier&);
  LinearClassifier(LinearClassifier&&) noexcept;
  LinearClassifier& operator=(const LinearClassifier&);
  LinearClassifier& operator=(LinearClassifier&&) noexcept;
  virtual detail::LinearProblem problem() const = 0;
  /// How much each class counts beside the rows: that of `balanced`, or a list.
  struct ClassWeights {
    bool balanced;
    const std::vector<double>& list;
  };
  virtual ClassWeights class_weights() const = 0;
  virtual detail::LinearSolution solve(const detail::LinearProblem& problem,
                                       const Array<std::int64_t>& positions) = 0;
  virtual bool has_probabilities() const;
  /// The probabilities (n, classes) of decisions.
  Array<double> probabilities(const Features& x) const;
  void each_fitted(Parts& part);

 private:
  Array<std::int64_t> learn_classes(const Labels& y);
  /// Multiplies weights of rows by those of their classes, and makes them add up to 1.
  void weigh_classes(Array<double>& weights, const Array<std::int64_t>& positions) const;
  /// The position of each label in `classes`; -1 for others.
  Array<std::int64_t> positions_of(const Labels& y) const;
  Array<std::int64_t> predicted_positions(const Features& x) const;
};

struct LogisticRegressionOptions {
  double l1 = 0;     ///< at least 0
  double l2 = 1e-3;  ///< at least 0; some keeps coefficients finite where a plane separates classes
  /// Each class counts as much as any other: its rows have the weight n / (classes n_class).
  bool balanced = false;
  /// A weight for each class, in the order of `classes`, above 0. Empty: 1 for all.
  std::vector<double> class_weight = {};
  bool intercept = true;
  Solver solver = Solver::automatic;
  double tolerance = 1e-8;  ///< above 0: of the norm of the gradient
  std::int64_t iterations = 1000;

  void each(Fields& field);
};

/// Logistic regression. The loss is -log p(class). For two classes p is the logistic function of
/// x w + intercept, for more the softmax of one such number for each class, whose intercepts add up
/// to 0, as do the coefficients of a feature without l1.
class EBB_API LogisticRegression : public LinearClassifier {
 public:
  LogisticRegressionOptions options;
  explicit LogisticRegression(LogisticRegressionOptions given = {});
  std::string name() const override;
  /// The probabilities of the classes (n, classes).
  /// @throws ArgumentError and ShapeError as `predict`.
  EBB_INLINE Array<double> predict_proba(const Features& x) const { return probabilities(x); }
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  ClassWeights class_weights() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<std::int64_t>& positions) override;
  bool has_probabilities() const override;
};

struct LinearSVMOptions {
  double l2 = 1e-3;       ///< at least 0
  bool balanced = false;  ///< as of logistic regression
  std::vector<double> class_weight = {};
  bool intercept = true;
  Solver solver = Solver::automatic;
  double tolerance = 1e-8;  ///< above 0: of the norm of the gradient
  std::int64_t iterations = 1000;

  void each(Fields& field);
};

/// A linear support vector machine with the squared hinge loss, max(0, 1 - t (x w + intercept))^2
/// with t = 1 for the second class and -1 for the first. Of more than two classes each is told
/// apart from all others.
class EBB_API LinearSVM : public LinearClassifier {
 public:
  LinearSVMOptions options;
  explicit LinearSVM(LinearSVMOptions given = {});
  std::string name() const override;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  ClassWeights class_weights() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<std::int64_t>& positions) override;
};

}  // namespace ebb::inline v0::nn
