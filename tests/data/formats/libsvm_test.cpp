// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/libsvm.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <random>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::LibsvmOptions;
using ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T = double>
data::Supervised<T> read(const std::string& content, const LibsvmOptions& options = {}) {
  const test::Folder folder;
  return data::read_libsvm<T>(folder.add("t.svm", content), options);
}

/// The error, after the name of the file.
std::string error(const std::string& content, const LibsvmOptions& options = {}) {
  const test::Folder folder;
  const std::string path = folder.add("t.svm", content);
  const std::string text =
      test::message_of<FileError>([&] { data::read_libsvm<float>(path, options); });
  return text.starts_with(path) ? text.substr(path.size() + 1) : text;
}

}  // namespace

TEST_SUITE("libsvm") {

TEST_CASE_TEMPLATE("a line gives a target and features by index", T, float, double) {
  for (const char* content : {
           "+1 1:0.5 3:-2e1\n-1 2:4\n0\n",  // plain
           "1 1:0.5 3:-20\r\n-1 2:4\r\n0",  // CRLF, no last line end
           "\xEF\xBB\xBF"
           "1 1:0.5 3:-20\n-1 2:4\n0\n",                                  // byte order mark
           "# head\n\n1\t1:.5  3:-20 # 5:6\n  -1 2:+4 #\n \n#\n0 3:0 \n"  // comments and blanks
       }) {
    CAPTURE(content);
    const auto [x, y, features] = read<T>(content);
    CHECK_AGREES(same_bits(x, Array<T>::of({{T(0.5), 0, -20}, {0, 4, 0}, {0, 0, 0}})));
    CHECK_AGREES(same_bits(y, Array<T>({3, 1}, {1, -1, 0})));
    CHECK(features == Names{"1", "2", "3"});
  }
}

TEST_CASE("the number of features and the first index are options") {
  const auto wide = read("1 2:3\n", {.features = 4});
  CHECK_AGREES(same_bits(wide.x, Array<double>::of({{0, 3, 0, 0}})));
  const auto from_zero = read("1 0:3 2:5\n", {.first = 0});
  CHECK_AGREES(same_bits(from_zero.x, Array<double>::of({{3, 0, 5}})));
  CHECK(from_zero.features == Names{"0", "1", "2"});
  CHECK_AGREES(same_bits(read("1\n", {.features = 2}).x, Array<double>::of({{0, 0}})));
  CHECK_THROWS_AS(read("1 1:1\n", {.features = -1}), ArgumentError);
  CHECK_THROWS_AS(read("1 1:1\n", {.first = 2}), ArgumentError);
}

TEST_CASE("errors name the place and say what to do") {
  const std::string empty = ": the file has no rows; lines \"target index:value ...\" are expected";
  CHECK(error("") == "1:1" + empty);
  CHECK(error("# 1 1:1\n\n") == "3:1" + empty);
  CHECK(error("1\n2\n") ==
        "1:1: no row names a feature; say how many there are by LibsvmOptions::features");
  CHECK(error("1 1:1\nx 1:1\n") == "2:1: the target \"x\" is not a number");
  CHECK(error("1,2 1:1\n") == "1:1: the target \"1,2\" is not a number");
  CHECK(error("nan 1:1\n") ==
        "1:1: the target \"nan\" is not a finite number; replace it or remove the row");
  CHECK(error("1 1:1 2:inf\n") ==
        "1:9: the value \"inf\" is not a finite number; replace it or remove the row");
  CHECK(error("1 1:1e39\n") == "1:5: the value \"1e39\" is too large for float");
  CHECK(error("1 1:\n") == "1:5: the value \"\" is not a number");
  CHECK(error("1 1:2:3\n") == "1:5: the value \"2:3\" is not a number");
  CHECK(error("1 2\n") == "1:3: \"2\" is not a pair \"index:value\"");
  CHECK(error("1 qid:3 1:2\n") == "1:3: groups for ranking (qid) are not supported; remove them");
  for (const std::string index :
       {"x", "", "-1", "1.5", "+1", "99999999999999999999", "9223372036854775807"}) {
    for (const int first : {0, 1}) {
      CHECK(error("1 " + index + ":2\n", {.first = first}) ==
            "1:3: the index \"" + index + "\" is not a whole number that an array can have");
    }
  }
  CHECK(error("1 0:1\n") ==
        "1:3: the index 0, where features count from 1; set LibsvmOptions::first to 0 if they "
        "count from 0 here");
  CHECK(error("1 1:1\n1 2:1 1:3\n") == "2:7: the index 1 is not above the one before");
  CHECK(error("1 2:1 2:3\n") == "1:7: the index 2 is not above the one before");
  CHECK(error("1 3:1\n", {.features = 2}) == "1:3: the index 3 is above the last of 2 features");
  CHECK(error("1 2:1\n", {.features = 2, .first = 0}) ==
        "1:3: the index 2 is above the last of 2 features");
  CHECK(test::message_of<FileError>([] { data::read_libsvm<float>("/no/such"); }) ==
        "/no/such: cannot be opened (No such file or directory); check the name of the file");
}

TEST_CASE("a high index cannot take more memory than allowed") {
  CHECK(error("1 1:1\n1 2:1 9000000000000000000:1\n") ==
        "2:7: the index 9000000000000000000 makes 9000000000000000000 features, more than an array "
        "can hold; correct it or number the features anew");
  const std::string where =
      "2:3: the index 1000000000000 makes 1000000000000 features, which take ";
  CHECK(error("1 1:1\n1 1000000000000:1 1000000000001:x\n").starts_with(where));
  CHECK(
      error("1 1:1\n1 1000000000000:1\n")
          .ends_with(" are left; correct it or number the features anew, or set max_bytes to read "
                     "it"));
  CHECK(
      error("1 1:1\n1 99999:1\n1 5:1\n", {.first = 0, .read = {.max_bytes = 1 << 20}})
          .starts_with("2:3: the index 99999 makes 100000 features, which take 5600000 bytes as a "
                       "dense array of 2 rows, where "));
  CHECK(error("1 1000000:1\n", {.read = {.max_bytes = 1 << 20}}).find("set max_bytes") !=
        std::string::npos);
  std::string rows;
  for (int i = 0; i < 100000; ++i) rows += "1 1:1\n";
  CHECK(error(rows, {.read = {.max_bytes = 1 << 20}}).find("set max_bytes") != std::string::npos);
  CHECK(read(rows, {.read = {.max_bytes = 16 << 20}}).y.size() == 100000);
}

TEST_CASE_TEMPLATE("written files read back to the same bits", T, float, double) {
  const test::Folder folder;
  const auto small = Array<T>::of({{T(0.1), 0}, {T(-0.0), T(1e30)}});
  data::write_libsvm(folder.path("t"), small, Array<T>({2, 1}, {1, T(-2.5)}));
  CHECK(test::content_of(folder.path("t")) == "1 1:0.1\n-2.5 1:-0 2:1e+30\n");
  data::write_libsvm(folder.path("t"), small, Array<T>({2, 1}, {1, 2}), 0);
  CHECK(test::content_of(folder.path("t")) == "1 0:0.1\n2 0:-0 1:1e+30\n");

  std::mt19937_64 random(4);
  std::vector<T> values(20000 * 5);
  for (T& value : values) value = random() % 3 ? 0 : T(std::int64_t(random())) / T(1e12);
  values.back() = 1;
  const Array<T> x({20000, 5}, std::span<const T>(values));
  const Array<T> y({20000, 1}, std::span<const T>(values).subspan(0, 20000));
  for (const char* name : {"t", "t.gz"}) {
    data::write_libsvm(folder.path(name), x, y);
    const auto read = data::read_libsvm<T>(folder.path(name));
    CHECK_AGREES(same_bits(read.x, x));
    CHECK_AGREES(same_bits(read.y, y));
  }
  CHECK(test::content_of(folder.path("t.gz")).starts_with("\x1f\x8b"));
  CHECK(test::content_of(folder.path("t.gz")).size() < test::content_of(folder.path("t")).size());
}

TEST_CASE("write_libsvm refuses rows that no reader accepts, and the old file stays") {
  const test::Folder folder;
  const std::string path = folder.add("t", "old");
  const auto one = Array<double>({1, 1}, {1});
  const auto bad = Array<double>({1, 1}, {std::numeric_limits<double>::quiet_NaN()});
  const auto refusal = [&](const auto& x, const auto& y, int first = 1) {
    return test::message_of([&] { data::write_libsvm(path, x, y, first); });
  };
  CHECK(refusal(bad, one) ==
        "write_libsvm: a value of row 0 is not finite; replace it or remove the row");
  CHECK(refusal(one, bad) ==
        "write_libsvm: the target of row 0 is not finite; replace it or remove the row");
  CHECK(refusal(one, Array<double>({1}, {1})) ==
        "write_libsvm: features of shape (1, 1) and targets of shape (1,); they must be (rows, "
        "features) and (rows, 1)");
  CHECK(refusal(Array<double>::zeros({0, 1}), Array<double>::zeros({0, 1})) ==
        "write_libsvm: there are no rows, and readers refuse that");
  CHECK(refusal(one, one, 2) == "write_libsvm: the first feature has index 0 or 1, not 2");
  CHECK(test::content_of(path) == "old");
  CHECK(folder.names() == Names{"t"});
}

TEST_CASE("an integer that would be rounded is an error that names the way out") {
  CHECK(error("1 1:2\n1 2:16777217\n") ==
        "2:5: the value \"16777217\" would be rounded to 16777216 by float; read it as double, or "
        "set read.round_integers");
  CHECK(error("9007199254740993 1:2\n") ==
        "1:1: the target \"9007199254740993\" would be rounded to 9007199254740992 by float; set "
        "read.round_integers");
  CHECK(read<float>("1 1:16777217\n", {.read = {.round_integers = true}}).x[0] == 0x1p24f);
  CHECK(read("16777217 1:9007199254740994\n").x[0] == 0x1p53 + 2);
}

}  // TEST_SUITE("libsvm")
