// SPDX-License-Identifier: BSD-3-Clause
// L-BFGS that goes on from what a snapshot holds.
#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/minimize.hpp"
#include "ebb/optim/problems.hpp"
#include "ebb/optim/snapshot.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::same_bits;

namespace {

const problems::Rosenbrock valley;

}  // namespace

TEST_SUITE("L-BFGS memory") {

TEST_CASE("a minimisation that is broken off after any iteration comes to the same bits") {
  const test::Folder folder;
  const std::string path = folder.path("run.safetensors");
  for (const std::int64_t history : {2, 10}) {
    std::vector<double> values, steps;
    const auto whole = minimize(valley, valley.start(), LBFGS{.history = history}, {},
                                {.report = [&](const Progress& p) {
                                  values.push_back(p.value);
                                  steps.push_back(p.step);
                                  return true;
                                }});
    REQUIRE(whole.converged());
    for (std::int64_t k = 0; k <= whole.iterations; ++k) {
      CAPTURE(k);
      LBFGSMemory memory;
      minimize(valley, valley.start(), LBFGS{.history = history, .memory = &memory}, {},
               {.report = [&](const Progress& p) {
                 CHECK(memory.iterations() == p.iteration);
                 if (p.iteration == k) save_snapshot(path, {{"memory", memory}});
                 return p.iteration < k;
               }});
      LBFGSMemory loaded;
      CHECK(loaded.empty());
      load_snapshot(path, {{"memory", loaded}});
      CHECK(loaded.iterations() == k);
      std::int64_t first = -1;
      const auto rest = minimize(valley, Array<double>::of({7, 7}),  // does not matter
                                 LBFGS{.history = history, .memory = &loaded}, {},
                                 {.report = [&](const Progress& p) {
                                   if (first < 0) first = p.iteration;
                                   CHECK(p.value == values[std::size_t(p.iteration)]);
                                   CHECK(p.step == steps[std::size_t(p.iteration)]);
                                   return true;
                                 }});
      CHECK(first == k);
      CHECK_AGREES(same_bits(rest.x, whole.x));
      CHECK(rest.value == whole.value);
      CHECK(rest.iterations == whole.iterations);
      CHECK(rest.gradients == whole.gradients);
      CHECK(rest.values == whole.values);
      CHECK(rest.reason == whole.reason);
    }
  }
}

TEST_CASE("so does that of a model") {
  const auto x = Array<float>::of({{1, 2}, {0, 1}, {2, 0}, {1, 1}, {3, 1}});
  const auto y = Array<float>::of({{1}, {-2}, {3}, {0}, {5}});
  auto whole = nn::Linear<float>::zeros(2, 1), part = nn::Linear<float>::zeros(2, 1);
  const auto loss_of = [&](auto& model) { return [&] { return mse_loss(model(x), y); }; };
  const Stop stop{.gradient = 1e-4};
  minimize(whole, loss_of(whole), LBFGS{}, stop);
  LBFGSMemory memory;
  minimize(part, loss_of(part), LBFGS{.memory = &memory}, {.gradient = 1e-4, .iterations = 3});
  part.weight.set_value(Array<float>::zeros({1, 2}));
  const auto found = minimize(part, loss_of(part), LBFGS{.memory = &memory}, stop);
  CHECK(found.converged());
  CHECK_AGREES(same_bits(part.weight.value(), whole.weight.value()));
  CHECK_AGREES(same_bits(part.bias.value(), whole.bias.value()));
}

TEST_CASE("that of another minimisation, or a damaged one, is refused") {
  LBFGSMemory memory;
  minimize(valley, valley.start(), LBFGS{.memory = &memory}, {.iterations = 4});
  CHECK_THROWS_WITH_AS(
      minimize(valley, Array<double>::zeros({3}), LBFGS{.memory = &memory}),
      "LBFGS: the memory is of a minimisation over 2 numbers, and the start has 3; clear() it to "
      "begin anew",
      ArgumentError);
  CHECK_THROWS_WITH_AS(
      minimize(problems::Himmelblau{}, valley.start(), LBFGS{.memory = &memory}),
      doctest::Contains("it is that of another function; clear() it to begin anew"), ArgumentError);
  const test::Folder folder;
  save_snapshot(folder.path("run"), {{"memory", memory}});
  data::NamedArrays state = data::read_safetensors(folder.path("run")), damaged;
  damaged.metadata = state.metadata;
  for (const std::string& name : state.names()) {
    if (name == "memory.gradient") {
      damaged.add(name, Array<double>::of({1}));
    } else {
      damaged.add(name, state.at(name));
    }
  }
  data::write_safetensors(folder.path("damaged"), damaged);
  const auto before = memory.x();
  CHECK_THROWS_WITH_AS(load_snapshot(folder.path("damaged"), {{"memory", memory}}),
                       doctest::Contains("the lists of an LBFGSMemory do not fit each other"),
                       FileError);
  CHECK_AGREES(same_bits(memory.x(), before));
  memory.clear();
  CHECK(memory.empty());
  CHECK(minimize(valley, Array<double>::zeros({3}), LBFGS{.memory = &memory}).converged());
}

TEST_CASE("a shorter history forgets the oldest changes") {
  LBFGSMemory memory;
  minimize(valley, valley.start(), LBFGS{.history = 9, .memory = &memory}, {.iterations = 12});
  CHECK(minimize(valley, valley.start(), LBFGS{.history = 2, .memory = &memory}).converged());
}

}  // TEST_SUITE("L-BFGS memory")
