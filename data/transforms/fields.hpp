// SPDX-License-Identifier: BSD-3-Clause
// How the members of a transform are saved and loaded.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/fields.hpp"
#include "ebb/data/tables/column.hpp"

namespace ebb::inline v0::data {

/// Visits the members of a transform: plain values, and lists of columns. It writes each to a file
/// or reads it from one; the one function `each` of the transform serves both.
class EBB_API Fields : public ebb::Fields {
 public:
  using ebb::Fields::operator();
  /// Visits a list of columns.
  EBB_INLINE void operator()(std::string_view name, std::vector<Column>& list) {
    columns(path_of(name), list);
  }

 protected:
  virtual void columns(const std::string& path, std::vector<Column>& list) = 0;
};

}  // namespace ebb::inline v0::data
