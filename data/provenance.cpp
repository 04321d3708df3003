// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/provenance.hpp"

#include <algorithm>
#include <atomic>

namespace ebb::inline v0::data::detail {

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
void Identity::add(std::uint64_t word) {
  std::uint64_t z = (value_ ^ word) + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  value_ = z ^ (z >> 31);
}

Provenance Provenance::fresh() {
  static std::atomic<std::uint64_t> count = 0;
  Provenance provenance;
  provenance.origin = ++count;
  return provenance;
}

Provenance Provenance::part(Part taken, Role of_part) const {
  Provenance provenance = *this;
  provenance.path.push_back(taken);
  if (role != Role::held_out) provenance.role = of_part;
  return provenance;
}

std::string Provenance::leak_from(const Provenance& fitted_on) const {
  if (origin != fitted_on.origin || role != Role::held_out) return {};
  if (is_part_of(fitted_on)) return "these held-out rows were among those of the fit";
  const auto [mine, its] =
      std::mismatch(path.begin(), path.end(), fitted_on.path.begin(), fitted_on.path.end());
  // Parts of one split have no row in common; of two splits nobody knows.
  if (mine == path.end() || mine->split != its->split) {
    return "it was fitted on a part of another split, which may hold these held-out rows";
  }
  return {};
}

bool Provenance::may_overlap(const Provenance& fitted_on) const {
  return origin == fitted_on.origin && role != Role::held_out;
}

bool Provenance::is_part_of(const Provenance& fitted_on) const {
  return origin == fitted_on.origin && fitted_on.path.size() <= path.size() &&
         std::equal(fitted_on.path.begin(), fitted_on.path.end(), path.begin());
}

}  // namespace ebb::inline v0::data::detail
