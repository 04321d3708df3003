// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/recurrent.hpp"

#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// A layer in operations on tensors, of which the derivatives of its pull are made. `in` has what
/// the record of the layer has.
template <class T>
class Restatement {
 public:
  Restatement(RecurrentCell cell, const RecurrentCall& call, std::span<const Tensor<T>> in,
              const Array<std::int64_t>& lengths)
      : cell_(cell),
        relu_(call.relu),
        s_(cell, in[0].shape(), in[1].shape()[1]),
        weight_hh_(in[3]),
        bias_hh_(in[5]),
        of_input_(
            matmul(reshape(in[0], {s_.batch * s_.steps, s_.in}), in[2], {.transpose_b = true}) +
            in[4]) {
    hidden_ = slice(in[1], 0, {0, s_.batch});
    if (s_.states > 1) cell_state_ = slice(in[1], 0, {s_.batch, 2 * s_.batch});
    for (std::int64_t b = 0; b < s_.batch; ++b) rows_.push_back({lengths[b], call.reverse});
  }

  Tensor<T> run() {
    std::vector<Tensor<T>> outputs;
    for (std::int64_t step = 0; step < s_.steps; ++step) outputs.push_back(advance(step));
    std::vector<Tensor<T>> flat;
    if (s_.steps > 0) flat.push_back(reshape(in_order(concat(outputs)), {s_.outputs(), 1}));
    flat.push_back(reshape(hidden_, {hidden_.size(), 1}));
    if (s_.states > 1) flat.push_back(reshape(cell_state_, {hidden_.size(), 1}));
    return concat(flat);
  }

 private:
  /// Runs one step, and returns its output.
  Tensor<T> advance(std::int64_t step) {
    auto from = Array<std::int64_t>::zeros({s_.batch});
    auto runs = Array<bool>::uninitialized({s_.batch, 1});
    for (std::int64_t b = 0; b < s_.batch; ++b) {
      const RowSteps& row = rows_[std::size_t(b)];
      runs.mutate()[b] = step < row.length;
      if (runs[b]) from.mutate()[b] = b * s_.steps + row.time(step);
    }
    const Tensor<T> of_input = gather_rows(of_input_, from);
    const Tensor<T> of_state = matmul(hidden_, weight_hh_, {.transpose_b = true}) + bias_hh_;
    const auto gate = [&](const Tensor<T>& of, std::int64_t k) {
      return slice(of, 1, {k * s_.hidden, (k + 1) * s_.hidden});
    };
    const auto both = [&](std::int64_t k) { return gate(of_input, k) + gate(of_state, k); };
    Tensor<T> next;
    if (cell_ == RecurrentCell::lstm) {
      const Tensor<T> memory = sigmoid(both(1)) * cell_state_ + sigmoid(both(0)) * tanh(both(2));
      next = sigmoid(both(3)) * tanh(memory);
      cell_state_ = where(runs, memory, cell_state_);
    } else if (cell_ == RecurrentCell::gru) {
      const Tensor<T> z = sigmoid(both(1));
      const Tensor<T> fresh = tanh(gate(of_input, 2) + sigmoid(both(0)) * gate(of_state, 2));
      next = fresh + z * (hidden_ - fresh);
    } else {
      next = relu_ ? relu(both(0)) : tanh(both(0));
    }
    hidden_ = where(runs, next, hidden_);
    return next;
  }
  /// Outputs by step as (batch * steps, hidden), with zeros after the end of a row.
  Tensor<T> in_order(const Tensor<T>& by_step) const {
    auto from = Array<std::int64_t>::zeros({s_.batch * s_.steps});
    auto runs = Array<bool>::full({s_.batch * s_.steps, 1}, false);
    for (std::int64_t b = 0; b < s_.batch; ++b) {
      const RowSteps& row = rows_[std::size_t(b)];
      for (std::int64_t step = 0; step < row.length; ++step) {
        const std::int64_t at = b * s_.steps + row.time(step);
        from.mutate()[at] = step * s_.batch + b;
        runs.mutate()[at] = true;
      }
    }
    return where(runs, gather_rows(by_step, from), 0);
  }

  RecurrentCell cell_;
  bool relu_;
  RecurrentSizes s_;
  Tensor<T> weight_hh_, bias_hh_, of_input_, hidden_, cell_state_;
  std::vector<RowSteps> rows_;
};

}  // namespace

template <class T>
Tensor<T> pull_recurrence_as_operations(RecurrentCell cell, const RecurrentCall& call,
                                        std::span<const Tensor<T>> in) {
  Records& tape = *current_records();
  std::vector<Tensor<T>> points;
  std::vector<GradientOf<T>> wanted;
  for (int k = 0; k < 6; ++k) {
    const Tensor<T>& x = in[std::size_t(k) + 1];
    points.push_back(identity_record(tape, Access::place(x).record, x));
    if (call.needs >> k & 1) wanted.push_back(points.back());
  }
  const auto lengths = Access::array<std::int64_t>(retain(Access::block(in[7])));
  const Tensor<T> y = Restatement<T>(cell, call, points, lengths).run();
  std::vector<Tensor<T>> flat;
  for (const Tensor<T>& part : grad(y, wanted, {.create_graph = true}, &in[0])) {
    flat.push_back(reshape(part, {part.size(), 1}));
  }
  return concat(flat);
}
EBB_FOR_REALS(pull_recurrence_as_operations)

}  // namespace detail

namespace {

using detail::Access;

/// The operands of a layer, and its name.
template <class T>
struct Operands {
  const char* name;
  const Operand<T>&x, &h0;
  const Operand<T>* c0;  ///< for lstm
  const Operand<T>&weight_ih, &weight_hh;
  const Operand<T>*bias_ih, *bias_hh;  ///< null for none
  const Array<std::int64_t>& lengths;

  const Shape& shape(const Operand<T>& operand) const { return Access::shape(operand, name); }
};

/// @throws ShapeError for an argument of another shape than `is`, which is said with `expected`.
void check_shape(const char* name, const char* argument, const char* expected, const Shape& given,
                 const Shape& is, const Shape& x) {
  if (given == is) return;
  throw ShapeError(std::string(name) + ": " + argument + " must be " + expected + " = " +
                   to_string(is) + " for x " + to_string(x) + ", not " + to_string(given));
}

/// @throws ShapeError for shapes that do not fit.
template <class T>
void check_shapes(const Operands<T>& o, std::int64_t gates) {
  const Shape &x = o.shape(o.x), &h0 = o.shape(o.h0);
  if (x.rank() != 3) detail::throw_shapes(o.name, "x must be (n, t, in)", x);
  if (h0.rank() != 2 || h0[0] != x[0]) {
    detail::throw_shapes(o.name, "h0 must be (n, hidden) for x (n, t, in)", h0, x);
  }
  const std::int64_t hidden = h0[1], all = gates * hidden;
  const auto check = [&](const char* argument, const char* expected, const Operand<T>& given,
                         const Shape& is) {
    check_shape(o.name, argument, expected, o.shape(given), is, x);
  };
  if (o.c0) check("c0", "(n, hidden)", *o.c0, h0);
  const char* const of_input[] = {"(hidden, in)", "(3 hidden, in)", "(4 hidden, in)"};
  const char* const of_state[] = {"(hidden, hidden)", "(3 hidden, hidden)", "(4 hidden, hidden)"};
  const char* const of_bias[] = {"(hidden,)", "(3 hidden,)", "(4 hidden,)"};
  const auto kind = gates > 1 ? gates - 2 : 0;
  check("weight_ih", of_input[kind], o.weight_ih, {all, x[2]});
  check("weight_hh", of_state[kind], o.weight_hh, {all, hidden});
  if (!o.bias_ih) return;
  check("bias_ih", of_bias[kind], *o.bias_ih, {all});
  check("bias_hh", of_bias[kind], *o.bias_hh, {all});
}

/// How many steps each row has.
/// @throws ShapeError and ArgumentError for lengths that do not fit.
template <class T>
Array<std::int64_t> checked_lengths(const Operands<T>& o) {
  const Shape& x = o.shape(o.x);
  if (o.lengths.empty()) return Array<std::int64_t>::full({x[0]}, x[1]);
  if (!(o.lengths.shape() == Shape{x[0]})) {
    detail::throw_shapes(o.name, "lengths must be (n,) for x (n, t, in)", o.lengths.shape(), x);
  }
  for (std::int64_t b = 0; b < x[0]; ++b) {
    if (o.lengths[b] >= 0 && o.lengths[b] <= x[1]) continue;
    throw ArgumentError(std::string(o.name) + ": lengths[" + std::to_string(b) + "] = " +
                        std::to_string(o.lengths[b]) + "; it is in [0, t], for x " + to_string(x));
  }
  return o.lengths;
}

/// x with zeros after the end of each row: what is there, such as NaN, must not reach the gradient
/// of the weight, where it is multiplied by zeros.
template <class T>
Tensor<T> without_padding(const Operand<T>& x, const Array<std::int64_t>& lengths) {
  const Shape& shape = Access::shape(x);
  auto runs = Array<bool>::uninitialized({shape[0], shape[1], 1});
  bool* to = runs.mutate();
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (std::int64_t step = 0; step < shape[1]; ++step) *to++ = step < lengths[b];
  }
  return where(runs, x, 0);
}

/// A call of a layer: the parts of its result.
template <class O, class T>
class LayerCall {
 public:
  LayerCall(detail::RecurrentCell cell, const Operands<T>& o, detail::RecurrentCall call) {
    constexpr std::int64_t gates_of[] = {4, 3, 1};
    check_shapes(o, gates_of[int(cell)]);
    const auto lengths = checked_lengths(o);
    const Shape& shape = o.shape(o.x);
    const detail::RecurrentSizes sizes(cell, shape, o.shape(o.h0)[1]);
    outputs_ = {sizes.batch, sizes.steps, sizes.hidden};
    states_ = {sizes.batch, sizes.hidden};
    const Tensor<T> x = o.lengths.empty() ? Access::as_tensor(o.x) : without_padding(o.x, lengths);
    const Tensor<T> h0 = Access::as_tensor(o.h0);
    const Tensor<T> states = o.c0 ? concat({h0, Access::as_tensor(*o.c0)}) : h0;
    const auto room = Array<T>::uninitialized({sizes.room(), 1});
    const auto run = [&](const Operand<T>& bias_ih, const Operand<T>& bias_hh) {
      return detail::apply<O, T>(call, x, states, o.weight_ih, o.weight_hh, bias_ih, bias_hh,
                                 lengths, room);
    };
    if (o.bias_ih) {
      all_ = run(*o.bias_ih, *o.bias_hh);
    } else {
      const auto none = Array<T>::zeros({sizes.gates * sizes.hidden});
      all_ = run(none, none);
    }
  }

  Tensor<T> output() const { return part(0, outputs_); }
  /// The hidden state after the last step, and the cell state.
  Tensor<T> hidden() const { return part(outputs_.size(), states_); }
  Tensor<T> cell() const { return part(outputs_.size() + states_.size(), states_); }

 private:
  Tensor<T> part(std::int64_t begin, const Shape& shape) const {
    return reshape(slice(all_, 0, {begin, begin + shape.size()}), shape);
  }

  Tensor<T> all_;
  Shape outputs_, states_;
};

template <class T>
LstmResult<T> call_lstm(const Operands<T>& o, bool reverse) {
  const LayerCall<op::Lstm, T> call(detail::RecurrentCell::lstm, o, {.reverse = reverse});
  return {call.output(), call.hidden(), call.cell()};
}
template <class T>
RecurrentResult<T> call_gru(const Operands<T>& o, bool reverse) {
  const LayerCall<op::Gru, T> call(detail::RecurrentCell::gru, o, {.reverse = reverse});
  return {call.output(), call.hidden()};
}
template <class T>
RecurrentResult<T> call_rnn(const Operands<T>& o, const RnnOptions& options) {
  const LayerCall<op::Rnn, T> call(
      detail::RecurrentCell::rnn, o,
      {.reverse = options.reverse, .relu = options.nonlinearity == Nonlinearity::relu});
  return {call.output(), call.hidden()};
}

}  // namespace

template <Real T>
LstmResult<T> lstm(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& c0,
                   const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                   const Operand<T>& bias_ih, const Operand<T>& bias_hh,
                   const RecurrentOptions& o) {
  return call_lstm<T>({"lstm", x, h0, &c0, weight_ih, weight_hh, &bias_ih, &bias_hh, o.lengths},
                      o.reverse);
}
EBB_OVERLOAD_FOR_REALS(lstm, LstmResult<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                           const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                           const Operand<T>&, const RecurrentOptions&))
template <Real T>
LstmResult<T> lstm(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& c0,
                   const Operand<T>& weight_ih, const Operand<T>& weight_hh,
                   const RecurrentOptions& o) {
  return call_lstm<T>({"lstm", x, h0, &c0, weight_ih, weight_hh, nullptr, nullptr, o.lengths},
                      o.reverse);
}
EBB_OVERLOAD_FOR_REALS(lstm,
                       LstmResult<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                     const Operand<T>&, const Operand<T>&, const RecurrentOptions&))

template <Real T>
RecurrentResult<T> gru(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& weight_ih,
                       const Operand<T>& weight_hh, const Operand<T>& bias_ih,
                       const Operand<T>& bias_hh, const RecurrentOptions& o) {
  return call_gru<T>({"gru", x, h0, nullptr, weight_ih, weight_hh, &bias_ih, &bias_hh, o.lengths},
                     o.reverse);
}
EBB_OVERLOAD_FOR_REALS(gru,
                       RecurrentResult<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                          const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                          const RecurrentOptions&))
template <Real T>
RecurrentResult<T> gru(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& weight_ih,
                       const Operand<T>& weight_hh, const RecurrentOptions& o) {
  return call_gru<T>({"gru", x, h0, nullptr, weight_ih, weight_hh, nullptr, nullptr, o.lengths},
                     o.reverse);
}
EBB_OVERLOAD_FOR_REALS(gru,
                       RecurrentResult<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                          const Operand<T>&, const RecurrentOptions&))

template <Real T>
RecurrentResult<T> rnn(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& weight_ih,
                       const Operand<T>& weight_hh, const Operand<T>& bias_ih,
                       const Operand<T>& bias_hh, const RnnOptions& o) {
  return call_rnn<T>({"rnn", x, h0, nullptr, weight_ih, weight_hh, &bias_ih, &bias_hh, o.lengths},
                     o);
}
EBB_OVERLOAD_FOR_REALS(rnn,
                       RecurrentResult<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                          const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                          const RnnOptions&))
template <Real T>
RecurrentResult<T> rnn(const Operand<T>& x, const Operand<T>& h0, const Operand<T>& weight_ih,
                       const Operand<T>& weight_hh, const RnnOptions& o) {
  return call_rnn<T>({"rnn", x, h0, nullptr, weight_ih, weight_hh, nullptr, nullptr, o.lengths}, o);
}
EBB_OVERLOAD_FOR_REALS(rnn,
                       RecurrentResult<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&,
                                          const Operand<T>&, const RnnOptions&))

}  // namespace ebb::inline v0
