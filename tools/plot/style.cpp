// SPDX-License-Identifier: BSD-3-Clause
// How things look, and how texts and numbers are written for gnuplot.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot::detail {
namespace {

/// The palette of Okabe and Ito, which the colour-blind can tell apart, without its yellow, which
/// is faint on white.
const char* const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                               "#000000", "#56B4E9", "#E69F00"};
const char* const dashes[] = {"solid", "(12,5)", "(3,4)", "(14,4,3,4)", "(24,6)", "(12,4,3,4,3,4)"};
/// Circle, square, triangles and diamond, filled and open by turns.
const int markers[] = {7, 4, 9, 12, 5, 10, 13, 6};
/// Solid, hatched in several ways, empty.
const int patterns[] = {3, 4, 1, 5, 2, 6, 0};

/// Quotes a text. A line break cannot stand between single quotes, the only ones in which gnuplot
/// takes everything else as it is.
std::string quoted(std::string_view text, bool doubles_percent) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\n') {
      result += "'.\"\\n\".'";
    } else if (c == '\'' || (c == '%' && doubles_percent)) {
      result += {c, c};
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      result += ' ';
    } else {
      result += c;
    }
  }
  return result + "'";
}

}  // namespace

std::string literal(std::string_view text) { return quoted(text, false); }

std::string name_tics(const std::string& axis, const std::vector<std::string>& names,
                      const std::vector<double>& at) {
  std::size_t longest = 0;
  std::string tics;
  for (std::size_t i = 0; i < names.size(); ++i) {
    longest = std::max(longest, names[i].size());
    // gnuplot looks for formats of numbers in these.
    if (i > 0) tics += ", ";
    tics += quoted(names[i], true) + " " + digits(at[i]);
  }
  const bool is_slanted = axis == "x" && (longest + 2) * names.size() > 70;
  const std::string command = is_slanted ? "tics rotate by 35 right (" : "tics (";
  return "set " + axis + command + tics + ")\n";
}

std::string digits(double number) {
  if (std::isnan(number)) return "NaN";
  char text[40];
  const auto end = std::to_chars(text, std::end(text), number, std::chars_format::general, 17).ptr;
  return {text, end};
}

std::string part_name(std::string_view kind, const std::string& name, std::size_t index) {
  std::string text(kind);
  if (name.empty()) return text.append(" ").append(std::to_string(index + 1));
  return text.append(" \"").append(name).append("\"");
}

std::string colour(std::size_t index) {
  return "lc rgb '" + std::string(colours[index % std::size(colours)]) + "'";
}

std::string line_style(std::size_t index, Marker marker) {
  std::string text = colour(index) + " dt " + dashes[index % std::size(dashes)] + " lw 2";
  if (marker == Marker::no) return text;
  return text + " pt " + std::to_string(markers[index % std::size(markers)]);
}

std::string fill_style(std::size_t index, std::size_t count) {
  if (count == 1) return "fs solid 0.7 border lc rgb '#000000' fc rgb '#0072B2'";
  return "fs pattern " + std::to_string(patterns[index % std::size(patterns)]) +
         " border lc rgb '#000000' fc rgb '" + colours[index % std::size(colours)] + "'";
}

bool has_place(double number, Scale scale) {
  return std::abs(number) <= 1e300 && (scale == Scale::linear || number > 0);
}

std::string Panel::block(std::string_view kind, std::size_t index) const {
  std::string name = "$";
  name += kind;
  return name + std::to_string(number) + "_" + std::to_string(index + 1);
}

void Panel::leave_out(const std::string& part, std::size_t count, std::size_t of,
                      const char* things) {
  if (count == 0) return;
  notes.push_back(prefix + part + ": " + std::to_string(count) + " of " + std::to_string(of) + " " +
                  things +
                  " left out: infinite, beyond 1e300, or not positive on a logarithmic scale");
}

std::string Panel::title(const std::string& name) {
  if (name.empty()) return " notitle";
  ++legend;
  longest_name = std::max(longest_name, name.size());
  return " title " + literal(name);
}

}  // namespace ebb::inline v0::plot::detail
