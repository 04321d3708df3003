// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/error.hpp"

#include <charconv>

#include "ebb/autodiff/values/scope.hpp"

namespace ebb::inline v0 {
namespace {

std::string with_scope(const std::string& message) {
  const std::string path = NameScope::path();
  return path.empty() ? message : message + " (in " + path + ")";
}

}  // namespace

std::string detail::to_text(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::general, 6);
  return {text, end.ptr};
}

Error::Error(const std::string& message) : std::runtime_error(with_scope(message)) {}

// Not inline, so that each type is defined in one place and can be caught across shared libraries.
Error::~Error() = default;
ShapeError::~ShapeError() = default;
ArgumentError::~ArgumentError() = default;
TapeError::~TapeError() = default;
NonFiniteError::~NonFiniteError() = default;
FileError::~FileError() = default;

}  // namespace ebb::inline v0
