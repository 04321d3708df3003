// SPDX-License-Identifier: BSD-3-Clause
// What a file of several arrays holds.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ebb/data/files/any_array.hpp"

namespace ebb::inline v0::data {

/// Arrays by name, in the order of the file that they came from or will go to.
class EBB_API NamedArrays {
 public:
  NamedArrays();
  /// `{{"weight", w}, {"bias", b}}`. @throws ArgumentError when a name stands twice.
  NamedArrays(std::initializer_list<std::pair<std::string, AnyArray>> arrays);
  NamedArrays(const NamedArrays&);
  NamedArrays(NamedArrays&&) noexcept;
  NamedArrays& operator=(NamedArrays) noexcept;
  ~NamedArrays();

  /// Appends an array. @throws ArgumentError when there is one of this name.
  void add(std::string name, AnyArray array);

  /// The number of arrays.
  std::int64_t size() const;
  const std::vector<std::string>& names() const;
  bool contains(std::string_view name) const;
  /// The array as it is. @throws ArgumentError that lists the names when there is none of this one.
  const AnyArray& at(std::string_view name) const;
  /// The array with elements of type T, converted as `read_npy` converts: to float and double from
  /// any number, rounded to the nearest; to std::int64_t from integers and bool, exactly; to bool
  /// from bool. Without a conversion nothing is copied.
  /// @throws ArgumentError that lists the names when there is none of this one, and for values that
  /// T cannot hold.
  template <class T>
  Array<T> get(std::string_view name) const;

  /// Texts by name; of the formats here, safetensors alone keeps them.
  std::map<std::string, std::string> metadata;

 private:
  std::vector<std::string> names_;
  std::vector<AnyArray> arrays_;
  std::map<std::string, std::size_t, std::less<>> positions_;
};

}  // namespace ebb::inline v0::data
