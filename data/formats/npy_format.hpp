// SPDX-License-Identifier: BSD-3-Clause
// The bytes of NumPy's format for one array, which .npz files use too.
#pragma once
#include <string>

#include "ebb/data/files/elements.hpp"

namespace ebb::inline v0::data::detail {

/// Reads the header, which ends at the first element.
/// Source: NumPy Enhancement Proposal 1, and the documentation of numpy.lib.format.
/// @throws FileError with the offset of the error.
ElementLayout read_npy_header(ByteReader& reader);

/// The header of an array, in version 1.0.
std::string npy_header(ElementType type, const Shape& shape);

/// Reads the array of a whole file.
template <class T>
Array<T> read_npy(ByteReader& reader, ReadSession& session);
AnyArray read_npy_any(ByteReader& reader, ReadSession& session);

}  // namespace ebb::inline v0::data::detail
