// SPDX-License-Identifier: BSD-3-Clause
// Breaks each derivative of the library in turn and runs the samples of its operation on it: the
// checks must see every error. See tools/mutate, which builds this.
#include "ebb/autodiff/engine/mutant.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "ebb/autodiff/engine/map.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/registry.hpp"
#include "ebb/autodiff/values/error.hpp"

using namespace ebb;

namespace {

/// What a record's input gets in the place of its part of the gradient.
enum class Kind { sign, factor, reversed, transposed, first, rest, last, cut };
constexpr std::pair<Kind, const char*> kinds[] = {{Kind::sign, "the sign"},
                                                  {Kind::factor, "a factor of 1.001"},
                                                  {Kind::reversed, "reversed"},
                                                  {Kind::transposed, "square matrices transposed"},
                                                  {Kind::first, "without one half"},
                                                  {Kind::rest, "without the other half"},
                                                  {Kind::last, "1.001 of one element"},
                                                  {Kind::cut, "not recorded"}};

/// A derivative with an error in it: of what a record gives to an input, or a term of a formula.
struct Mutant {
  std::string op;
  std::string mutation;
  std::vector<std::size_t> entries;  ///< of the registry, whose samples must see it
  const detail::Op* record = nullptr;
  int input = 0;
  Kind kind = Kind::sign;
  int term = 0;
};

/// Mutants that compute the right derivative all the same.
struct Equivalent {
  std::string_view op;
  std::string_view mutation;  ///< how its description begins
  std::string_view reason;
};
constexpr std::string_view piecewise =
    "the slope depends on it by a choice alone: nothing goes back";
constexpr std::string_view linear = "the formula is linear: its slopes depend on no input";
constexpr std::string_view symmetric = "the operation reads the symmetric part alone";
constexpr Equivalent equivalents[] = {
    {"abs", "slope, input 1:", piecewise},
    {"clamp", "slope, input 1:", piecewise},
    {"relu", "slope, input 1:", piecewise},
    {"xlogy", "slope in a, input 1:", piecewise},
    {"maximum", "slope in a, input 1:", piecewise},
    {"maximum", "slope in a, input 2:", piecewise},
    {"maximum", "slope in b, input 1:", piecewise},
    {"maximum", "slope in b, input 2:", piecewise},
    {"minimum", "slope in a, input 1:", piecewise},
    {"minimum", "slope in a, input 2:", piecewise},
    {"minimum", "slope in b, input 1:", piecewise},
    {"minimum", "slope in b, input 2:", piecewise},
    {"leaky_relu", "fuse_pull, input 1:", piecewise},
    {"relu6", "fuse_pull, input 1:", piecewise},
    {"hardsigmoid", "fuse_pull, input 1:", piecewise},
    {"clamp_min", "fuse_pull, input 1:", piecewise},
    {"clamp_max", "fuse_pull, input 1:", piecewise},
    {"hardtanh", "slope, input 1:", piecewise},
    {"l1_loss", "fuse_pull, input 1:", piecewise},
    {"l1_loss", "fuse_pull, input 2:", piecewise},
    {"quantile_loss", "fuse_pull, input 1:", piecewise},
    {"quantile_loss", "fuse_pull, input 2:", piecewise},
    {"quantile", "fuse_pull, input 1:", linear},
    {"quantile", "fuse_pull, input 2:", linear},
    {"matrix_exp", "fuse_pull, input 1:", linear},
    {"matrix_exp", "fuse_pull, input 2:", linear},
    {"matrix_exp", "fuse_pull, input 3:", linear},
    {"cholesky", "input 0: square matrices transposed", symmetric},
    {"eigh", "input 0: square matrices transposed", symmetric},
};

// The mutant in force, as the sweep asks for it.
const detail::Op* broken_op = nullptr;
int broken_input = 0;
Kind broken_kind = Kind::sign;
bool struck = false;  // whether any sweep came there
/// What the sweeps came by: operations and the inputs of theirs that are on the tape.
std::set<std::pair<const detail::Op*, int>>* seen = nullptr;

int input_to_break(const detail::Record& record) {
  const bool many = record.op->many_inputs;
  const int inputs = many ? int(detail::many_inputs_of(record).size()) : 3;
  for (int k = 0; seen && k < inputs; ++k) {
    const detail::Argument input =
        many ? detail::many_inputs_of(record)[std::size_t(k)] : record.input(k);
    if (input.is_recorded()) seen->emplace(record.op, k);
  }
  return record.op == broken_op && broken_input < inputs ? broken_input : -1;
}

/// Whether the last two axes are of one size, more than 1.
bool is_square(const Shape& shape) {
  const int rank = shape.rank();
  return rank >= 2 && shape[rank - 1] == shape[rank - 2] && shape[rank - 1] > 1;
}

template <Real T>
Tensor<T> transposed(const Tensor<T>& x) {
  const Shape shape = x.shape();
  const std::int64_t n = shape[shape.rank() - 1];
  return reshape(transpose(reshape(x, {x.size() / (n * n), n, n}), {0, 2, 1}), shape);
}

/// Times a factor from element `begin` to `end`, and 1 elsewhere.
template <Real T>
Tensor<T> scaled(const Tensor<T>& x, double factor, std::int64_t begin, std::int64_t end) {
  auto factors = Array<T>::full(x.shape(), 1);
  std::fill(factors.mutate() + begin, factors.mutate() + end, T(factor));
  return x * factors;
}

/// What the mutant in force makes of a part of a gradient.
template <Real T>
Tensor<T> broken(const Tensor<T>& part) {
  const std::int64_t size = part.size(), half = size / 2;
  if (size == 0) return part;
  if (broken_kind == Kind::transposed && !is_square(part.shape())) return part;
  if (size == 1 && (broken_kind == Kind::reversed || broken_kind == Kind::first)) return part;
  struck = true;
  switch (broken_kind) {
    case Kind::sign:
      return -part;
    case Kind::factor:
      return 1.001 * part;
    case Kind::reversed:
      return reshape(flip(reshape(part, {size}), {0}), part.shape());
    case Kind::transposed:
      return transposed(part);
    case Kind::first:
      return scaled(part, 0, 0, half);
    case Kind::rest:
      return scaled(part, 0, half, size);
    case Kind::last:
      return scaled(part, 1.001, size - 1, size);
    case Kind::cut:
      return part.detach();
  }
  return part;
}

/// How a record of an entry, and its input k, are called in the report. The gradient of an
/// elementwise operation is an operation of its own, whose first input is the upstream gradient.
std::string title_of(const RegistryEntry& entry, const detail::Op& op, int k) {
  std::ostringstream title;
  if (op.vjp == &detail::vjp_pull<double>) {
    const int side = static_cast<const detail::PullOp<double>&>(op).side;
    title << "slope" << (side < 0 ? "" : side == 0 ? " in a" : " in b") << ", ";
  } else if (op.name != entry.name) {
    title << op.name << ", ";
  }
  title << "input " << k << ": ";
  return title.str();
}

/// The check of the registry test, with its tolerance; a NaN agrees with nothing.
bool third_derivatives_agree(const op::Sample& sample) {
  for (std::size_t k = 0; k < sample.inputs.size(); ++k) {
    for (const auto& [a, b] : third_derivatives(sample, k)) {
      for (std::int64_t i = 0; i < a.size(); ++i) {
        if (!(std::abs(a[i] - b[i]) <= 1e-9 + 1e-11 * std::abs(b[i]))) return false;
      }
    }
  }
  return true;
}

/// The mutants, and the samples that must see them.
class Proof {
 public:
  /// The mutants of all operations, or of those named. @throws Error for a check that fails
  /// without any, or for a name that no operation has.
  Proof(const std::set<std::string>& wanted, const std::string& terms) : registry_(registry()) {
    detail::mutant.input_to_break = &input_to_break;
    detail::mutant.broken_double = &broken<double>;
    detail::mutant.broken_float = &broken<float>;
    std::set<std::string_view> names;
    for (const auto& entry : registry_) names.insert(entry.name);
    for (const auto& name : wanted) {
      if (!names.count(name)) throw ArgumentError("no operation is called " + name);
    }
    for (std::size_t i = 0; i < registry_.size(); ++i) {
      if (wanted.empty() || wanted.count(std::string(registry_[i].name))) add_records(i, names);
    }
    add_terms(terms, wanted);
  }

  const std::vector<Mutant>& mutants() const { return mutants_; }
  int operations() const { return operations_; }
  int composed() const { return composed_; }
  int without_term() const { return without_term_; }

  /// What saw the mutant; empty if nothing did.
  std::string killer(const Mutant& mutant) const {
    broken_op = mutant.record;
    broken_input = mutant.input;
    broken_kind = mutant.kind;
    struck = false;
    detail::mutant.term = mutant.term;
    std::string reason;
    for (const std::size_t i : mutant.entries) {
      if (reason.empty()) reason = failure(registry_[i]);
    }
    broken_op = nullptr;
    detail::mutant.term = 0;
    return reason;
  }

 private:
  /// Which sample of an operation fails, and how; empty if none does.
  std::string failure(const RegistryEntry& entry) const {
    for (const auto& sample : samples_of(entry)) {
      std::ostringstream text;
      try {
        const auto report =
            check_gradients(sample.in_double, sample.inputs, {.zero_slope = entry.zero_slope});
        if (report.passed && (entry.zero_slope || third_derivatives_agree(sample))) continue;
        text << sample.label << ", order "
             << (report.passed ? "3: both ways differ"
                               : std::to_string(report.order) + ": " + report.reason);
      } catch (const ebb::Error& error) {
        text << sample.label << ": " << error.what();
      }
      return text.str();
    }
    return {};
  }

  /// The errors in what the records of an operation give: its own, and those that no operation of
  /// the registry has, which are parts of it.
  void add_records(std::size_t i, const std::set<std::string_view>& names) {
    const RegistryEntry& entry = registry_[i];
    ++operations_;
    std::set<std::pair<const detail::Op*, int>> inputs;
    seen = &inputs;
    const std::string reason = failure(entry);
    seen = nullptr;
    if (!reason.empty()) {
      throw ArgumentError(std::string(entry.name) + " fails without a mutant: " + reason);
    }
    // By name and position, so that the order does not depend on where the constants are.
    std::multimap<std::string, std::pair<const detail::Op*, int>> records;
    for (const auto& [op, k] : inputs) {
      // The engine opens others with aliases, which are places of the tape and no operations, and
      // with hooks, which stand where a gradient is 0 and have tests of their own.
      const bool of_engine = op->name == "alias" || op->name == "hook";
      if (op->name != entry.name && (names.count(op->name) || of_engine)) continue;
      records.emplace(title_of(entry, *op, k), std::pair(op, k));
    }
    composed_ += records.empty();
    if (entry.zero_slope) return;  // nothing goes back
    for (const auto& [title, input] : records) {
      for (const auto& [kind, text] : kinds) {
        mutants_.push_back(
            {std::string(entry.name), title + text, {i}, input.first, input.second, kind});
      }
    }
  }

  /// The terms that the rewritten sources can drop: lines of number, operation, function, text.
  void add_terms(const std::string& file, const std::set<std::string>& wanted) {
    std::ifstream in(file);
    if (!in) throw FileError("cannot read " + file);
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string number, op, function, text;
      std::getline(fields, number, '\t');
      std::getline(fields, op, '\t');
      std::getline(fields, function, '\t');
      std::getline(fields, text, '\t');
      if (!wanted.empty() && !wanted.count(op)) continue;
      if (number == "0") {
        ++without_term_;
        continue;
      }
      Mutant mutant{op, function + ": without " + text + " (term " + number + ")", {}};
      mutant.term = std::stoi(number);
      for (std::size_t i = 0; i < registry_.size(); ++i) {
        if (registry_[i].name == op) mutant.entries.push_back(i);
      }
      mutants_.push_back(std::move(mutant));
    }
  }

  std::vector<RegistryEntry> registry_;
  std::vector<Mutant> mutants_;
  int operations_ = 0, composed_ = 0, without_term_ = 0;
};

/// Why a mutant is right all the same; empty if it is not in the list.
std::string_view equivalence(const Mutant& mutant) {
  for (const auto& e : equivalents) {
    if (e.op == mutant.op && mutant.mutation.starts_with(e.mutation)) return e.reason;
  }
  return {};
}

/// What became of a mutant; an absent one is nowhere in the samples, as a matrix that is not
/// square.
enum class Fate { killed, equivalent, survived, absent };

struct Outcome {
  Fate fate;
  std::string reason;
};

/// Runs the samples on a mutant. `reached` tells whether they came to the place of the last one
/// with a wrong sign: where they did, a matrix to be transposed may still be missing.
Outcome judge(const Proof& proof, const Mutant& mutant, bool& reached) {
  const std::string killer = proof.killer(mutant);
  const std::string_view right = equivalence(mutant);
  if (mutant.kind == Kind::sign) reached = struck;
  if (!killer.empty()) {
    if (right.empty()) return {Fate::killed, killer};
    return {Fate::survived, "is in the list of those that are right"};
  }
  if (!mutant.term && reached && !struck) return {Fate::absent, ""};
  if (!right.empty()) return {Fate::equivalent, std::string(right)};
  return {Fate::survived, mutant.term || struck ? "every sample passes" : "no sample comes there"};
}

/// The table of operations; a mutant that survives is printed as soon as it is known.
class Report {
 public:
  void add(const Mutant& mutant, const Outcome& outcome) {
    if (outcome.fate == Fate::absent) return;
    const auto [row, added] = index_.emplace(mutant.op, rows_.size());
    if (added) rows_.push_back({mutant.op, {}});
    ++rows_[row->second].counts[int(outcome.fate)];
    ++total_[int(outcome.fate)];
    results_.push_back(nlohmann::ordered_json{{"op", mutant.op},
                                              {"mutation", mutant.mutation},
                                              {"killed", outcome.fate == Fate::killed},
                                              {"reason", outcome.reason}});
    if (outcome.fate == Fate::survived) {
      std::printf("SURVIVED  %s, %s: %s\n", mutant.op.c_str(), mutant.mutation.c_str(),
                  outcome.reason.c_str());
    }
  }
  void print(const Proof& proof) const {
    std::printf("%-20s %8s %10s %8s\n", "", "killed", "equivalent", "survived");
    for (const auto& [op, n] : rows_) {
      std::printf("%-20s %8d %10d %8d\n", op.c_str(), n[0], n[1], n[2]);
    }
    std::printf("%-20s %8d %10d %8d\n", "all", total_[0], total_[1], total_[2]);
    std::printf(
        "%d operations; %d are composed and have no record of their own; %d slopes and vjps "
        "have no term to drop; %zu mutants, %s\n",
        proof.operations(), proof.composed(), proof.without_term(), results_.size(),
        total_[2] ? "some survived" : "none survived");
  }
  int survived() const { return total_[int(Fate::survived)]; }
  const nlohmann::ordered_json& results() const { return results_; }

 private:
  struct Row {
    std::string op;
    int counts[3];
  };
  std::vector<Row> rows_;
  std::map<std::string, std::size_t> index_;
  int total_[3] = {};
  nlohmann::ordered_json results_ = nlohmann::ordered_json::array();
};

Report run(const Proof& proof) {
  Report report;
  bool reached = false;
  std::size_t done = 0;
  for (const Mutant& mutant : proof.mutants()) {
    if (++done % 20 == 0) {
      std::fprintf(stderr, "\r%zu of %zu: %-24s", done, proof.mutants().size(), mutant.op.c_str());
    }
    report.add(mutant, judge(proof, mutant, reached));
  }
  std::fprintf(stderr, "\n");
  report.print(proof);
  return report;
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> wanted;
  std::string json_file, terms;
  bool list = false;
  CLI::App app("Breaks each derivative in turn; the checks must see it.");
  app.add_option("op", wanted, "Operations; all without any");
  app.add_flag("--list", list, "Print the mutants, run none");
  app.add_option("--json", json_file, "Write the results to this file");
  app.add_option("--terms", terms, "The terms that can be dropped")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  std::ofstream json;
  if (!json_file.empty()) {
    json.open(json_file);
    if (!json) throw FileError("cannot write " + json_file);
  }
  const Proof proof({wanted.begin(), wanted.end()}, terms);
  if (list) {
    for (const Mutant& mutant : proof.mutants()) {
      std::printf("%s, %s\n", mutant.op.c_str(), mutant.mutation.c_str());
    }
    return 0;
  }
  const Report report = run(proof);
  if (json.is_open()) {
    json << report.results().dump(2) << '\n';
    json.close();
    if (!json) throw FileError("cannot write " + json_file);
  }
  return report.survived() > 0 ? 1 : 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "mutate: %s\n", e.what());
  return 2;
}
