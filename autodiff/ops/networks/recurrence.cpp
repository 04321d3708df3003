// SPDX-License-Identifier: BSD-3-Clause
// A layer multiplies all steps of its input by one weight at once; then each step multiplies the
// state of all rows by the other weight, and a kernel does the rest, row by row. The gradients come
// from one pass back through time (Werbos 1990, "Backpropagation through time: what it does and how
// to do it"), after which the weights get theirs from all steps at once.
#include "ebb/autodiff/ops/networks/recurrence.hpp"

#include <algorithm>
#include <array>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/parallel.hpp"

namespace ebb::inline v0::detail {
namespace {

/// Rows that run through time together; other rows run by themselves.
constexpr std::int64_t rows_together = 64;

/// The inputs of a layer.
template <class T>
struct Layer : RecurrentSizes {
  Layer(RecurrentCell of, const RecurrentCall& call, const std::initializer_list<Block*>& list)
      : RecurrentSizes(of, list.begin()[0]->shape, list.begin()[1]->shape[1]),
        cell(of),
        relu(call.relu),
        reverse(call.reverse),
        width(gates * hidden) {
    Block* const* const blocks = list.begin();
    const auto data = [&](int k) { return blocks[k]->template data<T>(); };
    x = data(0);
    state = data(1);
    weight_ih = data(2);
    weight_hh = data(3);
    bias_ih = data(4);
    bias_hh = data(5);
    lengths = blocks[6]->template data<std::int64_t>();
  }

  RowSteps row(std::int64_t b) const { return {lengths[b], reverse}; }
  /// The place of a row's step in memory of `columns` numbers for each.
  std::int64_t at(std::int64_t b, std::int64_t step, std::int64_t columns) const {
    return (b * steps + row(b).time(step)) * columns;
  }
  std::int64_t longest(std::int64_t first, std::int64_t last) const {
    return first < last ? *std::max_element(lengths + first, lengths + last) : 0;
  }

  RecurrentCell cell;
  bool relu, reverse;
  std::int64_t width;  ///< of all gates of one step
  const T *x, *state, *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  const std::int64_t* lengths;
};

/// Memory for n numbers, and a vector more: kernels read and write whole vectors from any number.
template <class T>
BlockHandle numbers(std::int64_t n) {
  return BlockHandle(allocate({n, 1}, sizeof(T)));
}

/// Runs the rows [first, last). The states in `y` are those that the rows have at present.
template <class T>
void run_rows(const Layer<T>& l, const RightFactor<T>& weight_hh, std::int64_t first,
              std::int64_t last, T* y, T* room) {
  const std::int64_t rows = last - first, h = l.hidden, w = l.width;
  T* const states = y + l.outputs();
  T* const gates = room + (l.has_memory ? l.outputs() : 0);
  RightFactor<T>(true, w, l.in, l.weight_ih)
      .multiply(rows * l.steps, l.x + first * l.steps * l.in, gates + first * l.steps * w, false);
  const BlockHandle of_state = numbers<T>(rows * w), biases = numbers<T>(2 * w);
  std::copy_n(l.bias_hh, w, std::copy_n(l.bias_ih, w, biases->data<T>()));
  const auto step_of = l.cell == RecurrentCell::lstm  ? kernels<T>().lstm_step
                       : l.cell == RecurrentCell::gru ? kernels<T>().gru_step
                                                      : kernels<T>().rnn_step[l.relu];
  const std::int64_t longest = l.longest(first, last);
  for (std::int64_t step = 0; step < longest; ++step) {
    weight_hh.multiply(rows, states + first * h, of_state->data<T>(), false);
    for (std::int64_t b = first; b < last; ++b) {
      if (step >= l.lengths[b]) continue;
      const std::int64_t at = l.at(b, step, h);
      step_of({.size = h,
               .gates = gates + l.at(b, step, w),
               .of_state = of_state->data<T>() + (b - first) * w,
               .b_ih = biases->data<T>(),
               .b_hh = biases->data<T>() + w,
               .hidden = states + b * h,
               .cell = states + (l.batch + b) * h,
               .output = y + at,
               .memory = room + at});
    }
  }
  for (std::int64_t b = first; b < last; ++b) {
    std::fill(y + (b * l.steps + l.lengths[b]) * h, y + (b + 1) * l.steps * h, T(0));
  }
}

/// What the pass back through time reads and writes.
template <class T>
struct Pass {
  const T *g, *y, *room;
  T *g_hidden, *g_cell;  ///< the gradients of the states; at the end, those of the first states
  T* of_input;           ///< (batch, steps, width): the gradients of the gates, by their parts
  T* of_state;           ///< null if it is as `of_input`
};

/// Runs the rows [first, last) back, to their first states or to their first steps alone.
template <class T>
void pull_rows(const Layer<T>& l, const RightFactor<T>& weight_hh, const Pass<T>& pass,
               std::int64_t first, std::int64_t last, bool to_states) {
  const std::int64_t rows = last - first, h = l.hidden, w = l.width;
  const T* const gates = pass.room + (l.has_memory ? l.outputs() : 0);
  const BlockHandle at_step = numbers<T>(rows * w);
  const auto pull_of = l.cell == RecurrentCell::lstm  ? kernels<T>().lstm_pull
                       : l.cell == RecurrentCell::gru ? kernels<T>().gru_pull
                                                      : kernels<T>().rnn_pull[l.relu];
  for (std::int64_t b = first; b < last; ++b) {
    std::fill(pass.of_input + (b * l.steps + l.lengths[b]) * w,
              pass.of_input + (b + 1) * l.steps * w, T(0));
    if (!pass.of_state) continue;
    std::fill(pass.of_state + (b * l.steps + l.lengths[b]) * w,
              pass.of_state + (b + 1) * l.steps * w, T(0));
  }
  for (std::int64_t step = l.longest(first, last) - 1; step >= 0; --step) {
    for (std::int64_t b = first; b < last; ++b) {
      T* const of_state = at_step->data<T>() + (b - first) * w;
      if (step >= l.lengths[b]) {
        std::fill_n(of_state, w, T(0));
        continue;
      }
      const std::int64_t at = l.at(b, step, h), wide = l.at(b, step, w);
      const std::int64_t before = step > 0 ? l.at(b, step - 1, h) : 0;
      pull_of({.size = h,
               .gates = gates + wide,
               .memory = pass.room + at,
               .hidden_before = step > 0 ? pass.y + before : l.state + b * h,
               .before = step > 0 ? pass.room + before : l.state + (l.batch + b) * h,
               .hidden = pass.y + at,
               .g = pass.g + at,
               .g_hidden = pass.g_hidden + b * h,
               .g_cell = pass.g_cell + b * h,
               .of_input = pass.of_input + wide,
               .of_state = of_state});
      if (pass.of_state) std::copy_n(of_state, w, pass.of_state + wide);
    }
    if (step == 0 && !to_states) break;
    weight_hh.multiply(rows, at_step->data<T>(), pass.g_hidden + first * h, true);
  }
}

/// The hidden state before each step; zeros after the end of a row.
template <class T>
BlockHandle states_before(const Layer<T>& l, const T* y) {
  const std::int64_t h = l.hidden;
  BlockHandle before = numbers<T>(l.outputs());
  T* const to = before->data<T>();
  for (std::int64_t b = 0; b < l.batch; ++b) {
    for (std::int64_t step = 0; step < l.lengths[b]; ++step) {
      std::copy_n(step > 0 ? y + l.at(b, step - 1, h) : l.state + b * h, h, to + l.at(b, step, h));
    }
    std::fill(to + (b * l.steps + l.lengths[b]) * h, to + (b + 1) * l.steps * h, T(0));
  }
  return before;
}

}  // namespace

template <class T>
Block* run_recurrence(RecurrentCell cell, const RecurrentCall& call,
                      std::initializer_list<Block*> in) {
  const Layer<T> l(cell, call, in);
  BlockHandle y = numbers<T>(l.outputs() + l.states * l.batch * l.hidden);
  T* const room = in.begin()[7]->data<T>();
  std::copy_n(l.state, l.states * l.batch * l.hidden, y->data<T>() + l.outputs());
  const RightFactor<T> weight_hh(true, l.width, l.hidden, l.weight_hh);
  parallel_blocks(l.batch, rows_together, [&](std::int64_t first, std::int64_t last) {
    run_rows(l, weight_hh, first, last, y->data<T>(), room);
  });
  return y.take();
}
EBB_FOR_REALS(run_recurrence)

template <class T>
Block* pull_recurrence(RecurrentCell cell, const RecurrentCall& call, Block* g,
                       std::initializer_list<Block*> in) {
  const Layer<T> l(cell, call, in);
  const std::int64_t rows = l.batch * l.steps, w = l.width, states = l.batch * l.hidden;
  const std::int64_t cells = (l.states - 1) * states;
  const bool is_gru = cell == RecurrentCell::gru;
  const auto needs = [&](int k) { return (call.needs >> k & 1) != 0; };
  const BlockHandle of_input = numbers<T>(rows * w), of_state = numbers<T>(is_gru ? rows * w : 0),
                    g_hidden = numbers<T>(states), g_cell = numbers<T>(cells);
  const Pass<T> pass{.g = g->data<T>(),
                     .y = in.begin()[7]->data<T>(),
                     .room = in.begin()[8]->data<T>(),
                     .g_hidden = g_hidden->data<T>(),
                     .g_cell = g_cell->data<T>(),
                     .of_input = of_input->data<T>(),
                     .of_state = is_gru ? of_state->data<T>() : nullptr};
  std::copy_n(pass.g + l.outputs(), states, pass.g_hidden);
  std::copy_n(pass.g + l.outputs() + states, cells, pass.g_cell);
  const RightFactor<T> weight_hh(false, l.hidden, l.width, l.weight_hh);
  parallel_blocks(l.batch, rows_together, [&](std::int64_t first, std::int64_t last) {
    pull_rows(l, weight_hh, pass, first, last, needs(1));
  });

  std::int64_t size = 0;
  for (int k = 0; k < 6; ++k) size += needs(k) ? in.begin()[k]->shape.size() : 0;
  BlockHandle result = numbers<T>(size);
  // One after the other, since kernels write whole vectors, past the end.
  T* to = result->data<T>();
  const auto next = [&](int k, const auto& write) {
    if (!needs(k)) return;
    write(to);
    to += in.begin()[k]->shape.size();
  };
  const T* const by_state = is_gru ? pass.of_state : pass.of_input;
  next(0,
       [&](T* gx) { product(false, false, rows, l.in, w, pass.of_input, l.weight_ih, gx, false); });
  next(1, [&](T* gs) { std::copy_n(pass.g_cell, cells, std::copy_n(pass.g_hidden, states, gs)); });
  next(2, [&](T* gw) { product(true, false, w, l.in, rows, pass.of_input, l.x, gw, false); });
  next(3, [&](T* gw) {
    product(true, false, w, l.hidden, rows, by_state, states_before(l, pass.y)->template data<T>(),
            gw, false);
  });
  next(4, [&](T* gb) { kernels<T>().column_sum(gb, pass.of_input, rows, w, 1); });
  next(5, [&](T* gb) {
    if (!is_gru && needs(4)) {
      std::copy_n(gb - w, w, gb);
    } else {
      kernels<T>().column_sum(gb, by_state, rows, w, 1);
    }
  });
  return result.take();
}
EBB_FOR_REALS(pull_recurrence)

}  // namespace ebb::inline v0::detail
