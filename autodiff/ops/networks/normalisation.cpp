// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/normalisation.hpp"

#include "ebb/autodiff/values/instances.hpp"

#include <cmath>
#include <vector>

namespace ebb::inline v0 {
namespace {

using detail::Access;

void check_eps(std::string_view operation, double eps) {
  if (eps >= 0) return;
  throw ArgumentError(std::string(operation) + ": eps = " + detail::to_text(eps) +
                      "; it is at least 0");
}

/// x in another shape, or as it is, if it already has that shape.
template <class T>
Tensor<T> shaped(const Operand<T>& x, const Shape& shape) {
  return Access::shape(x) == shape ? Access::as_tensor(x) : reshape(x, shape);
}

/// x as a matrix, whose rows have the shape at the end of that of x.
template <class T>
Tensor<T> as_rows(const char* operation, const Operand<T>& x, const Shape& row) {
  const Shape& s = Access::shape(x, operation);
  if (row.rank() == 0) {
    detail::throw_shapes(operation, "the normalized shape must have an axis", row);
  }
  const int outer = s.rank() - row.rank();
  std::int64_t rows = 1;
  for (int i = 0; i < outer; ++i) rows *= s[i];
  bool ends = outer >= 0;
  for (int i = 0; ends && i < row.rank(); ++i) ends = s[outer + i] == row[i];
  if (!ends) detail::throw_shapes(operation, "x must end with the normalized shape", s, row);
  return shaped(x, {rows, row.size()});
}

/// One number for each channel of x as an array that broadcasts to x. @throws ShapeError
template <class T>
Tensor<T> of_channels(const char* operation, const char* what, const Operand<T>& v,
                      const Shape& x) {
  const Shape& shape = Access::shape(v, operation);
  if (shape.rank() != 1 || shape[0] != x[1]) detail::throw_shapes(operation, what, shape, x);
  std::vector<std::int64_t> sizes(std::size_t(x.rank()), 1);
  sizes[1] = x[1];
  return reshape(v, Shape(std::span<const std::int64_t>(sizes)));
}

}  // namespace

template <Real T>
Tensor<T> rms_norm(const Operand<T>& x, const Shape& normalized_shape, const Operand<T>& weight,
                   double eps) {
  const Shape& shape = Access::shape(weight, "rms_norm");
  if (!(shape == normalized_shape)) {
    detail::throw_shapes("rms_norm", "weight must have the normalized shape", shape,
                         normalized_shape);
  }
  return rms_norm(x, normalized_shape, eps) * weight;
}
EBB_OVERLOAD_FOR_REALS(rms_norm,
                       Tensor<T>(const Operand<T>&, const Shape&, const Operand<T>&, double))

template <Real T>
Tensor<T> rms_norm(const Operand<T>& x, const Shape& normalized_shape, double eps) {
  const Tensor<T> rows = as_rows("rms_norm", x, normalized_shape);
  check_eps("rms_norm", eps);
  const Tensor<T> squares = mean(square(rows), 1, true);
  if (!any(isinf(squares))) return shaped<T>(rows * rsqrt(squares + eps), Access::shape(x));
  // Squares of large numbers overflow where the result does not: such rows are made smaller first.
  const Array<T> sizes = max(abs(rows.detach()), 1, true);
  Array<T> factor = Array<T>::ones(sizes.shape());
  for (std::int64_t i = 0; i < sizes.size(); ++i) {
    if (std::isinf(squares.data()[i]) && std::isfinite(sizes[i]))
      factor.mutate()[i] = std::ldexp(T(1), -std::ilogb(sizes[i]));
  }
  const Tensor<T> small = rows * factor;
  return shaped<T>(small * rsqrt(mean(square(small), 1, true) + eps * square(factor)),
                   Access::shape(x));
}
EBB_OVERLOAD_FOR_REALS(rms_norm, Tensor<T>(const Operand<T>&, const Shape&, double))

template <Real T>
Tensor<T> group_norm(const Operand<T>& x, std::int64_t groups, const Operand<T>& weight,
                     const Operand<T>& bias, double eps) {
  const Tensor<T> y = group_norm(x, groups, eps);
  const Shape& s = y.shape();
  const char* const of_weight = "weight must have one number for each channel of x";
  const char* const of_bias = "bias must have one number for each channel of x";
  return y * of_channels("group_norm", of_weight, weight, s) +
         of_channels("group_norm", of_bias, bias, s);
}
EBB_OVERLOAD_FOR_REALS(group_norm, Tensor<T>(const Operand<T>&, std::int64_t, const Operand<T>&,
                                             const Operand<T>&, double))

template <Real T>
Tensor<T> group_norm(const Operand<T>& x, std::int64_t groups, double eps) {
  const Shape& s = Access::shape(x, "group_norm");
  if (s.rank() < 2) detail::throw_shapes("group_norm", "x must be (n, channels, ...)", s);
  if (groups < 1 || s[1] % groups != 0) {
    throw ArgumentError("group_norm: " + std::to_string(groups) + " groups of " +
                        std::to_string(s[1]) + " channels; the groups must be equal");
  }
  check_eps("group_norm", eps);
  std::int64_t size = s[1] / groups;
  for (int i = 2; i < s.rank(); ++i) size *= s[i];
  const Tensor<T> rows = shaped(x, {s[0] * groups, size});
  return shaped<T>(layer_norm(rows, {size}, eps), s);
}
EBB_OVERLOAD_FOR_REALS(group_norm, Tensor<T>(const Operand<T>&, std::int64_t, double))

template <Real T>
Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape, const Operand<T>& weight,
                     const Operand<T>& bias, double eps) {
  const Tensor<T> rows = as_rows("layer_norm", x, normalized_shape);
  const auto vector = [&](const Operand<T>& v, const char* what) {
    const Shape& shape = Access::shape(v, "layer_norm");
    if (!(shape == normalized_shape)) {
      detail::throw_shapes("layer_norm", what, shape, normalized_shape);
    }
    return shaped(v, {shape.size()});
  };
  const Tensor<T> w = vector(weight, "weight must have the normalized shape");
  const Tensor<T> b = vector(bias, "bias must have the normalized shape");
  check_eps("layer_norm", eps);
  return shaped(detail::apply<op::LayerNorm, T>({eps}, rows, w, b), Access::shape(x));
}
EBB_OVERLOAD_FOR_REALS(layer_norm, Tensor<T>(const Operand<T>&, const Shape&, const Operand<T>&,
                                             const Operand<T>&, double))

template <Real T>
Tensor<T> layer_norm(const Operand<T>& x, const Shape& normalized_shape, double eps) {
  return layer_norm<T>(x, normalized_shape, Array<T>::full(normalized_shape, 1),
                       Array<T>::zeros(normalized_shape), eps);
}
EBB_OVERLOAD_FOR_REALS(layer_norm, Tensor<T>(const Operand<T>&, const Shape&, double))

template <Real T>
BatchNormalized<T> batch_norm(const Operand<T>& x, const Array<T>& running_mean,
                              const Array<T>& running_var, const Operand<T>& weight,
                              const Operand<T>& bias, BatchNormOptions o) {
  const Shape& s = Access::shape(x, "batch_norm");
  if (s.rank() < 2) detail::throw_shapes("batch_norm", "x must be (n, channels, ...)", s);
  const auto check = [&](const Operand<T>& v, const char* what) {
    const Shape& shape = Access::shape(v, "batch_norm");
    if (shape.rank() != 1 || shape[0] != s[1]) detail::throw_shapes("batch_norm", what, shape, s);
  };
  check(weight, "weight must have one number for each channel of x");
  check(bias, "bias must have one number for each channel of x");
  check(running_mean, "running_mean must have one number for each channel of x");
  check(running_var, "running_var must have one number for each channel of x");
  check_eps("batch_norm", o.eps);
  if (!(o.momentum >= 0 && o.momentum <= 1)) {
    throw ArgumentError("batch_norm: momentum = " + detail::to_text(o.momentum) +
                        "; it is in [0, 1]");
  }

  const std::int64_t channels = s[1], count = channels > 0 ? s.size() / channels : 0;
  if (o.training && count < 2) {
    detail::throw_shapes("batch_norm", "training needs two values a channel at least", s);
  }
  std::int64_t size = 1;
  for (int i = 2; i < s.rank(); ++i) size *= s[i];

  auto moments = Array<T>::uninitialized({3, channels});
  T *const mean = moments.mutate(), *const variance = mean + channels,
           *const scale = variance + channels;
  for (std::int64_t c = 0; !o.training && c < channels; ++c) {
    mean[c] = running_mean[c];
    scale[c] = T(1 / std::sqrt(double(running_var[c]) + o.eps));
  }
  BatchNormalized<T> result{{}, running_mean, running_var};
  const Tensor<T> rows = shaped(x, {s[0], channels, size});
  result.y = shaped(detail::apply<op::BatchNorm, T>({.eps = o.eps, .training = o.training}, rows,
                                                    weight, bias, moments),
                    s);
  if (!o.training) return result;
  const double share = o.momentum, of_sample = double(count) / double(count - 1);
  T *const new_mean = result.running_mean.mutate(), *const new_var = result.running_var.mutate();
  for (std::int64_t c = 0; c < channels; ++c) {
    new_mean[c] = T((1 - share) * running_mean[c] + share * mean[c]);
    new_var[c] = T((1 - share) * running_var[c] + share * of_sample * variance[c]);
  }
  return result;
}
EBB_FOR_REALS(batch_norm)

}  // namespace ebb::inline v0
