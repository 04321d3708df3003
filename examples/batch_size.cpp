// SPDX-License-Identifier: BSD-3-Clause
// The gradient of a batch of B rows is that of all n rows with noise, which is smaller for larger
// batches; and what a network has learned depends on it. How much noise, and the loss on new data.
//
//   E |g_B - g|^2 = (n - B) / (n - 1) variance / B, without replacement
#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;
using Numbers = Array<double>;
using Rows = data::TensorDataset<double>;

namespace {

/// How far gradients of mini-batches are from that of all rows.
void noise(const Rows& rows, const std::string& pictures, std::uint64_t seed) {
  const std::int64_t d = rows.x.shape()[1], n = rows.size();
  const auto slope = [&](const auto& x, const auto& y) {
    return gradient([&](const auto& w) { return 0.5 * mse_loss(matmul(x, w), y); },
                    Numbers::zeros({d, 1}))
        .array();
  };
  const Numbers all = slope(rows.x, rows.y);
  double variance = 0;
  std::printf("\nNoise of the gradient at 0\n%8s %16s %16s\n", "rows", "E |g_B - g|^2", "theory");
  const auto theory = [&](double batch) {
    return (double(n) - batch) / double(n - 1) * variance / batch;
  };
  std::vector<double> sizes, measured, all_sizes, expected;
  double worst = 0;
  for (const std::int64_t batch : {1, 4, 16, 64, 256}) {
    data::Loader loader(rows, {.batch_size = batch, .drop_last = true, .seed = seed});
    double total = 0;
    int count = 0;
    for (int epoch = 0; epoch < (batch == 1 ? 1 : 2 * batch); ++epoch) {
      for (const auto& [x, y] : loader) {
        total += sum(square(slope(x, y) - all)).item();
        ++count;
      }
    }
    if (batch == 1) variance = total / count;
    sizes.push_back(double(batch));
    measured.push_back(total / count);
    worst = std::fmax(worst, std::abs(measured.back() / theory(double(batch)) - 1));
    std::printf("%8lld %16.4f %16.4f\n", static_cast<long long>(batch), measured.back(),
                theory(double(batch)));
  }
  std::printf("noise_off_theory %.4f\n", worst);
  for (double batch = 1; batch < 300; batch *= 1.2) {
    all_sizes.push_back(batch);
    expected.push_back(theory(batch));
  }
  example::draw(
      pictures, "batch_noise.svg",
      plot::Figure{
          .title = "Noise of the gradient of a batch, diabetes",
          .x = {.label = "rows of the batch", .scale = plot::Scale::log10},
          .y = {.label = "E |g_B - g|^2", .scale = plot::Scale::log10},
          .curves = {
              {.name = "(n - B) / (n - 1) variance / B", .x = all_sizes, .y = expected},
              {.name = "measured", .x = sizes, .y = measured, .style = plot::Style::points}}});
}

struct Network {
  nn::Linear<double> hidden{2, 32}, out{32, 1};
  Tensor<double> operator()(const Operand<double>& x) const { return out(tanh(hidden(x))); }
  void each(Parts& part) {
    part("hidden", hidden);
    part("out", out);
  }
};

/// The same number of epochs, and of steps, with batches of several sizes: the loss on the rows of
/// training and on others.
void generalisation(std::uint64_t seed) {
  const auto moons = data::make_moons<double>(120, {.noise = 0.3, .seed = seed});
  const auto others = data::make_moons<double>(2000, {.noise = 0.3, .seed = seed + 100});
  const auto targets = [](const auto& set) { return cast<double>(set.y).reshape({-1, 1}); };
  const Rows rows(moons.x, targets(moons));
  std::printf(
      "\nA network on 120 points of two moons, rate 0.3\n%19s %21s\n%8s %10s %10s %10s %10s\n",
      "200 epochs", "3000 steps", "rows", "training", "new data", "training", "new data");
  std::vector<double> gaps;
  for (const std::int64_t batch : {2, 8, 30, 120}) {
    std::printf("%8lld", static_cast<long long>(batch));
    for (const std::int64_t steps : {200 * 120 / batch, std::int64_t(3000)}) {
      default_stream() = Stream(seed);
      Network model;
      optim::Optimizer optimizer(model, optim::SGD{.learning_rate = 0.3});
      data::Loader loader(rows, {.batch_size = batch, .seed = seed});
      const auto loss = [&](const auto& x, const auto& y) { return bce_with_logits(model(x), y); };
      optim::fit(loss, optimizer, loader, {.epochs = steps, .steps = steps});
      const double training = loss(rows.x, rows.y).item();
      const double on_others = loss(others.x, targets(others)).item();
      std::printf(" %10.4f %10.4f", training, on_others);
      gaps.push_back(on_others - training);
    }
    std::printf("\n");
  }
  // Few rows at a time fit their own noise in as many epochs.
  std::printf("gap_of_two %.4f\ngap_of_all %.4f\n", gaps[0], gaps[6]);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(
      argc, argv, "The size of batches, noise, and the loss on new data",
      [](const std::string& pictures, std::uint64_t seed) {
        const auto table =
            data::read_csv<double>(EBB_EXAMPLE_DATA "/diabetes.csv").with_target("progression");
        const auto known = data::Pipeline{data::Standardize()}.fit_transform(table).split_target();
        noise(Rows(known.x, (known.y / 77.0).array()), pictures, seed);
        generalisation(seed);
      });
}
