// SPDX-License-Identifier: BSD-3-Clause
// gmm, lstm and ode: functions whose gradient one sweep computes.
#include <cmath>
#include <numbers>

#include "ebb/autodiff/derivatives_of_many.hpp"
#include "problems/chain.hpp"
#include "problems/lstm.hpp"
#include "problems/mixture.hpp"
#include "protocol.hpp"

namespace gradbench {
namespace {

using Y = ebb::Tensor<double>;

struct GaussianMixture {
  explicit GaussianMixture(const Json& input)
      : mixture{read_count(input, "n"),          read_count(input, "k"),
                read_count(input, "d"),          read_matrix(input, "x"),
                input.at("gamma").get<double>(), input.at("m").get<double>()},
        alphas(read_vector(input, "alpha")),
        means(read_matrix(input, "mu")),
        factors(ebb::concat({Y(read_matrix(input, "q")),
                             Y(read_matrix(input, "l", mixture.d * (mixture.d - 1) / 2))},
                            1)
                    .array()) {
    const double d = double(mixture.d), m = mixture.m + d + 1;
    double log_gamma = d * (d - 1) / 4 * std::log(std::numbers::pi);
    for (int i = 0; i < mixture.d; ++i) log_gamma += std::lgamma((m - i) / 2);
    const double wishart = m * d * (std::log(mixture.gamma) - std::log(2) / 2) - log_gamma;
    constant =
        double(mixture.k) * wishart - double(mixture.n) * d / 2 * std::log(2 * std::numbers::pi);
  }
  Json write(const std::array<Y, 3>& g) const {
    const std::int64_t d = mixture.d;
    return {{"alpha", write_array(g[0])},
            {"mu", write_array(g[1])},
            {"q", write_array(slice(g[2], 1, {0, d}))},
            {"l", write_array(slice(g[2], 1, {d, d * (d + 1) / 2}))}};
  }

  problems::Mixture mixture;
  ebb::Array<double> alphas, means, factors;
  double constant;
};

struct Recurrence {
  explicit Recurrence(const Json& input)
      : parameters(read_matrix(input, "main_params")),
        ends(read_matrix(input, "extra_params")),
        lstm{parameters.shape()[0] / 2, 0, ends.shape()[1], read_matrix(input, "state"),
             read_matrix(input, "sequence")} {
    lstm.characters = lstm.sequence.shape()[0];
  }

  ebb::Array<double> parameters, ends;
  problems::Lstm lstm;
};

}  // namespace

Module gmm() {
  return {{"objective",
           [](const Json& input) {
             const GaussianMixture p(input);
             return call([p] { return p.mixture(p.alphas, p.means, p.factors) + p.constant; },
                         write_array);
           }},
          {"jacobian", [](const Json& input) {
             const GaussianMixture p(input);
             return call([p] { return ebb::gradient(p.mixture, p.alphas, p.means, p.factors); },
                         [p](const auto& g) { return p.write(g); });
           }}};
}

Module lstm() {
  return {{"objective",
           [](const Json& input) {
             const Recurrence p(input);
             return call([p] { return p.lstm(p.parameters, p.ends); }, write_array);
           }},
          {"jacobian", [](const Json& input) {
             const Recurrence p(input);
             return call(
                 [p] { return ebb::gradient(p.lstm, p.parameters, p.ends); },
                 [](const auto& g) {
                   return write_array(ebb::concat({reshape(g[0], {-1}), reshape(g[1], {-1})}));
                 });
           }}};
}

Module ode() {
  const auto read = [](const Json& input) {
    const auto x = read_vector(input, "x");
    return std::pair(problems::Chain(x.size(), read_count(input, "s")), x);
  };
  return {{"primal",
           [=](const Json& input) {
             const auto p = read(input);
             return call([p] { return p.first(p.second); }, write_array);
           }},
          {"gradient", [=](const Json& input) {
             const auto p = read(input);
             const auto last = [p](const Y& x) { return p.first(x)[p.second.size() - 1]; };
             return call([=] { return ebb::gradient(last, p.second); }, write_array);
           }}};
}

}  // namespace gradbench
