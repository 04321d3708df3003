// SPDX-License-Identifier: BSD-3-Clause
// GradBench's messages are answered, and those that cannot be say why.
#include "messages.hpp"

using namespace ebb::test;
using gradbench::Json;

TEST_CASE("messages are answered by their kind") {
  CHECK(gradbench::respond({{"id", 3}, {"kind", "start"}, {"eval", "gmm"}}) ==
        Json{{"id", 3}, {"tool", "ebb"}});
  CHECK(gradbench::respond({{"id", 4}, {"kind", "define"}, {"module", "gmm"}}) ==
        Json{{"id", 4}, {"success", true}});
  CHECK(gradbench::respond({{"id", 5}, {"kind", "analysis"}, {"of", 4}, {"valid", true}}) ==
        Json{{"id", 5}});
}

TEST_CASE("a message that cannot be answered says why") {
  CHECK(error_of({{"id", 1}, {"kind", "define"}, {"module", "gnn"}}) ==
        "there is no module \"gnn\"");
  CHECK(error_of({{"id", 1}, {"kind", "evaluat"}}) == "there is no kind \"evaluat\" of messages");
  CHECK(error_of(Json::array()) == "there is no \"kind\"");
  Json message = {{"id", 1}, {"kind", "evaluate"}, {"module", "lse"}, {"function", "dual"}};
  CHECK(error_of(message) == "there is no function \"dual\"");
  message["function"] = "primal";
  CHECK(error_of(message) == "there is no \"input\"");
  message["input"] = {{"y", {1}}};
  CHECK(error_of(message) == "there is no \"x\"");
  message["input"] = {{"x", 1}};
  CHECK(error_of(message) == "\"x\" is not a list");
  message["module"] = "kmeans";
  message["function"] = "cost";
  message["input"] = {{"points", {{1, 2}, {1}}}, {"centroids", {{1, 2}}}};
  CHECK(error_of(message) == "\"points\" has lists of 2 and of 1");
}

TEST_CASE("a function runs as often, and as long, as the input asks for") {
  const auto runs = [](const Json& input) {
    const Json response = gradbench::respond({{"id", 0},
                                              {"kind", "evaluate"},
                                              {"module", "lse"},
                                              {"function", "primal"},
                                              {"input", input}});
    double seconds = 0;
    int count = 0;
    for (const Json& timing : response["timings"]) {
      if (timing["name"] != "evaluate") continue;
      seconds += timing["nanoseconds"].get<double>() * 1e-9;
      ++count;
    }
    return std::pair(count, seconds);
  };
  CHECK(runs({{"x", {1, 2}}}).first == 1);
  CHECK(runs({{"x", {1, 2}}, {"min_runs", 5}, {"min_seconds", 0}}).first == 5);
  CHECK(runs({{"x", {1, 2}}, {"min_runs", 1}, {"min_seconds", 0.01}}).second >= 0.01);
}
