// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/sqlite.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/memory_limit.hpp"
#include "ebb/data/files/number.hpp"
#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

/// One column while its rows are read.
template <class T>
struct Growing {
  std::string name;
  std::optional<Kind> kind = {};  ///< set by the first value that is not NULL
  std::deque<T> values = {};      ///< of a text, its number in order of first occurrence
  std::map<std::string, T, std::less<>> codes = {};  ///< the number of each level
};

template <class T>
class Query {
 public:
  Query(const std::string& path, const std::string& text, const SqliteOptions& options)
      : path_(path),
        options_(options),
        most_(options.read.max_bytes == 0 ? detail::default_max_bytes() : options.read.max_bytes) {
    open();
    prepare(text);
    bind();
    const int columns = sqlite3_column_count(statement_.get());
    if (columns == 0) fail("the query returns no columns");
    std::set<std::string> names;
    for (int j = 0; j < columns; ++j) {
      const std::string name = sqlite3_column_name(statement_.get(), j);
      if (name.empty()) fail("column " + std::to_string(j + 1) + " has no name; give it one by AS");
      if (!names.insert(name).second) {
        fail("two columns are named '" + name + "'; rename one by AS");
      }
      columns_.push_back({name});
    }
  }

  Table<T> read() {
    std::int64_t row = 0, kept = 0;
    for (int code; (code = sqlite3_step(statement_.get())) != SQLITE_DONE;) {
      if (code != SQLITE_ROW) fail(sqlite3_errmsg(database_.get()));
      if (++row == 1) check_whole_pages();  // while the read transaction prevents changes
      if (take(row)) ++kept;
      if (row % rows_between_calls == 0 && options_.read.progress) options_.read.progress(row, 0);
    }
    if (options_.read.progress) options_.read.progress(row, 0);
    if (row == 0) fail("the query returns no rows");
    if (kept == 0) fail("every row has a NULL, so none is left");
    return table(kept);
  }

 private:
  static constexpr std::int64_t rows_between_calls = 1 << 16;

  [[noreturn]] void fail(const std::string& what) const { throw FileError(path_ + ": " + what); }
  [[noreturn]] void fail(std::int64_t row, const std::string& column,
                         const std::string& what) const {
    fail("row " + std::to_string(row) + ", column '" + column + "': " + what);
  }

  void open() {
    std::error_code ignored;
    const auto status = std::filesystem::status(path_, ignored);
    if (path_.empty()) fail("a database has a name");
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
      fail("this is not a file, so it is not a database");
    }
    check_start();
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(path_.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    database_.reset(opened);
    if (code != SQLITE_OK) fail(opened ? sqlite3_errmsg(opened) : "there is no memory to open it");
    sqlite3_busy_timeout(opened, 5000);
  }

  /// @throws FileError for another file than a database. SQLite says so for most of them, but takes
  /// some for a database that was cut off.
  void check_start() const {
    char start[16] = {};
    std::ifstream file(path_, std::ios::binary);
    file.read(start, sizeof start);
    const std::string_view text(start, std::size_t(file.gcount()));
    const bool is_text = std::none_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    });
    if (text.empty() || text == std::string_view("SQLite format 3", 16)) return;
    if (!is_text) fail("file is not a database");
    fail("this is a text file and no database, as it begins with " + detail::quoted(text) +
         "; read_csv reads tables from text");
  }

  void prepare(const std::string& text) {
    if (text.find('\0') != text.npos) {
      fail("the query has a zero byte, after which nothing would be read");
    }
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    const int code =
        sqlite3_prepare_v2(database_.get(), text.data(), int(text.size()), &prepared, &rest);
    statement_.reset(prepared);
    if (code != SQLITE_OK) fail(sqlite3_errmsg(database_.get()));
    if (!prepared) fail("the query is empty");
    if (!sqlite3_stmt_readonly(prepared)) fail("the query changes the database; it may only read");
    // After the semicolon there may be blanks and comments, which prepare to no statement.
    const char* const end = text.data() + text.size();
    sqlite3_stmt* second = nullptr;
    const int after = sqlite3_prepare_v2(database_.get(), rest, int(end - rest), &second, nullptr);
    const Statement owner(second);
    if (after != SQLITE_OK || second) fail("the query is more than one statement");
  }

  /// If a file was truncated inside a page, SQLite reads zeros after its end and takes them for
  /// NULLs, unless the page is in the write-ahead log.
  void check_whole_pages() const {
    std::error_code is_none;  // as for ":memory:"
    if (std::filesystem::file_size(path_ + "-wal", is_none) > 0 && !is_none) return;
    sqlite3_stmt* prepared = nullptr;
    sqlite3_prepare_v2(database_.get(), "PRAGMA page_size", -1, &prepared, nullptr);
    const Statement pragma(prepared);
    if (!prepared || sqlite3_step(prepared) != SQLITE_ROW) fail(sqlite3_errmsg(database_.get()));
    const auto page = std::uintmax_t(sqlite3_column_int64(prepared, 0));
    const std::uintmax_t size = std::filesystem::file_size(path_, is_none);
    if (!is_none && size % page != 0) {
      fail("the file ends within a page of " + std::to_string(page) + " bytes; it was cut off");
    }
  }

  void bind() {
    const int wanted = sqlite3_bind_parameter_count(statement_.get());
    if (std::size_t(wanted) != options_.parameters.size()) {
      throw ArgumentError("read_sqlite: the query has " + std::to_string(wanted) +
                          (wanted == 1 ? " parameter" : " parameters") + ", not " +
                          std::to_string(options_.parameters.size()));
    }
    for (int i = 1; i <= wanted; ++i) {
      const auto set = [&](const auto& value) {
        using V = std::remove_cvref_t<decltype(value)>;
        sqlite3_stmt* s = statement_.get();
        if constexpr (std::is_same_v<V, std::int64_t>) {
          return sqlite3_bind_int64(s, i, value);
        } else if constexpr (std::is_same_v<V, double>) {
          return sqlite3_bind_double(s, i, value);
        } else {
          return sqlite3_bind_text(s, i, value.data(), int(value.size()), SQLITE_TRANSIENT);
        }
      };
      if (std::visit(set, options_.parameters[std::size_t(i - 1)]) != SQLITE_OK) {
        fail(sqlite3_errmsg(database_.get()));
      }
    }
  }

  /// Appends the current row unless it is left out.
  bool take(std::int64_t row) {
    sqlite3_stmt* s = statement_.get();
    if (options_.missing == Missing::drop_row) {
      for (int j = 0; j < int(columns_.size()); ++j) {
        if (sqlite3_column_type(s, j) == SQLITE_NULL) return false;
      }
    }
    for (std::size_t j = 0; j < columns_.size(); ++j)
      columns_[j].values.push_back(value(row, int(j)));
    bytes_ += std::int64_t(2 * columns_.size() * sizeof(T));  // here, and later in the table
    if (bytes_ > most_) {
      fail("row " + std::to_string(row) + ": the rows take more than " + std::to_string(most_) +
           " bytes; select fewer, or set max_bytes");
    }
    return true;
  }

  T value(std::int64_t row, int j) {
    sqlite3_stmt* s = statement_.get();
    Growing<T>& column = columns_[std::size_t(j)];
    const int type = sqlite3_column_type(s, j);
    if (type == SQLITE_NULL) {
      if (options_.missing == Missing::nan) return std::numeric_limits<T>::quiet_NaN();
      fail(row, column.name, "NULL; set `missing`, or select rows where it is not");
    }
    if (type == SQLITE_BLOB) fail(row, column.name, "a BLOB is neither a number nor a text");
    const Kind kind = type == SQLITE_TEXT ? Kind::categorical : Kind::numeric;
    if (column.kind.value_or(kind) != kind) {
      fail(row, column.name,
           kind == Kind::numeric ? "a number in a column of texts; CAST it AS TEXT"
                                 : "a text in a column of numbers; CAST the column AS TEXT");
    }
    column.kind = kind;
    if (kind == Kind::categorical) return code(row, column, j);
    if (type == SQLITE_INTEGER) {
      const std::int64_t whole = sqlite3_column_int64(s, j);
      constexpr auto most = std::int64_t(1) << std::numeric_limits<T>::digits;
      if (options_.read.round_integers || (-most <= whole && whole <= most)) return T(whole);
      const std::string digits = std::to_string(whole);
      if (detail::is_rounded(digits, T(whole))) {
        fail(row, column.name,
             digits + detail::why_rounded(
                          digits, T(whole),
                          "CAST it AS TEXT if it is a name, or set read.round_integers"));
      }
      return T(whole);
    }
    const double number = sqlite3_column_double(s, j);
    if (!std::isfinite(number)) fail(row, column.name, "a number that is not finite");
    if (!std::isfinite(T(number))) {
      char digits[32];
      std::snprintf(digits, sizeof digits, "%.6g", number);
      fail(row, column.name,
           std::string(digits) + " is too large for float; read the query as double");
    }
    return T(number);
  }

  T code(std::int64_t row, Growing<T>& column, int j) {
    sqlite3_stmt* s = statement_.get();
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, j));
    if (!text) fail("there is no memory for a text");
    const std::string_view level(text, std::size_t(sqlite3_column_bytes(s, j)));
    const auto found = column.codes.find(level);
    if (found != column.codes.end()) return found->second;
    const auto next = T(column.codes.size());
    if (next >= T(std::int64_t(1) << std::numeric_limits<T>::digits)) {
      fail(row, column.name, "more levels than float can number; read the query as double");
    }
    if (!detail::is_utf8(level)) fail(row, column.name, "a text that is not UTF-8");
    if (level.empty()) fail(row, column.name, "a text of no characters; use NULLIF(..., '')");
    bytes_ += std::int64_t(level.size() + sizeof(std::string));
    column.codes.emplace(level, next);
    return next;
  }

  Table<T> table(std::int64_t rows) {
    std::vector<Column> columns;
    auto values = Array<T>::uninitialized({rows, std::int64_t(columns_.size())});
    T* to = values.mutate();
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      Growing<T>& from = columns_[j];
      // The map sorts the levels by their bytes, which is the order of their final codes.
      std::vector<T> place(from.codes.size());
      std::vector<std::string> levels;
      for (const auto& [level, number] : from.codes) {
        place[std::size_t(number)] = T(levels.size());
        levels.push_back(level);
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        const T v = from.values[std::size_t(i)];
        to[std::size_t(i) * columns_.size() + j] =
            from.kind == Kind::categorical && v == v ? place[std::size_t(v)] : v;
      }
      columns.push_back({from.name, from.kind.value_or(Kind::numeric), std::move(levels)});
      from = {};
    }
    return Table<T>(std::move(columns), std::move(values), path_);
  }

  std::string path_;
  SqliteOptions options_;
  Database database_;
  Statement statement_;
  std::vector<Growing<T>> columns_;
  std::int64_t most_;  ///< bytes that the rows may take
  std::int64_t bytes_ = 0;
};

}  // namespace

template <Real T>
Table<T> read_sqlite(const std::string& path, const std::string& query,
                     const SqliteOptions& options) {
  if (options.missing != Missing::error && options.missing != Missing::nan &&
      options.missing != Missing::drop_row) {
    throw ArgumentError(
        "read_sqlite: `missing` is error, nan or drop_row; COALESCE in the query, or an imputation "
        "after a split, fills in others");
  }
  if (options.read.max_bytes < 0) {
    throw ArgumentError("read_sqlite: max_bytes = " + std::to_string(options.read.max_bytes) +
                        "; it is at least 0");
  }
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  return detail::within_memory(path, none ? 0 : std::int64_t(size),
                               [&] { return Query<T>(path, query, options).read(); });
}
EBB_FOR_REALS(read_sqlite)

}  // namespace ebb::inline v0::data
