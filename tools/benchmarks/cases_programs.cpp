// SPDX-License-Identifier: BSD-3-Clause
// What only a process of its own can show: a deep tape on a small stack, and a user's program.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"

namespace bench {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t deep = 10'000'000;

/// The output of a shell command. @throws when it fails.
std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run a shell");
  std::string text;
  char part[256];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe)) text.append(part, n);
  if (pclose(pipe) != 0) throw std::runtime_error("failed: " + command);
  return text;
}

std::string in_quotes(const fs::path& path) {
  std::string text(1, '\'');
  return text.append(path.string()).append("'");
}

fs::path this_program() { return fs::read_symlink("/proc/self/exe"); }

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

/// What the build of this program knows.
struct Build {
  fs::path directory = this_program().parent_path();
  std::string source, compiler, openblas;

  Build() {
    std::ifstream cache(directory / "CMakeCache.txt");
    const auto take = [](const std::string& line, const char* name, std::string& value) {
      if (line.rfind(std::string(name) + ":", 0) == 0) value = line.substr(line.find('=') + 1);
    };
    for (std::string line; std::getline(cache, line);) {
      take(line, "CMAKE_HOME_DIRECTORY", source);
      take(line, "CMAKE_CXX_COMPILER", compiler);
      take(line, "EbbOpenBLAS_LIBRARY", openblas);
    }
    if (source.empty() || compiler.empty() || openblas.empty()) {
      throw std::runtime_error("this program must stand in its build tree");
    }
  }
};

/// A user's program: built as a user would, from public headers and the static library.
class UserProgram {
 public:
  UserProgram() : directory_(build_.directory / "bench") { fs::create_directories(directory_); }

  /// Seconds that the compiler takes with -O2.
  double compile() const {
    const double start = now();
    output_of(in_quotes(build_.compiler) + " -std=c++20 -O2 -I" +
              in_quotes(fs::path(build_.source) / "include") + " -c " +
              in_quotes(fs::path(build_.source) / "tools/benchmarks/programs/train.cpp") + " -o " +
              in_quotes(directory_ / "train.o"));
    return now() - start;
  }
  /// Builds the program, with the flags that ebb's package gives to users, and strips it.
  fs::path link() const {
    compile();
    const fs::path program = directory_ / "train";
    output_of(in_quotes(build_.compiler) + " " + in_quotes(directory_ / "train.o") + " " +
              in_quotes(build_.directory / "libebb.a") + " -Wl,--gc-sections " +
              in_quotes(build_.openblas) + " -pthread -s -o " + in_quotes(program));
    return program;
  }

 private:
  Build build_;
  fs::path directory_;
};

double median_of(int n, const std::function<double()>& measure) {
  std::vector<double> samples;
  for (int i = 0; i < n; ++i) samples.push_back(measure());
  return median(samples);
}

/// Seconds from starting a program to its end.
double run_seconds(const fs::path& program) {
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1 /* O_WRONLY */, 0);
  std::string name = program.string();
  char* arguments[] = {name.data(), nullptr};
  pid_t child = 0;
  int status = 0;
  const double start = now();
  const int error = posix_spawn(&child, name.c_str(), &quiet, nullptr, arguments, environ);
  if (error == 0) waitpid(child, &status, 0);
  const double seconds = now() - start;
  posix_spawn_file_actions_destroy(&quiet);
  if (error != 0 || status != 0) throw std::runtime_error("the user's program failed");
  return seconds;
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
      [] { return median_of(5, [user = UserProgram()] { return user.compile(); }); });
  // The stripped program with ebb linked in; shared libraries of the system do not count.
  add("user/size/train/f32", "MB", 3.0,
      [] { return double(fs::file_size(UserProgram().link())) / 1e6; });
  // From its start to its end, with the training in between.
  add("user/start/train/f32", "ms", 10.0, [] {
    const fs::path program = UserProgram().link();
    return median_of(21, [&] { return run_seconds(program) * 1e3; });
  });
}

}  // namespace bench
