// SPDX-License-Identifier: BSD-3-Clause
// The file format of MNIST.
#pragma once
#include <string>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

/// Reads an array from an IDX file, plain or compressed by gzip. The elements in the file may be
/// bytes, integers of 16 or 32 bits, or single or double precision. All of these convert to float
/// and double; integers convert to std::int64_t; T is one of these three. Floating-point numbers
/// are rounded to the nearest; an integer that T cannot hold is an error unless
/// `ReadOptions::round_integers` is set. Images read as float are (n, rows, columns), from 0 to
/// 255.
/// Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.
/// @throws FileError that starts with "file: byte offset" for a file that cannot be read, does not
/// match its header, takes more than `max_bytes`, has more than six axes, or has an element that T
/// cannot hold. The offset is in the inflated bytes where the message says so.
template <class T>
EBB_API Array<T> read_idx(const std::string& path, const ReadOptions& options = {});

/// Writes an array as an IDX file, compressed by gzip if its name ends in ".gz". float and double
/// keep their type; integers are written as the first of uint8, int8, int16 and int32 that holds
/// all of them. The file is written whole or not at all.
/// @throws ArgumentError for an integer of more than 32 bits and a size of 2^32 or more; FileError
/// when the file cannot be written.
template <class T>
EBB_API void write_idx(const std::string& path, const Array<T>& array);

namespace detail {
class BinaryFile;
template <class T>
Array<T> read_idx(const BinaryFile& file, const ReadOptions& options);
}  // namespace detail

}  // namespace ebb::inline v0::data
