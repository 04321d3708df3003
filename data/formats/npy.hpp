// SPDX-License-Identifier: BSD-3-Clause
// NumPy's file format for one array.
#pragma once
#include <string>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/data/files/named_arrays.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

/// Reads an array from a .npy file, version 1.0 to 3.0, in C or Fortran order and either byte
/// order. The elements in the file may be half, single or double precision, integers of 8 to 64
/// bits, or bool. All of these convert to float and double; integers and bool convert to
/// std::int64_t; bool converts to bool. Floating-point numbers are rounded to the nearest; an
/// integer that T cannot hold is an error unless `ReadOptions::round_integers` is set. Elements
/// that are T in the file are read directly into the array.
/// @throws FileError that starts with "file: byte offset" for a file that cannot be read, does not
/// match its header, takes more than `max_bytes`, has more than six axes, or has an element that T
/// cannot hold.
template <class T>
EBB_API Array<T> read_npy(const std::string& path, const ReadOptions& options = {});

/// Reads an array from a .npy file and converts it to the nearest type that holds every value: half
/// and single precision to float, double precision to double, integers to std::int64_t, bool to
/// bool. With `ReadOptions::round_integers` unsigned integers of 64 bits become double.
/// @throws FileError as `read_npy`.
EBB_API AnyArray read_npy_any(const std::string& path, const ReadOptions& options = {});

/// Writes an array as a .npy file of version 1.0, which NumPy loads: float as <f4, double as <f8,
/// std::int64_t as <i8, bool as |b1. The file is written whole or not at all.
/// @throws FileError when it cannot be written.
template <class T>
EBB_API void write_npy(const std::string& path, const Array<T>& array);

}  // namespace ebb::inline v0::data
