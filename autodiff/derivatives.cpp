// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/derivatives.hpp"

#include <algorithm>

#include "ebb/autodiff/derivatives/transform.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// Zeros with a 1 at one position.
template <class T>
Tensor<T> unit(const Shape& shape, std::int64_t position) {
  auto array = Array<T>::zeros(shape);
  array.mutate()[position] = 1;
  return array;
}

/// The matrix of n slices, each of which is one row (or column), in the given shape.
template <class T, class Slice>
Tensor<T> assemble(const Transform& transform, const Shape& shape, std::int64_t n, bool columns,
                   const Slice& slice) {
  if (shape.size() == 0) return Tensor<T>(Array<T>::zeros(shape));
  if (transform.nested()) {
    std::vector<Tensor<T>> slices;
    for (std::int64_t i = 0; i < n; ++i) {
      const Tensor<T> s = slice(i);
      slices.push_back(reshape(s, columns ? Shape{s.size(), 1} : Shape{1, s.size()}));
    }
    return reshape(concat(slices, columns ? 1 : 0), shape);
  }
  auto matrix = Array<T>::uninitialized(shape);
  T* to = matrix.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    const Tensor<T> s = slice(i);
    const T* from = s.data();
    if (!columns) to = std::copy_n(from, s.size(), to);
    for (std::int64_t k = 0; columns && k < s.size(); ++k) to[k * n + i] = from[k];
  }
  return matrix;
}

/// The gradients of all elements of y at a point as rows or columns of a matrix, in the given
/// shape. An empty tensor if they should be swept one by one.
template <class T>
Tensor<T> swept_together(const Transform& transform, const Shape& shape, const Tensor<T>& y,
                         const Tensor<T>& point, bool columns) {
  const std::int64_t n = y.size(), size = point.size();
  if (transform.nested() || n < 2 || size == 0) return {};
  const std::uint32_t id = Access::place(point).record;
  DirectionSweep sweep(*current_records(), Access::place(y).record, {&id, 1});
  if (sweep.fitting(n) < 2) return {};
  auto matrix = Array<T>::zeros(shape);
  T* const to = matrix.mutate();
  sweep_directions<T>(
      sweep, n, n, [](T* seed, std::int64_t j) { seed[j] = 1; },
      [&](std::int64_t first, std::int64_t count) {
        const BlockHandle gradients = sweep.take(id);
        if (!gradients) return;
        const T* const from = gradients->data<T>();
        if (!columns) {
          std::copy_n(from, count * size, to + first * size);
          return;
        }
        for (std::int64_t k = 0; k < size; ++k) {
          for (std::int64_t j = 0; j < count; ++j) to[k * n + first + j] = from[j * size + k];
        }
      });
  return matrix;
}

/// J of y at a point, row by row.
template <class T>
Tensor<T> rows(const Transform& transform, const Tensor<T>& y, const Tensor<T>& point) {
  const Shape shape = transform.joined(y.shape(), point.shape());
  if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(shape));
  if (const auto all = swept_together(transform, shape, y, point, false); !all.empty()) return all;
  return assemble<T>(transform, shape, y.size(), false, [&](std::int64_t i) {
    const Tensor<T> seed = unit<T>(y.shape(), i);
    return transform.pull(y, point, Use::others, &seed);
  });
}

/// v^T J as a recorded function of v. It is linear, so that the value of v does not matter.
template <class T>
struct Pulled {
  Tensor<T> v, product;

  Pulled(const Transform& transform, const Tensor<T>& y, const Tensor<T>& point)
      : v(transform.point<T>(Tensor<T>(Array<T>::full(y.shape(), T(1))))),
        product(transform.pull(y, point, Use::differentiate, &v)) {}
  /// The product J u.
  Tensor<T> push(const Transform& transform, const Tensor<T>& u, Use use) const {
    return transform.pull(product, v, use, &u);
  }
};

/// True if every step from a point to y, all of one shape, is elementwise, so that J is diagonal.
template <class T>
bool is_diagonal(const Tensor<T>& y, const Tensor<T>& point) {
  Records& tape = *current_records();
  const std::uint32_t first = Access::place(point).record, last = Access::place(y).record;
  if (last < first) return false;
  std::vector<char> depends(last - first + 1);
  depends[0] = 1;
  for (std::uint32_t id = first + 1; id <= last; ++id) {
    bool any = false;
    for_each_input(tape.at(id),
                   [&](std::uint32_t input) { any |= input >= first && depends[input - first]; });
    if (!any) continue;
    if (!tape.at(id).op->elementwise || !(tape.shape_of(id) == point.shape())) return false;
    depends[id - first] = 1;
  }
  return depends.back() != 0;
}

}  // namespace

template <Real T>
ValueAndGradient<T> value_and_gradient(const char* name, const FunctionOf<T>& f,
                                       const Operand<T>& x) {
  const Transform transform(name);
  const Tensor<T> point = transform.point(x), y = f(point);
  transform.check_single(y.shape());
  return {transform.result(y), transform.pull(y, point)};
}
EBB_FOR_REALS(value_and_gradient)

template <Real T>
Tensor<T> directional_derivative(const FunctionOf<T>& f, const Operand<T>& x,
                                 const Operand<T>& direction) {
  const Transform transform("directional_derivative");
  const Tensor<T> point = transform.point(x), y = f(point), u = transform.given(direction);
  transform.check_single(y.shape());
  transform.check_equal("a direction", u.shape(), "an argument", point.shape());
  return transform.result(sum(transform.pull(y, point) * u));
}
EBB_FOR_REALS(directional_derivative)

template <Real T>
Tensor<T> vjp(const FunctionOf<T>& f, const Operand<T>& x, const Operand<T>& v) {
  const Transform transform("vjp");
  const Tensor<T> point = transform.point(x), y = f(point), seed = transform.given(v);
  transform.check_equal("a cotangent", seed.shape(), "a value", y.shape());
  return transform.pull(y, point, Use::last, &seed);
}
EBB_FOR_REALS(vjp)

template <Real T>
Tensor<T> jvp(const FunctionOf<T>& f, const Operand<T>& x, const Operand<T>& u) {
  const Transform transform("jvp");
  const Tensor<T> point = transform.point(x), y = f(point), direction = transform.given(u);
  transform.check_equal("a tangent", direction.shape(), "an argument", point.shape());
  if (!Access::place(y).is_constant() && is_diagonal(y, point)) {
    return transform.pull(y, point, Use::last, &direction);
  }
  return Pulled<T>(transform, y, point).push(transform, direction, Use::last);
}
EBB_FOR_REALS(jvp)

template <Real T>
Tensor<T> jacobian(const FunctionOf<T>& f, const Operand<T>& x) {
  const Transform transform("jacobian");
  const Tensor<T> point = transform.point(x), y = f(point);
  if (y.size() <= point.size() || Access::place(y).is_constant()) return rows(transform, y, point);
  const Pulled<T> pulled(transform, y, point);
  const Shape shape = transform.joined(y.shape(), point.shape());
  if (!Access::place(pulled.product).is_constant()) {
    const auto all = swept_together(transform, shape, pulled.product, pulled.v, true);
    if (!all.empty()) return all;
  }
  return assemble<T>(transform, shape, point.size(), true, [&](std::int64_t j) {
    return pulled.push(transform, unit<T>(point.shape(), j), Use::others);
  });
}
EBB_FOR_REALS(jacobian)

template <Real T>
Tensor<T> hessian(const FunctionOf<T>& f, const Operand<T>& x) {
  const Transform transform("hessian");
  const Tensor<T> point = transform.point(x), y = f(point);
  transform.check_single(y.shape());
  return rows(transform, transform.pull(y, point, Use::differentiate), point);
}
EBB_FOR_REALS(hessian)

template <Real T>
ValueGradientAndHvp<T> value_gradient_and_hvp(const char* name, const FunctionOf<T>& f,
                                              const Operand<T>& x, const Operand<T>& v) {
  const Transform transform(name);
  const Tensor<T> point = transform.point(x), y = f(point), seed = transform.given(v);
  transform.check_single(y.shape());
  transform.check_equal("a vector", seed.shape(), "an argument", point.shape());
  const Tensor<T> gradient = transform.pull(y, point, Use::differentiate);
  return {transform.result(y), transform.result(gradient),
          transform.pull(gradient, point, Use::last, &seed)};
}
EBB_FOR_REALS(value_gradient_and_hvp)

}  // namespace ebb::inline v0::detail
