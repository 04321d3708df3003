// SPDX-License-Identifier: BSD-3-Clause
// A model that does not learn: a check of all its gradients, one batch that it must be able to
// learn by heart, and the place of the first number that is not finite.
#include <iostream>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;

namespace {

struct Network {
  nn::Linear<double> in{4, 8};
  nn::LayerNorm<double> norm{8};
  nn::Sequential<nn::Dropout, nn::Tanh, nn::Linear<double>> head{nn::Dropout(0.2), nn::Tanh(),
                                                                 nn::Linear<double>(8, 1)};
  bool is_cut = false;  // a mistake: the gradient does not pass what is read as an array

  Tensor<double> operator()(const Operand<double>& x) {
    Tensor<double> hidden = in(x);
    if (is_cut) hidden = hidden.detach();
    return head(norm(hidden));
  }
  void each(Parts& part) {
    part("in", in);
    part("norm", norm);
    part("head", head);
  }
};

struct Rows {
  Array<double> x, y;
};

Rows draw_rows(std::int64_t count, std::uint64_t seed) {
  Stream stream(seed);
  const auto x = nn::normal<double>({count, 4}, 0, 1, stream);
  return {x, (sin(slice(x, 1, {0, 1})) * slice(x, 1, {1, 2}) + 0.5).array()};
}

void check_all_gradients() {
  Network model;
  const Rows rows = draw_rows(6, 2);
  const auto loss = [&] { return mse_loss(model(rows.x), rows.y); };
  const auto right = nn::check_gradients(model, loss);
  model.is_cut = true;
  const auto cut = nn::check_gradients(model, loss);
  std::printf("gradients of the model: %s, %lld compared\n", right ? "right" : "wrong",
              static_cast<long long>(right.compared));
  std::cout << "with a cut: " << cut.reason << "\n\n";
  std::printf("gradients_right %d\ncut_is_found %d\n\n", int(right.passed), int(!cut.passed));
}

/// What comes of sixteen rows that are learned by heart.
optim::OverfitResult learn_one_batch(bool is_cut) {
  Network model;
  model.is_cut = is_cut;
  nn::eval(model);  // without Dropout nothing stands in the way
  const Rows rows = draw_rows(16, 3);
  data::Loader loader(data::TensorDataset(rows.x, rows.y), {.batch_size = 16});
  optim::Optimizer optimizer(parameters(model), optim::Adam{.learning_rate = 1e-2});
  const auto loss = [&](const auto& x, const auto& y) { return mse_loss(model(x), y); };
  return optim::overfit_one_batch(model, loss, optimizer, loader, {.target = 1e-3});
}

void overfit() {
  const auto right = learn_one_batch(false), cut = learn_one_batch(true);
  std::cout << "sixteen rows by heart: " << right << "\nwith the cut: " << cut << '\n';
  std::printf("\nhas_learned %d\ncut_has_learned %d\n\n", int(right.has_learned),
              int(cut.has_learned));
}

void find_first_nan() {
  Network model;
  nn::train(model);  // gives the layers their names
  const Rows rows = draw_rows(6, 4);
  Array<double> broken = model.in.weight.value();
  broken.mutate()[5] = 1e308 * 10;
  model.in.weight.set_value(broken);
  bool is_named = false;
  try {
    Tape tape({.check_finite = true});
    backward(mse_loss(model(rows.x), rows.y));
  } catch (const NonFiniteError& error) {
    std::cout << "the first that is not finite: " << error.what() << '\n';
    is_named = std::string(error.what()).ends_with("(in in)");
  }
  std::printf("\nnan_is_named %d\n", int(is_named));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What to do with a model that does not learn");
  return example::parse_and_run(app, argc, argv, [] {
    check_all_gradients();
    overfit();
    find_first_nan();
  });
}
