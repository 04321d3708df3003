// SPDX-License-Identifier: BSD-3-Clause
#include "programs.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "bench.hpp"

namespace bench {

namespace fs = std::filesystem;

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

Build::Build() {
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

UserProgram::UserProgram(const fs::path& source, const std::string& name,
                         const std::string& compile, const std::string& link) {
  const Build build;
  const fs::path directory = build.directory / "bench";
  fs::create_directories(directory);
  program_ = directory / name;
  const std::string compiler = in_quotes(build.compiler);
  const std::string object = in_quotes(directory / (name + ".o"));
  compile_ = compiler + " " + compile + " -c " + in_quotes(fs::path(build.source) / source) +
             " -o " + object;
  link_ = compiler + " " + object + " " + link + " -pthread -s -o " + in_quotes(program_);
}

UserProgram UserProgram::of_ebb() {
  const Build build;
  return {
      "tools/benchmarks/programs/train.cpp", "train",
      "-std=c++20 -O2 -I" + in_quotes(fs::path(build.source) / "include"),
      in_quotes(build.directory / "libebb.a") + " -Wl,--gc-sections " + in_quotes(build.openblas)};
}

double UserProgram::compile() const {
  const double start = now();
  output_of(compile_);
  return now() - start;
}

fs::path UserProgram::link() const {
  compile();
  output_of(link_);
  return program_;
}

double median_of(int n, const std::function<double()>& measure) {
  std::vector<double> samples;
  for (int i = 0; i < n; ++i) samples.push_back(measure());
  return median(samples);
}

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

}  // namespace bench
