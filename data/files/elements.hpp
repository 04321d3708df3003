// SPDX-License-Identifier: BSD-3-Clause
// From the elements of a binary file, of any type and byte order, to those of an array.
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
/// The type of an array's elements.
template <class T>
ElementType type_of();

/// How a file holds an array.
struct ElementLayout {
  ElementType type = ElementType::float32;
  bool big_endian = false;
  bool fortran_order = false;  ///< the first axis runs fastest
  Shape shape;

  std::int64_t bytes() const { return shape.size() * size_of(type); }
};

/// A shape that a file declares, if an array can have it. `fail` throws the message that it gets.
Shape shape_of(std::span<const std::uint64_t> sizes,
               const std::function<void(const std::string&)>& fail);

/// One call of a reader: the memory that it may still take, and whom to tell how far it is.
class ReadSession {
 public:
  explicit ReadSession(const ReadOptions& options);
  /// Refuses what does not fit into the memory that is left. @throws FileError.
  void take(const ByteReader& reader, std::int64_t bytes);
  /// Takes so much if it is there; false, with nothing taken, if it is not.
  bool try_take(std::int64_t bytes);
  /// Memory that was taken is free again.
  void give_back(std::int64_t bytes) { left_ += bytes; }
  std::int64_t left() const { return left_; }
  /// At least so many bytes will be read from now on.
  void expect(std::int64_t bytes) { total_ = std::max(total_, done_ + bytes); }
  /// So many bytes more were read, or passed over.
  void advance(std::int64_t bytes);
  std::int64_t done() const { return done_; }

 private:
  ReadOptions options_;
  std::int64_t left_;
  std::int64_t total_ = 0, done_ = 0, told_ = 0;
};

/// The array that comes next, converted to T: to float and double from any number, rounded to the
/// nearest; to std::int64_t from integers and bool, exactly; to bool from bool.
/// @throws FileError with the offset of what cannot be converted, and for more than there is.
template <class T>
Array<T> read_elements(ByteReader& reader, const ElementLayout& layout, ReadSession& session);
/// The same, converted to the nearest type that holds every value.
AnyArray read_any_elements(ByteReader& reader, const ElementLayout& layout, ReadSession& session);

/// The same conversion in memory. `name` starts the message of an error.
template <class T>
Array<T> convert(const AnyArray& array, const std::string& name);

}  // namespace ebb::inline v0::data::detail
