// SPDX-License-Identifier: BSD-3-Clause
// What a figure must not be.
#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot::detail {
namespace {

/// Says of one figure what is wrong.
class Judge {
 public:
  Judge(const Figure& figure, std::string prefix) : figure_(figure), prefix_(std::move(prefix)) {}

  void judge() const {
    judge_text(figure_.title, "the title");
    judge_axis(figure_.x, "x");
    judge_axis(figure_.y, "y");
    judge_heat();
    judge_contours();
    judge_histogram();
    judge_bars();
    for (std::size_t i = 0; i < figure_.arrows.size(); ++i) judge_arrows(figure_.arrows[i], i);
    for (std::size_t i = 0; i < figure_.curves.size(); ++i) judge_curve(figure_.curves[i], i);
    if (figure_.heat.values.empty() && figure_.contours.values.empty() &&
        figure_.histogram.series.empty() && figure_.bars.series.empty() && figure_.arrows.empty() &&
        figure_.curves.empty()) {
      refuse(
          "there is nothing to draw; give curves, bars, a histogram, a heat map, contours or "
          "arrows");
    }
  }

 private:
  struct Part {
    const char* name;
    std::size_t size;
  };

  [[noreturn]] void refuse(const std::string& what) const {
    throw ArgumentError("plot: " + prefix_ + what);
  }

  void judge_text(const std::string& text, const std::string& what) const {
    if (data::detail::is_utf8(text)) return;
    refuse(what + " " + data::detail::quoted(text) + " is not UTF-8; convert it");
  }

  void judge_axis(const Axis& axis, const std::string& name) const {
    judge_text(axis.label, "the label of the " + name + " axis");
    judge_text(axis.unit, "the unit of the " + name + " axis");
    for (const auto& end : {axis.min, axis.max}) {
      if (end && !has_place(*end, axis.scale)) {
        refuse("the " + name + " axis cannot end at " + ebb::detail::to_text(*end) +
               "; give a finite number, and a positive one on a logarithmic axis");
      }
    }
    if (axis.min && axis.max && !(*axis.min < *axis.max)) {
      refuse("the " + name + " axis goes from " + ebb::detail::to_text(*axis.min) + " to " +
             ebb::detail::to_text(*axis.max) + "; give min < max");
    }
  }

  /// All parts have the same size, which is not 0.
  void judge_sizes(const std::string& name, std::initializer_list<Part> parts) const {
    std::string sizes;
    bool differ = false;
    for (const Part& part : parts) {
      if (!sizes.empty()) sizes += ", ";
      sizes += std::string(part.name) + " has " + std::to_string(part.size);
      differ |= part.size != parts.begin()->size;
    }
    if (differ) {
      throw ShapeError("plot: " + prefix_ + name + ": " + sizes + " numbers; give equally many");
    }
    if (parts.begin()->size == 0) refuse(name + " is empty: " + sizes + " numbers");
  }

  void judge_curve(const Curve& curve, std::size_t index) const {
    judge_text(curve.name, "the name of curve " + std::to_string(index + 1));
    judge_sizes(part_name("curve", curve.name, index),
                {{"x", curve.x.size()}, {"y", curve.y.size()}});
  }

  void judge_arrows(const Arrows& arrows, std::size_t index) const {
    judge_text(arrows.name, "the name of arrows " + std::to_string(index + 1));
    const std::string name = part_name("arrows", arrows.name, index);
    judge_sizes(name, {{"x", arrows.x.size()},
                       {"y", arrows.y.size()},
                       {"dx", arrows.dx.size()},
                       {"dy", arrows.dy.size()}});
    if (!std::isfinite(arrows.scale)) refuse(name + ": the scale must be finite");
  }

  void judge_bars() const {
    const Bars& bars = figure_.bars;
    for (const auto& category : bars.categories) judge_text(category, "the category");
    if (!bars.categories.empty() && bars.series.empty()) {
      refuse("bars: there are " + std::to_string(bars.categories.size()) +
             " categories and no series; give a series");
    }
    for (std::size_t k = 0; k < bars.series.size(); ++k) {
      const Series& series = bars.series[k];
      judge_text(series.name, "the name of bars " + std::to_string(k + 1));
      judge_sizes(part_name("bars", series.name, k),
                  {{"values", series.values.size()}, {"categories", bars.categories.size()}});
    }
  }

  void judge_histogram() const {
    const Histogram& histogram = figure_.histogram;
    if (histogram.bins < 0 || histogram.bins > 100000) {
      refuse("histogram: " + std::to_string(histogram.bins) +
             " bins; give a number up to 100000, or 0 for a choice by itself");
    }
    for (std::size_t k = 0; k < histogram.series.size(); ++k) {
      const Series& series = histogram.series[k];
      judge_text(series.name, "the name of histogram " + std::to_string(k + 1));
      judge_sizes(part_name("histogram", series.name, k), {{"values", series.values.size()}});
    }
  }

  /// Positions that increase, one for each row or column.
  void judge_positions(const std::string& part, const char* name, const Numbers& at, Scale scale,
                       std::size_t count, const char* of) const {
    if (at.size() != count) {
      throw ShapeError("plot: " + prefix_ + part + ": " + name + " has " +
                       std::to_string(at.size()) + " numbers and values has " +
                       std::to_string(count) + " " + of + "; give one for each");
    }
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (has_place(at[i], scale) && (i == 0 || at[i - 1] < at[i])) continue;
      refuse(part + ": " + name + "[" + std::to_string(i) + "] is " + ebb::detail::to_text(at[i]) +
             "; the positions must be finite and increase, and be positive on a logarithmic axis");
    }
  }

  void judge_names(const char* name, const std::vector<std::string>& names,
                   std::size_t count) const {
    for (const auto& text : names) judge_text(text, "the name");
    if (names.empty() || names.size() == count) return;
    throw ShapeError("plot: " + prefix_ + "heat map: " + name + " has " +
                     std::to_string(names.size()) + " names for " + std::to_string(count) +
                     "; give one for each");
  }

  void judge_heat() const {
    const HeatMap& heat = figure_.heat;
    const Matrix& values = heat.values;
    judge_text(heat.label, "the label of the colours");
    if (values.empty()) {
      if (heat.x.empty() && heat.y.empty() && heat.row_names.empty() && heat.column_names.empty()) {
        return;
      }
      refuse("heat map: values is empty");
    }
    if (!heat.x.empty()) {
      judge_positions("heat map", "x", heat.x, figure_.x.scale, values.columns(), "columns");
    }
    if (!heat.y.empty()) {
      judge_positions("heat map", "y", heat.y, figure_.y.scale, values.rows(), "rows");
    }
    const bool needs_x = heat.x.empty() && figure_.x.scale == Scale::log10;
    const bool needs_y = heat.y.empty() && figure_.y.scale == Scale::log10;
    if (needs_x || needs_y) {
      refuse(
          "heat map: rows and columns are numbered from 0, which has no place on a logarithmic "
          "axis; give x and y");
    }
    judge_names("column_names", heat.column_names, values.columns());
    judge_names("row_names", heat.row_names, values.rows());
  }

  void judge_contours() const {
    const Contours& contours = figure_.contours;
    const Matrix& values = contours.values;
    judge_text(contours.label, "the label of the contours");
    if (values.empty()) {
      if (contours.x.empty() && contours.y.empty()) return;
      refuse("contours: values is empty");
    }
    judge_positions("contours", "x", contours.x, figure_.x.scale, values.columns(), "columns");
    judge_positions("contours", "y", contours.y, figure_.y.scale, values.rows(), "rows");
    if (values.rows() < 2 || values.columns() < 2) {
      throw ShapeError("plot: " + prefix_ + "contours: values has " +
                       std::to_string(values.rows()) + " rows and " +
                       std::to_string(values.columns()) + " columns; give at least 2 of both");
    }
    if (contours.count < 1 || contours.count > 1000) {
      refuse("contours: " + std::to_string(contours.count) + " lines; give 1 to 1000");
    }
    for (const double level : contours.levels) {
      if (has_place(level, contours.scale)) continue;
      refuse("contours: the level " + ebb::detail::to_text(level) +
             " must be finite, and positive on a logarithmic scale");
    }
  }

  const Figure& figure_;
  std::string prefix_;
};

}  // namespace

void refuse_mistakes(const Panels& panels) {
  if (panels.figures.empty()) throw ArgumentError("plot: there are no figures; give at least one");
  if (panels.columns < 0 || panels.columns > std::int64_t(panels.figures.size())) {
    throw ArgumentError("plot: " + std::to_string(panels.columns) + " columns for " +
                        std::to_string(panels.figures.size()) +
                        " figures; give at most one for each, or 0 for a choice by itself");
  }
  if (!data::detail::is_utf8(panels.title)) {
    throw ArgumentError("plot: the title " + data::detail::quoted(panels.title) +
                        " is not UTF-8; convert it");
  }
  for (std::size_t i = 0; i < panels.figures.size(); ++i) {
    const bool is_one = panels.figures.size() == 1;
    Judge(panels.figures[i], is_one ? "" : "panel " + std::to_string(i + 1) + ", ").judge();
  }
}

}  // namespace ebb::inline v0::plot::detail
