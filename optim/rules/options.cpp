// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/rules/options.hpp"

#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim::detail {

void throw_option(const char* rule, const char* what, double value) {
  throw ArgumentError(std::string(rule) + ": " + what + ", not " + ebb::detail::to_text(value));
}

}  // namespace ebb::inline v0::optim::detail
