// SPDX-License-Identifier: BSD-3-Clause
// Sparse features with a target, in the text format of LIBSVM and SVMlight.
#pragma once
#include <cstdint>
#include <string>

#include "ebb/data/files/read_options.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

struct LibsvmOptions {
  std::int64_t features = 0;  ///< how many there are; 0 for as many as the highest index says
  int first = 1;              ///< the index of the first feature, 0 or 1
  ReadOptions read = {};      ///< a cap on memory; a callback that is told how far it is
};

/// Reads lines "target index:value index:value ...", of which the indices rise, into dense arrays;
/// what a line does not name is 0. The features are named by their indices. What follows a "#" is a
/// comment; empty lines are skipped. Plain or compressed by gzip.
/// @throws FileError that starts with file:line:column (both from 1, the column in bytes) for a
/// file without rows, a target or a value that is not a finite number, an index that is no whole
/// number, does not rise, or is outside of the features, groups for ranking (qid), and arrays that
/// take more than they may; with the name of the file alone where it cannot be read. ArgumentError
/// for options that make no sense.
template <Real T>
EBB_API Supervised<T> read_libsvm(const std::string& path, const LibsvmOptions& options = {});

/// Writes x (n, d) and y (n, 1) in that format, whole or not at all; compressed by gzip where the
/// name ends in .gz. Numbers are the shortest that read back to the same bits; zeros are left out,
/// so that `features` is to be given to the reader if the last columns hold nothing else.
/// @throws ShapeError for other shapes; ArgumentError for values that are not finite, no rows, and
/// another `first` than 0 or 1; FileError when the system refuses.
template <Real T>
EBB_API void write_libsvm(const std::string& path, const Array<T>& x, const Array<T>& y,
                          int first = 1);

namespace detail {

class BinaryFile;

template <Real T>
Supervised<T> read_libsvm(const BinaryFile& file, const LibsvmOptions& options);

}  // namespace detail

}  // namespace ebb::inline v0::data
