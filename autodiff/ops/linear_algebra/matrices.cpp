// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/matrices.hpp"

#include "ebb/autodiff/ops/shapes.hpp"
#include "ebb/autodiff/values/instances.hpp"

#include <algorithm>

namespace ebb::inline v0 {
namespace {

using detail::Access;

/// The positions of the elements (i, i + offset) of a matrix, in row-major order.
Array<std::int64_t> diagonal(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  // Larger offsets are outside of the matrix, where there are no elements.
  offset = std::clamp(offset, -rows, columns);
  const std::int64_t row = std::max<std::int64_t>(-offset, 0);
  const std::int64_t column = std::max<std::int64_t>(offset, 0);
  const std::int64_t count = std::min(rows - row, columns - column);
  auto positions = Array<std::int64_t>::uninitialized({count});
  std::int64_t* p = positions.mutate();
  for (std::int64_t i = 0; i < count; ++i) p[i] = (row + i) * columns + column + i;
  return positions;
}

/// A mask of the elements on and below a diagonal of each matrix.
Array<bool> on_or_below(const Shape& shape, std::int64_t offset) {
  auto mask = Array<bool>::uninitialized(shape);
  bool* m = mask.mutate();
  const std::int64_t rows = shape[shape.rank() - 2], columns = shape[shape.rank() - 1];
  offset = std::clamp(offset, -rows, columns);
  for (std::int64_t at = 0; at < shape.size(); ++at) {
    m[at] = at % columns - at / columns % rows <= offset;
  }
  return mask;
}

template <class T>
void check_matrices(std::string_view name, const Operand<T>& x) {
  const Shape& shape = Access::shape(x, name);
  if (shape.rank() >= 2) return;
  detail::throw_shapes(name, "x must have two axes or more", shape);
}

std::string name_of_part(std::size_t row, std::size_t column) {
  std::string name = "part ";
  return name + std::to_string(column) + " of row " + std::to_string(row);
}

/// @throws ShapeError for a part that does not fit beside the first of its row.
void check_part(const Shape& shape, const Shape& first, std::size_t row, std::size_t column) {
  const int rank = shape.rank();
  if (rank < 2) {
    std::string is = "block: " + name_of_part(row, column) + " is no matrix, but ";
    throw ShapeError(is + to_string(shape) + "; reshape it to a row (1, n) or a column (m, 1)");
  }
  if (rank == first.rank() && shape.with(rank - 1, 0) == first.with(rank - 1, 0)) return;
  std::string is = "block: " + name_of_part(row, column) + " is ";
  throw ShapeError(is + to_string(shape) + ", and part 0 is " + to_string(first) +
                   "; in a row all sizes but the width must be equal");
}

template <class T>
Tensor<T> block_of(const std::vector<std::vector<Tensor<T>>>& rows) {
  if (rows.empty()) throw ArgumentError("block: no rows to join");
  std::vector<Tensor<T>> whole;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& parts = rows[i];
    if (parts.empty()) {
      throw ArgumentError("block: row " + std::to_string(i) + " has no parts to join");
    }
    for (std::size_t j = 0; j < parts.size(); ++j) {
      if (parts[j].empty()) detail::throw_empty_operand("block");
      check_part(parts[j].shape(), parts[0].shape(), i, j);
    }
    whole.push_back(parts.size() == 1 ? parts[0] : concat(parts, -1));
    const Shape &shape = whole[i].shape(), &first = whole[0].shape();
    const int rank = shape.rank();
    if (rank == first.rank() && shape.with(rank - 2, 0) == first.with(rank - 2, 0)) continue;
    throw ShapeError("block: the parts of row " + std::to_string(i) + " are " + to_string(shape) +
                     " together, and those of row 0 are " + to_string(first) +
                     "; all sizes but the height must be equal");
  }
  return whole.size() == 1 ? whole[0] : concat(whole, -2);
}

}  // namespace

Tensor<float> block(const std::vector<std::vector<Tensor<float>>>& rows) { return block_of(rows); }
Tensor<double> block(const std::vector<std::vector<Tensor<double>>>& rows) {
  return block_of(rows);
}

template <Real T>
Tensor<T> dot(const Operand<T>& a, const Operand<T>& b) {
  const Shape &p = Access::shape(a, "dot"), &q = Access::shape(b, "dot");
  if (p.rank() != 1 || !(p == q)) {
    detail::throw_shapes("dot", "both must have one axis, of the same size", p, q);
  }
  return matmul(a, b);
}
EBB_FOR_REALS(dot)

template <Real T>
Tensor<T> outer(const Operand<T>& a, const Operand<T>& b) {
  const Shape &p = Access::shape(a, "outer"), &q = Access::shape(b, "outer");
  if (p.rank() != 1 || q.rank() != 1) {
    detail::throw_shapes("outer", "both must have one axis", p, q);
  }
  return reshape(a, {p[0], 1}) * reshape(b, {1, q[0]});
}
EBB_FOR_REALS(outer)

template <Real T>
Tensor<T> cross(const Operand<T>& a, const Operand<T>& b, int axis) {
  const Shape &s = Access::shape(a, "cross"), &t = Access::shape(b, "cross");
  const Shape shape = broadcast("cross", s, t);
  // Shapes are aligned at the last axis, so that the axis is counted from there.
  const int from_end = detail::axis_of("cross", axis, shape) - shape.rank();
  const auto is_three = [&](const Shape& of) {
    return of.rank() + from_end >= 0 && of.rank() > 0 && of[of.rank() + from_end] == 3;
  };
  if (!is_three(s) || !is_three(t)) {
    detail::throw_shapes("cross", "the axis must have 3 elements in both", s, t);
  }
  const auto next = Array<std::int64_t>::of({1, 2, 0}), last = Array<std::int64_t>::of({2, 0, 1});
  return index_select(a, from_end, next) * index_select(b, from_end, last) -
         index_select(a, from_end, last) * index_select(b, from_end, next);
}
EBB_FOR_REALS(cross)

template <Real T>
Tensor<T> kron(const Operand<T>& a, const Operand<T>& b) {
  const Shape &s = detail::Access::shape(a, "kron"), &t = detail::Access::shape(b, "kron");
  if (s.rank() > 3 || t.rank() > 3) {
    detail::throw_shapes("kron", "both must have three axes at most", s, t);
  }
  const int rank = std::max(s.rank(), t.rank());
  std::vector<std::int64_t> of_a, of_b, joined;
  for (int i = 0; i < rank; ++i) {
    const int p = i - rank + s.rank(), q = i - rank + t.rank();
    const std::int64_t m = p < 0 ? 1 : s[p], n = q < 0 ? 1 : t[q];
    of_a.insert(of_a.end(), {m, 1});
    of_b.insert(of_b.end(), {1, n});
    joined.push_back(m * n);
  }
  const auto shape = [](const std::vector<std::int64_t>& sizes) {
    return Shape(std::span<const std::int64_t>(sizes));
  };
  return reshape(reshape(a, shape(of_a)) * reshape(b, shape(of_b)), shape(joined));
}
EBB_FOR_REALS(kron)

template <Real T>
Tensor<T> vander(const Operand<T>& x, std::int64_t n, bool decreasing) {
  const Shape& shape = Access::shape(x, "vander");
  if (n < 0) {
    throw ArgumentError("vander: " + std::to_string(n) + " powers of x, " + to_string(shape) +
                        "; there are at least 0");
  }
  return detail::apply<op::Vander, T>({n, decreasing}, x);
}
EBB_FOR_REALS(vander)

template <Real T>
Tensor<T> diag(const Operand<T>& x, std::int64_t offset) {
  const Shape shape = Access::shape(x, "diag");
  if (shape.rank() == 2) {
    return gather_rows(reshape(x, {shape.size()}), diagonal(shape[0], shape[1], offset));
  }
  if (shape.rank() != 1) detail::throw_shapes("diag", "x must have one or two axes", shape);
  constexpr std::int64_t largest = 1 << 30;  // more than any matrix can have
  if (offset > largest || offset < -largest) {
    throw ShapeError("diag: an offset of " + std::to_string(offset) +
                     " makes too large a matrix of x, " + to_string(shape));
  }
  const std::int64_t n = shape[0] + std::abs(offset);
  const Shape matrix{n, n};
  return reshape(scatter_add_rows(x, diagonal(n, n, offset), matrix.size()), matrix);
}
EBB_FOR_REALS(diag)

template <Real T>
Tensor<T> trace(const Operand<T>& x) {
  const Shape& shape = Access::shape(x, "trace");
  if (shape.rank() != 2) detail::throw_shapes("trace", "x must have two axes", shape);
  return sum(diag(x));
}
EBB_FOR_REALS(trace)

template <Real T>
Tensor<T> tril(const Operand<T>& x, std::int64_t offset) {
  check_matrices("tril", x);
  return where(on_or_below(Access::shape(x), offset), x, 0);
}
EBB_FOR_REALS(tril)

template <Real T>
Tensor<T> triu(const Operand<T>& x, std::int64_t offset) {
  check_matrices("triu", x);
  return where(on_or_below(Access::shape(x), std::max(offset, INT64_MIN + 1) - 1), 0, x);
}
EBB_FOR_REALS(triu)

}  // namespace ebb::inline v0
