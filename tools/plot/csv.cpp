// SPDX-License-Identifier: BSD-3-Clause
// The numbers of a picture as a table, in place of a picture.
#include <cmath>
#include <initializer_list>

#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot::detail {

const std::string_view csv_header = "panel,kind,name,category,x,y,dx,dy,value\n";

namespace {

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += c;
    result += c;
  }
  return result + "\"";
}

std::string number(double value) { return std::isnan(value) ? "nan" : digits(value); }

/// The rows of one panel. Fields that a kind does not have stay empty.
class Rows {
 public:
  Rows(std::string& text, std::size_t panel) : text_(text), panel_(std::to_string(panel)) {}

  void add(const char* kind, const std::string& name, const std::string& category,
           std::initializer_list<std::string> numbers) {
    text_ += panel_ + "," + kind + "," + field(name) + "," + field(category);
    for (const std::string& text : numbers) text_ += "," + text;
    text_ += "\n";
  }

  void add_matrix(const char* kind, const Matrix& values, const Numbers& x, const Numbers& y) {
    for (std::size_t i = 0; i < values.rows(); ++i) {
      for (std::size_t j = 0; j < values.columns(); ++j) {
        const double at_x = x.empty() ? double(j) : x[j], at_y = y.empty() ? double(i) : y[i];
        add(kind, "", "", {number(at_x), number(at_y), "", "", number(values(i, j))});
      }
    }
  }

  void add_figure(const Figure& figure) {
    add_matrix("heat", figure.heat.values, figure.heat.x, figure.heat.y);
    const Contours& contours = figure.contours;
    add_matrix("contours", contours.values, contours.x, contours.y);
    for (const Series& series : figure.histogram.series) {
      for (const double x : series.values) {
        add("histogram", series.name, "", {number(x), "", "", "", ""});
      }
    }
    for (const Series& series : figure.bars.series) {
      for (std::size_t i = 0; i < series.values.size(); ++i) {
        add("bar", series.name, figure.bars.categories[i],
            {number(double(i)), number(series.values[i]), "", "", ""});
      }
    }
    for (const Arrows& a : figure.arrows) {
      for (std::size_t i = 0; i < a.x.size(); ++i) {
        add("arrow", a.name, "",
            {number(a.x[i]), number(a.y[i]), number(a.dx[i]), number(a.dy[i]), ""});
      }
    }
    for (const Curve& curve : figure.curves) {
      for (std::size_t i = 0; i < curve.x.size(); ++i) {
        add("curve", curve.name, "", {number(curve.x[i]), number(curve.y[i]), "", "", ""});
      }
    }
  }

 private:
  std::string& text_;
  std::string panel_;
};

}  // namespace

std::string csv(const Panels& panels) {
  std::string text(csv_header);
  for (std::size_t i = 0; i < panels.figures.size(); ++i) {
    Rows(text, i + 1).add_figure(panels.figures[i]);
  }
  return text;
}

}  // namespace ebb::inline v0::plot::detail
