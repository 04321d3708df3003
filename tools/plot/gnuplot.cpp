// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/tools/plot/gnuplot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "ebb/autodiff/values/error.hpp"

extern char** environ;

namespace ebb::inline v0::plot::detail {
namespace {

[[noreturn]] void fail(const std::string& what, int error) {
  throw Error("plot: " + what + ": " + std::generic_category().message(error));
}

/// A file in memory: unlike a pipe it takes any number of bytes while nobody reads.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) {
    const int made = memfd_create(name, MFD_CLOEXEC);
    if (made < 0) fail("no file in memory can be made", errno);
    // Not 0, 1 or 2, which the program may have closed: in gnuplot these are other files.
    descriptor_ = fcntl(made, F_DUPFD_CLOEXEC, 3);
    const int error = errno;
    ::close(made);
    if (descriptor_ < 0) fail("no file in memory can be made", error);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  int descriptor() const { return descriptor_; }

  void fill(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(descriptor_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("no memory for the script of gnuplot", errno);
      text.remove_prefix(std::size_t(count));
    }
    ::lseek(descriptor_, 0, SEEK_SET);
  }

  std::string content() const {
    std::string text;
    char part[1 << 16];
    ::lseek(descriptor_, 0, SEEK_SET);
    for (;;) {
      const ssize_t count = ::read(descriptor_, part, sizeof part);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("the picture of gnuplot cannot be read", errno);
      if (count == 0) return text;
      text.append(part, std::size_t(count));
    }
  }

 private:
  int descriptor_ = -1;
};

/// "line 12: undefined variable: a", without the place in a script that nobody has seen.
std::string first_message(const std::string& output) {
  std::string first;
  std::size_t begin = 0;
  while (begin < output.size()) {
    const std::size_t end = std::min(output.find('\n', begin), output.size());
    std::string line = output.substr(begin, end - begin);
    begin = end + 1;
    line.erase(0, line.find_first_not_of(" \t\r"));
    if (line.empty() || line.starts_with("^") || line.starts_with("gnuplot>")) continue;
    if (first.empty()) first = line;
    if (line.starts_with("line ") || line.find(" line ") < line.find(": ")) return line;
  }
  return first;
}

/// How the process ended: 0, or what shells make of it.
int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    // A program that ignores its children does not get their status.
    if (errno != EINTR) return 0;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::optional<std::string> find_gnuplot() {
  const char* const path = std::getenv("PATH");
  if (!path) return {};
  std::string_view folders = path;
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    // An empty name would be the current folder, from which nothing is run.
    std::string program(folders.substr(0, end));
    folders.remove_prefix(std::min(end + 1, folders.size()));
    if (program.empty()) continue;
    program += "/gnuplot";
    struct stat file {};
    if (::stat(program.c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
        ::access(program.c_str(), X_OK) == 0) {
      return program;
    }
  }
  return {};
}

Drawn draw(const std::string& gnuplot, const std::string& script) {
  const MemoryFile input("gnuplot-script"), output("gnuplot-picture"), errors("gnuplot-errors");
  input.fill(script);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), STDERR_FILENO);
  std::string name = "gnuplot", option = "-d";
  char* const arguments[] = {name.data(), option.data(), nullptr};
  pid_t process = 0;
  const int error = posix_spawn(&process, gnuplot.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == EAGAIN || error == ENOMEM) fail("gnuplot cannot be started", error);
  if (error != 0) return {.started = false};
  const int status = wait_for(process);
  Drawn drawn{.picture = output.content()};
  if (status == 0 && !drawn.picture.empty()) return drawn;
  drawn.error = first_message(errors.content());
  if (drawn.error.empty()) drawn.error = "it ended with status " + std::to_string(status);
  return drawn;
}

}  // namespace ebb::inline v0::plot::detail
