// SPDX-License-Identifier: BSD-3-Clause
// Curves and arrows.
#include <algorithm>
#include <cmath>

#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot::detail {
namespace {

/// The points of a curve that are drawn.
std::vector<bool> shown_points(Panel& panel, const Curve& curve, const std::string& name) {
  std::vector<bool> shown(curve.x.size());
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const double x = curve.x[i], y = curve.y[i];
    if (std::isnan(x) || std::isnan(y)) continue;
    shown[i] = has_place(x, panel.figure.x.scale) && has_place(y, panel.figure.y.scale);
    if (!shown[i]) {
      ++left_out;
      continue;
    }
    panel.x.add(x);
    panel.y.add(y);
  }
  panel.leave_out(name, left_out, shown.size(), "points");
  return shown;
}

void add_point(Panel& panel, const Curve& curve, std::size_t i) {
  panel.data += digits(curve.x[i]) + " " + digits(curve.y[i]) + "\n";
}

/// Points without neighbours, of which a line shows nothing.
void add_lonely_points(Panel& panel, const Curve& curve, std::size_t index,
                       const std::vector<bool>& shown) {
  std::vector<std::size_t> lonely;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const bool before = i > 0 && shown[i - 1], after = i + 1 < shown.size() && shown[i + 1];
    if (shown[i] && !before && !after) lonely.push_back(i);
  }
  if (lonely.empty()) return;
  const std::string block = panel.block("lonely", index);
  panel.open(block);
  for (const std::size_t i : lonely) add_point(panel, curve, i);
  panel.close();
  panel.plots.push_back(block + " using 1:2 with points " + line_style(index) + " notitle");
}

void add_curve(Panel& panel, const Curve& curve, std::size_t index) {
  const std::string name = part_name("curve", curve.name, index);
  const std::vector<bool> shown = shown_points(panel, curve, name);
  const std::string with = curve.style == Style::points ? " with points " : " with linespoints ";
  const std::string style = with + line_style(index);
  if (std::find(shown.begin(), shown.end(), true) == shown.end()) {
    panel.notes.push_back(panel.prefix + name + ": none of its points can be drawn");
    panel.plots.push_back("NaN" + style + panel.title(curve.name));
    return;
  }
  const std::string block = panel.block("curve", index);
  panel.open(block);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i]) {
      add_point(panel, curve, i);
    } else {
      panel.data += "NaN NaN\n";
    }
  }
  panel.close();
  const std::size_t step = shown.size() / 8;  // between two markers of a line
  const bool skips = curve.style == Style::lines && step > 1;
  const std::string marks = skips ? " pi " + std::to_string(step) : "";
  panel.plots.push_back(block + " using 1:2" + style + marks + panel.title(curve.name));
  if (skips) add_lonely_points(panel, curve, index, shown);
}

/// The factor with which the longest arrow reaches to the next one of a square grid.
double fitting_scale(const Arrows& arrows, const std::vector<std::size_t>& shown) {
  Range x, y;
  double dx = 0, dy = 0;
  for (const std::size_t i : shown) {
    x.add(arrows.x[i]);
    y.add(arrows.y[i]);
    dx = std::max(dx, std::abs(arrows.dx[i]));
    dy = std::max(dy, std::abs(arrows.dy[i]));
  }
  const double steps = std::max(1.0, std::sqrt(double(shown.size())) - 1);
  double scale = std::numeric_limits<double>::infinity();
  if (dx > 0 && x.low < x.high) scale = (x.high - x.low) / steps / dx;
  if (dy > 0 && y.low < y.high) scale = std::min(scale, (y.high - y.low) / steps / dy);
  return std::isfinite(scale) && scale > 0 ? 0.9 * scale : 1;
}

void add_field(Panel& panel, const Arrows& arrows, std::size_t index) {
  const Figure& figure = panel.figure;
  const std::string name = part_name("arrows", arrows.name, index);
  std::vector<std::size_t> shown;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < arrows.x.size(); ++i) {
    const double x = arrows.x[i], y = arrows.y[i], dx = arrows.dx[i], dy = arrows.dy[i];
    if (std::isnan(x + y) || std::isnan(dx) || std::isnan(dy)) continue;
    if (has_place(x, figure.x.scale) && has_place(y, figure.y.scale) && std::isfinite(dx) &&
        std::isfinite(dy)) {
      shown.push_back(i);
    } else {
      ++left_out;
    }
  }
  panel.leave_out(name, left_out, arrows.x.size(), "arrows");
  const double scale = arrows.scale == 0 ? fitting_scale(arrows, shown) : arrows.scale;
  const std::string style =
      " with vectors head filled size graph 0.015,20 " + colour(index + 4) + " lw 1.5";
  if (shown.empty()) {
    panel.notes.push_back(panel.prefix + name + ": none of them can be drawn");
    return;
  }
  const std::string block = panel.block("arrows", index);
  panel.open(block);
  for (const std::size_t i : shown) {
    const double x = arrows.x[i], y = arrows.y[i];
    const double dx = scale * arrows.dx[i], dy = scale * arrows.dy[i];
    panel.data += digits(x) + " " + digits(y) + " " + digits(dx) + " " + digits(dy) + "\n";
    panel.x.add(x);
    panel.y.add(y);
    if (has_place(x + dx, figure.x.scale)) panel.x.add(x + dx);
    if (has_place(y + dy, figure.y.scale)) panel.y.add(y + dy);
  }
  panel.close();
  panel.plots.push_back(block + " using 1:2:3:4" + style + panel.title(arrows.name));
}

}  // namespace

void add_curves(Panel& panel) {
  const auto first = std::ptrdiff_t(panel.plots.size());
  for (std::size_t i = 0; i < panel.figure.curves.size(); ++i) {
    add_curve(panel, panel.figure.curves[i], i);
  }
  if (panel.figure.heat.values.empty()) return;
  // Behind all of them, so that they stay visible on any colour.
  for (std::size_t i = panel.figure.curves.size(); i-- > 0;) {
    if (panel.figure.curves[i].style == Style::points) continue;
    const std::string block = panel.block("curve", i);
    if (panel.data.find(block + " <<") == std::string::npos) continue;
    panel.plots.insert(panel.plots.begin() + first,
                       block + " using 1:2 with lines lc rgb '#ffffff' lw 5 notitle");
  }
}

void add_arrows(Panel& panel) {
  for (std::size_t i = 0; i < panel.figure.arrows.size(); ++i) {
    add_field(panel, panel.figure.arrows[i], i);
  }
}

}  // namespace ebb::inline v0::plot::detail
