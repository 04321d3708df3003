// SPDX-License-Identifier: BSD-3-Clause
// The samples at which operations are checked. Only tests instantiate them; other programs contain
// none.
#pragma once
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0::op {

/// One set of inputs at which an operation is checked, in both element types.
struct Sample {
  std::string label;
  std::vector<Array<double>> inputs;
  std::function<Tensor<double>(std::span<const Tensor<double>>)> in_double;
  std::function<Tensor<float>(std::span<const Tensor<float>>)> in_float;
};

/// A call that must be refused, and the text that the message must contain.
struct Rejection {
  std::string label;
  std::function<void()> call;
  std::string message;
};

/// Why the samples of an operation include no scalar, nothing empty, or no large value: the
/// `lacks` of an operation. Without a reason they include it, which the tests check.
struct Lacks {
  std::string_view scalar = {}, empty = {}, large = {};
};

/// A sample of f, a generic function of a span of tensors.
template <class F>
Sample sample(std::string label, std::vector<Array<double>> inputs, F f) {
  return {std::move(label), std::move(inputs), f, f};
}

/// Values of both signs, all different, and none near a kink at 0.
inline Array<double> spread(const Shape& shape, double scale = 1) {
  auto values = Array<double>::uninitialized(shape);
  double* v = values.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    const double x = std::sin(1.7 * double(i + 1) + 0.3 * double(shape.rank())) * scale;
    v[i] = x < 0 ? x - 0.05 * scale : x + 0.05 * scale;
  }
  return values;
}

}  // namespace ebb::inline v0::op
