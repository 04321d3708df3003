// SPDX-License-Identifier: BSD-3-Clause
// The bytes of NumPy's format for one array, which .npz files hold too.
#pragma once
#include <string>

#include "ebb/data/files/elements.hpp"

namespace ebb::inline v0::data::detail {

/// Reads what stands before the elements. @throws FileError with the offset of what is wrong.
/// Source: NumPy Enhancement Proposal 1, and the documentation of numpy.lib.format.
ElementLayout read_npy_header(ByteReader& reader);

/// What stands before the elements of an array, in version 1.0.
std::string npy_header(ElementType type, const Shape& shape);

/// The array of a whole file.
template <class T>
Array<T> read_npy(ByteReader& reader, ReadSession& session);
AnyArray read_npy_any(ByteReader& reader, ReadSession& session);

}  // namespace ebb::inline v0::data::detail
