// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/dropout.hpp"

#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0::nn {

void DropoutSettings::each(Fields& field) { field("p", p); }

namespace {

/// A stream of its own, whose key is drawn from another one.
Stream drawn_from(Stream& stream) {
  const std::uint64_t high = stream.next();
  return Stream(high << 32 | stream.next());
}

}  // namespace

Dropout::Dropout(const DropoutSettings& s, Stream& from) : settings(s), stream(drawn_from(from)) {
  if (s.p >= 0 && s.p <= 1) return;
  throw ArgumentError("Dropout: p = " + ebb::detail::to_text(s.p) + "; it is in [0, 1]");
}

template <Real T>
Tensor<T> Dropout::operator()(const Operand<T>& x) {
  return detail::in_layer(*this, x, [&] {
    return mode == Mode::training ? dropout(x, settings.p, stream) : detail::unchanged(x);
  });
}

template <Real T>
Tensor<T> Dropout::operator()(const Operand<T>& x) const {
  if (mode == Mode::training) {
    throw ArgumentError(
        "Dropout: a layer in training draws from its stream, and this one is const; call "
        "eval(model), or make operator() of the model that has it not const");
  }
  return detail::in_layer(*this, x, [&] { return detail::unchanged(x); });
}

template Tensor<float> Dropout::operator()(const Operand<float>&);
template Tensor<double> Dropout::operator()(const Operand<double>&);
template Tensor<float> Dropout::operator()(const Operand<float>&) const;
template Tensor<double> Dropout::operator()(const Operand<double>&) const;

}  // namespace ebb::inline v0::nn
