// SPDX-License-Identifier: BSD-3-Clause
// Queries as tables, on databases that the tests write.
#include "ebb/data/formats/sqlite.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <cmath>
#include <sstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/data/formats/corpus.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::data::Missing;
using ebb::test::same_bits;

namespace {

/// A database on which these statements ran, until the end of the scope.
class Database {
 public:
  explicit Database(const std::string& statements) : path_(folder_.path("t.db")) {
    run(statements);
  }
  void run(const std::string& statements) const {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path_.c_str(), &database) == SQLITE_OK);
    REQUIRE(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_close(database) == SQLITE_OK);
  }
  const std::string& path() const { return path_; }

  template <class T = double>
  data::Table<T> read(const std::string& query, const data::SqliteOptions& options = {}) const {
    return data::read_sqlite<T>(path_, query, options);
  }
  /// The error of a query, after the name of the file.
  std::string refusal(const std::string& query, const data::SqliteOptions& options = {}) const {
    const std::string message = test::message_of<FileError>([&] { read(query, options); });
    REQUIRE(message.starts_with(path_ + ": "));
    return message.substr(path_.size() + 2);
  }

 private:
  test::Folder folder_;
  std::string path_;
};

const char* const houses = R"(
  CREATE TABLE houses(area REAL, rooms INTEGER, zone TEXT, plan BLOB);
  INSERT INTO houses VALUES (51.5, 2, 'north', NULL), (70, 3, 'south', x'00'), (64, 3, 'Äther', NULL),
                            (NULL, 1, 'north', NULL), (99.25, 5, NULL, NULL);)";

}  // namespace

TEST_SUITE("sqlite") {

TEST_CASE_TEMPLATE("a query becomes a table of numbers and categories", T, float, double) {
  const Database database(houses);
  const auto table = database.read<T>(
      "SELECT zone, area, rooms * 2 AS beds FROM houses WHERE area < 80 ORDER BY area; -- all");
  CHECK(table.names() == std::vector<std::string>{"zone", "area", "beds"});
  CHECK(table.columns()[0].levels == std::vector<std::string>{"north", "south", "Äther"});
  CHECK(table.columns()[1].kind == data::Kind::numeric);
  CHECK_AGREES(same_bits(table.values(), Array<T>({3, 3}, {0, T(51.5), 4, 2, 64, 6, 1, 70, 6})));
  const auto [x, y, names] = table.drop({"zone"}).split_target("beds");
  CHECK(x.shape() == Shape{3, 1});
}

TEST_CASE("parameters replace the question marks of a query") {
  const Database database(houses);
  const auto rows = [&](const std::string& condition, std::vector<data::SqlParameter> parameters) {
    return database
        .read("SELECT rooms FROM houses WHERE " + condition, {.parameters = std::move(parameters)})
        .rows();
  };
  CHECK(rows("rooms = ?", {std::int64_t(3)}) == 2);
  CHECK(rows("area > ?2 AND rooms < ?1", {std::int64_t(5), 60.5}) == 2);
  CHECK(rows("area = ?", {51.5}) == 1);
  CHECK(rows("zone = ?", {"north"}) == 2);
  CHECK(rows("zone <> ?", {"north' OR '1' = '1"}) == 4);  // a text, though it looks like SQL
  CHECK_THROWS_WITH_AS(rows("rooms = ?", {}), "read_sqlite: the query has 1 parameter, not 0",
                       ArgumentError);
}

TEST_CASE("a NULL is refused, is NaN, or drops its row") {
  const Database database(houses);
  const std::string all = "SELECT area, zone FROM houses";
  CHECK(database.refusal(all) ==
        "row 4, column 'area': NULL; set `missing`, or select rows where it is not");
  const auto with_nan = database.read(all, {.missing = Missing::nan});
  CHECK(with_nan.rows() == 5);
  CHECK(std::isnan(with_nan.values()(3, 0)));
  CHECK(std::isnan(with_nan.values()(4, 1)));
  CHECK(with_nan.level(0, "zone") == "north");
  const auto dropped = database.read(all, {.missing = Missing::drop_row});
  CHECK_AGREES(same_bits(dropped.values(), Array<double>({3, 2}, {51.5, 0, 70, 1, 64, 2})));
  CHECK(database.refusal("SELECT plan FROM houses WHERE plan IS NULL",
                         {.missing = Missing::drop_row}) ==
        "every row has a NULL, so none is left");
  const auto nothing =
      database.read("SELECT plan FROM houses WHERE plan IS NULL", {.missing = Missing::nan});
  CHECK(nothing.columns()[0].kind == data::Kind::numeric);
  CHECK_THROWS_AS(database.read(all, {.missing = Missing::mean}), ArgumentError);
}

TEST_CASE("results that are not tables are refused with the place") {
  const Database database(houses);
  CHECK(database.refusal("SELECT area FROM homes") == "no such table: homes");
  CHECK(database.refusal("SELEKT 1") == "near \"SELEKT\": syntax error");
  CHECK(database.refusal(" ; ") == "the query is empty");
  CHECK(database.refusal("SELECT 1 AS a; SELECT 2") == "the query is more than one statement");
  CHECK(database.refusal("SELECT 1 AS a; nonsense") == "the query is more than one statement");
  CHECK(database.refusal("DELETE FROM houses") ==
        "the query changes the database; it may only read");
  CHECK(database.read("SELECT count(*) AS n FROM houses").values()[0] == 5);
  CHECK(database.refusal("SELECT rooms FROM houses WHERE rooms > 9") ==
        "the query returns no rows");
  CHECK(database.refusal("SELECT area, rooms AS area FROM houses") ==
        "two columns are named 'area'; rename one by AS");
  CHECK(database.refusal("SELECT 1 AS \"\"") == "column 1 has no name; give it one by AS");
  CHECK(database.refusal("SELECT plan FROM houses WHERE plan IS NOT NULL") ==
        "row 1, column 'plan': a BLOB is neither a number nor a text");
  CHECK(database.refusal("SELECT 1 AS a UNION ALL SELECT 'one'") ==
        "row 2, column 'a': a text in a column of numbers; CAST the column AS TEXT");
  CHECK(database.refusal("SELECT 'one' AS a UNION ALL SELECT 1.5") ==
        "row 2, column 'a': a number in a column of texts; CAST it AS TEXT");
  CHECK(database.refusal("SELECT 9e999 AS a") == "row 1, column 'a': a number that is not finite");
  // 2^60 + 2^36 + 1 is nearer to 2^60 + 2^37; by way of double it would be a tie.
  const data::SqliteOptions rounding{.read = {.round_integers = true}};
  const auto whole = database.read<float>("SELECT 1152921573326323713 AS a", rounding);
  CHECK(double(whole.values()(0, 0)) == 1152921642045800448.0);
  CHECK(test::message_of<FileError>([&] {
          database.read<float>("SELECT 1e200 AS a");
        }).ends_with("row 1, column 'a': 1e+200 is too large for float; read the query as double"));
  CHECK(
      database.refusal("SELECT -9007199254740993 AS a") ==
      "row 1, column 'a': -9007199254740993 would be rounded to -9007199254740992 by double; CAST "
      "it AS TEXT if it is a name, or set read.round_integers");
  CHECK(database.read("SELECT 9007199254740994 AS a").values()[0] == 9007199254740994);
  CHECK(database.refusal(std::string("SELECT 1 AS a;\0 nonsense", 24)) ==
        "the query has a zero byte, after which nothing would be read");
  CHECK(database.refusal("SELECT '' AS a") ==
        "row 1, column 'a': a text of no characters; use NULLIF(..., '')");
  CHECK(database.refusal("SELECT CAST(x'ff' AS TEXT) AS a") ==
        "row 1, column 'a': a text that is not UTF-8");
}

TEST_CASE("a file that is not a database is refused") {
  const test::Folder folder;
  const auto refusal = [&](const std::string& path) {
    return test::message_of<FileError>([&] { data::read_sqlite<double>(path, "SELECT a FROM t"); });
  };
  const std::string missing = folder.path("missing.db"), text = folder.add("t.csv", "a,b\n1,2\n");
  CHECK(refusal(missing) == missing + ": unable to open database file");
  CHECK(folder.names() == std::vector<std::string>{"t.csv"});  // nor is it made
  CHECK(refusal(text) ==
        text +
            ": this is a text file and no database, as it begins with \"a,b?1,2?\"; "
            "read_csv reads tables from text");
  CHECK(refusal(folder.path(".")) ==
        folder.path(".") + ": this is not a file, so it is not a database");
  CHECK(refusal("") == ": a database has a name");
}

TEST_CASE("databases of the corpus are read, or refused with their errors") {
  const char* const malformed = ": database disk image is malformed";
  const char* const cut = ": the file ends within a page of 512 bytes; it was cut off";
  test::check_corpus(
      "sqlite",
      {{"whole.db", "1.5 x|-2 y|1e+300 x|"},
       {"empty.db", ": no such table: t"},
       {"magic.db", ": file is not a database"},
       {"no_database.db",
        ": this is a text file and no database, as it begins with \"a,b?1,2?a,b?1,2?\"; read_csv "
        "reads tables from text"},
       {"page_size.db", ": file is not a database"},
       {"cut.db", cut},
       {"cut_at_page.db", malformed},
       {"damaged_page.db", malformed},
       {"no_rows.db", ": the query returns no rows"},
       {"no_table.db", ": no such table: t"},
       {"null.db", "nan x|"},
       {"infinity.db", ": row 1, column 'a': a number that is not finite"},
       {"mixed.db", ": row 2, column 'a': a text in a column of numbers; CAST the column AS TEXT"},
       {"blob.db", ": row 1, column 'b': a BLOB is neither a number nor a text"},
       {"latin1.db", ": row 1, column 'b': a text that is not UTF-8"}},
      [](const std::string& path) {
        const auto table =
            data::read_sqlite<double>(path, "SELECT * FROM t", {.missing = Missing::nan});
        std::ostringstream out;
        for (std::int64_t i = 0; i < table.rows(); ++i) {
          out << table.values()(i, 0) << ' ' << table.level(i, "b") << '|';
        }
        return out.str();
      });
}

TEST_CASE("memory is capped, and long queries report progress") {
  const Database database(houses);
  const std::string many =
      "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n LIMIT 200000) "
      "SELECT a, a * a AS b FROM n";
  CHECK(database.refusal(many, {.read = {.max_bytes = 1600}}) ==
        "row 51: the rows take more than 1600 bytes; select fewer, or set max_bytes");
  CHECK_THROWS_AS(database.read(many, {.read = {.max_bytes = -1}}), ArgumentError);
  std::vector<std::int64_t> reports;
  const auto table = database.read(
      many,
      {.read = {.progress = [&](std::int64_t done, std::int64_t) { reports.push_back(done); }}});
  CHECK(table.rows() == 200000);
  CHECK(table.values()(199999, 1) == 200000.0 * 200000);
  CHECK(reports == std::vector<std::int64_t>{65536, 131072, 196608, 200000});
}

TEST_CASE("a database is read as it was when another program writes to it") {
  const Database database(houses);
  database.run("PRAGMA journal_mode = WAL");
  const auto writes = [&](std::int64_t, std::int64_t) {
    database.run("INSERT INTO houses VALUES (1, 1, 'new', NULL)");
  };
  const std::string many =
      "SELECT h.rooms FROM houses h, (WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM "
      "n "
      "LIMIT 20000) SELECT a FROM n)";
  CHECK(database.read(many, {.read = {.progress = writes}}).rows() == 5 * 20000);
  CHECK(database.read("SELECT count(*) AS n FROM houses").values()[0] == 7);
}

}  // TEST_SUITE("sqlite")
