// SPDX-License-Identifier: BSD-3-Clause
// What the machine does when the work is written by hand for one task: the yardstick of the
// benchmarks. Plain functions over arrays that the caller owns; none of them allocates.
//
// Arrays are aligned to 64 bytes and may be read, never written, for 64 bytes past their end.
#pragma once
#include <cstdint>

namespace limits {

/// One step of linear regression with 10 features on 32 rows: w -= rate d/dw mean((x w + b - y)^2).
/// `w` has room for 16 numbers, of which those from the eleventh on are 0. Returns the loss.
float linear_step(const float* x, const float* y, float* w, float* b, float rate);
/// One step of logistic regression, with the loss mean(softplus(z) - y z), z = x w + b.
float logistic_step(const float* x, const float* y, float* w, float* b, float rate);

/// The sizes of the multilayer perceptron, and where each parameter stands among all of them.
/// Weights are (in, out), the layout in which every product of a step is a fast one.
struct Mlp {
  static constexpr std::int64_t in = 784, first = 256, second = 128, out = 10;
  static constexpr std::int64_t w1 = 0, b1 = w1 + in * first, w2 = b1 + first,
                                b2 = w2 + first * second, w3 = b2 + second, b3 = w3 + second * out,
                                parameters = b3 + out + 6;

  std::int64_t batch;
  float *p, *g, *m, *v;  ///< `parameters` each: values, gradients, first and second moments
  float *h1, *h2, *z;    ///< activations (batch, first), (batch, second), (batch, out)
  float *d1, *d2;        ///< their gradients
  std::int64_t step;     ///< steps done
};
/// Step number `step`, from 1, of Adam (0.9, 0.999, 1e-8) over n parameters, a multiple of 16.
void adam_step(float* p, const float* g, float* m, float* v, std::int64_t n, std::int64_t step,
               double learning_rate);
/// One Adam step (0.9, 0.999, 1e-8) on the mean cross-entropy of x (batch, in). Returns the loss.
float mlp_adam_step(Mlp& mlp, const float* x, const std::int64_t* labels, double rate);

/// y = a b of `count` pairs of matrices (64, 64), and the gradients of both from that of y, g.
void batched_product(const float* a, const float* b, const float* g, float* y, float* ga, float* gb,
                     std::int64_t count);

/// x = a^-1 b for `count` matrices (n, n), one after the other, and vectors (n,), by OpenBLAS's
/// factors and no more. The room has n * n numbers.
void solve(const float* a, const float* b, float* room, float* x, std::int64_t n,
           std::int64_t count);

// Elementwise operations: forward to y, then the gradients from the gradient g of y.

void exp_forward(const float* x, float* y, std::int64_t n);
void exp_backward(const float* y, const float* g, float* gx, std::int64_t n);
void tanh_forward(const float* x, float* y, std::int64_t n);
void tanh_backward(const float* y, const float* g, float* gx, std::int64_t n);
void erf_forward(const float* x, float* y, std::int64_t n);
void erf_backward(const float* x, const float* g, float* gx, std::int64_t n);
void mul_forward(const float* a, const float* b, float* y, std::int64_t n);
void mul_backward(const float* a, const float* b, const float* g, float* ga, float* gb,
                  std::int64_t n);
void add_forward(const float* a, const float* b, float* y, std::int64_t n);
/// x (rows, columns) + b (columns); columns is a multiple of 256.
void add_row_forward(const float* x, const float* b, float* y, std::int64_t rows,
                     std::int64_t columns);

// Reductions of x (rows, columns); columns is a multiple of 256 and the sizes are exact.

float sum(const float* x, std::int64_t n);
void sum_rows(const float* x, float* y, std::int64_t rows, std::int64_t columns);     // y (columns)
void sum_columns(const float* x, float* y, std::int64_t rows, std::int64_t columns);  // y (rows)
void softmax_forward(const float* x, float* y, std::int64_t rows, std::int64_t columns);
void softmax_backward(const float* y, const float* g, float* gx, std::int64_t rows,
                      std::int64_t columns);

/// y = the sums of the rows of x (rows, 2), and the largest elements of those of x (rows, 5).
void sum_pairs(const double* x, double* y, std::int64_t rows);
void max_rows_of_5(const double* x, double* y, std::int64_t rows);

/// The sizes of a convolution with kernels of 3 x 3 and a padding of 1.
struct Convolution {
  static constexpr std::int64_t batch = 16, in = 16, out = 32, side = 28;
};
/// x (batch, in, side, side), w (out, in, 3, 3), b (out). `columns` has room for the windows of one
/// image, in * 9 * side^2 numbers, and 16 more.
void convolution_forward(const float* x, const float* w, const float* b, float* columns, float* y);
void convolution_backward(const float* x, const float* w, const float* g, float* columns, float* gx,
                          float* gw, float* gb);

/// The transposed convolution of x (batch, out, side, side) to y (batch, in, side, side), with a
/// bias b (in).
void transposed_convolution_forward(const float* x, const float* w, const float* b, float* columns,
                                    float* y);

/// The distances y (n, m) of rows a (n, d) and b (m, d), and the gradients of both from that of y,
/// g. n, m and d are multiples of 64. `columns` has room for m * d numbers, in which b stands
/// by columns; `weights` has room for n * m.
void distances_forward(const float* a, const float* b, float* columns, float* y, std::int64_t n,
                       std::int64_t m, std::int64_t d);
void distances_backward(const float* a, const float* b, const float* g, const float* y,
                        float* weights, float* ga, float* gb, std::int64_t n, std::int64_t m,
                        std::int64_t d);

// Layer normalisation of x (rows, columns), as above, with an eps of 1e-5.

void layer_norm_forward(const float* x, const float* w, const float* b, float* y, std::int64_t rows,
                        std::int64_t columns);
void layer_norm_backward(const float* x, const float* w, const float* g, float* gx, float* gw,
                         float* gb, std::int64_t rows, std::int64_t columns);

/// One layer of a recurrent network, forward and back. The first axis is time, rows come next.
/// Weights are (in, gates * hidden) and (hidden, gates * hidden); gates as in PyTorch.
struct Recurrent {
  static constexpr std::int64_t steps = 32, batch = 16, in = 16, hidden = 64;

  const float *w_ih, *w_hh, *b_ih, *b_hh;
  float* gates;    ///< (steps, batch, gates * hidden)
  float* rec;      ///< as large, for gru
  float* states;   ///< (steps + 1, batch, hidden), the first given
  float* memory;   ///< as large; for lstm the cell states, the first given
  float *gh, *gc;  ///< (batch, hidden)
  float *gx, *gw_ih, *gw_hh, *gb_ih, *gb_hh;
};
/// The states of all steps for x (steps, batch, in), and all gradients from that of the states, g.
/// For lstm b_ih is the sum of both biases.
void lstm(const Recurrent& r, const float* x, const float* g);
void gru(const Recurrent& r, const float* x, const float* g);

/// Attention of sequences (batch, heads, steps, features), forward and back. The weights are
/// (batch, heads, steps, steps), and the room is as large as those of one head.
struct Attention {
  std::int64_t batch, heads, steps, features;
};
constexpr Attention attention_of_words{16, 4, 64, 32}, attention_of_pages{2, 4, 1024, 64};
void attention(const Attention& of, const float* q, const float* k, const float* v, const float* g,
               float* weights, float* room, float* y, float* gq, float* gk, float* gv);

/// Batch normalisation in training of pictures (batch, channels, side, side), forward and back.
struct BatchNorm {
  static constexpr std::int64_t batch = 32, channels = 32, side = 16;
};
void batch_norm(const float* x, const float* w, const float* b, const float* g, float* y, float* gx,
                float* gw, float* gb, float* running_mean, float* running_var);

/// The multilayer perceptron for one row, with weights (out, in).
void mlp_inference(const float* x, const float* w1, const float* b1, const float* w2,
                   const float* b2, const float* w3, const float* b3, float* h1, float* h2,
                   float* z);

// Lines of a matrix (rows, columns).

/// Running sums in double along the last axis, from its end if `reverse`; rows is a multiple of 8.
void cumsum_last(const float* x, float* y, std::int64_t rows, std::int64_t columns, bool reverse);
/// Running sums in double along the first axis; `total` has room for `columns` numbers.
void cumsum_first(const float* x, float* y, double* total, std::int64_t rows, std::int64_t columns,
                  bool reverse);
/// y[j] = x[index[j]] for `count` rows; columns is a multiple of 16.
/// Along the last axis, or the first, of (rows, columns), by an index of that shape.
void gather_last(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                 std::int64_t columns);
void gather_first(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                  std::int64_t columns);
/// y += x by the same indices.
void scatter_add_last(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                      std::int64_t columns);
void scatter_add_first(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                       std::int64_t columns);
void gather_rows(const float* x, const std::int64_t* index, float* y, std::int64_t count,
                 std::int64_t columns);
/// y (rows, columns) = 0, and then y[index[j]] += x[j] for `count` rows.
void scatter_add_rows(const float* x, const std::int64_t* index, float* y, std::int64_t count,
                      std::int64_t rows, std::int64_t columns);
/// One step of w (rows, columns) on the mean of the squares of `count` rows by index: the rows go
/// to `drawn`, and from there w -= rate d/dw. Returns the loss; columns is a multiple of 16.
float embedding_step(float* w, const std::int64_t* index, float* drawn, std::int64_t count,
                     std::int64_t columns, float rate);
/// y = each row of 256 in stable order, NaN last, and where its elements stood.
void sort_rows(const float* x, float* y, std::int64_t* order, std::int64_t rows);
void sort_rows_backward(const float* g, const std::int64_t* order, float* gx, std::int64_t rows);

// A chain of ten cheap operations, t = relu(x a + b), u = relu((t^2 + a) / 2), y = (u x - b)^2.

void chain_forward(const float* x, const float* a, const float* b, float* y, std::int64_t n);
void chain_backward(const float* x, const float* a, const float* b, const float* g, float* gx,
                    float* ga, float* gb, std::int64_t n);
/// The mean of y and its gradients in one loop.
float chain_mean(const float* x, const float* a, const float* b, float* gx, float* ga, float* gb,
                 std::int64_t n);

/// Copies all rows of x (rows, 100) and y, in batches of 256 in a new random order, into room for
/// one batch. `order` holds the rows' numbers.
void gather_epoch(const float* x, const float* y, std::int64_t rows, std::uint64_t& seed,
                  std::int64_t* order, float* batch_x, float* batch_y);

/// One epoch of linear regression over x (rows, 100) in batches of 256 in a new random order.
/// `order` holds the rows' numbers, `batch_x` and `batch_y` room for one batch; `w` has room for
/// 112 numbers, of which those from the 101st on are 0. Returns the mean of the batches' losses.
float epoch(const float* x, const float* y, std::int64_t rows, std::uint64_t& seed,
            std::int64_t* order, float* batch_x, float* batch_y, float* w, float* b, float rate);

/// One step of logistic regression on all of x (rows, 100); rows is a multiple of 16, `w` as above.
float full_batch_step(const float* x, const float* y, std::int64_t rows, float* w, float* b,
                      float rate);
/// The gradient of mean((x w + b - y)^2) over the same rows; `gw` has room for 112 numbers, of
/// which the first 100 are the gradient of w. Returns the loss.
float full_batch_gradient(const float* x, const float* y, std::int64_t rows, const float* w,
                          const float* b, float* gw, float* gb);

/// The value of a function at x, whose gradient it writes.
using Function = double (*)(void* data, const double* x, double* gradient);
/// Minimises a function of n numbers from x by L-BFGS with ten pairs, until the gradient is at most
/// `tolerance`. `room` has room for 24 n numbers. Returns the iterations.
int lbfgs(Function f, void* data, std::int64_t n, double tolerance, int iterations, double* x,
          double* room);
/// x (rows, features) and labels y; `room` has room for as many numbers as rows.
struct LogisticRows {
  const double *x, *y;
  std::int64_t rows, features;
  double penalty;
  double* room;
};
/// The mean logistic loss plus penalty / 2 |w|^2, and its gradient, by OpenBLAS.
double logistic_gradient(const LogisticRows& rows, const double* w, double* gradient);

/// Minimises |y - x w|^2 / (2 n) + strength |w|_1 from 0 until the duality gap is `gap` of the
/// value at 0. `columns` is x (n, d) by columns and `squares` has |x_j|^2 / n; `room` has room for
/// n + d numbers. Returns the relative gap.
double lasso(const double* columns, const double* y, const double* squares, std::int64_t n,
             std::int64_t d, double strength, double gap, double* w, double* room);

/// Rows that list the columns and values of their elements: row i those from offsets[i] on, up to
/// offsets[i + 1].
struct SparseRows {
  const std::int64_t* offsets;
  const std::int32_t* columns;
  const float* values;
  std::int64_t rows, features;
};
/// y = x w + b for one output, and for `outputs` of them, w (outputs, features).
void sparse_forward(const SparseRows& x, const float* w, float b, float* y);
void sparse_forward(const SparseRows& x, const float* w, const float* b, std::int64_t outputs,
                    float* y);
/// gw = x^T g, (features,), or g^T x, (outputs, features).
void sparse_backward(const SparseRows& x, const float* g, float* gw);
void sparse_backward(const SparseRows& x, const float* g, std::int64_t outputs, float* gw);
/// One shuffled epoch of logistic regression by stochastic gradients, in batches of 256 rows whose
/// gradients go into the weights at once. `room` has room for 256 numbers, and 64 bytes more.
/// Returns the mean loss.
float sparse_epoch(const SparseRows& x, const float* y, std::uint64_t& seed, std::int64_t* order,
                   float* w, float* b, float rate, float* room);

/// Lines of numbers "-0.123456" or "0.123456", each with one character behind it, from a text that
/// may be read for 64 bytes past its end. Rounded twice. Returns how many there were.
std::int64_t parse_lines(const char* text, std::int64_t size, float* values);

/// Every column of x next to each other in `apart`, and in rows again in y.
void columns_apart_and_together(const float* x, float* apart, float* y, std::int64_t rows,
                                std::int64_t columns);

}  // namespace limits
