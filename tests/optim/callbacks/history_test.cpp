// SPDX-License-Identifier: BSD-3-Clause
// What is kept and shown of a training.
#include "ebb/optim/callbacks/history.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <sstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/optim/callbacks/progress.hpp"
#include "ebb/tests/files.hpp"

using namespace ebb;
using namespace ebb::optim;

namespace {

History history() {
  History h;
  h.metrics = {"accuracy", "a \"b\", c"};
  h.epochs = {{1, 10, 0.5, true, 0.75, {0.1, -1}, 2, 1, 0.001, 0.01, 0.125},
              {2,
               20,
               1.0 / 3,
               true,
               std::numeric_limits<double>::quiet_NaN(),
               {0.25, 1e-300},
               2,
               2,
               0.002,
               0.005,
               0.25}};
  h.ending = Ending::steps;
  return h;
}

}  // namespace

TEST_SUITE("history") {

TEST_CASE("is written as CSV, whose numbers are read back as they were") {
  const test::Folder folder;
  const std::string path = folder.path("history.csv");
  history().write_csv(path);
  const auto table = data::read_csv<double>(path, {.missing = data::Missing::nan});
  CHECK(table.rows() == 2);
  CHECK(table.column("loss")[1] == 1.0 / 3);
  CHECK(table.column("a \"b\", c")[1] == 1e-300);
  CHECK(table.column("steps")[1] == 20);
  CHECK(std::isnan(table.column("validation")[1]));
}

TEST_CASE("is written as JSON, one object a line") {
  const test::Folder folder;
  const std::string path = folder.path("history.jsonl");
  history().write_json_lines(path);
  const std::string text = test::content_of(path);
  CHECK(
      text.substr(0, text.find('\n')) ==
      "{\"epoch\": 1, \"steps\": 10, \"loss\": 0.5, \"validation\": 0.75, \"accuracy\": 0.1, "
      "\"a \\\"b\\\", c\": -1, \"gradient_norm\": 2, \"clipped_norm\": 1, \"update_ratio\": 0.001, "
      "\"learning_rate\": 0.01, \"seconds\": 0.125}");
  CHECK(text.find("\"validation\": null") != std::string::npos);
}

TEST_CASE("a file that cannot be written is an error") {
  CHECK_THROWS_AS(history().write_csv("/nowhere/history.csv"), FileError);
}

TEST_CASE("is printed as a table, with the reason of its end") {
  std::ostringstream out;
  out << history();
  CHECK(out.str().find("accuracy") != std::string::npos);
  CHECK(out.str().find("0.333333") != std::string::npos);
  CHECK(out.str().find("ended: all steps are done\n") != std::string::npos);
}

}  // TEST_SUITE("history")

TEST_SUITE("progress") {

TEST_CASE("is plain lines where it is no terminal, about as many as were asked for") {
  std::ostringstream out;
  PrintProgress progress(out, false, 100, 10);
  EpochRecord record = history().epochs[0];
  for (record.epoch = 1; record.epoch <= 100; ++record.epoch) {
    progress.after_step({record.epoch, 1, 1, 2, 0.5, 1, 1, 0.1});
    progress.after_epoch(record, {"accuracy", "b"});
  }
  progress.at_end();
  std::string line;
  std::istringstream lines(out.str());
  int count = 0;
  while (std::getline(lines, line)) ++count;
  CHECK(count == 11);
  CHECK(out.str().find('\r') == std::string::npos);
  CHECK(out.str().find("epoch    1  loss 0.5  validation 0.75  accuracy 0.1  b -1\n") == 0);
}

TEST_CASE("is a bar on a terminal, which lines replace") {
  std::ostringstream out;
  PrintProgress progress(out, true, 1);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
  while (std::chrono::steady_clock::now() < until)
    progress.after_step({1, 3, 5, 10, 0.5, 1, 1, 0.1});
  CHECK(out.str().find("epoch 1 [##########..........] 5/10  loss 0.5") != std::string::npos);
  CHECK(out.str().find("s left") != std::string::npos);
  progress.after_epoch(history().epochs[0], {"accuracy", "b"});
  CHECK(out.str().find("\r\033[Kepoch    1  loss 0.5") != std::string::npos);
}

}  // TEST_SUITE("progress")
