// SPDX-License-Identifier: BSD-3-Clause
// Tables of numbers from text files.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/array.hpp"
#include "ebb/autodiff/operand.hpp"

namespace ebb::inline v0::data {

/// Features and what is to be predicted from them. Destructures: `auto [x, y, features] = ...`.
template <Real T>
struct Supervised {
  Array<T> x;                         ///< (n, d)
  Array<T> y;                         ///< (n, 1)
  std::vector<std::string> features;  ///< the names of the d columns of x
};

/// Named columns of numbers, as read from a file.
template <Real T>
class EBB_API Table {
 public:
  /// `source` is the name that errors start with. @throws ShapeError unless the values are
  /// (rows, names).
  Table(std::string source, std::vector<std::string> names, Array<T> values);

  EBB_INLINE const std::vector<std::string>& names() const { return names_; }
  /// All columns: (rows, columns).
  EBB_INLINE const Array<T>& values() const { return values_; }
  EBB_INLINE std::int64_t rows() const { return values_.shape()[0]; }
  EBB_INLINE std::int64_t columns() const { return values_.shape()[1]; }

  /// One column: (rows, 1). @throws FileError that lists the columns when there is no such name.
  Array<T> column(std::string_view name) const;
  /// Takes one column out of the others. @throws FileError that lists the columns when there is no
  /// such name.
  Supervised<T> split_target(std::string_view name) const;

 private:
  std::int64_t find(std::string_view name) const;
  Array<T> select(std::int64_t first, std::int64_t last, bool others) const;

  std::string source_;
  std::vector<std::string> names_;
  Array<T> values_;
};

struct CsvOptions {
  char separator = ',';  ///< between the fields of a row
};

/// Reads a file of comma-separated values (RFC 4180): a line of column names, then rows of finite
/// numbers, the same in every locale. Fields may be quoted, lines end in LF or CRLF, a byte order
/// mark is skipped, and so are blanks around a field. A number nearer to 0 than T can hold is 0.
/// @throws FileError that starts with file:line:column (both from 1, the column in bytes) for a
/// file that cannot be read or has no rows, a row of another length, and a field that is missing or
/// not a finite number; ArgumentError for a separator that cannot be one.
template <Real T>
EBB_API Table<T> read_csv(const std::string& path, CsvOptions options = {});

}  // namespace ebb::inline v0::data
