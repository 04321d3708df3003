// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/sequential.hpp"

namespace ebb::inline v0::nn {

void FlattenSettings::each(Fields& field) {
  field("start_axis", start_axis);
  field("end_axis", end_axis);
}

template <Real T>
Tensor<T> Flatten::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    const Shape& s = x.shape();
    const int start = resolve_axis("Flatten", int(settings.start_axis), s);
    const int end = resolve_axis("Flatten", int(settings.end_axis), s);
    if (start > end) {
      throw ArgumentError("Flatten: start_axis " + std::to_string(settings.start_axis) +
                          " is after end_axis " + std::to_string(settings.end_axis) + " of shape " +
                          to_string(s));
    }
    std::vector<std::int64_t> sizes(s.sizes().begin(), s.sizes().begin() + start);
    sizes.push_back(1);
    for (int axis = start; axis < s.rank(); ++axis) {
      if (axis <= end) {
        sizes.back() *= s[axis];
      } else {
        sizes.push_back(s[axis]);
      }
    }
    return reshape(x, Shape(sizes));
  });
}

template Tensor<float> Flatten::operator()(const Operand<float>&) const;
template Tensor<double> Flatten::operator()(const Operand<double>&) const;

}  // namespace ebb::inline v0::nn
