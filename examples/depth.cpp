// SPDX-License-Identifier: BSD-3-Clause
// What depth does to a network: values and gradients that vanish or explode with the start of the
// weights, and what normalisation and residual connections do about it.
#include <cmath>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;

namespace {

constexpr std::int64_t width = 64, depth = 30;

double deviation(const Array<float>& values) {
  return std::sqrt(double(mean(square(values)).item()));
}

/// How large values are after each layer, and gradients before it.
struct Flow {
  std::vector<double> values, gradients;
};

/// Sends normal numbers through layers whose weights are drawn by `start`, and a gradient back.
template <class Start, class Activation>
Flow flow(const Start& start, const Activation& activation) {
  Stream stream(1);
  Flow result;
  std::vector<Variable<float>> weights;
  for (std::int64_t i = 0; i < depth; ++i) weights.emplace_back(start({width, width}, stream));
  const auto x = nn::normal<float>({256, width}, 0, 1, stream);
  const auto g = nn::normal<float>({256, width}, 0, 1, stream);
  Tape tape;
  std::vector<Tensor<float>> layers{tape.watch(x)};
  for (const auto& w : weights) layers.push_back(activation(matmul(layers.back(), transpose(w))));
  for (std::size_t i = 1; i < layers.size(); ++i)
    result.values.push_back(deviation(layers[i].array()));
  const std::vector<GradientOf<float>> wanted(layers.begin(), layers.end() - 1);
  for (const auto& gradient : grad(sum(layers.back() * g), wanted))
    result.gradients.push_back(deviation(gradient.array()));
  return result;
}

void starts(const std::string& pictures) {
  const auto wide = [](const Shape& s, Stream& from) { return nn::normal<float>(s, 0, 0.3, from); };
  const auto narrow = [](const Shape& s, Stream& from) {
    return nn::normal<float>(s, 0, 0.05, from);
  };
  const auto he = [](const Shape& s, Stream& from) { return nn::he_normal<float>(s, from); };
  const auto xavier = [](const Shape& s, Stream& from) {
    return nn::xavier_uniform<float>(s, from, nn::tanh_gain);
  };
  const auto orthogonal = [](const Shape& s, Stream& from) {
    return nn::orthogonal<float>(s, from);
  };
  const auto rectified = [](const auto& x) { return relu(x); };
  const auto bent = [](const auto& x) { return tanh(x); };
  const auto plain = [](const auto& x) { return x * 1.0; };
  const struct {
    const char *word, *name;
    Flow flow;
  } all[] = {{"exploding", "normal, deviation 0.3; ReLU", flow(wide, rectified)},
             {"vanishing", "normal, deviation 0.05; ReLU", flow(narrow, rectified)},
             {"he", "He; ReLU", flow(he, rectified)},
             {"xavier", "Xavier; tanh", flow(xavier, bent)},
             {"orthogonal", "orthogonal; none", flow(orthogonal, plain)}};
  std::printf("%-30s %14s %14s\n", "start of 30 layers", "last values", "first gradient");
  plot::Figure figure{.title = "Values through 30 layers",
                      .x = {.label = "layer"},
                      .y = {.label = "deviation", .scale = plot::Scale::log10}};
  for (const auto& one : all) {
    std::printf("%-30s %14.3g %14.3g\n", one.name, one.flow.values.back(),
                one.flow.gradients.front());
    figure.curves.push_back(
        {.name = one.name, .x = example::steps(one.flow.values), .y = one.flow.values});
  }
  std::printf("\n");
  for (const auto& one : all)
    std::printf("%s_values %.3g\n%s_gradient %.3g\n", one.word, one.flow.values.back(), one.word,
                one.flow.gradients.front());
  example::draw(pictures, "depth_starts.svg", figure);
}

nn::Stack<float> network(const char* kind, std::int64_t layers) {
  nn::Stack<float> model(nn::Linear<float>(2, 32));
  for (std::int64_t i = 0; i < layers; ++i) {
    nn::Linear<float> linear(32, 32);
    if (kind == std::string("plain")) {
      model.add(std::move(linear)).add(nn::ReLU());
    } else if (kind == std::string("normalised")) {
      model.add(std::move(linear)).add(nn::BatchNorm1d<float>(32)).add(nn::ReLU());
    } else {
      model.add(
          nn::Residual(nn::Stack<float>(nn::LayerNorm<float>(32), nn::ReLU(), std::move(linear))));
    }
  }
  model.add(nn::Linear<float>(32, 2));
  return model;
}

/// The losses of the epochs of a deep network on two moons.
std::vector<double> losses(const char* kind, std::uint64_t seed) {
  default_stream() = Stream(seed);
  auto model = network(kind, 30);
  const auto rows = data::make_moons<float>(512, {.noise = 0.1, .seed = seed});
  data::Loader loader(rows, {.batch_size = 64, .seed = seed});
  optim::Optimizer optimizer(model, optim::Adam{.learning_rate = 3e-3});
  const auto history =
      optim::fit([&](const auto& x, const auto& y) { return cross_entropy(model(x), y); },
                 optimizer, loader, {.epochs = 40, .clip_norm = 1});
  std::vector<double> found;
  for (const auto& epoch : history.epochs) found.push_back(epoch.loss);
  return found;
}

void connections(const std::string& pictures, std::uint64_t seed) {
  plot::Figure figure{.title = "Two moons by 30 layers",
                      .x = {.label = "epoch"},
                      .y = {.label = "loss", .scale = plot::Scale::log10}};
  std::printf("\n%-30s %14s\n", "30 layers", "last loss");
  std::vector<double> last;
  for (const char* const kind : {"plain", "normalised", "residual"}) {
    const auto values = losses(kind, seed);
    last.push_back(values.back());
    std::printf("%-30s %14.3g\n", kind, values.back());
    figure.curves.push_back({.name = kind, .x = example::steps(values), .y = values});
  }
  std::printf("\nplain_loss %.4g\nnormalised_loss %.4g\nresidual_loss %.4g\n", last[0], last[1],
              last[2]);
  example::draw(pictures, "depth_connections.svg", figure);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "What depth does to a network",
                                    [](const std::string& pictures, std::uint64_t seed) {
                                      starts(pictures);
                                      connections(pictures, seed);
                                    });
}
