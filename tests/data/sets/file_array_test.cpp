// SPDX-License-Identifier: BSD-3-Clause
// Arrays that stay in their files, mapped and through windows.
#include "ebb/data/sets/file_array.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/formats/npy.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/data/binary_files.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;
using data::Rows;

namespace {

/// The bytes of an array as a file has them.
template <class T>
std::string bytes_of(const Array<T>& array) {
  return {reinterpret_cast<const char*>(array.data()), std::size_t(array.size()) * sizeof(T)};
}

std::vector<std::int64_t> all(std::int64_t n) {
  std::vector<std::int64_t> indices(std::size_t(n), 0);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = std::int64_t(i);
  return indices;
}

/// Both ways into a file, with one call.
template <class T>
std::vector<data::FileArray<T>> both_npy(const std::string& path, data::WindowOptions window = {}) {
  return {data::map_npy<T>(path), data::window_npy<T>(path, window)};
}
template <class T>
std::vector<data::FileArray<T>> both_raw(const std::string& path, const data::RawRows& rows,
                                         data::WindowOptions window = {}) {
  return {data::map_raw<T>(path, rows), data::window_raw<T>(path, rows, window)};
}

/// The error of both for a file, which must be the same.
template <class T = float>
std::string npy_error(const std::string& path) {
  const std::string mapped = message_of<FileError>([&] { data::map_npy<T>(path); });
  CHECK(message_of<FileError>([&] { data::window_npy<T>(path); }) == mapped);
  CHECK(mapped.substr(0, path.size() + 2) == path + ": ");
  return mapped.substr(std::min(mapped.size(), path.size() + 2));
}
template <class E = FileError>
std::string raw_error(const std::string& path, const data::RawRows& rows) {
  const std::string mapped = message_of<E>([&] { data::map_raw<float>(path, rows); });
  const std::string window = message_of<E>([&] { data::window_raw<float>(path, rows); });
  if (std::is_same_v<E, FileError>) {
    CHECK(mapped == window);
    CHECK(mapped.substr(0, path.size() + 2) == path + ": ");
    return mapped.substr(std::min(mapped.size(), path.size() + 2));
  }
  CHECK(mapped.substr(0, 9) == "map_raw: ");
  CHECK(window == "window_raw: " + mapped.substr(9));
  return mapped.substr(9);
}

}  // namespace

TEST_SUITE("file array") {

TEST_CASE_TEMPLATE("rows are those that read_npy reads", T, float, double, std::int64_t) {
  const Folder folder;
  const auto whole = counting<T>({50, 3, 2});
  data::write_npy(folder.path("a.npy"), whole);
  for (const std::int64_t block_rows : {1, 7, 50, 1000}) {
    CAPTURE(block_rows);
    const std::int64_t memory = block_rows * 3 * 48;
    for (const auto& array :
         both_npy<T>(folder.path("a.npy"), {.memory = memory, .block_rows = block_rows})) {
      CHECK(array.shape() == whole.shape());
      CHECK(array.size() == 50);
      CHECK_AGREES(same_bits(array.rows(all(50)), whole));
      for (const Rows& some : {Rows{49, 0, 7, 7, 6, 48}, Rows{13, 14, 15}, Rows{3}, Rows{}}) {
        CHECK_AGREES(same_bits(array.rows(some), data::detail::take_rows("test", whole, some)));
      }
    }
  }
}

TEST_CASE("every version of the header, one axis and six, empty rows and no rows are read") {
  const auto numbers = data::read_npy<float>(corpus("npy/f4_little.npy"));
  for (const char* name : {"npy/f4_little.npy", "npy/version_2.npy", "npy/version_3.npy"}) {
    for (const auto& array : both_npy<float>(corpus(name))) {
      CHECK_AGREES(same_bits(array.rows(all(2)), numbers));
    }
  }
  const Folder folder;
  for (const Shape& shape : {Shape{5}, Shape{2, 1, 2, 1, 2, 3}, Shape{4, 0}, Shape{0, 3}}) {
    const auto whole = counting<float>(shape);
    data::write_npy(folder.path("a.npy"), whole);
    for (const auto& array : both_npy<float>(folder.path("a.npy"))) {
      CHECK_AGREES(same_bits(array.rows(all(shape[0])), whole));
      array.prefetch(all(shape[0]));
    }
  }
}

TEST_CASE("plain numbers are read from any byte on, up to a row or to the end") {
  const Folder folder;
  const auto whole = counting<float>({4, 2, 3});
  // From an offset that no float is aligned to.
  const std::string path = folder.add("a.raw", "abc" + bytes_of(whole));
  for (const auto& array : both_raw<float>(path, {.row = {2, 3}, .offset = 3})) {
    CHECK(array.shape() == Shape{4, 2, 3});
    CHECK_AGREES(same_bits(array.rows(all(4)), whole));
  }
  for (const auto& array : both_raw<float>(path, {.row = {2, 3}, .offset = 27, .count = 2})) {
    CHECK_AGREES(same_bits(array.rows(all(2)), whole.leading(1, 3)));
  }
  for (const auto& array : both_raw<float>(path, {.offset = 3})) {
    CHECK_AGREES(same_bits(array.rows(all(24)), whole.reshape({24})));
  }
  for (const auto& array : both_raw<float>(path, {.row = {2}, .offset = 3 + 96})) {
    CHECK(array.shape() == Shape{0, 2});
    CHECK(array.rows({}).shape() == Shape{0, 2});
  }
  const std::string nothing = folder.add("nothing.raw", "");
  for (const auto& array : both_raw<float>(nothing, {.row = {2}})) CHECK(array.size() == 0);
}

TEST_CASE("elements that need a conversion are refused in favour of read_npy") {
  CHECK(npy_error(corpus("npy/f8_little.npy")) ==
        "byte 128: its elements are float64, not float32; open it as that, or read_npy converts "
        "them");
  CHECK(npy_error<double>(corpus("npy/i8_little.npy")) ==
        "byte 128: its elements are int64, not float64; open it as that, or read_npy converts "
        "them");
  CHECK(npy_error(corpus("npy/f4_big.npy")) ==
        "byte 128: its elements are big-endian; read_npy turns them");
  CHECK(npy_error(corpus("npy/fortran_order.npy")) ==
        "byte 128: it is in Fortran order, column after column; read_npy converts it");
  CHECK(npy_error<double>(corpus("npy/scalar.npy")) ==
        "byte 128: it holds one number and no rows; read_npy reads it");
}

TEST_CASE("a .npy file that is not what it declares is refused before it is mapped") {
  const Folder folder;
  const std::string whole = content_of(corpus("npy/f4_little.npy"));
  const auto error = [&](const std::string& content) {
    return npy_error(folder.add("a.npy", content));
  };
  CHECK(error(whole.substr(0, 151)) ==
        "byte 128: the shape (2, 3) of float32 takes 24 bytes, but only 23 follow");
  CHECK(error(whole + 'x') ==
        "byte 152: the file continues after the last element, which does not match its header");
  CHECK(error("") ==
        "byte 0: the file ends here, 8 bytes before the end of the eight bytes that a .npy file "
        "starts with");
  std::string huge = whole;
  huge.replace(huge.find("(2, 3)"), 25, "(9999999999, 9999999), } ");
  CHECK(error(huge) == "byte 60: a shape of more elements than an array can hold");
  huge.replace(huge.find("(9999999999, 9999999)"), 21, "(1099511627776, 4)   ");
  CHECK(error(huge) ==
        "byte 128: the shape (1099511627776, 4) of float32 takes 17592186044416 bytes, but only 24 "
        "follow");
  CHECK(npy_error(folder.path("none.npy")) ==
        "cannot be opened (No such file or directory); check the name of the file");
}

TEST_CASE("a file of plain numbers must have the rows that it should") {
  const Folder folder;
  const std::string path = folder.add("a.raw", std::string(50, '\1'));
  CHECK(raw_error(path, {.row = {3}}) ==
        "byte 50: the file ends here, within row 4; a row takes 12 bytes");
  CHECK(raw_error(path, {.row = {3}, .offset = 2, .count = 5}) ==
        "byte 50: the file ends here, after 4 rows of the 5 that it should have");
  CHECK(raw_error(path, {.row = {3}, .count = INT64_MAX}) ==
        "byte 50: the file ends here, after 4 rows of the 9223372036854775807 that it should "
        "have");
  CHECK(raw_error(path, {.row = {3}, .offset = 51}) ==
        "byte 50: the file ends here, before its first row at byte 51");
  CHECK(raw_error<ArgumentError>(path, {.row = {3, 0}}) ==
        "rows of shape (3, 0) have no elements to read");
  CHECK(raw_error<ArgumentError>(path, {.row = {1, 1, 1, 1, 1, 1}}) ==
        "rows of shape (1, 1, 1, 1, 1, 1); they have five axes at most");
  CHECK(raw_error<ArgumentError>(path, {.row = {3}, .offset = -1}) == "the offset -1 is negative");
  CHECK(raw_error<ArgumentError>(path, {.row = {3}, .count = -2}) == "the count -2 is negative");
}

TEST_CASE("a row outside of the array is refused") {
  const Folder folder;
  const std::string path = folder.add("a.raw", bytes_of(counting<float>({5})));
  for (const auto& array : both_raw<float>(path, {})) {
    for (const std::int64_t bad : {-1, 5}) {
      const std::int64_t indices[] = {0, bad};
      CHECK(message_of<ArgumentError>([&] { array.rows(indices); }) ==
            "FileArray: row " + std::to_string(bad) + " of an array with 5 rows");
      array.prefetch(indices);
    }
  }
}

TEST_CASE("an error for a mapping without address space names the windows") {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  if (pages > std::int64_t(1) << 26) return;  // a sanitizer has terabytes mapped
  const Folder folder;
  const std::string path = folder.add("large.raw", "");
  std::filesystem::resize_file(path, std::uintmax_t(1)
                                         << 40);  // a sparse file, which takes no space on the disk
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  const rlimit limit{rlim_t(1) << 39, before.rlim_max};
  setrlimit(RLIMIT_AS, &limit);
  const std::string mapped =
      message_of<FileError>([&] { data::map_raw<float>(path, {.row = {1024}}); });
  const auto window = data::window_raw<float>(path, {.row = {1024}});
  setrlimit(RLIMIT_AS, &before);
  CHECK(mapped == path +
                      ": cannot be mapped (Cannot allocate memory); open it through a window, "
                      "which takes less room");
  CHECK(window.size() == std::int64_t(1) << 28);
  CHECK(window.rows(Rows{(1 << 28) - 1})[0] == 0);
}

TEST_CASE("a window reads each block once while its memory holds it") {
  const Folder folder;
  const std::string path = folder.add("a.raw", bytes_of(counting<float>({100, 4})));
  // Blocks of 10 rows of 16 bytes; room for 3 of them.
  const auto open = [&] {
    return data::window_raw<float>(path, {.row = {4}}, {.memory = 490, .block_rows = 10});
  };
  const auto reads = [&](const std::vector<Rows>& batches) {
    const auto array = open();
    for (const Rows& batch : batches) {
      const auto rows = array.rows(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        CHECK(rows[4 * std::int64_t(i)] == float(4 * batch[i]));
      }
    }
    CHECK(array.bytes_read() % 160 == 0);
    return array.bytes_read() / 160;
  };
  CHECK(open().block_rows() == 10);
  CHECK(open().bytes_read() == 0);
  CHECK(reads({{5}}) == 1);
  CHECK(reads({{5}, {0, 9}, {3}}) == 1);
  CHECK(reads({{5, 15, 25}, {25, 5, 15}, {7, 17, 27}}) == 3);
  // The least recently used one is replaced.
  CHECK(reads({{0}, {10}, {20}, {0}, {30}, {0}, {20}, {30}}) == 4);
  CHECK(reads({{0}, {10}, {20}, {0}, {30}, {10}}) == 5);
  // In one batch each is read once, in any order of the rows.
  CHECK(reads({{0, 10, 20, 30, 40, 1, 11, 21, 31, 41, 99, 2}}) == 6);
  std::vector<Rows> epoch;
  for (std::int64_t i = 0; i < 100; i += 4) epoch.push_back({i + 2, i, i + 3, i + 1});
  CHECK(reads(epoch) == 10);
  // A copy has the same window.
  const auto array = open(), copy = array;
  array.rows(Rows{0});
  copy.rows(Rows{1});
  CHECK(copy.bytes_read() == 160);
  for (const auto& mapped : {data::map_raw<float>(path, {.row = {4}})}) {
    mapped.rows(Rows{0});
    CHECK(mapped.bytes_read() == 0);
    CHECK(mapped.block_rows() == 65536);
  }
}

TEST_CASE("the block of a window is chosen by the memory, the last one is shorter") {
  const Folder folder;
  const std::string path = folder.add("a.raw", bytes_of(counting<float>({25, 4})));
  const auto open = [&](data::WindowOptions options) {
    return data::window_raw<float>(path, {.row = {4}}, options);
  };
  CHECK(open({}).block_rows() == 65536);
  CHECK(open({.memory = 16 * 80}).block_rows() == 10);
  CHECK(open({.memory = 16}).block_rows() == 1);
  const auto array = open({.memory = 160, .block_rows = 10});
  CHECK(array.rows(Rows{24})[3] == 99);
  CHECK(array.bytes_read() == 5 * 16);
  CHECK(message_of<ArgumentError>([&] { open({.memory = 15}); }) ==
        "window_raw: 1 row of 16 bytes are read at once, more than memory = 15 holds; give it "
        "more");
  CHECK(message_of<ArgumentError>([&] { open({.memory = 159, .block_rows = 10}); }) ==
        "window_raw: 10 rows of 16 bytes are read at once, more than memory = 159 holds; give it "
        "more, or smaller blocks");
  CHECK(message_of<ArgumentError>([&] {
          open({.memory = 1, .block_rows = INT64_MAX});
        }).find("window_raw: ") == 0);
  CHECK(message_of<ArgumentError>([&] { open({.block_rows = -1}); }) ==
        "window_raw: blocks of -1 rows; give at least 1, or 0 for a choice");
  data::write_npy(folder.path("a.npy"), counting<float>({3}));
  CHECK(message_of<ArgumentError>(
            [&] { data::window_npy<float>(folder.path("a.npy"), {.memory = 0}); }) ==
        "window_npy: 1 row of 4 bytes are read at once, more than memory = 0 holds; give it more");
}

}  // TEST_SUITE("file array")

TEST_SUITE("file array threads") {

TEST_CASE("several threads may read rows at once, through a window of any size") {
  const Folder folder;
  const auto whole = counting<float>({1000, 3});
  const std::string path = folder.add("a.raw", bytes_of(whole));
  for (const std::int64_t blocks : {1, 2, 5, 100}) {
    CAPTURE(blocks);
    const auto array =
        data::window_raw<float>(path, {.row = {3}}, {.memory = 120 * blocks, .block_rows = 10});
    std::atomic<std::int64_t> wrong = 0;
    const auto work = [&](std::uint64_t number) {
      Stream stream(number);
      for (int i = 0; i < 50; ++i) {
        const auto order = permutation(1000, stream);
        const auto rows = array.rows(std::span(order).first(20));
        for (std::int64_t k = 0; k < 60; ++k) {
          wrong += rows[k] != float(3 * order[std::size_t(k / 3)] + k % 3);
        }
      }
    };
    std::vector<std::thread> threads;
    for (std::uint64_t number = 0; number < 4; ++number) threads.emplace_back(work, number);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    if (blocks == 100) CHECK(array.bytes_read() == 12000);
    if (blocks < 100) CHECK(array.bytes_read() > 12000);
  }
}

TEST_CASE("threads wait for the only block of a window while others copy long rows") {
  const Folder folder;
  constexpr std::int64_t width = 1 << 16;
  const std::string path = folder.add("a.raw", bytes_of(counting<float>({6, width})));
  const auto array = data::window_raw<float>(path, {.row = {width}}, {.memory = 4 * width});
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::int64_t number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      for (std::int64_t i = 0; i < 60; ++i) {
        const std::int64_t row = (i * (number + 1)) % 6;
        const auto got = array.rows(Rows{row, row});
        wrong += got[0] != float(row * width) || got[2 * width - 1] != float((row + 1) * width - 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("all threads that wait for a block get the error if the file was changed") {
  const Folder folder;
  const std::string path = folder.add("a.raw", bytes_of(counting<float>({100})));
  const auto array = data::window_raw<float>(path, {}, {.memory = 40, .block_rows = 10});
  std::filesystem::resize_file(path, 200);
  std::atomic<int> errors = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        try {
          array.rows(Rows{i});
        } catch (const FileError&) {
          ++errors;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == 400);
}

}  // TEST_SUITE("file array threads")

TEST_SUITE("file data set") {

TEST_CASE("a loader gives the batches that it gives of arrays in memory") {
  const Folder folder;
  const auto x = counting<double>({37, 3});
  auto y = counting<std::int64_t>({37});
  data::write_npy(folder.path("x.npy"), x);
  data::write_npy(folder.path("y.npy"), y);
  const data::FileDataset rows(
      data::map_npy<double>(folder.path("x.npy")),
      data::window_npy<std::int64_t>(folder.path("y.npy"), {.memory = 64, .block_rows = 4}));
  static_assert(data::Dataset<data::FileArray<float>>);
  static_assert(std::is_same_v<decltype(rows.rows({})), data::Batch<double, std::int64_t>>);
  CHECK(rows.size() == 37);
  data::Loader from_file(rows, {.batch_size = 5, .seed = 3});
  data::Loader from_memory(data::TensorDataset(x, y), {.batch_size = 5, .seed = 3});
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto expected = from_memory.begin();
    for (const auto& batch : from_file) {
      CHECK_AGREES(same_bits(batch.x.array(), expected->x.array()));
      CHECK_AGREES(same_bits(batch.y, expected->y));
      ++expected;
    }
    CHECK(expected == from_memory.end());
  }
  CHECK(message_of<ShapeError>([&] {
          data::FileDataset(data::map_npy<double>(folder.path("x.npy")),
                            data::map_raw<float>(folder.add("z.raw", "1234"), {}));
        }).find("FileDataset: inputs of shape (37, 3) and targets of shape (1,)") == 0);
}

}  // TEST_SUITE("file data set")

TEST_SUITE("file array") {

TEST_CASE("the error for too many open files says so") {
  const Folder folder;
  const std::string path = folder.add("x.raw", "12345678");
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const std::string what = message_of<FileError>([&] { data::map_raw<float>(path, {}); });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(what == path + ": cannot be opened (Too many open files); check how many files are open");
}

}  // TEST_SUITE("file array")
