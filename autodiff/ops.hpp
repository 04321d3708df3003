// SPDX-License-Identifier: BSD-3-Clause
// The operations. Each takes arrays, tensors and variables alike, in any mixture of one element
// type, and gives a tensor; elementwise ones take plain numbers too and broadcast as NumPy does.
// An operation throws ShapeError or ArgumentError, naming itself, for operands it cannot take.
// Products and factorisations, losses, and networks' own stand in the first three includes.
#pragma once
#include <initializer_list>
#include <span>
#include <vector>

#include "ebb/autodiff/linear_algebra.hpp"
#include "ebb/autodiff/losses.hpp"
#include "ebb/autodiff/networks.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

/// Declares what stands before it for a number on either side, too.
#define EBB_OR_NUMBER(R, f)                       \
  template <Real T>                               \
  EBB_INLINE R f(const Operand<T>& a, double b) { \
    return f(a, Number<T>(b));                    \
  }                                               \
  template <Real T>                               \
  EBB_INLINE R f(double a, const Operand<T>& b) { \
    return f(Number<T>(a), b);                    \
  }

// clang-format off

// Elementwise, of one argument. The slope at a kink is given where there is one.

/// -x
template <Real T> EBB_API Tensor<T> operator-(const Operand<T>& x);
/// |x|, slope 0 at 0
template <Real T> EBB_API Tensor<T> abs(const Operand<T>& x);
/// 1, 0 or -1; no gradient goes back. NaN stays NaN. PyTorch: 0 for NaN, which hides it
template <Real T> EBB_API Tensor<T> sign(const Operand<T>& x);
/// The largest integer not above x; no gradient goes back
template <Real T> EBB_API Tensor<T> floor(const Operand<T>& x);
/// The smallest integer not below x; no gradient goes back
template <Real T> EBB_API Tensor<T> ceil(const Operand<T>& x);
/// The nearest integer, half to even; no gradient goes back. PyTorch: also to k decimals, which is
/// round(x * 10^k) / 10^k
template <Real T> EBB_API Tensor<T> round(const Operand<T>& x);
/// x^2
template <Real T> EBB_API Tensor<T> square(const Operand<T>& x);
/// 1 / x
template <Real T> EBB_API Tensor<T> reciprocal(const Operand<T>& x);
/// Square root; NaN below 0
template <Real T> EBB_API Tensor<T> sqrt(const Operand<T>& x);
/// 1 / sqrt(x); infinite at 0, NaN below
template <Real T> EBB_API Tensor<T> rsqrt(const Operand<T>& x);
/// e^x, finite up to 88.72 in float and 709.78 in double
template <Real T> EBB_API Tensor<T> exp(const Operand<T>& x);
/// e^x - 1, exact near 0
template <Real T> EBB_API Tensor<T> expm1(const Operand<T>& x);
/// Natural logarithm
template <Real T> EBB_API Tensor<T> log(const Operand<T>& x);
/// log(1 + x), exact near 0
template <Real T> EBB_API Tensor<T> log1p(const Operand<T>& x);
/// Sine of radians
template <Real T> EBB_API Tensor<T> sin(const Operand<T>& x);
/// Cosine of radians
template <Real T> EBB_API Tensor<T> cos(const Operand<T>& x);
/// Tangent of radians
template <Real T> EBB_API Tensor<T> tan(const Operand<T>& x);
/// Arc sine in [-pi/2, pi/2]; NaN outside [-1, 1]
template <Real T> EBB_API Tensor<T> asin(const Operand<T>& x);
/// Arc cosine in [0, pi]; NaN outside [-1, 1]
template <Real T> EBB_API Tensor<T> acos(const Operand<T>& x);
/// Arc tangent in [-pi/2, pi/2]
template <Real T> EBB_API Tensor<T> atan(const Operand<T>& x);
/// Hyperbolic sine
template <Real T> EBB_API Tensor<T> sinh(const Operand<T>& x);
/// Hyperbolic cosine
template <Real T> EBB_API Tensor<T> cosh(const Operand<T>& x);
/// Hyperbolic tangent
template <Real T> EBB_API Tensor<T> tanh(const Operand<T>& x);
/// Inverse hyperbolic sine
template <Real T> EBB_API Tensor<T> asinh(const Operand<T>& x);
/// Inverse hyperbolic cosine; NaN below 1
template <Real T> EBB_API Tensor<T> acosh(const Operand<T>& x);
/// Inverse hyperbolic tangent; NaN outside [-1, 1]
template <Real T> EBB_API Tensor<T> atanh(const Operand<T>& x);
/// Error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x
template <Real T> EBB_API Tensor<T> erf(const Operand<T>& x);
/// 1 - erf(x), accurate where that is small
template <Real T> EBB_API Tensor<T> erfc(const Operand<T>& x);
/// log |gamma(x)|; infinite at 0, -1, -2, ...
template <Real T> EBB_API Tensor<T> lgamma(const Operand<T>& x);
/// The derivative of lgamma; infinite at 0, NaN at -1, -2, ...
template <Real T> EBB_API Tensor<T> digamma(const Operand<T>& x);
/// The n-th derivative of digamma, 0 <= n <= 100; at 0, -1, -2, ... inf for odd n, -inf for even
/// n > 0. PyTorch: any n; of order 1 finite at -1, -2, ... by rounding, where there is a pole
template <Real T> EBB_API Tensor<T> polygamma(int n, const Operand<T>& x);
/// 1 / (1 + e^-x)
template <Real T> EBB_API Tensor<T> sigmoid(const Operand<T>& x);
/// log(sigmoid(x)), finite for every finite x. PyTorch: logsigmoid
template <Real T> EBB_API Tensor<T> log_sigmoid(const Operand<T>& x);
/// max(x, 0), slope 0 at 0; NaN stays NaN
template <Real T> EBB_API Tensor<T> relu(const Operand<T>& x);
/// log(1 + e^x), finite for every finite x. PyTorch: also softplus(beta x) / beta, and x alone
/// above a threshold, which a formula that does not overflow has no need of
template <Real T> EBB_API Tensor<T> softplus(const Operand<T>& x);
/// x limited to [low, high], slope 1 at both ends; NaN stays NaN. low <= high. PyTorch: one limit
/// alone or tensors as limits, which are `maximum` and `minimum` here; limits out of order, which
/// here are refused as a mistake
template <Real T> EBB_API Tensor<T> clamp(const Operand<T>& x, double low, double high);
/// x above 0, else negative_slope x; slope negative_slope at 0
template <Real T> EBB_API Tensor<T> leaky_relu(const Operand<T>& x, double negative_slope = 0.01);
/// x above 0, else alpha (e^x - 1); slope alpha at 0
template <Real T> EBB_API Tensor<T> elu(const Operand<T>& x, double alpha = 1);
/// 1.0507 elu(x, 1.6733), which normalises itself; slope 1.7581 at 0
template <Real T> EBB_API Tensor<T> selu(const Operand<T>& x);
/// x limited to [low, high], slope 0 at both ends; NaN stays NaN. low <= high
template <Real T> EBB_API Tensor<T> hardtanh(const Operand<T>& x, double low = -1, double high = 1);
/// x sigmoid(x)
template <Real T> EBB_API Tensor<T> silu(const Operand<T>& x);
/// x tanh(softplus(x))
template <Real T> EBB_API Tensor<T> mish(const Operand<T>& x);
/// x Phi(x) with the normal distribution Phi. PyTorch: approximate="tanh" is `gelu_tanh` here
template <Real T> EBB_API Tensor<T> gelu(const Operand<T>& x);
/// The approximation of gelu by tanh. PyTorch: gelu with approximate="tanh"
template <Real T> EBB_API Tensor<T> gelu_tanh(const Operand<T>& x);

// Elementwise, of two arguments that broadcast.

/// a + b. PyTorch: torch.add takes a factor alpha for b as well; here it is written out
template <Real T> EBB_API Tensor<T> operator+(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, operator+)
/// a - b. PyTorch: torch.sub takes a factor alpha for b as well; here it is written out
template <Real T> EBB_API Tensor<T> operator-(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, operator-)
/// a * b
template <Real T> EBB_API Tensor<T> operator*(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, operator*)
/// a / b. PyTorch: torch.div rounds on demand; here floor(a / b)
template <Real T> EBB_API Tensor<T> operator/(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, operator/)
/// a^b; where the power does not depend on an argument its slope is 0
template <Real T> EBB_API Tensor<T> pow(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, pow)
/// The larger; ties share the gradient evenly, NaN stays NaN
template <Real T> EBB_API Tensor<T> maximum(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, maximum)
/// The smaller; ties share the gradient evenly, NaN stays NaN
template <Real T> EBB_API Tensor<T> minimum(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, minimum)
/// a log b, and 0 where a is 0 unless b is NaN; slopes 0 where both are 0. PyTorch: there the slope
/// in b is NaN, as 0 / 0, which would spoil a whole gradient
template <Real T> EBB_API Tensor<T> xlogy(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, xlogy)
/// sqrt(a^2 + b^2) without overflow; slopes 0 where both are 0. PyTorch: slopes of NaN where both
/// are 0, as 0 / 0
template <Real T> EBB_API Tensor<T> hypot(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, hypot)
/// The angle of the point (b, a) in [-pi, pi]; slopes 0 where both are 0. PyTorch: slopes of NaN
/// where both are 0, as 0 / 0
template <Real T> EBB_API Tensor<T> atan2(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Tensor<T>, atan2)

// Comparisons give masks, which are never recorded.

/// a < b
template <Real T> EBB_API Mask<T> operator<(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Mask<T>, operator<)
/// a > b
template <Real T> EBB_API Mask<T> operator>(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Mask<T>, operator>)
/// a <= b
template <Real T> EBB_API Mask<T> operator<=(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Mask<T>, operator<=)
/// a >= b
template <Real T> EBB_API Mask<T> operator>=(const Operand<T>& a, const Operand<T>& b);
EBB_OR_NUMBER(Mask<T>, operator>=)
/// a == b, element by element; `equal` compares whole arrays
template <Real T> EBB_API Mask<T> operator==(const Operand<T>& a, const Operand<T>& b);
template <Real T> Mask<T> operator==(const Operand<T>& a, double b) { return a == Number<T>(b); }
/// a != b, element by element
template <Real T> EBB_API Mask<T> operator!=(const Operand<T>& a, const Operand<T>& b);
template <Real T> Mask<T> operator!=(const Operand<T>& a, double b) { return a != Number<T>(b); }
/// mask ? a : b; the branch that was not taken gets a gradient of 0 whatever it computed. PyTorch:
/// a gradient of NaN where the branch that was not taken has an infinite slope, as 0 times
/// infinity; where(mask) alone is of indices
template <Real T>
EBB_API Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, const Operand<T>& b);
template <Real T>
Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, double b) {
  return where(mask, a, Array<T>(T(b)));
}
template <Real T>
Tensor<T> where(const Array<bool>& mask, double a, const Operand<T>& b) {
  return where(mask, Array<T>(T(a)), b);
}
/// `where` with numbers as arms; formulas call it by this name. PyTorch: where; its select is a
/// `slice` of one element
template <Real T>
EBB_API Tensor<T> select(const Mask<T>& mask, const Tensor<std::type_identity_t<T>>& a,
                         const Tensor<std::type_identity_t<T>>& b);

// Reductions: over all axes, or over the given ones. PyTorch: an empty list of axes means all of
// them; here it means none, so that a list that was computed has no special case

/// Sum by a fixed tree, combined in double
template <Real T> EBB_API Tensor<T> sum(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> sum(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// Arithmetic mean; NaN of no elements
template <Real T> EBB_API Tensor<T> mean(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> mean(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// Largest element; ties share the gradient evenly. There must be one. PyTorch: amax; its max of
/// one axis gives indices too, for which there is `argmax`, and the gradient to one of equals
template <Real T> EBB_API Tensor<T> max(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> max(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// Smallest element; ties share the gradient evenly. There must be one. PyTorch: amin; its min of
/// one axis gives indices too, for which there is `argmin`, and the gradient to one of equals
template <Real T> EBB_API Tensor<T> min(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> min(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// Product in double, in an order of its own: what overflows on the way stays so. Right with zeros
/// to every order; 1 of no elements. PyTorch: over all axes or one
template <Real T> EBB_API Tensor<T> prod(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> prod(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// The sum of squares is divided by the number of elements less the correction
struct SpreadOptions {
  double correction = 1;
  bool keepdim = false;
};
/// Mean squared distance from the mean; NaN where there are no more elements than the correction.
/// PyTorch: infinite where the correction is above the count, and negative corrections, which here
/// are refused: neither is a variance
template <Real T> EBB_API Tensor<T> var(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> var(const Operand<T>& x, const Axes& axes, SpreadOptions options = {});
/// The root of var, slope 0 where all elements are equal. PyTorch: std, a name that C++ has taken;
/// for the rest see var
template <Real T> EBB_API Tensor<T> stddev(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> stddev(const Operand<T>& x, const Axes& axes, SpreadOptions options = {});
/// The p-norm, p > 0, infinity for the largest |x|; slope 0 at 0, ties of the largest share evenly.
/// PyTorch: linalg.vector_norm; p <= 0, too, which counts or takes the smallest and is no norm
template <Real T> EBB_API Tensor<T> norm(const Operand<T>& x, double p = 2);
template <Real T>
EBB_API Tensor<T> norm(const Operand<T>& x, double p, const Axes& axes, bool keepdim = false);
/// log(sum(e^x)) without overflow; -inf of no elements. PyTorch: axes must be given
template <Real T> EBB_API Tensor<T> logsumexp(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> logsumexp(const Operand<T>& x, const Axes& axes, bool keepdim = false);

// Along one axis, which a scalar has as well: 0 or -1, as in PyTorch.

/// e^x / sum(e^x) along an axis
template <Real T> EBB_API Tensor<T> softmax(const Operand<T>& x, int axis = -1);
/// log(softmax(x)) along an axis
template <Real T> EBB_API Tensor<T> log_softmax(const Operand<T>& x, int axis = -1);
/// a . b / (max(|a|, eps) max(|b|, eps)) along an axis. The shapes are equal. PyTorch: shapes
/// broadcast; here that is refused, since (n, k) against (k,) mostly is a mistake
template <Real T>
EBB_API Tensor<T> cosine_similarity(const Operand<T>& a, const Operand<T>& b, int axis = 1,
                                    double eps = 1e-8);
/// Running sum along an axis, in double
template <Real T> EBB_API Tensor<T> cumsum(const Operand<T>& x, int axis);
/// Running product along an axis, in double; right with zeros to every order
template <Real T> EBB_API Tensor<T> cumprod(const Operand<T>& x, int axis);

// Order. NaN counts as larger than any number; the first of equals comes first.

/// Where the largest element is, in row-major order or along an axis; the first NaN if there is one
template <Real T> EBB_API Array<std::int64_t> argmax(const Operand<T>& x);
template <Real T>
EBB_API Array<std::int64_t> argmax(const Operand<T>& x, int axis, bool keepdim = false);
/// Where the smallest element is; the first NaN if there is one, as `min` is NaN then
template <Real T> EBB_API Array<std::int64_t> argmin(const Operand<T>& x);
template <Real T>
EBB_API Array<std::int64_t> argmin(const Operand<T>& x, int axis, bool keepdim = false);
/// Elements along an axis, and where they stood; the gradient goes to those
template <Real T>
struct Selected {
  Tensor<T> values;
  Array<std::int64_t> indices;
};
/// In order along an axis; equal elements keep theirs, and each has the gradient of its own place.
/// PyTorch: equal elements come in any order unless stable=True; here results repeat
template <Real T>
EBB_API Selected<T> sort(const Operand<T>& x, int axis = -1, bool descending = false);
/// The k largest or smallest along an axis, in order; of equals the first are chosen and get the
/// gradient. PyTorch: sorted=False, and any of equals; here results repeat
template <Real T>
EBB_API Selected<T> topk(const Operand<T>& x, std::int64_t k, int axis = -1, bool largest = true);
/// The middle element in order, the lower of two; NaN if there is one. There must be an element.
/// The gradient goes to the one that was chosen. PyTorch: the gradient of the median of all
/// elements is shared among equals, though that along an axis is not
template <Real T> EBB_API Tensor<T> median(const Operand<T>& x);
template <Real T>
EBB_API Selected<T> median(const Operand<T>& x, int axis, bool keepdim = false);

// Shapes and indices.

/// The same elements in another shape of the same size. PyTorch: one size may be -1 and is found;
/// here a shape says all sizes, so that a wrong one is seen
template <Real T> EBB_API Tensor<T> reshape(const Operand<T>& x, const Shape& shape);
/// Axes in another order; without one, in reverse order. PyTorch: permute; its transpose swaps two
/// axes
template <Real T> EBB_API Tensor<T> transpose(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> transpose(const Operand<T>& x, std::initializer_list<int> order);
/// Axes in another order: `transpose` by another name
template <Real T>
EBB_API Tensor<T> permute(const Operand<T>& x, std::initializer_list<int> order);
/// Without axes of size 1: all of them, or those among the given axes; others stay
template <Real T> EBB_API Tensor<T> squeeze(const Operand<T>& x);
template <Real T> EBB_API Tensor<T> squeeze(const Operand<T>& x, const Axes& axes);
/// With another axis of size 1, which is axis `axis` of the result
template <Real T> EBB_API Tensor<T> unsqueeze(const Operand<T>& x, int axis);
/// Elements begin, begin + step, ... before end of one axis; negative begin and end count from its
/// end. PyTorch: x[begin:end:step], where what is beyond the axis is cut off; here it is refused,
/// as a mistake
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = INT64_MAX;
  std::int64_t step = 1;
};
template <Real T> EBB_API Tensor<T> slice(const Operand<T>& x, int axis, Range range);
/// Rows of x by index: out[i, ...] = x[indices[i], ...]. PyTorch: index_select of axis 0
template <Real T>
EBB_API Tensor<T> gather_rows(const Operand<T>& x, const Array<std::int64_t>& indices);
/// The reverse of gather_rows: out[indices[i], ...] += x[i, ...] on zeros of `rows` rows. PyTorch:
/// index_add of axis 0
template <Real T>
EBB_API Tensor<T> scatter_add_rows(const Operand<T>& x, const Array<std::int64_t>& indices,
                                   std::int64_t rows);
/// Joins along an axis; all other sizes agree. PyTorch: cat, which passes over arrays of shape (0,)
/// whatever the other shapes; here there is no exception
EBB_API Tensor<float> concat(const std::vector<Tensor<float>>& parts, int axis = 0);
EBB_API Tensor<double> concat(const std::vector<Tensor<double>>& parts, int axis = 0);
/// Joins along a new axis, which is axis `axis` of the result; all shapes are equal
EBB_API Tensor<float> stack(const std::vector<Tensor<float>>& parts, int axis = 0);
EBB_API Tensor<double> stack(const std::vector<Tensor<double>>& parts, int axis = 0);
/// Parts along an axis: of one size, but for a last one that may be smaller, or of the given sizes.
/// PyTorch: the parts are views that may be written to; here values do not change
template <Real T>
EBB_API std::vector<Tensor<T>> split(const Operand<T>& x, std::int64_t size, int axis = 0);
template <Real T>
EBB_API std::vector<Tensor<T>> split(const Operand<T>& x, const std::vector<std::int64_t>& sizes,
                                     int axis = 0);
/// The order of the elements reversed along each of the axes
template <Real T> EBB_API Tensor<T> flip(const Operand<T>& x, const Axes& axes);
/// out[(i + shift) mod size] = x[i] along an axis. PyTorch: also lists of both, which are several
/// calls, and no axis, which is `reshape` to a row
template <Real T> EBB_API Tensor<T> roll(const Operand<T>& x, std::int64_t shift, int axis);
/// How many elements stand before and after an axis
struct PadWidth {
  std::int64_t before = 0, after = 0;
};
/// Margins of one value. One pair of widths an axis, the first axis first, as in NumPy. PyTorch:
/// the last axis first, and no more than are padded; negative widths, which are `slice`; modes that
/// repeat or mirror, which are `index_select`
template <Real T>
EBB_API Tensor<T> pad(const Operand<T>& x, const std::vector<PadWidth>& widths, double value = 0);
/// The whole array several times along each axis: counts belong to the last axes, or come with new
/// first axes
template <Real T>
EBB_API Tensor<T> tile(const Operand<T>& x, const std::vector<std::int64_t>& counts);
/// `tile` with a count for every axis at least; NumPy's function of this name is
/// `repeat_interleave`
template <Real T>
EBB_API Tensor<T> repeat(const Operand<T>& x, const std::vector<std::int64_t>& counts);
/// Each element along an axis `count` times in a row. PyTorch: also a count for each element, which
/// is `index_select`, and no axis, which is `reshape` to a row
template <Real T>
EBB_API Tensor<T> repeat_interleave(const Operand<T>& x, std::int64_t count, int axis);
/// Slices across an axis by index, which has one axis: `gather_rows` for any axis. PyTorch: of a
/// scalar, too, where nothing is left to choose
template <Real T>
EBB_API Tensor<T> index_select(const Operand<T>& x, int axis, const Array<std::int64_t>& indices);
/// out[..., j, ...] = x[..., index[..., j, ...], ...] along an axis: NumPy's take_along_axis. The
/// other sizes of x and index are equal. PyTorch: beside the axis the sizes of index may be smaller
/// than those of x; here a part of x that is left out is taken for a mistake
template <Real T>
EBB_API Tensor<T> gather(const Operand<T>& x, int axis, const Array<std::int64_t>& index);
/// The reverse of gather: x with out[..., index[..., j, ...], ...] += source[..., j, ...]. The
/// sizes of index and source are equal, and but for the axis those of x. PyTorch: the sizes of
/// index may be smaller than those of source and, beside the axis, of x; here what is left out is
/// taken for a mistake
template <Real T>
EBB_API Tensor<T> scatter_add(const Operand<T>& x, int axis, const Array<std::int64_t>& index,
                              const Operand<T>& source);
/// The elements where the mask holds, in a row. The shapes are equal. PyTorch: shapes broadcast;
/// here `broadcast_to` says so, since a mask of another shape mostly is a mistake
template <Real T> EBB_API Tensor<T> masked_select(const Operand<T>& x, const Array<bool>& mask);
/// A row for each index, of zeros with a 1 at the index: indices (...) give (..., classes).
/// PyTorch: of integers, here of T, for products; the number of classes may be guessed, which here
/// it is not: batches would differ
template <Real T = float>
EBB_API Array<T> one_hot(const Array<std::int64_t>& indices, std::int64_t classes);
/// x stretched to a shape that it broadcasts to
template <Real T> EBB_API Tensor<T> broadcast_to(const Operand<T>& x, const Shape& shape);
/// The reverse of broadcast_to: sums over the axes that a broadcast from `shape` stretched.
/// PyTorch: the method sum_to_size
template <Real T> EBB_API Tensor<T> sum_to(const Operand<T>& x, const Shape& shape);
/// The values of x in another type, on the same tape. PyTorch: the method to
template <Real To, Real T>
EBB_API Tensor<To> cast(const Operand<T>& x);

// clang-format on

#undef EBB_OR_NUMBER

}  // namespace ebb::inline v0
