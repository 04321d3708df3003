// SPDX-License-Identifier: BSD-3-Clause
// Sparse features with a target, in the text format of LIBSVM and SVMlight.
#pragma once
#include <cstdint>
#include <string>

#include "ebb/autodiff/sparse/sparse_rows.hpp"
#include "ebb/data/files/read_options.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

struct LibsvmOptions {
  std::int64_t features = 0;  ///< the number of features; 0: the highest index in the file
  int first = 1;              ///< the index of the first feature, 0 or 1
  ReadOptions read = {};      ///< the most memory, a callback for progress, and rounding
};

/// Reads lines "target index:value index:value ...", with ascending indices, into dense arrays.
/// Values that a line does not list are 0. The names of the features are their indices. The text
/// from a "#" to the end of a line is a comment; empty lines are skipped. The file may be
/// compressed by gzip.
/// @throws FileError that starts with "file:line:column" (both from 1, the column in bytes) for a
/// file without rows, a target or a value that is not a finite number or is an integer that T would
/// round, an index that is not a whole
/// number, is not above the index before it or is outside of the features, query ids (qid), and
/// arrays that take more memory than allowed; it starts with "file" alone if the file cannot be
/// read. ArgumentError for invalid options.
template <Real T>
EBB_API Supervised<T> read_libsvm(const std::string& path, const LibsvmOptions& options = {});

/// Rows that list their non-zeros, and the target to predict from them. Destructures:
/// `auto [x, y] = ...`.
template <Real T>
struct SparseSupervised {
  SparseRows<T> x;  ///< (n, d)
  Array<T> y;       ///< (n, 1)
};

/// Reads such lines as sparse rows, in memory of the order of the values that the lines list: zeros
/// among them are kept.
/// @throws as `read_libsvm`; the limit of memory is for what is listed.
template <Real T>
EBB_API SparseSupervised<T> read_libsvm_sparse(const std::string& path,
                                               const LibsvmOptions& options = {});

/// Writes x (n, d) and y (n, 1) as lines "target index:value ...". The file is written whole or not
/// at all, and compressed by gzip if its name ends in .gz. Numbers are written with as few digits
/// as read back to the same bits. Zeros are left out; if the last columns are all zeros, the reader
/// must be told the number of features.
/// @throws ShapeError for other shapes; ArgumentError for values that are not finite, arrays
/// without rows, and a `first` other than 0 or 1; FileError when the system refuses.
template <Real T>
EBB_API void write_libsvm(const std::string& path, const Array<T>& x, const Array<T>& y,
                          int first = 1);
/// Writes sparse rows, with the zeros that they list.
template <Real T>
EBB_API void write_libsvm(const std::string& path, const SparseRows<T>& x, const Array<T>& y,
                          int first = 1);

namespace detail {

class BinaryFile;

template <Real T>
Supervised<T> read_libsvm(const BinaryFile& file, const LibsvmOptions& options);
template <Real T>
SparseSupervised<T> read_libsvm_sparse(const BinaryFile& file, const LibsvmOptions& options);

}  // namespace detail

}  // namespace ebb::inline v0::data
