// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"

#include <algorithm>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {

Matrices::Matrices(const Shape& shape)
    : batch(shape.rank() == 2 ? Shape()
                              : Shape(shape.sizes().first(std::size_t(shape.rank() - 2)))),
      rows(shape[shape.rank() - 2]),
      columns(shape[shape.rank() - 1]) {}

Shape batch_of(std::string_view operation, const Shape& batch,
               std::initializer_list<std::int64_t> others) {
  std::int64_t sizes[Shape::max_rank + 2];
  std::int64_t* const end = std::copy(batch.sizes().begin(), batch.sizes().end(), sizes);
  return shape_for(operation, {sizes, std::copy(others.begin(), others.end(), end)});
}

std::string name_of_matrix(const Shape& batch, std::int64_t i) {
  std::string name = "the matrix";
  if (batch.rank() == 0) return name;
  std::string index;
  for (int axis = batch.rank(); axis-- > 0; i /= batch[axis]) {
    index.insert(0, std::to_string(i % batch[axis]));
    if (axis > 0) index.insert(0, ", ");
  }
  return name.append(" at [").append(index).append("]");
}

template <class T>
Tensor<T> swap_last(const Tensor<T>& x) {
  if (x.shape().rank() == 2) return transpose(x);
  const Matrices a(x.shape());
  const auto swapped = transpose(reshape(x, {a.count(), a.rows, a.columns}), {0, 2, 1});
  return reshape(swapped, batch_of("transpose", a.batch, {a.columns, a.rows}));
}
EBB_FOR_REALS(swap_last)

template <class T>
Tensor<T> with_batch(std::string_view operation, const Operand<T>& x, const Shape& batch) {
  const Matrices own(Access::shape(x, operation));
  if (own.batch == batch) return Access::as_tensor(x, operation);
  return broadcast_to(x, batch_of(operation, batch, {own.rows, own.columns}));
}
EBB_FOR_REALS(with_batch)

Shape common_batch(std::string_view operation, const Shape& a, const Shape& b) {
  const Shape p = Matrices(a).batch, q = b.rank() < 2 ? Shape() : Matrices(b).batch;
  if (p == q) return p;
  try {
    return broadcast(operation, p, q);
  } catch (const ShapeError&) {
    throw_shapes(operation, "the axes before the last two must broadcast", a, b);
  }
}

template <class T>
Array<T> identity(const Shape& shape) {
  auto one = Array<T>::zeros(shape);
  const Matrices a(shape);
  T* to = one.mutate();
  for (std::int64_t k = 0; k < a.count(); ++k, to += a.size()) {
    for (std::int64_t i = 0; i < a.rows; ++i) to[i * a.columns + i] = 1;
  }
  return one;
}
EBB_OVERLOAD_FOR_REALS(identity, Array<T>(const Shape&))

}  // namespace ebb::inline v0::detail
