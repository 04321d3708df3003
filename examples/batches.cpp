// SPDX-License-Identifier: BSD-3-Clause
// The gradient of some rows is about that of all rows, and costs less. Descent by all rows, by
// mini-batches and by one row at a time, the rule of least mean squares: steps, time and paths.
//
//   one row: w <- w + rate (y - w . x) x
#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;
using example::Window;
using Numbers = Array<double>;
using Rows = data::TensorDataset<double>;

namespace {

/// Half the mean of squares, whose gradient for one row is that of the LMS rule.
Tensor<double> half_square(const nn::Linear<double>& model, const Operand<double>& x,
                           const Operand<double>& y) {
  return 0.5 * mse_loss(model(x), y);
}

struct Trained {
  nn::Linear<double> model;
  optim::History history = {};
  std::vector<Numbers> path = {};  ///< weights and bias
};

Trained train(const Rows& rows, std::int64_t batch, double rate, std::int64_t epochs,
              std::uint64_t seed) {
  Trained run{.model = nn::Linear<double>::zeros(rows.x.shape()[1], 1)};
  const auto keep = [&] {
    run.path.push_back(concat({squeeze(run.model.weight, {0}), run.model.bias}).array());
  };
  optim::Optimizer optimizer(run.model, optim::SGD{.learning_rate = rate});
  data::Loader loader(rows, {.batch_size = batch, .drop_last = true, .seed = seed});
  run.history =
      optim::fit([&](const auto& x, const auto& y) { return half_square(run.model, x, y); },
                 optimizer, loader, {.epochs = epochs, .before_step = keep});
  keep();
  return run;
}

/// The table of a data set, by all rows, some, and one. Returns the paths.
std::vector<Trained> compare(const char* name, const char* title, const Rows& rows,
                             std::int64_t epochs, std::uint64_t seed) {
  const auto least = optim::fit_linear(rows.x, rows.y);
  const auto x = example::with_ones(rows.x);
  const double lowest = 0.5 * mse_loss(matmul(x, least.coefficients), squeeze(rows.y, {1})).item();
  std::printf("\n%s, %lld epochs\n%8s %8s %8s %10s %16s\n", title, static_cast<long long>(epochs),
              "rows", "rate", "steps", "ms", "loss - least");
  std::vector<Trained> all;
  std::vector<double> losses;
  for (const std::int64_t batch : {rows.size(), std::int64_t(20), std::int64_t(1)}) {
    const double rate = batch == 1 ? 0.01 : batch == 20 ? 0.1 : 0.2;
    Trained run = train(rows, batch, rate, epochs, seed);
    const double loss = half_square(run.model, rows.x, rows.y).item() - lowest;
    std::printf("%8lld %8g %8lld %10.3f %16.3e\n", static_cast<long long>(batch), rate,
                static_cast<long long>(run.history.epochs.back().steps),
                1e3 * run.history.epochs.back().seconds, loss);
    losses.push_back(loss);
    all.push_back(std::move(run));
  }
  std::printf("%s_by_all %.3e\n%s_by_some %.3e\n%s_by_one %.3e\n", name, losses[0], name, losses[1],
              name, losses[2]);
  return all;
}

void line(const std::string& pictures, std::uint64_t seed) {
  const auto set = data::make_linear<double>(200, {.noise = 0.5, .seed = 13});
  const Rows rows(set.x, set.y);
  const std::vector<Trained> runs = compare("line", "A line through 200 points", rows, 10, seed);

  // The LMS rule by hand, with the rows in the order of the loader.
  double w = 0, b = 0;
  data::Loader one_by_one(rows, {.batch_size = 1, .seed = seed});
  for (int epoch = 0; epoch < 10; ++epoch) {
    for (const auto& [u, v] : one_by_one) {
      const double residual = v.item() - (w * u.item() + b);
      w += 0.01 * residual * u.item();
      b += 0.01 * residual;
    }
  }
  std::printf("lms_difference %.3e\n", norm(runs[2].path.back() - Numbers::of({w, b})).item());

  const double slope = set.weight.item(), height = set.bias.item();
  const Window window{std::fmin(0, slope) - 0.4, std::fmax(0, slope) + 0.4,
                      std::fmin(0, height) - 0.4, std::fmax(0, height) + 0.4};
  const auto surface = [&](const auto& p) { return 0.5 * mse_loss(p[0] * set.x + p[1], set.y); };
  plot::Figure figure{.title = "Paths over the loss of a line, 10 epochs",
                      .x = {.label = "weight", .min = window.left, .max = window.right},
                      .y = {.label = "bias", .min = window.low, .max = window.high},
                      .contours = example::contours(surface, window)};
  const char* const names[] = {"all 200 rows", "20 rows", "one row"};
  for (std::size_t k = 0; k < runs.size(); ++k) {
    figure.curves.push_back(example::path(names[k], runs[k].path, window,
                                          k == 0 ? plot::Style::both : plot::Style::lines));
  }
  example::draw(pictures, "batch_paths.svg", figure);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(
      argc, argv, "Descent by all rows, by mini-batches, and by one row at a time",
      [](const std::string& pictures, std::uint64_t seed) {
        line(pictures, seed);
        const auto table =
            data::read_csv<double>(EBB_EXAMPLE_DATA "/diabetes.csv").with_target("progression");
        const auto known = data::Pipeline{data::Standardize()}.fit_transform(table).split_target();
        const Numbers y = ((known.y - mean(known.y)) / 77.0).array();  // of deviation 1
        compare("diabetes", "Diabetes, 442 rows", Rows(known.x, y), 30, seed);
      });
}
