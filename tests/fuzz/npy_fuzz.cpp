// SPDX-License-Identifier: BSD-3-Clause
// Reads any bytes as a .npy file; what can be read can be written, and is the same again.
#include <cstring>
#include <string>

#include "ebb/data/formats/npy_format.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

using namespace ebb;
using data::detail::BinaryFile;
using data::detail::FileReader;
using data::detail::ReadSession;

namespace {

template <class T>
std::string written(const Array<T>& array) {
  std::string file = data::detail::npy_header(data::detail::type_of<T>(), array.shape());
  if (array.size() > 0) {
    file.append(reinterpret_cast<const char*>(array.data()), std::size_t(array.size()) * sizeof(T));
  }
  return file;
}

template <class T>
void check_again(const Array<T>& array) {
  const std::string content = written(array);
  const BinaryFile file(std::as_bytes(std::span(content)), "again");
  FileReader reader(file);
  ReadSession session({});
  fuzz::demand(written(data::detail::read_npy<T>(reader, session)) == content);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzz::try_read(bytes, count, [](const BinaryFile& file, const data::ReadOptions& options) {
    FileReader reader(file);
    ReadSession session(options);
    std::visit([](const auto& array) { check_again(array); },
               data::detail::read_npy_any(reader, session));
  });
  fuzz::try_read(bytes, count, [](const BinaryFile& file, const data::ReadOptions& options) {
    FileReader reader(file);
    ReadSession session(options);
    data::detail::read_npy<float>(reader, session);
  });
  return 0;
}
