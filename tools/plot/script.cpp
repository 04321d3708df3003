// SPDX-License-Identifier: BSD-3-Clause
// The script that draws a picture.
#include <algorithm>
#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot::detail {
namespace {

std::string label_of(const Axis& axis) {
  if (axis.unit.empty()) return axis.label;
  return axis.label + (axis.label.empty() ? "[" : " [") + axis.unit + "]";
}

/// The ends of an axis: those given, else those of the data, else gnuplot's choice (NaN).
struct Ends {
  double low, high;
};

Ends ends_of(const Axis& axis, const Range& range, bool stands_on_foot) {
  const bool is_log = axis.scale == Scale::log10;
  double low = NAN, high = NAN;
  if (range.empty()) {
    low = is_log ? 1 : 0;
    high = is_log ? 10 : 1;
  } else if (is_log) {
    const double margin = range.low == range.high ? 2 : std::pow(range.high / range.low, 0.04);
    low = stands_on_foot ? range.low : range.low / margin;
    high = range.high * margin;
  } else if (range.high - range.low <= 1e-13 * std::abs(range.high)) {
    const double half = std::max(0.5, std::abs(range.low) / 2);
    low = range.low - half;
    high = range.high + half;
  } else if (stands_on_foot) {
    if (range.low == 0) low = 0;
    if (range.high == 0) high = 0;
  }
  return {axis.min.value_or(low), axis.max.value_or(high)};
}

/// Of a logarithmic axis of less than two decades, where the powers of ten are too few: some of
/// their multiples, or numbers at equal distances.
std::string log_tics(const char* name, Ends ends) {
  if (!(ends.high / ends.low < 100)) return "";
  const std::initializer_list<double> factors[] = {{1, 2, 5}, {1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9}};
  const double decade = std::pow(10, std::floor(std::log10(ends.low)));
  for (const auto& list : factors) {
    std::string tics;
    int count = 0;
    for (const double power : {decade, 10 * decade, 100 * decade}) {
      for (const double factor : list) {
        if (factor * power < ends.low || factor * power > ends.high) continue;
        tics += (count++ ? "," : "");
        tics += ebb::detail::to_text(factor * power);
      }
    }
    if (count >= 3) return "set " + std::string(name) + "tics (" + tics + ")\n";
  }
  const double rough = (ends.high - ends.low) / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = (rough < 2 * power ? 2 : rough < 5 * power ? 5 : 10) * power;
  std::string tics;
  for (double k = std::ceil(ends.low / step); k * step <= ends.high; ++k) {
    if (!tics.empty()) tics += ",";
    tics += ebb::detail::to_text(k * step);
  }
  return tics.empty() ? "" : "set " + std::string(name) + "tics (" + tics + ")\n";
}

std::string axis_settings(const char* name, const std::string& label, const Axis& axis,
                          const Range& range, bool stands_on_foot = false) {
  std::string text;
  if (!label.empty()) text += "set " + std::string(name) + "label " + literal(label) + "\n";
  const Ends ends = ends_of(axis, range, stands_on_foot);
  if (axis.scale == Scale::log10) {
    text += "set logscale " + std::string(name) + "\n" + log_tics(name, ends);
  }
  const auto end = [](double x) { return std::isnan(x) ? "*" : digits(x); };
  return text + "set " + name + "range [" + end(ends.low) + ":" + end(ends.high) + "]\n";
}

/// The settings and the plot command of one figure.
std::string drawing(const Panel& panel, Format format) {
  const Figure& figure = panel.figure;
  std::string text = "reset\n";
  if (format == Format::svg) text += "set pointsize 0.7\n";  // its markers are larger
  if (!figure.title.empty()) text += "set title " + literal(figure.title) + " font ',17'\n";
  text +=
      "set border 3\nset tics nomirror out\nset format '%g'\n"
      "set grid lt 1 dt solid lw 0.5 lc rgb '#d0d0d0'\n";
  text += panel.legend > 0 ? "set key below center horizontal Left reverse\n" : "unset key\n";
  // gnuplot leaves too little room between the label and the legend below it.
  std::string below = label_of(figure.x);
  if (panel.legend > 0) below += below.empty() ? " " : "\n ";
  text += axis_settings("x", below, figure.x, panel.x);
  text += axis_settings("y", label_of(figure.y), figure.y, panel.y, panel.stands_on_foot);
  if (figure.equal_axes) text += "set size ratio -1\n";
  text += panel.settings + "plot ";
  for (std::size_t i = 0; i < panel.plots.size(); ++i) {
    if (i > 0) text += ", \\\n     ";
    text += panel.plots[i];
  }
  return text + (panel.plots.empty() ? "NaN notitle\n" : "\n");
}

/// About the height of a legend beyond its first row, in a figure of this width.
std::int64_t legend_height(const Panel& panel, std::int64_t width) {
  const auto wide = 90 + 9 * std::int64_t(panel.longest_name);
  const std::int64_t columns = std::max<std::int64_t>(1, (width - 100) / wide);
  return 18 * std::max<std::int64_t>(0, (std::int64_t(panel.legend) - 1) / columns);
}

/// Sizes are those of a screen, whose pixels a PNG has twice in both directions.
std::string terminal(Format format, std::int64_t width, std::int64_t height) {
  if (format == Format::svg) {
    return "set terminal svg noenhanced size " + std::to_string(width) + "," +
           std::to_string(height) + " font 'sans-serif,15' linewidth 1.25 background '#ffffff'\n";
  }
  return "set terminal pngcairo noenhanced size " + std::to_string(2 * width) + "," +
         std::to_string(2 * height) +
         " font 'Sans,15' fontscale 1.5 linewidth 2 pointscale 2 background '#ffffff'\n";
}

}  // namespace

Format format_of(const std::string& path) {
  const auto ends_with = [&](const std::string& ending) {
    return path.size() > ending.size() &&
           std::equal(ending.rbegin(), ending.rend(), path.rbegin(),
                      [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
  };
  if (ends_with(".svg")) return Format::svg;
  if (ends_with(".png")) return Format::png;
  throw ArgumentError("plot: " + data::detail::quoted(path) + " must end in .svg or .png");
}

Script make_script(const Panels& panels, Format format, Size size) {
  refuse_mistakes(panels);
  if (size.width < 0 || size.height < 0 || size.width > 20000 || size.height > 20000) {
    throw ArgumentError("plot: a picture of " + std::to_string(size.width) + " x " +
                        std::to_string(size.height) + " pixels; give sizes up to 20000");
  }
  const auto count = std::int64_t(panels.figures.size());
  const bool is_one = count == 1 && panels.title.empty();
  const std::int64_t columns =
      panels.columns ? panels.columns : std::int64_t(std::ceil(std::sqrt(double(count))));
  const std::int64_t rows = (count + columns - 1) / columns;
  if (size.width == 0) size.width = is_one ? 800 : 560 * columns;

  Script script;
  std::string data, drawings;
  std::int64_t legend = 0;
  for (std::size_t i = 0; i < panels.figures.size(); ++i) {
    Panel panel{.figure = panels.figures[i], .number = i + 1};
    if (count > 1) panel.prefix = "panel " + std::to_string(i + 1) + ", ";
    for (const auto add :
         {add_heat, add_contours, add_histogram, add_bars, add_arrows, add_curves}) {
      add(panel);
    }
    data += panel.data;
    drawings += drawing(panel, format);
    legend = std::max(legend, legend_height(panel, size.width / columns));
    script.notes.insert(script.notes.end(), panel.notes.begin(), panel.notes.end());
  }
  if (size.height == 0) {
    size.height = is_one ? 560 + legend : (420 + legend) * rows + (panels.title.empty() ? 0 : 40);
  }
  script.text = "set encoding utf8\n" + terminal(format, size.width, size.height) + data;
  if (is_one) {
    script.text += drawings;
    return script;
  }
  script.text += "set multiplot layout " + std::to_string(rows) + "," + std::to_string(columns);
  if (!panels.title.empty()) script.text += " title " + literal(panels.title) + " font ',19'";
  script.text += "\n" + drawings + "unset multiplot\n";
  return script;
}

}  // namespace ebb::inline v0::plot::detail
