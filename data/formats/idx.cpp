// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/idx.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

#include "ebb/data/files/elements.hpp"
#include "ebb/data/files/gzip.hpp"
#include "ebb/data/files/memory_limit.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::ElementType;

/// The codes of the element types in the third byte.
struct Code {
  int code;
  ElementType type;
};
constexpr Code codes[] = {{0x08, ElementType::uint8},   {0x09, ElementType::int8},
                          {0x0b, ElementType::int16},   {0x0c, ElementType::int32},
                          {0x0d, ElementType::float32}, {0x0e, ElementType::float64}};

detail::ElementLayout read_header(detail::ByteReader& reader) {
  std::uint8_t magic[4];
  reader.read(magic, 4, "the four bytes that an IDX file starts with");
  if (magic[0] != 0 || magic[1] != 0) {
    reader.fail(0, "this is not an IDX file; one starts with two bytes that are zero");
  }
  detail::ElementLayout layout;
  layout.big_endian = true;
  const auto code = std::find_if(std::begin(codes), std::end(codes),
                                 [&](const Code& c) { return c.code == int(magic[2]); });
  if (code == std::end(codes)) {
    reader.fail(2, "the type of the elements is " + std::to_string(int(magic[2])) +
                       "; those of IDX are 8, 9, 11, 12, 13 and 14");
  }
  layout.type = code->type;
  std::vector<std::uint64_t> sizes(magic[3]);
  for (std::uint64_t& size : sizes) {
    std::uint8_t bytes[4];
    reader.read(bytes, 4, "the sizes along its axes");
    for (const std::uint8_t byte : bytes) size = size << 8 | byte;
  }
  layout.shape = detail::shape_of(sizes, [&](const std::string& what) { reader.fail(4, what); });
  return layout;
}

/// The smallest type that holds all elements.
template <class T>
ElementType type_for(const Array<T>& array) {
  if constexpr (Real<T>) return detail::type_of<T>();
  std::int64_t low = 0, high = 0;
  for (std::int64_t i = 0; i < array.size(); ++i) {
    low = std::min(low, std::int64_t(array[i]));
    high = std::max(high, std::int64_t(array[i]));
  }
  if (low >= 0 && high <= 0xff) return ElementType::uint8;
  constexpr std::pair<int, ElementType> signed_types[] = {
      {7, ElementType::int8}, {15, ElementType::int16}, {31, ElementType::int32}};
  for (const auto& [bits, type] : signed_types) {
    if (low >= -(std::int64_t(1) << bits) && high < std::int64_t(1) << bits) return type;
  }
  throw ArgumentError("write_idx: " + std::to_string(low < -high ? low : high) +
                      " is beyond the 32 bits of an IDX file's integers; write_npy has 64");
}

std::string header_of(ElementType type, const Shape& shape) {
  const auto code = std::find_if(std::begin(codes), std::end(codes),
                                 [&](const Code& c) { return c.type == type; });
  std::string header{'\0', '\0', char(code->code), char(shape.rank())};
  for (const std::int64_t size : shape.sizes()) {
    if (size > 0xffffffff) {
      throw ArgumentError("write_idx: a size of " + std::to_string(size) +
                          " is beyond the 32 bits of an IDX file's; write_npy has 64");
    }
    for (int shift = 24; shift >= 0; shift -= 8) header += char(size >> shift & 0xff);
  }
  return header;
}

/// Calls `write` with the elements, highest byte first, some at a time.
template <class T>
void write_elements(const Array<T>& array, ElementType type, const auto& write) {
  constexpr std::int64_t block = 4096;
  const std::int64_t size = detail::size_of(type);
  std::string bytes;
  for (std::int64_t first = 0; first < array.size(); first += block) {
    bytes.clear();
    for (std::int64_t i = first; i < std::min(first + block, array.size()); ++i) {
      std::uint64_t bits = 0;
      if constexpr (std::same_as<T, float>) {
        bits = std::bit_cast<std::uint32_t>(array[i]);
      } else {
        bits = std::bit_cast<std::uint64_t>(array[i]);
      }
      for (std::int64_t shift = 8 * (size - 1); shift >= 0; shift -= 8) {
        bytes += char(bits >> shift & 0xff);
      }
    }
    write(bytes);
  }
}

}  // namespace

namespace detail {

template <class T>
Array<T> read_idx(const BinaryFile& file, const ReadOptions& options) {
  ReadSession session(options);
  const auto read = [&](ByteReader& reader) {
    const ElementLayout layout = read_header(reader);
    auto array = read_elements<T>(reader, layout, session);
    reader.expect_end();
    return array;
  };
  if (is_gzip(file)) {
    GzipReader reader(file);
    return read(reader);
  }
  FileReader reader(file);
  return read(reader);
}

}  // namespace detail

template <class T>
Array<T> read_idx(const std::string& path, const ReadOptions& options) {
  const detail::BinaryFile file(path);
  return detail::within_memory(file, [&] { return detail::read_idx<T>(file, options); });
}

template <class T>
void write_idx(const std::string& path, const Array<T>& array) {
  const ElementType type = type_for(array);
  const std::string header = header_of(type, array.shape());
  detail::AtomicFile file(path);
  const auto write_all = [&](auto& to) {
    to.write(header.data(), std::int64_t(header.size()));
    write_elements(array, type, [&](const std::string& bytes) {
      to.write(bytes.data(), std::int64_t(bytes.size()));
    });
  };
  if (path.ends_with(".gz")) {
    detail::GzipWriter compressed(file);
    write_all(compressed);
    compressed.finish();
  } else {
    write_all(file);
  }
  file.commit();
}

#define EBB_INSTANTIATE(T)                                                           \
  template Array<T> detail::read_idx(const detail::BinaryFile&, const ReadOptions&); \
  template EBB_API Array<T> read_idx(const std::string&, const ReadOptions&);        \
  template EBB_API void write_idx(const std::string&, const Array<T>&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
EBB_INSTANTIATE(std::int64_t)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
