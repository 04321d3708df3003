// SPDX-License-Identifier: BSD-3-Clause
// Recurrent layers, forward and back.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

using R = limits::Recurrent;

/// The widest of both layers: four gates, and one more state than there are steps.
struct Sequence {
  static constexpr std::int64_t rows = R::steps * R::batch, gates = 4 * R::hidden,
                                states = (R::steps + 1) * R::batch * R::hidden;
  Numbers x{rows * R::in}, g{rows * R::hidden}, w_ih{gates * R::in, -0.1f, 0.1f},
      w_hh{gates * R::hidden, -0.1f, 0.1f}, b_ih{gates, -0.1f, 0.1f}, b_hh{gates, -0.1f, 0.1f},
      all_gates{rows * gates}, rec{rows * gates}, all_states{states, 0, 0}, memory{states, 0, 0},
      gh{R::batch * R::hidden}, gc{R::batch * R::hidden}, gx{rows * R::in}, gw_ih{gates * R::in},
      gw_hh{gates * R::hidden}, gb_ih{gates}, gb_hh{gates};
  limits::Recurrent limit{w_ih, w_hh, b_ih, b_hh,  all_gates, rec,   all_states, memory,
                          gh,   gc,   gx,   gw_ih, gw_hh,     gb_ih, gb_hh};

  explicit Sequence(std::int64_t n)
      : input(variable({R::batch, R::steps, R::in}, x)),
        weight_ih(variable({n * R::hidden, R::in}, w_ih)),
        weight_hh(variable({n * R::hidden, R::hidden}, w_hh)),
        bias_ih(variable({n * R::hidden}, b_ih)),
        bias_hh(variable({n * R::hidden}, b_hh)),
        zeros(ebb::Array<float>::zeros({R::batch, R::hidden})),
        seed(array({R::batch, R::steps, R::hidden}, g)) {}
  ebb::Variable<float> input, weight_ih, weight_hh, bias_ih, bias_hh;
  ebb::Array<float> zeros, seed;
};

// Counts the forward pass, the sweep from a dense seed into five absent gradients, and their
// release. The limit has one bias for both of the LSTM, and time as the first axis.
template <class F, class Limit>
Sides both(std::int64_t gates, const F& f, const Limit& limit) {
  auto d = std::make_shared<Sequence>(gates);
  return {[=] {
            {
              ebb::Tape tape;
              const auto y = f(*d);
              backward(ebb::SweepStart(y, d->seed));
            }
            for (auto* v : {&d->input, &d->weight_ih, &d->weight_hh, &d->bias_ih, &d->bias_hh}) {
              v->zero_grad();
            }
          },
          [=] { limit(d->limit, d->x, d->g); }};
}

}  // namespace

void add_recurrent(std::vector<Case>& cases) {
  const auto add = [&](const char* name, std::function<Sides()> prepare) {
    cases.push_back(
        versus(std::string("network/") + name + "/32x16x16x64/f32", "us", 1.3, std::move(prepare)));
  };
  add("lstm_backward", [] {
    return both(
        4,
        [](Sequence& d) {
          return lstm(d.input, d.zeros, d.zeros, d.weight_ih, d.weight_hh, d.bias_ih, d.bias_hh)
              .output;
        },
        limits::lstm);
  });
  add("gru_backward", [] {
    return both(
        3,
        [](Sequence& d) {
          return gru(d.input, d.zeros, d.weight_ih, d.weight_hh, d.bias_ih, d.bias_hh).output;
        },
        limits::gru);
  });
}

}  // namespace bench
