// SPDX-License-Identifier: BSD-3-Clause
// Converts the elements of a binary file, of any type and byte order, to those of an array.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/data/files/any_array.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data::detail {

enum class ElementType : std::uint8_t {
  boolean,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
};
std::int64_t size_of(ElementType type);
/// "float32"
const char* name_of(ElementType type);
/// The element type of an array of T.
template <class T>
ElementType type_of();

/// How an array is stored in a file.
struct ElementLayout {
  ElementType type = ElementType::float32;
  bool big_endian = false;
  bool fortran_order = false;  ///< the first axis runs fastest
  Shape shape;

  std::int64_t bytes() const { return shape.size() * size_of(type); }
};

/// Checks a shape that a file declares, and returns it. `fail` must throw; it is called with the
/// error message.
Shape shape_of(std::span<const std::uint64_t> sizes,
               const std::function<void(const std::string&)>& fail);

/// The state of one call of a reader: the memory that it may still use, and its progress.
class ReadSession {
 public:
  explicit ReadSession(const ReadOptions& options);
  /// Takes memory from what is left.
  /// @throws FileError if there is not enough.
  void take(const ByteReader& reader, std::int64_t bytes);
  /// Takes memory if there is enough; otherwise takes none and returns false.
  bool try_take(std::int64_t bytes);
  /// Gives back memory that was taken.
  void give_back(std::int64_t bytes) { left_ += bytes; }
  std::int64_t left() const { return left_; }
  bool rounds_integers() const { return options_.round_integers; }
  /// Announces that at least this number of bytes will be read from now on.
  void expect(std::int64_t bytes) { total_ = std::max(total_, done_ + bytes); }
  /// Announces that this number of bytes was read or skipped.
  void advance(std::int64_t bytes);
  std::int64_t done() const { return done_; }

 private:
  ReadOptions options_;
  std::int64_t left_;
  std::int64_t total_ = 0, done_ = 0, told_ = 0;
};

/// Reads the next array and converts it to T: any number to float and double; integers and bool to
/// std::int64_t; bool to bool. Floating-point numbers are rounded to the nearest, integers only if
/// the session's options say so.
/// @throws FileError with the offset of an element that cannot be converted, and if there are not
/// enough bytes.
template <class T>
Array<T> read_elements(ByteReader& reader, const ElementLayout& layout, ReadSession& session);
/// Reads the next array and converts it to the nearest type that holds every value; uint64 to
/// double if the session's options round integers.
AnyArray read_any_elements(ByteReader& reader, const ElementLayout& layout, ReadSession& session);

/// Converts an array in memory, as `read_elements` converts. `name` starts the message of an error.
template <class T>
Array<T> convert(const AnyArray& array, const std::string& name);

}  // namespace ebb::inline v0::data::detail
