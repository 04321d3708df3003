// SPDX-License-Identifier: BSD-3-Clause
// NumPy's file format for several arrays.
#pragma once
#include <string>

#include "ebb/data/files/named_arrays.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

struct NpzOptions {
  bool compress = true;  ///< deflate the arrays, as numpy.savez_compressed does
};

/// Reads the arrays of a .npz file, as numpy.savez and numpy.savez_compressed write it. Each is
/// converted as `read_npy_any` converts. `max_bytes` limits all arrays together, and is checked
/// before anything is inflated. `names` chooses some of the arrays.
/// @throws FileError that starts with "file: member: byte offset", an offset in the inflated bytes,
/// for a file that cannot be read, does not match its headers, takes more than `max_bytes`, has two
/// members of one name, or has a member that is not an array.
EBB_API NamedArrays read_npz(const std::string& path, const ReadOptions& options = {});

/// Writes arrays as a .npz file, which NumPy loads. Equal arrays give equal bytes. The metadata are
/// not written. The file is written whole or not at all.
/// @throws FileError when it cannot be written; ArgumentError for a name that a member cannot have.
EBB_API void write_npz(const std::string& path, const NamedArrays& arrays,
                       const NpzOptions& options = {});

namespace detail {
class BinaryFile;
NamedArrays read_npz(const BinaryFile& file, const ReadOptions& options);
}  // namespace detail

}  // namespace ebb::inline v0::data
