// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/reductions.hpp"

#include <numeric>

#include "ebb/autodiff/ops/shapes.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {

Shape reduced_shape(const ReduceOptions& options, const Shape& x) {
  std::int64_t sizes[Shape::max_rank];
  int rank = 0;
  for (int i = 0; i < x.rank(); ++i) {
    const bool goes = options.axes >> i & 1U;
    if (!goes || options.keepdim) sizes[rank++] = goes ? 1 : x[i];
  }
  return Shape(std::span<const std::int64_t>(sizes, std::size_t(rank)));
}

std::int64_t reduced_count(const ReduceOptions& options, const Shape& x) {
  std::int64_t count = 1;
  for (int i = 0; i < x.rank(); ++i) count *= options.axes >> i & 1U ? x[i] : 1;
  return count;
}

Axes axes_of(const ReduceOptions& options) {
  int axes[Shape::max_rank], n = 0;
  for (int i = 0; i < Shape::max_rank; ++i) {
    if (options.axes >> i & 1U) axes[n++] = i;
  }
  return Axes(std::span<const int>(axes, std::size_t(n)));
}

ReducePlan::ReducePlan(const ReduceOptions& options, Block* input, std::size_t element_size)
    : shape(reduced_shape(options, input->shape)), x(input) {
  const Shape& s = x->shape;
  const auto goes = [&](int i) { return (options.axes >> i & 1U) != 0; };
  int first = 0, last = s.rank() - 1;
  while (first <= last && (!goes(first) || s[first] == 1)) ++first;
  while (last >= first && (!goes(last) || s[last] == 1)) --last;
  bool adjacent = true;
  for (int i = first; i <= last; ++i) adjacent &= goes(i) || s[i] == 1;
  if (adjacent) {
    for (int i = 0; i < s.rank(); ++i) (i < first ? outer : i <= last ? count : inner) *= s[i];
    return;
  }
  int order[Shape::max_rank], n = 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < s.rank(); ++i) {
      if (goes(i) == (pass == 1)) order[n++] = i;
    }
  }
  permuted = BlockHandle(permute(x, order, element_size));
  x = permuted.get();
  count = reduced_count(options, s);
  outer = shape.size();
}

template <class T>
Tensor<T> keep_axes(const Tensor<T>& y, const ReduceOptions& options, const Shape& x) {
  const Shape kept = reduced_shape({options.axes, true}, x);
  return y.shape() == kept ? y : reshape(y, kept);
}
EBB_FOR_REALS(keep_axes)

template <class T>
Tensor<T> expand(const Tensor<T>& g, const ReduceOptions& options, const Shape& to) {
  return apply<op::BroadcastTo, T>({to, true}, keep_axes(g, options, to));
}
EBB_FOR_REALS(expand)

template <class T>
Block* sum_block(Block* x, unsigned axes) {
  return op::Sum::forward<T>({axes, false}, x);
}
EBB_OVERLOAD_FOR_REALS(sum_block, Block*(Block*, unsigned))

namespace {

/// Moves the axis to the end, applies the function, and moves the axis back.
template <class Op, class T>
Tensor<T> along_last(const Operand<T>& x, int axis) {
  const Shape& shape = Access::shape(x, Op::name);
  const int rank = shape.rank();
  axis = axis_of(Op::name.data(), axis, shape);
  if (rank == 0) return reshape(apply<Op, T>({}, reshape(x, {1})), {});
  if (axis == rank - 1) return apply<Op, T>({}, x);
  int order[Shape::max_rank];
  std::iota(order, order + rank, 0);
  std::swap(order[axis], order[rank - 1]);
  const op::Transpose::Options swap(order, rank);
  return apply<op::Transpose, T>(swap, apply<Op, T>({}, apply<op::Transpose, T>(swap, x)));
}

}  // namespace
}  // namespace detail

EBB_REDUCTION(sum, Sum)
EBB_REDUCTION(mean, Mean)
EBB_REDUCTION(logsumexp, LogSumExp)

#define EBB_NORMALISATION(f, Op)                   \
  template <Real T>                                \
  Tensor<T> f(const Operand<T>& x, int axis) {     \
    return detail::along_last<op::Op, T>(x, axis); \
  }                                                \
  EBB_FOR_REALS(f)
EBB_NORMALISATION(softmax, Softmax)
EBB_NORMALISATION(log_softmax, LogSoftmax)
#undef EBB_NORMALISATION

}  // namespace ebb::inline v0
