// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/sparse/sparse_rows.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace {

using Indices = Array<std::int64_t>;

std::string at(const char* what, std::int64_t i) {
  return std::string("SparseRows: ") + what + '[' + std::to_string(i) + ']';
}

void check_vector(const char* name, const Shape& shape, std::int64_t least) {
  if (shape.rank() == 1 && shape[0] >= least) return;
  throw ShapeError(std::string("SparseRows: ") + name + " must be " +
                   (least > 0 ? "(rows + 1,)" : "(non-zeros,)") + ", not " + to_string(shape));
}

void check_offsets(const Indices& offsets, std::int64_t nonzeros) {
  if (offsets[0] != 0) {
    throw ArgumentError(at("offsets", 0) + " is " + std::to_string(offsets[0]) +
                        "; the first row begins at 0");
  }
  for (std::int64_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] >= offsets[i - 1]) continue;
    throw ArgumentError(at("offsets", i) + " is " + std::to_string(offsets[i]) + ", below " +
                        std::to_string(offsets[i - 1]) + " before it; a row ends after it begins");
  }
  const std::int64_t last = offsets[offsets.size() - 1];
  if (last != nonzeros) {
    throw ArgumentError(
        "SparseRows: the last offset is " + std::to_string(last) + ", and there " +
        (nonzeros == 1 ? "is 1 value" : "are " + std::to_string(nonzeros) + " values"));
  }
}

void check_indices(const Indices& offsets, const Indices& indices, std::int64_t columns) {
  for (std::int64_t i = 0; i + 1 < offsets.size(); ++i) {
    std::int64_t before = -1;
    for (std::int64_t k = offsets[i]; k < offsets[i + 1]; before = indices[k++]) {
      if (indices[k] > before && indices[k] < columns) continue;
      const bool is_outside = indices[k] < 0 || indices[k] >= columns;
      throw ArgumentError(
          at("indices", k) + " is " + std::to_string(indices[k]) + " in row " + std::to_string(i) +
          (is_outside
               ? "; columns are in [0, " + std::to_string(columns) + ")"
               : ", after " + std::to_string(before) + "; the columns of a row ascend, each once"));
    }
  }
}

void check_row(std::int64_t i, std::int64_t rows) {
  if (i >= 0 && i < rows) return;
  throw ArgumentError("SparseRows: there is no row " + std::to_string(i) + " of " +
                      std::to_string(rows));
}

}  // namespace

template <Real T>
SparseRows<T>::SparseRows()
    : ranges_(Indices::zeros({0, 2})),
      indices_(Indices::zeros({0})),
      values_(Array<T>::zeros({0})) {}

template <Real T>
SparseRows<T>::SparseRows(Checked, std::int64_t columns, std::int64_t nonzeros, Indices ranges,
                          Indices indices, Array<T> values)
    : columns_(columns),
      nonzeros_(nonzeros),
      ranges_(std::move(ranges)),
      indices_(std::move(indices)),
      values_(std::move(values)) {}

template <Real T>
SparseRows<T>::SparseRows(std::int64_t columns, const Indices& offsets, const Indices& indices,
                          const Array<T>& values)
    : columns_(columns), nonzeros_(values.size()) {
  if (columns < 0) {
    throw ArgumentError("SparseRows: there cannot be " + std::to_string(columns) + " columns");
  }
  check_vector("offsets", offsets.shape(), 1);
  check_vector("indices", indices.shape(), 0);
  check_vector("values", values.shape(), 0);
  if (indices.size() != values.size()) {
    throw ShapeError("SparseRows: each value needs its column; indices are " +
                     to_string(indices.shape()) + " and values " + to_string(values.shape()));
  }
  const std::int64_t n = offsets.size() - 1;
  static_cast<void>(Shape{n, columns});  // refuses more elements than an array can have
  check_offsets(offsets, values.size());
  check_indices(offsets, indices, columns);
  // An empty handle is no array to an operation.
  indices_ = indices.empty() ? Indices::zeros({0}) : indices;
  values_ = values.empty() ? Array<T>::zeros({0}) : values;
  ranges_ = Indices::uninitialized({n, 2});
  std::int64_t* to = ranges_.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    *to++ = offsets[i];
    *to++ = offsets[i + 1];
  }
}

template <Real T>
SparseRows<T> SparseRows<T>::from_dense(const Array<T>& x) {
  if (x.rank() != 2) {
    throw ShapeError("SparseRows: x must be (rows, columns), not " + to_string(x.shape()));
  }
  const std::int64_t n = x.shape()[0], d = x.shape()[1];
  const std::int64_t count = x.size() - std::count(x.begin(), x.end(), T(0));
  auto ranges = Indices::uninitialized({n, 2}), indices = Indices::uninitialized({count});
  auto values = Array<T>::uninitialized({count});
  std::int64_t *range = ranges.mutate(), *index = indices.mutate(), k = 0;
  T* const value = values.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    *range++ = k;
    for (std::int64_t j = 0; j < d; ++j) {
      if (x[i * d + j] == 0) continue;
      index[k] = j;
      value[k++] = x[i * d + j];
    }
    *range++ = k;
  }
  return {Checked(), d, count, std::move(ranges), std::move(indices), std::move(values)};
}

template <Real T>
typename SparseRows<T>::Row SparseRows<T>::row(std::int64_t i) const {
  check_row(i, rows());
  const std::int64_t begin = ranges_[2 * i];
  const auto count = std::size_t(ranges_[2 * i + 1] - begin);
  return {{indices_.data() + begin, count}, {values_.data() + begin, count}};
}

template <Real T>
SparseRows<T> SparseRows<T>::rows(std::span<const std::int64_t> indices) const {
  auto ranges = Indices::uninitialized({std::int64_t(indices.size()), 2});
  std::int64_t* to = ranges.mutate();
  const std::int64_t n = rows();
  std::int64_t count = 0;
  for (const std::int64_t i : indices) {
    check_row(i, n);
    to[0] = ranges_[2 * i];
    to[1] = ranges_[2 * i + 1];
    count += to[1] - to[0];
    to += 2;
  }
  return {Checked(), columns_, count, std::move(ranges), indices_, values_};
}

template <Real T>
SparseRows<T> SparseRows<T>::slice(std::int64_t first, std::int64_t last) const {
  if (first < 0 || last < first || last > rows()) {
    throw ArgumentError("SparseRows: no slice [" + std::to_string(first) + ", " +
                        std::to_string(last) + ") of " + std::to_string(rows()) + " rows");
  }
  std::int64_t count = 0;
  for (std::int64_t i = first; i < last; ++i) count += ranges_[2 * i + 1] - ranges_[2 * i];
  return {Checked(), columns_, count, ranges_.leading(first, last), indices_, values_};
}

template <Real T>
Array<T> SparseRows<T>::to_dense() const {
  auto x = Array<T>::zeros(shape());
  T* to = x.mutate();
  for (std::int64_t i = 0; i < rows(); ++i, to += columns_) {
    const Row r = row(i);
    for (std::size_t k = 0; k < r.columns.size(); ++k) to[r.columns[k]] = r.values[k];
  }
  return x;
}

template <Real T>
CompressedRows<T> SparseRows<T>::compressed() const {
  const std::int64_t n = rows();
  auto offsets = Indices::uninitialized({n + 1});
  std::int64_t* const offset = offsets.mutate();
  offset[0] = 0;
  bool is_in_order = indices_.size() == nonzeros_;
  for (std::int64_t i = 0; i < n; ++i) {
    is_in_order &= ranges_[2 * i] == offset[i];
    offset[i + 1] = offset[i] + ranges_[2 * i + 1] - ranges_[2 * i];
  }
  if (is_in_order) return {offsets, indices_, values_};
  auto indices = Indices::uninitialized({nonzeros_});
  auto values = Array<T>::uninitialized({nonzeros_});
  for (std::int64_t i = 0; i < n; ++i) {
    const Row r = row(i);
    std::copy(r.columns.begin(), r.columns.end(), indices.mutate() + offset[i]);
    std::copy(r.values.begin(), r.values.end(), values.mutate() + offset[i]);
  }
  return {offsets, indices, values};
}

template <Real T>
Array<T> SparseRows<T>::largest() const {
  auto most = Array<T>::zeros({columns_});
  T* const to = most.mutate();
  for (std::int64_t i = 0; i < rows(); ++i) {
    const Row r = row(i);
    for (std::size_t k = 0; k < r.columns.size(); ++k)
      to[r.columns[k]] = std::max(to[r.columns[k]], std::abs(r.values[k]));
  }
  std::replace(to, to + columns_, T(0), T(1));
  return most;
}

template <Real T>
SparseRows<T> SparseRows<T>::scaled(const Array<T>& factors) const {
  if (!(factors.shape() == Shape{columns_})) {
    throw ShapeError("SparseRows: factors must be " + to_string(Shape{columns_}) +
                     ", one for each column, not " + to_string(factors.shape()));
  }
  auto values = Array<T>::uninitialized(values_.shape());
  T* const to = values.mutate();
  for (std::int64_t k = 0; k < values_.size(); ++k)
    to[k] = values_[k] * factors.data()[indices_[k]];
  return {Checked(), columns_, nonzeros_, ranges_, indices_, std::move(values)};
}

template <Real T>
template <Real U>
SparseRows<U> SparseRows<T>::as() const {
  if constexpr (std::same_as<T, U>) {
    return *this;
  } else {
    auto values = Array<U>::uninitialized(values_.shape());
    std::transform(values_.begin(), values_.end(), values.mutate(), [](T e) { return U(e); });
    return {typename SparseRows<U>::Checked(),
            columns_,
            nonzeros_,
            ranges_,
            indices_,
            std::move(values)};
  }
}

template <Real T>
std::ostream& operator<<(std::ostream& out, const SparseRows<T>& x) {
  return out << "SparseRows " << to_string(x.shape()) << " with " << x.nonzeros() << " non-zeros";
}

template class SparseRows<float>;
template class SparseRows<double>;
template SparseRows<float> SparseRows<float>::as() const;
template SparseRows<double> SparseRows<float>::as() const;
template SparseRows<float> SparseRows<double>::as() const;
template SparseRows<double> SparseRows<double>::as() const;
EBB_OVERLOAD_FOR_REALS(operator<<, std::ostream&(std::ostream&, const SparseRows<T>&))

}  // namespace ebb::inline v0
