// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/idx.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/formats/npy.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/data/binary_files.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;
using namespace std::string_literals;

namespace {

/// Reads a file that is only in memory, and called "file".
template <class T = float>
Array<T> read(const std::string& content, const data::ReadOptions& options = {}) {
  return data::detail::read_idx<T>(data::detail::BinaryFile(as_bytes(content), "file"), options);
}
template <class T = float>
std::string error(const std::string& content, const data::ReadOptions& options = {}) {
  return message_of<FileError>([&] { read<T>(content, options); });
}

}  // namespace

TEST_SUITE("idx") {

TEST_CASE("IDX files of every type are read as float, double and, from integers, std::int64_t") {
  for (const std::string type : {"u1", "i1", "i2", "i4", "f4", "f8"}) {
    CAPTURE(type);
    const std::string path = corpus("idx/" + type + ".idx");
    CHECK_AGREES(
        same_bits(data::read_idx<float>(path), Array<float>({2, 3}, {0, 1, 2, 3, 100, 127})));
    CHECK_AGREES(
        same_bits(data::read_idx<double>(path), Array<double>({2, 3}, {0, 1, 2, 3, 100, 127})));
    const auto whole = [&] { return data::read_idx<std::int64_t>(path); };
    if (type[0] == 'f') {
      CHECK(message_of<FileError>(whole).find("is not an integer; read it as") !=
            std::string::npos);
    } else {
      CHECK_AGREES(same_bits(whole(), Array<std::int64_t>({2, 3}, {0, 1, 2, 3, 100, 127})));
    }
  }
}

TEST_CASE("IDX files compressed by gzip are read, in one member or several") {
  for (const char* name : {"images.idx", "images.idx.gz", "two_members.idx.gz"}) {
    CAPTURE(name);
    std::int64_t last = 0;
    const data::ReadOptions options{.progress = [&](std::int64_t done, std::int64_t total) {
      CHECK(total == 24);
      last = done;
    }};
    CHECK_AGREES(
        same_bits(data::read_idx<float>(corpus("idx/"s + name), options), counting({2, 3, 4})));
    CHECK(last == 24);
  }
}

TEST_CASE("zeros after compressed data are padding, other bytes are damage") {
  const Folder folder;
  const std::string content = content_of(corpus("idx/images.idx.gz"));
  for (const std::size_t zeros : {std::size_t(1), std::size_t(512), std::size_t(200000)}) {
    const std::string padded = folder.add("a.gz", content + std::string(zeros, '\0'));
    CHECK_AGREES(same_bits(data::read_idx<float>(padded), counting({2, 3, 4})));
    const std::string damaged = folder.add("b.gz", content + std::string(zeros, '\0') + "x");
    CHECK(message_of<FileError>([&] { data::read_idx<float>(damaged); }).starts_with(damaged));
  }
}

TEST_CASE("a written array is read again, compressed or not") {
  const Folder folder;
  const auto returns = [&](const std::string& name, const auto& array, int code) {
    CAPTURE(name);
    CAPTURE(code);
    using T = typename std::decay_t<decltype(array)>::value_type;
    data::write_idx(folder.path(name), array);
    CHECK_AGREES(same_bits(data::read_idx<T>(folder.path(name)), array));
    if (!name.ends_with(".gz")) CHECK(int(content_of(folder.path(name))[2]) == code);
  };
  const auto whole = [](std::int64_t a, std::int64_t b) {
    return Array<std::int64_t>({2}, {a, b});
  };
  for (const std::string name : {"a", "a.gz"}) {
    returns(name, counting({300, 7, 11}), 13);
    returns(name, Array<double>({2, 2}, {0.1, -1e300, 5e-324, -0.0}), 14);
    returns(name, Array<float>(2.5f), 13);
    returns(name, Array<float>::zeros({0, 3}), 13);
    returns(name, whole(0, 255), 8);
    returns(name, whole(-1, 127), 9);
    returns(name, whole(-128, 0), 9);
    returns(name, whole(-1, 128), 11);
    returns(name, whole(-129, 0), 11);
    returns(name, whole(0, 256), 11);
    returns(name, whole(-32768, 32767), 11);
    returns(name, whole(-32769, 0), 12);
    returns(name, whole(0, 32768), 12);
    returns(name, whole(-2147483648, 2147483647), 12);
  }
  CHECK(content_of(folder.path("a.gz")).substr(0, 2) == "\x1f\x8b");
  data::write_idx(folder.path("images"), Array<std::int64_t>({2}, {1, 2}));
  CHECK(content_of(folder.path("images")) == "\0\0\x08\x01\0\0\0\2\1\2"s);
  data::write_idx(folder.path("images"), Array<float>({1}, {1.5f}));
  CHECK(content_of(folder.path("images")) == "\0\0\x0d\x01\0\0\0\1\x3f\xc0\0\0"s);
}

TEST_CASE("an integer beyond 32 bits is refused, and nothing is written") {
  const Folder folder;
  const auto text = [&](std::int64_t value) {
    return message_of<ArgumentError>(
        [&] { data::write_idx(folder.path("a"), Array<std::int64_t>({1}, {value})); });
  };
  CHECK(text(2147483648) ==
        "write_idx: 2147483648 is beyond the 32 bits of an IDX file's integers; write_npy has 64");
  CHECK(text(-2147483649) ==
        "write_idx: -2147483649 is beyond the 32 bits of an IDX file's integers; write_npy has 64");
  CHECK(message_of<ArgumentError>([&] {
          data::write_idx(folder.path("a"), Array<float>::zeros({0, std::int64_t(1) << 32}));
        }) ==
        "write_idx: a size of 4294967296 is beyond the 32 bits of an IDX file's; write_npy has 64");
  CHECK(folder.names().empty());
}

TEST_CASE("an IDX file cut at any byte is an error that says where it ends") {
  const std::string whole = content_of(corpus("idx/images.idx"));
  REQUIRE(whole.size() == 40);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const std::string text = error(whole.substr(0, size));
    const std::string where =
        "file: byte " + std::to_string(std::min<std::size_t>(size, 16)) + ": ";
    CHECK(text.substr(0, where.size()) == where);
  }
  CHECK(error(whole.substr(0, 39)) ==
        "file: byte 16: the shape (2, 3, 4) of uint8 takes 24 bytes, but at most 23 follow");
  const std::string compressed = content_of(corpus("idx/images.idx.gz"));
  for (std::size_t size = 2; size < compressed.size(); ++size) {
    CAPTURE(size);
    CHECK(error(compressed.substr(0, size)) ==
          "file: byte " + std::to_string(size) + ": the file ends within compressed data");
  }
}

TEST_CASE("a damaged IDX file is an error with the place of the damage") {
  const std::string compressed = content_of(corpus("idx/images.idx.gz"));
  const auto changed = [&](std::size_t from_end) {
    std::string copy = compressed;
    copy[copy.size() - from_end] ^= 1;
    return copy;
  };
  const std::string behind = std::to_string(compressed.size());
  const Broken broken[] = {
      {"",
       ": byte 0: the file ends here, 4 bytes before the end of the four bytes that an IDX file "
       "starts with"},
      {"PK\3\4", ": byte 0: this is not an IDX file; one starts with two bytes that are zero"},
      {"\0\1\x08\1"s, ": byte 0: this is not an IDX file; one starts with two bytes that are zero"},
      {"\0\0\x0a\1\0\0\0\0"s,
       ": byte 2: the type of the elements is 10; those of IDX are 8, 9, 11, 12, 13 and 14"},
      {"\0\0\x08\xff"s,
       ": byte 4: the file ends here, 4 bytes before the end of the sizes along its axes"},
      {"\0\0\x08\7"s + std::string(28, '\0'),
       ": byte 4: an array of 7 axes; ebb's have at most 6, so reshape it before it is saved"},
      {"\0\0\x0e\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
       ": byte 4: a shape of more elements than an array can hold"},
      {"\0\0\x0e\1\xff\xff\xff\xff"s,
       ": byte 8: the shape (4294967295,) of float64 takes 34359738360 bytes, but at most 0 "
       "follow"},
      {"\0\0\x08\1\0\0\0\1\1\2"s,
       ": byte 9: the file continues after the last element, which does not match its header"},
      {compressed + 'x', ": byte " + std::to_string(compressed.size() + 1) +
                             ": the file ends within compressed data"},
      {compressed + "more", ": byte " + std::to_string(compressed.size() + 2) +
                                ": the compressed data are damaged (incorrect header check)"},
      {changed(1),
       ": byte " + behind + ": the compressed data are damaged (incorrect length check)"},
      {changed(8), ": byte " + std::to_string(compressed.size() - 4) +
                       ": the compressed data are damaged (incorrect data check)"},
  };
  for (const Broken& b : broken) CHECK(error(b.content) == "file" + b.message);
}

TEST_CASE("a compressed file cannot declare more than it could inflate to, or than is allowed") {
  const Folder folder;
  data::write_idx(folder.path("zeros.gz"), Array<std::int64_t>::zeros({1 << 20}));
  const std::string small = content_of(folder.path("zeros.gz"));
  REQUIRE(small.size() < 2000);
  CHECK(read<double>(small).size() == 1 << 20);
  CHECK(error<double>(small, {.max_bytes = (8 << 20) - 1}) ==
        "file (inflated): byte 8: an array that takes 8388608 bytes of memory, where 8388607 are "
        "left; set max_bytes if it is meant to be read");
  // The header of a file with one element.
  data::write_idx(folder.path("short.gz"), Array<std::int64_t>::zeros({1}));
  const std::string one = content_of(folder.path("short.gz"));
  const std::string text = error(one, {.max_bytes = 3});
  CHECK(text.find("takes 4 bytes of memory, where 3 are left") != std::string::npos);
}

TEST_CASE("any byte of a compressed file may change without harm") {
  const std::string whole = content_of(corpus("idx/images.idx.gz"));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      read_changed(whole, at, value, [](const auto& content) { read<float>(content); });
    }
  }
}

}  // TEST_SUITE("idx")
