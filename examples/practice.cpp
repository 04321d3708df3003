// SPDX-License-Identifier: BSD-3-Clause
// The practice of training, on a small network that tells benign tumours from malignant ones: a
// check that it can learn one batch, a learning rate from a range test, a warm-up followed by a
// half wave, rate (1 + cos(pi t / T)) / 2, gradients limited to a norm, averaged weights, early
// stopping; and a run that is killed in the middle of an epoch goes on to the same bits. --pictures
// FOLDER draws the range test and the curves of the training.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"
#include "ebb/tools/plot/plot.hpp"
#include "ebb/tools/plot/training.hpp"

using namespace ebb;

namespace {

struct Network {
  nn::Linear<double> in, out;
  explicit Network(std::int64_t features, Stream stream)
      : in(features, 16, stream), out(16, 1, stream) {}
  Tensor<double> operator()(const Operand<double>& x) const { return out(tanh(in(x))); }
  void each(Parts& part) {
    part("in", in);
    part("out", out);
  }
};

struct Rows {
  data::Supervised<double> train, validation, test;
};

Rows read(const example::Options& options) {
  const auto table =
      data::read_csv<double>(options.data + "/breast_cancer.csv").with_target("benign");
  const auto parts = data::split(
      table,
      data::split_rows(table.rows(), {.validation = 0.2, .test = 0.2, .seed = options.seed}));
  data::Pipeline pipeline{data::Standardize()};
  auto train = pipeline.fit_transform(parts.train).split_target();
  return {std::move(train), pipeline.transform(parts.validation).split_target(),
          pipeline.transform(parts.test).split_target()};
}

double accuracy(const Network& model, const data::Supervised<double>& rows) {
  const auto right = model(rows.x) * (2 * rows.y - 1) > 0;
  return double(std::count(right.begin(), right.end(), true)) / double(right.size());
}

/// Everything that a run consists of, and what is saved of it.
struct Run {
  const Rows& rows;
  const example::Options& options;
  Network model{rows.train.x.shape()[1], Stream(options.seed)};
  data::Loader<data::TensorDataset<double>> loader{data::TensorDataset(rows.train.x, rows.train.y),
                                                   {.batch_size = 16, .seed = options.seed}};
  optim::Optimizer<optim::AdamW> optimizer{model, optim::AdamW{.weight_decay = 0.1}};
  optim::WeightAverage average{model, {.decay = 0.98}};
  optim::History history{};

  auto loss() const {
    return [this](const auto& x, const auto& y) { return bce_with_logits(model(x), y); };
  }

  /// Trains with this rate. A run with snapshots may go on from the latest one, or be killed.
  void train(double rate, const std::string& snapshots = "", std::int64_t killed_after = 0) {
    const std::int64_t steps = options.epochs * loader.size() / 2, warm = steps / 10;
    optimizer.groups()[0].learning_rate =
        optim::Sequence{{optim::LinearWarmup{.rate = rate, .steps = warm}, warm},
                        {optim::Cosine{.rate = rate, .steps = steps - warm}, steps - warm}};
    optim::AverageWeights averaging(average);
    optim::EarlyStopping stopping(model, {.patience = 10});
    struct Kill : optim::Callback {
      std::int64_t after;
      explicit Kill(std::int64_t step) : after(step) {}
      bool after_step(const optim::StepRecord& step) override {
        if (step.step == after) std::raise(SIGKILL);
        return true;
      }
    } kill(killed_after);
    optim::FitOptions fit{
        .epochs = options.epochs,
        .history = &history,
        .accumulate = 2,
        .clip_norm = 0.3,
        .validation = [&] { return loss()(rows.validation.x, rows.validation.y).item(); },
        .metrics = {{"accuracy", [&] { return accuracy(model, rows.validation); }}},
        .callbacks = {&averaging, &stopping, &kill}};
    optim::SaveSnapshots saving(snapshots,
                                {{"model", model},
                                 {"optimizer", optimizer},
                                 {"loader", loader},
                                 {"average", average},
                                 {"stopping", stopping},
                                 {"history", history}},
                                {.steps = 5});
    if (!snapshots.empty()) {
      fit.resume = saving.load_latest();
      if (fit.resume) std::printf("goes on after step %lld\n", (long long)optimizer.steps());
      fit.callbacks.push_back(&saving);
    }
    optim::fit(loss(), optimizer, loader, fit);
  }
};

/// Whether a run that is killed ends in the weights of one that was not.
bool resumes(const Rows& rows, const example::Options& options, double rate, const Network& whole) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("ebb-practice-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string base = (folder / "run").string();
  std::fflush(stdout);
  if (const pid_t child = fork(); child == 0) {
    Run{rows, options}.train(rate, base, 57);
    _exit(0);
  } else {
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("\na run was %s after step 57\n", WIFSIGNALED(status) ? "killed" : "not killed");
  }
  Run again{rows, options};
  again.train(rate, base);
  std::filesystem::remove_all(folder);
  return max(abs(again.model.in.weight - whole.in.weight)).item() == 0 &&
         max(abs(again.model.out.weight - whole.out.weight)).item() == 0;
}

void practise(const example::Options& options, const std::string& pictures) {
  const Rows rows = read(options);
  Run run{rows, options};
  const auto learned =
      optim::overfit_one_batch(run.model, run.loss(), run.optimizer, run.loader, {.steps = 2000});
  const auto curve = optim::find_learning_rate(run.model, run.loss(), run.optimizer, run.loader,
                                               {.from = 1e-6, .to = 10, .steps = 150});
  std::cout << learned << '\n' << curve << "\n\n";
  run.train(curve.suggestion);
  std::cout << run.history;
  if (!pictures.empty()) {
    std::filesystem::create_directories(pictures);
    // First, since without gnuplot no numbers of a picture overwrite a file of another origin.
    run.history.write_csv(pictures + "/training.csv");
    plot::save(plot::learning_rate_curve(curve), pictures + "/learning_rate.svg");
    plot::save(plot::training_curves(run.history), pictures + "/training.svg");
  }
  const bool is_same = resumes(rows, options, curve.suggestion, run.model);
  std::printf("\nlearned_one_batch %d\nlearning_rate %.3g\naccuracy %.6g\nsame_bits %d\n",
              learned.has_learned, curve.suggestion, accuracy(run.model, rows.test), is_same);
}

}  // namespace

int main(int argc, char** argv) {
  example::Options options{.epochs = 60};
  std::string pictures;
  CLI::App app("The practice of training");
  example::add_options(app, options);
  app.add_option("--pictures", pictures, "The folder for pictures");
  return example::parse_and_run(app, argc, argv, [&] { practise(options, pictures); });
}
