// SPDX-License-Identifier: BSD-3-Clause
// Handwritten digits of 8 x 8 points: softmax regression, a network of three layers, and a
// convolution network, each judged by digits that it has not seen.
#include <algorithm>
#include <iostream>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"
#include "ebb/tools/plot/training.hpp"

using namespace ebb;

namespace {

/// Pictures (n, 1, 8, 8) with values from 0 to 1, and their digits (n,).
struct Digits {
  Array<float> x;
  Array<std::int64_t> y;
};

Digits digits_of(const data::Table<float>& table) {
  const auto pixels = table.with_target("digit").split_target().x;
  return {(pixels / 16.0).array().reshape({table.rows(), 1, 8, 8}), table.labels("digit")};
}

struct Network {
  nn::Sequential<nn::Flatten, nn::Linear<float>, nn::ReLU, nn::Dropout, nn::Linear<float>, nn::ReLU,
                 nn::Linear<float>>
      layers{nn::Flatten(),
             nn::Linear<float>(64, 256),
             nn::ReLU(),
             nn::Dropout(0.4),
             nn::Linear<float>(256, 128),
             nn::ReLU(),
             nn::Linear<float>(128, 10)};

  Tensor<float> operator()(const Operand<float>& x) { return layers(x); }
  void each(Parts& part) { part("layers", layers); }
};

struct Convolutions {
  nn::Conv2d<float> first{{.in_channels = 1, .out_channels = 16, .kernel_size = 3, .padding = 1}};
  nn::BatchNorm2d<float> norm{16};
  nn::Conv2d<float> second{{.in_channels = 16, .out_channels = 32, .kernel_size = 3, .padding = 1}};
  nn::Dropout dropout{0.3};
  nn::Linear<float> out{32 * 2 * 2, 10};

  Tensor<float> operator()(const Operand<float>& x) {
    const auto half = max_pool2d(relu(norm(first(x))), 2);
    const auto quarter = max_pool2d(relu(second(half)), 2);
    return out(dropout(nn::Flatten()(quarter)));
  }
  void each(Parts& part) {
    part("first", first);
    part("norm", norm);
    part("second", second);
    part("dropout", dropout);
    part("out", out);
  }
};

struct Result {
  optim::History history;
  nn::ConfusionMatrix confusion{10};
};

/// Trains a model, and counts what it says of digits that it has not seen.
template <class Model>
Result train_and_judge(const char* name, Model& model, const Digits& train, const Digits& test,
                       int epochs, double rate, std::uint64_t seed) {
  const nn::CrossEntropyLoss<float> loss;
  const auto accuracy = [&] {
    const nn::EvaluationScope evaluation(model);
    nn::ConfusionMatrix confusion(10);
    confusion.update(nn::predicted_labels(model(test.x)), test.y);
    return confusion;
  };
  data::Loader loader(data::TensorDataset(train.x, train.y), {.batch_size = 64, .seed = seed});
  optim::Optimizer optimizer(model, optim::AdamW{.learning_rate = rate},
                             optim::OneCycle{.peak = rate, .steps = epochs * loader.size()});
  Result result;
  result.history =
      optim::fit([&](const auto& x, const auto& y) { return loss(model(x), y); }, optimizer, loader,
                 {.epochs = epochs,
                  .validation =
                      [&] {
                        const nn::EvaluationScope evaluation(model);
                        return loss(model(test.x), test.y).item();
                      },
                  .metrics = {{"accuracy", [&] { return accuracy().accuracy(); }}}});
  result.confusion = accuracy();
  std::cout << '\n' << name << '\n' << nn::summary(model, slice(test.x, 0, {0, 1}));
  std::printf("%s_accuracy %.4f\n", name, result.confusion.accuracy());
  return result;
}

/// How often each digit was taken for another one.
plot::HeatMap mistakes(const nn::ConfusionMatrix& confusion) {
  Array<double> counts = cast<double>(confusion.counts());
  for (std::int64_t i = 0; i < 10; ++i) counts.mutate()[i * 10 + i] = 0;
  return {.values = counts};
}

void read_digits(const std::string& folder, const std::string& pictures, std::uint64_t seed) {
  const auto table = data::read_csv<float>(folder + "/digits.csv.gz");
  const auto labels = table.labels("digit");
  const std::span classes(labels.data(), std::size_t(labels.size()));
  const auto parts =
      data::split(table, data::split_stratified(classes, {.test = 0.25, .seed = seed}));
  const Digits train = digits_of(parts.train), test = digits_of(parts.test);
  default_stream() = Stream(seed);

  nn::Sequential softmax_regression(nn::Flatten(), nn::Linear<float>::zeros(64, 10));
  Network network;
  Convolutions convolutions;
  const Result a = train_and_judge("softmax", softmax_regression, train, test, 60, 3e-2, seed);
  const Result b = train_and_judge("network", network, train, test, 60, 3e-3, seed);
  const Result c = train_and_judge("convolutions", convolutions, train, test, 30, 3e-3, seed);
  std::cout << '\n' << c.confusion.report({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});

  example::draw(pictures, "digits_losses.svg",
                plot::compare_runs({{"softmax regression", a.history},
                                    {"three layers", b.history},
                                    {"convolutions", c.history}}));
  example::draw(pictures, "digits_mistakes.svg",
                plot::Figure{.title = "Mistakes of the softmax regression",
                             .x = {.label = "taken for"},
                             .y = {.label = "digit"},
                             .heat = mistakes(a.confusion)});
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 0;
  std::string pictures, folder = EBB_EXAMPLE_DATA;
  CLI::App app("Handwritten digits by three models");
  app.add_option("--pictures", pictures, "The folder for pictures");
  app.add_option("--seed", seed, "Seed of everything that is random")->capture_default_str();
  app.add_option("--data", folder, "The folder with the CSV files")->capture_default_str();
  return example::parse_and_run(app, argc, argv, [&] { read_digits(folder, pictures, seed); });
}
