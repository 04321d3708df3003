// SPDX-License-Identifier: BSD-3-Clause
// Recurrent layers against the formulas, number by number.
#include <cmath>
#include <limits>
#include <thread>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

enum class Cell { lstm, gru, tanh, relu };
constexpr Cell cells[] = {Cell::lstm, Cell::gru, Cell::tanh, Cell::relu};

std::int64_t gates_of(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

/// The result of any of the layers; one without a cell state repeats the hidden state.
template <class T>
struct Result {
  Tensor<T> output, hidden, cell;
};

/// Calls a layer of x, h0, c0, weight_ih, weight_hh, bias_ih and bias_hh.
template <class T, class In>
Result<T> call(Cell cell, const std::vector<In>& in, const RecurrentOptions& o = {}) {
  if (cell == Cell::lstm) {
    const auto r = lstm<T>(in[0], in[1], in[2], in[3], in[4], in[5], in[6], o);
    return {r.output, r.hidden, r.cell};
  }
  const auto r =
      cell == Cell::gru
          ? gru<T>(in[0], in[1], in[3], in[4], in[5], in[6], o)
          : rnn<T>(in[0], in[1], in[3], in[4], in[5], in[6],
                   {.nonlinearity = cell == Cell::relu ? Nonlinearity::relu : Nonlinearity::tanh,
                    .reverse = o.reverse,
                    .lengths = o.lengths});
  return {r.output, r.hidden, r.hidden};
}

std::vector<Array<double>> inputs_of(Cell cell, std::int64_t n, std::int64_t t, std::int64_t in,
                                     std::int64_t hidden) {
  const std::int64_t w = gates_of(cell) * hidden;
  const double scale = 1 / std::sqrt(double(hidden));
  return {op::spread({n, t, in}, 2), op::spread({n, hidden}),        op::spread({n, hidden}, 1.5),
          op::spread({w, in}, 0.7),  op::spread({w, hidden}, scale), op::spread({w}, 0.3),
          op::spread({w}, 0.2)};
}

double sigmoid_of(double v) { return 1 / (1 + std::exp(-v)); }

/// One row by the formulas, step by step.
struct Row {
  std::vector<double> hidden, cell;

  void step(Cell kind, const std::vector<Array<double>>& in, const double* x) {
    const auto h = std::int64_t(hidden.size()), features = in[0].shape()[2];
    const auto part = [&](std::int64_t row, const Array<double>& w, const Array<double>& b,
                          const double* v, std::int64_t size) {
      double sum = b[row];
      for (std::int64_t i = 0; i < size; ++i) sum += w[row * size + i] * v[i];
      return sum;
    };
    std::vector<double> next = hidden;
    for (std::int64_t j = 0; j < h; ++j) {
      const auto of_x = [&](std::int64_t k) { return part(k * h + j, in[3], in[5], x, features); };
      const auto of_h = [&](std::int64_t k) {
        return part(k * h + j, in[4], in[6], hidden.data(), h);
      };
      const auto both = [&](std::int64_t k) { return of_x(k) + of_h(k); };
      const auto at = std::size_t(j);
      if (kind == Cell::lstm) {
        cell[at] = sigmoid_of(both(1)) * cell[at] + sigmoid_of(both(0)) * std::tanh(both(2));
        next[at] = sigmoid_of(both(3)) * std::tanh(cell[at]);
      } else if (kind == Cell::gru) {
        const double z = sigmoid_of(both(1));
        const double n = std::tanh(of_x(2) + sigmoid_of(both(0)) * of_h(2));
        next[at] = (1 - z) * n + z * hidden[at];
      } else {
        next[at] = kind == Cell::tanh ? std::tanh(both(0)) : std::fmax(both(0), 0);
      }
    }
    hidden = next;
  }
};

struct Expected {
  Array<double> output, hidden, cell;
};

Expected by_formulas(Cell kind, const std::vector<Array<double>>& in, const RecurrentOptions& o) {
  const std::int64_t n = in[0].shape()[0], t = in[0].shape()[1], features = in[0].shape()[2];
  const std::int64_t h = in[1].shape()[1];
  Expected e{Array<double>::zeros({n, t, h}), in[1], kind == Cell::lstm ? in[2] : in[1]};
  for (std::int64_t b = 0; b < n; ++b) {
    const std::int64_t length = o.lengths.empty() ? t : o.lengths[b];
    const auto row_of = [&](const Array<double>& m) {
      return std::vector<double>(m.data() + b * h, m.data() + (b + 1) * h);
    };
    Row row{row_of(in[1]), row_of(in[2])};
    for (std::int64_t s = 0; s < length; ++s) {
      const std::int64_t at = b * t + (o.reverse ? length - 1 - s : s);
      row.step(kind, in, in[0].data() + at * features);
      std::copy(row.hidden.begin(), row.hidden.end(), e.output.mutate() + at * h);
    }
    const auto& cell = kind == Cell::lstm ? row.cell : row.hidden;
    std::copy(row.hidden.begin(), row.hidden.end(), e.hidden.mutate() + b * h);
    std::copy(cell.begin(), cell.end(), e.cell.mutate() + b * h);
  }
  return e;
}

/// The results and the gradients of all inputs, of a sum of every part of a result with weights.
template <class F>
std::vector<Array<double>> gradients(const std::vector<Array<double>>& in, const F& f) {
  Tape tape;
  std::vector<Tensor<double>> x;
  for (const auto& input : in) x.push_back(tape.watch(input));
  const Result<double> r = f(x);
  Tensor<double> loss = 0 * sum(x[0]);
  for (const auto& part : {r.output, r.hidden, r.cell}) {
    loss = loss + sum(part * op::spread(part.shape(), 1.3));
  }
  const std::vector<GradientOf<double>> wanted(x.begin(), x.end());
  std::vector<Array<double>> all;
  for (const auto& g : grad(loss, wanted)) all.push_back(g.array());
  return all;
}

/// A layer in elementary operations, one row at a time and one step at a time.
Result<double> plain(Cell kind, const std::vector<Tensor<double>>& in, const RecurrentOptions& o) {
  const std::int64_t n = in[0].shape()[0], t = in[0].shape()[1], h = in[1].shape()[1];
  std::vector<Tensor<double>> outputs, hidden, memory;
  for (std::int64_t b = 0; b < n; ++b) {
    const std::int64_t length = o.lengths.empty() ? t : o.lengths[b];
    Tensor<double> state = in[1][{b, b + 1}], c = in[2][{b, b + 1}];
    std::vector<Tensor<double>> row(std::size_t(t), Array<double>::zeros({1, h}));
    for (std::int64_t s = 0; s < length; ++s) {
      const std::int64_t at = o.reverse ? length - 1 - s : s;
      const auto x = in[0][b][{at, at + 1}];
      const auto of_x = matmul(x, transpose(in[3])) + in[5];
      const auto of_h = matmul(state, transpose(in[4])) + in[6];
      const auto gate = [&](const Tensor<double>& v, std::int64_t k) {
        return slice(v, 1, {k * h, (k + 1) * h});
      };
      const auto both = [&](std::int64_t k) { return gate(of_x, k) + gate(of_h, k); };
      if (kind == Cell::lstm) {
        c = sigmoid(both(1)) * c + sigmoid(both(0)) * tanh(both(2));
        state = sigmoid(both(3)) * tanh(c);
      } else if (kind == Cell::gru) {
        const auto z = sigmoid(both(1));
        state = (1 - z) * tanh(gate(of_x, 2) + sigmoid(both(0)) * gate(of_h, 2)) + z * state;
      } else {
        state = kind == Cell::tanh ? tanh(both(0)) : relu(both(0));
      }
      row[std::size_t(at)] = state;
    }
    outputs.push_back(reshape(concat(row), {1, t, h}));
    hidden.push_back(state);
    memory.push_back(kind == Cell::lstm ? c : state);
  }
  return {concat(outputs), concat(hidden), concat(memory)};
}

/// Of three rows: all steps, some, and none, in both directions.
std::vector<RecurrentOptions> options_of(std::int64_t t) {
  const Array<std::int64_t> lengths({3}, {t, t / 2, 0});
  return {{}, {.reverse = true}, {.lengths = lengths}, {.reverse = true, .lengths = lengths}};
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("recurrent layers are their formulas at every width") {
  for (const Cell cell : cells) {
    for (const std::int64_t h : {1, 3, 8, 16, 21}) {
      for (const auto& o : options_of(4)) {
        CAPTURE(int(cell));
        CAPTURE(h);
        const auto in = inputs_of(cell, 3, 4, 2, h);
        const auto expected = by_formulas(cell, in, o);
        const auto r = call<double>(cell, in, o);
        // Roundings of sums of h terms, over four steps.
        CHECK_AGREES(close(r.output.array(), expected.output, 1e-12, 1e-13));
        CHECK_AGREES(close(r.hidden.array(), expected.hidden, 1e-12, 1e-13));
        CHECK_AGREES(close(r.cell.array(), expected.cell, 1e-12, 1e-13));
        std::vector<Array<float>> narrow;
        for (const auto& x : in) narrow.push_back(cast<float>(x).array());
        const auto single = call<float>(cell, narrow, o);
        CHECK_AGREES(close(single.output.array(), expected.output, 1e-5, 1e-5));
        CHECK_AGREES(close(single.cell.array(), expected.cell, 1e-5, 1e-5));
      }
    }
  }
}

TEST_CASE("recurrent layers have the gradients of plain operations at every width") {
  for (const Cell cell : cells) {
    for (const std::int64_t h : {3, 17}) {
      for (const auto& o : options_of(3)) {
        CAPTURE(int(cell));
        CAPTURE(h);
        const auto in = inputs_of(cell, 3, 3, 2, h);
        const auto fused = gradients(in, [&](const auto& x) { return call<double>(cell, x, o); });
        const auto expected = gradients(in, [&](const auto& x) { return plain(cell, x, o); });
        for (std::size_t k = 0; k < in.size(); ++k) {
          CAPTURE(k);
          // Roundings of sums of some dozen terms of size 10.
          CHECK_AGREES(close(fused[k], expected[k], 1e-11, 1e-12));
        }
      }
    }
  }
}

}  // TEST_SUITE("kernels")

TEST_SUITE("recurrent") {

TEST_CASE("a row of a batch with lengths is what it is alone, and bits do not depend on padding") {
  for (const Cell cell : cells) {
    for (const bool reverse : {false, true}) {
      CAPTURE(int(cell));
      CAPTURE(reverse);
      auto in = inputs_of(cell, 3, 5, 2, 4);
      const std::int64_t lengths[] = {5, 2, 3};
      const RecurrentOptions o{.reverse = reverse, .lengths = Array<std::int64_t>({3}, lengths)};
      const auto together = call<double>(cell, in, o);
      for (std::int64_t b = 0; b < 3; ++b) {
        CAPTURE(b);
        auto alone = in;
        alone[0] = slice(in[0].leading(b, b + 1), 1, {0, lengths[b]}).array();
        for (int k : {1, 2}) alone[std::size_t(k)] = in[std::size_t(k)].leading(b, b + 1);
        const auto r = call<double>(cell, alone, {.reverse = reverse});
        // OpenBLAS may add in another order for other numbers of rows.
        const auto row = together.output.array().leading(b, b + 1);
        CHECK_AGREES(close(slice(row, 1, {0, lengths[b]}).array(), r.output.array(), 1e-13, 1e-14));
        for (const double v : slice(row, 1, {lengths[b], 5}).array()) CHECK(v == 0);
        CHECK_AGREES(
            close(together.hidden.array().leading(b, b + 1), r.hidden.array(), 1e-13, 1e-14));
        CHECK_AGREES(close(together.cell.array().leading(b, b + 1), r.cell.array(), 1e-13, 1e-14));
      }
      const auto before = gradients(in, [&](const auto& x) { return call<double>(cell, x, o); });
      // What stands after the end of a row is not read.
      for (std::int64_t i = 2 * 2; i < 5 * 2; ++i) {
        in[0].mutate()[5 * 2 + i] = std::numeric_limits<double>::quiet_NaN();
      }
      const auto padded = call<double>(cell, in, o);
      CHECK_AGREES(same_bits(padded.output.array(), together.output.array()));
      CHECK_AGREES(same_bits(padded.hidden.array(), together.hidden.array()));
      // The gradient of x in the loss of `gradients` is NaN by a term of its own.
      const auto after = gradients(in, [&](const auto& x) { return call<double>(cell, x, o); });
      for (std::size_t k = 1; k < in.size(); ++k) CHECK_AGREES(same_bits(after[k], before[k]));
    }
  }
}

TEST_CASE("in reverse a layer runs over the flipped sequence") {
  for (const Cell cell : cells) {
    CAPTURE(int(cell));
    auto in = inputs_of(cell, 2, 4, 3, 5);
    const auto reversed = call<double>(cell, in, {.reverse = true});
    in[0] = flip(in[0], {1}).array();
    const auto flipped = call<double>(cell, in);
    CHECK_AGREES(same_bits(reversed.output.array(), flip(flipped.output, {1}).array()));
    CHECK_AGREES(same_bits(reversed.hidden.array(), flipped.hidden.array()));
    CHECK_AGREES(same_bits(reversed.cell.array(), flipped.cell.array()));
  }
}

TEST_CASE("a sequence in two parts, with the states passed on, is the same sequence") {
  for (const Cell cell : cells) {
    CAPTURE(int(cell));
    const auto in = inputs_of(cell, 3, 7, 2, 5);
    const auto in_parts = [&](const std::vector<Tensor<double>>& x) {
      auto first = x, second = x;
      first[0] = slice(x[0], 1, {0, 3});
      second[0] = slice(x[0], 1, {3, 7});
      const auto a = call<double>(cell, first);
      second[1] = a.hidden;
      if (cell == Cell::lstm) second[2] = a.cell;
      const auto b = call<double>(cell, second);
      return Result<double>{concat({a.output, b.output}, 1), b.hidden, b.cell};
    };
    const auto whole = call<double>(cell, in);
    const auto parts = in_parts({in.begin(), in.end()});
    // OpenBLAS may add in another order for other numbers of rows.
    CHECK_AGREES(close(parts.output.array(), whole.output.array(), 1e-13, 1e-14));
    CHECK_AGREES(close(parts.hidden.array(), whole.hidden.array(), 1e-13, 1e-14));
    CHECK_AGREES(close(parts.cell.array(), whole.cell.array(), 1e-13, 1e-14));
    const auto of_whole = gradients(in, [&](const auto& x) { return call<double>(cell, x); });
    const auto of_parts = gradients(in, in_parts);
    for (std::size_t k = 0; k < in.size(); ++k) {
      CHECK_AGREES(close(of_parts[k], of_whole[k], 1e-12, 1e-13));
    }
  }
}

TEST_CASE("truncated backpropagation takes the states as constants") {
  const auto in = inputs_of(Cell::lstm, 2, 4, 2, 3);
  Variable<double> weight(in[4]), h0(in[1]);
  Tape tape;
  const auto first = lstm(in[0], h0, in[2], in[3], weight);
  const auto second = lstm(in[0], first.hidden.detach(), first.cell.detach(), in[3], weight);
  backward(sum(second.output));
  CHECK(weight.has_gradient());
  CHECK_FALSE(h0.has_gradient());
}

TEST_CASE("a sequence without steps leaves the states as they are") {
  for (const Cell cell : cells) {
    CAPTURE(int(cell));
    const auto in = inputs_of(cell, 2, 0, 3, 2);
    const auto r = call<double>(cell, in);
    CHECK(r.output.shape() == Shape{2, 0, 2});
    CHECK_AGREES(same_bits(r.hidden.array(), in[1]));
    const auto g = gradients(in, [&](const auto& x) { return call<double>(cell, x); });
    const double times = cell == Cell::lstm ? 1 : 2;  // without a cell state, hidden counts twice
    CHECK_AGREES(close(g[1], (op::spread({2, 2}, 1.3) * times).array(), 1e-15));
    for (std::size_t k = 3; k < 7; ++k) {
      CHECK_AGREES(same_bits(g[k], Array<double>::zeros(in[k].shape())));
    }
  }
}

TEST_CASE("without biases a layer is one with biases of zero") {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::tanh}) {
    CAPTURE(int(cell));
    auto in = inputs_of(cell, 2, 3, 2, 3);
    const auto w = gates_of(cell) * 3;
    in[5] = in[6] = Array<double>::zeros({w});
    const auto with = call<double>(cell, in).output.array();
    const auto without = cell == Cell::lstm  ? lstm(in[0], in[1], in[2], in[3], in[4]).output
                         : cell == Cell::gru ? gru(in[0], in[1], in[3], in[4]).output
                                             : rnn(in[0], in[1], in[3], in[4]).output;
    CHECK_AGREES(same_bits(without.array(), with));
  }
}

TEST_CASE("rows that do not fit one block of a batch are as others") {
  // More rows than run through time together.
  const auto in = inputs_of(Cell::gru, 70, 2, 2, 3);
  const auto r = call<double>(Cell::gru, in);
  const auto expected = by_formulas(Cell::gru, in, {});
  CHECK_AGREES(close(r.output.array(), expected.output, 1e-12, 1e-13));
  const auto fused = gradients(in, [&](const auto& x) { return call<double>(Cell::gru, x); });
  const auto by_plain = gradients(in, [&](const auto& x) { return plain(Cell::gru, x, {}); });
  for (std::size_t k = 0; k < in.size(); ++k) {
    CHECK_AGREES(close(fused[k], by_plain[k], 1e-11, 1e-12));
  }
}

TEST_CASE("threads that run recurrent layers at the same time get the same bits") {
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    const auto in = inputs_of(cell, 5, 6, 8, 24);
    const auto run = [&] {
      return gradients(in, [&](const auto& x) { return call<double>(cell, x); });
    };
    const auto expected = run();
    std::vector<std::vector<Array<double>>> all(4);
    std::vector<std::thread> threads;
    for (auto& mine : all) threads.emplace_back([&mine, &run] { mine = run(); });
    for (auto& thread : threads) thread.join();
    for (const auto& mine : all) {
      for (std::size_t k = 0; k < in.size(); ++k) CHECK_AGREES(same_bits(mine[k], expected[k]));
    }
  }
}

TEST_CASE("a NaN of a row stays in that row and its later steps") {
  auto in = inputs_of(Cell::lstm, 2, 3, 2, 3);
  in[0].mutate()[2] = std::numeric_limits<double>::quiet_NaN();  // row 0, step 1
  const auto r = call<double>(Cell::lstm, in);
  for (std::int64_t i = 0; i < 9; ++i) CHECK(std::isnan(r.output.data()[i]) == (i >= 3));
  for (std::int64_t i = 9; i < 18; ++i) CHECK(std::isfinite(r.output.data()[i]));
}

TEST_CASE("states far from 0 saturate and keep finite gradients") {
  auto in = inputs_of(Cell::lstm, 1, 3, 2, 3);
  for (auto& x : in) {
    for (std::int64_t i = 0; i < x.size(); ++i) x.mutate()[i] *= 1e3;
  }
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::tanh}) {
    auto mine = inputs_of(cell, 1, 3, 2, 3);
    mine[0] = in[0];
    for (const auto& g : gradients(mine, [&](const auto& x) { return call<double>(cell, x); })) {
      for (const double v : g) CHECK(std::isfinite(v));
    }
  }
}

TEST_CASE("the gradient of a weight of a recurrent layer holds only its own memory") {
  const auto in = inputs_of(Cell::lstm, 4, 50, 8, 6);
  std::vector<Variable<double>> v;
  for (const auto& x : in) v.emplace_back(x);
  const auto blocks_after_step = [&] {
    {
      Tape tape;
      backward(sum(call<double>(Cell::lstm, v).output));
    }
    v[0].zero_grad();
    v[1].zero_grad();
    v[2].zero_grad();
    return memory_statistics().live_blocks;
  };
  const auto with_gradients = blocks_after_step();
  for (std::size_t k = 3; k < 7; ++k) v[k].zero_grad();
  CHECK(memory_statistics().live_blocks == with_gradients - 4);
}

TEST_CASE("a steady loop over recurrent layers allocates nothing from the system") {
  const auto in = inputs_of(Cell::gru, 4, 6, 8, 16);
  std::vector<Variable<double>> v;
  for (const auto& x : in) v.emplace_back(x);
  const auto step = [&] {
    {
      Tape tape;
      const auto r =
          call<double>(Cell::gru, v, {.lengths = Array<std::int64_t>({4}, {6, 1, 3, 2})});
      backward(sum(r.output));
    }
    for (auto& x : v) x.zero_grad();
  };
  for (int i = 0; i < 3; ++i) step();
  const auto before = memory_statistics().system_allocations;
  for (int i = 0; i < 20; ++i) step();
  CHECK(memory_statistics().system_allocations == before);
}

TEST_CASE("the layers say which argument has which shape") {
  const auto x = op::spread({2, 3, 5}), h0 = op::spread({2, 4});
  CHECK(message_of<ShapeError>([&] {
          static_cast<void>(rnn(x, h0, op::spread({4, 6}), op::spread({4, 4})));
        }) == "rnn: weight_ih must be (hidden, in) = (4, 5) for x (2, 3, 5), not (4, 6)");
  CHECK(message_of<ArgumentError>([&] {
          static_cast<void>(gru(x, h0, op::spread({12, 5}), op::spread({12, 4}),
                                {.lengths = Array<std::int64_t>({2}, {4, 1})}));
        }) == "gru: lengths[0] = 4; it is in [0, t], for x (2, 3, 5)");
  CHECK(message_of([&] { static_cast<void>(gru(Tensor<double>(), h0, x, x)); }).substr(0, 4) ==
        "gru:");
}

}  // TEST_SUITE("recurrent")
