// SPDX-License-Identifier: BSD-3-Clause
// The exceptions of ebb. Every message names the operation or the place in a file, and says what to
// do.
#pragma once
#include <stdexcept>
#include <string>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

namespace detail {
/// A number with at most six significant digits and a decimal point, whatever the locale.
EBB_API std::string to_text(double number);
}  // namespace detail

/// The base of all exceptions that ebb throws. Inside a `NameScope` the message ends with its path:
/// "exp: ... (in encoder.attention)".
class EBB_API Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message);
  ~Error() override;
};

/// Shapes that do not fit together, or sizes that an array cannot have.
class EBB_API ShapeError : public Error {
 public:
  using Error::Error;
  ~ShapeError() override;
};

/// An argument that an operation does not accept: an axis, an option, an index, a label.
class EBB_API ArgumentError : public Error {
 public:
  using Error::Error;
  ~ArgumentError() override;
};

/// A gradient would be cut off silently: a tensor of another tape or of none, a tape that was
/// released, a sweep from a value that was not recorded.
class EBB_API TapeError : public Error {
 public:
  using Error::Error;
  ~TapeError() override;
};

/// A NaN or an infinity on a tape that checks for them: `Tape tape({.check_finite = true})`.
class EBB_API NonFiniteError : public Error {
 public:
  using Error::Error;
  ~NonFiniteError() override;
};

/// A file that cannot be written, or cannot be read in its format. The message starts with its
/// name, and with line:column in a text file, or the byte offset in any other file.
class EBB_API FileError : public Error {
 public:
  using Error::Error;
  ~FileError() override;
};

}  // namespace ebb::inline v0
