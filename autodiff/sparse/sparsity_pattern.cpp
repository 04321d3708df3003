// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/sparse/sparsity_pattern.hpp"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {
namespace {

using Indices = Array<std::int64_t>;
using List = std::vector<std::int64_t>;

/// Lists of lists, behind each other.
struct Lists {
  List offsets, elements;

  std::int64_t count() const { return std::int64_t(offsets.size()) - 1; }
  std::span<const std::int64_t> operator[](std::int64_t i) const {
    const auto first = offsets[std::size_t(i)], last = offsets[std::size_t(i) + 1];
    return std::span(elements).subspan(std::size_t(first), std::size_t(last - first));
  }
  std::int64_t longest() const {
    std::int64_t most = 0;
    for (std::int64_t i = 0; i < count(); ++i)
      most = std::max(most, std::int64_t((*this)[i].size()));
    return most;
  }
};

Lists rows_of(const SparsityPattern& pattern) {
  return {{pattern.offsets().begin(), pattern.offsets().end()},
          {pattern.indices().begin(), pattern.indices().end()}};
}
/// The lists in which each of `count` elements is.
Lists transposed(const Lists& lists, std::int64_t count) {
  Lists result{List(std::size_t(count) + 1), List(lists.elements.size())};
  for (const std::int64_t e : lists.elements) ++result.offsets[std::size_t(e) + 1];
  std::partial_sum(result.offsets.begin(), result.offsets.end(), result.offsets.begin());
  List next = result.offsets;
  for (std::int64_t i = 0; i < lists.count(); ++i) {
    for (const std::int64_t e : lists[i]) {
      result.elements[std::size_t(next[std::size_t(e)]++)] = i;
    }
  }
  return result;
}

/// Colours of lists, so that no two of one colour have an element in common. `owners` has the lists
/// of each element.
SparsityPattern::Colouring colour(const Lists& lists, const Lists& owners, bool of_rows) {
  List order(static_cast<std::size_t>(lists.count()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::int64_t i) { return lists[i].size(); });
  SparsityPattern::Colouring colouring{of_rows, 0, List(order.size(), -1)};
  List taken_by;  // for each colour, the list that cannot have it
  for (const std::int64_t i : order) {
    for (const std::int64_t element : lists[i]) {
      for (const std::int64_t other : owners[element]) {
        const std::int64_t c = colouring.of[std::size_t(other)];
        if (c >= 0) taken_by[std::size_t(c)] = i;
      }
    }
    const auto free = std::ranges::find_if(taken_by, [&](std::int64_t by) { return by != i; });
    colouring.of[std::size_t(i)] = free - taken_by.begin();
    if (free == taken_by.end()) taken_by.push_back(-1);
  }
  colouring.colours = std::int64_t(taken_by.size());
  return colouring;
}

}  // namespace

struct SparsityPattern::Colourings {
  std::once_flag once_best, once_rows;
  std::optional<Colouring> best, rows;
};

SparsityPattern::SparsityPattern(std::int64_t columns, const Indices& offsets,
                                 const Indices& indices)
    : columns_(columns),
      offsets_(offsets),
      indices_(indices),
      colourings_(std::make_shared<Colourings>()) {
  SparseRows<float>(columns, offsets, indices, Array<float>::zeros(indices.shape()));  // checks
}

SparsityPattern SparsityPattern::from_dense(const Array<bool>& mask) {
  if (mask.empty() || mask.shape().rank() != 2) {
    throw ShapeError("SparsityPattern: a mask must be (rows, columns), not " +
                     (mask.empty() ? std::string("empty") : to_string(mask.shape())));
  }
  const std::int64_t rows = mask.shape()[0], columns = mask.shape()[1];
  List offsets{0}, indices;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      if (mask[i * columns + j]) indices.push_back(j);
    }
    offsets.push_back(std::int64_t(indices.size()));
  }
  return {columns, Indices({rows + 1}, offsets), Indices({offsets.back()}, indices)};
}

SparsityPattern SparsityPattern::banded(std::int64_t rows, std::int64_t columns,
                                        std::int64_t width) {
  if (rows < 0 || columns < 0 || width < 0) {
    throw ArgumentError("SparsityPattern: there cannot be " + std::to_string(rows) + " rows, " +
                        std::to_string(columns) + " columns, and a width of " +
                        std::to_string(width));
  }
  List offsets{0}, indices;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t last = std::min(columns, i + width + 1);
    for (std::int64_t j = std::max<std::int64_t>(i - width, 0); j < last; ++j) indices.push_back(j);
    offsets.push_back(std::int64_t(indices.size()));
  }
  return {columns, Indices({rows + 1}, offsets), Indices({offsets.back()}, indices)};
}

SparsityPattern SparsityPattern::united(const SparsityPattern& other) const {
  if (rows() != other.rows() || columns() != other.columns()) {
    throw ShapeError("SparsityPattern: " + to_string(Shape{rows(), columns()}) + " and " +
                     to_string(Shape{other.rows(), other.columns()}) + " cannot be united");
  }
  const Lists a = rows_of(*this), b = rows_of(other);
  List offsets{0}, indices;
  for (std::int64_t i = 0; i < rows(); ++i) {
    std::ranges::set_union(a[i], b[i], std::back_inserter(indices));
    offsets.push_back(std::int64_t(indices.size()));
  }
  return {columns_, Indices({rows() + 1}, offsets), Indices({offsets.back()}, indices)};
}

const SparsityPattern::Colouring& SparsityPattern::colouring() const {
  std::call_once(colourings_->once_best, [&] {
    const Lists by_row = rows_of(*this), by_column = transposed(by_row, columns_);
    // The rows of the longest column differ in colour, and so do the columns of the longest row.
    const std::int64_t least_rows = by_column.longest(), least_columns = 2 * by_row.longest();
    const auto cost = [](const Colouring& c) { return c.of_rows ? c.colours : 2 * c.colours; };
    const bool rows_first = least_rows <= least_columns;
    Colouring best =
        rows_first ? colour(by_row, by_column, true) : colour(by_column, by_row, false);
    if (cost(best) > (rows_first ? least_columns : least_rows)) {
      Colouring other =
          rows_first ? colour(by_column, by_row, false) : colour(by_row, by_column, true);
      if (cost(other) < cost(best)) best = std::move(other);
    }
    colourings_->best = std::move(best);
  });
  return *colourings_->best;
}

const SparsityPattern::Colouring& SparsityPattern::row_colouring() const {
  std::call_once(colourings_->once_rows, [&] {
    const Lists by_row = rows_of(*this);
    colourings_->rows = colour(by_row, transposed(by_row, columns_), true);
  });
  return *colourings_->rows;
}

}  // namespace ebb::inline v0
