// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/safetensors.hpp"

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
  return data::detail::read_safetensors(data::detail::BinaryFile(as_bytes(content), "file"),
                                        options);
}
std::string error(const std::string& content, const data::ReadOptions& options = {}) {
  return message_of<FileError>([&] { read(content, options); });
}

/// A file with this header, and then bytes of zeros.
std::string file_of(const std::string& json, std::size_t bytes = 0) {
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = char(json.size() >> 8 * i & 0xff);
  return length + json + std::string(bytes, '\0');
}

/// An entry of a header, without braces around it.
std::string entry(const char* name, const char* type, const char* shape, const char* offsets) {
  std::string text = "\"";
  text.append(name).append("\":{\"dtype\":\"").append(type).append("\",\"shape\":").append(shape);
  return text.append(",\"data_offsets\":").append(offsets).append("}");
}
std::string header(std::initializer_list<std::string> entries) {
  std::string text = "{";
  for (const std::string& e : entries) text.append(text.size() > 1 ? "," : "").append(e);
  return text.append("}");
}

}  // namespace

TEST_SUITE("safetensors") {

TEST_CASE("arrays of every type are read, as the nearest type that holds them") {
  const NamedArrays arrays = data::read_safetensors(corpus("safetensors/all_types.safetensors"));
  CHECK(arrays.names() == Names{"U64", "I64", "F64", "F32", "U32", "I32", "BF16", "F16", "U16",
                                "I16", "I8", "U8", "BOOL"});
  for (const std::string& name : arrays.names()) {
    CAPTURE(name);
    if (name == "BOOL") continue;
    CHECK_AGREES(
        same_bits(arrays.get<double>(name), Array<double>({2, 3}, {0, 1, 2, 3, 100, 127})));
    const std::size_t type = name == "F64" ? 1 : name.find('F') != name.npos ? 0 : 2;
    CHECK(arrays.at(name).index() == type);
  }
  CHECK_AGREES(same_bits(arrays.get<bool>("BOOL"),
                         Array<bool>({2, 3}, {false, true, false, true, false, true})));
}

TEST_CASE(
    "written files have the bytes of the reference implementation, in any order of the arrays") {
  const Folder folder;
  const std::string weight = "\u00fc \"weight\"\n";
  NamedArrays arrays{{"void", Array<float>::zeros({0, 3})},
                     {"mask", Array<bool>({2}, {true, false})},
                     {weight, Array<float>({2, 3}, {0, 1, 2, 3, 100, 127})},
                     {"label", Array<std::int64_t>({3}, {3, -4, 5})},
                     {"scalar", Array<float>(1.5f)},
                     {"z.bias", Array<double>({2}, {0.5, -0.25})}};
  arrays.metadata = {{"format", "pt"}, {"note", "a\tb"}};
  data::write_safetensors(folder.path("a"), arrays);
  const std::string path = corpus("safetensors/as_written.safetensors");
  const NamedArrays theirs = data::read_safetensors(path),
                    ours = data::read_safetensors(folder.path("a"));
  CHECK(ours.metadata == arrays.metadata);
  CHECK(theirs.metadata == arrays.metadata);
  CHECK(ours.names() == Names{"label", "z.bias", "scalar", "void", weight, "mask"});
  CHECK(theirs.size() == 6);
  for (const std::string& name : arrays.names()) {
    CAPTURE(name);
    std::visit(
        [&]<class T>(const Array<T>& array) {
          CHECK_AGREES(same_bits(ours.get<T>(name), array));
          CHECK_AGREES(same_bits(theirs.get<T>(name), array));
        },
        arrays.at(name));
  }
  // From the tests of the reference implementation, which align to 8 bytes by blanks.
  data::write_safetensors(folder.path("a"), {});
  CHECK(content_of(folder.path("a")) == "\x08\0\0\0\0\0\0\0{}      "s);
  CHECK(content_of(folder.path("a")) == content_of(corpus("safetensors/empty.safetensors")));
  NamedArrays described;
  described.metadata = {{"framework", "pt"}};
  data::write_safetensors(folder.path("a"), described);
  CHECK(content_of(folder.path("a")) ==
        "\x28\0\0\0\0\0\0\0{\"__metadata__\":{\"framework\":\"pt\"}}     "s);
  data::write_safetensors(folder.path("a"),
                          {{"attn0", Array<float>({1, 1, 2, 3}, {0, 1, 2, 3, 4, 5})}});
  CHECK(content_of(folder.path("a")).substr(0, 80) ==
        "\x48\0\0\0\0\0\0\0{\"attn0\":{\"dtype\":\"F32\",\"shape\":[1,1,2,3],\"data_offsets\":[0,"
        "24]}}"
        "       "s);
  data::write_safetensors(folder.path("a"),
                          {{"attn.0", Array<float>({1, 2, 3}, {0, 1, 2, 3, 4, 5})}});
  CHECK(
      content_of(folder.path("a")).substr(0, 72) ==
      "\x40\0\0\0\0\0\0\0{\"attn.0\":{\"dtype\":\"F32\",\"shape\":[1,2,3],\"data_offsets\":[0,24]}}"s);
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("names and metadata that the format cannot have are refused") {
  const Folder folder;
  const Array<float> one(1);
  const auto text = [&](const NamedArrays& arrays) {
    return message_of<ArgumentError>([&] { data::write_safetensors(folder.path("a"), arrays); });
  };
  CHECK(text({{"__metadata__", one}}) ==
        "write_safetensors: no array can be named \"__metadata__\" in this format; rename it");
  CHECK(text({{"\xff", one}}) ==
        "write_safetensors: \"?\" is not UTF-8, as names and metadata must be");
  NamedArrays arrays;
  arrays.metadata["a"] = "\x80";
  CHECK(text(arrays) == "write_safetensors: \"?\" is not UTF-8, as names and metadata must be");
  CHECK(folder.names().empty());
}

TEST_CASE("arrays come in the order of their bytes, in any order of the header") {
  const NamedArrays arrays =
      read(file_of(header({entry("b", "U8", "[1]", "[2,3]"), entry("a", "U8", "[2]", "[0,2]"),
                           entry("void", "F64", "[0]", "[3,3]")}),
                   3));
  CHECK(arrays.names() == Names{"a", "b", "void"});
}

TEST_CASE("max_bytes caps all arrays together") {
  const std::string file =
      file_of(header({entry("a", "U8", "[2]", "[0,2]"), entry("b", "F32", "[1]", "[2,6]")}), 6);
  CHECK(read(file, {.max_bytes = 20}).size() == 2);
  CHECK(error(file, {.max_bytes = 19}) ==
        "file: byte " + std::to_string(file.size() - 4) +
            ": an array that takes 4 bytes of memory, where 3 are left; set max_bytes if it is "
            "meant to be read");
}

TEST_CASE("progress counts all arrays to the last byte") {
  std::int64_t done = 0, calls = 0;
  const data::ReadOptions options{.progress = [&](std::int64_t d, std::int64_t total) {
    CHECK(total == 282);
    done = d;
    ++calls;
  }};
  data::read_safetensors(corpus("safetensors/all_types.safetensors"), options);
  CHECK(done == 282);
  CHECK(calls == 1);
}

TEST_CASE("a damaged safetensors file is an error with the place of the damage") {
  std::string many = "[";
  for (int i = 0; i < 65; ++i) many.append("1,");
  many.append("1]");
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const std::string deep_objects = [] {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text.append("{\"a\":");
    return text;
  }();
  const std::string last_u64 =
      file_of(header({entry("a", "U64", "[1]", "[0,8]")})) + std::string(8, '\xff');
  const auto offsets = [](const char* first, const char* second, std::size_t bytes = 8) {
    return file_of(header({entry("a", "F32", "[1]", first), entry("b", "F32", "[1]", second)}),
                   bytes);
  };
  const Broken broken[] = {
      {"", "0: the file ends within the eight bytes that it starts with"},
      {"\1\0\0\0\0\0\0"s, "7: the file ends within the eight bytes that it starts with"},
      {std::string(8, '\xff'),
       "0: a header of 18446744073709551615 bytes, where 100000000 are the most; this may be no "
       "safetensors file"},
      {"\3\0\0\0\0\0\0\0{}"s, "0: a header of 3 bytes, but the file has 10 in all"},
      {"\0\0\0\0\0\0\0\0"s, "8: the header is not JSON here, after \"\""},
      {file_of("[]"), "9: the header must be a JSON object"},
      {file_of("7"), "9: the header must be a JSON object"},
      {file_of("{\"a\":1}"), "15: the entry \"a\" must be a JSON object"},
      {file_of("{\"a\":[]}"), "14: the entry \"a\" must be a JSON object"},
      {file_of("{\"a\":null}"), "17: the entry \"a\" must be a JSON object"},
      {file_of("{\"a\":{}}"), "15: the array \"a\" lacks one of dtype, shape and data_offsets"},
      {file_of("{\"a\":{\"dtype\":\"F32\"}}"),
       "28: the array \"a\" lacks one of dtype, shape and data_offsets"},
      {file_of("{\"a\":{\"type\":\"F32\"}}"),
       "20: the array \"a\" has a key \"type\"; dtype, shape and data_offsets are known"},
      {file_of("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"),
       "35: the array \"a\" has its key \"dtype\" twice"},
      {file_of("{\"a\":{\"dtype\":\"F31\"}}"),
       "27: the array \"a\" is of type \"F31\"; F16, BF16, F32, F64, I8 to I64, U8 to U64 and BOOL "
       "are read"},
      {file_of("{\"a\":{\"dtype\":[]}}"), "23: the dtype of the array \"a\" must be a text"},
      {file_of("{\"a\":{\"shape\":\"\"}}"),
       "24: the shape of the array \"a\" must be a list of numbers from 0 on"},
      {file_of("{\"a\":{\"shape\":[-1]}}"),
       "26: the shape of the array \"a\" must be a list of numbers from 0 on"},
      {file_of("{\"a\":{\"shape\":[1.0]}}"),
       "27: the shape of the array \"a\" must be a list of numbers from 0 on"},
      {file_of("{\"a\":{\"shape\":[18446744073709551616]}}"),
       "44: the shape of the array \"a\" must be a list of numbers from 0 on"},
      {file_of("{\"a\":{\"shape\":[[1]]}}"),
       "24: the shape of the array \"a\" must be a list of numbers from 0 on"},
      {file_of("{\"a\":{\"shape\":" + many + "}}"),
       "153: the array \"a\" has a list that is too long"},
      {file_of("{\"a\":{\"shape\":[1,1,1,1,1,1,1]}}"),
       "37: the array \"a\" declares an array of 7 axes; ebb's have at most 6, so reshape it "
       "before "
       "it is saved"},
      {file_of("{\"a\":{\"shape\":[4294967296,4294967296]}}"),
       "45: the array \"a\" declares a shape of more elements than an array can hold"},
      {file_of("{\"a\":{\"data_offsets\":[0]}}"),
       "32: data_offsets of the array \"a\" must be two numbers, the first not the larger"},
      {file_of("{\"a\":{\"data_offsets\":[2,1]}}"),
       "34: data_offsets of the array \"a\" must be two numbers, the first not the larger"},
      {file_of(header({entry("a", "F32", "[]", "[0,4]"), entry("a", "F32", "[]", "[4,8]")}), 8),
       "64: the name \"a\" occurs twice"},
      {file_of("{\"__metadata__\":1}"), "26: the entry \"__metadata__\" must be a JSON object"},
      {file_of("{\"__metadata__\":{\"a\":1}}"), "31: __metadata__ holds texts only"},
      {file_of("{\"__metadata__\":{\"a\":{}}}"), "30: __metadata__ holds texts only"},
      {file_of("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"),
       "35: the key \"a\" of __metadata__ occurs twice"},
      {file_of("{\"__metadata__\":{},\"__metadata__\":{}}"),
       "41: the name \"__metadata__\" occurs twice"},
      {file_of("{\"a"), "11: the header is not JSON here, after \"\"a\""},
      {file_of("{\"\xff\":{}}"), "11: the header is not JSON here, after \"\"?\""},
      {file_of("{} x"), "12: the header is not JSON here, after \"{} x\""},
      {file_of("{}\0\0"s), "10: a zero byte, which JSON cannot have"},
      {file_of(deep), "9: the header must be a JSON object"},
      {file_of(deep_objects),
       "17: the array \"a\" has a key \"a\"; dtype, shape and data_offsets are "
       "known"},
      {offsets("[0,4]", "[2,6]"),
       "67: the array \"b\" begins at 2, but the one before it ends at 4; arrays neither overlap "
       "nor "
       "leave gaps"},
      {offsets("[0,4]", "[0,4]"),
       "67: the array \"b\" begins at 0, but the one before it ends at 4; arrays neither overlap "
       "nor "
       "leave gaps"},
      {offsets("[0,4]", "[5,9]"),
       "67: the array \"b\" begins at 5, but the one before it ends at 4; arrays neither overlap "
       "nor "
       "leave gaps"},
      {offsets("[1,5]", "[5,9]"),
       "14: the array \"a\" begins at 1, but the one before it ends at 0; arrays neither overlap "
       "nor "
       "leave gaps"},
      {offsets("[0,4]", "[4,8]", 7),
       "67: the array \"b\" ends at 8, but only 7 bytes follow the header"},
      {offsets("[0,4]", "[4,18446744073709551615]"),
       "67: the array \"b\" ends at 18446744073709551615, but only 8 bytes follow the header"},
      {offsets("[0,4]", "[4,8]", 9),
       "123: the arrays end here, but the file continues, which does not match its header"},
      {offsets("[0,3]", "[3,7]", 7),
       "14: the array \"a\" has 3 bytes, but its shape (1,) of F32 takes 4"},
      {last_u64, std::to_string(last_u64.size() - 8) +
                     ": 18446744073709551615 is too large for int64; read "
                     "it as double, with ReadOptions::round_integers"},
  };
  for (const Broken& b : broken) CHECK(error(b.content) == "file: byte " + b.message);
}

TEST_CASE("chosen arrays are read, and large unsigned integers as double if that is asked for") {
  std::string content = file_of(
      header({entry("big", "U64", "[1]", "[0,8]"), entry("x", "F32", "[1]", "[8,12]")}), 12);
  content.replace(content.size() - 12, 8, 8, '\xff');
  CHECK(error(content).ends_with("read it as double, with ReadOptions::round_integers"));
  const NamedArrays some = read(content, {.names = {"x"}});
  CHECK(some.names() == Names{"x"});
  CHECK(read(content, {.round_integers = true}).get<double>("big")[0] == 0x1p64);
  CHECK(error(content, {.names = {"y"}}) == "file: no array \"y\"; there are \"big\", \"x\"");
}

TEST_CASE("the first byte of a header is a brace") {
  const std::string json = header({entry("x", "F32", "[1]", "[0,4]")});
  CHECK(read(file_of(json, 4)).size() == 1);
  for (const char* before : {"\xEF\xBB\xBF", " "}) {
    CHECK(error(file_of(before + json, 4)) ==
          "file: byte 8: the first byte of the header must be {; remove the byte order mark or the "
          "blank");
  }
}

TEST_CASE("a safetensors file cut at any byte is an error") {
  const std::string whole = content_of(corpus("safetensors/as_written.safetensors"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(error(whole.substr(0, size)).substr(0, 11) == "file: byte ");
  }
}

TEST_CASE("any byte of a header may change without harm") {
  const std::string whole = content_of(corpus("safetensors/as_written.safetensors"));
  const std::size_t end = whole.find("}} ");
  REQUIRE(end != std::string::npos);
  for (std::size_t at = 0; at < end; ++at) {
    for (const char value : "\0\1\"{}[],:9-\x80\xff"s) {
      read_changed(whole, at, value, [](const auto& content) { read(content); });
    }
  }
}

}  // TEST_SUITE("safetensors")
