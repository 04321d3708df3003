// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/npz.hpp"

#include <memory>
#include <vector>

#include "ebb/data/files/memory_limit.hpp"
#include "ebb/data/files/zip_archive.hpp"
#include "ebb/data/formats/npy_format.hpp"

namespace ebb::inline v0::data {
namespace {

constexpr std::string_view suffix = ".npy";

}  // namespace

namespace detail {

NamedArrays read_npz(const BinaryFile& file, const ReadOptions& options) {
  const ZipReader archive(file);
  ReadSession session(options);
  const std::int64_t n = archive.members();
  struct Member {
    std::int64_t index, size;
    std::string name;
  };
  std::vector<Member> members;
  std::vector<std::string> names;
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    std::string name = archive.name(i);
    const bool is_array = std::string_view(name).ends_with(suffix);
    if (is_array) name.resize(name.size() - suffix.size());
    names.push_back(name);
    if (!is_array || !is_wanted(options, name)) {
      if (!options.names.empty()) continue;
      file.fail(0, "the archive holds " + printable(name) +
                       ", which is not a .npy file; remove it from the archive");
    }
    members.push_back({i, archive.size(i), std::move(name)});
    if (__builtin_add_overflow(total, members.back().size, &total)) {
      file.fail(0, "the members declare more bytes than can be counted");
    }
  }
  check_wanted(file.name(), options, names);
  session.expect(total);
  NamedArrays arrays;
  for (Member& member : members) {
    if (arrays.contains(member.name)) {
      file.fail(0, "the archive holds " + printable(member.name) + " twice; remove one of them");
    }
    const std::int64_t before = session.done();
    const auto reader = archive.open(member.index);
    auto array = read_npy_any(*reader, session);
    arrays.add(std::move(member.name), std::move(array));
    session.advance(before + member.size - session.done());  // the bytes of the header
  }
  return arrays;
}

}  // namespace detail

NamedArrays read_npz(const std::string& path, const ReadOptions& options) {
  const detail::BinaryFile file(path);
  return detail::within_memory(file, [&] { return detail::read_npz(file, options); });
}

void write_npz(const std::string& path, const NamedArrays& arrays, const NpzOptions& options) {
  detail::AtomicFile file(path);
  detail::ZipWriter archive(file, path);
  std::vector<std::string> headers;
  headers.reserve(arrays.names().size());  // the archive keeps views of them
  for (const std::string& name : arrays.names()) {
    std::visit(
        [&]<class T>(const Array<T>& array) {
          headers.push_back(detail::npy_header(detail::type_of<T>(), array.shape()));
          archive.add(name + std::string(suffix), headers.back(), array.data(),
                      array.size() * std::int64_t(sizeof(T)), options.compress);
        },
        arrays.at(name));
  }
  archive.finish();
  file.commit();
}

}  // namespace ebb::inline v0::data
