// SPDX-License-Identifier: BSD-3-Clause
// What an error says.
#pragma once
#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::test {

/// The message of what f throws, if it is an E.
template <class E = Error, class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace ebb::test
