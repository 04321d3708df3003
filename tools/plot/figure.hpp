// SPDX-License-Identifier: BSD-3-Clause
// What a picture shows: values that are built by designated initialisers.
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ebb::inline v0::plot {

/// A list of numbers: of an array, a tensor, a vector, or written out, as in `.x = {1, 2, 3}`.
class Numbers {
 public:
  Numbers() = default;
  Numbers(std::initializer_list<double> values) : values_(values) {}
  /// Any range of numbers; an array of any shape gives its elements in row-major order.
  template <std::ranges::input_range R>
  requires(std::is_arithmetic_v<std::ranges::range_value_t<R>>) Numbers(const R& range) {
    for (const auto x : range) values_.push_back(double(x));
  }
  /// The values of a tensor, recorded or not.
  template <class T>
  requires requires(const T& x) { x.array().begin(); }
  Numbers(const T& tensor) : Numbers(tensor.array()) {}

  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  double operator[](std::size_t i) const { return values_[i]; }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  std::vector<double> values_;
};

/// A matrix of numbers: of an array or a tensor with two axes, or written out by its rows.
class Matrix {
 public:
  Matrix() = default;
  /// @throws ShapeError unless all rows are equally long.
  Matrix(std::initializer_list<std::initializer_list<double>> rows);
  /// @throws ShapeError unless the array has two axes.
  template <class A>
  requires requires(const A& x) {
    x.shape().rank();
    x.begin();
  }
  Matrix(const A& array) : values_(array) {
    const auto& shape = array.shape();
    check_rank(shape.rank());
    rows_ = std::size_t(shape[0]);
    columns_ = std::size_t(shape[1]);
  }
  template <class T>
  requires requires(const T& x) { x.array().begin(); }
  Matrix(const T& tensor) : Matrix(tensor.array()) {}

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  bool empty() const { return values_.empty(); }
  double operator()(std::size_t row, std::size_t column) const {
    return values_[row * columns_ + column];
  }
  const Numbers& values() const { return values_; }

 private:
  static void check_rank(int rank);

  Numbers values_;
  std::size_t rows_ = 0, columns_ = 0;
};

enum class Scale : std::uint8_t { linear, log10 };

struct Axis {
  std::string label = {};
  std::string unit = {};  ///< stands in brackets behind the label
  Scale scale = Scale::linear;
  std::optional<double> min = {}, max = {};  ///< the ends of the axis; otherwise those of the data
};

enum class Style : std::uint8_t {
  lines,   ///< with a few markers, which tell the curves apart
  points,  ///< a marker for each point
  both,    ///< lines with a marker for each point
};

/// Points (x[i], y[i]), in this order. A NaN breaks the line.
struct Curve {
  std::string name = {};  ///< stands in the legend, unless it is empty
  Numbers x = {};
  Numbers y = {};
  Style style = Style::lines;
};

/// Numbers with a name for the legend.
struct Series {
  std::string name = {};
  Numbers values = {};
};

/// A group of bars for each category, with a bar for each series: `values[i]` of each series
/// belongs to `categories[i]`, which stands at x = i.
struct Bars {
  std::vector<std::string> categories = {};
  std::vector<Series> series = {};
};

/// How many of the numbers lie in each of `bins` intervals of equal width, the same ones for all
/// series. On a logarithmic x axis the logarithms of their ends are at equal distances.
struct Histogram {
  std::vector<Series> series = {};
  std::int64_t bins = 0;  ///< 0: chosen by the rule of Freedman and Diaconis, from 5 to 60
};

/// A coloured cell for each element of a matrix, and a bar that tells the numbers of the colours.
struct HeatMap {
  Numbers x =
      {};  ///< the middle of each column, increasing; without them the columns are 0, 1, ...
  /// The middle of each row, increasing. Without them the rows are 0, 1, ... from the top down, as
  /// a matrix is written.
  Numbers y = {};
  Matrix values = {};
  std::string label = {};                      ///< text beside the colour bar
  Scale scale = Scale::linear;                 ///< how numbers become colours
  std::vector<std::string> column_names = {};  ///< stand in place of the numbers of the columns
  std::vector<std::string> row_names = {};
};

/// Lines along which a function has one value. `values(i, j)` is the function at (x[j], y[i]).
struct Contours {
  Numbers x = {};  ///< increasing
  Numbers y = {};  ///< increasing
  Matrix values = {};
  Numbers levels = {};      ///< the values of the lines; without them `count` are chosen
  std::int64_t count = 12;  ///< how many are chosen, at equal distances on the scale
  Scale scale = Scale::linear;
  std::string label = {};  ///< text beside the colour bar
};

/// Arrows from (x[i], y[i]) in the direction (dx[i], dy[i]).
struct Arrows {
  std::string name = {};
  Numbers x = {}, y = {};
  Numbers dx = {}, dy = {};
  /// The factor of all lengths. 0: as long as possible while no arrow of a square grid reaches past
  /// the next one.
  double scale = 0;
};

/// One pair of axes and all that is drawn in it, from the back to the front: heat map, contours,
/// histogram, bars, arrows, curves. What is not given is not drawn.
struct Figure {
  std::string title = {};
  Axis x = {};
  Axis y = {};
  HeatMap heat = {};
  Contours contours = {};
  Histogram histogram = {};
  Bars bars = {};
  std::vector<Arrows> arrows = {};
  std::vector<Curve> curves = {};
  bool equal_axes = false;  ///< one unit is equally long on both axes
};

/// Several figures in one picture, in rows.
struct Panels {
  std::string title = {};
  std::int64_t columns = 0;  ///< figures beside each other; 0: about as many as rows
  std::vector<Figure> figures = {};
};

/// The size of a picture, in pixels of a screen; a PNG has two dots for each of them in both
/// directions. 0: 800 x 560, and for panels 560 x 420 each; higher where a legend has many rows.
struct Size {
  std::int64_t width = 0, height = 0;
};

}  // namespace ebb::inline v0::plot
