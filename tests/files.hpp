// SPDX-License-Identifier: BSD-3-Clause
// Files that tests read and write.
#pragma once
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::test {

/// The path of a file of the kept corpus.
inline std::string corpus(const std::string& name) {
  return std::string(EBB_SOURCE_DIR) + "/tests/data/corpus/" + name;
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// An empty folder until the end of the scope.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ebb_test_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  /// Makes a file with this content.
  std::string add(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  /// Makes a file with an old time of writing, so that any later change is seen to be newer.
  std::string add_old(const std::string& name, const std::string& content) const {
    add(name, content);
    std::filesystem::last_write_time(path(name), long_ago());
    return path(name);
  }
  /// Gives a file other or less content, without a change of its time.
  void change_unseen(const std::string& name, const std::string& content) const {
    const auto before = std::filesystem::last_write_time(path(name));
    add(name, content);
    std::filesystem::last_write_time(path(name), before);
  }
  /// The names of its files, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  static std::filesystem::file_time_type long_ago() {
    return std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  }

  std::filesystem::path path_;
};

/// Files cannot grow beyond this until the end of the scope, as on a disk that is full.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

/// Calls a reader with files that have the bytes of a file but one, or end before: every step-th
/// byte is changed in turn. It reads them, or throws a FileError that starts with their path.
template <class Read>
void check_broken_files(const std::string& path, std::size_t step, const Read& read) {
  const Folder folder;
  const std::string whole = content_of(path), broken = folder.path("broken");
  const auto check = [&](const std::string& bytes) {
    folder.add("broken", bytes);
    try {
      read(broken);
    } catch (const FileError& error) {
      CHECK(std::string(error.what()).starts_with(broken + ":"));
    }
  };
  for (std::size_t i = 0; i < whole.size(); i += step) {
    std::string changed = whole;
    changed[i] = char(changed[i] ^ (i % 4 ? 1 : 0x12));
    check(changed);
    if (i % 5 == 0) check(whole.substr(0, i));
  }
}

}  // namespace ebb::test
