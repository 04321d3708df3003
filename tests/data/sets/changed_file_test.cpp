// SPDX-License-Identifier: BSD-3-Clause
// Arrays that stay in files which change while they are read.
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include "ebb/data/sets/file_array.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Rows;
using test::Folder;
using test::message_of;

namespace {

/// The numbers from 0 to 99, as a file has them.
std::string counting() {
  std::string bytes(400, '\0');
  for (int i = 0; i < 100; ++i) {
    const auto number = float(i);
    std::memcpy(bytes.data() + 4 * i, &number, 4);
  }
  return bytes;
}

/// Both ways into a file.
std::vector<data::FileArray<float>> both(const std::string& path) {
  return {data::map_raw<float>(path, {}),
          data::window_raw<float>(path, {}, {.memory = 80, .block_rows = 10})};
}

}  // namespace

TEST_SUITE("file array") {

TEST_CASE("a file that was changed gives no more rows") {
  const Folder folder;
  const std::string content = counting();
  const std::string path = folder.add_old("a.raw", content);
  std::string other = content;
  std::swap(other[0], other[399]);
  const auto check = [&](const std::string& changed) {
    for (const std::size_t way : {std::size_t(0), std::size_t(1)}) {
      const auto array = both(path)[way];
      REQUIRE(array.rows(Rows{99})[0] == 99);
      folder.add("a.raw", changed);
      for (int i = 0; i < 3; ++i) {
        CHECK(message_of<FileError>([&] { array.rows(Rows{35}); }) ==
              path + ": the file was changed since it was opened; open it again");
      }
      CHECK(array.rows({}).shape() == Shape{0});
      folder.add_old("a.raw", content);
    }
  };
  check(other);
  check(content);  // by its time
  check(content + '1');
  check("");
  const auto mapped = data::map_raw<float>(path, {});
  folder.change_unseen("a.raw", content + '1');  // by its size
  CHECK(message_of<FileError>([&] { mapped.rows(Rows{35}); }).ends_with("open it again"));
  folder.add("a.raw", content);
  // A file of the same name in its place is another one.
  const auto arrays = both(path);
  std::filesystem::rename(folder.add("b.raw", "x"), path);
  for (const auto& array : arrays) CHECK(array.rows(Rows{7})[0] == 7);
}

TEST_CASE("blocks that a window has read stay, even if the file changes") {
  const Folder folder;
  const std::string content = counting();
  const std::string path = folder.add_old("a.raw", content);
  const auto array = data::window_raw<float>(path, {}, {.memory = 80, .block_rows = 10});
  CHECK(array.rows(Rows{15})[0] == 15);
  std::filesystem::resize_file(path, 122);
  CHECK(array.rows(Rows{19})[0] == 19);  // it was read before
  for (int i = 0; i < 3; ++i) {
    CHECK(message_of<FileError>([&] { array.rows(Rows{35}); }) ==
          path + ": the file was changed since it was opened; open it again");
  }
  folder.add_old("a.raw", content);
  CHECK(message_of<FileError>([&] { array.rows(Rows{35}); }).find("changed") != std::string::npos);
}

}  // TEST_SUITE("file array")
