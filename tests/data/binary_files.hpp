// SPDX-License-Identifier: BSD-3-Clause
// What the tests of binary files share.
#pragma once
#include <cstddef>
#include <string>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::test {

/// A file that is refused, and the message of its error.
struct Broken {
  std::string content, message;
};

/// 0, 1, 2, ... in row-major order.
template <class T = float>
Array<T> counting(const Shape& shape) {
  auto array = Array<T>::uninitialized(shape);
  T* const out = array.mutate();
  for (std::int64_t i = 0; i < array.size(); ++i) out[i] = T(i);
  return array;
}

/// Reads a file with another value in one byte: an array or a FileError, but nothing else.
template <class Read>
void read_changed(std::string content, std::size_t at, int value, const Read& read) {
  content[at] = char(value);
  try {
    read(content);
  } catch (const FileError&) {
  }
}

}  // namespace ebb::test
