// SPDX-License-Identifier: BSD-3-Clause
// The result of reading each text file of the corpus.
#include <doctest/doctest.h>

#include <sstream>

#include "ebb/data/formats/csv.hpp"
#include "ebb/data/formats/libsvm.hpp"
#include "ebb/tests/data/formats/corpus.hpp"

using namespace ebb;
using test::check_corpus;

namespace {

/// "a,b|1,x|2,y"
std::string outcome(const data::Table<double>& table) {
  std::ostringstream out;
  out.precision(17);
  for (std::size_t j = 0; j < table.columns().size(); ++j) {
    out << (j ? "," : "") << table.columns()[j].name;
  }
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    for (std::size_t j = 0; j < table.columns().size(); ++j) {
      const auto& column = table.columns()[j];
      out << (j ? ',' : '|');
      if (column.kind == data::Kind::categorical) {
        out << table.level(i, column.name);
      } else {
        out << table.values()(i, std::int64_t(j));
      }
    }
  }
  return out.str();
}

std::string outcome(const data::Supervised<double>& read) {
  std::ostringstream out;
  for (std::int64_t i = 0; i < read.y.size(); ++i) {
    out << (i ? "|" : "") << read.y[i] << " <-";
    for (std::int64_t j = 0; j < read.x.shape()[1]; ++j) out << ' ' << read.x(i, j);
  }
  return out.str();
}

}  // namespace

TEST_SUITE("csv") {

TEST_CASE("files of the corpus are read, or refused with their errors") {
  const char* mixed = "id,colour,size|1,red,2.5|2,blue,nan|3,red,-1000";
  check_corpus(
      "csv",
      {{"mixed.csv", mixed},
       {"mixed.csv.gz", mixed},
       {"truncated.csv.gz", ": byte 49: the file ends within compressed data"},
       {"wrong_sum.csv.gz", ": byte 57: the compressed data are damaged (incorrect data check)"},
       {"bom_crlf.csv", "a,b|1,2"},
       {"cr.csv", "a,b|1,2"},
       {"quotes.csv", "a \"x\",two\nlines|1,5,2|line\r\nend,3"},
       {"nan_spelled.csv", "a|nan|nan|nan|nan|nan|nan|nan|nan|nan|nan|nan|nan|nan|1"},
       {"infinity.csv",
        ":3:1: column \"a\": \"-Infinity\" is not a finite number; replace it or remove the row"},
       {"huge_number.csv", ":2:1: column \"a\": \"1e999\" is too large for double"},
       {"one_column.csv", "a|1|2"},
       {"one_number.csv",
        ":1:1: the first line has the number \"7\" where a name is expected; set "
        "CsvOptions::header "
        "to false if the line is a row, or number_names to true if it has names"},
       {"header_only.csv", ":2:1: the file ends after its header; rows are expected"},
       {"empty.csv",
        ":1:1: the file is empty; a line of column names and rows of numbers are expected"},
       {"only_bom.csv",
        ":1:1: the file is empty; a line of column names and rows of numbers are expected"},
       {"only_lines.csv", ":1:1: column 1 has no name; the first line names every column"},
       {"short_row.csv", ":3:3: the row ends after field 2; 3 fields were expected"},
       {"long_row.csv", ":3:5: the row continues; 2 fields were expected"},
       {"blank_line.csv", ":3:1: an empty line between rows; remove it"},
       {"twice.csv", ":1:5: the name \"a\" occurs twice, first for column 1; rename one of them"},
       {"no_name.csv", ":1:3: column 2 has no name; the first line names every column"},
       {"open_quote.csv", ":2:3: this quote is never closed"},
       {"behind_quote.csv",
        ":2:3: text follows the closing quote of \"2\"; a quote inside of quotes is written "
        "twice"},
       {"latin1.csv", ":2:1: column \"a\": \"\xE9t\xE9\" is not UTF-8; convert the file to it"},
       {"utf16.csv", ":1:1: the text is UTF-16; convert it to UTF-8 first"},
       {"nul.csv",
        ":2:1: column \"a\": \"x?y\" has a zero byte; the file is damaged, or is no text"},
       {"binary.csv",
        ":1:1: the name \"?????????\" has a zero byte; the file is damaged, or is no text"}},
      [](const std::string& path) {
        return outcome(data::read_csv<double>(path, {.missing = data::Missing::nan}));
      });
}

}  // TEST_SUITE("csv")

TEST_SUITE("libsvm") {

TEST_CASE("files of the corpus are read, or refused with their errors") {
  check_corpus(
      "libsvm",
      {{"plain.svm", "1 <- 0.5 0 -20|-1 <- 0 4 0"},
       {"plain.svm.gz", "1 <- 0.5 0 -20|-1 <- 0 4 0"},
       {"falling.svm", ":1:7: the index 1 is not above the one before"},
       {"from_zero.svm",
        ":1:3: the index 0, where features count from 1; set LibsvmOptions::first to 0 if they "
        "count from 0 here"},
       {"groups.svm", ":1:3: groups for ranking (qid) are not supported; remove them"},
       {"far.svm",
        ":1:3: the index 999999999999 makes 999999999999 features, which take 55999999999944 bytes "
        "as a dense array of 1 row, where 1024000 are left; correct it or number the features "
        "anew, "
        "or set max_bytes to read it"},
       {"no_pair.svm", ":1:3: \"2\" is not a pair \"index:value\""},
       {"highest.svm",
        ":1:3: the index \"9223372036854775807\" is not a whole number that an array can have"},
       {"infinity.svm",
        ":1:1: the target \"-Inf\" is not a finite number; replace it or remove the row"},
       {"latin1.svm",
        ":1:5: the value \"\xe9"
        "\" is not a number"},
       {"nan.svm", ":1:5: the value \"NaN\" is not a finite number; replace it or remove the row"},
       {"nul.svm", ":1:5: the value \"1?\" is not a number"},
       {"one_number.svm",
        ":1:1: no row names a feature; say how many there are by LibsvmOptions::features"},
       {"only_comment.svm",
        ":2:1: the file has no rows; lines \"target index:value ...\" are expected"},
       {"truncated.svm.gz", ": byte 20: the file ends within compressed data"},
       {"twice.svm", ":1:7: the index 2 is not above the one before"},
       {"utf16.svm", ":1:1: the text is UTF-16; convert it to UTF-8 first"},
       {"wrong_sum.svm.gz", ": byte 25: the compressed data are damaged (incorrect data check)"},
       {"empty.svm", ":1:1: the file has no rows; lines \"target index:value ...\" are expected"}},
      [](const std::string& path) {
        return outcome(data::read_libsvm<double>(path, {.read = {.max_bytes = 1 << 20}}));
      });
}

}  // TEST_SUITE("libsvm")
