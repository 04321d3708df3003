// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/activations.hpp"

namespace ebb::inline v0::nn {

void GELUSettings::each(Fields& field) {
  field("approximate", approximate);
  field.refuse_unless(approximate == "none" || approximate == "tanh",
                      "GELU: approximate = \"" + approximate + "\"; it is \"none\" or \"tanh\"");
}
void LeakyReLUSettings::each(Fields& field) { field("negative_slope", negative_slope); }
void ELUSettings::each(Fields& field) { field("alpha", alpha); }
void HardtanhSettings::each(Fields& field) {
  field("min_val", min_val);
  field("max_val", max_val);
}
void SoftmaxSettings::each(Fields& field) { field("axis", axis); }
void PReLUSettings::each(Fields& field) {
  field("num_parameters", num_parameters);
  field("init", init);
}

GELU::GELU(const GELUSettings& s) : settings(s) {
  if (settings.approximate == "none" || settings.approximate == "tanh") return;
  throw ArgumentError("GELU: approximate = \"" + settings.approximate +
                      "\"; it is \"none\" or \"tanh\"");
}

namespace {

template <class T>
Array<T> start(const PReLUSettings& s) {
  detail::check_at_least("PReLU", "num_parameters", s.num_parameters, 1);
  return Array<T>::full({s.num_parameters}, T(s.init));
}

}  // namespace

template <Real T>
PReLU<T>::PReLU(const PReLUSettings& s) : settings(s), weight(start<T>(s)) {}

template <Real T>
Tensor<T> PReLU<T>::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    const Shape& s = x.shape();
    const std::int64_t channels = settings.num_parameters;
    if (channels > 1 && (s.rank() < 2 || s[1] != channels)) {
      throw ShapeError("PReLU: x must be (n, c, ...) with c = " + std::to_string(channels) +
                       ", not " + to_string(s));
    }
    // The channels are axis 1, and the weight broadcasts along the axes after them.
    std::vector<std::int64_t> sizes(std::size_t(std::max(1, s.rank() - 1)), 1);
    sizes[0] = channels;
    return relu(x) - reshape(weight, Shape(sizes)) * relu(-x);
  });
}

template struct PReLU<float>;
template struct PReLU<double>;

}  // namespace ebb::inline v0::nn
