// SPDX-License-Identifier: BSD-3-Clause
// Measures ebb against what the machine can do.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench.hpp"

namespace {

constexpr const char* usage =
    "usage: bench [case...] [--list] [--json FILE]\n"
    "  case         part of a name: every case that has it in its name runs; none: all run\n"
    "  --list       print the names and bounds, measure nothing\n"
    "  --json FILE  write the results to FILE\n"
    "Prints name, ours, limit, their ratio and its bound. Exit status: 0 all bounds kept, 1 some\n"
    "missed, 2 something failed.\n";

std::vector<bench::Case> all_cases() {
  std::vector<bench::Case> cases;
  bench::add_steps(cases);
  bench::add_mlp(cases);
  bench::add_products(cases);
  bench::add_elementwise(cases);
  bench::add_reductions(cases);
  bench::add_scalars(cases);
  bench::add_fuse(cases);
  bench::add_large(cases);
  bench::add_loaders(cases);
  bench::add_networks(cases);
  bench::add_lines(cases);
  bench::add_transforms(cases);
  bench::add_files(cases);
  bench::add_programs(cases);
  return cases;
}

int run(const std::vector<std::string>& wanted, bool list, const std::string& json_file) {
  std::vector<bench::Case> cases;
  for (bench::Case& c : all_cases()) {
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
  for (const bench::Case& c : cases) width = std::max(width, c.name.size());
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
    for (const double start = bench::now(); bench::now() - start < 0.5;) {
    }
  }

  auto results = nlohmann::ordered_json::array();
  int missed = 0;
  for (const bench::Case& c : cases) {
    std::printf("%-*s", int(width), c.name.c_str());
    if (list) {
      std::printf("  <= %.2f\n", c.bound);
      continue;
    }
    std::fflush(stdout);
    const bench::Figures f = c.measure();
    const double ratio = f.ours / f.limit;
    const bool pass = ratio <= c.bound;
    std::printf("  %10.4g %10.4g %-5s  %6.2f <= %.2f%s\n", f.ours, f.limit, c.unit.c_str(), ratio,
                c.bound, pass ? "" : "  MISSED");
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

int main(int argc, char** argv) try {
  std::vector<std::string> wanted;
  std::string json_file;
  bool list = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--deep-chain") return bench::run_deep_chain();
    if (argument == "--help" || argument == "-h") {
      std::fputs(usage, stdout);
      return 0;
    }
    if (argument == "--list") {
      list = true;
    } else if (argument == "--json" && i + 1 < argc) {
      json_file = argv[++i];
    } else if (argument.rfind("-", 0) == 0) {
      std::fputs(usage, stderr);
      return 2;
    } else {
      wanted.push_back(argument);
    }
  }
  return run(wanted, list, json_file);
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench: %s\n", e.what());
  return 2;
}
