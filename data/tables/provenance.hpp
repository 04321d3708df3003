// SPDX-License-Identifier: BSD-3-Clause
// The purpose of the rows of a table, and the transforms that were fitted on them.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::data {

/// The purpose of the rows of a table.
enum class Role : std::uint8_t {
  unspecified,  ///< not stated
  training,     ///< to learn from
  held_out      ///< to judge by: transforms refuse to be fitted on them
};

namespace detail {

/// A 64-bit hash of a list of row numbers.
class Identity {
 public:
  void add(std::uint64_t word);
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

/// The origin of the rows of a table, as far as it is known, and what is known of its columns.
struct Provenance {
  /// One part of a split, or a choice of rows.
  struct Part {
    std::uint64_t split = 0;  ///< hash of the split: equal for equal rows in equal parts
    int index = 0;            ///< the position of the part in the split
    friend bool operator==(const Part&, const Part&) = default;
  };

  std::uint64_t origin = 0;  ///< number of the first table, from 1; 0 if loaded from a file
  std::vector<Part> path;    ///< the parts that were taken, first to last
  /// The rows of the first table that these are; null: all of them.
  std::shared_ptr<const std::vector<std::int64_t>> rows = nullptr;
  Role role = Role::unspecified;
  std::string learned_by;  ///< the transform that was fitted on these rows and then changed them

  /// A column that a transform took or made, and that can be no target without a further word.
  struct Taken {
    std::string column, by;
  };
  std::string target = {};        ///< the column to predict, if it was named
  std::vector<Taken> taken = {};  ///< columns that transforms chose by themselves

  /// The origin of a new table.
  static Provenance fresh();

  /// The origin of the rows of several tables, one after the other, of which each has a number of
  /// rows. It is held out if any of them is.
  static Provenance joined(const std::vector<Provenance>& parts,
                           const std::vector<std::int64_t>& counts);

  /// The origin of a part of these rows, those at `indices`. A part of held-out rows is held out.
  Provenance part(Part piece, Role of_part, std::span<const std::int64_t> indices) const;
  /// Why a transform fitted on the rows `fitted_on` must not see these held-out rows; empty if it
  /// may.
  std::string leak_from(const Provenance& fitted_on) const;
  /// True if these rows are known to be among the rows of `other`.
  bool is_part_of(const Provenance& other) const;
  /// True if these rows and those of `other` are known to have no row in common: they come from
  /// different tables, from different parts of one split, or are other rows of one table.
  bool is_apart_from(const Provenance& other) const;
};

}  // namespace detail

}  // namespace ebb::inline v0::data
