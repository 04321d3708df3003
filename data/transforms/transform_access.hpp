// SPDX-License-Identifier: BSD-3-Clause
// The access of pipelines and their files to the private members of transforms.
#pragma once
#include "ebb/data/transforms/transform.hpp"

namespace ebb::inline v0::data::detail {

struct TransformAccess {
  static bool learns(const Transform& transform) { return transform.learns(); }
  /// Visits all members of a fitted transform.
  /// @throws ArgumentError before a fit.
  static void save(Transform& transform, Fields& fields);
  /// Reads all members from a file, and checks that they agree with each other.
  /// @throws FileError if they do not.
  static void load(Transform& transform, Fields& fields);
};

}  // namespace ebb::inline v0::data::detail
