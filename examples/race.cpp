// SPDX-License-Identifier: BSD-3-Clause
// An update rule turns gradients into steps; it may remember them, scale them, or take their signs.
// All rules race down a bowl, Rosenbrock's valley and a ravine, each with the best of ten rates
// that never take it above its start.
//
//   averaging v <- b v + (1 - b) g    classical v <- b v + g    w <- w - rate v
#include <algorithm>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"
#include "ebb/optim/problems.hpp"

using namespace ebb;
using example::Bowl, example::Window;
using Numbers = Array<double>;
using Path = std::vector<Numbers>;

namespace {

constexpr int steps = 200;

/// The points of a rule from a start. The weights are a matrix (1, 2), for Muon, which takes the
/// direction of a matrix of one row.
template <class Rule, class F>
Path go(const F& f, const Numbers& start, const Rule& rule, std::vector<double>* values = {}) {
  Variable<double> w(start.reshape({1, 2}));
  optim::Optimizer optimizer({w}, rule);
  Path path{start};
  for (int k = 0; k < steps; ++k) {
    Tape tape;
    const auto loss = f(reshape(w, {2}));
    if (values) values->push_back(loss.item());
    backward(loss);
    optimizer.step();
    optimizer.zero_grad();
    path.push_back(w.value().reshape({2}));
  }
  return path;
}

/// A function to race on, and the window of its picture.
struct Course {
  const char* name;
  std::function<Tensor<double>(const Operand<double>&)> f;
  Numbers start;
  double least;
  Window window;
  std::vector<double> levels;  ///< of the contours
  std::ptrdiff_t drawn;        ///< steps in the picture
};

/// Where a rule has come to with its best rate.
struct Run {
  Path path;
  double rate = 0, error = INFINITY;
};

template <class Rule>
Run best_of_rates(const Course& course, Rule rule) {
  Run best;
  for (const double rate : {3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0}) {
    rule.learning_rate = rate;
    std::vector<double> values;
    Path path = go(course.f, course.start, rule, &values);
    const double last = course.f(path.back()).item() - course.least;
    const bool is_steady = std::none_of(values.begin(), values.end(),
                                        [&](double value) { return !(value <= values[0]); });
    if (is_steady && last < best.error) best = {std::move(path), rate, std::fmax(last, 0)};
  }
  return best;
}

/// The rules of one picture, and their runs on each course.
struct Family {
  const char* title;
  std::vector<std::string> names = {};
  std::vector<std::vector<Run>> runs = {};
};

std::vector<Course> courses() {
  const optim::problems::Rosenbrock valley;
  const optim::problems::Quadratic ravine{.condition = 100};
  return {
      {"bowl", Bowl{}, Bowl::start(), Bowl::minimum, {-0.5, 2.5, -3.5, -1}, {}, 30},
      {"valley", valley, valley.start(), 0, {-1.6, 1.6, -0.6, 2}, {0.5, 2, 8, 32, 128, 512}, steps},
      {"ravine", ravine, Numbers::of({1.2, 0}), 0, {-0.6, 1.4, -0.9, 0.6}, {1e-3, 0.01, 0.1}, 30}};
}

std::vector<Family> race(const std::vector<Course>& course) {
  std::printf("f - least f after %d steps, and the rate\n%-12s", steps, "rule");
  for (const Course& c : course) std::printf(" %18s", c.name);
  std::printf("\n");
  std::vector<Family> families;
  const auto add = [&](const char* name, const auto& rule) {
    std::printf("%-12s", name);
    families.back().names.emplace_back(name);
    families.back().runs.emplace_back();
    for (const Course& c : course) {
      const Run& run = families.back().runs.back().emplace_back(best_of_rates(c, rule));
      std::printf(" %10.1e (%5g)", run.error, run.rate);
    }
    std::printf("\n");
  };
  using namespace optim;
  families.push_back({"Momentum"});
  add("plain", SGD{});
  add("averaging", SGD{.momentum = 0.9, .averaging = true});
  add("classical", SGD{.momentum = 0.9});
  add("Nesterov", SGD{.momentum = 0.9, .nesterov = true});
  add("ASGD", ASGD{});
  families.push_back({"A rate for each weight"});
  add("Adagrad", Adagrad{});
  add("RMSProp", RMSProp{});
  add("Adadelta", Adadelta{});
  add("Rprop", Rprop{});
  families.push_back({"Adam and its kin"});
  add("Adam", Adam{});
  add("AMSGrad", Adam{.amsgrad = true});
  add("Adamax", Adamax{});
  add("AdamW", AdamW{});  // with its decay of 0.01, which moves the minimum
  add("NAdam", NAdam{});
  add("RAdam", RAdam{});
  families.push_back({"Steps of a given length"});
  add("Lion", Lion{});
  add("LARS", LARS{.trust = 1});
  add("LAMB", LAMB{});
  add("Muon", Muon{.weight_decay = 0});
  return families;
}

/// What the table says, as numbers.
void conclude(const std::vector<Course>& course, const std::vector<Family>& families) {
  int count = 0;
  std::vector<double> worst(course.size(), 0);
  for (const Family& family : families) {
    for (const auto& runs : family.runs) {
      ++count;
      for (std::size_t c = 0; c < course.size(); ++c) {
        const double first = course[c].f(course[c].start).item() - course[c].least;
        worst[c] = std::fmax(worst[c], runs[c].error / first);
      }
    }
  }
  std::printf("rules %d\n", count);
  for (std::size_t c = 0; c < course.size(); ++c) {
    std::printf("worst_in_%s %.3e\n", course[c].name, worst[c]);
  }
  const auto& momentum = families[0].runs;
  std::printf("momentum_gain %.3e\n", momentum[0][2].error / momentum[2][2].error);
  // The same path, if the rate makes up for 1 - b.
  const Path averaging = go(course[0].f, course[0].start,
                            optim::SGD{.learning_rate = 0.1, .momentum = 0.75, .averaging = true});
  const Path classical =
      go(course[0].f, course[0].start, optim::SGD{.learning_rate = 0.025, .momentum = 0.75});
  double apart = 0;
  for (std::size_t k = 0; k < averaging.size(); ++k) {
    apart = std::fmax(apart, norm(averaging[k] - classical[k]).item());
  }
  std::printf("averaging_against_classical %.3e\n", apart);
}

void draw(const std::string& pictures, const std::vector<Course>& course,
          const std::vector<Family>& families) {
  if (pictures.empty()) return;
  for (std::size_t c = 0; c < course.size(); ++c) {
    const Window& window = course[c].window;
    const plot::Contours contours = example::contours(course[c].f, window, course[c].levels);
    plot::Panels panels{.title = "The first " + std::to_string(course[c].drawn) +
                                 " steps of the rules in the " + course[c].name};
    for (const Family& family : families) {
      plot::Figure figure{.title = family.title,
                          .x = {.label = "x", .min = window.left, .max = window.right},
                          .y = {.label = "y", .min = window.low, .max = window.high},
                          .contours = contours};
      for (std::size_t r = 0; r < family.names.size(); ++r) {
        const Path& whole = family.runs[r][c].path;
        const Path first(whole.begin(), whole.begin() + course[c].drawn);
        figure.curves.push_back(example::path(family.names[r], first, window, plot::Style::lines));
      }
      panels.figures.push_back(figure);
    }
    example::draw(pictures, (std::string("race_") + course[c].name + ".svg").c_str(), panels);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "All update rules on three functions",
                                    [](const std::string& pictures) {
                                      const std::vector<Course> course = courses();
                                      const std::vector<Family> families = race(course);
                                      conclude(course, families);
                                      draw(pictures, course, families);
                                    });
}
