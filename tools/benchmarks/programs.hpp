// SPDX-License-Identifier: BSD-3-Clause
// Processes that cases start, and a user's program: compiled, linked and run.
#pragma once
#include <filesystem>
#include <functional>
#include <string>

namespace bench {

/// The output of a shell command. @throws when it fails.
std::string output_of(const std::string& command);
/// A path as one word of a shell command.
std::string in_quotes(const std::filesystem::path& path);
std::filesystem::path this_program();

/// What the build of this program knows.
struct Build {
  std::filesystem::path directory = this_program().parent_path();
  std::string source, compiler, openblas;

  /// @throws outside of a build tree.
  Build();
};

/// A user's program, built by the compiler alone.
class UserProgram {
 public:
  /// `compile` and `link` are parts of a command line: options, and libraries in quotes.
  UserProgram(const std::filesystem::path& source, const std::string& name,
              const std::string& compile, const std::string& link);
  /// From ebb's public headers and the static library, with the flags that ebb's package gives.
  static UserProgram of_ebb();

  /// Seconds that the compiler takes.
  double compile() const;
  /// Compiles and links the program, and strips it. Returns its path.
  std::filesystem::path link() const;

 private:
  std::string compile_, link_;
  std::filesystem::path program_;
};

double median_of(int n, const std::function<double()>& measure);
/// Seconds from starting a program to its end. @throws when it fails.
double run_seconds(const std::filesystem::path& program);

}  // namespace bench
