// SPDX-License-Identifier: BSD-3-Clause
// What the rows of a table are for, and which transforms have seen them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::data {

/// What the rows of a table are for.
enum class Role : std::uint8_t {
  unspecified,  ///< nobody has said it
  training,     ///< to learn from
  held_out      ///< to judge by: no transform is fitted on them
};

namespace detail {

/// A number for a list of numbers, by which one is told from another.
class Identity {
 public:
  void add(std::uint64_t word);
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

/// Where the rows of a table come from, as far as its history tells.
struct Provenance {
  /// One part of one split, or some rows that were chosen.
  struct Part {
    std::uint64_t split = 0;  ///< the same for the same rows in the same parts
    int index = 0;            ///< which part
    friend bool operator==(const Part&, const Part&) = default;
  };

  std::uint64_t origin = 0;  ///< of the table that was there first, from 1; 0 after a file
  std::vector<Part> path;    ///< the parts taken of it, one after the other
  Role role = Role::unspecified;
  std::string learned_by;  ///< the transform that changed these rows after a fit on them

  /// Of a table that is made of nothing else.
  static Provenance fresh();

  /// Of a part of these rows. Parts of held-out rows are held out.
  Provenance part(Part taken, Role of_part) const;
  /// Why a transform that was fitted on those rows must not see these held-out rows, or nothing.
  std::string leak_from(const Provenance& fitted_on) const;
  /// Whether these rows are among those.
  bool is_part_of(const Provenance& other) const;
  /// Whether none of them is: they come from elsewhere, or from another part of one split. Of two
  /// splits nobody knows.
  bool is_apart_from(const Provenance& other) const;
};

}  // namespace detail

}  // namespace ebb::inline v0::data
