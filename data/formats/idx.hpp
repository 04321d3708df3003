// SPDX-License-Identifier: BSD-3-Clause
// The files that MNIST comes in.
#pragma once
#include <string>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

/// Reads an array from an IDX file, plain or compressed by gzip: bytes, integers of 16 or 32 bits,
/// single or double precision. They are converted to float and double from any of these, rounded to
/// the nearest; to std::int64_t from integers, exactly. T is one of these three; images as float
/// are (n, rows, columns) from 0 to 255.
/// Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.
/// @throws FileError that starts with file: byte offset for a file that cannot be read, is not what
/// it declares, takes more than `max_bytes`, has more than six axes, or has an element that T
/// cannot hold. Offsets in a compressed file are those of the inflated bytes, where it says so.
template <class T>
EBB_API Array<T> read_idx(const std::string& path, const ReadOptions& options = {});

/// Writes an array as an IDX file, compressed if the name ends in ".gz": float and double as they
/// are, integers as the first of uint8, int8, int16 and int32 that holds all of them. The file is
/// written whole or not at all.
/// @throws ArgumentError for an integer beyond 32 bits or a size of 2^32 or more; FileError when
/// the file cannot be written.
template <class T>
EBB_API void write_idx(const std::string& path, const Array<T>& array);

namespace detail {
class BinaryFile;
template <class T>
Array<T> read_idx(const BinaryFile& file, const ReadOptions& options);
}  // namespace detail

}  // namespace ebb::inline v0::data
