// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/linear.hpp"

#include <cmath>

#include "ebb/autodiff/ops.hpp"
#include "ebb/nn/layers/start.hpp"

namespace ebb::inline v0::nn {

void LinearSettings::each(Fields& field) {
  field("in_features", in_features);
  field("out_features", out_features);
  field("bias", bias);
}

void BilinearSettings::each(Fields& field) {
  field("in1_features", in1_features);
  field("in2_features", in2_features);
  field("out_features", out_features);
  field("bias", bias);
}

namespace {

Shape checked(const LinearSettings& s) {
  if (s.in_features < 1 || s.out_features < 1) {
    throw ArgumentError("Linear: " + std::to_string(s.in_features) + " inputs and " +
                        std::to_string(s.out_features) +
                        " outputs; there must be at least one of each");
  }
  return {s.out_features, s.in_features};
}

Shape checked(const BilinearSettings& s) {
  detail::check_at_least("Bilinear", "in1_features", s.in1_features, 1);
  detail::check_at_least("Bilinear", "in2_features", s.in2_features, 1);
  detail::check_at_least("Bilinear", "out_features", s.out_features, 1);
  return {s.out_features, s.in1_features, s.in2_features};
}

template <class T>
Array<T> start(const Shape& shape, std::int64_t inputs, Stream& stream) {
  return detail::uniform_within<T>(shape, 1 / std::sqrt(double(inputs)), stream);
}
template <class T>
Variable<T> start_of_bias(bool is_there, std::int64_t outputs, std::int64_t inputs,
                          Stream& stream) {
  if (!is_there) return Variable<T>::none();
  return Variable<T>(start<T>({outputs}, inputs, stream));
}

}  // namespace

template <Real T>
Linear<T> Linear<T>::zeros(std::int64_t in, std::int64_t out) {
  const LinearSettings settings{in, out};
  return {settings, Array<T>::zeros(checked(settings)), Array<T>::zeros({out})};
}

template <Real T>
Linear<T>::Linear(const LinearSettings& s, Array<T> w, Array<T> b)
    : settings(s), weight(std::move(w)), bias(std::move(b)) {}

template <Real T>
Linear<T>::Linear(std::int64_t in, std::int64_t out, Stream& stream)
    : Linear(LinearSettings{in, out}, stream) {}

template <Real T>
Linear<T>::Linear(const LinearSettings& s, Stream& stream)
    : settings(s),
      weight(start<T>(checked(s), s.in_features, stream)),
      bias(start_of_bias<T>(s.bias, s.out_features, s.in_features, stream)) {
  if (!s.bias) zeros_ = Array<T>::zeros({s.out_features});
}

template <Real T>
Tensor<T> Linear<T>::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    return settings.bias ? linear(x, weight, bias) : linear(x, weight, zeros_);
  });
}

template <Real T>
Tensor<T> Linear<T>::operator()(const SparseRows<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    return settings.bias ? linear(x, weight, bias) : linear(x, weight, zeros_);
  });
}

template <Real T>
double Linear<T>::operations(const SparseRows<T>& x, const Tensor<T>& y) const {
  return 2 * double(x.nonzeros()) * double(settings.out_features) +
         (settings.bias ? double(y.size()) : 0);
}

template <Real T>
double Linear<T>::operations(const Operand<T>&, const Tensor<T>& y) const {
  return double(y.size()) * (2 * double(settings.in_features) + (settings.bias ? 1 : 0));
}

template <Real T>
Bilinear<T>::Bilinear(const BilinearSettings& s, Stream& stream)
    : settings(s),
      weight(start<T>(checked(s), s.in1_features, stream)),
      bias(start_of_bias<T>(s.bias, s.out_features, s.in1_features, stream)) {}

template <Real T>
Tensor<T> Bilinear<T>::operator()(const Operand<T>& x1, const Operand<T>& x2) const {
  return detail::in_layer(*this, x1, [&] {
    const Shape &a = x1.shape(), &b = x2.shape();
    const int last = a.rank() - 1;
    if (last < 0 || a[last] != settings.in1_features ||
        !(b == a.with(last, settings.in2_features))) {
      throw ShapeError("Bilinear: x1 must be (..., " + std::to_string(settings.in1_features) +
                       ") and x2 (..., " + std::to_string(settings.in2_features) +
                       ") with equal axes before, not " + to_string(a) + " and " + to_string(b));
    }
    // Every product of a row of the weight with x2, then of those with x1.
    const std::int64_t rows = a.size() / settings.in1_features;
    const auto flat =
        reshape(weight, {settings.out_features * settings.in1_features, settings.in2_features});
    const auto products =
        reshape(matmul(reshape(x2, {rows, settings.in2_features}), transpose(flat)),
                {rows, settings.out_features, settings.in1_features});
    auto y = squeeze(matmul(products, reshape(x1, {rows, settings.in1_features, 1})), {2});
    if (settings.bias) y = y + bias;
    return reshape(y, a.with(last, settings.out_features));
  });
}

template <Real T>
double Bilinear<T>::operations(const Operand<T>&, const Tensor<T>& y) const {
  const double in1 = double(settings.in1_features), in2 = double(settings.in2_features);
  return double(y.size()) * (2 * in1 * in2 + 2 * in1 + (settings.bias ? 1 : 0));
}

template struct Linear<float>;
template struct Linear<double>;
template struct Bilinear<float>;
template struct Bilinear<double>;

}  // namespace ebb::inline v0::nn
