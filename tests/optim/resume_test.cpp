// SPDX-License-Identifier: BSD-3-Clause
// Runs that end early, or are killed, and go on from a snapshot: they end in the bits of a run that
// was not.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/callbacks/early_stopping.hpp"
#include "ebb/optim/fit.hpp"
#include "ebb/optim/minimize.hpp"
#include "ebb/optim/problems.hpp"
#include "ebb/optim/snapshot.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/optim/runs.hpp"

using namespace ebb;
using namespace ebb::optim;
using namespace ebb::test;

namespace {

/// How many runs are killed in all: EBB_KILLS, or as few as the tests have time for.
int kills() {
  const char* const text = std::getenv("EBB_KILLS");
  return text ? std::atoi(text) : 30;
}

/// Lets a run take some time.
struct Pause : Callback {
  bool after_step(const StepRecord&) override {
    std::this_thread::sleep_for(std::chrono::microseconds(150));
    return true;
  }
};

/// Three epochs, with a snapshot after every step and from the latest one on if they have a base.
template <class Rule>
void train_with_snapshots(Run<Rule>& run, const std::string& base, bool pauses) {
  AverageWeights averaging(run.average);
  EarlyStopping stopping(run.model, {.patience = 2});
  History history;
  auto parts = run.parts();
  parts.emplace_back("stopping", stopping);
  parts.emplace_back("history", history);
  SaveSnapshots saving(base, parts, {.steps = 1});
  Pause pause;
  FitOptions options{.epochs = 3,
                     .history = &history,
                     .validation = [&] { return double(run.model.out.weight.value()[0]); },
                     .callbacks = {&averaging, &stopping}};
  if (!base.empty()) {
    options.resume = saving.load_latest();
    options.callbacks.push_back(&saving);
  }
  if (pauses) options.callbacks.push_back(&pause);
  fit([&](const auto& x, const auto& y) { return mse_loss(run.model(x), y); }, run.optimizer,
      run.loader, options);
}

void remove_files(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    std::filesystem::remove(entry.path());
}

/// Kills what `run` does in processes of their own, at random times, so often; each goes on where
/// the one before was.
void kill_often(const std::function<void()>& run, const Folder& folder, int times, Stream& random) {
  for (int killed = 0; killed < times;) {
    const pid_t child = fork();
    if (child == 0) {
      run();
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(9000)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
      ++killed;
    } else {
      REQUIRE(WEXITSTATUS(status) == 0);
      remove_files(folder.path(""));  // it was through: the next one starts anew
    }
  }
}

/// Kills runs of a rule.
template <class Rule>
void kill_runs(Rule rule, int times, int workers, Stream& random) {
  rule.learning_rate = 1.0 / 128;
  const Folder folder;
  const std::string base = folder.path("run");
  Run whole(rule, workers);
  train_with_snapshots(whole, "", false);
  kill_often(
      [&] {
        Run run(rule, workers);
        train_with_snapshots(run, base, true);
      },
      folder, times, random);
  Run last(rule, workers);
  train_with_snapshots(last, base, false);
  check_same(last.model, whole.model);
  CHECK(last.optimizer.steps() == whole.optimizer.steps());
}

}  // namespace

TEST_SUITE("resume") {

TEST_CASE("fit goes on where a snapshot was taken") {
  const test::Folder folder;
  const auto loss_of = [](auto& run) {
    return [&](const auto& x, const auto& y) { return mse_loss(run.model(x), y); };
  };
  Run whole(Adam{.learning_rate = 0.01}), part(Adam{.learning_rate = 0.01});
  fit(loss_of(whole), whole.optimizer, whole.loader, {.epochs = 3});
  SaveSnapshots saving(folder.path("run"), part.parts());
  fit(loss_of(part), part.optimizer, part.loader,
      {.epochs = 3, .steps = 11, .callbacks = {&saving}});
  Run again(Adam{.learning_rate = 0.01});
  SaveSnapshots loading(folder.path("run"), again.parts());
  CHECK(loading.load_latest());
  const History history =
      fit(loss_of(again), again.optimizer, again.loader, {.epochs = 3, .resume = true});
  CHECK(history.epochs.size() == 2);
  CHECK(history.epochs[0].epoch == 2);
  CHECK(again.optimizer.steps() == 24);
  check_same(again.model, whole.model);
  const std::vector<float> batches = {1};
  CHECK_THROWS_AS(fit([&](float) { return sum(again.model.in.weight * 1.0f); }, again.optimizer,
                      batches, {.resume = true}),
                  ArgumentError);
}

TEST_CASE("a resumed run has the whole history, and its callbacks the state of an unbroken one") {
  // Wherever it is broken: in an epoch, at its last step, at its first one; twice.
  const auto train = [](Run<Adam>& run, const std::string& base, std::int64_t steps, bool resume,
                        std::string* saved = nullptr) {
    AverageWeights averaging(run.average);
    EarlyStopping stopping(run.model, {.patience = 3});
    auto history = std::make_unique<History>();
    auto parts = run.parts();
    parts.emplace_back("stopping", stopping);
    parts.emplace_back("history", *history);
    SaveSnapshots saving(base, parts);
    if (resume) CHECK(saving.load_latest());
    const auto loss = [&](const auto& x, const auto& y) { return mse_loss(run.model(x), y); };
    // It rises from the third epoch on, and so depends on how often it was computed.
    const auto validation = [&] {
      const double epoch = double(run.optimizer.steps()) / 8;
      return std::abs(epoch - 3) + double(run.model.out.weight.value()[0]) * 1e-3;
    };
    const History returned = fit(loss, run.optimizer, run.loader,
                                 {.epochs = 8,
                                  .steps = steps,
                                  .resume = resume,
                                  .history = history.get(),
                                  .clip_norm = 0.5,
                                  .validation = validation,
                                  .callbacks = {&averaging, &stopping, &saving}});
    CHECK(returned.epochs.size() == history->epochs.size());
    if (saved) *saved = saving.saved();
    return returned;
  };
  constexpr std::int64_t all = 1'000'000;
  const test::Folder folder;
  Run whole(Adam{.learning_rate = 0.01});
  const History expected = train(whole, folder.path("whole"), all, false);
  CHECK(expected.ending == Ending::callback);
  CHECK(expected.epochs.size() == 6);
  for (const std::int64_t first : {3, 8, 9, 23, 24, 47}) {
    CAPTURE(first);
    const std::string base = folder.path("run" + std::to_string(first));
    std::string saved;
    {
      Run part(Adam{.learning_rate = 0.01});
      CHECK(train(part, base, first, false, &saved).ending == Ending::steps);
    }
    CHECK(std::filesystem::exists(saved));
    if (first < 40) {
      Run next(Adam{.learning_rate = 0.01});
      CHECK(train(next, base, 5, true).ending == Ending::steps);
    }
    Run last(Adam{.learning_rate = 0.01});
    const History history = train(last, base, all, true);
    check_same(last.model, whole.model);
    CHECK(last.optimizer.steps() == whole.optimizer.steps());
    CHECK(history.ending == Ending::callback);
    REQUIRE(history.epochs.size() == expected.epochs.size());
    for (std::size_t i = 0; i < expected.epochs.size(); ++i) {
      const EpochRecord &a = history.epochs[i], &b = expected.epochs[i];
      CHECK(a.epoch == b.epoch);
      CHECK(a.steps == b.steps);
      CHECK(a.loss == b.loss);
      CHECK(a.validation == b.validation);
      CHECK(a.gradient_norm == b.gradient_norm);
      CHECK(a.clipped_norm == b.clipped_norm);
      CHECK(a.update_ratio == b.update_ratio);
      CHECK(a.learning_rate == b.learning_rate);
      CHECK(a.seconds > (i > 0 ? history.epochs[i - 1].seconds : 0));
    }
  }
}

TEST_CASE("a run that early stopping has ended is not trained further, nor begun again unasked") {
  const test::Folder folder;
  const auto train = [&](Run<Adam>& run, bool loads, bool resumes) {
    EarlyStopping stopping(run.model, {.patience = 2});
    auto parts = run.parts();
    parts.emplace_back("stopping", stopping);
    SaveSnapshots saving(folder.path("run"), parts);
    if (loads) CHECK(saving.load_latest());
    return fit([&](const auto& x, const auto& y) { return mse_loss(run.model(x), y); },
               run.optimizer, run.loader,
               {.epochs = 9,
                .resume = resumes,
                .validation = [&] { return double(run.optimizer.steps()); },
                .callbacks = {&stopping, &saving}});
  };
  Run whole(Adam{.learning_rate = 0.01}), again(Adam{.learning_rate = 0.01});
  CHECK(train(whole, false, false).epochs.size() == 3);
  const History ended = train(again, true, true);
  CHECK(ended.ending == Ending::callback);
  CHECK(ended.epochs.empty());
  CHECK(again.optimizer.steps() == 24);
  check_same(again.model, whole.model);  // the best weights
  Run other(Adam{.learning_rate = 0.01});
  CHECK_THROWS_WITH_AS(train(other, true, false),
                       "fit: load_latest() has restored a run, and resume is false: set .resume = "
                       "true to go on with it",
                       ArgumentError);
}

TEST_CASE("runs of every rule that are killed at any moment go on to the same bits") {
  Stream random(12);
  int rules = 0;
#define EBB_COUNT(R) ++rules;
  EBB_RULES(EBB_COUNT)
#undef EBB_COUNT
  const int times = (kills() + rules) / (rules + 1);  // L-BFGS has its share
  int workers = 0;
#define EBB_KILL(R)                         \
  {                                         \
    CAPTURE(#R);                            \
    kill_runs(R{}, times, workers, random); \
    workers = 2 - workers;                  \
  }
  EBB_RULES(EBB_KILL)
#undef EBB_KILL
}

TEST_CASE("a minimisation by L-BFGS that is killed at any moment goes on to the same bits") {
  const Folder folder;
  const problems::Rosenbrock valley;
  Stream random(13);
  const auto run = [&](bool pauses) {
    LBFGSMemory memory;
    const std::string path = folder.path("run.safetensors");
    if (std::filesystem::exists(path)) load_snapshot(path, {{"memory", memory}});
    return minimize(valley, valley.start(), LBFGS{.memory = &memory}, {},
                    {.report = [&](const Progress&) {
                      save_snapshot(path, {{"memory", memory}});
                      if (pauses) std::this_thread::sleep_for(std::chrono::microseconds(150));
                      return true;
                    }});
  };
  kill_often([&] { run(true); }, folder, (kills() + 15) / 16, random);
  const auto resumed = run(false), whole = minimize(valley, valley.start(), LBFGS{});
  CHECK_AGREES(same_bits(resumed.x, whole.x));
  CHECK(resumed.iterations == whole.iterations);
}

}  // TEST_SUITE("resume")
