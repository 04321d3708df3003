// SPDX-License-Identifier: BSD-3-Clause
// Prints the table of operations, as Markdown: what a reader finds in the public lists, in the
// table of docs/kinks.md and in the registry, side by side. See tools/ops, which builds this.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>

#include "ebb/autodiff/registry.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace {

std::string contents(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw ebb::FileError("cannot read " + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Without blanks at the ends, and with one in the place of several.
std::string trimmed(const std::string& text) {
  static const std::regex blanks("\\s+"), ends("^ | $");
  return std::regex_replace(std::regex_replace(text, blanks, " "), ends, "");
}

/// The parts of a text between separators that stand in no bracket.
std::vector<std::string> split_outside(const std::string& text, const std::string& separators) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' || c == '[' || c == '{' || c == '<';
    depth -= c == ')' || c == ']' || c == '}' || c == '>';
    if (depth == 0 && separators.find(c) != std::string::npos) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

/// One operation of the public lists.
struct Listed {
  std::string name;                ///< in the registry, if it is there
  std::vector<std::string> calls;  ///< with the names of the arguments and their defaults
  std::string comment;
  std::string section;  ///< the plain comment that stands above it and others
};

/// "double p = 2" is "p = 2", "const Operand<T>& x" is "x".
std::string argument_of(const std::string& parameter) {
  std::string declared = trimmed(parameter), value;
  if (const auto equals = declared.find(" = "); equals != std::string::npos) {
    value = declared.substr(equals);
    declared.resize(equals);
  }
  return declared.substr(declared.find_last_of(" &") + 1).append(value == " = {}" ? "" : value);
}

/// The name in the registry, and the call, of what is declared as name(parameters).
std::pair<std::string, std::string> call_of(const std::string& name,
                                            const std::string& parameters) {
  std::vector<std::string> arguments;
  for (const auto& part : split_outside(parameters, ",")) arguments.push_back(argument_of(part));
  if (name.rfind("operator", 0) == 0) {
    const std::string symbol = name.substr(8);
    if (arguments.size() == 1) return {"neg", symbol + arguments[0]};
    static const std::map<std::string, std::string> registered = {
        {"+", "add"}, {"-", "sub"}, {"*", "mul"}, {"/", "div"}};
    const auto found = registered.find(symbol);
    return {found == registered.end() ? symbol : found->second,
            arguments[0] + " " + symbol + " " + arguments[1]};
  }
  std::string call = name + "(";
  for (std::size_t i = 0; i < arguments.size(); ++i) call += (i ? ", " : "") + arguments[i];
  return {name, call + ")"};
}

/// The operations of a public header, in order. A comment is for all declarations that follow it: a
/// structure of options may stand between. A plain comment is for a section.
void read_list(const std::string& header, std::vector<Listed>& list) {
  static const std::regex declaration(
      "EBB_API +([A-Za-z_0-9:<>]+) +(operator[-+*/<>=!]+|[a-z_0-9]+)\\((.*)\\);");
  std::string comment, section, pending;
  bool open = false, open_section = false;  // the last comment goes on
  std::istringstream lines(contents(header));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("///", 0) == 0) {
      if (!open) comment.clear();
      comment += line.substr(3);
      open = true;
      open_section = false;
      continue;
    }
    open = false;
    const bool plain = line.rfind("// ", 0) == 0;
    if (plain && line.rfind("// clang-format", 0) != 0) {
      if (!open_section) section.clear();
      section += line.substr(2);
    }
    open_section = plain;
    if (line.find("EBB_API") != std::string::npos) {
      pending = line;
    } else if (!pending.empty()) {
      pending += line;
    }
    std::smatch match;
    if (pending.empty() || pending.find(';') == std::string::npos) continue;
    const std::string text = trimmed(std::exchange(pending, {}));
    if (!std::regex_search(text, match, declaration)) continue;
    auto [name, call] = call_of(match[2], match[3]);
    if (match[1] == "Tensor<To>" || match[1] == "Array<To>") call.insert(name.size(), "<To>");
    // The same operation on labels has no row of its own.
    auto row = std::find_if(list.begin(), list.end(),
                            [&name = name](const Listed& l) { return l.name == name; });
    if (row == list.end()) {
      row = list.insert(row, {name, {}, trimmed(comment), trimmed(section)});
    }
    auto& calls = row->calls;
    if (std::find(calls.begin(), calls.end(), call) == calls.end()) calls.push_back(call);
  }
}

/// Where an operation has a kink and which slope it has there: rows of docs/kinks.md.
std::map<std::string, std::string> read_kinks(const std::string& path) {
  std::map<std::string, std::string> kinks;
  const std::string text = contents(path);
  static const std::regex row("\\n\\| (`[^|]*) \\| ([^|]*) \\| ([^|]*) \\|"), name("`([a-z_0-9]+)");
  const auto begin = text.begin() + std::ptrdiff_t(text.find("| operation | at | slope |"));
  for (std::sregex_iterator i(begin, text.end(), row), end; i != end; ++i) {
    const std::string names = (*i)[1], at = (*i)[2], slope = (*i)[3];
    for (std::sregex_iterator n(names.begin(), names.end(), name); n != end; ++n) {
      kinks[(*n)[1]] = at + ": " + slope;
    }
  }
  return kinks;
}

/// Divides a comment into the meaning of an operation, and its difference from PyTorch, which comes
/// last, after the tag @pytorch.
std::pair<std::string, std::string> meaning_of(const std::string& comment) {
  static const std::string mark = "@pytorch ";
  static const std::regex end("([^.])\\.$");  // an ellipsis stays
  const auto at = comment.find(mark);
  const auto tidy = [&](const std::string& text) {
    return std::regex_replace(trimmed(text), end, "$1");
  };
  if (at == std::string::npos) return {tidy(comment), ""};
  return {tidy(comment.substr(0, at)), tidy(comment.substr(at + mark.size()))};
}

/// A text with a capital at its start.
std::string in_capitals(std::string text) {
  if (!text.empty()) text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// A cell of the table, where bars are no borders.
std::string cell(const std::string& text) {
  static const std::regex bar("\\|"), angle("<");
  return std::regex_replace(std::regex_replace(text, bar, "\\|"), angle, "&lt;");
}

constexpr const char* introduction =
    R"(# The operations

Printed by `tools/ops` from [ops.hpp](../autodiff/ops.hpp), [masks.hpp](../autodiff/operations/masks.hpp),
[reductions.hpp](../autodiff/operations/reductions.hpp),
[linear_algebra.hpp](../autodiff/operations/linear_algebra.hpp), [sparse.hpp](../autodiff/operations/sparse.hpp),
[losses.hpp](../autodiff/operations/losses.hpp), [networks.hpp](../autodiff/operations/networks.hpp),
the table of [slopes at kinks](kinks.md) and the registry of the library.

Arguments and results are PyTorch's if it has the operation; the last column says how PyTorch
differs, and what to write here. All operations have this in common: they take and return `float`
and `double`, never mixed, where PyTorch has further types and converts (here `cast` shows where
that happens); they change nothing in place and have no `out`, so that the records of a tape stay
valid; arrays have at most six axes, which need no separate memory; an axis is called `axis`, which
PyTorch calls `dim`.

| operation | call | meaning | slope at kinks | derivatives | PyTorch |
|---|---|---|---|---|---|
)";

void print_table(const std::string& source) {
  std::vector<Listed> list;
  for (const char* header :
       {"ops", "operations/masks", "operations/reductions", "operations/linear_algebra",
        "operations/sparse", "operations/losses", "operations/networks"}) {
    read_list(source + "/autodiff/" + header + ".hpp", list);
  }
  const auto kinks = read_kinks(source + "/docs/kinks.md");
  std::map<std::string, ebb::RegistryEntry> registered;
  for (auto& entry : ebb::registry()) registered.emplace(entry.name, std::move(entry));
  for (const auto& [name, slope] : kinks) {
    const auto is = [&name = name](const Listed& operation) { return operation.name == name; };
    if (std::any_of(list.begin(), list.end(), is)) continue;
    throw ebb::ArgumentError("docs/kinks.md gives a slope at a kink of " + name +
                             ", which is no operation");
  }
  std::printf("%s", introduction);
  for (const auto& operation : list) {
    std::string calls;
    for (const auto& call : operation.calls) calls += (calls.empty() ? "`" : "<br>`") + call + "`";
    auto [meaning, pytorch] = meaning_of(operation.comment);
    const std::string common = meaning_of(operation.section).second;
    if (!common.empty() && pytorch.rfind("has no ", 0) != 0)
      pytorch += (pytorch.empty() ? "" : ". ") + in_capitals(common);
    const auto entry = registered.find(operation.name == "select" ? "where" : operation.name);
    const char* derivatives = entry == registered.end()  ? "not differentiable"
                              : entry->second.zero_slope ? "slope zero"
                                                         : "checked at orders 1 and 2";
    const auto kink = kinks.find(operation.name);
    std::printf("| %s | %s | %s | %s | %s | %s |\n", cell(operation.name).c_str(), calls.c_str(),
                cell(meaning).c_str(), kink == kinks.end() ? "" : cell(kink->second).c_str(),
                derivatives, cell(in_capitals(pytorch)).c_str());
  }
}

/// The operations that the table must have: name, and whether it has kinks.
void print_names() {
  for (const auto& entry : ebb::registry()) {
    if (entry.internal) continue;
    std::printf("%s%s\n", std::string(entry.name).c_str(), entry.has_kinks ? " kinks" : "");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::string source = EBB_SOURCE_DIR;
  bool names = false;
  CLI::App app("Prints the table of operations, as Markdown.");
  app.add_option("--source", source, "The root of the sources");
  app.add_flag("--names", names, "Print the names of the registry instead");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (names) {
    print_names();
  } else {
    print_table(source);
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "ops: %s\n", e.what());
  return 2;
}
