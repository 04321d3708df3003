// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/convolution.hpp"

#include <cmath>

#include "ebb/nn/initialisation.hpp"
#include "ebb/nn/layers/settings.hpp"
#include "ebb/nn/layers/start.hpp"

namespace ebb::inline v0::nn {
namespace {

void visit_channels(Fields& field, auto& s) {
  field("in_channels", s.in_channels);
  field("out_channels", s.out_channels);
}
void visit_rest(Fields& field, auto& s) {
  field("groups", s.groups);
  field("bias", s.bias);
}

}  // namespace

void Conv1dSettings::each(Fields& field) {
  visit_channels(field, *this);
  field("kernel_size", kernel_size);
  field("stride", stride);
  field("padding", padding);
  field("dilation", dilation);
  visit_rest(field, *this);
}
void Conv2dSettings::each(Fields& field) {
  visit_channels(field, *this);
  detail::visit(field, "kernel_size", kernel_size);
  detail::visit(field, "stride", stride);
  detail::visit(field, "padding", padding);
  detail::visit(field, "dilation", dilation);
  visit_rest(field, *this);
}
void ConvTranspose1dSettings::each(Fields& field) {
  visit_channels(field, *this);
  field("kernel_size", kernel_size);
  field("stride", stride);
  field("padding", padding);
  field("output_padding", output_padding);
  field("dilation", dilation);
  visit_rest(field, *this);
}
void ConvTranspose2dSettings::each(Fields& field) {
  visit_channels(field, *this);
  detail::visit(field, "kernel_size", kernel_size);
  detail::visit(field, "stride", stride);
  detail::visit(field, "padding", padding);
  detail::visit(field, "output_padding", output_padding);
  detail::visit(field, "dilation", dilation);
  visit_rest(field, *this);
}

namespace {

/// @throws ArgumentError, which names the layer, for what no convolution has. The rest is checked
/// by the operation, which sees x.
void check(std::string_view layer, const auto& s, HeightWidth kernel) {
  detail::check_at_least(layer, "in_channels", s.in_channels, 1);
  detail::check_at_least(layer, "out_channels", s.out_channels, 1);
  detail::check_at_least(layer, "kernel_size", std::min(kernel.height, kernel.width), 1);
  detail::check_at_least(layer, "groups", s.groups, 1);
  if (s.in_channels % s.groups != 0 || s.out_channels % s.groups != 0) {
    throw ArgumentError(std::string(layer) + ": " + std::to_string(s.groups) + " groups of " +
                        std::to_string(s.in_channels) + " and " + std::to_string(s.out_channels) +
                        " channels; the groups must be equal");
  }
}

Shape weight_shape(const Conv1dSettings& s) {
  check("Conv1d", s, s.kernel_size);
  return {s.out_channels, s.in_channels / s.groups, s.kernel_size};
}
Shape weight_shape(const Conv2dSettings& s) {
  check("Conv2d", s, s.kernel_size);
  return {s.out_channels, s.in_channels / s.groups, s.kernel_size.height, s.kernel_size.width};
}
Shape weight_shape(const ConvTranspose1dSettings& s) {
  check("ConvTranspose1d", s, s.kernel_size);
  return {s.in_channels, s.out_channels / s.groups, s.kernel_size};
}
Shape weight_shape(const ConvTranspose2dSettings& s) {
  check("ConvTranspose2d", s, s.kernel_size);
  return {s.in_channels, s.out_channels / s.groups, s.kernel_size.height, s.kernel_size.width};
}

template <class T>
Array<T> start(const Shape& shape, const Shape& weight, Stream& stream) {
  return detail::uniform_within<T>(shape, 1 / std::sqrt(double(fans(weight).in)), stream);
}

/// The operation with its bias, or without.
template <class Layer, class Options, class F>
auto convolve(const Layer& layer, const auto& x, const Options& options, const F& f) {
  return detail::in_layer(layer, x, [&] {
    return layer.settings.bias ? f(x, layer.weight, layer.bias, options)
                               : f(x, layer.weight, options);
  });
}

/// Two for each product of a window, and one for the bias.
template <class Layer>
double operations_of(const Layer& layer, double outputs, double products) {
  return products * 2 + (layer.settings.bias ? outputs : 0);
}

}  // namespace

#define EBB_CONVOLUTION(Layer, function, Options, ...)                                \
  template <Real T>                                                                   \
  Layer<T>::Layer(const Layer##Settings& s, Stream& stream)                           \
      : settings(s),                                                                  \
        weight(start<T>(weight_shape(s), weight_shape(s), stream)),                   \
        bias(s.bias ? Variable<T>(start<T>({s.out_channels}, weight.shape(), stream)) \
                    : Variable<T>::none()) {}                                         \
  template <Real T>                                                                   \
  Tensor<T> Layer<T>::operator()(const Operand<T>& x) const {                         \
    const auto& s = settings;                                                         \
    return convolve(*this, x, Options{__VA_ARGS__},                                   \
                    [](auto&&... args) { return function<T>(args...); });             \
  }                                                                                   \
  template struct Layer<float>;                                                       \
  template struct Layer<double>;

// Each output is a sum over one filter; each input of a transposed one is spread over one.
#define EBB_OPERATIONS(Layer, per)                                                              \
  template <Real T>                                                                             \
  double Layer<T>::operations([[maybe_unused]] const Operand<T>& x, const Tensor<T>& y) const { \
    const Shape& w = weight.shape();                                                            \
    const double filter = double(w.size()) / double(w[0]);                                      \
    return operations_of(*this, double(y.size()), filter * double(per.size()));                 \
  }

EBB_OPERATIONS(Conv1d, y.shape())
EBB_OPERATIONS(Conv2d, y.shape())
EBB_OPERATIONS(ConvTranspose1d, x.shape())
EBB_OPERATIONS(ConvTranspose2d, x.shape())

EBB_CONVOLUTION(Conv1d, conv1d, Conv1dOptions, s.stride, s.padding, s.dilation, s.groups)
EBB_CONVOLUTION(Conv2d, conv2d, Conv2dOptions, s.stride, s.padding, s.dilation, s.groups)
EBB_CONVOLUTION(ConvTranspose1d, conv_transpose1d, ConvTranspose1dOptions, s.stride, s.padding,
                s.output_padding, s.dilation, s.groups)
EBB_CONVOLUTION(ConvTranspose2d, conv_transpose2d, ConvTranspose2dOptions, s.stride, s.padding,
                s.output_padding, s.dilation, s.groups)

#undef EBB_CONVOLUTION
#undef EBB_OPERATIONS

}  // namespace ebb::inline v0::nn
