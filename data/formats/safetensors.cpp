// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/safetensors.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/memory_limit.hpp"
#include "ebb/data/formats/safetensors_header.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::ElementType;
using Entry = detail::SafetensorsHeader::Entry;

/// Reads the length of the header from the first eight bytes.
std::int64_t header_bytes(const detail::BinaryFile& file) {
  constexpr std::int64_t most = 100'000'000;  // as in the reference implementation
  if (file.size() < 8) {
    file.fail(file.size(), "the file ends within the eight bytes that it starts with");
  }
  std::uint64_t bytes = 0;
  file.read(0, &bytes, 8);
  if (bytes > std::uint64_t(most)) {
    file.fail(0, "a header of " + std::to_string(bytes) +
                     " bytes, where 100000000 are the most; this may be no safetensors file");
  }
  if (std::int64_t(bytes) > file.size() - 8) {
    file.fail(0, "a header of " + std::to_string(bytes) + " bytes, but the file has " +
                     std::to_string(file.size()) + " in all");
  }
  return std::int64_t(bytes);
}

/// @throws FileError unless the arrays follow each other without gaps and fill the file.
void check_offsets(const detail::BinaryFile& file, const std::vector<Entry>& entries,
                   std::uint64_t available) {
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    const auto fail = [&](const std::string& what) {
      file.fail(entry.place, "the array " + detail::printable(entry.name) + ' ' + what);
    };
    if (entry.begin != end) {
      fail("begins at " + std::to_string(entry.begin) + ", but the one before it ends at " +
           std::to_string(end) + "; arrays neither overlap nor leave gaps");
    }
    if (entry.end > available) {
      fail("ends at " + std::to_string(entry.end) + ", but only " + std::to_string(available) +
           " bytes follow the header");
    }
    if (entry.end - entry.begin != std::uint64_t(entry.layout.bytes())) {
      fail("has " + std::to_string(entry.end - entry.begin) + " bytes, but its shape " +
           to_string(entry.layout.shape) + " of " + detail::safetensors_name(entry.layout.type) +
           " takes " + std::to_string(entry.layout.bytes()));
    }
    end = entry.end;
  }
  if (end != available) {
    file.fail(file.size() - std::int64_t(available - end),
              "the arrays end here, but the file continues, which does not match its header");
  }
}

}  // namespace

namespace detail {

NamedArrays read_safetensors(const BinaryFile& file, const ReadOptions& options) {
  const std::int64_t length = header_bytes(file), start = 8 + length;
  std::string json(std::size_t(length), '\0');
  file.read(8, json.data(), length);
  if (json.starts_with("\xEF\xBB\xBF") || json.starts_with(' ') || json.starts_with('\n')) {
    file.fail(8, "the first byte of the header must be {; remove the byte order mark or the blank");
  }
  SafetensorsHeader header = parse_safetensors_header(file, 8, json);
  json = {};
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const Entry& a, const Entry& b) {
                     return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
                   });
  check_offsets(file, header.entries, std::uint64_t(file.size() - start));

  ReadSession session(options);
  std::vector<std::string> names;
  std::int64_t total = 0;
  for (const Entry& entry : header.entries) {
    names.push_back(entry.name);
    if (is_wanted(options, entry.name)) total += entry.layout.bytes();
  }
  check_wanted(file.name(), options, names);
  session.expect(total);
  NamedArrays arrays;
  for (Entry& entry : header.entries) {
    if (!is_wanted(options, entry.name)) continue;
    FileReader reader(file, start + std::int64_t(entry.begin), start + std::int64_t(entry.end));
    auto array = read_any_elements(reader, entry.layout, session);
    arrays.add(std::move(entry.name), std::move(array));
  }
  arrays.metadata = std::move(header.metadata);
  return arrays;
}

}  // namespace detail

NamedArrays read_safetensors(const std::string& path, const ReadOptions& options) {
  const detail::BinaryFile file(path);
  return detail::within_memory(file, [&] { return detail::read_safetensors(file, options); });
}

namespace {

/// An array to write.
struct Item {
  const std::string* name;
  ElementType type;
  const Shape* shape;
  const void* data;
  std::int64_t bytes;
};

/// The arrays in the order of the reference implementation: descending alignment, then by name.
std::vector<Item> sorted_items(const NamedArrays& arrays) {
  std::vector<Item> items;
  for (const std::string& name : arrays.names()) {
    if (name == "__metadata__") {
      throw ArgumentError(
          "write_safetensors: no array can be named \"__metadata__\" in this format; rename it");
    }
    std::visit(
        [&]<class T>(const Array<T>& array) {
          items.push_back({&name, detail::type_of<T>(), &array.shape(), array.data(),
                           array.size() * std::int64_t(sizeof(T))});
        },
        arrays.at(name));
  }
  const auto rank = [](ElementType type) {
    return type == ElementType::int64     ? 0
           : type == ElementType::float64 ? 1
           : type == ElementType::float32 ? 2
                                          : 3;
  };
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    return std::tuple(rank(a.type), std::string_view(*a.name)) <
           std::tuple(rank(b.type), std::string_view(*b.name));
  });
  return items;
}

std::string header_of(const std::vector<Item>& items,
                      const std::map<std::string, std::string>& metadata) {
  std::string json;
  const char* separator = "{";
  if (!metadata.empty()) {
    json += "{\"__metadata__\":";
    for (const auto& [key, value] : metadata) {
      json.append(separator).append(detail::in_json(key)).append(":");
      json += detail::in_json(value);
      separator = ",";
    }
    json += '}';
  }
  std::int64_t offset = 0;
  for (const Item& item : items) {
    json.append(separator).append(detail::in_json(*item.name)).append(":{\"dtype\":\"");
    json.append(detail::safetensors_name(item.type)).append("\",\"shape\":[");
    for (int axis = 0; axis < item.shape->rank(); ++axis) {
      json.append(axis > 0 ? "," : "").append(std::to_string((*item.shape)[axis]));
    }
    json.append("],\"data_offsets\":[").append(std::to_string(offset)).append(",");
    json.append(std::to_string(offset + item.bytes)).append("]}");
    offset += item.bytes;
    separator = ",";
  }
  json += json.empty() ? "{}" : "}";
  json.append((8 - json.size() % 8) % 8, ' ');
  return json;
}

}  // namespace

void write_safetensors(const std::string& path, const NamedArrays& arrays) {
  const std::vector<Item> items = sorted_items(arrays);
  const std::string json = header_of(items, arrays.metadata);
  const std::uint64_t length = json.size();
  detail::AtomicFile file(path);
  file.write(&length, 8);
  file.write(json);
  for (const Item& item : items) file.write(item.data, item.bytes);
  file.commit();
}

}  // namespace ebb::inline v0::data
