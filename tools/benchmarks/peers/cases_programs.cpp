// SPDX-License-Identifier: BSD-3-Clause
// A user's small program: how long it takes to compile and to start, and its size.
#include <set>
#include <sstream>
#include <stdexcept>

#include "../programs.hpp"
#include "peers.hpp"

namespace bench {
namespace {

namespace fs = std::filesystem;

/// With the flags that libtorch's package for CMake gives.
UserProgram of_torch() {
  return {"tools/benchmarks/peers/programs/train.cpp", "train_torch",
          "-std=c++20 -O2 " EBB_TORCH_FLAGS, EBB_TORCH_LIBRARIES};
}

/// Takes both in turn: n samples each, of which the medians count.
Figures in_turn(int n, const std::function<double()>& ours, const std::function<double()>& torchs) {
  std::vector<double> a, b;
  for (int i = 0; i < n; ++i) {
    a.push_back(ours());
    b.push_back(torchs());
  }
  return {median(a), median(b)};
}

/// Bytes of a program and of all shared libraries that it loads, but for those of every C++
/// program.
double size_with_libraries(const fs::path& program) {
  static const std::set<std::string> everywhere = {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1",
                                                   "libc.so.6"};
  double bytes = double(fs::file_size(program));
  std::set<fs::path> counted;
  std::istringstream lines(output_of("ldd " + in_quotes(program)));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, arrow, path;
    if (!(words >> name >> arrow >> path) || arrow != "=>" || everywhere.count(name) != 0) continue;
    if (!fs::exists(path)) throw std::runtime_error(name + " is missing; install its package");
    const fs::path file = fs::canonical(path);
    if (counted.insert(file).second) bytes += double(fs::file_size(file));
  }
  return bytes;
}

}  // namespace

void add_peer_programs(std::vector<Case>& cases) {
  const auto add = [&](const char* name, const char* unit, std::function<Figures()> measure) {
    cases.push_back({name, unit, no_slower, std::move(measure)});
  };
  // With -O2. Each has one header that includes the library.
  add("user/compile/train/f32", "s", [] {
    return in_turn(
        3, [user = UserProgram::of_ebb()] { return user.compile(); },
        [user = of_torch()] { return user.compile(); });
  });
  // The stripped program and the files of its shared libraries; OpenBLAS is among them on both
  // sides.
  add("user/size_with_libraries/train/f32", "MB", [] {
    return Figures{size_with_libraries(UserProgram::of_ebb().link()) / 1e6,
                   size_with_libraries(of_torch().link()) / 1e6};
  });
  // From its start to its end, with the training in between.
  add("user/start/train/f32", "ms", [] {
    const fs::path ours = UserProgram::of_ebb().link(), torchs = of_torch().link();
    return in_turn(
        21, [&] { return run_seconds(ours) * 1e3; }, [&] { return run_seconds(torchs) * 1e3; });
  });
}

}  // namespace bench
