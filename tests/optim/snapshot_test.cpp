// SPDX-License-Identifier: BSD-3-Clause
// Snapshots: a run that goes on from a file ends in the same bits as one that was not interrupted.
#include "ebb/optim/snapshot.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <memory>
#include <thread>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/data/sets/dataset.hpp"
#include "ebb/nn/linear.hpp"
#include "ebb/optim/callbacks/early_stopping.hpp"
#include "ebb/optim/fit.hpp"
#include "ebb/optim/weight_average.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::same_bits;

namespace {

/// Two layers of both types' neighbours: float weights and a double scale, with dropout between.
struct Network {
  nn::Linear<float> in = nn::Linear<float>::zeros(3, 4), out = nn::Linear<float>::zeros(4, 1);
  Stream stream{11};

  Network() {
    auto w = Array<float>::uninitialized({4, 3});
    for (std::int64_t i = 0; i < 12; ++i) w.mutate()[i] = float(std::sin(1.0 + double(i)));
    in.weight.set_value(w);
    out.weight.set_value(Array<float>::of({{0.5, -0.25, 0.125, 1}}));
  }
  Tensor<float> operator()(const Operand<float>& x) {
    return out(dropout(tanh(in(x)), 0.25, stream));
  }
  void each(Parts& part) {
    part("in", in);
    part("out", out);
    part("stream", stream);
  }
};

data::TensorDataset<float> rows(std::int64_t n = 30) {
  auto x = Array<float>::uninitialized({n, 3});
  auto y = Array<float>::uninitialized({n, 1});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < 3; ++j)
      x.mutate()[3 * i + j] = float(std::sin(double(7 * i + 3 * j)));
    y.mutate()[i] = float(std::cos(double(i)));
  }
  return {x, y};
}

/// A run with all that it consists of.
template <class Rule>
struct Run {
  Network model;
  Optimizer<Rule> optimizer;
  data::Loader<data::TensorDataset<float>> loader;
  WeightAverage average{model, {.decay = 0.9}};

  explicit Run(Rule rule, int workers = 0)
      : optimizer(model, rule), loader(rows(), {.batch_size = 4, .seed = 5, .workers = workers}) {}

  void train(int steps) {
    while (steps > 0) {
      for (const auto& [x, y] : loader) {
        Tape tape;
        backward(mse_loss(model(x), y));
        optimizer.step();
        optimizer.zero_grad();
        average.update();
        if (--steps == 0) break;
      }
    }
  }
  std::vector<SnapshotPart> parts() {
    return {{"model", model}, {"optimizer", optimizer}, {"loader", loader}, {"average", average}};
  }
};

void check_same(const Network& a, const Network& b) {
  CHECK_AGREES(same_bits(a.in.weight.value(), b.in.weight.value()));
  CHECK_AGREES(same_bits(a.in.bias.value(), b.in.bias.value()));
  CHECK_AGREES(same_bits(a.out.weight.value(), b.out.weight.value()));
}

}  // namespace

TEST_SUITE("snapshot") {

TEST_CASE("a run goes on in the middle of an epoch, for every rule, with workers or not") {
  const test::Folder folder;
  const std::string path = folder.path("run.safetensors");
  const auto check = [&](auto rule) {
    for (const int workers : {0, 2}) {
      Run whole(rule, workers);
      whole.train(11);  // an epoch has eight
      save_snapshot(path, whole.parts());
      whole.train(9);
      Run again(rule, workers);
      load_snapshot(path, again.parts());
      CHECK(again.optimizer.steps() == 11);
      again.train(9);
      check_same(whole.model, again.model);
      whole.average.swap();
      again.average.swap();
      check_same(whole.model, again.model);
    }
  };
#define EBB_CHECK_RULE(R)           \
  SUBCASE(#R) {                     \
    R rule;                         \
    rule.learning_rate = 1.0 / 128; \
    check(rule);                    \
  }
  EBB_RULES(EBB_CHECK_RULE)
#undef EBB_CHECK_RULE
}

TEST_CASE("what does not fit is listed, and nothing is loaded") {
  const test::Folder folder;
  const std::string path = folder.path("run.safetensors");
  Run run(Adam{});
  run.train(2);
  save_snapshot(path, run.parts());

  struct Other {
    nn::Linear<float> in = nn::Linear<float>::zeros(2, 4);
    nn::Linear<double> out = nn::Linear<double>::zeros(4, 1);
    std::int64_t count = 7;
    void each(Parts& part) {
      part("count", count);
      part("in", in);
      part("out", out);
    }
  } other;
  std::string message;
  try {
    load_snapshot(path, {{"model", other}});
  } catch (const FileError& error) {
    message = error.what();
  }
  CHECK(message.find(path + ": the snapshot does not fit, and nothing was loaded:") == 0);
  CHECK(message.find("\"model.count\" is missing in the file") != std::string::npos);
  CHECK(message.find("\"model.in.weight\" has shape (4, 3) in the file, (4, 2) here") !=
        std::string::npos);
  CHECK(message.find("\"model.out.weight\" has another element type in the file") !=
        std::string::npos);
  CHECK(message.find("\"optimizer.steps\" is in the file alone") != std::string::npos);
  CHECK(other.in.bias.value()[0] == 0);
  CHECK(other.count == 7);
}

TEST_CASE("other data is refused, and nothing is loaded") {
  const test::Folder folder;
  const std::string path = folder.path("run.safetensors");
  Run run(Adam{});
  run.train(3);
  save_snapshot(path, run.parts());
  Run fresh(Adam{});
  data::Loader<data::TensorDataset<float>> other(rows(26), {.batch_size = 4, .seed = 5});
  CHECK_THROWS_WITH_AS(load_snapshot(path, {{"model", fresh.model},
                                            {"optimizer", fresh.optimizer},
                                            {"loader", other},
                                            {"average", fresh.average}}),
                       doctest::Contains("the loader had 30 rows, and has 26"), FileError);
  check_same(fresh.model, Network());
  CHECK(fresh.optimizer.steps() == 0);
  CHECK(other.position() == data::LoaderPosition{5, 0, 0});
}

TEST_CASE("a file that is cut, torn or foreign is an error, and changes nothing") {
  const test::Folder folder;
  const std::string path = folder.path("run.safetensors");
  Run run(Adam{});
  run.train(3);
  save_snapshot(path, run.parts());
  const std::string content = test::content_of(path);
  const Network before = [&] {
    Network copy;
    load_snapshot(path, run.parts());
    copy.in.weight.set_value(run.model.in.weight.value());
    copy.in.bias.set_value(run.model.in.bias.value());
    copy.out.weight.set_value(run.model.out.weight.value());
    return copy;
  }();
  for (const double part : {0.0, 0.3, 0.6, 0.999}) {
    const std::string cut = folder.add(
        "cut.safetensors", content.substr(0, std::size_t(part * double(content.size()))));
    CHECK_THROWS_AS(load_snapshot(cut, run.parts()), FileError);
  }
  CHECK_THROWS_AS(load_snapshot(folder.path("none.safetensors"), run.parts()), FileError);
  data::NamedArrays foreign;
  foreign.add("weight", Array<float>::of({1}));
  data::write_safetensors(folder.path("foreign.safetensors"), foreign);
  CHECK_THROWS_WITH_AS(load_snapshot(folder.path("foreign.safetensors"), run.parts()),
                       doctest::Contains("this is no snapshot"), FileError);
  check_same(run.model, before);
}

TEST_CASE("every kind of part comes back") {
  struct All {
    Variable<double> wide{Array<double>::of({1, 2})};
    Array<float> narrow = Array<float>::of({3});
    Array<std::int64_t> labels = Array<std::int64_t>::of({-1, 5});
    Array<bool> mask = Array<bool>::of({true, false});
    Stream stream{0xffffffffffffffff, 12};
    Mode mode = Mode::evaluation;
    bool yes = true;
    std::int64_t whole = -7;
    std::uint64_t seed = 0xfedcba9876543210;
    double number = std::nan("");
    std::string text = "a \"b\"\n";
    std::vector<double> list = {1.5, 1e-300};
    std::vector<std::string> names = {"", "x:1", "7:y"};
    std::vector<std::vector<double>> lists = {{1}, {}, {2, 3}};
    std::vector<std::vector<std::string>> name_lists = {{"a"}, {}, {"b", "c:"}};
    void each(Parts& part) {
      part("wide", wide), part("narrow", narrow), part("labels", labels), part("mask", mask);
      part("stream", stream), part("mode", mode), part("yes", yes), part("whole", whole);
      part("seed", seed), part("number", number), part("text", text), part("list", list);
      part("names", names), part("lists", lists), part("name_lists", name_lists);
    }
  } from, to;
  to.wide.set_value(Array<double>::of({0, 0}));
  to.narrow = Array<float>::of({0});
  to.labels = Array<std::int64_t>::of({0, 0});
  to.mask = Array<bool>::of({false, false});
  to.stream = Stream(1);
  to.mode = Mode::training;
  to.yes = false;
  to.whole = 0, to.seed = 0, to.number = 0;
  to.text = "";
  to.list.clear(), to.names.clear(), to.lists.clear(), to.name_lists.clear();
  const test::Folder folder;
  save_snapshot(folder.path("all"), {{"all", from}});
  load_snapshot(folder.path("all"), {{"all", to}});
  CHECK_AGREES(same_bits(to.wide.value(), from.wide.value()));
  CHECK_AGREES(same_bits(to.narrow, from.narrow));
  CHECK(to.labels[0] == -1);
  CHECK(to.mask[0]);
  CHECK(to.stream.key() == from.stream.key());
  CHECK(to.stream.position() == 12);
  CHECK(to.mode == Mode::evaluation);
  CHECK(to.yes);
  CHECK(to.whole == -7);
  CHECK(to.seed == from.seed);
  CHECK(std::isnan(to.number));
  CHECK(to.text == from.text);
  CHECK(to.list == from.list);
  CHECK(to.names == from.names);
  CHECK(to.lists == from.lists);
  CHECK(to.name_lists == from.name_lists);
}

TEST_CASE("early stopping remembers its best weights") {
  const test::Folder folder;
  Network model;
  EarlyStopping stopping(model, {.patience = 3, .watch = {.name = "loss"}});
  save_snapshot(folder.path("none"), {{"stopping", stopping}});
  EpochRecord epoch;
  epoch.epoch = 4;
  epoch.loss = 0.5;
  stopping.after_epoch(epoch, {});
  const auto best = model.in.weight.value();
  save_snapshot(folder.path("some"), {{"stopping", stopping}});

  Network other;
  other.in.weight.set_value(Array<float>::zeros({4, 3}));
  EarlyStopping again(other, {.patience = 3, .watch = {.name = "loss"}});
  load_snapshot(folder.path("none"), {{"stopping", again}});
  again.at_end();
  CHECK(other.in.weight.value()[0] == 0);  // there is no best yet
  load_snapshot(folder.path("some"), {{"stopping", again}});
  CHECK(again.best_epoch() == 4);
  again.at_end();
  CHECK_AGREES(same_bits(other.in.weight.value(), best));
}

TEST_CASE("fit saves as it goes, keeps the last ones, and passes over a broken one") {
  const test::Folder folder;
  Run run(SGD{.learning_rate = 0.01});
  const auto loss = [&](const auto& x, const auto& y) { return mse_loss(run.model(x), y); };
  SaveSnapshots saving(folder.path("run"), run.parts(), {.steps = 5, .keep = 2});
  CHECK_FALSE(saving.load_latest());
  fit(loss, run.optimizer, run.loader, {.epochs = 2, .callbacks = {&saving}});  // 16 steps
  const auto exists = [&](const char* name) { return std::filesystem::exists(folder.path(name)); };
  CHECK(exists("run-000000016.safetensors"));
  CHECK(exists("run-000000015.safetensors"));
  CHECK_FALSE(exists("run-000000010.safetensors"));
  folder.add("run-000000016.safetensors", "torn");
  Run again(SGD{.learning_rate = 0.01});
  SaveSnapshots other(folder.path("run"), again.parts());
  CHECK(other.load_latest());
  CHECK(again.optimizer.steps() == 15);
  folder.add("run-000000015.safetensors", "torn");
  CHECK_THROWS_AS(other.load_latest(), FileError);
  CHECK_THROWS_AS(SaveSnapshots("x", {}, {.steps = 0}), ArgumentError);
}

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

TEST_CASE("the options of a rule are those of the run that was saved") {
  const test::Folder folder;
  const std::string path = folder.path("run.safetensors");
  Run run(Adam{.learning_rate = 0.01, .amsgrad = true});
  run.train(2);
  run.optimizer.rule().learning_rate = 0.005;  // as ReduceOnPlateau does
  save_snapshot(path, run.parts());
  run.train(3);
  Run again(Adam{.learning_rate = 0.01, .amsgrad = true});
  load_snapshot(path, again.parts());
  CHECK(again.optimizer.rule().learning_rate == 0.005);
  again.train(3);
  check_same(again.model, run.model);
  AnyOptimizer other(again.model, "adam", {{"amsgrad", 1}});
  load_snapshot(path, {{"model", again.model},
                       {"optimizer", other},
                       {"loader", again.loader},
                       {"average", again.average}});
  CHECK(other.steps() == 2);
  CHECK(other.option("learning_rate") == 0.005);
}

TEST_CASE("a history that is damaged is refused") {
  const test::Folder folder;
  History history;
  history.metrics = {"accuracy"};
  history.epochs.resize(1);
  history.epochs[0].metrics = {0.5};
  save_snapshot(folder.path("history"), {{"history", history}});
  data::NamedArrays state = data::read_safetensors(folder.path("history"));
  state.metadata["history.metrics"] = "";
  data::write_safetensors(folder.path("damaged"), state);
  History other;
  CHECK_THROWS_WITH_AS(load_snapshot(folder.path("damaged"), {{"history", other}}),
                       doctest::Contains("an epoch of the history has 11 numbers, not 10"),
                       FileError);
  load_snapshot(folder.path("history"), {{"history", other}});
  CHECK(other.epochs[0].metrics[0] == 0.5);
}

TEST_CASE("a run that is killed at any moment goes on to the same bits") {
  const test::Folder folder;
  constexpr int steps = 60;
  Run whole(Adam{.learning_rate = 0.01});
  whole.train(steps);
  const auto resumed = [&](Run<Adam>& run, bool pauses) {
    SaveSnapshots saving(folder.path("run"), run.parts(), {.steps = 1, .keep = 2});
    saving.load_latest();
    while (run.optimizer.steps() < steps) {
      run.train(1);
      saving.after_step({1, run.optimizer.steps(), 1, 8, 0, 0, 0, 0});
      if (pauses) std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  };
  int killed = 0;
  for (int k = 0; k < 12; ++k) {
    const pid_t child = fork();
    if (child == 0) {
      Run run(Adam{.learning_rate = 0.01});
      resumed(run, true);
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 1700 * (k % 7)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
  }
  CHECK(killed > 0);
  Run last(Adam{.learning_rate = 0.01});
  resumed(last, false);
  check_same(last.model, whole.model);
}

}  // TEST_SUITE("snapshot")
