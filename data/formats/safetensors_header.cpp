// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/safetensors_header.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

namespace ebb::inline v0::data::detail {
namespace {

using Json = nlohmann::json;

struct Type {
  const char* name;
  ElementType type;
};
constexpr Type types[] = {
    {"BOOL", ElementType::boolean}, {"I8", ElementType::int8},       {"U8", ElementType::uint8},
    {"I16", ElementType::int16},    {"U16", ElementType::uint16},    {"I32", ElementType::int32},
    {"U32", ElementType::uint32},   {"I64", ElementType::int64},     {"U64", ElementType::uint64},
    {"F16", ElementType::float16},  {"BF16", ElementType::bfloat16}, {"F32", ElementType::float32},
    {"F64", ElementType::float64}};

/// An iterator over a text that counts, so that the events of the parser have a position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *furthest_ = std::max(*furthest_, ++at_);
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ == b.at_;
  }

 private:
  const char* at_;
  const char** furthest_;
};

/// The callbacks of the parser. It builds no tree: its state says what may come next, so that
/// nesting is never deeper than in a valid header.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  HeaderReader(const BinaryFile& file, std::int64_t offset, const char* begin)
      : furthest(begin), file_(file), offset_(offset), begin_(begin) {}

  SafetensorsHeader header;
  const char* furthest;  ///< the end of the text that the parser has read

  bool key(string_t& text) override {
    key_ = text;
    switch (state_) {
      case State::top:
        if (!names_.insert(text).second) fail("the name " + printable(text) + " occurs twice");
        return true;
      case State::metadata:
        if (header.metadata.contains(text)) {
          fail("the key " + printable(text) + " of __metadata__ occurs twice");
        }
        return true;
      default:
        if (text != "dtype" && text != "shape" && text != "data_offsets") {
          fail(array() + " has a key " + printable(text) +
               "; dtype, shape and data_offsets are known");
        }
        if (!given_.insert(text).second) {
          fail(array() + " has its key " + printable(text) + " twice");
        }
        return true;
    }
  }

  bool start_object(std::size_t) override {
    if (state_ == State::before) {
      state_ = State::top;
    } else if (state_ == State::top && key_ == "__metadata__") {
      state_ = State::metadata;
    } else if (state_ == State::top) {
      state_ = State::entry;
      given_.clear();
      header.entries.emplace_back();
      header.entries.back().name = key_;
      header.entries.back().place = place();
    } else {
      unexpected();
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::entry) {
      if (given_.size() != 3) fail(array() + " lacks one of dtype, shape and data_offsets");
    }
    state_ = state_ == State::top ? State::after : State::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ != State::entry || key_ == "dtype") unexpected();
    state_ = State::numbers;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    state_ = State::entry;
    SafetensorsHeader::Entry& entry = header.entries.back();
    if (key_ == "shape") {
      entry.layout.shape =
          shape_of(numbers_, [&](const std::string& what) { fail(array() + " declares " + what); });
    } else {
      if (numbers_.size() != 2 || numbers_[0] > numbers_[1]) {
        fail("data_offsets of " + array() + " must be two numbers, the first not the larger");
      }
      entry.begin = numbers_[0];
      entry.end = numbers_[1];
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t number) override {
    constexpr std::size_t most = 64;  // more axes than an array can have
    if (state_ != State::numbers) unexpected();
    if (numbers_.size() == most) fail(array() + " has a list that is too long");
    numbers_.push_back(number);
    return true;
  }

  bool string(string_t& text) override {
    if (state_ == State::metadata) {
      header.metadata.emplace(key_, text);
      return true;
    }
    if (state_ != State::entry || key_ != "dtype") unexpected();
    const auto type = std::find_if(std::begin(types), std::end(types),
                                   [&](const Type& t) { return t.name == text; });
    if (type == std::end(types)) {
      fail(array() + " is of type " + printable(text) +
           "; F16, BF16, F32, F64, I8 to I64, U8 to U64 and BOOL are read");
    }
    header.entries.back().layout.type = type->type;
    return true;
  }

  bool null() override { unexpected(); }
  bool boolean(bool) override { unexpected(); }
  bool number_integer(number_integer_t) override { unexpected(); }
  bool number_float(number_float_t, const string_t&) override { unexpected(); }
  bool binary(binary_t&) override { unexpected(); }
  bool parse_error(std::size_t, const std::string& token, const Json::exception&) override {
    fail("the header is not JSON here, after " + printable(token));
  }

 private:
  enum class State { before, top, metadata, entry, numbers, after };

  std::int64_t place() const { return offset_ + (furthest - begin_); }
  [[noreturn]] void fail(const std::string& what) const { file_.fail(place(), what); }
  std::string array() const { return "the array " + printable(header.entries.back().name); }
  [[noreturn]] void unexpected() const {
    switch (state_) {
      case State::before:
        fail("the header must be a JSON object");
      case State::metadata:
        fail("__metadata__ holds texts only");
      case State::numbers:
        fail("the " + key_ + " of " + array() + " must be a list of numbers from 0 on");
      case State::entry:
        fail("the " + key_ + " of " + array() + " must be a " +
             (key_ == "dtype" ? "text" : "list of numbers from 0 on"));
      default:
        fail("the entry " + printable(key_) + " must be a JSON object");
    }
  }

  const BinaryFile& file_;
  std::int64_t offset_;
  const char* begin_;
  State state_ = State::before;
  std::string key_;
  std::set<std::string> names_, given_;
  std::vector<std::uint64_t> numbers_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(const BinaryFile& file, std::int64_t offset,
                                           std::string_view json) {
  // The parser would take a zero byte for the end of the text.
  const std::size_t zero = json.find('\0');
  if (zero != json.npos)
    file.fail(offset + std::int64_t(zero), "a zero byte, which JSON cannot have");
  const char* const begin = json.data();
  const char* const end = begin + json.size();
  HeaderReader reader(file, offset, begin);
  Json::sax_parse(CountingIterator(begin, &reader.furthest),
                  CountingIterator(end, &reader.furthest), &reader);
  return std::move(reader.header);
}

const char* safetensors_name(ElementType type) {
  return std::find_if(std::begin(types), std::end(types),
                      [&](const Type& t) { return t.type == type; })
      ->name;
}

std::string in_json(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    throw ArgumentError("write_safetensors: " + printable(text) +
                        " is not UTF-8, as names and metadata must be");
  }
}

}  // namespace ebb::inline v0::data::detail
