// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/splits/split.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <locale>
#include <numeric>
#include <sstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/shape.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/splits/strata.hpp"

namespace ebb::inline v0::data {
namespace {

/// A separate random stream, so that a program may use one seed for its split, its batches and its
/// weights.
constexpr std::uint64_t tag_of_split = 0x73706c69745f7631;  // "split_v1"

/// The parts in the order in which they are filled, and their purposes in messages.
constexpr std::size_t parts = 3;
constexpr std::array<Rows Parts::*, parts> members = {&Parts::test, &Parts::validation,
                                                      &Parts::train};
constexpr std::array<const char*, parts> purposes = {"testing", "validation", "training"};
using Counts = std::array<std::int64_t, parts>;

Counts checked_sizes(const char* name, std::int64_t n, const PartsOptions& options) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << name << ": ";
  if (n < 1) {
    text << n << " rows; there must be at least one";
    throw ArgumentError(text.str());
  }
  ebb::detail::shape_for(name, std::span(&n, 1));  // throws if no memory holds so many rows
  text << "fractions of " << options.validation << " for validation and " << options.test
       << " for testing";
  if (!(options.validation >= 0 && options.test >= 0 && options.validation + options.test < 1)) {
    throw ArgumentError(text.str() + "; both must be at least 0, and their sum below 1");
  }
  const std::int64_t test = std::llround(options.test * double(n));
  const std::int64_t validation = std::llround(options.validation * double(n));
  const std::int64_t train = n - test - validation;
  if ((options.test > 0 && test < 1) || (options.validation > 0 && validation < 1) || train < 1) {
    text << " make " << validation << " and " << test << " of " << n << " rows and leave " << train
         << " to train on; each part needs at least one";
    throw ArgumentError(text.str());
  }
  return {test, validation, train};
}

/// Appends every row, in the order of the draw, to the part that `part_of` names.
template <class F>
Parts deal(std::int64_t n, const Counts& sizes, Stream& stream, F part_of) {
  Parts result;
  for (std::size_t p = 0; p < parts; ++p) (result.*members[p]).reserve(std::size_t(sizes[p]));
  for (const std::int64_t row : permutation(n, stream)) {
    (result.*members[part_of(row)]).push_back(row);
  }
  return result;
}

/// Takes one place in the first part that has places left, and returns the part.
std::size_t take_place(Counts& room) {
  std::size_t p = 0;
  while (room[p] == 0) ++p;
  --room[p];
  return p;
}

/// The number of rows of each class in each part. Shares are rounded down first. Then each part in
/// turn takes one more row from the classes with most rows left, and for equal numbers from those
/// that lost most by rounding. This always comes out even (Ryser 1957, "Combinatorial properties of
/// matrices of zeros and ones"). With two parts no class has more than one row left.
std::vector<Counts> apportion(const detail::Strata& classes, const Counts& sizes) {
  __extension__ using Wide = __int128;
  const std::int64_t n = classes.rows();
  std::vector<Counts> quotas(classes.size()), remainders(classes.size());
  std::vector<std::int64_t> left = classes.counts;
  Counts missing = sizes;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    for (std::size_t p = 0; p < parts; ++p) {
      const Wide product = Wide(sizes[p]) * classes.counts[c];
      quotas[c][p] = std::int64_t(product / n);
      remainders[c][p] = std::int64_t(product % n);
      left[c] -= quotas[c][p];
      missing[p] -= quotas[c][p];
    }
  }
  std::vector<std::size_t> order(classes.size());
  for (std::size_t p = 0; p < parts; ++p) {
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return left[a] != left[b] ? left[a] > left[b] : remainders[a][p] > remainders[b][p];
    });
    for (const std::size_t c : std::span(order).first(std::size_t(missing[p]))) {
      ++quotas[c][p];
      --left[c];
    }
  }
  return quotas;
}

void check_quotas(const detail::Strata& classes, const std::vector<Counts>& quotas,
                  const Counts& sizes) {
  for (std::size_t c = 0; c < classes.size(); ++c) {
    for (std::size_t p = 0; p < parts; ++p) {
      if (sizes[p] == 0 || quotas[c][p] > 0) continue;
      throw ArgumentError("split_stratified: class " + std::to_string(classes.values[c]) +
                          " has too few rows, " + std::to_string(classes.counts[c]) + " of " +
                          std::to_string(classes.rows()) + ", to have one for " + purposes[p] +
                          "; merge it with another class, or make that part larger");
    }
  }
}

/// The part of each group: the first part whose size it brings nearer to the requested size.
std::vector<std::size_t> assign(const detail::Strata& groups, const Counts& sizes, Stream& stream) {
  Counts missing = sizes, taken = {};
  std::vector<std::size_t> part_of_group(groups.size());
  for (const std::int64_t drawn : permutation(std::int64_t(groups.size()), stream)) {
    const auto group = std::size_t(drawn);
    const std::int64_t rows = groups.counts[group];
    std::size_t p = 0;
    // |missing - rows| < |missing|, without an overflow
    while (p + 1 < parts && !(missing[p] > rows - missing[p])) ++p;
    missing[p] -= rows;
    ++taken[p];
    part_of_group[group] = p;
  }
  for (std::size_t p = 0; p < parts; ++p) {
    if (sizes[p] == 0 || taken[p] > 0) continue;
    throw ArgumentError("split_grouped: the " + std::to_string(groups.size()) + " groups of " +
                        std::to_string(groups.rows()) + " rows are too few or too large to have " +
                        detail::count_of(sizes[p], "row") + " for " + purposes[p] +
                        "; make smaller groups, or that part larger");
  }
  return part_of_group;
}

/// The change of time nearest to a position among ascending rows, the later one of two.
std::int64_t change_near(std::int64_t position, const Rows& rows, std::span<const double> times) {
  const auto n = std::int64_t(rows.size());
  const auto is_change = [&](std::int64_t i) {
    if (i <= 0 || i >= n) return true;
    const auto at = rows.begin() + i;
    return times[std::size_t(*at)] != times[std::size_t(*(at - 1))];
  };
  for (std::int64_t distance = 0;; ++distance) {
    if (is_change(position + distance)) return std::min(position + distance, n);
    if (is_change(position - distance)) return std::max(position - distance, std::int64_t(0));
  }
}

std::int64_t row_count(std::span<const std::int64_t> rows) { return std::int64_t(rows.size()); }

}  // namespace

Parts split_rows(std::int64_t n, PartsOptions options) {
  const Counts sizes = checked_sizes("split_rows", n, options);
  Stream stream = Stream(options.seed).split(tag_of_split);
  Counts room = sizes;
  return deal(n, sizes, stream, [&](std::int64_t) { return take_place(room); });
}

Parts split_stratified(std::span<const std::int64_t> classes, PartsOptions options) {
  const Counts sizes = checked_sizes("split_stratified", row_count(classes), options);
  const detail::Strata strata(classes);
  std::vector<Counts> room = apportion(strata, sizes);
  check_quotas(strata, room, sizes);
  Stream stream = Stream(options.seed).split(tag_of_split);
  return deal(strata.rows(), sizes, stream,
              [&](std::int64_t row) { return take_place(room[strata.of_row[std::size_t(row)]]); });
}

Parts split_grouped(std::span<const std::int64_t> groups, PartsOptions options) {
  const Counts sizes = checked_sizes("split_grouped", row_count(groups), options);
  const detail::Strata strata(groups);
  Stream stream = Stream(options.seed).split(tag_of_split);
  const auto part_of_group = assign(strata, sizes, stream);
  return deal(strata.rows(), sizes, stream,
              [&](std::int64_t row) { return part_of_group[strata.of_row[std::size_t(row)]]; });
}

Parts split_by_time(std::span<const double> times, TimePartsOptions options) {
  const auto n = std::int64_t(times.size());
  const Counts sizes =
      checked_sizes("split_by_time", n, {.validation = options.validation, .test = options.test});
  Rows rows(times.size());
  std::iota(rows.begin(), rows.end(), std::int64_t(0));
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (!std::isnan(times[row])) continue;
    throw ArgumentError("split_by_time: the time of row " + std::to_string(row) +
                        " is NaN; leave out the row");
  }
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    return times[std::size_t(a)] < times[std::size_t(b)];
  });
  const std::int64_t test = change_near(n - sizes[0], rows, times);
  const std::int64_t validation = change_near(n - sizes[0] - sizes[1], rows, times);
  const Parts result{.train = {rows.begin(), rows.begin() + validation},
                     .validation = {rows.begin() + validation, rows.begin() + test},
                     .test = {rows.begin() + test, rows.end()}};
  for (std::size_t p = 0; p < parts; ++p) {
    if (sizes[p] == 0 || !(result.*members[p]).empty()) continue;
    throw ArgumentError("split_by_time: the " + std::to_string(n) +
                        " rows have too few different times to have some for " + purposes[p] +
                        "; make that part larger");
  }
  return result;
}

}  // namespace ebb::inline v0::data
