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
#include "ebb/nn/models/estimators/classifier.hpp"

namespace ebb::inline v0::nn {

namespace detail {
struct LinearProblem;
struct LinearSolution;
}  // namespace detail

/// What all linear classifiers have.
class EBB_API LinearClassifier : public Classifier {
 public:
  ~LinearClassifier() override;

  /// (1, d) for two classes, whose larger values speak for the second one; (classes, d) for more.
  /// Empty before a fit.
  Array<double> coefficients;
  Array<double> intercept;  ///< (1,) or (classes,)

  bool is_fitted() const override;

 protected:
  LinearClassifier();
  LinearClassifier(const LinearClassifier&);
  LinearClassifier(LinearClassifier&&) noexcept;
  LinearClassifier& operator=(const LinearClassifier&);
  LinearClassifier& operator=(LinearClassifier&&) noexcept;
  virtual detail::LinearProblem problem() const = 0;
  virtual detail::LinearSolution solve(const detail::LinearProblem& problem,
                                       const Array<std::int64_t>& positions) = 0;
  void learn(const Features& x, const Array<double>& weights,
             const Array<std::int64_t>& positions) override;
  Array<double> decisions(const Features& x) const override;
  void each_fitted(Parts& part);
};

struct EBB_API LogisticRegressionOptions {
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
  bool has_probabilities() const override;
  /// The probabilities of the classes (n, classes).
  /// @throws ArgumentError and ShapeError as `predict`.
  Array<double> predict_proba(const Features& x) const;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  ClassWeights class_weights() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<std::int64_t>& positions) override;
};

struct EBB_API LinearSVMOptions {
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
