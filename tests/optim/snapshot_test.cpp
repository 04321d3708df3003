// SPDX-License-Identifier: BSD-3-Clause
// Snapshots: a run that goes on from a file ends in the same bits as one that was not interrupted.
#include "ebb/optim/snapshot.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/optim/callbacks/early_stopping.hpp"
#include "ebb/optim/fit.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/optim/runs.hpp"

using namespace ebb;
using namespace ebb::optim;
using namespace ebb::test;

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

}  // TEST_SUITE("snapshot")
