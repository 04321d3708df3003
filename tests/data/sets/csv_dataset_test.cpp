// SPDX-License-Identifier: BSD-3-Clause
// Text files as data sets: the same rows and the same errors as read_csv.
#include "ebb/data/sets/csv_dataset.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::CsvDataset;
using data::CsvOptions;
using data::Kind;
using data::Missing;
using data::Rows;
using test::Folder;
using test::message_of;
using test::same_bits;

namespace {

/// The data set of a file against the table of the same file: all rows at once, and some in any
/// order, batch after batch. Returns the number of rows.
template <class T = double>
std::int64_t check_same(const std::string& content, const std::string& target,
                        CsvOptions options = {}) {
  const Folder folder;
  const std::string path = folder.add("t.csv", content);
  const CsvDataset<T> rows(path, target, options);
  options.kind = Kind::numeric;
  const auto table = data::read_csv<T>(path, options);
  const auto x = table.drop({target}).values(), y = table.column(target);
  CHECK(rows.features() == table.drop({target}).names());
  REQUIRE(rows.size() == table.rows());
  Stream stream(7);
  const auto order = permutation(rows.size(), stream);
  for (const std::size_t count : {order.size(), order.size() / 2, std::size_t(1)}) {
    const auto some = std::span(order).first(std::max(count, std::size_t(1)));
    const auto batch = rows.rows(some);
    CHECK_AGREES(same_bits(batch.x.array(), data::detail::take_rows("test", x, some)));
    CHECK_AGREES(same_bits(batch.y.array(), data::detail::take_rows("test", y, some)));
  }
  return rows.size();
}

/// The error for a file with the target "a", which must be that of read_csv.
std::string error(const std::string& content, CsvOptions options = {}) {
  const Folder folder;
  const std::string path = folder.add("t.csv", content);
  const std::string text = message_of<FileError>([&] { CsvDataset<double>(path, "a", options); });
  options.kind = Kind::numeric;
  CHECK(text == message_of<FileError>([&] { data::read_csv<double>(path, options); }));
  return text.starts_with(path) ? text.substr(path.size() + 1) : text;
}

/// Rows of three numbers, each of which shows its row.
std::string counting(int rows, const std::string& end = "\n") {
  std::string content = "a,b,c" + end;
  for (int i = 0; i < rows; ++i) {
    content += std::to_string(i) + ',' + std::to_string(i) + ".25," + std::to_string(-i) + end;
  }
  return content;
}

}  // namespace

TEST_SUITE("csv data set") {

TEST_CASE_TEMPLATE("rows of a file of many blocks are read, with any column as the target", T,
                   float, double) {
  for (const char* target : {"a", "b", "c"}) {
    CHECK(check_same<T>(counting(20000), target) == 20000);
  }
  CHECK(check_same<T>(counting(20000, "\r\n"), "a") == 20000);
  CHECK(check_same<T>(counting(5000, "\r"), "c") == 5000);
  CHECK(check_same<T>(counting(1), "b") == 1);
}

TEST_CASE("a byte order mark, a missing header and blank lines at the end are read") {
  const std::string mark = "\xEF\xBB\xBF";
  std::string content = mark + counting(3000);
  content.pop_back();
  CHECK(check_same(content, "b") == 3000);
  CHECK(check_same(content + "\n\n \n", "b") == 3000);
  const std::string bare = mark + content.substr(content.find('\n') + 1);
  CHECK(check_same(bare, "column2", {.header = false}) == 3000);
}

TEST_CASE("quotes, line ends inside of them, comments, separators and blanks are read") {
  std::string content = "# one\na;\"b\nc\";d\n";
  for (int i = 0; i < 4000; ++i) {
    content += std::to_string(i) + "; \"" + std::to_string(i) + ".5\" ;";
    content += i % 3 == 0 ? "\"not\nhere\"\n" : "1e-3\n";
    if (i % 7 == 0) content += "  # between\n";
  }
  CHECK(check_same(content, "b\nc",
                   {.separator = ';',
                    .comment = '#',
                    .missing = Missing::nan,
                    .missing_names = {"not\nhere"}}) == 4000);
}

TEST_CASE("missing values are an error, NaN or a constant, or drop their row") {
  std::string content = "a,b,c\n";
  for (int i = 0; i < 6000; ++i) {
    content += i % 5 == 0 ? "," : std::to_string(i) + ',';
    content += i % 400 < 300 && i % 7 == 0 ? "NA,2\n" : i % 1000 > 600 ? "n/a,1\n" : "3,4\n";
  }
  CHECK(check_same(content, "a", {.missing = Missing::nan}) == 6000);
  CHECK(check_same(content, "b", {.missing = Missing::constant, .constant = -7}) == 6000);
  const auto kept = check_same(content, "c", {.missing = Missing::drop_row});
  CHECK((kept > 2000 && kept < 4000));
  CHECK(error("a,b\n1,2\n3,\n") ==
        "3:3: column \"b\": the value is missing; fill it in or remove the row, or set "
        "CsvOptions::missing");
  CHECK(error("a,b\n1,\n", {.missing = Missing::drop_row}) ==
        "1:1: every row misses a value, so that none is left");
}

TEST_CASE("an error in any row is found on opening, and is that of read_csv") {
  std::string content = counting(3000);
  CHECK(error(content + "1,x,3\n") == "3002:3: column \"b\": \"x\" is not a number");
  CHECK(error(content + "1,2\n") == "3002:3: the row ends after field 2; 3 fields were expected");
  CHECK(error(content + "1,2,3,4\n") == "3002:7: the row continues; 3 fields were expected");
  CHECK(error(content + "\n1,2,3\n") == "3002:1: an empty line between rows; remove it");
  CHECK(error(content + "1,\"2,3\n") == "3002:3: this quote is never closed");
  CHECK(error("") ==
        "1:1: the file is empty; a line of column names and rows of numbers are expected");
  CHECK(error("a,b\n") == "2:1: the file ends after its header; rows are expected");
  CHECK(error("a,a\n1,2\n").find("occurs twice") != std::string::npos);
}

TEST_CASE("an integer that would be rounded is an error on opening, unless that is asked for") {
  const Folder folder;
  const std::string path = folder.add("t.csv", "a,b\n1,9007199254740993\n");
  CHECK(message_of<FileError>([&] {
          CsvDataset<double>(path, "a");
        }).starts_with(path + ":2:3: column \"b\": \"9007199254740993\" would be rounded to "));
  check_same<float>("a,b\n1,16777217\n", "a", {.read = {.round_integers = true}});
}

TEST_CASE("files without a target or inputs, and invalid options, are refused") {
  const Folder folder;
  const std::string path = folder.add("t.csv", "a,b\n1,2\n");
  CHECK(message_of<FileError>([&] { CsvDataset<float>(path, "z"); }) ==
        path + ":1:1: no column \"z\"; there are a, b");
  CHECK(message_of<FileError>([&] { CsvDataset<float>(folder.add("one.csv", "a\n1\n"), "a"); }) ==
        folder.path("one.csv") + ":1:1: no column except the target; inputs are expected");
  const std::string no_fill =
      "CsvDataset: a mean or a median takes all rows to find; read missing values as NaN, a "
      "constant or an error, or drop the row";
  const auto refusal = [&](const CsvOptions& options) {
    return message_of<ArgumentError>([&] { CsvDataset<float>(path, "a", options); });
  };
  CHECK(refusal({.missing = Missing::mean}) == no_fill);
  CHECK(refusal({.missing = Missing::median}) == no_fill);
  CHECK(refusal({.separator = '1'}) == "CsvDataset: \"1\" cannot separate fields");
  CHECK(refusal({.comment = ','}) == "CsvDataset: \",\" cannot begin a comment");
  CHECK(refusal({.missing = Missing::constant, .constant = HUGE_VAL}) ==
        "CsvDataset: the constant for missing values is not finite; Missing::nan leaves them NaN");
  CHECK(CsvDataset<float>(path, "a", {.kind = Kind::numeric}).size() == 1);
  const CsvDataset<float> rows(path, "a");
  for (const std::int64_t bad : {-1, 1}) {
    CHECK(message_of<ArgumentError>([&] {
            rows.rows(Rows{0, bad});
          }) == "CsvDataset: row " + std::to_string(bad) + " of a file with 1 row");
  }
  CHECK(rows.rows({}).x.shape() == Shape{0, 1});
}

TEST_CASE("a file that was changed gives no more rows") {
  const Folder folder;
  const std::string content = counting(3000);
  const auto changed = [&](const std::string& path, const auto& change) {
    const CsvDataset<float> rows(path, "a");
    REQUIRE(rows.rows(Rows{2999}).y.data()[0] == 2999);
    change();
    return message_of<FileError>([&] { rows.rows(Rows{0}); }) ==
           path + ": the file was changed since it was opened; open it again";
  };
  const std::string path = folder.add_old("t.csv", content);
  CHECK(changed(path, [&] { folder.add("t.csv", counting(3000)); }));
  CHECK(changed(path, [&] { std::ofstream(path, std::ios::app) << "1,2,3\n"; }));
  CHECK(changed(path, [&] { std::filesystem::resize_file(path, content.size() / 2); }));
  // A file of the same name in its place is another one.
  const CsvDataset<float> rows(folder.add("t.csv", content), "a");
  std::filesystem::rename(folder.add("other.csv", "x"), folder.path("t.csv"));
  CHECK(rows.rows(Rows{7}).y.data()[0] == 7);
  std::filesystem::remove(folder.path("t.csv"));
  CHECK(rows.rows(Rows{8}).y.data()[0] == 8);
}

TEST_CASE("a file that has more columns than at opening is refused, with a header or without") {
  const Folder folder;
  for (const bool header : {false, true}) {
    const CsvOptions options{.header = header, .number_names = true};
    std::string content, wider = "1", row = "\n2";
    for (int j = 0; j < 3000; ++j) wider += ',' + std::to_string(j + 2), row += ",7";
    wider += row + row + row + row + '\n';
    while (content.size() < wider.size()) content += content.empty() ? "1,2\n" : "5,6\n";
    wider.resize(content.size(), ' ');
    const CsvDataset<double> rows(folder.add("t.csv", content), header ? "1" : "column1", options);
    folder.change_unseen("t.csv", wider);
    CHECK(message_of<FileError>([&] {
            rows.rows(Rows{0});
          }).ends_with(": the file has changed since it was opened; open it again"));
  }
}

TEST_CASE("a change that the file's time does not show is an error with its place") {
  const Folder folder;
  const std::string content = counting(8000);
  const std::string path = folder.add("t.csv", content);
  const CsvDataset<double> rows(path, "a");
  std::string other = content;
  other[content.find("\n7000,") + 6] = 'x';
  folder.change_unseen("t.csv", other);
  CHECK(rows.rows(Rows{6000}).y.data()[0] == 6000);
  CHECK(message_of<FileError>([&] {
          rows.rows(Rows{1, 7000});
        }) == path + ":7002:6: column \"b\": \"x000.25\" is not a number");
  // Two rows become one comment of the same length, or one quoted field.
  other = content;
  other[content.find("\n7999,")] = '0';
  folder.change_unseen("t.csv", other);
  CHECK(message_of<FileError>([&] { rows.rows(Rows{7999}); }).find(path + ":8000:") == 0);
  other = content;
  other.replace(content.find("\n7999,") + 1, 99, std::string(99, '\n')).resize(content.size());
  folder.change_unseen("t.csv", other);
  CHECK(message_of<FileError>([&] {
          rows.rows(Rows{7999});
        }).find("the file has changed since it was opened; open it again") != std::string::npos);
  folder.change_unseen("t.csv", content);
  CHECK(rows.rows(Rows{7999}).x.data()[1] == -7999);
}

TEST_CASE("rows may be longer than the distance of remembered places") {
  const Folder folder;
  std::string content = "a,b\n";
  for (int i = 0; i < 20; ++i) {
    content += std::to_string(i) + ',' + std::string(20000, ' ') + std::to_string(-i) + '\n';
  }
  check_same(content, "a");
  const std::string path = folder.add("t.csv", content);
  const CsvDataset<double> rows(path, "a");
  content[content.find("\n7,") + 1] = 'x';
  folder.change_unseen("t.csv", content);
  CHECK(message_of<FileError>([&] { rows.rows(Rows{7}); }) ==
        path + ":9:1: column \"a\": \"x\" is not a number");
}

TEST_CASE("the first pass reports its progress") {
  const Folder folder;
  const std::string content = counting(400000), path = folder.add("t.csv", content);
  std::int64_t calls = 0, last = 0;
  const CsvDataset<double> rows(path, "a",
                                {.read = {.progress = [&](std::int64_t done, std::int64_t total) {
                                   CHECK(total == std::int64_t(content.size()));
                                   CHECK(done > last);
                                   last = done;
                                   ++calls;
                                 }}});
  CHECK((calls > 1 && last == std::int64_t(content.size())));
  CHECK(rows.rows(Rows{399999}).y.data()[0] == 399999);
  CHECK(last == std::int64_t(content.size()));
}

}  // TEST_SUITE("csv data set")

TEST_SUITE("csv data set threads") {

TEST_CASE("several threads may read rows at once") {
  const Folder folder;
  const CsvDataset<float> rows(folder.add("t.csv", counting(3000)), "c");
  std::atomic<std::int64_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      Stream stream(number);
      for (int i = 0; i < 20; ++i) {
        const auto order = permutation(3000, stream);
        const auto batch = rows.rows(std::span(order).first(50));
        for (std::int64_t k = 0; k < 50; ++k) {
          const auto row = float(order[std::size_t(k)]);
          wrong += batch.x.data()[2 * k] != row || batch.x.data()[2 * k + 1] != row + 0.25F ||
                   batch.y.data()[k] != -row;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // TEST_SUITE("csv data set threads")

TEST_SUITE("csv data set") {

TEST_CASE("a loader takes a CSV data set") {
  const Folder folder;
  data::Loader loader(CsvDataset<float>(folder.add("t.csv", counting(100)), "a"),
                      {.batch_size = 7, .seed = 1});
  static_assert(data::Dataset<CsvDataset<float>>);
  double sum = 0;
  for (const auto& [x, y] : loader) {
    for (std::int64_t i = 0; i < y.size(); ++i) sum += double(y.data()[i]);
  }
  CHECK(sum == 99 * 50);
}

}  // TEST_SUITE("csv data set")
