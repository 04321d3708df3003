// SPDX-License-Identifier: BSD-3-Clause
// Bars and histograms.
#include <algorithm>
#include <cmath>

#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot::detail {
namespace {

/// All numbers that have a place on the axis, sorted.
std::vector<double> placed_numbers(Panel& panel, const Histogram& histogram) {
  std::vector<double> all;
  for (std::size_t k = 0; k < histogram.series.size(); ++k) {
    const Series& series = histogram.series[k];
    std::size_t left_out = 0;
    for (const double x : series.values) {
      if (has_place(x, panel.figure.x.scale)) {
        all.push_back(x);
      } else {
        left_out += !std::isnan(x);
      }
    }
    panel.leave_out(part_name("histogram", series.name, k), left_out, series.values.size(),
                    "numbers");
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// D. Freedman, P. Diaconis: On the histogram as a density estimator: L2 theory (1981): a width of
/// twice the interquartile range over the cube root of the count.
std::int64_t chosen_bins(const std::vector<double>& sorted) {
  const std::size_t n = sorted.size();
  const double width = 2 * (sorted[3 * n / 4] - sorted[n / 4]) / std::cbrt(double(n));
  const double bins = std::ceil((sorted.back() - sorted.front()) / width);
  return bins >= 5 ? std::int64_t(std::min(bins, 60.0)) : 5;
}

/// The ends of the intervals: of numbers, or of logarithms.
std::vector<double> interval_ends(std::vector<double> sorted, std::int64_t bins, Scale scale) {
  if (scale == Scale::log10) {
    for (double& x : sorted) x = std::log10(x);
  }
  if (bins == 0) bins = chosen_bins(sorted);
  double low = sorted.front(), high = sorted.back();
  if (low == high) {
    const double half = std::max(0.5, std::abs(low) * 1e-6);
    low -= half;
    high += half;
    bins = 1;
  }
  std::vector<double> ends;
  for (std::int64_t i = 0; i <= bins; ++i) {
    const double part = double(i) / double(bins), end = low * (1 - part) + high * part;
    ends.push_back(scale == Scale::log10 ? std::pow(10, end) : end);
  }
  return ends;
}

std::vector<std::int64_t> counts_of(const Numbers& numbers, const std::vector<double>& ends,
                                    Scale scale) {
  std::vector<std::int64_t> counts(ends.size() - 1);
  for (const double x : numbers) {
    if (!has_place(x, scale)) continue;
    // The last interval has both of its ends, and rounding may put an end beside its number.
    const auto behind = std::upper_bound(ends.begin(), ends.end(), x) - ends.begin();
    ++counts[std::size_t(std::clamp<std::int64_t>(behind - 1, 0, std::int64_t(counts.size()) - 1))];
  }
  return counts;
}

/// Where the count 0 is drawn.
double foot_of(const Panel& panel) { return panel.figure.y.scale == Scale::log10 ? 0.5 : 0; }

void add_boxes(Panel& panel, const std::vector<double>& ends,
               const std::vector<std::int64_t>& counts) {
  const std::string block = panel.block("histogram", 0), foot = digits(foot_of(panel));
  panel.open(block);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    panel.data += digits(ends[i]) + " " + digits(ends[i + 1]) + " " + foot + " " +
                  std::to_string(counts[i]) + "\n";
  }
  panel.close();
  // From corner to corner, which is right on a logarithmic axis, too.
  panel.plots.push_back(block + " using 1:3:1:2:3:4 with boxxyerror " + fill_style(0, 1) +
                        panel.title(panel.figure.histogram.series[0].name));
}

/// The outline of the boxes of one series of several.
void add_stairs(Panel& panel, const std::vector<double>& ends,
                const std::vector<std::int64_t>& counts, std::size_t index) {
  const std::string block = panel.block("histogram", index);
  const double foot = foot_of(panel);
  panel.open(block);
  panel.data += digits(ends.front()) + " " + digits(foot) + "\n";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::string y = digits(std::max(foot, double(counts[i])));
    panel.data += digits(ends[i]) + " " + y + "\n" + digits(ends[i + 1]) + " " + y + "\n";
  }
  panel.data += digits(ends.back()) + " " + digits(foot) + "\n";
  panel.close();
  panel.plots.push_back(block + " using 1:2 with lines " + line_style(index, Marker::no) +
                        panel.title(panel.figure.histogram.series[index].name));
}

}  // namespace

void add_bars(Panel& panel) {
  const Bars& bars = panel.figure.bars;
  if (bars.series.empty()) return;
  const Scale scale = panel.figure.y.scale;
  const std::size_t count = bars.series.size();
  const double width = 0.8 / double(count);
  for (std::size_t k = 0; k < count; ++k) {
    const Series& series = bars.series[k];
    const std::string block = panel.block("bars", k);
    std::size_t left_out = 0, shown = 0;
    panel.open(block);
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      const double y = series.values[i];
      if (std::isnan(y)) continue;
      if (!has_place(y, scale)) {
        ++left_out;
        continue;
      }
      ++shown;
      const double x = double(i) + (double(k) - double(count - 1) / 2) * width;
      panel.data += digits(x) + " " + digits(y) + " " + digits(width) + "\n";
      panel.y.add(y);
      if (scale == Scale::log10) panel.y.add(y / 2);
    }
    panel.close();
    panel.leave_out(part_name("bars", series.name, k), left_out, series.values.size(), "numbers");
    panel.plots.push_back((shown ? block + " using 1:2:3" : "NaN") + " with boxes " +
                          fill_style(k, count) + panel.title(series.name));
  }
  if (scale == Scale::linear) panel.y.add(0);
  panel.stands_on_foot = true;
  std::vector<double> at;
  for (std::size_t i = 0; i < bars.categories.size(); ++i) at.push_back(double(i));
  panel.settings += "set xrange [-0.6:" + digits(double(at.size()) - 0.4) + "]\n" +
                    name_tics("x", bars.categories, at) + "set xtics scale 0\nset grid noxtics\n";
}

void add_histogram(Panel& panel) {
  const Histogram& histogram = panel.figure.histogram;
  if (histogram.series.empty()) return;
  const Scale scale = panel.figure.x.scale;
  const std::vector<double> numbers = placed_numbers(panel, histogram);
  if (numbers.empty()) {
    panel.notes.push_back(panel.prefix + "histogram: none of its numbers can be drawn");
    return;
  }
  const std::vector<double> ends = interval_ends(numbers, histogram.bins, scale);
  for (std::size_t k = 0; k < histogram.series.size(); ++k) {
    const auto counts = counts_of(histogram.series[k].values, ends, scale);
    for (const std::int64_t count : counts) {
      panel.y.add(std::max(foot_of(panel), double(count)));
    }
    if (histogram.series.size() == 1) {
      add_boxes(panel, ends, counts);
    } else {
      add_stairs(panel, ends, counts, k);
    }
  }
  panel.x.add(ends.front());
  panel.x.add(ends.back());
  panel.y.add(foot_of(panel));
  panel.stands_on_foot = true;
}

}  // namespace ebb::inline v0::plot::detail
