// SPDX-License-Identifier: BSD-3-Clause
// The exceptions of ebb. Every message names the operation or the place in a file, and what to do.
#pragma once
#include <stdexcept>
#include <string>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

/// The base of everything that ebb throws on purpose. Inside of a `Scope` the message ends with its
/// path: "exp: ... (in encoder.attention)".
class EBB_API Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message);
  ~Error() override;
};

/// Shapes that do not fit together, or sizes that no array can have.
class EBB_API ShapeError : public Error {
 public:
  using Error::Error;
  ~ShapeError() override;
};

/// An argument outside of what the operation accepts: an axis, an option, an index, a label.
class EBB_API ArgumentError : public Error {
 public:
  using Error::Error;
  ~ArgumentError() override;
};

/// A gradient that would be cut without a word: a tensor of no tape or of another one, a tape that
/// was released, a sweep from something that was never recorded.
class EBB_API TapeError : public Error {
 public:
  using Error::Error;
  ~TapeError() override;
};

/// A NaN or an infinity on a tape that refuses them: `Tape tape({.check_finite = true})`.
class EBB_API NonFiniteError : public Error {
 public:
  using Error::Error;
  ~NonFiniteError() override;
};

/// A file that cannot be written, or not be read as what it claims to be. The message starts with
/// its name, and with line:column in a text or the byte offset in any other file.
class EBB_API FileError : public Error {
 public:
  using Error::Error;
  ~FileError() override;
};

}  // namespace ebb::inline v0
