// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/scope.hpp"

#include <utility>

namespace ebb::inline v0 {
namespace detail {
constinit thread_local std::uint64_t scope_serial = 0;
}  // namespace detail

namespace {
constinit thread_local const NameScope* innermost = nullptr;
constinit thread_local std::uint64_t last_serial = 0;
}  // namespace

NameScope::NameScope(std::string name)
    : name_(std::move(name)),
      outer_(std::exchange(innermost, this)),
      outer_serial_(std::exchange(detail::scope_serial, ++last_serial)) {}

NameScope::~NameScope() {
  innermost = outer_;
  detail::scope_serial = outer_serial_;
}

std::string NameScope::path() {
  std::string path;
  for (const NameScope* scope = innermost; scope; scope = scope->outer_) {
    path = path.empty() ? scope->name_ : scope->name_ + "." + path;
  }
  return path;
}

}  // namespace ebb::inline v0
