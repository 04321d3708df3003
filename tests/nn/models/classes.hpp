// SPDX-License-Identifier: BSD-3-Clause
// Rows with classes, for the tests of classifiers.
#pragma once
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/transforms/scaling.hpp"

namespace ebb::test {

using Numbers = Array<double>;
using Positions = Array<std::int64_t>;

struct Rows {
  Numbers x;
  Positions y;
  bool is_scaled;
};

inline Rows breast_cancer(bool is_scaled) {
  auto table = data::read_csv<double>(EBB_SOURCE_DIR "/examples/data/breast_cancer.csv")
                   .with_target("benign");
  if (is_scaled) table = data::Standardize().fit_transform(table);
  return {table.split_target().x, table.labels("benign"), is_scaled};
}

/// Three classes whose clouds overlap.
inline Rows clouds() {
  Stream stream(5);
  constexpr std::int64_t n = 150;
  Rows rows{Numbers::uninitialized({n, 2}), Positions::uninitialized({n}), true};
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t c = i % 10 < 5 ? 0 : i % 10 < 8 ? 1 : 2;
    rows.y.mutate()[i] = c;
    rows.x.mutate()[2 * i] = stream.normal() + double(c);
    rows.x.mutate()[2 * i + 1] = stream.normal() + (c == 1 ? 2 : 0);
  }
  return rows;
}

}  // namespace ebb::test
