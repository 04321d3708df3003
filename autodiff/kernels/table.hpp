// SPDX-License-Identifier: BSD-3-Clause
// The loops that are compiled for each instruction set, behind one table of function pointers for
// each element type.
#pragma once
#include <cstdint>

#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/values/memory.hpp"

namespace ebb::inline v0::detail {

/// An operand of an elementwise kernel on a grid: element (r, c) is data[r * row + c * col]. `col`
/// is 1, or 0 for a single value in each row.
template <class T>
struct In {
  const T* data;
  std::int64_t row;
  std::int64_t col;
};

/// The grid of an elementwise kernel, with at least one row. The output is dense.
struct Grid {
  std::int64_t rows;
  std::int64_t cols;
};

/// out = formula(in...), or out += ... Outputs are written in whole vectors, which may extend past
/// the last element.
template <class T>
using Map = void (*)(T* out, const In<T>* in, Grid grid, const void* formula, bool accumulate);
/// Both gradients of a binary operation in one pass; if db is null, da gets their sum. `in` is (g,
/// a, b, y).
template <class T>
using MapBoth = void (*)(T* da, T* db, const In<T>* in, Grid grid, const void* formula);

enum class Comparison { less, greater, less_equal, greater_equal, equal, not_equal };

/// Lines of at most so many elements are reduced several at a time.
constexpr std::int64_t short_line = 32;

/// The inputs and outputs of the gradient of layer normalisation.
template <class T>
struct LayerNormPull {
  T* out;  ///< (rows + 2, cols): the gradients of x, then of the weight, then of the bias
  const T *g, *x, *weight;
  std::int64_t rows, cols;
  double eps;
  T *weight_sums, *bias_sums;  ///< memory for `cols` numbers each, in whole vectors
  double* totals;              ///< memory for 2 * cols numbers
};

/// The input of batch normalisation, and the moments of its channels.
template <class T>
struct Channels {
  const T* x;  ///< (rows, channels, size)
  std::int64_t rows, channels, size;
  double eps;
  bool training;               ///< the moments are those of x, and depend on it
  T *mean, *variance, *scale;  ///< (channels,): of the distance to the mean; 1 / sqrt(.. + eps)
};

/// One step of a recurrent cell for one row. A cell has states of `size` numbers, and gates of
/// `size` numbers each, one after the other.
template <class T>
struct RecurrentStep {
  std::int64_t size;
  T* gates;              ///< the part of the input; then the gates
  const T* of_state;     ///< the part of the state that was
  const T *b_ih, *b_hh;  ///< biases of both parts
  T *hidden, *cell;      ///< the states that were; then the new ones
  T *output, *memory;    ///< receive the new hidden state, and what the gradient needs besides
};
/// The gradient of one step for one row.
template <class T>
struct RecurrentPull {
  std::int64_t size;
  const T *gates, *memory;          ///< as the step left them
  const T *hidden_before, *before;  ///< the hidden state that was, and for LSTM the cell state
  const T *hidden, *g;              ///< the new hidden state, and the gradient of the output
  /// The gradients of the states; then those of the states that were, but for what comes to the
  /// hidden state through `of_state`.
  T *g_hidden, *g_cell;
  T *of_input, *of_state;  ///< receive the gradients of both parts of the gates
};

/// Sparse rows: row i has the elements [ranges[2 i], ranges[2 i + 1]) of `indices` and `values`.
template <class T>
struct SparseView {
  std::int64_t rows;
  const std::int64_t *ranges, *indices;
  const T* values;
};

/// All functions that are compiled for each instruction set.
template <class T>
struct Kernels {
  Map<T> unary_value[unary_count];
  Map<T> unary_pull[unary_count];  ///< in is (g, x, y)
  Map<T> binary_value[binary_count];
  Map<T> binary_pull[binary_count][2];  ///< in is (g, a, b, y)
  MapBoth<T> binary_both[binary_count];

  void (*compare[6])(bool* out, const In<T>* in, Grid grid);
  /// out = mask ? a : b
  void (*where)(T* out, const In<bool>& mask, const In<T>* in, Grid grid);

  /// The sum of n elements in a fixed order: blocks of 4096 in T, combined in double.
  double (*sum)(const T* x, std::int64_t n);
  /// out[r] = sum over c of x[r * cols + c], divided.
  void (*row_sum)(T* out, const T* x, std::int64_t rows, std::int64_t cols, double divisor);
  /// out[c] = scale * sum over r of x[r * cols + c].
  void (*column_sum)(T* out, const T* x, std::int64_t rows, std::int64_t cols, double scale);
  /// The largest or smallest element of each row or column, which has at least one; NaN if there
  /// is one.
  void (*row_max)(T* out, const T* x, std::int64_t rows, std::int64_t cols);
  void (*row_min)(T* out, const T* x, std::int64_t rows, std::int64_t cols);
  void (*column_max)(T* out, const T* x, std::int64_t rows, std::int64_t cols);
  void (*column_min)(T* out, const T* x, std::int64_t rows, std::int64_t cols);
  /// The index of the first of those elements; of the first NaN if there is one.
  void (*row_argmax)(std::int64_t* first, const T* x, std::int64_t rows, std::int64_t cols);
  void (*row_argmin)(std::int64_t* first, const T* x, std::int64_t rows, std::int64_t cols);
  void (*column_argmax)(std::int64_t* first, const T* x, std::int64_t rows, std::int64_t cols);
  void (*column_argmin)(std::int64_t* first, const T* x, std::int64_t rows, std::int64_t cols);
  /// Adds to `counts`, integers of the width of T, how many elements of x equal y, which has one
  /// for each row or column of the grid.
  void (*count_choices)(T* counts, const T* x, const In<T>& y, Grid grid);
  /// out = share where x equals y, else 0; NaN where y is. `in` is y and the shares.
  void (*share_choices)(T* out, const T* x, const In<T>* in, Grid grid);
  /// log(sum(exp(x - largest))) of n >= 1 elements, and the largest; logsumexp is the sum of both,
  /// and -inf for no elements. softmax writes e^(x - largest) / sum to y, log_softmax its
  /// logarithm.
  double (*log_sum)(const T* x, std::int64_t n, T& largest);
  void (*row_logsumexp)(T* out, const T* x, std::int64_t rows, std::int64_t cols);
  /// Of columns of at most `short_line` elements.
  void (*column_logsumexp)(T* out, const T* x, std::int64_t rows, std::int64_t cols);
  void (*softmax)(T* y, const T* x, std::int64_t rows, std::int64_t cols);
  void (*log_softmax)(T* y, const T* x, std::int64_t rows, std::int64_t cols);
  /// gx = y * (g - sum(g * y)) for each row.
  void (*softmax_pull)(T* gx, const T* g, const T* y, std::int64_t rows, std::int64_t cols);

  /// y = (x - mean) / sqrt(variance + eps) * weight + bias for each row, and its gradients.
  void (*layer_norm)(T* y, const T* x, const T* weight, const T* bias, std::int64_t rows,
                     std::int64_t cols, double eps);
  void (*layer_norm_pull)(const LayerNormPull<T>& call);

  /// y = (x - mean) * scale * weight + bias for each channel. In training it finds the moments.
  void (*batch_norm)(const Channels<T>& x, const T* weight, const T* bias, T* y);
  /// The gradients of x, and (2, channels) those of the weight and the bias.
  void (*batch_norm_pull)(const Channels<T>& x, const T* weight, const T* g, T* gx, T* sums);

  // Steps of recurrent cells; those of the simplest, by tanh and by relu.
  void (*lstm_step)(const RecurrentStep<T>& row);
  void (*lstm_pull)(const RecurrentPull<T>& row);
  void (*gru_step)(const RecurrentStep<T>& row);
  void (*gru_pull)(const RecurrentPull<T>& row);
  void (*rnn_step[2])(const RecurrentStep<T>& row);
  void (*rnn_pull[2])(const RecurrentPull<T>& row);

  /// c (m, n) = op(a) (m, k) op(b) (k, n), or c += ..., for a small b; false for other sizes.
  bool (*product)(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const T* a, const T* b, T* c, bool accumulate);
  /// Copies op(b) (k, n), so that it can be multiplied fast; false for an n that does not fill
  /// vectors. `packed` is aligned, and has n * k numbers.
  bool (*pack)(bool transpose_b, std::int64_t n, std::int64_t k, const T* b, T* packed);
  /// c (m, n) = a (m, k) b, or c += ..., for a b that is packed; k is at least 1.
  void (*packed_product)(std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                         const T* packed, T* c, bool accumulate);
  /// y[r] = x[r, :] . w + bias, for tall matrices.
  void (*rows_dot)(T* y, const T* x, const T* w, T bias, std::int64_t rows, std::int64_t cols);
  /// out[c] (+)= sum over r of g[r] * x[r, c].
  void (*rows_combine)(T* out, const T* x, const T* g, std::int64_t rows, std::int64_t cols,
                       bool accumulate);

  /// y (rows, outputs) = x w^T + bias, for w (outputs, columns); no bias if it is null.
  void (*sparse_by_output)(T* y, const SparseView<T>& x, const T* w, const T* bias,
                           std::int64_t outputs, std::int64_t columns);
  /// y (rows, outputs) = x w, for w (columns, outputs).
  void (*sparse_by_column)(T* y, const SparseView<T>& x, const T* w, std::int64_t outputs);
  /// w += g^T x and w += x^T g, for g (rows, outputs) and w as before.
  void (*sparse_pull_by_output)(T* w, const SparseView<T>& x, const T* g, std::int64_t outputs,
                                std::int64_t columns);
  void (*sparse_pull_by_column)(T* w, const SparseView<T>& x, const T* g, std::int64_t outputs);
};

/// The instruction sets for which ebb has kernels, lowest first.
enum class InstructionSet { sse2, avx2, avx512 };
/// The instruction set in use: the best of this machine, or the one that EBB_ISA names.
/// @throws ArgumentError if EBB_ISA names one that is unknown or that this machine lacks.
EBB_API InstructionSet instruction_set();
EBB_API const char* to_string(InstructionSet set);

template <class T>
struct KernelsInUse {
  static constinit inline std::atomic<const Kernels<T>*> table = nullptr;
};
template <class T>
const Kernels<T>& choose_kernels();

/// The table of the instruction set in use.
template <class T>
EBB_INLINE const Kernels<T>& kernels() {
  const Kernels<T>* table = KernelsInUse<T>::table.load(std::memory_order_relaxed);
  return table ? *table : choose_kernels<T>();
}

/// sum = a + b. Each of a and b may be uniform; `sum` is dense and may be a or b.
template <class T>
void add_into(Block* sum, Block* a, Block* b);

}  // namespace ebb::inline v0::detail
