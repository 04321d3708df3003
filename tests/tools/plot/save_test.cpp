// SPDX-License-Identifier: BSD-3-Clause
// Files: pictures where there is gnuplot, numbers where there is none.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tools/plot/gnuplot.hpp"
#include "ebb/tools/plot/plot.hpp"

using namespace ebb;
using test::content_of;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The environment variable PATH is another one until the end of the scope.
class Path {
 public:
  explicit Path(const std::string& path) : before_(std::getenv("PATH")) {
    setenv("PATH", path.c_str(), 1);
  }
  ~Path() { setenv("PATH", before_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string before_;
};

/// A folder with a program "gnuplot", which this shell script is.
class Fake {
 public:
  explicit Fake(const std::string& script) {
    folder_.add("gnuplot", "#!/bin/sh\n" + script + "\n");
    namespace fs = std::filesystem;
    fs::permissions(folder_.path("gnuplot"), fs::perms::owner_all);
  }
  std::string path() const { return folder_.path(""); }

 private:
  test::Folder folder_;
};

/// What f prints on stderr, in a process of its own: a line that is said once in a program does not
/// depend on other tests.
template <class F>
std::string printed_by(const F& f) {
  const test::Folder folder;
  const std::string file = folder.add("stderr", "");
  const pid_t process = fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    const int descriptor = open(file.c_str(), O_WRONLY);
    dup2(descriptor, STDERR_FILENO);
    try {
      f();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "thrown: %s\n", error.what());
    }
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  CHECK(status == 0);
  return content_of(file);
}

const char* const missing_line =
    "ebb::plot: no gnuplot in the PATH (Debian: gnuplot-nox); the numbers are written as CSV in "
    "place of pictures\n";

plot::Figure loss() {
  return {.title = "Loss of a_run <1> & {b^c} \"q\" @ é",
          .curves = {{.name = "train", .x = {1, 2}, .y = {0.1, NAN}}}};
}

}  // namespace

TEST_SUITE("plot files") {

TEST_CASE("without gnuplot the numbers are written, and one line says so") {
  const test::Folder folder;
  plot::Saved saved;
  const std::string printed = printed_by([&] {
    const Path path("");
    saved = plot::save(loss(), folder.path("loss.svg"));
    plot::save(loss(), folder.path("second.png"));
    if (saved.is_picture || saved.path != folder.path("loss.csv")) std::fputs("wrong\n", stderr);
  });
  CHECK(printed == missing_line);
  CHECK(folder.names() == std::vector<std::string>{"loss.csv", "second.csv"});
  CHECK(content_of(folder.path("loss.csv")) ==
        "panel,kind,name,category,x,y,dx,dy,value\n"
        "1,curve,train,,1,0.10000000000000001,,,\n"
        "1,curve,train,,2,nan,,,\n");
}

TEST_CASE("a gnuplot that cannot be run counts as none") {
  const test::Folder folder;
  folder.add("gnuplot", "not a program");
  const auto save = [&] {
    const Path path(folder.path(""));
    plot::save(loss(), folder.path("loss.svg"));
  };
  CHECK(printed_by(save) == missing_line);
  std::filesystem::permissions(folder.path("gnuplot"), std::filesystem::perms::owner_all);
  CHECK(printed_by(save) == missing_line);
  CHECK(folder.names() == std::vector<std::string>{"gnuplot", "loss.csv"});
}

TEST_CASE("a program in the current folder is not run") {
  const Fake fake("exec /bin/cat");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(fake.path());
  {
    const Path path(":");
    CHECK(!plot::detail::find_gnuplot());
  }
  std::filesystem::current_path(before);
}

TEST_CASE("no number of any kind is lost") {
  const test::Folder folder;
  const plot::Figure first{
      .heat = {.values = {{1, infinity}}},
      .contours = {.x = {0, 1}, .y = {5, 6}, .values = {{1, 2}, {3, 4}}},
      .histogram = {.series = {{.name = "h", .values = {7, -infinity}}}},
      .bars = {.categories = {"a, \"b\""}, .series = {{.name = "s", .values = {8}}}},
      .arrows = {{.name = "g", .x = {1}, .y = {2}, .dx = {3}, .dy = {4}}}};
  printed_by([&] {
    const Path path("");
    plot::save(plot::Panels{.figures = {first, loss()}}, folder.path("all.png"));
  });
  CHECK(content_of(folder.path("all.csv")) ==
        "panel,kind,name,category,x,y,dx,dy,value\n"
        "1,heat,,,0,0,,,1\n"
        "1,heat,,,1,0,,,inf\n"
        "1,contours,,,0,5,,,1\n"
        "1,contours,,,1,5,,,2\n"
        "1,contours,,,0,6,,,3\n"
        "1,contours,,,1,6,,,4\n"
        "1,histogram,h,,7,,,,\n"
        "1,histogram,h,,-inf,,,,\n"
        "1,bar,s,\"a, \"\"b\"\"\",0,8,,,\n"
        "1,arrow,g,,1,2,3,4,\n"
        "2,curve,train,,1,0.10000000000000001,,,\n"
        "2,curve,train,,2,nan,,,\n");
}

TEST_CASE("a table that holds other numbers is not replaced") {
  const test::Folder folder;
  folder.add("iris.csv", "petal,sepal\n1,2\n");
  printed_by([&] {
    const Path path("");
    plot::save(loss(), folder.path("iris.svg"));
    plot::save(loss(), folder.path("iris.svg"));
  });
  CHECK(folder.names() == std::vector<std::string>{"iris.csv", "iris.svg.csv"});
  CHECK(content_of(folder.path("iris.csv")) == "petal,sepal\n1,2\n");
}

TEST_CASE("gnuplot gets the script on its standard input, and its output is the picture") {
  const test::Folder folder;
  const Fake fake("[ \"$*\" = -d ] && exec /bin/cat");
  const Path path("/nowhere:" + fake.path());
  const std::string target = folder.path("loss.svg");
  const plot::Saved saved = plot::save(loss(), target);
  CHECK(saved.is_picture);
  CHECK(saved.path == target);
  CHECK(content_of(target) == plot::script(loss(), target));
  const auto notes =
      plot::save({.curves = {{.x = {1, 2}, .y = {1, infinity}}}}, folder.path("b.svg")).notes;
  CHECK(notes.size() == 1);
}

TEST_CASE("gnuplot's message is the error, and the old picture stays") {
  const test::Folder folder;
  const std::string target = folder.add("loss.svg", "old");
  const auto error = [&](const std::string& script) {
    const Fake fake(script);
    const Path path(fake.path());
    return test::message_of<FileError>([&] { plot::save(loss(), target); });
  };
  CHECK(
      error(
          "echo half; printf '\\n         ^\\n         line 3: undefined variable: a\\n\\nmore\\n'"
          " >&2; exit 1") == target + ": gnuplot: line 3: undefined variable: a");
  CHECK(error("echo something >&2; exit 1") == target + ": gnuplot: something");
  CHECK(error("exit 3") == target + ": gnuplot: it ended with status 3");
  CHECK(error("exit 0") == target + ": gnuplot: it ended with status 0");
  CHECK(error("kill -9 $$") == target + ": gnuplot: it ended with status 137");
  CHECK(content_of(target) == "old");
  CHECK(folder.names() == std::vector<std::string>{"loss.svg"});
}

TEST_CASE("a file that cannot be written whole is not there") {
  const test::Folder folder;
  {
    const Path path("");
    const test::FileLimit limit(20);
    CHECK(test::message_of<FileError>([&] {
            plot::save(loss(), folder.path("a.svg"));
          }).starts_with(folder.path("a.csv") + ": "));
  }
  CHECK(folder.names().empty());
  const Fake fake("exec /bin/cat");
  const Path path(fake.path());
  CHECK(test::message_of<FileError>([&] {
          plot::save(loss(), folder.path("no/a.svg"));
        }).starts_with(folder.path("no/a.svg") + ": "));
}

TEST_CASE("gnuplot draws every kind of picture") {
  if (!plot::detail::find_gnuplot()) {
    MESSAGE("left out: there is no gnuplot");
    return;
  }
  using plot::Scale;
  const test::Folder folder;
  const std::string svg = folder.path("a.svg"), png = folder.path("a.png");
  REQUIRE(plot::save(loss(), svg).is_picture);
  CHECK(content_of(svg).find(">Loss of a_run &lt;1> &amp; {b^c} \"q\" @ é<") != std::string::npos);
  CHECK(content_of(svg).find(">train<") != std::string::npos);
  REQUIRE(plot::save(loss(), png).is_picture);
  CHECK(content_of(png).starts_with("\x89PNG\r\n"));
  CHECK(content_of(png).size() > 5000);

  const plot::Axis log{.scale = Scale::log10};
  const plot::Matrix hill = {{1, 1, 1}, {1, 3, 1}, {1, 1, 1}};
  const plot::Figure figures[] = {
      {.bars = {.categories = {"50% a_b", "c"}, .series = {{.values = {1, -2}}}}},
      {.y = log, .bars = {.categories = {"a"}, .series = {{.values = {1}}, {.values = {0}}}}},
      {.histogram = {.series = {{.values = {1, 2, 2, 3}}, {.values = {NAN}}}}},
      {.x = log, .y = log, .histogram = {.series = {{.values = {1, 2, 20, 300}}}}},
      {.histogram = {.series = {{.values = {3, 3}}}}},
      {.heat = {.values = hill}},
      {.heat = {.values = {{NAN}}}},
      {.heat = {.values = {{2}}}},
      {.contours = {.x = {0, 1, 2}, .y = {0, 1, 2}, .values = hill}},
      {.contours = {.x = {0, 1, 2}, .y = {0, 1, 2}, .values = hill, .levels = {3}}},
      {.contours = {.x = {0, 1}, .y = {0, 1}, .values = {{1, 1}, {1, 1}}}},
      {.contours = {.x = {0, 1}, .y = {0, 1}, .values = {{1, NAN}, {NAN, 2}}}},
      {.heat = {.x = {0, 1, 2}, .y = {0, 1, 2}, .values = hill},
       .contours = {.x = {0, 1, 2}, .y = {0, 1, 2}, .values = hill, .scale = Scale::log10},
       .curves = {{.x = {0, 1}, .y = {0, 1}}, {.x = {NAN}, .y = {1}}}},
      {.arrows = {{.x = {0}, .y = {0}, .dx = {0}, .dy = {0}}}, .equal_axes = true},
      {.y = log, .curves = {{.name = "none", .x = {1}, .y = {-1}}}},
      {.curves = {{.x = {1, 2}, .y = {-1e308, 1e308}}, {.x = {1, 2}, .y = {1, 1 + 1e-15}}}},
  };
  for (const plot::Figure& figure : figures) {
    CAPTURE(plot::script(figure, svg));
    CHECK(plot::save(figure, svg).is_picture);
    CHECK(content_of(svg).ends_with("</svg>\n\n"));
  }
  const plot::Panels panels{.title = "T", .figures = {std::begin(figures), std::end(figures)}};
  CHECK(plot::save(panels, png).is_picture);
}

}  // TEST_SUITE("plot files")
