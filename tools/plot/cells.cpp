// SPDX-License-Identifier: BSD-3-Clause
// Matrices: heat maps and contours.
#include <algorithm>
#include <cmath>

#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot::detail {
namespace {

/// Some colours of viridis, whose brightness grows evenly: they stay in order in black and white.
const char* const viridis =
    "set palette defined (0 '#440154', 1 '#482878', 2 '#3e4989', 3 '#31688e', 4 '#26828e', "
    "5 '#1f9e89', 6 '#35b779', 7 '#6ece58', 8 '#b5de2b', 9 '#fde725')\n";
/// Its darker part, for lines on white and under white lines.
const char* const dark_viridis =
    "set palette defined (0 '#440154', 1 '#482878', 2 '#3e4989', 3 '#31688e', 4 '#26828e', "
    "5 '#1f9e89', 6 '#35b779')\n";

/// 0, 1, ... in place of positions that are not given.
std::vector<double> positions(const Numbers& given, std::size_t count) {
  std::vector<double> all(given.begin(), given.end());
  for (std::size_t i = 0; all.size() < count; ++i) all.push_back(double(i));
  return all;
}

/// The ends of the cells around their middles.
std::vector<double> cell_ends(std::vector<double> middles, Scale scale) {
  const bool is_log = scale == Scale::log10;
  if (is_log) {
    for (double& x : middles) x = std::log10(x);
  }
  std::vector<double> ends;
  const std::size_t n = middles.size();
  for (std::size_t i = 1; i < n; ++i) ends.push_back((middles[i - 1] + middles[i]) / 2);
  const double first = n > 1 ? ends.front() - middles[0] : 0.5;
  const double last = n > 1 ? middles[n - 1] - ends.back() : 0.5;
  ends.insert(ends.begin(), middles[0] - first);
  ends.push_back(middles[n - 1] + last);
  if (is_log) {
    for (double& x : ends) x = std::pow(10, x);
  }
  return ends;
}

void set_colour_bar(Panel& panel, const Range& range, Scale scale, const std::string& label) {
  if (scale == Scale::log10) panel.settings += "set logscale cb\n";
  double low = range.low, high = range.high;
  if (low == high) {
    const double half = std::max(0.5, std::abs(low) * 1e-6);
    low = scale == Scale::log10 ? low / 10 : low - half;
    high = scale == Scale::log10 ? high * 10 : high + half;
  }
  panel.settings += "set cbrange [" + digits(low) + ":" + digits(high) + "]\n";
  if (!label.empty()) panel.settings += "set cblabel " + literal(label) + "\n";
}

/// The ends of an axis are those of the cells or the grid on it, unless others are given.
void set_ends(Panel& panel, const char* axis, const Axis& given, double low, double high,
              bool is_reverse = false) {
  const std::string first = digits(given.min.value_or(low)),
                    last = digits(given.max.value_or(high));
  panel.settings += "set " + std::string(axis) + "range [" + (is_reverse ? last : first) + ":" +
                    (is_reverse ? first : last) + "]\n";
}

}  // namespace

void add_heat(Panel& panel) {
  const HeatMap& heat = panel.figure.heat;
  const Matrix& values = heat.values;
  if (values.empty()) return;
  const Axis &x_axis = panel.figure.x, &y_axis = panel.figure.y;
  const auto x = positions(heat.x, values.columns()), y = positions(heat.y, values.rows());
  const auto left = cell_ends(x, x_axis.scale), low = cell_ends(y, y_axis.scale);
  const std::string block = panel.block("heat", 0);
  Range range;
  std::size_t left_out = 0;
  panel.open(block);
  for (std::size_t i = 0; i < y.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double value = values(i, j);
      if (!has_place(value, heat.scale)) {
        left_out += !std::isnan(value);
        continue;
      }
      range.add(value);
      for (const double end : {x[j], y[i], left[j], left[j + 1], low[i], low[i + 1], value}) {
        panel.data += digits(end) + " ";
      }
      panel.data.back() = '\n';
    }
  }
  panel.close();
  panel.leave_out("heat map", left_out, values.values().size(), "elements");
  set_ends(panel, "x", x_axis, left.front(), left.back());
  set_ends(panel, "y", y_axis, low.front(), low.back(), heat.y.empty());
  if (heat.x.empty() && x.size() <= 20) panel.settings += "set xtics 1\n";
  if (heat.y.empty() && y.size() <= 20) panel.settings += "set ytics 1\n";
  if (!heat.column_names.empty()) panel.settings += name_tics("x", heat.column_names, x);
  if (!heat.row_names.empty()) panel.settings += name_tics("y", heat.row_names, y);
  panel.settings += "unset grid\nset border 15\n";
  if (range.empty()) {
    panel.notes.push_back(panel.prefix + "heat map: none of its elements can be drawn");
    return;
  }
  panel.settings += panel.figure.contours.values.empty() ? viridis : dark_viridis;
  set_colour_bar(panel, range, heat.scale, heat.label);
  panel.x.add(x.front());
  panel.y.add(y.front());
  panel.plots.push_back(block +
                        " using 1:2:3:4:5:6:7 with boxxyerror fs solid lc palette lw 0.5 notitle");
}

namespace {

/// The values of the lines that can be seen: between the smallest and the largest of the function.
std::vector<double> levels_of(const Contours& contours, const Range& range) {
  std::vector<double> levels;
  for (const double level : contours.levels) {
    if (range.low <= level && level <= range.high) levels.push_back(level);
  }
  if (!contours.levels.empty() || !(range.low < range.high)) return levels;
  const bool is_log = contours.scale == Scale::log10;
  const double low = is_log ? std::log10(range.low) : range.low;
  const double high = is_log ? std::log10(range.high) : range.high;
  for (std::int64_t k = 1; k <= contours.count; ++k) {
    const double part = double(k) / double(contours.count + 1);
    const double level = low * (1 - part) + high * part;
    levels.push_back(is_log ? std::pow(10, level) : level);
  }
  return levels;
}

/// The grid as gnuplot reads one: rows, with empty lines between them. On a logarithmic scale it
/// has the logarithms, whose contours are smoother. Returns the range of the values.
Range add_grid(Panel& panel, const Contours& contours) {
  const Matrix& values = contours.values;
  const bool is_log = contours.scale == Scale::log10;
  Range range;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (std::size_t j = 0; j < values.columns(); ++j) {
      const double value = values(i, j);
      const bool shown = has_place(value, contours.scale);
      if (shown) range.add(value);
      left_out += !shown && !std::isnan(value);
      panel.data += digits(contours.x[j]) + " " + digits(contours.y[i]) + " " +
                    (shown ? digits(is_log ? std::log10(value) : value) : "NaN") + "\n";
    }
    panel.data += "\n";
  }
  panel.leave_out("contours", left_out, values.values().size(), "elements");
  return range;
}

}  // namespace

void add_contours(Panel& panel) {
  const Contours& contours = panel.figure.contours;
  if (contours.values.empty()) return;
  const std::string grid = panel.block("grid", 0), lines = panel.block("contours", 0);
  panel.open(grid);
  const Range range = add_grid(panel, contours);
  panel.close();
  const bool is_over_heat = !panel.figure.heat.values.empty();
  if (!is_over_heat) {
    set_ends(panel, "x", panel.figure.x, contours.x[0], contours.x[contours.x.size() - 1]);
    set_ends(panel, "y", panel.figure.y, contours.y[0], contours.y[contours.y.size() - 1]);
  }
  const std::vector<double> levels = levels_of(contours, range);
  if (levels.empty()) {
    panel.notes.push_back(panel.prefix +
                          "contours: no level lies between the smallest and the largest value");
    return;
  }
  const bool is_log = contours.scale == Scale::log10;
  std::string list;
  Range of_levels;
  for (const double level : levels) {
    if (!list.empty()) list += ",";
    list += digits(is_log ? std::log10(level) : level);
    of_levels.add(level);
  }
  panel.data += "set contour base\nunset surface\nset cntrparam levels discrete " + list +
                "\nset table " + lines + "\nsplot " + grid +
                " using 1:2:3\nunset table\nunset contour\nset surface\n";
  panel.settings += "set border 15\n";
  panel.x.add(contours.x[0]);
  panel.y.add(contours.y[0]);
  if (is_over_heat) {
    panel.plots.push_back(lines + " using 1:2 with lines lc rgb '#ffffff' lw 1 notitle");
    return;
  }
  panel.settings += dark_viridis;
  set_colour_bar(panel, of_levels, contours.scale, contours.label);
  panel.plots.push_back(lines + " using 1:2:" + (is_log ? "(10**$3)" : "3") +
                        " with lines lw 1.2 lc palette notitle");
}

}  // namespace ebb::inline v0::plot::detail
