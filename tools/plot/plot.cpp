// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/tools/plot/plot.hpp"

#include <atomic>
#include <cstdio>
#include <fstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/atomic_file.hpp"
#include "ebb/tools/plot/gnuplot.hpp"
#include "ebb/tools/plot/panel.hpp"

namespace ebb::inline v0::plot {
namespace {

void write(const std::string& path, const std::string& content) {
  data::detail::AtomicFile file(path);
  file.write(content);
  file.commit();
}

/// "name.csv" for "name.svg"; "name.svg.csv" if the former is there and holds something else, such
/// as the data that the picture is about.
std::string csv_path(const std::string& path) {
  const std::string csv = path.substr(0, path.size() - 4) + ".csv";
  std::ifstream file(csv, std::ios::binary);
  if (!file) return csv;
  std::string start(detail::csv_header.size(), ' ');
  file.read(start.data(), std::streamsize(start.size()));
  return start == detail::csv_header ? csv : path + ".csv";
}

void say_once_that_gnuplot_is_missing() {
  static std::atomic<bool> was_said = false;
  if (was_said.exchange(true)) return;
  std::fputs(
      "ebb::plot: no gnuplot in the PATH (Debian: gnuplot-nox); the numbers are written as "
      "CSV in place of pictures\n",
      stderr);
}

}  // namespace

Saved save(const Panels& panels, const std::string& path, Size size) {
  const auto script = detail::make_script(panels, detail::format_of(path), size);
  if (const auto gnuplot = detail::find_gnuplot()) {
    const detail::Drawn drawn = detail::draw(*gnuplot, script.text);
    if (!drawn.error.empty()) throw FileError(path + ": gnuplot: " + drawn.error);
    if (drawn.started) {
      write(path, drawn.picture);
      return {.is_picture = true, .path = path, .notes = script.notes};
    }
  }
  const std::string target = csv_path(path);
  write(target, detail::csv(panels));
  say_once_that_gnuplot_is_missing();
  return {.is_picture = false, .path = target};
}

Saved save(const Figure& figure, const std::string& path, Size size) {
  return save(Panels{.figures = {figure}}, path, size);
}

std::string script(const Panels& panels, const std::string& path, Size size) {
  return detail::make_script(panels, detail::format_of(path), size).text;
}

std::string script(const Figure& figure, const std::string& path, Size size) {
  return script(Panels{.figures = {figure}}, path, size);
}

}  // namespace ebb::inline v0::plot
