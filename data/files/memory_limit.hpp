// SPDX-License-Identifier: BSD-3-Clause
// How much memory a reader may take, and the error when there is none.
#pragma once
#include <cstdint>
#include <new>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::data::detail {

/// The most memory that the arrays of a file may take unless the user says otherwise, in bytes:
/// half of the machine's memory, of the limit of the process's control group, and of what the
/// limits of the process on address space and data leave.
EBB_API std::int64_t default_max_bytes();

/// The least limit on memory of the control group of this process and the groups above it, of
/// version 1 or 2; the largest number without one. `root` is put before the paths that are read.
std::int64_t control_group_limit(const std::string& root = "");

/// Throws a FileError that names a file and its size: there is no memory to read it.
[[noreturn]] EBB_API void fail_without_memory(const std::string& file, std::int64_t size);

/// Calls f, which reads a file.
/// @throws FileError, which names the file and its size, where f finds no memory.
template <class F>
auto within_memory(const std::string& file, std::int64_t size, const F& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    fail_without_memory(file, size);
  }
}
template <class File, class F>
auto within_memory(const File& file, const F& f) {
  return within_memory(file.name(), file.size(), f);
}

}  // namespace ebb::inline v0::data::detail
