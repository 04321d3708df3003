// SPDX-License-Identifier: BSD-3-Clause
// The safetensors file format for named arrays.
#pragma once
#include <string>

#include "ebb/data/files/named_arrays.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

/// Reads the arrays of a safetensors file, in the order of their bytes, and its metadata. F16, BF16
/// and F32 become float, F64 double, I8 to I64 and U8 to U64 std::int64_t, BOOL bool; with
/// `round_integers` U64 becomes double. `names` chooses some of the arrays.
/// Source: the description of the format and the reference implementation by Hugging Face. Two
/// things that the reference implementation accepts are errors here: a name that occurs twice, and
/// keys that it does not know.
/// @throws FileError that starts with "file: byte offset" for a file that cannot be read, a header
/// that is not valid, arrays that overlap, leave gaps or do not fill the file, more than
/// `max_bytes`, an array with more than six axes or of a type not named here, and a U64 that is too
/// large for std::int64_t.
EBB_API NamedArrays read_safetensors(const std::string& path, const ReadOptions& options = {});

/// Writes arrays and metadata as a safetensors file, byte for byte as the reference implementation
/// does: std::int64_t as I64 first, then F64, F32 and BOOL, and by name within each type. The file
/// is written whole or not at all.
/// @throws ArgumentError for names or metadata that are not UTF-8, and for an array named
/// "__metadata__"; FileError when the file cannot be written.
EBB_API void write_safetensors(const std::string& path, const NamedArrays& arrays);

namespace detail {
class BinaryFile;
NamedArrays read_safetensors(const BinaryFile& file, const ReadOptions& options);
}  // namespace detail

}  // namespace ebb::inline v0::data
