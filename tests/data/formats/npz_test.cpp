// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/npz.hpp"

#include <doctest/doctest.h>

#include "ebb/data/files/binary_file.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/data/binary_files.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;
using namespace std::string_literals;
using data::NamedArrays;

namespace {

using Names = std::vector<std::string>;

/// Reads a file that is only in memory, and called "file".
NamedArrays read(const std::string& content, const data::ReadOptions& options = {}) {
  return data::detail::read_npz(data::detail::BinaryFile(as_bytes(content), "file"), options);
}
std::string error(const std::string& content, const data::ReadOptions& options = {}) {
  return message_of<FileError>([&] { read(content, options); });
}

const Array<float> weight({2, 3}, {0, 1, 2, 3, 100, 127});
const Array<double> bias({2}, {0.5, -0.25});
const Array<std::int64_t> label({3}, {3, -4, 5});
const Array<bool> mask({2}, {true, false});

NamedArrays example() {
  return {{"weight", weight}, {"layer.0/bias", bias}, {"label", label}, {"mask", mask}};
}

void check_example(const NamedArrays& arrays) {
  CHECK(arrays.names() == Names{"weight", "layer.0/bias", "label", "mask"});
  CHECK_AGREES(same_bits(arrays.get<float>("weight"), weight));
  CHECK_AGREES(same_bits(arrays.get<double>("layer.0/bias"), bias));
  CHECK_AGREES(same_bits(arrays.get<std::int64_t>("label"), label));
  CHECK_AGREES(same_bits(arrays.get<bool>("mask"), mask));
  CHECK(arrays.at("weight").index() == 0);
  CHECK(arrays.at("layer.0/bias").index() == 1);
}

/// Replaces a part of the same length, everywhere.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(from.size() == to.size());
  REQUIRE(text.find(from) != std::string::npos);
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, to.size(), to);
  }
  return text;
}

}  // namespace

TEST_SUITE("npz") {

TEST_CASE("NumPy's archives are read, stored and compressed") {
  check_example(data::read_npz(corpus("npz/stored.npz")));
  check_example(data::read_npz(corpus("npz/compressed.npz")));
  CHECK(data::read_npz(corpus("npz/empty.npz")).size() == 0);
}

TEST_CASE("written arrays are read again, and have the same bytes each time") {
  const Folder folder;
  for (const bool compress : {true, false}) {
    data::write_npz(folder.path("a.npz"), example(), {.compress = compress});
    check_example(data::read_npz(folder.path("a.npz")));
    const std::string first = content_of(folder.path("a.npz"));
    data::write_npz(folder.path("a.npz"), example(), {.compress = compress});
    CHECK(content_of(folder.path("a.npz")) == first);
    // At any time of writing: the date in the directory is always the first of the format.
    CHECK(first.substr(first.find("PK\1\2") + 12, 4) == "\0\0\x21\0"s);
  }
  data::write_npz(folder.path("a.npz"), {});
  CHECK(content_of(folder.path("a.npz")) == content_of(corpus("npz/empty.npz")));
  data::write_npz(folder.path("a.npz"),
                  {{"\u00fc", weight}, {"", Array<float>()}, {"scalar", Array<double>(2)}});
  const NamedArrays back = data::read_npz(folder.path("a.npz"));
  CHECK(back.names() == Names{"\u00fc", "", "scalar"});
  CHECK(back.get<float>("").shape() == Shape{0});
  CHECK(back.get<double>("scalar").item() == 2);
  CHECK(folder.names() == Names{"a.npz"});
}

TEST_CASE("zeros take little when they are compressed, and no more than they are when not") {
  const Folder folder;
  const NamedArrays zeros{{"zeros", Array<double>::zeros({1 << 17})}};
  data::write_npz(folder.path("small"), zeros);
  CHECK(std::filesystem::file_size(folder.path("small")) < 10'000);
  data::write_npz(folder.path("large"), zeros, {.compress = false});
  CHECK(std::filesystem::file_size(folder.path("large")) > 1 << 20);
}

TEST_CASE("arrays are found by name and converted") {
  const NamedArrays arrays = example();
  CHECK(arrays.size() == 4);
  CHECK(arrays.contains("mask"));
  CHECK_FALSE(arrays.contains("task"));
  CHECK(arrays.get<float>("weight").data() == std::get<0>(arrays.at("weight")).data());
  CHECK_AGREES(same_bits(arrays.get<double>("label"), Array<double>({3}, {3, -4, 5})));
  CHECK_AGREES(same_bits(arrays.get<float>("layer.0/bias"), Array<float>({2}, {0.5f, -0.25f})));
  CHECK_AGREES(same_bits(arrays.get<std::int64_t>("mask"), Array<std::int64_t>({2}, {1, 0})));
  CHECK(message_of<ArgumentError>([&] { arrays.get<float>("wait"); }) ==
        "NamedArrays: no array \"wait\"; there are \"weight\", \"layer.0/bias\", \"label\", "
        "\"mask\"");
  CHECK(message_of<ArgumentError>([] { NamedArrays().at("x"); }) ==
        "NamedArrays: no array \"x\"; there are none");
  CHECK(message_of<ArgumentError>([&] { arrays.get<std::int64_t>("weight"); }) ==
        "NamedArrays: \"weight\": float32 is not an integer; read it as float or double");
  CHECK(message_of<ArgumentError>([&] { arrays.get<bool>("label"); }) ==
        "NamedArrays: \"label\": int64 is not bool; read it as std::int64_t, float or double");
  CHECK(message_of<ArgumentError>([&] {
          NamedArrays({{"a", Array<double>({2}, {1, 1e300})}}).get<float>("a");
        }) ==
        "NamedArrays: \"a\", element 1: 1.0000000000000001e+300 is too large for float; read it as "
        "double");
  CHECK(message_of<ArgumentError>([] {
          NamedArrays({{"a", bias}, {"a", mask}});
        }) == "NamedArrays: the name \"a\" occurs twice; rename one of the arrays");
  NamedArrays copy = arrays;
  copy.add("more", mask);
  CHECK(copy.size() == 5);
  CHECK(arrays.size() == 4);
  copy = std::move(copy);
  copy = arrays;
  check_example(copy);
}

TEST_CASE("a name that no member can have is refused, and nothing is written") {
  const Folder folder;
  const auto text = [&](const std::string& name) {
    return message_of<ArgumentError>([&] { data::write_npz(folder.path("a"), {{name, mask}}); });
  };
  for (const std::string& name : {"a\0b"s, "\xff\xfe"s, std::string(65532, 'n')}) {
    CHECK(text(name) == folder.path("a") + ": the archive cannot have a member " +
                            data::detail::printable(name + ".npy") +
                            "; a name is UTF-8 of less than 64 KiB, without zero bytes");
  }
  CHECK(folder.names().empty());
  const std::string longest(65531, 'n');
  data::write_npz(folder.path("a"), {{longest, mask}});
  CHECK(data::read_npz(folder.path("a")).names() == Names{longest});
}

TEST_CASE("a full disk is an error that passes through libzip, and leaves nothing") {
  const Folder folder;
  const FileLimit limit(1000);
  const NamedArrays large{{"a", Array<double>::zeros({1000})}, {"b", weight}};
  CHECK(message_of<FileError>([&] {
          data::write_npz(folder.path("a.npz"), large, {.compress = false});
        }) == folder.path("a.npz") + ": cannot be written; nothing was changed (File too large)");
  CHECK(folder.names().empty());
}

TEST_CASE("max_bytes caps all arrays together, before anything inflates") {
  const std::string bomb = content_of(corpus("npz/bomb.npz"));
  REQUIRE(bomb.size() < 70'000);
  CHECK(error(bomb, {.max_bytes = 1 << 20}) ==
        "file: a.npy: byte 128: an array that takes 67108864 bytes of memory, where 1048576 are "
        "left; set max_bytes if it is meant to be read");
  const std::string stored = content_of(corpus("npz/stored.npz"));
  CHECK(read(stored, {.max_bytes = 24 + 16 + 24 + 2}).size() == 4);
  CHECK(error(stored, {.max_bytes = 24 + 16 + 24 + 1}) ==
        "file: mask.npy: byte 128: an array that takes 2 bytes of memory, where 1 are left; set "
        "max_bytes if it is meant to be read");
}

TEST_CASE("progress counts all members to the last byte") {
  std::int64_t done = 0, total = 0;
  const data::ReadOptions options{.progress = [&](std::int64_t d, std::int64_t t) {
    CHECK(d > done);
    done = d;
    total = t;
  }};
  data::read_npz(corpus("npz/compressed.npz"), options);
  CHECK(done == 4 * 128 + 24 + 16 + 6 + 2);
  CHECK(total == done);
}

TEST_CASE("an archive that is not one of arrays is an error") {
  const std::string stored = content_of(corpus("npz/stored.npz"));
  const std::string compressed = content_of(corpus("npz/compressed.npz"));
  const Broken broken[] = {
      {"", ": byte 0: this is not a zip archive, or a damaged one (Not a zip archive)"},
      {std::string(100, 'x'),
       ": byte 0: this is not a zip archive, or a damaged one (Not a zip archive)"},
      {content_of(corpus("npz/twice.npz")),
       ": byte 0: the archive holds \"a\" twice; remove one of them"},
      {content_of(corpus("npz/other_member.npz")),
       ": byte 0: the archive holds \"readme.txt\", which is not a .npy file; remove it from the "
       "archive"},
      {content_of(corpus("npz/bzip2.npz")),
       ": byte 0: the archive's member \"a.npy\" is compressed by method 12; only stored and "
       "deflated ones are read"},
      {replaced(stored, "\x93NUMPY", "\x93NUMPX"),
       ": weight.npy: byte 0: this is not a .npy file; one starts with the byte 147 and NUMPY"},
      {replaced(stored, "(2, 3)", "(2, 4)"),
       ": weight.npy: byte 128: the shape (2, 4) of float32 takes 32 bytes, but at most 24 follow"},
      {replaced(stored, "(2, 3)", "(2, 2)"),
       ": weight.npy: byte 144: the file continues after the last element, which does not match "
       "its header"},
      // An element, so that the checksum differs.
      {replaced(stored, "\0\0\xc8\x42"s, "\0\0\xc8\x43"s),
       ": weight.npy: byte 152: the archive is damaged here (CRC error)"},
  };
  for (const Broken& b : broken) CHECK(error(b.content) == "file" + b.message);
}

TEST_CASE("chosen arrays are read, whatever the others are") {
  const Folder folder;
  const std::string path = folder.path("a.npz");
  data::write_npz(path, example(), {.compress = false});
  const std::string texts = replaced(content_of(path), "'<i8'", "'<U2'");
  CHECK(error(texts).ends_with("of a .npz file ReadOptions::names reads the other arrays"));
  const NamedArrays some = read(texts, {.names = {"mask", "weight"}});
  CHECK(some.names() == Names{"weight", "mask"});
  CHECK_AGREES(same_bits(some.get<bool>("mask"), mask));
  CHECK(error(texts, {.names = {"bias"}}) ==
        "file: no array \"bias\"; there are \"weight\", \"layer.0/bias\", \"label\", \"mask\"");
  CHECK(read(content_of(corpus("npz/other_member.npz")), {.names = {"a"}}).size() == 1);
}

TEST_CASE("an archive cut at any byte is an error") {
  for (const char* name : {"npz/stored.npz", "npz/compressed.npz"}) {
    const std::string whole = content_of(corpus(name));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(error(whole.substr(0, size)).substr(0, 5) == "file:");
    }
  }
}

TEST_CASE("wrong sizes are errors") {
  // The central directory has them 20 bytes after each PK 1 2: compressed, then inflated.
  const std::string compressed = content_of(corpus("npz/compressed.npz"));
  const std::size_t entry = compressed.find("PK\1\2");
  REQUIRE(entry != std::string::npos);
  for (const std::size_t field : {entry + 20, entry + 24}) {
    for (const std::string& lie :
         {"\0\0\0\0"s, "\1\0\0\0"s, "\xff\xff\0\0"s, "\xfe\xff\xff\xff"s}) {
      std::string changed = compressed;
      changed.replace(field, 4, lie);
      const std::string text = error(changed);
      CAPTURE(field - entry);
      CAPTURE(int(lie[0]));
      CHECK(text.substr(0, 5) == "file:");
    }
  }
  std::string changed = compressed;
  changed[entry + 24] = char(changed[entry + 24] + 1);
  CHECK(error(changed) ==
        "file: weight.npy: byte 152: the archive declares another length of this member");
  std::string huge = compressed;
  huge.replace(entry + 24, 4, "\xfe\xff\xff\xff");
  CHECK(error(huge).find("declares 4294967294 bytes in") != std::string::npos);
}

TEST_CASE("any byte of an archive may change without harm") {
  const std::string whole = content_of(corpus("npz/compressed.npz"));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at] ^ 0x10}) {
      read_changed(whole, at, value,
                   [](const auto& content) { read(content, {.max_bytes = 1 << 20}); });
    }
  }
}

}  // TEST_SUITE("npz")
