// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/metrics/confusion.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <ostream>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/nn/metrics/row_weights.hpp"

namespace ebb::inline v0::nn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

}  // namespace

template <Real T>
Array<std::int64_t> predicted_labels(const Operand<T>& logits, double threshold) {
  const Array<T> x = ebb::detail::Access::as_tensor(logits, "predicted_labels").array();
  const Shape& shape = x.shape();
  if (shape.rank() != 1 && shape.rank() != 2) {
    throw ShapeError("predicted_labels: logits must be (n,), (n, 1) or (n, classes), not " +
                     to_string(shape));
  }
  const std::int64_t n = shape[0], classes = shape.rank() == 2 ? shape[1] : 1;
  if (classes == 0) throw ShapeError("predicted_labels: there is no class in " + to_string(shape));
  auto labels = Array<std::int64_t>::uninitialized({n});
  std::int64_t* const to = labels.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    const T* const row = x.data() + i * classes;
    if (std::any_of(row, row + classes, [](T e) { return std::isnan(e); }))
      throw ArgumentError("predicted_labels: row " + std::to_string(i) +
                          " has a logit that is NaN");
    to[i] = classes == 1 ? (double(row[0]) > threshold ? 1 : 0)
                         : std::max_element(row, row + classes) - row;
  }
  return labels;
}
EBB_FOR_REALS(predicted_labels)

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  if (classes < 2) {
    throw ArgumentError("ConfusionMatrix: there must be at least 2 classes, not " +
                        std::to_string(classes));
  }
  counts_.resize(std::size_t(classes * classes));
  weights_.resize(counts_.size());
}

void ConfusionMatrix::check_label(std::int64_t label) const {
  if (label >= 0 && label < classes_) return;
  throw ArgumentError("ConfusionMatrix: there is no class " + std::to_string(label) + " of " +
                      std::to_string(classes_));
}

void ConfusionMatrix::check_labels(const Array<std::int64_t>& predicted,
                                   const Array<std::int64_t>& actual) const {
  if (!(predicted.shape() == actual.shape())) {
    throw ShapeError(
        "ConfusionMatrix: the shapes of predicted and actual labels must be equal, not " +
        to_string(predicted.shape()) + " and " + to_string(actual.shape()));
  }
  for (const std::int64_t label : predicted) check_label(label);
  for (const std::int64_t label : actual) check_label(label);
}

void ConfusionMatrix::update(const Array<std::int64_t>& predicted,
                             const Array<std::int64_t>& actual) {
  check_labels(predicted, actual);
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const auto at = std::size_t(actual.data()[i] * classes_ + predicted.data()[i]);
    ++counts_[at];
    ++weights_[at];
  }
}

template <Real T>
void ConfusionMatrix::update(const Array<std::int64_t>& predicted,
                             const Array<std::int64_t>& actual, const Operand<T>& weights) {
  check_labels(predicted, actual);
  const Array<T> w = detail::row_weights("ConfusionMatrix", weights, actual.shape());
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const auto at = std::size_t(actual.data()[i] * classes_ + predicted.data()[i]);
    ++counts_[at];
    weights_[at] += double(w.data()[i]);
  }
}
template EBB_API void ConfusionMatrix::update(const Array<std::int64_t>&,
                                              const Array<std::int64_t>&, const Operand<float>&);
template EBB_API void ConfusionMatrix::update(const Array<std::int64_t>&,
                                              const Array<std::int64_t>&, const Operand<double>&);

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  if (other.classes_ != classes_) {
    throw ArgumentError("ConfusionMatrix: one of " + std::to_string(classes_) +
                        " classes and one of " + std::to_string(other.classes_) +
                        " cannot be merged");
  }
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
    weights_[i] += other.weights_[i];
  }
}

std::int64_t ConfusionMatrix::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t(0));
}
Array<std::int64_t> ConfusionMatrix::counts() const {
  return Array<std::int64_t>(Shape{classes_, classes_}, std::span<const std::int64_t>(counts_));
}
Array<double> ConfusionMatrix::weights() const {
  return Array<double>(Shape{classes_, classes_}, std::span<const double>(weights_));
}
double ConfusionMatrix::total() const {
  return std::accumulate(weights_.begin(), weights_.end(), 0.0);
}

double ConfusionMatrix::actual(std::int64_t label) const {
  double sum = 0;
  for (std::int64_t k = 0; k < classes_; ++k) sum += at(label, k);
  return sum;
}
double ConfusionMatrix::predicted(std::int64_t label) const {
  double sum = 0;
  for (std::int64_t k = 0; k < classes_; ++k) sum += at(k, label);
  return sum;
}

double ConfusionMatrix::accuracy() const {
  double right = 0;
  for (std::int64_t k = 0; k < classes_; ++k) right += at(k, k);
  return right / total();
}

double ConfusionMatrix::balanced_accuracy() const {
  double sum = 0, seen = 0;
  for (std::int64_t k = 0; k < classes_; ++k) {
    if (actual(k) == 0) continue;
    sum += recall(k);
    seen += 1;
  }
  return seen > 0 ? sum / seen : nan;
}

double ConfusionMatrix::precision(std::int64_t label) const {
  check_label(label);
  return total() > 0 ? ratio(at(label, label), predicted(label)) : nan;
}
double ConfusionMatrix::recall(std::int64_t label) const {
  check_label(label);
  return total() > 0 ? ratio(at(label, label), actual(label)) : nan;
}
double ConfusionMatrix::specificity(std::int64_t label) const {
  check_label(label);
  const double others = total() - actual(label);
  const double denied = others - (predicted(label) - at(label, label));
  return total() > 0 ? ratio(denied, others) : nan;
}
double ConfusionMatrix::f_beta(std::int64_t label, double beta) const {
  check_label(label);
  const double square = beta * beta;
  // By counts, which are exact.
  return total() > 0
             ? ratio((1 + square) * at(label, label), square * actual(label) + predicted(label))
             : nan;
}

template <class F>
double ConfusionMatrix::averaged(Average average, const F& score) const {
  if (average == Average::binary) {
    if (classes_ == 2) return score(std::int64_t(1));
    throw ArgumentError("ConfusionMatrix: Average::binary is for two classes, and there are " +
                        std::to_string(classes_) + "; take macro, weighted or micro");
  }
  // Each row has one predicted and one true class, so that all three are the accuracy.
  if (average == Average::micro) return accuracy();
  double sum = 0, weights = 0;
  for (std::int64_t k = 0; k < classes_; ++k) {
    const double occurs = actual(k) + predicted(k) > 0 ? 1 : 0;
    const double weight = average == Average::macro ? occurs : actual(k);
    sum += weight * score(k);
    weights += weight;
  }
  return total() > 0 ? sum / weights : nan;
}
double ConfusionMatrix::precision(Average average) const {
  return averaged(average, [&](std::int64_t k) { return precision(k); });
}
double ConfusionMatrix::recall(Average average) const {
  return averaged(average, [&](std::int64_t k) { return recall(k); });
}
double ConfusionMatrix::f_beta(Average average, double beta) const {
  return averaged(average, [&](std::int64_t k) { return f_beta(k, beta); });
}

double ConfusionMatrix::kappa() const {
  double chance = 0;
  for (std::int64_t k = 0; k < classes_; ++k) chance += actual(k) * predicted(k);
  chance /= total() * total();
  return (accuracy() - chance) / (1 - chance);
}

double ConfusionMatrix::matthews() const {
  const double n = total();
  double right = 0, both = 0, actual_squares = 0, predicted_squares = 0;
  for (std::int64_t k = 0; k < classes_; ++k) {
    right += at(k, k);
    both += actual(k) * predicted(k);
    actual_squares += actual(k) * actual(k);
    predicted_squares += predicted(k) * predicted(k);
  }
  const double spread = std::sqrt((n * n - actual_squares) * (n * n - predicted_squares));
  return n > 0 ? ratio(right * n - both, spread) : nan;
}

std::string ConfusionMatrix::report(const std::vector<std::string>& names) const {
  if (!names.empty() && std::int64_t(names.size()) != classes_) {
    throw ArgumentError("ConfusionMatrix: the report has " + std::to_string(names.size()) +
                        " names for " + std::to_string(classes_) + " classes");
  }
  std::size_t width = 12;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string text(width, ' ');
  text += "  precision     recall         f1      count\n";
  const auto row = [&](const std::string& name, double p, double r, double f, double count) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%11.4f%11.4f%11.4f%11.0f\n", p, r, f, count);
    text += std::string(width - name.size(), ' ') + name + numbers;
  };
  for (std::int64_t k = 0; k < classes_; ++k) {
    row(names.empty() ? std::to_string(k) : names[std::size_t(k)], precision(k), recall(k), f1(k),
        actual(k));
  }
  for (const auto& [name, average] :
       {std::pair("macro", Average::macro), std::pair("weighted", Average::weighted)}) {
    row(name, precision(average), recall(average), f1(average), total());
  }
  char accuracy_text[64];
  std::snprintf(accuracy_text, sizeof accuracy_text, "%33.4f%11.0f\n", accuracy(), total());
  return text + std::string(width - 8, ' ') + "accuracy" + accuracy_text;
}

std::ostream& operator<<(std::ostream& out, const ConfusionMatrix& confusion) {
  return out << confusion.report();
}

void ConfusionMatrix::each(Fields& field) {
  const std::size_t size = counts_.size();
  std::vector<std::int64_t> counts = counts_;
  std::vector<double> weights = weights_;
  field("counts", counts);
  field("weights", weights);
  field.refuse_unless(counts.size() == size && weights.size() == size,
                      "the confusion matrix had " + std::to_string(counts.size()) +
                          " counts, and has " + std::to_string(size));
  counts_ = std::move(counts);
  weights_ = std::move(weights);
}

}  // namespace ebb::inline v0::nn
