// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/recurrent.hpp"

#include <cmath>

#include "ebb/nn/layers/start.hpp"

namespace ebb::inline v0::nn {

void RecurrentSettings::each(Fields& field) {
  field("input_size", input_size);
  field("hidden_size", hidden_size);
  field("num_layers", num_layers);
  field("bias", bias);
  field("dropout", dropout);
  field("bidirectional", bidirectional);
}
void RNNSettings::each(Fields& field) {
  field("input_size", input_size);
  field("hidden_size", hidden_size);
  field("num_layers", num_layers);
  field("nonlinearity", nonlinearity);
  field("bias", bias);
  field("dropout", dropout);
  field("bidirectional", bidirectional);
}

namespace detail {
namespace {

template <class Settings>
const Settings& checked(std::string_view layer, const Settings& s) {
  check_at_least(layer, "input_size", s.input_size, 1);
  check_at_least(layer, "hidden_size", s.hidden_size, 1);
  check_at_least(layer, "num_layers", s.num_layers, 1);
  return s;
}

std::int64_t directions(const auto& settings) { return settings.bidirectional ? 2 : 1; }

template <class T, class Settings>
std::vector<RecurrentWeights<T>> start(const Settings& s, std::int64_t gates, Stream& stream) {
  const double limit = 1 / std::sqrt(double(s.hidden_size));
  const std::int64_t rows = gates * s.hidden_size;
  const auto drawn = [&](const Shape& shape) {
    return Variable<T>(uniform_within<T>(shape, limit, stream));
  };
  std::vector<RecurrentWeights<T>> weights;
  for (std::int64_t layer = 0; layer < s.num_layers; ++layer) {
    const std::int64_t inputs = layer == 0 ? s.input_size : directions(s) * s.hidden_size;
    for (std::int64_t d = 0; d < directions(s); ++d) {
      Variable<T> ih = drawn({rows, inputs}), hh = drawn({rows, s.hidden_size});
      Variable<T> bias_ih = s.bias ? drawn({rows}) : Variable<T>::none();
      Variable<T> bias_hh = s.bias ? drawn({rows}) : Variable<T>::none();
      weights.push_back({std::move(ih), std::move(hh), std::move(bias_ih), std::move(bias_hh)});
    }
  }
  return weights;
}

}  // namespace

template <Real T, class Settings>
Recurrent<T, Settings>::Recurrent(std::string_view layer, const Settings& s, std::int64_t gates,
                                  Stream& stream)
    : settings(checked(layer, s)),
      weights(start<T>(s, gates, stream)),
      dropout(s.dropout, stream) {}

template <Real T, class Settings>
void Recurrent<T, Settings>::each(Parts& part) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t count = std::size_t(directions(settings));
    std::string end = "_l" + std::to_string(i / count);
    if (i % count == 1) end += "_reverse";
    RecurrentWeights<T>& w = weights[i];
    part("weight_ih" + end, w.weight_ih);
    part("weight_hh" + end, w.weight_hh);
    if (!settings.bias) continue;
    part("bias_ih" + end, w.bias_ih);
    part("bias_hh" + end, w.bias_hh);
  }
  part("dropout", dropout);
}

template struct Recurrent<float, RecurrentSettings>;
template struct Recurrent<double, RecurrentSettings>;
template struct Recurrent<float, RNNSettings>;
template struct Recurrent<double, RNNSettings>;

}  // namespace detail

namespace {

/// The state of layer and direction i, zeros without one. @throws ShapeError for another shape.
template <class T>
Tensor<T> state_at(const auto& layer, const Tensor<T>& all, std::int64_t rows, std::size_t i) {
  const std::int64_t hidden = layer.settings.hidden_size;
  if (all.empty()) return Array<T>::zeros({rows, hidden});
  const Shape expected{std::int64_t(layer.weights.size()), rows, hidden};
  if (!(all.shape() == expected)) {
    throw ShapeError(std::string(layer.name) +
                     ": a state must be (layers directions, n, hidden) = " + to_string(expected) +
                     ", not " + to_string(all.shape()));
  }
  return all[std::int64_t(i)];
}

/// Calls run(x, i, is_reverse) for each layer and direction i: the outputs of one layer are the
/// input of the next.
template <class T, class Run>
Tensor<T> through_layers(auto& layer, const Operand<T>& x, const Run& run) {
  const auto& s = layer.settings;
  if (x.shape().rank() != 3 || x.shape()[2] != s.input_size) {
    throw ShapeError(std::string(layer.name) + ": a sequence must be (n, t, " +
                     std::to_string(s.input_size) + "), not " + to_string(x.shape()));
  }
  Tensor<T> y = detail::unchanged(x);
  for (std::size_t i = 0; i < layer.weights.size();) {
    if (i > 0 && s.dropout > 0) y = layer.dropout(y);
    const Tensor<T> forward = run(y, i++, false);
    y = s.bidirectional ? concat({forward, run(y, i++, true)}, 2) : forward;
  }
  return y;
}

template <class T>
LSTMOutput<T> call_lstm(auto& layer, const Operand<T>& x, const LSTMOptions<T>& o) {
  return detail::in_layer(layer, x, [&] {
    std::vector<Tensor<T>> hidden, cell;
    const Tensor<T> output =
        through_layers(layer, x, [&](const Tensor<T>& in, std::size_t i, bool reverse) {
          const auto& w = layer.weights[i];
          const std::int64_t n = in.shape()[0];
          const Tensor<T> h0 = state_at(layer, o.state.hidden, n, i);
          const Tensor<T> c0 = state_at(layer, o.state.cell, n, i);
          const RecurrentOptions options{reverse, o.lengths};
          auto y = layer.settings.bias ? lstm<T>(in, h0, c0, w.weight_ih, w.weight_hh, w.bias_ih,
                                                 w.bias_hh, options)
                                       : lstm<T>(in, h0, c0, w.weight_ih, w.weight_hh, options);
          hidden.push_back(y.hidden);
          cell.push_back(y.cell);
          return y.output;
        });
    return LSTMOutput<T>{output, {stack(hidden), stack(cell)}};
  });
}

template <class T, class Step>
RecurrentOutput<T> call_recurrent(auto& layer, const Operand<T>& x,
                                  const RecurrentCallOptions<T>& o, const Step& step) {
  return detail::in_layer(layer, x, [&] {
    std::vector<Tensor<T>> hidden;
    const Tensor<T> output =
        through_layers(layer, x, [&](const Tensor<T>& in, std::size_t i, bool reverse) {
          const Tensor<T> h0 = state_at(layer, o.state.hidden, in.shape()[0], i);
          auto y = step(in, h0, layer.weights[i], reverse);
          hidden.push_back(y.hidden);
          return y.output;
        });
    return RecurrentOutput<T>{output, {stack(hidden)}};
  });
}

template <class T>
RecurrentOutput<T> call_gru(auto& layer, const Operand<T>& x, const RecurrentCallOptions<T>& o) {
  return call_recurrent(
      layer, x, o, [&](const Tensor<T>& in, const Tensor<T>& h0, const auto& w, bool reverse) {
        const RecurrentOptions options{reverse, o.lengths};
        return layer.settings.bias
                   ? gru<T>(in, h0, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, options)
                   : gru<T>(in, h0, w.weight_ih, w.weight_hh, options);
      });
}

template <class T>
RecurrentOutput<T> call_rnn(auto& layer, const Operand<T>& x, const RecurrentCallOptions<T>& o) {
  return call_recurrent(
      layer, x, o, [&](const Tensor<T>& in, const Tensor<T>& h0, const auto& w, bool reverse) {
        const bool is_relu = layer.settings.nonlinearity == "relu";
        const RnnOptions options{is_relu ? Nonlinearity::relu : Nonlinearity::tanh, reverse,
                                 o.lengths};
        return layer.settings.bias
                   ? rnn<T>(in, h0, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, options)
                   : rnn<T>(in, h0, w.weight_ih, w.weight_hh, options);
      });
}

/// Two for each product with a weight, for each row and step.
double operations_of(const auto& layer, const Shape& x) {
  double weights = 0;
  for (const auto& w : layer.weights) weights += double(w.weight_ih.size() + w.weight_hh.size());
  return 2 * weights * double(x[0] * x[1]);
}

const RNNSettings& checked(const RNNSettings& s) {
  if (s.nonlinearity == "tanh" || s.nonlinearity == "relu") return s;
  throw ArgumentError("RNN: nonlinearity = \"" + s.nonlinearity + "\"; it is \"tanh\" or \"relu\"");
}

}  // namespace

template <Real T>
LSTM<T>::LSTM(const RecurrentSettings& s, Stream& stream)
    : detail::Recurrent<T, RecurrentSettings>(name, s, 4, stream) {}
template <Real T>
LSTMOutput<T> LSTM<T>::operator()(const Operand<T>& x, const LSTMOptions<T>& options) {
  return call_lstm(*this, x, options);
}
template <Real T>
LSTMOutput<T> LSTM<T>::operator()(const Operand<T>& x, const LSTMOptions<T>& options) const {
  return call_lstm(*this, x, options);
}
template <Real T>
double LSTM<T>::operations(const Operand<T>& x, const LSTMOutput<T>&) const {
  return operations_of(*this, x.shape());
}

template <Real T>
GRU<T>::GRU(const RecurrentSettings& s, Stream& stream)
    : detail::Recurrent<T, RecurrentSettings>(name, s, 3, stream) {}
template <Real T>
RecurrentOutput<T> GRU<T>::operator()(const Operand<T>& x, const RecurrentCallOptions<T>& options) {
  return call_gru(*this, x, options);
}
template <Real T>
RecurrentOutput<T> GRU<T>::operator()(const Operand<T>& x,
                                      const RecurrentCallOptions<T>& options) const {
  return call_gru(*this, x, options);
}
template <Real T>
double GRU<T>::operations(const Operand<T>& x, const RecurrentOutput<T>&) const {
  return operations_of(*this, x.shape());
}

template <Real T>
RNN<T>::RNN(const RNNSettings& s, Stream& stream)
    : detail::Recurrent<T, RNNSettings>(name, checked(s), 1, stream) {}
template <Real T>
RecurrentOutput<T> RNN<T>::operator()(const Operand<T>& x, const RecurrentCallOptions<T>& options) {
  return call_rnn(*this, x, options);
}
template <Real T>
RecurrentOutput<T> RNN<T>::operator()(const Operand<T>& x,
                                      const RecurrentCallOptions<T>& options) const {
  return call_rnn(*this, x, options);
}
template <Real T>
double RNN<T>::operations(const Operand<T>& x, const RecurrentOutput<T>&) const {
  return operations_of(*this, x.shape());
}

template struct LSTM<float>;
template struct LSTM<double>;
template struct GRU<float>;
template struct GRU<double>;
template struct RNN<float>;
template struct RNN<double>;

}  // namespace ebb::inline v0::nn
