// SPDX-License-Identifier: BSD-3-Clause
// saddle and particle: descents in functions that have derivatives inside of them.
#include <stdexcept>

#include "problems/descent.hpp"
#include "protocol.hpp"

namespace gradbench {
namespace {

using problems::Mode;
using problems::Y;

/// ff, fr, rf and rr: the outer mode, then the inner one.
template <class F>
Module in_all_modes(F f) {
  Module module;
  for (const char outer : {'f', 'r'}) {
    for (const char inner : {'f', 'r'}) {
      const auto mode = [](char letter) { return letter == 'f' ? Mode::forward : Mode::reverse; };
      module[{outer, inner}] = [=](const Json& input) {
        return f(mode(outer), mode(inner), input);
      };
    }
  }
  return module;
}

}  // namespace

Module saddle() {
  return in_all_modes([](Mode outer, Mode inner, const Json& input) {
    const auto start = read_vector(input, "start");
    if (start.size() != 2) throw std::runtime_error("\"start\" has not two numbers");
    return call([=] { return problems::saddle(outer, inner, start); }, write_array);
  });
}

Module particle() {
  return in_all_modes([](Mode outer, Mode inner, const Json& input) {
    const auto w = ebb::Array<double>::of({input.at("w").get<double>()});
    const auto run = [=] {
      return argmin(
          outer, [=](const Y& at) { return problems::crossing(inner, at); }, w)[0];
    };
    return call(run, write_array);
  });
}

}  // namespace gradbench
