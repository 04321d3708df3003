// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/derivatives.hpp"

#include <algorithm>
#include <optional>

#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// What a gradient is used for: it is the last one that this tape computes, others follow, or it is
/// differentiated again.
enum class Use { last, others, differentiate };

Shape joined(const char* name, const Shape& a, const Shape& b) {
  if (a.rank() + b.rank() > Shape::max_rank) {
    throw ShapeError(std::string(name) + ": the axes of " + to_string(a) + " and " + to_string(b) +
                     " together are more than " + std::to_string(Shape::max_rank) +
                     "; take the argument or the value as a vector");
  }
  std::vector<std::int64_t> sizes(a.sizes().begin(), a.sizes().end());
  sizes.insert(sizes.end(), b.sizes().begin(), b.sizes().end());
  return Shape(std::span<const std::int64_t>(sizes));
}

/// One call of a transform, with the current tape or, if there is none, a new one.
class Transform {
 public:
  explicit Transform(const char* name) : name_(name) {
    if (!current_records()) own_.emplace();
  }

  /// A new leaf for an argument.
  template <class T>
  Tensor<T> point(const Operand<T>& x) const {
    const Tensor<T> given = Access::as_tensor(x, name_);
    return identity_record(*current_records(),
                           current_records()->admit(name_, Access::place(given)), given);
  }
  /// Another argument of the call.
  template <class T>
  Tensor<T> given(const Operand<T>& x) const {
    return Access::as_tensor(x, name_);
  }
  /// The gradient of seed . y at a point; without a seed, that of y, which must be a single value.
  /// Inside a recording it is always recorded.
  template <class T>
  Tensor<T> pull(const Tensor<T>& y, const Tensor<T>& point, Use use = Use::last,
                 const Tensor<T>* seed = nullptr) const {
    if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
    const GradOptions options{.keep_tape = use != Use::last,
                              .create_graph = use == Use::differentiate || !own_};
    return grad(y, {point}, options, seed)[0];
  }
  /// The result of a call: recorded inside a recording, otherwise a constant.
  template <class T>
  Tensor<T> result(const Tensor<T>& y) const {
    return own_ ? y.detach() : y;
  }
  bool nested() const { return !own_; }
  Shape joined(const Shape& a, const Shape& b) const { return detail::joined(name_, a, b); }

  void check_single(const Shape& value) const {
    if (value.size() == 1) return;
    throw ShapeError(std::string(name_) + ": the function's value has shape " + to_string(value) +
                     " and is not a single value");
  }
  void check_equal(const char* what, const Shape& given, const char* whose,
                   const Shape& expected) const {
    if (given == expected) return;
    throw ShapeError(std::string(name_) + ": " + what + " of shape " + to_string(given) + " for " +
                     whose + " of shape " + to_string(expected));
  }

 private:
  const char* name_;
  std::optional<Tape> own_;
};

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

/// J of y at a point, row by row.
template <class T>
Tensor<T> rows(const Transform& transform, const Tensor<T>& y, const Tensor<T>& point) {
  const Shape shape = transform.joined(y.shape(), point.shape());
  if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(shape));
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
  return assemble<T>(transform, transform.joined(y.shape(), point.shape()), point.size(), true,
                     [&](std::int64_t j) {
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

template <Real T>
std::vector<Array<T>> per_sample_gradients(const RowsFunction<T>& loss_of_row, std::int64_t rows,
                                           const std::vector<GradientOf<T>>& inputs) {
  std::vector<Array<T>> all;
  for (const auto& input : inputs) {
    all.push_back(Array<T>::uninitialized(joined(
        "per_sample_gradients", {rows}, Access::shape(input.operand(), "per_sample_gradients"))));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    const Tape tape;
    const Tensor<T> loss = loss_of_row(row);
    if (loss.size() != 1) {
      throw ShapeError("per_sample_gradients: the loss of a row has shape " +
                       to_string(loss.shape()) + " and is not a single value");
    }
    const auto gradients = grad(loss, inputs);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      std::copy_n(gradients[k].data(), gradients[k].size(),
                  all[k].mutate() + row * gradients[k].size());
    }
  }
  return all;
}
EBB_FOR_REALS(per_sample_gradients)

std::int64_t common_rows(const char* name, const Shape& x, const Shape& y) {
  if (x.rank() > 0 && y.rank() > 0 && x[0] == y[0]) return x[0];
  throw ShapeError(std::string(name) + ": x of shape " + to_string(x) + " and y of shape " +
                   to_string(y) + "; both must have the same number of rows");
}

}  // namespace ebb::inline v0::detail
