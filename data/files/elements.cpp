// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/elements.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "ebb/data/files/memory_limit.hpp"

namespace ebb::inline v0::data::detail {
namespace {

static_assert(std::endian::native == std::endian::little);

/// A floating-point number of 16 bits as stored in a file.
struct Half {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

/// Calls f with a value of the C++ type of the elements in the file.
template <class F>
auto with_type(ElementType type, const F& f) {
  switch (type) {
    case ElementType::boolean:
      return f(std::type_identity<bool>());
    case ElementType::int8:
      return f(std::type_identity<std::int8_t>());
    case ElementType::uint8:
      return f(std::type_identity<std::uint8_t>());
    case ElementType::int16:
      return f(std::type_identity<std::int16_t>());
    case ElementType::uint16:
      return f(std::type_identity<std::uint16_t>());
    case ElementType::int32:
      return f(std::type_identity<std::int32_t>());
    case ElementType::uint32:
      return f(std::type_identity<std::uint32_t>());
    case ElementType::int64:
      return f(std::type_identity<std::int64_t>());
    case ElementType::uint64:
      return f(std::type_identity<std::uint64_t>());
    case ElementType::float16:
      return f(std::type_identity<Half>());
    case ElementType::bfloat16:
      return f(std::type_identity<BFloat16>());
    case ElementType::float32:
      return f(std::type_identity<float>());
    default:
      return f(std::type_identity<double>());
  }
}

/// True if there is a conversion.
template <class From, class T>
constexpr bool converts() {
  if (std::same_as<T, bool>) return std::same_as<From, bool>;
  return Real<T> || std::integral<From>;
}

// IEEE 754-2019, 3.4: the exponent has a bias of 15 here and of 127 in a float. Every half is a
// float, so nothing is rounded.
float widen(Half half) {
  const std::uint32_t sign = std::uint32_t(half.bits & 0x8000) << 16;
  const std::uint32_t magnitude = half.bits & 0x7fff, shifted = magnitude << 13;
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(float(magnitude) * 0x1p-24f);
  const std::uint32_t normal = shifted + (magnitude < 0x7c00 ? 112u << 23 : 224u << 23);
  return std::bit_cast<float>(sign | (magnitude < 0x400 ? subnormal : normal));
}
float widen(BFloat16 number) { return std::bit_cast<float>(std::uint32_t(number.bits) << 16); }
template <class From>
From widen(From number) {
  return number;
}

template <class From, bool swapped>
auto load(const std::byte* from) {
  std::byte bytes[sizeof(From)];
  std::memcpy(bytes, from, sizeof(From));
  if constexpr (swapped) std::reverse(bytes, bytes + sizeof(From));
  if constexpr (std::same_as<From, bool>) {
    return std::uint8_t(bytes[0]);  // the byte in a file may be neither 0 nor 1
  } else {
    return widen(std::bit_cast<From>(bytes));
  }
}

/// True for an integer and a floating-point type that does not hold all integers of its type.
template <class From, class T>
constexpr bool may_round() {
  return std::integral<From> && Real<T> &&
         std::numeric_limits<From>::digits > std::numeric_limits<T>::digits;
}

/// The size of an integer, without the zeros that end it in binary if `is_short` is false.
template <class Value>
std::uint64_t magnitude_of(Value value, bool is_short) {
  const auto bits = std::uint64_t(value);
  const std::uint64_t size = std::signed_integral<Value> && value < 0 ? 0 - bits : bits;
  return is_short || size == 0 ? size : size >> std::countr_zero(size);
}

/// True if T holds this value: exactly, or rounded if it is a floating-point number or `rounds`. If
/// `is_short`, it may be false for integers above those that T holds without a gap.
template <class From, class T, class Value>
bool fits(Value value, bool rounds, bool is_short) {
  if constexpr (may_round<From, T>()) {
    return rounds || magnitude_of(value, is_short) <= std::uint64_t(1)
                                                          << std::numeric_limits<T>::digits;
  }
  if constexpr (std::same_as<From, bool>) return value <= 1;
  if constexpr (std::same_as<From, double> && std::same_as<T, float>) {
    return !(std::abs(value) < std::numeric_limits<double>::infinity() &&
             std::isinf(static_cast<float>(value)));
  }
  if constexpr (std::same_as<From, std::uint64_t> && std::same_as<T, std::int64_t>) {
    return value <= std::uint64_t(std::numeric_limits<std::int64_t>::max());
  }
  return true;
}

template <class From, class T>
std::string why_not(const std::byte* from, bool swapped) {
  const auto value = swapped ? load<From, true>(from) : load<From, false>(from);
  if constexpr (std::same_as<From, bool>) {
    return "a bool is 0 or 1, not " + std::to_string(value);
  } else if constexpr (std::same_as<T, std::int64_t>) {
    return std::to_string(value) +
           " is too large for int64; read it as double, with ReadOptions::round_integers";
  } else if constexpr (may_round<From, T>()) {
    return std::to_string(value) + " would be rounded by " + (sizeof(T) == 4 ? "float" : "double") +
           "; " + (may_round<From, double>() ? "" : "read it as double, ") +
           "take it as std::int64_t";
  } else {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", double(value));
    return std::string(text) + " is too large for float; read it as double";
  }
}

/// Converts elements, and returns how many: all, or those before the first that T cannot hold.
template <class From, class T, bool swapped>
std::int64_t convert_block(const std::byte* from, T* to, std::int64_t n, bool rounds) {
  bool all_fit = true;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto value = load<From, swapped>(from + i * std::int64_t(sizeof(From)));
    all_fit &= fits<From, T>(value, rounds, true);
    to[i] = static_cast<T>(value);
  }
  if (all_fit) return n;
  const auto is_good = [&](std::int64_t i) {
    return fits<From, T>(load<From, swapped>(from + i * std::int64_t(sizeof(From))), rounds, false);
  };
  std::int64_t good = 0;
  while (good < n && is_good(good)) ++good;
  return good;
}

template <class From, class T>
std::int64_t convert_block(const std::byte* from, T* to, std::int64_t n, bool swapped,
                           bool rounds) {
  return swapped ? convert_block<From, T, true>(from, to, n, rounds)
                 : convert_block<From, T, false>(from, to, n, rounds);
}

/// Reads the next n elements into `to`.
template <class From, class T>
void read_as(ByteReader& reader, bool swapped, T* to, std::int64_t n, ReadSession& session) {
  constexpr std::int64_t size = sizeof(From);
  constexpr bool straight = std::same_as<From, T> && !std::same_as<T, bool>;
  constexpr std::int64_t piece = 4 << 20, block = 32 << 10;
  alignas(64) std::byte buffer[std::size_t(block)];
  for (std::int64_t i = 0; i < n;) {
    const bool direct = straight && !swapped;
    const std::int64_t count = std::min(n - i, (direct ? piece : block) / size);
    if (direct) {
      reader.read(to + i, count * size, "its elements");
    } else {
      const std::int64_t offset = reader.position();
      reader.read(buffer, count * size, "its elements");
      const std::int64_t good =
          convert_block<From, T>(buffer, to + i, count, swapped, session.rounds_integers());
      if (good < count) {
        reader.fail(offset + good * size,
                    why_not<From, T>(buffer + good * size, swapped) +
                        (may_round<From, T>() ? ", or set ReadOptions::round_integers" : ""));
      }
    }
    i += count;
    session.advance(count * size);
  }
}

/// Reads an array whose first axis runs fastest into one whose last axis does.
template <class T>
Array<T> to_row_major(const Array<T>& from, const Shape& shape) {
  constexpr std::int64_t tile = 32;  // 32 rows of at least 64 bytes fit into the first-level cache
  auto result = Array<T>::uninitialized(shape);
  const int last = shape.rank() - 1;
  const std::int64_t rows = shape[0], columns = shape[last];
  const std::int64_t middle = shape.size() / (rows * columns), from_step = rows * middle;
  const std::int64_t to_step = middle * columns;
  const T* in = from.data();
  T* out = result.mutate();
  for (std::int64_t m = 0; m < middle; ++m) {
    // m counts the middle axes with the last one fastest; the file has the first one fastest.
    std::int64_t in_file = 0, rest = m, step = 1, count = middle;
    for (int axis = 1; axis < last; ++axis) {
      count /= shape[axis];
      in_file += rest / count * step;
      rest %= count;
      step *= shape[axis];
    }
    const T* const source = in + in_file * rows;
    T* const target = out + m * columns;
    for (std::int64_t i0 = 0; i0 < rows; i0 += tile) {
      for (std::int64_t j0 = 0; j0 < columns; j0 += tile) {
        for (std::int64_t i = i0; i < std::min(rows, i0 + tile); ++i) {
          for (std::int64_t j = j0; j < std::min(columns, j0 + tile); ++j) {
            target[i * to_step + j] = source[j * from_step + i];
          }
        }
      }
    }
  }
  return result;
}

template <class T>
std::string refusal(ElementType type) {
  return std::string(name_of(type)) +
         (std::same_as<T, bool> ? " is not bool" : " is not an integer") + "; read it as " +
         (type < ElementType::float16 && std::same_as<T, bool> ? "std::int64_t, float or double"
                                                               : "float or double");
}

}  // namespace

std::int64_t size_of(ElementType type) {
  return with_type(type, [](auto t) { return std::int64_t(sizeof(typename decltype(t)::type)); });
}

const char* name_of(ElementType type) {
  constexpr const char* names[] = {"bool",     "int8",    "uint8",  "int16",  "uint16",
                                   "int32",    "uint32",  "int64",  "uint64", "float16",
                                   "bfloat16", "float32", "float64"};
  return names[int(type)];
}

template <class T>
ElementType type_of() {
  if (std::same_as<T, bool>) return ElementType::boolean;
  if (std::same_as<T, std::int64_t>) return ElementType::int64;
  return std::same_as<T, float> ? ElementType::float32 : ElementType::float64;
}

Shape shape_of(std::span<const std::uint64_t> sizes,
               const std::function<void(const std::string&)>& fail) {
  if (sizes.size() > std::size_t(Shape::max_rank)) {
    fail("an array of " + std::to_string(sizes.size()) + " axes; ebb's have at most " +
         std::to_string(Shape::max_rank) + ", so reshape it before it is saved");
  }
  constexpr std::uint64_t most = std::uint64_t(1) << 46;
  std::int64_t signed_sizes[Shape::max_rank] = {};
  std::uint64_t elements = 1;
  // If one size is 0, the others may be any valid size.
  const bool is_void = std::find(sizes.begin(), sizes.end(), 0u) != sizes.end();
  bool too_many = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    signed_sizes[i] = std::int64_t(sizes[i]);
    too_many |= signed_sizes[i] < 0;
    too_many |=
        !is_void && (__builtin_mul_overflow(elements, sizes[i], &elements) || elements > most);
  }
  if (too_many) fail("a shape of more elements than an array can hold");
  return Shape(std::span<const std::int64_t>(signed_sizes, sizes.size()));
}

ReadSession::ReadSession(const ReadOptions& options) : options_(options), left_(options.max_bytes) {
  if (left_ < 0) {
    throw ArgumentError("ReadOptions: max_bytes is " + std::to_string(left_) +
                        "; it cannot be negative");
  }
  if (left_ == 0) left_ = default_max_bytes();
}

bool ReadSession::try_take(std::int64_t bytes) {
  if (bytes > left_) return false;
  left_ -= bytes;
  return true;
}

void ReadSession::take(const ByteReader& reader, std::int64_t bytes) {
  if (!try_take(bytes)) {
    reader.fail(reader.position(), "an array that takes " + count_of(bytes, "byte") +
                                       " of memory, where " + std::to_string(left_) +
                                       " are left; set max_bytes if it is meant to be read");
  }
}

void ReadSession::advance(std::int64_t bytes) {
  constexpr std::int64_t interval = 4 << 20;
  done_ += bytes;
  if (!options_.progress || (done_ - told_ < interval && done_ < total_)) return;
  told_ = done_;
  options_.progress(done_, total_);
}

template <class T>
Array<T> read_elements(ByteReader& reader, const ElementLayout& layout, ReadSession& session) {
  const Shape& shape = layout.shape;
  const std::int64_t bytes = layout.bytes();
  if (bytes > reader.left()) {
    reader.fail(reader.position(), "the shape " + to_string(shape) + " of " + name_of(layout.type) +
                                       " takes " + count_of(bytes, "byte") + ", but at most " +
                                       std::to_string(reader.left()) + " follow");
  }
  const bool transposed =
      layout.fortran_order && std::count_if(shape.sizes().begin(), shape.sizes().end(),
                                            [](std::int64_t n) { return n != 1; }) > 1;
  return with_type(layout.type, [&](auto type) -> Array<T> {
    using From = typename decltype(type)::type;
    if constexpr (converts<From, T>()) {
      session.take(reader, shape.size() * std::int64_t(sizeof(T)) * (transposed ? 2 : 1));
      session.expect(bytes);
      auto array = Array<T>::uninitialized(shape);
      read_as<From, T>(reader, layout.big_endian, array.mutate(), shape.size(), session);
      return transposed && shape.size() > 0 ? to_row_major(array, shape) : array;
    } else {
      reader.fail(reader.position(), refusal<T>(layout.type));
    }
  });
}

AnyArray read_any_elements(ByteReader& reader, const ElementLayout& layout, ReadSession& session) {
  switch (layout.type) {
    case ElementType::boolean:
      return read_elements<bool>(reader, layout, session);
    case ElementType::float16:
    case ElementType::bfloat16:
    case ElementType::float32:
      return read_elements<float>(reader, layout, session);
    case ElementType::float64:
      return read_elements<double>(reader, layout, session);
    case ElementType::uint64:
      if (session.rounds_integers()) return read_elements<double>(reader, layout, session);
      return read_elements<std::int64_t>(reader, layout, session);
    default:
      return read_elements<std::int64_t>(reader, layout, session);
  }
}

template <class T>
Array<T> convert(const AnyArray& any, const std::string& name) {
  return std::visit(
      [&]<class From>(const Array<From>& array) -> Array<T> {
        if constexpr (std::same_as<From, T>) {
          return array;
        } else if constexpr (converts<From, T>()) {
          if (array.empty()) return Array<T>();
          auto result = Array<T>::uninitialized(array.shape());
          const auto from = reinterpret_cast<const std::byte*>(array.data());
          const std::int64_t good =
              convert_block<From, T, false>(from, result.mutate(), array.size(), false);
          if (good < array.size()) {
            throw ArgumentError(name + ", element " + std::to_string(good) + ": " +
                                why_not<From, T>(from + good * std::int64_t(sizeof(From)), false));
          }
          return result;
        } else {
          throw ArgumentError(name + ": " + refusal<T>(type_of<From>()));
        }
      },
      any);
}

#define EBB_INSTANTIATE(T)                                                          \
  template ElementType type_of<T>();                                                \
  template Array<T> read_elements(ByteReader&, const ElementLayout&, ReadSession&); \
  template Array<T> convert(const AnyArray&, const std::string&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
EBB_INSTANTIATE(std::int64_t)
EBB_INSTANTIATE(bool)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data::detail
