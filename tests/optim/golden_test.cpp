// SPDX-License-Identifier: BSD-3-Clause
// Snapshots that earlier versions have written stay loadable. The kept file has one run of every
// rule. It is written by
//
//   EBB_GOLDEN=tests/optim/golden/snapshot_1.safetensors optim_tests --no-skip -tc="write *"
//
// A change of what a snapshot holds gets a file, and a number, of its own; the old ones stay.
#include <cstdlib>
#include <memory>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/optim/callbacks/early_stopping.hpp"
#include "ebb/optim/fit.hpp"
#include "ebb/optim/snapshot.hpp"
#include "ebb/tests/optim/runs.hpp"

using namespace ebb;
using namespace ebb::optim;
using namespace ebb::test;

namespace {

/// What `fit` keeps, of one run of a rule.
template <class Rule>
struct Training {
  Run<Rule> run;
  History history;
  EarlyStopping stopping;

  explicit Training(Rule rule) : run(rule), stopping(run.model, {.patience = 9}) {}
  void train(std::int64_t steps, bool resume) {
    AverageWeights averaging(run.average);
    fit([&](const auto& x, const auto& y) { return mse_loss(run.model(x), y); }, run.optimizer,
        run.loader,
        {.epochs = 9,
         .steps = steps,
         .resume = resume,
         .history = &history,
         .validation = [&] { return double(run.model.out.weight.value()[0]); },
         .metrics = {{"bias", [&] { return double(run.model.out.bias.value()[0]); }}},
         .callbacks = {&averaging, &stopping}});
    // The state between two steps, not that after the end.
    if (run.average.is_swapped()) run.average.swap();
  }
  std::vector<data::StatePart> parts(const std::string& name) {
    std::vector<data::StatePart> all;
    all.emplace_back(name + ".model", run.model);
    all.emplace_back(name + ".optimizer", run.optimizer);
    all.emplace_back(name + ".loader", run.loader);
    all.emplace_back(name + ".average", run.average);
    all.emplace_back(name + ".history", history);
    all.emplace_back(name + ".stopping", stopping);
    return all;
  }
};

/// Calls f(name, rule) for each rule, with a rate that binary numbers hold exactly.
void for_each_rule(const auto& f) {
#define EBB_CALL(R)                 \
  {                                 \
    R rule;                         \
    rule.learning_rate = 1.0 / 128; \
    f(#R, rule);                    \
  }
  EBB_RULES(EBB_CALL)
#undef EBB_CALL
}

}  // namespace

TEST_SUITE("golden snapshots") {

TEST_CASE("write one" * doctest::skip()) {
  const char* const path = std::getenv("EBB_GOLDEN");
  REQUIRE(path != nullptr);
  std::vector<std::shared_ptr<void>> owners;
  std::vector<data::StatePart> all;
  for_each_rule([&](const std::string& name, auto rule) {
    auto training = std::make_shared<Training<decltype(rule)>>(rule);
    training->train(11, false);
    for (data::StatePart& part : training->parts(name)) all.push_back(part);
    owners.push_back(training);
  });
  save_snapshot(path, all);
}

TEST_CASE("of version 1 are loaded, and training goes on from them") {
  const data::NamedArrays state = data::read_safetensors(
      std::string(EBB_SOURCE_DIR) + "/tests/optim/golden/snapshot_1.safetensors");
  CHECK(state.metadata.at("format") == "ebb snapshot 1");
  std::size_t seen = 0;
  for_each_rule([&](const std::string& name, auto rule) {
    CAPTURE(name);
    using Rule = decltype(rule);
    // The parts of this rule alone.
    data::NamedArrays mine;
    for (const std::string& path : state.names()) {
      if (path.starts_with(name + '.')) mine.add(path, state.at(path));
    }
    for (const auto& [path, text] : state.metadata) {
      if (path.starts_with(name + '.')) mine.metadata[path] = text;
    }
    seen += mine.names().size();
    rule.learning_rate = 1;  // that of the file counts
    Training<Rule> loaded(rule);
    const auto parts = loaded.parts(name);
    const auto differences = ebb::data::detail::differences(mine, parts);
    for (const std::string& line : differences) MESSAGE(line);
    REQUIRE(differences.empty());
    ebb::data::detail::give_state(mine, parts);
    CHECK(loaded.run.optimizer.steps() == 11);
    CHECK(loaded.run.optimizer.rule().learning_rate == 1.0 / 128);
    CHECK(loaded.run.loader.position() == data::LoaderPosition{5, 1, 12});
    CHECK(loaded.history.epochs.size() == 2);
    CHECK(loaded.history.epochs[0].steps == 8);
    CHECK(loaded.history.open.steps == 3);
    CHECK(loaded.stopping.best_epoch() > 0);

    rule.learning_rate = 1.0 / 128;
    Training<Rule> whole(rule);
    whole.train(20, false);
    loaded.train(9, true);
    // Another machine may fuse a product and a sum, and so round otherwise: single precision,
    // twenty steps, rules that divide by small roots.
    CHECK_AGREES(
        close(loaded.run.model.in.weight.value(), whole.run.model.in.weight.value(), 1e-3, 1e-4));
    CHECK(loaded.run.optimizer.steps() == 20);
    CHECK(loaded.history.epochs.size() == whole.history.epochs.size());
  });
  CHECK(seen == state.names().size());
}

}  // TEST_SUITE("golden snapshots")
