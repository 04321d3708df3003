// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/libsvm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/gzip.hpp"
#include "ebb/data/files/memory_limit.hpp"
#include "ebb/data/files/number.hpp"
#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::Mark;
using detail::quoted;
using detail::Spelled;

/// The bytes that the name of a feature takes in addition to its digits.
constexpr std::int64_t name_size = 48;

constexpr double most_bytes = 0x1p52;
constexpr double most_elements = 0x1p46;  // of any shape

template <class T>
struct Entry {
  std::int64_t index;  ///< from 0
  T value;
};

/// The rows in the order of the file.
template <class T>
class Reader {
 public:
  Reader(const detail::BinaryFile& file, detail::ReadSession& session, const LibsvmOptions& options,
         bool is_sparse)
      : file_(file, session), session_(session), options_(options), is_sparse_(is_sparse) {}

  /// Reads all lines; then one of the two below gives the arrays.
  void read();
  Supervised<T> to_arrays();
  SparseSupervised<T> to_sparse();

 private:
  void read_line(std::string_view line, std::int64_t number);
  void read_entry(std::string_view token, Mark mark);
  T number(std::string_view text, Mark mark, const char* what) const;
  /// The bytes of the arrays and the names of the features.
  static double bytes_of(std::int64_t features, std::int64_t rows) {
    return double(features) * (double(rows) * sizeof(T) + name_size);
  }
  void check_room() const;
  void check_columns() const;
  /// Takes memory before a vector grows. The memory of its old elements stays counted, since old
  /// and new ones exist at the same time.
  template <class V>
  void append(std::vector<V>& values, V value) {
    if (values.size() == values.capacity()) {
      const std::size_t more = std::max(values.size(), std::size_t(1024));
      file_.take(std::int64_t((values.size() + more) * sizeof(V)));
      values.reserve(values.size() + more);
    }
    values.push_back(value);
  }

  detail::TextFile file_;
  const detail::ReadSession& session_;
  const LibsvmOptions& options_;
  bool is_sparse_;
  std::vector<T> targets_;
  std::vector<std::int64_t> ends_;  ///< the end of each row in `entries_`
  std::vector<Entry<T>> entries_;
  std::int64_t features_ = 0;
  Mark highest_ = {};       ///< the place of the highest index
  std::int64_t last_ = -1;  ///< the index before this one in the row
};

template <class T>
void Reader<T>::read() {
  while (!file_.at_end()) {
    const Mark mark = file_.here();
    const std::string_view line = file_.rest_of_line();
    read_line(line.substr(0, line.find('#')), mark.line);
  }
  if (targets_.empty()) {
    file_.fail(file_.here(), "the file has no rows; lines \"target index:value ...\" are expected");
  }
  if (options_.features > 0) features_ = options_.features;
  if (features_ == 0) {
    file_.fail({}, "no row names a feature; say how many there are by LibsvmOptions::features");
  }
}

template <class T>
void Reader<T>::read_line(std::string_view line, std::int64_t number_of_line) {
  constexpr std::string_view blanks = " \t\v\f";
  bool is_target = true;
  last_ = -1;
  for (std::size_t at = 0; (at = line.find_first_not_of(blanks, at)) != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
    const std::string_view token = line.substr(at, end - at);
    const Mark mark{number_of_line, std::int64_t(at) + 1};
    if (is_target) {
      append(targets_, number(token, mark, "the target "));
      is_target = false;
    } else {
      read_entry(token, mark);
    }
    at = end;
  }
  if (!is_target) append(ends_, std::int64_t(entries_.size()));
}

template <class T>
void Reader<T>::read_entry(std::string_view token, Mark mark) {
  const std::size_t colon = token.find(':');
  if (colon == token.npos) {
    file_.fail(mark, quoted(token) + " is not a pair \"index:value\"");
  }
  const std::string_view text = token.substr(0, colon);
  if (text == "qid") {
    file_.fail(mark, "groups for ranking (qid) are not supported; remove them");
  }
  std::int64_t index = 0;
  const auto [p, code] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (code != std::errc() || p != text.data() + text.size() || index < 0 ||
      index == std::numeric_limits<std::int64_t>::max()) {  // more than any number of features
    file_.fail(mark, "the index " + quoted(text) + " is not a whole number that an array can have");
  }
  if (index < options_.first) {
    file_.fail(mark,
               "the index 0, where features count from 1; set LibsvmOptions::first to 0 if "
               "they count from 0 here");
  }
  index -= options_.first;
  if (options_.features > 0 && index >= options_.features) {
    file_.fail(mark, "the index " + std::string(text) + " is above the last of " +
                         detail::count_of(options_.features, "feature"));
  }
  if (index <= last_) {
    file_.fail(mark, "the index " + std::string(text) + " is not above the one before");
  }
  const Mark start = mark;
  mark.column += std::int64_t(colon) + 1;
  append(entries_, {index, number(token.substr(colon + 1), mark, "the value ")});
  last_ = index;
  if (index < features_) return;
  features_ = index + 1;
  highest_ = start;
  if (options_.features == 0) check_room();
}

/// @throws FileError, which names the highest index so far, if dense arrays of as many features
/// take more memory than is left.
template <class T>
void Reader<T>::check_room() const {
  if (is_sparse_) return check_columns();
  const double bytes = bytes_of(features_, std::int64_t(targets_.size()));
  if (bytes <= double(session_.left())) return;
  const bool is_too_large = bytes > most_bytes;
  file_.fail(highest_,
             "the index " + std::to_string(features_ - 1 + options_.first) + " makes " +
                 detail::count_of(features_, "feature") + ", " +
                 (is_too_large ? "more than an array can hold"
                               : "which take " + std::to_string(std::int64_t(bytes)) +
                                     " bytes as a dense array of " +
                                     detail::count_of(std::int64_t(targets_.size()), "row") +
                                     ", where " + std::to_string(session_.left()) + " are left") +
                 "; correct it or number the features anew" +
                 (is_too_large ? "" : ", or set max_bytes to read it"));
}

/// @throws FileError for more columns than a weight of them can have.
template <class T>
void Reader<T>::check_columns() const {
  if (double(features_) * double(targets_.size()) <= most_elements) return;
  file_.fail(highest_, "the index " + std::to_string(features_ - 1 + options_.first) + " makes " +
                           detail::count_of(features_, "feature") +
                           ", more than an array of as many rows can hold; correct it or number "
                           "the features anew");
}

template <class T>
T Reader<T>::number(std::string_view text, Mark mark, const char* what) const {
  T value = 0;
  const Spelled spelled = detail::spelled_number(text, value);
  if (spelled == Spelled::number) {
    if (options_.read.round_integers || !detail::is_rounded(text, value)) return value;
    file_.fail(mark,
               what + quoted(text) + detail::why_rounded(text, value, "set read.round_integers"));
  }
  file_.fail(mark, what + quoted(text) + ' ' + detail::why_no_number<T>(spelled));
}

template <class T>
Supervised<T> Reader<T>::to_arrays() {
  const auto rows = std::int64_t(targets_.size());
  if (options_.features == 0) check_room();
  const double bytes = bytes_of(features_, rows);
  if (bytes > most_bytes) file_.fail({}, "the features are more than an array can hold");
  file_.take(std::int64_t(bytes));
  Supervised<T> read{
      Array<T>::zeros({rows, features_}), Array<T>({rows, 1}, std::span<const T>(targets_)), {}};
  T* row = read.x.mutate();
  std::size_t at = 0;
  for (const std::int64_t end : ends_) {
    for (; at < std::size_t(end); ++at) row[entries_[at].index] = entries_[at].value;
    row += features_;
  }
  read.features.reserve(std::size_t(features_));
  for (std::int64_t j = 0; j < features_; ++j) {
    read.features.push_back(std::to_string(j + options_.first));
  }
  return read;
}

template <class T>
SparseSupervised<T> Reader<T>::to_sparse() {
  check_columns();
  const auto rows = std::int64_t(targets_.size()), nonzeros = std::int64_t(entries_.size());
  file_.take((rows + 1 + nonzeros) * 8 + (rows + nonzeros) * std::int64_t(sizeof(T)));
  auto offsets = Array<std::int64_t>::zeros({rows + 1});
  std::copy(ends_.begin(), ends_.end(), offsets.mutate() + 1);
  auto indices = Array<std::int64_t>::uninitialized({nonzeros});
  auto values = Array<T>::uninitialized({nonzeros});
  std::int64_t* index = indices.mutate();
  T* value = values.mutate();
  for (const Entry<T>& entry : entries_) {
    *index++ = entry.index;
    *value++ = entry.value;
  }
  return {SparseRows<T>(features_, offsets, indices, values),
          Array<T>({rows, 1}, std::span<const T>(targets_))};
}

void check_first(const char* operation, int first) {
  if (first == 0 || first == 1) return;
  throw ArgumentError(std::string(operation) + ": the first feature has index 0 or 1, not " +
                      std::to_string(first));
}

template <class T>
void append_number(std::string& out, T value, const char* what, std::int64_t row) {
  if (!std::isfinite(value)) {
    throw ArgumentError("write_libsvm: " + std::string(what) + " of row " + std::to_string(row) +
                        " is not finite; replace it or remove the row");
  }
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

template <class T>
void append_entry(std::string& out, std::int64_t index, T value, std::int64_t row) {
  out += ' ' + std::to_string(index) + ':';
  append_number(out, value, "a value", row);
}
template <class T>
void append_row(std::string& out, const Array<T>& x, std::int64_t row, int first) {
  const std::int64_t features = x.shape()[1];
  for (std::int64_t j = 0; j < features; ++j) {
    const T value = x[row * features + j];
    if (value != 0 || std::signbit(value)) append_entry(out, j + first, value, row);
  }
}
template <class T>
void append_row(std::string& out, const SparseRows<T>& x, std::int64_t row, int first) {
  const auto listed = x.row(row);
  for (std::size_t k = 0; k < listed.columns.size(); ++k)
    append_entry(out, listed.columns[k] + first, listed.values[k], row);
}

/// Calls `write` with the lines, a buffer at a time.
template <class X, class T, class Write>
void write_lines(const X& x, const Array<T>& y, int first, const Write& write) {
  constexpr std::size_t buffer_size = std::size_t(1) << 16;
  std::string out;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    append_number(out, y[i], "the target", i);
    append_row(out, x, i, first);
    out += '\n';
    if (out.size() < buffer_size) continue;
    write(out);
    out.clear();
  }
  write(out);
}

template <class X, class T>
void write_file(const std::string& path, const X& x, const Array<T>& y, int first) {
  check_first("write_libsvm", first);
  const Shape shape = x.shape();
  if (shape.rank() != 2 || !(y.shape() == Shape{shape[0], 1})) {
    throw ShapeError("write_libsvm: features of shape " + to_string(shape) +
                     " and targets of shape " + to_string(y.shape()) +
                     "; they must be (rows, features) and (rows, 1)");
  }
  if (y.size() == 0)
    throw ArgumentError("write_libsvm: there are no rows, and readers refuse that");
  detail::AtomicFile file(path);
  if (path.ends_with(".gz")) {
    detail::GzipWriter compressed(file);
    write_lines(x, y, first, [&](const std::string& bytes) {
      compressed.write(bytes.data(), std::int64_t(bytes.size()));
    });
    compressed.finish();
  } else {
    write_lines(x, y, first, [&](const std::string& bytes) { file.write(bytes); });
  }
  file.commit();
}

void check_options(const LibsvmOptions& options, const char* operation) {
  check_first(operation, options.first);
  if (options.features >= 0) return;
  throw ArgumentError(std::string(operation) + ": LibsvmOptions::features is " +
                      std::to_string(options.features) + "; 0 takes the highest index");
}

}  // namespace

namespace detail {

template <Real T>
Supervised<T> read_libsvm(const BinaryFile& file, const LibsvmOptions& options) {
  check_options(options, "read_libsvm");
  ReadSession session(options.read);
  Reader<T> reader(file, session, options, false);
  reader.read();
  return reader.to_arrays();
}
EBB_OVERLOAD_FOR_REALS(read_libsvm, Supervised<T>(const BinaryFile&, const LibsvmOptions&))

template <Real T>
SparseSupervised<T> read_libsvm_sparse(const BinaryFile& file, const LibsvmOptions& options) {
  check_options(options, "read_libsvm_sparse");
  ReadSession session(options.read);
  Reader<T> reader(file, session, options, true);
  reader.read();
  return reader.to_sparse();
}
EBB_OVERLOAD_FOR_REALS(read_libsvm_sparse,
                       SparseSupervised<T>(const BinaryFile&, const LibsvmOptions&))

}  // namespace detail

template <Real T>
Supervised<T> read_libsvm(const std::string& path, const LibsvmOptions& options) {
  const detail::BinaryFile file(path);
  return detail::within_memory(file, [&] { return detail::read_libsvm<T>(file, options); });
}
EBB_OVERLOAD_FOR_REALS(read_libsvm, Supervised<T>(const std::string&, const LibsvmOptions&))

template <Real T>
SparseSupervised<T> read_libsvm_sparse(const std::string& path, const LibsvmOptions& options) {
  const detail::BinaryFile file(path);
  return detail::within_memory(file, [&] { return detail::read_libsvm_sparse<T>(file, options); });
}
EBB_OVERLOAD_FOR_REALS(read_libsvm_sparse,
                       SparseSupervised<T>(const std::string&, const LibsvmOptions&))

template <Real T>
void write_libsvm(const std::string& path, const Array<T>& x, const Array<T>& y, int first) {
  write_file(path, x, y, first);
}
EBB_OVERLOAD_FOR_REALS(write_libsvm,
                       void(const std::string&, const Array<T>&, const Array<T>&, int))

template <Real T>
void write_libsvm(const std::string& path, const SparseRows<T>& x, const Array<T>& y, int first) {
  write_file(path, x, y, first);
}
EBB_OVERLOAD_FOR_REALS(write_libsvm,
                       void(const std::string&, const SparseRows<T>&, const Array<T>&, int))

}  // namespace ebb::inline v0::data
