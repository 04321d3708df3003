// SPDX-License-Identifier: BSD-3-Clause
// Comparisons, masks, and the choice between two tensors by a mask.
#include "ebb/autodiff/ops/masks.hpp"

#include <cmath>

#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

template <class T>
Mask<T> compare(Comparison comparison, const char* name, const Operand<T>& a, const Operand<T>& b) {
  const Contents<T> in[] = {Access::contents(a, name), Access::contents(b, name)};
  const auto shape_of = [](const Contents<T>& x) {
    return x.is_number() ? Shape() : x.block->shape;
  };
  const Shape shape = broadcast(name, shape_of(in[0]), shape_of(in[1]));
  BlockHandle y(allocate(shape, sizeof(bool)));
  const Shape shapes[] = {shape_of(in[0]), shape_of(in[1])};
  const Shape* views[2];
  const T* data[2];
  for (int k = 0; k < 2; ++k) {
    views[k] = in[k].is_number() || in[k].block->is_single() ? nullptr : &shapes[k];
    data[k] = in[k].is_number() ? &in[k].number : in[k].block->template data<T>();
  }
  for_each_offset(shape, views,
                  [&](std::int64_t start, const std::int64_t* offset, const Planes& planes) {
                    const In<T> x[] = {{data[0] + offset[0], planes.row[0], planes.col[0]},
                                       {data[1] + offset[1], planes.row[1], planes.col[1]}};
                    kernels<T>().compare[int(comparison)](y->data<bool>() + start, x, planes.grid);
                  });
  return Access::array<bool>(y.take());
}

/// f of each element of x.
template <class T, class F>
Mask<T> map(const char* name, const Operand<T>& x, const F& f) {
  const Contents<T> in = Access::contents(x, name);
  auto y = Array<bool>::uninitialized(in.is_number() ? Shape() : in.block->shape);
  bool* const to = y.mutate();
  const T* const from = in.is_number() ? &in.number : in.block->template data<T>();
  const std::int64_t step = in.is_number() || in.block->is_single() ? 0 : 1;
  for (std::int64_t i = 0; i < y.size(); ++i) to[i] = f(from[i * step]);
  return y;
}

}  // namespace
}  // namespace detail

namespace op {

template <class T>
detail::Block* Where::forward(const Options&, detail::Block* a, detail::Block* b,
                              detail::Block* mask) {
  using namespace detail;
  const Shape shape = broadcast(name, broadcast(name, mask->shape, a->shape), b->shape);
  BlockHandle y(allocate(shape, sizeof(T)));
  const Shape* shapes[] = {a->shape.size() == 1 ? nullptr : &a->shape,
                           b->shape.size() == 1 ? nullptr : &b->shape,
                           mask->shape.size() == 1 ? nullptr : &mask->shape};
  for_each_offset(shape, shapes,
                  [&](std::int64_t start, const std::int64_t* offset, const Planes& p) {
                    const In<T> in[] = {{a->data<T>() + offset[0], p.row[0], p.col[0]},
                                        {b->data<T>() + offset[1], p.row[1], p.col[1]}};
                    const In<bool> m{mask->data<bool>() + offset[2], p.row[2], p.col[2]};
                    kernels<T>().where(y->data<T>() + start, m, in, p.grid);
                  });
  return y.take();
}

}  // namespace op

#define EBB_COMPARE(symbol, comparison)                                                       \
  template <Real T>                                                                           \
  Mask<T> operator symbol(const Operand<T>& a, const Operand<T>& b) {                         \
    return detail::compare(detail::Comparison::comparison, "operator" #symbol, a, b);         \
  }                                                                                           \
  template EBB_API Mask<float> operator symbol(const Operand<float>&, const Operand<float>&); \
  template EBB_API Mask<double> operator symbol(const Operand<double>&, const Operand<double>&);
EBB_COMPARE(<, less)
EBB_COMPARE(>, greater)
EBB_COMPARE(<=, less_equal)
EBB_COMPARE(>=, greater_equal)
EBB_COMPARE(==, equal)
EBB_COMPARE(!=, not_equal)
#undef EBB_COMPARE

template <Real T>
Mask<T> isnan(const Operand<T>& x) {
  return detail::map("isnan", x, [](T v) { return std::isnan(v); });
}
EBB_FOR_REALS(isnan)

template <Real T>
Mask<T> isinf(const Operand<T>& x) {
  return detail::map("isinf", x, [](T v) { return std::isinf(v); });
}
EBB_FOR_REALS(isinf)

template <Real T>
Mask<T> isfinite(const Operand<T>& x) {
  return detail::map("isfinite", x, [](T v) { return std::isfinite(v); });
}
EBB_FOR_REALS(isfinite)

template <Real T>
Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, const Operand<T>& b) {
  return detail::apply<op::Where, T>({}, a, b, mask);
}
EBB_OVERLOAD_FOR_REALS(where, Tensor<T>(const Array<bool>&, const Operand<T>&, const Operand<T>&))

template <Real T>
Tensor<T> masked_fill(const Operand<T>& x, const Array<bool>& mask, double value) {
  if (mask.empty()) detail::throw_empty_operand("masked_fill");
  const Shape& shape = detail::Access::shape(x, "masked_fill");
  if (!(broadcast("masked_fill", mask.shape(), shape) == shape)) {
    detail::throw_shapes("masked_fill", "the mask must broadcast to the shape of x", mask.shape(),
                         shape);
  }
  return where<T>(mask, Array<T>(T(value)), x);
}
EBB_FOR_REALS(masked_fill)

template <Real T>
Tensor<T> select(const Mask<T>& mask, const Tensor<std::type_identity_t<T>>& a,
                 const Tensor<std::type_identity_t<T>>& b) {
  return where<T>(mask, a, b);
}
EBB_FOR_REALS(select)

}  // namespace ebb::inline v0
