// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <numeric>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/shape.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/data/splits/strata.hpp"

namespace ebb::inline v0::data {
namespace {

/// A separate random stream, as for a split.
constexpr std::uint64_t tag_of_folds = 0x666f6c64735f7631;  // "folds_v1"

/// The fold in which each row is tested.
using FoldOfRow = std::vector<std::int64_t>;

void check(const char* name, std::int64_t n, const FoldOptions& options) {
  const std::string start = std::string(name) + ": ";
  if (options.folds < 2 || options.folds > n) {
    throw ArgumentError(start + detail::count_of(options.folds, "fold") + " of " +
                        detail::count_of(n, "row") +
                        "; there must be at least 2, and a row for each");
  }
  ebb::detail::shape_for(name, std::span(&n, 1));  // throws if no memory holds so many rows
  if (options.repeats < 1) {
    throw ArgumentError(start + std::to_string(options.repeats) +
                        " repeats; there must be at least one");
  }
  if (options.repeats > 1 && !options.shuffle) {
    throw ArgumentError(start + std::to_string(options.repeats) +
                        " repeats that do not shuffle are all the same; ask for one");
  }
}

/// The folds of every repeat. `deal(stream)` returns the fold of each row.
template <class Deal>
std::vector<Fold> repeated(const FoldOptions& options, Deal deal) {
  std::vector<Fold> result;
  for (std::int64_t repeat = 0; repeat < options.repeats; ++repeat) {
    Stream stream = Stream(options.seed).split(tag_of_folds).split(std::uint64_t(repeat));
    const FoldOfRow fold_of_row = deal(stream);
    for (std::int64_t f = 0; f < options.folds; ++f) {
      Fold& fold = result.emplace_back();
      for (std::size_t row = 0; row < fold_of_row.size(); ++row) {
        (fold_of_row[row] == f ? fold.test : fold.train).push_back(std::int64_t(row));
      }
    }
  }
  return result;
}

/// The numbers 0 ... n - 1, shuffled or in order.
Rows ordered(std::int64_t n, bool shuffle, Stream& stream) {
  if (shuffle) return permutation(n, stream);
  Rows rows(std::size_t(n), 0);
  std::iota(rows.begin(), rows.end(), std::int64_t(0));
  return rows;
}

/// How many numbers below `end` have the remainder f after division by k.
std::int64_t congruent_below(std::int64_t end, std::int64_t f, std::int64_t k) {
  return (end + k - 1 - f) / k;
}

/// Deals the rows, class after class, to the folds in turn, like cards, so that the sizes of the
/// folds and their numbers of rows of a class differ by at most one. Without a shuffle a fold takes
/// consecutive rows of a class: neighbours in time that go to different folds would leak
/// information.
FoldOfRow deal_classes(const detail::Strata& classes, std::int64_t folds, const Rows& order) {
  struct Hand {
    std::int64_t fold = -1, room = 0;  // the fold to fill, and how many more rows it takes
    std::int64_t begin = 0;            // the position of the class among all rows
  };
  std::vector<Hand> hands(classes.size());
  for (std::size_t c = 1; c < classes.size(); ++c) {
    hands[c].begin = hands[c - 1].begin + classes.counts[c - 1];
  }
  FoldOfRow fold_of_row(order.size());
  for (const std::int64_t row : order) {
    const std::size_t c = classes.of_row[std::size_t(row)];
    Hand& hand = hands[c];
    while (hand.room == 0) {
      ++hand.fold;
      hand.room = congruent_below(hand.begin + classes.counts[c], hand.fold, folds) -
                  congruent_below(hand.begin, hand.fold, folds);
    }
    --hand.room;
    fold_of_row[std::size_t(row)] = hand.fold;
  }
  return fold_of_row;
}

/// Deals each group to the fold that has the fewest rows so far.
FoldOfRow deal_groups(const detail::Strata& groups, std::int64_t folds, const Rows& order) {
  std::vector<std::int64_t> rows_of_fold(std::size_t(folds), 0), fold_of_group(groups.size());
  for (const std::int64_t group : order) {
    const auto least = std::min_element(rows_of_fold.begin(), rows_of_fold.end());
    fold_of_group[std::size_t(group)] = least - rows_of_fold.begin();
    *least += groups.counts[std::size_t(group)];
  }
  FoldOfRow fold_of_row;
  fold_of_row.reserve(groups.of_row.size());
  for (const std::size_t group : groups.of_row) fold_of_row.push_back(fold_of_group[group]);
  return fold_of_row;
}

/// The rows [begin, end).
Rows range(std::int64_t begin, std::int64_t end) {
  Rows rows(std::size_t(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

/// Windows whose test parts end with the last row. Sliding windows train on the same number of rows
/// each; the others train on all rows from the first.
std::vector<Fold> windows(const char* name, std::int64_t n, bool slides,
                          const SlidingWindowOptions& options) {
  const auto fail = [&](const std::string& what) {
    throw ArgumentError(std::string(name) + ": " + what);
  };
  const std::int64_t folds = options.folds, gap = options.gap;
  const std::int64_t least = options.train_size.value_or(1);
  if (folds < 1) fail(std::to_string(folds) + " folds; there must be at least one");
  if (gap < 0) fail("a gap of " + std::to_string(gap) + " rows; it must be at least 0");
  if (least < 1) {
    fail("a train_size of " + std::to_string(least) + "; it must be at least 1");
  }
  if (options.test_size && *options.test_size < 1) {
    fail("a test_size of " + std::to_string(*options.test_size) + "; it must be at least 1");
  }
  // Every product and sum is known to be below n before it is computed, so that nothing overflows.
  const std::int64_t most = n / folds;
  const std::int64_t test = options.test_size.value_or(most < 1 ? 1 : n / (folds + 1));
  const std::int64_t first_test = test < 1 || test > most ? 0 : n - folds * test;
  if (first_test < gap || first_test - gap < least) {
    fail(std::to_string(n) + " rows are too few for " + std::to_string(folds) +
         " folds that test " + detail::count_of(std::max(test, std::int64_t(1)), "row") +
         " each, and before them a gap of " + std::to_string(gap) + " and " +
         std::to_string(least) + " to train on");
  }
  ebb::detail::shape_for(name, std::span(&n, 1));  // throws if no memory holds so many rows
  const std::int64_t width = options.train_size.value_or(first_test - gap);
  std::vector<Fold> result;
  for (std::int64_t begin = first_test; begin < n; begin += test) {
    const std::int64_t end = begin - gap;
    result.push_back({range(slides ? end - width : 0, end), range(begin, begin + test)});
  }
  return result;
}

}  // namespace

std::vector<Fold> k_fold(std::int64_t n, FoldOptions options) {
  check("k_fold", n, options);
  const detail::Strata one(Rows(std::size_t(n), 0));
  return repeated(options, [&](Stream& stream) {
    return deal_classes(one, options.folds, ordered(n, options.shuffle, stream));
  });
}

std::vector<Fold> stratified_k_fold(std::span<const std::int64_t> classes, FoldOptions options) {
  const auto n = std::int64_t(classes.size());
  check("stratified_k_fold", n, options);
  const detail::Strata strata(classes);
  for (std::size_t c = 0; c < strata.size(); ++c) {
    if (strata.counts[c] >= options.folds) continue;
    throw ArgumentError("stratified_k_fold: class " + std::to_string(strata.values[c]) +
                        " has too few rows, " + std::to_string(strata.counts[c]) + ", for " +
                        std::to_string(options.folds) +
                        " folds; merge it with another class, or ask for fewer folds");
  }
  return repeated(options, [&](Stream& stream) {
    return deal_classes(strata, options.folds, ordered(n, options.shuffle, stream));
  });
}

std::vector<Fold> group_k_fold(std::span<const std::int64_t> groups, FoldOptions options) {
  check("group_k_fold", std::int64_t(groups.size()), options);
  const detail::Strata strata(groups);
  const auto count = std::int64_t(strata.size());
  if (count < options.folds) {
    throw ArgumentError("group_k_fold: " + std::to_string(count) + " groups are too few for " +
                        std::to_string(options.folds) + " folds");
  }
  return repeated(options, [&](Stream& stream) {
    Rows order = ordered(count, options.shuffle, stream);
    if (!options.shuffle) {
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return strata.counts[std::size_t(a)] > strata.counts[std::size_t(b)];
      });
    }
    return deal_groups(strata, options.folds, order);
  });
}

std::vector<Fold> expanding_window(std::int64_t n, ExpandingWindowOptions options) {
  return windows("expanding_window", n, false,
                 {.folds = options.folds, .test_size = options.test_size, .gap = options.gap});
}

std::vector<Fold> sliding_window(std::int64_t n, SlidingWindowOptions options) {
  return windows("sliding_window", n, true, options);
}

}  // namespace ebb::inline v0::data
