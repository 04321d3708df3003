// SPDX-License-Identifier: BSD-3-Clause
// Decay pulls weights to 0: as l2 in the loss it is a part of the gradient, which Adam brings to
// one size, so that its strength hardly matters. AdamW keeps it out of Adam's step.
//
//   Adam with l2: w <- w - rate Adam(g + decay w)    AdamW: w <- w - rate (Adam(g) + decay w)
#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;
using Numbers = Array<double>;

namespace {

/// The first weight after each step, and both at the end.
struct Run {
  std::vector<double> first = {};
  Numbers end = {};
};

Run descend(const auto& loss, const Numbers& start, const auto& rule, int steps) {
  Variable<double> w(start);
  optim::Optimizer optimizer({w}, rule);
  Run run{.first = {start[0]}};
  for (int k = 0; k < steps; ++k) {
    Tape tape;
    backward(loss(w));
    optimizer.step();
    optimizer.zero_grad();
    run.first.push_back(w.value()[0]);
  }
  run.end = w.value();
  return run;
}

/// A loss without a slope: only the decay moves the weights.
void flat_loss(const std::string& pictures) {
  const auto flat = [](const auto& w) { return 0.0 * sum(w); };
  std::printf("A flat loss: w = (1, 10) after 100 steps of rate 0.01\n%-10s %8s %10s %10s\n",
              "rule", "decay", "w_1", "w_2");
  plot::Figure figure{.title = "A flat loss: decay alone moves the weights",
                      .x = {.label = "step"},
                      .y = {.label = "first weight", .min = 0}};
  const auto row = [&](const char* name, auto rule, double decay) {
    rule.learning_rate = 0.01;
    rule.weight_decay = decay;
    const Run run = descend(flat, Numbers::of({1, 10}), rule, 100);
    std::printf("%-10s %8g %10.6f %10.6f\n", name, decay, run.end[0], run.end[1]);
    char title[40];
    std::snprintf(title, sizeof title, "%s, decay %g", name, decay);
    figure.curves.push_back({.name = title, .x = example::steps(run.first), .y = run.first});
    return run.end;
  };
  const Numbers strong = row("AdamW", optim::AdamW{}, 0.1),
                weak = row("AdamW", optim::AdamW{}, 0.01);
  const Numbers strong_l2 = row("Adam, l2", optim::Adam{}, 0.1);
  const Numbers weak_l2 = row("Adam, l2", optim::Adam{}, 0.01);
  std::printf("decoupled %.6f\ndecoupled_of_ten %.6f\ndecoupled_gain %.3f\n", strong[0],
              strong[1] / 10, (1 - strong[0]) / (1 - weak[0]));
  std::printf("l2 %.6f\nl2_of_ten %.6f\nl2_gain %.3f\n", strong_l2[0], strong_l2[1] / 10,
              (1 - strong_l2[0]) / (1 - weak_l2[0]));
  example::draw(pictures, "weight_decay.svg", figure);
}

/// With a loss: Adam's option is l2 in the loss, and ends at its minimum.
void with_a_loss() {
  const auto plain = [](const auto& w) { return example::Bowl{}(w); };
  const auto ridge = [](const auto& w) { return example::Bowl{}(w) + 0.5 * sum(square(w)); };
  const auto end = [](const auto& loss, const auto& rule) {
    return descend(loss, example::Bowl::start(), rule, 2000).end;
  };
  const Numbers option = end(plain, optim::Adam{.learning_rate = 0.01, .weight_decay = 1});
  const Numbers in_loss = end(ridge, optim::Adam{.learning_rate = 0.01});
  const Numbers decoupled = end(plain, optim::AdamW{.learning_rate = 0.01, .weight_decay = 1});
  // The minimum with l2 solves (A + decay) w = -b.
  const auto least = solve(example::Bowl::matrix() + Numbers::eye(2), Numbers::of({1, -2}));
  std::printf("\nThe bowl with decay 1, after 2000 steps of rate 0.01\n");
  const auto row = [](const char* name, const Numbers& w) {
    std::printf("%-24s %10.6f %10.6f\n", name, w[0], w[1]);
  };
  row("least loss with l2", least.array());
  row("Adam, l2 by its option", option);
  row("Adam, l2 in the loss", in_loss);
  row("AdamW", decoupled);
  std::printf("option_against_loss %.3e\nl2_from_least %.3e\ndecoupled_from_least %.3e\n",
              norm(option - in_loss).item(), norm(option - least).item(),
              norm(decoupled - least).item());
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "Decoupled weight decay beside l2 in the loss",
                                    [](const std::string& pictures) {
                                      flat_loss(pictures);
                                      with_a_loss();
                                    });
}
