// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/normalisation.hpp"

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/draws.hpp"
#include "ebb/nn/layers/settings.hpp"

namespace ebb::inline v0::nn {

void BatchNormSettings::each(Fields& field) {
  field("num_features", num_features);
  field("eps", eps);
  field("momentum", momentum);
  field("affine", affine);
}
void LayerNormSettings::each(Fields& field) {
  detail::visit(field, "normalized_shape", normalized_shape);
  field("eps", eps);
  field("elementwise_affine", elementwise_affine);
  field("bias", bias);
}
void RMSNormSettings::each(Fields& field) {
  detail::visit(field, "normalized_shape", normalized_shape);
  field("eps", eps);
  field("elementwise_affine", elementwise_affine);
}
void GroupNormSettings::each(Fields& field) {
  field("num_groups", num_groups);
  field("num_channels", num_channels);
  field("eps", eps);
  field("affine", affine);
}

namespace {

void check_eps(std::string_view layer, double eps) {
  if (eps >= 0) return;
  throw ArgumentError(std::string(layer) + ": eps = " + ebb::detail::to_text(eps) +
                      "; it is at least 0");
}
/// The shape. @throws ArgumentError for one that is refused, or the number.
const Shape& checked(std::string_view layer, const Shape& shape, double eps) {
  if (shape.rank() == 0 || shape.size() == 0) {
    throw ArgumentError(std::string(layer) + ": the normalized shape is " + to_string(shape) +
                        "; it has one axis and one element at least");
  }
  check_eps(layer, eps);
  return shape;
}

template <class T>
Variable<T> filled(bool is_there, const Shape& shape, double value) {
  if (!is_there) return Variable<T>::none();
  return Variable<T>(Array<T>::full(shape, T(value)));
}

/// @throws ShapeError unless x has these axes and channels.
void check_channels(std::string_view layer, const Shape& x, bool has_axes, const char* axes,
                    std::int64_t channels) {
  if (has_axes && x[1] == channels) return;
  throw ShapeError(std::string(layer) + ": x must be " + axes +
                   " with c = " + std::to_string(channels) + ", not " + to_string(x));
}

}  // namespace

namespace detail {

/// @throws ArgumentError for settings out of their range.
const BatchNormSettings& checked(std::string_view layer, const BatchNormSettings& s) {
  check_at_least(layer, "num_features", s.num_features, 1);
  check_eps(layer, s.eps);
  if (!(s.momentum >= 0 && s.momentum <= 1)) {
    throw ArgumentError(std::string(layer) + ": momentum = " + ebb::detail::to_text(s.momentum) +
                        "; it is in [0, 1]");
  }
  return s;
}

template <Real T>
BatchNorm<T>::BatchNorm(std::string_view layer, const BatchNormSettings& s)
    : settings(checked(layer, s)),
      weight(filled<T>(s.affine, {s.num_features}, 1)),
      bias(filled<T>(s.affine, {s.num_features}, 0)),
      running_mean(Array<T>::zeros({s.num_features})),
      running_var(Array<T>::full({s.num_features}, T(1))),
      num_batches_tracked(0) {}

template <class T>
BatchNormalized<T> batch_norm(const BatchNorm<T>& layer, const Operand<T>& x) {
  const auto& s = layer.settings;
  const BatchNormOptions options{layer.mode == Mode::training, s.momentum, s.eps};
  const auto normalised = [&](const Operand<T>& weight, const Operand<T>& bias) {
    return ebb::batch_norm(x, layer.running_mean, layer.running_var, weight, bias, options);
  };
  if (s.affine) return normalised(layer.weight, layer.bias);
  const Shape shape{s.num_features};
  return normalised(Array<T>::full(shape, T(1)), Array<T>::zeros(shape));
}

template <Real T>
Tensor<T> BatchNorm<T>::normalise(const Operand<T>& x) {
  auto result = batch_norm(*this, x);
  // The sweep of a checkpoint calls the layer again for one batch.
  if (mode == Mode::training && !ebb::detail::Draws::repeats()) {
    running_mean = std::move(result.running_mean);
    running_var = std::move(result.running_var);
    ++*num_batches_tracked.mutate();
  }
  return std::move(result.y);
}

template <Real T>
Tensor<T> BatchNorm<T>::normalise(const Operand<T>& x) const {
  if (mode == Mode::training) {
    throw ArgumentError(
        "BatchNorm: a layer in training changes its running moments, and this one is const; call "
        "eval(model), or make operator() of the model that has it not const");
  }
  return batch_norm(*this, x).y;
}

template struct BatchNorm<float>;
template struct BatchNorm<double>;

}  // namespace detail

namespace {

/// A call of a BatchNorm of x with these axes.
template <class T>
Tensor<T> call_1d(auto& layer, const Operand<T>& x) {
  return detail::in_layer(layer, x, [&] {
    const bool fits = x.shape().rank() == 2 || x.shape().rank() == 3;
    check_channels(layer.name, x.shape(), fits, "(n, c) or (n, c, l)", layer.settings.num_features);
    return layer.normalise(x);
  });
}
template <class T>
Tensor<T> call_2d(auto& layer, const Operand<T>& x) {
  return detail::in_layer(layer, x, [&] {
    check_channels(layer.name, x.shape(), x.shape().rank() == 4, "(n, c, h, w)",
                   layer.settings.num_features);
    return layer.normalise(x);
  });
}

}  // namespace

template <Real T>
BatchNorm1d<T>::BatchNorm1d(const BatchNormSettings& s) : detail::BatchNorm<T>(name, s) {}
template <Real T>
Tensor<T> BatchNorm1d<T>::operator()(const Operand<T>& x) {
  return call_1d(*this, x);
}
template <Real T>
Tensor<T> BatchNorm1d<T>::operator()(const Operand<T>& x) const {
  return call_1d(*this, x);
}

template <Real T>
BatchNorm2d<T>::BatchNorm2d(const BatchNormSettings& s) : detail::BatchNorm<T>(name, s) {}
template <Real T>
Tensor<T> BatchNorm2d<T>::operator()(const Operand<T>& x) {
  return call_2d(*this, x);
}
template <Real T>
Tensor<T> BatchNorm2d<T>::operator()(const Operand<T>& x) const {
  return call_2d(*this, x);
}

template <Real T>
LayerNorm<T>::LayerNorm(const LayerNormSettings& s)
    : settings(s),
      weight(filled<T>(s.elementwise_affine, checked(name, s.normalized_shape, s.eps), 1)),
      bias(filled<T>(s.elementwise_affine && s.bias, s.normalized_shape, 0)) {
  if (weight.is_none()) ones_ = Array<T>::full(s.normalized_shape, T(1));
  if (bias.is_none()) zeros_ = Array<T>::zeros(s.normalized_shape);
}

template <Real T>
Tensor<T> LayerNorm<T>::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    const Operand<T>& w = weight.is_none() ? static_cast<const Operand<T>&>(ones_) : weight;
    const Operand<T>& b = bias.is_none() ? static_cast<const Operand<T>&>(zeros_) : bias;
    return layer_norm(x, settings.normalized_shape, w, b, settings.eps);
  });
}

template <Real T>
RMSNorm<T>::RMSNorm(const RMSNormSettings& s)
    : settings(s),
      weight(filled<T>(s.elementwise_affine, checked(name, s.normalized_shape, s.eps), 1)) {}

template <Real T>
Tensor<T> RMSNorm<T>::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    return settings.elementwise_affine
               ? rms_norm(x, settings.normalized_shape, weight, settings.eps)
               : rms_norm(x, settings.normalized_shape, settings.eps);
  });
}

namespace {

/// @throws ArgumentError for settings out of their range.
const GroupNormSettings& checked(const GroupNormSettings& s) {
  const char* const name = "GroupNorm";
  detail::check_at_least(name, "num_channels", s.num_channels, 1);
  detail::check_at_least(name, "num_groups", s.num_groups, 1);
  check_eps(name, s.eps);
  if (s.num_channels % s.num_groups != 0) {
    throw ArgumentError("GroupNorm: " + std::to_string(s.num_groups) + " groups of " +
                        std::to_string(s.num_channels) + " channels; the groups must be equal");
  }
  return s;
}

}  // namespace

template <Real T>
GroupNorm<T>::GroupNorm(const GroupNormSettings& s)
    : settings(checked(s)),
      weight(filled<T>(s.affine, {s.num_channels}, 1)),
      bias(filled<T>(s.affine, {s.num_channels}, 0)) {}

template <Real T>
Tensor<T> GroupNorm<T>::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    check_channels(name, x.shape(), x.shape().rank() >= 2, "(n, c, ...)", settings.num_channels);
    return settings.affine ? group_norm(x, settings.num_groups, weight, bias, settings.eps)
                           : group_norm(x, settings.num_groups, settings.eps);
  });
}

template struct BatchNorm1d<float>;
template struct BatchNorm1d<double>;
template struct BatchNorm2d<float>;
template struct BatchNorm2d<double>;
template struct LayerNorm<float>;
template struct LayerNorm<double>;
template struct RMSNorm<float>;
template struct RMSNorm<double>;
template struct GroupNorm<float>;
template struct GroupNorm<double>;

}  // namespace ebb::inline v0::nn
