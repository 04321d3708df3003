// SPDX-License-Identifier: BSD-3-Clause
// What a data set of a text file keeps in memory; categories, and compressed files.
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/gzip.hpp"
#include "ebb/data/sets/csv_dataset.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::CsvDataset;
using data::CsvOptions;
using data::Kind;
using data::Missing;
using data::Rows;
using data::WindowOptions;
using test::Folder;
using test::message_of;
using test::same_bits;
using Names = std::vector<std::string>;

namespace {

std::string add_gzip(const Folder& folder, const std::string& name, const std::string& content) {
  data::detail::AtomicFile file(folder.path(name));
  data::detail::GzipWriter compressed(file);
  compressed.write(content.data(), std::int64_t(content.size()));
  compressed.finish();
  file.commit();
  return folder.path(name);
}

/// A data set gives the rows of the table of the same file, in any order and again and again.
template <class T>
void check_rows(const CsvDataset<T>& set, const data::Table<T>& table, const std::string& target) {
  REQUIRE(set.size() == table.rows());
  CHECK(set.features() == table.drop({target}).names());
  for (const auto& column : table.columns()) CHECK(set.levels(column.name) == column.levels);
  const auto x = table.drop({target}).values(), y = table.column(target);
  Stream stream(7);
  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto order = permutation(set.size(), stream);
    const std::span<const std::int64_t> all(order);
    for (std::size_t at = 0; at < all.size(); at += 701) {
      const auto some = all.subspan(at, std::min(std::size_t(701), all.size() - at));
      const auto batch = set.rows(some);
      CHECK_AGREES(same_bits(batch.x.array(), data::detail::take_rows("test", x, some)));
      CHECK_AGREES(same_bits(batch.y.array(), data::detail::take_rows("test", y, some)));
    }
  }
}

/// Rows of a number, a colour and the square of the number.
std::string colours(int rows) {
  std::string content = "a,colour,b\n";
  for (int i = 0; i < rows; ++i) {
    const char* const names[] = {"red", "blue", "green", "NA", "white"};
    content += std::to_string(i) + ',' + names[(i % 5) * (i % 5) % 5 + (i % 1000 == 999)] + ',' +
               std::to_string(i % 9) + ".5\n";
  }
  return content;
}

}  // namespace

TEST_SUITE("csv data set") {

TEST_CASE_TEMPLATE("a window of any size gives the same rows", T, float, double) {
  const Folder folder;
  std::string content = "a,b\n";
  for (int i = 0; i < 7000; ++i) content += std::to_string(i) + ',' + std::to_string(-i) + ".5\n";
  const std::string path = folder.add("t.csv", content);
  const auto table = data::read_csv<T>(path);
  for (const WindowOptions& window :
       {WindowOptions{}, WindowOptions{.memory = 0}, WindowOptions{.memory = 20000},
        WindowOptions{.memory = 3000, .block_rows = 100}, WindowOptions{.block_rows = 1}}) {
    CAPTURE(window.memory);
    CAPTURE(window.block_rows);
    check_rows(CsvDataset<T>(path, "b", {}, window), table, "b");
  }
  CHECK(message_of<ArgumentError>([&] { CsvDataset<T>(path, "b", {}, {.memory = -1}); }) ==
        "CsvDataset: a window of -1 bytes, blocks of 0 rows; neither can be negative");
}

TEST_CASE("rows in the window are not read again, and others are") {
  const Folder folder;
  std::string content = "a,b\n";
  for (int i = 0; i < 1000; ++i) content += std::to_string(1000 + i) + ",2\n";
  const std::string path = folder.add("t.csv", content);
  // Blocks of 10 rows of 16 bytes, and room for three of them.
  const CsvDataset<double> set(path, "b", {}, {.memory = 490, .block_rows = 10});
  for (const std::int64_t row : {5, 15, 25, 3, 35}) set.rows(Rows{row});
  std::string other = content;
  for (std::size_t at = content.find('\n') + 1; at < other.size(); at += 7) other[at] = '5';
  folder.change_unseen("t.csv", other);
  const auto first = [&](std::int64_t row) { return set.rows(Rows{row}).x.data()[0]; };
  CHECK(first(4) == 1004);
  CHECK(first(24) == 1024);
  CHECK(first(34) == 1034);
  CHECK(first(14) == 5014);  // the block whose last use was longest ago
  CHECK(first(4) == 5004);
}

TEST_CASE_TEMPLATE("categories have the codes and levels of read_csv", T, float, double) {
  const Folder folder;
  const std::string path = folder.add("t.csv", colours(6000) + "1,gone,NA\n");
  CsvOptions some, known, few;
  some.missing = Missing::nan;
  some.kinds["colour"] = Kind::categorical;
  known.missing = Missing::drop_row;
  known.columns.push_back({"colour", Kind::categorical, {"black", "red"}});
  few.select = {"colour", "a"};
  few.n_rows = 5000;
  few.kind = Kind::categorical;
  for (const CsvOptions* given : {&some, &known, &few}) {
    const CsvOptions& options = *given;
    for (const std::string target : {"a", "colour"}) {
      const CsvDataset<T> set(path, target, options, {.memory = 40000});
      CsvOptions same = options;
      same.kind = options.kind.value_or(Kind::numeric);
      check_rows(set, data::read_csv<T>(path, same), target);
    }
  }
  const CsvDataset<T> set(path, "b",
                          {.missing = Missing::drop_row, .kinds = {{"colour", Kind::categorical}}});
  CHECK(set.levels("colour") == Names{"blue", "green", "red", "white"});
  CHECK(message_of<ArgumentError>([&] { set.levels("z"); }) ==
        path + ": no column \"z\"; there are a, colour, b");
  CHECK(message_of<FileError>([&] { CsvDataset<T>(path, "b", {.missing = Missing::nan}); }) ==
        path + ":2:3: column \"colour\": \"red\" is not a number");
}

TEST_CASE("inputs are in the order in which columns were chosen") {
  const Folder folder;
  const std::string path = folder.add("t.csv", "a,b,c,d\n1,2,3,x\n4,5,6,y\n");
  const CsvOptions options{.select = {"c", "b", "a"}};
  const CsvDataset<double> set(path, "b", options);
  CHECK(set.features() == Names{"c", "a"});
  check_rows(set, data::read_csv<double>(path, options), "b");
  CHECK(message_of<FileError>([&] { CsvDataset<double>(path, "d", options); }) ==
        path + ":1:1: no column \"d\"; there are a, b, c");
}

TEST_CASE("a category that came into the file later is an error") {
  const Folder folder;
  const std::string path = folder.add("t.csv", "a,b\nx,1\ny,2\n");
  const CsvDataset<double> set(path, "b", {.kinds = {{"a", Kind::categorical}}});
  folder.change_unseen("t.csv", "a,b\nx,1\nz,2\n");
  CHECK(message_of<FileError>([&] {
          set.rows(Rows{1});
        }).ends_with("the file has changed since it was opened; open it again"));
}

TEST_CASE("a compressed file gives its rows in any order") {
  const Folder folder;
  const std::string content = colours(400000);  // 5 MB, several points
  const CsvOptions options{.missing = Missing::nan, .kinds = {{"colour", Kind::categorical}}};
  const auto table = data::read_csv<float>(folder.add("t.csv", content), options);
  const auto check_some = [&](const CsvDataset<float>& set) {
    REQUIRE(set.size() == table.rows());
    const auto x = table.drop({"b"}).values();
    for (const Rows& some : {Rows{399999, 0, 200000}, Rows{0, 1}, Rows{100000, 300000, 399998, 5},
                             Rows{250000}, Rows{399999}}) {
      CHECK_AGREES(same_bits(set.rows(some).x.array(), data::detail::take_rows("test", x, some)));
    }
  };
  const std::string path = add_gzip(folder, "t.csv.gz", content);
  check_some(CsvDataset<float>(path, "b", options));
  check_some(CsvDataset<float>(path, "b", options, {.memory = 0}));
  check_some(CsvDataset<float>(path, "b", options, {.memory = 100000, .block_rows = 1000}));
  // Several members, of which one ends within a row.
  const std::string members =
      test::content_of(add_gzip(folder, "1.gz", content.substr(0, 3000001))) +
      test::content_of(add_gzip(folder, "2.gz", content.substr(3000001)));
  check_some(CsvDataset<float>(folder.add("members.csv.gz", members), "b", options));
  const std::string small = "a,colour,b\n1,red,3\n4,blue,6";
  const std::string short_path = add_gzip(folder, "s.gz", small);
  check_rows(CsvDataset<float>(short_path, "b", options),
             data::read_csv<float>(short_path, options), "b");
  CHECK(message_of<FileError>([&] {
          CsvDataset<float>(add_gzip(folder, "bad.gz", small + "\n7,red,x\n"), "b", options);
        }) == folder.path("bad.gz") + ":4:7: column \"b\": \"x\" is not a number");
}

}  // TEST_SUITE("csv data set")

TEST_SUITE("csv data set threads") {

TEST_CASE("several threads may share a window, and a compressed file") {
  const Folder folder;
  const std::string content = colours(100000);
  const CsvOptions options{.missing = Missing::nan, .kinds = {{"colour", Kind::categorical}}};
  const CsvDataset<float> plain(folder.add("t.csv", content), "b", options, {.memory = 30000}),
      zipped(add_gzip(folder, "t.csv.gz", content), "b", options,
             {.memory = 30000, .block_rows = 999});
  std::atomic<std::int64_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      Stream stream(number);
      for (int i = 0; i < 10; ++i) {
        const auto order = permutation(100000, stream);
        const auto& set = i % 2 ? zipped : plain;
        const auto batch = set.rows(std::span(order).first(20));
        for (std::int64_t k = 0; k < 20; ++k) {
          wrong += batch.x.data()[2 * k] != float(order[std::size_t(k)]) ||
                   batch.y.data()[k] != float(order[std::size_t(k)] % 9) + 0.5F;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // TEST_SUITE("csv data set threads")
