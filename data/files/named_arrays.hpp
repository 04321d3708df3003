// SPDX-License-Identifier: BSD-3-Clause
// The arrays of a file that holds several.
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
#include "ebb/data/files/read_options.hpp"

namespace ebb::inline v0::data {

/// Arrays with names, in the order in which they were added or are in their file.
class EBB_API NamedArrays {
 public:
  NamedArrays();
  /// Makes `{{"weight", w}, {"bias", b}}`.
  /// @throws ArgumentError for two equal names.
  NamedArrays(std::initializer_list<std::pair<std::string, AnyArray>> arrays);
  NamedArrays(const NamedArrays&);
  NamedArrays(NamedArrays&&) noexcept;
  NamedArrays& operator=(NamedArrays) noexcept;
  ~NamedArrays();

  /// Appends an array.
  /// @throws ArgumentError if there is already one with this name.
  void add(std::string name, AnyArray array);

  /// The number of arrays.
  std::int64_t size() const;
  const std::vector<std::string>& names() const;
  bool contains(std::string_view name) const;
  /// The array with this name, unconverted.
  /// @throws ArgumentError, which lists the names, if there is none.
  const AnyArray& at(std::string_view name) const;
  /// The array with this name, converted to T as `read_npy` converts: any number to float and
  /// double; integers and bool to std::int64_t; bool to bool. Floating-point numbers are rounded to
  /// the nearest. An array of T is not copied.
  /// @throws ArgumentError, which lists the names, if there is none, and for values that T cannot
  /// hold.
  template <class T>
  Array<T> get(std::string_view name) const;

  /// Texts by name. Of the file formats in this library only safetensors stores them.
  std::map<std::string, std::string> metadata;

 private:
  std::vector<std::string> names_;
  std::vector<AnyArray> arrays_;
  std::map<std::string, std::size_t, std::less<>> positions_;
};

namespace detail {

/// True if the options ask for the array with this name.
bool is_wanted(const ReadOptions& options, std::string_view name);
/// @throws FileError, which lists the names in the file, if it lacks an array that the options ask
/// for.
void check_wanted(const std::string& file, const ReadOptions& options,
                  const std::vector<std::string>& names);

}  // namespace detail

}  // namespace ebb::inline v0::data
