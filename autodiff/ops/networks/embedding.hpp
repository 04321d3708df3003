// SPDX-License-Identifier: BSD-3-Clause
// Rows of a table by index.
#pragma once
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// A `gather_rows` for indices of any shape, whose gradient adds up the rows that were taken.
struct Embedding {
  static constexpr std::string_view name = "embedding";
  static constexpr Lacks lacks{.scalar = "needs rows"};
  static std::vector<Sample> samples() {
    const auto indices = Array<std::int64_t>::of({{2, 0, 2}, {3, 2, 0}});
    const auto none = Array<std::int64_t>::zeros({0, 2});
    return {
        sample("of a matrix of indices", {spread({4, 2}, 50)},
               [=](auto x) { return embedding(indices, x[0]); }),
        sample("of one index", {spread({3, 2})},
               [](auto x) { return embedding(Array<std::int64_t>(1), x[0]); }),
        sample("of no index", {spread({3, 2})}, [=](auto x) { return embedding(none, x[0]); }),
        sample("of no columns", {spread({3, 0})}, [=](auto x) { return embedding(none, x[0]); })};
  }
  static std::vector<Rejection> rejections() {
    const auto two = Array<std::int64_t>::of({0, 3});
    return {{"an index outside",
             [=] {
               embedding(two, spread({3, 2}));
             },
             "embedding: index 3 at position 1 is not in [0, 3)"},
            {"a vector", [=] { embedding(two, spread({4})); },
             "embedding: weight must be (rows, columns), not (4,)"},
            {"a padding index outside",
             [=] {
               embedding(two, spread({4, 2}), {.padding_index = -1});
             },
             "embedding: padding_index = -1; it is in [0, 4)"}};
  }
};

using Embeddings = List<Embedding>;

}  // namespace ebb::inline v0::op
