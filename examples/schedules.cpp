// SPDX-License-Identifier: BSD-3-Clause
// Schedules: the learning rate as a function of the step, such as a half wave after a warm-up, rate
// (1 + cos(pi t / T)) / 2. Each is drawn over the steps of a run, and all train one regression from
// the same start, where a rate that falls averages the noise of mini-batches out. --pictures FOLDER
// draws them.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;

namespace {

constexpr std::int64_t steps = 600;
constexpr double rate = 0.2;

struct Named {
  std::string name;
  optim::Schedule schedule;
};

std::vector<Named> schedules() {
  using namespace optim;
  const LinearWarmup warmup{.rate = 1, .steps = 60};
  return {
      {"constant", Constant{rate}},
      {"step", StepDecay{.rate = rate, .every = 200, .factor = 0.1}},
      {"multi-step", MultiStep{.rate = rate, .steps = {300, 500}, .factor = 0.1}},
      {"exponential", Exponential{.rate = rate, .factor = 0.99}},
      {"polynomial", Polynomial{.rate = rate, .steps = steps, .power = 2}},
      {"cosine", Cosine{.rate = rate, .steps = steps}},
      {"warm restarts", WarmRestarts{.rate = rate, .first = 200, .growth = 2}},
      {"one cycle", OneCycle{.peak = rate, .steps = steps}},
      {"inverse square root", InverseSquareRoot{.rate = rate, .warmup = 60}},
      {"cyclic", Cyclic{.low = rate / 20, .high = rate, .half = 100, .decay = 0.3}},
      {"warm-up, then cosine", Sequence{{LinearWarmup{.rate = rate, .steps = 60}, 60},
                                        {Cosine{.rate = rate, .steps = steps - 60}, steps - 60}}},
      {"warm-up times exponential", warmup * Exponential{.rate = rate, .factor = 0.99}}};
}

/// How far a regression on noisy rows ends from the weights of least squares.
double distance_after(const optim::Schedule& schedule, std::uint64_t seed) {
  const auto rows = data::make_linear<double>(400, {.features = 3, .noise = 1, .seed = seed});
  const auto exact = optim::fit_linear(rows.x, squeeze(rows.y, {1}).array());
  auto model = nn::Linear<double>::zeros(3, 1);
  optim::Optimizer optimizer(model, optim::SGD{}, schedule);
  data::Loader loader(data::TensorDataset(rows.x, rows.y), {.batch_size = 8, .seed = seed});
  const auto loss = [&](const auto& x, const auto& y) { return mse_loss(model(x), y); };
  optim::fit(loss, optimizer, loader, {.epochs = 1000, .steps = steps});
  return norm(concat({squeeze(model.weight, {0}), model.bias}) - exact.coefficients).item();
}

void show(const std::string& pictures, std::uint64_t seed) {
  std::printf("%-26s %9s %9s %9s %12s\n", "schedule", "first", "middle", "last", "distance");
  std::vector<plot::Figure> figures;
  double constant = 0, best = 1e300;
  for (const auto& [name, schedule] : schedules()) {
    const double distance = distance_after(schedule, seed);
    if (name == "constant") constant = distance;
    best = std::fmin(best, distance);
    std::printf("%-26s %9.5f %9.5f %9.5f %12.2e\n", name.c_str(), schedule(0), schedule(steps / 2),
                schedule(steps - 1), distance);
    std::vector<double> rates;
    for (std::int64_t step = 0; step < steps; ++step) rates.push_back(schedule(step));
    figures.push_back({.title = name,
                       .x = {.label = "step"},
                       .y = {.label = "rate", .min = 0, .max = 1.05 * rate},
                       .curves = {{.x = example::steps(rates), .y = rates}}});
  }
  const auto warm = schedules()[10].schedule;
  std::printf("schedules %zu\nconstant_distance %.3e\nbest_of_constant %.4f\n", figures.size(),
              constant, best / constant);
  std::printf("warmed_up %.6f\nhalf_wave %.6f\n", warm(59), warm(60 + (steps - 60) / 2));
  example::draw(pictures, "schedules.svg", plot::Panels{.columns = 3, .figures = figures});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "Schedules of the learning rate", show);
}
