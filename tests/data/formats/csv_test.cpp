// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::same_bits;

namespace {

/// All columns are numeric, so that the error for a text has its place.
constexpr data::Kind numeric = data::Kind::numeric;

/// A file with this content until the end of the scope.
class File {
 public:
  explicit File(const std::string& content) : path_(folder_.add("t.csv", content)) {}
  const std::string& path() const { return path_; }

 private:
  test::Folder folder_;
  std::string path_;
};

template <class T = double>
Array<T> values(const std::string& content) {
  const File file(content);
  return data::read_csv<T>(file.path()).values();
}

/// The message without the name of the file: "line:column: what".
std::string message(const std::string& path, const auto& f) {
  try {
    f();
  } catch (const FileError& e) {
    const std::string text = e.what();
    REQUIRE(text.substr(0, path.size() + 1) == path + ":");
    return text.substr(path.size() + 1);
  }
  return "no error";
}

template <class T = double>
std::string error(const std::string& content) {
  const File file(content);
  return message(file.path(), [&] { data::read_csv<T>(file.path(), {.kind = numeric}); });
}

}  // namespace

TEST_SUITE("csv") {

TEST_CASE("a table has the names and values of the file") {
  const File file("a,b,long name\n1,2.5,-3e2\n.5,-0,1.\n");
  const auto table = data::read_csv<double>(file.path());
  CHECK(table.names() == std::vector<std::string>{"a", "b", "long name"});
  CHECK(table.rows() == 2);
  CHECK_AGREES(same_bits(table.values(), Array<double>::of({{1, 2.5, -300}, {.5, -0.0, 1}})));
  CHECK_AGREES(same_bits(table.column("b"), Array<double>({2, 1}, {2.5, -0.0})));
}

TEST_CASE("every number is the nearest that the type holds") {
  CHECK(values<double>("x\n0.1\n")[0] == 0.1);
  CHECK(values<float>("x\n0.1\n")[0] == 0.1F);
  // Through double this would be rounded twice, to 1.
  CHECK(values<float>("x\n1.00000005960464477540\n")[0] == 1.0F + 0x1p-23F);
  CHECK(values<double>("x\n1.7976931348623157e308\n")[0] == std::numeric_limits<double>::max());
  CHECK(values<double>("x\n4.9406564584124654e-324\n")[0] == 0x1p-1074);
}

TEST_CASE("a number too near to 0 for the type is 0") {
  for (const char* text : {"1e-400", "-1e-400", "+1E-400", "1e-99999999999999999999",
                           "0.0000000001e-391", "123456e-450"}) {
    CAPTURE(text);
    const double value = values<double>("x\n" + std::string(text) + "\n")[0];
    CHECK(value == 0);
    CHECK(std::signbit(value) == (text[0] == '-'));
  }
  CHECK(values<float>("x\n1e-60\n")[0] == 0);
  CHECK(values<double>("x\n0." + std::string(400, '0') + "1\n")[0] == 0);
}

TEST_CASE("quotes, blanks, line ends, a byte order mark and plus signs are read") {
  const auto expected = Array<double>::of({{1, 2}, {3, 4}});
  for (const char* text : {
           "a,b\n1,2\n3,4\n",        // plain
           "a,b\n1,2\n3,4",          // no newline at the end
           "a,b\r\n1,2\r\n3,4\r\n",  // CRLF
           "a,b\r1,2\r3,4\r",        // CR
           "a,b\r\n1,2\n3,4\r",      // mixed
           "\xEF\xBB\xBF"
           "a,b\n1,2\n3,4\n",  // byte order mark
           "\xEF\xBB\xBF"
           "\"a\",b\n1,2\n3,4",                // and a quote after it
           "\"a\",\"b\"\n\"1\",2\n3,\"4\"\n",  // quotes
           " a , b\t\n 1,\t2 \n3 , \"4\" \n",  // blanks
           "a,b\n+1,+2e0\n3,4\n",              // plus signs
           "a,b\n1,2\n3,4\n\n\r\n  \n",        // empty lines at the end
       }) {
    CAPTURE(text);
    const File file(text);
    const auto table = data::read_csv<double>(file.path());
    CHECK(table.names() == std::vector<std::string>{"a", "b"});
    CHECK_AGREES(same_bits(table.values(), expected));
  }
  const File file("\"a \"\"quoted\"\", name\",\"two\nlines\",\" x \"\n1,2,3\n");
  CHECK(data::read_csv<double>(file.path()).names() ==
        std::vector<std::string>{"a \"quoted\", name", "two\nlines", " x "});
}

TEST_CASE("the separator is an option") {
  const File tabs("a\t b\n1\t2\n"), semicolons("a;b\n1;2\n");
  CHECK_AGREES(same_bits(data::read_csv<double>(tabs.path(), {.separator = '\t'}).values(),
                         Array<double>::of({{1, 2}})));
  CHECK_AGREES(same_bits(data::read_csv<double>(semicolons.path(), {.separator = ';'}).values(),
                         Array<double>::of({{1, 2}})));
  for (const char c : {'"', '\n', '\r', '\0', '.', '-', '+', '7', 'e', 'E', '\xe9'}) {
    CHECK_THROWS_AS(data::read_csv<double>(tabs.path(), {.separator = c}), ArgumentError);
  }
}

TEST_CASE("a locale with a decimal comma changes nothing") {
  // Where no such locale is installed the test still checks the default one.
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"}) {
    if (std::setlocale(LC_ALL, name)) break;
  }
  CHECK(values("x\n1.5\n")[0] == 1.5);
  std::setlocale(LC_ALL, "C");
}

TEST_CASE("a file of many windows gives the same rows wherever a window ends") {
  // Rows of 23, 24 and 25 bytes put the border at every place of a row.
  for (const char* row : {"-12.5,\"3.25e1\", 7.125\r\n", "-12.5,\"3.25e1\",  7.125\r\n",
                          "-12.50,\"3.25e1\",  7.125\r\n", "-12.5,32.5,7.125\n"}) {
    CAPTURE(row);
    constexpr int rows = 40000;
    std::string text = "a,b,c\n";
    for (int i = 0; i < rows; ++i) text += row;
    const auto read = values(text);
    REQUIRE(read.shape() == Shape{rows, 3});
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      wrong += read(i, 0) != -12.5 || read(i, 1) != 32.5 || read(i, 2) != 7.125;
    }
    CHECK(wrong == 0);
    CHECK(error(text + "1,2,x\n") == "40002:5: column \"c\": \"x\" is not a number");
  }
  // The memory after the last byte still has bytes of the window before.
  for (std::size_t zeros = 0; zeros < 8; ++zeros) {
    std::string text = "a,b\n" + std::string(zeros, '0') + "1,2\n";
    for (int i = 0; i < 100000; ++i) text += "1,2\n";
    CHECK(values(text + "1,2").shape() == Shape{100002, 2});
  }
  // A field longer than the window.
  CHECK(values("\"" + std::string(1 << 20, 'n') + "\"\n" + std::string(1 << 20, '0') + "7\n")[0] ==
        7);
}

TEST_CASE("errors name the place and say what to do") {
  CHECK(test::message_of<FileError>([] { data::read_csv<double>("/no/such.csv"); }) ==
        "/no/such.csv: cannot be opened (No such file or directory); check the name of the file");
  CHECK(test::message_of<FileError>([] { data::read_csv<double>("/tmp"); }) ==
        "/tmp: cannot be opened (it is not a plain file); check the name of the file");
  const std::string empty =
      "1:1: the file is empty; a line of column names and rows of numbers are expected";
  CHECK(error("") == empty);
  CHECK(error("\xEF\xBB\xBF") == empty);
  CHECK(error("a,b") == "1:4: the file ends after its header; rows are expected");
  CHECK(error("a,b\n") == "2:1: the file ends after its header; rows are expected");

  const std::string named =
      "; if its first is the name of the row, as R writes it, set CsvOptions::index_column";
  CHECK(error("a,b,c\n1,2,3\n4,5\n") == "3:3: the row ends after field 2; 3 fields were expected");
  CHECK(error("a,b,c\n1,2,3\n4,x\n") == "3:3: column \"b\": \"x\" is not a number");
  CHECK(error("a,b\n1,2\n3,4,5\n") == "3:5: the row continues; 2 fields were expected");
  CHECK(error("a\n1,2\n") == "2:3: the row continues; 1 field was expected" + named);
  CHECK(error("a,b\n1,2\n\n3,4\n") == "3:1: an empty line between rows; remove it");
  CHECK(error("a\n1\n\n\n3\n") == "3:1: an empty line between rows; remove it");

  CHECK(error("a,b\n1, 12abc\n") == "2:4: column \"b\": \"12abc\" is not a number");
  CHECK(error("a,b\n1,\"1 2\"\n") == "2:3: column \"b\": \"1 2\" is not a number");
  CHECK(error("a\n0x1p3\n") == "2:1: column \"a\": \"0x1p3\" is not a number");
  CHECK(error("a\n1,5\n") == "2:3: the row continues; 1 field was expected" + named);
  CHECK(error("a\n+-1\n") == "2:1: column \"a\": \"+-1\" is not a number");
  CHECK(error("a\n++1\n") == "2:1: column \"a\": \"++1\" is not a number");
  CHECK(error("a\n1e\n") == "2:1: column \"a\": \"1e\" is not a number");
  CHECK(error("a\n" + std::string(100, 'z') + "\n") ==
        "2:1: column \"a\": \"" + std::string(40, 'z') + "...\" is not a number");
  CHECK(error(std::string("a\n1\0002\n", 6)) == "2:1: column \"a\": \"1?2\" is not a number");
  const std::string missing =
      " the value is missing; fill it in or remove the row, or set CsvOptions::missing";
  CHECK(error("a,b\n1,\n") == "2:3: column \"b\":" + missing);
  CHECK(error("a,b\n,1\n") == "2:1: column \"a\":" + missing);
  CHECK(error("a,b\n1,\"\"\n") == "2:3: column \"b\":" + missing);
  CHECK(error("a,b\n1,") == "2:3: column \"b\":" + missing);
  for (const std::string text : {"nan", "NaN", "NAN", "-nan", "NA", "null", "NULL", "\"nan\""}) {
    CHECK(error("a\n" + text + "\n") == "2:1: column \"a\":" + missing);
  }
  for (const std::string text : {"nAn", "+nan", "nan(7)", "inf", "-inf", "Infinity", "+inf"}) {
    CHECK(error("a\n" + text + "\n") ==
          "2:1: column \"a\": \"" + text +
              "\" is not a finite number; replace it or remove the row");
  }
  CHECK(error("a\n1e400\n") == "2:1: column \"a\": \"1e400\" is too large for double");
  CHECK(error("a\n-1e99999999999999999999\n") ==
        "2:1: column \"a\": \"-1e99999999999999999999\" is too large for double");
  CHECK(error("a\n1" + std::string(500, '0') + "e-100\n").ends_with(" is too large for double"));
  CHECK(error<float>("a\n0.001e42\n") == "2:1: column \"a\": \"0.001e42\" is too large for float");

  CHECK(error("a,b,a\n1,2,3\n") ==
        "1:5: the name \"a\" occurs twice, first for column 1; rename one of them");
  CHECK(error("\xEF\xBB\xBF"
              "a,a\n") ==
        "1:3: the name \"a\" occurs twice, first for column 1; rename one of them");
  CHECK(error("a,,c\n1,2,3\n") == "1:3: column 2 has no name; the first line names every column");
  CHECK(error("\na\n1\n") == "1:1: column 1 has no name; the first line names every column");
  CHECK(error("a,b\n1,\"2\n") == "2:3: this quote is never closed");
  CHECK(error("a,b\n1,\"2\"3\n") ==
        "2:3: text follows the closing quote of \"2\"; a quote inside of quotes is written twice");
  // Lines inside of quotes count.
  CHECK(error("\"a\nb\",c\n1,x\n") == "3:3: column \"c\": \"x\" is not a number");
  CHECK(error("\"a\nb\",c,c\n1,2,3\n") ==
        "2:6: the name \"c\" occurs twice, first for column 2; rename one of them");
}

TEST_CASE("no prefix of a file and no byte in it makes the reader crash") {
  const std::string good = "\xEF\xBB\xBF\"a\"\"\",b\r\n1.5e3,\"2\"\r\n-3, .5 \n";
  const auto survives = [](const std::string& text) {
    const File file(text);
    try {
      data::read_csv<float>(file.path());
    } catch (const FileError& e) {
      return std::string(e.what()).starts_with(file.path() + ":");
    }
    return true;
  };
  for (std::size_t n = 0; n <= good.size(); ++n) CHECK(survives(good.substr(0, n)));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'\0', '"', ',', '\n', '\r', ' ', 'e', '\xff'}) {
      std::string bad = good;
      bad[at] = c;
      CHECK(survives(bad));
    }
  }
}

TEST_CASE("the data of the examples are read") {
  const std::string folder = EBB_SOURCE_DIR "/examples/data/";
  const auto diabetes = data::read_csv<double>(folder + "diabetes.csv").split_target("progression");
  CHECK(diabetes.x.shape() == Shape{442, 10});
  CHECK(diabetes.y.shape() == Shape{442, 1});
  CHECK(diabetes.x(441, 9) == 92);
  CHECK(diabetes.y(441, 0) == 57);
  const auto cancer = data::read_csv<float>(folder + "breast_cancer.csv").split_target("benign");
  CHECK(cancer.x.shape() == Shape{569, 30});
  CHECK(std::count(cancer.y.begin(), cancer.y.end(), 1.0F) == 357);
}

TEST_CASE("a file that is no text is named for what it is") {
  const auto refusal = [](const std::string& content) {
    const File file(content);
    return message(file.path(), [&] { data::read_csv<double>(file.path()); });
  };
  CHECK(refusal(std::string("PK\3\4rest\n1\n", 12)).find("a zip archive") != std::string::npos);
  CHECK(refusal("BZh91AY\n1\n").find("compressed by bzip2") != std::string::npos);
  CHECK(refusal("\xFD"
                "7zXZ\n1\n")
            .find("compressed by xz") != std::string::npos);
  CHECK(refusal("\x28\xB5\x2F\xFD\n1\n").find("compressed by zstd") != std::string::npos);
  CHECK(refusal("PAR1\n1\n").find("a Parquet file") != std::string::npos);
  CHECK(refusal("SQLite format 3\n").find("read_sqlite reads it") != std::string::npos);
  for (const char* page :
       {"<!DOCTYPE html>\n<html>\n", "\n <html lang=\"en\">\n", "\xEF\xBB\xBF<!doctype HTML>"})
    CHECK(refusal(page).find("a web page and no table; download the file") != std::string::npos);
  CHECK(data::read_csv<double>(File("<h\n1\n").path()).names() == std::vector<std::string>{"<h"});
  CHECK(refusal(std::string("a\0b\n1\n", 6)).find("has a zero byte") != std::string::npos);
  CHECK(refusal(std::string("ab\nx\0y\n", 7)).find("has a zero byte") != std::string::npos);
}

}  // TEST_SUITE("csv")
