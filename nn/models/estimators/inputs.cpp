// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/estimators/inputs.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0::nn {
namespace {

template <class To, class From>
Array<To> converted(const Array<From>& x) {
  if constexpr (std::same_as<To, From>) {
    return x;
  } else {
    auto y = Array<To>::uninitialized(x.shape());
    std::transform(x.begin(), x.end(), y.mutate(), [](From e) { return To(e); });
    return y;
  }
}

template <class T>
Array<double> features_of(const Operand<T>& x) {
  const Array<T> values = ebb::detail::Access::as_tensor(x, "Features").array();
  if (values.rank() != 2 || values.size() == 0) {
    throw ShapeError("Features: x must be (rows, columns) with at least one of each, not " +
                     to_string(values.shape()) +
                     (values.rank() == 1 ? "; reshape(x, {-1, 1}) has one column" : ""));
  }
  return converted<double>(values);
}

SparseRows<double> checked(const SparseRows<double>& x) {
  if (x.rows() > 0 && x.columns() > 0) return x;
  throw ShapeError("Features: x must be (rows, columns) with at least one of each, not " +
                   to_string(x.shape()));
}

/// (n,) of (n,) or (n, 1).
template <class T>
Array<T> flat(const char* who, const Array<T>& y) {
  if (y.rank() == 1 || (y.rank() == 2 && y.shape()[1] == 1)) return y.reshape(Shape{y.size()});
  throw ShapeError(std::string(who) + ": y must be (n,) or (n, 1), not " + to_string(y.shape()));
}

template <class T>
Array<double> targets_of(const Operand<T>& y) {
  return converted<double>(flat("Targets", ebb::detail::Access::as_tensor(y, "Targets").array()));
}

template <class T>
Array<std::int64_t> labels_of(const Operand<T>& y) {
  const Array<T> values = flat("Labels", ebb::detail::Access::as_tensor(y, "Labels").array());
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const double e = double(values[i]);
    if (std::abs(e) <= 9007199254740992 && e == std::floor(e)) continue;
    throw ArgumentError("Labels: the class of row " + std::to_string(i) + " is " +
                        ebb::detail::to_text(e) +
                        "; classes are whole numbers, or words. For other numbers take a "
                        "regressor");
  }
  return converted<std::int64_t>(values);
}

/// @throws ArgumentError for a row that is not there.
template <class T>
Array<T> rows_of(const Array<T>& x, std::span<const std::int64_t> indices) {
  const std::int64_t n = x.shape()[0], width = x.rank() == 2 ? x.shape()[1] : 1;
  const auto count = std::int64_t(indices.size());
  auto rows = Array<T>::uninitialized(x.rank() == 2 ? Shape{count, width} : Shape{count});
  T* to = rows.mutate();
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= n) {
      throw ArgumentError("rows: there is no row " + std::to_string(i) + " of " +
                          std::to_string(n));
    }
    to = std::copy_n(x.begin() + i * width, width, to);
  }
  return rows;
}

}  // namespace

Features::Features(const Operand<double>& x) : values_(features_of(x)) {}
Features::Features(const Operand<float>& x) : values_(features_of(x)) {}
Features::Features(const SparseRows<double>& x) : sparse_(checked(x)) {}
Features::Features(const SparseRows<float>& x) : sparse_(checked(x.as<double>())) {}
void Features::throw_sparse() {
  throw ArgumentError(
      "Features: these rows are sparse, which only linear estimators take; x.to_dense() has all "
      "elements");
}
Features Features::rows(std::span<const std::int64_t> indices) const {
  if (sparse_) return sparse_->rows(indices);
  return rows_of(values_, indices);
}

Targets::Targets(const Operand<double>& y) : values_(targets_of(y)) {}
Targets::Targets(const Operand<float>& y) : values_(targets_of(y)) {}
Targets::Targets(const Array<std::int64_t>& y) : values_(converted<double>(flat("Targets", y))) {}
Targets Targets::rows(std::span<const std::int64_t> indices) const {
  return rows_of(values_, indices);
}

Labels::Labels(const Array<std::int64_t>& y) : numbers_(flat("Labels", y)) {}
Labels::Labels(const Array<bool>& y) : numbers_(converted<std::int64_t>(flat("Labels", y))) {}
Labels::Labels(const Operand<double>& y) : numbers_(labels_of(y)) {}
Labels::Labels(const Operand<float>& y) : numbers_(labels_of(y)) {}
Labels::Labels(const std::vector<std::string>& y) : words_(y) {
  const auto empty = std::find(y.begin(), y.end(), "");
  if (empty == y.end()) return;
  throw ArgumentError("Labels: row " + std::to_string(empty - y.begin()) +
                      " has no class; leave out such rows");
}
Labels Labels::rows(std::span<const std::int64_t> indices) const {
  if (!are_words()) return rows_of(numbers_, indices);
  std::vector<std::string> words;
  for (const std::int64_t i : indices) words.push_back(words_.at(std::size_t(i)));
  return words;
}

}  // namespace ebb::inline v0::nn
