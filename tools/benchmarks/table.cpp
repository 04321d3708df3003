// SPDX-License-Identifier: BSD-3-Clause
// The command line and the table of a program that runs cases.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench.hpp"

namespace bench {
namespace {

constexpr const char* usage =
    "usage: bench [case...] [--list] [--json FILE]\n"
    "  case         part of a name: every case that has it in its name runs; none: all run\n"
    "  --list       print the names and bounds, measure nothing\n"
    "  --json FILE  write the results to FILE\n"
    "Prints name, ours, limit, their ratio and its bound. Exit status: 0 all bounds kept, 1 some\n"
    "missed, 2 something failed.\n";

int run(std::vector<Case> all, const std::vector<std::string>& wanted, bool list,
        const std::string& json_file) {
  std::vector<Case> cases;
  for (Case& c : all) {
    const auto names_it = [&](const std::string& part) {
      return c.name.find(part) != std::string::npos;
    };
    if (wanted.empty() || std::any_of(wanted.begin(), wanted.end(), names_it)) {
      cases.push_back(std::move(c));
    }
  }
  if (cases.empty()) {
    std::fprintf(stderr, "bench: no case has such a name; try --list\n");
    return 2;
  }

  std::size_t width = 0;
  for (const Case& c : cases) width = std::max(width, c.name.size());
  std::ofstream json;
  if (!json_file.empty()) {
    json.open(json_file);
    if (!json) {
      std::fprintf(stderr, "bench: cannot write %s: %s\n", json_file.c_str(), std::strerror(errno));
      return 2;
    }
  }

  // The first case is over in a tenth of a second; threads that OpenBLAS starts spin for as long.
  if (!list) {
    for (const double start = now(); now() - start < 0.5;) {
    }
  }

  auto results = nlohmann::ordered_json::array();
  int missed = 0;
  for (const Case& c : cases) {
    std::printf("%-*s", int(width), c.name.c_str());
    if (list) {
      std::printf("  <= %.2f\n", c.bound);
      continue;
    }
    std::fflush(stdout);
    const Figures f = c.measure();
    const double ratio = f.ours / f.limit;
    const bool pass = ratio <= c.bound;
    // A peer may take a hundred times as long: two digits of any ratio.
    std::printf(ratio < 0.1 ? "  %10.4g %10.4g %-5s  %6.2g <= %.2f%s\n"
                            : "  %10.4g %10.4g %-5s  %6.2f <= %.2f%s\n",
                f.ours, f.limit, c.unit.c_str(), ratio, c.bound, pass ? "" : "  MISSED");
    std::fflush(stdout);
    missed += pass ? 0 : 1;
    results.push_back(nlohmann::ordered_json{{"name", c.name},
                                             {"unit", c.unit},
                                             {"ours", f.ours},
                                             {"limit", f.limit},
                                             {"ratio", ratio},
                                             {"bound", c.bound},
                                             {"pass", pass}});
  }
  if (json.is_open()) {
    json << results.dump(2) << '\n';
    json.close();
    if (!json) {
      std::fprintf(stderr, "bench: cannot write %s\n", json_file.c_str());
      return 2;
    }
  }
  if (missed > 0) std::printf("%d of %zu missed\n", missed, cases.size());
  return missed > 0 ? 1 : 0;
}

}  // namespace

int run_table(std::vector<Case> cases, const std::vector<std::string>& arguments) {
  std::vector<std::string> wanted;
  std::string json_file;
  bool list = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(usage, stdout);
      return 0;
    }
    if (argument == "--list") {
      list = true;
    } else if (argument == "--json" && i + 1 < arguments.size()) {
      json_file = arguments[++i];
    } else if (argument.rfind("-", 0) == 0) {
      std::fputs(usage, stderr);
      return 2;
    } else {
      wanted.push_back(argument);
    }
  }
  return run(std::move(cases), wanted, list, json_file);
}

}  // namespace bench
