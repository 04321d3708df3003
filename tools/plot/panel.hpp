// SPDX-License-Identifier: BSD-3-Clause
// The part of a script that draws one figure, while it is put together.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/tools/plot/figure.hpp"

namespace ebb::inline v0::plot::detail {

/// A text as a string of gnuplot's, in which no character is special.
std::string literal(std::string_view text);
/// A number with 17 digits, or NaN.
std::string digits(double number);
/// "curve "train"" or, if it has no name, "curve 2".
std::string part_name(std::string_view kind, const std::string& name, std::size_t index);
enum class Marker : bool { no, yes };
/// The line of the curve with this index: another colour, dashes and marker for each.
std::string line_style(std::size_t index, Marker marker = Marker::yes);
std::string colour(std::size_t index);
/// The filling and the edge of the bars of one series of `count`.
std::string fill_style(std::size_t index, std::size_t count);

/// The command that writes names at these places of the axis "x" or "y". Long ones below are
/// slanted.
std::string name_tics(const std::string& axis, const std::vector<std::string>& names,
                      const std::vector<double>& at);

/// The smallest and the largest of some numbers.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double number) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  bool empty() const { return !(low <= high); }
};

/// True for a number that has a place on the scale; gnuplot takes more than 1e300 for infinite.
bool has_place(double number, Scale scale);

struct Panel {
  const Figure& figure;
  std::size_t number = 1;               ///< place of the figure in the picture
  std::string prefix = {};              ///< before each note, where there are several figures
  std::string data = {};                ///< the blocks of numbers
  std::string settings = {};            ///< after the settings that every figure has
  std::vector<std::string> plots = {};  ///< what is drawn, from the back to the front
  std::vector<std::string> notes = {};
  Range x = {}, y = {};                      ///< of all points that are drawn
  std::size_t legend = 0, longest_name = 0;  ///< the names in the legend, and the letters of one
  bool stands_on_foot = false;  ///< bars begin at y = 0, or at the end of a logarithmic axis

  /// The name of a block, such as "$curve1_2".
  std::string block(std::string_view kind, std::size_t index) const;
  /// Starts a block of this name; `close` ends it.
  void open(const std::string& name) { data += name + " << EOD\n"; }
  void close() { data += "EOD\n"; }
  /// Takes down that some numbers of a part have no place, unless there are none.
  void leave_out(const std::string& part, std::size_t count, std::size_t of, const char* things);
  /// The end of a plot: its place in the legend.
  std::string title(const std::string& name);
};

void add_heat(Panel& panel);
void add_contours(Panel& panel);
void add_histogram(Panel& panel);
void add_bars(Panel& panel);
void add_arrows(Panel& panel);
void add_curves(Panel& panel);

/// @throws ArgumentError, ShapeError for what `save` refuses in the figures.
void refuse_mistakes(const Panels& panels);
/// The numbers of a picture as a table, with all that cannot be drawn.
std::string csv(const Panels& panels);
/// The first line of such a table.
extern const std::string_view csv_header;

enum class Format : std::uint8_t { svg, png };
/// @throws ArgumentError for a name that ends in neither.
Format format_of(const std::string& path);

struct Script {
  std::string text;
  std::vector<std::string> notes;
};
Script make_script(const Panels& panels, Format format, Size size);

}  // namespace ebb::inline v0::plot::detail
