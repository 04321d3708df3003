// SPDX-License-Identifier: BSD-3-Clause
// The kernel table of one instruction set and one element type. It is compiled once for each pair,
// with EBB_KERNEL_ISA and EBB_KERNEL_TYPE set, and with the flags of that instruction set.
#if defined(__AVX512F__)
#define EBB_KERNEL_BYTES 64
#elif defined(__AVX2__)
#define EBB_KERNEL_BYTES 32
#else
#define EBB_KERNEL_BYTES 16
#endif
#include "ebb/autodiff/kernels/channel_kernels.hpp"
#include "ebb/autodiff/kernels/choice_kernels.hpp"
#include "ebb/autodiff/kernels/line_kernels.hpp"
#include "ebb/autodiff/kernels/matrix_kernels.hpp"
#include "ebb/autodiff/kernels/normalise_kernels.hpp"
#include "ebb/autodiff/kernels/product_kernels.hpp"
#include "ebb/autodiff/kernels/recurrent_kernels.hpp"
#include "ebb/autodiff/kernels/reduce_kernels.hpp"
#include "ebb/autodiff/kernels/sparse_kernels.hpp"

namespace ebb::inline v0::detail {
namespace {

using T = EBB_KERNEL_TYPE;

template <class... U, class... B>
constexpr Kernels<T> make_table(op::List<U...>, op::List<B...>) {
  using M = MaskKernels<T>;
  using R = ReduceKernels<T>;
  using L = LineKernels<T>;
  using C = ChoiceKernels<T>;
  using Larger = typename R::Larger;
  using Smaller = typename R::Smaller;
  using N = NormaliseKernels<T>;
  return {
      .unary_value = {&UnaryKernels<T, U>::value...},
      .unary_pull = {&UnaryKernels<T, U>::pull...},
      .binary_value = {&BinaryKernels<T, B>::value...},
      .binary_pull = {{&BinaryKernels<T, B>::template pull<0>,
                       &BinaryKernels<T, B>::template pull<1>}...},
      .binary_both = {&BinaryKernels<T, B>::both...},
      .compare = {&M::less, &M::greater, &M::less_equal, &M::greater_equal, &M::equal,
                  &M::not_equal},
      .where = &M::where,
      .sum = &R::sum,
      .row_sum = &L::row_sum,
      .column_sum = &R::column_sum,
      .row_max = &C::template rows<Larger>,
      .row_min = &C::template rows<Smaller>,
      .column_max = &C::template columns<Larger>,
      .column_min = &C::template columns<Smaller>,
      .row_argmax = &C::template first_in_rows<Larger>,
      .row_argmin = &C::template first_in_rows<Smaller>,
      .column_argmax = &C::template first_in_columns<Larger>,
      .column_argmin = &C::template first_in_columns<Smaller>,
      .count_choices = &C::count_choices,
      .share_choices = &C::share_choices,
      .log_sum = &R::log_sum,
      .row_logsumexp = &L::row_logsumexp,
      .column_logsumexp = &L::column_logsumexp,
      .softmax = &L::softmax,
      .log_softmax = &L::log_softmax,
      .softmax_pull = &L::softmax_pull,
      .layer_norm = &N::layer_norm,
      .layer_norm_pull = &N::layer_norm_pull,
      .batch_norm = &ChannelKernels<T>::batch_norm,
      .batch_norm_pull = &ChannelKernels<T>::batch_norm_pull,
      .lstm_step = &RecurrentKernels<T>::lstm_step,
      .lstm_pull = &RecurrentKernels<T>::lstm_pull,
      .gru_step = &RecurrentKernels<T>::gru_step,
      .gru_pull = &RecurrentKernels<T>::gru_pull,
      .rnn_step = {&RecurrentKernels<T>::template rnn_step<false>,
                   &RecurrentKernels<T>::template rnn_step<true>},
      .rnn_pull = {&RecurrentKernels<T>::template rnn_pull<false>,
                   &RecurrentKernels<T>::template rnn_pull<true>},
      .product = &ProductKernels<T>::product,
      .pack = &ProductKernels<T>::pack,
      .packed_product = &ProductKernels<T>::packed_product,
      .rows_dot = &MatrixKernels<T>::rows_dot,
      .rows_combine = &MatrixKernels<T>::rows_combine,
      .sparse_by_output = &SparseKernels<T>::by_output,
      .sparse_by_column = &SparseKernels<T>::by_column,
      .sparse_pull_by_output = &SparseKernels<T>::pull_by_output,
      .sparse_pull_by_column = &SparseKernels<T>::pull_by_column,
  };
}

}  // namespace

#define EBB_JOIN2(a, b) kernels_##a##_##b
#define EBB_JOIN(a, b) EBB_JOIN2(a, b)
extern const Kernels<T> EBB_JOIN(EBB_KERNEL_ISA, EBB_KERNEL_TYPE);
constinit const Kernels<T> EBB_JOIN(EBB_KERNEL_ISA, EBB_KERNEL_TYPE) = make_table(op::Unary{},
                                                                                  op::Binary{});

}  // namespace ebb::inline v0::detail
