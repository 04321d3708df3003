// SPDX-License-Identifier: BSD-3-Clause
// The operations. Each takes arrays, tensors and variables, in any mixture of one element type, and
// returns a tensor. Elementwise operations also take plain numbers, and broadcast as NumPy does. An
// operation throws ShapeError or ArgumentError, with its own name, for operands that it cannot
// take. Products, factorisations, losses and the operations of networks are in the first three
// includes.
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

/// Declares the function above it also with a number on the right.
#define EBB_WITH_NUMBER(R, f)                     \
  template <Real T>                               \
  EBB_INLINE R f(const Operand<T>& a, double b) { \
    return f(a, Number<T>(b));                    \
  }
/// Declares the function above it also with a number on either side. It is not for == and !=: clang
/// would take `x == 1` for `1 == x`, which the language turns around, and then refuse the mask.
#define EBB_WITH_NUMBERS(R, f)                    \
  EBB_WITH_NUMBER(R, f)                           \
  template <Real T>                               \
  EBB_INLINE R f(double a, const Operand<T>& b) { \
    return f(Number<T>(a), b);                    \
  }

// clang-format off

// Elementwise operations of one argument. The slope at a kink is given if there is a kink.

/// -x
template <Real T> EBB_API Tensor<T> operator-(const Operand<T>& x);
/// |x|, slope 0 at 0
template <Real T> EBB_API Tensor<T> abs(const Operand<T>& x);
/// 1, 0 or -1, with a gradient of 0. NaN stays NaN.
/// @pytorch returns 0 for NaN, which hides it.
template <Real T> EBB_API Tensor<T> sign(const Operand<T>& x);
/// The largest integer not above x, with a gradient of 0
template <Real T> EBB_API Tensor<T> floor(const Operand<T>& x);
/// The smallest integer not below x, with a gradient of 0
template <Real T> EBB_API Tensor<T> ceil(const Operand<T>& x);
/// The nearest integer, half to even, with a gradient of 0.
/// @pytorch also rounds to k decimals: write round(x * 10^k) / 10^k.
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
/// Arc sine in [-pi/2, pi/2]; NaN outside of [-1, 1]
template <Real T> EBB_API Tensor<T> asin(const Operand<T>& x);
/// Arc cosine in [0, pi]; NaN outside of [-1, 1]
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
/// Inverse hyperbolic tangent; NaN outside of [-1, 1]
template <Real T> EBB_API Tensor<T> atanh(const Operand<T>& x);
/// Error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x
template <Real T> EBB_API Tensor<T> erf(const Operand<T>& x);
/// 1 - erf(x), accurate where the result is small
template <Real T> EBB_API Tensor<T> erfc(const Operand<T>& x);
/// log |gamma(x)|; infinite at 0, -1, -2, ...
template <Real T> EBB_API Tensor<T> lgamma(const Operand<T>& x);
/// The derivative of lgamma; infinite at 0, NaN at -1, -2, ...
template <Real T> EBB_API Tensor<T> digamma(const Operand<T>& x);
/// The n-th derivative of digamma, 0 <= n <= 100. At 0, -1, -2, ... it is inf for odd n, and -inf
/// for even n > 0.
/// @pytorch takes any n; for n = 1, rounding makes it finite at the poles -1, -2, ...
template <Real T> EBB_API Tensor<T> polygamma(int n, const Operand<T>& x);
/// 1 / (1 + e^-x)
template <Real T> EBB_API Tensor<T> sigmoid(const Operand<T>& x);
/// log(sigmoid(x)), finite for every finite x.
/// @pytorch calls it logsigmoid.
template <Real T> EBB_API Tensor<T> log_sigmoid(const Operand<T>& x);
/// max(x, 0), slope 0 at 0; NaN stays NaN
template <Real T> EBB_API Tensor<T> relu(const Operand<T>& x);
/// log(1 + e^x), finite for every finite x.
/// @pytorch also takes beta, for softplus(beta x) / beta, and a threshold above which the result is
/// x, which this formula does not need since it does not overflow.
template <Real T> EBB_API Tensor<T> softplus(const Operand<T>& x);
/// x limited to [low, high], slope 1 at both ends; NaN stays NaN. low must not be above high.
/// @pytorch also takes one limit alone, or tensors as limits: write `maximum` and `minimum`. It
/// accepts low > high, which is an error here.
template <Real T> EBB_API Tensor<T> clamp(const Operand<T>& x, double low, double high);
/// x above 0, else negative_slope x; slope negative_slope at 0
template <Real T> EBB_API Tensor<T> leaky_relu(const Operand<T>& x, double negative_slope = 0.01);
/// x above 0, else alpha (e^x - 1); slope alpha at 0
template <Real T> EBB_API Tensor<T> elu(const Operand<T>& x, double alpha = 1);
/// 1.0507 elu(x, 1.6733), which keeps the mean and variance of activations; slope 1.7581 at 0
template <Real T> EBB_API Tensor<T> selu(const Operand<T>& x);
/// x limited to [low, high], slope 0 at both ends; NaN stays NaN. low must not be above high.
template <Real T> EBB_API Tensor<T> hardtanh(const Operand<T>& x, double low = -1, double high = 1);
/// x sigmoid(x)
template <Real T> EBB_API Tensor<T> silu(const Operand<T>& x);
/// x tanh(softplus(x))
template <Real T> EBB_API Tensor<T> mish(const Operand<T>& x);
/// x Phi(x), where Phi is the distribution function of the normal distribution.
/// @pytorch with approximate="tanh" gives `gelu_tanh`.
template <Real T> EBB_API Tensor<T> gelu(const Operand<T>& x);
/// The approximation of gelu by tanh.
/// @pytorch calls it gelu with approximate="tanh".
template <Real T> EBB_API Tensor<T> gelu_tanh(const Operand<T>& x);

// Elementwise operations of two arguments that broadcast.

/// a + b.
/// @pytorch also takes a factor alpha for b in torch.add; write it out.
template <Real T> EBB_API Tensor<T> operator+(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, operator+)
/// a - b.
/// @pytorch also takes a factor alpha for b in torch.sub; write it out.
template <Real T> EBB_API Tensor<T> operator-(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, operator-)
/// a * b
template <Real T> EBB_API Tensor<T> operator*(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, operator*)
/// a / b.
/// @pytorch also rounds in torch.div; write floor(a / b).
template <Real T> EBB_API Tensor<T> operator/(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, operator/)
/// a^b. The slope in an argument is 0 where the power does not depend on it.
template <Real T> EBB_API Tensor<T> pow(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, pow)
/// The larger of a and b; equal ones share the gradient evenly, NaN stays NaN
template <Real T> EBB_API Tensor<T> maximum(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, maximum)
/// The smaller of a and b; equal ones share the gradient evenly, NaN stays NaN
template <Real T> EBB_API Tensor<T> minimum(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, minimum)
/// a log b; 0 where a is 0, unless b is NaN; slopes 0 where both are 0.
/// @pytorch has a slope of NaN in b where both are 0, which spoils the whole gradient.
template <Real T> EBB_API Tensor<T> xlogy(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, xlogy)
/// sqrt(a^2 + b^2) without overflow; slopes 0 where both are 0.
/// @pytorch has slopes of NaN where both are 0.
template <Real T> EBB_API Tensor<T> hypot(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, hypot)
/// The angle of the point (b, a) in [-pi, pi]; slopes 0 where both are 0.
/// @pytorch has slopes of NaN where both are 0.
template <Real T> EBB_API Tensor<T> atan2(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, atan2)

// Comparisons return masks, which are never recorded.

/// a < b
template <Real T> EBB_API Mask<T> operator<(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator<)
/// a > b
template <Real T> EBB_API Mask<T> operator>(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator>)
/// a <= b
template <Real T> EBB_API Mask<T> operator<=(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator<=)
/// a >= b
template <Real T> EBB_API Mask<T> operator>=(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator>=)
/// a == b, element by element; `equal` compares whole arrays
template <Real T> EBB_API Mask<T> operator==(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBER(Mask<T>, operator==)
/// a != b, element by element
template <Real T> EBB_API Mask<T> operator!=(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBER(Mask<T>, operator!=)
/// mask ? a : b. The branch that is not taken gets a gradient of 0, even if its slope is infinite
/// or NaN.
/// @pytorch has a gradient of NaN where the branch that is not taken has an infinite slope. Its
/// where(mask) alone returns indices.
template <Real T>
EBB_API Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, const Operand<T>& b);
template <Real T>
EBB_INLINE Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, double b) {
  return where(mask, a, Array<T>(T(b)));
}
template <Real T>
EBB_INLINE Tensor<T> where(const Array<bool>& mask, double a, const Operand<T>& b) {
  return where(mask, Array<T>(T(a)), b);
}
/// `where` by another name, which formulas use: there a and b may be numbers.
/// @pytorch calls it where; its select is a `slice` of one element.
template <Real T>
EBB_API Tensor<T> select(const Mask<T>& mask, const Tensor<std::type_identity_t<T>>& a,
                         const Tensor<std::type_identity_t<T>>& b);

// Reductions, over all axes or over the given ones.
// @pytorch takes an empty list of axes for all axes; here it means no axis, so that a computed list
// has no special case.

/// Sum in a fixed order, added up in double
template <Real T> EBB_API Tensor<T> sum(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> sum(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// Arithmetic mean; NaN for no elements
template <Real T> EBB_API Tensor<T> mean(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> mean(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// The largest element, of at least one; equal ones share the gradient evenly.
/// @pytorch calls it amax. Its max over one axis also returns indices (write `argmax`), and gives
/// the gradient to one of several equal elements.
template <Real T> EBB_API Tensor<T> max(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> max(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// The smallest element, of at least one; equal ones share the gradient evenly.
/// @pytorch calls it amin. Its min over one axis also returns indices (write `argmin`), and gives
/// the gradient to one of several equal elements.
template <Real T> EBB_API Tensor<T> min(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> min(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// Product, computed in double in a fixed order, so that an intermediate overflow stays infinite; 1
/// for no elements. Derivatives of every order are right with zeros, too.
/// @pytorch reduces all axes or one.
template <Real T> EBB_API Tensor<T> prod(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> prod(const Operand<T>& x, const Axes& axes, bool keepdim = false);
/// Options of var and stddev: the sum of squares is divided by the number of elements minus
/// `correction`.
struct VarianceOptions {
  detail::ByName only_by_name = detail::ByName();
  double correction = 1;
  bool keepdim = false;
};
/// Mean squared distance from the mean; NaN unless there are more elements than the correction.
/// @pytorch returns infinity if the correction is above the count, and accepts negative
/// corrections, which are an error here.
template <Real T> EBB_API Tensor<T> var(const Operand<T>& x, VarianceOptions options = {});
template <Real T>
EBB_API Tensor<T> var(const Operand<T>& x, const Axes& axes, VarianceOptions options = {});
/// The square root of var; slope 0 where all elements are equal.
/// @pytorch calls it std; otherwise it differs as in var.
template <Real T> EBB_API Tensor<T> stddev(const Operand<T>& x, VarianceOptions options = {});
template <Real T>
EBB_API Tensor<T> stddev(const Operand<T>& x, const Axes& axes, VarianceOptions options = {});
/// The p-norm for p > 0; for p = infinity the largest |x|. Slope 0 at 0; equal largest elements
/// share the gradient evenly.
/// @pytorch calls it linalg.vector_norm, and accepts p <= 0, which gives no norm.
template <Real T> EBB_API Tensor<T> norm(const Operand<T>& x, double p = 2);
template <Real T>
EBB_API Tensor<T> norm(const Operand<T>& x, double p, const Axes& axes, bool keepdim = false);
/// log(sum(e^x)) without overflow; -inf for no elements. Its gradient is the softmax.
/// @pytorch must be given axes.
template <Real T> EBB_API Tensor<T> logsumexp(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> logsumexp(const Operand<T>& x, const Axes& axes, bool keepdim = false);

// Operations along one axis. A scalar has one axis, 0 or -1, as in PyTorch.

/// e^x / sum(e^x) along an axis. Equal infinite elements share the weight, as docs/kinks.md says.
/// @pytorch gives NaN if the largest element is infinite.
template <Real T> EBB_API Tensor<T> softmax(const Operand<T>& x, int axis = -1);
/// log(softmax(x)) along an axis, exact next to large elements; infinite ones as in softmax
template <Real T> EBB_API Tensor<T> log_softmax(const Operand<T>& x, int axis = -1);
/// a . b / (max(|a|, eps) max(|b|, eps)) along an axis. The shapes must be equal.
/// @pytorch broadcasts the shapes; here that is an error, since (n, k) with (k,) is mostly a
/// mistake.
template <Real T>
EBB_API Tensor<T> cosine_similarity(const Operand<T>& a, const Operand<T>& b, int axis = 1,
                                    double eps = 1e-8);
/// Running sum along an axis, in double
template <Real T> EBB_API Tensor<T> cumsum(const Operand<T>& x, int axis);
/// Running product along an axis, in double; derivatives of every order are right with zeros, too
template <Real T> EBB_API Tensor<T> cumprod(const Operand<T>& x, int axis);

// Order. NaN counts as larger than any number; of equal elements the first comes first.

/// The position of the largest element, in row-major order or along an axis; that of the first NaN,
/// if there is one.
template <Real T> EBB_API Array<std::int64_t> argmax(const Operand<T>& x);
template <Real T>
EBB_API Array<std::int64_t> argmax(const Operand<T>& x, int axis, bool keepdim = false);
/// The position of the smallest element, in row-major order or along an axis; that of the first
/// NaN, if there is one.
template <Real T> EBB_API Array<std::int64_t> argmin(const Operand<T>& x);
template <Real T>
EBB_API Array<std::int64_t> argmin(const Operand<T>& x, int axis, bool keepdim = false);
/// Elements along an axis, and the positions where they were; each position gets the gradient of
/// its element.
template <Real T>
struct Selected {
  Tensor<T> values;
  Array<std::int64_t> indices;
};
/// The elements in ascending or descending order along an axis. Equal elements keep their order,
/// and each position gets the gradient of its element.
/// @pytorch keeps the order of equal elements only with stable=True.
template <Real T>
EBB_API Selected<T> sort(const Operand<T>& x, int axis = -1, bool descending = false);
/// The k largest or smallest elements along an axis, in order. Of equal elements the first are
/// chosen, and get the gradient.
/// @pytorch also takes sorted=False, and chooses any of equal elements.
template <Real T>
EBB_API Selected<T> topk(const Operand<T>& x, std::int64_t k, int axis = -1, bool largest = true);
/// The middle element in order, of at least one; the lower of two. NaN if there is a NaN. The
/// gradient goes to the chosen element.
/// @pytorch shares the gradient of the median of all elements among equal ones, but not that along
/// an axis.
template <Real T> EBB_API Tensor<T> median(const Operand<T>& x);
template <Real T>
EBB_API Selected<T> median(const Operand<T>& x, int axis, bool keepdim = false);

// Shapes and indices.

/// The elements of x in another shape of the same size.
/// @pytorch finds one size that is given as -1; here all sizes are given, so that a wrong one is an
/// error.
template <Real T> EBB_API Tensor<T> reshape(const Operand<T>& x, const Shape& shape);
/// The axes in another order; without an order, reversed.
/// @pytorch calls it permute; its transpose swaps two axes.
template <Real T> EBB_API Tensor<T> transpose(const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> transpose(const Operand<T>& x, std::initializer_list<int> order);
/// The axes in another order, as `transpose`
template <Real T>
EBB_API Tensor<T> permute(const Operand<T>& x, std::initializer_list<int> order);
/// Removes axes of size 1: all of them, or those among the given axes
template <Real T> EBB_API Tensor<T> squeeze(const Operand<T>& x);
template <Real T> EBB_API Tensor<T> squeeze(const Operand<T>& x, const Axes& axes);
/// Adds an axis of size 1, which is axis `axis` of the result
template <Real T> EBB_API Tensor<T> unsqueeze(const Operand<T>& x, int axis);
/// The elements begin, begin + step, ... before end along one axis; a negative begin or end counts
/// from the end of the axis.
/// @pytorch writes x[begin:end:step], and cuts off positions outside of the axis, which are an
/// error here.
struct SliceRange {
  std::int64_t begin = 0;
  std::int64_t end = INT64_MAX;
  std::int64_t step = 1;
};
template <Real T> EBB_API Tensor<T> slice(const Operand<T>& x, int axis, SliceRange range);
/// Rows of x by index: out[i, ...] = x[indices[i], ...].
/// @pytorch calls it index_select of axis 0.
template <Real T>
EBB_API Tensor<T> gather_rows(const Operand<T>& x, const Array<std::int64_t>& indices);
/// Adds rows to zeros, the reverse of gather_rows: out[indices[i], ...] += x[i, ...], with `rows`
/// rows.
/// @pytorch calls it index_add of axis 0.
template <Real T>
EBB_API Tensor<T> scatter_add_rows(const Operand<T>& x, const Array<std::int64_t>& indices,
                                   std::int64_t rows);
/// Joins arrays along an axis; all other sizes must be equal.
/// @pytorch calls it cat, and skips arrays of shape (0,), which are an error here.
EBB_API Tensor<float> concat(const std::vector<Tensor<float>>& parts, int axis = 0);
EBB_API Tensor<double> concat(const std::vector<Tensor<double>>& parts, int axis = 0);
/// Joins arrays along a new axis, which is axis `axis` of the result; all shapes must be equal
EBB_API Tensor<float> stack(const std::vector<Tensor<float>>& parts, int axis = 0);
EBB_API Tensor<double> stack(const std::vector<Tensor<double>>& parts, int axis = 0);
/// Divides an axis into parts: of one size, where the last part may be smaller, or of the given
/// sizes.
/// @pytorch returns views that may be written to; here values do not change.
template <Real T>
EBB_API std::vector<Tensor<T>> split(const Operand<T>& x, std::int64_t size, int axis = 0);
template <Real T>
EBB_API std::vector<Tensor<T>> split(const Operand<T>& x, const std::vector<std::int64_t>& sizes,
                                     int axis = 0);
/// Reverses the order of the elements along each of the axes
template <Real T> EBB_API Tensor<T> flip(const Operand<T>& x, const Axes& axes);
/// Shifts the elements along an axis, with wrap-around: out[(i + shift) mod size] = x[i].
/// @pytorch also takes lists of shifts and axes (write several calls), and no axis (write `reshape`
/// to one axis first).
template <Real T> EBB_API Tensor<T> roll(const Operand<T>& x, std::int64_t shift, int axis);
/// How many elements are added before and after an axis
struct PadWidth {
  std::int64_t before = 0, after = 0;
};
/// Adds elements of one value around x. `widths` has one pair for each axis, the first axis first,
/// as in NumPy.
/// @pytorch takes the last axis first, and only the padded axes; negative widths (write `slice`);
/// and modes that repeat or mirror (write `index_select`).
template <Real T>
EBB_API Tensor<T> pad(const Operand<T>& x, const std::vector<PadWidth>& widths, double value = 0);
/// Repeats the whole array along each axis. The counts belong to the last axes; additional counts
/// make new first axes.
template <Real T>
EBB_API Tensor<T> tile(const Operand<T>& x, const std::vector<std::int64_t>& counts);
/// Repeats the whole array along each axis, as `tile`, with a count for every axis at least.
/// NumPy's repeat is `repeat_interleave`.
template <Real T>
EBB_API Tensor<T> repeat(const Operand<T>& x, const std::vector<std::int64_t>& counts);
/// Repeats each element along an axis `count` times.
/// @pytorch also takes a count for each element (write `index_select`), and no axis (write
/// `reshape` to one axis first).
template <Real T>
EBB_API Tensor<T> repeat_interleave(const Operand<T>& x, std::int64_t count, int axis);
/// Slices of x along an axis by index; `indices` has one axis. It is `gather_rows` for any axis.
/// @pytorch also takes a scalar x.
template <Real T>
EBB_API Tensor<T> index_select(const Operand<T>& x, int axis, const Array<std::int64_t>& indices);
/// Elements by index along an axis, as NumPy's take_along_axis: out[..., j, ...] = x[...,
/// index[..., j, ...], ...]. The other sizes of x and index must be equal.
/// @pytorch lets the other sizes of index be smaller than those of x, which is an error here.
template <Real T>
EBB_API Tensor<T> gather(const Operand<T>& x, int axis, const Array<std::int64_t>& index);
/// Adds elements by index along an axis, the reverse of gather: x with out[..., index[..., j, ...],
/// ...] += source[..., j, ...]. index and source must have the same shape, and that of x except
/// along the axis.
/// @pytorch lets the sizes of index be smaller than those of source and, except along the axis, of
/// x, which is an error here.
template <Real T>
EBB_API Tensor<T> scatter_add(const Operand<T>& x, int axis, const Array<std::int64_t>& index,
                              const Operand<T>& source);
/// The elements where the mask is true, along one axis. The shapes must be equal.
/// @pytorch broadcasts the shapes; write `broadcast_to`.
template <Real T> EBB_API Tensor<T> masked_select(const Operand<T>& x, const Array<bool>& mask);
/// Rows of zeros with a 1 at each index: indices (...) give (..., classes).
/// @pytorch returns integers, and can guess the number of classes, which would differ between
/// batches.
template <Real T = float>
EBB_API Array<T> one_hot(const Array<std::int64_t>& indices, std::int64_t classes);
/// x broadcast to a shape
template <Real T> EBB_API Tensor<T> broadcast_to(const Operand<T>& x, const Shape& shape);
/// Sums over the axes that a broadcast from `shape` to x.shape() stretches, the reverse of
/// broadcast_to.
/// @pytorch calls it the method sum_to_size.
template <Real T> EBB_API Tensor<T> sum_to(const Operand<T>& x, const Shape& shape);
/// The values of x in another type, on the same tape.
/// @pytorch calls it the method to.
template <Real To, Real T>
EBB_API Tensor<To> cast(const Operand<T>& x);

// clang-format on

#undef EBB_WITH_NUMBERS
#undef EBB_WITH_NUMBER

}  // namespace ebb::inline v0
