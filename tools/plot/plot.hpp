// SPDX-License-Identifier: BSD-3-Clause
// Pictures by gnuplot, a program that is looked for when a picture is saved; where it is missing,
// the numbers of the picture are saved. Link ebb::plot.
#pragma once
#include <string>
#include <vector>

#include "ebb/tools/plot/figure.hpp"

namespace ebb::inline v0::plot {

/// What `save` has written.
struct Saved {
  bool is_picture = false;  ///< false: the numbers, for gnuplot is missing
  std::string path = {};    ///< where the picture, or its numbers, were written
  /// What the picture does not show, a line for each part of it: infinities, and numbers that are
  /// not positive on a logarithmic scale.
  std::vector<std::string> notes = {};
};

/// Draws a figure as "name.svg" or "name.png", whole or not at all. Without gnuplot in the PATH it
/// writes the numbers to "name.csv" instead, one row each with 17 digits, and says so in one line
/// on stderr, once in a program. If there is a "name.csv" which this function has not written, that
/// one stays, and the numbers are in "name.svg.csv". All texts appear as they are: no character of
/// them has a special meaning.
/// @throws ArgumentError for another ending of the name, for a figure or a part of it that is
/// empty, for axes whose ends are not in order, and for texts that are not UTF-8; ShapeError for
/// numbers that should be equally many and are not, with the name of the part; FileError that
/// starts with `path` when the file cannot be written, and with gnuplot's own message when it
/// cannot draw the picture.
Saved save(const Figure& figure, const std::string& path, Size size = {});
Saved save(const Panels& panels, const std::string& path, Size size = {});

/// What gnuplot is told by `save` for a file of this name, to be changed and run by hand: gnuplot
/// writes the picture to its standard output.
/// @throws ArgumentError and ShapeError as `save` does.
std::string script(const Figure& figure, const std::string& path, Size size = {});
std::string script(const Panels& panels, const std::string& path, Size size = {});

}  // namespace ebb::inline v0::plot
