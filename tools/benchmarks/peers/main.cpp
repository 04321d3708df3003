// SPDX-License-Identifier: BSD-3-Clause
// Measures ebb beside libtorch, which does the same work on the same data with as many threads:
// one. The column of the limit is libtorch's. Before a case is timed, both sides must compute the
// same loss.
#include <cstdio>
#include <exception>

#include "../bench.hpp"
#include "peers.hpp"
#include "torch.hpp"

int main(int argc, char** argv) try {
  torch_side::set_up();
  std::vector<bench::Case> cases;
  bench::add_peer_steps(cases);
  bench::add_peer_loaders(cases);
  bench::add_peer_programs(cases);
  std::printf("%s\n", torch_side::description().c_str());
  return bench::run_table(std::move(cases), {argv + 1, argv + argc});
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench: %s\n", e.what());
  return 2;
}
