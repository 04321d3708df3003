// SPDX-License-Identifier: BSD-3-Clause
// Measures ebb against what the machine can do.
#include <cstdio>
#include <exception>

#include "bench.hpp"
#include "ebb/autodiff/kernels/table.hpp"

namespace {

std::vector<bench::Case> all_cases() {
  std::vector<bench::Case> cases;
  bench::add_steps(cases);
  bench::add_mlp(cases);
  bench::add_products(cases);
  bench::add_equations(cases);
  bench::add_elementwise(cases);
  bench::add_reductions(cases);
  bench::add_scalars(cases);
  bench::add_fuse(cases);
  bench::add_large(cases);
  bench::add_loaders(cases);
  bench::add_networks(cases);
  bench::add_recurrent(cases);
  bench::add_layers(cases);
  bench::add_lines(cases);
  bench::add_sparse(cases);
  bench::add_axes(cases);
  bench::add_minimize(cases);
  bench::add_training(cases);
  bench::add_transforms(cases);
  bench::add_models(cases);
  bench::add_files(cases);
  bench::add_ad(cases);
  bench::add_programs(cases);
  return cases;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0] == "--deep-chain") return bench::run_deep_chain();
  const auto set = ebb::detail::to_string(ebb::detail::instruction_set());
  std::printf("# ebb with %s, limits with -march=%s\n", set, EBB_LIMITS_ARCHITECTURE);
  return bench::run_table(all_cases(), arguments);
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench: %s\n", e.what());
  return 2;
}
