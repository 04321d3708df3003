// SPDX-License-Identifier: BSD-3-Clause
// What readers do where the process may use less memory than the machine has.
#include "ebb/data/files/memory_limit.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/formats/idx.hpp"
#include "ebb/data/formats/libsvm.hpp"
#include "ebb/data/formats/npy.hpp"
#include "ebb/data/formats/npz.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/data/sets/csv_dataset.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;

namespace {

constexpr std::int64_t mebibyte = 1 << 20;

std::int64_t mapped_bytes() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * ::sysconf(_SC_PAGESIZE);
}

/// What f returns in a process of its own, whose address space may grow by this number of bytes.
std::string with_memory(std::int64_t bytes, const std::function<std::string()>& f) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = rlim_t(mapped_bytes() + bytes);
    setrlimit(RLIMIT_AS, &limit);
    std::string text;
    try {
      text = f();
    } catch (const std::exception& error) {
      text = std::string("another exception: ") + error.what();
    }
    _exit(::write(ends[1], text.data(), text.size()) == ssize_t(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, std::size_t(got));
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  INFO(status);
  CHECK(status == 0);
  return text;
}

/// True where limits on address space mean nothing: a sanitizer has terabytes mapped.
bool is_sanitized() { return mapped_bytes() > std::int64_t(1) << 38; }

/// A .npy file of this many bytes of elements, which take no space on the disk.
std::string sparse_npy(const test::Folder& folder, std::int64_t bytes) {
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(bytes / 4) + ",), }";
  header.resize(117, ' ');
  header += '\n';
  const std::string path =
      folder.add("large.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header);
  std::filesystem::resize_file(path, std::uintmax_t(128 + bytes));
  return path;
}

}  // namespace

TEST_SUITE("memory limit") {

TEST_CASE("the limits of control groups of both versions count, at any height") {
  const test::Folder folder;
  const std::string root = folder.path("");
  const auto add = [&](const std::string& path, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    folder.add(path, content);
  };
  const auto limit = [&] { return data::detail::control_group_limit(root); };
  CHECK(limit() == std::numeric_limits<std::int64_t>::max());
  add("proc/self/cgroup", "5:cpu,memory:/a/b\n1:name=x:/\n");
  CHECK(limit() == std::numeric_limits<std::int64_t>::max());
  add("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(limit() == 9223372036854771712);
  add("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "5000\n");
  add("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "7000\n");
  CHECK(limit() == 5000);
  add("sys/fs/cgroup/a/memory.max", "3000\n");
  CHECK(limit() == 5000);
  add("proc/self/cgroup", "0::/a/b\n");
  CHECK(limit() == 3000);
  add("sys/fs/cgroup/a/b/memory.max", "max\n");
  CHECK(limit() == 3000);
  add("sys/fs/cgroup/a/b/memory.max", "2000\n");
  CHECK(limit() == 2000);
  add("sys/fs/cgroup/memory.max", "1000\n");  // as in a container that does not see its group
  CHECK(limit() == 1000);
}

TEST_CASE("a file that takes more than the process may is refused by name and size") {
  if (is_sanitized()) return;
  const test::Folder folder;
  const std::string path = sparse_npy(folder, 512 * mebibyte);
  CHECK(data::detail::default_max_bytes() > 600 * mebibyte);
  const std::string refusal = with_memory(600 * mebibyte, [&] {
    return test::message_of<FileError>([&] { data::read_npy<float>(path); });
  });
  CHECK(refusal.starts_with(path + ": byte 128: an array that takes 536870912 bytes of memory, "));
  CHECK(refusal.ends_with(" are left; set max_bytes if it is meant to be read"));
  CHECK(with_memory(1300 * mebibyte, [&] {
          return std::to_string(data::read_npy<float>(path).size());
        }) == "134217728");
}

TEST_CASE("a reader that finds no memory names the file and its size") {
  if (is_sanitized()) return;
  const test::Folder folder;
  const data::ReadOptions much{.max_bytes = std::int64_t(1) << 40};
  const auto check = [&](const std::string& path, const auto& read) {
    const std::string text =
        with_memory(64 * mebibyte, [&] { return test::message_of<FileError>(read); });
    CHECK(text == path + ": there is no memory left to read this file of " +
                      std::to_string(std::filesystem::file_size(path)) +
                      " bytes; read less of it, or let the process take more");
  };
  const std::string npy = sparse_npy(folder, 512 * mebibyte);
  check(npy, [&] { data::read_npy<float>(npy, much); });
  check(npy, [&] { data::read_npy_any(npy, much); });
  const std::string svm = folder.add("t.svm", "1 1:1\n1 100000000:1\n");
  check(svm, [&] { data::read_libsvm<double>(svm, {.read = much}); });
  std::string text = "a";
  for (int i = 0; i < 32 * mebibyte; ++i) text += i % 2 ? "\n" : "1";
  const std::string csv = folder.add("t.csv", text + "\n");
  check(csv, [&] { data::read_csv<double>(csv, {.read = much}); });
  const std::string refusal = with_memory(64 * mebibyte, [&] {
    return test::message_of<FileError>([&] { data::read_csv<double>(csv); });
  });
  CHECK(refusal.starts_with(csv + ":"));
  CHECK(refusal.find("the values read so far take all allowed memory except ") != refusal.npos);
}

}  // TEST_SUITE("memory limit")
