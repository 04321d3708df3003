// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/error.hpp"

namespace ebb::inline v0 {

// Out of line, so that each type has one home and can be caught across shared libraries.
Error::~Error() = default;
ShapeError::~ShapeError() = default;
ArgumentError::~ArgumentError() = default;
TapeError::~TapeError() = default;
FileError::~FileError() = default;

}  // namespace ebb::inline v0
