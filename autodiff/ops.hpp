// SPDX-License-Identifier: BSD-3-Clause
// The operations. Each takes arrays, tensors and variables, in any mixture of one element type, and
// returns a tensor. Elementwise operations also take plain numbers, and broadcast as NumPy does. An
// operation throws ShapeError or ArgumentError, with its own name, for operands that it cannot
// take. Products, factorisations, losses, comparisons, reductions and the operations of networks
// are in the first six includes.
#pragma once
#include <initializer_list>
#include <span>
#include <vector>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/operations/masks.hpp"
#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/operations/sparse.hpp"
#include "ebb/autodiff/values/number.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

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
/// 2^x, exact for integers
template <Real T> EBB_API Tensor<T> exp2(const Operand<T>& x);
/// e^x - 1, exact near 0
template <Real T> EBB_API Tensor<T> expm1(const Operand<T>& x);
/// Natural logarithm
template <Real T> EBB_API Tensor<T> log(const Operand<T>& x);
/// Logarithm to the base 2, exact for powers of 2
template <Real T> EBB_API Tensor<T> log2(const Operand<T>& x);
/// Logarithm to the base 10, exact for powers of 10
template <Real T> EBB_API Tensor<T> log10(const Operand<T>& x);
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
/// x / (1 + |x|)
template <Real T> EBB_API Tensor<T> softsign(const Operand<T>& x);
/// x limited to [low, high], slope 1 at both ends; NaN stays NaN. low must not be above high.
/// @pytorch also takes one limit alone (`clamp_min` and `clamp_max`), or tensors as limits: write
/// `maximum` and `minimum`. It accepts low > high, which is an error here.
template <Real T> EBB_API Tensor<T> clamp(const Operand<T>& x, double low, double high);
/// max(x, low), slope 1 at low; NaN stays NaN.
/// @pytorch also takes a tensor as the limit: write `maximum`.
template <Real T> EBB_API Tensor<T> clamp_min(const Operand<T>& x, double low);
/// min(x, high), slope 1 at high; NaN stays NaN.
/// @pytorch also takes a tensor as the limit: write `minimum`.
template <Real T> EBB_API Tensor<T> clamp_max(const Operand<T>& x, double high);
/// x above 0, else negative_slope x; slope negative_slope at 0
template <Real T> EBB_API Tensor<T> leaky_relu(const Operand<T>& x, double negative_slope = 0.01);
/// x above 0, else alpha (e^x - 1); slope alpha at 0
template <Real T> EBB_API Tensor<T> elu(const Operand<T>& x, double alpha = 1);
/// 1.0507 elu(x, 1.6733), which keeps the mean and variance of activations; slope 1.7581 at 0
template <Real T> EBB_API Tensor<T> selu(const Operand<T>& x);
/// x limited to [low, high], slope 0 at both ends; NaN stays NaN. low must not be above high.
template <Real T> EBB_API Tensor<T> hardtanh(const Operand<T>& x, double low = -1, double high = 1);
/// x limited to [0, 6], slope 0 at both ends; NaN stays NaN
template <Real T> EBB_API Tensor<T> relu6(const Operand<T>& x);
/// x + 3 limited to [0, 6], over 6; slope 0 at both ends
template <Real T> EBB_API Tensor<T> hardsigmoid(const Operand<T>& x);
/// x hardsigmoid(x); slope 0 at -3 and 1 at 3
template <Real T> EBB_API Tensor<T> hardswish(const Operand<T>& x);
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
/// log(e^a + e^b), finite for all finite a and b; slopes 1/2 for equal arguments, also infinite
/// ones.
/// @pytorch has slopes of NaN for equal infinite arguments.
template <Real T> EBB_API Tensor<T> logaddexp(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, logaddexp)
/// The angle of the point (b, a) in [-pi, pi]; slopes 0 where both are 0.
/// @pytorch has slopes of NaN where both are 0.
template <Real T> EBB_API Tensor<T> atan2(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Tensor<T>, atan2)

/// a + weight (b - a), which is a for a weight of 0 and b for a weight of 1. All three broadcast.
template <Real T>
EBB_API Tensor<T> lerp(const Operand<T>& a, const Operand<T>& b, const Operand<T>& weight);
template <Real T>
EBB_API Tensor<T> lerp(const Operand<T>& a, const Operand<T>& b, double weight);

EBB_REFUSE_MIXED(operator+)
EBB_REFUSE_MIXED(operator-)
EBB_REFUSE_MIXED(operator*)
EBB_REFUSE_MIXED(operator/)
EBB_REFUSE_MIXED(pow)
EBB_REFUSE_MIXED(maximum)
EBB_REFUSE_MIXED(minimum)

// Assignments. The shape of a stays, and b broadcasts to it. A tensor then stands for the new value,
// which is recorded if a or b is. A Variable changes by `set_value` or by an optimizer.

#define EBB_ASSIGNMENT(symbol, operation)                                                     \
  template <Real T>                                                                           \
  EBB_INLINE Array<T>& operator symbol(Array<T>& a, const Operand<T>& b) {                    \
    return detail::assign("operator" #symbol, a, a operation b);                              \
  }                                                                                           \
  template <Real T>                                                                           \
  EBB_INLINE Array<T>& operator symbol(Array<T>& a, double b) {                               \
    return detail::assign("operator" #symbol, a, a operation b);                              \
  }                                                                                           \
  template <Real T>                                                                           \
  EBB_INLINE Tensor<T>& operator symbol(Tensor<T>& a, const Operand<T>& b) {                  \
    return detail::assign("operator" #symbol, a, a operation b);                              \
  }                                                                                           \
  template <Real T>                                                                           \
  EBB_INLINE Tensor<T>& operator symbol(Tensor<T>& a, double b) {                             \
    return detail::assign("operator" #symbol, a, a operation b);                              \
  }                                                                                           \
  template <Real T, class B>                                                                  \
  void operator symbol(Variable<T>&, const B&) {                                              \
    static_assert(sizeof(T) == 0, "a Variable changes by w.set_value(w.value() " #operation   \
                                  " step) or by an optimizer");                               \
  }
EBB_ASSIGNMENT(+=, +)
EBB_ASSIGNMENT(-=, -)
EBB_ASSIGNMENT(*=, *)
EBB_ASSIGNMENT(/=, /)
#undef EBB_ASSIGNMENT

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
/// log of the running sum of e^x along an axis, without overflow; equal infinite elements as in
/// logsumexp
template <Real T> EBB_API Tensor<T> logcumsumexp(const Operand<T>& x, int axis);

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
/// The largest element so far along an axis, and its position, which gets the gradient. Of equal
/// elements the first is chosen. NaN stays NaN.
/// @pytorch chooses the last of equal elements.
template <Real T> EBB_API Selected<T> cummax(const Operand<T>& x, int axis);
/// The smallest element so far along an axis, and its position, which gets the gradient. Of equal
/// elements the first is chosen. NaN stays NaN.
/// @pytorch chooses the last of equal elements.
template <Real T> EBB_API Selected<T> cummin(const Operand<T>& x, int axis);
/// The middle element in order, of at least one; the lower of two. NaN if there is a NaN. The
/// gradient goes to the chosen element.
/// @pytorch shares the gradient of the median of all elements among equal ones, but not that along
/// an axis.
template <Real T> EBB_API Tensor<T> median(const Operand<T>& x);
template <Real T>
EBB_API Selected<T> median(const Operand<T>& x, int axis, bool keepdim = false);
/// The value below which the fraction q in [0, 1] of the elements lies: of n in order that at q (n -
/// 1), or on the line between the two beside it. A list of q gives a result for each, along a new
/// first axis. NaN if there is a NaN. The gradient goes to both elements, by their weights.
/// @pytorch takes a list of q as a tensor, and other kinds of interpolation.
template <Real T> EBB_API Tensor<T> quantile(const Operand<T>& x, double q);
template <Real T>
EBB_API Tensor<T> quantile(const Operand<T>& x, double q, int axis, bool keepdim = false);
template <Real T> EBB_API Tensor<T> quantile(const Operand<T>& x, const std::vector<double>& q);
template <Real T>
EBB_API Tensor<T> quantile(const Operand<T>& x, const std::vector<double>& q, int axis,
                           bool keepdim = false);

// Shapes and indices.

/// The elements of x in another shape of the same size. In a list of sizes one may be -1: it is
/// what the others leave.
template <Real T> EBB_API Tensor<T> reshape(const Operand<T>& x, const Shape& shape);
template <Real T, detail::ListOf<std::int64_t> List>
EBB_INLINE Tensor<T> reshape(const Operand<T>& x, const List& sizes) {
  return detail::reshape_to(x, sizes);
}
template <Real T>
EBB_INLINE Tensor<T> reshape(const Operand<T>& x, std::initializer_list<std::int64_t> sizes) {
  return detail::reshape_to(x, std::span<const std::int64_t>(sizes.begin(), sizes.size()));
}
/// The axes in another order; without an order, reversed.
/// @pytorch calls it permute; its transpose swaps two axes.
template <Real T> EBB_API Tensor<T> transpose(const Operand<T>& x);
template <Real T> EBB_API Tensor<T> transpose(const Operand<T>& x, std::span<const int> order);
template <Real T>
EBB_INLINE Tensor<T> transpose(const Operand<T>& x, std::initializer_list<int> order) {
  return transpose(x, std::span<const int>(order.begin(), order.size()));
}
/// The axes in another order, as `transpose`
template <Real T> EBB_API Tensor<T> permute(const Operand<T>& x, std::span<const int> order);
template <Real T>
EBB_INLINE Tensor<T> permute(const Operand<T>& x, std::initializer_list<int> order) {
  return permute(x, std::span<const int>(order.begin(), order.size()));
}
/// Removes axes of size 1: all of them, or those among the given axes
template <Real T> EBB_API Tensor<T> squeeze(const Operand<T>& x);
template <Real T> EBB_API Tensor<T> squeeze(const Operand<T>& x, const Axes& axes);
/// Adds an axis of size 1, which is axis `axis` of the result
template <Real T> EBB_API Tensor<T> unsqueeze(const Operand<T>& x, int axis);
/// Every step-th element of a range along one axis; for axis 0 it is `x[{begin, end, step}]`.
/// @pytorch writes x[begin:end:step], and cuts off positions outside of the axis, which are an
/// error here.
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
/// The parts at each index of an axis, which they lack: `auto rows = unbind(x)`
template <Real T>
EBB_API std::vector<Tensor<T>> unbind(const Operand<T>& x, int axis = 0);
/// Reverses the order of the elements along each of the axes
template <Real T> EBB_API Tensor<T> flip(const Operand<T>& x, const Axes& axes);
/// Shifts the elements along an axis, with wrap-around: out[(i + shift) mod size] = x[i].
/// @pytorch also takes lists of shifts and axes (write several calls), and no axis (write `reshape`
/// to one axis first).
template <Real T> EBB_API Tensor<T> roll(const Operand<T>& x, std::int64_t shift, int axis);
/// Moves the elements n places along an axis, back if n < 0; `fill` where none arrive. Unlike with
/// `roll`, those that would leave the axis are lost.
/// @pytorch has no such operation: write cat and slices.
template <Real T>
EBB_API Tensor<T> shift(const Operand<T>& x, std::int64_t n, int axis, double fill = 0);
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

}  // namespace ebb::inline v0
