// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <charconv>
#include <cmath>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/gzip.hpp"
#include "ebb/data/files/number.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/formats/csv.hpp"

namespace ebb::inline v0::data {
namespace {

constexpr std::size_t buffer_size = std::size_t(1) << 16;

/// True if a reader could misread the text without quotes.
bool needs_quotes(const std::string& text, char separator) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  return !text.empty() &&
         (is_blank(text.front()) || is_blank(text.back()) || text.front() == '#' ||
          text.starts_with("\xEF\xBB\xBF") || text.find_first_of("\"\r\n") != text.npos ||
          text.find(separator) != text.npos);
}

/// A text as a field. It is quoted if it needs quotes or could be read as a missing value.
std::string field(const std::string& text, char separator, const std::string& missing_name) {
  const CsvOptions defaults;
  const auto& missing = defaults.missing_names;
  if (text != missing_name && std::find(missing.begin(), missing.end(), text) == missing.end() &&
      !needs_quotes(text, separator)) {
    return text;
  }
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

/// Calls `write` with the bytes of a table, a buffer at a time.
template <class T>
class Writer {
 public:
  Writer(const Table<T>& table, const CsvWriteOptions& options)
      : table_(table), separator_(options.separator) {
    // A reader would skip an empty line.
    const bool is_alone = table.columns().size() == 1;
    missing_ = options.missing_name.empty() ? (is_alone ? "\"\"" : "") : options.missing_name;
    for (const Column& column : table.columns()) {
      const auto check = [&](const std::string& text) {
        if (detail::is_utf8(text)) return;
        throw ArgumentError("write_csv: column " + detail::quoted(column.name) + ": " +
                            detail::quoted(text) +
                            " is not UTF-8 without zero bytes, as readers expect");
      };
      check(column.name);
      levels_.emplace_back();
      for (const auto& level : column.levels) {
        check(level);
        if (level.empty()) {  // for any `missing_name`: readers take "" for missing by default
          throw ArgumentError("write_csv: column " + detail::quoted(column.name) +
                              " has a level of no characters, which reads back as a missing "
                              "value; rename it");
        }
        levels_.back().push_back(field(level, separator_, options.missing_name));
      }
    }
  }

  template <class Write>
  void run(const Write& write) {
    std::string out;
    const auto& columns = table_.columns();
    for (std::size_t j = 0; j < columns.size(); ++j) {
      if (j > 0) out += separator_;
      out += field(columns[j].name, separator_, "");
    }
    out += '\n';
    for (std::int64_t i = 0; i < table_.rows(); ++i) {
      for (std::size_t j = 0; j < columns.size(); ++j) {
        if (j > 0) out += separator_;
        append(out, i, j);
      }
      out += '\n';
      if (out.size() < buffer_size) continue;
      write(out);
      out.clear();
    }
    write(out);
  }

 private:
  void append(std::string& out, std::int64_t i, std::size_t j) const {
    const T value = table_.values().data()[std::size_t(i) * levels_.size() + j];
    if (std::isnan(value)) {
      out += missing_;
    } else if (table_.columns()[j].kind == Kind::categorical) {
      out += levels_[j][std::size_t(value)];
    } else if (std::isinf(value)) {
      throw ArgumentError("write_csv: column " + detail::quoted(table_.columns()[j].name) +
                          ", row " + std::to_string(i) +
                          " is infinite, which no reader of numbers accepts; replace it");
    } else {
      char text[32];
      out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
    }
  }

  const Table<T>& table_;
  char separator_;
  std::string missing_;
  std::vector<std::vector<std::string>> levels_;  ///< the levels as fields
};

void check_missing_name(const CsvWriteOptions& options) {
  const std::string& name = options.missing_name;
  double number = 0;
  if (!needs_quotes(name, options.separator) &&
      detail::spelled_number(name, number) != detail::Spelled::number) {
    return;
  }
  throw ArgumentError("write_csv: " + detail::quoted(name) +
                      " cannot be the text of a missing value");
}

}  // namespace

template <Real T>
void write_csv(const std::string& path, const Table<T>& table, const CsvWriteOptions& options) {
  detail::check_separator("write_csv", options.separator);
  check_missing_name(options);
  if (table.rows() == 0 || table.columns().empty()) {
    throw ArgumentError("write_csv: a table without values, which no reader accepts");
  }
  Writer<T> writer(table, options);
  detail::AtomicFile file(path);
  if (path.ends_with(".gz")) {
    detail::GzipWriter compressed(file);
    writer.run([&](const std::string& bytes) {
      compressed.write(bytes.data(), std::int64_t(bytes.size()));
    });
    compressed.finish();
  } else {
    writer.run([&](const std::string& bytes) { file.write(bytes); });
  }
  file.commit();
}
EBB_FOR_REALS(write_csv)

template <Real T>
void write_tsv(const std::string& path, const Table<T>& table, CsvWriteOptions options) {
  options.separator = '\t';
  write_csv(path, table, options);
}
EBB_FOR_REALS(write_tsv)

}  // namespace ebb::inline v0::data
