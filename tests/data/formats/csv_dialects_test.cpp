// SPDX-License-Identifier: BSD-3-Clause
// Files as other programs write them: fields apart by blanks, decimal commas, an index column.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/sets/csv_dataset.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::CsvOptions;
using data::IndexColumn;
using data::Kind;
using data::Missing;
using data::Rows;
using ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T = double>
data::Table<T> read(const std::string& content, const CsvOptions& options = {}) {
  const test::Folder folder;
  return data::read_csv<T>(folder.add("t.csv", content), options);
}

/// The error, after the name of the file.
std::string error(const std::string& content, const CsvOptions& options = {}) {
  const test::Folder folder;
  const std::string path = folder.add("t.csv", content);
  const std::string text =
      test::message_of<FileError>([&] { data::read_csv<double>(path, options); });
  return text.starts_with(path) ? text.substr(path.size() + 1) : text;
}

/// All rows of a file as a data set with the last column as the target, and x and y side by side.
Array<double> streamed(const std::string& content, const std::string& target,
                       const CsvOptions& options) {
  const test::Folder folder;
  const data::CsvDataset<double> rows(folder.add("t.csv", content), target, options);
  Rows all;
  for (std::int64_t i = 0; i < rows.size(); ++i) all.push_back(i);
  const auto [x, y] = rows.rows(all);
  const std::int64_t width = x.shape()[1];
  auto both = Array<double>::uninitialized({rows.size(), width + 1});
  double* out = both.mutate();
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    out = std::copy_n(x.data() + i * width, width, out);
    *out++ = y.data()[i];
  }
  return both;
}

/// One letter a column: n or c.
std::string kinds(const auto& table) {
  std::string letters;
  for (const auto& column : table.columns()) letters += column.kind == Kind::numeric ? 'n' : 'c';
  return letters;
}

const CsvOptions blanks{.separator = ' '};

}  // namespace

TEST_SUITE("csv") {

TEST_CASE_TEMPLATE("runs of blanks and tabs separate fields if the separator is a blank", T, float,
                   double) {
  const auto expected = Array<T>::of({{1, 2.5, -3}, {4, 5, 60}});
  for (const char* text : {
           "a b c\n1 2.5 -3\n4 5 60\n",                         // one blank
           "  a   b \t c  \n 1  2.5\t-3\n4\t\t5 60 \t",         // runs, and at both ends
           "\ta b c\r\n   1.0   2.50 -3   \r\n4 5 60\r\n\r\n",  // CRLF
           "a b c\r1 2.5 -3\r 4 5 60 \r",                       // CR
           "\"a\" \"b\"  c\n\"1\" 2.5 \"-3\"\n4 \"5\"\t60\n",   // quotes
       }) {
    CAPTURE(text);
    const auto table = read<T>(text, blanks);
    CHECK(table.names() == Names{"a", "b", "c"});
    CHECK_AGREES(same_bits(table.values(), expected));
  }
  const auto cars = read<T>("18.0   8   307.0\t\"chevrolet malibu\"\n 15.0 8 ?  \"a b\"  \n",
                            {.separator = ' ',
                             .header = false,
                             .missing = Missing::constant,
                             .constant = 7,
                             .missing_names = {"?"}});
  CHECK(cars.columns()[3].levels == Names{"a b", "chevrolet malibu"});
  CHECK_AGREES(same_bits(cars.values(), Array<T>::of({{18, 8, 307, 1}, {15, 8, 7, 0}})));
}

TEST_CASE("fields apart by blanks are the same wherever a window ends") {
  for (const char* row :
       {"  -12.5   \"3.25e1\"\t7.125 \r\n", " -12.5 32.5  7.125\n", "-12.50 32.5 7.125    \n"}) {
    CAPTURE(row);
    constexpr int rows = 40000;
    std::string text = " a b  c\n";
    for (int i = 0; i < rows; ++i) text += row;
    const auto values = read(text, blanks).values();
    REQUIRE(values.shape() == Shape{rows, 3});
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      wrong += values(i, 0) != -12.5 || values(i, 1) != 32.5 || values(i, 2) != 7.125;
    }
    CHECK(wrong == 0);
    CHECK(same_bits(streamed(text, "c", blanks), values).holds);
    CHECK(error(text + "  1  2 x\n", {.separator = ' ', .kind = Kind::numeric}) ==
          "40002:8: column \"c\": \"x\" is not a number");
  }
  const std::string wide(1 << 20, ' ');
  CHECK_AGREES(
      same_bits(read("a b\n1" + wide + "2" + wide + "\n" + wide + "3 4\n", blanks).values(),
                Array<double>::of({{1, 2}, {3, 4}})));
}

TEST_CASE("errors in fields apart by blanks have their places") {
  CHECK(error("a b\n 1  2\n  3 \n", blanks) ==
        "3:3: the row ends after field 1; 2 fields were expected");
  CHECK(error("a b\n1 2 \n3   4  5\n", blanks) == "3:8: the row continues; 2 fields were expected");
  CHECK(error("a b\n1 \"2\"3\n", blanks) ==
        "2:3: text follows the closing quote of \"2\"; a quote inside of quotes is written twice");
  CHECK(error("a b\n1 2\n   \n3 4\n", blanks) == "3:1: an empty line between rows; remove it");
  CHECK(
      error("a,b\n1,2\n", blanks) ==
      "1:1: there is one column, but \"a,b\" has \",\" in it; set CsvOptions::separator to ',' if "
      "it separates fields, or put the text in quotes");
  // And the other way round.
  CHECK(
      error("a b\n1  2\n") ==
      "2:1: there is one column, but \"1  2\" has a blank in it; set CsvOptions::separator to ' ' "
      "if it separates fields, or put the text in quotes");
}

TEST_CASE_TEMPLATE("numbers may have a decimal comma", T, float, double) {
  const CsvOptions commas{.separator = ';', .decimal = ','};
  const auto table = read<T>("a;b;c\n1,5;-2e1;x\n,25;+3,;y\n\"7,5\"; 8 ;x,y\n", commas);
  CHECK_AGREES(
      same_bits(table.values(), Array<T>::of({{T(1.5), -20, 0}, {T(0.25), 3, 2}, {T(7.5), 8, 1}})));
  CHECK(table.columns()[2].levels == Names{"x", "x,y", "y"});
  CHECK_AGREES(same_bits(read<T>("a b\n 1,5  2\n", {.separator = ' ', .decimal = ','}).values(),
                         Array<T>::of({{T(1.5), 2}})));
  // Numbers that the fast way leaves to the other.
  CHECK(read<double>("a;b\n1;0,1000000000000000055511151231257827\n", commas).values()[1] == 0.1);
  CHECK(read<double>("a;b\n1;4,9406564584124654e-324\n", commas).values()[1] == 0x1p-1074);
}

TEST_CASE("a number with the other decimal mark is an error that names the option") {
  CHECK(
      error("a;b\n1;2,5\n2;3,5\n", {.separator = ';'}) ==
      "2:3: column \"b\": \"2,5\" is not a number; set CsvOptions::decimal to ',' if the comma is "
      "its decimal mark, or give the column Kind::categorical in CsvOptions::kinds");
  CHECK(
      error("a;b\n1;2,5\n", {.separator = ';', .kind = Kind::numeric}) ==
      "2:3: column \"b\": \"2,5\" is not a number; set CsvOptions::decimal to ',' if the comma is "
      "its decimal mark");
  CHECK(
      error("a;b\n1;2\n2;3.5\n", {.separator = ';', .decimal = ','}) ==
      "3:3: column \"b\": \"3.5\" is not a number; set CsvOptions::decimal to '.' if the point is "
      "its decimal mark, or give the column Kind::categorical in CsvOptions::kinds");
  CHECK(error("1,5;2\n3;4\n", {.separator = ';', .decimal = ','})
            .starts_with("1:1: the first line has the number \"1,5\" where a name is expected"));
  // Texts among them, or a kind that is given, are no such case.
  CHECK(read("a;b\n1;2,5\n1;x\n", {.separator = ';'}).columns()[1].levels == Names{"2,5", "x"});
  CHECK(read("a;b\n1;2,5\n", {.separator = ';', .kinds = {{"b", Kind::categorical}}})
            .columns()[1]
            .levels == Names{"2,5"});
  const auto refusal = [](const CsvOptions& options) {
    return test::message_of<ArgumentError>([&] { read("a\n1\n", options); });
  };
  CHECK(refusal({.decimal = ','}) ==
        "read_csv: \",\" cannot be the decimal mark of a file whose fields it separates");
  CHECK(refusal({.decimal = 'x'}) == "read_csv: \"x\" cannot be the decimal mark");
}

TEST_CASE("a data set of rows takes blanks and decimal commas as read_csv does") {
  const CsvOptions options{.separator = ' ', .decimal = ','};
  std::string text = "  a   b\tc\n";
  for (int i = 0; i < 5000; ++i) text += "  " + std::to_string(i) + ",5 \t -1,25  3\n";
  CHECK_AGREES(same_bits(streamed(text, "c", options), read(text, options).values()));
  const test::Folder folder;
  const std::string path = folder.add("t.csv", text + " 1,5  2.5 3\n");
  CHECK(test::message_of<FileError>([&] { data::CsvDataset<double>(path, "c", options); }) ==
        path +
            ":5002:7: column \"b\": \"2.5\" is not a number; set CsvOptions::decimal to '.' if "
            "the point is its decimal mark");
}

TEST_CASE("a first column without a name is dropped, or read with a name") {
  const std::string pandas = ",a,b\n0,1,2\n1,3,4\n", r = "\"\",\"a\",\"b\"\n\"x\",1,2\n\"y\",3,4\n";
  const std::string table = "\"a\" \"b\"\n\"x\" 1 2\n\"y\" 3 4\n";  // R's write.table
  const auto numbers = Array<double>::of({{1, 2}, {3, 4}});
  CsvOptions drop{.index_column = IndexColumn::drop}, keep{.index_column = IndexColumn::keep};
  for (const std::string& text : {pandas, r, table}) {
    CAPTURE(text);
    drop.separator = keep.separator = text[3] == ' ' ? ' ' : ',';
    const auto dropped = read(text, drop);
    CHECK(dropped.names() == Names{"a", "b"});
    CHECK_AGREES(same_bits(dropped.values(), numbers));
    CHECK_AGREES(same_bits(streamed(text, "b", drop), numbers));
    const auto kept = read(text, keep);
    CHECK(kept.names() == Names{"index", "a", "b"});
    CHECK_AGREES(same_bits(kept.drop({"index"}).values(), numbers));
    CHECK(kept.columns()[0].levels == (text == pandas ? Names{} : Names{"x", "y"}));
  }
  CHECK(read(pandas, {.index_column = IndexColumn::keep, .index_name = "row"}).names() ==
        Names{"row", "a", "b"});
  // A file without such a column is read as it is.
  CHECK(read("a,b\n1,2\n", {.index_column = IndexColumn::drop}).names() == Names{"a", "b"});
  CHECK(error("a,b\n", {.index_column = IndexColumn::drop}) ==
        "2:1: the file ends after its header; rows are expected");
  // The fields of a dropped column are not looked at.
  CHECK_AGREES(
      same_bits(read(",a\nx,1\n,2\n\"3\",4\n", {.index_column = IndexColumn::drop}).values(),
                Array<double>({3, 1}, {1, 2, 4})));
}

TEST_CASE("a first column without a name is an error that names the option") {
  const auto advice = [](int line) {
    return std::to_string(line) +
           ":1: the first column has no name, as the row numbers that pandas and R write; set "
           "CsvOptions::index_column to IndexColumn::drop to leave it out, or to keep";
  };
  CHECK(error(",a,b\n0,1,2\n") == advice(1));
  CHECK(error("\"\",\"a\"\n\"1\",1\n") == advice(1));
  CHECK(error("# from R\n,a\n1,1\n", {.comment = '#'}) == advice(2));
  CHECK(error("a,b\nx,1,2\n") ==
        "2:5: the row continues; 2 fields were expected; if its first is the name of the row, as R "
        "writes it, set CsvOptions::index_column");
  CHECK(error("a,b\n1,2\nx,1,2\n") == "3:5: the row continues; 2 fields were expected");
  // A row of numbers without its first value is no header.
  CHECK(error(",1.5,2\n3,4,5\n").starts_with("1:2: the first line has the number \"1.5\""));
  CHECK(error(",index\n1,2\n", {.index_column = IndexColumn::keep}) ==
        "1:1: the first column is to be named \"index\", as another is; set "
        "CsvOptions::index_name");
  CHECK(error(",a,\n1,2,3\n", {.index_column = IndexColumn::drop}) ==
        "1:4: column 3 has no name; the first line names every column");
  CHECK(error("a,b\nx,1,2\ny,3\n", {.index_column = IndexColumn::drop}) ==
        "3:3: the row ends after field 2; 3 fields were expected");
  const auto refusal = [](const CsvOptions& options) {
    return test::message_of<ArgumentError>([&] { read("a\n1\n", options); });
  };
  CHECK(refusal({.header = false, .index_column = IndexColumn::drop}) ==
        "read_csv: CsvOptions::index_column is for a file with a header; without one, the first "
        "column is named column1");
  CHECK(refusal({.index_name = ""}) == "read_csv: \"\" cannot name a column");
}

TEST_CASE_TEMPLATE("columns and rows to read are chosen", T, float, double) {
  const std::string text = "a,b,c,d\n1,x,2,\n3,,4,\xff\n5,z,6,\"7\"\n";
  const auto some = read<T>(text, {.select = {"a", "c"}});
  CHECK(some.names() == Names{"a", "c"});
  CHECK_AGREES(same_bits(some.values(), Array<T>::of({{1, 2}, {3, 4}, {5, 6}})));
  const auto turned = read<T>(text, {.select = {"c", "b", "a"}, .missing = Missing::drop_row});
  CHECK(turned.names() == Names{"c", "b", "a"});
  CHECK(turned.columns()[1].levels == Names{"x", "z"});
  CHECK_AGREES(same_bits(turned.values(), Array<T>::of({{2, 0, 1}, {6, 1, 5}})));
  CHECK(read<T>(text, {.select = {"b"}, .n_rows = 1}).columns()[0].levels == Names{"x"});
  const auto first = read<T>("a\n1\n2\nx\n", {.n_rows = 2});
  CHECK_AGREES(same_bits(first.values(), Array<T>({2, 1}, {1, 2})));
  CHECK(read<T>("a\n1\n2\nx\n", {.n_rows = 3}).columns()[0].levels == Names{"1", "2", "x"});
  CHECK(read<T>("a\n1\n2\n", {.n_rows = 7}).rows() == 2);
  // Rows that are left out count, so that the rows do not depend on what is missing.
  CHECK(read<T>("a\n1\n\"\"\n3\n", {.n_rows = 2, .missing = Missing::drop_row}).rows() == 1);
  CHECK(read<T>("1,2\n3,4\n", {.header = false, .select = {"column2"}}).values()[1] == 4);
  // Means of what is read.
  const auto filled =
      read<T>("a,b\n1,2\n,3\n9,4\n", {.select = {"b", "a"}, .n_rows = 2, .missing = Missing::mean});
  CHECK_AGREES(same_bits(filled.values(), Array<T>::of({{2, 1}, {3, 1}})));
}

TEST_CASE("a chosen column that the file lacks is an error that lists the columns") {
  CHECK(error("a,b\n1,2\n", {.select = {"a", "z"}}) ==
        "1:1: no column \"z\" to select; there are a, b");
  CHECK(error(",b\n1,2\n", {.index_column = IndexColumn::drop, .select = {"index"}}) ==
        "1:1: no column \"index\" to select; there are b");
  CHECK(read(",b\n1,2\n", {.index_column = IndexColumn::keep, .select = {"index"}}).values()[0] ==
        1);
  // Rows must still be whole.
  CHECK(error("a,b\n1,2\n3\n", {.select = {"a"}}) ==
        "3:1: the row ends after field 1; 2 fields were expected");
  CHECK(error("a,b\n1,2\n3,4,5\n", {.select = {"a"}}) ==
        "3:5: the row continues; 2 fields were expected");
  CHECK(error("a,b,c\n1,2,3\n3,x,5\n", {.select = {"c", "b"}, .kind = Kind::numeric}) ==
        "3:3: column \"b\": \"x\" is not a number");
  CHECK(test::message_of<ArgumentError>([] {
          read("a\n1\n", {.select = {"a", "a"}});
        }) == "read_csv: CsvOptions::select has column \"a\" twice");
  CHECK(test::message_of<ArgumentError>([] { read("a\n1\n", {.n_rows = -1}); }) ==
        "read_csv: CsvOptions::n_rows is -1; 0 reads all rows");
}

TEST_CASE("a text that stands by mistake in a small column of numbers is refused, too") {
  const std::string cure =
      " different values are; correct it, add it to CsvOptions::missing_names and set "
      "CsvOptions::missing if it means a missing value, or give the column Kind::categorical in "
      "CsvOptions::kinds";
  const std::string question = "age,weight\n31,70\n45,82\n?,64\n31,?\n";
  CHECK(error(question) == "4:1: column \"age\": \"?\" is not a number, but 2 of the 3" + cure);
  CsvOptions options{.missing = Missing::nan};
  options.missing_names.push_back("?");
  const auto table = read(question, options);
  CHECK(kinds(table) == "nn");
  CHECK_AGREES(
      same_bits(table.values(), Array<double>::of({{31, 70}, {45, 82}, {NAN, 64}, {31, NAN}})));
  CHECK(kinds(read(question, {.kind = Kind::categorical})) == "cc");

  const auto refused = [&](const std::string& rows, const std::string& what) {
    CAPTURE(rows);
    CHECK(error("a\n" + rows) == what + cure);
  };
  const auto is_class = [](const std::string& rows) {
    CAPTURE(rows);
    CHECK(kinds(read("a\n" + rows)) == "c");
  };
  // A mark of what is missing, however often, unless marks are more than numbers.
  refused("1\n-\n-\n", "3:1: column \"a\": \"-\" is not a number, but 1 of the 2");
  refused("1\nUnknown\n2\nunknown\n",
          "3:1: column \"a\": \"Unknown\" is not a number, but 2 of the 4");
  refused("1\n\xE2\x80\x93\n2\n\xE2\x80\x93\n",
          "3:1: column \"a\": \"\xE2\x80\x93\" is not a number, but 2 of the 3");
  is_class("0\n+\n-\n");
  is_class("?\nx\n1\n2\n");
  is_class("1\n2\n3\n4+\n1\n4+\n");
  is_class("1\n2\n\xC3\xA9\n\xC3\xA9\n");
  // Numbers with a fraction or an exponent, unless they are not more than the texts.
  refused("1.5\n2\nlow\nlow\n", "4:1: column \"a\": \"low\" is not a number, but 2 of the 3");
  refused("1\n2e3\nlow\nlow\n", "4:1: column \"a\": \"low\" is not a number, but 2 of the 3");
  is_class("1.5\nlow\nlow\n");
  is_class("1.5\n2.5\nlow\nhigh\n");
  // One text in one row, among at least three numbers.
  refused("1\n2\n2\n4O\n7\n", "5:1: column \"a\": \"4O\" is not a number, but 3 of the 4");
  is_class("1\n2\n4O\n2\n");
  is_class("1\n2\n3\n4O\n5P\n");
  // The place is that of the text in the second of two columns, and rows count from the start.
  CHECK(error("b,a\nx,1\nx,2\ny,3\ny,4 5\n") ==
        "5:3: column \"a\": \"4 5\" is not a number, but 3 of the 4" + cure);
}

}  // TEST_SUITE("csv")
