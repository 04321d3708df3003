// SPDX-License-Identifier: BSD-3-Clause
// What the fuzzers of the file readers share.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::fuzz {

/// Ends the program where an input breaks a promise, so that libFuzzer keeps it.
inline void demand(bool holds) {
  if (!holds) std::abort();
}

/// An input as a file in memory that has a name, for functions that open a file by its name.
class NamedFile {
 public:
  NamedFile(const std::uint8_t* bytes, std::size_t count)
      : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
    demand(descriptor_ >= 0 && ::write(descriptor_, bytes, count) == ssize_t(count));
  }
  ~NamedFile() { ::close(descriptor_); }
  NamedFile(const NamedFile&) = delete;
  NamedFile& operator=(const NamedFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  /// Whether f returns; it may throw nothing but a FileError that names the file.
  template <class F>
  bool accepts(const F& f) const {
    try {
      f();
      return true;
    } catch (const FileError& error) {
      demand(std::string_view(error.what()).starts_with(path() + ':'));
      return false;
    }
  }

 private:
  int descriptor_;
};

/// Whether an array or a tensor has the shape and the bits of an array.
template <class A, class T>
bool same(const A& a, const Array<T>& b) {
  return a.shape() == b.shape() &&
         (b.size() == 0 || std::memcmp(a.data(), b.data(), std::size_t(b.size()) * sizeof(T)) == 0);
}

/// Some of n rows, the last first.
inline std::vector<std::int64_t> backwards(std::int64_t n) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = n; i > std::max(std::int64_t(0), n - 1000); --i) rows.push_back(i - 1);
  return rows;
}

/// Reads an input as the file "file" with a small cap. Nothing but a FileError that names the file
/// may come out.
template <class Read>
void try_read(const std::uint8_t* bytes, std::size_t count, const Read& read) {
  std::int64_t last = 0;
  const data::ReadOptions options{.max_bytes = 16 << 20,
                                  .progress = [&](std::int64_t done, std::int64_t total) {
                                    demand(done > last && done <= total);
                                    last = done;
                                  }};
  const data::detail::BinaryFile file(std::as_bytes(std::span(bytes, count)), "file");
  try {
    read(file, options);
  } catch (const FileError& error) {
    demand(std::string_view(error.what()).substr(0, 4) == "file");
  }
}

}  // namespace ebb::fuzz
