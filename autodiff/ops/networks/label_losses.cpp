// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/label_losses.hpp"

#include <cmath>

#include "ebb/autodiff/ops/networks/weights.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

/// The labels of rows, checked, with the weights of their classes.
template <class T>
struct Labels {
  /// @throws ShapeError or ArgumentError with this name of the operation.
  Labels(const char* operation, const char* numbers, const Shape& s,
         const Array<std::int64_t>& given, const Array<T>& weight,
         std::optional<std::int64_t> ignored)
      : shape(s), labels(given), of_class(weight), ignore(ignored) {
    if (s.rank() != 2 || labels.rank() != 1 || labels.size() != s[0]) {
      detail::throw_shapes(operation,
                           (std::string(numbers) + " must be (n, classes) and labels (n,)").c_str(),
                           s, labels.shape());
    }
    if (!of_class.empty() && (of_class.rank() != 1 || of_class.size() != s[1])) {
      detail::throw_shapes(operation, "weight must have one number for each class",
                           of_class.shape(), s);
    }
    if (!of_class.empty()) detail::check_weights(operation, of_class);
    for (std::int64_t i = 0; i < labels.size(); ++i) {
      if (is_ignored(i) || (labels[i] >= 0 && labels[i] < s[1])) continue;
      throw ArgumentError(std::string(operation) + ": label " + std::to_string(labels[i]) +
                          " of row " + std::to_string(i) + " is not in [0, " +
                          std::to_string(s[1]) + ") for " + numbers + " of shape " + to_string(s));
    }
  }

  bool is_ignored(std::int64_t row) const { return ignore && labels[row] == *ignore; }
  T weight_of(std::int64_t c) const { return of_class.empty() ? T(1) : of_class[c]; }
  /// The weight of the label of a row; 0 if the row is ignored.
  T weight_of_row(std::int64_t row) const {
    return is_ignored(row) ? T(0) : weight_of(labels[row]);
  }
  /// What the mean divides by.
  double total() const {
    double sum = 0;
    for (std::int64_t i = 0; i < labels.size(); ++i) sum += double(weight_of_row(i));
    return sum;
  }
  Tensor<T> reduced(const Tensor<T>& losses, Reduction reduction) const {
    if (reduction == Reduction::none) return losses;
    return reduction == Reduction::sum ? sum(losses) : sum(losses) / total();
  }
  /// For each row the weights of all classes, of which the share `smoothing` does not depend on the
  /// label.
  Array<T> weights(double smoothing) const {
    auto q = Array<T>::zeros(shape);
    T* row = q.mutate();
    const std::int64_t classes = shape[1];
    for (std::int64_t i = 0; i < labels.size(); ++i, row += classes) {
      if (is_ignored(i)) continue;
      for (std::int64_t c = 0; c < classes; ++c) {
        const double share = smoothing / double(classes) + (c == labels[i] ? 1 - smoothing : 0);
        row[c] = T(share * double(weight_of(c)));
      }
    }
    return q;
  }

  Shape shape;
  Array<std::int64_t> labels;
  Array<T> of_class;
  std::optional<std::int64_t> ignore;
};

}  // namespace

template <Real T>
Tensor<T> cross_entropy(const Operand<T>& logits, const Array<std::int64_t>& labels,
                        const CrossEntropyOptions<std::type_identity_t<T>>& options) {
  const double smoothing = options.label_smoothing;
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw ArgumentError("cross_entropy: label_smoothing = " + detail::to_text(smoothing) +
                        "; it is in [0, 1]");
  }
  if (options.weight.empty() && smoothing == 0 && !options.ignore_index &&
      options.reduction == Reduction::mean) {
    return detail::apply<op::CrossEntropy, T>({}, logits, labels);
  }
  const Shape& shape = detail::Access::shape(logits, "cross_entropy");
  if (labels.empty()) detail::throw_empty_operand("cross_entropy");
  const Labels<T> rows("cross_entropy", "logits", shape, labels, options.weight,
                       options.ignore_index);
  const auto losses =
      detail::apply<op::CrossEntropyOfRows, T>({}, logits, Tensor<T>(rows.weights(smoothing)));
  return rows.reduced(losses, options.reduction);
}
EBB_FOR_REALS(cross_entropy)

template <Real T>
Tensor<T> nll_loss(const Operand<T>& log_probabilities, const Array<std::int64_t>& labels,
                   const NllLossOptions<std::type_identity_t<T>>& options) {
  const Shape& s = detail::Access::shape(log_probabilities, "nll_loss");
  if (labels.empty()) detail::throw_empty_operand("nll_loss");
  const Labels<T> rows("nll_loss", "log_probabilities", s, labels, options.weight,
                       options.ignore_index);
  auto weight = Array<T>::uninitialized({s[0]});
  auto index = Array<std::int64_t>::uninitialized({s[0], 1});
  for (std::int64_t i = 0; i < s[0]; ++i) {
    weight.mutate()[i] = rows.weight_of_row(i);
    index.mutate()[i] = rows.is_ignored(i) ? 0 : labels[i];
  }
  const auto chosen = reshape(gather(log_probabilities, 1, index), {s[0]}) * -1.0;
  return rows.reduced(where(weight > 0.0, weight * chosen, 0.0), options.reduction);
}
EBB_FOR_REALS(nll_loss)

template <Real T>
Tensor<T> multi_margin_loss(const Operand<T>& logits, const Array<std::int64_t>& labels,
                            const MultiMarginLossOptions<std::type_identity_t<T>>& options) {
  constexpr const char* name = "multi_margin_loss";
  const Shape& s = detail::Access::shape(logits, name);
  if (labels.empty()) detail::throw_empty_operand(name);
  if (options.p != 1 && options.p != 2) {
    throw ArgumentError("multi_margin_loss: p = " + std::to_string(options.p) + "; it is 1 or 2");
  }
  if (!std::isfinite(options.margin)) {
    throw ArgumentError("multi_margin_loss: margin = " + detail::to_text(options.margin) +
                        "; it is a finite number");
  }
  const Labels<T> rows(name, "logits", s, labels, options.weight, std::nullopt);
  const std::int64_t n = s[0], classes = s[1];
  auto weight = Array<T>::uninitialized({n});
  auto is_label = Array<bool>::zeros(s);
  for (std::int64_t i = 0; i < n; ++i) {
    weight.mutate()[i] = T(double(rows.weight_of_row(i)) / double(classes));
    is_label.mutate()[i * classes + labels[i]] = true;
  }
  const auto excess = logits - gather(logits, 1, labels.reshape({n, 1})) + options.margin;
  const auto hinges = relu(masked_fill(excess, is_label, 0));
  const auto losses = sum(options.p == 1 ? hinges : square(hinges), 1) * weight;
  if (options.reduction == Reduction::none) return losses;
  return options.reduction == Reduction::sum ? sum(losses) : mean(losses);
}
EBB_FOR_REALS(multi_margin_loss)

}  // namespace ebb::inline v0
