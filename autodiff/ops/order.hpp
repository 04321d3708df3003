// SPDX-License-Identifier: BSD-3-Clause
// Elements in order. At every order of derivatives the choice of the elements is constant, so each
// operation is a `gather` of them.
#pragma once
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// All elements along an axis in order.
struct Sort {
  static constexpr std::string_view name = "sort";
  static constexpr bool has_kinks = true;
  static std::vector<Sample> samples() {
    return {sample("of a vector", {spread({7}, 50)}, [](auto x) { return sort(x[0]).values; }),
            sample("of columns, descending", {spread({3, 4})},
                   [](auto x) { return sort(x[0], 0, true).values; }),
            sample("of a scalar", {spread({})}, [](auto x) { return sort(x[0]).values; }),
            sample("of nothing", {spread({3, 0})}, [](auto x) { return sort(x[0]).values; })};
  }
  static std::vector<Rejection> rejections() {
    return {{"no such axis",
             [] {
               sort(spread({2, 3}), 2);
             },
             "sort: axis 2 of an array with 2 axes, of shape (2, 3)"}};
  }
};

/// The first k elements along an axis in order.
struct TopK {
  static constexpr std::string_view name = "topk";
  static constexpr bool has_kinks = true;
  static std::vector<Sample> samples() {
    return {sample("of rows", {spread({3, 5}, 50)}, [](auto x) { return topk(x[0], 2).values; }),
            sample("of columns, the smallest", {spread({5, 2})},
                   [](auto x) { return topk(x[0], 3, 0, false).values; }),
            sample("of a scalar", {spread({})}, [](auto x) { return topk(x[0], 1).values; }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return topk(x[0], 2).values; })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"too many", [] { topk(spread({3}), 4); }, "topk: k = 4 of axis 0 with size 3; x is (3,)"},
        {"a negative number",
         [] {
           topk(spread({2, 3}), -1, 0);
         },
         "topk: k = -1 of axis 0 with size 2; x is (2, 3)"},
        {"none of a scalar", [] { topk(spread({}), 0); }, "topk: k = 0 of axis 0 with size 1"}};
  }
};

/// The middle element along an axis, or of all elements.
struct Median {
  static constexpr std::string_view name = "median";
  static constexpr bool has_kinks = true;
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({3, 4}, 50)}, [](auto x) { return median(x[0]); }),
            sample("of a scalar", {spread({})}, [](auto x) { return median(x[0]); }),
            sample("of rows", {spread({3, 4})}, [](auto x) { return median(x[0], 1).values; }),
            sample("of columns, kept", {spread({3, 4})},
                   [](auto x) { return median(x[0], 0, true).values; }),
            sample("of a scalar's axis", {spread({})},
                   [](auto x) { return median(x[0], 0, true).values; }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return median(x[0], -1).values; })};
  }
  static std::vector<Rejection> rejections() {
    return {{"of nothing",
             [] {
               median(spread({0, 3}));
             },
             "median: there must be an element to choose, not (0, 3)"},
            {"of no rows",
             [] {
               median(spread({0, 3}), 0);
             },
             "median: there must be an element to choose, not (0, 3)"}};
  }
};

/// The elements at a fraction of the order, or between two of them.
struct Quantile {
  static constexpr std::string_view name = "quantile";
  static constexpr bool has_kinks = true;
  static std::vector<Sample> samples() {
    return {sample("of all", {spread({3, 4}, 50)}, [](auto x) { return quantile(x[0], 0.4); }),
            sample("of a scalar", {spread({})}, [](auto x) { return quantile(x[0], 0.3); }),
            sample("of rows", {spread({3, 5})}, [](auto x) { return quantile(x[0], 0.8, 1); }),
            sample("of columns, kept", {spread({4, 3})},
                   [](auto x) { return quantile(x[0], 0.25, 0, true); }),
            sample("several of all", {spread({2, 4})},
                   [](auto x) {
                     return quantile(x[0], {0.9, 0.1, 1});
                   }),
            sample("several of rows", {spread({2, 5, 2})},
                   [](auto x) {
                     return quantile(x[0], {0.5, 0, 0.7}, 1);
                   }),
            sample("several of columns, kept", {spread({5, 2})},
                   [](auto x) {
                     return quantile(x[0], {0.35, 0.6}, 0, true);
                   }),
            sample("several of a scalar", {spread({})},
                   [](auto x) {
                     return quantile(x[0], {0.5, 0.2}, 0);
                   }),
            sample("of no rows", {spread({0, 3})}, [](auto x) { return quantile(x[0], 0.5, -1); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"above 1", [] { quantile(spread({3}), 1.5); }, "quantile: q = 1.5; it is in [0, 1]"},
            {"NaN in a list",
             [] {
               quantile(spread({3}), {0.5, std::nan("")}, 0);
             },
             "quantile: q = nan; it is in [0, 1]"},
            {"of nothing",
             [] {
               quantile(spread({0, 3}), 0.5);
             },
             "quantile: there must be an element to choose, not (0, 3)"},
            {"of no rows",
             [] {
               quantile(spread({0, 3}), 0.5, 0);
             },
             "quantile: there must be an element to choose, not (0, 3)"},
            {"no such axis", [] { quantile(spread({3}), 0.5, 1); },
             "quantile: axis 1 of an array with 1 axes"},
            {"too many axes",
             [] {
               quantile(spread({1, 1, 1, 1, 1, 2}), {0.5, 1}, 0, true);
             },
             "quantile: "}};
  }
};

/// The largest element so far along an axis.
struct CumMax {
  static constexpr std::string_view name = "cummax";
  static constexpr bool has_kinks = true;
  static std::vector<Sample> samples() {
    return {sample("of a vector", {spread({7}, 50)}, [](auto x) { return cummax(x[0], 0).values; }),
            sample("of columns", {spread({4, 3})}, [](auto x) { return cummax(x[0], -2).values; }),
            sample("of a scalar", {spread({})}, [](auto x) { return cummax(x[0], 0).values; }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return cummax(x[0], 0).values; })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"no such axis", [] { cummax(spread({3}), 1); }, "cummax: axis 1 of an array with 1 axes"}};
  }
};

/// The smallest element so far along an axis.
struct CumMin {
  static constexpr std::string_view name = "cummin";
  static constexpr bool has_kinks = true;
  static std::vector<Sample> samples() {
    return {sample("of a vector", {spread({7}, 50)}, [](auto x) { return cummin(x[0], 0).values; }),
            sample("of rows", {spread({4, 3})}, [](auto x) { return cummin(x[0], 1).values; }),
            sample("of a scalar", {spread({})}, [](auto x) { return cummin(x[0], 0).values; }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return cummin(x[0], 0).values; })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"no such axis", [] { cummin(spread({3}), 1); }, "cummin: axis 1 of an array with 1 axes"}};
  }
};

/// All operations on order.
using Ordered = List<Sort, TopK, Median, Quantile, CumMax, CumMin>;

}  // namespace ebb::inline v0::op
