// SPDX-License-Identifier: BSD-3-Clause
// What only a process of its own can show: a deep tape on a small stack, and a user's program.
#include <sys/resource.h>

#include <cstdio>
#include <stdexcept>

#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "programs.hpp"

namespace bench {
namespace {

constexpr std::int64_t deep = 10'000'000;

struct DeepChain {
  double seconds = 0, bytes = 0;
};
/// Runs once, in a process with a stack of 256 KiB.
const DeepChain& deep_chain() {
  static const DeepChain result = [] {
    const std::string line =
        output_of("ulimit -s 256 && exec " + in_quotes(this_program()) + " --deep-chain");
    DeepChain r;
    if (std::sscanf(line.c_str(), "%lf %lf", &r.seconds, &r.bytes) != 2) {
      throw std::runtime_error("the deep chain printed: " + line);
    }
    return r;
  }();
  return result;
}

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) * 1024;
}

}  // namespace

// Records, sweeps and frees one chain on one element. The sine keeps a value in every record.
// Memory is all that the process held at its peak beyond what it had before, divided by the
// operations.
int run_deep_chain() {
  const double bytes = peak_bytes();
  const double start = now();
  ebb::Variable<float> x(ebb::Array<float>(1.0f));
  {
    ebb::Tape tape;
    ebb::Tensor<float> y = x;
    for (std::int64_t i = 0; i < deep; ++i) y = sin(y);
    backward(y);
  }
  const double seconds = now() - start;
  // The product of the slopes, which falls as the values do.
  const float gradient = x.gradient().item();
  if (!(gradient > 0 && gradient < 1)) return 1;
  std::printf("%.6f %.3f\n", seconds, (peak_bytes() - bytes) / double(deep));
  return 0;
}

void add_programs(std::vector<Case>& cases) {
  const auto add = [&](const char* name, const char* unit, double limit, auto measure) {
    cases.push_back(fixed(name, unit, limit, std::function<double()>(measure)));
  };
  // A chain of 10^7 recorded operations, under `ulimit -s 256`: one process of its own for both
  // figures.
  add("deep_chain/time/10000000/f32", "s", 5.0, [] { return deep_chain().seconds; });
  add("deep_chain/memory_per_operation/10000000/f32", "bytes", 256.0,
      [] { return deep_chain().bytes; });
  // A unit that includes <ebb/ebb.hpp> and trains a model, compiled with -O2.
  add("user/compile/train/f32", "s", 2.0,
      [] { return median_of(5, [user = UserProgram::of_ebb()] { return user.compile(); }); });
  // The stripped program with ebb linked in; shared libraries of the system do not count.
  add("user/size/train/f32", "MB", 3.0,
      [] { return double(std::filesystem::file_size(UserProgram::of_ebb().link())) / 1e6; });
  // From its start to its end, with the training in between.
  add("user/start/train/f32", "ms", 10.0, [] {
    const std::filesystem::path program = UserProgram::of_ebb().link();
    return median_of(21, [&] { return run_seconds(program) * 1e3; });
  });
}

}  // namespace bench
