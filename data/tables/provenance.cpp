// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/tables/provenance.hpp"

#include <algorithm>
#include <atomic>

namespace ebb::inline v0::data::detail {

/// Mixes in a word with the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
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
  if (role != Role::held_out || is_apart_from(fitted_on)) return {};
  if (is_part_of(fitted_on)) return "these held-out rows were among those of the fit";
  return "it was fitted on a part of another split, which may hold these held-out rows";
}

bool Provenance::is_part_of(const Provenance& other) const {
  return origin == other.origin && other.path.size() <= path.size() &&
         std::equal(other.path.begin(), other.path.end(), path.begin());
}

bool Provenance::is_apart_from(const Provenance& other) const {
  if (origin != other.origin) return true;
  const auto [mine, its] =
      std::mismatch(path.begin(), path.end(), other.path.begin(), other.path.end());
  return mine != path.end() && its != other.path.end() && mine->split == its->split;
}

}  // namespace ebb::inline v0::data::detail
