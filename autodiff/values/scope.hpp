// SPDX-License-Identifier: BSD-3-Clause
// Names for parts of a computation, which appear in records and errors.
#pragma once
#include <cstdint>
#include <string>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

/// Names the computations of this thread until the end of the scope: `NameScope s("encoder")`.
/// Scopes nest; the names are joined by dots: "encoder.attention".
class EBB_API NameScope {
 public:
  explicit NameScope(std::string name);
  ~NameScope();
  NameScope(const NameScope&) = delete;

  /// The names of all open scopes of this thread, outermost first; empty if there are none.
  static std::string path();

 private:
  std::string name_;
  const NameScope* outer_;
  std::uint64_t outer_serial_;
};

namespace detail {
/// A number that differs for every scope of this thread; 0 outside of all scopes.
extern constinit thread_local std::uint64_t scope_serial;
}  // namespace detail

}  // namespace ebb::inline v0
