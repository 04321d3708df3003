// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::Missing;
using data::Table;
using ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T>
constexpr T gone = std::numeric_limits<T>::quiet_NaN();

template <class T>
std::string written(const Table<T>& table, const data::CsvWriteOptions& options = {}) {
  const test::Folder folder;
  data::write_csv(folder.path("t.csv"), table, options);
  CHECK(folder.names() == Names{"t.csv"});
  return test::content_of(folder.path("t.csv"));
}

template <class T>
Table<T> again(const Table<T>& table, const std::string& name = "t.csv") {
  const test::Folder folder;
  data::write_csv(folder.path(name), table);
  return data::read_csv<T>(folder.path(name), {.missing = Missing::nan});
}

}  // namespace

TEST_SUITE("csv writer") {

TEST_CASE_TEMPLATE("numbers are written with as few digits as possible, and levels as texts", T,
                   float, double) {
  const Table<T> table({{"a"}, {"b c", Kind::categorical, {"x", "y"}}},
                       Array<T>::of({{T(0.1), 1}, {-0.0, gone<T>}, {gone<T>, 0}, {T(1e22), 1}}));
  CHECK(written(table) == "a,b c\n0.1,y\n-0,\n,x\n1e+22,y\n");
  CHECK(written(table, {.separator = ';', .missing_name = "NA"}) ==
        "a;b c\n0.1;y\n-0;NA\nNA;x\n1e+22;y\n");
}

TEST_CASE_TEMPLATE("any finite number reads back to the same bits", T, float, double) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::mt19937_64 random(3);
  std::vector<T> values{0,
                        T(-0.0),
                        std::numeric_limits<T>::max(),
                        std::numeric_limits<T>::min(),
                        std::numeric_limits<T>::denorm_min(),
                        -std::numeric_limits<T>::max()};
  while (values.size() < 60000) {
    const auto bits = Bits(random());
    T value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) values.push_back(value);
  }
  const Array<T> array({20000, 3}, std::span<const T>(values));
  CHECK_AGREES(same_bits(again(Table<T>({{"a"}, {"b"}, {"c"}}, array)).values(), array));
}

TEST_CASE("texts that need quotes get them, and read back") {
  const Names levels{"\"",     "#x",  "-nan", "NA",  "\xEF\xBB\xBF", "a\"b", "a\nb",
                     "a\r\nb", "a,b", " a",   "a\t", "null",         "x y",  "\xC3\xA9"};
  std::vector<double> codes;
  for (std::size_t i = 0; i < levels.size(); ++i) codes.push_back(double(i));
  const Shape shape{std::int64_t(codes.size()), 1};
  for (const std::string name : {"\xEF\xBB\xBF"
                                 "bom",
                                 "#", "a,b", "\"", "two\nlines", " ", "NA"}) {
    CAPTURE(name);
    const Table<double> table({{name, Kind::categorical, levels}},
                              Array<double>(shape, std::span<const double>(codes)));
    const auto read = again(table);
    CHECK(read.names() == Names{name});
    REQUIRE(read.rows() == table.rows());
    for (std::int64_t i = 0; i < table.rows(); ++i) {
      CHECK(read.level(i, name) == levels[std::size_t(i)]);
    }
  }
  CHECK(written(Table<double>({{"a", Kind::categorical, {"?", "plain"}}},
                              Array<double>({2, 1}, {0, 1})),
                {.missing_name = "?"}) == "a\n\"?\"\nplain\n");
}

TEST_CASE("a missing value alone in its row is not written as an empty line") {
  const Table<float> table({{"a"}}, Array<float>({3, 1}, {1, gone<float>, 2}));
  CHECK(written(table) == "a\n1\n\"\"\n2\n");
  CHECK_AGREES(same_bits(again(table).values(), table.values()));
}

TEST_CASE("a table larger than the buffer is written, compressed if the name says so") {
  std::vector<double> values;
  for (int i = 0; i < 100000; ++i) values.push_back(i / 8.0);
  const Array<double> array({50000, 2}, std::span<const double>(values));
  const Table<double> table({{"a"}, {"b"}}, array);
  CHECK_AGREES(same_bits(again(table).values(), array));
  CHECK_AGREES(same_bits(again(table, "t.csv.gz").values(), array));
  const test::Folder folder;
  data::write_csv(folder.path("t.csv.gz"), table);
  const std::string content = test::content_of(folder.path("t.csv.gz"));
  CHECK(content.starts_with("\x1f\x8b"));
  CHECK(content.size() < 300000);
}

TEST_CASE("write_tsv writes tabs between fields") {
  const test::Folder folder;
  const Table<float> table({{"a"}, {"b\tc"}}, Array<float>::of({{1, 2}}));
  data::write_tsv(folder.path("t.tsv"), table);
  CHECK(test::content_of(folder.path("t.tsv")) == "a\t\"b\tc\"\n1\t2\n");
  CHECK(data::read_tsv<float>(folder.path("t.tsv")).names() == table.names());
}

TEST_CASE("a table that no reader accepts is refused, and the old file stays") {
  const test::Folder folder;
  const std::string path = folder.add("t.csv", "old");
  const auto refusal = [&](const Array<double>& values, const data::CsvWriteOptions& options = {}) {
    const Table<double> table({{"a"}}, values);
    return test::message_of<ArgumentError>([&] { data::write_csv(path, table, options); });
  };
  CHECK(refusal(Array<double>({2, 1}, {1, std::numeric_limits<double>::infinity()})) ==
        "write_csv: column \"a\", row 1 is infinite, which no reader of numbers accepts; replace "
        "it");
  CHECK(refusal(Array<double>::zeros({0, 1})) ==
        "write_csv: a table without values, which no reader accepts");
  const auto one = Array<double>({1, 1}, {1});
  CHECK(refusal(one, {.separator = '1'}) == "write_csv: \"1\" cannot separate fields");
  for (const char* name : {"0", "-1e5", "a,b", "\"", " x", "#"}) {
    CHECK(refusal(one, {.missing_name = name}).ends_with(" cannot be the text of a missing value"));
  }
  CHECK(test::content_of(path) == "old");
  CHECK(folder.names() == Names{"t.csv"});
}

TEST_CASE("texts that would be lost or refused on reading are not written") {
  const test::Folder folder;
  const auto refusal = [&](data::Column column) {
    const Table<double> table({std::move(column)}, Array<double>::zeros({1, 1}));
    return test::message_of<ArgumentError>([&] { data::write_csv(folder.path("t.csv"), table); });
  };
  CHECK(refusal({"a", Kind::categorical, {"x", ""}}) ==
        "write_csv: column \"a\" has a level of no characters, which reads back as a missing "
        "value; rename it");
  CHECK(refusal({"a", Kind::categorical, {"x", "\xff"}})
            .ends_with("is not UTF-8 without zero bytes, as readers expect"));
  CHECK(refusal({"\xe9t\xe9"}).ends_with("is not UTF-8 without zero bytes, as readers expect"));
  CHECK(refusal({std::string("a\0b", 3)})
            .ends_with("is not UTF-8 without zero bytes, as readers expect"));
  // The level "" is refused: readers would take it for a missing value.
  const Table<double> table({{"a", Kind::categorical, {"", "x"}}}, Array<double>::zeros({1, 1}));
  CHECK_THROWS_AS(data::write_csv(folder.path("t.csv"), table, {.missing_name = "NA"}),
                  ArgumentError);
  CHECK(folder.names().empty());
}

}  // TEST_SUITE("csv writer")

TEST_SUITE("csv") {

TEST_CASE(
    "a gzip file is recognized by its first bytes, and an error has the offset of the damage") {
  const test::Folder folder;
  data::write_csv(folder.path("a.csv.gz"),
                  Table<double>({{"a"}, {"b"}}, Array<double>::of({{1, 2}, {3, 4}})));
  std::string content = test::content_of(folder.path("a.csv.gz"));
  const std::string path = folder.add("plain_name", content);
  CHECK_AGREES(
      same_bits(data::read_csv<double>(path).values(), Array<double>::of({{1, 2}, {3, 4}})));
  folder.add("plain_name", content + content);  // two members: the second header is a row of texts
  CHECK(data::read_csv<double>(path).rows() == 5);
  for (std::size_t n = 3; n < content.size(); ++n) {
    folder.add("plain_name", content.substr(0, n));
    CHECK(test::message_of<FileError>([&] { data::read_csv<double>(path); }) ==
          path + ": byte " + std::to_string(n) + ": the file ends within compressed data");
  }
  content[content.size() - 8] ^= 1;
  folder.add("plain_name", content);
  CHECK(test::message_of<FileError>([&] {
          data::read_csv<double>(path);
        }).find("the compressed data are damaged") != std::string::npos);
}

}  // TEST_SUITE("csv")
