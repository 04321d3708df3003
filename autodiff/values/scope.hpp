// SPDX-License-Identifier: BSD-3-Clause
// Names for parts of a computation, which records and errors carry.
#pragma once
#include <cstdint>
#include <string>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

/// Names what this thread computes until the end of the scope: `Scope s("encoder")`. Scopes nest,
/// and the names are joined by dots: "encoder.attention".
class EBB_API Scope {
 public:
  explicit Scope(std::string name);
  ~Scope();
  Scope(const Scope&) = delete;

  /// The names of all scopes of this thread, outermost first; empty outside of any.
  static std::string path();

 private:
  std::string name_;
  const Scope* outer_;
  std::uint64_t outer_serial_;
};

namespace detail {
/// A number that no other scope of this thread has ever had; 0 outside of any.
extern constinit thread_local std::uint64_t scope_serial;
}  // namespace detail

}  // namespace ebb::inline v0
