// SPDX-License-Identifier: BSD-3-Clause
// What gnuplot is told for each kind of picture.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/ebb.hpp"
#include "ebb/tools/plot/panel.hpp"
#include "ebb/tools/plot/plot.hpp"

using namespace ebb;
using plot::Scale;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// True if these whole lines stand one after the other in the script.
bool has_lines(const std::string& script, const std::string& lines) {
  const bool found = ("\n" + script).find("\n" + lines + "\n") != std::string::npos;
  if (!found) MESSAGE(script);
  return found;
}

std::string svg_of(const plot::Figure& figure) { return plot::script(figure, "a.svg"); }

std::vector<std::string> notes_of(const plot::Figure& figure) {
  return plot::detail::make_script({.figures = {figure}}, plot::detail::Format::svg, {}).notes;
}

}  // namespace

TEST_SUITE("plot script") {

TEST_CASE("a figure has title, labels with units, and a logarithmic axis") {
  const plot::Figure figure{.title = "Loss",
                            .x = {.label = "epoch"},
                            .y = {.label = "loss", .unit = "nats", .scale = Scale::log10},
                            .curves = {{.name = "train", .x = {1, 2}, .y = {100, 0.1}}}};
  const std::string script = svg_of(figure);
  CHECK(script.starts_with("set encoding utf8\nset terminal svg noenhanced size 800,560 "));
  CHECK(has_lines(script, "reset\nset pointsize 0.7\nset title 'Loss' font ',17'"));
  CHECK(has_lines(script, "set xlabel 'epoch'.\"\\n\".' '"));
  CHECK(has_lines(script, "set ylabel 'loss [nats]'"));
  CHECK(has_lines(script, "set logscale y"));
  CHECK(script.find("set logscale x") == std::string::npos);
  CHECK(has_lines(script, "set xrange [*:*]"));
}

TEST_CASE("the size of a PNG is twice that on the screen") {
  const plot::Figure figure{.curves = {{.x = {1, 2}, .y = {1, 2}}}};
  const std::string script = plot::script(figure, "A.PNG", {.width = 300, .height = 200});
  CHECK(script.find("set terminal pngcairo noenhanced size 600,400 ") != std::string::npos);
}

TEST_CASE("a long legend makes a picture higher, unless its height is given") {
  plot::Figure figure;
  for (int k = 0; k < 7; ++k) {
    figure.curves.push_back({.name = std::string(20, 'a'), .x = {1, 2}, .y = {1, 2}});
  }
  // Two names of 270 pixels in a row of 700, hence three rows more.
  CHECK(svg_of(figure).find(" size 800,614 ") != std::string::npos);
  CHECK(plot::script(figure, "a.svg", {.height = 300}).find(" size 800,300 ") != std::string::npos);
}

TEST_CASE("curves differ by colour, dashes and marker") {
  const plot::Numbers x = {1, 2, 3};
  const plot::Figure figure{
      .curves = {{.name = "a", .x = x, .y = {4, 5, 6}},
                 {.name = "b", .x = x, .y = {5, 6, 7}, .style = plot::Style::points},
                 {.x = x, .y = {0.1, 7, 8}, .style = plot::Style::both}}};
  const std::string script = svg_of(figure);
  CHECK(has_lines(script, "$curve1_1 << EOD\n1 4\n2 5\n3 6\nEOD"));
  CHECK(has_lines(script, "1 0.10000000000000001\n2 7"));
  CHECK(has_lines(script,
                  "plot $curve1_1 using 1:2 with linespoints lc rgb '#0072B2' dt solid lw 2 pt 7 "
                  "title 'a', \\\n"
                  "     $curve1_2 using 1:2 with points lc rgb '#D55E00' dt (12,5) lw 2 pt 4 "
                  "title 'b', \\\n"
                  "     $curve1_3 using 1:2 with linespoints lc rgb '#009E73' dt (3,4) lw 2 pt 9 "
                  "notitle"));
  CHECK(has_lines(script, "set key below center horizontal Left reverse"));
  // No two of many curves look the same.
  for (std::size_t i = 0; i < 100; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      REQUIRE(plot::detail::line_style(i) != plot::detail::line_style(j));
    }
  }
}

TEST_CASE("a line has about eight markers") {
  const auto x = Array<double>::arange(100);
  CHECK(svg_of({.curves = {{.x = x, .y = x}}}).find(" pi 12 notitle") != std::string::npos);
  CHECK(has_lines(svg_of({.curves = {{.x = x, .y = x}}}), "unset key"));
}

TEST_CASE("a NaN breaks a curve, and a point without neighbours is a marker") {
  const auto x = Array<double>::arange(17);
  std::vector<double> y(17, 1);
  y[1] = y[3] = NAN;
  const plot::Figure figure{.curves = {{.x = x, .y = y}}};
  const std::string script = svg_of(figure);
  CHECK(has_lines(script, "$curve1_1 << EOD\n0 1\nNaN NaN\n2 1\nNaN NaN\n4 1\n5 1"));
  CHECK(has_lines(script, "$lonely1_1 << EOD\n0 1\n2 1\nEOD"));
  CHECK(notes_of(figure).empty());
}

TEST_CASE("what has no place on an axis is left out and noted") {
  const plot::Figure figure{
      .y = {.scale = Scale::log10},
      .curves = {{.name = "a", .x = {1, 2, 3, infinity, 5}, .y = {1, 0, -1, 2, 3}},
                 {.x = {1, 2}, .y = {-1, NAN}}}};
  CHECK(has_lines(svg_of(figure), "$curve1_1 << EOD\n1 1\nNaN NaN\nNaN NaN\nNaN NaN\n5 3\nEOD"));
  const std::string left_out =
      " left out: infinite, beyond 1e300, or not positive on a logarithmic scale";
  CHECK(notes_of(figure) == std::vector<std::string>{"curve \"a\": 3 of 5 points" + left_out,
                                                     "curve 2: 1 of 2 points" + left_out,
                                                     "curve 2: none of its points can be drawn"});
}

TEST_CASE("arrays, tensors and vectors are numbers") {
  const std::vector<float> x = {1, 2};
  const auto y = Array<std::int64_t>::of({3, 4});
  Variable<double> w(Array<double>::of({5, 6}));
  Tape tape;
  const plot::Figure figure{.curves = {{.x = x, .y = y}, {.x = x, .y = w * 2.0}}};
  CHECK(has_lines(svg_of(figure), "$curve1_1 << EOD\n1 3\n2 4\nEOD"));
  CHECK(has_lines(svg_of(figure), "$curve1_2 << EOD\n1 10\n2 12\nEOD"));
  CHECK(plot::Matrix(Array<float>::of({{1, 2}, {3, 4}, {5, 6}}))(2, 0) == 5);
}

TEST_CASE("texts are literal") {
  using plot::detail::literal;
  CHECK(literal("a_b^c {d} \"e\" @f \\n %g `date` é") == "'a_b^c {d} \"e\" @f \\n %g `date` é'");
  CHECK(literal("it's") == "'it''s'");
  CHECK(literal("two\nlines\t.") == "'two'.\"\\n\".'lines .'");
  // Names at tics are formats of numbers to gnuplot.
  CHECK(plot::detail::name_tics("y", {"5%", "b"}, {0, 2}) == "set ytics ('5%%' 0, 'b' 2)\n");
}

TEST_CASE("bars stand side by side") {
  const plot::Figure figure{
      .bars = {.categories = {"SGD", "Adam"},
               .series = {{.name = "a", .values = {1, 2}}, {.name = "b", .values = {3, NAN}}}}};
  const std::string script = svg_of(figure);
  CHECK(has_lines(script,
                  "$bars1_1 << EOD\n-0.20000000000000001 1 0.40000000000000002\n"
                  "0.80000000000000004 2 0.40000000000000002\nEOD"));
  CHECK(has_lines(script, "$bars1_2 << EOD\n0.20000000000000001 3 0.40000000000000002\nEOD"));
  CHECK(has_lines(script, "set yrange [0:*]"));
  CHECK(has_lines(script, "set xtics ('SGD' 0, 'Adam' 1)"));
  CHECK(script.find("plot $bars1_1 using 1:2:3 with boxes fs pattern 3 ") != std::string::npos);
  CHECK(script.find("     $bars1_2 using 1:2:3 with boxes fs pattern 4 ") != std::string::npos);
}

TEST_CASE("a histogram counts numbers") {
  const plot::Figure figure{
      .histogram = {.series = {{.values = {0, 1, 1, 2, 3.5, 4, NAN, infinity}}}, .bins = 4}};
  const std::string script = svg_of(figure);
  CHECK(has_lines(script, "$histogram1_1 << EOD\n0 1 0 1\n1 2 0 2\n2 3 0 1\n3 4 0 2\nEOD"));
  CHECK(has_lines(script, "set yrange [0:*]"));
  CHECK(notes_of(figure).size() == 1);
  // Several are outlines over the same intervals.
  const plot::Figure two{
      .histogram = {.series = {{.values = {0, 2}}, {.values = {1, 1}}}, .bins = 2}};
  CHECK(has_lines(svg_of(two), "$histogram1_1 << EOD\n0 0\n0 1\n1 1\n1 1\n2 1\n2 0\nEOD"));
  CHECK(has_lines(svg_of(two), "$histogram1_2 << EOD\n0 0\n0 0\n1 0\n1 2\n2 2\n2 0\nEOD"));
}

TEST_CASE("the bins of a histogram on a logarithmic axis have equal ratios") {
  const plot::Figure figure{.x = {.scale = Scale::log10},
                            .histogram = {.series = {{.values = {1, 5, 50, 100}}}, .bins = 2}};
  CHECK(has_lines(svg_of(figure), "$histogram1_1 << EOD\n1 10 0 2\n10 100 0 2\nEOD"));
}

TEST_CASE("a heat map has a cell for each element, its first row at the top") {
  const plot::Figure figure{.heat = {.values = {{1, 2}, {NAN, 4}}, .label = "rows"}};
  const std::string script = svg_of(figure);
  CHECK(has_lines(script,
                  "$heat1_1 << EOD\n0 0 -0.5 0.5 -0.5 0.5 1\n1 0 0.5 1.5 -0.5 0.5 2\n"
                  "1 1 0.5 1.5 0.5 1.5 4\nEOD"));
  CHECK(has_lines(script, "set xrange [-0.5:1.5]\nset yrange [1.5:-0.5]"));
  CHECK(has_lines(script, "set cbrange [1:4]\nset cblabel 'rows'"));
  const plot::Figure placed{.x = {.scale = Scale::log10},
                            .heat = {.x = {1, 100}, .y = {0, 2}, .values = {{1, 2}, {3, 4}}}};
  CHECK(has_lines(svg_of(placed),
                  "$heat1_1 << EOD\n1 0 0.10000000000000001 10 -1 1 1\n"
                  "100 0 10 1000 -1 1 2\n1 2 0.10000000000000001 10 1 3 3\n"
                  "100 2 10 1000 1 3 4\nEOD"));
  CHECK(has_lines(svg_of(placed), "set yrange [-1:3]"));
}

TEST_CASE("contours are lines of a function on a grid, with paths over them") {
  const plot::Figure figure{
      .contours = {.x = {0, 1}, .y = {0, 2}, .values = {{0, 1}, {2, 4}}, .count = 3},
      .curves = {{.name = "descent", .x = {0, 1}, .y = {0, 2}}}};
  const std::string script = svg_of(figure);
  CHECK(has_lines(script, "$grid1_1 << EOD\n0 0 0\n1 0 1\n\n0 2 2\n1 2 4\n\nEOD"));
  CHECK(has_lines(script, "set cntrparam levels discrete 1,2,3\nset table $contours1_1"));
  CHECK(script.find("plot $contours1_1 using 1:2:3 with lines lw 1.2 lc palette notitle, \\\n"
                    "     $curve1_1 using") != std::string::npos);
  // On a logarithmic scale the lines are those of the logarithm.
  const plot::Figure log{.contours = {.x = {0, 1},
                                      .y = {0, 1},
                                      .values = {{1, 100}, {1e4, 0}},
                                      .levels = {10, 1e3, 1e9},
                                      .scale = Scale::log10}};
  CHECK(has_lines(svg_of(log), "$grid1_1 << EOD\n0 0 0\n1 0 2\n\n0 1 4\n1 1 NaN\n\nEOD"));
  CHECK(has_lines(svg_of(log), "set cntrparam levels discrete 1,3"));
  CHECK(notes_of(log).size() == 1);
}

TEST_CASE("arrows are scaled so that they do not reach past each other") {
  const plot::Arrows arrows{
      .x = {0, 1, 0, 1}, .y = {0, 0, 1, 1}, .dx = {100, 0, 0, infinity}, .dy = {0, 50, 0, 1}};
  const std::string script = svg_of({.arrows = {arrows}, .equal_axes = true});
  CHECK(has_lines(script, "set size ratio -1"));
  CHECK(script.find("plot $arrows1_1 using 1:2:3:4 with vectors ") != std::string::npos);
  plot::Arrows plain = arrows;
  plain.scale = 0.5;
  CHECK(has_lines(svg_of({.arrows = {plain}}),
                  "$arrows1_1 << EOD\n0 0 50 0\n1 0 0 25\n0 1 0 0\nEOD"));
  plain = {.x = {0, 1, 0, 1}, .y = {0, 0, 1, 1}, .dx = {90, 0, 0, 0}, .dy = {0, 45, 0, 0}};
  CHECK(has_lines(svg_of({.arrows = {plain}}),
                  "$arrows1_1 << EOD\n0 0 0.90000000000000002 0\n1 0 0 0.45000000000000001\n"
                  "0 1 0 0\n1 1 0 0\nEOD"));
}

TEST_CASE("panels are a layout of figures") {
  const plot::Figure figure{.title = "one", .curves = {{.x = {1, 2}, .y = {1, 2}}}};
  const plot::Panels panels{.title = "All", .figures = {figure, figure, figure}};
  const std::string script = plot::script(panels, "a.svg");
  CHECK(has_lines(script, "set multiplot layout 2,2 title 'All' font ',19'\nreset"));
  CHECK(script.find("set terminal svg noenhanced size 1120,880 ") != std::string::npos);
  CHECK(script.find("\nplot $curve3_1 using") != std::string::npos);
  CHECK(script.ends_with("\nunset multiplot\n"));
}

TEST_CASE("a logarithmic axis of less than two decades has numbers at some multiples") {
  const auto script = [](double low, double high) {
    return svg_of(
        {.y = {.scale = Scale::log10, .min = low, .max = high}, .curves = {{.x = {1}, .y = {2}}}});
  };
  CHECK(has_lines(script(0.9, 60), "set ytics (1,2,5,10,20,50)"));
  CHECK(has_lines(script(0.95, 4.5), "set ytics (1,1.5,2,3,4)"));
  CHECK(has_lines(script(1.9, 4.5), "set ytics (2,3,4)"));
  CHECK(has_lines(script(0.36, 0.43), "set ytics (0.36,0.38,0.4,0.42)"));
  CHECK(script(1, 1e4).find("ytics (") == std::string::npos);
}

}  // TEST_SUITE("plot script")
