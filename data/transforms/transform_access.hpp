// SPDX-License-Identifier: BSD-3-Clause
// What a pipeline and its files do with transforms.
#pragma once
#include "ebb/data/transforms/transform.hpp"

namespace ebb::inline v0::data::detail {

struct TransformAccess {
  static bool learns(const Transform& transform) { return transform.learns(); }
  /// Goes over all that it knows. @throws ArgumentError before a fit.
  static void save(Transform& transform, Fields& fields);
  /// The same from a file. What the file says is held against itself.
  static void load(Transform& transform, Fields& fields);
};

}  // namespace ebb::inline v0::data::detail
