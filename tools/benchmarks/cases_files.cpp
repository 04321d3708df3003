// SPDX-License-Identifier: BSD-3-Clause
// Arrays out of files that the system has in its memory.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "arrays.hpp"
#include "ebb/data/npy.hpp"

namespace bench {
namespace {

constexpr std::int64_t floats = 20'000'000;  // 80 MB
constexpr std::int64_t header = 32;          // of the file, in floats

/// A .npy file until the last copy of this is gone, and a buffer that it fits into.
struct NpyFile {
  NpyFile()
      : path((std::filesystem::temp_directory_path() /
              ("ebb_bench_" + std::to_string(::getpid()) + ".npy"))
                 .string()),
        buffer(floats + header) {
    ebb::data::write_npy(path, array({floats}, buffer));
  }
  ~NpyFile() { std::filesystem::remove(path); }

  std::string path;
  Numbers buffer;
};

/// Opens a file, reads all of it and closes it.
void read_whole(const std::string& path, float* to) {
  const int file = ::open(path.c_str(), O_RDONLY);
  auto bytes = reinterpret_cast<char*>(to);
  ssize_t got = 0;
  while ((got = ::read(file, bytes, std::size_t(floats + header) * sizeof(float))) > 0) {
    bytes += got;
  }
  ::close(file);
  if (got < 0 || bytes != reinterpret_cast<char*>(to + floats + header)) {
    throw std::runtime_error("cannot read " + path);
  }
}

}  // namespace

void add_files(std::vector<Case>& cases) {
  // Counts all from the name of the file to an array from the pool. The limit opens, reads and
  // closes the same file, header included, into a buffer that stays.
  cases.push_back(versus("files/npy_read/80MB/f32", "ms", 1.25, [] {
    auto f = std::make_shared<NpyFile>();
    return Sides{[=] { keep(ebb::data::read_npy<float>(f->path)); },
                 [=] { read_whole(f->path, f->buffer); }};
  }));
}

}  // namespace bench
