// SPDX-License-Identifier: BSD-3-Clause
// How well scores tell two classes apart, over a whole set:
//
//   nn::RankingMetrics ranking;
//   for (const auto& [x, y] : loader) ranking.update(model(x), y);
//   std::cout << ranking.auc() << "\n";
#pragma once
#include <cstdint>
#include <vector>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0::nn {

/// Points of a curve; the first belongs to a threshold of infinity, where no row is positive.
struct RocCurve {
  std::vector<double> false_positive_rate, true_positive_rate, thresholds;
};
/// Points of a curve, by thresholds that fall; the first one has a recall of 0 and a precision
/// of 1.
struct PrecisionRecallCurve {
  std::vector<double> precision, recall, thresholds;
};

/// Keeps the scores of all rows, 8 bytes each, or 16 with weights, since the results need their
/// order. Parts that threads have gathered can be merged. Equal scores are one point of the curves,
/// as scikit-learn has it.
class EBB_API RankingMetrics {
 public:
  /// Adds scores, as logits or probabilities, and labels 0 or 1, of one shape.
  /// @throws ShapeError for shapes that differ; ArgumentError for a score that is NaN, and for a
  /// label that is neither 0 nor 1. Nothing is added then.
  template <Real T>
  void update(const Operand<T>& scores, const Operand<T>& labels);
  /// Adds rows with a weight for each, such that one of 3 counts as three rows; those of 0 are left
  /// out.
  /// @throws ArgumentError also for a weight that is negative or not finite.
  template <Real T>
  void update(const Operand<T>& scores, const Operand<T>& labels, const Operand<T>& weights);
  void merge(const RankingMetrics& other);

  std::int64_t count() const { return positives() + std::int64_t(negatives_.scores.size()); }
  std::int64_t positives() const { return std::int64_t(positives_.scores.size()); }

  /// Rates over thresholds. Those of a class that does not occur are NaN.
  RocCurve roc_curve() const;
  /// The area under it: how probably a positive has a higher score than a negative, ties as one
  /// half (Hanley and McNeil 1982). NaN where one of the classes does not occur.
  double auc() const;
  /// The recall of no positives is NaN.
  PrecisionRecallCurve precision_recall_curve() const;
  /// The sum of precision times the growth of recall, over thresholds that fall. NaN without a
  /// positive.
  double average_precision() const;

 private:
  /// The rows of one class.
  struct Rows {
    std::vector<double> scores;
    std::vector<double> weights = {};  ///< one for each, or none if all are 1
    double total = 0;

    void add(double score);
    void add(double score, double weight);
    void merge(const Rows& other);
    Rows sorted() const;  ///< the largest score first
  };
  template <Real T>
  void add_all(const Operand<T>& scores, const Operand<T>& labels, const Operand<T>* weights);
  template <class F>
  void for_each_threshold(const F& f) const;

  Rows positives_, negatives_;
};

/// The mean area under the curves of each class against the rest, for scores (n, classes) and
/// labels (n,). Classes that do not occur, or alone, are left out; NaN if that leaves none.
/// @throws ShapeError for other shapes; ArgumentError for a label that is no class, and NaN.
template <Real T>
EBB_API double one_vs_rest_auc(const Operand<T>& scores, const Array<std::int64_t>& labels);
/// With a weight for each row, (n,) or (n, 1).
template <Real T>
EBB_API double one_vs_rest_auc(const Operand<T>& scores, const Array<std::int64_t>& labels,
                               const Operand<T>& weights);

}  // namespace ebb::inline v0::nn
