// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/transposed_convolution.hpp"

#include <algorithm>

#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// The size of the result along an axis.
std::int64_t reversed_size(std::string_view operation, std::int64_t size, std::int64_t kernel,
                           std::int64_t stride, std::int64_t padding, std::int64_t output_padding,
                           std::int64_t dilation) {
  const std::string name(operation);
  // Of a plane that any kernel fits into: a check of the numbers alone.
  constexpr std::int64_t large = std::int64_t(1) << 61;
  const Windows checked(operation, large, kernel, stride, padding, dilation);
  if (output_padding < 0 || output_padding >= std::max(stride, dilation)) {
    throw ArgumentError(name + ": output_padding = " + std::to_string(output_padding) +
                        "; it is at least 0 and less than the stride " + std::to_string(stride) +
                        " or the dilation " + std::to_string(dilation));
  }
  const std::int64_t whole =
      (std::min(size, large / stride) - 1) * stride + (kernel - 1) * dilation + 1 + output_padding;
  if (whole > 2 * checked.padding) return whole - 2 * checked.padding;
  throw ShapeError(name + ": a padding of " + std::to_string(padding) +
                   " at both ends leaves nothing of an axis of size " + std::to_string(whole));
}

}  // namespace

ConvolutionOptions reversed_convolution(std::string_view operation, int axes, const Shape& x,
                                        const Shape& weight, const ConvTranspose2dOptions& o) {
  if (x.rank() != axes + 2 || weight.rank() != axes + 2) {
    throw_shapes(operation,
                 axes == 1 ? "x must have 3 axes (n, c_in, l) and weight 3"
                           : "x must have 4 axes (n, c_in, h, w) and weight 4",
                 x, weight);
  }
  const std::string name(operation);
  if (o.groups < 1) {
    throw ArgumentError(name + ": groups = " + std::to_string(o.groups) +
                        "; there is at least one");
  }
  if (x[1] % o.groups != 0 || o.groups > std::max<std::int64_t>(x[1], 1) || weight[0] != x[1]) {
    throw ShapeError(name + ": weight must be (c_in, c_out / groups, ...) with c_in in " +
                     std::to_string(o.groups) + " groups, not " + to_string(weight) + " for x " +
                     to_string(x));
  }
  if (x[2] == 0 || x[axes + 1] == 0) throw_shapes(operation, "a plane must have elements", x);
  const auto plane = [=](const Shape& s) {
    return axes == 1 ? HeightWidth(1, s[2]) : height_width(s);
  };
  const HeightWidth from = plane(x), kernel = plane(weight);
  const HeightWidth size = {
      reversed_size(operation, from.height, kernel.height, o.stride.height, o.padding.height,
                    o.output_padding.height, o.dilation.height),
      reversed_size(operation, from.width, kernel.width, o.stride.width, o.padding.width,
                    o.output_padding.width, o.dilation.width)};
  return {{o.stride, o.padding, o.dilation, o.groups}, size};
}

namespace {

void check_reversed_bias(std::string_view operation, const Shape& bias, const Shape& weight,
                         std::int64_t groups) {
  if (bias.rank() == 1 && bias[0] == weight[1] * groups) return;
  const std::string what = "bias must be (c_out,) for weight (c_in, c_out / groups, ...) in " +
                           std::to_string(groups) + " groups";
  throw_shapes(operation, what.c_str(), bias, weight);
}

/// A bias of zeros for an operation without one.
template <class T>
Array<T> no_bias(std::string_view operation, const Operand<T>& weight, std::int64_t groups) {
  const Shape& shape = Access::shape(weight, operation);
  const bool fits = shape.rank() > 1 && groups > 0 && groups <= std::max<std::int64_t>(shape[0], 1);
  return Array<T>::zeros({fits ? shape[1] * groups : 0});
}

}  // namespace
}  // namespace detail

template <Real T>
Tensor<T> conv_transpose2d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                           ConvTranspose2dOptions o) {
  constexpr const char* name = "conv_transpose2d";
  const Shape &s = detail::Access::shape(x, name), &w = detail::Access::shape(weight, name);
  const auto options = detail::reversed_convolution(name, 2, s, w, o);
  detail::check_reversed_bias(name, detail::Access::shape(bias, name), w, o.groups);
  // More at the end than a stride is room for windows that x has no element for.
  const std::int64_t rows = o.output_padding.height / o.stride.height;
  const std::int64_t columns = o.output_padding.width / o.stride.width;
  if (rows + columns == 0) return detail::apply<op::ConvTranspose2d, T>(options, x, weight, bias);
  return detail::apply<op::ConvTranspose2d, T>(options, pad(x, {{}, {}, {0, rows}, {0, columns}}),
                                               weight, bias);
}
EBB_OVERLOAD_FOR_REALS(conv_transpose2d, Tensor<T>(const Operand<T>&, const Operand<T>&,
                                                   const Operand<T>&, ConvTranspose2dOptions))
template <Real T>
Tensor<T> conv_transpose2d(const Operand<T>& x, const Operand<T>& weight,
                           ConvTranspose2dOptions options) {
  return conv_transpose2d(x, weight, detail::no_bias("conv_transpose2d", weight, options.groups),
                          options);
}
EBB_OVERLOAD_FOR_REALS(conv_transpose2d,
                       Tensor<T>(const Operand<T>&, const Operand<T>&, ConvTranspose2dOptions))

template <Real T>
Tensor<T> conv_transpose1d(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias,
                           ConvTranspose1dOptions o) {
  constexpr const char* name = "conv_transpose1d";
  const ConvTranspose2dOptions options{.stride = {1, o.stride},
                                       .padding = {0, o.padding},
                                       .output_padding = {0, o.output_padding},
                                       .dilation = {1, o.dilation},
                                       .groups = o.groups};
  const Shape s = detail::Access::shape(x, name), w = detail::Access::shape(weight, name);
  detail::reversed_convolution(name, 1, s, w, options);
  detail::check_reversed_bias(name, detail::Access::shape(bias, name), w, o.groups);
  const Tensor<T> y = conv_transpose2d(reshape(x, {s[0], s[1], 1, s[2]}),
                                       reshape(weight, {w[0], w[1], 1, w[2]}), bias, options);
  return reshape(y, y.shape().without(2));
}
EBB_OVERLOAD_FOR_REALS(conv_transpose1d, Tensor<T>(const Operand<T>&, const Operand<T>&,
                                                   const Operand<T>&, ConvTranspose1dOptions))
template <Real T>
Tensor<T> conv_transpose1d(const Operand<T>& x, const Operand<T>& weight,
                           ConvTranspose1dOptions options) {
  return conv_transpose1d(x, weight, detail::no_bias("conv_transpose1d", weight, options.groups),
                          options);
}
EBB_OVERLOAD_FOR_REALS(conv_transpose1d,
                       Tensor<T>(const Operand<T>&, const Operand<T>&, ConvTranspose1dOptions))

}  // namespace ebb::inline v0
