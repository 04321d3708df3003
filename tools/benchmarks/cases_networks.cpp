// SPDX-License-Identifier: BSD-3-Clause
// Convolution and layer normalisation.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

using C = limits::Convolution;

struct Images {
  static constexpr std::int64_t plane = C::side * C::side;
  Numbers x{C::batch * C::in * plane}, w{C::out * C::in * 9}, b{C::out}, few{C::in},
      g{C::batch * C::out * plane}, y{C::batch * C::out * plane}, gx{C::batch * C::in * plane},
      gw{C::out * C::in * 9}, gb{C::out}, columns{C::in * 9 * plane + 16};
  ebb::Variable<float> input = variable({C::batch, C::in, C::side, C::side}, x),
                       weight = variable({C::out, C::in, 3, 3}, w), bias = variable({C::out}, b),
                       few_bias = variable({C::in}, few);
  ebb::Array<float> seed = array({C::batch, C::out, C::side, C::side}, g);
};

struct Rows {
  static constexpr std::int64_t rows = 4096, columns = 256;
  Numbers x{rows * columns}, w{columns}, b{columns}, g{rows * columns}, y{rows * columns},
      gx{rows * columns}, gw{columns}, gb{columns};
  ebb::Variable<float> input = variable({rows, columns}, x), weight = variable({columns}, w),
                       bias = variable({columns}, b);
  ebb::Array<float> seed = array({rows, columns}, g);
};

// Counts the forward pass alone, without a tape, into a block from the pool. The limit writes to a
// buffer that stays.
template <class Data, class F, class Limit>
Sides forward(const F& f, const Limit& limit) {
  auto d = std::make_shared<Data>();
  return {[=] { keep(f(*d)); }, [=] { limit(*d); }};
}

// Counts the forward pass, the sweep from a dense seed into three absent gradients, and their
// release.
template <class Data, class F, class Limit>
Sides both(const F& f, const Limit& limit) {
  auto d = std::make_shared<Data>();
  return {[=] {
            {
              ebb::Tape tape;
              const auto y = f(*d);
              backward(ebb::SweepStart(y, d->seed));
            }
            d->input.zero_grad();
            d->weight.zero_grad();
            d->bias.zero_grad();
          },
          [=] { limit(*d); }};
}

}  // namespace

void add_networks(std::vector<Case>& cases) {
  const auto add = [&](const char* name, std::function<Sides()> prepare, double bound = 1.3) {
    cases.push_back(
        versus(std::string("network/") + name + "/f32", "us", bound, std::move(prepare)));
  };
  const auto convolve = [](Images& d) { return conv2d(d.input, d.weight, d.bias, {.padding = 1}); };
  const auto convolve_limit = [](Images& d) {
    limits::convolution_forward(d.x, d.w, d.b, d.columns, d.y);
  };
  add("conv2d/16x16x28x28x32", [=] { return forward<Images>(convolve, convolve_limit); });
  add("conv2d_backward/16x16x28x28x32", [=] {
    return both<Images>(convolve, [=](Images& d) {
      convolve_limit(d);
      limits::convolution_backward(d.x, d.w, d.g, d.columns, d.gx, d.gw, d.gb);
    });
  });
  add("conv_transpose2d/16x32x28x28x16", [=] {
    return forward<Images>(
        [](Images& d) { return conv_transpose2d(d.seed, d.weight, d.few_bias, {.padding = 1}); },
        [](Images& d) {
          limits::transposed_convolution_forward(d.g, d.w, d.few, d.columns, d.gx);
        });
  });
  const auto normalise = [](Rows& d) {
    return layer_norm(d.input, {Rows::columns}, d.weight, d.bias);
  };
  const auto normalise_limit = [](Rows& d) {
    limits::layer_norm_forward(d.x, d.w, d.b, d.y, Rows::rows, Rows::columns);
  };
  add(
      "layer_norm/4096x256", [=] { return forward<Rows>(normalise, normalise_limit); }, 1.2);
  const auto both_limits = [=](Rows& d) {
    normalise_limit(d);
    limits::layer_norm_backward(d.x, d.w, d.g, d.gx, d.gw, d.gb, Rows::rows, Rows::columns);
  };
  add(
      "layer_norm_backward/4096x256", [=] { return both<Rows>(normalise, both_limits); }, 1.2);
}

}  // namespace bench
