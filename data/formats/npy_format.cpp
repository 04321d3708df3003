// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/npy_format.hpp"

#include "ebb/autodiff/values/instances.hpp"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace ebb::inline v0::data::detail {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);

/// Parses the header, a dictionary as Python writes it: {'descr': '<f4', 'fortran_order': False,
/// 'shape': (3, 4), }.
class HeaderParser {
 public:
  HeaderParser(const ByteReader& reader, std::string_view text)
      : reader_(reader), text_(text), start_(reader.position() - std::int64_t(text.size())) {}

  ElementLayout parse() {
    expect('{', "a dictionary in braces");
    while (!take('}')) {
      const std::size_t at = skip_blanks();
      const std::string_view key = string("a key in quotes");
      expect(':', "a colon after the key");
      if (key == "descr") {
        once(type_given_, at, key);
        parse_type();
      } else if (key == "fortran_order") {
        once(order_given_, at, key);
        layout_.fortran_order = parse_bool();
      } else if (key == "shape") {
        once(shape_given_, at, key);
        parse_shape();
      } else {
        fail(at, "the key " + printable(key) + " is not one of descr, fortran_order and shape");
      }
      if (!take(',')) {
        expect('}', "a comma or the closing brace");
        break;
      }
    }
    if (skip_blanks() != text_.size()) fail(at_, "something follows the header's dictionary");
    if (!type_given_ || !order_given_ || !shape_given_) {
      fail(0, std::string("the header lacks the key ") + (!type_given_    ? "descr"
                                                          : !order_given_ ? "fortran_order"
                                                                          : "shape"));
    }
    return layout_;
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& what) const {
    reader_.fail(start_ + std::int64_t(at), what);
  }

  void once(bool& given, std::size_t at, std::string_view key) {
    if (given) fail(at, "the key " + printable(key) + " occurs twice");
    given = true;
  }

  /// The position of the next character that is not a blank.
  std::size_t skip_blanks() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) && text_[at_] != '\0') ++at_;
    return at_;
  }
  bool take(char c) {
    if (skip_blanks() == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, const char* what) {
    if (!take(c)) fail(at_, std::string("the header needs ") + what + " here");
  }

  std::string_view string(const char* what) {
    const std::size_t quote = skip_blanks();
    if (quote == text_.size() || (text_[quote] != '\'' && text_[quote] != '"')) {
      fail(at_, std::string("the header needs ") + what + " here");
    }
    const std::size_t end = text_.find(text_[quote], quote + 1);
    if (end == text_.npos) fail(quote, "this quote is never closed");
    at_ = end + 1;
    return text_.substr(quote + 1, end - quote - 1);
  }

  bool parse_bool() {
    skip_blanks();
    for (const std::string_view word : {"False", "True"}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "True";
    }
    fail(at_, "fortran_order must be True or False");
  }

  void parse_type() {
    const std::size_t at = skip_blanks();
    if (at < text_.size() && (text_[at] == '[' || text_[at] == '(')) {
      fail(at, "records of several fields are not read; save each field as a separate array");
    }
    const std::string_view name = string("a type in quotes");
    struct Known {
      std::string_view name;
      ElementType type;
    };
    static constexpr Known known[] = {
        {"f4", ElementType::float32}, {"f8", ElementType::float64}, {"f2", ElementType::float16},
        {"i1", ElementType::int8},    {"i2", ElementType::int16},   {"i4", ElementType::int32},
        {"i8", ElementType::int64},   {"u1", ElementType::uint8},   {"u2", ElementType::uint16},
        {"u4", ElementType::uint32},  {"u8", ElementType::uint64},  {"b1", ElementType::boolean}};
    const bool has_order = !name.empty() && std::strchr("<>|=", name[0]) && name[0] != '\0';
    for (const Known& k : known) {
      if (!has_order || name.substr(1) != k.name) continue;
      layout_.type = k.type;
      layout_.big_endian = name[0] == '>';
      return;
    }
    fail(at, "elements of type " + printable(name) +
                 " are not read, only f2, f4, f8, i1 to i8, u1 to u8 and b1; " + advice(name));
  }

  /// What to do about a type that is not read.
  static const char* advice(std::string_view name) {
    const char kind = name.size() > 1 ? name[1] : '\0';
    switch (kind) {
      case 'c':
        return "save a.real and a.imag as two arrays";
      case 'U':
      case 'S':
      case 'O':
        return "save texts as numbers, by numpy.unique(a, return_inverse=True); of a .npz file "
               "ReadOptions::names reads the other arrays";
      case 'M':
      case 'm':
        return "save times as numbers: a.astype('i8')";
      default:
        return "save the array with one of these: a.astype('f8')";
    }
  }

  void parse_shape() {
    constexpr std::size_t most = 64;  // more axes than a NumPy array can have
    const std::size_t at = skip_blanks();
    expect('(', "a shape in parentheses");
    std::vector<std::uint64_t> sizes;
    bool comma = true;
    while (!take(')')) {
      if (!comma || sizes.size() == most) fail(at_, "the shape does not end here as it should");
      const std::size_t number = skip_blanks();
      std::uint64_t size = 0;
      const char* const end = text_.data() + text_.size();
      const auto [p, code] = std::from_chars(text_.data() + number, end, size);
      if (code == std::errc::result_out_of_range) fail(number, "a size beyond any array's");
      if (code != std::errc()) fail(number, "a shape has a size here, a number from 0 on");
      at_ = std::size_t(p - text_.data());
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote large numbers with an L
      sizes.push_back(size);
      comma = take(',');
    }
    // Python takes a number in parentheses for a number, not for a tuple.
    if (sizes.size() == 1 && !comma) fail(at, "a shape of one axis is written with a comma: (3,)");
    layout_.shape = shape_of(sizes, [&](const std::string& what) { fail(at, what); });
  }

  const ByteReader& reader_;
  std::string_view text_;
  std::int64_t start_;
  std::size_t at_ = 0;
  ElementLayout layout_;
  bool type_given_ = false, order_given_ = false, shape_given_ = false;
};

}  // namespace

ElementLayout read_npy_header(ByteReader& reader) {
  const std::int64_t start = reader.position();
  char begin[8];
  reader.read(begin, 8, "the eight bytes that a .npy file starts with");
  if (std::string_view(begin, 6) != magic) {
    reader.fail(start, "this is not a .npy file; one starts with the byte 147 and NUMPY");
  }
  const int version = begin[6];
  if (version < 1 || version > 3 || begin[7] != 0) {
    reader.fail(start + 6, "version " + std::to_string(int(std::uint8_t(begin[6]))) + '.' +
                               std::to_string(int(std::uint8_t(begin[7]))) +
                               " of the format is not known, only 1.0, 2.0 and 3.0");
  }
  std::uint8_t length[4] = {};
  reader.read(length, version == 1 ? 2 : 4, "the length of its header");
  const std::int64_t bytes = std::int64_t(length[0]) | std::int64_t(length[1]) << 8 |
                             std::int64_t(length[2]) << 16 | std::int64_t(length[3]) << 24;
  // The three keys of a plain array need a few hundred bytes at most.
  constexpr std::int64_t longest = 1 << 16;
  if (bytes > longest) {
    reader.fail(start + 8, "a header of " + std::to_string(bytes) +
                               " bytes, which no plain array needs; the most is 65536");
  }
  std::string text(std::size_t(bytes), '\0');
  reader.read(text.data(), bytes, "its header");
  return HeaderParser(reader, text).parse();
}

std::string npy_header(ElementType type, const Shape& shape) {
  const char* const descr = type == ElementType::float32   ? "<f4"
                            : type == ElementType::float64 ? "<f8"
                            : type == ElementType::int64   ? "<i8"
                                                           : "|b1";
  std::string text = std::string("{'descr': '") + descr +
                     "', 'fortran_order': False, 'shape': " + to_string(shape) + ", }";
  // The elements start at a multiple of 64, as in NumPy.
  const std::size_t before = magic.size() + 4;
  text.append(63 - (before + text.size()) % 64, ' ');
  text += '\n';
  std::string header(magic);
  header += '\1';
  header += '\0';
  header += char(text.size() & 0xff);
  header += char(text.size() >> 8);
  return header + text;
}

template <class T>
Array<T> read_npy(ByteReader& reader, ReadSession& session) {
  const ElementLayout layout = read_npy_header(reader);
  auto array = read_elements<T>(reader, layout, session);
  reader.expect_end();
  return array;
}

AnyArray read_npy_any(ByteReader& reader, ReadSession& session) {
  const ElementLayout layout = read_npy_header(reader);
  auto array = read_any_elements(reader, layout, session);
  reader.expect_end();
  return array;
}

EBB_OVERLOAD_FOR_REALS(read_npy, Array<T>(ByteReader&, ReadSession&))
template Array<std::int64_t> read_npy(ByteReader&, ReadSession&);
template Array<bool> read_npy(ByteReader&, ReadSession&);

}  // namespace ebb::inline v0::data::detail
