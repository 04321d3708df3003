// SPDX-License-Identifier: BSD-3-Clause
// Where weights start, drawn from a stream that is given:
//
//   Stream stream(7);
//   layer.weight.set_value(nn::he_normal<float>(layer.weight.shape(), stream));
#pragma once
#include <limits>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::nn {

/// How many inputs an output has, and how many outputs an input goes to, for weights (out, in) and,
/// of a convolution, (out, in, window...).
struct Fans {
  std::int64_t in, out;
};
/// @throws ShapeError for less than two axes.
EBB_API Fans fans(const Shape& shape);

/// Which of them a variance is for.
enum class Fan {
  in,    ///< values keep their size forward
  out,   ///< gradients keep theirs backward
  mean,  ///< between both
};

/// The factor that an activation needs for values that keep their size (He et al. 2015, and as
/// PyTorch has it): sqrt(2 / (1 + slope^2)) for a leaky ReLU, and 5 / 3 for tanh.
EBB_API double leaky_relu_gain(double slope = 0);
constexpr double tanh_gain = 5.0 / 3;

// All of these throw ShapeError for shapes that do not fit, and ArgumentError for numbers out of
// their ranges.

/// Uniform in [low, high).
template <Real T>
EBB_API Array<T> uniform(const Shape& shape, double low, double high, Stream& stream);
/// Normal, with a deviation of at least 0.
template <Real T>
EBB_API Array<T> normal(const Shape& shape, double mean, double deviation, Stream& stream);

struct TruncatedNormalOptions {
  double mean = 0;
  double deviation = 1;  ///< above 0
  double low = -2, high = 2;
};
/// Normal numbers of which those outside of [low, high] are drawn again (Robert 1995, so that it
/// takes few draws also far from the mean).
template <Real T>
EBB_API Array<T> truncated_normal(const Shape& shape, const TruncatedNormalOptions& options,
                                  Stream& stream);

/// Variance 2 gain^2 / (in + out) (Glorot and Bengio 2010): for tanh, sigmoid, softmax.
template <Real T>
EBB_API Array<T> xavier_uniform(const Shape& shape, Stream& stream, double gain = 1);
template <Real T>
EBB_API Array<T> xavier_normal(const Shape& shape, Stream& stream, double gain = 1);

/// Variance gain^2 / fan, for ReLU by default (He et al. 2015).
template <Real T>
EBB_API Array<T> he_uniform(const Shape& shape, Stream& stream, Fan fan = Fan::in,
                            double gain = leaky_relu_gain());
template <Real T>
EBB_API Array<T> he_normal(const Shape& shape, Stream& stream, Fan fan = Fan::in,
                           double gain = leaky_relu_gain());

/// Variance 1 / in (LeCun et al. 1998): for SELU, and without an activation.
template <Real T>
EBB_API Array<T> lecun_uniform(const Shape& shape, Stream& stream);
template <Real T>
EBB_API Array<T> lecun_normal(const Shape& shape, Stream& stream);

/// gain times a matrix with orthonormal rows or columns, whichever are fewer, evenly distributed
/// among those (Saxe, McClelland and Ganguli 2014). All axes but the first count as columns.
template <Real T>
EBB_API Array<T> orthogonal(const Shape& shape, Stream& stream, double gain = 1);

}  // namespace ebb::inline v0::nn
