// SPDX-License-Identifier: BSD-3-Clause
// Runs gnuplot.
#pragma once
#include <optional>
#include <string>

namespace ebb::inline v0::plot::detail {

/// The path of gnuplot, by the folders that PATH names; without a PATH there is none.
std::optional<std::string> find_gnuplot();

struct Drawn {
  std::string picture = {};  ///< what gnuplot wrote to its standard output
  std::string error = {};    ///< the first line of gnuplot's message if it failed, otherwise empty
  bool started = true;       ///< false if the program cannot be run
};
/// Gives a script to gnuplot on its standard input and waits for its end. No shell takes part, and
/// the settings of the user for gnuplot are not read.
/// @throws Error when the system has no memory or no process left.
Drawn draw(const std::string& gnuplot, const std::string& script);

}  // namespace ebb::inline v0::plot::detail
