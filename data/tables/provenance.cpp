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

Provenance Provenance::joined(const std::vector<Provenance>& parts,
                              const std::vector<std::int64_t>& counts) {
  const Provenance& first = parts.front();
  const auto are_all = [&](const auto& f) { return std::all_of(parts.begin(), parts.end(), f); };
  Provenance provenance = fresh();
  if (are_all([&](const Provenance& part) { return part.origin == first.origin; })) {
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (std::int64_t row = 0; row < counts[i]; ++row) {
        rows.push_back(parts[i].rows ? (*parts[i].rows)[std::size_t(row)] : row);
      }
    }
    Identity identity;
    identity.add(~std::uint64_t(1));  // not a number of rows
    for (const std::int64_t row : rows) identity.add(std::uint64_t(row));
    provenance.origin = first.origin;
    provenance.path = {{identity.value(), 0}};
    provenance.rows = std::make_shared<const std::vector<std::int64_t>>(std::move(rows));
  }
  if (are_all([&](const Provenance& part) { return part.role == first.role; })) {
    provenance.role = first.role;
  }
  provenance.target = first.target;
  for (const Provenance& part : parts) {
    if (part.role == Role::held_out) provenance.role = Role::held_out;
    if (provenance.learned_by.empty()) provenance.learned_by = part.learned_by;
    provenance.taken.insert(provenance.taken.end(), part.taken.begin(), part.taken.end());
  }
  return provenance;
}

Provenance Provenance::part(Part piece, Role of_part, std::span<const std::int64_t> indices) const {
  Provenance provenance = *this;
  provenance.path.push_back(piece);
  std::vector<std::int64_t> of_first(indices.begin(), indices.end());
  if (rows) {
    for (std::int64_t& row : of_first) row = (*rows)[std::size_t(row)];
  }
  provenance.rows = std::make_shared<const std::vector<std::int64_t>>(std::move(of_first));
  if (role != Role::held_out) provenance.role = of_part;
  return provenance;
}

std::string Provenance::leak_from(const Provenance& fitted_on) const {
  if (role != Role::held_out || is_apart_from(fitted_on)) return {};
  return std::string(is_part_of(fitted_on) ? "these" : "some of these") +
         " held-out rows were among those of the fit";
}

bool Provenance::is_part_of(const Provenance& other) const {
  return origin == other.origin && other.path.size() <= path.size() &&
         std::equal(other.path.begin(), other.path.end(), path.begin());
}

bool Provenance::is_apart_from(const Provenance& other) const {
  if (origin != other.origin) return true;
  const auto [mine, its] =
      std::mismatch(path.begin(), path.end(), other.path.begin(), other.path.end());
  if (mine != path.end() && its != other.path.end() && mine->split == its->split) return true;
  if (!rows || !other.rows || rows->empty() || other.rows->empty()) return false;
  std::vector<bool> is_mine(std::size_t(*std::max_element(rows->begin(), rows->end())) + 1);
  for (const std::int64_t row : *rows) is_mine[std::size_t(row)] = true;
  return std::none_of(other.rows->begin(), other.rows->end(), [&](std::int64_t row) {
    return std::size_t(row) < is_mine.size() && is_mine[std::size_t(row)];
  });
}

}  // namespace ebb::inline v0::data::detail
