// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/pooling.hpp"

#include <numeric>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/nn/layers/settings.hpp"

namespace ebb::inline v0::nn {

void MaxPool1dSettings::each(Fields& field) {
  field("kernel_size", kernel_size);
  field("stride", stride);
  field("padding", padding);
  field("dilation", dilation);
}
void MaxPool2dSettings::each(Fields& field) {
  detail::visit(field, "kernel_size", kernel_size);
  detail::visit(field, "stride", stride);
  detail::visit(field, "padding", padding);
  detail::visit(field, "dilation", dilation);
}
void AvgPool1dSettings::each(Fields& field) {
  field("kernel_size", kernel_size);
  field("stride", stride);
  field("padding", padding);
}
void AvgPool2dSettings::each(Fields& field) {
  detail::visit(field, "kernel_size", kernel_size);
  detail::visit(field, "stride", stride);
  detail::visit(field, "padding", padding);
}
void AdaptiveAvgPool1dSettings::each(Fields& field) { field("output_size", output_size); }
void AdaptiveAvgPool2dSettings::each(Fields& field) {
  detail::visit(field, "output_size", output_size);
}

namespace {

/// (from, to), whose product with a row gives the means over its `to` parts.
template <class T>
Array<T> means_of_parts(std::int64_t from, std::int64_t to) {
  Array<T> matrix = Array<T>::zeros({from, to});
  T* const m = matrix.mutate();
  for (std::int64_t i = 0; i < to; ++i) {
    const std::int64_t begin = i * from / to, end = ((i + 1) * from + to - 1) / to;
    for (std::int64_t k = begin; k < end; ++k) m[k * to + i] = T(1) / T(end - begin);
  }
  return matrix;
}

/// x with means over parts of its last axis.
template <class T>
Tensor<T> pool_last(const Operand<T>& x, std::int64_t to) {
  const std::int64_t from = x.shape()[x.shape().rank() - 1];
  return matmul(x, means_of_parts<T>(from, to));
}

/// @throws ShapeError unless x has these axes, none of them empty but the first.
void check_planes(std::string_view layer, const Shape& x, int rank, const char* axes) {
  bool fits = x.rank() == rank;
  for (int axis = 1; fits && axis < rank; ++axis) fits = x[axis] > 0;
  if (!fits) {
    throw ShapeError(std::string(layer) + ": x must be " + axes + " with elements, not " +
                     to_string(x));
  }
}

/// x as (n, c, all others). @throws ShapeError
template <class T>
Tensor<T> channels_of(std::string_view layer, const Operand<T>& x) {
  const Shape& s = x.shape();
  if (s.rank() < 3 || s.size() == 0) {
    throw ShapeError(std::string(layer) + ": x must be (n, c, ...) with elements, not " +
                     to_string(s));
  }
  return reshape(x, {s[0], s[1], s.size() / (s[0] * s[1])});
}

}  // namespace

template <Real T>
Tensor<T> MaxPool1d::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    return max_pool1d(x, settings.kernel_size,
                      {settings.stride, settings.padding, settings.dilation});
  });
}
template <Real T>
Tensor<T> MaxPool2d::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    return max_pool2d(x, settings.kernel_size,
                      {settings.stride, settings.padding, settings.dilation});
  });
}
template <Real T>
Tensor<T> AvgPool1d::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    return avg_pool1d(x, settings.kernel_size, {settings.stride, settings.padding});
  });
}
template <Real T>
Tensor<T> AvgPool2d::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    return avg_pool2d(x, settings.kernel_size, {settings.stride, settings.padding});
  });
}

template <Real T>
Tensor<T> AdaptiveAvgPool1d::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    check_planes(name, x.shape(), 3, "(n, c, l)");
    detail::check_at_least(name, "output_size", settings.output_size, 1);
    return pool_last(x, settings.output_size);
  });
}
template <Real T>
Tensor<T> AdaptiveAvgPool2d::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    check_planes(name, x.shape(), 4, "(n, c, h, w)");
    const HeightWidth& size = settings.output_size;
    detail::check_at_least(name, "output_size", std::min(size.height, size.width), 1);
    const Shape& s = x.shape();
    if (s[2] % size.height == 0 && s[3] % size.width == 0)
      return avg_pool2d(x, {s[2] / size.height, s[3] / size.width});
    const auto rows = means_of_parts<T>(s[2], size.height);
    return matmul(transpose(rows), pool_last(x, size.width));
  });
}

template <Real T>
Tensor<T> GlobalAvgPool::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] { return mean(channels_of(name, x), 2); });
}
template <Real T>
Tensor<T> GlobalMaxPool::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] { return max(channels_of(name, x), 2); });
}

#define EBB_CALLS(T)                                                         \
  template Tensor<T> MaxPool1d::operator()(const Operand<T>&) const;         \
  template Tensor<T> MaxPool2d::operator()(const Operand<T>&) const;         \
  template Tensor<T> AvgPool1d::operator()(const Operand<T>&) const;         \
  template Tensor<T> AvgPool2d::operator()(const Operand<T>&) const;         \
  template Tensor<T> AdaptiveAvgPool1d::operator()(const Operand<T>&) const; \
  template Tensor<T> AdaptiveAvgPool2d::operator()(const Operand<T>&) const; \
  template Tensor<T> GlobalAvgPool::operator()(const Operand<T>&) const;     \
  template Tensor<T> GlobalMaxPool::operator()(const Operand<T>&) const;
EBB_CALLS(float)
EBB_CALLS(double)
#undef EBB_CALLS

}  // namespace ebb::inline v0::nn
