// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/named_arrays.hpp"

#include <algorithm>

#include "ebb/data/files/elements.hpp"

namespace ebb::inline v0::data {

NamedArrays::NamedArrays() = default;
NamedArrays::NamedArrays(std::initializer_list<std::pair<std::string, AnyArray>> arrays) {
  for (const auto& [name, array] : arrays) add(name, array);
}
NamedArrays::NamedArrays(const NamedArrays&) = default;
NamedArrays::NamedArrays(NamedArrays&&) noexcept = default;
NamedArrays& NamedArrays::operator=(NamedArrays other) noexcept {
  std::swap(metadata, other.metadata);
  std::swap(names_, other.names_);
  std::swap(arrays_, other.arrays_);
  std::swap(positions_, other.positions_);
  return *this;
}
NamedArrays::~NamedArrays() = default;

void NamedArrays::add(std::string name, AnyArray array) {
  if (!positions_.emplace(name, names_.size()).second) {
    throw ArgumentError("NamedArrays: the name " + detail::printable(name) +
                        " occurs twice; rename one of the arrays");
  }
  names_.push_back(std::move(name));
  arrays_.push_back(std::move(array));
}

std::int64_t NamedArrays::size() const { return std::int64_t(names_.size()); }
const std::vector<std::string>& NamedArrays::names() const { return names_; }
bool NamedArrays::contains(std::string_view name) const {
  return positions_.find(name) != positions_.end();
}

const AnyArray& NamedArrays::at(std::string_view name) const {
  const auto found = positions_.find(name);
  if (found == positions_.end()) {
    throw ArgumentError("NamedArrays: no array " + detail::printable(name) + "; there are " +
                        detail::list_of(names_, detail::printable));
  }
  return arrays_[found->second];
}

template <class T>
Array<T> NamedArrays::get(std::string_view name) const {
  return detail::convert<T>(at(name), "NamedArrays: " + detail::printable(name));
}

bool detail::is_wanted(const ReadOptions& options, std::string_view name) {
  return options.names.empty() ||
         std::find(options.names.begin(), options.names.end(), name) != options.names.end();
}

void detail::check_wanted(const std::string& file, const ReadOptions& options,
                          const std::vector<std::string>& names) {
  for (const std::string& name : options.names) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw FileError(file + ": no array " + printable(name) + "; there are " +
                    list_of(names, printable));
  }
}

template EBB_API Array<float> NamedArrays::get(std::string_view) const;
template EBB_API Array<double> NamedArrays::get(std::string_view) const;
template EBB_API Array<std::int64_t> NamedArrays::get(std::string_view) const;
template EBB_API Array<bool> NamedArrays::get(std::string_view) const;

}  // namespace ebb::inline v0::data
