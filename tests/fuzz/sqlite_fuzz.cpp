// SPDX-License-Identifier: BSD-3-Clause
// Asks any bytes for the rows of a table, as if they were a database.
#include <stdlib.h>

#include <filesystem>

#include "ebb/data/formats/sqlite.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

using namespace ebb;

namespace {

/// A file on the disk until the program ends: SQLite looks for the name that a link leads to.
class Scratch {
 public:
  Scratch() : path_((std::filesystem::temp_directory_path() / "ebb_fuzz_XXXXXX").string()) {
    descriptor_ = ::mkstemp(path_.data());
    fuzz::demand(descriptor_ >= 0);
  }
  ~Scratch() {
    ::close(descriptor_);
    forget("");
    forget_companions();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  void fill(const std::uint8_t* bytes, std::size_t count) const {
    forget_companions();
    fuzz::demand(::ftruncate(descriptor_, 0) == 0 &&
                 ::pwrite(descriptor_, bytes, count, 0) == ssize_t(count));
  }

 private:
  void forget(const char* end) const { ::unlink((path_ + end).c_str()); }
  /// What SQLite puts beside a database, and would read with the next one.
  void forget_companions() const {
    for (const char* end : {"-journal", "-wal", "-shm"}) forget(end);
  }

  std::string path_;
  int descriptor_ = -1;
};

template <class T>
void check(const std::string& path, const char* query, data::Missing missing) {
  try {
    const auto table =
        data::read_sqlite<T>(path, query, {.missing = missing, .read = {.max_bytes = 16 << 20}});
    fuzz::demand(table.rows() > 0 && !table.columns().empty());
    for (const auto& column : table.describe().columns) {
      fuzz::demand(column.count + column.missing == table.rows());
      fuzz::demand(missing == data::Missing::nan || column.missing == 0);
    }
  } catch (const FileError& error) {
    fuzz::demand(std::string_view(error.what()).starts_with(path + ": "));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const Scratch file;
  file.fill(bytes, count);
  check<float>(file.path(), "SELECT * FROM t", data::Missing::nan);
  check<double>(file.path(), "SELECT * FROM t WHERE a < 3 ORDER BY 1", data::Missing::drop_row);
  return 0;
}
