// SPDX-License-Identifier: BSD-3-Clause
// The files of the corpus, and the expected result of each.
#pragma once
#include <doctest/doctest.h>

#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/files.hpp"

namespace ebb::test {

struct Expected {
  const char* name;
  const char* outcome;  ///< the result of reading it, or the error after the name
};

/// Reads every file of a folder. Each must be in the list; `read` describes a good one.
template <class Read>
void check_corpus(const std::string& folder, std::initializer_list<Expected> all,
                  const Read& read) {
  std::set<std::string> seen;
  for (const Expected& file : all) {
    const std::string name = file.name;
    CAPTURE(name);
    const std::string path = corpus(folder + '/' + name);
    std::string found;
    try {
      found = read(path);
    } catch (const FileError& error) {
      found = std::string(error.what()).substr(path.size());
    }
    CHECK(found == file.outcome);
    seen.insert(name);
  }
  for (const auto& file : std::filesystem::directory_iterator(corpus(folder))) {
    CHECK_MESSAGE(seen.count(file.path().filename().string()) == 1, file.path().string());
  }
}

}  // namespace ebb::test
