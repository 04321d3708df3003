// SPDX-License-Identifier: BSD-3-Clause
// Recurrent layers. A call is one record, whose gradients are one pull, a pass back through time.
#pragma once
#include <array>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/networks/recurrence.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// What the pulls of recurrent layers have in common. The inputs are the gradient of the result,
/// those of the layer, its result, and the room that it filled; the result has the gradients that
/// are needed one after the other.
template <detail::RecurrentCell cell>
struct RecurrentPulls {
  static constexpr bool internal = true;
  using Options = detail::RecurrentCall;
  static constexpr unsigned all = 0x3ff;
  static constexpr unsigned reads[] = {all, all, all, all, all, all, all, 0, 0, 0};

  template <class T, class... In>
  static detail::Block* forward(const Options& o, detail::Block* g, In*... in) {
    return detail::pull_recurrence<T>(cell, o, g, {in...});
  }
  template <class T>
  static Tensor<T> as_operations(const Options& o, std::span<const Tensor<T>> in) {
    return detail::pull_recurrence_as_operations<T>(cell, o, in);
  }
  static constexpr Lacks lacks{.scalar = "needs axes", .empty = "covered by the layers"};
  /// The pull of a layer at a result that is a constant.
  template <class Layer, class Pull>
  static std::vector<Sample> samples_of() {
    const Shape x{2, 3, 2};
    const detail::RecurrentSizes s(cell, x, 2);
    const std::int64_t states = s.states * s.batch * s.hidden, w = s.gates * s.hidden;
    const auto f = [=](auto in) {
      using T = typename std::remove_cvref_t<decltype(in[0])>::value_type;
      const Array<std::int64_t> lengths({2}, {2, 3});
      const auto room = Array<T>::uninitialized({s.room(), 1});
      const Options options{.needs = 0x3f};
      const auto y =
          detail::apply<Layer, T>(options, in[1].detach(), in[2].detach(), in[3].detach(),
                                  in[4].detach(), in[5].detach(), in[6].detach(), lengths, room);
      return detail::apply<Pull, T>(options, in[0], in[1], in[2], in[3], in[4], in[5], in[6],
                                    lengths, y, room);
    };
    return {
        sample("of rows",
               {spread({s.outputs() + states, 1}), spread(x, 12), spread({s.states * s.batch, 2}),
                spread({w, 2}, 0.1), spread({w, 2}), spread({w}), spread({w}, 0.5)},
               f)};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// What the records of recurrent layers have in common. The inputs are x; the states, those of all
/// rows one after the other; both weights and both biases; the lengths of the rows; and room, which
/// `forward` fills with what the gradients need besides. The result has the output, and then the
/// states after the last step.
template <detail::RecurrentCell cell, class Pull>
struct RecurrentLayer {
  using Options = detail::RecurrentCall;
  static constexpr unsigned all = 0xff | detail::output_of_many;
  static constexpr unsigned reads[] = {all, all, all, all, all, all, 0, 0};
  static constexpr int gradients = 6;

  template <class T, class... In>
  static detail::Block* forward(const Options& o, In*... in) {
    return detail::run_recurrence<T>(cell, o, {in...});
  }
  static auto vjps(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    auto options = call.options();
    options.needs = 0;
    for (int k = 0; k < gradients; ++k) options.needs |= std::uint8_t(int(call.needs(k)) << k);
    const auto flat = detail::apply<Pull, T>(options, call.g(), call.input(0), call.input(1),
                                             call.input(2), call.input(3), call.input(4),
                                             call.input(5), call.template array<std::int64_t>(6),
                                             call.y().detach(), call.template array<T>(7));
    std::array<Tensor<T>, gradients> parts;
    std::int64_t begin = 0;
    for (int k = 0; k < gradients; ++k) {
      if (!call.needs(k)) continue;
      const Shape shape = call.shape_of(k);
      const auto part = reshape(slice(flat, 0, {begin, begin + shape.size()}), shape);
      begin += shape.size();
      // The sum over one row is a copy, so that a weight's gradient does not keep all in memory.
      parts[std::size_t(k)] = k < 2 ? part : sum(unsqueeze(part, 0), 0);
    }
    return parts;
  }
};

/// All parts of the result of a layer, side by side.
template <Real T>
Tensor<T> joined(const RecurrentResult<T>& r) {
  return concat({reshape(r.output, {r.output.size()}), reshape(r.hidden, {r.hidden.size()})});
}
template <Real T>
Tensor<T> joined(const LstmResult<T>& r) {
  return concat({reshape(r.output, {r.output.size()}), reshape(r.hidden, {r.hidden.size()}),
                 reshape(r.cell, {r.cell.size()})});
}
inline Array<std::int64_t> lengths_of(std::initializer_list<std::int64_t> lengths) {
  return Array<std::int64_t>::of(lengths);
}

struct LstmPull : RecurrentPulls<detail::RecurrentCell::lstm> {
  static constexpr std::string_view name = "lstm_pull";
  static std::vector<Sample> samples();
};
struct GruPull : RecurrentPulls<detail::RecurrentCell::gru> {
  static constexpr std::string_view name = "gru_pull";
  static std::vector<Sample> samples();
};
struct RnnPull : RecurrentPulls<detail::RecurrentCell::rnn> {
  static constexpr std::string_view name = "rnn_pull";
  static std::vector<Sample> samples();
};

/// Long short-term memory (Hochreiter and Schmidhuber 1997).
struct Lstm : RecurrentLayer<detail::RecurrentCell::lstm, LstmPull> {
  static constexpr std::string_view name = "lstm";
  static constexpr Lacks lacks{.scalar = "needs axes"};
  static std::vector<Sample> samples() {
    const auto with = [](RecurrentOptions o) {
      return [=](auto x) { return joined(lstm(x[0], x[1], x[2], x[3], x[4], x[5], x[6], o)); };
    };
    const auto inputs = [](std::int64_t n, std::int64_t t, std::int64_t hidden) {
      return std::vector<Array<double>>{spread({n, t, 2}, 12),        spread({n, hidden}),
                                        spread({n, hidden}, 2),       spread({4 * hidden, 2}, 0.1),
                                        spread({4 * hidden, hidden}), spread({4 * hidden}),
                                        spread({4 * hidden}, 0.5)};
    };
    return {
        sample("of rows", inputs(2, 3, 2), with({})),
        sample("in reverse", inputs(1, 2, 3), with({.reverse = true})),
        sample("of lengths", inputs(3, 2, 1), with({.lengths = lengths_of({1, 2, 0})})),
        sample("of lengths in reverse", inputs(2, 3, 1),
               with({.reverse = true, .lengths = lengths_of({2, 3})})),
        sample("without biases",
               {spread({1, 2, 1}), spread({1, 2}), spread({1, 2}), spread({8, 1}), spread({8, 2})},
               [](auto x) { return joined(lstm(x[0], x[1], x[2], x[3], x[4])); }),
        sample("of no rows", inputs(0, 2, 2), with({}))};
  }
  static std::vector<Rejection> rejections() {
    const auto of = [](const Shape& c0, RecurrentOptions o) {
      return [=] {
        lstm(spread({2, 3, 5}), spread({2, 4}), spread(c0), spread({16, 5}), spread({16, 4}), o);
      };
    };
    return {{"another cell state", of({2, 3}, {}),
             "lstm: c0 must be (n, hidden) = (2, 4) for x (2, 3, 5), not (2, 3)"},
            {"a length too large", of({2, 4}, {.lengths = lengths_of({3, 4})}),
             "lstm: lengths[1] = 4; it is in [0, t], for x (2, 3, 5)"},
            {"a negative length", of({2, 4}, {.lengths = lengths_of({-1, 3})}),
             "lstm: lengths[0] = -1; it is in [0, t], for x (2, 3, 5)"},
            {"other lengths", of({2, 4}, {.lengths = lengths_of({3})}),
             "lstm: lengths must be (n,) for x (n, t, in), not (1,) and (2, 3, 5)"}};
  }
};

/// Gated recurrent units (Cho et al. 2014).
struct Gru : RecurrentLayer<detail::RecurrentCell::gru, GruPull> {
  static constexpr std::string_view name = "gru";
  static constexpr Lacks lacks{.scalar = "needs axes"};
  static std::vector<Sample> samples() {
    const auto with = [](RecurrentOptions o) {
      return [=](auto x) { return joined(gru(x[0], x[1], x[2], x[3], x[4], x[5], o)); };
    };
    const auto inputs = [](std::int64_t n, std::int64_t t, std::int64_t hidden) {
      return std::vector<Array<double>>{spread({n, t, 2}, 12),        spread({n, hidden}),
                                        spread({3 * hidden, 2}, 0.1), spread({3 * hidden, hidden}),
                                        spread({3 * hidden}),         spread({3 * hidden}, 0.5)};
    };
    return {sample("of rows", inputs(2, 3, 2), with({})),
            sample("of lengths in reverse", inputs(3, 3, 1),
                   with({.reverse = true, .lengths = lengths_of({2, 3, 0})})),
            sample("without biases",
                   {spread({1, 2, 1}), spread({1, 2}), spread({6, 1}), spread({6, 2})},
                   [](auto x) { return joined(gru(x[0], x[1], x[2], x[3])); }),
            sample("of no rows", inputs(0, 2, 2), with({}))};
  }
  static std::vector<Rejection> rejections() {
    const auto of = [](const Shape& x, const Shape& h0, const Shape& weight_ih) {
      return [=] {
        gru(spread(x), spread(h0), spread(weight_ih), spread({12, 4}), spread({12}), spread({4}));
      };
    };
    return {{"a matrix", of({3, 5}, {3, 4}, {12, 5}), "gru: x must be (n, t, in), not (3, 5)"},
            {"states of another batch", of({2, 3, 5}, {3, 4}, {12, 5}),
             "gru: h0 must be (n, hidden) for x (n, t, in), not (3, 4) and (2, 3, 5)"},
            {"gates of another cell", of({2, 3, 5}, {2, 4}, {16, 5}),
             "gru: weight_ih must be (3 hidden, in) = (12, 5) for x (2, 3, 5), not (16, 5)"},
            {"a bias of another size", of({2, 3, 5}, {2, 4}, {12, 5}),
             "gru: bias_hh must be (3 hidden,) = (12,) for x (2, 3, 5), not (4,)"}};
  }
};

/// The simplest recurrent layer (Elman 1990).
struct Rnn : RecurrentLayer<detail::RecurrentCell::rnn, RnnPull> {
  static constexpr std::string_view name = "rnn";
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs axes"};
  static std::vector<Sample> samples() {
    const auto with = [](RnnOptions o) {
      return [=](auto x) { return joined(rnn(x[0], x[1], x[2], x[3], x[4], x[5], o)); };
    };
    const auto inputs = [](std::int64_t n, std::int64_t t, std::int64_t hidden) {
      return std::vector<Array<double>>{spread({n, t, 2}, 12),    spread({n, hidden}),
                                        spread({hidden, 2}, 0.1), spread({hidden, hidden}),
                                        spread({hidden}),         spread({hidden}, 0.5)};
    };
    return {sample("by tanh", inputs(2, 3, 2), with({})),
            sample("by relu", inputs(2, 3, 3), with({.nonlinearity = Nonlinearity::relu})),
            sample("of lengths in reverse", inputs(3, 3, 1),
                   with({.reverse = true, .lengths = lengths_of({2, 3, 0})})),
            sample("without biases",
                   {spread({1, 2, 1}), spread({1, 2}), spread({2, 1}), spread({2, 2})},
                   [](auto x) { return joined(rnn(x[0], x[1], x[2], x[3])); }),
            sample("of no rows", inputs(0, 2, 2), with({}))};
  }
  static std::vector<Rejection> rejections() {
    return {{"a weight that is not square",
             [] {
               rnn(spread({2, 3, 5}), spread({2, 4}), spread({4, 5}), spread({4, 5}));
             },
             "rnn: weight_hh must be (hidden, hidden) = (4, 4) for x (2, 3, 5), not (4, 5)"}};
  }
};

inline std::vector<Sample> LstmPull::samples() { return samples_of<Lstm, LstmPull>(); }
inline std::vector<Sample> GruPull::samples() { return samples_of<Gru, GruPull>(); }
inline std::vector<Sample> RnnPull::samples() { return samples_of<Rnn, RnnPull>(); }

/// All recurrent layers, and their gradients.
using Recurrences = List<Lstm, LstmPull, Gru, GruPull, Rnn, RnnPull>;

}  // namespace ebb::inline v0::op
