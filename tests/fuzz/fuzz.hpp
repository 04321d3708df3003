// SPDX-License-Identifier: BSD-3-Clause
// What the fuzzers of the file readers share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "ebb/data/binary_file.hpp"
#include "ebb/data/read_options.hpp"

namespace ebb::fuzz {

/// Ends the program where an input breaks a promise, so that libFuzzer keeps it.
inline void demand(bool holds) {
  if (!holds) std::abort();
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
