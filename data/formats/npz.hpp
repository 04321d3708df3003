// SPDX-License-Identifier: BSD-3-Clause
// NumPy's file of several arrays.
#pragma once
#include <string>

#include "ebb/data/files/named_arrays.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

struct NpzOptions {
  bool compress = true;  ///< deflate the arrays, as numpy.savez_compressed does
};

/// Reads the arrays of a .npz file, as numpy.savez and numpy.savez_compressed write it, each
/// converted as by `read_npy_any`. `max_bytes` caps all arrays together, before anything inflates.
/// @throws FileError that starts with file: member: byte offset, where the offset is that of the
/// inflated bytes, for a file that cannot be read, is not what it declares, takes more than
/// `max_bytes`, holds a name twice or anything but arrays.
EBB_API NamedArrays read_npz(const std::string& path, const ReadOptions& options = {});

/// Writes arrays as a .npz file, which NumPy loads; the same arrays give the same bytes. The
/// metadata are not written. The file is written whole or not at all.
/// @throws FileError when it cannot be written; ArgumentError for a name that no member can have.
EBB_API void write_npz(const std::string& path, const NamedArrays& arrays,
                       const NpzOptions& options = {});

namespace detail {
class BinaryFile;
NamedArrays read_npz(const BinaryFile& file, const ReadOptions& options);
}  // namespace detail

}  // namespace ebb::inline v0::data
