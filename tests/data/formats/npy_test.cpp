// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/npy.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "ebb/data/formats/npy_format.hpp"
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
  const data::detail::BinaryFile file(as_bytes(content), "file");
  data::detail::FileReader reader(file);
  data::detail::ReadSession session(options);
  return data::detail::read_npy<T>(reader, session);
}
template <class T = float>
std::string error(const std::string& content, const data::ReadOptions& options = {}) {
  return message_of<FileError>([&] { read<T>(content, options); });
}

/// A file of version 1.0 with this header and these elements.
std::string npy(const std::string& header, const std::string& elements = "") {
  return "\x93NUMPY\1\0"s + char(header.size() & 0xff) + char(header.size() >> 8) + header +
         elements;
}
std::string npy_of_shape(const std::string& shape, const std::string& elements = "",
                         const std::string& descr = "<f4") {
  return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + "}",
             elements);
}

const Array<float> numbers({2, 3}, {0, 1, 2, 3, 100, 127});
template <class T>
Array<T> as(const Array<float>& from) {
  auto to = Array<T>::uninitialized(from.shape());
  for (std::int64_t i = 0; i < from.size(); ++i) to.mutate()[i] = T(from[i]);
  return to;
}

constexpr float inf = std::numeric_limits<float>::infinity();

}  // namespace

TEST_SUITE("npy") {

TEST_CASE("NumPy's files of every type and byte order are read, as any type that holds them") {
  for (const std::string type :
       {"f2", "f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8", "i1", "u1"}) {
    for (const std::string order : {"_little", "_big"}) {
      const std::string path = corpus("npy/" + type + (type[1] == '1' ? "" : order) + ".npy");
      CAPTURE(path);
      CHECK_AGREES(same_bits(data::read_npy<float>(path), numbers));
      CHECK_AGREES(same_bits(data::read_npy<double>(path), as<double>(numbers)));
      if (type[0] == 'f') {
        CHECK(message_of<FileError>([&] { data::read_npy<std::int64_t>(path); }) ==
              path + ": byte 128: float" + std::to_string(8 * (type[1] - '0')) +
                  " is not an integer; read it as float or double");
      } else {
        CHECK_AGREES(same_bits(data::read_npy<std::int64_t>(path), as<std::int64_t>(numbers)));
      }
      CHECK(message_of<FileError>([&] { data::read_npy<bool>(path); }).find(" is not bool; read") !=
            std::string::npos);
    }
  }
  const std::string path = corpus("npy/b1.npy");
  const Array<bool> odd({2, 3}, {false, true, false, true, false, true});
  CHECK_AGREES(same_bits(data::read_npy<bool>(path), odd));
  CHECK_AGREES(same_bits(data::read_npy<std::int64_t>(path),
                         Array<std::int64_t>({2, 3}, {0, 1, 0, 1, 0, 1})));
  CHECK_AGREES(same_bits(data::read_npy<float>(path), Array<float>({2, 3}, {0, 1, 0, 1, 0, 1})));
}

TEST_CASE("without a type an array gets the nearest one that holds every value") {
  const auto index = [](const char* name) {
    return data::read_npy_any(corpus("npy/"s + name + ".npy")).index();
  };
  CHECK(index("f2_big") == 0);
  CHECK(index("f4_little") == 0);
  CHECK(index("f8_big") == 1);
  for (const char* name : {"i1", "u1", "i2_big", "u4_little", "i8_big", "u8_little"}) {
    CHECK(index(name) == 2);
  }
  CHECK(index("b1") == 3);
  const auto any = data::read_npy_any(corpus("npy/u2_big.npy"));
  CHECK_AGREES(same_bits(std::get<2>(any), as<std::int64_t>(numbers)));
}

TEST_CASE("arrays in Fortran order are turned, in any number of axes") {
  CHECK_AGREES(
      same_bits(data::read_npy<float>(corpus("npy/c_order.npy")), counting<float>({2, 3, 4})));
  CHECK_AGREES(same_bits(data::read_npy<float>(corpus("npy/fortran_order.npy")),
                         counting<float>({2, 3, 4})));
  CHECK_AGREES(same_bits(data::read_npy<double>(corpus("npy/fortran_order_i2_big.npy")),
                         counting<double>({2, 3, 4})));
  CHECK_AGREES(same_bits(data::read_npy<std::int64_t>(corpus("npy/fortran_order_five_axes.npy")),
                         counting<std::int64_t>({2, 3, 4, 5, 2})));
  CHECK_AGREES(same_bits(data::read_npy<float>(corpus("npy/fortran_order_tiles.npy")),
                         counting<float>({70, 3, 33})));
  const auto fortran = [](const std::string& shape, const std::string& elements) {
    return read<std::int64_t>(
        npy("{'descr': '|u1', 'fortran_order': True, 'shape': " + shape + "}", elements));
  };
  CHECK_AGREES(same_bits(fortran("(2, 2)", "\1\2\3\4"), Array<std::int64_t>({2, 2}, {1, 3, 2, 4})));
  CHECK_AGREES(same_bits(fortran("(1, 2)", "\1\2"), Array<std::int64_t>({1, 2}, {1, 2})));
  CHECK(fortran("(0, 2)", "").shape() == Shape{0, 2});
  CHECK_AGREES(same_bits(fortran("()", "\7"), Array<std::int64_t>(7)));
}

TEST_CASE("shapes without axes, with one, and without rows") {
  CHECK_AGREES(same_bits(data::read_npy<double>(corpus("npy/scalar.npy")), Array<double>(2.5)));
  CHECK_AGREES(same_bits(data::read_npy<std::int64_t>(corpus("npy/vector.npy")),
                         counting<std::int64_t>({5})));
  CHECK(data::read_npy<float>(corpus("npy/no_rows.npy")).shape() == Shape{0, 3});
}

TEST_CASE("versions 2.0 and 3.0 of the header are read") {
  CHECK_AGREES(same_bits(data::read_npy<float>(corpus("npy/version_2.npy")), numbers));
  CHECK_AGREES(same_bits(data::read_npy<float>(corpus("npy/version_3.npy")), numbers));
}

TEST_CASE("a header may be written as Python would read it") {
  const std::string one("\0\0\x80\x3f", 4);
  for (const char* header :
       {"{'shape':(1,),'descr':'<f4','fortran_order':False}",
        "{\"descr\": \"=f4\", \"fortran_order\": False, \"shape\": ( 1 , ) , }  \n",
        "  { 'fortran_order' : False,\n'shape' : (1L,), 'descr' : '<f4' }\t",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }"}) {
    CAPTURE(header);
    CHECK_AGREES(same_bits(read(npy(header, one)), Array<float>({1}, {1})));
  }
}

TEST_CASE("half precision is converted exactly, down to its smallest numbers") {
  const auto half = data::read_npy<float>(corpus("npy/half_corners.npy"));
  // From the definition of the format: 10 bits after the point, exponents from -14 to 15.
  const float expected[] = {0, -0.0f, 0x1p-24f, 0x3ffp-24f, 0x1p-14f, 0x1.554p-2f,
                            1, -2,    65504,    inf,        -inf};
  REQUIRE(half.size() == 12);
  for (int i = 0; i < 11; ++i) {
    CAPTURE(i);
    CHECK(std::memcmp(half.data() + i, expected + i, 4) == 0);
  }
  CHECK(std::isnan(half[11]));
}

TEST_CASE("integers stay exact unless rounding is asked for") {
  const auto whole = data::read_npy<std::int64_t>(corpus("npy/i8_corners.npy"));
  CHECK_AGREES(
      same_bits(whole, Array<std::int64_t>({5}, {INT64_MIN, -1, 0, (1LL << 53) + 1, INT64_MAX})));
  const data::ReadOptions rounding{.round_integers = true};
  CHECK_AGREES(same_bits(data::read_npy<double>(corpus("npy/i8_corners.npy"), rounding),
                         Array<double>({5}, {-0x1p63, -1, 0, 0x1p53, 0x1p63})));
  CHECK_AGREES(same_bits(data::read_npy<float>(corpus("npy/u8_corners.npy"), rounding),
                         Array<float>({4}, {0, 0x1p63f, 0x1p63f, 0x1p64f})));
  const std::string path = corpus("npy/u8_corners.npy");
  CHECK(message_of<FileError>([&] { data::read_npy<std::int64_t>(path); }) ==
        path +
            ": byte 144: 9223372036854775808 is too large for int64; read it as double, with "
            "ReadOptions::round_integers");
  const auto integers = [](std::initializer_list<std::int64_t> values) {
    return npy_of_shape(std::string("(").append(std::to_string(values.size())).append(",)"),
                        {reinterpret_cast<const char*>(values.begin()), 8 * values.size()}, "<i8");
  };
  const std::string over = integers({1, -9007199254740993});
  CHECK(error<double>(over).ends_with(
      ": -9007199254740993 would be rounded by double; take it as std::int64_t, or set "
      "ReadOptions::round_integers"));
  CHECK(error<float>(integers({16777217}))
            .ends_with(": 16777217 would be rounded by float; take it as std::int64_t, or set "
                       "ReadOptions::round_integers"));
  CHECK(error<float>(npy_of_shape("(1,)", "\x01\x00\x00\x01"s, "<i4"))
            .ends_with(": 16777217 would be rounded by float; read it as double, take it as "
                       "std::int64_t, or set ReadOptions::round_integers"));
  CHECK_AGREES(same_bits(read<double>(integers({1LL << 53, INT64_MIN, (1LL << 54) + 4})),
                         Array<double>({3}, {0x1p53, -0x1p63, 0x1p54 + 4})));
  const data::NamedArrays named{{"ids", read<std::int64_t>(over)}};
  CHECK(message_of<ArgumentError>([&] { named.get<double>("ids"); }) ==
        "NamedArrays: \"ids\", element 1: -9007199254740993 would be rounded by double; take it as "
        "std::int64_t");
}

TEST_CASE("a double is rounded to the nearest float, and refused if it would become infinite") {
  const std::string path = corpus("npy/f8_corners.npy");
  CHECK(data::read_npy<double>(path)[1] == 1e300);
  CHECK(message_of<FileError>([&] { data::read_npy<float>(path); }) ==
        path + ": byte 136: 1.0000000000000001e+300 is too large for float; read it as double");
  const auto doubles = [](std::initializer_list<double> values) {
    return npy_of_shape(std::string("(").append(std::to_string(values.size())).append(",)"),
                        {reinterpret_cast<const char*>(values.begin()), 8 * values.size()}, "<f8");
  };
  // The last one is just below the middle between the largest float and the next.
  const auto rounded =
      read<float>(doubles({0.1, 5e-324, HUGE_VAL, -HUGE_VAL, 3.4028235677973362e38}));
  CHECK_AGREES(same_bits(rounded, Array<float>({5}, {0.1f, 0, inf, -inf, 3.4028234663852886e38f})));
  CHECK(std::isnan(read<float>(doubles({NAN}))[0]));
}

TEST_CASE("a bool is 0 or 1") {
  CHECK(error<bool>(npy_of_shape("(3,)", "\0\1\2"s, "|b1")) ==
        "file: byte 67: a bool is 0 or 1, not 2");
}

TEST_CASE("a written array is read again, and has the bytes that NumPy writes") {
  const Folder folder;
  const auto there = [&](const auto& array) {
    data::write_npy(folder.path("a.npy"), array);
    using T = typename std::decay_t<decltype(array)>::value_type;
    CHECK_AGREES(same_bits(data::read_npy<T>(folder.path("a.npy")), array));
    return content_of(folder.path("a.npy"));
  };
  CHECK(there(numbers) == content_of(corpus("npy/f4_little.npy")));
  CHECK(there(as<double>(numbers)) == content_of(corpus("npy/f8_little.npy")));
  CHECK(there(as<std::int64_t>(numbers)) == content_of(corpus("npy/i8_little.npy")));
  CHECK(there(Array<bool>({2, 3}, {false, true, false, true, false, true})) ==
        content_of(corpus("npy/b1.npy")));
  CHECK(there(Array<double>(2.5)) == content_of(corpus("npy/scalar.npy")));
  CHECK(there(counting<std::int64_t>({5})) == content_of(corpus("npy/vector.npy")));
  CHECK(there(Array<float>::zeros({0, 3})) == content_of(corpus("npy/no_rows.npy")));
  CHECK(there(Array<float>()).size() == 128);
  for (int axes = 1; axes <= 6; ++axes) {
    const std::vector<std::int64_t> sizes(std::size_t(axes), 2);
    CHECK(there(counting<float>(Shape(sizes))).size() == 128 + (std::size_t(4) << axes));
  }
  CHECK(folder.names() == std::vector<std::string>{"a.npy"});
}

TEST_CASE("a large array goes through in pieces") {
  const Folder folder;
  const auto large = counting<float>({3, 1 << 20});
  data::write_npy(folder.path("large.npy"), large);
  std::vector<std::int64_t> calls;
  const data::ReadOptions options{.progress = [&](std::int64_t done, std::int64_t total) {
    CHECK(total == 12 << 20);
    calls.push_back(done);
  }};
  CHECK_AGREES(same_bits(data::read_npy<float>(folder.path("large.npy"), options), large));
  CHECK(calls == std::vector<std::int64_t>{4 << 20, 8 << 20, 12 << 20});
  calls.clear();
  CHECK_AGREES(same_bits(data::read_npy<double>(folder.path("large.npy"), options),
                         counting<double>({3, 1 << 20})));
  CHECK(calls == std::vector<std::int64_t>{4 << 20, 8 << 20, 12 << 20});
}

TEST_CASE("an exception of the progress callback ends the read") {
  const data::ReadOptions options{
      .progress = [](std::int64_t, std::int64_t) { throw std::runtime_error("enough"); }};
  CHECK(message_of<std::runtime_error>([&] {
          try {
            data::read_npy<float>(corpus("npy/f4_big.npy"), options);
          } catch (const std::runtime_error& e) {
            throw Error(e.what());
          }
        }) == "enough");
}

TEST_CASE("max_bytes caps the memory of the array, twice that in Fortran order") {
  const std::string four = npy_of_shape("(2, 2)", std::string(4, '\1'), "|u1");
  CHECK(read<float>(four, {.max_bytes = 16}).size() == 4);
  CHECK(error<float>(four, {.max_bytes = 15}) ==
        "file: byte 67: an array that takes 16 bytes of memory, where 15 are left; set max_bytes "
        "if it is meant to be read");
  const std::string turned =
      npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2)}", std::string(4, '\1'));
  CHECK(read<float>(turned, {.max_bytes = 32}).size() == 4);
  CHECK(error<float>(turned, {.max_bytes = 31}).find("takes 32 bytes") != std::string::npos);
  CHECK(message_of<ArgumentError>([&] { read<float>(four, {.max_bytes = -1}); }) ==
        "ReadOptions: max_bytes is -1; it cannot be negative");
}

TEST_CASE("a file cut at any byte is an error that says where it ends") {
  const std::string whole = content_of(corpus("npy/f4_big.npy"));
  REQUIRE(whole.size() == 152);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const std::string text = error(whole.substr(0, size));
    const std::string where = "file: byte " + std::to_string(size >= 128 ? 128 : size) + ": ";
    CHECK(text.substr(0, where.size()) == where);
    CHECK(text.find(size < 128 ? "the file ends here" : "follow") != std::string::npos);
  }
  CHECK(error(whole.substr(0, 5)) ==
        "file: byte 5: the file ends here, 3 bytes before the end of the eight bytes that a .npy "
        "file starts with");
  CHECK(error(whole.substr(0, 127)) ==
        "file: byte 127: the file ends here, 1 byte before the end of its header");
  CHECK(error(whole.substr(0, 151)) ==
        "file: byte 128: the shape (2, 3) of float32 takes 24 bytes, but at most 23 follow");
  CHECK(
      error(whole + 'x') ==
      "file: byte 152: the file continues after the last element, which does not match its header");
}

TEST_CASE("a damaged file is an error with the place of the damage") {
  std::string ones = "(";
  for (int i = 0; i < 65; ++i) ones.append("1,");
  ones.append(")");
  const Broken broken[] = {
      {"PK\3\4 and so on", "0: this is not a .npy file; one starts with the byte 147 and NUMPY"},
      {"\x93NUMPY\4\0\0\0"s, "6: version 4.0 of the format is not known, only 1.0, 2.0 and 3.0"},
      {"\x93NUMPY\0\0\0\0"s, "6: version 0.0 of the format is not known, only 1.0, 2.0 and 3.0"},
      {"\x93NUMPY\1\xff\0\0"s,
       "6: version 1.255 of the format is not known, only 1.0, 2.0 and 3.0"},
      {"\x93NUMPY\2\0\xff\xff\xff\xff"s,
       "8: a header of 4294967295 bytes, which no plain array needs; the most is 65536"},
      {npy(""), "10: the header needs a dictionary in braces here"},
      {npy("[]"), "10: the header needs a dictionary in braces here"},
      {npy("{}"), "10: the header lacks the key descr"},
      {npy("{'descr': '<f4'}"), "10: the header lacks the key fortran_order"},
      {npy("{'descr': '<f4', 'fortran_order': False}"), "10: the header lacks the key shape"},
      {npy("{'descr': '<f4', 'fortran_order': False,"),
       "50: the header needs a key in quotes here"},
      {npy("{'descr': '<f4', 'descr': '<f4'}"), "27: the key \"descr\" occurs twice"},
      {npy("{'fortran_order': True, 'fortran_order': True}"),
       "34: the key \"fortran_order\" occurs twice"},
      {npy("{'shape': (), 'shape': ()}"), "24: the key \"shape\" occurs twice"},
      {npy("{'dtype': '<f4'}"),
       "11: the key \"dtype\" is not one of descr, fortran_order and shape"},
      {npy("{'descr' '<f4'}"), "19: the header needs a colon after the key here"},
      {npy("{'descr': '<f4' 'shape': ()}"),
       "26: the header needs a comma or the closing brace here"},
      {npy("{'descr': '<f4}"), "20: this quote is never closed"},
      {npy("{'descr': <f4}"), "20: the header needs a type in quotes here"},
      {npy("{'fortran_order': 1}"), "28: fortran_order must be True or False"},
      {npy_of_shape("()", "\0\0\0\0"s, "f4"),
       "20: elements of type \"f4\" are not read, only f2, f4, f8, i1 to i8, u1 to u8 and b1; save "
       "the array with one of these: a.astype('f8')"},
      {npy_of_shape("3", ""), "60: the header needs a shape in parentheses here"},
      {npy_of_shape("(3)", ""), "60: a shape of one axis is written with a comma: (3,)"},
      {npy_of_shape("(-3,)", ""), "61: a shape has a size here, a number from 0 on"},
      {npy_of_shape("(3.5,)", ""), "62: the shape does not end here as it should"},
      {npy_of_shape("(,)", ""), "61: a shape has a size here, a number from 0 on"},
      {npy_of_shape("(1 2)", ""), "63: the shape does not end here as it should"},
      {npy_of_shape("(1", ""), "62: the shape does not end here as it should"},
      {npy_of_shape("(99999999999999999999,)", ""), "61: a size beyond any array's"},
      {npy_of_shape("(0, 18446744073709551615)", ""),
       "60: a shape of more elements than an array can hold"},
      {npy_of_shape("(4294967296, 4294967296)", ""),
       "60: a shape of more elements than an array can hold"},
      {npy_of_shape("(140737488355328,)", ""),
       "60: a shape of more elements than an array can hold"},
      {npy_of_shape("(70368744177664,)", ""),
       "78: the shape (70368744177664,) of float32 takes 281474976710656 bytes, but at most 0 "
       "follow"},
      {npy_of_shape(ones), "189: the shape does not end here as it should"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", "\0\0\0\0"s),
       "64: something follows the header's dictionary"},
      {content_of(corpus("npy/seven_axes.npy")),
       "60: an array of 7 axes; ebb's have at most 6, so reshape it before it is saved"},
      {content_of(corpus("npy/records.npy")),
       "20: records of several fields are not read; save each field as a separate array"},
      {content_of(corpus("npy/complex.npy")),
       "20: elements of type \"<c8\" are not read, only f2, f4, f8, i1 to i8, u1 to u8 and b1; "
       "save a.real and a.imag as two arrays"},
      {content_of(corpus("npy/objects.npy")),
       "20: elements of type \"|O\" are not read, only f2, f4, f8, i1 to i8, u1 to u8 and b1; "
       "save texts as numbers, by numpy.unique(a, return_inverse=True); of a .npz file "
       "ReadOptions::names reads the other arrays"},
      {content_of(corpus("npy/texts.npy")),
       "20: elements of type \"<U2\" are not read, only f2, f4, f8, i1 to i8, u1 to u8 and b1; "
       "save texts as numbers, by numpy.unique(a, return_inverse=True); of a .npz file "
       "ReadOptions::names reads the other arrays"},
  };
  for (const Broken& b : broken) CHECK(error(b.content) == "file: byte " + b.message);
}

TEST_CASE("any byte of a header may change without harm") {
  const std::string whole = content_of(corpus("npy/fortran_order_i2_big.npy"));
  for (std::size_t at = 0; at < 128; ++at) {
    for (int value = 0; value < 256; ++value) {
      read_changed(whole, at, value, [](const auto& content) { read<float>(content); });
    }
  }
}

TEST_CASE("a path that is not a plain file is refused, not waited for") {
  const Folder folder;
  const auto text = [](const std::string& path) {
    return message_of<FileError>([&] { data::read_npy<float>(path); });
  };
  CHECK(text(folder.path("none")) ==
        folder.path("none") +
            ": cannot be opened (No such file or directory); check the name of the file");
  CHECK(text(folder.path("")) ==
        folder.path("") +
            ": cannot be opened (it is not a plain file); check the name of the file");
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  CHECK(text(folder.path("pipe")) ==
        folder.path("pipe") +
            ": cannot be opened (it is not a plain file); check the name of the file");
}

}  // TEST_SUITE("npy")
