// SPDX-License-Identifier: BSD-3-Clause
// Kinds of columns, missing values, and the options of the reader.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/splits/table_split.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::CsvOptions;
using data::Kind;
using data::Missing;
using ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T = double>
data::Table<T> read(const std::string& content, const CsvOptions& options = {}) {
  const test::Folder folder;
  return data::read_csv<T>(folder.add("t.csv", content), options);
}

/// The error, after the name of the file.
template <class T = double>
std::string error(const std::string& content, const CsvOptions& options = {}) {
  const test::Folder folder;
  const std::string path = folder.add("t.csv", content);
  const std::string text = test::message_of<FileError>([&] { data::read_csv<T>(path, options); });
  return text.starts_with(path) ? text.substr(path.size() + 1) : text;
}

/// One letter a column: n or c.
std::string kinds(const auto& table) {
  std::string letters;
  for (const auto& column : table.columns()) letters += column.kind == Kind::numeric ? 'n' : 'c';
  return letters;
}

constexpr double gone = std::numeric_limits<double>::quiet_NaN();
const CsvOptions as_nan{.missing = Missing::nan};

}  // namespace

TEST_SUITE("csv") {

TEST_CASE_TEMPLATE("a column is numeric if all values present are numbers", T, float, double) {
  const auto table = read<T>("a,b,c,d\n1,x,1,\n2,1,-2e1,NA\n3,y,,NaN\n", as_nan);
  CHECK(kinds(table) == "ncnn");
  CHECK(table.columns()[1].levels == Names{"1", "x", "y"});
  constexpr T none = std::numeric_limits<T>::quiet_NaN();
  CHECK_AGREES(same_bits(table.values(),
                         Array<T>::of({{1, 1, 1, none}, {2, 0, -20, none}, {3, 2, none, none}})));
  CHECK(table.level(0, "b") == "x");
  CHECK(table.level(1, "b") == "1");
}

TEST_CASE("levels are sorted, in any order of the rows") {
  const auto table = read("a,b\nz,1\nm,2\nz,3\n\"a,b\",4\n\"\xC3\xA9\",5\nB,6\n");
  CHECK(table.columns()[0].levels == Names{"B", "a,b", "m", "z", "\xC3\xA9"});
  CHECK_AGREES(same_bits(table.column("a"), Array<double>({6, 1}, {3, 2, 3, 1, 4, 0})));
}

TEST_CASE("one text far down makes its whole column categorical") {
  std::string content = "a,b,c\n";
  for (int i = 0; i < 50000; ++i) content += "050,2,15\n";
  content += "x,2,3\n4,2,y\n";
  const auto table = read(content);
  CHECK(kinds(table) == "cnc");
  CHECK(table.columns()[0].levels == Names{"050", "4", "x"});
  CHECK(table.columns()[2].levels == Names{"15", "3", "y"});
  CHECK(table.rows() == 50002);
  CHECK(table.level(0, "a") == "050");
  CHECK(table.level(50000, "a") == "x");
  CHECK(table.level(50001, "a") == "4");
  CHECK(table.values()(50000, 1) == 2);
  CHECK(table.level(50001, "c") == "y");
  CHECK(error(content + "1,2\n") == "50004:3: the row ends after field 2; 3 fields were expected");
  CHECK(error(content + "1,2,3,4\n") == "50004:7: the row continues; 3 fields were expected");
}

TEST_CASE("kinds are given for some columns, or all others") {
  const std::string content = "a,b\n1,2\n10,2\n";
  const auto one = read(content, {.kinds = {{"a", Kind::categorical}}});
  CHECK(kinds(one) == "cn");
  CHECK(one.columns()[0].levels == Names{"1", "10"});
  CHECK(kinds(read(content, {.kind = Kind::categorical})) == "cc");
  CHECK(kinds(read(content, {.kinds = {{"b", Kind::numeric}}, .kind = Kind::categorical})) == "cn");
  CHECK(error("a\n1\nx\n", {.kinds = {{"a", Kind::numeric}}}) ==
        "3:1: column \"a\": \"x\" is not a number");
  CHECK(error("a,b\n1,y\nx,1\n", {.kinds = {{"a", Kind::numeric}}}) ==
        "3:1: column \"a\": \"x\" is not a number");
  CHECK(test::message_of<ArgumentError>([&] {
          read(content, {.kinds = {{"c", Kind::numeric}}});
        }).starts_with("read_csv: the options give a kind to column \"c\", but "));
}

TEST_CASE(
    "a text that is not a finite number is an error in a numeric column, a level in another") {
  CHECK(error("a\n1\n1e999\n") == "3:1: column \"a\": \"1e999\" is too large for double");
  CHECK(error("a\n1\ninf\n") ==
        "3:1: column \"a\": \"inf\" is not a finite number; replace it or remove the row");
  const auto table = read("a\n1e999\ninf\nabc\nabd\n");
  CHECK(kinds(table) == "c");
  CHECK(table.columns()[0].levels == Names{"1e999", "abc", "abd", "inf"});
}

TEST_CASE("each policy for missing values does what its name says") {
  const std::string content = "a,b\n1,2\n,4\nNA,6\n4,\n10,7\n";
  const auto filled = [&](const CsvOptions& options) { return read(content, options).values(); };
  CHECK(error(content) ==
        "3:1: column \"a\": the value is missing; fill it in or remove the row, or set "
        "CsvOptions::missing");
  CHECK_AGREES(same_bits(filled(as_nan),
                         Array<double>::of({{1, 2}, {gone, 4}, {gone, 6}, {4, gone}, {10, 7}})));
  CHECK_AGREES(
      same_bits(filled({.missing = Missing::drop_row}), Array<double>::of({{1, 2}, {10, 7}})));
  CHECK_AGREES(same_bits(filled({.missing = Missing::mean}),
                         Array<double>::of({{1, 2}, {5, 4}, {5, 6}, {4, 4.75}, {10, 7}})));
  CHECK_AGREES(same_bits(filled({.missing = Missing::median}),
                         Array<double>::of({{1, 2}, {4, 4}, {4, 6}, {4, 5}, {10, 7}})));
  CHECK_AGREES(same_bits(filled({.missing = Missing::constant, .constant = -1}),
                         Array<double>::of({{1, 2}, {-1, 4}, {-1, 6}, {4, -1}, {10, 7}})));
}

TEST_CASE("rows are dropped before and after the border of blocks, and all but the last") {
  std::string content = "a\n";
  for (int i = 0; i < 300000; ++i) content += i % 3 == 0 ? "NA\n" : "1\n";
  CHECK(read(content, {.missing = Missing::drop_row}).rows() == 200000);
  content = "a\n";
  for (int i = 0; i < 600000; ++i) content += "NA\n";
  CHECK(read(content + "7\n", {.missing = Missing::drop_row}).values().item() == 7);
  CHECK(error("a\nNA\nNA\n", {.missing = Missing::drop_row}) ==
        "1:1: every row misses a value, so that none is left");
  CHECK(error("a,b\n,1\n,2\n", {.missing = Missing::mean}) ==
        "1:1: column \"a\" has no value to fill in for the others; drop it or fill in a constant");
}

TEST_CASE("a missing category is NaN, drops its row or is refused") {
  const std::string content = "a,b\nx,1\n,2\n\"NA\",3\nNA,4\n\"\",5\n";
  const auto table = read(content, as_nan);
  CHECK(table.columns()[0].levels == Names{"NA", "x"});  // in quotes it is a text
  CHECK_AGREES(same_bits(table.column("a"), Array<double>({5, 1}, {1, gone, 0, gone, gone})));
  CHECK(read(content, {.missing = Missing::drop_row}).rows() == 2);
  for (const Missing policy : {Missing::mean, Missing::median, Missing::constant}) {
    CHECK(error(content, {.missing = policy})
              .starts_with("3:1: column \"a\": a category is missing"));
  }
  CHECK(error(content).starts_with("3:1: column \"a\": the value is missing"));
}

TEST_CASE("the name of a missing value in quotes is missing in numeric columns only") {
  CHECK(kinds(read("a\n\"1\"\n\"NA\"\n", as_nan)) == "n");
  CHECK(read("a\n\"1\"\n\"NA\"\n", {.missing = Missing::drop_row}).rows() == 1);
  CHECK(read("a,b\n\"NA\",1\nx,2\n").columns()[0].levels == Names{"NA", "x"});
  CHECK(read("a,b\n\"NA\",1\nx,2\n", {.missing = Missing::drop_row}).rows() == 2);
  CHECK(error("a,b\n1,1\n\"NA\",2\n").starts_with("3:1: column \"a\": the value is missing"));
}

TEST_CASE("the names of missing values are an option") {
  CHECK(read("a\n1\n?\n", {.missing = Missing::drop_row, .missing_names = {"?"}}).rows() == 1);
  CHECK(read("a\nNA\nx\n", {.missing_names = {"?"}}).columns()[0].levels == Names{"NA", "x"});
  const auto empty = read("a,b\n,1\nx,2\n", {.missing_names = {}});
  CHECK(empty.columns()[0].levels == Names{"", "x"});
  CHECK(error("a\nnan\n", {.missing_names = {}, .kind = Kind::numeric})
            .starts_with("2:1: column \"a\": \"nan\" is not a finite number"));
}

TEST_CASE_TEMPLATE("a number may mean a missing value", T, float, double) {
  const CsvOptions options{.missing = Missing::nan, .missing_names = {"-999", "9e9", ""}};
  const auto table = read<T>("a,b,c\n-999,-999,x\n1,9e9,\n-999.0,-9990,-999\n2,,y\n", options);
  CHECK(kinds(table) == "nnc");
  constexpr T none = std::numeric_limits<T>::quiet_NaN();
  CHECK_AGREES(same_bits(
      table.values(),
      Array<T>::of({{none, none, 0}, {1, none, none}, {-999, -9990, none}, {2, none, 1}})));
  CHECK(error<T>("a\n1\n-999\n", {.missing_names = {"-999"}}).starts_with("3:1: column \"a\":"));
  CHECK_AGREES(same_bits(
      read<T>("a\n1\n-999\n3\n", {.missing = Missing::mean, .missing_names = {"-999"}}).values(),
      Array<T>({3, 1}, {1, 2, 3})));
}

TEST_CASE("dropped rows leave no levels") {
  const auto table = read("a,b\n1,y\n,w\n3,x\n,y\n5,z\n", {.missing = Missing::drop_row});
  CHECK(table.columns()[1].levels == Names{"x", "y", "z"});
  CHECK_AGREES(same_bits(table.values(), Array<double>({3, 2}, {1, 1, 3, 0, 5, 2})));
}

TEST_CASE("a table with missing values filled from all rows cannot be split") {
  const data::Fold fold{{0, 1}, {2}};
  const std::string holes = "a,b\n1,2\n,4\n3,6\n";
  for (const Missing missing : {Missing::mean, Missing::median}) {
    const auto filled = read(holes, {.missing = missing});
    CHECK(
        test::message_of<ArgumentError>([&] { data::split(filled.head(3), fold); })
            .ends_with(std::string("went through Missing::") +
                       (missing == Missing::mean ? "mean" : "median") +
                       " of read_csv, which was fitted on them, so that each part contains "
                       "information about the others; split first, then fit on the training part"));
    // No value was missing at the fit, so there is no value to fill in.
    CHECK(data::split(read("a\n1\n2\n3\n", {.missing = missing}), fold).train.rows() == 2);
  }
  CHECK(data::split(read(holes, as_nan), fold).train.rows() == 2);
  CHECK(data::split(read(holes, {.missing = Missing::constant}), fold).train.rows() == 2);
}

TEST_CASE("kinds can be given to many columns") {
  constexpr int columns = 1000;
  std::string names, values;
  CsvOptions options;
  for (int j = 0; j < columns; ++j) {
    const std::string name = "column_" + std::to_string(j);
    options.kinds[name] = Kind::categorical;
    if (j > 0) names += ',';
    names += name;
    values += j ? ",1" : "1";
  }
  options.kinds.erase("column_500");
  const auto table = read(names + '\n' + values + '\n', options);
  CHECK(kinds(table) == std::string(500, 'c') + 'n' + std::string(499, 'c'));
}

TEST_CASE("a file may lack a header, have comments, or both") {
  const auto bare = read("1,x\n2,y\n", {.header = false});
  CHECK(bare.names() == Names{"column1", "column2"});
  CHECK(kinds(bare) == "nc");
  CHECK(bare.rows() == 2);
  CHECK_AGREES(same_bits(read("1", {.header = false}).values(), Array<double>({1, 1}, {1})));
  CHECK(error("", {.header = false}) == "1:1: the file is empty; rows of numbers are expected");
  CHECK(error("1,2\n3\n", {.header = false}) ==
        "2:1: the row ends after field 1; 2 fields were expected");

  const std::string commented = "# one\n  #two\r\na,b\n#x,y,z\n1,2\n\t# \"\n3,4\n#";
  const auto expected = Array<double>::of({{1, 2}, {3, 4}});
  CHECK_AGREES(same_bits(read(commented, {.comment = '#'}).values(), expected));
  CHECK_AGREES(
      same_bits(read("#\n1,2\n#\n3,4\n", {.header = false, .comment = '#'}).values(), expected));
  CHECK(error("#\na\n1\nx\n", {.comment = '#', .kind = Kind::numeric}) ==
        "4:1: column \"a\": \"x\" is not a number");
  CHECK(error("a\n1\n\n#\n2\n", {.comment = '#'}) == "3:1: an empty line between rows; remove it");
  CHECK(read("a\n1\n\n#\n\n", {.comment = '#'}).rows() == 1);
  // In quotes, and after the first character of a line, it is a character like others.
  CHECK(read("a,b\n\"#\",1\nx#,2\n", {.comment = '#'}).columns()[0].levels == Names{"#", "x#"});
  CHECK(read("#a\n1\n").names() == Names{"#a"});
  const std::string long_comment = '#' + std::string(1 << 20, 'x') + "\r\n";
  CHECK(read(long_comment + "a\n" + long_comment + "1\n", {.comment = '#'}).values().item() == 1);
}

TEST_CASE("tabs separate fields, and invalid options are refused") {
  const test::Folder folder;
  const std::string path = folder.add("t.tsv", "a\tb\n1,x\t2\n\t3\n");
  const auto table = data::read_tsv<double>(path, as_nan);
  CHECK(kinds(table) == "cn");
  CHECK(table.level(0, "a") == "1,x");
  CHECK(std::isnan(table.values()(1, 0)));
  for (const char comment : {',', '"', '\n', '\r', ' ', '\t'}) {
    CHECK_THROWS_AS(read("a\n1\n", {.comment = comment}), ArgumentError);
  }
  CHECK_THROWS_AS(read("a\n1\n", {.missing = Missing::constant, .constant = gone}), ArgumentError);
  CHECK_THROWS_AS(read("a\n1\n", {.read = {.max_bytes = -1}}), ArgumentError);
}

TEST_CASE("texts must be UTF-8") {
  CHECK(error("a,b\n\xE9t\xE9,1\n") ==
        "2:1: column \"a\": \"\xE9t\xE9\" is not UTF-8; convert the file to it");
  CHECK(error("\xE9,b\n1,1\n") == "1:1: the name \"\xE9\" is not UTF-8; convert the file to it");
  CHECK(error(std::string("a,b\nx\0,1\n", 9))
            .starts_with("2:1: column \"a\": \"x?\" has a zero byte"));
  CHECK(error("\xFF\xFE"
              "a") == "1:1: the text is UTF-16; convert it to UTF-8 first");
  for (const char* good : {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                           "a\xC3\xA9"
                           "b"}) {
    CHECK(read(std::string("a\n") + good + "\n").columns()[0].levels == Names{good});
  }
  for (const char* bad :
       {"\x80", "\xC1\xBF", "\xC3", "\xC3\x29", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    CHECK(error(std::string("a\n") + bad + "x\n").find("is not UTF-8") != std::string::npos);
  }
}

TEST_CASE("memory is capped, and the cap counts rows, texts and long fields") {
  const auto capped = [](std::int64_t bytes) { return CsvOptions{.read = {.max_bytes = bytes}}; };
  std::string numbers = "a,b\n", levels = "a\n";
  for (int i = 0; i < 200000; ++i) numbers += "1,2\n";
  for (int i = 0; i < 20000; ++i) levels.append(1, 'x').append(std::to_string(i)).append("\n");
  CHECK(read<float>(numbers, capped(3 << 20)).rows() == 200000);
  CHECK(error<float>(numbers, capped(1 << 20)).find("set max_bytes") != std::string::npos);
  // A text in a late row makes the reader start again.
  CHECK(read<float>(numbers + "x,1\n", capped(4 << 20)).rows() == 200001);
  CHECK(read<float>(levels, capped(6 << 20)).rows() == 20000);
  CHECK(error<float>(levels, capped(2 << 20)).find("set max_bytes") != std::string::npos);
  std::string field = "a\n\"";
  field.append(4 << 20, 'x');
  CHECK(error<float>(field, capped(4 << 20)).find("set max_bytes") != std::string::npos);
  CHECK(error<float>(field) == "2:1: this quote is never closed");
}

TEST_CASE("progress is reported during a read, twice if the file is read twice") {
  std::string content = "a,b\n";
  for (int i = 0; i < 2000000; ++i) content += "1.5,2\n";
  std::vector<std::pair<std::int64_t, std::int64_t>> told;
  const CsvOptions options{.read = {.progress = [&](std::int64_t done, std::int64_t total) {
                             told.emplace_back(done, total);
                           }}};
  const auto size = std::int64_t(content.size());
  read<float>(content, options);
  CHECK(told.size() == 3);
  CHECK(told.back() == std::pair(size, size));
  told.clear();
  content.replace(content.size() - 6, 6, "x,2\n\n\n");
  read<float>(content, options);
  CHECK(told.back() == std::pair(2 * size, 2 * size));
  for (std::size_t i = 1; i < told.size(); ++i) CHECK(told[i].first > told[i - 1].first);
  const auto stop = [](std::int64_t, std::int64_t) { throw std::runtime_error("stop"); };
  CHECK_THROWS_WITH(read<float>(content, {.read = {.progress = stop}}), "stop");
}

TEST_CASE("an integer that would be rounded is an error that names the way out") {
  const std::string way_out =
      "give it Kind::categorical in CsvOptions::kinds if it is a name, or set read.round_integers";
  const std::string ids = "id,x\n9007199254740992,1\n9007199254740993,2\n";
  CHECK(
      error(ids) ==
      "3:1: column \"id\": \"9007199254740993\" would be rounded to 9007199254740992 by double; " +
          way_out);
  CHECK(error(ids, {.kind = Kind::numeric}) == error(ids));
  CHECK(error("id\n-123456789012345678901\n", {.missing_names = {"-9"}}) ==
        "2:1: column \"id\": \"-123456789012345678901\" would be rounded to "
        "-123456789012345683968 by double; " +
            way_out);
  CHECK(error<float>("a,id\n1,16777217\n") ==
        "2:3: column \"id\": \"16777217\" would be rounded to 16777216 by float; read it as "
        "double, or " +
            way_out);
  const auto names = read(ids, {.kinds = {{"id", Kind::categorical}}});
  CHECK(names.columns()[0].levels == Names{"9007199254740992", "9007199254740993"});
  CHECK(read(ids, {.read = {.round_integers = true}}).values()(1, 0) == 0x1p53);
  CHECK(read<float>("a\n16777217\n", {.read = {.round_integers = true}}).values()[0] == 0x1p24f);
  // A text below shows that they are names.
  CHECK(kinds(read(ids + "x12,3\n")) == "cn");
  // Exact ones, and numbers that say by their form that they may be rounded.
  const auto exact = read(
      "a\n+9007199254740994\n100000000000000000000\n0.10000000000000000001\n"
      "9007199254740993.0\n9007199254740993e0\n-00000000000000000000000012\n");
  CHECK_AGREES(same_bits(exact.values(),
                         Array<double>({6, 1}, {0x1p53 + 2, 1e20, 0.1, 0x1p53, 0x1p53, -12})));
  CHECK(read<float>("a\n33554436\n16777217.5\n").values()[0] == 33554436);
}

TEST_CASE("a first line of numbers is not taken for names unless an option says so") {
  const auto refusal = [](const char* place, const char* number) {
    return std::string(place) + ": the first line has the number \"" + number +
           "\" where a name is expected; set CsvOptions::header to false if the line is a row, or "
           "number_names to true if it has names";
  };
  CHECK(error("5.1,3.5\n4.9,3\n") == refusal("1:1", "5.1"));
  CHECK(error("1,2\n3,4\n") == refusal("1:1", "1"));
  CHECK(error("1,1\n3,4\n") == refusal("1:1", "1"));
  CHECK(error("1,,2\n3,4,5\n") == refusal("1:1", "1"));
  CHECK(error("NA,2\n3,4\n") == refusal("1:4", "2"));
  CHECK(error("5,3.5,setosa\n4.9,3,setosa\n") == refusal("1:3", "3.5"));
  CHECK(read("5.1,3.5\n4.9,3\n", {.header = false}).rows() == 2);
  CHECK(read("2001,2002\n4.9,3\n", {.number_names = true}).names() == Names{"2001", "2002"});
  CHECK(read("country,2001,2002\nx,4.9,3\n").rows() == 1);
  // A text of the first line that is in its column again is no name.
  CHECK(error("39,State-gov\n50,Private\n38,State-gov\n") == refusal("1:1", "39"));
  CHECK(error("Private,39\nPrivate,50\n") == refusal("1:9", "39"));
  CHECK(read("country,2001\nx,2001\n").rows() == 1);
  CHECK(read("country,size\ncountry,2\n").rows() == 1);
  CHECK(read("x,39\nx,50\n", {.number_names = true}).names() == Names{"x", "39"});
}

TEST_CASE("a file read with the wrong separator is refused") {
  CHECK(
      error("a;b\n1;2\n") ==
      "1:1: there is one column, but \"a;b\" has \";\" in it; set CsvOptions::separator to ';' if "
      "it separates fields, or put the text in quotes");
  CHECK(error("a\tb\n1\t2\n").find("has a tab in it; set CsvOptions::separator to '\\t' if") !=
        std::string::npos);
  CHECK(error("a,b\n1,2\n", {.separator = ';'}).find("has \",\" in it") != std::string::npos);
  CHECK(
      error("1|2\n3|4\n", {.header = false}) ==
      "1:1: there is one column, but \"1|2\" has \"|\" in it; set CsvOptions::separator to '|' if "
      "it separates fields, or put the text in quotes");
  CHECK(read("\"a;b\"\n1\n").names() == Names{"a;b"});
  CHECK(kinds(read("text\nso; it\n")) == "c");
  CHECK(kinds(read("a;b,c\n1,2\n")) == "nn");
}

TEST_CASE("a column of numbers with a few texts is refused, and the first text named") {
  std::string content = "id,price\n";
  for (int i = 0; i < 1000; ++i) {
    const std::string price = i == 700 ? "\"1,234\"" : std::to_string(100 + i) + ".5";
    content += std::to_string(i) + ',' + price + '\n';
  }
  CHECK(error(content) ==
        "702:5: column \"price\": \"1,234\" is not a number, but 999 of the 1000 different values "
        "are; correct it, add it to CsvOptions::missing_names and set CsvOptions::missing if it "
        "means "
        "a missing value, or give the column Kind::categorical in CsvOptions::kinds");
  CHECK(error(content, as_nan).find("missing_names if it means") != std::string::npos);
  CHECK(kinds(read(content, {.kinds = {{"price", Kind::categorical}}})) == "nc");
  CHECK(kinds(read(content, {.missing = Missing::nan, .missing_names = {"1,234"}})) == "nn");
  CHECK(kinds(read("grade\n1\n2\n3\nnone given\nnone given\n")) == "c");
}

TEST_CASE("a file whose columns change between its two passes is refused") {
  const test::Folder folder;
  const std::string path = folder.add("t.csv", "a,b\n1,2\nx,2\n");
  std::string wide = "a";
  for (int j = 0; j < 3000; ++j) wide += ",c" + std::to_string(j);
  const auto change = [&](std::int64_t, std::int64_t) { folder.add("t.csv", wide); };
  CHECK(test::message_of<FileError>([&] {
          data::read_csv<double>(path, {.read = {.progress = change}});
        }) == path + ": the file was changed while it was read; read it again");
}

}  // TEST_SUITE("csv")
