// SPDX-License-Identifier: BSD-3-Clause
// Arrays out of files that the system has in its memory.
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "arrays.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/formats/npy.hpp"
#include "ebb/data/sets/csv_dataset.hpp"
#include "limits/limits.hpp"

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

constexpr std::int64_t columns = 100;

/// A CSV file of numbers with six digits until the last copy of this is gone.
struct CsvFile {
  explicit CsvFile(std::int64_t rows)
      : path((std::filesystem::temp_directory_path() /
              ("ebb_bench_" + std::to_string(::getpid()) + ".csv"))
                 .string()),
        values(rows * columns) {
    const auto close = [](std::FILE* open) { std::fclose(open); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "wb"), close);
    if (!file) throw std::runtime_error("cannot write " + path);
    for (std::int64_t j = 0; j < columns; ++j)
      header.append("x").append(std::to_string(j)).append(",");
    header.back() = '\n';
    std::string text = header;
    std::size_t size = 64;  // that the limit may read behind the end
    char number[32];
    for (std::int64_t i = 0; i < values.size(); ++i) {
      auto* const end = std::to_chars(number, number + sizeof number, values.data()[i],
                                      std::chars_format::fixed, 6)
                            .ptr;
      text.append(number, end).push_back((i + 1) % columns ? ',' : '\n');
      if (text.size() < (1 << 20) && i + 1 < values.size()) continue;
      if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) {
        throw std::runtime_error("cannot write " + path);
      }
      size += text.size();
      text.clear();
    }
    buffer.resize(size);
  }
  ~CsvFile() { std::filesystem::remove(path); }

  std::string path, header = {};
  Numbers values;
  std::string buffer = {};
};

/// Reads the file in one go and parses all behind its first line.
void parse_whole(CsvFile& csv) {
  const int file = ::open(csv.path.c_str(), O_RDONLY);
  std::size_t size = 0;
  ssize_t got = 0;
  while ((got = ::read(file, csv.buffer.data() + size, csv.buffer.size() - size)) > 0) {
    size += std::size_t(got);
  }
  ::close(file);
  const std::size_t start = csv.header.size();
  if (got < 0 || limits::parse_lines(csv.buffer.data() + start, std::int64_t(size - start),
                                     csv.values) != csv.values.size()) {
    throw std::runtime_error("cannot read " + csv.path);
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
  // Counts all from the name of the file to a table. The limit knows the format of every number,
  // and its buffers stay.
  cases.push_back(versus("data/csv_read/200000x100/f32", "ms", 3.0, [] {
    auto f = std::make_shared<CsvFile>(200'000);
    return Sides{[=] { keep(ebb::data::read_csv<float>(f->path)); }, [=] { parse_whole(*f); }};
  }));
  // Counts the opening, which reads every row once, and an epoch in random order, which reads every
  // block once and keeps it. The limit parses once.
  cases.push_back(versus("data/csv_epoch/20000x100/f32", "ms", 7.0, [] {
    auto f = std::make_shared<CsvFile>(20'000);
    return Sides{[=] {
                   ebb::data::Loader loader(ebb::data::CsvDataset<float>(f->path, "x0"),
                                            {.batch_size = 256, .seed = 1});
                   for (const auto& batch : loader) keep(batch);
                 },
                 [=] { parse_whole(*f); }};
  }));
}

}  // namespace bench
