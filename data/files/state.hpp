// SPDX-License-Identifier: BSD-3-Clause
// The state of things, by names, in memory.
#pragma once
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ebb/autodiff/parts.hpp"
#include "ebb/data/files/named_arrays.hpp"

namespace ebb::inline v0::data {

/// A thing whose state is saved, under a name: whatever may be a part, or has `each`, as models,
/// optimizers, loaders, streams, averages of weights and callbacks.
class StatePart {
 public:
  template <class T>
  requires(!std::is_const_v<T>) StatePart(std::string name, T& thing)
      : name_(std::move(name)),
        visit_([&thing](const std::string& path, ebb::Parts& part) { part(path, thing); }) {}
  const std::string& name() const { return name_; }
  void each(ebb::Parts& part) const { visit_(name_, part); }

 private:
  std::string name_;
  std::function<void(const std::string&, ebb::Parts&)> visit_;
};

namespace detail {

/// The state of all parts under their names; texts are metadata. Arrays are shared until one of the
/// two is written to.
/// @throws ArgumentError for two equal names.
EBB_API NamedArrays state_of(const std::vector<StatePart>& parts);

/// One line for each part that is missing in a state, or has another type or shape there, and for
/// what is there alone. `holder` is the word for where the state is.
EBB_API std::vector<std::string> differences(const NamedArrays& state,
                                             const std::vector<StatePart>& parts,
                                             const std::string& holder = "the file");

/// Gives all parts a state that does not differ.
/// @throws ArgumentError of a part that refuses what it is given, as a loader of other data does.
EBB_API void give_state(const NamedArrays& state, const std::vector<StatePart>& parts);

}  // namespace detail
}  // namespace ebb::inline v0::data
