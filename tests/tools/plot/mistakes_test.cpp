// SPDX-License-Identifier: BSD-3-Clause
// What is refused, and how.
#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tools/plot/plot.hpp"

using namespace ebb;
using plot::Figure;

namespace {

template <class E>
std::string refusal(const Figure& figure) {
  return test::message_of<E>([&] { plot::script(figure, "a.svg"); });
}

const plot::Curve line{.x = {1, 2}, .y = {1, 2}};

}  // namespace

TEST_SUITE("plot mistakes") {

TEST_CASE("an empty curve and unequal lengths name the curve and the lengths") {
  CHECK(refusal<ArgumentError>({.curves = {{.name = "train"}}}) ==
        "plot: curve \"train\" is empty: x has 0, y has 0 numbers");
  CHECK(refusal<ShapeError>({.curves = {line, {.x = {1, 2, 3}, .y = {1, 2}}}}) ==
        "plot: curve 2: x has 3, y has 2 numbers; give equally many");
  const plot::Panels panels{.figures = {{.curves = {line}}, {.curves = {{.name = "a"}}}}};
  CHECK(test::message_of<ArgumentError>([&] { plot::script(panels, "a.svg"); }) ==
        "plot: panel 2, curve \"a\" is empty: x has 0, y has 0 numbers");
}

TEST_CASE("a figure shows something") {
  CHECK(refusal<ArgumentError>({.title = "a"}) ==
        "plot: there is nothing to draw; give curves, bars, a histogram, a heat map, contours or "
        "arrows");
  CHECK(test::message_of<ArgumentError>([] { plot::script(plot::Panels{}, "a.svg"); }) ==
        "plot: there are no figures; give at least one");
}

TEST_CASE("the ending of the name says what picture it is") {
  CHECK(test::message_of<ArgumentError>([] { plot::script({.curves = {line}}, "a.pdf"); }) ==
        "plot: \"a.pdf\" must end in .svg or .png");
  CHECK(test::message_of<ArgumentError>([] { plot::save({.curves = {line}}, ".svg"); }) ==
        "plot: \".svg\" must end in .svg or .png");
}

TEST_CASE("the ends of an axis are in order and on it") {
  CHECK(refusal<ArgumentError>({.x = {.min = 2, .max = 2}, .curves = {line}}) ==
        "plot: the x axis goes from 2 to 2; give min < max");
  CHECK(refusal<ArgumentError>({.y = {.scale = plot::Scale::log10, .min = 0}, .curves = {line}}) ==
        "plot: the y axis cannot end at 0; give a finite number, and a positive one on a "
        "logarithmic axis");
}

TEST_CASE("texts are UTF-8") {
  CHECK(
      refusal<ArgumentError>({.title = "\xff", .curves = {line}}).starts_with("plot: the title "));
}

TEST_CASE("bars have a number for each category") {
  CHECK(refusal<ShapeError>(
            {.bars = {.categories = {"a", "b"}, .series = {{.name = "s", .values = {1}}}}}) ==
        "plot: bars \"s\": values has 1, categories has 2 numbers; give equally many");
  CHECK(refusal<ArgumentError>({.bars = {.categories = {"a"}}}) ==
        "plot: bars: there are 1 categories and no series; give a series");
}

TEST_CASE("a histogram has numbers") {
  CHECK(refusal<ArgumentError>({.histogram = {.series = {{.name = "s"}}}}) ==
        "plot: histogram \"s\" is empty: values has 0 numbers");
  CHECK(refusal<ArgumentError>({.histogram = {.series = {{.values = {1}}}, .bins = -1}}) ==
        "plot: histogram: -1 bins; give a number up to 100000, or 0 for a choice by itself");
}

TEST_CASE("the positions of a matrix fit it and increase") {
  CHECK(refusal<ShapeError>({.heat = {.x = {1, 2, 3}, .values = {{1, 2}}}}) ==
        "plot: heat map: x has 3 numbers and values has 2 columns; give one for each");
  CHECK(refusal<ArgumentError>({.heat = {.y = {2, 1}, .values = {{1, 2}, {3, 4}}}}) ==
        "plot: heat map: y[1] is 1; the positions must be finite and increase, and be positive on "
        "a logarithmic axis");
  CHECK(refusal<ShapeError>({.heat = {.values = {{1, 2}}, .row_names = {"a", "b"}}}) ==
        "plot: heat map: row_names has 2 names for 1; give one for each");
  CHECK(refusal<ShapeError>({.contours = {.x = {1, 2}, .y = {1}, .values = {{1, 2}}}}) ==
        "plot: contours: values has 1 rows and 2 columns; give at least 2 of both");
  CHECK(refusal<ArgumentError>({.contours = {.x = {1, 2}, .y = {1, 2}}}) ==
        "plot: contours: values is empty");
}

TEST_CASE("a matrix has two axes and rows of one length") {
  CHECK(test::message_of<ShapeError>([] {
          plot::Matrix(Array<double>::of({1, 2}));
        }) == "plot: a matrix must have 2 axes, not 1; reshape it");
  CHECK(test::message_of<ShapeError>([] {
          plot::Matrix({{1, 2}, {3}});
        }) == "plot: the rows of a matrix have 2 and 1 numbers; make them equally long");
}

TEST_CASE("arrows have four lists of one length") {
  CHECK(refusal<ShapeError>(
            {.arrows = {{.name = "g", .x = {1}, .y = {1}, .dx = {1, 2}, .dy = {1}}}}) ==
        "plot: arrows \"g\": x has 1, y has 1, dx has 2, dy has 1 numbers; give equally many");
}

}  // TEST_SUITE("plot mistakes")
