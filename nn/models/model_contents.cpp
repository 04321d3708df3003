// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/model_contents.hpp"

#include <algorithm>

namespace ebb::inline v0::nn {

std::int64_t FeatureProfile::rows() const {
  std::int64_t rows = missing;
  for (const std::int64_t count : counts) rows += count;
  return rows;
}

std::size_t FeatureProfile::bin(double x) const {
  return std::size_t(std::upper_bound(edges.begin(), edges.end(), x) - edges.begin());
}

void FeatureProfile::each(Fields& field) {
  field("name", name);
  field.choice("kind", kind, {"numeric", "categorical"});
  field("levels", levels);
  field("unit", unit);
  field("minimum", minimum);
  field("maximum", maximum);
  field("edges", edges);
  field("counts", counts);
  field("missing", missing);
}

}  // namespace ebb::inline v0::nn
