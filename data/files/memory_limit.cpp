// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/memory_limit.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace ebb::inline v0::data::detail {
namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

/// The number in a file; `unlimited` without one, as for the word "max".
std::int64_t limit_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t bytes = 0;
  return file >> bytes ? bytes : unlimited;
}

/// The least of the numbers in the files `name` of a group and those above it.
std::int64_t least_above(const std::string& root, std::string group, const std::string& name) {
  std::int64_t least = limit_in(root + '/' + name);
  for (; group.size() > 1; group.erase(group.rfind('/'))) {
    least = std::min(least, limit_in(root + group + '/' + name));
  }
  return least;
}

/// What a limit of the process leaves. The number of pages that it already uses of what is limited
/// is the one at `position` in the file of its memory.
std::int64_t room(int resource, int position) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur >= rlim_t(unlimited)) return unlimited;
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  for (int i = 0; i <= position; ++i) file >> pages;
  const std::int64_t used = pages * ::sysconf(_SC_PAGESIZE);
  return std::max(std::int64_t(0), std::int64_t(limit.rlim_cur) - used);
}

}  // namespace

std::int64_t control_group_limit(const std::string& root) {
  const std::string groups = root + "/sys/fs/cgroup";
  std::int64_t least = unlimited;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:memory:/group" or "0::/group"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      least = std::min(least, least_above(groups, group, "memory.max"));
    } else if (controllers.find(",memory,") != controllers.npos) {
      least = std::min(least, least_above(groups + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

std::int64_t default_max_bytes() {
  const std::int64_t machine = ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE);
  static const std::int64_t group = control_group_limit();  // reading its files takes tens of us
  return std::min({machine, group, room(RLIMIT_AS, 0), room(RLIMIT_DATA, 5)}) / 2;
}

void fail_without_memory(const std::string& file, std::int64_t size) {
  throw FileError(file + ": there is no memory left to read this file of " + std::to_string(size) +
                  (size == 1 ? " byte" : " bytes") +
                  "; read less of it, or let the process take more");
}

}  // namespace ebb::inline v0::data::detail
