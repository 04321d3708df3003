// SPDX-License-Identifier: BSD-3-Clause
// The safetensors format for named arrays.
#pragma once
#include <string>

#include "ebb/data/files/named_arrays.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

/// Reads the arrays of a safetensors file, in the order of their bytes, and its metadata. F16, BF16
/// and F32 become float, F64 double, I8 to I64 and U8 to U64 std::int64_t, BOOL bool.
/// Source: the format's description and reference implementation by Hugging Face. What the latter
/// passes over is an error here: a name that stands twice, and keys that it does not know.
/// @throws FileError that starts with file: byte offset for a file that cannot be read, whose
/// header is not what it should be, whose arrays overlap, leave gaps or do not fill the file, that
/// takes more than `max_bytes`, or has an array of more than six axes, of a type not named here, or
/// with a U64 beyond std::int64_t.
EBB_API NamedArrays read_safetensors(const std::string& path, const ReadOptions& options = {});

/// Writes arrays and metadata as a safetensors file, byte for byte as the reference implementation
/// would: std::int64_t as I64 first, then F64, F32 and BOOL, and within these by name. The file is
/// written whole or not at all.
/// @throws ArgumentError for names or metadata that are not UTF-8, and for an array named
/// "__metadata__"; FileError when the file cannot be written.
EBB_API void write_safetensors(const std::string& path, const NamedArrays& arrays);

namespace detail {
class BinaryFile;
NamedArrays read_safetensors(const BinaryFile& file, const ReadOptions& options);
}  // namespace detail

}  // namespace ebb::inline v0::data
